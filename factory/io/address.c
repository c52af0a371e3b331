/* SPDX-License-Identifier: Apache-2.0 */
#include "io/address.h"

#include "base/text.h"

#include <arpa/inet.h>
#include <stdio.h>

#define BARE_BYTES 256

/* Returns 4 or 6 for an address literal, else 0. */
static int address_of(const char *host, struct in_addr *ret4, struct in6_addr *ret6)
{
    static const uint8_t nat64[12] = {0x00, 0x64, 0xff, 0x9b};
    char bare[BARE_BYTES];
    size_t len = strlen(host);
    bool is_bracketed = len > 1 && host[0] == '[' && host[len - 1] == ']';
    if (len >= sizeof bare)
        return 0;
    (void)snprintf(bare, sizeof bare, "%.*s", (int)(is_bracketed ? len - 2 : len), host + is_bracketed);
    bare[strcspn(bare, "%")] = '\0'; /* a zone (RFC 6874) */
    if (strchr(bare, ':')) {
        if (inet_pton(AF_INET6, bare, ret6) != 1)
            return 0;
        bool is_compatible = IN6_IS_ADDR_V4COMPAT(ret6);
        if (!IN6_IS_ADDR_V4MAPPED(ret6) && !is_compatible && memcmp(ret6->s6_addr, nat64, sizeof nat64) != 0)
            return 6;
        memcpy(ret4, ret6->s6_addr + 12, sizeof *ret4);
        return 4;
    }
    if (is_bracketed)
        return 0;
    if (len && bare[len - 1] == '.')
        bare[len - 1] = '\0';
    return inet_aton(bare, ret4) ? 4 : 0;
}

static bool is_localhost(const char *name)
{
    static const char suffix[] = ".localhost";
    struct text host = text_of(name);
    if (host.len && host.ptr[host.len - 1] == '.')
        host.len--;
    size_t at = host.len >= sizeof suffix - 1 ? host.len - (sizeof suffix - 1) : 0;
    return text_is_nocase(host, "localhost") || text_is_nocase((struct text){host.ptr + at, host.len - at}, suffix);
}

bool address_is_loopback(const char *host)
{
    struct in_addr v4 = {0};
    struct in6_addr v6 = {0};
    int family = address_of(host, &v4, &v6);
    return is_localhost(host) || (family == 4 && (ntohl(v4.s_addr) >> 24) == 127) ||
           (family == 6 && IN6_IS_ADDR_LOOPBACK(&v6));
}

bool address_is_private(const char *host)
{
    struct in_addr v4 = {0};
    struct in6_addr v6 = {0};
    int family = address_of(host, &v4, &v6);
    uint32_t a = ntohl(v4.s_addr);
    if (family == 4)
        return a >> 24 == 127 || a >> 24 == 10 || a >> 24 == 0 || a >> 20 == 0xac1 || a >> 16 == 0xc0a8 ||
               a >> 16 == 0xa9fe || a >> 22 == 0x191;
    if (family == 6)
        return IN6_IS_ADDR_LOOPBACK(&v6) || IN6_IS_ADDR_UNSPECIFIED(&v6) || IN6_IS_ADDR_LINKLOCAL(&v6) ||
               IN6_IS_ADDR_SITELOCAL(&v6) || (v6.s6_addr[0] & 0xfe) == 0xfc;
    return is_localhost(host);
}
