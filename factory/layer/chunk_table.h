/* SPDX-License-Identifier: Apache-2.0 */
/* chunk_table.h - the table of contents of a zstd:chunked layer, anybody's, read entry by entry
 *
 * containers/storage, pkg/chunked/internal/minimal (TOC, FileMetadata): {"version":1,"entries":[…],"tarSplitDigest":…}.
 * What layer/toc.h writes is one such. An entry is parsed when it is asked for, so that a big table costs no more memory
 * than its text. Unknown keys are passed over, as Go does it. Go, which reads the table at clients, takes keys in either
 * case: a key that is a known one but for its case is refused, since two readers would take two tables out of it; so is
 * one that comes twice.
 * Threads: a reader belongs to one thread.
 * Owns: an entry owns its JSON until chunk_entry_done(); strings are within it.
 * Fails with: false and *ret_why, a phrase for people.
 */
#ifndef IMGFACTORY_LAYER_CHUNK_TABLE_H
#define IMGFACTORY_LAYER_CHUNK_TABLE_H

#include "base/err.h"
#include "base/text.h"

#include <jansson.h>

/* One entry. Strings that are not written are "", numbers 0. */
struct chunk_entry {
    const char *type; /* "reg", "dir", "symlink", "hardlink", "char", "block", "fifo", "chunk" */
    const char *name, *link;
    const char *modified, *accessed, *changed; /* RFC 3339 */
    const char *digest, *chunk_digest;         /* "sha256:…" */
    const char *chunk_type;                    /* "zeros" */
    int64_t mode, size, uid, gid, dev_major, dev_minor;
    int64_t offset, end_offset, chunk_size, chunk_offset;
    const json_t *xattrs; /* name → base64; NULL: none */
    json_t *json;
};

/* A table that is being read. */
struct chunk_table {
    struct text left;       /* of its entries */
    const char *split_name; /* tarSplitDigest; NULL: none is written */
    json_t *split_json;
};

/* Returns whether Go would take a key for a known one that is written otherwise. */
bool chunk_key_is_disguised(const char *key, const char *known);
/* Parses a part of a table or of tar-split, with jansson's flags besides JSON_REJECT_DUPLICATES; NULL when it is no
 * JSON, or has more than 1 MiB outside of strings: parsed it would take far more memory than its text. The caller owns
 * what is returned. */
json_t *chunk_json_parse(struct text json, size_t flags);
/* Begins to read; the text must outlive the reader. */
bool chunk_table_open(struct chunk_table *table, struct text json, const char **ret_why) MUST_CHECK;
/* Reads the next entry; at the end *ret_is_end is true and the entry empty. */
bool chunk_table_next(struct chunk_table *table, struct chunk_entry *ret_entry, bool *ret_is_end,
                      const char **ret_why) MUST_CHECK;
/* Free what they own. Accept zeroed ones. For AUTO(). */
void chunk_entry_done(struct chunk_entry *entry);
void chunk_table_done(struct chunk_table *table);

#endif
