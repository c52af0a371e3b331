/* SPDX-License-Identifier: Apache-2.0 */
#include "arch_rename.h"
#include "cached_format.h"
#include "check.h"

#include "base/auto.h"
#include "deb/deb_format.h"
#include "rpmmd/rpm_catalog_parts.h"
#include "rpmmd/rpm_format.h"
#include "rpmmd/rpm_primary.h"
#include "rpmmd/rpm_rich.h"
#include "shipped.h"
#include "source/choose.h"

#define SUM_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define SUM_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define SUM_C "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"
#define SUM_D "dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd"
#define METADATA(packages) "<?xml version=\"1.0\"?><metadata xmlns:rpm=\"x\">" packages "</metadata>"
#define HEAD(name, arch, sum)                                                                                          \
    "<package type=\"rpm\"><name>" name "</name><arch>" arch "</arch><version epoch=\"0\" ver=\"1\" rel=\"2\"/>"       \
    "<checksum type=\"sha256\">" sum "</checksum><size package=\"10\"/><location href=\"Packages/" name ".rpm\"/>"
#define PACKAGE(name, sum, format) HEAD(name, "x86_64", sum) "<format>" format "</format></package>"
#define REQUIRES(name) "<rpm:requires><rpm:entry name=\"" name "\"/></rpm:requires>"
#define RECOMMENDS(name) "<rpm:recommends><rpm:entry name=\"" name "\"/></rpm:recommends>"
#define PROVIDES(name) "<rpm:provides><rpm:entry name=\"" name "\"/></rpm:provides>"
#define SOURCE(name) "<rpm:sourcerpm>" name "-7-8.src.rpm</rpm:sourcerpm>"

struct fixture {
    struct source source;
    struct rpm_source configured;
    struct rpm_repository repository;
    struct arch arch;
    struct arena arena;
    struct catalog *catalog;
    struct selection selection;
    struct err err;
};

static bool open_texts(struct fixture *fixture, const char *primary, const char *filelists, const char *modules)
{
    struct rpm_catalog_texts texts = {primary, filelists, modules};
    *fixture = (struct fixture){.repository = {.id = "kit", .priority = 99}, .arch = {.name = "x86_64"}};
    arch_rename(&fixture->arena, &fixture->arch, &format_rpm, "x86_64");
    fixture->configured.repositories.items = &fixture->repository;
    fixture->configured.repositories.count = 1;
    fixture->source = (struct source){.format = &format_rpm, .name = "test", .configured = &fixture->configured};
    bool is_good = rpm_catalog_from_texts(&fixture->source, &fixture->arch, &texts, &fixture->catalog, &fixture->err);
    if (is_good)
        fixture->catalog->family = shipped_family(&fixture->arena, "rpm");
    return is_good;
}

static void fixture_done(struct fixture *fixture)
{
    catalog_close(fixture->catalog);
    arena_done(&fixture->arena);
}

static bool solve(struct fixture *fixture, const char *name)
{
    struct solve_request request = {0};
    list_add(&fixture->arena, &request.names, name);
    err_clear(&fixture->err);
    return solve_packages(&fixture->arena, fixture->catalog, &request, &fixture->selection, &fixture->err);
}

static const char world[] =
    METADATA(PACKAGE("dhcp-server", SUM_A,
                     SOURCE("dhcp") "<rpm:requires><rpm:entry name=\"libc.so.6()(64bit)\"/><rpm:entry "
                                    "name=\"dhcp-common\"/><rpm:entry name=\"bash\"/></rpm:requires>"
                                    "<file>/usr/sbin/dhcpd</file><file type=\"dir\">/etc/dhcp</file>")
                 PACKAGE("dhcp-common", SUM_B, SOURCE("dhcp") "<file type=\"ghost\">/usr/sbin/dhcpd</file>")
                     PACKAGE("glibc", SUM_C, PROVIDES("libc.so.6()(64bit)") SOURCE("glibc"))
                         PACKAGE("bash", SUM_D, SOURCE("bash") "<file>/bin/sh</file>"));
static const char world_filelists[] =
    "<filelists><package pkgid=\"" SUM_A "\" name=\"dhcp-server\" arch=\"x86_64\"><file>/usr/sbin/dhcpd</file>"
    "<file>/usr/share/dhcp/words</file></package><package pkgid=\"" SUM_C "\" name=\"glibc\" arch=\"x86_64\">"
    "<file>/usr/lib64/libc.so.6</file><file>/usr/share/x&#10;y</file></package></filelists>";

static const struct selected *find(const struct fixture *fixture, const char *name)
{
    for (size_t i = 0; i < fixture->selection.count; i++) {
        if (strcmp(fixture->selection.items[i].name, name) == 0)
            return &fixture->selection.items[i];
    }
    return NULL;
}

