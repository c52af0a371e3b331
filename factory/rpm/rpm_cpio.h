/* SPDX-License-Identifier: Apache-2.0 */
/* rpm_cpio.h - a strict reader of the cpio streams in .rpm payloads, fed piece by piece
 *
 * Formats: cpio(5) "New ASCII Format" 070701, with checksums 070702, and rpm's own 07070X (files above 4 GiB, and RPM 6:
 * only the number of the file in the header;
 * https://rpm-software-management.github.io/rpm/manual/format_payload.html). All end with an entry TRAILER!!!; behind it
 * only zeros may come, fewer than 512. Numbers are eight hexadecimal digits; padding is zeros; a stripped archive has
 * no other entries.
 * Threads: a reader belongs to one thread.
 * Fails with: ERR_MALFORMED, naming the offset; what the calls fail with.
 */
#ifndef IMGFACTORY_RPM_RPM_CPIO_H
#define IMGFACTORY_RPM_RPM_CPIO_H

#include "base/err.h"
#include "base/text.h"

#define RPM_CPIO_MAX_NAME 4096

struct rpm_cpio_entry {
    const char *name; /* as written; NULL in a stripped archive */
    uint64_t index;   /* stripped: number of the file in the header */
    uint32_t mode, checksum;
    uint64_t size_bytes; /* stripped: for the begin call to fill */
    bool has_checksum;
};

/* Called for each entry: once, for its bytes piece by piece, once at their end. */
struct rpm_cpio_calls {
    bool (*begin)(void *user, struct rpm_cpio_entry *entry, struct err *err);
    bool (*bytes)(void *user, struct text piece, struct err *err);
    bool (*end)(void *user, struct err *err);
    void *user;
};

enum rpm_cpio_state {
    RPM_CPIO_MAGIC,
    RPM_CPIO_NUMBERS,
    RPM_CPIO_NAME,
    RPM_CPIO_BYTES,
    RPM_CPIO_PADDING,
    RPM_CPIO_END,
};

/* Zero-initialise with .calls set. */
struct rpm_cpio {
    struct rpm_cpio_calls calls;
    enum rpm_cpio_state state, after_padding;
    uint64_t offset;                  /* in the stream */
    char held[RPM_CPIO_MAX_NAME + 8]; /* a header part that comes in pieces */
    size_t held_len, name_len, padding_left, zeros;
    bool is_stripped, has_entries;
    struct rpm_cpio_entry entry;
    uint64_t bytes_left;
    uint32_t sum;
};

/* Reads the next piece of the stream. */
bool rpm_cpio_feed(struct rpm_cpio *cpio, struct text piece, struct err *err) MUST_CHECK;
/* Tells whether the stream may end here. */
bool rpm_cpio_finish(const struct rpm_cpio *cpio, struct err *err) MUST_CHECK;

#endif
