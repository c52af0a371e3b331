/* SPDX-License-Identifier: Apache-2.0 */
/* loader.h - one process as the target's dynamic loader sets it up, over a fileset: glibc's elf/dl-load.c, dl-deps.c
 *
 * ld.so(8). A process begins with a root: a program (its interpreter, PT_INTERP, is loaded beside it) or a plug-in, as
 * if opened by a program without search paths. DT_NEEDED breadth first. A name is looked up
 *   1. among what is loaded: by the names it was asked for, the path it was opened under, its DT_SONAME
 *   2. with '/' in it: as that path, nowhere else
 *   3. unless the object has a DT_RUNPATH: in the DT_RPATH of the object, then of the one that brought it, up to the
 *      root (an object's DT_RPATH does not count beside its own DT_RUNPATH)
 *   4. in the DT_RUNPATH of the object alone
 *   5. in /etc/ld.so.cache (ld_cache.h); an object with DF_1_NODEFLIB ignores entries below the built-in directories
 *   6. in the built-in directories, unless the object has DF_1_NODEFLIB
 * What is not found so may, of a plug-in, be met by what its opener has loaded before (loader_before.h).
 * In every directory of 3, 4 and 6 glibc-hwcaps/NAME/ comes first for each name that the machine has. A file of another
 * class, machine or ABI (e_flags: soft and hard float of ARM and RISC-V, ELFv1 and v2 of POWER) is passed over; one
 * that is no ELF file, broken, or an executable stops the loader. A file that is loaded already under another name
 * is not loaded again: the same inode. $ORIGIN is the real directory of a program (/proc/self/exe), for any other
 * object the directory of the path under which it was opened; $LIB and $PLATFORM are the loader's own.
 * Left out, because an image has them not: LD_LIBRARY_PATH, LD_PRELOAD, /etc/ld.so.preload, LD_AUDIT. Not looked into:
 * the hwcaps directories from before glibc-hwcaps (tls, haswell, neon …), which glibc 2.37 dropped; DT_FILTER and
 * DT_AUXILIARY. A search path element that is empty or relative means the current directory, of which an image does not
 * have a say: it is left out and noted. Other interpreters than the architecture's glibc ones are noted; the rules are
 * glibc's all the same.
 * Threads: any; pure function of its inputs.
 * Fails with: nothing; what the loader would stop at is a note with is_fatal.
 */
#ifndef IMGFACTORY_CLOSURE_LOADER_H
#define IMGFACTORY_CLOSURE_LOADER_H

#include "closure/ld_cache.h"

/* How one need was met. */
enum load_step {
    LOAD_NOWHERE,     /* not found */
    LOAD_KNOWN,       /* by a name or DT_SONAME of an object that was loaded already: no file was looked for */
    LOAD_PATH,        /* the name is a path */
    LOAD_RPATH,       /* DT_RPATH of `owner` */
    LOAD_RUNPATH,     /* DT_RUNPATH of the object itself */
    LOAD_CACHE,       /* /etc/ld.so.cache, and not in a built-in directory as well */
    LOAD_DEFAULT,     /* a built-in directory */
    LOAD_INTERPRETER, /* PT_INTERP */
    LOAD_BEFORE,      /* not found; who opens the plug-in must have opened it before */
};

/* One DT_NEEDED (or PT_INTERP, or what was opened at run time) and what became of it. */
struct load_need {
    const char *name;                /* as it is written */
    struct load_object *object;      /* that meets it, or NULL */
    enum load_step step;             /* NOWHERE with object NULL, else never NOWHERE */
    const struct load_object *owner; /* RPATH, RUNPATH: whose; else NULL */
    const char *path;                /* under which a file was opened, as the loader spells it; NULL for KNOWN */
    const struct sourced *file;      /* that was opened, even when `object` was loaded already under another name */
    struct sourced_list links;       /* symlinks on the way there */
};

/* An object of the process (glibc: struct link_map). */
struct load_object {
    const struct sourced *file;
    const struct entry *content; /* that has the bytes: the same inode */
    const struct elf_facts *elf;
    const char *path;                 /* under which it was opened (l_name) */
    const char *origin;               /* $ORIGIN */
    const struct load_object *loader; /* whose need brought it; NULL for root and interpreter */
    struct load_need *needs;          /* its DT_NEEDED in order */
    size_t need_count;
    bool is_listed; /* in the scope (load_list.items) */
};

