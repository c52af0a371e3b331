/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/command_words.h"
#include "cli/option_table.h"
#include "cli/terminal.h"

#include "base/units.h"
#include "plan/site.h"
#include "plan/together.h"

#include <assert.h>
#include <stddef.h>
#include <unistd.h>

#define RETRIES 4
#define ABBREVIATION_MIN 2 /* letters */

/* The command line while it is read. */
struct parser {
    struct arena *arena;
    struct commands commands;
    struct options options;
    int count;
    const char *const *items;
    int at; /* of the next argument */
};

/* Writes "a, b and c". */
static const char *enumerate(struct arena *arena, const struct strings *words, const char *conjunction)
{
    const char *list = "";
    for (size_t i = 0; i < words->count; i++)
        list = arena_printf(arena, "%s%s%s", list,
                            i == 0                 ? ""
                            : i + 1 < words->count ? ", "
                                                   : arena_printf(arena, " %s ", conjunction),
                            words->items[i]);
    return list;
}

/* Returns the options that are meant by `name`, of those that any of `commands` takes: "--verbose or --version", which
 * begin so, or the one that is most like it; NULL when none is. */
static const char *meant_options(const char *name, unsigned commands, struct arena *arena)
{
    struct option_rows table = option_table();
    struct strings names = {0}, longer = {0};
    for (size_t i = 0; i < table.count; i++) {
        if (!(table.items[i].commands & commands))
            continue;
        list_add(arena, &names, table.items[i].name);
        if (strlen(name) >= ABBREVIATION_MIN && text_has_prefix(text_of(table.items[i].name), name))
            list_add(arena, &longer, arena_printf(arena, "--%s", table.items[i].name));
    }
    const char *near = longer.count ? NULL : text_nearest(name, names.items, names.count);
    if (near)
        list_add(arena, &longer, arena_printf(arena, "--%s", near));
    return longer.count ? enumerate(arena, &longer, "or") : NULL;
}

/* Lists the names of the commands that take an option of that name: "build, push and tag". */
static const char *list_takers(const struct parser *parser, const struct option_row *row)
{
    struct strings names = {0};
    for (size_t i = 0; i < parser->commands.count; i++) {
        /* Commands may have rows of their own of one name. */
        const struct option_row *own = option_of_name(text_of(row->name), parser->commands.items[i].kind);
        if (own && own->commands & parser->commands.items[i].kind)
            list_add(parser->arena, &names, parser->commands.items[i].name);
    }
    return enumerate(parser->arena, &names, "and");
}

static const char *advise_command(const struct parser *parser)
{
    const char *meant = parser->options.meant;
    return meant ? arena_printf(parser->arena, "; did you mean %s?", meant) : "";
}

/* Tells whose an option is that is meant, when it is one: " (for push)". */
static const char *tell_takers(const struct parser *parser, const char *meant)
{
    const struct option_row *row = option_of_name(text_of(meant + 2), 0);
    return row ? arena_printf(parser->arena, " (for %s)", list_takers(parser, row)) : "";
}

/* Returns the option that does here what one of another program does; NULL when there is none. */
static const char *option_elsewhere(const char *name)
{
    static const struct {
        const char *name, *here;
    } rows[] = {{"platform", "--arch"}, {"frozen", "--locked"}, {"site", "--config"}, {"no-cache", "--rebuild"}};
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        if (strcmp(rows[i].name, name) == 0)
            return rows[i].here;
    }
    return NULL;
}

static bool fail_unknown(const struct parser *parser, const char *argument, struct text name, struct err *err)
{
    const char *wanted = text_dup(parser->arena, name);
    const char *elsewhere = option_elsewhere(wanted);
    const char *meant = elsewhere ? elsewhere : meant_options(wanted, parser->options.command->kind, parser->arena);
    const char *other = meant ? NULL : meant_options(wanted, UINT32_MAX, parser->arena);
    if (meant || other)
        err_set(err, ERR_USAGE, "unknown option %s; did you mean %s%s?", argument, meant ? meant : other,
                other ? tell_takers(parser, other) : "");
    else
        err_set(err, ERR_USAGE, "unknown option %s; see imgfactory %s--help", argument,
                parser->options.command == parser->commands.items
                    ? ""
                    : arena_printf(parser->arena, "%s ", parser->options.command->name));
    return false;
}

