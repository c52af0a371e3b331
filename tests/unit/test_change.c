/* SPDX-License-Identifier: Apache-2.0 */
/* What differs between two bills; what a Debian changelog says between two versions; which numbers are picked out of texts. */
#include "check.h"

#include "base/auto.h"
#include "change/change.h"
#include "change/change_brief.h"
#include "change/picks.h"
#include "change/stories.h"
#include "deb/deb_changelog.h"
#include "rpm/rpm_changelog.h"
#include "rpm/rpm_version.h"

/* Names the versions that are read of a changelog. */
static const char *versions(struct arena *arena, const char *text, const char *since, const char *since_source)
{
    struct changelog changelog = {0};
    struct changelog_request request = {
        .since_version = since, .since_source_version = since_source, .cap_bytes = 1 << 20};
    struct strings found = {0};
    deb_changelog_parse(arena, &request, text_of(text), &changelog);
    for (size_t i = 0; i < changelog.entries.count; i++)
        list_add(arena, &found, changelog.entries.items[i].version);
    return strings_join(arena, &found, " ");
}

#define ENTRY(version, body)                                                                                           \
    "x (" version ") unstable; urgency=low\n\n" body "\n\n -- A <a@b>  Sat, 11 Jul 2026 10:16:37 +0000\n\n"

static void entries_are_those_above_the_older_version(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    static const char text[] = ENTRY("3-1", "  * c") ENTRY("2-1", "  * b") ENTRY("1-1", "  * a");
    assert_string_equal(versions(&arena, text, "1-1", NULL), "3-1 2-1");
    assert_string_equal(versions(&arena, text, "3-1", NULL), "");
    assert_string_equal(versions(&arena, text, "2-0.1", NULL), "3-1 2-1"); /* not there: the first that is older */
    assert_string_equal(versions(&arena, text, "0", NULL), "3-1 2-1 1-1");
    assert_string_equal(versions(&arena, text, "2-1+b1", "2-1"), "3-1");
    assert_string_equal(versions(&arena, "", "1", NULL), "");
}

static void what_is_no_heading_is_none(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    static const char *const lines[] = {"x (2)\n",     "x 2; urgency=low\n", "x (2 3) sid; u=l\n", " x (2) sid; u=l\n",
                                        "x () s; u\n", "(2) sid; u=l\n",     "x (2)sid; u=l\n",    "x (2) s_d; u=l\n"};
    for (size_t i = 0; i < ARRAY_COUNT(lines); i++)
        assert_string_equal(versions(&arena, lines[i], "1", NULL), "");
    assert_string_equal(versions(&arena, "x (2) sid sid2; urgency=low\n", "1", NULL), "2");
    assert_string_equal(versions(&arena, ENTRY("3", "  * c") "Local variables:\n" ENTRY("2", "  * b"), "1", NULL), "3");
}

static void a_limit_of_bytes_cuts(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct changelog changelog = {0};
    struct changelog_request request = {.since_version = "1", .cap_bytes = 8};
    deb_changelog_parse(&arena, &request, text_of(ENTRY("3", "  * abc") ENTRY("2", "  * def")), &changelog);
    assert_int_equal(changelog.entries.count, 1);
    assert_true(changelog.is_cut);
    assert_string_equal(changelog.entries.items[0].text, "  * abc");
    assert_string_equal(changelog.entries.items[0].urgency, "low");
}

static const char *picked(struct arena *arena, const char *text)
{
    struct picks picks = {.seen.arena = arena};
    picks_take(arena, text_of(text), &picks);
    return arena_printf(arena, "%s|%s|%s", strings_join(arena, &picks.cves, " "),
                        strings_join(arena, &picks.advisories, " "), strings_join(arena, &picks.bugs, " "));
}

static void numbers_are_picked_out_of_texts(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"CVE-2024-1234, cve-2024-12345 and CVE-2024-1234", "CVE-2024-1234 CVE-2024-12345||"},
        {"CVE-2024-123 CVE-24-1234 XCVE-2024-1234 CVE-2024-", "||"},
        {"DSA-5001-1 dla-12 RHSA-2024:1234: FEDORA-2024-0a1b2c3d4e.",
         "|DSA-5001-1 DLA-12 RHSA-2024:1234 FEDORA-2024-0A1B2C3D4E|"},
        {"(Closes: #1, bug#2,\n  #3) closes: 4", "||#1 #2 #3 #4"},
        {"LP: #5, #6 lp: 7", "||LP#5 LP#6"},
        {"rhbz#12 bsc#34 RHEL-56 (#1234567) #89", "||rhbz#12 bsc#34 RHEL-56 #1234567"},
        {"closes: CVE-2024-0001", "CVE-2024-0001||"},
    };
    AUTO(arena_done) struct arena arena = {0};
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
        assert_string_equal(picked(&arena, cases[i][0]), cases[i][1]);
}

