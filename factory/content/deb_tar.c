#include "content/deb_tar.h"

#include "io/xz.h"

#include <archive.h>
#include <stdio.h>
#include <stdlib.h>

struct deb_tar {
    const struct deb_member *member;
    struct archive *raw;
    struct tar_reader reader;
    uint64_t cap_bytes;
    uint64_t out_bytes; /* that came out of the decompression so far */
};

static bool tar_fault(const struct deb_tar *tar, const char *what, struct err *err)
{
    err_set(err, ERR_MALFORMED, "%s: %s", tar->member->name, what);
    return false;
}

/* Reports why a call of libarchive failed or warned. */
static bool library_fault(struct deb_tar *tar, struct err *err)
{
    const char *why = archive_error_string(tar->raw);
    char printable[512];
    (void)snprintf(printable, sizeof printable, "%s", why ? why : "cannot be read");
    text_sanitize(printable);
    return tar_fault(tar, printable, err);
}

/* The reader's feed: the next run out of the decompression. */
static bool read_raw(void *user, struct text *ret_bytes, struct err *err)
{
    struct deb_tar *tar = user;
    const void *bytes = "";
    size_t len;
    int64_t offset;
    int result;
    do {
        len = 0;
        result = archive_read_data_block(tar->raw, &bytes, &len, &offset);
    } while (result == ARCHIVE_OK && len == 0);
    *ret_bytes = (struct text){len ? bytes : "", len};
    if (result == ARCHIVE_EOF) {
        *ret_bytes = TEXT("");
        return (uint64_t)archive_filter_bytes(tar->raw, -1) == tar->member->bytes.len ||
               tar_fault(tar, "there are bytes after the compressed stream", err);
    }
    if (result != ARCHIVE_OK)
        return library_fault(tar, err);
    tar->out_bytes += len;
    if (tar->out_bytes <= tar->cap_bytes)
        return true;
    err_set(err, ERR_MALFORMED, "%s: unpacks to more than %llu bytes from %zu", tar->member->name,
            (unsigned long long)tar->cap_bytes, tar->member->bytes.len);
    return false;
}

/* Enables exactly the filter of the compression; returns its code for archive_filter_code(). */
static int enable_filter(struct archive *raw, enum compression compression, int *ret_code)
{
    switch (compression) {
    case COMPRESSION_GZIP:
        *ret_code = ARCHIVE_FILTER_GZIP;
        return archive_read_support_filter_gzip(raw);
    case COMPRESSION_XZ:
        *ret_code = ARCHIVE_FILTER_XZ;
        return archive_read_support_filter_xz(raw);
    case COMPRESSION_ZSTD:
        *ret_code = ARCHIVE_FILTER_ZSTD;
        return archive_read_support_filter_zstd(raw);
    case COMPRESSION_BZIP2:
        *ret_code = ARCHIVE_FILTER_BZIP2;
        return archive_read_support_filter_bzip2(raw);
    case COMPRESSION_NONE:
        break;
    }
    *ret_code = ARCHIVE_FILTER_NONE;
    return ARCHIVE_OK;
}

static bool open_raw(struct deb_tar *tar, struct err *err)
{
    struct archive_entry *entry;
    int code;
    if (tar->member->compression == COMPRESSION_XZ &&
        !xz_check_dictionaries(tar->member->bytes, tar->member->name, err))
        return false;
    tar->raw = archive_read_new();
    if (!tar->raw)
        memory_abort(0);
    if (enable_filter(tar->raw, tar->member->compression, &code) != ARCHIVE_OK ||
        archive_read_support_format_raw(tar->raw) != ARCHIVE_OK)
        return library_fault(tar, err);
    if (archive_read_open_memory(tar->raw, tar->member->bytes.ptr, tar->member->bytes.len) != ARCHIVE_OK ||
        archive_read_next_header(tar->raw, &entry) != ARCHIVE_OK)
        return library_fault(tar, err);
    /* The last filter is the memory itself; a filter that saw its magic twice is there twice. */
    int count = tar->member->compression == COMPRESSION_NONE ? 1 : 2;
    if (archive_filter_count(tar->raw) != count || archive_filter_code(tar->raw, 0) != code)
        return tar_fault(tar, "its bytes are not compressed as its name says", err);
    return true;
}

bool deb_tar_open(const struct deb_member *member, uint64_t cap_bytes, struct deb_tar **ret_tar, struct err *err)
{
    struct deb_tar *tar = calloc(1, sizeof *tar);
    if (!tar)
        memory_abort(sizeof *tar);
    tar->member = member;
    tar->cap_bytes = cap_bytes;
    tar_reader_init(&tar->reader, TAR_OF_DEB, read_raw, tar);
    if (!open_raw(tar, err)) {
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
    text_sanitize(name);
    err_set(err, ERR_MALFORMED, "%s: entry %s: %llu bytes, which pass the limit of %llu", tar->member->name, name,
            (unsigned long long)ret_entry->size_bytes, (unsigned long long)tar->cap_bytes);
    return false;
}

bool deb_tar_read(struct deb_tar *tar, struct text *ret_bytes, struct err *err)
{
    return tar_reader_read(&tar->reader, ret_bytes, err) || wrap(tar, err);
}

void deb_tar_close(struct deb_tar *tar)
{
    if (!tar)
        return;
    tar_reader_done(&tar->reader);
    (void)archive_read_free(tar->raw);
    free(tar);
}
