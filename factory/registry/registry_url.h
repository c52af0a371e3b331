/* SPDX-License-Identifier: Apache-2.0 */
/* registry_url.h - where a URL points, as far as credentials care: scheme, host and port (RFC 6454 "origin")
 *
 * Strict on purpose: user information, blanks, backslashes, control bytes and hosts of other bytes than letters,
 * digits, '.', '-', '_' (or a bracketed IPv6 address) are refused, so that no other parser can see another host.
 * Threads: no state.
 */
#ifndef IMGFACTORY_REGISTRY_REGISTRY_URL_H
#define IMGFACTORY_REGISTRY_REGISTRY_URL_H

#include "base/text.h"

#define REGISTRY_URL_MAX_BYTES ((size_t)16 * 1024)
#define REGISTRY_HOST_SIZE 256

struct registry_origin {
    bool is_https;
    char host[REGISTRY_HOST_SIZE]; /* lower case; IPv6 in brackets */
    unsigned port;
};

/* Parses the origin of an absolute http or https URL; false for everything else. */
bool registry_origin_parse(const char *url, struct registry_origin *ret_origin) MUST_CHECK;
/* Compares scheme, host and port. */
bool registry_origin_eq(const struct registry_origin *a, const struct registry_origin *b);
/* Returns whether the host is localhost or a loopback address. */
bool registry_origin_is_loopback(const struct registry_origin *origin);
/* Returns whether the host is localhost or an address literal that is loopback, link-local or private (address.h). */
bool registry_origin_is_private(const struct registry_origin *origin);
/* Resolves a Location against the URL that was asked for. An absolute one is kept byte for byte (registries sign their
 * URLs); NULL when it is not one that we follow. */
const char *registry_url_resolve(struct arena *arena, const char *base, struct text location);

#endif
