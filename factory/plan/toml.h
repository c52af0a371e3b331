/* SPDX-License-Identifier: Apache-2.0 */
/* toml.h - TOML 1.0 for configuration files of others, read into a tree
 *
 * All of the grammar, but numbers and dates are kept as they are written (TOML_OTHER), unchecked. At most 1 MiB, depth
 * 32. UTF-8 (checked by bytes' form only), no byte order mark, no control characters. (The C libraries for TOML are in
 * neither Debian 12 nor Fedora.) A key that comes twice is an error, as TOML wants it.
 * Threads: no shared state.
 * Owns: nothing; nodes live in the caller's arena.
 * Fails with: ERR_USAGE ("FILE:LINE: …").
 */
#ifndef IMGFACTORY_PLAN_TOML_H
#define IMGFACTORY_PLAN_TOML_H

#include "base/text.h"

enum toml_kind { TOML_STRING, TOML_BOOL, TOML_OTHER, TOML_ARRAY, TOML_TABLE };

struct toml_node {
    enum toml_kind kind;
    size_t line;
    const char *string;             /* TOML_STRING; TOML_OTHER: as written */
    bool is_true;                   /* TOML_BOOL */
    struct toml_node *first, *last; /* of an array or table, in the order of the file */
    struct toml_node *next;
    const char *key; /* in a table */
    unsigned how;    /* private: how a table came to be */
};

/* Parses text that is called `path` in messages; *ret_root is a table. */
bool toml_parse(struct arena *arena, const char *path, struct text bytes, struct toml_node **ret_root,
                struct err *err) MUST_CHECK;
/* Finds the value of a table's key; NULL when it is absent. */
const struct toml_node *toml_get(const struct toml_node *table, const char *key);

#endif
