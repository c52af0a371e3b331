/* SPDX-License-Identifier: Apache-2.0 */
/* Where RPM repositories are configured: source files of kind rpm, a Fedora-like host's .repo files, shipped sources. */
#include "arch_rename.h"
#include "source_host.h"

#include "base/auto.h"
#include "deb/deb_format.h"
#include "formats/sources.h"
#include "io/file.h"
#include "rpmmd/ini.h"
#include "rpmmd/rpm_arch.h"
#include "rpmmd/rpm_format.h"
#include "rpmmd/rpm_variables.h"
#include "rpmmd/yum_repos.h"

static const struct rpm_repository *load_file(struct host *host, const char *text, size_t wanted_count)
{
    const char *path = put(host, "files/source.yaml", text);
    CHECK_OK(source_load_file(&host->arena, path, "/nonexistent", &host->source, &host->err), &host->err);
    assert_ptr_equal(host->source.format, &format_rpm);
    assert_int_equal(rpm_source_of(&host->source)->repositories.count, wanted_count);
    return rpm_source_of(&host->source)->repositories.items;
}

static void check_file_refused(const char *text, const char *part)
{
    AUTO(host_done) struct host *host = host_new();
    const char *path = put(host, "files/source.yaml", text);
    (void)put(host, "files/key.asc", "");
    if (source_load_file(&host->arena, path, "/nonexistent", &host->source, &host->err))
        fail_msg("taken: %s", text);
    CHECK_ERR(&host->err, ERR_USAGE, part);
    assert_non_null(strstr(host->err.text, "source.yaml:"));
}

static void a_source_file_has_dnfs_keys(void **state)
{
    (void)state;
    AUTO(host_done) struct host *host = host_new();
    (void)put(host, "files/key.asc", "");
    const struct rpm_repository *repository = load_file(
        host,
        "kind: rpm\nname: ours\nreleasever: \"9.4\"\nbaseurl: [\"https://a.test/$releasever/${basearch}/os\", "
        "\"http://b.test/$releasever_major\"]\ngpgkey: [key.asc, https://a.test/KEY-$releasever_major]\n"
        "repo_gpgcheck: true\npriority: 10\nexcludepkgs: [a*, b]\nincludepkgs: c\nmodule_hotfixes: true\n"
        "skip_if_unavailable: true\nmodules: [\"nodejs:20\"]\n",
        1);
    assert_string_equal(repository->id, "ours");
    assert_string_equal(strings_join(&host->arena, &repository->base_urls, " "),
                        "https://a.test/9.4/${basearch}/os http://b.test/9");
    assert_string_equal(repository->gpg_keys.items[0], arena_printf(&host->arena, "%s/files/key.asc", host->dir));
    assert_string_equal(repository->gpg_keys.items[1], "https://a.test/KEY-9");
    assert_true(repository->is_gpg_checked);
    assert_true(repository->is_repo_gpg_checked);
    assert_int_equal(repository->priority, 10);
    assert_int_equal(repository->exclude_pkgs.count, 2);
    assert_string_equal(repository->include_pkgs.items[0], "c");
    assert_true(repository->has_module_hotfixes);
    assert_true(repository->is_optional);
    assert_string_equal(rpm_source_of(&host->source)->modules.items[0], "nodejs:20");
}

static void what_is_not_said_has_safe_defaults(void **state)
{
    (void)state;
    AUTO(host_done) struct host *host = host_new();
    const struct rpm_repository *repository =
        load_file(host,
                  "kind: rpm\nreleasever: \"41\"\nrepositories:\n"
                  "  - {name: fedora, metalink: \"https://m.test/?repo=fedora-$releasever&arch=$basearch\", gpgkey: "
                  "\"https://k.test/"
                  "k\"}\n  - {mirrorlist: \"https://m.test/list\", gpgkey: \"https://k.test/k\"}\n"
                  "  - {baseurl: ./local/$basearch, trusted: true}\n",
                  3);
    assert_string_equal(repository[0].metalink, "https://m.test/?repo=fedora-41&arch=$basearch");
    assert_true(repository[0].is_gpg_checked);
    assert_false(repository[0].is_repo_gpg_checked || repository[0].is_optional || repository[0].has_module_hotfixes);
    assert_int_equal(repository[0].priority, 99);
    assert_string_equal(repository[1].mirrorlist, "https://m.test/list");
    assert_string_equal(repository[1].id, "2");
    assert_false(repository[2].is_gpg_checked);
    assert_string_equal(repository[2].base_urls.items[0],
                        arena_printf(&host->arena, "file://%s/files/./local/$basearch", host->dir));
}

