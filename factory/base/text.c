/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#define ESCAPED_BYTES ((size_t)4) /* "\x0A" */

bool text_eq(struct text a, struct text b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

bool text_is(struct text a, const char *string)
{
    return text_eq(a, text_of(string));
}

bool text_is_nocase(struct text a, const char *string)
{
    return a.len == strlen(string) && strncasecmp(a.ptr, string, a.len) == 0;
}

bool text_has_prefix(struct text a, const char *prefix)
{
    size_t len = strlen(prefix);
    return a.len >= len && memcmp(a.ptr, prefix, len) == 0;
}

bool text_has_suffix(struct text a, const char *suffix)
{
    size_t len = strlen(suffix);
    return a.len >= len && memcmp(a.ptr + a.len - len, suffix, len) == 0;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct text text_trim(struct text a)
{
    while (a.len && is_blank(a.ptr[0])) {
        a.ptr++;
        a.len--;
    }
    while (a.len && is_blank(a.ptr[a.len - 1]))
        a.len--;
    return a;
}

bool text_next(struct text *rest, char separator, struct text *ret_part)
{
    if (!rest->ptr)
        return false;
    const char *at = rest->len ? memchr(rest->ptr, separator, rest->len) : NULL;
    if (!at) {
        bool had_bytes = rest->len > 0;
        *ret_part = *rest;
        *rest = (struct text){0};
        return had_bytes;
    }
    *ret_part = (struct text){rest->ptr, (size_t)(at - rest->ptr)};
    rest->len -= ret_part->len + 1;
    rest->ptr = at + 1;
    return true;
}

bool text_next_word(struct text *rest, struct text *ret_word)
{
    while (rest->len && is_blank(rest->ptr[0])) {
        rest->ptr++;
        rest->len--;
    }
    size_t len = 0;
    while (len < rest->len && !is_blank(rest->ptr[len]))
        len++;
    if (!len)
        return false;
    *ret_word = (struct text){rest->ptr, len};
    rest->ptr += len;
    rest->len -= len;
    return true;
}

bool text_parse_u64(struct text a, uint64_t *ret_value)
{
    uint64_t value = 0;
    if (!a.len)
        return false;
    for (size_t i = 0; i < a.len; i++) {
        if (a.ptr[i] < '0' || a.ptr[i] > '9')
            return false;
        if (__builtin_mul_overflow(value, (uint64_t)10, &value) ||
            __builtin_add_overflow(value, (uint64_t)(a.ptr[i] - '0'), &value))
            return false;
    }
    *ret_value = value;
    return true;
}

char *text_dup(struct arena *arena, struct text a)
{
    return arena_strndup(arena, a.ptr, a.len);
}

/* What begins at a byte of UTF-8 (RFC 3629): how many bytes, and whether a terminal may see it. */
struct look {
    size_t len;
    bool is_harmless;
};

static bool is_harmless_code(uint32_t code)
{
    bool is_control = code < 0x20 || (code >= 0x7F && code <= 0x9F);
    bool is_direction = code == 0x061C || code == 0x200E || code == 0x200F || (code >= 0x2028 && code <= 0x202E) ||
                        (code >= 0x2066 && code <= 0x2069);
    return !is_control && !is_direction;
}

static struct look look_at(struct text text)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *at = (const unsigned char *)text.ptr;
    size_t len = at[0] < 0x80 ? 1 : at[0] >= 0xF0 ? 4 : at[0] >= 0xE0 ? 3 : 2;
    uint32_t code = len == 1 ? at[0] : at[0] & (0x7Fu >> len);
    if (len > text.len || (at[0] >= 0x80 && at[0] < 0xC0) || at[0] > 0xF4)
        return (struct look){1, false};
    for (size_t i = 1; i < len; i++) {
        if ((at[i] & 0xC0) != 0x80)
            return (struct look){1, false};
        code = code << 6 | (at[i] & 0x3F);
    }
    if (code < least[len] || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF))
        return (struct look){1, false};
    return (struct look){len, is_harmless_code(code)};
}

size_t text_utf8_len(struct text a)
{
    size_t len = a.len ? look_at(a).len : 0;
    return len > 1 || (len && (unsigned char)a.ptr[0] < 0x80) ? len : 0;
}

