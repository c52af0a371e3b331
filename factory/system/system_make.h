/* SPDX-License-Identifier: Apache-2.0 */
/* system_make.h - /exports made from how an image is run: its configuration and its contract (plan/contract.h)
 *
 * The configuration of the runtime is runtime-spec 1.0's: a read-only root, no terminal, the capabilities that the contract
 * names and no other, a tmpfs for each that it names and for what it writes, a bind mount for each path of the host and for
 * each volume. A runtime makes no network of its own, so a `private` one becomes the host's; with `none` there is a network
 * namespace without anything in it.
 * Threads: pure functions of their inputs.
 * Owns: nothing but what is said; texts live in the arena given.
 */
#ifndef IMGFACTORY_SYSTEM_SYSTEM_MAKE_H
#define IMGFACTORY_SYSTEM_SYSTEM_MAKE_H

#include "base/text.h"
#include "plan/manifest.h"

#include <jansson.h>

/* What is run. */
struct make_request {
    const struct manifest_config *process;
    const struct contract *contract;    /* NULL: nobody knows; then what engines give by default */
    struct text passwd, group;          /* files of the image, for the user's numbers */
    bool is_template;                   /* paths and values of the host are variables, and dollars are doubled */
    const struct yaml_pairs *variables; /* the environment gets them; NULL: none */
};

/* Makes the runtime's configuration; the caller owns it. */
json_t *system_make_config(struct arena *arena, const struct make_request *request);
/* Returns wishes for what of /exports no file beside the manifest has, and for the files that mounts want to be there.
 * `system` is the manifest's; `process` and `contract` of the request are what the image ends up with. */
struct wishes system_make_exports(struct arena *arena, const struct system_container *system, const char *description,
                                  const struct make_request *request);

#endif
