/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "base/auto.h"
#include "cli/fold.h"
#include "cli/help.h"
#include "cli/option_table.h"

/* Parses a NULL-terminated argument list. */
static bool parse(struct arena *arena, const char **arguments, struct options *ret_options, struct err *err)
{
    int count = 0;
    while (arguments[count])
        count++;
    return options_parse(arena, commands_all(), count, (char **)arguments, ret_options, err);
}

#define ARGUMENTS(...) ((const char *[]){"imgfactory", __VA_ARGS__, NULL})

static void values_come_after_a_blank_an_equals_sign_or_the_letter(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct options options;
    struct err err = {0};
    CHECK_OK(
        parse(&arena, ARGUMENTS("--arch", "all", "--output=x", "-j4", "dhcpd", "--dry-run", "nginx"), &options, &err),
        &err);
    assert_string_equal(options.arch, "all");
    assert_string_equal(options.output, "x");
    assert_int_equal(options.jobs, 4);
    assert_true(options.is_dry_run);
    assert_int_equal(options.words.count, 2);
    assert_string_equal(options.words.items[1], "nginx");
}

static void after_two_dashes_everything_is_an_image(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct options options;
    struct err err = {0};
    CHECK_OK(parse(&arena, ARGUMENTS("--", "--arch"), &options, &err), &err);
    assert_string_equal(options.words.items[0], "--arch");
}

static void a_mistyped_option_names_the_nearest(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct options options;
    struct err err = {0};
    assert_false(parse(&arena, ARGUMENTS("--arhc", "all"), &options, &err));
    CHECK_ERR(&err, ERR_USAGE, "did you mean --arch?");
}

static void a_missing_or_senseless_value_is_refused(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct options options;
    struct err err = {0};
    assert_false(parse(&arena, ARGUMENTS("dhcpd", "--output"), &options, &err));
    CHECK_ERR(&err, ERR_USAGE, "--output needs a value (DIR)");
    err_clear(&err);
    assert_false(parse(&arena, ARGUMENTS("--jobs", "0"), &options, &err));
    CHECK_ERR(&err, ERR_USAGE, "from 1 to 256");
    err_clear(&err);
    assert_false(parse(&arena, ARGUMENTS("--json=yes"), &options, &err));
    CHECK_ERR(&err, ERR_USAGE, "takes no value");
    err_clear(&err);
    assert_false(parse(&arena, ARGUMENTS("-q", "-v"), &options, &err));
    CHECK_ERR(&err, ERR_USAGE, "exclude each other");
}

/* Parses, and wants this command with so many words. */
#define EXPECT_COMMAND(wanted, word_count, ...)                                                                        \
    do {                                                                                                               \
        AUTO(arena_done) struct arena arena = {0};                                                                     \
        struct options options;                                                                                        \
        struct err err = {0};                                                                                          \
        CHECK_OK(parse(&arena, ARGUMENTS(__VA_ARGS__), &options, &err), &err);                                         \
        assert_string_equal(options.command->name, wanted);                                                            \
        assert_int_equal(options.words.count, word_count);                                                             \
    } while (0)

/* Parses, and wants a refusal with these words. */
#define EXPECT_REFUSED(words, ...)                                                                                     \
    do {                                                                                                               \
        AUTO(arena_done) struct arena arena = {0};                                                                     \
        struct options options;                                                                                        \
        struct err err = {0};                                                                                          \
        assert_false(parse(&arena, ARGUMENTS(__VA_ARGS__), &options, &err));                                           \
        CHECK_ERR(&err, ERR_USAGE, words);                                                                             \
    } while (0)

static void a_command_word_is_one_wherever_options_stand(void **state)
{
    (void)state;
    EXPECT_COMMAND("inspect", 1, "--json", "inspect", "x");
    EXPECT_COMMAND("inspect", 1, "inspect", "x", "--json");
    EXPECT_COMMAND("clean", 0, "--cache", "/x", "clean");
    EXPECT_COMMAND("clean", 0, "-q", "--cache=/x", "clean");
    EXPECT_COMMAND("why", 2, "-j4", "why", "dhcpd", "/x");
    EXPECT_COMMAND("build", 2, "build", "dhcpd", "nginx");
    EXPECT_COMMAND("build", 1, "-n", "dhcpd");
    EXPECT_COMMAND("push", 2, "--output", "push", "push", "x", "y");
}