static void test_selection_says_all_that_fetching_needs(void **state)
{
    (void)state;
    AUTO(fixture_done) struct fixture fixture;
    assert_true(open_texts(&fixture, world, world_filelists, NULL));
    CHECK_OK(solve(&fixture, "dhcp-server"), &fixture.err);
    assert_int_equal(fixture.selection.count, 4);
    const struct selected *server = find(&fixture, "dhcp-server");
    assert_string_equal(server->version, "1-2");
    assert_string_equal(server->architecture, "x86_64");
    assert_string_equal(server->url_path, "Packages/dhcp-server.rpm");
    assert_string_equal(server->source_package, "dhcp");
    assert_string_equal(server->source_version, "7-8");
    assert_string_equal(digest_hex(&server->digest).chars, SUM_A);
    assert_int_equal(server->size_bytes, 10);
    assert_null(server->sha512);
    assert_string_equal(server->origin->name, "kit");
}

static void test_libraries_and_packages_of_the_same_source_are_likely(void **state)
{
    (void)state;
    AUTO(fixture_done) struct fixture fixture;
    assert_true(open_texts(&fixture, world, NULL, NULL));
    CHECK_OK(solve(&fixture, "dhcp-server"), &fixture.err);
    assert_true(find(&fixture, "dhcp-server")->is_likely);
    assert_true(find(&fixture, "dhcp-common")->is_likely);
    assert_true(find(&fixture, "glibc")->is_likely);
    assert_false(find(&fixture, "bash")->is_likely);
}

static void test_packages_that_configure_the_loader_are_likely(void **state)
{
    (void)state;
    static const char text[] = METADATA(
        PACKAGE("app", SUM_A, REQUIRES("data")) PACKAGE(
            "data", SUM_B, REQUIRES("conf") "<file>/etc/ld.so.conf</file><file type=\"dir\">/etc/ld.so.conf.d</file>")
            PACKAGE("conf", SUM_C, REQUIRES("libdeep.so.1()(64bit)") "<file>/etc/ld.so.conf.d/conf.conf</file>")
                PACKAGE("deep", SUM_D, PROVIDES("libdeep.so.1()(64bit)")));
    AUTO(fixture_done) struct fixture fixture;
    assert_true(open_texts(&fixture, text, NULL, NULL));
    CHECK_OK(solve(&fixture, "app"), &fixture.err);
    assert_int_equal(fixture.selection.count, 4);
    assert_false(find(&fixture, "data")->is_likely);
    assert_true(find(&fixture, "conf")->is_likely);
    assert_true(find(&fixture, "deep")->is_likely);
}

static void check_owner(struct fixture *fixture, const char *path, const char *owner)
{
    struct strings names;
    const char *hint;
    err_clear(&fixture->err);
    CHECK_OK(catalog_owners(fixture->catalog, &fixture->arena, path, &names, &hint, &fixture->err), &fixture->err);
    if (!owner) {
        assert_int_equal(names.count, 0);
        return;
    }
    assert_int_equal(names.count, 1);
    assert_string_equal(names.items[0], owner);
}

static void test_owners_of_paths(void **state)
{
    (void)state;
    AUTO(fixture_done) struct fixture fixture;
    assert_true(open_texts(&fixture, world, world_filelists, NULL));
    check_owner(&fixture, "/usr/sbin/dhcpd", "dhcp-server"); /* not the ghost of dhcp-common */
    check_owner(&fixture, "/sbin/dhcpd", "dhcp-server");
    check_owner(&fixture, "/usr/bin/dhcpd", "dhcp-server"); /* /usr/sbin may be a link to bin */
    check_owner(&fixture, "/usr/bin/sh", "bash");
    check_owner(&fixture, "/etc/dhcp", NULL);                      /* a directory */
    check_owner(&fixture, "/lib64/libc.so.6", "glibc");            /* by the table of filelists */
    check_owner(&fixture, "/usr/share/dhcp/words", "dhcp-server"); /* by reading them */
    check_owner(&fixture, "/usr/share/nowhere", NULL);
}

static void count_name(void *counted, struct text name)
{
    *(size_t *)counted += text_is(name, "dhcp-server") ? 1 : 0;
}

static void test_names_are_told_and_the_nearest_to_a_wrong_one(void **state)
{
    (void)state;
    AUTO(fixture_done) struct fixture fixture;
    size_t count = 0;
    assert_true(open_texts(&fixture, world, world_filelists, NULL));
    catalog_names(fixture.catalog, count_name, &count);
    assert_int_equal(count, 1);
    assert_string_equal(catalog_nearest(fixture.catalog, &fixture.arena, "dhpc-serverr"), "dhcp-server");
    assert_null(catalog_nearest(fixture.catalog, &fixture.arena, "xhcp-server")); /* of another first letter */
    assert_null(catalog_nearest(fixture.catalog, &fixture.arena, "nothing-like-it"));
    assert_null(catalog_nearest(fixture.catalog, &fixture.arena, ""));
}

