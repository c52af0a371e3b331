/* SPDX-License-Identifier: Apache-2.0 */
/* Words of a script under way: parameters, substitutions, splitting, files (POSIX "Shell Command Language", 2.6). */
#include "effect/shell_runner.h"

#define FIELD_COST 32 /* bytes that a field takes besides its own */

/* A field being put together. */
struct field {
    struct shell_runner *runner;
    const struct shell_lexeme *word;
    enum shell_expansion how;
    struct shell_command *fields;
    LIST(char) bytes;
    bool is_begun, is_unknown, is_glob;
};

/* Returns where the token of a pattern ends that begins here: one character, escaped or not, or a [set]. */
static const char *token_end(const char *at)
{
    if (*at == '\\' && at[1])
        return at + 2;
    if (*at != '[')
        return at + 1;
    const char *end = at + 1;
    end += *end == '!' || *end == '^';
    end += *end == ']';
    while (*end && *end != ']')
        end++;
    return *end ? end + 1 : at + 1;
}

static bool token_takes(const char *at, const char *end, char c)
{
    if (*at == '?')
        return true;
    if (*at == '\\')
        return at[1] == c;
    if (*at != '[' || end == at + 1)
        return *at == c;
    bool is_not = at[1] == '!' || at[1] == '^', is_in = false;
    for (const char *set = at + 1 + is_not; set < end - 1; set++) {
        bool is_range = set[1] == '-' && set + 2 < end - 1;
        is_in = is_in || (is_range ? c >= set[0] && c <= set[2] : c == set[0]);
        set += is_range ? 2 : 0;
    }
    return is_in != is_not;
}

