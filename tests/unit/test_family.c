/* SPDX-License-Identifier: Apache-2.0 */
#include "folder.h"

#include "base/auto.h"
#include "shipped.h"

#define SMALL                                                                                                          \
    "identity: {package: base, files: [/etc/os-release]}\naccounts: [{package: base, passwd: /p, group: /g}]\n"        \
    "root: {comment: root, home: /root}\nnobody: {comment: none, home: /, group: nogroup}\n"

static bool load(struct folder *folder, struct families *ret_families, struct err *err)
{
    struct strings dirs = {0}, formats = formats_names(&folder->arena);
    list_add(&folder->arena, &dirs, SOURCE_DIR "/manifests/families");
    list_add(&folder->arena, &dirs, folder->dir);
    list_add(&folder->arena, &dirs, "/nonexistent/families");
    return families_load(&folder->arena, &dirs, &formats, ret_families, err);
}

static void refused(struct folder *folder, const char *name, const char *text, const char *rest)
{
    struct families families = {0};
    struct err err = {0};
    const char *path = put(folder, name, text);
    if (load(folder, &families, &err))
        fail_msg("accepted, although \"%s\" was wanted", rest);
    assert_int_equal(err.kind, ERR_USAGE);
    assert_string_equal(err.text, arena_printf(&folder->arena, "%s:%s", path, rest));
    assert_int_equal(families.count, 0);
}

static void debian_and_fedora_are_shipped(void **state)
{
    struct folder *folder = *state;
    const struct family *deb = shipped_family(&folder->arena, "deb"), *rpm = shipped_family(&folder->arena, "rpm");
    assert_string_equal(deb->name, "debian");
    assert_string_equal(deb->identity_package, "base-files");
    assert_null(deb->layout);
    assert_string_equal(deb->nobody.group, "nogroup");
    assert_string_equal(deb->accounts.items[0].passwd, "/usr/share/base-passwd/passwd.master");
    assert_string_equal(rpm->name, "fedora");
    assert_string_equal(rpm->identity_edition, "-release-identity");
    assert_string_equal(rpm->layout, "filesystem");
    assert_true(strings_has(&rpm->whole_system, "setup") && strings_has(&deb->whole_system, "systemd"));
    assert_true(strings_has(&deb->documentation, "/usr/share/man"));
    assert_true(strings_has(&deb->dispensable, "/**/*.po") && strings_has(&rpm->dispensable, "/**/*.po"));
    assert_true(strings_has(&deb->for_host, "/etc/init.d") && strings_has(&rpm->for_host, "/etc/cron.d"));
    assert_int_equal(deb->skeleton.users.count, 16);
    assert_int_equal(deb->skeleton.groups.count, 36);
    assert_int_equal(rpm->skeleton.users.count, 11);
    assert_int_equal(rpm->skeleton.groups.count, 25);
    assert_int_equal(deb->skeleton.made.count, 10);
    assert_string_equal(deb->skeleton.made.items[9].target, "/run");
    assert_string_equal(rpm->skeleton.made.items[9].target, "../run");
}

static void a_family_of_our_own_takes_the_place_of_the_shipped_one_of_its_name(void **state)
{
    struct folder *folder = *state;
    struct families families;
    const struct family *deb, *rpm;
    struct err err = {0};
    CHECK_OK(load(folder, &families, &err), &err);
    struct digest shipped = families.digest;
    put(folder, "debian", "kind: deb\nlayout: ours\n" SMALL);
    CHECK_OK(load(folder, &families, &err), &err);
    CHECK_OK(families_find(&families, "deb", &deb, &err), &err);
    CHECK_OK(families_find(&families, "rpm", &rpm, &err), &err);
    assert_string_equal(deb->layout, "ours");
    assert_string_equal(rpm->layout, "filesystem");
    assert_false(digest_eq(&shipped, &families.digest)); /* a finished product of before is none of now */
}

static void a_mistake_is_told_with_its_place(void **state)
{
    struct folder *folder = *state;
    refused(folder, "debian", "", "1:1: the family is empty");
    refused(folder, "debian", "kind: deb\nlayuot: x\n" SMALL, "2:1: unknown key 'layuot'; did you mean 'layout'?");
    refused(folder, "debian", "kind: dep\n" SMALL, "1:7: 'dep' is neither deb nor rpm");
    refused(folder, "debian", SMALL, "1:1: key 'kind' is missing");
    refused(folder, "debian", "kind: deb\ndispensable: [locale]\n" SMALL, "2:15: 'locale' must be an absolute path");
    refused(folder, "debian", "kind: deb\ndocumentation: [doc]\n" SMALL, "2:17: 'doc' must be an absolute path");
    refused(folder, "debian", "kind: deb\nhost: [etc]\n" SMALL, "2:8: 'etc' must be an absolute path");
    refused(folder, "debian", "kind: deb\nwhole-system: [a b]\n" SMALL, "2:16: 'a b' is not a package's name");
    refused(folder, "debian", "kind: deb\nsymlinks: [{path: run, target: /run}]\n" SMALL,
            "2:19: 'run' must be an absolute path");
}

static void the_readmes_example_is_good(void **state)
{
    struct folder *folder = *state;
    struct strings texts = examples(folder, "manifests/README.md", "family");
    struct families families;
    struct err err = {0};
    assert_int_equal(texts.count, 1);
    put(folder, "fedora", texts.items[0]);
    CHECK_OK(load(folder, &families, &err), &err);
    assert_int_equal(families.items[1].skeleton.made.count, 3);
}

static void two_families_of_one_kind_are_refused(void **state)
{
    struct folder *folder = *state;
    refused(folder, "ours", "kind: deb\n" SMALL,
            "1:7: debian is the family of this kind already; a file debian.yaml takes its place");
}

static void a_kind_without_a_family_is_an_error(void **state)
{
    (void)state;
    struct families none = {0};
    const struct family *family;
    struct err err = {0};
    assert_false(families_find(&none, "deb", &family, &err));
    CHECK_ERR(&err, ERR_USAGE, "is of the kind deb");
    err_clear(&err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(debian_and_fedora_are_shipped),
        IN_FOLDER(a_family_of_our_own_takes_the_place_of_the_shipped_one_of_its_name),
        IN_FOLDER(a_mistake_is_told_with_its_place),
        IN_FOLDER(the_readmes_example_is_good),
        IN_FOLDER(two_families_of_one_kind_are_refused),
        cmocka_unit_test(a_kind_without_a_family_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
