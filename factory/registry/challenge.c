/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/challenge.h"

/* Headers come from a server that nobody has authenticated yet: bounded, and one that breaks the grammar is left out as
 * a whole, because nobody can say which of its words were meant. */

#define HEADER_BYTES_MAX (1u << 14)
#define HEADERS_MAX 32

#define TOKEN_CHARS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+-.^_`|~"
#define TOKEN68_CHARS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~+/"

/* One header as it is read: `at` runs over it; `current` collects one challenge, `best` is the best so far. */
struct reader {
    struct arena *arena;
    const char *at;
    bool has_scheme;
    struct challenge current, best;
};

static void skip_blanks(struct reader *reader)
{
    reader->at += strspn(reader->at, " \t");
}

static struct text take_token(struct reader *reader)
{
    struct text token = {reader->at, strspn(reader->at, TOKEN_CHARS)};
    reader->at += token.len;
    return token;
}

static bool is_at_border(const char *at)
{
    at += strspn(at, " \t");
    return *at == '\0' || *at == ',';
}

/* A quoted string, its escapes resolved; NULL when it does not end or has control characters. */
static const char *take_quoted(struct reader *reader)
{
    char *value = arena_strdup(reader->arena, reader->at + 1), *to = value;
    const char *from = reader->at + 1;
    for (; *from != '"'; from++) {
        if (*from == '\\')
            from++;
        if ((unsigned char)*from < ' ' || *from == 0x7F)
            return NULL;
        *to++ = *from;
    }
    *to = '\0';
    reader->at = from + 1;
    return value;
}

static const char *take_value(struct reader *reader)
{
    if (*reader->at == '"')
        return take_quoted(reader);
    struct text token = take_token(reader);
    return token.len ? text_dup(reader->arena, token) : NULL;
}

/* Keeps the challenge that was just read when it can be used and is better than what there is. */
static void end_challenge(struct reader *reader)
{
    bool is_usable = reader->current.scheme != CHALLENGE_BEARER || reader->current.realm;
    if (reader->has_scheme && is_usable && reader->current.scheme > reader->best.scheme)
        reader->best = reader->current;
    reader->current = (struct challenge){0};
}

/* Begins a challenge. A scheme may be followed by one run of base64-like characters in the place of parameters. */
static bool begin_challenge(struct reader *reader, struct text scheme)
{
    end_challenge(reader);
    reader->has_scheme = true;
    if (text_is_nocase(scheme, "bearer"))
        reader->current.scheme = CHALLENGE_BEARER;
    else if (text_is_nocase(scheme, "basic"))
        reader->current.scheme = CHALLENGE_BASIC;
    if (is_at_border(reader->at))
        return true;
    if (*reader->at != ' ' && *reader->at != '\t')
        return false;
    skip_blanks(reader);
    const char *end = reader->at + strspn(reader->at, TOKEN68_CHARS);
    end += strspn(end, "=");
    if (end > reader->at && is_at_border(end))
        reader->at = end;
    return true;
}

/* Keeps a parameter; one that comes twice is refused. */
static bool keep(struct reader *reader, struct text name)
{
    struct {
        const char *name;
        const char **into;
    } const known[] = {{"realm", &reader->current.realm},
                       {"service", &reader->current.service},
                       {"scope", &reader->current.scope},
                       {"error", &reader->current.error}};
    const char *value = take_value(reader);
    if (!value)
        return false;
    for (size_t i = 0; i < ARRAY_COUNT(known); i++) {
        if (!text_is_nocase(name, known[i].name))
            continue;
        if (*known[i].into)
            return false;
        *known[i].into = value;
    }
    return true;
}

/* Reads "Scheme", "Scheme token68" or "name=value" at a time; commas stand between parameters and challenges alike. */
static bool read_header(struct reader *reader)
{
    for (;;) {
        reader->at += strspn(reader->at, " \t,");
        if (!*reader->at)
            break;
        struct text word = take_token(reader);
        const char *after = reader->at + strspn(reader->at, " \t");
        if (!word.len)
            return false;
        if (*after != '=') {
            if (!begin_challenge(reader, word))
                return false;
            continue;
        }
        reader->at = after + 1;
        skip_blanks(reader);
        if (!reader->has_scheme || !keep(reader, word) || !is_at_border(reader->at))
            return false;
    }
    end_challenge(reader);
    return true;
}

void challenge_parse(struct arena *arena, const struct strings *headers, struct challenge *ret_challenge)
{
    *ret_challenge = (struct challenge){0};
    for (size_t i = 0; i < headers->count && i < HEADERS_MAX; i++) {
        struct reader reader = {.arena = arena, .at = headers->items[i]};
        if (strnlen(headers->items[i], HEADER_BYTES_MAX + 1) > HEADER_BYTES_MAX || !read_header(&reader))
            continue;
        if (reader.best.scheme > ret_challenge->scheme)
            *ret_challenge = reader.best;
    }
}