bool shell_matches(struct shell_runner *runner, const char *pattern, const char *text)
{
    const char *star = NULL, *again = NULL;
    while (*text) {
        if (!shell_spend(runner, 0, 1))
            return false;
        const char *end = *pattern ? token_end(pattern) : pattern;
        if (*pattern == '*') {
            star = ++pattern;
            again = text;
        } else if (*pattern && token_takes(pattern, end, *text)) {
            pattern = end;
            text++;
        } else if (star) {
            pattern = star;
            text = ++again;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return !*pattern;
}

/* Gives the field to the list, or the files that it names. */
static void end_field(struct field *field)
{
    struct arena *arena = field->runner->arena;
    if (!field->is_begun || !shell_spend(field->runner, 0, FIELD_COST))
        return;
    const char *text = arena_strndup(arena, field->bytes.count ? field->bytes.items : "", field->bytes.count);
    struct strings paths = {0};
    if (field->is_unknown)
        list_add(arena, field->fields, ((struct shell_word){.text = field->word->text, .is_constant = false}));
    else if (field->is_glob && field->how == SHELL_EXPANSION_FIELDS && field->runner->world->glob)
        field->runner->world->glob(field->runner->world->self, text, &paths);
    for (size_t i = 0; i < paths.count; i++)
        list_add(arena, field->fields, ((struct shell_word){.text = paths.items[i], .is_constant = true}));
    if (!field->is_unknown && !paths.count)
        list_add(arena, field->fields,
                 ((struct shell_word){.text = text, .is_constant = true, .is_written = field->word->is_constant}));
    field->bytes.count = 0;
    field->is_begun = field->is_unknown = field->is_glob = false;
}

static void add_text(struct field *field, const char *text, bool is_quoted)
{
    struct arena *arena = field->runner->arena;
    if (!shell_spend(field->runner, 0, strlen(text)))
        return;
    field->is_begun = field->is_begun || is_quoted || *text;
    for (; *text; text++) {
        bool is_special = strchr("*?[\\", *text) != NULL;
        if (is_special && is_quoted && field->how == SHELL_EXPANSION_PATTERN)
            list_add(arena, &field->bytes, '\\');
        field->is_glob = field->is_glob || (is_special && !is_quoted && *text != '\\');
        list_add(arena, &field->bytes, *text);
    }
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n';
}

/* Adds what an expansion gave: unquoted, blanks in it end fields. */
static void add_value(struct field *field, const char *value, bool is_quoted)
{
    if (!value) {
        field->is_begun = field->is_unknown = true;
        return;
    }
    if (is_quoted || field->how != SHELL_EXPANSION_FIELDS) {
        add_text(field, value, is_quoted);
        return;
    }
    while (*value) {
        size_t len = strcspn(value, " \t\n");
        if (len)
            add_text(field, arena_strndup(field->runner->arena, value, len), false);
        value += len;
        if (is_blank(*value))
            end_field(field);
        value += strspn(value, " \t\n");
    }
}

/* $@, $*: fields of their own, or one. */
static void add_arguments(struct field *field, const struct shell_part *part)
{
    const struct strings *arguments = &field->runner->arguments;
    bool is_joined = *part->text == '*' && part->is_quoted;
    for (size_t i = 0; i < arguments->count; i++) {
        if (i && (is_joined || field->how != SHELL_EXPANSION_FIELDS))
            add_text(field, " ", part->is_quoted);
        else if (i)
            end_field(field);
        add_value(field, arguments->items[i], part->is_quoted);
    }
}

/* ${name#pattern}, ${name%pattern}, and their doubles. */
static const char *cut(struct shell_runner *runner, const struct shell_part *part, const char *value)
{
    const char *pattern = shell_expand_one(runner, part->operand, SHELL_EXPANSION_PATTERN);
    bool is_front = *part->sign == '#', is_longest = part->sign[1] != '\0';
    size_t len = value ? strlen(value) : 0;
    if (!value || !pattern)
        return NULL;
    for (size_t i = 0; i <= len; i++) {
        size_t count = is_longest ? len - i : i;
        const char *piece = is_front ? arena_strndup(runner->arena, value, count) : value + (len - count);
        if (!shell_spend(runner, 0, count))
            return NULL;
        if (shell_matches(runner, pattern, piece))
            return is_front ? value + count : arena_strndup(runner->arena, value, len - count);
    }
    return value;
}

static const char *value_of(struct shell_runner *runner, const struct shell_part *part)
{
    const char *value = shell_get(runner, part->text);
    bool counts_empty = *part->sign == ':';
    char sign = *part->sign == ':' ? part->sign[1] : *part->sign;
    switch (sign) {
    case '\0':
        return value;
    case '#':
    case '%':
        return cut(runner, part, value);
    case '+':
        if (!value)
            return NULL;
        return *value ? shell_expand_one(runner, part->operand, SHELL_EXPANSION_ONE) : counts_empty ? "" : NULL;
    default:
        break;
    }
    if (!value || *value)
        return value;
    bool is_set = map_get(&runner->variables, text_of(part->text)) != NULL;
    if (is_set && !counts_empty)
        return value;
    value = shell_expand_one(runner, part->operand, SHELL_EXPANSION_ONE);
    if (sign == '=')
        shell_set(runner, part->text, value);
    return value;
}

/* What $(…) prints, without the newlines at its end; NULL: unknown. */
static const char *output_of(struct shell_runner *runner, const struct shell_part *part)
{
    struct shell_capture capture = {0}, *outer = runner->capture;
    if (!part->tree)
        ((struct shell_part *)part)->tree = shell_parse(runner->arena, part->commands, NULL);
    runner->capture = &capture;
    runner->last_truth = shell_run_apart(runner, part->tree);
    runner->capture = outer;
    while (capture.bytes.count && capture.bytes.items[capture.bytes.count - 1] == '\n')
        capture.bytes.count--;
    if (capture.is_unknown)
        return NULL;
    return arena_strndup(runner->arena, capture.bytes.count ? capture.bytes.items : "", capture.bytes.count);
}

static void add_part(struct field *field, const struct shell_part *part)
{
    switch (part->kind) {
    case SHELL_PART_TEXT:
        if (!part->is_quoted && *part->text == '~' && !field->bytes.count)
            add_value(field, NULL, false);
        else
            add_text(field, part->text, part->is_quoted);
        break;
    case SHELL_PART_VARIABLE:
        if (!*part->sign && (strcmp(part->text, "@") == 0 || strcmp(part->text, "*") == 0))
            add_arguments(field, part);
        else
            add_value(field, value_of(field->runner, part), part->is_quoted);
        break;
    case SHELL_PART_COMMAND:
        add_value(field, output_of(field->runner, part), part->is_quoted);
        break;
    case SHELL_PART_OPAQUE:
        add_value(field, NULL, part->is_quoted);
        break;
    }
}

void shell_expand(struct shell_runner *runner, const struct shell_lexeme *word, enum shell_expansion how,
                  struct shell_command *fields)
{
    struct field field = {.runner = runner, .word = word, .how = how, .fields = fields};
    for (const struct shell_part *part = word->parts; part; part = part->next) {
        if (!shell_spend(runner, 0, 1))
            return;
        add_part(&field, part);
    }
    field.is_begun = field.is_begun || how != SHELL_EXPANSION_FIELDS;
    end_field(&field);
}

const char *shell_expand_one(struct shell_runner *runner, const struct shell_lexeme *word, enum shell_expansion how)
{
    struct shell_command fields = {0};
    if (!word)
        return "";
    shell_expand(runner, word, how, &fields);
    return fields.count && fields.items[0].is_constant ? fields.items[0].text : NULL;
}