static void a_value_that_is_a_command_s_name_is_no_command(void **state)
{
    (void)state;
    EXPECT_COMMAND("build", 1, "--output", "clean", "dhcpd");
    EXPECT_COMMAND("build", 1, "-o", "push", "dhcpd");
    EXPECT_COMMAND("build", 1, "--push", "dhcpd");
    EXPECT_COMMAND("tag", 2, "tag", "a/b@sha256:0", "push");
    EXPECT_COMMAND("check", 2, "check", "check", "clean");
}

static void an_image_with_a_command_s_name_is_written_as_a_path(void **state)
{
    (void)state;
    EXPECT_REFUSED("'push' is a command", "dhcpd", "push");
    EXPECT_REFUSED("./push.yaml", "build", "push");
    EXPECT_REFUSED("./clean.yaml", "why", "clean", "/x");
    EXPECT_COMMAND("build", 2, "dhcpd", "./push.yaml");
    EXPECT_COMMAND("build", 1, "--", "push");
    EXPECT_COMMAND("why", 2, "why", "dhcpd", "push");
}

static void a_mistyped_command_is_kept_in_mind(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct options options;
    struct err err = {0};
    CHECK_OK(parse(&arena, ARGUMENTS("--json", "inspekt", "x"), &options, &err), &err);
    assert_string_equal(options.meant, "the command 'inspect'");
    CHECK_OK(parse(&arena, ARGUMENTS("dhcpd", "x"), &options, &err), &err);
    assert_null(options.meant);
}

/* Parses words that build nothing if no image is called so, and looks what else they may have been meant as. */
#define EXPECT_MEANT(wanted, ...)                                                                                      \
    do {                                                                                                               \
        AUTO(arena_done) struct arena arena_ = {0};                                                                    \
        struct options options_;                                                                                       \
        struct err err_ = {0};                                                                                         \
        CHECK_OK(parse(&arena_, ARGUMENTS(__VA_ARGS__), &options_, &err_), &err_);                                     \
        assert_non_null(options_.meant);                                                                               \
        assert_string_equal(options_.meant, wanted);                                                                   \
    } while (0)

static void a_word_that_others_have_as_a_command_in_capitals_or_cut_short_is_understood(void **state)
{
    (void)state;
    EXPECT_MEANT("imgfactory --version", "--quiet", "version");
    EXPECT_MEANT("imgfactory --list", "build", "list");
    EXPECT_MEANT("the command 'inspect'", "INSPECT", "x");
    EXPECT_MEANT("the command 'inspect'", "insp", "x");
    EXPECT_MEANT("the command 'inspect'", "build", "--json", "insepct", "x");
    EXPECT_REFUSED("'inspct' is no command; did you mean the command 'inspect'?", "inspct", "--help");
    EXPECT_REFUSED("'inspct' is no command; did you mean the command 'inspect'?", "--help", "inspct", "x");
}

static void help_is_a_command(void **state)
{
    (void)state;
    EXPECT_COMMAND("help", 0, "help");
    EXPECT_COMMAND("help", 1, "help", "push");
    EXPECT_COMMAND("help", 1, "-q", "help", "clean");
    EXPECT_COMMAND("explain", 1, "explain", "3");
}

static void flags_may_stand_behind_one_dash(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct options options;
    struct err err = {0};
    CHECK_OK(parse(&arena, ARGUMENTS("-nqj4", "dhcpd", "-lo", "push"), &options, &err), &err);
    assert_true(options.is_dry_run && options.is_quiet && options.is_list);
    assert_int_equal(options.jobs, 4);
    assert_string_equal(options.output, "push");
    assert_int_equal(options.words.count, 1);
    assert_int_equal(options.given.count, 6); /* as they are repeated in a line that is printed: -n -q -j4 -l -o push */
    assert_string_equal(options.given.items[1], "-q");
    CHECK_OK(parse(&arena, ARGUMENTS("-o", "-nq", "dhcpd"), &options, &err), &err);
    assert_string_equal(options.output, "-nq");
    assert_false(options.is_dry_run);
    CHECK_OK(parse(&arena, ARGUMENTS("--", "-nq"), &options, &err), &err);
    assert_string_equal(options.words.items[0], "-nq");
}

static void letters_of_no_flags_are_a_value_as_ever(void **state)
{
    (void)state;
    EXPECT_REFUSED("--quiet takes no value, but got \"zx\"", "-qzx", "dhcpd");
}

static void a_long_option_with_one_dash_is_suggested(void **state)
{
    (void)state;
    EXPECT_REFUSED("unknown option -arch; did you mean --arch?", "-arch", "all", "dhcpd");
    EXPECT_REFUSED("unknown option -output=x; did you mean --output=x?", "-output=x", "dhcpd");
    EXPECT_COMMAND("build", 1, "-aall", "dhcpd");
}

