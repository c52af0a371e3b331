/* SPDX-License-Identifier: Apache-2.0 */
#include "layer/toc.h"

#include "base/auto.h"
#include "sign/base64.h"

#include <endian.h>
#include <time.h>

#define SKIPPABLE_MAGIC 0x184D2A50u
#define TABLE_TYPE 1
#define FOOTER_MAGIC "GNUlInUx"

static void add(struct buf *text, const void *bytes, size_t len)
{
    if (!buf_add(text, bytes, len)) /* there is no cap but the memory */
        memory_abort(len);
}

static void add_string(struct buf *text, const char *string)
{
    add(text, string, strlen(string));
}

static void add_number(struct buf *text, const char *key, uint64_t value)
{
    if (value && !buf_printf(text, ",\"%s\":%ju", key, (uintmax_t)value))
        memory_abort(0);
}

static void add_digest(struct buf *text, const char *key, const struct digest *digest)
{
    if (!buf_printf(text, ",\"%s\":\"sha256:%s\"", key, digest_hex(digest).chars))
        memory_abort(0);
}

static bool is_special(unsigned char byte)
{
    return byte < 0x20 || byte == '"' || byte == '\\';
}

/* Adds a JSON string (RFC 8259). */
static void add_quoted(struct buf *text, const char *string)
{
    add(text, "\"", 1);
    for (const char *at = string; *at;) {
        size_t len = 0;
        while (at[len] && !is_special((unsigned char)at[len]))
            len++;
        add(text, at, len);
        at += len;
        if (*at && !buf_printf(text, "\\u%04x", (unsigned char)*at))
            memory_abort(0);
        at += *at != '\0';
    }
    add(text, "\"", 1);
}

static void add_base64(struct buf *text, struct text bytes)
{
    AUTO(arena_done) struct arena arena = {0};
    add(text, "\"", 1);
    add_string(text, base64_encode(&arena, bytes));
    add(text, "\"", 1);
}

void toc_begin(struct toc *toc)
{
    *toc = (struct toc){0};
    buf_init(&toc->entries, SIZE_MAX);
    buf_init(&toc->split, SIZE_MAX);
    add_string(&toc->entries, "{\"version\":1,\"entries\":[");
}

static void end_line(struct toc *toc)
{
    if (!buf_printf(&toc->split, ",\"position\":%zu}\n", toc->line_count++))
        memory_abort(0);
}

void toc_add_raw(struct toc *toc, struct text bytes)
{
    add_string(&toc->split, "{\"type\":2,\"payload\":");
    add_base64(&toc->split, bytes);
    end_line(toc);
}

static void add_place(struct toc *toc, const struct tar_member *member, const struct toc_content *content)
{
    add_string(&toc->split, "{\"type\":1,\"name\":");
    add_quoted(&toc->split, member->name);
    add_number(&toc->split, "size", member->size_bytes);
    add_string(&toc->split, ",\"payload\":");
    if (content) {
        uint64_t sum = htobe64(content->crc64);
        add_base64(&toc->split, (struct text){(const char *)&sum, sizeof sum});
    } else {
        add_string(&toc->split, "null");
    }
    end_line(toc);
}

static const char *type_name(char type)
{
    return type == TAR_TYPE_DIRECTORY  ? "dir"
           : type == TAR_TYPE_SYMLINK  ? "symlink"
           : type == TAR_TYPE_HARDLINK ? "hardlink"
                                       : "reg";
}

/* 0 is no time at all for readers, but one that they write down. */
static void add_time(struct buf *text, int64_t seconds)
{
    char date[40];
    struct tm parts;
    time_t time = seconds;
    if (!gmtime_r(&time, &parts) || strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%SZ", &parts) == 0 ||
        !buf_printf(text, ",\"modtime\":\"%s\"", date))
        memory_abort(0);
}

static void begin_entry(struct toc *toc, const char *type, const char *name)
{
    struct buf *entries = &toc->entries;
    if (!buf_printf(entries, "%s{\"type\":\"%s\",\"name\":", toc->entry_count++ ? "," : "", type))
        memory_abort(0);
    add_quoted(entries, name);
}

/* Where a chunk is; of the only one the file's digest says what it is. */
static void add_chunk(struct buf *entries, const struct toc_content *content, size_t index)
{
    const struct toc_chunk *chunk = &content->chunks[index];
    bool is_last = index + 1 == content->chunk_count;
    add_number(entries, "offset", chunk->begin);
    if (index == 0)
        add_number(entries, "endOffset", content->chunks[content->chunk_count - 1].end);
    else if (is_last)
        add_number(entries, "endOffset", chunk->end);
    if (content->chunk_count == 1)
        return;
    add_number(entries, "chunkSize", chunk->bytes);
    add_number(entries, "chunkOffset", chunk->file_offset);
    add_digest(entries, "chunkDigest", &chunk->digest);
}

static void add_attributes(struct buf *entries, const struct tar_member *member)
{
    if (*member->link) {
        add_string(entries, ",\"linkName\":");
        add_quoted(entries, member->link);
    }
    add_number(entries, "mode", member->mode & 07777);
    add_number(entries, "size", member->size_bytes);
    add_number(entries, "uid", member->uid);
    add_number(entries, "gid", member->gid);
    add_time(entries, member->mtime);
    if (member->capability.len) {
        add_string(entries, ",\"xattrs\":{\"security.capability\":");
        add_base64(entries, member->capability);
        add_string(entries, "}");
    }
}

void toc_add_member(struct toc *toc, const struct tar_member *member, const struct toc_content *content)
{
    if (!text_is_utf8(text_of(member->name)) || !text_is_utf8(text_of(member->link)))
        toc->is_impossible = true;
    add_place(toc, member, content);
    begin_entry(toc, type_name(member->type), member->name);
    add_attributes(&toc->entries, member);
    if (content) {
        add_digest(&toc->entries, "digest", &content->digest);
        add_chunk(&toc->entries, content, 0);
    }
    add_string(&toc->entries, "}");
    for (size_t i = 1; content && i < content->chunk_count; i++) {
        begin_entry(toc, "chunk", member->name);
        add_chunk(&toc->entries, content, i);
        add_string(&toc->entries, "}");
    }
}

void toc_end(struct toc *toc, const struct digest *split_digest)
{
    add_string(&toc->entries, "]");
    add_digest(&toc->entries, "tarSplitDigest", split_digest);
    add_string(&toc->entries, "}");
}

void toc_done(struct toc *toc)
{
    buf_done(&toc->entries);
    buf_done(&toc->split);
}

void toc_skippable(uint32_t len, unsigned char ret_header[TOC_SKIPPABLE_BYTES])
{
    const uint32_t words[] = {htole32(SKIPPABLE_MAGIC), htole32(len)};
    _Static_assert(sizeof words == TOC_SKIPPABLE_BYTES, "magic number and length");
    memcpy(ret_header, words, sizeof words);
}

void toc_footer(const struct layer_toc *toc, unsigned char ret_footer[TOC_FOOTER_BYTES])
{
    const uint64_t words[] = {htole64(toc->offset),           htole64(toc->packed_bytes),
                              htole64(toc->plain_bytes),      htole64(TABLE_TYPE),
                              htole64(toc->split_offset),     htole64(toc->split_packed_bytes),
                              htole64(toc->split_plain_bytes)};
    _Static_assert(sizeof words == TOC_FOOTER_MAGIC_AT, "the numbers in front of the magic one");
    memcpy(ret_footer, words, sizeof words);
    memcpy(ret_footer + sizeof words, FOOTER_MAGIC, strlen(FOOTER_MAGIC));
}
