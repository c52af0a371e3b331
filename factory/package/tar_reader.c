/* SPDX-License-Identifier: Apache-2.0 */
#include "package/tar_reader.h"

#include "base/auto.h"
#include "package/tar_fields.h"

#define NAME_MAX_BYTES ((size_t)1 << 20) /* of a long name, and of the records of one pax header */

/* What the headers in front of an entry say about it. */
struct extension {
    bool has_long_name, has_long_link, has_records;
    struct tar_records pax;
};

void tar_reader_init(struct tar_reader *reader, const struct tar_rules *rules, tar_feed *feed, void *user)
{
    *reader = (struct tar_reader){.rules = rules, .feed = feed, .user = user};
    struct buf *const bufs[] = {&reader->long_name, &reader->long_link, &reader->records, &reader->pax_name,
                                &reader->pax_link};
    for (size_t i = 0; i < ARRAY_COUNT(bufs); i++)
        buf_init(bufs[i], NAME_MAX_BYTES);
}

void tar_reader_done(struct tar_reader *reader)
{
    buf_done(&reader->long_name);
    buf_done(&reader->long_link);
    buf_done(&reader->records);
    buf_done(&reader->pax_name);
    buf_done(&reader->pax_link);
}

/* A fault of the header that was read last. */
static bool header_fault(const struct tar_reader *reader, const char *what, struct err *err)
{
    char name[TAR_NAME_BYTES + 1];
    (void)snprintf(name, sizeof name, "%.*s", TAR_NAME_BYTES, reader->header);
    text_flatten(name);
    err_set(err, ERR_MALFORMED, "tar header of %s: %s", name, what);
    return false;
}

static bool cut_off(struct err *err)
{
    err_set(err, ERR_MALFORMED, "the tar archive is cut off");
    return false;
}

/* Sees to it that there are bytes, unless the stream has ended. */
static bool refill(struct tar_reader *reader, struct err *err)
{
    return reader->have.len || reader->feed(reader->user, &reader->have, err);
}

/* Uses at most `wanted` of the bytes that are there. */
static struct text take(struct tar_reader *reader, uint64_t wanted)
{
    struct text taken = reader->have;
    taken.len = wanted < taken.len ? (size_t)wanted : taken.len;
    reader->have = (struct text){reader->have.ptr + taken.len, reader->have.len - taken.len};
    reader->used_bytes += taken.len;
    return taken;
}

static bool skip(struct tar_reader *reader, uint64_t bytes, struct err *err)
{
    while (bytes) {
        if (!refill(reader, err))
            return false;
        if (reader->have.len == 0)
            return cut_off(err);
        bytes -= take(reader, bytes).len;
    }
    return true;
}

/* Reads the next block into reader->header; *ret_is_end when the stream ends before it. */
static bool read_block(struct tar_reader *reader, bool *ret_is_end, struct err *err)
{
    size_t len = 0;
    *ret_is_end = false;
    while (len < TAR_HEADER_BYTES) {
        if (!refill(reader, err))
            return false;
        if (reader->have.len == 0) {
            *ret_is_end = len == 0;
            return *ret_is_end || cut_off(err);
        }
        struct text part = take(reader, TAR_HEADER_BYTES - len);
        memcpy(reader->header + len, part.ptr, part.len);
        len += part.len;
    }
    return true;
}

/* Reads the bytes of an extension header with their padding. */
static bool read_extension(struct tar_reader *reader, uint64_t size, struct buf *ret_bytes, struct err *err)
{
    if (size == 0)
        return header_fault(reader, "an empty long name or pax header", err);
    if (size > NAME_MAX_BYTES)
        return header_fault(reader, "a long name or pax header of more than 1 MiB", err);
    buf_done(ret_bytes);
    buf_init(ret_bytes, NAME_MAX_BYTES);
    for (uint64_t left = size; left;) {
        if (!refill(reader, err))
            return false;
        if (reader->have.len == 0)
            return cut_off(err);
        struct text part = take(reader, left);
        if (!buf_add(ret_bytes, part.ptr, part.len))
            return header_fault(reader, "a long name or pax header of more than 1 MiB", err);
        left -= part.len;
    }
    return skip(reader, -size % TAR_HEADER_BYTES, err);
}

/* 'L' and 'K': the name, ended by a NUL or by its size. */
static bool take_long(struct tar_reader *reader, uint64_t size, bool *is_there, struct buf *name, struct err *err)
{
    if (*is_there)
        return header_fault(reader, "a second long name for one entry", err);
    *is_there = true;
    if (!read_extension(reader, size, name, err))
        return false;
    size_t len = strlen(name->bytes);
    if (len == 0)
        return header_fault(reader, "an empty long name", err);
    return tar_is_zero(name->bytes + len, name->len - len) ||
           header_fault(reader, "bytes after the end of its long name", err);
}

