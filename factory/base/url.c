/* SPDX-License-Identifier: Apache-2.0 */
#include "base/url.h"

#include <ctype.h>

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