static void test_siblings_tell_who_holds_the_service(void **state)
{
    (void)state;
    static const char primary[] =
        METADATA(PACKAGE("db-core", SUM_A,
                         SOURCE("db") PROVIDES("db-core(x86-64)") REQUIRES("db-common") RECOMMENDS("db-server"))
                     PACKAGE("db-server", SUM_B, SOURCE("db") REQUIRES("db-core(x86-64)"))
                         PACKAGE("db-common", SUM_C, SOURCE("db")) PACKAGE("dbx", SUM_D, REQUIRES("db-core")));
    static const char filelists[] = "<filelists><package pkgid=\"" SUM_B "\" name=\"db-server\" arch=\"x86_64\">"
                                    "<file>/usr/lib/systemd/system/db.service</file></package></filelists>";
    static const char *const lists[] = {filelists, NULL};
    for (size_t i = 0; i < ARRAY_COUNT(lists); i++) {
        AUTO(fixture_done) struct fixture fixture;
        struct siblings found = {0};
        CHECK_OK(open_texts(&fixture, primary, lists[i], NULL), &fixture.err);
        CHECK_OK(catalog_siblings(fixture.catalog, &fixture.arena, "db-core", &found, &fixture.err), &fixture.err);
        assert_int_equal(found.count, 3);
        assert_string_equal(found.items[0].name, "db-common");
        assert_true(found.items[0].is_needed && !found.items[0].is_dependent && !found.items[0].is_given);
        assert_true(found.items[1].is_given && !found.items[1].is_needed);
        assert_string_equal(found.items[2].name, "db-server");
        assert_true(found.items[2].is_dependent && found.items[2].is_recommended && !found.items[0].is_recommended);
        assert_int_equal(found.items[1].holds, lists[i] ? SIBLING_HAS_NONE : SIBLING_UNKNOWN);
        assert_int_equal(found.items[2].holds, lists[i] ? SIBLING_HAS_SERVICE : SIBLING_UNKNOWN);
        assert_int_equal(found.items[2].services.count, lists[i] ? 1 : 0);
        if (lists[i])
            assert_string_equal(found.items[2].services.items[0], "/usr/lib/systemd/system/db.service");
        assert_false(catalog_siblings(fixture.catalog, &fixture.arena, "absent", &found, &fixture.err));
        CHECK_ERR(&fixture.err, ERR_RESOLVE, "test has no package absent");
    }
}

static void test_programs_and_services_are_found_by_their_base_name(void **state)
{
    (void)state;
    static const char primary[] = METADATA(PACKAGE("a", SUM_A, "<file>/usr/sbin/x</file>" REQUIRES("b")) PACKAGE(
        "b", SUM_B, "<file type=\"ghost\">/usr/bin/x</file><file>/etc/rc.d/init.d/x</file>"));
    static const char filelists[] = "<filelists><package pkgid=\"" SUM_B
                                    "\" name=\"b\" arch=\"x86_64\"><file>/usr/lib/systemd/system/x.service</file>"
                                    "<file>/usr/libexec/inner</file></package></filelists>";
    AUTO(fixture_done) struct fixture fixture;
    CHECK_OK(open_texts(&fixture, primary, filelists, NULL), &fixture.err);
    static const struct {
        const char *base, *path, *package;
        enum located_kind kind;
    } cases[] = {{"x", "/usr/sbin/x", "a", LOCATED_PROGRAMS},
                 {"x", "/etc/rc.d/init.d/x", "b", LOCATED_SERVICES},
                 {"x.service", "/usr/lib/systemd/system/x.service", "b", LOCATED_SERVICES},
                 {"inner", "/usr/libexec/inner", "b", LOCATED_PROGRAMS}};
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct locations found = {0};
        CHECK_OK(catalog_locate(fixture.catalog, &fixture.arena, cases[i].base, cases[i].kind, &found, &fixture.err),
                 &fixture.err);
        assert_int_equal(found.count, 1);
        assert_string_equal(found.items[0].path, cases[i].path);
        assert_string_equal(strings_join(&fixture.arena, &found.items[0].packages, ","), cases[i].package);
        assert_int_equal(found.items[0].is_in_path, i == 0);
    }
    struct catalog_package told;
    bool is_found;
    CHECK_OK(catalog_describe(fixture.catalog, &fixture.arena, "a", &told, &is_found, &fixture.err), &fixture.err);
    assert_true(is_found);
    assert_string_equal(strings_join(&fixture.arena, &told.depends, ","), "b");
}

