/* SPDX-License-Identifier: Apache-2.0 */
#include "layer/chunk_attributes.h"

#include "base/auto.h"
#include "base/date.h"
#include "base/map.h"
#include "package/tar_fields.h"
#include "sign/base64.h"

#define XATTR "SCHILY.xattr."
#define ZERO_TIME "0001-01-01T00:00:00Z" /* Go's time.Time{} */
#define TYPE_AT 156                      /* of a header */
#define MAGIC_AT 257

/* A point in time. */
struct instant {
    bool is_there;
    int64_t seconds;
    uint32_t nanoseconds;
};

static const char *type_name(const struct tar_entry *member)
{
    switch (member->kind) {
    case TAR_FILE:
        return "reg";
    case TAR_DIRECTORY:
        return "dir";
    case TAR_SYMLINK:
        return "symlink";
    case TAR_HARDLINK:
        return "hardlink";
    case TAR_SPECIAL:
        break;
    }
    return member->header[TYPE_AT] == '3' ? "char" : member->header[TYPE_AT] == '4' ? "block" : "fifo";
}

/* Reads a time of a pax header as Go's archive/tar does: what is finer than nanoseconds is dropped, and an empty one is none (of
 * modification tar_reader.h refuses it). */
static struct instant pax_time(struct text value)
{
    struct instant time = {.is_there = value.len > 0};
    struct text rest = value, whole;
    bool is_negative = text_has_prefix(value, "-");
    uint64_t seconds = 0;
    if (is_negative)
        rest = (struct text){rest.ptr + 1, rest.len - 1};
    if (!text_next(&rest, '.', &whole) || !text_parse_u64(whole, &seconds) || seconds > INT64_MAX)
        return time;
    for (size_t i = 0; i < 9; i++)
        time.nanoseconds = time.nanoseconds * 10 + (i < rest.len ? (uint32_t)(rest.ptr[i] - '0') % 10 : 0);
    time.seconds = is_negative ? -(int64_t)seconds : (int64_t)seconds;
    if (is_negative && time.nanoseconds) {
        time.seconds--;
        time.nanoseconds = 1000000000 - time.nanoseconds;
    }
    return time;
}

/* What a member's pax header says besides. */
struct extras {
    struct instant modified, accessed, changed;
    struct map xattrs; /* name → struct text * */
};

static void read_extras(struct arena *arena, const struct tar_entry *member, struct extras *ret_extras)
{
    struct text left = member->records, key, value;
    *ret_extras = (struct extras){.modified = {true, member->mtime, 0}, .xattrs.arena = arena};
    while (left.len && tar_next_record(&left, &key, &value)) {
        if (text_is(key, "mtime"))
            ret_extras->modified = pax_time(value);
        else if (text_is(key, "atime"))
            ret_extras->accessed = pax_time(value);
        else if (text_is(key, "ctime"))
            ret_extras->changed = pax_time(value);
        if (!text_has_prefix(key, XATTR))
            continue;
        struct text *kept = arena_new(arena, struct text);
        *kept = value;
        map_set(&ret_extras->xattrs, (struct text){key.ptr + strlen(XATTR), key.len - strlen(XATTR)}, kept);
    }
}

static bool is_time(const char *told, const struct instant *time)
{
    struct instant read;
    if (!*told || strcmp(told, ZERO_TIME) == 0)
        return !time->is_there;
    return date_parse_time(text_of(told), &read.seconds, &read.nanoseconds) && time->is_there &&
           read.seconds == time->seconds && read.nanoseconds == time->nanoseconds;
}

/* GNU's own headers have such times in fields that others use for the name. */
static bool are_times(const struct chunk_entry *entry, const struct tar_entry *member, const struct extras *extras)
{
    bool is_gnu = memcmp(member->header + MAGIC_AT, "ustar ", 6) == 0;
    return is_time(entry->modified, &extras->modified) &&
           (is_gnu || (is_time(entry->accessed, &extras->accessed) && is_time(entry->changed, &extras->changed)));
}

static bool are_xattrs(struct arena *arena, const struct chunk_entry *entry, const struct extras *extras)
{
    const char *key;
    json_t *value;
    if (json_object_size(entry->xattrs) != extras->xattrs.slots.count)
        return false;
    json_object_foreach((json_t *)entry->xattrs, key, value)
    {
        const struct text *found = map_get(&extras->xattrs, text_of(key));
        const char *written = json_string_value(value);
        struct text told;
        if (!found || !written || !base64_decode(arena, text_of(written), &told) || !text_eq(told, *found))
            return false;
    }
    return true;
}

/* Most writers put the device of a header down whatever the entry is. */
static bool is_device(const struct chunk_entry *entry, const struct tar_entry *member)
{
    int64_t major, minor;
    tar_header_device(member->header, &major, &minor);
    bool is_none = member->kind != TAR_SPECIAL && entry->dev_major == 0 && entry->dev_minor == 0;
    return is_none || (entry->dev_major == major && entry->dev_minor == minor);
}

static bool is_mode(const struct chunk_entry *entry, const struct tar_entry *member)
{
    struct tar_fields fields;
    const char *why;
    return tar_parse_fields(member->header, &fields, &why) && entry->mode == fields.whole_mode;
}

bool chunk_attributes_same(const struct chunk_entry *entry, const struct tar_entry *member, const char **ret_what)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct extras extras;
    read_extras(&scratch, member, &extras);
    const struct {
        bool is_same;
        const char *what;
    } answers[] = {{strcmp(entry->name, member->path) == 0, "another entry stands in its place"},
                   {strcmp(entry->type, type_name(member)) == 0, "its type"},
                   {strcmp(entry->link, member->target ? member->target : "") == 0, "its target"},
                   {is_mode(entry, member), "its mode"},
                   {(uint64_t)entry->size == member->size_bytes, "its size"},
                   {entry->uid == (int64_t)member->uid && entry->gid == (int64_t)member->gid, "its owner"},
                   {are_times(entry, member, &extras), "its times"},
                   {is_device(entry, member), "its device"},
                   {are_xattrs(&scratch, entry, &extras), "its extended attributes"}};
    for (size_t i = 0; i < ARRAY_COUNT(answers); i++) {
        *ret_what = answers[i].what;
        if (!answers[i].is_same)
            return false;
    }
    return true;
}
