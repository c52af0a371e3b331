/* SPDX-License-Identifier: Apache-2.0 */
/* oci_base.h - the image that another one stands on, as the other's documents need it: what FROM inherits
 *
 * As `docker build` does it for FROM: variables are merged (ours win), volumes, ports and labels are added to, entrypoint, command, user,
 * working directory and stop signal are the base's unless given; giving an entrypoint drops the base's command. The base's other keys
 * (a health check, a shell) stay, but OnBuild, which is for builders. Layers and history come before ours.
 * Threads: no state.
 * Owns: nothing; strings live in the arena given.
 */
#ifndef IMGFACTORY_OCI_OCI_BASE_H
#define IMGFACTORY_OCI_OCI_BASE_H

#include "oci/layout_read.h"
#include "plan/manifest.h"

#include <jansson.h>

/* One layer; the media type is OCI's. */
struct base_layer {
    struct layout_blob blob;
    struct digest diff_id;
    const struct layer_toc *toc; /* of a zstd:chunked one; may be NULL */
};

struct base_layers {
    struct base_layer *items;
    size_t count, capacity;
};

struct oci_base {
    const char *name;     /* for the annotation; NULL: it has none */
    struct digest digest; /* of the index or manifest that the name means, or of the platform's own manifest */
    struct digest index;  /* for the annotation of the index; all zeros: the same one */
    struct text config;   /* a JSON object */
    struct base_layers layers;
};

/* Returns a digest over layers and what is made of them: `purpose`, with the version of how. */
struct digest base_layers_key(const struct base_layers *layers, const char *purpose);
/* Returns what is started on a base, in place of what the manifest and others give: labels and annotations stay as they
 * are. */
struct manifest_config oci_base_inherit(struct arena *arena, const struct oci_base *base,
                                        const struct manifest_config *given);
/* Returns a copy of the base's object "config" without what oci_base_inherit() gives, to put ours into. The caller owns it. */
json_t *oci_base_process(const struct oci_base *base);
/* Returns what a manifest or index says of the name of its base; NULL when it says nothing. */
const char *oci_base_name_of(struct arena *arena, struct text document);
/* Returns the base's history, with exactly one entry that is not empty for each of its layers: made up when it has not. */
json_t *oci_base_history(const struct oci_base *base);

#endif
