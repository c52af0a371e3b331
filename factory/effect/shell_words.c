/* SPDX-License-Identifier: Apache-2.0 */
#include "effect/shell_words.h"

#include "effect/shell_lexer.h"

#define COMMANDS_MAX 20000

static bool is_one_of(const char *word, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(word, words[i]) == 0)
            return true;
    }
    return false;
}

static bool is_assignment(const char *word)
{
    size_t len = 0;
    while ((word[len] >= 'a' && word[len] <= 'z') || (word[len] >= 'A' && word[len] <= 'Z') || word[len] == '_' ||
           (len && word[len] >= '0' && word[len] <= '9'))
        len++;
    return len && word[len] == '=';
}

/* Returns how many words stand before the command's name; all of them when it is none that starts anything. */
static size_t count_leading(const struct shell_command *command)
{
    static const char *const before[] = {"if",   "then", "else", "elif",  "while",   "until",   "do",
                                         "!",    "{",    "}",    "time",  "fi",      "done",    "esac",
                                         "exec", "env",  "eval", "nohup", "builtin", "command", "sudo"};
    static const char *const no_command[] = {"for", "case", "select", "function"};
    size_t at = 0;
    while (at < command->count) {
        const struct shell_word *word = &command->items[at];
        if (is_one_of(word->text, no_command, ARRAY_COUNT(no_command)))
            return command->count;
        if (!is_one_of(word->text, before, ARRAY_COUNT(before)) && !is_assignment(word->text))
            break;
        bool is_query =
            strcmp(word->text, "command") == 0 && at + 1 < command->count && command->items[at + 1].text[0] == '-';
        if (is_query)
            return command->count; /* command -v NAME only asks */
        at++;
    }
    return at;
}

static void end_command(struct arena *arena, struct shell_command *command, struct shell_commands *commands)
{
    size_t leading = count_leading(command);
    if (leading < command->count && commands->count < COMMANDS_MAX) {
        struct shell_command ended = {.items = command->items + leading, .count = command->count - leading};
        list_add(arena, commands, ended);
    }
    *command = (struct shell_command){0};
}

static void list_commands(struct arena *arena, const struct shell_tokens *tokens, struct shell_commands *commands);

/* The commands of the substitutions of a word, which run before its own. */
static void list_substitutions(struct arena *arena, const struct shell_lexeme *word, struct shell_commands *commands)
{
    for (const struct shell_part *part = word ? word->parts : NULL; part; part = part->next) {
        if (part->kind == SHELL_PART_COMMAND)
            list_commands(arena, part->commands, commands);
    }
}

static void list_commands(struct arena *arena, const struct shell_tokens *tokens, struct shell_commands *commands)
{
    struct shell_command command = {0};
    for (size_t i = 0; i < tokens->count; i++) {
        const struct shell_token *token = tokens->items[i];
        list_substitutions(arena, token->word, commands);
        if (token->kind == SHELL_TOKEN_WORD)
            list_add(arena, &command,
                     ((struct shell_word){token->word->text, token->word->is_constant, token->word->is_constant}));
        else if (token->kind == SHELL_TOKEN_OPERATOR)
            end_command(arena, &command, commands);
    }
    end_command(arena, &command, commands);
}

void shell_commands_list(struct arena *arena, const char *script, struct shell_commands *ret_commands)
{
    struct shell_tokens tokens;
    *ret_commands = (struct shell_commands){0};
    shell_tokens_list(arena, script, &tokens);
    list_commands(arena, &tokens, ret_commands);
}