static void test_hint_where_a_file_of_that_name_is(void **state)
{
    (void)state;
    AUTO(fixture_done) struct fixture fixture;
    struct strings names;
    const char *hint;
    assert_true(open_texts(&fixture, world, NULL, NULL));
    CHECK_OK(catalog_owners(fixture.catalog, &fixture.arena, "/usr/games/bin/dhcpd", &names, &hint, &fixture.err),
             &fixture.err);
    assert_non_null(strstr(hint, "/usr/sbin/dhcpd is in dhcp-server"));
}

static void test_no_filelists_tells_about_packages_first(void **state)
{
    (void)state;
    AUTO(fixture_done) struct fixture fixture;
    struct strings names;
    assert_true(open_texts(&fixture, world, NULL, NULL));
    assert_false(catalog_owners(fixture.catalog, &fixture.arena, "/usr/share/x", &names, NULL, &fixture.err));
    assert_int_equal(fixture.err.kind, ERR_RESOLVE);
    assert_non_null(strstr(fixture.err.text, "packages: first"));
}

static void test_identity(void **state)
{
    (void)state;
    AUTO(fixture_done) struct fixture fixture;
    struct selected selected;
    bool is_found;
    assert_true(open_texts(&fixture,
                           METADATA(PACKAGE("edition", SUM_A, PROVIDES("system-release") REQUIRES("which"))
                                        PACKAGE("edition-a", SUM_B,
                                                "<rpm:provides><rpm:entry name=\"which\"/><rpm:entry "
                                                "name=\"kit-release-identity\"/></rpm:provides>")
                                            PACKAGE("edition-b", SUM_C, PROVIDES("kit-release-identity"))),
                           NULL, NULL));
    CHECK_OK(solve_identity(&fixture.arena, fixture.catalog, NULL, &selected, &is_found, &fixture.err), &fixture.err);
    assert_true(is_found);
    assert_string_equal(selected.name, "edition-a");
    CHECK_OK(solve(&fixture, "edition-b"), &fixture.err);
    CHECK_OK(solve_identity(&fixture.arena, fixture.catalog, &fixture.selection, &selected, &is_found, &fixture.err),
             &fixture.err);
    assert_string_equal(selected.name, "edition-b"); /* what the selection has */
}

static void check_refused(const char *primary, const char *part)
{
    AUTO(fixture_done) struct fixture fixture;
    bool is_open = open_texts(&fixture, primary, NULL, NULL);
    if (is_open || fixture.err.kind != ERR_MALFORMED || !strstr(fixture.err.text, part) ||
        !strstr(fixture.err.text, "primary.xml of kit:"))
        fail_msg("wanted a refusal with \"%s\", got \"%s\"", part, is_open ? "none" : fixture.err.text);
}

#define WITH_HREF(href)                                                                                                \
    METADATA("<package type=\"rpm\"><name>a</name><arch>noarch</arch><version ver=\"1\" rel=\"1\"/><checksum "         \
             "type=\"sha256\">" SUM_A "</checksum><size package=\"1\"/><location " href "/></package>")
#define WITH(checksum, size)                                                                                           \
    METADATA("<package type=\"rpm\"><name>a</name><arch>noarch</arch><version ver=\"1\" rel=\"1\"/>" checksum          \
             "<size package=\"" size "\"/><location href=\"a.rpm\"/></package>")
#define SHA256 "<checksum type=\"sha256\">" SUM_A "</checksum>"

static void test_hostile_primary(void **state)
{
    (void)state;
    check_refused("", "no element found");
    check_refused("<metadata><package>", "no element found");
    check_refused("<metadata></package></metadata>", "mismatched tag");
    check_refused("<html/>", "not a list of packages");
    check_refused("<!DOCTYPE x [<!ENTITY a \"aa\"><!ENTITY b \"&a;&a;\">]><metadata>&b;</metadata>", "document type");
    check_refused(METADATA("<package type=\"rpm\"/>"), "lacks its \"name\"");
    check_refused(METADATA("<a><b><c><d><e><f><g><h/></g></f></e></d></c></b></a>"), "nested deeper");
    check_refused(WITH_HREF("href=\"../../x.rpm\""), "location is refused");
    check_refused(WITH_HREF("href=\"a/%2e%2E/x.rpm\""), "location is refused");
    check_refused(WITH_HREF("href=\"/etc/passwd\""), "location is refused");
    check_refused(WITH_HREF("href=\"http://other.example/x.rpm\""), "location is refused");
    check_refused(WITH_HREF("xml:base=\"http://other.example/\" href=\"x.rpm\""), "xml:base");
    check_refused(WITH_HREF(""), "no location");
    check_refused(WITH("", "1"), "lacks its \"checksum\"");
    check_refused(WITH("<checksum type=\"sha\">0123</checksum>", "1"), "neither sha256 nor sha512");
    check_refused(WITH("<checksum type=\"md5\">0123</checksum>", "1"), "neither sha256 nor sha512");
    check_refused(WITH("<checksum type=\"sha256\">0123</checksum>", "1"), "bad checksum");
    check_refused(WITH(SHA256, "-1"), "bad size");
    check_refused(WITH(SHA256, "0"), "bad size");
    check_refused(WITH(SHA256, "99999999999999999999"), "bad size");
    check_refused(METADATA(HEAD("../a", "x86_64", SUM_A) "</package>"), "bad name");
    check_refused(METADATA(HEAD("a", "x/y", SUM_A) "</package>"), "bad architecture");
    check_refused(METADATA(PACKAGE("a", SUM_A, REQUIRES("(a or"))), "rich dependency");
    check_refused(METADATA(PACKAGE("a", SUM_A, REQUIRES(""))), "relation has no name");
    check_refused(METADATA(PACKAGE("a", SUM_A, "<file>relative</file>")), "bad file name");
}