static bool store_duration(const struct option_row *row, const char *value, uint64_t *field, struct err *err)
{
    bool is_zero = row->least == 0 && strcmp(value, "0") == 0;
    if (is_zero)
        *field = 0;
    if (is_zero || (units_parse_duration(text_of(value), field) && *field >= row->least))
        return true;
    err_set(err, ERR_USAGE, "--%s wants a duration with its unit, such as 90s, 10m or 2h, not \"%s\"", row->name,
            value);
    return false;
}

static bool store_size(const struct option_row *row, const char *value, uint64_t *field, struct err *err)
{
    if (units_parse_size(text_of(value), field) && *field >= row->least)
        return true;
    if (row->least)
        err_set(err, ERR_USAGE, "--%s wants %lluK or more (500K, 20M), or none, not \"%s\"", row->name,
                (unsigned long long)row->least / 1024, value);
    else
        err_set(err, ERR_USAGE, "--%s wants a size with its unit, such as 500M or 8G, or none, not \"%s\"", row->name,
                value);
    return false;
}

static bool store_number(const struct option_row *row, const char *value, uint64_t *field, struct err *err)
{
    if (text_parse_u64(text_of(value), field) && *field >= row->least && *field <= row->most)
        return true;
    err_set(err, ERR_USAGE, "--%s wants a number from %llu to %llu, not \"%s\"", row->name,
            (unsigned long long)row->least, (unsigned long long)row->most, value);
    return false;
}

/* --tls-verify=false: the field says what is off. */
static bool store_bool(const struct option_row *row, const char *value, bool *field, struct err *err)
{
    bool is_true = strcmp(value, "true") == 0;
    if (!is_true && strcmp(value, "false") != 0) {
        err_set(err, ERR_USAGE, "--%s wants true or false, not \"%s\"", row->name, value);
        return false;
    }
    *field = !is_true;
    return true;
}

/* Stores a value or sets a flag. */
static bool store(struct arena *arena, const struct option_row *row, const char *value, struct options *options,
                  struct err *err)
{
    char *field = (char *)options + row->offset;
    bool needs_value = row->kind != OPTION_FLAG && row->kind != OPTION_MAYBE_STRING;
    assert(value || !needs_value); /* check_option() saw to it */
    if (needs_value && !*value) {
        err_set(err, ERR_USAGE, "--%s needs a value that is not empty", row->name);
        return false;
    }
    switch (row->kind) {
    case OPTION_FLAG:
        *(bool *)field = true;
        return true;
    case OPTION_MAYBE_STRING:
    case OPTION_STRING:
        *(const char **)field = value ? value : "";
        return true;
    case OPTION_STRINGS:
        list_add(arena, (struct strings *)field, value);
        return true;
    case OPTION_BOOL:
        return store_bool(row, value, (bool *)field, err);
    case OPTION_NUMBER:
        options->has_retries = options->has_retries || row->offset == offsetof(struct options, retries);
        options->has_passphrase_fd =
            options->has_passphrase_fd || row->offset == offsetof(struct options, passphrase_fd);
        return store_number(row, value, (uint64_t *)field, err);
    case OPTION_DURATION:
        return store_duration(row, value, (uint64_t *)field, err);
    case OPTION_SIZE:
        options->has_cache_limit = options->has_cache_limit || row->offset == offsetof(struct options, cache_limit);
        return store_size(row, value, (uint64_t *)field, err);
    }
    return false;
}

/* Finds the option that an argument names and its value, if that is in the same argument. */
static const struct option_row *find_option(const char *argument, unsigned commands, struct text *ret_name,
                                            const char **ret_value)
{
    if (argument[1] != '-') {
        *ret_name = text_of(argument + 1);
        *ret_value = argument[2] ? argument + 2 : NULL;
        return option_of_letter(argument[1]);
    }
    const char *equals = strchr(argument, '=');
    *ret_name = (struct text){argument + 2, equals ? (size_t)(equals - argument - 2) : strlen(argument + 2)};
    *ret_value = equals ? equals + 1 : NULL;
    return option_of_name(*ret_name, commands);
}

static bool is_option(const char *argument)
{
    return argument[0] == '-' && argument[1];
}

