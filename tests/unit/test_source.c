/* SPDX-License-Identifier: Apache-2.0 */
/* source: apt's configuration and source files become repositories, or an error with a place. */
#include "source_host.h"

#include "base/auto.h"
#include "deb/deb_source.h"
#include "formats/sources.h"
#include "io/file.h"

#define KEY_BLOCK                                                                                                      \
    "Signed-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n mDMEYCQjIxYJKwYBBAHaRw8BAQ==\n =abcd\n -----END PGP "     \
    "PUBLIC KEY BLOCK-----\n"
#define FPR "0123456789ABCDEF0123456789ABCDEF01234567"

static const struct deb_repository *load(struct host *host, size_t wanted_count)
{
    CHECK_OK(apt_load_sources(&host->arena, host->dir, &host->deb, &host->err), &host->err);
    assert_int_equal(host->deb.repositories.count, wanted_count);
    return host->deb.repositories.items;
}

static void check_refused(const char *name, const char *text, const char *part)
{
    AUTO(host_done) struct host *host = host_new();
    (void)put(host, name, text);
    if (apt_load_sources(&host->arena, host->dir, &host->deb, &host->err))
        fail_msg("accepted: %s", text);
    CHECK_ERR(&host->err, ERR_USAGE, part);
}

static void a_one_line_entry_becomes_a_repository(void **state)
{
    (void)state;
    AUTO(host_done) struct host *host = host_new();
    (void)put(host, "sources.list",
              "# comment\n\ndeb [ arch=amd64,arm64 signed-by=/k.gpg,/l.gpg lang=en ] http://u:pw@m.test/debian trixie "
              "main contrib # tail\ndeb-src http://m.test/debian trixie main\n");
    const struct deb_repository *repository = load(host, 1);
    assert_string_equal(repository->uris.items[0], "http://u:pw@m.test/debian/");
    assert_string_equal(repository->suite, "trixie");
    assert_string_equal(strings_join(&host->arena, &repository->components, " "), "main contrib");
    assert_string_equal(strings_join(&host->arena, &repository->architectures, " "), "amd64 arm64");
    assert_string_equal(strings_join(&host->arena, &repository->keyrings, " "), "/k.gpg /l.gpg");
    assert_string_equal(repository->name, "trixie of http://m.test/debian/");
    assert_non_null(strstr(repository->place, "/sources.list:3"));
    assert_false(repository->is_optional || repository->is_trusted);
}

static void a_stanza_gives_a_repository_per_uri_and_suite(void **state)
{
    (void)state;
    AUTO(host_done) struct host *host = host_new();
    (void)put(
        host, "sources.list.d/d.sources",
        "Types: deb deb-src\n# old\nURIs: http://a.test/x https://b.test/\nSuites: s s-updates\nComponents: main\n"
        "Architectures: amd64 arm64\nTrusted: yes\nCheck-Valid-Until: no\nBy-Hash: no\nX-Repolib-Name: x\n");
    const struct deb_repository *repositories = load(host, 4);
    assert_string_equal(repositories[0].name, "s of http://a.test/x/");
    assert_string_equal(repositories[1].name, "s-updates of http://a.test/x/");
    assert_string_equal(repositories[3].name, "s-updates of https://b.test/");
    assert_true(repositories[3].is_trusted && repositories[3].is_valid_until_ignored && repositories[3].is_by_hash_off);
    assert_int_equal(repositories[3].architectures.count, 2);
}

static void disabled_entries_and_cdroms_and_other_files_are_passed_over(void **state)
{
    (void)state;
    AUTO(host_done) struct host *host = host_new();
    (void)put(host, "sources.list", "deb cdrom:[Debian 12]/ bookworm main\ndeb http://m.test/ s main\n");
    (void)put(host, "sources.list.d/a.sources",
              "Enabled: no\nTypes: deb\nURIs: ftp://x\nSuites: s\n\nTypes: deb-src\nURIs: http://x.test\nSuites: s\n"
              "Components: main\n");
    (void)put(host, "sources.list.d/b.list.disabled", "garbage\n");
    (void)put(host, "sources.list.d/b~.list", "garbage\n");
    (void)put(host, "sources.list.d/directory.list/x", "garbage\n");
    assert_string_equal(load(host, 1)->suite, "s");
}

static void files_are_read_in_the_order_of_their_names(void **state)
{
    (void)state;
    AUTO(host_done) struct host *host = host_new();
    (void)put(host, "sources.list.d/b.list", "deb http://b.test s main");
    (void)put(host, "sources.list.d/a.sources", "Types: deb\nURIs: http://a.test\nSuites: s\nComponents: main\n");
    (void)put(host, "sources.list", "deb http://first.test s main\n");
    const struct deb_repository *repositories = load(host, 3);
    assert_string_equal(repositories[0].uris.items[0], "http://first.test/");
    assert_string_equal(repositories[1].uris.items[0], "http://a.test/");
    assert_string_equal(repositories[2].uris.items[0], "http://b.test/");
}

