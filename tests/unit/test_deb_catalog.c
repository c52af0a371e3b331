/* SPDX-License-Identifier: Apache-2.0 */
/* Repositories in a temporary directory, read by file: URLs; their Releases are made by hand. */
#include "arch_rename.h"
#include "check.h"

#include "base/auto.h"
#include "deb/deb_catalog.h"
#include "deb/deb_format.h"
#include "io/file.h"
#include "source/choose.h"

#include <libdeflate.h>

#define HASH "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define PACKAGE(name, more)                                                                                            \
    "Package: " name "\nVersion: 1\nArchitecture: amd64\n" more "Filename: pool/" name ".deb\nSize: 10\nSHA256: " HASH \
    "\n\n"

struct fixture {
    const char *dir;
    struct arena arena;
    struct source source;
    struct deb_repository repository;
    struct release release, *pointer;
    struct releases releases;
    struct arch arch;
    struct source_env env;
    struct workers *workers;
    struct catalog *catalog;
    struct err err;
};

static void begin(struct fixture *fixture)
{
    struct http_options options = {.retry_count = HTTP_NO_RETRY};
    *fixture = (struct fixture){.dir = check_temporary_dir(), .arch = {.name = "x86_64"}};
    arch_rename(&fixture->arena, &fixture->arch, &format_deb, "amd64");
    fixture->source = (struct source){.format = &format_deb, .name = "test"};
    const char *uri = arena_printf(&fixture->arena, "file://%s/", fixture->dir);
    fixture->repository = (struct deb_repository){.name = "stable of test", .suite = "stable"};
    list_add(&fixture->arena, &fixture->repository.uris, uri);
    list_add(&fixture->arena, &fixture->repository.components, "main");
    fixture->release = (struct release){.repository = &fixture->repository, .uri = uri, .has_all_in_arch = true};
    fixture->release.dir = arena_printf(&fixture->arena, "%sdists/stable/", uri);
    fixture->release.files.arena = &fixture->arena;
    list_add(&fixture->arena, &fixture->release.architectures, "amd64");
    fixture->pointer = &fixture->release;
    fixture->releases = (struct releases){.source = &fixture->source, .items = &fixture->pointer, .count = 1};
    fixture->env = (struct source_env){.state_dir = fixture->dir, .log = log_open(LOG_QUIET)};
    CHECK_OK(
        store_open(arena_printf(&fixture->arena, "%s/cache", fixture->dir), NULL, &fixture->env.store, &fixture->err),
        &fixture->err);
    CHECK_OK(http_start(&options, &fixture->env.http, &fixture->err), &fixture->err);
    CHECK_OK(workers_start(2, &fixture->workers, &fixture->err), &fixture->err);
}

static void fixture_done(struct fixture *fixture)
{
    catalog_close(fixture->catalog);
    workers_stop(fixture->workers);
    http_stop(fixture->env.http);
    store_close(fixture->env.store);
    log_close(fixture->env.log);
    char *command = arena_printf(&fixture->arena, "rm -rf '%s'", fixture->dir);
    assert_int_equal(system(command), 0);
    arena_done(&fixture->arena);
}

/* Writes a file of the repository and lists it in the Release; a name ending in ".gz" is compressed. */
static void add_file(struct fixture *fixture, const char *name, const char *text)
{
    size_t len = strlen(text), size = len + 200;
    char *bytes = arena_alloc(&fixture->arena, size);
    memcpy(bytes, text, len);
    if (text_has_suffix(text_of(name), ".gz")) {
        struct libdeflate_compressor *compressor = libdeflate_alloc_compressor(6);
        len = libdeflate_gzip_compress(compressor, text, strlen(text), bytes, size);
        libdeflate_free_compressor(compressor);
    }
    const char *slash = strrchr(name, '/');
    AUTO(auto_close_fd) int dirfd = -1;
    char *dir =
        arena_printf(&fixture->arena, "%s/dists/stable/%.*s", fixture->dir, slash ? (int)(slash - name) : 0, name);
    CHECK_OK(file_make_dirs(dir, 0755, &fixture->err), &fixture->err);
    CHECK_OK(file_open_dir(dir, &dirfd, &fixture->err), &fixture->err);
    CHECK_OK(file_write_atomic_at(dirfd, slash ? slash + 1 : name, bytes, len, 0644, false, &fixture->err),
             &fixture->err);
    struct release_file *file = arena_new(&fixture->arena, struct release_file);
    *file = (struct release_file){.size_bytes = len, .digest = digest_of(bytes, len)};
    map_set(&fixture->release.files, text_of(name), file);
}

