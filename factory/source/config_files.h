/* SPDX-License-Identifier: Apache-2.0 */
/* config_files.h - what the configurations of package managers have in common: directories of files, lists of words
 *
 * Threads: no state.
 * Fails with: ERR_LOCAL.
 */
#ifndef IMGFACTORY_SOURCE_CONFIG_FILES_H
#define IMGFACTORY_SOURCE_CONFIG_FILES_H

#include "base/err.h"
#include "base/text.h"

/* Splits at blanks (and at commas when is_comma_fine) into the arena. */
void config_words(struct arena *arena, struct text words, bool is_comma_fine, struct strings *ret_words);
/* Lists the files of a directory whose name ends in one of the endings, sorted by name, as full paths; names with other
 * bytes than letters, digits, '_', '-' and '.' are passed over, as apt does. An absent directory gives none. */
bool config_list_files(struct arena *arena, const char *dir, const char *const *endings, size_t ending_count,
                       struct strings *ret_paths, struct err *err) MUST_CHECK;
/* Tells whether there is such a file. A directory that may not be listed has none; a shortage of this machine
 * (err_is_shortage) is an error. */
bool config_has_files(const char *dir, const char *const *endings, size_t ending_count, bool *ret_has,
                      struct err *err) MUST_CHECK;

#endif