static void a_source_file_that_lacks_something_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text, *part;
    } table[] = {
        {"kind: rpm\n", "needs baseurl, metalink or mirrorlist"},
        {"kind: rpm\nbaseurl: https://a.test/\n", "it needs gpgkey"},
        {"kind: rpm\nbaseurl: https://a.test/\ngpgcheck: false\n", "\"trusted: true\""},
        {"kind: rpm\nbaseurl: https://a.test/\ngpgcheck: true\ntrusted: true\n", "without gpgcheck"},
        {"kind: rpm\nbaseurl: https://a.test/\nrepo_gpgcheck: true\ntrusted: true\n", "without gpgcheck"},
        {"kind: rpm\nbaseurl: https://a.test/$releasever\ntrusted: true\n", "$releasever is not known; give"},
        {"kind: rpm\nbaseurl: https://a.test/${stream}\ntrusted: true\n", "$stream is not known"},
        {"kind: rpm\nbaseurl: ftp://a.test/\ntrusted: true\n", "only https, http and file"},
        {"kind: rpm\nbaseurl: \"https://a.test/ b\"\ntrusted: true\n", "blanks"},
        {"kind: rpm\nmetalink: a.test\ntrusted: true\n", "only https, http and file"},
        {"kind: rpm\nbaseurl: ./absent\ntrusted: true\n", "the repository ./absent: No such file"},
        {"kind: rpm\nbaseurl: https://a.test/\ngpgkey: absent.asc\n", "absent.asc: No such file"},
        {"kind: rpm\nbaseurl: https://a.test/\ngpgkey: key.asc\npriority: 0\n", "a priority is a number from 1"},
        {"kind: rpm\nbaseurl: https://a.test/\ngpgkey: key.asc\npriority: 100\n", "source.yaml:4:"},
        {"kind: rpm\nbaseurl: https://a.test/\ngpgkey: key.asc\nmodules: [nodejs]\n", "NAME:STREAM"},
        {"kind: rpm\nbaseurl: https://a.test/\ngpgkey: key.asc\ngpgcheck: 1\n", "gpgcheck"},
        {"kind: rpm\nbaseurl: https://a.test/\ngpgkey: key.asc\nsuites: x\n", "suites"},
        {"kind: rpm\nbase_url: https://a.test/\n", "baseurl"},
        {"kind: rpm\nrepositories: []\n", "must be a list"},
        {"kind: rpm\nbaseurl: https://a.test/\nrepositories: [{baseurl: x}]\n", "not both"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(table); i++)
        check_file_refused(table[i].text, table[i].part);
}

static void every_shipped_source_can_be_read(void **state)
{
    (void)state;
    AUTO(host_done) struct host *host = host_new();
    static const char dir[] = SOURCE_DIR "/manifests/sources";
    struct strings names;
    CHECK_OK(yaml_stems(&host->arena, dir, &names, &host->err), &host->err);
    CHECK_RANGE(names.count, 6, 100);
    for (size_t i = 0; i < names.count; i++) {
        const char *path;
        CHECK_OK(source_find(&host->arena, dir, names.items[i], &path, &host->err), &host->err);
        CHECK_OK(source_load_file(&host->arena, path, "/nonexistent", &host->source, &host->err), &host->err);
        assert_int_equal(rpm_source_of(&host->source)->repositories.count, 2);
        for (size_t k = 0; k < 2; k++)
            assert_true(rpm_source_of(&host->source)->repositories.items[k].is_gpg_checked);
    }
}

static void an_unknown_source_names_the_nearest(void **state)
{
    (void)state;
    AUTO(host_done) struct host *host = host_new();
    const char *path;
    assert_false(source_find(&host->arena, SOURCE_DIR "/manifests/sources", "fedora-14", &path, &host->err));
    CHECK_ERR(&host->err, ERR_USAGE, "did you mean 'fedora-4");
    CHECK_ERR(&host->err, ERR_USAGE, "rocky-9");
    err_clear(&host->err);
    CHECK_OK(source_find(&host->arena, "/nonexistent", "./fedora-14", &path, &host->err), &host->err);
    assert_string_equal(path, "./fedora-14");
}

