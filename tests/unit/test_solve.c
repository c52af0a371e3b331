/* SPDX-License-Identifier: Apache-2.0 */
#include "arch_rename.h"
#include "check.h"

#include "base/auto.h"
#include "deb/deb_catalog.h"
#include "deb/deb_format.h"
#include "shipped.h"
#include "source/choose.h"
#include "source/solve_watch.h"

#define HASH "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define FILES(name) "Filename: pool/" name ".deb\nSize: 10\nSHA256: " HASH "\n\n"
#define PACKAGE(name, version, more) "Package: " name "\nVersion: " version "\nArchitecture: amd64\n" more FILES(name)

struct fixture {
    struct source source;
    struct deb_repository repositories[2];
    struct release items[2], *pointers[2];
    struct releases releases;
    struct arch arch;
    struct arena arena;
    struct catalog *catalog;
    struct selection selection;
    const char *installed; /* what the base has, or NULL */
    struct err err;
};

/* Opens a catalog over two texts, the second of a repository that is NotAutomatic or not. It may be NULL. */
static void open_two(struct fixture *fixture, const char *first, const char *second, bool is_not_automatic)
{
    const char *texts[] = {first, second};
    *fixture = (struct fixture){.source = {.format = &format_deb, .name = "test"},
                                .repositories = {{.name = "one", .suite = "one"}, {.name = "two", .suite = "two"}},
                                .arch = {.name = "x86_64"}};
    arch_rename(&fixture->arena, &fixture->arch, &format_deb, "amd64");
    fixture->releases =
        (struct releases){.source = &fixture->source, .items = fixture->pointers, .count = second ? 2 : 1};
    for (size_t i = 0; i < 2; i++) {
        fixture->items[i].repository = &fixture->repositories[i];
        fixture->pointers[i] = &fixture->items[i];
    }
    fixture->items[1].is_not_automatic = is_not_automatic;
    CHECK_OK(deb_catalog_from_texts(&fixture->releases, &fixture->arch, texts, &fixture->catalog, &fixture->err),
             &fixture->err);
    fixture->catalog->family = shipped_family(&fixture->arena, "deb");
}

/* Opens a catalog over one or two texts. `second` may be NULL. */
static void open_catalog(struct fixture *fixture, const char *first, const char *second)
{
    open_two(fixture, first, second, false);
}

static void fixture_done(struct fixture *fixture)
{
    catalog_close(fixture->catalog);
    arena_done(&fixture->arena);
}

/* Solves for blank-separated names; those with a '-' in front are never to be chosen. */
static bool solve(struct fixture *fixture, const char *names)
{
    struct solve_request request = {.installed = text_of(fixture->installed ? fixture->installed : "")};
    struct text rest = text_of(names), name;
    while (text_next_word(&rest, &name)) {
        bool is_never = name.ptr[0] == '-';
        const char *copy = text_dup(&fixture->arena, (struct text){name.ptr + is_never, name.len - is_never});
        list_add(&fixture->arena, is_never ? &request.never : &request.names, copy);
    }
    err_clear(&fixture->err);
    return solve_packages(&fixture->arena, fixture->catalog, &request, &fixture->selection, &fixture->err);
}

/* Checks that the solution is "name=version name=version …". */
static void check_solution(struct fixture *fixture, const char *names, const char *wanted)
{
    struct strings got = {0};
    CHECK_OK(solve(fixture, names), &fixture->err);
    for (size_t i = 0; i < fixture->selection.count; i++)
        list_add(&fixture->arena, &got,
                 arena_printf(&fixture->arena, "%s=%s", fixture->selection.items[i].name,
                              fixture->selection.items[i].version));
    assert_string_equal(strings_join(&fixture->arena, &got, " "), wanted);
}