/* Every place where it may be cut off. */
static void test_truncated_primary(void **state)
{
    (void)state;
    for (size_t len = 0; len + 1 < sizeof world; len += 7) {
        struct buf solv = {0};
        struct err err = {0};
        bool is_good = rpm_primary_build("cut", COMPRESSION_NONE, (struct text){world, len}, &solv, &err);
        buf_done(&solv);
        assert_false(is_good);
        assert_int_equal(err.kind, ERR_MALFORMED);
    }
}

static void test_endless_attribute(void **state)
{
    (void)state;
    struct buf text, solv = {0};
    struct err err = {0};
    buf_init(&text, 8 << 20);
    assert_true(buf_printf(&text, "<metadata a=\"") && buf_reserve(&text, 3 << 20));
    memset(text.bytes + text.len, 'a', 3 << 20);
    text.len += 3 << 20;
    assert_false(rpm_primary_build("long", COMPRESSION_NONE, (struct text){text.bytes, text.len}, &solv, &err));
    assert_non_null(strstr(err.text, "longer than"));
    buf_done(&text);
}

static void test_hostile_filelists(void **state)
{
    (void)state;
    static const char *const texts[] = {"<filelists><package", "<html/>", "<!DOCTYPE x><filelists/>",
                                        "<filelists><package pkgid=\"1\" name=\"a\"/></filelists>",
                                        "<filelists><package pkgid=\"" SUM_A "\" name=\"a/b c\"/></filelists>"};
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
        AUTO(fixture_done) struct fixture fixture;
        struct strings names;
        assert_true(open_texts(&fixture, world, texts[i], NULL));
        assert_false(catalog_owners(fixture.catalog, &fixture.arena, "/usr/lib64/x", &names, NULL, &fixture.err));
        assert_int_equal(fixture.err.kind, ERR_MALFORMED);
        assert_non_null(strstr(fixture.err.text, "filelists.xml of kit:1"));
    }
}

/* Why an alternative is not taken may lie deep below it: first needs b, which needs a path of filelists. */
static void test_a_solution_does_not_depend_on_earlier_ones(void **state)
{
    (void)state;
    static const char text[] = METADATA(
        PACKAGE("a", SUM_D, REQUIRES("cap")) PACKAGE("first", SUM_A, REQUIRES("b") PROVIDES("cap"))
            PACKAGE("second", "eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee", PROVIDES("cap"))
                PACKAGE("b", SUM_B, REQUIRES("/usr/share/c")) PACKAGE("c", SUM_C, ""));
    static const char filelists[] = "<filelists><package pkgid=\"" SUM_C "\" name=\"c\" arch=\"x86_64\">"
                                    "<file>/usr/share/c</file></package></filelists>";
    AUTO(fixture_done) struct fixture fresh;
    AUTO(fixture_done) struct fixture used;
    assert_true(open_texts(&fresh, text, filelists, NULL));
    assert_true(open_texts(&used, text, filelists, NULL));
    CHECK_OK(solve(&used, "b"), &used.err);
    assert_int_equal(used.selection.count, 2);
    CHECK_OK(solve(&used, "a"), &used.err);
    CHECK_OK(solve(&fresh, "a"), &fresh.err);
    assert_int_equal(fresh.selection.count, used.selection.count);
    for (size_t i = 0; i < fresh.selection.count; i++)
        assert_string_equal(fresh.selection.items[i].name, used.selection.items[i].name);
    assert_non_null(find(&fresh, "c"));
}

