/* SPDX-License-Identifier: Apache-2.0 */
/* What differs between the architectures of an image, and for how many nights. */
#include "base/auto.h"
#include "deb/deb_format.h"
#include "home.h"
#include "io/file.h"
#include "line/lag_memory.h"
#include "rpmmd/rpm_format.h"

#include <unistd.h>

#define DAY ((int64_t)24 * 60 * 60)
#define NOW ((int64_t)1700000000)

/* One package of a side. */
struct given {
    int side;
    const char *name, *version, *source, *source_version,
        *architecture;      /* of these NULL: as the package itself, native */
    const char *repository; /* NULL: "main" */
    bool is_silent;         /* it gave no file */
};

/* Architectures as the formats know them. */
struct sides {
    struct arena *arena;
    struct arch arches[3];
    struct bill bills[3];
    struct source source;
    struct origin origins[3][2];
    struct origins all[3];
    struct parity_side items[3];
    size_t count;
};

static void make_sides(struct sides *sides, struct arena *arena, const struct format *format, size_t count)
{
    static const char *const names[] = {"x86_64", "aarch64", "s390x"}, *const debian[] = {"amd64", "arm64", "s390x"};
    *sides = (struct sides){.arena = arena, .source = {.format = format, .name = "test"}, .count = count};
    for (size_t i = 0; i < count; i++) {
        sides->arches[i].name = names[i];
        const char *name = format == &format_deb ? debian[i] : names[i];
        struct arch_named named = {format->arch_keys, name};
        list_add(arena, &sides->arches[i].names, named);
        sides->origins[i][0] = (struct origin){.name = "main", .date = NOW + (int64_t)i};
        sides->origins[i][1] = (struct origin){.name = "urgent", .date = NOW + 10, .is_security = true};
        sides->all[i] = (struct origins){.source = &sides->source, .items = sides->origins[i], .count = 2};
        sides->items[i] = (struct parity_side){&sides->arches[i], &sides->bills[i], &sides->all[i]};
    }
}

static void add(struct sides *sides, const struct given *given)
{
    const struct arch *arch = &sides->arches[given->side];
    struct bill_package package = {.name = given->name,
                                   .version = given->version,
                                   .architecture =
                                       given->architecture ? given->architecture : arch->names.items[0].name,
                                   .source_package = given->source ? given->source : given->name,
                                   .source_version = given->source_version ? given->source_version : given->version,
                                   .repository = given->repository ? given->repository : "main",
                                   .has_given = !given->is_silent};
    list_add(sides->arena, &sides->bills[given->side].packages, package);
}

static struct lags compare(struct arena *arena, const struct format *format, size_t side_count, enum parity parity,
                           const struct given *given, size_t count)
{
    struct sides *sides = arena_new(arena, struct sides);
    make_sides(sides, arena, format, side_count);
    for (size_t i = 0; i < count; i++)
        add(sides, &given[i]);
    return parity_compare(arena, sides->items, side_count, parity, false);
}

#define COMPARE(format, sides, parity, ...)                                                                            \
    compare(&arena, format, sides, parity, (const struct given[]){__VA_ARGS__},                                        \
            sizeof((const struct given[]){__VA_ARGS__}) / sizeof(struct given))

static void the_same_versions_are_no_difference(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct lags lags =
        COMPARE(&format_deb, 3, PARITY_EXACT, {.side = 0, .name = "a", .version = "1:1.0-1"},
                {.side = 1, .name = "a", .version = "1:1.0-1"}, {.side = 2, .name = "a", .version = "1:1.0-1"},
                {.side = 0, .name = "b", .version = "2", .architecture = "all"},
                {.side = 1, .name = "b", .version = "2", .architecture = "all"},
                {.side = 2, .name = "b", .version = "2", .architecture = "all"});
    assert_int_equal(lags.count, 0);
    lags = COMPARE(&format_deb, 2, PARITY_UNASKED, {.side = 0, .name = "a", .version = "1"},
                   {.side = 1, .name = "a", .version = "2"});
    assert_int_equal(lags.count, 0);
}

static void a_rebuild_for_one_architecture_differs_only_exactly(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    for (int is_exact = 0; is_exact < 2; is_exact++) {
        struct lags lags =
            COMPARE(&format_deb, 2, is_exact ? PARITY_EXACT : PARITY_SOURCE,
                    {.side = 0, .name = "a", .version = "1.0-1+b1", .source = "s", .source_version = "1.0-1"},
                    {.side = 1, .name = "a", .version = "1.0-1", .source = "s", .source_version = "1.0-1"});
        assert_int_equal(lags.count, is_exact);
        if (is_exact)
            assert_true(!lags.items[0].versions.items[0].is_behind && lags.items[0].versions.items[1].is_behind);
    }
}