static bool open_it(struct fixture *fixture)
{
    catalog_close(fixture->catalog);
    fixture->catalog = NULL;
    err_clear(&fixture->err);
    return deb_catalog_open(&fixture->env, fixture->workers, &fixture->releases, &fixture->arch, &fixture->catalog,
                            &fixture->err) &&
           catalog_prepare(fixture->catalog, &fixture->err);
}

static struct choice choose(struct fixture *fixture, const char *path, const char *image, const struct strings *never)
{
    struct choose_request request = {.path = path, .image_name = image, .never = never};
    struct choice choice = {0};
    CHECK_OK(choose_package(&fixture->arena, fixture->workers, fixture->catalog, &request, &choice, &fixture->err),
             &fixture->err);
    return choice;
}

static const char packages[] = PACKAGE("dhcp", "Depends: lib\n") PACKAGE("dhcp-ldap", "Depends: lib, ldap\n")
    PACKAGE("lib", "") PACKAGE("ldap", "") PACKAGE("tool", "") PACKAGE("script", "");

static void test_a_binary_is_found_in_the_package_with_the_fewest_dependencies(void **state)
{
    (void)state;
    AUTO(fixture_done) struct fixture fixture;
    begin(&fixture);
    add_file(&fixture, "main/binary-amd64/Packages.gz", packages);
    add_file(&fixture, "main/Contents-amd64.gz",
             "usr/sbin/dhcpd net/dhcp-ldap,net/dhcp,net/gone\nbin/tool utils/tool,net/lib\n");
    CHECK_OK(open_it(&fixture), &fixture.err);
    struct choice choice = choose(&fixture, "/sbin/dhcpd", "dhcpd", NULL);
    assert_string_equal(choice.package, "dhcp");
    assert_string_equal(choice.why, "fewest packages (2; dhcp-ldap 3)");
    assert_int_equal(choice.others.count, 1);
    assert_string_equal(choice.others.items[0], "dhcp-ldap");
    choice = choose(&fixture, "/usr/sbin/dhcpd", "dhcp-ldap", NULL);
    assert_string_equal(choice.package, "dhcp-ldap");
    assert_string_equal(choice.why, "named like the image");
    choice = choose(&fixture, "/usr/bin/tool", "x", NULL);
    assert_string_equal(choice.why, "named like the binary");
    struct strings never = {0};
    list_add(&fixture.arena, &never, "dhcp");
    choice = choose(&fixture, "/usr/sbin/dhcpd", "x", &never);
    assert_string_equal(choice.package, "dhcp-ldap");
    assert_string_equal(choice.why, "the only one");
}

static void test_contents_all_answers_when_the_architecture_does_not(void **state)
{
    (void)state;
    AUTO(fixture_done) struct fixture fixture;
    begin(&fixture);
    add_file(&fixture, "main/binary-amd64/Packages", packages);
    add_file(&fixture, "main/Contents-amd64.gz", "");
    add_file(&fixture, "main/Contents-all", "usr/bin/script text/script\nusr/share/data/x text/script\n");
    CHECK_OK(open_it(&fixture), &fixture.err);
    assert_string_equal(choose(&fixture, "/bin/script", "x", NULL).package, "script");
    assert_string_equal(choose(&fixture, "/usr/share/data/x", "x", NULL).package, "script");
}