static void a_value_that_wants_an_equals_sign_is_explained(void **state)
{
    (void)state;
    EXPECT_REFUSED("--push takes its value with an equals sign: --push=quay.io/me/x", "--push", "quay.io/me/x",
                   "dhcpd");
    EXPECT_REFUSED("--push=localhost:5000/x", "dhcpd", "--push", "localhost:5000/x");
    EXPECT_REFUSED("--pin=sha256:0", "unit", "--pin", "sha256:0", "dhcpd");
    EXPECT_COMMAND("build", 1, "--push", "dhcpd");
    EXPECT_COMMAND("build", 1, "--push", "./my.d/dhcpd");
    EXPECT_COMMAND("build", 1, "--push", "my.d/dhcpd.yaml");
    EXPECT_COMMAND("unit", 1, "unit", "--pin", "quay.io/me/x");
}

static void an_option_cut_short_is_answered_with_all_that_begin_so(void **state)
{
    (void)state;
    EXPECT_REFUSED("unknown option --out; did you mean --output?", "--out", "x", "dhcpd");
    EXPECT_REFUSED("unknown option --js; did you mean --json?", "inspect", "--js", "x");
    EXPECT_REFUSED("unknown option --ver; did you mean --verify-remote, --verbose or --version?", "--ver", "dhcpd");
    EXPECT_REFUSED("unknown option --usern; did you mean --username (for login)?", "--usern", "dhcpd");
}

static void an_option_of_a_mistyped_command_leads_to_it(void **state)
{
    (void)state;
    EXPECT_REFUSED("did you mean the command 'push'?", "pussh", "x", "y", "--tag", "z");
}

static void an_option_of_other_commands_names_these(void **state)
{
    (void)state;
    EXPECT_REFUSED("imgfactory inspect takes no --tree (it is for build)", "inspect", "x", "--tree", "y");
    EXPECT_REFUSED("imgfactory clean takes no --verify-remote (it is for build, push, copy, assemble and tag)", "clean",
                   "--verify-remote");
    EXPECT_REFUSED("unknown option --tagg=x; did you mean --tag (for push and copy)?", "--tagg=x", "dhcpd");
    EXPECT_REFUSED("unknown option --no-such-thing; see imgfactory inspect --help", "inspect", "--no-such-thing", "x");
}

typedef void print_function(FILE *out, struct commands commands, const struct command_row *command);

/* Reads what a function prints. Static, because gcc 12 believes that a returned text points into these. */
static char *print_help(print_function print, const struct command_row *command)
{
    static char *text;
    static size_t len;
    FILE *out = open_memstream(&text, &len);
    assert_non_null(out);
    print(out, commands_all(), command);
    assert_int_equal(fclose(out), 0);
    return text;
}

static char *help_of(const struct command_row *command)
{
    return print_help(help_print, command);
}

/* Whether help has an option: behind one without a value stands its text, or nothing; there may be another of that name. */
static bool is_listed(const char *help, const char *name, bool is_alone)
{
    for (const char *at = strstr(help, name); at; at = strstr(at + 1, name)) {
        const char *end = at + strlen(name);
        if (is_alone ? *end == '\n' || strncmp(end, "  ", 2) == 0 : *end != ' ')
            return true;
    }
    return false;
}

static void help_lists_each_option_that_is_of_use_and_no_other(void **state)
{
    (void)state;
    struct commands commands = commands_all();
    struct option_rows options = option_table();
    for (size_t i = 0; i < commands.count; i++) {
        AUTO(auto_free) char *help = help_of(&commands.items[i]);
        for (size_t j = 0; j < options.count; j++) {
            char name[64];
            (void)snprintf(name, sizeof name, " --%s%s", options.items[j].name,
                           options.items[j].kind == OPTION_MAYBE_STRING ? "["
                           : options.items[j].value                     ? " "
                                                                        : "");
            bool is_told = is_listed(strstr(help, "\nOptions:\n"), name, !options.items[j].value);
            assert_int_equal(is_told, (options.items[j].commands & commands.items[i].kind) != 0);
            assert_false(options.items[j].commands & options.items[j].idle);
        }
    }
}

/* Wants no line of more than 80 columns, and no blank at its end. */
static void check_lines(const char *name, const char *help, size_t most)
{
    struct text rest = text_of(help), line;
    size_t count = 0;
    for (; rest.len && text_next(&rest, '\n', &line); count++) {
        if (line.len > 80 || (line.len && line.ptr[line.len - 1] == ' '))
            fail_msg("%s: %.*s", name, (int)line.len, line.ptr);
    }
    CHECK_RANGE(count, 5, most);
}

