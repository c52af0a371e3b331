#include "cli/help.h"

#include "cli/option_table.h"

#define HELP_COLUMN 26
#define COMMAND_COLUMN 35

/* A name that fills its column stands on a line of its own. */
static void print_row(FILE *out, const struct option_row *row, enum command_kind command)
{
    char left[40];
    int len = row->letter ? snprintf(left, sizeof left, "  -%c, --%s", row->letter, row->name)
                          : snprintf(left, sizeof left, "      --%s", row->name);
    if (row->value)
        (void)snprintf(left + len, sizeof left - (size_t)len, "%s%s", row->kind == OPTION_MAYBE_STRING ? "" : " ",
                       row->value);
    struct text rest = text_of(option_help(row, command)), line;
    if (strlen(left) >= HELP_COLUMN) {
        (void)fprintf(out, "%s\n", left);
        left[0] = '\0';
    }
    while (text_next(&rest, '\n', &line)) {
        (void)fprintf(out, "%-*s%.*s\n", HELP_COLUMN, left, (int)line.len, line.ptr);
        left[0] = '\0';
    }
}

static void print_commands(FILE *out, struct commands commands)
{
    (void)fputs("Commands (imgfactory COMMAND --help tells more):\n", out);
    for (size_t i = 0; i < commands.count; i++) {
        const struct command_row *row = &commands.items[i];
        int len = fprintf(out, "  %s%s%s", row->name, *row->words ? " " : "", row->words);
        (void)fprintf(out, "%*s%s\n", COMMAND_COLUMN - len, "", row->line);
    }
    (void)fputs("An image with the name of a command is written as a path, ./NAME.yaml.\n\n", out);
}

static void print_more(FILE *out)
{
    (void)fputs("\nExamples:\n"
                "  imgfactory --arch all dhcpd                 both architectures, to out/dhcpd\n"
                "  imgfactory --arch aarch64,s390x nginx redis\n"
                "  imgfactory --suite trixie --dry-run dhcpd   which packages another release would give\n"
                "  imgfactory --tree trees ./my.yaml           also the plain files, to trees/my/ARCH\n"
                "  imgfactory --arch all --push=quay.io/me/dhcpd dhcpd\n\n"
                "Exit status: 0 done; 2 usage or manifest; 3 verification refused; 4 malformed or hostile input;\n"
                "5 cannot resolve; 6 network or --timeout; 7 publish refused; 8 local resource;\n"
                "9 some images failed; 70 internal.\n",
                out);
}

void help_print(FILE *out, struct commands commands, const struct command_row *command)
{
    struct option_rows options = option_table();
    bool is_main = command == commands.items;
    (void)fprintf(out, "Usage: imgfactory %s%s[OPTIONS]%s%s\n", is_main ? "" : command->name, is_main ? "" : " ",
                  *command->words ? " " : "", command->words);
    if (is_main)
        (void)fputs("       imgfactory COMMAND [OPTIONS] ...\n", out);
    (void)fprintf(out, "\n%s\n\n", command->help);
    if (is_main)
        print_commands(out, commands);
    (void)fputs("Options:\n", out);
    for (size_t i = 0; i < options.count; i++) {
        if (options.items[i].commands & command->kind)
            print_row(out, &options.items[i], command->kind);
    }
    if (is_main)
        print_more(out);
    else
        (void)fprintf(out, "\nimgfactory has this command since version %s.\n", command->since);
}
