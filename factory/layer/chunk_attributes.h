/* SPDX-License-Identifier: Apache-2.0 */
/* chunk_attributes.h - what an entry of a table of contents says of a member of the tar, but for its bytes
 *
 * As containers/storage compares a table with the headers in tar-split (pkg/chunked, ensureFileMetadataAttributesMatch):
 * type, name, target, mode as it is written, size, owner, times, device, extended attributes. Times of access and of
 * change are those of the pax header; where older writers put Go's zero time none is meant.
 * Threads: no state.
 */
#ifndef IMGFACTORY_LAYER_CHUNK_ATTRIBUTES_H
#define IMGFACTORY_LAYER_CHUNK_ATTRIBUTES_H

#include "layer/chunk_table.h"
#include "package/tar_reader.h"

/* Returns whether they are the same; else *ret_what names what differs. */
bool chunk_attributes_same(const struct chunk_entry *entry, const struct tar_entry *member,
                           const char **ret_what) MUST_CHECK;

#endif