static void test_dependencies_come_along_with_the_highest_version(void **state)
{
    (void)state;
    AUTO(fixture_done) struct fixture fixture;
    open_catalog(&fixture,
                 PACKAGE("app", "1", "Depends: lib (>= 1.10), tool:any\nRecommends: extra\n") PACKAGE("lib", "1.9", "")
                     PACKAGE("lib", "1.10", "") PACKAGE("tool", "1~rc1", "")
                         PACKAGE("tool", "1", "Multi-Arch: allowed\nPre-Depends: lib\n") PACKAGE("extra", "1", "")
                             PACKAGE("other", "1", "Depends: lib:any\n"),
                 NULL);
    check_solution(&fixture, "app", "app=1 lib=1.10 tool=1");
    assert_false(solve(&fixture, "other")); /* lib does not say Multi-Arch: allowed */
    err_clear(&fixture.err);
    check_solution(&fixture, "lib=1.9", "lib=1.9");
}

static void test_everything_about_a_package_is_handed_on(void **state)
{
    (void)state;
    AUTO(fixture_done) struct fixture fixture;
    open_catalog(&fixture,
                 PACKAGE("libx1", "1:2-3+b1", "Source: x (1:2-3)\nSection: libs\n") "Package: doc\nVersion: 7\n"
                                                                                    "Architecture: all\n" FILES("doc"),
                 NULL);
    CHECK_OK(solve(&fixture, "libx1 doc"), &fixture.err);
    assert_int_equal(fixture.selection.count, 2);
    const struct selected *doc = &fixture.selection.items[0], *lib = &fixture.selection.items[1];
    assert_string_equal(doc->architecture, "all");
    assert_string_equal(doc->source_package, "doc");
    assert_string_equal(doc->source_version, "7");
    assert_null(doc->section);
    assert_string_equal(lib->source_package, "x");
    assert_string_equal(lib->source_version, "1:2-3");
    assert_string_equal(lib->section, "libs");
    assert_string_equal(lib->url_path, "pool/libx1.deb");
    assert_int_equal(lib->size_bytes, 10);
    assert_string_equal(digest_hex(&lib->digest).chars, HASH);
    assert_ptr_equal(lib->origin, &fixture.catalog->origins.items[0]);
}

static void test_alternatives_are_taken_from_left_to_right(void **state)
{
    (void)state;
    AUTO(fixture_done) struct fixture fixture;
    open_catalog(&fixture,
                 PACKAGE("app", "1", "Depends: absent | second | third\n") PACKAGE("third", "1", "")
                     PACKAGE("second", "1", ""),
                 NULL);
    check_solution(&fixture, "app", "app=1 second=1");
    check_solution(&fixture, "app -second", "app=1 third=1");
    check_solution(&fixture, "app third", "app=1 third=1"); /* as apt: all that is asked for comes first */
    check_solution(&fixture, "third app", "app=1 third=1");
}

static void test_a_real_package_comes_before_its_providers(void **state)
{
    (void)state;
    AUTO(fixture_done) struct fixture fixture;
    open_catalog(&fixture,
                 PACKAGE("app", "1", "Depends: mta\n") PACKAGE("fake", "9", "Provides: mta\n") PACKAGE("mta", "1", "")
                     PACKAGE("user", "1", "Depends: log\n") PACKAGE("log-b", "1", "Priority: extra\nProvides: log\n")
                         PACKAGE("log-a", "1", "Priority: important\nProvides: log\n"),
                 NULL);
    check_solution(&fixture, "app", "app=1 mta=1");
    check_solution(&fixture, "user", "log-a=1 user=1");
}

static void test_a_versioned_dependency_wants_a_versioned_provider(void **state)
{
    (void)state;
    AUTO(fixture_done) struct fixture fixture;
    open_catalog(&fixture,
                 PACKAGE("app", "1", "Depends: api (>= 2)\n") PACKAGE("plain", "5", "Provides: api\n")
                     PACKAGE("old", "5", "Provides: api (= 1)\n") PACKAGE("new", "1", "Provides: api (= 2)\n"),
                 NULL);
    check_solution(&fixture, "app", "app=1 new=1");
}

