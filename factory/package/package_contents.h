/* SPDX-License-Identifier: Apache-2.0 */
/* package_contents.h - one regular file's bytes, from the payload into the pack: for the formats' unpack()
 *
 * Threads: no state.
 * Owns: a struct file_contents owns a digest and what it keeps of the bytes, until file_contents_end() or
 * file_contents_abandon().
 * Fails with: ERR_MALFORMED, ERR_LOCAL (store.h).
 */
#ifndef IMGFACTORY_PACKAGE_PACKAGE_CONTENTS_H
#define IMGFACTORY_PACKAGE_PACKAGE_CONTENTS_H

#include "io/store.h"
#include "package/package.h"

/* A file on its way. `offset` is where its bytes begin in the blob. */
struct file_contents {
    struct arena *arena;
    struct blob *blob;
    struct entry *entry;
    struct digest_stream stream;
    struct buf kept; /* its first bytes, which are looked at when it is complete */
    uint64_t offset;
};

/* Begins a file whose entry has path and size_bytes. */
bool file_contents_begin(struct file_contents *contents, struct arena *arena, struct blob *blob, struct entry *entry,
                         struct err *err) MUST_CHECK;
/* Takes its next bytes. */
bool file_contents_feed(struct file_contents *contents, struct text run, struct err *err) MUST_CHECK;
/* Fills the entry's digest, ELF facts and interpreter; an ELF file is read where it was written. */
void file_contents_end(struct file_contents *contents);
/* Frees; accepts a zeroed or ended one. For AUTO(). */
void file_contents_abandon(struct file_contents *contents);

#endif
