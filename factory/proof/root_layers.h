/* SPDX-License-Identifier: Apache-2.0 */
/* root_layers.h - the layers of an image, anybody's, put over one another in memory as a tree to be checked
 *
 * OCI image-spec layer.md: tar (ustar, GNU, pax), plain or compressed with gzip or zstd; a later entry replaces an
 * earlier one, ".wh.NAME" removes NAME of the layers below, ".wh..wh..opq" all that they have in its directory. An entry
 * below a symlink of a directory is put where that leads, as container engines do. ELF files are kept whole, in a
 * temporary file (spool.h) until no layer has them any more; /etc/ld.so.cache and files named passwd or group are kept,
 * too, and of scripts the first bytes; size_bytes and data are those, others have none. Device nodes, fifos and sockets
 * replace what was there and are left out themselves.
 * Refused: names that are empty, have "..", NUL or more than path.h allows; hard links to what is not there; entries
 * below a file; more than 1 million names or 96 MiB of them, an ELF file of more than 512 MiB, more than 1 GiB of ELF
 * files at a time, 64 MiB of scripts, 1 GiB of paths that symlinks lead to; what passes the budget.
 * Threads: no shared state.
 * Owns: the temporary file and its mappings, until root_layers_done().
 * Fails with: ERR_MALFORMED, ERR_LOCAL (no room for the temporary file).
 */
#ifndef IMGFACTORY_PROOF_ROOT_LAYERS_H
#define IMGFACTORY_PROOF_ROOT_LAYERS_H

#include "base/map.h"
#include "io/spool.h"
#include "tree/tree.h"

struct root_item;

/* What all layers that one call reads may cost together: few bytes can be listed often, and unpack to many. */
struct root_budget {
    size_t entries;
    uint64_t unpacked_bytes;
};

/* Zero-initialise with .arena, .items.arena and .budget set. */
struct root_layers {
    struct arena *arena;
    struct root_budget *budget;
    struct map items;   /* path → struct root_item * */
    size_t layer_count; /* that were put over one another so far */
    size_t given_count; /* the lowest of them, whose files are a base's (node.is_given) */
    size_t name_bytes;
    size_t kept_bytes;     /* in memory */
    struct spool spool;    /* the ELF files */
    uint64_t elf_bytes;    /* of those that are in use */
    uint64_t linked_bytes; /* of paths that were looked up because a symlink leads there */
};

/* Gives the budget of a call that has not read a layer yet. */
struct root_budget root_budget_of_call(void);
/* Adds what a layer of so many bytes may unpack to. To be called once for each different one. */
void root_budget_add(struct root_budget *budget, uint64_t packed_bytes);
/* Puts a layer over those that were added before; *ret_diff_id is the digest of its plain tar. `name` is for messages. */
bool root_layers_add(struct root_layers *layers, struct text bytes, const char *name, struct digest *ret_diff_id,
                     struct err *err) MUST_CHECK;
/* Gives the tree; it lives in the arena, the bytes of its ELF files until root_layers_done(). Once, after all layers. */
bool root_layers_tree(struct root_layers *layers, struct tree *ret_tree, struct err *err) MUST_CHECK;
/* Frees what is not in the arena. Accepts a zeroed one. For AUTO(). */
void root_layers_done(struct root_layers *layers);

#endif