static void test_a_conflict_makes_the_solver_choose_otherwise(void **state)
{
    (void)state;
    AUTO(fixture_done) struct fixture fixture;
    open_catalog(&fixture,
                 PACKAGE("app", "1", "Depends: left | right, base\n") PACKAGE("left", "1", "Depends: left-data\n")
                     PACKAGE("left-data", "1", "") PACKAGE("right", "1", "")
                         PACKAGE("base", "1", "Breaks: left (<< 2)\n"),
                 NULL);
    check_solution(&fixture, "app", "app=1 base=1 right=1"); /* and left-data, which nobody needs now, is not there */
}

static void test_cycles_are_fine(void **state)
{
    (void)state;
    AUTO(fixture_done) struct fixture fixture;
    open_catalog(&fixture, PACKAGE("a", "1", "Depends: b\n") PACKAGE("b", "1", "Pre-Depends: a\n"), NULL);
    check_solution(&fixture, "a", "a=1 b=1");
}

static void test_the_highest_version_of_equal_repositories_wins(void **state)
{
    (void)state;
    AUTO(fixture_done) struct fixture fixture;
    open_catalog(&fixture, PACKAGE("app", "1", "") PACKAGE("lib", "3", ""), PACKAGE("app", "2", "Depends: lib\n"));
    check_solution(&fixture, "app", "app=2 lib=3");
    assert_ptr_equal(fixture.selection.items[0].origin, &fixture.catalog->origins.items[1]);
}

static void test_a_repository_that_is_not_automatic_waits_to_be_asked(void **state)
{
    (void)state;
    AUTO(fixture_done) struct fixture fixture;
    open_two(&fixture, PACKAGE("app", "1", "") PACKAGE("base-files", "1", ""),
             PACKAGE("app", "2", "") PACKAGE("only", "1", "") PACKAGE("base-files", "2", ""), true);
    struct selected selected;
    bool is_found;
    check_solution(&fixture, "app", "app=1");
    check_solution(&fixture, "only", "only=1");
    check_solution(&fixture, "app=2", "app=2");
    CHECK_OK(solve_identity(&fixture.arena, fixture.catalog, NULL, &selected, &is_found, &fixture.err), &fixture.err);
    assert_true(is_found);
    assert_string_equal(selected.name, "base-files");
    assert_string_equal(selected.version, "1");
}

static void test_a_source_without_base_files_has_no_identity(void **state)
{
    (void)state;
    AUTO(fixture_done) struct fixture fixture;
    open_catalog(&fixture, PACKAGE("app", "1", ""), NULL);
    struct selected selected;
    bool is_found = true;
    CHECK_OK(solve_identity(&fixture.arena, fixture.catalog, NULL, &selected, &is_found, &fixture.err), &fixture.err);
    assert_false(is_found);
}

static void test_likely_packages_are_libraries_and_siblings(void **state)
{
    (void)state;
    static const char *const likely[] = {"app", "app-common", "libapp1", "zlib1g"};
    AUTO(fixture_done) struct fixture fixture;
    open_catalog(&fixture,
                 PACKAGE("app", "1", "Depends: app-common, libapp1, tool\n") PACKAGE("app-common", "1", "Source: app\n")
                     PACKAGE("libapp1", "1", "Depends: zlib1g\n") PACKAGE("zlib1g", "1", "Section: libs\n")
                         PACKAGE("tool", "1", "Depends: libtool1\n") PACKAGE("libtool1", "1", ""),
                 NULL);
    CHECK_OK(solve(&fixture, "app"), &fixture.err);
    assert_int_equal(fixture.selection.count, 6);
    for (size_t i = 0; i < fixture.selection.count; i++) {
        bool is_wanted = false;
        for (size_t k = 0; k < ARRAY_COUNT(likely); k++)
            is_wanted = is_wanted || strcmp(likely[k], fixture.selection.items[i].name) == 0;
        if (fixture.selection.items[i].is_likely != is_wanted)
            fail_msg("%s", fixture.selection.items[i].name);
    }
}

