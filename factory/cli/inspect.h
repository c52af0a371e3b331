/* SPDX-License-Identifier: Apache-2.0 */
/* inspect.h - what an image is made of, for `imgfactory inspect`: platforms, layers, sizes, config, annotations
 *
 * Threads: main only.
 */
#ifndef IMGFACTORY_CLI_INSPECT_H
#define IMGFACTORY_CLI_INSPECT_H

#include "oci/layout_read.h"

#include <jansson.h>
#include <stdio.h>

/* Prints the image, for people or as one JSON object (factory/registry/README.md, "Pulling"). `name` is what the user asked for.
 * `exports`, one for each manifest or NULL, tell of system containers (cli/system.h); they stay the caller's, or are NULL.
 * `attached` is an object of what hangs on a manifest by its digest (digest, type and predicate of each), or NULL.
 * Control characters of foreign text do not reach the terminal. */
void inspect_print(FILE *out, const struct layout_image *image, const char *name, bool is_json, json_t *const *exports,
                   const json_t *attached);

#endif
