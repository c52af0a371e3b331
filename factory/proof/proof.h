/* SPDX-License-Identifier: Apache-2.0 */
/* proof.h - whether everything in a finished tree can start: each ELF file as the target's loader would set it up
 *
 * No package data is needed, only the tree: ours or anybody's. For each architecture asked for:
 * - a program (PT_INTERP): the interpreter is there and of the right machine; every DT_NEEDED is found (loader.h); every
 *   version of DT_VERNEED is defined by the library that is found (a weak one may lack, and a library without versions
 *   is taken, as ld.so takes it); every strong undefined symbol that a relocation names, of every object of the
 *   process, is defined in its scope.
 * - a library that no program loads by DT_NEEDED is a plug-in, opened with dlopen(3) by a program of the image: it is
 *   checked with what it needs itself, and what that lacks may come from a program's process (its libraries that are
 *   loaded already, its DT_RPATH, its symbols). A library that is only in a directory of somebody's own must be loaded
 *   before it (loader_before.h), which is a note. Symbols that no single program provides, but some file of the image
 *   defines, are a note: plug-ins can be stacked. What nothing in the image defines is a violation.
 * - glibc opens libgcc_s.so.1 for pthread_exit and pthread_cancel: missing is a violation when a process imports one
 *   of these, else a note.
 * - glibc's libthread_db.so.1 wants ps_… of the debugger that opens it (nptl_db/proc_service.h): a note.
 * - the programs that the image shall start (proof_request.programs) are there, executable, and when they are scripts
 *   their chain of interpreters is. Of other scripts a missing interpreter is a note. The configuration: launch.h.
 * - an interpreter that the image starts, itself or for a script, without the library that it starts with: a violation;
 *   any other: a note.
 * - symlinks that lead nowhere are notes, unless into /proc, /sys, /dev or /run. One on the way to something needed shows as
 *   that.
 * - an ELF file of another machine, or a broken one, is a violation where programs or libraries are looked for (bin
 *   directories, the loader's directories), else a note: data. Object files and core dumps are data.
 * Not seen: what a program opens by a name of its own (a plug-in that is gone), and what is in data files.
 * Threads: any; pure function of its inputs.
 * Fails with: nothing; findings are the result.
 */
#ifndef IMGFACTORY_PROOF_PROOF_H
#define IMGFACTORY_PROOF_PROOF_H

#include "oci/launch.h"
#include "plan/interpreter.h"
#include "tree/tree.h"

#define PROOF_LISTED_MAX 20 /* violations in an error's text */
#define PROOF_NOTES_MAX 1000

struct proof_finding {
    const char *path;   /* of the file it is about */
    const char *wanted; /* soname or path that is not there, or NULL: some package could provide it */
    const char *text;   /* one line for people, with the names */
};

struct proof_findings {
    struct proof_finding *items;
    size_t count, capacity;
};

struct proof {
    struct proof_findings violations, notes; /* in the order of paths; each text once */
    struct proof_findings spared; /* would be violations; `path` is the spare file that could not be loaded */
    size_t note_count;            /* all of them; at most PROOF_NOTES_MAX are kept */
    size_t file_count;            /* ELF files and scripts that were checked */
    size_t program_count;         /* processes that were set up */
    uint64_t symbol_count;        /* references that were looked up, each once per file */
};

struct proof_request {
    const struct tree *tree;
    const struct arch *const *arches; /* of the image, the first is its own; ELF files of others are foreign */
    size_t arch_count;
    struct strings programs;     /* that have to be startable: paths, or names in the usual PATH */
    const struct launch *launch; /* the image's configuration, or NULL */
    const struct map *spare;     /* paths of files that need not be loadable, unless the image starts them; or NULL */
    const struct interpreters *interpreters; /* those that are known; or NULL */
    struct strings faults;                   /* what was found before: texts, each a violation */
    bool is_mapped_alone; /* the files' bytes are in mappings of their own: what was looked at may leave memory */
};

/* Finds the architectures that a tree of unknown origin is for: those whose loader is there under its own path, the one
 * with the most ELF files first; else the one with the most ELF files; none when there is no ELF file of a known one.
 * *ret_arches has room for all. */
void proof_find_arches(struct arena *arena, const struct tree *tree, const struct arches *arches,
                       const struct arch ***ret_arches, size_t *ret_count);
/* Checks the tree. Results live in the arena. */
void proof_check(struct arena *arena, const struct proof_request *request, struct proof *ret_proof);
/* Fails with ERR_RESOLVE that lists the violations (at most PROOF_LISTED_MAX), if there are any. */
bool proof_verdict(const struct proof *proof, struct err *err) MUST_CHECK;

#endif
