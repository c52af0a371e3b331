/* SPDX-License-Identifier: Apache-2.0 */
/* The syntax is that of ISC's programs: `A::B "value";`, `A { B "value"; };`, comments, `#clear A::B;` and `#include "FILE";`. A value
 * in a list has no name (`A { "one"; };`), and no key that is asked for is one. */
#include "deb/apt_conf.h"

#include <fcntl.h>
#include <strings.h>
#include <unistd.h>

#include "base/auto.h"
#include "io/file.h"
#include "source/config_files.h"

#define CONF_MAX_BYTES (4u << 20)
#define INCLUDE_DEPTH_MAX 10 /* as apt has it */
#define SCOPE_DEPTH_MAX 100
/* Files that include each other several times are read as often: ten levels of ten would be for ever. */
#define FILES_MAX 1000

/* The reading of all files. */
struct reading {
    struct arena *arena;
    const char *key;
    const char *value;
    struct strings scopes; /* names of the open braces, whole paths */
    size_t depth;          /* of includes */
    size_t file_count;     /* read so far, a file as often as it is included */
};

/* A token: a word (quotes taken off), or one of "{", "}", ";"; "" at the end. */
struct token {
    const char *word;
    char sign; /* 0: a word */
};

static bool starts(struct text rest, const char *word)
{
    return text_has_prefix(rest, word);
}

static struct text skip(struct text rest, size_t count)
{
    return (struct text){rest.ptr + count, rest.len - count};
}

/* Passes over blanks and comments. */
static struct text skip_blanks(struct text rest)
{
    while (rest.len) {
        bool is_word = starts(rest, "#clear") || starts(rest, "#include");
        if (starts(rest, "//") || (rest.ptr[0] == '#' && !is_word)) {
            const char *end = memchr(rest.ptr, '\n', rest.len);
            rest = skip(rest, end ? (size_t)(end - rest.ptr) : rest.len);
        } else if (starts(rest, "/*")) {
            const char *end = memmem(rest.ptr + 2, rest.len - 2, "*/", 2);
            rest = skip(rest, end ? (size_t)(end - rest.ptr) + 2 : rest.len);
        } else if (strchr(" \t\r\n\f\v", rest.ptr[0])) { /* and NUL */
            rest = skip(rest, 1);
        } else {
            break;
        }
    }
    return rest;
}

/* Reads one token; false at the end. */
static bool next_token(struct arena *arena, struct text *rest, struct token *ret_token)
{
    *rest = skip_blanks(*rest);
    if (!rest->len)
        return false;
    *ret_token = (struct token){0};
    if (strchr("{};", rest->ptr[0])) {
        ret_token->sign = rest->ptr[0];
        *rest = skip(*rest, 1);
        return true;
    }
    size_t len = 0;
    for (bool is_quoted = false; len < rest->len && (is_quoted || !strchr(" \t\r\n\f\v{};", rest->ptr[len])); len++)
        is_quoted = is_quoted != (rest->ptr[len] == '"');
    char *word = arena_alloc(arena, len + 1), *at = word;
    for (size_t i = 0; i < len; i++) {
        if (rest->ptr[i] != '"')
            *at++ = rest->ptr[i];
    }
    *at = '\0';
    ret_token->word = word;
    *rest = skip(*rest, len);
    return true;
}

static bool read_file(struct reading *reading, const char *path, struct err *err);

static const char *path_of(const struct reading *reading, const char *name)
{
    size_t depth = reading->scopes.count;
    return depth ? arena_printf(reading->arena, "%s::%s", reading->scopes.items[depth - 1], name) : name;
}

static void set(struct reading *reading, const struct strings *words)
{
    if (words->count >= 2 && strcasecmp(path_of(reading, words->items[0]), reading->key) == 0)
        reading->value = words->items[1];
}

/* Forgets the key, or the scope that it is in. */
static void clear(struct reading *reading, const char *name)
{
    size_t len = strlen(name);
    if (strncasecmp(name, reading->key, len) == 0 &&
        (!reading->key[len] || (reading->key[len] == ':' && reading->key[len + 1] == ':')))
        reading->value = NULL;
}

/* Does what the words up to a ';' say. */
static bool do_words(struct reading *reading, const struct strings *words, struct err *err)
{
    const char *first = words->count ? words->items[0] : "";
    if (strcasecmp(first, "#clear") == 0) {
        for (size_t i = 1; i < words->count; i++)
            clear(reading, words->items[i]);
    } else if (strcasecmp(first, "#include") == 0) {
        if (words->count > 1 && reading->depth < INCLUDE_DEPTH_MAX)
            return read_file(reading, words->items[1], err);
    } else {
        set(reading, words);
    }
    return true;
}

static void open_scope(struct reading *reading, const struct strings *words)
{
    const char *path = path_of(reading, words->count ? strings_join(reading->arena, words, "::") : "");
    if (reading->scopes.count < SCOPE_DEPTH_MAX)
        list_add(reading->arena, &reading->scopes, path);
}

static bool read_text(struct reading *reading, struct text text, struct err *err)
{
    struct strings words = {0};
    struct token token;
    while (next_token(reading->arena, &text, &token)) {
        if (!token.sign) {
            list_add(reading->arena, &words, token.word);
            continue;
        }
        if (token.sign == '{')
            open_scope(reading, &words);
        else if (token.sign == ';' && !do_words(reading, &words, err))
            return false;
        else if (token.sign == '}' && reading->scopes.count)
            reading->scopes.count--;
        words.count = 0;
    }
    return true;
}

static bool read_file(struct reading *reading, const char *path, struct err *err)
{
    AUTO(buf_done) struct buf bytes = {0};
    struct strings scopes = reading->scopes;
    if (access(path, R_OK) != 0)
        return true;
    if (++reading->file_count > FILES_MAX) {
        err_set(err, ERR_USAGE, "%s: apt's configuration includes more than %d files", path, FILES_MAX);
        return false;
    }
    if (!file_read_at(AT_FDCWD, path, CONF_MAX_BYTES, &bytes, err))
        return false;
    reading->scopes = (struct strings){0};
    reading->depth++;
    bool is_good = read_text(reading, (struct text){bytes.bytes ? bytes.bytes : "", bytes.len}, err);
    reading->depth--;
    reading->scopes = scopes;
    return is_good;
}

bool apt_conf_list(struct arena *arena, const char *dir, const char *ending, struct strings *ret_paths, struct err *err)
{
    static const char *const all[] = {""};
    struct strings paths, wanted = {0};
    if (!config_list_files(arena, dir, all, 1, &paths, err))
        return false;
    for (size_t i = 0; i < paths.count; i++) {
        const char *name = strrchr(paths.items[i], '/') + 1;
        if (!strchr(name, '.') || text_has_suffix(text_of(name), ending))
            list_add(arena, &wanted, paths.items[i]);
    }
    *ret_paths = wanted;
    return true;
}

bool apt_conf_find(struct arena *arena, const char *apt_dir, const char *key, const char **ret_value, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct reading reading = {.arena = &scratch, .key = key};
    struct strings paths;
    if (!apt_conf_list(&scratch, arena_printf(&scratch, "%s/apt.conf.d", apt_dir), ".conf", &paths, err))
        return false;
    list_add(&scratch, &paths, arena_printf(&scratch, "%s/apt.conf", apt_dir));
    for (size_t i = 0; i < paths.count; i++) {
        if (!read_file(&reading, paths.items[i], err))
            return false;
    }
    *ret_value = reading.value && *reading.value ? arena_strdup(arena, reading.value) : NULL;
    return true;
}