static bool take_records(struct tar_reader *reader, uint64_t size, bool is_global, struct extension *extension,
                         struct err *err)
{
    struct tar_records records = {0};
    const char *why;
    if (reader->rules->pax_fault)
        return header_fault(reader, reader->rules->pax_fault, err);
    if (!is_global && extension->has_records)
        return header_fault(reader, "a second pax header for one entry", err);
    /* A global header's records are looked at and forgotten, so they may not stand where the entry's do. */
    AUTO(buf_done) struct buf global = {0};
    struct buf *bytes = is_global ? &global : &reader->records;
    if (!read_extension(reader, size, bytes, err))
        return false;
    if (!tar_parse_records((struct text){bytes->bytes, bytes->len}, &records, &why))
        return header_fault(reader, why, err);
    if (records.is_sparse)
        return header_fault(reader, "a sparse file", err);
    if (is_global)
        return !(records.has_size || records.path.len || records.link.len) ||
               header_fault(reader, "a global pax header that names entries", err);
    extension->has_records = true;
    extension->pax = records;
    return true;
}

/* Takes a header that only tells of the next one; *ret_is_one tells whether it is such. */
static bool take_extension(struct tar_reader *reader, const struct tar_fields *fields, struct extension *extension,
                           bool *ret_is_one, struct err *err)
{
    *ret_is_one = true;
    switch (fields->type) {
    case 'L':
        return take_long(reader, fields->size_bytes, &extension->has_long_name, &reader->long_name, err);
    case 'K':
        return take_long(reader, fields->size_bytes, &extension->has_long_link, &reader->long_link, err);
    case 'x':
    case 'g':
        return take_records(reader, fields->size_bytes, fields->type == 'g', extension, err);
    default:
        *ret_is_one = false;
        return true;
    }
}

/* Returns the NUL-terminated copy of a pax value. */
static const char *keep_value(struct buf *buf, struct text value)
{
    buf_done(buf);
    buf_init(buf, NAME_MAX_BYTES);
    return buf_add(buf, value.ptr, value.len) ? buf->bytes : "";
}

/* Finds the name and the link's target: pax, else GNU's, else the header's. */
static bool take_names(struct tar_reader *reader, const struct extension *extension, struct tar_entry *entry,
                       struct err *err)
{
    const char *why;
    bool is_link = entry->kind == TAR_SYMLINK || entry->kind == TAR_HARDLINK;
    const struct text path = extension->pax.path, link = extension->pax.link;
    if ((path.len && extension->has_long_name) || (link.len && extension->has_long_link))
        return header_fault(reader, "one name both in a pax header and as a GNU long name", err);
    if ((link.len || extension->has_long_link) && !is_link)
        return header_fault(reader, "a link's target for what is no link", err);
    if (!tar_header_name(reader->header, reader->short_name, &why))
        return header_fault(reader, why, err);
    tar_header_link(reader->header, reader->short_link);
    entry->path = path.len                   ? keep_value(&reader->pax_name, path)
                  : extension->has_long_name ? reader->long_name.bytes
                                             : reader->short_name;
    const char *target = link.len                   ? keep_value(&reader->pax_link, link)
                         : extension->has_long_link ? reader->long_link.bytes
                                                    : reader->short_link;
    entry->target = is_link ? target : NULL;
    if (!*entry->path)
        return header_fault(reader, "an empty name", err);
    return !is_link || *target || header_fault(reader, "a link without target", err);
}

/* Refuses what the kinds of entries may not have. */
static bool check_kind(struct tar_reader *reader, struct tar_entry *entry, struct err *err)
{
    size_t len = strlen(entry->path);
    if (entry->kind == TAR_SPECIAL && reader->rules->special_fault)
        return header_fault(reader, reader->rules->special_fault, err);
    if (entry->kind != TAR_FILE) {
        if (entry->size_bytes && (reader->rules->refuses_idle_bytes || entry->kind == TAR_HARDLINK))
            return header_fault(reader, "it has bytes but is not a file", err);
        entry->size_bytes = 0; /* all readers agree that no bytes follow, whatever its size says */
        return true;
    }
    if (entry->path[len - 1] != '/')
        return true;
    entry->kind = TAR_DIRECTORY; /* as v7 wrote them */
    return entry->size_bytes == 0 || header_fault(reader, "a file's name that ends in '/'", err);
}

static bool take_numbers(struct tar_reader *reader, const struct tar_fields *fields, const struct tar_records *pax,
                         struct tar_entry *entry, struct err *err)
{
    int64_t uid = pax->has_uid ? pax->uid : fields->uid, gid = pax->has_gid ? pax->gid : fields->gid;
    /* The highest number means "no change" to chown(2). */
    if (reader->rules->refuses_wide_owners && (uid < 0 || gid < 0 || uid >= UINT32_MAX || gid >= UINT32_MAX))
        return header_fault(reader, "its owner is out of range", err);
    entry->mode = fields->mode;
    entry->uid = (uint32_t)uid;
    entry->gid = (uint32_t)gid;
    entry->mtime = pax->has_mtime ? pax->mtime : fields->mtime;
    entry->size_bytes = pax->has_size ? pax->size_bytes : fields->size_bytes;
    return true;
}

