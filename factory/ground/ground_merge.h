/* SPDX-License-Identifier: Apache-2.0 */
/* ground_merge.h - the layers of a base, put over one another into one file of the store; private to ground/
 *
 * OCI image-spec layer.md: gzip, zstd or plain tar, told by the bytes; a later entry replaces an earlier one (a directory
 * a directory's attributes only), ".wh.NAME" removes NAME of the layers below, ".wh..wh..opq" all that they have in its
 * directory; other ".wh..wh." names are an engine's own and nothing. Directories that no layer lists are made (0755).
 * Refused: a layer that does not unpack to its diff_id (ERR_TRUST); what engines put in different places, which is an
 * entry below a link of a lower layer, or a hard link to what its own layer has not; whiteouts of "", "." and "..";
 * names that path.h refuses, entries below a file; sparse files and what else tar_reader.h refuses; more than GROUND_ENTRIES_MAX
 * names or 96 MiB of them, links through 256 MiB of paths, what unpacks to more than 8 GiB, or to more than 256 MiB and 64
 * times its bytes.
 * Threads: no shared state.
 * Fails with: ERR_MALFORMED, ERR_TRUST, ERR_LOCAL (store.h).
 */
#ifndef IMGFACTORY_GROUND_GROUND_MERGE_H
#define IMGFACTORY_GROUND_GROUND_MERGE_H

#include "ground/ground.h"

#define GROUND_KIND "ground"
#define GROUND_ENTRIES_MAX ((size_t)1 << 19)

/* In place of owners' names, which no layer has: the number of the layer in decimal, and what kind of file. */
#define GROUND_PLAIN "plain"
#define GROUND_SPECIAL "special"

/* Stands for the package format in the file (pack.h). */
extern const struct format ground_format;

/* Merges the layers and keeps the result as derived/ground/<key>. */
bool ground_merge(struct store *store, const char *name, const struct base_layers *layers, const struct digest *key,
                  struct err *err) MUST_CHECK;

#endif