static void check_failure(const char *text, const char *names, enum err_kind kind, const char *part)
{
    AUTO(fixture_done) struct fixture fixture;
    open_catalog(&fixture, text, NULL);
    assert_false(solve(&fixture, names));
    CHECK_ERR(&fixture.err, kind, part);
}

static void test_what_cannot_be_solved_is_explained(void **state)
{
    (void)state;
    check_failure(PACKAGE("a", "1", ""), "nosuch", ERR_RESOLVE, "nosuch");
    check_failure(PACKAGE("a", "1", "Depends: b (>= 2)\n") PACKAGE("b", "1", ""), "a", ERR_RESOLVE,
                  "nothing provides b >= 2 needed by a-1");
    check_failure(PACKAGE("a", "1", "Depends: b\n") PACKAGE("b", "1", "Depends: c\n"), "a", ERR_RESOLVE,
                  "nothing provides c needed by b-1");
    check_failure(PACKAGE("a", "1", "Conflicts: b\n") PACKAGE("b", "1", ""), "a b", ERR_RESOLVE, "conflicts with b");
    check_failure(PACKAGE("a", "1", "Depends: b\n") PACKAGE("b", "1", ""), "a -b", ERR_RESOLVE,
                  "left out: b 1 of one: packages: never");
    check_failure(PACKAGE("a", "1", "Depends: b:i386\n") PACKAGE("b", "1", ""), "a", ERR_RESOLVE, "nothing provides");
    check_failure("Package: a\nVersion: 1\nArchitecture: arm64\n" FILES("a"), "a", ERR_RESOLVE,
                  "of another architecture");
}

static void test_a_package_without_a_hash_cannot_be_chosen(void **state)
{
    (void)state;
    check_failure("Package: a\nVersion: 1\nArchitecture: all\nFilename: a.deb\nSize: 1\n", "a", ERR_RESOLVE,
                  "no SHA256 in the index");
    check_failure("Package: a\nVersion: 1\nArchitecture: all\nSize: 1\nSHA256: " HASH "\n", "a", ERR_RESOLVE,
                  "no Filename in the index");
}

static void test_a_reached_package_with_broken_values_is_refused(void **state)
{
    (void)state;
#define STANZA(file, size, hash)                                                                                       \
    "Package: a\nVersion: 1\nArchitecture: all\nFilename: " file "\nSize: " size "\nSHA256: " hash "\n"
    check_failure(STANZA("../a.deb", "1", HASH), "a", ERR_MALFORMED, "no path below the repository");
    check_failure(STANZA("pool/../../a.deb", "1", HASH), "a", ERR_MALFORMED, "Packages of one:1: package a 1: ");
    check_failure(STANZA("/../shadow", "1", HASH), "a", ERR_MALFORMED, "\"/../shadow\"");
    check_failure(STANZA("http://evil/a.deb", "1", HASH), "a", ERR_MALFORMED, "Filename");
    check_failure(STANZA("file:/etc/a.deb", "1", HASH), "a", ERR_MALFORMED, "Filename");
    check_failure(STANZA("pool/", "1", HASH), "a", ERR_MALFORMED, "Filename");
    check_failure(STANZA("a.deb", "-1", HASH), "a", ERR_MALFORMED, "not a Size: \"-1\"");
    check_failure(STANZA("a.deb", "18446744073709551615", HASH), "a", ERR_MALFORMED, "not a Size");
    check_failure(STANZA("a.deb", "1", "abcd"), "a", ERR_MALFORMED, "not a SHA256: \"abcd\"");
    check_failure(PACKAGE("a", "1 2", ""), "a", ERR_MALFORMED, "not a version");
    check_failure(PACKAGE("a", "1", "Depends: b >= 2\n"), "a", ERR_MALFORMED, "not a relation in Depends: \"b >= 2\"");
    check_failure(PACKAGE("a", "1", "Depends: b |\n"), "a", ERR_MALFORMED, "not a relation in Depends");
}