static void test_a_path_that_nobody_ships_is_an_error_with_a_hint(void **state)
{
    (void)state;
    AUTO(fixture_done) struct fixture fixture;
    struct choice choice;
    struct choose_request request = {.path = "/usr/bin/dhcpd", .image_name = "dhcpd"};
    begin(&fixture);
    add_file(&fixture, "main/binary-amd64/Packages", packages);
    add_file(&fixture, "Contents-amd64.gz", "FILE LOCATION\nusr/sbin/dhcpd net/dhcp\n");
    CHECK_OK(open_it(&fixture), &fixture.err);
    assert_false(choose_package(&fixture.arena, fixture.workers, fixture.catalog, &request, &choice, &fixture.err));
    CHECK_ERR(&fixture.err, ERR_RESOLVE,
              "no package of test for amd64 ships /usr/bin/dhcpd; /usr/sbin/dhcpd is in dhcp");
}

/* "NAME:given,dependent,needed,recommended,all,holds:PATH…" for each. */
static const char *say_siblings(struct fixture *fixture, const char *package)
{
    static const char *const holds[] = {"unknown", "none", "service"};
    struct siblings siblings = {0};
    const char *said = "";
    CHECK_OK(catalog_siblings(fixture->catalog, &fixture->arena, package, &siblings, &fixture->err), &fixture->err);
    for (size_t i = 0; i < siblings.count; i++) {
        const struct sibling *sibling = &siblings.items[i];
        said = arena_printf(&fixture->arena, "%s%s%s%s%s%s%s,%s%s%s;", said, sibling->name,
                            sibling->is_given ? ",given" : "", sibling->is_dependent ? ",dependent" : "",
                            sibling->is_needed ? ",needed" : "", sibling->is_recommended ? ",recommended" : "",
                            sibling->is_for_all ? ",all" : "", holds[sibling->holds],
                            sibling->services.count ? " " : "", strings_join(&fixture->arena, &sibling->services, " "));
    }
    return said;
}

static const char family[] =
    PACKAGE("db-core", "Source: db (1)\nDepends: db-common (>= 1)\nRecommends: dbx, db-server | y\n")
        PACKAGE("db-server", "Source: db\nPre-Depends: x | db-core (= 1), y\n") PACKAGE("db-doc", "Source: db (1)\n")
            PACKAGE("dbx",
                    "Source: dbx (1)\nDepends: db-core\n") "Package: db-common\nSource: db\nVersion: 1\nArchitecture: "
                                                           "all\nFilename: pool/c.deb\nSize: 1\nSHA256: " HASH "\n\n"
                                                           /* was built of the source, and is no more */
                                                           "Package: gone\nSource: db\nVersion: 0\nArchitecture: "
                                                           "amd64\nFilename: pool/g.deb\nSize: 1\nSHA256: " HASH
                                                           "\n\n" PACKAGE("gone", "Source: other\n");

static void test_siblings_tell_who_holds_the_service(void **state)
{
    (void)state;
    AUTO(fixture_done) struct fixture fixture;
    begin(&fixture);
    add_file(&fixture, "main/binary-amd64/Packages.gz", family);
    add_file(&fixture, "main/Contents-amd64.gz",
             "lib/systemd/system/db.service net/db-server\nlib/systemd/system/x.service net/dbx\n");
    CHECK_OK(open_it(&fixture), &fixture.err);
    assert_string_equal(say_siblings(&fixture, "db-core"),
                        "db-common,needed,all,unknown;db-core,given,none;db-doc,none;"
                        "db-server,dependent,recommended,service /usr/lib/systemd/system/db.service;");
    struct siblings none;
    assert_false(catalog_siblings(fixture.catalog, &fixture.arena, "absent", &none, &fixture.err));
    CHECK_ERR(&fixture.err, ERR_RESOLVE, "test has no package absent");
}