bool text_is_utf8(struct text a)
{
    for (size_t i = 0, len; i < a.len; i += len) {
        len = text_utf8_len((struct text){a.ptr + i, a.len - i});
        if (!len)
            return false;
    }
    return true;
}

const char *text_printable(struct arena *arena, struct text a)
{
    size_t len = a.len > 200 ? 200 : a.len, i = 0;
    char *result = arena_alloc(arena, (len + 4) * ESCAPED_BYTES + 4);
    char *at = result;
    while (i < len) {
        struct look look = look_at((struct text){a.ptr + i, a.len - i});
        for (size_t end = i + look.len; i < end; i++)
            at += snprintf(at, ESCAPED_BYTES + 1, look.is_harmless ? "%c" : "\\x%02X", (unsigned char)a.ptr[i]);
    }
    memcpy(at, i < a.len ? "…" : "", i < a.len ? 4 : 1);
    return result;
}

/* Whether a blank may stay in a message: a tab, and a newline of a message that goes on indented. */
static bool is_of_message(struct text rest)
{
    return *rest.ptr == '\t' || text_has_prefix(rest, "\n  ");
}

static void replace_harmful(char *string, bool is_message)
{
    struct text rest = text_of(string);
    char *to = string;
    while (rest.len) {
        struct look look = look_at(rest);
        if (look.is_harmless || (is_message && is_of_message(rest))) {
            memmove(to, rest.ptr, look.len);
            to += look.len;
        } else {
            *to++ = '?';
        }
        rest = (struct text){rest.ptr + look.len, rest.len - look.len};
    }
    *to = '\0';
}

void text_sanitize(char *string)
{
    replace_harmful(string, true);
}

void text_flatten(char *string)
{
    replace_harmful(string, false);
}

void text_hide_queries(char *string)
{
    static const char hidden[] = "…", ends[] = " \t\r\n\"'<>";
    for (char *url = string; (url = strstr(url, "://"));) {
        char *end = url + strcspn(url, ends), *query = memchr(url, '?', (size_t)(end - url));
        url = end;
        size_t len = query ? (size_t)(end - query) - 1 : 0;
        if (!len || strncmp(query + 1, hidden, strlen(hidden)) == 0)
            continue;
        size_t kept = len < strlen(hidden) ? len : strlen(hidden);
        memcpy(query + 1, len < strlen(hidden) ? ".." : hidden, kept);
        memmove(query + 1 + kept, end, strlen(end) + 1);
        url = query + 1 + kept;
    }
}

#define SHOWN_BYTES_MAX 1024u

char *text_shown(struct arena *arena, const char *string)
{
    struct text rest = text_of(string);
    char *shown = arena_alloc(arena, SHOWN_BYTES_MAX + sizeof "…"), *to = shown;
    while (rest.len) {
        struct look look = look_at(rest);
        if ((size_t)(to - shown) + look.len > SHOWN_BYTES_MAX)
            break;
        to = look.is_harmless ? mempcpy(to, rest.ptr, look.len) : mempcpy(to, "?", 1);
        rest = (struct text){rest.ptr + look.len, rest.len - look.len};
    }
    memcpy(to, rest.len ? "…" : "", rest.len ? sizeof "…" : 1);
    return shown;
}

struct text_size text_size(uint64_t bytes)
{
    struct text_size size;
    if (bytes < 1000)
        (void)snprintf(size.chars, sizeof size.chars, "%u B", (unsigned)bytes);
    else if (bytes < 1000000)
        (void)snprintf(size.chars, sizeof size.chars, "%.1f kB", (double)bytes / 1e3);
    else
        (void)snprintf(size.chars, sizeof size.chars, "%.1f MB", (double)bytes / 1e6);
    return size;
}

int text_hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

uint64_t text_hash(struct text a)
{
    uint64_t hash = 0xCBF29CE484222325u;
    for (size_t i = 0; i < a.len; i++)
        hash = (hash ^ (unsigned char)a.ptr[i]) * 0x100000001B3u;
    return hash;
}

#define NEAREST_MAX 64

