/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a WWW-Authenticate header or an image reference are read or refused; what is read has no control
 * characters. */
#include "fuzz.h"

#include "registry/challenge.h"
#include "registry/reference.h"

#include <stdlib.h>

static void check(const char *string)
{
    for (; string && *string; string++) {
        if ((unsigned char)*string < ' ')
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct arena arena = {0};
    struct err err = {0};
    struct strings headers = {0};
    struct challenge challenge;
    struct reference reference;
    const char *string = arena_strndup(&arena, (const char *)bytes, len);
    list_add(&arena, &headers, string);
    challenge_parse(&arena, &headers, &challenge);
    check(challenge.realm);
    check(challenge.service);
    check(challenge.scope);
    if (challenge.scheme == CHALLENGE_BEARER && !challenge.realm)
        abort();
    if (reference_parse(&arena, string, true, &reference, &err)) {
        check(reference_print(&arena, &reference));
        (void)reference_is_loopback(&reference);
    }
    check(err.text);
    arena_done(&arena);
    return 0;
}