static void test_contents_all_tells_of_siblings_when_no_other_has_a_service(void **state)
{
    (void)state;
    AUTO(fixture_done) struct fixture fixture;
    begin(&fixture);
    add_file(&fixture, "main/binary-amd64/Packages.gz", family);
    add_file(&fixture, "main/Contents-amd64.gz", "usr/sbin/db net/db-core\n");
    add_file(&fixture, "main/Contents-all.gz", "etc/init.d/db net/db-common\n");
    CHECK_OK(open_it(&fixture), &fixture.err);
    assert_string_equal(say_siblings(&fixture, "db-core"),
                        "db-common,needed,all,service /etc/init.d/db;db-core,given,none;"
                        "db-doc,none;db-server,dependent,recommended,none;");
}

static void test_siblings_are_known_without_any_contents(void **state)
{
    (void)state;
    static const char wanted[] = "db-common,needed,all,unknown;db-core,given,unknown;db-doc,unknown;"
                                 "db-server,dependent,recommended,unknown;";
    AUTO(fixture_done) struct fixture fixture;
    begin(&fixture);
    add_file(&fixture, "main/binary-amd64/Packages.gz", family);
    CHECK_OK(open_it(&fixture), &fixture.err);
    assert_string_equal(say_siblings(&fixture, "db-core"), wanted);
    add_file(&fixture, "main/Contents-amd64.gz", "lib/systemd/system/db.service net/db-server\n");
    struct release_file *file = map_get(&fixture.release.files, TEXT("main/Contents-amd64.gz"));
    file->digest.bytes[0] ^= 1; /* the mirror is in motion */
    CHECK_OK(open_it(&fixture), &fixture.err);
    assert_string_equal(say_siblings(&fixture, "db-core"), wanted);
}

/* "PATH:PACKAGE,PACKAGE…" for each. */
static const char *say_locations(struct fixture *fixture, const char *base, enum located_kind kind)
{
    struct locations found = {0};
    const char *said = "";
    CHECK_OK(catalog_locate(fixture->catalog, &fixture->arena, base, kind, &found, &fixture->err), &fixture->err);
    for (size_t i = 0; i < found.count; i++)
        said = arena_printf(&fixture->arena, "%s%s:%s;", said, found.items[i].path,
                            strings_join(&fixture->arena, &found.items[i].packages, ","));
    return said;
}

static void test_programs_and_services_are_found_by_their_base_name(void **state)
{
    (void)state;
    AUTO(fixture_done) struct fixture fixture;
    begin(&fixture);
    add_file(&fixture, "main/binary-amd64/Packages", packages);
    add_file(&fixture, "main/Contents-amd64.gz",
             "bin/x u/tool,u/lib,u/gone\nsbin/x u/dhcp\nusr/libexec/y/x u/lib\nusr/lib/y/x u/lib\nusr/share/x u/lib\n"
             "opt/y/bin/deep u/lib\nusr/lib/y/bin/deep u/dhcp\nusr/lib/y/deep u/tool\n"
             "lib/systemd/system/x.service u/lib\nusr/lib/systemd/user/x.service u/tool\netc/init.d/x u/dhcp\n");
    add_file(&fixture, "main/Contents-all", "usr/bin/x u/script\nusr/games/late u/script\n");
    CHECK_OK(open_it(&fixture), &fixture.err);
    assert_string_equal(say_locations(&fixture, "x", LOCATED_PROGRAMS), "/usr/sbin/x:dhcp;/usr/bin/x:lib,tool;");
    assert_string_equal(say_locations(&fixture, "deep", LOCATED_PROGRAMS),
                        "/opt/y/bin/deep:lib;/usr/lib/y/bin/deep:dhcp;/usr/lib/y/deep:tool;");
    assert_string_equal(say_locations(&fixture, "late", LOCATED_PROGRAMS), "/usr/games/late:script;");
    assert_string_equal(say_locations(&fixture, "x.service", LOCATED_SERVICES),
                        "/usr/lib/systemd/system/x.service:lib;");
    assert_string_equal(say_locations(&fixture, "x", LOCATED_SERVICES), "/etc/init.d/x:dhcp;");
    assert_string_equal(say_locations(&fixture, "none", LOCATED_PROGRAMS), "");
}

