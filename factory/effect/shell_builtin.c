/* SPDX-License-Identifier: Apache-2.0 */
/* Commands of the shell itself, and the few others whose output is a function of their words. */
#include "effect/shell_runner.h"
#include "effect/shell_test.h"

/* One command: what it does, and what it prints (NULL: unknown). */
struct builtin {
    const char *name;
    enum shell_truth (*run)(struct shell_runner *runner, const struct shell_call *call, const char **ret_text);
};

static enum shell_truth run_nothing(struct shell_runner *runner, const struct shell_call *call, const char **ret_text)
{
    (void)runner;
    *ret_text = "";
    return strcmp(call->command.items[0].text, "false") == 0 ? SHELL_TRUTH_NO : SHELL_TRUTH_YES;
}

static bool is_known(const struct shell_command *command, size_t from)
{
    for (size_t i = from; i < command->count; i++) {
        if (!command->items[i].is_constant)
            return false;
    }
    return true;
}

static enum shell_truth run_echo(struct shell_runner *runner, const struct shell_call *call, const char **ret_text)
{
    const struct shell_command *command = &call->command;
    bool has_newline = command->count < 2 || strcmp(command->items[1].text, "-n") != 0;
    *ret_text = NULL;
    if (!is_known(command, 1) || (command->count > 1 && strcmp(command->items[1].text, "-e") == 0))
        return SHELL_TRUTH_YES;
    struct strings words = {0};
    for (size_t i = has_newline ? 1 : 2; i < command->count; i++) {
        if (strchr(command->items[i].text, '\\'))
            return SHELL_TRUTH_YES; /* shells differ */
        list_add(runner->arena, &words, command->items[i].text);
    }
    *ret_text = arena_printf(runner->arena, "%s%s", strings_join(runner->arena, &words, " "), has_newline ? "\n" : "");
    return SHELL_TRUTH_YES;
}

/* Only "%s", "\n", "\t" and plain characters, once. */
static enum shell_truth run_printf(struct shell_runner *runner, const struct shell_call *call, const char **ret_text)
{
    const struct shell_command *command = &call->command;
    size_t at = 2;
    LIST(char) text = {0};
    *ret_text = NULL;
    if (!is_known(command, 1) || command->count < 2)
        return SHELL_TRUTH_YES;
    for (const char *format = command->items[1].text; *format; format++) {
        const char *piece = NULL;
        char plain = *format;
        if (*format == '%' || *format == '\\') {
            char letter = *++format;
            plain = letter == 'n' ? '\n' : letter == 't' ? '\t' : '\0';
            if (format[-1] == '%' && letter == 's')
                piece = at < command->count ? command->items[at++].text : "";
            else if (format[-1] == '%' || !plain)
                return SHELL_TRUTH_YES;
        }
        if (!piece)
            list_add(runner->arena, &text, plain);
        for (; piece && *piece; piece++)
            list_add(runner->arena, &text, *piece);
    }
    if (at >= command->count)
        *ret_text = arena_strndup(runner->arena, text.count ? text.items : "", text.count);
    return SHELL_TRUTH_YES;
}

static enum shell_truth run_dirname(struct shell_runner *runner, const struct shell_call *call, const char **ret_text)
{
    *ret_text = NULL;
    if (call->command.count != 2 || !call->command.items[1].is_constant)
        return SHELL_TRUTH_YES;
    const char *path = call->command.items[1].text, *slash = strrchr(path, '/');
    size_t len = slash ? (size_t)(slash - path) : 1;
    const char *base = slash ? slash + 1 : path;
    if (strcmp(call->command.items[0].text, "basename") == 0)
        *ret_text = arena_printf(runner->arena, "%s\n", base);
    else
        *ret_text = arena_printf(runner->arena, "%s\n",
                                 slash && len ? arena_strndup(runner->arena, path, len)
                                 : slash      ? "/"
                                              : ".");
    return SHELL_TRUTH_YES;
}

/* exit, return, break, continue. */
static enum shell_truth leave(struct shell_runner *runner, const struct shell_call *call, enum shell_flow flow)
{
    const struct shell_word *word = call->command.count > 1 ? &call->command.items[1] : NULL;
    runner->flow = flow;
    runner->flow_truth = SHELL_TRUTH_YES;
    if (word && !word->is_constant)
        runner->flow_truth = SHELL_TRUTH_MAYBE;
    else if (word && strcmp(word->text, "0") != 0)
        runner->flow_truth = SHELL_TRUTH_NO;
    return runner->flow_truth;
}

