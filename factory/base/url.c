/* SPDX-License-Identifier: Apache-2.0 */
#include "base/url.h"

#include <ctype.h>
#include <strings.h>

/* Appends %XX; returns where the next byte goes. */
static char *put_escape(char *to, char c)
{
    static const char digits[] = "0123456789ABCDEF";
    *to++ = '%';
    *to++ = digits[(unsigned char)c >> 4];
    *to++ = digits[(unsigned char)c & 15];
    return to;
}

const char *url_encode(struct arena *arena, const char *value)
{
    char *encoded = arena_alloc(arena, strlen(value) * 3 + 1), *to = encoded;
    for (; *value; value++) {
        bool is_plain = isalnum((unsigned char)*value) || strchr("-._~", *value);
        to = is_plain ? (*to = *value, to + 1) : put_escape(to, *value);
    }
    *to = '\0';
    return encoded;
}

static const char *escape(struct arena *arena, const char *path, const char *special, bool is_escape_kept)
{
    char *escaped = arena_alloc(arena, strlen(path) * 3 + 1), *to = escaped, byte;
    for (; *path; path++) {
        bool is_plain = *path > 0x20 && *path < 0x7F && !strchr(special, *path);
        bool is_kept = is_plain || (is_escape_kept && url_read_escape(text_of(path), &byte));
        to = is_kept ? (*to = *path, to + 1) : put_escape(to, *path);
    }
    *to = '\0';
    return escaped;
}

const char *url_escape(struct arena *arena, const char *path, const char *special)
{
    return escape(arena, path, special, false);
}

const char *url_escape_rest(struct arena *arena, const char *path, const char *special)
{
    return escape(arena, path, special, true);
}

bool url_read_escape(struct text text, char *ret_byte)
{
    if (text.len < 3 || text.ptr[0] != '%' || text_hex_value(text.ptr[1]) < 0 || text_hex_value(text.ptr[2]) < 0)
        return false;
    *ret_byte = (char)(text_hex_value(text.ptr[1]) << 4 | text_hex_value(text.ptr[2]));
    return true;
}

const char *url_local_path(struct arena *arena, const char *url)
{
    static const char *const hosts[] = {"//localhost/", "///"};
    static const char scheme[] = "file:";
    if (strncasecmp(url, scheme, strlen(scheme)) != 0)
        return NULL;
    url += strlen(scheme);
    for (size_t i = 0; i < ARRAY_COUNT(hosts); i++)
        url += strncasecmp(url, hosts[i], strlen(hosts[i])) == 0 ? strlen(hosts[i]) - 1 : 0;
    size_t len = 0;
    struct text rest = {url, strcspn(url, "?#")};
    char *path = arena_alloc(arena, rest.len + 1);
    while (rest.len) {
        char byte = rest.ptr[0];
        size_t taken = url_read_escape(rest, &byte) ? 3 : 1;
        if (!byte)
            return NULL;
        path[len++] = byte;
        rest = (struct text){rest.ptr + taken, rest.len - taken};
    }
    while (path[0] == '/' && path[1] == '/')
        path++;
    return path[0] == '/' ? path : NULL;
}
