/* SPDX-License-Identifier: Apache-2.0 */
/* tar_header.h - the blocks in front of one tar member: a ustar header, and pax records before it where ustar is too
 * small
 *
 * POSIX.1-2017 pax: "ustar Interchange Format", "pax Extended Header". A pax header appears only for: a name that does
 * not fit name/prefix, a link name above 100 bytes, either of them beyond ASCII (so that all readers agree on UTF-8;
 * other bytes get hdrcharset=BINARY), owner numbers above 2^21-1, sizes of 8 GiB and more, times before 1970 or after
 * 2242, and file capabilities: SCHILY.xattr.security.capability with the bytes of the attribute, as star(1), GNU tar,
 * libarchive and Go's archive/tar have it.
 * Threads: no state.
 */
#ifndef IMGFACTORY_LAYER_TAR_HEADER_H
#define IMGFACTORY_LAYER_TAR_HEADER_H

#include "base/text.h"

#define TAR_BLOCK_BYTES 512
#define TAR_TYPE_FILE '0'
#define TAR_TYPE_HARDLINK '1'
#define TAR_TYPE_SYMLINK '2'
#define TAR_TYPE_DIRECTORY '5'

struct tar_member {
    char type;        /* TAR_TYPE_… */
    const char *name; /* without leading "/"; a directory's ends in '/' */
    const char *link; /* links: the target, else "" */
    uint32_t mode, uid, gid;
    int64_t mtime;
    uint64_t size_bytes;    /* files only, else 0 */
    struct text capability; /* files only: the value of security.capability, or empty */
};

/* Appends the member's header blocks; false when the buffer's cap would be passed. */
bool tar_header_add(const struct tar_member *member, struct buf *headers) MUST_CHECK;

#endif