static enum shell_truth run_leave(struct shell_runner *runner, const struct shell_call *call, const char **ret_text)
{
    static const struct {
        const char *name;
        enum shell_flow flow;
    } names[] = {{"exit", SHELL_FLOW_EXIT}, {"return", SHELL_FLOW_RETURN}, {"break", SHELL_FLOW_BREAK}};
    enum shell_flow flow = SHELL_FLOW_CONTINUE;
    *ret_text = "";
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        if (strcmp(call->command.items[0].text, names[i].name) == 0)
            flow = names[i].flow;
    }
    return leave(runner, call, flow);
}

/* Sets what the words "NAME=VALUE" say; other words are options or names alone. */
static enum shell_truth run_declare(struct shell_runner *runner, const struct shell_call *call, const char **ret_text)
{
    *ret_text = "";
    for (size_t i = 1; i < call->command.count; i++) {
        const struct shell_word *word = &call->command.items[i];
        const char *sign = strchr(word->text, '=');
        if (sign && sign != word->text)
            shell_set(runner, arena_strndup(runner->arena, word->text, (size_t)(sign - word->text)),
                      word->is_constant ? sign + 1 : NULL);
    }
    return SHELL_TRUTH_YES;
}

static enum shell_truth run_unset(struct shell_runner *runner, const struct shell_call *call, const char **ret_text)
{
    *ret_text = "";
    for (size_t i = 1; i < call->command.count; i++) {
        if (call->command.items[i].text[0] != '-')
            shell_set(runner, call->command.items[i].text, "");
    }
    return SHELL_TRUTH_YES;
}

/* Sets the names behind the options: each has a word of the line, the last one all that is left. NULL: unknown. */
static void set_names(struct shell_runner *runner, const struct shell_command *command, const char *line)
{
    struct text rest = text_of(line ? line : ""), word;
    for (size_t i = 1; i < command->count; i++) {
        const char *name = command->items[i].text;
        if (name[0] == '-')
            continue;
        rest = text_trim(rest);
        word = rest;
        if (i + 1 < command->count && !text_next_word(&rest, &word))
            word = TEXT("");
        shell_set(runner, name, line ? text_dup(runner->arena, word) : NULL);
    }
}

/* Takes a line of what comes, where that is known and cut at blanks; where nothing comes, nothing is read. */
static enum shell_truth run_read(struct shell_runner *runner, const struct shell_call *call, const char **ret_text)
{
    const char *input = call->input, *line = NULL;
    size_t len = input ? strcspn(input, "\n") : 0;
    bool is_known = input && input == runner->input && input[len] == '\n' && !memchr(input, '\\', len);
    if (is_known && !map_get(&runner->variables, TEXT("IFS")))
        line = arena_strndup(runner->arena, input, len);
    *ret_text = "";
    if (line && !shell_spend(runner, 0, len))
        line = NULL;
    set_names(runner, &call->command, line);
    if (line)
        runner->input = input + len + 1;
    return line ? SHELL_TRUTH_YES : input && !*input ? SHELL_TRUTH_NO : SHELL_TRUTH_MAYBE;
}

static enum shell_truth run_set(struct shell_runner *runner, const struct shell_call *call, const char **ret_text)
{
    *ret_text = "";
    for (size_t i = 1; i < call->command.count; i++) {
        const struct shell_word *word = &call->command.items[i];
        bool is_mark = strcmp(word->text, "--") == 0;
        if (!is_mark && (word->text[0] == '-' || word->text[0] == '+')) {
            i += word->text[1] == 'o' && !word->text[2]; /* its name is no argument */
            continue;
        }
        runner->arguments = (struct strings){0};
        for (i += is_mark; i < call->command.count; i++)
            list_add(runner->arena, &runner->arguments,
                     call->command.items[i].is_constant ? call->command.items[i].text : NULL);
    }
    return SHELL_TRUTH_YES;
}

static enum shell_truth run_shift(struct shell_runner *runner, const struct shell_call *call, const char **ret_text)
{
    uint64_t count = 1;
    *ret_text = "";
    if (call->command.count > 1 && !text_parse_u64(text_of(call->command.items[1].text), &count))
        count = 1;
    struct strings *arguments = &runner->arguments;
    if (count > arguments->count)
        return SHELL_TRUTH_NO;
    struct strings rest = {0};
    for (size_t i = (size_t)count; i < arguments->count; i++)
        list_add(runner->arena, &rest, arguments->items[i]);
    *arguments = rest;
    return shell_spend(runner, arguments->count, 0) ? SHELL_TRUTH_YES : SHELL_TRUTH_NO;
}

