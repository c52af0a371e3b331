/* SPDX-License-Identifier: Apache-2.0 */
/* tar_reader.h - a tar archive as a stream of entries, read by our own strict rules
 *
 * What is refused is decided here and by no library, whose leniency changes from version to version (libarchive 3.8 takes
 * empty and repeated long names that 3.6 refuses). The rule for what no specification forbids: what two readers of
 * packages or layers (dpkg, Go's archive/tar, GNU tar, libarchive) would unpack in two ways is refused.
 *
 * Read: v7, ustar (POSIX.1-2017 pax, "ustar Interchange Format") and GNU headers (tar(5)) with GNU long names ('L', 'K')
 * and numbers in base 256; pax headers ('x': path, linkpath, size, uid, gid, mtime; others do not matter here)
 * and global ones ('g') that name no entry. Refused: a wrong checksum, numbers that are none or negative, unknown
 * types (volume labels, continuations, directory dumps, Solaris' headers), sparse files, empty names and long names that
 * are empty, repeated, hold more after a NUL, pass 1 MiB or have no entry after them, one name by both pax and GNU means,
 * malformed pax records, a prefix that only some readers honour, bytes in a hard link, a file's name that ends in '/', a
 * stream that is cut off within an entry, anything but zeros after the end.
 * What else is refused, the reader's user says (struct tar_rules).
 * Threads: a reader belongs to one thread.
 * Owns: its long names, until tar_reader_done().
 * Fails with: ERR_MALFORMED, and what the feed fails with.
 */
#ifndef IMGFACTORY_PACKAGE_TAR_READER_H
#define IMGFACTORY_PACKAGE_TAR_READER_H

#include "base/err.h"
#include "base/text.h"

#define TAR_HEADER_BYTES 512

/* TAR_SPECIAL: devices and fifos. */
enum tar_kind { TAR_FILE, TAR_DIRECTORY, TAR_SYMLINK, TAR_HARDLINK, TAR_SPECIAL };

/* What a kind of archives may not have besides; all zeros: nothing more is refused. */
struct tar_rules {
    const char *pax_fault;     /* what is said of a pax header; NULL: they are read */
    const char *special_fault; /* what is said of devices and fifos; NULL: they are entries */
    bool refuses_idle_bytes;   /* bytes in anything that is no file; else only in hard links */
    bool refuses_wide_owners;  /* owners beyond 32 bits */
    bool wants_end_mark;       /* two zero blocks */
};

/* One entry; strings are good until the next tar_reader_next(). */
struct tar_entry {
    const char *path; /* as it is written there, not empty */
    enum tar_kind kind;
    uint32_t mode, uid, gid;
    int64_t mtime;
    uint64_t size_bytes; /* TAR_FILE */
    const char *target;  /* TAR_SYMLINK, TAR_HARDLINK: not empty */
    const char *header;  /* its own block of TAR_HEADER_BYTES (tar_fields.h) */
    struct text records; /* of its own pax header; empty when it has none */
};

/* Gives the next run of the archive's bytes, good until the next call; an empty one at the end, and then always. */
typedef bool tar_feed(void *user, struct text *ret_bytes, struct err *err);

struct tar_reader {
    const struct tar_rules *rules;
    tar_feed *feed;
    void *user;
    struct text have;                   /* was fed and is not used yet */
    uint64_t used_bytes;                /* of the stream so far */
    uint64_t left_bytes, padding_bytes; /* of the current entry, still to come */
    char header[TAR_HEADER_BYTES];
    char short_name[TAR_HEADER_BYTES], short_link[TAR_HEADER_BYTES];
    struct buf long_name, long_link, records; /* of the extension headers before the entry */
    struct buf pax_name, pax_link;
};

/* Starts a reader over what `feed` gives; `rules` must outlive it. */
void tar_reader_init(struct tar_reader *reader, const struct tar_rules *rules, tar_feed *feed, void *user);
/* Reads the next entry's headers, passing over what is left of the former one's bytes. At the end, after all its checks,
 * *ret_is_end is true and *ret_entry not set. */
bool tar_reader_next(struct tar_reader *reader, struct tar_entry *ret_entry, bool *ret_is_end,
                     struct err *err) MUST_CHECK;
/* Reads the next run of the entry's bytes, good until the next call; an empty one is their end, and then exactly
 * size_bytes came. */
bool tar_reader_read(struct tar_reader *reader, struct text *ret_bytes, struct err *err) MUST_CHECK;
/* Frees what the reader owns. */
void tar_reader_done(struct tar_reader *reader);

#endif
