/* SPDX-License-Identifier: Apache-2.0 */
/* The table, tar-split and the tar are read side by side: the layer is decompressed once as a whole, and once more
 * chunk by chunk. */
#include "layer/chunk_check.h"

#include "base/auto.h"
#include "base/map.h"
#include "io/stream.h"
#include "layer/chunk_attributes.h"
#include "layer/chunk_split.h"
#include "layer/chunk_table.h"
#include "layer/toc.h"
#include "package/layer_reader.h"
#include "package/tar_fields.h"

#define PART_MAX_BYTES ((uint64_t)150 << 20)

struct checking {
    const struct chunk_check *of;
    struct buf table_text, split_text;
    struct chunk_table table;
    struct chunk_entry now, next; /* of the table */
    bool is_table_end;            /* `next` is none */
    struct chunk_split split;
    bool has_split;
    struct layer_reader reader;
    size_t member_count;
    struct text run; /* of the member's bytes, not used yet */
    uint64_t last_end;
    struct map names;
    struct arena arena;
};

static void checking_done(struct checking *checking)
{
    buf_done(&checking->table_text);
    buf_done(&checking->split_text);
    chunk_table_done(&checking->table);
    chunk_entry_done(&checking->now);
    chunk_entry_done(&checking->next);
    chunk_split_done(&checking->split);
    layer_reader_done(&checking->reader);
    arena_done(&checking->arena);
}

/* The table says another thing than the tar of an entry. */
static bool differs(const struct checking *checking, const char *entry, const char *what, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    err_set(err, ERR_TRUST, "%s: of %s its table of contents says another thing than its tar: %s", checking->of->name,
            text_printable(&scratch, text_of(entry)), what);
    return false;
}

static bool malformed(const struct checking *checking, const char *part, const char *why, struct err *err)
{
    err_set(err, ERR_MALFORMED, "%s: its %s: %s", checking->of->name, part, why);
    return false;
}

/* --- the parts --- */

/* Views one that the descriptor gives the place of. */
static bool find_part(const struct checking *checking, uint64_t offset, uint64_t len, const char *part,
                      struct text *ret_part, struct err *err)
{
    const struct text bytes = checking->of->bytes;
    if (len > PART_MAX_BYTES)
        return malformed(checking, part, "it has more than 150 MiB", err);
    if (offset == 0 || len == 0 || offset > bytes.len || len > bytes.len - offset)
        return malformed(checking, part, "it is not within the layer", err);
    *ret_part = (struct text){bytes.ptr + offset, (size_t)len};
    return true;
}

/* Decompresses one, which has to come to as many bytes as the descriptor says. */
static bool unpack(const struct checking *checking, struct text packed, uint64_t plain_bytes, const char *part,
                   struct buf *plain, struct err *err)
{
    AUTO(stream_auto_close) struct stream *stream = NULL;
    struct text piece;
    if (plain_bytes > PART_MAX_BYTES)
        return malformed(checking, part, "it has more than 150 MiB", err);
    buf_init(plain, (size_t)plain_bytes + 1);
    if (!stream_open(COMPRESSION_ZSTD, packed, checking->of->name, &stream, err))
        return false;
    do {
        if (!stream_next(stream, &piece, err))
            return false;
        if (!buf_add(plain, piece.ptr, piece.len))
            return malformed(checking, part, "it unpacks to another size than its descriptor says", err);
    } while (piece.len);
    return plain->len == plain_bytes ||
           malformed(checking, part, "it unpacks to another size than its descriptor says", err);
}

/* Holds the digest of a part as it stands in the layer. */
static bool hold_digest(const struct checking *checking, const char *part, struct text packed,
                        const struct digest *told, struct err *err)
{
    struct digest digest = digest_of(packed.ptr, packed.len);
    if (digest_eq(&digest, told))
        return true;
    err_set(err, ERR_TRUST, "%s: its %s has another digest than is told of it", checking->of->name, part);
    return false;
}

