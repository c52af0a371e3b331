/* SPDX-License-Identifier: Apache-2.0 */
/* deb_tar.h - one tar member of a .deb as a stream of entries
 *
 * The stream is decompressed as the member's name tells (stream.h, with what that refuses), and the tar is read by
 * tar_reader.h, with the rules of deb(5). Refused besides: more compressions than one; more bytes than the cap.
 * Threads: a reader belongs to one thread.
 * Owns: a reader owns what it reads with, until deb_tar_close().
 * Fails with: ERR_MALFORMED.
 */
#ifndef IMGFACTORY_DEB_DEB_TAR_H
#define IMGFACTORY_DEB_DEB_TAR_H

#include "deb/deb_archive.h"
#include "package/tar_reader.h"

struct deb_tar;

extern const struct tar_rules deb_tar_rules; /* what a member may not have (deb(5)), for tar_reader_init() */

/* Opens a member; it must outlive the reader. At most cap_bytes may come out of its decompression. */
bool deb_tar_open(const struct deb_member *member, uint64_t cap_bytes, struct deb_tar **ret_tar,
                  struct err *err) MUST_CHECK;
/* Reads the next entry's header, passing over what is left of the former one's bytes. At the end (after all checks of
 * the end) *ret_is_end is true. */
bool deb_tar_next(struct deb_tar *tar, struct tar_entry *ret_entry, bool *ret_is_end, struct err *err) MUST_CHECK;
/* Reads the next run of the entry's bytes, good until the next call; an empty one is their end, and then exactly
 * size_bytes came. */
bool deb_tar_read(struct deb_tar *tar, struct text *ret_bytes, struct err *err) MUST_CHECK;
/* Reads all of the entry's bytes, which are no more than the member's cap, into the arena; a NUL stands behind them. */
bool deb_tar_read_all(struct deb_tar *tar, struct arena *arena, struct text *ret_bytes, struct err *err) MUST_CHECK;
/* Closes the reader. NULL is fine. */
void deb_tar_close(struct deb_tar *tar);
/* deb_tar_close(), for AUTO(). */
void deb_tar_auto_close(struct deb_tar **tar);

#endif
