/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/registry_url.h"

#include "io/address.h"

#include <ctype.h>
#include <strings.h>

static bool has_only_url_bytes(const char *url)
{
    size_t len = strlen(url);
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)url[i];
        if (c <= ' ' || c >= 0x7f || c == '\\')
            return false;
    }
    return len <= REGISTRY_URL_MAX_BYTES;
}

static bool parse_port(struct text port, unsigned standard, unsigned *ret_port)
{
    uint64_t value;
    *ret_port = standard;
    if (!port.len)
        return true;
    if (port.ptr[0] != ':' || !text_parse_u64((struct text){port.ptr + 1, port.len - 1}, &value) || value == 0 ||
        value > 65535)
        return false;
    *ret_port = (unsigned)value;
    return true;
}

/* Returns the length of the host at the start of an authority; 0 for a bad one. */
static size_t host_length(struct text authority)
{
    size_t len = 0;
    if (authority.len && authority.ptr[0] == '[') {
        const char *end = memchr(authority.ptr, ']', authority.len);
        len = end ? (size_t)(end - authority.ptr) + 1 : 0;
        for (size_t i = 1; i + 1 < len; i++) {
            if (!isxdigit((unsigned char)authority.ptr[i]) && !strchr(":.", authority.ptr[i]))
                return 0;
        }
        return len > 2 ? len : 0;
    }
    while (len < authority.len && (isalnum((unsigned char)authority.ptr[len]) || strchr(".-_", authority.ptr[len])))
        len++;
    return len;
}

bool registry_origin_parse(const char *url, struct registry_origin *ret_origin)
{
    struct registry_origin origin = {.is_https = strncasecmp(url, "https://", 8) == 0};
    if ((!origin.is_https && strncasecmp(url, "http://", 7) != 0) || !has_only_url_bytes(url))
        return false;
    const char *start = url + (origin.is_https ? 8 : 7);
    struct text authority = {start, strcspn(start, "/?#")};
    size_t len = host_length(authority);
    if (len == 0 || len >= sizeof origin.host)
        return false;
    for (size_t i = 0; i < len; i++)
        origin.host[i] = (char)tolower((unsigned char)authority.ptr[i]);
    struct text port = {authority.ptr + len, authority.len - len};
    if (!parse_port(port, origin.is_https ? 443 : 80, &origin.port))
        return false;
    *ret_origin = origin;
    return true;
}

bool registry_origin_eq(const struct registry_origin *a, const struct registry_origin *b)
{
    return a->is_https == b->is_https && a->port == b->port && strcmp(a->host, b->host) == 0;
}

bool registry_origin_is_loopback(const struct registry_origin *origin)
{
    return address_is_loopback(origin->host);
}

bool registry_origin_is_private(const struct registry_origin *origin)
{
    return address_is_private(origin->host);
}

/* The part of a URL before its path. */
static struct text root_of(const char *url)
{
    const char *start = strstr(url, "://");
    size_t scheme_len = start ? (size_t)(start - url) + 3 : 0;
    return (struct text){url, scheme_len + strcspn(url + scheme_len, "/?#")};
}

const char *registry_url_resolve(struct arena *arena, const char *base, struct text location)
{
    struct registry_origin origin;
    const char *wanted = text_dup(arena, text_trim(location)), *url = wanted;
    struct text root = root_of(base);
    size_t path_len = strcspn(base + root.len, "?#");
    bool is_absolute = registry_origin_parse(wanted, &origin);
    if (!*wanted || (!is_absolute && wanted[strcspn(wanted, ":/?#")] == ':'))
        return NULL; /* another scheme */
    if (wanted[0] == '/' && wanted[1] == '/')
        url = arena_printf(arena, "%.*s:%s", (int)strcspn(base, ":"), base, wanted);
    else if (wanted[0] == '/')
        url = arena_printf(arena, "%.*s%s", (int)root.len, root.ptr, wanted);
    else if (wanted[0] == '?')
        url = arena_printf(arena, "%.*s%s", (int)(root.len + path_len), base, wanted);
    else if (!is_absolute) {
        while (path_len && base[root.len + path_len - 1] != '/')
            path_len--;
        url = arena_printf(arena, "%.*s%s%s", (int)(root.len + path_len), base, path_len ? "" : "/", wanted);
    }
    return registry_origin_parse(url, &origin) ? url : NULL;
}