/* Takes "-qn" apart into "-q" and "-n": of an argument with one dash all flags, up to an option that has a value. */
static void add_parts(struct arena *arena, const char *argument, struct strings *arguments)
{
    const char *at = argument + 1;
    for (; argument[1] != '-' && at[0] && at[1]; at++) {
        const struct option_row *row = option_of_letter(at[0]);
        if (!row || row->kind != OPTION_FLAG || !option_of_letter(at[1]))
            break;
        list_add(arena, arguments, arena_printf(arena, "-%c", at[0]));
    }
    list_add(arena, arguments, at == argument + 1 ? argument : arena_printf(arena, "-%s", at));
}

/* Whether an argument with one dash is the long name of an option: "-arch". */
static bool is_one_dash_short(const char *argument)
{
    struct text name = {argument + 1, strcspn(argument + 1, "=")};
    return argument[1] != '-' && name.len > 1 && option_of_name(name, 0) != NULL;
}

/* Makes a list of the arguments in which each flag stands for itself. */
static void take_apart(struct parser *parser)
{
    struct strings arguments = {0};
    bool is_value = true; /* argv[0] is no option either */
    for (int i = 0; i < parser->count; i++) {
        const char *argument = parser->items[i], *value;
        struct text name;
        bool is_plain = is_value || !is_option(argument) || is_one_dash_short(argument);
        is_value = false;
        if (!is_plain && strcmp(argument, "--") == 0) {
            for (; i < parser->count; i++)
                list_add(parser->arena, &arguments, parser->items[i]);
            break;
        }
        if (is_plain)
            list_add(parser->arena, &arguments, argument);
        else
            add_parts(parser->arena, argument, &arguments);
        const char *last = arguments.items[arguments.count - 1];
        const struct option_row *row = is_plain ? NULL : find_option(last, 0, &name, &value);
        is_value = row && !value && option_takes_next(row);
    }
    parser->count = (int)arguments.count;
    parser->items = arguments.items;
}

/* Finds the first word behind `at` that is no option and no option's value; NULL when "--" or the end comes first. */
static const char *find_word(const struct parser *parser, int at, int *ret_at)
{
    for (*ret_at = at + 1; *ret_at < parser->count; ++*ret_at) {
        const char *argument = parser->items[*ret_at], *value;
        struct text name;
        if (strcmp(argument, "--") == 0)
            return NULL;
        if (!is_option(argument))
            return argument;
        const struct option_row *row = find_option(argument, 0, &name, &value);
        if (row && !value && option_takes_next(row))
            ++*ret_at;
    }
    return NULL;
}

/* Returns what the first word was meant as, unless it is an image: a command, or an option that others have as one; NULL
 * for nothing. */
static const char *find_meant(const struct parser *parser, const char *word)
{
    static const char *const options[] = {"version", "list"};
    for (size_t i = 0; i < ARRAY_COUNT(options); i++) {
        if (strcmp(word, options[i]) == 0)
            return arena_printf(parser->arena, "imgfactory --%s", word);
    }
    const char *command = command_words_meant(parser->arena, parser->commands, word),
               *here = command_words_elsewhere(word);
    if (here)
        return here;
    return command ? arena_printf(parser->arena, "the command '%s'", command) : NULL;
}

/* Returns the option of `lock` that its first word may have been meant as: "lock update". */
static const char *find_meant_option(const struct parser *parser, const char *word)
{
    static const char *const options[] = {"update", "vendor"};
    for (size_t i = 0; i < ARRAY_COUNT(options); i++) {
        if (strcmp(word, options[i]) == 0)
            return arena_printf(parser->arena, "imgfactory lock --%s", word);
    }
    return NULL;
}

/* Decides which command is meant; *ret_at is where its word stands, 0 when it was left out. */
static void choose_command(struct parser *parser, int *ret_at)
{
    int at;
    const char *word = find_word(parser, 0, &at);
    const struct command_row *command = word ? command_words_find(parser->commands, word) : NULL;
    *ret_at = command ? at : 0;
    parser->options.command = command ? command : parser->commands.items;
    if (command == parser->commands.items)
        word = find_word(parser, at, &at);
    if (word && parser->options.command == parser->commands.items && !command_words_find(parser->commands, word))
        parser->options.meant = find_meant(parser, word);
    else if (command && command->kind == COMMAND_LOCK && (word = find_word(parser, at, &at)))
        parser->options.meant = find_meant_option(parser, word);
}

