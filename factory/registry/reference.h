/* SPDX-License-Identifier: Apache-2.0 */
/* reference.h - the name of an image in a registry: HOST[:PORT]/REPOSITORY[:TAG][@DIGEST]
 *
 * Grammar: OCI distribution-spec "Pulling manifests" (names, tags) and its length limits. A name without a host part
 * (no '.', ':' or "localhost" before the first '/') is refused for pushing with a hint; docker.io is written as people
 * do and mapped here to registry-1.docker.io and library/NAME.
 * Threads: no state.
 * Fails with: ERR_USAGE.
 */
#ifndef IMGFACTORY_REGISTRY_REFERENCE_H
#define IMGFACTORY_REGISTRY_REFERENCE_H

#include "base/digest.h"

struct reference {
    const char *host;       /* as written, lower case, with ":port" when given: names credentials and certs.d */
    const char *api_host;   /* where the API is: host, or registry-1.docker.io */
    const char *repository; /* "example/dhcpd" */
    const char *tag;        /* NULL when none was written */
    bool has_digest;
    struct digest digest;
};

/* Returns whether the part before the first '/' looks like a host: nothing without one is a reference. */
bool reference_has_host(const char *string);
/* Parses a reference. With is_tag_default, as for pulling, a missing tag and digest give the tag "latest". */
bool reference_parse(struct arena *arena, const char *string, bool is_tag_default, struct reference *ret_reference,
                     struct err *err) MUST_CHECK;
/* Prints "host/repository:tag@sha256:…" with what is there. */
const char *reference_print(struct arena *arena, const struct reference *reference);
/* Returns whether the host is a loopback name or address (localhost, 127.0.0.0/8, [::1]). */
bool reference_is_loopback(const struct reference *reference);
/* Returns whether a string is a valid tag. */
bool reference_is_tag(const char *tag);

#endif
