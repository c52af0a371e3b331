/* package_contents.h - private to package_*.c: one regular file's bytes, from the tar into the pack
 *
 * Threads: no state.
 * Fails with: ERR_MALFORMED (deb_tar.h), ERR_LOCAL (store.h).
 */
#ifndef IMGFACTORY_CONTENT_PACKAGE_CONTENTS_H
#define IMGFACTORY_CONTENT_PACKAGE_CONTENTS_H

#include "content/deb_tar.h"
#include "content/package.h"

/* Streams the bytes of the tar's current entry into the blob and fills the entry's digest, ELF facts and interpreter;
 * *ret_offset is where they begin in the blob. entry->size_bytes is set already. */
bool package_copy_contents(struct arena *arena, struct deb_tar *tar, struct blob *blob, struct entry *entry,
                           uint64_t *ret_offset, struct err *err) MUST_CHECK;

#endif