static void test_a_package_is_described_by_its_index(void **state)
{
    (void)state;
    AUTO(fixture_done) struct fixture fixture;
    struct catalog_package told;
    bool is_found;
    begin(&fixture);
    add_file(&fixture, "main/binary-amd64/Packages.gz", family);
    CHECK_OK(open_it(&fixture), &fixture.err);
    CHECK_OK(catalog_describe(fixture.catalog, &fixture.arena, "db-server", &told, &is_found, &fixture.err),
             &fixture.err);
    assert_true(is_found);
    assert_string_equal(told.source, "db");
    assert_string_equal(strings_join(&fixture.arena, &told.depends, " "), "db-core");
    CHECK_OK(catalog_describe(fixture.catalog, &fixture.arena, "absent", &told, &is_found, &fixture.err), &fixture.err);
    assert_false(is_found);
}

static void test_without_contents_names_are_tried_one_after_the_other(void **state)
{
    (void)state;
    AUTO(fixture_done) struct fixture fixture;
    struct strings first = {0}, looked = {0};
    struct choose_request request = {
        .path = "/usr/sbin/tool", .image_name = "script", .first = &first, .looked = &looked, .is_first_ignored = true};
    static const char *const wanted[] = {"dhcp", "lib", "tool", "script"};
    begin(&fixture);
    list_add(&fixture.arena, &first, "absent");
    list_add(&fixture.arena, &first, "dhcp");
    list_add(&fixture.arena, &first, "lib");
    add_file(&fixture, "main/binary-amd64/Packages.gz", packages);
    CHECK_OK(open_it(&fixture), &fixture.err);
    for (size_t i = 0; i < ARRAY_COUNT(wanted); i++) {
        struct choice choice = {0};
        CHECK_OK(choose_package(&fixture.arena, fixture.workers, fixture.catalog, &request, &choice, &fixture.err),
                 &fixture.err);
        assert_string_equal(choice.package, wanted[i]);
        assert_true(choice.is_from_first);
        list_add(&fixture.arena, &looked, choice.package);
    }
    struct choice none;
    assert_false(choose_package(&fixture.arena, fixture.workers, fixture.catalog, &request, &none, &fixture.err));
    CHECK_ERR(&fixture.err, ERR_RESOLVE, "packages: first");
}

static void test_the_second_opening_needs_no_repository(void **state)
{
    (void)state;
    AUTO(fixture_done) struct fixture fixture;
    begin(&fixture);
    add_file(&fixture, "main/binary-amd64/Packages.gz", packages);
    add_file(&fixture, "main/Contents-amd64.gz", "usr/sbin/dhcpd net/dhcp\n");
    CHECK_OK(open_it(&fixture), &fixture.err);
    assert_string_equal(choose(&fixture, "/usr/sbin/dhcpd", "x", NULL).package, "dhcp");
    assert_int_equal(
        system(arena_printf(&fixture.arena, "rm -rf '%s/dists' '%s/cache/v1/blob'/*/*", fixture.dir, fixture.dir)), 0);
    CHECK_OK(open_it(&fixture), &fixture.err);
    assert_true(catalog_has(fixture.catalog, "dhcp", false));
    assert_string_equal(choose(&fixture, "/usr/sbin/dhcpd", "x", NULL).package, "dhcp");
}

static void test_other_bytes_than_the_release_lists_are_refused(void **state)
{
    (void)state;
    AUTO(fixture_done) struct fixture fixture;
    begin(&fixture);
    add_file(&fixture, "main/binary-amd64/Packages", packages);
    struct release_file *file = map_get(&fixture.release.files, TEXT("main/binary-amd64/Packages"));
    file->digest.bytes[0] ^= 1;
    assert_false(open_it(&fixture));
    CHECK_ERR(&fixture.err, ERR_NETWORK, "sha256");
}