static const struct rpm_repository *load_host(struct host *host, size_t wanted_count)
{
    CHECK_OK(source_load_host(&host->arena, host->dir, &host->source, &host->err), &host->err);
    assert_int_equal(rpm_source_of(&host->source)->repositories.count, wanted_count);
    return rpm_source_of(&host->source)->repositories.items;
}

static void a_fedora_hosts_repositories_are_the_default(void **state)
{
    (void)state;
    AUTO(host_done) struct host *host = host_new();
    (void)put(host, "etc/os-release", "NAME=\"Fedora Linux\"\nVERSION_ID=41\nPLATFORM_ID=\"platform:f41\"\n");
    (void)put(host, "etc/dnf/dnf.conf",
              "# see `man dnf.conf`\n\n[main]\ngpgcheck=True\ninstallonly_limit=3\nexcludepkgs = x y\n");
    (void)put(host, "etc/yum.repos.d/fedora.repo",
              "[fedora]\nname=Fedora $releasever - $basearch\n"
              "metalink=https://m.test/metalink?repo=fedora-$releasever&arch=$basearch\nenabled=1\ncountme=1\n"
              "metadata_expire=7d\nrepo_gpgcheck=0\ntype=rpm\ngpgcheck=1\n"
              "gpgkey=file:///etc/pki/rpm-gpg/RPM-GPG-KEY-fedora-$releasever-$basearch\n\n"
              "[fedora-source]\nname=Sources\nenabled=0\nmetalink=bad url here\n");
    (void)put(host, "etc/yum.repos.d/fedora-cisco-openh264.repo",
              "[fedora-cisco-openh264]\nmetalink=https://m.test/h264\n"
              "gpgkey=file:///etc/pki/rpm-gpg/RPM-GPG-KEY-fedora-$releasever-$basearch\nskip_if_unavailable=True\n");
    (void)put(host, "etc/yum.repos.d/third.repo",
              "; a comment\n[third]\nbaseurl=https://a.test/$releasever/\n  https://b.test/,\n\thttps://c.test/\n"
              "exclude=z\npriority=20\nmodule_hotfixes=yes\ngpgkey=https://k.test/a\n https://k.test/b\n");
    (void)put(host, "etc/yum.repos.d/notes.txt", "not read");
    const struct rpm_repository *repository = load_host(host, 3);
    const struct rpm_repository *h264 = &repository[0], *fedora = &repository[1], *third = &repository[2];
    assert_string_equal(host->source.name, "host");
    assert_string_equal(fedora->metalink, "https://m.test/metalink?repo=fedora-41&arch=$basearch");
    assert_string_equal(fedora->gpg_keys.items[0],
                        arena_printf(&host->arena, "%s/etc/pki/rpm-gpg/RPM-GPG-KEY-fedora-41-$basearch", host->dir));
    assert_true(fedora->is_gpg_checked && !fedora->is_optional && !fedora->is_repo_gpg_checked);
    assert_string_equal(strings_join(&host->arena, &rpm_source_of(&host->source)->exclude_pkgs, " "), "x y");
    assert_int_equal(fedora->exclude_pkgs.count, 0);
    assert_null(fedora->access);
    assert_non_null(strstr(fedora->place, "fedora.repo:1"));
    assert_true(h264->is_optional);
    assert_true(third->is_optional);
    assert_string_equal(strings_join(&host->arena, &third->base_urls, " "),
                        "https://a.test/41/ https://b.test/ https://c.test/");
    assert_string_equal(strings_join(&host->arena, &third->exclude_pkgs, " "), "z");
    assert_int_equal(third->gpg_keys.count, 2);
    assert_int_equal(third->priority, 20);
    assert_true(third->has_module_hotfixes);
}