static enum shell_truth run_test(struct shell_runner *runner, const struct shell_call *call, const char **ret_text)
{
    *ret_text = "";
    return shell_test(&call->command, runner->world);
}

/* What a text costs that is read while a script runs: its tokens are far bigger than itself. */
#define TEXT_COST 64

enum shell_truth shell_run_text(struct shell_runner *runner, const char *script)
{
    struct shell_tokens tokens;
    bool is_whole;
    if (!shell_spend(runner, 1, strlen(script)))
        return SHELL_TRUTH_MAYBE;
    shell_tokens_list(runner->arena, script, &tokens);
    const struct shell_node *tree = shell_parse(runner->arena, &tokens, &is_whole);
    runner->is_cut = runner->is_cut || !is_whole;
    return runner->run(runner, tree);
}

static enum shell_truth run_eval(struct shell_runner *runner, const struct shell_call *call, const char **ret_text)
{
    struct strings words = {0};
    *ret_text = "";
    for (size_t i = 1; i < call->command.count; i++)
        list_add(runner->arena, &words, call->command.items[i].text);
    const char *text = strings_join(runner->arena, &words, " ");
    if (is_known(&call->command, 1) && shell_spend(runner, 1, TEXT_COST * strlen(text)))
        return shell_run_text(runner, text);
    runner->is_foreign = true;
    return SHELL_TRUTH_MAYBE;
}

static enum shell_truth run_source(struct shell_runner *runner, const struct shell_call *call, const char **ret_text)
{
    const struct shell_world *world = runner->world;
    const struct shell_word *word = call->command.count > 1 ? &call->command.items[1] : NULL;
    const char *text = word && word->is_constant && world->source ? world->source(world->self, word->text) : NULL;
    *ret_text = "";
    if (text && shell_spend(runner, 1, TEXT_COST * strlen(text)))
        return shell_run_text(runner, text);
    runner->is_foreign = true;
    return SHELL_TRUTH_MAYBE;
}

/* umask [-S] [MASK]: a symbolic one says what is left. */
static enum shell_truth run_umask(struct shell_runner *runner, const struct shell_call *call, const char **ret_text)
{
    const struct shell_command *command = &call->command;
    unsigned before = shell_umask(runner);
    struct script_mode mode;
    *ret_text = "";
    if (command->count < 2) {
        *ret_text = shell_get(runner, SHELL_UMASK) ? arena_printf(runner->arena, "%04o\n", before) : NULL;
        return SHELL_TRUTH_YES;
    }
    const struct shell_word *word = &command->items[command->count - 1];
    bool is_read = word->is_constant && script_mode_parse(word->text, before, &mode);
    if (word->text[0] == '-' && !is_read) {
        *ret_text = NULL;
        return SHELL_TRUTH_YES;
    }
    bool is_octal = word->text[0] >= '0' && word->text[0] <= '7';
    unsigned after = is_read && is_octal ? mode.set : is_read ? ~script_mode_apply(&mode, ~before & 0777, true) : 0;
    shell_set(runner, SHELL_UMASK, is_read ? arena_printf(runner->arena, "%04o", after & 0777) : NULL);
    return SHELL_TRUTH_YES;
}

static const struct builtin builtins[] = {
    {":", run_nothing},     {"true", run_nothing},     {"false", run_nothing},     {"echo", run_echo},
    {"printf", run_printf}, {"dirname", run_dirname},  {"basename", run_dirname},  {"exit", run_leave},
    {"return", run_leave},  {"break", run_leave},      {"continue", run_leave},    {"export", run_declare},
    {"local", run_declare}, {"readonly", run_declare}, {"declare", run_declare},   {"typeset", run_declare},
    {"unset", run_unset},   {"read", run_read},        {"set", run_set},           {"shift", run_shift},
    {"[", run_test},        {"test", run_test},        {"[[", run_test},           {"eval", run_eval},
    {".", run_source},      {"source", run_source},    {"trap", run_nothing},      {"umask", run_umask},
    {"wait", run_nothing},  {"cd", run_nothing},       {"alias", run_nothing},     {"ulimit", run_nothing},
    {"sleep", run_nothing}, {"sync", run_nothing},     {"/bin/true", run_nothing},
};

bool shell_builtin(struct shell_runner *runner, const struct shell_call *call, enum shell_truth *ret_truth,
                   const char **ret_text)
{
    for (size_t i = 0; i < ARRAY_COUNT(builtins); i++) {
        if (strcmp(call->command.items[0].text, builtins[i].name) != 0)
            continue;
        *ret_truth = builtins[i].run(runner, call, ret_text);
        return true;
    }
    return false;
}