static void the_version_of_an_rpm_entry_ends_its_name(void **state)
{
    (void)state;
    static const char *const cases[][2] = {{"A Kit <a@b.c> - 1.0-2", "1.0-2"},
                                           {"A Kit <a@b.c> 1:1.0-2", "1:1.0-2"},
                                           {"A Kit <a@b.c> -1.0-2", "1.0-2"},
                                           {"A Kit <a@b.c> [1.0-2.fc41]", "1.0-2.fc41"}};
    AUTO(arena_done) struct arena arena = {0};
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
        assert_string_equal(rpm_changelog_version(&arena, cases[i][0]), cases[i][1]);
    assert_null(rpm_changelog_version(&arena, "A Kit <a1@b2.c>"));
    assert_null(rpm_changelog_version(&arena, ""));
    assert_true(rpm_version_compare("1.0-2", "1.0-2.fc41") < 0);
    assert_true(rpm_version_compare("1:1-1", "2-1") > 0);
}

/* Tells the changes of packages: "+name-1 ~name:1:2". */
static const char *packages(struct arena *arena, struct bill_package *before, size_t before_count,
                            struct bill_package *after, size_t after_count)
{
    struct bill old = {.packages = {before, before_count, before_count}},
                new = {.packages = {after, after_count, after_count}};
    struct change_side sides[2] = {{.bill = &old, .digest.bytes[0] = 1}, {.bill = &new, .digest.bytes[0] = 2}};
    struct change change;
    struct strings told = {0};
    change_compare(arena, &sides[0], &sides[1], &change);
    for (size_t i = 0; i < change.packages.count; i++) {
        const struct package_change *found = &change.packages.items[i];
        list_add(arena, &told,
                 arena_printf(arena, "%s:%s>%s", change_package(found)->name,
                              found->before ? found->before->version : "", found->after ? found->after->version : ""));
    }
    return strings_join(arena, &told, " ");
}

static struct bill_package package(const char *name, const char *version, const char *architecture)
{
    return (struct bill_package){.name = name, .version = version, .architecture = architecture, .url = ""};
}

static void packages_are_paired_by_name_and_architecture(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct bill_package before[] = {package("k", "1", "a"), package("k", "2", "a"), package("a", "1", "a"),
                                    package("a", "1", "b"), package("gone", "1", "a")};
    struct bill_package after[] = {package("k", "2", "a"), package("k", "3", "a"), package("a", "1", "b"),
                                   package("a", "2", "all"), package("new", "1", "a")};
    assert_string_equal(packages(&arena, before, 5, after, 5), "a:1>2 gone:1> k:1>3 new:>1");
    assert_string_equal(packages(&arena, before, 5, before, 5), "");
    before[0].digest.bytes[0] = 1;
    struct bill_package other = before[0];
    other.digest.bytes[0] = 2;
    assert_string_equal(packages(&arena, before, 1, &other, 1), "k:1>1");
}

static void a_run_of_one_name_is_no_square(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    size_t count = 200000;
    struct bill_package *before = arena_new_array(&arena, struct bill_package, count),
                        *after = arena_new_array(&arena, struct bill_package, count);
    for (size_t i = 0; i < count; i++) {
        before[i] = package("x", arena_printf(&arena, "%zu", i), "a");
        after[i] = package("x", arena_printf(&arena, "b%zu", i), "b");
    }
    struct bill old = {.packages = {before, count, count}}, new = {.packages = {after, count, count}};
    struct change_side sides[2] = {{.bill = &old, .digest.bytes[0] = 1}, {.bill = &new, .digest.bytes[0] = 2}};
    struct change change;
    change_compare(&arena, &sides[0], &sides[1], &change);
    assert_int_equal(change.packages.count, count);
}

/* Two sides of a platform that are not the same, and what is known to differ. */
static struct change changed(struct arena *arena, const char *platform)
{
    struct change_side *sides = arena_new_array(arena, struct change_side, 2);
    sides[0].platform = sides[1].platform = platform;
    sides[0].digest = digest_of("a", 1);
    return (struct change){.before = &sides[0], .after = &sides[1], .is_known = true};
}

