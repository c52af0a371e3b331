/* root_layers.h - the layers of an image, anybody's, put over one another in memory as a tree to be checked
 *
 * OCI image-spec layer.md: tar (ustar, GNU, pax), plain or compressed with gzip or zstd; a later entry replaces an
 * earlier one, ".wh.NAME" removes NAME of the layers below, ".wh..wh..opq" all that they have in its directory. An entry
 * below a symlink of a directory is put where that leads, as container engines do. ELF files and /etc/ld.so.cache are kept whole, of others
 * only the first bytes (a "#!" line), and size_bytes and data are those. Device nodes, fifos and sockets replace what
 * was there and are left out themselves.
 * Refused: names that are empty, have "..", NUL or more than path.h allows; hard links to what is not there; entries
 * below a file; more than 4 million entries, 512 MiB of names, 32 GiB of files, 4 GiB of ELF files, 1 GiB of
 * paths that symlinks lead to.
 * Threads: no shared state.
 * Fails with: ERR_MALFORMED.
 */
#ifndef IMGFACTORY_CONTENT_ROOT_LAYERS_H
#define IMGFACTORY_CONTENT_ROOT_LAYERS_H

#include "base/map.h"
#include "content/tree.h"

struct root_item;

/* Zero-initialise with .arena and .items.arena set. */
struct root_layers {
    struct arena *arena;
    struct map items;   /* path → struct root_item * */
    size_t layer_count; /* that were put over one another so far */
    size_t name_bytes;
    uint64_t file_bytes, kept_bytes;
    uint64_t linked_bytes; /* of paths that were looked up because a symlink leads there */
};

/* Puts a layer over those that were added before; *ret_diff_id is the digest of its plain tar. `name` is for messages. */
bool root_layers_add(struct root_layers *layers, struct text bytes, const char *name, struct digest *ret_diff_id,
                     struct err *err) MUST_CHECK;
/* Gives the tree; it lives in the arena. */
void root_layers_tree(struct root_layers *layers, struct tree *ret_tree);

#endif