static void without_signed_by_the_default_keyrings_count(void **state)
{
    (void)state;
    AUTO(host_done) struct host *host = host_new();
    (void)put(host, "trusted.gpg", "x");
    (void)put(host, "trusted.gpg.d/b.asc", "x");
    (void)put(host, "trusted.gpg.d/a.gpg", "x");
    (void)put(host, "trusted.gpg.d/c.txt", "x");
    (void)put(host, "sources.list", "deb [signed-by=" FPR "] http://a.test s main\ndeb http://a.test t main\n");
    const struct deb_repository *repositories = load(host, 2);
    assert_string_equal(strings_join(&host->arena, &repositories[0].keyrings, " "),
                        arena_printf(&host->arena, "%s/trusted.gpg.d/a.gpg %s/trusted.gpg.d/b.asc %s/trusted.gpg",
                                     host->dir, host->dir, host->dir));
    assert_string_equal(repositories[0].fingerprints.items[0], FPR);
    assert_int_equal(repositories[1].fingerprints.count, 0);
}

static void an_inline_key_loses_its_deb822_form(void **state)
{
    (void)state;
    AUTO(host_done) struct host *host = host_new();
    (void)put(host, "sources.list.d/d.sources",
              "Types: deb\nURIs: http://a.test\nSuites: ./\n" KEY_BLOCK "\nTypes: deb\nURIs: http://a.test\nSuites: "
              "flat/\nSigned-By: /k.gpg " FPR "! 0123456789abcdef0123456789abcdef01234567\n");
    const struct deb_repository *repositories = load(host, 2);
    assert_string_equal(repositories[0].inline_keys.items[0],
                        "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmDMEYCQjIxYJKwYBBAHaRw8BAQ==\n=abcd\n-----END PGP "
                        "PUBLIC KEY BLOCK-----\n");
    assert_int_equal(repositories[0].keyrings.count, 0);
    assert_string_equal(strings_join(&host->arena, &repositories[1].fingerprints, " "), FPR "! " FPR);
}

static void repositories_with_other_keys_than_most_are_optional(void **state)
{
    (void)state;
    AUTO(host_done) struct host *host = host_new();
    (void)put(host, "sources.list.d/brave.list", "deb [signed-by=/brave.gpg] https://brave.test stable main\n");
    (void)put(host, "sources.list.d/debian.sources",
              "Types: deb\nURIs: http://d.test\nSuites: s s-updates\nComponents: main\nSigned-By: /d.gpg\n");
    (void)put(host, "sources.list.d/zed.list", "deb [signed-by=/z.gpg] https://z.test stable main\n");
    const struct deb_repository *repositories = load(host, 4);
    assert_true(repositories[0].is_optional && repositories[3].is_optional);
    assert_false(repositories[1].is_optional || repositories[2].is_optional);
    assert_ptr_equal(deb_source_main(&host->deb), &repositories[1]);
}

static void of_repositories_with_different_keys_the_first_is_required(void **state)
{
    (void)state;
    AUTO(host_done) struct host *host = host_new();
    (void)put(host, "sources.list", "deb [signed-by=/a] http://a.test s main\ndeb [signed-by=/b] http://b.test s main");
    const struct deb_repository *repositories = load(host, 2);
    assert_false(repositories[0].is_optional);
    assert_true(repositories[1].is_optional);
}

static void local_uris_take_one_form_and_mirror_lists_are_read(void **state)
{
    (void)state;
    AUTO(host_done) struct host *host = host_new();
    const char *mirrors = put(host, "mirrors.list", "# c\nhttp://one.test/debian\tpriority:1\nfile:/srv/two\n\n");
    (void)put(
        host, "sources.list",
        arena_printf(&host->arena, "deb file:/srv/r ./\ndeb copy:///srv/r ./\ndeb mirror+file:%s s main\n", mirrors));
    const struct deb_repository *repositories = load(host, 3);
    assert_string_equal(repositories[0].uris.items[0], "file:///srv/r/");
    assert_string_equal(repositories[1].uris.items[0], "file:///srv/r/");
    assert_string_equal(strings_join(&host->arena, &repositories[2].uris, " "),
                        "http://one.test/debian/ file:///srv/two/");
}