static bool parse_name(const char *name, struct digest *ret_digest)
{
    return text_has_prefix(text_of(name), "sha256:") && digest_parse(text_of(name + strlen("sha256:")), ret_digest);
}

static bool open_split(struct checking *checking, struct err *err)
{
    const struct layer_toc *toc = checking->of->toc;
    const char *name = checking->table.split_name;
    struct digest told;
    struct text packed;
    checking->has_split = toc->split_offset != 0 || name;
    if (!checking->has_split)
        return true;
    if (!find_part(checking, toc->split_offset, toc->split_packed_bytes, "tar-split", &packed, err))
        return false;
    if (name && !parse_name(name, &told))
        return malformed(checking, "table of contents", "its tarSplitDigest is none", err);
    if ((name && !hold_digest(checking, "tar-split", packed, &told, err)) ||
        !unpack(checking, packed, toc->split_plain_bytes, "tar-split", &checking->split_text, err))
        return false;
    chunk_split_begin(&checking->split, buf_text(&checking->split_text));
    return true;
}

static bool open_table(struct checking *checking, struct err *err)
{
    const struct layer_toc *toc = checking->of->toc;
    struct text packed;
    const char *why;
    if (!find_part(checking, toc->offset, toc->packed_bytes, "table of contents", &packed, err) ||
        !hold_digest(checking, "table of contents", packed, &toc->digest, err) ||
        !unpack(checking, packed, toc->plain_bytes, "table of contents", &checking->table_text, err))
        return false;
    return chunk_table_open(&checking->table, buf_text(&checking->table_text), &why) ||
           malformed(checking, "table of contents", why, err);
}

/* Holds a footer that is of today's form; those of older writers are shorter. */
static bool hold_footer(const struct checking *checking, struct err *err)
{
    const struct text bytes = checking->of->bytes;
    unsigned char header[TOC_SKIPPABLE_BYTES], footer[TOC_FOOTER_BYTES];
    if (bytes.len < sizeof header + sizeof footer)
        return true;
    const char *found = bytes.ptr + bytes.len - sizeof footer;
    toc_skippable(sizeof footer, header);
    toc_footer(checking->of->toc, footer);
    if (memcmp(found - sizeof header, header, sizeof header) != 0 ||
        memcmp(found + TOC_FOOTER_MAGIC_AT, footer + TOC_FOOTER_MAGIC_AT, sizeof footer - TOC_FOOTER_MAGIC_AT) != 0 ||
        memcmp(found, footer, sizeof footer) == 0)
        return true;
    err_set(err, ERR_TRUST, "%s: its footer has other places than its descriptor", checking->of->name);
    return false;
}

/* --- entries --- */

/* Goes on to the next entry of the table. */
static bool advance(struct checking *checking, struct err *err)
{
    const char *why;
    chunk_entry_done(&checking->now);
    checking->now = checking->next;
    checking->next = (struct chunk_entry){0};
    return chunk_table_next(&checking->table, &checking->next, &checking->is_table_end, &why) ||
           malformed(checking, "table of contents", why, err);
}

/* The layer's bytes as they come out of it. */
static bool tap(void *user, struct text piece, struct err *err)
{
    struct checking *checking = user;
    const char *why;
    if (!checking->has_split || chunk_split_take(&checking->split, piece, &why))
        return true;
    err_set(err, ERR_TRUST, "%s: its tar-split: %s", checking->of->name, why);
    return false;
}

/* Holds what tar-split says of the member whose header was just read. */
static bool hold_place(struct checking *checking, const struct tar_entry *member, struct err *err)
{
    size_t index = checking->member_count++;
    if (!checking->has_split)
        return true;
    const struct chunk_place *place =
        index < checking->split.places.count ? &checking->split.places.items[index] : NULL;
    if (place && text_is(place->name, member->path) && place->bytes == member->size_bytes &&
        place->offset == checking->reader.tar.used_bytes)
        return true;
    AUTO(arena_done) struct arena scratch = {0};
    err_set(err, ERR_TRUST, "%s: its tar-split has another member in the place of %s", checking->of->name,
            text_printable(&scratch, text_of(member->path)));
    return false;
}

