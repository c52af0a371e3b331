/* SPDX-License-Identifier: Apache-2.0 */
/* history.h - `imgfactory history`: what a repository of a registry has under its tags, the newest first
 *
 * Threads: main only.
 * Owns: nothing; all lives in the arena given.
 * Fails with: as registry.h; ERR_PUBLISH when there is no such repository.
 */
#ifndef IMGFACTORY_CLI_HISTORY_H
#define IMGFACTORY_CLI_HISTORY_H

#include "past/past.h"
#include "registry/registry.h"

#include <stdio.h>

/* An image that at least one tag stands for. */
struct history_image {
    struct digest digest;
    struct strings tags;
    LIST(struct digest) manifests; /* of an index; of another image its own */
    const char *created, *version; /* as its annotations have them, else its configuration; NULL: not said */
};

struct history {
    struct history_image *items;
    size_t count, capacity;
};

/* Asks the registry: one request for the tags, one for each, another for an index that says nothing of itself, and one for
 * the configuration of what has no annotations (docker's and podman's images), which the store keeps; `store` NULL: none. */
bool history_read(struct registry *registry, struct store *store, struct arena *arena, struct history *ret_history,
                  struct err *err) MUST_CHECK;
/* Prints it for people, or as JSON; `name` is the repository's. `kept` is what the state knows of images: what had changed. */
void history_print(FILE *out, const struct history *history, const struct past_images *kept, const char *name,
                   bool is_json);

#endif
