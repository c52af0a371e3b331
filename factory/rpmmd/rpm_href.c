/* SPDX-License-Identifier: Apache-2.0 */
#include "rpmmd/rpm_href.h"

#include "base/url.h"

#define HREF_BYTES_MAX 2048

/* Decodes %XX into `decoded`, which has room for it. */
static struct text decode(struct text href, char *decoded)
{
    size_t len = 0;
    for (size_t i = 0; i < href.len; i++) {
        struct text rest = {href.ptr + i, href.len - i};
        decoded[len] = href.ptr[i];
        if (url_read_escape(rest, &decoded[len]))
            i += 2;
        len++;
    }
    return (struct text){decoded, len};
}

const char *rpm_href_fault(struct text href)
{
    char bytes[HREF_BYTES_MAX];
    if (href.len > sizeof bytes)
        return "it is too long";
    struct text decoded = decode(href, bytes), rest = decoded, part;
    if (!decoded.len)
        return "it is empty";
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
    return url_escape_rest(arena, href, URL_SPECIAL);
}
