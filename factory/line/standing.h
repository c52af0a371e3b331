/* SPDX-License-Identifier: Apache-2.0 */
/* standing.h - what an order stands on: one platform of the base that its manifest names
 *
 * A base is an image of a registry, of a layout, or another one of this run, which was made before. Its documents are read
 * once per run, all digests checked; of a tag the registry is asked in each run, by one request, and with --cache-only
 * what it said last counts. A tag that has moved since is told. Layers come into the store when they are needed, once
 * per digest. Signatures are asked for only where the machine's policy does
 * (base_rules.h); else bases are taken on their registry's word, which the report says.
 * Threads: any order's thread; the first that asks for a base reads it, the others wait.
 * Owns: what is shared is the plant's, until plant_close(); a struct standing lives in the arena given.
 * Fails with: as pull.h, layout_read.h, ground.h; ERR_RESOLVE (the base is not for the architecture); a base of this run
 * that failed: as that did.
 */
#ifndef IMGFACTORY_LINE_STANDING_H
#define IMGFACTORY_LINE_STANDING_H

#include "ground/ground.h"
#include "line/plant.h"
#include "oci/oci.h"

/* A base of this run, told by whoever made it. */
struct made_base {
    const char *name;     /* of its manifest */
    bool is_built;        /* index and layout are there, or will be once all orders of a locked run have ended */
    bool is_elsewhere;    /* another run put together its plan (batch.h), or its base: nothing can be made on it here */
    struct err err;       /* why not */
    struct digest digest; /* of the index; zeros: not known */
    const struct image *image; /* for the order's architecture */
};

struct standing {
    const char *written;    /* as the manifest names it */
    struct oci_base base;   /* with the layers of the platform */
    struct digest manifest; /* of the platform */
    bool is_unsigned;
    bool has_moved; /* the tag was at `before` when it was last asked for */
    struct digest before;
    const struct layout_manifest *described; /* the platform; NULL: of this run */
    const struct shared_standing *shared;    /* private: where layers come from */
};

/* Returns the folder of the layout that the manifest's base is, and its tag or NULL. A path is relative to the manifest, as
 * all in it. */
const char *standing_layout(struct arena *arena, const struct manifest *manifest, const char **ret_tag);
/* Finds the platform of the manifest's base. `made` is for a base of this run. Blocks on the network. */
bool standing_find(struct plant *plant, struct arena *arena, const struct manifest *manifest, const struct arch *arch,
                   const struct made_base *made, struct standing *ret_standing, struct err *err) MUST_CHECK;
/* Brings its layers into the store. Blocks on the network. */
bool standing_fetch(struct plant *plant, const struct standing *standing, struct err *err) MUST_CHECK;
/* Opens its merged file system (ground.h); layers have to be in the store. For a worker. */
bool standing_open(struct plant *plant, const struct standing *standing, struct ground *ret_ground,
                   struct err *err) MUST_CHECK;
/* Closes what the plant's bases hold. */
void standing_close_all(struct plant *plant);

#endif