static void test_hostile_modules(void **state)
{
    (void)state;
    static const char *const texts[] = {"a: [",
                                        "--- {}\n",
                                        "a: &b [1]\nc: [*b, *b]\n",
                                        "document: modulemd\nversion: 2\ndata: {name: [x]}\n",
                                        "document: modulemd\nversion: 2\ndata: {name: a, stream: b, version: -1}\n",
                                        "\x01"};
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
        AUTO(fixture_done) struct fixture fixture;
        assert_false(open_texts(&fixture, world, NULL, texts[i]));
        assert_int_equal(fixture.err.kind, ERR_MALFORMED);
        assert_non_null(strstr(fixture.err.text, "modules.yaml of kit:"));
    }
}

static void test_other_architecture(void **state)
{
    (void)state;
    AUTO(fixture_done) struct fixture fixture;
    assert_false(open_texts(&fixture, METADATA(HEAD("a", "s390x", SUM_A) "</package>"), NULL, NULL));
    assert_int_equal(fixture.err.kind, ERR_RESOLVE);
    assert_non_null(strstr(fixture.err.text, "x86_64; one has s390x"));
}

static void test_an_unshipped_path_is_refused_with_rpms_name_of_the_architecture(void **state)
{
    (void)state;
    AUTO(fixture_done) struct fixture fixture;
    assert_true(open_texts(&fixture, world, NULL, NULL));
    arch_rename(&fixture.arena, &fixture.arch, &format_deb, "amd64");
    struct choose_request request = {.path = "/usr/bin/unshipped"};
    struct choice choice;
    err_clear(&fixture.err);
    assert_false(choose_package(&fixture.arena, NULL, fixture.catalog, &request, &choice, &fixture.err));
    CHECK_ERR(&fixture.err, ERR_RESOLVE, "no package of test for x86_64 ships /usr/bin/unshipped");
}

static void test_rich_dependencies(void **state)
{
    (void)state;
    static const char *const good[] = {"(a or b)",
                                       "(a and b and c)",
                                       "(a if b else c)",
                                       "(a unless (b or c) else d)",
                                       "(a >= 1:2-3 with a < 4)",
                                       "( a  or  b )",
                                       "(lib(x)(64bit) or y(z))"};
    static const char *const bad[] = {"(",          "()",
                                      "(a",         "(a or)",
                                      "(a or b",    "(a or b and c)",
                                      "(a else b)", "(a xor b)",
                                      "(a or b))",  "(a if b else c else d)",
                                      "(a >= )",    "(a if b if c)"};
    Pool *pool = pool_create();
    (void)pool_setdisttype(pool, DISTTYPE_RPM);
    for (size_t i = 0; i < ARRAY_COUNT(good); i++)
        assert_true(ISRELDEP(rpm_rich_parse(pool, good[i])));
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++)
        assert_int_equal(rpm_rich_parse(pool, bad[i]), 0);
    assert_string_equal(pool_dep2str(pool, rpm_rich_parse(pool, "(a if b else c)")), "(a if b else c)");
    AUTO(buf_done) struct buf deep;
    buf_init(&deep, 1 << 20);
    for (int i = 0; i < 100000; i++)
        assert_true(buf_add(&deep, "(", 1));
    assert_int_equal(rpm_rich_parse(pool, deep.bytes), 0);
    pool_free(pool);
}

static void test_clauses_of_rich_dependencies_are_counted(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t count;
    } cases[] = {{"(a or b or c)", 3}, /* the opposite has three */
                 {"(a and b and c)", 3},
                 {"((a and b) or (c and d) or (e and f))", 8},
                 {"((a or b) and (c or d) and (e or f))", 8},
                 {"((a with b) or (c without d))", 2},
                 {"(x if ((a or b) and (c or d)))", 4},
                 {"(x if (a and b) else (c and d))", 6},
                 {"(x unless (a and b))", 2},
                 {"((a and b) unless ((c and d) or (e and f)))", 4}};
    Pool *pool = pool_create();
    (void)pool_setdisttype(pool, DISTTYPE_RPM);
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        uint64_t count = rpm_rich_clause_count(pool, rpm_rich_parse(pool, cases[i].text));
        if (count != cases[i].count)
            fail_msg("%s: %llu", cases[i].text, (unsigned long long)count);
    }
    AUTO(buf_done) struct buf wide;
    buf_init(&wide, 1 << 20);
    for (int i = 0; i < 60; i++)
        assert_true(buf_printf(&wide, "%s(a%d and b%d)", i ? " or " : "(", i, i));
    assert_true(buf_add(&wide, ")", 1));
    assert_int_equal(rpm_rich_clause_count(pool, rpm_rich_parse(pool, wide.bytes)), UINT32_MAX);
    pool_free(pool);
}

