/* SPDX-License-Identifier: Apache-2.0 */
/* address.h - which hosts are inside: what a server from outside must not send us to
 *
 * A host is a name or an address literal as it stands in a URL (IPv6 with or without brackets). IPv4 counts in any
 * spelling that inet_aton(3) takes, since that is what libcurl resolves; so do addresses of it inside IPv6 (mapped,
 * compatible, NAT64 of RFC 6052).
 * Threads: no state.
 */
#ifndef IMGFACTORY_IO_ADDRESS_H
#define IMGFACTORY_IO_ADDRESS_H

#include <stdbool.h>

/* Returns whether the host is localhost or a loopback address. */
bool address_is_loopback(const char *host);
/* Returns whether the host is localhost or an address that is loopback, link-local, private, shared (RFC 6598) or none at
 * all (0.0.0.0/8, ::). */
bool address_is_private(const char *host);

#endif