static void an_enterprise_release_is_its_major_number(void **state)
{
    (void)state;
    AUTO(host_done) struct host *host = host_new();
    (void)put(host, "usr/lib/os-release", "VERSION_ID=\"9.4\"\nPLATFORM_ID=\"platform:el9\"\n");
    (void)put(host, "etc/yum/vars/stream", "old\n");
    (void)put(host, "etc/dnf/vars/stream", "9-stream\nsecond line\n");
    (void)put(host, "etc/yum.repos.d/a.repo",
              "[a]\nbaseurl=https://a.test/$releasever/$stream/$arch\ngpgkey=https://k.test/k\n");
    assert_string_equal(load_host(host, 1)->base_urls.items[0], "https://a.test/9/9-stream/$arch");
    (void)put(host, "etc/dnf/vars/releasever", "9.2\n");
    assert_string_equal(load_host(host, 1)->base_urls.items[0], "https://a.test/9.2/9-stream/$arch");
}

static void a_variable_that_cannot_be_read_is_an_error(void **state)
{
    (void)state;
    AUTO(host_done) struct host *host = host_new();
    (void)put(host, "etc/yum.repos.d/a.repo", "[a]\nbaseurl=https://a.test/\ngpgkey=https://k.test/k\n");
    (void)put(host, "etc/dnf/vars/stream/below", "a folder where a file should be\n");
    assert_false(source_load_host(&host->arena, host->dir, &host->source, &host->err));
    CHECK_ERR(&host->err, ERR_LOCAL, "etc/dnf/vars/stream");
}

static void variables_may_have_words_that_stand_for_them(void **state)
{
    (void)state;
    AUTO(host_done) struct host *host = host_new();
    (void)put(host, "etc/dnf/vars/set", "S\n");
    (void)put(host, "etc/dnf/vars/empty", "\n");
    (void)put(host, "etc/yum.repos.d/a.repo",
              "[a]\nbaseurl=https://a.test/${set:-x}/${empty:-y}/${gone:-z}/${set:+yes}/-${gone:+no}-/${gone:-${set}}/"
              "${gone:-${no:-deep}}/$set\n"
              "gpgkey=https://k.test/k\n");
    assert_string_equal(load_host(host, 1)->base_urls.items[0], "https://a.test/S/y/z/yes/--/S/deep/S");
}

static void modules_are_those_that_dnf_enabled(void **state)
{
    (void)state;
    AUTO(host_done) struct host *host = host_new();
    (void)put(host, "etc/yum.repos.d/a.repo", "[a]\nbaseurl=https://a.test/\ngpgkey=https://k.test/k\ncost=20\n");
    (void)put(host, "etc/dnf/modules.d/n.module", "[nodejs]\nname=nodejs\nprofiles=\nstream=18\nstate=enabled\n");
    (void)put(host, "etc/dnf/modules.d/p.module",
              "[php]\nname=php\nstream=\nstate=disabled\n[perl]\nstream=5.32\nstate=\n");
    assert_int_equal(load_host(host, 1)->cost, 20);
    const struct rpm_source *source = rpm_source_of(&host->source);
    assert_string_equal(strings_join(&host->arena, &source->modules, " "), "nodejs:18");
    assert_string_equal(strings_join(&host->arena, &source->disabled_modules, " "), "php");
}

static void what_transfers_want_is_that_of_main_unless_a_repository_says_otherwise(void **state)
{
    (void)state;
    AUTO(host_done) struct host *host = host_new();
    (void)put(host, "etc/dnf/vars/who", "me\n");
    (void)put(host, "etc/dnf/dnf.conf",
              "[main]\nproxy=http://p.test:3128\nproxy_username=pu\nproxy_password=pp\nsslverify=0\nbest=false\n");
    (void)put(host, "etc/yum.repos.d/a.repo",
              "[a]\nbaseurl=https://a.test/"
              "\ngpgcheck=0\nproxy=_None_\nusername=$who\npassword=secret\nsslverify=${none:-yes}\n"
              "sslcacert=/pki/ca.pem\nsslclientcert=file:///pki/c.pem\nsslclientkey=/pki/k.pem\n"
              "[b]\nbaseurl=https://b.test/\ngpgcheck=0\npassword=alone\n");
    const struct rpm_repository *repository = load_host(host, 2);
    const struct http_access *a = repository[0].access, *b = repository[1].access;
    assert_true(rpm_source_of(&host->source)->is_older_fine);
    assert_null(a->proxy);
    assert_string_equal(a->user, "me");
    assert_string_equal(a->password, "secret");
    assert_string_equal(a->tls.ca_file, arena_printf(&host->arena, "%s/pki/ca.pem", host->dir));
    assert_string_equal(a->tls.cert_path, arena_printf(&host->arena, "%s/pki/c.pem", host->dir));
    assert_string_equal(a->tls.key_path, arena_printf(&host->arena, "%s/pki/k.pem", host->dir));
    assert_false(a->tls.is_verify_off);
    assert_string_equal(b->proxy, "http://p.test:3128");
    assert_string_equal(b->proxy_user, "pu");
    assert_string_equal(b->proxy_password, "pp");
    assert_true(b->tls.is_verify_off);
    assert_null(b->user);
    assert_null(b->password);
}

