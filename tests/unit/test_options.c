#include "check.h"

#include "base/auto.h"
#include "cli/options.h"

/* Parses a NULL-terminated argument list. */
static bool parse(struct arena *arena, const char **arguments, struct options *ret_options, struct err *err)
{
    int count = 0;
    while (arguments[count])
        count++;
    return options_parse(arena, count, (char **)arguments, ret_options, err);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_come_after_a_blank_an_equals_sign_or_the_letter),
        cmocka_unit_test(after_two_dashes_everything_is_an_image),
        cmocka_unit_test(a_mistyped_option_names_the_nearest),
        cmocka_unit_test(a_missing_or_senseless_value_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