/* An upgrade of one package of a source of the same name. */
static void upgrade(struct arena *arena, struct change *change, const char *name, const char *after, const char *cves,
                    bool has_given)
{
    struct bill_package *packages = arena_new_array(arena, struct bill_package, 2);
    packages[0] = package(name, "1", "amd64");
    packages[1] = package(name, after, "amd64");
    struct package_change found = {CHANGE_CHANGED, &packages[0], &packages[1], has_given};
    list_add(arena, &change->packages, found);
    struct story *story = arena_new(arena, struct story);
    *story = (struct story){.source = name, .before = "1", .after = after, .picks.seen.arena = arena};
    picks_take(arena, text_of(cves), &story->picks);
    struct change_story told = {.story = story};
    list_add(arena, &told.packages, name);
    list_add(arena, &change->stories, told);
}

static const char *brief(struct arena *arena, const struct change *changes, size_t count)
{
    struct strings lines = change_brief(arena, changes, count);
    return strings_join(arena, &lines, "|");
}

static void a_line_tells_of_all_platforms_or_says_of_which(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct change changes[] = {changed(&arena, "linux/a"), changed(&arena, "linux/b")};
    for (size_t i = 0; i < 2; i++)
        upgrade(&arena, &changes[i], "ssl", "2", "CVE-2026-0001 CVE-2026-0002", true);
    upgrade(&arena, &changes[1], "x\033y", "2", "", true);
    upgrade(&arena, &changes[1], "unused", "2", "", false); /* gave no file */
    assert_string_equal(brief(&arena, changes, 2), "ssl 1 → 2  CVE-2026-0001 CVE-2026-0002|x?y 1 → 2  (linux/b)");
    changes[0] = (struct change){.before = changes[0].after, .after = changes[0].after};
    assert_string_equal(brief(&arena, changes, 1), "");
    changes[0] = (struct change){.after = changes[1].after};
    assert_string_equal(brief(&arena, changes, 1), "linux/b came");
}

static void what_came_went_or_is_no_package_has_a_line(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct bill_package a = package("a", "1", "amd64"), b = package("b", "2", "amd64"),
                        other = package("a", "1", "amd64");
    struct change change = changed(&arena, "linux/a");
    list_add(&arena, &change.packages, (struct package_change){CHANGE_WENT, &a, NULL, true});
    list_add(&arena, &change.packages, (struct package_change){CHANGE_CAME, NULL, &b, true});
    list_add(&arena, &change.packages, (struct package_change){CHANGE_CHANGED, &a, &other, true});
    assert_string_equal(brief(&arena, &change, 1), "- a 1|+ b 2|a 1  (other bytes)");
    change = changed(&arena, "linux/a");
    assert_string_equal(brief(&arena, &change, 1), "the same files, otherwise packed");
    list_add(&arena, &change.values, (struct value_change){.key = "cmd"});
    list_add(&arena, &change.files, (struct file_change){.kind = CHANGE_WENT});
    assert_string_equal(brief(&arena, &change, 1), "configuration, 1 file");
    change = changed(&arena, "linux/a");
    change.is_known = false;
    assert_string_equal(brief(&arena, &change, 1), "not known in what");
}

static void many_changes_are_cut(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct change change = changed(&arena, "linux/a");
    for (size_t i = 0; i < BRIEF_LINES_MAX; i++)
        upgrade(&arena, &change, arena_printf(&arena, "p%zu", i), "2",
                i ? ""
                  : "CVE-2026-0001 CVE-2026-0002 CVE-2026-0003 CVE-2026-0004 CVE-2026-0005 CVE-2026-0006 CVE-2026-0007",
                true);
    struct strings lines = change_brief(&arena, &change, 1);
    assert_int_equal(lines.count, BRIEF_LINES_MAX);
    assert_string_equal(
        lines.items[0],
        "p0 1 → 2  CVE-2026-0001 CVE-2026-0002 CVE-2026-0003 CVE-2026-0004 CVE-2026-0005 CVE-2026-0006 and 1 more");
    upgrade(&arena, &change, "last", "2", "", true);
    lines = change_brief(&arena, &change, 1);
    assert_int_equal(lines.count, BRIEF_LINES_MAX);
    assert_string_equal(lines.items[BRIEF_LINES_MAX - 1], "… and 2 more");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_are_those_above_the_older_version),
        cmocka_unit_test(what_is_no_heading_is_none),
        cmocka_unit_test(a_limit_of_bytes_cuts),
        cmocka_unit_test(numbers_are_picked_out_of_texts),
        cmocka_unit_test(the_version_of_an_rpm_entry_ends_its_name),
        cmocka_unit_test(packages_are_paired_by_name_and_architecture),
        cmocka_unit_test(a_run_of_one_name_is_no_square),
        cmocka_unit_test(a_line_tells_of_all_platforms_or_says_of_which),
        cmocka_unit_test(what_came_went_or_is_no_package_has_a_line),
        cmocka_unit_test(many_changes_are_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
