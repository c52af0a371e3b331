#include "rpmmd/rpm_href.h"

#include <stdio.h>

#define HREF_BYTES_MAX 2048

static int hex_value(char c)
{
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    const char *at = c ? strchr(digits, c) : NULL;
    return at ? (int)(at - digits) % 16 : -1;
}

/* Returns whether %XX stands at the front, and what it means. */
static bool read_escape(struct text text, char *ret_byte)
{
    if (text.len < 3 || text.ptr[0] != '%' || hex_value(text.ptr[1]) < 0 || hex_value(text.ptr[2]) < 0)
        return false;
    *ret_byte = (char)(hex_value(text.ptr[1]) << 4 | hex_value(text.ptr[2]));
    return true;
}

/* Decodes %XX into `decoded`, which has room for it. */
static struct text decode(struct text href, char *decoded)
{
    size_t len = 0;
    for (size_t i = 0; i < href.len; i++) {
        struct text rest = {href.ptr + i, href.len - i};
        decoded[len] = href.ptr[i];
        if (read_escape(rest, &decoded[len]))
            i += 2;
        len++;
    }
    return (struct text){decoded, len};
}

const char *rpm_href_fault(struct text href)
{
    char bytes[HREF_BYTES_MAX];
    if (!href.len)
        return "it is empty";
    if (href.len > sizeof bytes)
        return "it is too long";
    struct text decoded = decode(href, bytes), rest = decoded, part;
    for (size_t i = 0; i < decoded.len; i++) {
        unsigned char c = (unsigned char)decoded.ptr[i];
        if (c < 0x20 || c == 0x7F || c == '\\')
            return "it has control bytes or backslashes";
    }
    if (decoded.ptr[0] == '/')
        return "it is absolute";
    if (decoded.ptr[decoded.len - 1] == '/')
        return "it is a directory";
    while (text_next(&rest, '/', &part)) {
        if (!part.len)
            return "it has an empty part";
        if (text_is(part, ".."))
            return "it has \"..\"";
        if (part.ptr == decoded.ptr && part.ptr[part.len - 1] == ':')
            return "it has a scheme";
    }
    return NULL;
}

const char *rpm_href_url(struct arena *arena, const char *href)
{
    char *url = arena_alloc(arena, strlen(href) * 3 + 1), *at = url, byte;
    for (; *href; href++) {
        bool is_escape = read_escape(text_of(href), &byte);
        bool is_plain =
            (unsigned char)*href > 0x20 && (unsigned char)*href < 0x7F && !strchr("%?#\\\"<>^`{|}[]", *href);
        at += is_plain || is_escape ? sprintf(at, "%c", *href) : sprintf(at, "%%%02X", (unsigned char)*href);
    }
    return url;
}
