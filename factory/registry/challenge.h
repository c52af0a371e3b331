/* SPDX-License-Identifier: Apache-2.0 */
/* challenge.h - WWW-Authenticate headers (RFC 9110 11.6.1; docker token authentication)
 *
 * Threads: no state.
 */
#ifndef IMGFACTORY_REGISTRY_CHALLENGE_H
#define IMGFACTORY_REGISTRY_CHALLENGE_H

#include "base/text.h"

enum challenge_scheme { CHALLENGE_NONE, CHALLENGE_BASIC, CHALLENGE_BEARER };

struct challenge {
    enum challenge_scheme scheme;                /* Bearer is preferred to Basic; others are ignored */
    const char *realm, *service, *scope, *error; /* NULL when absent */
};

/* Parses the values of all WWW-Authenticate headers of an answer (several challenges in one, quoted commas,
 * backslash escapes). A header that cannot be parsed, or is longer than 16 KiB, is left out; when none is left:
 * CHALLENGE_NONE. */
void challenge_parse(struct arena *arena, const struct strings *headers, struct challenge *ret_challenge);

#endif