static void test_a_broken_packages_file_is_named_with_its_line(void **state)
{
    (void)state;
    AUTO(fixture_done) struct fixture fixture;
    begin(&fixture);
    add_file(&fixture, "main/binary-amd64/Packages.gz", "Package: a\nVersion: 1\n\n<html>\n");
    assert_false(open_it(&fixture));
    CHECK_ERR(&fixture.err, ERR_MALFORMED, "main/binary-amd64/Packages of stable of test:4: not a field");
}

static void test_an_architecture_that_nobody_offers_is_refused(void **state)
{
    (void)state;
    AUTO(fixture_done) struct fixture fixture;
    begin(&fixture);
    add_file(&fixture, "main/binary-amd64/Packages", packages);
    arch_rename(&fixture.arena, &fixture.arch, &format_deb, "riscv64");
    assert_false(open_it(&fixture));
    CHECK_ERR(&fixture.err, ERR_RESOLVE,
              "no repository of test offers architecture riscv64 (they offer: stable of test: amd64)");
}

static void test_a_restricted_repository_is_passed_over(void **state)
{
    (void)state;
    AUTO(fixture_done) struct fixture fixture;
    begin(&fixture);
    add_file(&fixture, "main/binary-amd64/Packages", packages);
    list_add(&fixture.arena, &fixture.repository.architectures, "arm64");
    assert_false(open_it(&fixture));
    CHECK_ERR(&fixture.err, ERR_RESOLVE, "they offer: stable of test: arm64");
}

static void test_packages_for_all_are_read_where_they_stand_apart(void **state)
{
    (void)state;
    AUTO(fixture_done) struct fixture fixture;
    begin(&fixture);
    add_file(&fixture, "main/binary-amd64/Packages", packages);
    add_file(&fixture, "main/binary-all/Packages", PACKAGE("apart", ""));
    CHECK_OK(open_it(&fixture), &fixture.err);
    assert_false(catalog_has(fixture.catalog, "apart", true));
    fixture.release.has_all_in_arch = false;
    CHECK_OK(open_it(&fixture), &fixture.err);
    assert_true(catalog_has(fixture.catalog, "apart", true));
}

static void test_a_flat_repository_is_read_from_its_one_index(void **state)
{
    (void)state;
    AUTO(fixture_done) struct fixture fixture;
    begin(&fixture);
    fixture.repository.components.count = 0;
    add_file(&fixture, "Packages.gz", packages);
    CHECK_OK(open_it(&fixture), &fixture.err);
    assert_true(catalog_has(fixture.catalog, "dhcp", false));
}

static struct digest digest_with(struct fixture *fixture, const char *contents_file, const char *text)
{
    add_file(fixture, contents_file, text);
    CHECK_OK(open_it(fixture), &fixture->err);
    return fixture->catalog->digest;
}

static void test_each_contents_file_that_may_be_asked_changes_the_digest(void **state)
{
    (void)state;
    static const char *const files[] = {"main/Contents-amd64.gz", "main/Contents-all"};
    AUTO(fixture_done) struct fixture fixture;
    begin(&fixture);
    add_file(&fixture, "main/binary-amd64/Packages.gz", packages);
    for (size_t i = 0; i < ARRAY_COUNT(files); i++) {
        struct digest before = digest_with(&fixture, files[i], "usr/sbin/dhcpd net/dhcp\n");
        struct digest same = digest_with(&fixture, files[i], "usr/sbin/dhcpd net/dhcp\n");
        struct digest after = digest_with(&fixture, files[i], "usr/sbin/dhcpd net/dhcp-ldap\n");
        assert_true(digest_eq(&before, &same));
        assert_false(digest_eq(&before, &after));
    }
    struct digest before = fixture.catalog->digest, other = digest_with(&fixture, "main/Contents-arm64", "a b\n");
    assert_true(digest_eq(&before, &other));
}