static void versions_compare_as_their_package_manager_does_it(void **state)
{
    (void)state;
    static const struct {
        const struct format *format;
        const char *older, *newer;
        bool are_same;
    } rows[] = {
        {&format_deb, "9:1", "10:0", false},        {&format_deb, "1.0", "0:1.0", true},
        {&format_deb, "1.0~rc1", "1.0", false},     {&format_deb, "1.9", "1.10", false},
        {&format_rpm, "1:1-1", "2:0-1", false},     {&format_rpm, "0:1.0-1", "1.0-1", true},
        {&format_rpm, "1.0~rc1-1", "1.0-1", false}, {&format_rpm, "1.0-9.fc41", "1.0-10.fc41", false},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        AUTO(arena_done) struct arena arena = {0};
        struct lags lags = COMPARE(rows[i].format, 2, PARITY_SOURCE, {.side = 0, .name = "a", .version = rows[i].older},
                                   {.side = 1, .name = "a", .version = rows[i].newer});
        assert_int_equal(lags.count, !rows[i].are_same);
        if (!rows[i].are_same)
            assert_true(lags.items[0].versions.items[0].is_behind && !lags.items[0].versions.items[1].is_behind);
    }
}

static void what_only_one_architecture_has_is_none_unless_its_source_differs(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct lags lags =
        COMPARE(&format_deb, 2, PARITY_SOURCE, {.side = 0, .name = "libquad0", .version = "12-1", .source = "gcc"},
                {.side = 0, .name = "libgcc1", .version = "12-1", .source = "gcc"},
                {.side = 1, .name = "libgcc1", .version = "12-1", .source = "gcc"});
    assert_int_equal(lags.count, 0);
    lags = COMPARE(&format_deb, 2, PARITY_SOURCE, {.side = 0, .name = "foo2", .version = "2-1", .source = "foo"},
                   {.side = 1, .name = "foo1", .version = "1-1", .source = "foo"},
                   {.side = 0, .name = "foo-data", .version = "2-1", .source = "foo", .architecture = "all"},
                   {.side = 1, .name = "foo-data", .version = "2-1", .source = "foo", .architecture = "all"});
    assert_int_equal(lags.count, 1);
    assert_string_equal(lags.items[0].package, "foo2");
    assert_string_equal(lags.items[0].versions.items[1].package->name, "foo1");
    /* A left-over of an older build beside the newest one is no lag. */
    lags = COMPARE(&format_deb, 2, PARITY_SOURCE, {.side = 0, .name = "foo", .version = "2-1"},
                   {.side = 0, .name = "foo-old", .version = "1-1", .source = "foo"},
                   {.side = 1, .name = "foo", .version = "2-1"});
    assert_int_equal(lags.count, 0);
    /* And what lags by its name is told once. */
    lags = COMPARE(&format_deb, 2, PARITY_SOURCE, {.side = 0, .name = "gcc", .version = "2-1"},
                   {.side = 1, .name = "gcc", .version = "1-1"},
                   {.side = 0, .name = "quad", .version = "2-1", .source = "gcc"});
    assert_int_equal(lags.count, 1);
}

static void packages_without_files_count_only_where_nobody_knows(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct sides sides;
    make_sides(&sides, &arena, &format_deb, 2);
    add(&sides, &(struct given){.side = 0, .name = "a", .version = "1", .is_silent = true});
    add(&sides, &(struct given){.side = 1, .name = "a", .version = "2", .is_silent = true});
    assert_int_equal(parity_compare(&arena, sides.items, 2, PARITY_SOURCE, false).count, 0);
    assert_int_equal(parity_compare(&arena, sides.items, 2, PARITY_SOURCE, true).count, 1);
}

