/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/manual.h"

#include "cli/command.h"
#include "cli/command_words.h"
#include "cli/exits.h"
#include "cli/manual_files.h"
#include "cli/option_table.h"
#include "cli/roff.h"
#include "cli/variables.h"

#include <stdlib.h>

static void print_option(FILE *out, const struct option_row *row, enum command_kind command)
{
    (void)fputs(".TP\n", out);
    if (row->letter)
        (void)fprintf(out, "\\fB\\-%c\\fR, ", row->letter);
    roff_line(out, "\\fB\\-\\-", row->name, "\\fR");
    if (row->value)
        roff_line(out, row->kind == OPTION_MAYBE_STRING ? "\\fI" : "=\\fI", row->value, "\\fR");
    (void)fputc('\n', out);
    roff_paragraph(out, option_help(row, command), ".");
}

static void print_options(FILE *out, enum command_kind command)
{
    struct option_rows options = option_table();
    (void)fputs(".SH OPTIONS\n", out);
    for (size_t i = 0; i < options.count; i++) {
        if (options.items[i].commands & command)
            print_option(out, &options.items[i], command);
    }
}

static void print_synopsis(FILE *out, const struct command_row *command, const char *name)
{
    (void)fputs("\\fBimgfactory\\fR ", out);
    if (name)
        roff_line(out, "\\fB", name, "\\fR ");
    (void)fputs("[\\fIOPTIONS\\fR]", out);
    if (*command->words)
        roff_line(out, " \\fI", command->words, "\\fR");
    (void)fputc('\n', out);
}

static void print_commands(FILE *out, struct commands commands)
{
    (void)fputs(".SH COMMANDS\nEach has a page of its own, as \\fBimgfactory\\-push\\fR(1).\n", out);
    for (size_t i = 0; i < commands.count; i++)
        roff_term(out, commands.items[i].name, commands.items[i].line);
    (void)fputs(".PP\nAn image with the name of a command is written as a path, \\fI./NAME.yaml\\fR.\n", out);
}

static void print_exits(FILE *out, bool is_whole)
{
    struct exits exits = exits_all();
    (void)fputs(".SH EXIT STATUS\n", out);
    for (size_t i = 0; i < exits.count; i++) {
        const struct exit_row *row = &exits.items[i];
        (void)fprintf(out, ".TP\n\\fB%d\\fR\n", row->status);
        roff_paragraph(out, is_whole ? row->meaning : row->brief, is_whole ? "" : ".");
        if (is_whole)
            roff_paragraph(out, row->act, "");
    }
    if (!is_whole)
        (void)fputs(".PP\n\\fBimgfactory explain\\fR \\fISTATUS\\fR tells more.\n", out);
}

static void print_surroundings(FILE *out)
{
    static const struct variable_row files[] = {
        {"./imgfactory.yaml, ~/.config/imgfactory/imgfactory.yaml, /etc/imgfactory/imgfactory.yaml",
         "The site file: the first that is there, unless --config names another."},
        {"imgfactory.lock",
         "What imgfactory lock wrote, for builds with --locked: beside the site file or the manifest."},
        {"~/.cache/imgfactory",
         "The cache: downloads, unpacked packages, finished products. It may be removed at any time."},
        {"~/.local/state/imgfactory", "The state: what was last accepted of each repository, and pushed. Keep it."},
        {"/etc/apt, /etc/yum.repos.d", "The configuration of the host's own repositories."},
    };
    struct variables variables = variables_all();
    (void)fputs(".SH ENVIRONMENT\n", out);
    for (size_t i = 0; i < variables.count; i++)
        roff_term(out, variables.items[i].name, variables.items[i].meaning);
    (void)fputs(".SH FILES\n", out);
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        roff_term(out, files[i].name, files[i].meaning);
}

static void print_examples(FILE *out)
{
    static const struct variable_row examples[] = {
        {"imgfactory --arch all dhcpd", "Builds the image for both architectures, into out/dhcpd."},
        {"imgfactory --suite trixie --dry-run dhcpd", "Tells which packages another release would give."},
        {"imgfactory --arch all --push=quay.io/me/dhcpd dhcpd", "Builds it and pushes it."},
        {"imgfactory why dhcpd libc.so.6", "Tells why a file is in the image."},
        {"imgfactory unit --units /etc/containers/systemd quay.io/me/dhcpd",
         "Makes the units that run it on this machine."},
    };
    (void)fputs(".SH EXAMPLES\n", out);
    for (size_t i = 0; i < sizeof examples / sizeof examples[0]; i++)
        roff_term(out, examples[i].name, examples[i].meaning);
}

/* Other pages: of the program's all others, of a command's the program's. */
static void print_see_also(FILE *out, struct commands commands, const struct command_row *command)
{
    (void)fputs(".SH SEE ALSO\n", out);
    for (size_t i = 0; !command && i < commands.count; i++)
        roff_line(out, ".BR imgfactory\\-", commands.items[i].name, " (1),\n");
    for (const struct manual_file *file = manual_files; !command && file->name; file++)
        roff_line(out, ".BR imgfactory\\-", file->name, file[1].name ? " (5),\n" : " (5)\n");
    if (command)
        (void)fputs(".BR imgfactory (1)\n", out);
}

void manual_print(FILE *out, struct commands commands, const struct command_row *command)
{
    const struct command_row *told = command ? command : commands.items;
    bool is_build = told == commands.items;
    roff_head(out, command ? command->name : NULL, '1',
              command ? command->line : "build minimal container images from a distribution's packages");
    (void)fputs(".SH SYNOPSIS\n", out);
    print_synopsis(out, told, command && !is_build ? command->name : NULL);
    if (!command)
        (void)fputs(".br\n\\fBimgfactory\\fR \\fICOMMAND\\fR [\\fIOPTIONS\\fR] ...\n", out);
    (void)fputs(".SH DESCRIPTION\n", out);
    roff_paragraph(out, told->help, "");
    for (const struct command_verb *verb = command_verbs(told); verb && verb->name; verb++) {
        roff_line(out, ".TP\n\\fB", verb->name, "\\fR");
        roff_line(out, *verb->words ? " \\fI" : "", verb->words, *verb->words ? "\\fR\n" : "\n");
        roff_paragraph(out, verb->line, ".");
    }
    if (!command)
        print_commands(out, commands);
    print_options(out, told->kind);
    print_exits(out, !command);
    if (!command) {
        print_surroundings(out);
        print_examples(out);
    } else {
        (void)fprintf(out, ".SH HISTORY\nimgfactory has this command since version %s.\n", command->since);
    }
    print_see_also(out, commands, command);
}

bool manual_run(struct command *command, struct err *err)
{
    struct arena *arena = &command->arena;
    const struct strings *words = &command->options.words;
    const struct command_row *row = words->count ? command_words_find(command->commands, words->items[0]) : NULL;
    const struct manual_file *file = words->count ? manual_file_find(words->items[0]) : NULL;
    if (file) {
        manual_file_print(stdout, file);
        return true;
    }
    if (row || !words->count) {
        manual_print(stdout, command->commands, row);
        return true;
    }
    const char *meant = command_words_meant(arena, command->commands, words->items[0]);
    err_set(err, ERR_USAGE, "there is no command '%s'%s", text_printable(arena, text_of(words->items[0])),
            meant ? arena_printf(arena, "; did you mean %s?", meant) : "; imgfactory help lists all");
    return false;
}