static void what_is_not_understood_is_refused_with_its_place(void **state)
{
    (void)state;
    static const struct {
        const char *text, *part;
    } lines[] = {
        {"\nrpm http://a.test s main\n", "sources.list:2: the type is neither deb nor deb-src: \"rpm\""},
        {"deb http://a.test\n", "sources.list:1: an entry is"},
        {"deb [arch=amd64 http://a.test s main\n", "closing ']'"},
        {"deb [arch] http://a.test s main\n", "name=value: \"arch\""},
        {"deb [arch=AMD/64] http://a.test s main\n", "not an architecture"},
        {"deb [trusted=maybe] http://a.test s main\n", "Trusted must be yes or no, not \"maybe\""},
        {"deb [signed-by=k.gpg] http://a.test s main\n", "absolute paths"},
        {"deb ftp://a.test s main\n", "is not http, https, file or mirror+file"},
        {"deb mirror://a.test s main\n", "is not http, https, file or mirror+file"},
        {"deb mirror+file:/nonexistent/list s main\n", "/nonexistent/list"},
        {"deb http://a.test/$(VERSION) s main\n", "the only variable of apt is $(ARCH)"},
        {"deb http://a.test/?x s main\n", "no query"},
        {"deb http://a.test ../../x main\n", "not a suite: \"../../x\""},
        {"deb http://a.test /s main\n", "not a suite"},
        {"deb http://a.test s ../m\n", "not a component"},
        {"deb http://a.test s\n", "names no component"},
        {"deb http://a.test flat/ main\n", "takes no components"},
        {"# nothing\n", "no enabled package repository"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(lines); i++) {
        struct err err = {0};
        if (strstr(lines[i].text, "/nonexistent/list")) {
            AUTO(host_done) struct host *host = host_new();
            (void)put(host, "sources.list", lines[i].text);
            assert_false(apt_load_sources(&host->arena, host->dir, &host->deb, &err));
            CHECK_ERR(&err, ERR_LOCAL, lines[i].part);
        } else {
            check_refused("sources.list", lines[i].text, lines[i].part);
        }
    }
    check_refused("sources.list.d/a.sources", "URIs: http://a.test\nSuites: s\n", "has no Types field");
    check_refused("sources.list.d/a.sources", "Types: deb\nSuites: s\n", "has no URIs field");
    check_refused("sources.list.d/a.sources", "Types: deb\n\n\ndeb http://a.test s main\n", "a.sources:1");
    check_refused("sources.list.d/a.sources", "# c\n\nwhat is this\n", "a.sources:3: not a");
}

static void replacing_suites_keeps_the_main_repository_only(void **state)
{
    (void)state;
    AUTO(host_done) struct host *host = host_new();
    (void)put(host, "sources.list",
              "deb [signed-by=/d] http://d.test s-security updates\ndeb [signed-by=/d] http://d.test s main contrib\n");
    (void)load(host, 2);
    CHECK_OK(deb_source_replace_suites(&host->arena, &host->deb, "trixie,trixie-updates", &host->err), &host->err);
    assert_int_equal(host->deb.repositories.count, 2);
    const struct deb_repository *second = &host->deb.repositories.items[1];
    assert_string_equal(second->name, "trixie-updates of http://d.test/");
    assert_string_equal(strings_join(&host->arena, &second->components, " "), "main contrib");
    assert_string_equal(second->keyrings.items[0], "/d");
    assert_false(second->is_optional);
    assert_false(deb_source_replace_suites(&host->arena, &host->deb, "../x", &host->err));
    CHECK_ERR(&host->err, ERR_USAGE, "not a suite");
}

static bool load_file(struct host *host, const char *text)
{
    const char *path = put(host, "files/source.yaml", text);
    if (!source_load_file(&host->arena, path, host->dir, &host->source, &host->err))
        return false;
    host->deb = *deb_source_of(&host->source);
    return true;
}

static void a_source_file_names_mirrors_keys_and_suites(void **state)
{
    (void)state;
    AUTO(host_done) struct host *host = host_new();
    (void)put(host, "files/keys/k.asc", "x");
    CHECK_OK(load_file(host, "kind: deb\nname: ours\nuris: [http://a.test/d, https://b.test]\nsuites: [s, t]\n"
                             "components: main\nkeys: [keys/k.asc]\narchitectures: [amd64]\ncheck-valid-until: false\n"
                             "fingerprints: ['" FPR "']\n"),
             &host->err);
    assert_int_equal(host->deb.repositories.count, 2);
    const struct deb_repository *second = &host->deb.repositories.items[1];
    assert_string_equal(second->name, "ours (t)");
    assert_string_equal(strings_join(&host->arena, &second->uris, " "), "http://a.test/d/ https://b.test/");
    assert_string_equal(second->keyrings.items[0], arena_printf(&host->arena, "%s/files/keys/k.asc", host->dir));
    assert_string_equal(second->fingerprints.items[0], FPR);
    assert_true(second->is_valid_until_ignored);
    assert_false(second->is_optional || second->is_trusted || second->is_by_hash_off);
}

static void a_source_file_can_take_the_hosts_mirror_and_keys(void **state)
{
    (void)state;
    AUTO(host_done) struct host *host = host_new();
    (void)put(host, "etc/apt/sources.list", "deb [signed-by=/d] http://d.test/debian s main contrib\n");
    CHECK_OK(load_file(host, "kind: deb\nuris: host\nsuites: trixie\n"), &host->err);
    assert_int_equal(host->deb.repositories.count, 1);
    const struct deb_repository *repository = host->deb.repositories.items;
    assert_string_equal(repository->name, "trixie of http://d.test/debian/");
    assert_string_equal(repository->keyrings.items[0], arena_printf(&host->arena, "%s/d", host->dir));
    assert_int_equal(repository->components.count, 2);
}

static void a_source_file_can_list_several_repositories(void **state)
{
    (void)state;
    AUTO(host_done) struct host *host = host_new();
    (void)put(host, "files/a repo%/x", "x");
    CHECK_OK(load_file(host, "kind: deb\nrepositories:\n- {uris: [http://a.test], suites: [flat/], trusted: true}\n"
                             "- {uris: ['./a repo%'], suites: ['./'], trusted: true}\n"),
             &host->err);
    assert_int_equal(host->deb.repositories.count, 2);
    assert_true(host->deb.repositories.items[1].is_trusted);
    assert_string_equal(host->deb.repositories.items[1].uris.items[0],
                        arena_printf(&host->arena, "file://%s/files/a%%20repo%%25/", host->dir));
}

static void a_source_file_that_lacks_something_is_refused_with_its_place(void **state)
{
    (void)state;
    static const struct {
        const char *text, *part;
    } files[] = {
        {"", "empty"},
        {"uris: [http://a.test]\nsuites: s\n", "kind"},
        {"kind: ebuild\n", "\"ebuild\" is not known"},
        {"kind: deb\nsuites: s\n", "needs \"uris\""},
        {"kind: deb\nuris: [http://a.test]\ntrusted: true\n", "needs \"suites\""},
        {"kind: deb\nuris: [http://a.test]\nsuites: s\ncomponents: main\n", "needs \"keys\""},
        {"kind: deb\nuris: [http://a.test]\nsuites: s\ntrusted: true\n", "names no component"},
        {"kind: deb\nuris: [gopher://a.test]\nsuites: s/\ntrusted: true\n", "gopher"},
        {"kind: deb\nuris: [./absent]\nsuites: s/\ntrusted: true\n", "./absent"},
        {"kind: deb\nuris: [http://a.test]\nsuites: s/\nkeys: [k.gpg]\n", "k.gpg: No such file"},
        {"kind: deb\nuris: [http://a.test]\nsuites: s/\nsigned-by: k.gpg\n",
         ":4:1: unknown key 'signed-by'; did you mean 'keys'?"},
        {"kind: deb\nbaseurl: http://a.test\nsuites: s/\n", ":2:1: unknown key 'baseurl'; did you mean 'uris'?"},
        {"kind: deb\nuris: [http://a.test]\nsuites: s/\ntrusted: true\nfingerprints: [/x]\n", "not a fingerprint"},
        {"kind: deb\nuris: [http://a.test]\nsuites: s/\ntrustd: true\n", "trusted"},
        {"kind: deb\nrepositories: []\n", "list of repositories"},
        {"kind: deb\ntrusted: true\nrepositories: [{uris: [http://a.test], suites: [s/]}]\n", "not both"},
        {"kind: deb\nuris: host\n", "no enabled package repository"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(files); i++) {
        AUTO(host_done) struct host *host = host_new();
        if (load_file(host, files[i].text))
            fail_msg("accepted: %s", files[i].text);
        CHECK_ERR(&host->err, ERR_USAGE, files[i].part);
        assert_non_null(strstr(host->err.text, "source.yaml"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_one_line_entry_becomes_a_repository),
        cmocka_unit_test(a_stanza_gives_a_repository_per_uri_and_suite),
        cmocka_unit_test(disabled_entries_and_cdroms_and_other_files_are_passed_over),
        cmocka_unit_test(files_are_read_in_the_order_of_their_names),
        cmocka_unit_test(without_signed_by_the_default_keyrings_count),
        cmocka_unit_test(an_inline_key_loses_its_deb822_form),
        cmocka_unit_test(repositories_with_other_keys_than_most_are_optional),
        cmocka_unit_test(of_repositories_with_different_keys_the_first_is_required),
        cmocka_unit_test(local_uris_take_one_form_and_mirror_lists_are_read),
        cmocka_unit_test(what_is_not_understood_is_refused_with_its_place),
        cmocka_unit_test(replacing_suites_keeps_the_main_repository_only),
        cmocka_unit_test(a_source_file_names_mirrors_keys_and_suites),
        cmocka_unit_test(a_source_file_can_take_the_hosts_mirror_and_keys),
        cmocka_unit_test(a_source_file_can_list_several_repositories),
        cmocka_unit_test(a_source_file_that_lacks_something_is_refused_with_its_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