/* Checks that the option is one of the command's, and has a value if it needs one. */
static bool check_option(const struct parser *parser, const struct option_row *row, const char *value, struct err *err)
{
    const struct command_row *command = parser->options.command;
    if (!((row->commands | row->idle) & command->kind) && command->kind != COMMAND_SHOW_CONFIG)
        err_set(err, ERR_USAGE, "imgfactory %s takes no --%s (it is for %s)%s", command->name, row->name,
                list_takers(parser, row), advise_command(parser));
    else if (row->kind == OPTION_FLAG && value)
        err_set(err, ERR_USAGE, "--%s takes no value, but got \"%s\"", row->name, value);
    else if (option_takes_next(row) && !value && parser->at + 1 >= parser->count)
        err_set(err, ERR_USAGE, "--%s needs a value (%s)", row->name, row->value);
    return err->kind == ERR_NONE;
}

/* Whether a word is what a value of the option is, and can be no image's: a reference with its host, a digest. */
static bool is_value_of(const struct option_row *row, const char *word)
{
    size_t host = strcspn(word, "/");
    if (row->offset == offsetof(struct options, pin))
        return text_has_prefix(text_of(word), "sha256:");
    bool is_host = host && word[0] != '.' && word[host] && (memchr(word, '.', host) || memchr(word, ':', host));
    bool is_file = text_has_suffix(text_of(word), ".yaml") || text_has_suffix(text_of(word), ".yml");
    return (is_host || text_has_prefix(text_of(word), "localhost/")) && !is_file && access(word, F_OK) != 0;
}

/* Checks that no value stands behind an option that takes it with '=' only: "--push quay.io/me/x dhcpd". */
static bool check_behind(const struct parser *parser, const struct option_row *row, const char *value, struct err *err)
{
    const char *next = parser->at + 1 < parser->count ? parser->items[parser->at + 1] : NULL;
    if (row->kind != OPTION_MAYBE_STRING || value || !next || !is_value_of(row, next))
        return true;
    err_set(err, ERR_USAGE, "--%s takes its value with an equals sign: --%s=%s", row->name, row->name,
            text_printable(parser->arena, text_of(next)));
    return false;
}

/* Parses the option at items[at]; moves on when its value is the next argument. */
static bool parse_option(struct parser *parser, struct err *err)
{
    struct options *options = &parser->options;
    int first = parser->at;
    const char *argument = parser->items[first], *value;
    struct text name;
    unsigned kind = options->command->kind;
    const struct option_row *row =
        find_option(argument, kind == COMMAND_SHOW_CONFIG ? COMMAND_BUILD : kind, &name, &value);
    if (is_one_dash_short(argument)) {
        err_set(err, ERR_USAGE, "unknown option %s; did you mean -%s?", argument, argument);
        return false;
    }
    if (!row)
        return fail_unknown(parser, argument, name, err);
    if (!check_option(parser, row, value, err))
        return false;
    if (option_takes_next(row) && !value)
        value = parser->items[++parser->at];
    for (int at = first; at <= parser->at && row->offset != offsetof(struct options, arch); at++) {
        list_add(parser->arena, &options->given, parser->items[at]);
        if (row->commands & COMMAND_BUILD)
            list_add(parser->arena, &options->given_to_build, parser->items[at]);
    }
    options->is_help_brief = options->is_help_brief || strcmp(argument, "-h") == 0;
    list_add(parser->arena, &options->given_names, row->name);
    list_add(parser->arena, &options->given_values, value ? value : "true");
    return check_behind(parser, row, value, err) && store(parser->arena, row, value, options, err);
}

/* Adds a word, which must not look like an image and be a command. */
static bool add_word(struct parser *parser, const char *word, struct err *err)
{
    struct options *options = &parser->options;
    bool is_command = command_words_find(parser->commands, word) != NULL;
    if (is_command && options->meant && options->words.count == 1) {
        const char *first = options->words.items[0];
        err_set(err, ERR_USAGE, "'%s' is no command%s", text_printable(parser->arena, text_of(first)),
                advise_command(parser));
        return false;
    }
    if (is_command && options->words.count < options->command->image_words) {
        err_set(err, ERR_USAGE,
                "'%s' is a command, which comes before all other words; an image of that name is ./%s.yaml", word,
                word);
        return false;
    }
    list_add(parser->arena, &options->words, word);
    return true;
}