static void test_a_broken_package_that_is_not_reached_does_no_harm(void **state)
{
    (void)state;
    AUTO(fixture_done) struct fixture fixture;
    open_catalog(&fixture, PACKAGE("good", "1", "") PACKAGE("bad", "1", "Depends: )(\n"), NULL);
    check_solution(&fixture, "good", "good=1");
}

static void test_ten_thousand_packages_in_a_row_need_no_deep_stack(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf text = {0};
    AUTO(fixture_done) struct fixture fixture;
    buf_init(&text, (size_t)1 << 24);
    for (int i = 0; i < 10000; i++)
        assert_true(buf_printf(&text,
                               "Package: p%d\nVersion: 1\nArchitecture: all\nDepends: p%d\nFilename: p.deb\nSize: 1\n"
                               "SHA256: " HASH "\n\n",
                               i, (i + 1) % 10000));
    open_catalog(&fixture, text.bytes, NULL);
    CHECK_OK(solve(&fixture, "p0"), &fixture.err);
    assert_int_equal(fixture.selection.count, 10000);
}

static void test_a_thousand_and_one_alternatives_are_refused(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf text = {0};
    buf_init(&text, (size_t)1 << 20);
    assert_true(buf_printf(&text, "Package: a\nVersion: 1\nArchitecture: all\n" FILES("a")));
    text.len--; /* the empty line */
    assert_true(buf_printf(&text, "Depends: x"));
    for (int i = 0; i < 1000; i++)
        assert_true(buf_printf(&text, "|x"));
    assert_true(buf_printf(&text, "\n"));
    check_failure(text.bytes, "a", ERR_MALFORMED, "not a relation in Depends");
}

static void test_the_same_indices_have_the_same_digest(void **state)
{
    (void)state;
    AUTO(fixture_done) struct fixture one, same, other;
    open_catalog(&one, PACKAGE("a", "1", ""), NULL);
    open_catalog(&same, PACKAGE("a", "1", ""), NULL);
    open_catalog(&other, PACKAGE("a", "2", ""), NULL);
    assert_true(digest_eq(&one.catalog->digest, &same.catalog->digest));
    assert_false(digest_eq(&one.catalog->digest, &other.catalog->digest));
    assert_true(catalog_has(one.catalog, "a", false));
    assert_false(catalog_has(one.catalog, "b", true));
}

static void test_a_package_named_first_in_the_manifest_is_taken_without_contents(void **state)
{
    (void)state;
    AUTO(fixture_done) struct fixture fixture;
    struct choice choice;
    struct strings first = {0}, never = {0};
    open_catalog(&fixture, PACKAGE("app", "1", "") PACKAGE("app-ldap", "1", ""), NULL);
    list_add(&fixture.arena, &first, "absent");
    list_add(&fixture.arena, &first, "app");
    list_add(&fixture.arena, &first, "app-ldap");
    struct choose_request request = {.path = "/usr/sbin/app", .image_name = "x", .first = &first, .never = &never};
    CHECK_OK(choose_package(&fixture.arena, NULL, fixture.catalog, &request, &choice, &fixture.err), &fixture.err);
    assert_string_equal(choice.package, "app");
    assert_true(choice.is_from_first);
    list_add(&fixture.arena, &never, "app");
    CHECK_OK(choose_package(&fixture.arena, NULL, fixture.catalog, &request, &choice, &fixture.err), &fixture.err);
    assert_string_equal(choice.package, "app-ldap");
    struct strings looked = {0};
    list_add(&fixture.arena, &looked, "app-ldap");
    request.is_first_ignored = true;
    request.looked = &looked;
    assert_false(choose_package(&fixture.arena, NULL, fixture.catalog, &request, &choice, &fixture.err));
    CHECK_ERR(&fixture.err, ERR_RESOLVE, "packages: first");
}