static void a_difference_has_repositories_and_dates(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct lags lags = COMPARE(
        &format_deb, 3, PARITY_SOURCE, {.side = 0, .name = "a", .version = "2", .repository = "urgent"},
        {.side = 1, .name = "a", .version = "1"}, {.side = 2, .name = "a", .version = "1", .repository = "gone"});
    assert_int_equal(lags.count, 1);
    const struct lag *lag = &lags.items[0];
    assert_true(lag->is_security && lag->versions.count == 3);
    assert_int_equal(lag->versions.items[0].date, NOW + 10);
    assert_int_equal(lag->versions.items[1].date, NOW + 1);
    assert_int_equal(lag->versions.items[2].date, 0);
    lags = COMPARE(&format_deb, 2, PARITY_SOURCE, {.side = 0, .name = "a", .version = "1", .repository = "urgent"},
                   {.side = 1, .name = "a", .version = "2"});
    assert_false(lags.items[0].is_security); /* the newest one is none */
}

static void nights_are_days_rounded(void **state)
{
    (void)state;
    assert_int_equal(lag_nights(NOW, NOW), 1);
    assert_int_equal(lag_nights(NOW, NOW + 600), 1);
    assert_int_equal(lag_nights(NOW, NOW + DAY - 3600), 2);
    assert_int_equal(lag_nights(NOW, NOW + DAY + 3600), 2);
    assert_int_equal(lag_nights(NOW, NOW + 2 * DAY - 3600), 3);
    assert_int_equal(lag_nights(NOW, NOW - DAY), 1);
    assert_int_equal(lag_nights(0, NOW), 1);
}

/* Notes one security update of an image that is held back. */
static struct lag note(const char *dir, const char *image, int64_t now, bool is_held_back)
{
    struct lag lag = {.package = "a", .source = "a", .is_security = true};
    struct lags lags = {&lag, 1, 1};
    struct lag_note note = {image, &lags, is_held_back, false};
    lag_memory_note(dir, &note, 1, now, NULL);
    return lag;
}

static void what_is_held_back_is_remembered_for_each_image(void **state)
{
    (void)state;
    const char *dir = at_home("state");
    struct err err = {0};
    struct lags none = {0};
    struct lag_note healed = {"one", &none, false, false}, partly = {"one", &none, false, true};
    CHECK_OK(file_make_dirs(at_home("state/v1"), 0700, &err), &err);
    assert_int_equal(note(dir, "one", NOW, true).nights, 1);
    assert_int_equal(note(dir, "two", NOW + DAY, true).nights, 1);
    struct lag lag = note(dir, "one", NOW + 2 * DAY, true);
    assert_true(lag.nights == 3 && lag.is_overdue && lag.since == NOW);
    assert_false(note(dir, "two", NOW + 2 * DAY, true).is_overdue);
    lag_memory_note(dir, &partly, 1, NOW + 2 * DAY, NULL);
    assert_int_equal(note(dir, "one", NOW + 2 * DAY, true).nights, 3);
    lag_memory_note(dir, &healed, 1, NOW + 2 * DAY, NULL);
    assert_int_equal(note(dir, "one", NOW + 2 * DAY, true).nights, 1);
    assert_int_equal(note(dir, "two", NOW + 4 * DAY, true).nights, 4);
    /* What went out is not held back: the count of nights of that begins anew. */
    assert_false(note(dir, "two", NOW + 5 * DAY, false).is_overdue);
    lag = note(dir, "two", NOW + 6 * DAY, true);
    assert_true(lag.nights == 6 && !lag.is_overdue);
    /* What nobody saw for long is forgotten. */
    assert_int_equal(note(dir, "one", NOW + (LAGS_FORGET_DAYS + 10) * DAY, true).nights, LAGS_FORGET_DAYS + 9);
    assert_int_equal(note(dir, "two", NOW + (LAGS_FORGET_DAYS + 10) * DAY, true).nights, 1);
}

static void a_state_that_cannot_be_had_is_no_error(void **state)
{
    (void)state;
    struct lag lag = note(at_home("nowhere"), "one", NOW, true);
    assert_true(lag.nights == 1 && lag.since == NOW && !lag.is_overdue);
}

#define AT_HOME(name) cmocka_unit_test_setup_teardown(name, set_up_home, tear_down_home)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_versions_are_no_difference),
        cmocka_unit_test(a_rebuild_for_one_architecture_differs_only_exactly),
        cmocka_unit_test(versions_compare_as_their_package_manager_does_it),
        cmocka_unit_test(what_only_one_architecture_has_is_none_unless_its_source_differs),
        cmocka_unit_test(packages_without_files_count_only_where_nobody_knows),
        cmocka_unit_test(a_difference_has_repositories_and_dates),
        cmocka_unit_test(nights_are_days_rounded),
        AT_HOME(what_is_held_back_is_remembered_for_each_image),
        AT_HOME(a_state_that_cannot_be_had_is_no_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
