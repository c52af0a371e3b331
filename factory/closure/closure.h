/* SPDX-License-Identifier: Apache-2.0 */
/* closure.h - which files a service needs: the dynamic loader's own search, done on the packages' files
 *
 * From each root: symlinks as packaged; for ELF one process as loader.h sets it up, with all that was opened on the way.
 * For scripts the interpreter (and what `env` would start), at most 4 deep. libgcc_s.so.1 is kept whenever the C library
 * is dynamic, because glibc opens it with dlopen for pthread_exit, pthread_cancel and backtrace. A script counts only
 * when it is executable; a dangling symlink that is a root is kept when the root is optional, alone or lenient, else its
 * end is missing. Each root is a process of its own; what is kept is shared.
 * The directories of /etc/ld.so.conf and its parts (ld_conf.h) count as on an installed system, where ldconfig ran; when
 * something is found only through them, the image needs the cache, and the configuration is kept with it.
 * Threads: any; pure function of its inputs.
 * Fails with: ERR_MALFORMED (a root that is an ELF of another machine; a root, interpreter or library found that is
 * broken; a library found that is no ELF at all; scripts that interpret each other). What is missing is a result, not
 * a failure, and so is all of that for a file that may be spared.
 */
#ifndef IMGFACTORY_CLOSURE_CLOSURE_H
#define IMGFACTORY_CLOSURE_CLOSURE_H

#include "closure/fileset.h"
#include "plan/manifest.h"

/* What becomes of a root that is an ELF file and cannot be loaded. */
enum unloadable {
    UNLOADABLE_REFUSED, /* what it lacks is missing: there is no image without it */
    UNLOADABLE_KEPT,    /* it is kept, without what it needs, and listed */
    UNLOADABLE_DROPPED, /* it is left out, unless something else needs it, and listed */
};

struct closure_root {
    const char *path; /* canonical, or as in the manifest */
    const char *why;  /* "binary of the manifest" */
    bool is_optional; /* absent is fine */
    bool is_alone;    /* keep the file, but do not look for its libraries (data, configuration) */
    bool is_program;  /* the image shall start it: it must be an executable ELF file or script */
    bool is_lenient;  /* one of many, not named itself: a symlink may dangle, and a script may lack its interpreter */
    enum unloadable if_unloadable;
};

struct kept {
    const struct sourced *file;
    const char *why;               /* "needed by /usr/sbin/dhcpd as libc.so.6" */
    const char *by;                /* path of the file because of which it is kept, itself kept; NULL for a root */
    enum unloadable if_unloadable; /* as the strictest of the roots that lead to it has it */
};

struct missing {
    const char *wanted;    /* soname, or path of an interpreter, script interpreter or root */
    const char *needed_by; /* path of the file, or "the manifest" */
    bool is_root;
    bool is_opened;   /* a library of a dlopen note, not a DT_NEEDED */
    bool is_optional; /* the image is complete without it */
    bool is_doubtful; /* only a partial set misses it: what is in no package of the selection is done without */
};

/* A root that cannot be loaded, without which the image is complete. */
struct unloadable_file {
    const char *path, *package, *reason; /* "needs libx.so.1, which is in none of the selected packages" */
    bool is_dropped;
};

struct unloadable_files {
    struct unloadable_file *items;
    size_t count, capacity;
};

struct keep {
    struct kept *items; /* sorted by path; parent directories are not listed (the tree adds them) */
    size_t count;
    struct missing *missing; /* in the order found */
    size_t missing_count;
    bool needs_cache;          /* something kept is found only through /etc/ld.so.cache */
    struct strings cache_dirs; /* what it lists when it is needed: configured and built-in directories, as spelled */
    struct unloadable_files unloadable; /* in the order found; nothing while the set is partial */
    struct strings notes;               /* what the loader passes over and what was left out, for people */
};

struct closure_request {
    const struct arch *arch;
    const struct closure_root *roots;
    size_t root_count;
    bool is_partial; /* not all packages of the selection are in the set yet: only tells what is missing, libgcc_s and
                        what may be absent included */
    const struct strings *hwcaps;  /* glibc-hwcaps directories to look into as well, or NULL: what they give is kept
                                     beside what every machine loads */
    enum dlopen_policy dlopen;     /* the weakest dlopen notes that are followed */
    const struct strings *dropped; /* paths of roots that are known not to be loadable: left out; or NULL */
};

/* Finds the closure. Results live in the arena and point into the set. */
bool closure_find(struct arena *arena, const struct fileset *set, const struct closure_request *request,
                  struct keep *ret_keep, struct err *err) MUST_CHECK;
/* Returns whether something is missing without which there is no image. */
bool keep_lacks(const struct keep *keep);

#endif