static void test_a_version_that_is_asked_for_is_the_candidate(void **state)
{
    (void)state;
    AUTO(fixture_done) struct fixture fixture;
    open_catalog(&fixture, PACKAGE("app", "1", "Depends: lib (<< 2)\n") PACKAGE("lib", "1", "") PACKAGE("lib", "2", ""),
                 NULL);
    assert_false(solve(&fixture, "app"));
    CHECK_ERR(&fixture.err, ERR_RESOLVE, "nothing provides lib");
    assert_non_null(strstr(fixture.err.text, "lib 1 instead of 2"));
    check_solution(&fixture, "app lib=1", "app=1 lib=1");
    assert_false(solve(&fixture, "app lib=2"));
}

static void test_a_watch_ends_by_steps_and_by_its_flag(void **state)
{
    (void)state;
    struct solve_watch watch;
    struct err err = {0};
    atomic_bool cancel = false;
    solve_watch_begin(&watch, &cancel);
    assert_true(solve_watch_look(&watch, &err));
    atomic_store(&cancel, true);
    assert_false(solve_watch_look(&watch, &err));
    CHECK_ERR(&err, ERR_CANCELLED, "interrupted");
    err_clear(&err);
    solve_watch_begin(&watch, NULL);
    watch.steps = SOLVE_STEPS_MAX + 1;
    assert_false(solve_watch_look(&watch, &err));
    CHECK_ERR(&err, ERR_MALFORMED, "steps");
    err_clear(&err);
    solve_watch_begin(&watch, NULL);
    watch.end_ns = 0;
    bool is_over = false;
    for (int i = 0; i < 1000 && !is_over; i++)
        is_over = !solve_watch_look(&watch, &err);
    CHECK_ERR(&err, ERR_MALFORMED, "seconds of computing");
}

#define INSTALLED(name, version, more)                                                                                 \
    "Package: " name "\nStatus: install ok installed\nArchitecture: amd64\nVersion: " version "\n" more "\n"

static void test_what_the_base_has_satisfies_and_is_not_selected(void **state)
{
    (void)state;
    AUTO(fixture_done) struct fixture fixture;
    open_catalog(&fixture,
                 PACKAGE("app", "1", "Depends: lib, first | second, new\n") PACKAGE("lib", "2", "")
                     PACKAGE("first", "1", "") PACKAGE("second", "1", "") PACKAGE("new", "1", ""),
                 NULL);
    check_solution(&fixture, "app", "app=1 first=1 lib=2 new=1");
    fixture.installed = INSTALLED("lib", "1", "") INSTALLED("second", "1", "");
    check_solution(&fixture, "app",
                   "app=1 new=1");            /* the newer lib is not needed, and the second alternative is there */
    check_solution(&fixture, "second", "");   /* there in the newest version */
    check_solution(&fixture, "lib", "lib=2"); /* as apt: who asks for a package gets the newest */
    assert_string_equal(fixture.selection.items[0].replaces_version, "1");
    fixture.installed = "Package: lib\nStatus: deinstall ok config-files\nArchitecture: amd64\nVersion: 1\n\n"
                        "Package: second\nStatus: install ok installed\nArchitecture: i386\nVersion: 1\n";
    check_solution(&fixture, "app", "app=1 first=1 lib=2 new=1"); /* neither is there */
    assert_null(fixture.selection.items[0].replaces_version);
}

static void test_a_package_of_the_base_is_upgraded_only_when_something_needs_it(void **state)
{
    (void)state;
    AUTO(fixture_done) struct fixture fixture;
    open_catalog(&fixture,
                 PACKAGE("app", "1", "Depends: lib (>= 2)\n") PACKAGE("breaker", "1", "Breaks: lib (<< 2)\n")
                     PACKAGE("lib", "2", "") PACKAGE("lib-dev", "2", "Depends: lib (= 2), more\n")
                         PACKAGE("more", "1", "") PACKAGE("other", "9", ""),
                 NULL);
    fixture.installed = INSTALLED("lib", "1", "") INSTALLED("other", "1", "");
    check_solution(&fixture, "app", "app=1 lib=2");
    assert_string_equal(fixture.selection.items[1].replaces_version, "1");
    assert_null(fixture.selection.items[0].replaces_version);
    check_solution(&fixture, "breaker", "breaker=1 lib=2");
    fixture.installed = INSTALLED("lib", "1", "") INSTALLED("lib-dev", "1", "Depends: lib (= 1)\n");
    check_solution(&fixture, "app", "app=1 lib=2 lib-dev=2 more=1"); /* what depends on it goes along */
    fixture.installed = INSTALLED("lib", "3", "");
    check_solution(&fixture, "app breaker", "app=1 breaker=1");
}