static void of_two_with_one_id_the_first_counts(void **state)
{
    (void)state;
    AUTO(host_done) struct host *host = host_new();
    (void)put(host, "etc/yum.repos.d/a.repo", "[a]\nbaseurl=https://first.test/\ngpgkey=https://k.test/k\n");
    (void)put(host, "etc/yum.repos.d/b.repo", "[a]\nbaseurl=https://second.test/\ngpgkey=https://k.test/k\n");
    assert_string_equal(load_host(host, 1)->base_urls.items[0], "https://first.test/");
}

static void a_section_that_begins_again_is_continued(void **state)
{
    (void)state;
    AUTO(host_done) struct host *host = host_new();
    (void)put(host, "etc/dnf/vars/foo", "V\n");
    (void)put(host, "etc/yum.repos.d/a.repo",
              "[a-$foo] # note\r\nname='A $foo'\r\nbaseurl=https://first.test/\n[b]\nenabled=0\n[a-$foo]\n"
              "baseurl=\"https://second.test/${foo}\"\n # a comment\n https://third.test/\ngpgkey=https://k.test/k\n"
              "excludepkgs=x\nexclude=\n");
    const struct rpm_repository *repository = load_host(host, 1);
    assert_string_equal(repository->id, "a-V");
    assert_string_equal(repository->name, "A V");
    assert_string_equal(strings_join(&host->arena, &repository->base_urls, " "),
                        "https://second.test/V https://third.test/");
    assert_int_equal(repository->exclude_pkgs.count, 0);
}

static void apt_wins_when_both_are_there_and_neither_is_said(void **state)
{
    (void)state;
    AUTO(host_done) struct host *host = host_new();
    assert_false(source_load_host(&host->arena, host->dir, &host->source, &host->err));
    CHECK_ERR(&host->err, ERR_USAGE, "neither apt's configuration");
    CHECK_ERR(&host->err, ERR_USAGE, "/etc/yum.repos.d/*.repo");
    CHECK_ERR(&host->err, ERR_USAGE, "--source");
    err_clear(&host->err);
    (void)put(host, "etc/yum.repos.d/a.repo", "[a]\nbaseurl=https://a.test/\ngpgkey=https://k.test/k\n");
    (void)load_host(host, 1);
    (void)put(host, "etc/apt/sources.list", "deb http://d.test/debian s main\n");
    CHECK_OK(source_load_host(&host->arena, host->dir, &host->source, &host->err), &host->err);
    assert_ptr_equal(host->source.format, &format_deb);
}

