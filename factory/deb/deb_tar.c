/* SPDX-License-Identifier: Apache-2.0 */
#include "deb/deb_tar.h"

#include "base/auto.h"
#include "io/stream.h"

#include <stdio.h>
#include <stdlib.h>

struct deb_tar {
    const struct deb_member *member;
    struct stream *stream;
    struct tar_reader reader;
    uint64_t cap_bytes;
    uint64_t out_bytes; /* that came out of the decompression so far */
    bool is_ended;      /* the stream */
};

const struct tar_rules deb_tar_rules = {
    .pax_fault = "a pax header, which a Debian package may not have (deb(5))",
    .special_fault = "a device node or fifo, which a package may not ship",
    .refuses_idle_bytes = true,
    .refuses_wide_owners = true,
    .wants_end_mark = true,
};

static bool tar_fault(const struct deb_tar *tar, const char *what, struct err *err)
{
    err_set(err, ERR_MALFORMED, "%s: %s", tar->member->name, what);
    return false;
}

/* The reader's feed: the next piece out of the decompression. A stream is not to be asked again after its end. */
static bool feed(void *user, struct text *ret_bytes, struct err *err)
{
    struct deb_tar *tar = user;
    enum compression named = tar->member->compression;
    *ret_bytes = TEXT("");
    if (tar->is_ended)
        return true;
    if (!stream_next(tar->stream, ret_bytes, err))
        return false;
    tar->is_ended = ret_bytes->len == 0;
    if (!tar->out_bytes && compression_of_bytes(*ret_bytes) != COMPRESSION_NONE)
        return tar_fault(tar, named ? "compressed more than once" : "compressed without saying so", err);
    tar->out_bytes += ret_bytes->len;
    if (tar->out_bytes <= tar->cap_bytes)
        return true;
    err_set(err, ERR_MALFORMED, "%s: unpacks to more than %llu bytes from %zu", tar->member->name,
            (unsigned long long)tar->cap_bytes, tar->member->bytes.len);
    return false;
}

bool deb_tar_open(const struct deb_member *member, uint64_t cap_bytes, struct deb_tar **ret_tar, struct err *err)
{
    struct deb_tar *tar = calloc(1, sizeof *tar);
    if (!tar)
        memory_abort(sizeof *tar);
    tar->member = member;
    tar->cap_bytes = cap_bytes;
    tar_reader_init(&tar->reader, &deb_tar_rules, feed, tar);
    if (!stream_open(member->compression, member->bytes, member->name, &tar->stream, err)) {
        deb_tar_close(tar);
        return false;
    }
    *ret_tar = tar;
    return true;
}

/* Names the member in a fault of the reader; those of the feed name it themselves. */
static bool wrap(const struct deb_tar *tar, struct err *err)
{
    if (strncmp(err->text, tar->member->name, strlen(tar->member->name)) != 0)
        err_wrap(err, "%s", tar->member->name);
    return false;
}

bool deb_tar_next(struct deb_tar *tar, struct tar_entry *ret_entry, bool *ret_is_end, struct err *err)
{
    uint64_t end;
    if (!tar_reader_next(&tar->reader, ret_entry, ret_is_end, err))
        return wrap(tar, err);
    if (*ret_is_end)
        return true;
    if (!__builtin_add_overflow(tar->reader.used_bytes, ret_entry->size_bytes, &end) && end <= tar->cap_bytes)
        return true;
    char name[256];
    (void)snprintf(name, sizeof name, "%s", ret_entry->path);
    text_flatten(name);
    err_set(err, ERR_MALFORMED, "%s: entry %s: %llu bytes, which pass the limit of %llu", tar->member->name, name,
            (unsigned long long)ret_entry->size_bytes, (unsigned long long)tar->cap_bytes);
    return false;
}

bool deb_tar_read(struct deb_tar *tar, struct text *ret_bytes, struct err *err)
{
    return tar_reader_read(&tar->reader, ret_bytes, err) || wrap(tar, err);
}

bool deb_tar_read_all(struct deb_tar *tar, struct arena *arena, struct text *ret_bytes, struct err *err)
{
    AUTO(buf_done) struct buf whole;
    struct text run;
    buf_init(&whole, (size_t)tar->cap_bytes);
    do {
        if (!deb_tar_read(tar, &run, err))
            return false;
        if (run.len && !buf_add(&whole, run.ptr, run.len)) {
            err_set(err, ERR_MALFORMED, "%s: an entry is larger than it says", tar->member->name);
            return false;
        }
    } while (run.len);
    *ret_bytes = (struct text){arena_strndup(arena, buf_text(&whole).ptr, whole.len), whole.len};
    return true;
}

void deb_tar_close(struct deb_tar *tar)
{
    if (!tar)
        return;
    tar_reader_done(&tar->reader);
    stream_close(tar->stream);
    free(tar);
}

void deb_tar_auto_close(struct deb_tar **tar)
{
    deb_tar_close(*tar);
}
