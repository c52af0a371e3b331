#include "content/deb_tar.h"

#include "content/tar_guard.h"
#include "io/stream.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* Invariant: `pending` is set when the stream between the two readers failed; it tells more than libarchive could. */
struct deb_tar {
    const struct deb_member *member;
    struct stream *raw;
    struct archive *tar;
    struct tar_guard guard;
    uint64_t cap_bytes;
    uint64_t out_bytes;     /* that came out of the decompression so far */
    uint64_t expected_size; /* of the current entry, and how much of it was read */
    uint64_t read_bytes;
    char entry_name[256]; /* for messages */
    struct err pending;
};

static bool tar_fault(const struct deb_tar *tar, const char *what, struct err *err)
{
    err_set(err, ERR_MALFORMED, "%s: %s", tar->member->name, what);
    return false;
}

static bool entry_fault(const struct deb_tar *tar, const char *what, struct err *err)
{
    err_set(err, ERR_MALFORMED, "%s: entry %s: %s", tar->member->name, tar->entry_name, what);
    return false;
}

/* Reports why a call of libarchive failed or warned. */
static bool library_fault(struct deb_tar *tar, struct err *err)
{
    if (tar->pending.kind) {
        *err = tar->pending;
        return false;
    }
    const char *why = archive_error_string(tar->tar);
    char printable[512];
    (void)snprintf(printable, sizeof printable, "%s", why ? why : "cannot be read");
    text_sanitize(printable);
    return tar_fault(tar, printable, err);
}

/* Takes the next run out of the decompression; an empty one is the end. */
static bool read_raw(struct deb_tar *tar, struct text *ret_run, struct err *err)
{
    enum compression named = tar->member->compression;
    if (!stream_next(tar->raw, ret_run, err))
        return false;
    if (ret_run->len > tar->cap_bytes - tar->out_bytes) {
        err_set(err, ERR_MALFORMED, "%s: unpacks to more than %llu bytes from %zu", tar->member->name,
                (unsigned long long)tar->cap_bytes, tar->member->bytes.len);
        return false;
    }
    if (!tar->out_bytes && compression_of_bytes(*ret_run) != COMPRESSION_NONE)
        return tar_fault(tar, named ? "compressed more than once" : "compressed without saying so", err);
    tar->out_bytes += ret_run->len;
    if (tar_guard_feed(&tar->guard, *ret_run, err))
        return true;
    err_wrap(err, "%s", tar->member->name);
    return false;
}

/* libarchive's call for more bytes of the tar. */
static la_ssize_t feed_tar(struct archive *archive, void *user, const void **ret_bytes)
{
    struct deb_tar *tar = user;
    struct text run;
    if (!tar->pending.kind && read_raw(tar, &run, &tar->pending)) {
        *ret_bytes = run.ptr;
        return (la_ssize_t)run.len;
    }
    archive_set_error(archive, EINVAL, "cannot be decompressed");
    return ARCHIVE_FATAL;
}

static bool open_tar(struct deb_tar *tar, struct err *err)
{
    tar->tar = archive_read_new();
    if (!tar->tar)
        memory_abort(0);
    if (archive_read_support_format_tar(tar->tar) != ARCHIVE_OK ||
        archive_read_open(tar->tar, tar, NULL, feed_tar, NULL) != ARCHIVE_OK)
        return library_fault(tar, err);
    return true;
}

bool deb_tar_open(const struct deb_member *member, uint64_t cap_bytes, struct deb_tar **ret_tar, struct err *err)
{
    struct deb_tar *tar = calloc(1, sizeof *tar);
    if (!tar)
        memory_abort(sizeof *tar);
    tar->member = member;
    tar->cap_bytes = cap_bytes;
    if (!stream_open(member->compression, member->bytes, member->name, &tar->raw, err) || !open_tar(tar, err)) {
        deb_tar_close(tar);
        return false;
    }
    *ret_tar = tar;
    return true;
}

/* After libarchive's end: the rest of the stream is for the guard. */
static bool check_end(struct deb_tar *tar, struct err *err)
{
    for (struct text run = {"", 1}; run.len;) {
        if (!read_raw(tar, &run, err))
            return false;
    }
    if (tar_guard_end(&tar->guard, err))
        return true;
    err_wrap(err, "%s", tar->member->name);
    return false;
}