static void a_broken_repo_file_is_refused_with_its_place(void **state)
{
    (void)state;
    static const struct {
        const char *text, *part;
    } table[] = {
        {"baseurl=https://a.test/\n", "x.repo:1: a line before the first [section]"},
        {"[a\n", "x.repo:1: not a section"},
        {"[]\n", "not a section"},
        {"[a]\nbaseurl=https://a.test/\n\n https://b.test/\n", "x.repo:4: a continuation line without"},
        {"[a]\nbaseurl=https://a.test/\n# c\n https://b.test/\n", "x.repo:4: a continuation line without"},
        {"[a]\nenabled=always\n", "neither 1 nor 0"},
        {"[a]\nnonsense\n", "x.repo:2: not a line of the form key=value"},
        {"[a]\n=x\n", "not a line of the form key=value"},
        {"[a]\n continued\n", "without a line that it continues"},
        {"[a b]\nbaseurl=https://a.test/\n", "not the id of a repository"},
        {"[a]\nenabled=maybe\n", "x.repo:2: enabled: neither 1 nor 0"},
        {"[a]\npriority=first\n", "priority: not a number"},
        {"[a]\nname=x\n", "x.repo:1: repository a: it needs baseurl"},
        {"[a]\nbaseurl=https://a.test/\n", "repository a: it needs gpgkey"},
        {"[a]\nbaseurl=https://a.test/$foo\ngpgcheck=0\n", "$foo is not known"},
        {"[a]\nbaseurl=media:x\ngpgcheck=0\n", "only https, http and file"},
        {"[a]\nenabled=0\n", "has no enabled repository"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(table); i++) {
        AUTO(host_done) struct host *host = host_new();
        (void)put(host, "etc/yum.repos.d/x.repo", table[i].text);
        if (format_rpm.load_host(&host->arena, host->dir, &host->source, &host->err))
            fail_msg("taken: %s", table[i].text);
        CHECK_ERR(&host->err, ERR_USAGE, table[i].part);
    }
}

static void nul_bytes_and_endless_values_are_refused(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    AUTO(buf_done) struct buf text;
    struct ini ini;
    struct err err = {0};
    buf_init(&text, 4u << 20);
    assert_true(buf_printf(&text, "[a]\nk=v\n"));
    for (int i = 0; i < 20000; i++)
        assert_true(buf_printf(&text, " v\n"));
    assert_false(ini_parse(&arena, "x.repo", text.bytes, &ini, &err));
    CHECK_ERR(&err, ERR_USAGE, "longer than is read");
}

static void variables_are_replaced_where_they_are_known(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct map values = {.arena = &arena};
    struct arch armv7 = {0}, arm64 = {0};
    arch_rename(&arena, &arm64, &format_rpm, "aarch64");
    list_add(&arena, &armv7.names, ((struct arch_named){&rpm_arch_keys[0], "armv7hl"}));
    list_add(&arena, &armv7.names, ((struct arch_named){&rpm_arch_keys[1], "armhfp"}));
    const char *unknown;
    map_set(&values, TEXT("a"), arena_strdup(&arena, "1"));
    map_set(&values, TEXT("ab"), arena_strdup(&arena, "$a"));
    static const char text[] = "$a ${a}b $ab $ $$a ${a $basearch/${arch} $z_1 ${y}";
    assert_string_equal(rpm_expand(&arena, &values, NULL, text, &unknown),
                        "1 1b $a $ $1 ${a $basearch/${arch} $z_1 ${y}");
    assert_string_equal(unknown, "z_1");
    assert_string_equal(rpm_expand(&arena, NULL, &armv7, "$basearch/${arch}", &unknown), "armhfp/armv7hl");
    assert_null(unknown);
    assert_string_equal(rpm_expand(&arena, NULL, &arm64, "$basearch/$arch", NULL), "aarch64/aarch64");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_source_file_has_dnfs_keys),
        cmocka_unit_test(what_is_not_said_has_safe_defaults),
        cmocka_unit_test(a_source_file_that_lacks_something_is_refused),
        cmocka_unit_test(every_shipped_source_can_be_read),
        cmocka_unit_test(an_unknown_source_names_the_nearest),
        cmocka_unit_test(a_fedora_hosts_repositories_are_the_default),
        cmocka_unit_test(an_enterprise_release_is_its_major_number),
        cmocka_unit_test(a_variable_that_cannot_be_read_is_an_error),
        cmocka_unit_test(variables_may_have_words_that_stand_for_them),
        cmocka_unit_test(modules_are_those_that_dnf_enabled),
        cmocka_unit_test(what_transfers_want_is_that_of_main_unless_a_repository_says_otherwise),
        cmocka_unit_test(of_two_with_one_id_the_first_counts),
        cmocka_unit_test(a_section_that_begins_again_is_continued),
        cmocka_unit_test(apt_wins_when_both_are_there_and_neither_is_said),
        cmocka_unit_test(a_broken_repo_file_is_refused_with_its_place),
        cmocka_unit_test(nul_bytes_and_endless_values_are_refused),
        cmocka_unit_test(variables_are_replaced_where_they_are_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
