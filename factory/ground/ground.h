/* SPDX-License-Identifier: Apache-2.0 */
/* ground.h - the file system of the image that another one stands on (its base), for whoever asks
 *
 * All layers of one platform are merged once (ground_merge.h says by what rules) into derived/ground of the store: the
 * bytes of every regular file, its digest, ELF facts, in the file format of an unpacked package (pack.h), under a key of
 * the layers' digests and diff_ids. Opening maps it. Paths are exact, as in the base's own tree: /lib and /usr/lib can
 * be two places, and each directory above an entry is a directory there. The root itself is no entry.
 * Threads: const once open, for all.
 * Owns: the mapping, until ground_close().
 * Fails with: ERR_MALFORMED and ERR_TRUST (the layers), ERR_LOCAL.
 */
#ifndef IMGFACTORY_GROUND_GROUND_H
#define IMGFACTORY_GROUND_GROUND_H

#include "oci/oci_base.h"
#include "package/package.h"

struct ground {
    struct package *package; /* its entries: sorted by path; a hard link's target is the path of a file of the base.
                              * Name, version and architecture are nobody's */
};

/* Opens the merged file system of layers that are in the store, made when it is not there yet. `name` is the base's, for
 * messages. Does all computing itself: run it on a worker. */
bool ground_open(struct store *store, const char *name, const struct base_layers *layers, struct ground *ret_ground,
                 struct err *err) MUST_CHECK;
/* Unmaps and frees. Accepts a zeroed one. For AUTO(). */
void ground_close(struct ground *ground);

/* Finds the entry under exactly this path, no link followed; NULL when there is none. */
const struct entry *ground_find(const struct ground *ground, const char *path);
/* Walks a path as a process in the base would, the last component followed too when it is a link; never out of the
 * root. Gives the entry where it ends, or NULL. *ret_path (may be NULL) is the real path of that, there or not; NULL when
 * the path leads nowhere: through a file, or in a circle. Lives in the arena. */
const struct entry *ground_walk(const struct ground *ground, struct arena *arena, const char *path,
                                const char **ret_path);
/* The same, but the last component is not followed: where an entry with that path is put. */
const struct entry *ground_place(const struct ground *ground, struct arena *arena, const char *path,
                                 const char **ret_path);
/* Gives the bytes of the regular file to which a path leads, checked against their digest (ERR_TRUST), good until
 * ground_close(); *ret_found is false when there is none. */
bool ground_read(const struct ground *ground, const char *path, struct text *ret_bytes, bool *ret_found,
                 struct err *err) MUST_CHECK;
/* Gives the regular file that an entry (or NULL) is, or is a hard link to, its bytes checked; NULL: it is none. */
bool ground_file_of(const struct ground *ground, const struct entry *entry, const struct entry **ret_file,
                    struct err *err) MUST_CHECK;
/* Lists what is below a directory, given by its exact path: the entries from *ret_first on, sorted. */
void ground_below(const struct ground *ground, const char *directory, size_t *ret_first, size_t *ret_count);
/* Returns the number of the layer, from 1, that gave an entry. */
size_t ground_layer_of(const struct entry *entry);
/* Returns whether an entry stands for a device or a fifo (then it is a file without bytes). */
bool ground_is_special(const struct entry *entry);

#endif
