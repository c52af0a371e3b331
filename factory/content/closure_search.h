/* closure_search.h - where the loader looks for one library: the search of glibc's elf/dl-load.c and elf/dl-deps.c
 *
 * Private to the closure. ld.so(8), "DESCRIPTION", "Dynamic string tokens".
 * Threads: no state.
 */
#ifndef IMGFACTORY_CONTENT_CLOSURE_SEARCH_H
#define IMGFACTORY_CONTENT_CLOSURE_SEARCH_H

#include "content/fileset.h"
#include "plan/arch.h"

/* An object in the load list of one process (glibc: struct link_map). */
struct loaded {
    const struct sourced *file;
    const struct entry *content; /* that has the bytes: the same inode */
    const struct elf_facts *elf;
    const char *origin;          /* $ORIGIN */
    const struct loaded *loader; /* whose DT_NEEDED brought it, NULL for the root */
    struct strings names;        /* what it was asked for as */
};

struct load_list {
    struct loaded **items; /* in load order; the root first */
    size_t count, capacity;
};

/* What every search works with. */
struct search {
    struct arena *arena;
    const struct fileset *set;
    const struct arch *arch;
};

/* A file that the search found. */
struct found {
    const struct sourced *file; /* NULL: not found */
    const struct entry *content;
    const char *origin;        /* directory under which it was found */
    struct sourced_list links; /* symlinks on the way */
};

/* Expands $ORIGIN, $LIB and $PLATFORM, also in braces; NULL when a token has no value. */
const char *search_expand(const struct search *search, const char *origin, struct text text);
/* Returns the loaded object that a name means: by a name it was asked for, or by its DT_SONAME; NULL when none does. */
struct loaded *search_loaded(const struct load_list *list, const char *name);
/* Searches a library for `loader` (name: tokens expanded already). Not found is success with ret_found->file NULL. */
bool search_library(const struct search *search, const struct loaded *loader, const char *name, struct found *ret_found,
                    struct err *err) MUST_CHECK;
/* Returns whether the ELF is for the architecture: machine, class and byte order. */
bool elf_is_for(const struct elf_facts *elf, const struct arch *arch);
/* Describes machine, class and byte order for messages: "AArch64 (64-bit, little-endian)". */
const char *elf_describe(struct arena *arena, uint16_t machine, uint8_t elf_class, bool is_big_endian);

#endif