static void test_the_mirror_that_answered_changes_the_digest_and_who_asked_it_does_not(void **state)
{
    (void)state;
    AUTO(fixture_done) struct fixture fixture;
    static const char *const uris[] = {"http://a.test/", "http://me:secret@a.test/", "http://b.test/"};
    struct digest digests[ARRAY_COUNT(uris)];
    begin(&fixture);
    add_file(&fixture, "main/binary-amd64/Packages.gz", packages);
    for (size_t i = 0; i < ARRAY_COUNT(uris); i++) {
        CHECK_OK(open_it(&fixture), &fixture.err); /* the index is in the store from then on */
        fixture.release.uri = uris[i];
        CHECK_OK(open_it(&fixture), &fixture.err);
        digests[i] = fixture.catalog->digest;
    }
    assert_true(digest_eq(&digests[0], &digests[1]));
    assert_false(digest_eq(&digests[0], &digests[2]));
    fixture.release.is_not_automatic = true;
    CHECK_OK(open_it(&fixture), &fixture.err);
    assert_false(digest_eq(&digests[2], &fixture.catalog->digest));
}

static void test_which_repository_lists_an_index_changes_the_digest(void **state)
{
    (void)state;
    AUTO(fixture_done) struct fixture fixture;
    struct digest digests[2];
    begin(&fixture);
    add_file(&fixture, "main/binary-amd64/Packages.gz", packages);
    struct release other = fixture.release, *both[] = {&fixture.release, &other};
    struct map full = fixture.release.files, empty = {.arena = &fixture.arena};
    CHECK_OK(open_it(&fixture), &fixture.err); /* the index is in the store from then on */
    other.uri = "http://b.test/";
    fixture.releases.items = both;
    fixture.releases.count = ARRAY_COUNT(both);
    for (size_t i = 0; i < ARRAY_COUNT(both); i++) {
        both[i]->files = full;
        both[1 - i]->files = empty;
        CHECK_OK(open_it(&fixture), &fixture.err);
        digests[i] = fixture.catalog->digest;
    }
    assert_false(digest_eq(&digests[0], &digests[1]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_contents_file_that_may_be_asked_changes_the_digest),
        cmocka_unit_test(test_the_mirror_that_answered_changes_the_digest_and_who_asked_it_does_not),
        cmocka_unit_test(test_which_repository_lists_an_index_changes_the_digest),
        cmocka_unit_test(test_a_binary_is_found_in_the_package_with_the_fewest_dependencies),
        cmocka_unit_test(test_contents_all_answers_when_the_architecture_does_not),
        cmocka_unit_test(test_a_path_that_nobody_ships_is_an_error_with_a_hint),
        cmocka_unit_test(test_siblings_tell_who_holds_the_service),
        cmocka_unit_test(test_contents_all_tells_of_siblings_when_no_other_has_a_service),
        cmocka_unit_test(test_siblings_are_known_without_any_contents),
        cmocka_unit_test(test_programs_and_services_are_found_by_their_base_name),
        cmocka_unit_test(test_a_package_is_described_by_its_index),
        cmocka_unit_test(test_without_contents_names_are_tried_one_after_the_other),
        cmocka_unit_test(test_the_second_opening_needs_no_repository),
        cmocka_unit_test(test_other_bytes_than_the_release_lists_are_refused),
        cmocka_unit_test(test_a_broken_packages_file_is_named_with_its_line),
        cmocka_unit_test(test_an_architecture_that_nobody_offers_is_refused),
        cmocka_unit_test(test_a_restricted_repository_is_passed_over),
        cmocka_unit_test(test_packages_for_all_are_read_where_they_stand_apart),
        cmocka_unit_test(test_a_flat_repository_is_read_from_its_one_index),
    };
    return cmocka_run_group_tests_name("catalog", tests, NULL, NULL);
}