/* Returns the first --token-origin that is none. */
static const char *bad_origin(const struct options *options)
{
    for (size_t i = 0; i < options->token_origins.count; i++) {
        if (site_why_not_origin(options->token_origins.items[i]))
            return options->token_origins.items[i];
    }
    return NULL;
}

static bool check(const struct parser *parser, struct err *err)
{
    const struct options *options = &parser->options;
    const struct command_row *command = options->command;
    if (options->is_quiet && options->is_verbose)
        err_set(err, ERR_USAGE, "--quiet and --verbose exclude each other");
    else if (options->source && options->suite)
        err_set(err, ERR_USAGE, "--suite is for the host's main repository; a source file names its own suites");
    else if (bad_origin(options))
        err_set(err, ERR_USAGE, "--token-origin=%s: %s", text_printable(parser->arena, text_of(bad_origin(options))),
                site_why_not_origin(bad_origin(options)));
    else if (options->if_running && site_why_not_if_running(options->if_running))
        err_set(err, ERR_USAGE, "--if-running=%s %s", text_printable(parser->arena, text_of(options->if_running)),
                site_why_not_if_running(options->if_running));
    else if (options->parity && together_why_not_parity(options->parity))
        err_set(err, ERR_USAGE, "--parity=%s %s", text_printable(parser->arena, text_of(options->parity)),
                together_why_not_parity(options->parity));
    else if (options->on_missing && together_why_not_missing(options->on_missing))
        err_set(err, ERR_USAGE, "--on-missing=%s %s", text_printable(parser->arena, text_of(options->on_missing)),
                together_why_not_missing(options->on_missing));
    else if (options->color && terminal_why_not_color(options->color))
        err_set(err, ERR_USAGE, "--color=%s %s", text_printable(parser->arena, text_of(options->color)),
                terminal_why_not_color(options->color));
    else if (options->is_json && (options->is_list || options->is_version))
        err_set(err, ERR_USAGE, "--%s prints text alone; there is no --json of it",
                options->is_list ? "list" : "version");
    else if (options->push && options->is_no_push)
        err_set(err, ERR_USAGE, "--push and --no-push exclude each other");
    else if (options->shard && (options->watch || options->is_no_push))
        err_set(err, ERR_USAGE, "--shard makes a part of a plan once, and pushes it: --%s does not go with that",
                options->watch ? "watch" : "no-push");
    else if (options->is_help && options->meant)
        err_set(err, ERR_USAGE, "'%s' is no command%s", text_printable(parser->arena, text_of(options->words.items[0])),
                advise_command(parser));
    else if (!options->is_help && !options->is_version &&
             (options->words.count < command->least_words || options->words.count > command->most_words))
        err_set(err, ERR_USAGE, "usage: imgfactory %s [OPTIONS]%s%s", command->name, *command->words ? " " : "",
                command->words);
    return err->kind == ERR_NONE;
}

bool options_parse(struct arena *arena, struct commands commands, int argc, char **argv, struct options *ret_options,
                   struct err *err)
{
    struct parser parser = {.arena = arena,
                            .commands = commands,
                            .options = {.retries = RETRIES, .sync_wait_ms = UINT64_MAX},
                            .count = argc,
                            .at = 1};
    int command_at;
    parser.items = (const char *const *)argv;
    take_apart(&parser);
    choose_command(&parser, &command_at);
    for (bool is_ended = false; parser.at < parser.count; parser.at++) {
        const char *argument = parser.items[parser.at];
        if (parser.at == command_at)
            continue;
        if (is_ended)
            list_add(arena, &parser.options.words, argument);
        else if (strcmp(argument, "--") == 0)
            is_ended = true;
        else if (is_option(argument) ? !parse_option(&parser, err) : !add_word(&parser, argument, err))
            return false;
    }
    if (!check(&parser, err))
        return false;
    *ret_options = parser.options;
    return true;
}
