/* SPDX-License-Identifier: Apache-2.0 */
/* text.h - bytes with a length: views that borrow, buffers that own and have a cap
 *
 * Threads: no shared state; a struct buf belongs to one thread.
 * Owns: a struct buf owns its bytes until buf_done().
 */
#ifndef IMGFACTORY_BASE_TEXT_H
#define IMGFACTORY_BASE_TEXT_H

#include "base/arena.h"
#include "base/list.h"

#include <stdint.h>
#include <string.h>

/* A borrowed run of bytes, not NUL-terminated. */
struct text {
    const char *ptr;
    size_t len;
};

#define TEXT(literal) ((struct text){(literal), sizeof(literal) - 1})

/* Views a NUL-terminated string. */
static inline struct text text_of(const char *string)
{
    return (struct text){string, strlen(string)};
}

/* Compares bytes. */
bool text_eq(struct text a, struct text b);
/* Compares with a NUL-terminated string. */
bool text_is(struct text a, const char *string);
/* Compares with a NUL-terminated string, ASCII letters without case. */
bool text_is_nocase(struct text a, const char *string);
/* Returns whether `a` begins / ends with the string. */
bool text_has_prefix(struct text a, const char *prefix);
bool text_has_suffix(struct text a, const char *suffix);
/* Cuts blanks (space, tab, CR, LF) at both ends. */
struct text text_trim(struct text a);
/* Takes the part before the first `separator` off the front of `rest` (the separator is dropped). Returns false when
 * `rest` was used up before the call: for loops. */
bool text_next(struct text *rest, char separator, struct text *ret_part);
/* Takes the next run of non-blank bytes (blank = space, tab, CR, LF) off the front; false when there is none. */
bool text_next_word(struct text *rest, struct text *ret_word);
/* Parses a decimal number that fills the whole text; false on anything else or above UINT64_MAX. */
bool text_parse_u64(struct text a, uint64_t *ret_value) MUST_CHECK;
/* Copies into the arena with a NUL. */
char *text_dup(struct arena *arena, struct text a) __attribute__((returns_nonnull));
/* Copies into the arena for an error message or a log: at most 200 bytes, what text_sanitize() would replace as \xNN. */
const char *text_printable(struct arena *arena, struct text a);
/* Returns how many bytes the character of UTF-8 (RFC 3629) at the front has; 0 when there is none. */
size_t text_utf8_len(struct text a);
/* Returns whether all of it is UTF-8. */
bool text_is_utf8(struct text a);
/* Replaces in place by '?' what could do harm on a terminal or deceive who reads: control characters (C0 but tab, DEL,
 * C1), those that change the direction of writing (Unicode Standard Annex 9: U+061C, U+200E, U+200F, U+202A to U+202E,
 * U+2066 to U+2069), line and paragraph separators, and bytes that are no UTF-8. A newline stays where two blanks follow,
 * as in messages that go on in further lines: no other text can begin a line. */
void text_sanitize(char *string);
/* Does the same with names, which stand on one line: newlines and tabs are replaced, too. */
void text_flatten(char *string);
/* Cuts the query of every URL in place ("https://host/path?…"): tokens travel there. Errors and log lines go through it. */
void text_hide_queries(char *string);
/* Copies into the arena for a terminal: sanitized, on one line, at most 1 KiB ("…" stands for the rest). */
char *text_shown(struct arena *arena, const char *string) __attribute__((returns_nonnull));
/* Prints a size as people read it, by value: "999 B", "4.2 kB", "12.5 MB" (powers of 1000). */
struct text_size {
    char chars[32];
};
struct text_size text_size(uint64_t bytes);
/* Returns what a hexadecimal digit is worth, or -1. */
int text_hex_value(char c);
/* Hashes bytes (FNV-1a, 64 bits): for tables, never for trust. */
uint64_t text_hash(struct text a);
/* Returns the item of `known` with the smallest edit distance to `wanted`, or NULL when none is near (more than a third
 * of its letters differ): for "did you mean". */
const char *text_nearest(const char *wanted, const char *const *known, size_t count);
/* Returns whether two strings are equal, or both NULL / two lists hold equal strings in the same order. */
bool text_same(const char *a, const char *b);
bool strings_same(const struct strings *a, const struct strings *b);
/* Joins the items with the separator. */
char *strings_join(struct arena *arena, const struct strings *strings, const char *separator);

/* A growing buffer; bytes[len] is always NUL once something was added. cap_bytes is a hard limit given at the start. */
struct buf {
    char *bytes;
    size_t len, capacity, cap_bytes;
};

/* Views what a buffer holds so far; never NULL. */
static inline struct text buf_text(const struct buf *buf)
{
    return (struct text){buf->len ? buf->bytes : "", buf->len};
}
/* Starts a buffer that will refuse to grow above cap_bytes. */
void buf_init(struct buf *buf, size_t cap_bytes);
/* Appends; false when the cap would be passed (the buffer is then unchanged). Out of memory aborts. */
bool buf_add(struct buf *buf, const void *bytes, size_t len) MUST_CHECK;
/* Appends formatted text; false as buf_add(). */
bool buf_printf(struct buf *buf, const char *format, ...) PRINTF_LIKE(2, 3) MUST_CHECK;
/* Makes sure that `len` more bytes fit without a move; false when the cap would be passed. */
bool buf_reserve(struct buf *buf, size_t len) MUST_CHECK;
/* Frees the bytes. For AUTO(). */
void buf_done(struct buf *buf);
/* Returns a word as a shell reads it: itself, or quoted. */
const char *text_shell_word(struct arena *arena, const char *word);

#endif
