/* SPDX-License-Identifier: Apache-2.0 */
#include "service/started_script.h"

#include "base/auto.h"
#include "package/path.h"

#define TEXT_MAX ((size_t)1 << 20)

static bool is_shell(const char *path)
{
    static const char *const names[] = {"sh", "bash", "dash"};
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        if (strcmp(path_basename(path), names[i]) == 0)
            return true;
    }
    return false;
}

/* Adds a word as a shell takes it for what it is. */
static bool add_quoted(struct buf *text, const char *word)
{
    bool is_fine = buf_add(text, "'", 1);
    for (const char *at = word; is_fine && *at; at++)
        is_fine = *at == '\'' ? buf_add(text, "'\\''", 4) : buf_add(text, at, 1);
    return is_fine && buf_add(text, "' ", 2);
}

static bool add_variables(struct buf *text, const struct environment *environment)
{
    bool is_fine = true;
    for (size_t i = 0; is_fine && i < environment->count; i++) {
        const struct environment_variable *variable = &environment->items[i];
        is_fine = !variable->value || (buf_printf(text, "%s=", variable->name) && add_quoted(text, variable->value) &&
                                       buf_add(text, "\n", 1));
    }
    return is_fine;
}

/* Puts the service's variables before the text. */
static bool finish(struct arena *arena, const struct environment *environment, struct text body,
                   struct script_text *script, struct err *err)
{
    AUTO(buf_done) struct buf text;
    buf_init(&text, TEXT_MAX);
    if (!add_variables(&text, environment) || !buf_add(&text, body.ptr, body.len) || !buf_add(&text, "\n", 1)) {
        err_set(err, ERR_MALFORMED, "a script that a unit starts has, with its variables, more than 1 MiB");
        return false;
    }
    script->text = arena_strndup(arena, buf_text(&text).ptr, text.len);
    return true;
}

static void add_arguments(struct arena *arena, const struct strings *words, size_t from, struct strings *arguments)
{
    for (size_t i = from; i < words->count; i++)
        list_add(arena, arguments, words->items[i]);
}

/* Finds the file of the packages that is a shell script; NULL when it is none. */
static const struct packaged_file *find_script(struct arena *arena, const struct packaged *packaged, const char *word)
{
    const struct packaged_file *file = packaged_find(arena, packaged, packaged_reached(arena, packaged, word));
    const char *interpreter = file ? file->entry->interpreter : NULL;
    return interpreter && is_shell(arena_strndup(arena, interpreter, strcspn(interpreter, " \t"))) ? file : NULL;
}

bool started_script_text(struct arena *arena, const struct packaged *packaged, const struct environment *environment,
                         const struct strings *words, struct script_text *ret_script, bool *ret_is_shell,
                         struct err *err)
{
    struct script_text script = {0};
    struct text body = TEXT("");
    bool is_by_shell = words->count > 1 && is_shell(words->items[0]);
    *ret_is_shell = true;
    if (is_by_shell && words->items[1][0] == '-' && strchr(words->items[1], 'c')) {
        body = text_of(words->count > 2 ? words->items[2] : "");
        add_arguments(arena, words, 4, &script.arguments);
    } else {
        const struct packaged_file *file = find_script(arena, packaged, words->items[is_by_shell]);
        AUTO(buf_done) struct buf quoted;
        buf_init(&quoted, TEXT_MAX);
        if (file && !packaged_text(arena, packaged, file, &body, err))
            return false;
        add_arguments(arena, words, (size_t)is_by_shell + 1, &script.arguments);
        *ret_is_shell = file != NULL;
        for (size_t i = 0; !file && i < words->count && add_quoted(&quoted, words->items[i]); i++)
            body = buf_text(&quoted);
        if (!finish(arena, environment, body, &script, err))
            return false;
        *ret_script = script;
        return true;
    }
    *ret_script = script;
    return finish(arena, environment, body, ret_script, err);
}

void started_script_commands(struct arena *arena, const struct packaged *packaged, const struct script_text *script,
                             struct started_commands *ret_commands)
{
    struct script_calls calls;
    *ret_commands = (struct started_commands){0};
    script_calls_of_text(arena, packaged->packages, packaged->count, packaged->set, script, &calls);
    ret_commands->is_lacking = calls.is_lacking;
    for (size_t i = 0; i < calls.count; i++) {
        const struct shell_command *call = &calls.items[i].call.command;
        struct started_command command = {.is_constant = true};
        for (size_t j = 0; j < call->count && command.is_constant; j++) {
            command.is_constant = call->items[j].is_constant && command.words.count < ENVIRONMENT_WORDS_MAX;
            if (command.is_constant)
                list_add(arena, &command.words, call->items[j].text);
        }
        list_add(arena, ret_commands, command);
    }
}
