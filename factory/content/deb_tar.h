/* deb_tar.h - one tar member of a .deb as a stream of entries
 *
 * The stream is decompressed as the member's name tells (stream.h, with what that refuses), and libarchive reads the
 * tar out of it; between the two every byte is counted and seen by tar_guard.h. Refused besides what the guard and
 * libarchive refuse: more compressions than one; more bytes than the cap; device nodes, fifos; entries shorter than
 * they say; any warning of libarchive. Extended attributes cannot come: they need pax headers.
 * Threads: a reader belongs to one thread.
 * Owns: a reader owns libarchive's, until deb_tar_close().
 * Fails with: ERR_MALFORMED.
 */
#ifndef IMGFACTORY_CONTENT_DEB_TAR_H
#define IMGFACTORY_CONTENT_DEB_TAR_H

#include "content/deb_archive.h"

enum tar_kind { TAR_FILE, TAR_DIRECTORY, TAR_SYMLINK, TAR_HARDLINK };

/* One header; strings are good until the next deb_tar_next(). */
struct tar_entry {
    const char *path; /* as it is written there */
    enum tar_kind kind;
    uint32_t mode, uid, gid;
    int64_t mtime;
    uint64_t size_bytes; /* TAR_FILE */
    const char *target;  /* TAR_SYMLINK, TAR_HARDLINK */
};

struct deb_tar;

/* Opens a member; it must outlive the reader. At most cap_bytes may come out of its decompression. */
bool deb_tar_open(const struct deb_member *member, uint64_t cap_bytes, struct deb_tar **ret_tar,
                  struct err *err) MUST_CHECK;
/* Reads the next entry's header, passing over what is left of the former one's bytes. At the end (after all checks of
 * the end) *ret_is_end is true. */
bool deb_tar_next(struct deb_tar *tar, struct tar_entry *ret_entry, bool *ret_is_end, struct err *err) MUST_CHECK;
/* Reads the next run of the entry's bytes, good until the next call; an empty one is their end, and then exactly
 * size_bytes came. */
bool deb_tar_read(struct deb_tar *tar, struct text *ret_bytes, struct err *err) MUST_CHECK;
/* Closes the reader. NULL is fine. */
void deb_tar_close(struct deb_tar *tar);

#endif