static void every_help_fits_80_columns_and_h_24_lines(void **state)
{
    (void)state;
    struct commands commands = commands_all();
    for (size_t i = 0; i < commands.count; i++) {
        AUTO(auto_free) char *help = help_of(&commands.items[i]);
        AUTO(auto_free) char *brief = print_help(help_print_brief, &commands.items[i]);
        check_lines(commands.items[i].name, help, 210);
        check_lines(commands.items[i].name, brief, 24);
        assert_true(strlen(brief) < strlen(help) || commands.items[i].kind & COMMANDS_OF_ITSELF);
        assert_non_null(strstr(commands.items[i].kind == COMMAND_BUILD ? brief : help, commands.items[i].words));
    }
}

static void h_alone_is_the_brief_help(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct options options;
    struct err err = {0};
    CHECK_OK(parse(&arena, ARGUMENTS("push", "-h"), &options, &err), &err);
    assert_true(options.is_help && options.is_help_brief);
    CHECK_OK(parse(&arena, ARGUMENTS("push", "--help"), &options, &err), &err);
    assert_true(options.is_help && !options.is_help_brief);
}

static void a_brief_text_ends_with_a_part_of_the_sentence(void **state)
{
    (void)state;
    struct text brief = fold_brief(text_of("take it from here (a, b), instead of there; or not"), 30);
    assert_int_equal(brief.len, strlen("take it from here (a, b)"));
    brief = fold_brief(text_of("short, and whole"), 30);
    assert_int_equal(brief.len, strlen("short, and whole"));
    brief = fold_brief(text_of("nothing of this can be cut anywhere at all"), 30);
    assert_int_equal(brief.len, strlen("nothing of this can be cut anywhere at all"));
}

static void help_tells_what_an_option_means_to_the_command(void **state)
{
    (void)state;
    struct commands commands = commands_all();
    for (size_t i = 0; i < commands.count; i++) {
        AUTO(auto_free) char *help = help_of(&commands.items[i]);
        bool is_build = commands.items[i].kind == COMMAND_BUILD;
        bool is_making = is_build || commands.items[i].kind == COMMAND_ASSEMBLE;
        assert_int_equal(strstr(help, "write OCI layouts to DIR/IMAGE") != NULL, is_making);
        assert_int_equal(strstr(help, "print which packages would be") != NULL, is_build);
        assert_int_equal(strstr(help, "remove nothing") != NULL, commands.items[i].kind == COMMAND_CLEAN);
        assert_int_equal(strstr(help, "write the image to DIR/NAME") != NULL, commands.items[i].kind == COMMAND_PULL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_come_after_a_blank_an_equals_sign_or_the_letter),
        cmocka_unit_test(after_two_dashes_everything_is_an_image),
        cmocka_unit_test(a_mistyped_option_names_the_nearest),
        cmocka_unit_test(a_missing_or_senseless_value_is_refused),
        cmocka_unit_test(a_command_word_is_one_wherever_options_stand),
        cmocka_unit_test(a_value_that_is_a_command_s_name_is_no_command),
        cmocka_unit_test(an_image_with_a_command_s_name_is_written_as_a_path),
        cmocka_unit_test(a_mistyped_command_is_kept_in_mind),
        cmocka_unit_test(a_word_that_others_have_as_a_command_in_capitals_or_cut_short_is_understood),
        cmocka_unit_test(help_is_a_command),
        cmocka_unit_test(flags_may_stand_behind_one_dash),
        cmocka_unit_test(letters_of_no_flags_are_a_value_as_ever),
        cmocka_unit_test(a_long_option_with_one_dash_is_suggested),
        cmocka_unit_test(a_value_that_wants_an_equals_sign_is_explained),
        cmocka_unit_test(every_help_fits_80_columns_and_h_24_lines),
        cmocka_unit_test(h_alone_is_the_brief_help),
        cmocka_unit_test(a_brief_text_ends_with_a_part_of_the_sentence),
        cmocka_unit_test(an_option_cut_short_is_answered_with_all_that_begin_so),
        cmocka_unit_test(an_option_of_a_mistyped_command_leads_to_it),
        cmocka_unit_test(an_option_of_other_commands_names_these),
        cmocka_unit_test(help_lists_each_option_that_is_of_use_and_no_other),
        cmocka_unit_test(help_tells_what_an_option_means_to_the_command),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
