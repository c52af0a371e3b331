/* SPDX-License-Identifier: Apache-2.0 */
/* rpm_keys.h - private to rpm/: under which keys rpm's database finds a header, table by table
 *
 * The rules are those of rpm's lib/rpmdb.c: all values of the table's tag, but not what is needed while installing only, of
 * a trigger's names each once, and the names inside rich dependencies besides.
 * Threads: pure functions of their inputs.
 * Fails with: ERR_MALFORMED (a value of another type); what `add` fails with.
 */
#ifndef IMGFACTORY_RPM_RPM_KEYS_H
#define IMGFACTORY_RPM_RPM_KEYS_H

#include "rpm/rpm_header.h"

struct rpm_table {
    const char *name;
    uint32_t tag;
    bool is_text;                       /* its keys; else bytes */
    bool has_key_index, has_hnum_index; /* SQL indices on these columns */
};

#define RPM_TABLES_COUNT 18u

/* All of them, in the order in which rpm makes them. */
extern const struct rpm_table rpm_tables[RPM_TABLES_COUNT];

struct rpm_keys_request {
    const struct rpm_table *table;
    const struct rpm_header *header;
    bool is_big_endian; /* numbers as keys */
    /* Takes a key, and the number of the value that it is of. */
    bool (*add)(void *self, struct text key, uint32_t index, struct err *err);
    void *self;
};

/* Calls add() for each key, in rpm's order. */
bool rpm_keys_list(struct arena *arena, const struct rpm_keys_request *request, struct err *err) MUST_CHECK;

#endif
