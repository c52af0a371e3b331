/* SPDX-License-Identifier: Apache-2.0 */
#include "layer/chunk_table.h"

#include "base/auto.h"

#include <stddef.h>
#include <strings.h>

#define TABLE_VERSION 1
/* A value that is no string takes up to 71 times as much memory as its text. The largest entry that a tar can have, with
 * extended attributes of 1 MiB (package/tar_reader.c), has less outside of strings. */
#define OUTSIDE_MAX_BYTES ((size_t)1 << 20)

/* Go folds letters of ASCII, and a few others to them: nobody has a use for those in keys. */
bool chunk_key_is_disguised(const char *key, const char *known)
{
    for (const char *at = key; *at; at++) {
        if ((unsigned char)*at >= 0x80)
            return true;
    }
    return strcmp(key, known) != 0 && strcasecmp(key, known) == 0;
}

/* Returns the place of the next byte outside of strings, from one that is outside of them on; the end or behind it when
 * there is none. */
static size_t next_outside(struct text json, size_t at)
{
    bool is_in_string = false;
    for (; at < json.len; at++) {
        char c = json.ptr[at];
        if (is_in_string && c == '\\')
            at++;
        else if (c == '"')
            is_in_string = !is_in_string;
        else if (!is_in_string)
            break;
    }
    return at;
}

json_t *chunk_json_parse(struct text json, size_t flags)
{
    size_t outside = 0;
    for (size_t at = next_outside(json, 0); at < json.len; at = next_outside(json, at + 1)) {
        if (++outside > OUTSIDE_MAX_BYTES)
            return NULL;
    }
    return json_loadb(json.ptr, json.len, flags | JSON_REJECT_DUPLICATES, NULL);
}

/* Cuts what is before the next comma off the front, which counts outside of strings and brackets alone. What is cut may be
 * no JSON: who parses it says so. Returns false when there is nothing before the comma or the end, or a bracket closes
 * that is not open. */
static bool cut_piece(struct text *left, struct text *ret_piece)
{
    size_t depth = 0, at = next_outside(*left, 0);
    for (; at < left->len; at = next_outside(*left, at + 1)) {
        char c = left->ptr[at];
        if (c == '[' || c == '{')
            depth++;
        else if ((c == ']' || c == '}') && depth-- == 0)
            return false;
        else if (c == ',' && depth == 0)
            break;
    }
    bool is_last = at >= left->len;
    *ret_piece = text_trim((struct text){left->ptr, is_last ? left->len : at});
    *left = is_last ? TEXT("") : (struct text){left->ptr + at + 1, left->len - at - 1};
    return ret_piece->len && (is_last || text_trim(*left).len);
}

/* Gives what is between two brackets. */
static bool within(struct text text, char open, char close, struct text *ret_inner)
{
    if (text.len < 2 || text.ptr[0] != open || text.ptr[text.len - 1] != close)
        return false;
    *ret_inner = text_trim((struct text){text.ptr + 1, text.len - 2});
    return true;
}

/* Splits a pair; keys that Go would have to decode or fold are none of ours. */
static bool split_pair(struct text piece, struct text *ret_key, struct text *ret_value)
{
    struct text rest = piece;
    if (rest.ptr[0] != '"')
        return false;
    rest = (struct text){rest.ptr + 1, rest.len - 1};
    if (!text_next(&rest, '"', ret_key) || memchr(ret_key->ptr, '\\', ret_key->len))
        return false;
    rest = text_trim(rest);
    if (!rest.len || rest.ptr[0] != ':')
        return false;
    *ret_value = text_trim((struct text){rest.ptr + 1, rest.len - 1});
    return ret_value->len > 0;
}

/* Takes one pair of the table; `seen` has a bit for each known key that came. */
static bool take_pair(struct chunk_table *table, struct text key, struct text value, unsigned *seen)
{
    static const char *const known[] = {"version", "entries", "tarSplitDigest"};
    AUTO(arena_done) struct arena scratch = {0};
    const char *name = text_dup(&scratch, key);
    json_t *json;
    for (unsigned i = 0; i < ARRAY_COUNT(known); i++) {
        if (chunk_key_is_disguised(name, known[i]) || (text_is(key, known[i]) && *seen & 1U << i))
            return false;
        *seen |= text_is(key, known[i]) ? 1U << i : 0;
    }
    if (text_is(key, "entries"))
        return within(value, '[', ']', &table->left);
    json = chunk_json_parse(value, JSON_DECODE_ANY);
    if (text_is(key, "tarSplitDigest")) {
        table->split_json = json;
        table->split_name = json_string_value(json);
        return json && (table->split_name || json_is_null(json));
    }
    bool is_good = json && (!text_is(key, "version") || json_integer_value(json) == TABLE_VERSION);
    json_decref(json);
    return is_good;
}