static void test_a_table_of_filelists_has_the_bytes_of_its_format(void **state)
{
    (void)state;
    AUTO(fixture_done) struct fixture fixture;
    static const char primary[] = METADATA(PACKAGE("a", SUM_A, REQUIRES("/usr/share/wanted")));
    static const char filelists[] =
        "<filelists><package pkgid=\"" SUM_A "\" name=\"a\" arch=\"x86_64\"><file>/usr/bin/a</file>"
        "<file>/usr/share/wanted</file><file>/usr/share/unwanted</file><file type=\"dir\">/usr/lib64/a</file>"
        "<file type=\"ghost\">/usr/bin/ghost</file></package><package pkgid=\"" SUM_B
        "\" name=\"b\" arch=\"i686\"><file>/lib64/libb.so.1</file><file>/usr/bin/a</file></package></filelists>";
    CHECK_OK(open_texts(&fixture, primary, filelists, NULL), &fixture.err);
    struct rpm_catalog *catalog = rpm_catalog_of(fixture.catalog);
    CHECK_OK(rpm_filelists_load(catalog, false, &fixture.err), &fixture.err);
    struct digest digest =
        digest_of(catalog->repos.items[0].files_bytes.bytes, catalog->repos.items[0].files_bytes.len);
    expect_bytes(RPM_FILELISTS_FORMAT, "rpm-filelists 3", &digest,
                 "655636c0fb7ee43c650271af1aad73ace3e19c36ff566258252b5ebf2a887e23");
}

/* Prints a value as people read it. */
static bool print_value(struct buf *text, Dataiterator *at)
{
    Pool *pool = at->pool;
    switch (at->key->type) {
    case REPOKEY_TYPE_ID:
    case REPOKEY_TYPE_IDARRAY:
    case REPOKEY_TYPE_CONSTANTID:
        return buf_printf(text, "%s", pool_dep2str(pool, at->kv.id));
    case REPOKEY_TYPE_NUM:
        return buf_printf(text, "%llu", SOLV_KV_NUM64(&at->kv));
    case REPOKEY_TYPE_SHA256:
    case REPOKEY_TYPE_SHA512:
        return buf_printf(
            text, "%s",
            pool_bin2hex(pool, (const unsigned char *)at->kv.str, at->key->type == REPOKEY_TYPE_SHA512 ? 64 : 32));
    case REPOKEY_TYPE_DIRSTRARRAY:
        return buf_printf(text, "%s", repodata_dir2str(at->data, at->kv.id, at->kv.str));
    case REPOKEY_TYPE_STR:
        return buf_printf(text, "%s", at->kv.str);
    case REPOKEY_TYPE_VOID:
        return true;
    default:
        return buf_printf(text, "of type %s", pool_id2str(pool, at->key->type));
    }
}

/* Adds a line behind those of its key, which stay as they came; libsolv's order of keys is its own. */
static void add_line(struct arena *arena, struct strings *lines, const char *line)
{
    size_t at = lines->count, key_len = strcspn(line, " ") + 1;
    list_add(arena, lines, line);
    for (; at && strncmp(lines->items[at - 1], line, key_len) > 0; at--)
        lines->items[at] = lines->items[at - 1];
    lines->items[at] = line;
}

/* Lists all that a .solv tells of its packages, as lines "KEY VALUE" by key. */
static const char *list_solv(struct arena *arena, const struct buf *solv)
{
    Pool *pool = pool_create();
    Dataiterator at;
    struct strings lines = {0};
    (void)pool_setdisttype(pool, DISTTYPE_RPM);
    Repo *repo = repo_create(pool, "read");
    FILE *stream = fmemopen(solv->bytes, solv->len, "r");
    assert_non_null(stream);
    assert_int_equal(repo_add_solv(repo, stream, 0), 0);
    assert_int_equal(fclose(stream), 0);
    assert_int_equal(dataiterator_init(&at, pool, repo, 0, 0, NULL, 0), 0);
    while (dataiterator_step(&at)) {
        AUTO(buf_done) struct buf line;
        buf_init(&line, 4096);
        assert_true(buf_printf(&line, "%s ", pool_id2str(pool, at.key->name)) && print_value(&line, &at));
        add_line(arena, &lines, arena_strdup(arena, line.bytes));
    }
    dataiterator_free(&at);
    pool_free(pool);
    return strings_join(arena, &lines, "\n");
}