static bool take_kind(struct tar_reader *reader, char type, enum tar_kind *ret_kind, struct err *err)
{
    static const struct {
        char type;
        enum tar_kind kind;
    } kinds[] = {{'\0', TAR_FILE},   {'0', TAR_FILE},    {'7', TAR_FILE},      {'1', TAR_HARDLINK}, {'2', TAR_SYMLINK},
                 {'3', TAR_SPECIAL}, {'4', TAR_SPECIAL}, {'5', TAR_DIRECTORY}, {'6', TAR_SPECIAL}};
    for (size_t i = 0; i < ARRAY_COUNT(kinds); i++) {
        if (kinds[i].type == type) {
            *ret_kind = kinds[i].kind;
            return true;
        }
    }
    return header_fault(reader, type == 'S' ? "a sparse file" : "its type is unknown", err);
}

static bool take_entry(struct tar_reader *reader, const struct tar_fields *fields, const struct extension *extension,
                       struct tar_entry *ret_entry, struct err *err)
{
    struct tar_entry entry = {0};
    if (!take_kind(reader, fields->type, &entry.kind, err) || !take_names(reader, extension, &entry, err) ||
        !take_numbers(reader, fields, &extension->pax, &entry, err) || !check_kind(reader, &entry, err))
        return false;
    entry.header = reader->header;
    entry.records = extension->has_records ? buf_text(&reader->records) : TEXT("");
    reader->left_bytes = entry.size_bytes;
    reader->padding_bytes = -entry.size_bytes % TAR_HEADER_BYTES;
    *ret_entry = entry;
    return true;
}

/* The stream must end here with nothing but zeros; `zeros` of them were read already. */
static bool check_end(struct tar_reader *reader, uint64_t zeros, struct err *err)
{
    for (;;) {
        if (!refill(reader, err))
            return false;
        if (reader->have.len == 0)
            break;
        struct text rest = take(reader, UINT64_MAX);
        zeros += rest.len;
        if (!tar_is_zero(rest.ptr, rest.len)) {
            err_set(err, ERR_MALFORMED, "there are bytes after the end of the tar archive");
            return false;
        }
    }
    if (!reader->rules->wants_end_mark || zeros >= (uint64_t)2 * TAR_HEADER_BYTES)
        return true;
    err_set(err, ERR_MALFORMED, "the tar archive is cut off: its end mark is missing");
    return false;
}

/* Reads headers up to the next entry's or the end. */
static bool next_header(struct tar_reader *reader, struct extension *extension, struct tar_fields *ret_fields,
                        bool *ret_is_end, struct err *err)
{
    for (bool is_one = true; is_one;) {
        const char *why;
        if (!read_block(reader, ret_is_end, err))
            return false;
        bool is_mark = !*ret_is_end && tar_is_zero(reader->header, TAR_HEADER_BYTES);
        if (*ret_is_end || is_mark) {
            *ret_is_end = true;
            if (!extension->has_long_name && !extension->has_long_link && !extension->has_records)
                return check_end(reader, is_mark ? TAR_HEADER_BYTES : 0, err);
            err_set(err, ERR_MALFORMED, "a long name or pax header without an entry at the end of the tar archive");
            return false;
        }
        if (!tar_is_header(reader->header)) {
            err_set(err, ERR_MALFORMED, "%s",
                    reader->used_bytes <= TAR_HEADER_BYTES
                        ? "no tar archive, or a broken one: the checksum of its first tar header is wrong"
                        : "not a tar header where one should be: its checksum is wrong");
            return false;
        }
        if (!tar_parse_fields(reader->header, ret_fields, &why))
            return header_fault(reader, why, err);
        if (!take_extension(reader, ret_fields, extension, &is_one, err))
            return false;
    }
    return true;
}

bool tar_reader_next(struct tar_reader *reader, struct tar_entry *ret_entry, bool *ret_is_end, struct err *err)
{
    struct extension extension = {0};
    struct tar_fields fields;
    if (!skip(reader, reader->left_bytes, err) || !skip(reader, reader->padding_bytes, err))
        return false;
    reader->left_bytes = reader->padding_bytes = 0;
    return next_header(reader, &extension, &fields, ret_is_end, err) &&
           (*ret_is_end || take_entry(reader, &fields, &extension, ret_entry, err));
}

bool tar_reader_read(struct tar_reader *reader, struct text *ret_bytes, struct err *err)
{
    *ret_bytes = TEXT("");
    if (reader->left_bytes == 0)
        return true;
    if (!refill(reader, err))
        return false;
    if (reader->have.len == 0)
        return cut_off(err);
    *ret_bytes = take(reader, reader->left_bytes);
    reader->left_bytes -= ret_bytes->len;
    return true;
}
