/* SPDX-License-Identifier: Apache-2.0 */
/* verify.h - `imgfactory verify REF`: whether index and children of an image are signed as a key or a policy wants it
 *
 * Manifests and configs are got and checked by their digests; layers are not fetched, since signed manifests name them. Without a key and a
 * policy it tells what there is, and that nothing of it was verified.
 * Threads: main, and up to 12 of its own that ask the registry.
 * Fails with: ERR_TRUST (a rule does not hold), as sign/rule.h, registry.h and pull.h.
 */
#ifndef IMGFACTORY_CLI_VERIFY_H
#define IMGFACTORY_CLI_VERIFY_H

#include "cli/remote_parts.h"
#include "sign/rule.h"

/* What a call verifies by; zeroed. */
struct verify {
    struct reference reference;
    struct rules rules;
};

/* Reads words, keys and policy; before anything is confined. */
bool verify_begin(struct command *command, struct verify *verify, struct err *err) MUST_CHECK;
/* Verifies and tells; remote->verify is set. */
bool verify_run(struct remote *remote, struct err *err) MUST_CHECK;
/* Verifies an image that was got, by what remote->verify says; true when that is nothing. */
bool verify_image(struct remote *remote, const struct remote_image *image, struct err *err) MUST_CHECK;
/* Frees the keys. For AUTO(). */
void verify_end(struct verify *verify);

#endif
