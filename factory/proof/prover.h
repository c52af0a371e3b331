/* SPDX-License-Identifier: Apache-2.0 */
/* prover.h - a proof under way, which its parts share: proof.c (files), proof_process.c (one process),
 * proof_plugin.c, proof_start.c (one program), proof_launch.c (the image's configuration)
 *
 * Private to the proof.
 * Threads: as proof.h.
 */
#ifndef IMGFACTORY_PROOF_PROVER_H
#define IMGFACTORY_PROOF_PROVER_H

#include "closure/loader_before.h"
#include "package/elf_symbols.h"
#include "proof/proof.h"

/* What look-ups of symbols may cost; behind it nothing is found. Real images take a few million steps, so hash chains
 * that need more are a trap. */
#define PROVER_STEPS_MAX ((uint64_t)1 << 30)

struct proof_elf;

struct proof_scope {
    struct proof_elf **items;
    size_t count, capacity;
};

/* An ELF file of the image. */
struct proof_elf {
    const struct sourced *file; /* NULL: the entry is no ELF file */
    const struct arch *arch;    /* NULL: of none of the image's */
    struct proof_elf *twin;     /* the first file with the same bytes (a hard link of a root); NULL: itself */
    struct elf_symbols symbols;
    bool is_read;                 /* symbols */
    bool is_loaded;               /* by a program, through DT_NEEDED */
    bool is_given;                /* of the base: looked at where something of ours needs it */
    bool is_launched;             /* the image starts it */
    bool has_providers;           /* all its symbols were found once, in `providers` */
    bool imports_unwinding;       /* pthread_exit and the like */
    struct proof_scope providers; /* each once */
    size_t symbol_count;          /* how many were looked for */
    unsigned mark;                /* number of the process in whose scope it was last */
    unsigned question;            /* the number of the last that was asked of it (defines_first() in proof_plugin.c) */
    bool answer;                  /* to it */
};

/* A program of the image and the scope of its process. */
struct proof_program {
    const struct sourced *file;
    const struct arch *arch;
    struct proof_scope scope;
};

/* Who starts a program: the configuration's User. */
struct proof_identity {
    const char *name; /* as written */
    uint32_t uid;
    LIST(uint32_t) groups; /* numbers */
};

/* A proof under way. */
struct prover {
    struct arena *arena;
    const struct proof_request *request;
    struct proof *proof;
    struct package package; /* pretended: its entries are the nodes of the tree */
    struct fileset set;
    struct arch *arches;          /* of the request, with /lib beside /usr/lib */
    struct loader *loaders;       /* parallel to arches: prepared */
    const struct before **before; /* parallel to arches: what may be loaded before plug-ins; NULL: not needed yet */
    struct strings path_dirs;     /* where programs are looked for by name */
    struct proof_elf **elfs;      /* parallel to package.entries; &no_elf for what is none */
    struct proof_elf no_elf;      /* never written to */
    LIST(struct proof_program) programs;
    const struct proof_identity *identity; /* whose permissions count; NULL: root's, or nobody knows whose */
    struct proof_scope **all;              /* parallel to arches: its files; NULL: not needed yet */
    struct map known, hosted;              /* of symbols without a provider: the image has them, one program has them */
    size_t last_host;                      /* of `programs`: the one that last provided a plug-in's symbols */
    unsigned question_count;               /* of proof_elf.question */
    size_t host_tries;                     /* processes set up for plug-ins that lack a library */
    const char *spare;                     /* the file that is looked at, when the image may do without; else NULL */
    bool is_silent;                        /* what is looked at is not judged */
    unsigned mark;
    uint64_t steps;  /* of look-ups, against made-up hash chains */
    struct map seen; /* texts of findings */
};

/* A symbol that is bound by nothing in a scope. */
struct unbound {
    const struct proof_elf *elf; /* that refers to it */
    const char *name;
    const struct elf_version *version;
};

struct unbound_list {
    struct unbound *items;
    size_t count, capacity;
};

/* What is wrong with a process. */
struct trouble {
    struct arena *arena;
    struct proof_findings findings; /* files and versions */
    struct unbound_list unbound;
};

/* Reads the tree: its files, their ELF facts, each architecture's loader. `arena`, `request`, `proof` and `seen` are set. */
void prover_init(struct prover *prover);
/* Adds a finding unless the same text is there already. What would be a violation of a spare file is listed apart. */
void prover_add(struct prover *prover, bool is_violation, const struct proof_finding *finding);
/* Sets up the process of an ELF file with the loader's rules; memory from `arena`. */
struct loader prover_loader(struct prover *prover, struct arena *arena, const struct arch *arch);
/* Returns what the proof knows of a file that is ELF. */
struct proof_elf *prover_elf(struct prover *prover, const struct entry *content);
/* Returns the symbols, read when first asked for. */
const struct elf_symbols *prover_symbols(struct prover *prover, struct proof_elf *elf);

/* Lists what a process lacks: interpreter, libraries, versions, symbols; from its object number `first` on. Further
 * objects in whose symbols it may find its own are in `host` (may be NULL). */
void process_check(struct prover *prover, const struct load_list *list, const struct proof_scope *host,
                   struct trouble *trouble);
/* Gives the objects of a process in its scope. */
void process_scope(struct prover *prover, struct arena *arena, const struct load_list *list,
                   struct proof_scope *ret_scope);
/* Adds findings for symbols that are bound by nothing: one for each file and library they were expected in. */
void process_add_unbound(struct prover *prover, const struct unbound_list *unbound, bool is_violation,
                         const char *where);
/* Returns whether any file of a scope defines the symbol. */
bool scope_defines(struct prover *prover, const struct proof_scope *scope, const struct unbound *unbound);

/* Returns whether the kernel or a run-time directory provides what is there. */
bool prover_is_provided(const char *path);
/* Returns whether an ELF file is one that the kernel or the loader would take, or broken. */
bool prover_is_loadable(const struct elf_facts *elf);
/* Finds the program that env or a container engine starts: a path as it is, a name in path_dirs; its path or NULL. */
const char *prover_find_program(struct prover *prover, const char *program);
/* Tells why the kernel would not start a file, or NULL. *ret_wanted is set to what is missing. `depth`: scripts so far. */
const char *prover_why_not_startable(struct prover *prover, const char *path, unsigned depth, const char **ret_wanted);
/* Tells why the identity may not execute (`bit` 01) or write (02) where a path without symlinks is, or NULL. */
const char *prover_why_not_allowed(struct prover *prover, const char *path, unsigned bit);
/* Checks one program that the image starts, or (a note) a script that somebody may. */
void start_check(struct prover *prover, const char *program, bool is_violation);
/* Marks the ELF files that run when a program is started: itself, or interpreters of a script. */
void start_mark(struct prover *prover, const char *program);
/* The same for the program that the configuration starts. */
void launch_mark(struct prover *prover, const struct launch *launch);
/* Checks the configuration; from then on path_dirs is its PATH. */
void launch_check(struct prover *prover, const struct launch *launch);

/* Checks that interpreters have what they start with (proof_interpreters.c). */
void interpreters_check(struct prover *prover);
/* Checks a library that no program loads. */
void plugin_check(struct prover *prover, const struct sourced *file);

#endif
