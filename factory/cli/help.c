/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/help.h"

#include "cli/command.h"
#include "cli/command_words.h"
#include "cli/exits.h"
#include "cli/fold.h"
#include "cli/option_table.h"

#define HELP_COLUMN 26
#define COMMAND_COLUMN 15
#define VERB_COLUMN 30

/* What -h shows: the options that most calls need, and of a command besides those that only a few commands have. */
static const char *const common[] = {"arch", "source", "suite", "output", "push", "dry-run", "list", "json", "quiet"};
#define FEW_COMMANDS 3

static bool is_common(const struct option_row *row)
{
    for (size_t i = 0; i < ARRAY_COUNT(common); i++) {
        if (strcmp(common[i], row->name) == 0)
            return true;
    }
    return false;
}

/* What a build has, too, is none that putting together has of its own. */
static bool is_own(const struct option_row *row, enum command_kind command)
{
    unsigned commands = row->commands & ~(unsigned)COMMAND_ASSEMBLE;
    return __builtin_popcount(commands) <= FEW_COMMANDS && (command != COMMAND_ASSEMBLE || !(commands & COMMAND_BUILD));
}

/* A name that fills its column stands on a line of its own. */
static void print_row(FILE *out, const struct option_row *row, enum command_kind command, bool is_brief)
{
    char left[40];
    int len = row->letter ? snprintf(left, sizeof left, "  -%c, --%s", row->letter, row->name)
                          : snprintf(left, sizeof left, "      --%s", row->name);
    if (row->value)
        (void)snprintf(left + len, sizeof left - (size_t)len, "%s%s", row->kind == OPTION_MAYBE_STRING ? "" : " ",
                       row->value);
    struct text help = text_of(option_help(row, command));
    bool is_long = strlen(left) >= HELP_COLUMN;
    (void)fprintf(out, is_long ? "%s\n%*s" : "%s%*s", left, HELP_COLUMN - (is_long ? 0 : (int)strlen(left)), "");
    fold_print(out, is_brief ? fold_brief(help, FOLD_WIDTH - HELP_COLUMN) : help, HELP_COLUMN);
}

static void print_usage(FILE *out, const struct command_row *command, bool is_main)
{
    (void)fprintf(out, "Usage: imgfactory %s%s[OPTIONS]%s%s\n", is_main ? "" : command->name, is_main ? "" : " ",
                  *command->words ? " " : "", command->words);
    if (is_main)
        (void)fputs("       imgfactory COMMAND [OPTIONS] ...\n", out);
}

static void print_commands(FILE *out, struct commands commands)
{
    (void)fputs("Commands (imgfactory help COMMAND tells more):\n", out);
    for (size_t i = 0; i < commands.count; i++) {
        const struct command_row *row = &commands.items[i];
        (void)fprintf(out, "  %-*s", COMMAND_COLUMN - 2, row->name);
        fold_print(out, text_of(row->line), COMMAND_COLUMN);
    }
    (void)fputs("An image with the name of a command is written as a path, ./NAME.yaml.\n\n", out);
}

static void print_more(FILE *out)
{
    struct exits exits = exits_all();
    (void)fputs("\nExamples:\n"
                "  imgfactory --arch all dhcpd                 both architectures, to out/dhcpd\n"
                "  imgfactory --arch aarch64,s390x nginx redis\n"
                "  imgfactory --suite trixie --dry-run dhcpd   packages of another release\n"
                "  imgfactory --tree trees ./my.yaml           also the plain files\n"
                "  imgfactory --arch all --push=quay.io/me/dhcpd dhcpd\n\n"
                "Exit status (imgfactory explain STATUS tells more):\n",
                out);
    for (size_t i = 0; i < exits.count; i++)
        (void)fprintf(out, "  %3d  %s\n", exits.items[i].status, exits.items[i].brief);
}

static void print_options(FILE *out, const struct command_row *command, bool is_brief, bool is_main)
{
    struct option_rows options = option_table();
    for (size_t i = 0; i < options.count; i++) {
        const struct option_row *row = &options.items[i];
        if ((row->commands & command->kind) &&
            (!is_brief || is_common(row) || (is_own(row, command->kind) && !is_main)))
            print_row(out, row, command->kind, is_brief);
    }
}

static void print_verbs(FILE *out, const struct command_row *command)
{
    const struct command_verb *verb = command_verbs(command);
    for (; verb && verb->name; verb++) {
        int len = fprintf(out, "  %s%s%s", verb->name, *verb->words ? " " : "", verb->words);
        (void)fprintf(out, "%*s", len < VERB_COLUMN ? VERB_COLUMN - len : 1, "");
        fold_print(out, text_of(verb->line), VERB_COLUMN);
    }
}

void help_print(FILE *out, struct commands commands, const struct command_row *command)
{
    bool is_main = command == commands.items;
    print_usage(out, command, is_main);
    (void)fputc('\n', out);
    fold_print(out, text_of(command->help), 0);
    print_verbs(out, command);
    (void)fputc('\n', out);
    if (is_main)
        print_commands(out, commands);
    (void)fputs("Options:\n", out);
    print_options(out, command, false, is_main);
    if (is_main)
        print_more(out);
    else
        (void)fprintf(out, "\nimgfactory has this command since version %s.\n", command->since);
}

void help_print_brief(FILE *out, struct commands commands, const struct command_row *command)
{
    bool is_main = command == commands.items;
    print_usage(out, command, is_main);
    if (!is_main)
        (void)fprintf(out, "\n%s\n", command->line);
    print_verbs(out, command);
    (void)fputs("\nOptions that are used most:\n", out);
    print_options(out, command, true, is_main);
    if (is_main) {
        (void)fputs("\nCommands:", out);
        for (size_t i = 0, at = 9; i < commands.count; i++) {
            size_t len = strlen(commands.items[i].name) + 1;
            bool is_full = at + len > FOLD_WIDTH;
            (void)fprintf(out, "%s %s", is_full ? "\n         " : "", commands.items[i].name);
            at = (is_full ? 9 : at) + len;
        }
        (void)fputc('\n', out);
    }
    (void)fprintf(out, "\nAll of it: imgfactory help%s%s%s\n", is_main ? "" : " ", is_main ? "" : command->name,
                  is_main ? "; of a command: imgfactory help COMMAND" : "");
}

bool help_run(struct command *command, struct err *err)
{
    struct commands commands = command->commands;
    const struct strings *words = &command->options.words;
    const struct command_row *row = words->count ? command_words_find(commands, words->items[0]) : commands.items;
    if (row) {
        help_print(stdout, commands, row);
        return true;
    }
    const char *meant = command_words_meant(&command->arena, commands, words->items[0]);
    err_set(err, ERR_USAGE, "there is no command '%s'%s", text_printable(&command->arena, text_of(words->items[0])),
            meant ? arena_printf(&command->arena, "; did you mean %s?", meant) : "; imgfactory help lists all");
    return false;
}