bool chunk_table_open(struct chunk_table *table, struct text json, const char **ret_why)
{
    struct text left, piece, key, value;
    unsigned seen = 0;
    *table = (struct chunk_table){.left = TEXT("")};
    *ret_why = "it is no table of contents of version 1";
    if (!within(text_trim(json), '{', '}', &left))
        return false;
    while (left.len) {
        if (!cut_piece(&left, &piece) || !split_pair(piece, &key, &value) || !take_pair(table, key, value, &seen))
            return false;
    }
    return (seen & 3U) == 3U;
}

/* The members of an entry. */
static const struct {
    const char *key;
    size_t at; /* of the member */
    bool is_number;
} members[] = {{"type", offsetof(struct chunk_entry, type), false},
               {"name", offsetof(struct chunk_entry, name), false},
               {"linkName", offsetof(struct chunk_entry, link), false},
               {"modtime", offsetof(struct chunk_entry, modified), false},
               {"accesstime", offsetof(struct chunk_entry, accessed), false},
               {"changetime", offsetof(struct chunk_entry, changed), false},
               {"digest", offsetof(struct chunk_entry, digest), false},
               {"chunkDigest", offsetof(struct chunk_entry, chunk_digest), false},
               {"chunkType", offsetof(struct chunk_entry, chunk_type), false},
               {"mode", offsetof(struct chunk_entry, mode), true},
               {"size", offsetof(struct chunk_entry, size), true},
               {"uid", offsetof(struct chunk_entry, uid), true},
               {"gid", offsetof(struct chunk_entry, gid), true},
               {"devMajor", offsetof(struct chunk_entry, dev_major), true},
               {"devMinor", offsetof(struct chunk_entry, dev_minor), true},
               {"offset", offsetof(struct chunk_entry, offset), true},
               {"endOffset", offsetof(struct chunk_entry, end_offset), true},
               {"chunkSize", offsetof(struct chunk_entry, chunk_size), true},
               {"chunkOffset", offsetof(struct chunk_entry, chunk_offset), true}};

/* Takes one member of an entry; null counts as not written. */
static bool take_member(struct chunk_entry *entry, const char *key, const json_t *value)
{
    struct text name = text_of(key);
    if (chunk_key_is_disguised(key, "xattrs"))
        return false;
    if (text_is(name, "xattrs")) {
        entry->xattrs = json_is_object(value) ? value : NULL;
        return json_is_object(value) || json_is_null(value);
    }
    for (size_t i = 0; i < ARRAY_COUNT(members); i++) {
        char *at = (char *)entry + members[i].at;
        if (chunk_key_is_disguised(key, members[i].key))
            return false;
        if (!text_is(name, members[i].key) || json_is_null(value))
            continue;
        if (members[i].is_number)
            *(int64_t *)(void *)at = json_integer_value(value);
        else
            *(const char **)(void *)at = json_string_value(value);
        return members[i].is_number ? json_is_integer(value) : json_is_string(value);
    }
    return true;
}

static bool take_entry(struct chunk_entry *entry)
{
    const char *key;
    json_t *value;
    for (size_t i = 0; i < ARRAY_COUNT(members); i++) {
        if (!members[i].is_number)
            *(const char **)(void *)((char *)entry + members[i].at) = "";
    }
    if (!json_is_object(entry->json))
        return false;
    json_object_foreach(entry->json, key, value)
    {
        if (!take_member(entry, key, value))
            return false;
    }
    return true;
}

bool chunk_table_next(struct chunk_table *table, struct chunk_entry *ret_entry, bool *ret_is_end, const char **ret_why)
{
    struct text piece;
    *ret_entry = (struct chunk_entry){0};
    *ret_is_end = table->left.len == 0;
    *ret_why = "an entry of it is malformed";
    if (*ret_is_end)
        return true;
    if (!cut_piece(&table->left, &piece))
        return false;
    ret_entry->json = chunk_json_parse(piece, 0);
    return take_entry(ret_entry);
}

void chunk_entry_done(struct chunk_entry *entry)
{
    json_decref(entry->json);
}

void chunk_table_done(struct chunk_table *table)
{
    json_decref(table->split_json);
}
