/* SPDX-License-Identifier: Apache-2.0 */
/* deb_maker.h - Debian packages made byte by byte, so that a test can make them wrong
 *
 * Threads: no state.
 * Owns: every function fills a struct buf that the caller ends.
 */
#ifndef IMGFACTORY_TESTS_UNIT_DEB_MAKER_H
#define IMGFACTORY_TESTS_UNIT_DEB_MAKER_H

#include "check.h"

#include "base/text.h"

#include <archive.h>
#include <archive_entry.h>

#define MAKER_CAP_BYTES ((size_t)1 << 30)

/* One tar header with its bytes. */
struct tar_item {
    const char *name;
    char type; /* '0' file, '1' hard link, '2' symlink, '3' device, '5' directory, '6' fifo, … */
    unsigned mode, uid, gid;
    const char *link, *data;
    size_t size; /* of data when data is a string: 0 means strlen */
    long mtime;
    const char *size_field; /* written as it is instead of the size */
    bool is_posix;          /* the magic of POSIX instead of GNU's */
};

static inline void maker_add(struct buf *buf, const void *bytes, size_t len)
{
    assert_true(buf_add(buf, bytes, len));
}

/* Adds one header, its bytes and padding. */
static inline void tar_put(struct buf *tar, struct tar_item item)
{
    char header[512] = {0};
    size_t size = item.data && !item.size ? strlen(item.data) : item.size;
    unsigned sum = 0;
    (void)snprintf(header, 101, "%s", item.name);
    (void)snprintf(header + 100, 8, "%07o", item.mode);
    (void)snprintf(header + 108, 8, "%07o", item.uid);
    (void)snprintf(header + 116, 8, "%07o", item.gid);
    assert_true(size <= UINT32_MAX);
    (void)snprintf(header + 124, 12, "%011o", (unsigned)size);
    if (item.size_field)
        (void)snprintf(header + 124, 12, "%s", item.size_field);
    (void)snprintf(header + 136, 12, "%011lo", (unsigned long)item.mtime);
    memset(header + 148, ' ', 8);
    header[156] = item.type;
    if (item.link)
        (void)snprintf(header + 157, 101, "%s", item.link);
    memcpy(header + 257, item.is_posix ? "ustar\00000" : "ustar  ", 8);
    for (size_t i = 0; i < sizeof header; i++)
        sum += (unsigned char)header[i];
    (void)snprintf(header + 148, 8, "%06o", sum);
    maker_add(tar, header, sizeof header);
    if (!item.data)
        return;
    static const char zeros[512];
    maker_add(tar, item.data, size);
    maker_add(tar, zeros, (512 - size % 512) % 512);
}

/* Adds the two zero blocks that end an archive. */
static inline void tar_end(struct buf *tar)
{
    static const char zeros[1024];
    maker_add(tar, zeros, sizeof zeros);
}

/* Compresses as the ending (".xz", ".gz", ".zst", ".bz2" or "") tells. */
static inline void compress_as(const char *ending, const struct buf *plain, struct buf *ret_bytes)
{
    buf_init(ret_bytes, MAKER_CAP_BYTES);
    if (!*ending) {
        maker_add(ret_bytes, plain->bytes, plain->len);
        return;
    }
    struct archive *archive = archive_write_new();
    struct archive_entry *entry = archive_entry_new();
    size_t used = 0, room = plain->len + 4096;
    char *bytes = malloc(room);
    int filter = strcmp(ending, ".xz") == 0    ? ARCHIVE_FILTER_XZ
                 : strcmp(ending, ".gz") == 0  ? ARCHIVE_FILTER_GZIP
                 : strcmp(ending, ".zst") == 0 ? ARCHIVE_FILTER_ZSTD
                                               : ARCHIVE_FILTER_BZIP2;
    assert_int_equal(archive_write_add_filter(archive, filter), ARCHIVE_OK);
    assert_int_equal(archive_write_set_format_raw(archive), ARCHIVE_OK);
    assert_int_equal(archive_write_set_bytes_in_last_block(archive, 1), ARCHIVE_OK);
    assert_int_equal(archive_write_open_memory(archive, bytes, room, &used), ARCHIVE_OK);
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_pathname(entry, "x");
    assert_int_equal(archive_write_header(archive, entry), ARCHIVE_OK);
    assert_int_equal(archive_write_data(archive, plain->bytes, plain->len), plain->len);
    assert_int_equal(archive_write_close(archive), ARCHIVE_OK);
    archive_entry_free(entry);
    (void)archive_write_free(archive);
    maker_add(ret_bytes, bytes, used);
    free(bytes);
}