static void test_nothing_of_the_base_is_removed_or_downgraded(void **state)
{
    (void)state;
    AUTO(fixture_done) struct fixture fixture;
    open_catalog(&fixture,
                 PACKAGE("mta", "1", "Conflicts: other-mta\n") PACKAGE("old", "1", "Depends: lib (<< 2)\n")
                     PACKAGE("lib", "1", "") PACKAGE("app", "1", "Depends: mta | log\n") PACKAGE("log", "1", ""),
                 NULL);
    fixture.installed = INSTALLED("other-mta", "1", "") INSTALLED("lib", "2", "");
    assert_false(solve(&fixture, "mta"));
    CHECK_ERR(&fixture.err, ERR_RESOLVE, "other-mta");
    assert_false(solve(&fixture, "old"));
    CHECK_ERR(&fixture.err, ERR_RESOLVE, "lib");
    check_solution(&fixture, "app", "app=1 log=1");
    fixture.installed = "Package: x\nStatus: install ok\n";
    assert_false(solve(&fixture, "log"));
    CHECK_ERR(&fixture.err, ERR_MALFORMED, "the base's list of packages:2: package x: not a state of dpkg's");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dependencies_come_along_with_the_highest_version),
        cmocka_unit_test(test_everything_about_a_package_is_handed_on),
        cmocka_unit_test(test_alternatives_are_taken_from_left_to_right),
        cmocka_unit_test(test_a_real_package_comes_before_its_providers),
        cmocka_unit_test(test_a_versioned_dependency_wants_a_versioned_provider),
        cmocka_unit_test(test_a_conflict_makes_the_solver_choose_otherwise),
        cmocka_unit_test(test_cycles_are_fine),
        cmocka_unit_test(test_the_highest_version_of_equal_repositories_wins),
        cmocka_unit_test(test_a_repository_that_is_not_automatic_waits_to_be_asked),
        cmocka_unit_test(test_a_source_without_base_files_has_no_identity),
        cmocka_unit_test(test_likely_packages_are_libraries_and_siblings),
        cmocka_unit_test(test_what_cannot_be_solved_is_explained),
        cmocka_unit_test(test_a_package_without_a_hash_cannot_be_chosen),
        cmocka_unit_test(test_a_reached_package_with_broken_values_is_refused),
        cmocka_unit_test(test_a_broken_package_that_is_not_reached_does_no_harm),
        cmocka_unit_test(test_ten_thousand_packages_in_a_row_need_no_deep_stack),
        cmocka_unit_test(test_a_thousand_and_one_alternatives_are_refused),
        cmocka_unit_test(test_the_same_indices_have_the_same_digest),
        cmocka_unit_test(test_a_package_named_first_in_the_manifest_is_taken_without_contents),
        cmocka_unit_test(test_a_version_that_is_asked_for_is_the_candidate),
        cmocka_unit_test(test_what_the_base_has_satisfies_and_is_not_selected),
        cmocka_unit_test(test_a_package_of_the_base_is_upgraded_only_when_something_needs_it),
        cmocka_unit_test(test_nothing_of_the_base_is_removed_or_downgraded),
        cmocka_unit_test(test_a_watch_ends_by_steps_and_by_its_flag),
    };
    return cmocka_run_group_tests_name("solve", tests, NULL, NULL);
}
