/* SPDX-License-Identifier: Apache-2.0 */
/* closure_finder.h - what the closure has found so far, and what is left to be looked at (private to closure*.c)
 *
 * Threads: a finder belongs to one task.
 */
#ifndef IMGFACTORY_CLOSURE_CLOSURE_FINDER_H
#define IMGFACTORY_CLOSURE_CLOSURE_FINDER_H

#include "closure/closure.h"
#include "closure/ld_cache.h"
#include "closure/ld_conf.h"
#include "closure/loader_before.h"
#include "package/elf_dlopen.h"

/* A program or plug-in whose needs are still to be found. */
struct start {
    const struct sourced *file;
    const char *path; /* as asked for: where a plug-in is opened */
    unsigned script_depth;
    bool is_lenient;
    enum unloadable if_unloadable;
    struct sourced_list links; /* to the file, of a root that need not be loadable */
};

/* A file that is kept, or only when it can be loaded. */
struct held {
    struct kept kept;
    bool is_kept;
};

/* A start that failed, though the image is complete without it. */
struct failed_start {
    struct start start;
    const char *reason;
};

struct finder {
    struct loader loader;     /* for the oldest machine */
    struct strings *machines; /* hwcaps of each kind of machine; the first has none */
    size_t machine_count;
    struct ld_conf conf;
    struct strings cache_dirs;
    struct ld_cache cache;
    bool needs_cache;
    struct map noted;
    struct strings notes;
    const struct closure_request *request;
    struct map kept;     /* path → struct held * */
    struct map started;  /* "depth leniency path" of each start */
    struct map reported; /* "wanted\nneeded by" of each that is missing */
    LIST(struct start) starts;
    LIST(struct missing) missing;
    LIST(struct failed_start) failed;
    enum unloadable if_unloadable; /* of the root that is looked at, and all that it leads to */
    struct before *before;         /* libraries that may be loaded before a plug-in; NULL until one wants it */
    struct map opened;             /* path → struct dlopen_needs * of files that were looked at */
};

/* Keeps a file, for the reason that came first. `by`: the path because of which, or NULL. */
void finder_keep_file(struct finder *finder, const struct sourced *file, const char *why, const char *by);
/* Holds a file, or the links to it, for a reason: kept once it can be loaded, or somebody else keeps it. */
void finder_hold_file(struct finder *finder, const struct sourced *file, const char *why);
void finder_hold_links(struct finder *finder, const struct sourced_list *links, const char *leads_to);
/* Keeps the links on the way to a path. */
void finder_keep_links(struct finder *finder, const struct sourced_list *links, const char *leads_to);
/* Keeps the file that meets a need and the links to it, or reports that there is none. `why`: NULL for a DT_NEEDED of
 * the file `needed_by`. */
void finder_keep_need(struct finder *finder, const struct load_need *need, const char *why, const char *needed_by);
/* Keeps what the objects of the list from `first` on need. */
void finder_keep_needs(struct finder *finder, const struct load_list *list, size_t first);
/* Notes something for the report, once. */
void finder_note(struct finder *finder, const char *note);
/* Reports what is missing, each thing once for each file that needs it. */
void finder_report(struct finder *finder, const struct missing *missing);
/* The same for what is not opened at run time. */
void finder_report_missing(struct finder *finder, const char *wanted, const char *needed_by, bool is_root);
/* The same for what may be done without when no package of the selection has it. */
void finder_doubt(struct finder *finder, const char *wanted, const char *needed_by, bool is_root);
/* Returns whether a file is kept by now. */
bool finder_is_kept(const struct finder *finder, const struct sourced *file);
/* Notes a program or plug-in whose needs are to be found, once for each path and leniency. */
void finder_start(struct finder *finder, const struct start *start);
/* Fails with ERR_MALFORMED: the file cannot be used. */
bool finder_refuse(const struct sourced *file, struct err *err, const char *reason);
/* Keeps what an ELF file brings that is started, or opened by its path (closure_process.c). What need not be loadable,
 * and is not, fails without an error. */
bool closure_start_elf(struct finder *finder, const struct start *start, const struct entry *content,
                       struct err *err) MUST_CHECK;
/* Lists what failed so, unless something else keeps it, when everything has been looked at; keeps what is to stay. */
void closure_settle_failed(struct finder *finder, struct unloadable_files *ret_files);
/* Follows the dlopen notes of all objects of a process (closure_dlopen.c). */
void closure_follow_notes(struct finder *finder, const struct loader *loader, struct load_list *list);

#endif