/* Edit distance with transpositions of neighbours (optimal string alignment), row by row. */
static size_t edit_distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
    size_t rows[3][NEAREST_MAX + 1];
    for (size_t j = 0; j <= b_len; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a_len; i++) {
        size_t *row = rows[i % 3], *above = rows[(i - 1) % 3], *second = rows[(i + 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= b_len; j++) {
            size_t replaced = above[j - 1] + (a[i - 1] != b[j - 1]);
            row[j] = (above[j] < row[j - 1] ? above[j] : row[j - 1]) + 1;
            row[j] = row[j] < replaced ? row[j] : replaced;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && second[j - 2] + 1 < row[j])
                row[j] = second[j - 2] + 1;
        }
    }
    return rows[a_len % 3][b_len];
}

const char *text_nearest(const char *wanted, const char *const *known, size_t count)
{
    size_t wanted_len = strlen(wanted), best_distance = SIZE_MAX;
    const char *best = NULL;
    if (wanted_len > NEAREST_MAX)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        size_t len = strlen(known[i]);
        if (len > NEAREST_MAX)
            continue;
        /* a letter of the other case counts nothing where the lengths are equal: DHCPD means dhcpd */
        size_t distance = len == wanted_len && strcasecmp(wanted, known[i]) == 0
                              ? 0
                              : edit_distance(wanted, wanted_len, known[i], len);
        if (distance < best_distance) {
            best_distance = distance;
            best = known[i];
        }
    }
    size_t longer = best ? strlen(best) : 0;
    longer = longer > wanted_len ? longer : wanted_len;
    return best && best_distance * 3 <= longer ? best : NULL;
}

char *strings_join(struct arena *arena, const struct strings *strings, const char *separator)
{
    size_t total = 1, separator_len = strlen(separator);
    for (size_t i = 0; i < strings->count; i++)
        total += strlen(strings->items[i]) + separator_len;
    char *result = arena_alloc(arena, total), *at = result;
    for (size_t i = 0; i < strings->count; i++) {
        if (i)
            at = stpcpy(at, separator);
        at = stpcpy(at, strings->items[i]);
    }
    return result;
}

void buf_init(struct buf *buf, size_t cap_bytes)
{
    *buf = (struct buf){.cap_bytes = cap_bytes};
}

bool buf_reserve(struct buf *buf, size_t len)
{
    size_t wanted;
    if (__builtin_add_overflow(buf->len, len, &wanted) || wanted > buf->cap_bytes)
        return false;
    if (wanted < buf->capacity)
        return true;
    size_t capacity = buf->capacity ? buf->capacity : 256;
    while (capacity <= wanted)
        capacity *= 2;
    if (capacity > buf->cap_bytes)
        capacity = buf->cap_bytes + 1;
    char *bytes = realloc(buf->bytes, capacity);
    if (!bytes)
        memory_abort(capacity);
    buf->bytes = bytes;
    buf->capacity = capacity;
    return true;
}

bool buf_add(struct buf *buf, const void *bytes, size_t len)
{
    if (!buf_reserve(buf, len))
        return false;
    if (len)
        memcpy(buf->bytes + buf->len, bytes, len);
    buf->len += len;
    buf->bytes[buf->len] = '\0';
    return true;
}

bool buf_printf(struct buf *buf, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    bool fits = len >= 0 && buf_reserve(buf, (size_t)len);
    if (fits) {
        (void)vsnprintf(buf->bytes + buf->len, (size_t)len + 1, format, again);
        buf->len += (size_t)len;
    }
    va_end(again);
    return fits;
}

void buf_done(struct buf *buf)
{
    free(buf->bytes);
    *buf = (struct buf){0};
}

bool text_same(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

bool strings_same(const struct strings *a, const struct strings *b)
{
    bool is_same = a->count == b->count;
    for (size_t i = 0; is_same && i < a->count; i++)
        is_same = strcmp(a->items[i], b->items[i]) == 0;
    return is_same;
}

const char *text_shell_word(struct arena *arena, const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-";
    if (*word && !word[strspn(word, plain)])
        return word;
    char *quoted = arena_alloc(arena, 4 * strlen(word) + 3), *to = quoted;
    *to++ = '\'';
    for (; *word; word++)
        to = *word == '\'' ? stpcpy(to, "'\\''") : (*to = *word, to + 1);
    *to++ = '\'';
    *to = '\0';
    return quoted;
}
