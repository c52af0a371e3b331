#include "service/started_script.h"

#include "base/auto.h"
#include "effect/dropin.h"
#include "effect/shell_words.h"
#include "package/path.h"

#define SOURCED_MAX 16 /* files that one script reads; what further ones say is not known */
#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_"

static bool fail(struct started_script *script, const char *why, struct err *err)
{
    err_set(err, ERR_MALFORMED, "%s: %s", script->place, why);
    return false;
}

/* Takes "$NAME", "${NAME}" or "${NAME:-otherwise}" at the front and returns its value; NULL when it is anything else, or
 * the script computes it. What is never assigned is empty, as in a shell. */
static const char *variable_value(struct started_script *script, const char **at)
{
    const char *start = *at + 1;
    bool has_brace = *start == '{';
    start += has_brace;
    size_t len = strspn(start, LETTERS "0123456789");
    const char *end = start + len, *otherwise = "";
    if (!len || (*start >= '0' && *start <= '9'))
        return NULL;
    if (has_brace && strncmp(end, ":-", 2) == 0) {
        size_t more = strcspn(end + 2, "}$`");
        otherwise = arena_strndup(script->arena, end + 2, more);
        end += 2 + more;
    }
    if (has_brace && *end != '}')
        return NULL;
    *at = has_brace ? end : end - 1;
    const char *value = environment_get(&script->environment, (struct text){start, len});
    if (!value && !*otherwise && script->is_unsure)
        return NULL;
    return value && *value ? value : otherwise;
}

/* Puts values for the variables of a word; NULL when one has none that is constant. */
static const char *expand(struct started_script *script, const char *word)
{
    AUTO(buf_done) struct buf buf;
    buf_init(&buf, ENVIRONMENT_WORD_BYTES_MAX);
    for (const char *at = word; *at; at++) {
        struct text part = {at, 1};
        if (*at == '`')
            return NULL;
        if (*at == '$') {
            const char *value = variable_value(script, &at);
            if (!value || strpbrk(value, "`$"))
                return NULL;
            part = text_of(value);
        }
        if (!buf_add(&buf, part.ptr, part.len))
            return NULL;
    }
    return arena_strndup(script->arena, buf_text(&buf).ptr, buf.len);
}

/* Adds a word; a variable alone may be several, or none. */
static bool add_words(struct started_script *script, const struct shell_word *word, struct strings *words)
{
    const char *value = word->is_constant ? word->text : expand(script, word->text);
    struct text rest = text_of(value ? value : "");
    if (!value || words->count > ENVIRONMENT_WORDS_MAX)
        return false;
    if (word->is_constant || word->text[0] != '$') {
        list_add(script->arena, words, value);
        return true;
    }
    for (const char *part; !dropin_word(script->arena, &rest, false, &part) && part;) {
        if (words->count > ENVIRONMENT_WORDS_MAX)
            return false;
        list_add(script->arena, words, part);
    }
    return true;
}

/* Reads the file of variables that a line ". FILE" names. */
static bool read_sourced(struct started_script *script, const char *path, struct err *err)
{
    const char *reason, *place = path[0] == '/' ? path_canonical(script->arena, text_of(path), &reason) : NULL;
    struct text text = TEXT("");
    bool is_found = false;
    if (!place || strncmp(place, "/etc/", 5) != 0 || ++script->sourced_count > SOURCED_MAX)
        return true;
    if (!packaged_read(script->arena, script->packaged, script->made, place, &text, &is_found, err))
        return false;
    script->is_unsure = script->is_unsure || !is_found;
    const char *why = environment_read(script->arena, &script->environment, text);
    return !why || fail(script, why, err);
}

/* NAME=value at the beginning of a line; what is computed is no value. */
static bool read_assignment(struct started_script *script, struct text line, struct err *err)
{
    struct text value = line, name;
    if (!text_next(&value, '=', &name) || name.len == line.len)
        return true;
    for (size_t i = 0; i < name.len; i++) {
        if (!strchr(LETTERS "0123456789", name.ptr[i]))
            return true;
    }
    bool is_literal = value.len && value.ptr[0] == '\'';
    const char *word = NULL, *plain;
    if (!name.len || dropin_word(script->arena, &value, false, &word))
        return true;
    plain = !word ? "" : is_literal ? word : expand(script, word);
    /* What cannot be told holds a '$', by which expand() knows it. */
    const char *why = environment_set(script->arena, &script->environment, name, plain ? plain : "$");
    return !why || fail(script, why, err);
}

static bool read_assignments(struct started_script *script, struct text rest, struct err *err)
{
    struct text line, word;
    while (rest.len && text_next(&rest, '\n', &line)) {
        struct text words = line, last = TEXT("");
        if (line.len && memchr(LETTERS, line.ptr[0], sizeof LETTERS - 1) && !read_assignment(script, line, err))
            return false;
        bool is_sourcing = false;
        while (text_next_word(&words, &word)) {
            if (text_is(last, "."))
                is_sourcing = true;
            last = word;
            if (is_sourcing)
                break;
        }
        while (last.len && strchr("\"';", last.ptr[last.len - 1]))
            last.len--;
        while (last.len && strchr("\"'", last.ptr[0]))
            last = (struct text){last.ptr + 1, last.len - 1};
        const char *path = is_sourcing ? expand(script, text_dup(script->arena, last)) : NULL;
        if (path && !read_sourced(script, path, err))
            return false;
    }
    return true;
}

bool started_script_read(struct started_script *script, const struct packaged_file *file, struct text *ret_text,
                         struct err *err)
{
    struct text text;
    script->place = arena_printf(script->arena, "package %s: %s", file->package->name, file->entry->path);
    if (!packaged_text(script->arena, script->packaged, file, &text, err))
        return false;
    if (text.len && memchr(text.ptr, '\0', text.len))
        return fail(script, "a NUL in a script", err);
    *ret_text = text;
    return read_assignments(script, text, err);
}

void started_script_commands(struct started_script *script, struct text text, struct started_commands *ret_commands)
{
    struct shell_commands commands;
    *ret_commands = (struct started_commands){0};
    shell_commands_list(script->arena, text_dup(script->arena, text), &commands);
    for (size_t i = 0; i < commands.count; i++) {
        struct started_command command = {.is_constant = true};
        for (size_t j = 0; j < commands.items[i].count && command.is_constant; j++)
            command.is_constant = add_words(script, &commands.items[i].items[j], &command.words);
        list_add(script->arena, ret_commands, command);
    }
}