/* Fills the kind and target; refuses what a package may not have. */
static bool take_kind(struct deb_tar *tar, struct archive_entry *header, struct tar_entry *entry, struct err *err)
{
    entry->target = archive_entry_hardlink(header);
    if (entry->target) {
        entry->kind = TAR_HARDLINK;
        return true;
    }
    switch (archive_entry_filetype(header)) {
    case AE_IFREG:
        entry->kind = TAR_FILE;
        return true;
    case AE_IFDIR:
        entry->kind = TAR_DIRECTORY;
        return true;
    case AE_IFLNK:
        entry->kind = TAR_SYMLINK;
        entry->target = archive_entry_symlink(header);
        return entry->target && *entry->target ? true : entry_fault(tar, "a symbolic link without target", err);
    case AE_IFBLK:
    case AE_IFCHR:
        return entry_fault(tar, "a device node, which a package may not ship", err);
    case AE_IFIFO:
        return entry_fault(tar, "a fifo, which a package may not ship", err);
    default:
        return entry_fault(tar, "of a kind which a package may not ship", err);
    }
}

static bool take_header(struct deb_tar *tar, struct archive_entry *header, struct tar_entry *entry, struct err *err)
{
    int64_t uid = archive_entry_uid(header), gid = archive_entry_gid(header), size = archive_entry_size(header);
    /* The highest number means "no change" to chown(2). */
    if (uid < 0 || gid < 0 || uid >= UINT32_MAX || gid >= UINT32_MAX)
        return entry_fault(tar, "its owner is out of range", err);
    if (!take_kind(tar, header, entry, err))
        return false;
    if (size < 0 || (entry->kind != TAR_FILE && size > 0))
        return entry_fault(tar, "its size does not fit its kind", err);
    entry->mode = archive_entry_perm(header) & 07777U;
    entry->uid = (uint32_t)uid;
    entry->gid = (uint32_t)gid;
    entry->mtime = archive_entry_mtime(header);
    entry->size_bytes = (uint64_t)size;
    return true;
}

/* Begins the entry's bytes; refuses sizes that the cap does not leave room for. */
static bool begin_contents(struct deb_tar *tar, uint64_t size, struct err *err)
{
    uint64_t start = (uint64_t)archive_filter_bytes(tar->tar, 0), end;
    tar->expected_size = size;
    tar->read_bytes = 0;
    if (__builtin_add_overflow(start, size, &end) || end > tar->cap_bytes) {
        err_set(err, ERR_MALFORMED, "%s: entry %s: %llu bytes, which pass the limit of %llu", tar->member->name,
                tar->entry_name, (unsigned long long)size, (unsigned long long)tar->cap_bytes);
        return false;
    }
    return true;
}

bool deb_tar_next(struct deb_tar *tar, struct tar_entry *ret_entry, bool *ret_is_end, struct err *err)
{
    struct archive_entry *header;
    int result = archive_read_next_header(tar->tar, &header);
    *ret_is_end = result == ARCHIVE_EOF;
    if (*ret_is_end)
        return check_end(tar, err);
    if (result == ARCHIVE_FATAL || result == ARCHIVE_RETRY)
        return library_fault(tar, err);
    const char *path = archive_entry_pathname(header);
    (void)snprintf(tar->entry_name, sizeof tar->entry_name, "%s", path ? path : "");
    text_sanitize(tar->entry_name);
    *ret_entry = (struct tar_entry){.path = path};
    if (!path || !*path)
        return entry_fault(tar, "an empty name", err);
    if (!take_header(tar, header, ret_entry, err))
        return false;
    if (result != ARCHIVE_OK)
        return library_fault(tar, err);
    return begin_contents(tar, ret_entry->size_bytes, err);
}

bool deb_tar_read(struct deb_tar *tar, struct text *ret_bytes, struct err *err)
{
    const void *bytes;
    size_t len;
    int64_t offset;
    int result;
    do {
        len = 0;
        result = archive_read_data_block(tar->tar, &bytes, &len, &offset);
    } while (result == ARCHIVE_OK && len == 0);
    if (result != ARCHIVE_OK && result != ARCHIVE_EOF)
        return library_fault(tar, err);
    if (result == ARCHIVE_EOF)
        len = 0;
    else if ((uint64_t)offset != tar->read_bytes)
        return entry_fault(tar, "it has a hole", err);
    if (len ? len > tar->expected_size - tar->read_bytes : tar->read_bytes != tar->expected_size)
        return entry_fault(tar, "its bytes are not as many as it says", err);
    tar->read_bytes += len;
    *ret_bytes = (struct text){len ? bytes : "", len};
    return true;
}

void deb_tar_close(struct deb_tar *tar)
{
    if (!tar)
        return;
    (void)archive_read_free(tar->tar);
    stream_close(tar->raw);
    free(tar);
}