/* libsolv's bytes are its own; what the format's number stands for is what we put in. */
static void test_an_index_of_rpms_says_what_its_format_says(void **state)
{
    (void)state;
    static const char primary[] = METADATA(
        PACKAGE("a", SUM_A,
                SOURCE("src") "<rpm:provides><rpm:entry name=\"p\" flags=\"EQ\" epoch=\"3\" ver=\"4\" rel=\"5\"/>"
                              "</rpm:provides><rpm:requires><rpm:entry name=\"r\" flags=\"GE\" ver=\"1\"/>"
                              "<rpm:entry name=\"pre\" pre=\"1\"/><rpm:entry name=\"rpmlib(x)\"/>"
                              "<rpm:entry name=\"(x or y)\"/></rpm:requires><rpm:conflicts><rpm:entry name=\"c\"/>"
                              "</rpm:conflicts><rpm:obsoletes><rpm:entry name=\"o\"/></rpm:obsoletes><rpm:recommends>"
                              "<rpm:entry name=\"re\"/></rpm:recommends><rpm:suggests><rpm:entry name=\"s\"/>"
                              "</rpm:suggests><rpm:supplements><rpm:entry name=\"su\"/></rpm:supplements><rpm:enhances>"
                              "<rpm:entry name=\"e\"/></rpm:enhances><file>/usr/bin/a</file>"
                              "<file type=\"dir\">/etc/a</file><file type=\"ghost\">/etc/b</file>")
            HEAD("source", "src", SUM_B) "<format/></package>");
    static const char wanted[] = "imgfactory:no-files /etc/a\n"
                                 "imgfactory:no-files /etc/b\n"
                                 "solvable:arch x86_64\n"
                                 "solvable:checksum aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n"
                                 "solvable:conflicts c\n"
                                 "solvable:downloadsize 10\n"
                                 "solvable:enhances e\n"
                                 "solvable:evr 1-2\n"
                                 "solvable:filelist /usr/bin/a\n"
                                 "solvable:filelist /etc/a\n"
                                 "solvable:filelist /etc/b\n"
                                 "solvable:mediadir Packages\n"
                                 "solvable:mediafile a.rpm\n"
                                 "solvable:name a\n"
                                 "solvable:obsoletes o\n"
                                 "solvable:provides p = 3:4-5\n"
                                 "solvable:provides a = 1-2\n"
                                 "solvable:recommends re\n"
                                 "solvable:requires r >= 1\n"
                                 "solvable:requires (x or y)\n"
                                 "solvable:requires solvable:prereqmarker\n"
                                 "solvable:requires pre\n"
                                 "solvable:sourcearch src\n"
                                 "solvable:sourceevr 7-8\n"
                                 "solvable:sourcename src\n"
                                 "solvable:suggests s\n"
                                 "solvable:supplements su";
    AUTO(arena_done) struct arena arena = {0};
    AUTO(buf_done) struct buf solv = {0};
    struct err err = {0};
    CHECK_OK(rpm_primary_build("primary.xml", COMPRESSION_NONE, TEXT(primary), &solv, &err), &err);
    const char *said = list_solv(&arena, &solv);
    if (strcmp(RPM_PRIMARY_FORMAT, "rpm-primary 1") != 0)
        fail_msg("the format is %s now: put it and the text here:\n%s", RPM_PRIMARY_FORMAT, said);
    if (strcmp(said, wanted) != 0)
        fail_msg("\"%s\" says something else than a file of that number did: raise the number:\n%s", RPM_PRIMARY_FORMAT,
                 said);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_selection_says_all_that_fetching_needs),
        cmocka_unit_test(test_libraries_and_packages_of_the_same_source_are_likely),
        cmocka_unit_test(test_packages_that_configure_the_loader_are_likely),
        cmocka_unit_test(test_owners_of_paths),
        cmocka_unit_test(test_names_are_told_and_the_nearest_to_a_wrong_one),
        cmocka_unit_test(test_siblings_tell_who_holds_the_service),
        cmocka_unit_test(test_programs_and_services_are_found_by_their_base_name),
        cmocka_unit_test(test_hint_where_a_file_of_that_name_is),
        cmocka_unit_test(test_no_filelists_tells_about_packages_first),
        cmocka_unit_test(test_identity),
        cmocka_unit_test(test_hostile_primary),
        cmocka_unit_test(test_truncated_primary),
        cmocka_unit_test(test_endless_attribute),
        cmocka_unit_test(test_hostile_filelists),
        cmocka_unit_test(test_a_solution_does_not_depend_on_earlier_ones),
        cmocka_unit_test(test_hostile_modules),
        cmocka_unit_test(test_other_architecture),
        cmocka_unit_test(test_an_unshipped_path_is_refused_with_rpms_name_of_the_architecture),
        cmocka_unit_test(test_rich_dependencies),
        cmocka_unit_test(test_clauses_of_rich_dependencies_are_counted),
        cmocka_unit_test(test_a_table_of_filelists_has_the_bytes_of_its_format),
        cmocka_unit_test(test_an_index_of_rpms_says_what_its_format_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
