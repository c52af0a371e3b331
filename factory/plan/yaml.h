/* SPDX-License-Identifier: Apache-2.0 */
/* yaml.h - strict YAML 1.1 (by libyaml) read through tables: unknown, duplicate and mistyped keys are errors with a
 * place
 *
 * One document per file, at most 1 MiB, depth at most 32, at most 10,000 items in a list or mapping and 100,000 values
 * in all. UTF-8 without byte order mark. Anchors, aliases, tags, merge keys, duplicate keys and several documents are
 * refused. Every error text begins with "FILE:LINE:COLUMN: " (both from 1).
 * Threads: no shared state.
 * Owns: nothing; nodes live in the caller's arena.
 * Fails with: ERR_USAGE; ERR_LOCAL when the file cannot be read (ENOENT: ERR_USAGE).
 */
#ifndef IMGFACTORY_PLAN_YAML_H
#define IMGFACTORY_PLAN_YAML_H

#include "base/alters.h"
#include "base/digest.h"

enum yaml_kind { YAML_SCALAR, YAML_SEQUENCE, YAML_MAPPING };

struct yaml_file {
    const char *path;
    struct text bytes;      /* the whole file */
    struct digest digest;   /* of the bytes */
    struct yaml_node *root; /* NULL for an empty file */
};

struct yaml_node {
    enum yaml_kind kind;
    const struct yaml_file *file;
    size_t line, column;      /* from 1 */
    const char *scalar;       /* YAML_SCALAR: never NULL */
    bool is_quoted;           /* the scalar had quotes or was a block scalar */
    size_t count;             /* sequence: items; mapping: pairs */
    struct yaml_node **keys;  /* mapping */
    struct yaml_node **items; /* sequence items or mapping values */
};

/* How a key's value is read into the field at `offset` of the struct. */
enum yaml_type {
    YAML_STRING,  /* const char *: a non-empty scalar (an empty one must be quoted) */
    YAML_STRINGS, /* struct strings: a sequence of scalars, or one scalar */
    YAML_BOOL,    /* bool: unquoted true or false only */
    YAML_NUMBER,  /* uint64_t: unquoted decimal */
    YAML_MODE,    /* uint32_t: a quoted octal string "0644", at most 07777 */
    YAML_PAIRS,   /* struct yaml_pairs: a mapping of scalars to scalars, in order */
    YAML_NODE,    /* struct yaml_node *: anything, read by the caller */
};

struct yaml_pairs {
    struct yaml_pair {
        const char *key, *value;
        const struct yaml_node *node; /* the value's */
    } * items;
    size_t count, capacity;
};

struct yaml_field {
    const char *key;
    enum yaml_type type;
    size_t offset;
    bool is_required;
    enum alters alters; /* what the key can do to a finished product */
};

/* A row of a table, which cannot be without any of its statements: every table is made of these, since a row in bare
 * braces may lack the last one where warnings are no errors. YAML_ROW is for offsets that are only known at run time. */
#define YAML_ROW(type, key, offset, is_required, alters)                                                               \
    {                                                                                                                  \
        key, type, offset, is_required, alters                                                                         \
    }
#define YAML_FIELD(type, struct_name, key, member, is_required, alters)                                                \
    YAML_ROW(type, key, offsetof(struct struct_name, member), is_required, alters)

/* A table and where in a file it holds: "" at the top, "config" below that key, "files[]" in the items of a list. */
struct yaml_table {
    const char *place;
    const struct yaml_field *fields;
    size_t count;
};

/* All tables of one kind of file. */
struct yaml_tables {
    const struct yaml_table *items;
    size_t count;
};

/* Loads a file / parses text that is called `path` in messages. ret_file lives in the arena. */
bool yaml_load(struct arena *arena, const char *path, struct yaml_file **ret_file, struct err *err) MUST_CHECK;
bool yaml_parse(struct arena *arena, const char *path, struct text bytes, struct yaml_file **ret_file,
                struct err *err) MUST_CHECK;
/* Gives the digest that yaml_load() would give its file, whatever the file says. */
bool yaml_digest(const char *path, struct digest *ret_digest, struct err *err) MUST_CHECK;
/* Reads a mapping into `into` by the table. Fields whose key is absent stay as they are. An unknown key names the
 * nearest known one. */
bool yaml_read(struct arena *arena, const struct yaml_node *node, const struct yaml_field *fields, size_t field_count,
               void *into, struct err *err) MUST_CHECK;
/* Returns whether a table has a key of that name. */
bool yaml_has_field(const struct yaml_table *table, const char *key);
/* Finds the value of a mapping's key; NULL when it is absent. */
const struct yaml_node *yaml_get(const struct yaml_node *mapping, const char *key);
/* Returns the node of the index-th string that YAML_STRINGS read from `node`: the item of a sequence, or the scalar
 * itself. */
const struct yaml_node *yaml_item(const struct yaml_node *node, size_t index);
/* Names the kind for messages: "a single value", "a list", "a mapping". */
const char *yaml_kind_name(enum yaml_kind kind);
/* Returns whether a name is a path (has '/' or ends in .yaml or .yml), and not the stem of a file of ours. */
bool yaml_is_path(const char *name);
/* Lists the stems of the *.yaml files of a directory (hidden ones left out), sorted. */
bool yaml_stems(struct arena *arena, const char *dir, struct strings *ret_stems, struct err *err) MUST_CHECK;
/* Sets an ERR_USAGE error that begins with the node's place. Always returns false, so that callers can return it. */
bool yaml_fail(const struct yaml_node *node, struct err *err, const char *format, ...) PRINTF_LIKE(3, 4);

#endif
