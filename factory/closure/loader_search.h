/* SPDX-License-Identifier: Apache-2.0 */
/* loader_search.h - where the loader looks for one library: the search of glibc's elf/dl-load.c
 *
 * Private to the loader. ld.so(8), "DESCRIPTION", "Dynamic string tokens".
 * Threads: no state.
 */
#ifndef IMGFACTORY_CLOSURE_LOADER_SEARCH_H
#define IMGFACTORY_CLOSURE_LOADER_SEARCH_H

#include "closure/loader.h"

/* Expands $ORIGIN, $LIB and $PLATFORM, also in braces; NULL when a token has no value or the result gets too long. */
const char *search_expand(const struct loader *loader, const char *origin, struct text text);
/* Searches a library for `object` (name: tokens expanded already): fills path, file, links, step and owner of the need,
 * whose step stays NOWHERE when nothing is found. Adds notes to the list. */
void search_library(const struct loader *loader, struct load_list *list, const struct load_object *object,
                    const char *name, struct load_need *need);
/* Counts steps of the search; false when too many were taken: then nothing more is looked for, which a note says once. */
bool search_spend(const struct loader *loader, struct load_list *list, const struct load_object *object,
                  uint64_t steps);
/* Returns the loaded object that is this file (the same inode), or NULL. */
struct load_object *search_loaded(const struct load_list *list, const struct entry *content);
/* Adds a note; the text lives in the loader's arena. */
void search_note(const struct loader *loader, struct load_list *list, const struct load_note *note, const char *format,
                 ...) PRINTF_LIKE(4, 5);

#endif