/* Adds one ar member with its padding; `size_field` is written instead of the size unless NULL. */
static inline void ar_put(struct buf *ar, const char *name, long time, const void *bytes, size_t len,
                          const char *size_field)
{
    char header[80], size[24];
    (void)snprintf(size, sizeof size, "%zu", len);
    (void)snprintf(header, sizeof header, "%-16.16s%-12ld%-6d%-6d%-8s%-10.10s`\n", name, time, 0, 0, "100644",
                   size_field ? size_field : size);
    if (ar->len == 0)
        maker_add(ar, "!<arch>\n", 8);
    maker_add(ar, header, 60);
    maker_add(ar, bytes, len);
    if (len % 2)
        maker_add(ar, "\n", 1);
}

/* Makes a compressed control.tar with this control file and, unless NULL, this md5sums file. */
static inline void control_make(const char *ending, const char *control, const char *md5sums, struct buf *ret_bytes)
{
    struct buf tar;
    buf_init(&tar, MAKER_CAP_BYTES);
    tar_put(&tar, (struct tar_item){.name = "./", .type = '5', .mode = 0755});
    tar_put(&tar, (struct tar_item){.name = "./control", .type = '0', .mode = 0644, .data = control});
    if (md5sums)
        tar_put(&tar, (struct tar_item){.name = "./md5sums", .type = '0', .mode = 0644, .data = md5sums});
    tar_put(&tar, (struct tar_item){.name = "./postinst", .type = '0', .mode = 0755, .data = "#!/bin/sh\n"});
    tar_put(&tar, (struct tar_item){.name = "./templates",
                                    .type = '0',
                                    .mode = 0644,
                                    .data = "Template: made/q\nType: string\nDefault: yes\nDescription: Q?\n Long.\n"});
    tar_end(&tar);
    compress_as(ending, &tar, ret_bytes);
    buf_done(&tar);
}

#define MAKER_CONTROL                                                                                                  \
    "Package: made\nVersion: 1.0-1\nArchitecture: amd64\nReplaces: old (<< 1),\n older\nDescription: x\n"
#define MAKER_TIME 1700000000

/* Makes a whole package around a data.tar (uncompressed here), compressed as the ending tells. */
static inline void deb_make(const char *ending, const struct buf *data_tar, struct buf *ret_deb)
{
    struct buf control, data;
    char name[17];
    buf_init(ret_deb, MAKER_CAP_BYTES);
    /* control.tar has no bzip2 form. */
    const char *control_ending = strcmp(ending, ".bz2") == 0 ? ".gz" : ending;
    control_make(control_ending, MAKER_CONTROL, "0123456789abcdef0123456789abcdef  usr/bin/made\n", &control);
    compress_as(ending, data_tar, &data);
    ar_put(ret_deb, "debian-binary", MAKER_TIME, "2.0\n", 4, NULL);
    (void)snprintf(name, sizeof name, "control.tar%s", control_ending);
    ar_put(ret_deb, name, MAKER_TIME + 5, control.bytes, control.len, NULL);
    (void)snprintf(name, sizeof name, "data.tar%s", ending);
    ar_put(ret_deb, name, MAKER_TIME + 2, data.bytes, data.len, NULL);
    buf_done(&control);
    buf_done(&data);
}

#endif