/* One chunk that is being decompressed by itself. */
struct chunk {
    uint64_t begin, end, bytes; /* in the layer; plain */
    const char *digest;         /* "" where the file's says it */
    bool is_zeros;
};

/* Compares the next bytes of the member with those of a chunk, and hashes them. */
static bool compare_piece(struct checking *checking, const struct chunk *chunk, struct text piece,
                          struct digest_stream *hashes[2], struct err *err)
{
    while (piece.len) {
        if (!checking->run.len && !layer_reader_read(&checking->reader, &checking->run, err))
            return false;
        size_t len = checking->run.len < piece.len ? checking->run.len : piece.len;
        if (!len || memcmp(checking->run.ptr, piece.ptr, len) != 0 || (chunk->is_zeros && !tar_is_zero(piece.ptr, len)))
            return differs(checking, checking->now.name, "the bytes of a chunk", err);
        for (size_t i = 0; i < 2 && hashes[i]; i++)
            digest_feed(hashes[i], piece.ptr, len);
        checking->run = (struct text){checking->run.ptr + len, checking->run.len - len};
        piece = (struct text){piece.ptr + len, piece.len - len};
    }
    return true;
}

/* Decompresses a chunk by itself, as a client would that asks for nothing else. */
static bool read_chunk(struct checking *checking, const struct chunk *chunk, struct digest_stream *hashes[2],
                       struct err *err)
{
    AUTO(stream_auto_close) struct stream *stream = NULL;
    const struct text packed = {checking->of->bytes.ptr + chunk->begin, (size_t)(chunk->end - chunk->begin)};
    uint64_t read = 0;
    struct text piece;
    if (!stream_open(COMPRESSION_ZSTD, packed, checking->of->name, &stream, err))
        return false;
    for (;;) {
        if (!stream_next(stream, &piece, err)) {
            if (err->kind != ERR_MALFORMED)
                return false;
            err_clear(err);
            return differs(checking, checking->now.name, "where the frames of a chunk are", err);
        }
        read += piece.len;
        if (read > chunk->bytes || (!piece.len && read != chunk->bytes))
            return differs(checking, checking->now.name, "how many bytes a chunk has", err);
        if (!piece.len)
            return true;
        if (!compare_piece(checking, chunk, piece, hashes, err))
            return false;
    }
}

static bool hold_chunk(struct checking *checking, const struct chunk *chunk, struct digest_stream *whole,
                       struct err *err)
{
    AUTO(digest_abandon) struct digest_stream hash = {0};
    struct digest_stream *hashes[2] = {whole, *chunk->digest ? &hash : NULL};
    struct digest told, found;
    const char *name = checking->now.name;
    if (chunk->begin < checking->last_end || chunk->end <= chunk->begin || chunk->end > checking->of->toc->offset)
        return differs(checking, name, "where its bytes are", err);
    checking->last_end = chunk->end;
    if (hashes[1])
        digest_begin(&hash);
    if (!read_chunk(checking, chunk, hashes, err))
        return false;
    if (!hashes[1])
        return true;
    found = digest_end(&hash);
    return (parse_name(chunk->digest, &told) && digest_eq(&told, &found)) ||
           differs(checking, name, "the digest of a chunk", err);
}

