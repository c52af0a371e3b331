/* SPDX-License-Identifier: Apache-2.0 */
/* record.h - structs to JSON text and back, by one table per struct
 *
 * A table names each member of a struct that is told: key, kind, place. It gives the writer and the reader, so that the
 * two cannot differ, and the fingerprint of a key. Written: compact JSON, keys in the order of the table, all of them
 * (null where a member has no value). Bytes that are no UTF-8, which JSON cannot hold, are written as the text "\xNN".
 * Read strictly: every key, no other, each of its kind, within its bounds; and no key twice.
 * Threads: no shared state.
 * Owns: what is read lives in the arena given.
 */
#ifndef IMGFACTORY_BILL_RECORD_H
#define IMGFACTORY_BILL_RECORD_H

#include "base/digest.h"

#include <jansson.h>

enum record_kind {
    RECORD_TEXT,         /* const char *, never NULL */
    RECORD_MAYBE_TEXT,   /* const char *; NULL is null */
    RECORD_TEXTS,        /* struct strings: an array */
    RECORD_PAIRS,        /* struct yaml_pairs: an object, in order */
    RECORD_SIZE,         /* size_t */
    RECORD_U64,          /* uint64_t, to 2^63 - 1 */
    RECORD_U32,          /* uint32_t */
    RECORD_I64,          /* int64_t */
    RECORD_MODE,         /* uint32_t: "0755" */
    RECORD_FLAG,         /* bool */
    RECORD_SHA256,       /* struct digest: "sha256:<64 hex>" */
    RECORD_MAYBE_SHA256, /* struct digest; zeros are null */
    RECORD_WORD,         /* an enum (int): one of `words`, by its number */
    RECORD_STRUCT,       /* a struct inside, by `table`: an object */
    RECORD_MAYBE,        /* const pointer to a struct, by `table`; NULL is null */
    RECORD_LIST,         /* LIST() of structs, by `table`: an array of objects */
};

struct record_field {
    const char *key;
    enum record_kind kind;
    size_t offset;
    const struct record_table *table; /* RECORD_STRUCT, RECORD_MAYBE, RECORD_LIST */
    const char *const *words;         /* RECORD_WORD: ends with NULL; the enum begins with 0 */
};

struct record_table {
    const struct record_field *fields;
    size_t count, struct_bytes;
};

/* A field of a table, and the table itself. */
#define RECORD_FIELD(struct_name, kind, key, member)                                                                   \
    {                                                                                                                  \
        key, kind, offsetof(struct struct_name, member), NULL, NULL                                                    \
    }
#define RECORD_OF(struct_name, kind, key, member, table)                                                               \
    {                                                                                                                  \
        key, kind, offsetof(struct struct_name, member), &(table), NULL                                                \
    }
#define RECORD_ONE_OF(struct_name, key, member, words)                                                                 \
    {                                                                                                                  \
        key, RECORD_WORD, offsetof(struct struct_name, member), NULL, words                                            \
    }
#define RECORD_TABLE(struct_name, fields)                                                                              \
    {                                                                                                                  \
        fields, ARRAY_COUNT(fields), sizeof(struct struct_name)                                                        \
    }

/* Appends a struct as JSON text; false when the buffer is full. */
bool record_write(const struct record_table *table, const void *record, struct buf *text) MUST_CHECK;
/* Reads a struct from a parsed JSON object; false when it is not exactly what the table says. */
bool record_read(struct arena *arena, const struct record_table *table, const json_t *json, void *record) MUST_CHECK;
/* Names the shape of a table and of all below it, a line per field ("files[].path text"): what a test compares, so that
 * a format's number is raised when it changes. */
bool record_shape(const struct record_table *table, struct buf *text) MUST_CHECK;
/* For documents that are not written by a table: returns a string, or an array of strings, with the same "\xNN" for bytes
 * that are no UTF-8. NULL is null. */
json_t *record_text(const char *string);
json_t *record_strings(const struct strings *strings);

#endif