enum load_note_kind {
    NOTE_OTHER_MACHINE, /* a file for another machine or ABI was passed over */
    NOTE_BROKEN,        /* a file was found that stops the loader: no ELF file, broken, an executable */
    NOTE_CURRENT_DIR,   /* an empty or relative element of a search path: the current directory */
    NOTE_NO_TOKEN,      /* a $TOKEN without a value, or a path that gets too long */
    NOTE_INTERPRETER,   /* PT_INTERP is not usable (fatal), or not one of glibc's */
};

/* Something seen on the way. */
struct load_note {
    enum load_note_kind kind;
    bool is_fatal;                    /* the process does not start */
    const struct load_object *object; /* whose need or search path it was */
    const struct sourced *file;       /* the file it is about, or NULL */
    const char *text;                 /* one line for people, with the names */
};

/* A process. */
struct load_list {
    struct load_object **items; /* the scope in which symbols are looked up: the root first, then breadth first */
    size_t count, capacity;
    struct load_object *interpreter;   /* also in `items` when something needs it by name, and only then; or NULL */
    struct load_need interpreter_need; /* .name is PT_INTERP, or NULL when the root has none */
    struct {
        struct load_note *items;
        size_t count, capacity;
    } notes;
    size_t settled_count; /* private: objects whose needs were looked up */
    struct map names;     /* private: name → the first struct load_object that is known by it */
};

/* The machine and its file system: what all processes of an image have in common. */
/* A few seconds. All programs of a distribution's largest images take less than a hundredth of it; search paths that
 * are inherited by chains of libraries could take any time. */
#define LOADER_STEPS_MAX ((uint64_t)1 << 23)

struct before;
struct loader {
    struct arena *arena;
    const struct arch *arch;
    const struct fileset *set;
    struct strings dirs;          /* the built-in directories, as the loader spells them, each once */
    const char *lib_token;        /* $LIB */
    const struct ld_cache *cache; /* /etc/ld.so.cache, or NULL: there is none */
    struct strings hwcaps;        /* glibc-hwcaps directories of the machine, best first; empty: the oldest machine */
    const struct before *before;  /* what may be loaded before a plug-in (loader_before.h), or NULL: nothing */
    struct map *walks; /* private to the search: where paths lead to that other processes tried, when the set does not
                        * change any more; or NULL */
    uint64_t *steps;   /* paths tried so far, by all copies of this loader; LOADER_STEPS_MAX end the search */
};

/* Prepares a loader without cache and hwcaps, which the caller may set. Built-in directories and $LIB are read out of the
 * set's own loader (one of arch->loaders: its SYSTEM_DIRS); when that cannot be done they are the architecture's. */
void loader_prepare(struct arena *arena, const struct arch *arch, const struct fileset *set, struct loader *ret_loader);
/* Returns whether a directory is a built-in one, by whatever name. */
bool loader_is_builtin(const struct loader *loader, const char *dir);
/* Lists the kinds of machines to look at when the glibc-hwcaps directories `asked` are to be used: the oldest machine
 * first, then what each of arch->hwcaps that is asked for adds. A name of other architectures makes no difference. */
void loader_machines(struct arena *arena, const struct arch *arch, const struct strings *asked,
                     struct strings **ret_machines, size_t *ret_count);
/* Sets up the process of `root`, which must have ELF facts that are not broken and loader_is_for(). `path` is how it is
 * started or opened. Results live in the loader's arena. */
void loader_load(const struct loader *loader, const struct sourced *root, const char *path, struct load_list *ret_list);
/* Opens a further library as dlopen(3) does when `opener` calls it, and all that it needs; these objects are appended to
 * the list. */
struct load_need loader_open(const struct loader *loader, struct load_list *list, struct load_object *opener,
                             const char *name);
/* Returns the loaded object that a name means (rule 1 above), the interpreter among them; NULL when none does. */
struct load_object *loader_find(const struct load_list *list, const char *name);
/* Returns whether the ELF file is for the architecture: class, machine, byte order and ABI. */
bool loader_is_for(const struct elf_facts *elf, const struct arch *arch);
/* Why the file cannot be used on the architecture, broken or not for it, for people; NULL when it can. */
const char *loader_why_not(struct arena *arena, const struct elf_facts *elf, const struct arch *arch);
/* Describes machine, class and byte order for messages: "AArch64 (64-bit, little-endian)". */
const char *loader_describe(struct arena *arena, uint16_t machine, uint8_t elf_class, bool is_big_endian);

#endif