/* Holds a member's bytes against its chunks: the entry that it has itself, and those behind it. */
static bool hold_content(struct checking *checking, const struct tar_entry *member, struct err *err)
{
    AUTO(digest_abandon) struct digest_stream whole = {0};
    const char *path = member->path;
    const int64_t end = checking->now.end_offset;
    AUTO(arena_done) struct arena scratch = {0};
    const char *digest = arena_strdup(&scratch, checking->now.digest);
    struct digest told, found;
    digest_begin(&whole);
    checking->run = TEXT("");
    for (uint64_t at = 0;;) {
        const struct chunk_entry *now = &checking->now, *next = &checking->next;
        bool is_last = checking->is_table_end || strcmp(next->type, "chunk") != 0;
        bool is_only = at == 0 && is_last && now->chunk_size == 0;
        struct chunk chunk = {.begin = (uint64_t)now->offset,
                              .end = (uint64_t)(is_last ? end : next->offset),
                              .bytes = is_only ? member->size_bytes : (uint64_t)now->chunk_size,
                              .digest = now->chunk_digest,
                              .is_zeros = strcmp(now->chunk_type, "zeros") == 0};
        if (strcmp(now->name, path) != 0 || (*now->chunk_type && !chunk.is_zeros) ||
            (uint64_t)now->chunk_offset != at || chunk.bytes > member->size_bytes - at ||
            (!is_only && (!chunk.bytes || !*chunk.digest)))
            return differs(checking, path, "its chunks", err);
        if (!hold_chunk(checking, &chunk, &whole, err))
            return false;
        at += chunk.bytes;
        if (is_last && at != member->size_bytes)
            return differs(checking, path, "its chunks", err);
        if (is_last)
            break;
        if (!advance(checking, err))
            return false;
    }
    found = digest_end(&whole);
    return (parse_name(digest, &told) && digest_eq(&told, &found)) || differs(checking, path, "its digest", err);
}

/* Of a member without bytes. */
static bool hold_nothing(struct checking *checking, const struct tar_entry *member, struct err *err)
{
    const struct chunk_entry *entry = &checking->now;
    struct digest told, none = digest_of("", 0);
    bool is_told = *entry->digest != '\0';
    if ((!is_told || (parse_name(entry->digest, &told) && digest_eq(&told, &none))) &&
        entry->end_offset <= entry->offset && !entry->chunk_size && !*entry->chunk_digest)
        return true;
    return differs(checking, member->path, "it has no bytes", err);
}

static bool hold_member(struct checking *checking, const struct tar_entry *member, struct err *err)
{
    const char *what;
    if (checking->is_table_end)
        return differs(checking, member->path, "it is not in the table", err);
    if (!advance(checking, err) || !hold_place(checking, member, err))
        return false;
    if (!chunk_attributes_same(&checking->now, member, &what))
        return differs(checking, member->path, what, err);
    if (!map_add(&checking->names, text_of(arena_strdup(&checking->arena, member->path)), checking))
        return differs(checking, member->path, "it comes twice", err);
    return member->kind == TAR_FILE && member->size_bytes ? hold_content(checking, member, err)
                                                          : hold_nothing(checking, member, err);
}

static bool hold_members(struct checking *checking, struct err *err)
{
    struct digest diff_id;
    const char *why;
    for (;;) {
        struct tar_entry member;
        bool is_end;
        if (!layer_reader_next(&checking->reader, &member, &is_end, err))
            return false;
        if (is_end)
            break;
        if (!hold_member(checking, &member, err))
            return false;
    }
    if (!layer_reader_end(&checking->reader, &diff_id, err))
        return false;
    if (!checking->is_table_end)
        return differs(checking, checking->next.name, "it is not in the tar", err);
    if (!checking->has_split || chunk_split_end(&checking->split, &why))
        return true;
    err_set(err, ERR_TRUST, "%s: its tar-split: %s", checking->of->name, why);
    return false;
}

bool chunk_check(const struct chunk_check *check, struct err *err)
{
    AUTO(checking_done) struct checking checking = {.of = check, .names.arena = &checking.arena};
    if (check->toc->is_malformed)
        return malformed(&checking, "descriptor", "what it says of a table of contents is malformed", err);
    if (!open_table(&checking, err) || !open_split(&checking, err) || !hold_footer(&checking, err) ||
        !advance(&checking, err) ||
        !layer_reader_open(&checking.reader, check->bytes, check->name, check->unpacked_left, err))
        return false;
    checking.reader.tap = tap;
    checking.reader.tap_user = &checking;
    return hold_members(&checking, err);
}
