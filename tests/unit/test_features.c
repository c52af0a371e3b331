/* SPDX-License-Identifier: Apache-2.0 */
#include "folder.h"

#include "base/auto.h"
#include "shipped.h"

static bool load(struct folder *folder, const char *text, struct manifest *ret_manifest, struct err *err)
{
    return load_manifest(&folder->arena, put(folder, "it", text), ret_manifest, err);
}

static const struct wish_file *file_of(const struct manifest *manifest, const char *path)
{
    for (size_t i = 0; i < manifest->wishes.files.count; i++) {
        if (strcmp(manifest->wishes.files.items[i].path, path) == 0)
            return &manifest->wishes.files.items[i];
    }
    return NULL;
}

static void test_a_feature_brings_its_files_with_the_packages_of_both_families(void **state)
{
    struct folder *folder = *state;
    struct manifest manifest = {0};
    struct err err = {0};
    CHECK_OK(load(folder, "binaries: [/usr/sbin/x]\nfeatures: [sasl]\n", &manifest, &err), &err);
    const struct wish_file *file = file_of(&manifest, "/usr/lib*/**/sasl2/*.so*");
    assert_non_null(file);
    assert_string_equal(strings_join(&folder->arena, &file->packages, " "), "libsasl2-modules cyrus-sasl-plain");
    assert_false(file->is_optional);
    assert_string_equal(file->giver, "the feature sasl");
    assert_int_equal(manifest.dlopen, DLOPEN_RECOMMENDED);
}

static void test_a_glob_is_a_feature_of_any_package(void **state)
{
    struct folder *folder = *state;
    struct manifest manifest = {0};
    struct err err = {0};
    CHECK_OK(load(folder, "binaries: [/usr/sbin/x]\nfeatures: [/usr/lib/x/*.so]\ndlopen: none\n", &manifest, &err),
             &err);
    assert_int_equal(manifest.wishes.files.count, 1);
    assert_int_equal(manifest.wishes.files.items[0].packages.count, 0);
    assert_int_equal(manifest.dlopen, DLOPEN_NONE);
}

static void test_nss_brings_the_modules_that_nsswitch_conf_names_beyond_glibc(void **state)
{
    struct folder *folder = *state;
    struct manifest manifest = {0};
    struct err err = {0};
    CHECK_OK(load(folder,
                  "binaries: [/usr/sbin/x]\nfeatures: [nss]\ncreate:\n  - path: /etc/nsswitch.conf\n    content: |\n"
                  "      passwd: files ldap # sss\n      hosts: files [NOTFOUND=return] dns mine\n",
                  &manifest, &err),
             &err);
    assert_int_equal(manifest.wishes.files.count, 2);
    assert_string_equal(manifest.wishes.files.items[0].path, "/usr/lib*/**/libnss_ldap.so.2");
    assert_string_equal(manifest.wishes.files.items[0].packages.items[0], "libnss-ldapd");
    assert_string_equal(manifest.wishes.files.items[1].path, "/usr/lib*/**/libnss_mine.so.2");
    assert_int_equal(manifest.wishes.files.items[1].packages.count, 0);
}

static void test_nss_makes_a_configuration_where_there_is_none(void **state)
{
    struct folder *folder = *state;
    struct manifest manifest = {0};
    struct err err = {0};
    CHECK_OK(load(folder, "binaries: [/usr/sbin/x]\nfeatures: [nss]\n", &manifest, &err), &err);
    assert_int_equal(manifest.wishes.files.count, 0);
    assert_int_equal(manifest.wishes.made.count, 1);
    assert_string_equal(manifest.wishes.made.items[0].path, "/etc/nsswitch.conf");
    assert_string_equal(manifest.wishes.made.items[0].giver, "the feature nss");
    assert_non_null(strstr(manifest.wishes.made.items[0].content, "hosts: files dns\n"));
}

/* Whatever kind it is: nothing is made beside it, and what a link leads to is not known. */
static void test_a_path_that_the_manifest_makes_is_the_manifests(void **state)
{
    struct folder *folder = *state;
    static const char *const texts[] = {"symlinks: [{path: /etc/nsswitch.conf, target: /run/nsswitch.conf}]\n",
                                        "directories: [/etc/nsswitch.conf]\n"};
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
        struct manifest manifest = {0};
        struct err err = {0};
        CHECK_OK(load(folder, arena_printf(&folder->arena, "binaries: [/usr/sbin/x]\nfeatures: [nss]\n%s", texts[i]),
                      &manifest, &err),
                 &err);
        assert_int_equal(manifest.wishes.made.count, 1);
        assert_null(manifest.wishes.made.items[0].giver);
        assert_int_equal(manifest.wishes.files.count, 0);
    }
}

static void test_unknown_features_and_policies_are_refused(void **state)
{
    struct folder *folder = *state;
    struct manifest manifest = {0};
    struct err err = {0};
    assert_false(load(folder, "binaries: [/usr/sbin/x]\nfeatures: [sals]\n", &manifest, &err));
    assert_int_equal(err.kind, ERR_USAGE);
    assert_non_null(strstr(err.text, "'sals' is no feature; known: apache-modules, bind-plugins"));
    err_clear(&err);
    assert_false(load(folder, "binaries: [/usr/sbin/x]\nfeatures: [/usr/../x.so]\n", &manifest, &err));
    err_clear(&err);
    assert_false(load(folder, "binaries: [/usr/sbin/x]\ndlopen: always\n", &manifest, &err));
    assert_non_null(strstr(err.text, "none, required, recommended, suggested"));
}

static void test_a_plug_in_path_tells_its_feature(void **state)
{
    struct folder *folder = *state;
    struct features features = shipped_features(&folder->arena);
    assert_string_equal(features_of_path(&features, "/usr/lib/x86_64-linux-gnu/sasl2"), "sasl");
    assert_string_equal(features_of_path(&features, "/usr/lib64/krb5/plugins/libkrb5"), "krb5");
    assert_null(features_of_path(&features, "/usr/lib/other"));
}

static void test_the_list_of_features_is_the_promised_one(void **state)
{
    struct folder *folder = *state;
    struct features features = shipped_features(&folder->arena);
    struct strings names = {0};
    for (size_t i = 0; i < features.count; i++)
        list_add(&folder->arena, &names, features.items[i].name);
    assert_string_equal(
        strings_join(&folder->arena, &names, " "),
        "apache-modules bind-plugins certificates gconv kea-hooks kea-mysql kea-pgsql krb5 ldb locale mime "
        "netconfig nginx-modules nss openssl pam qt sasl services tzdata verto");
}

/* Loads the shipped features and, over them, those of the test's folder. */
static bool load_ours(struct folder *folder, struct features *ret_features, struct err *err)
{
    struct strings dirs = {0};
    list_add(&folder->arena, &dirs, SOURCE_DIR "/manifests/features");
    list_add(&folder->arena, &dirs, folder->dir);
    return features_load(&folder->arena, &dirs, ret_features, err);
}

static void test_a_feature_of_our_own_is_beside_the_shipped_ones_or_in_the_place_of_one(void **state)
{
    struct folder *folder = *state;
    struct features features;
    struct err err = {0};
    put(folder, "perl-modules", "description: x\nplug-ins: /perl5/auto\nfiles: [/usr/lib*/**/perl5/**]\n");
    put(folder, "sasl", "description: x\nplug-ins: /mine\n");
    CHECK_OK(load_ours(folder, &features, &err), &err);
    assert_int_equal(features.count, 22);
    assert_string_equal(features_of_path(&features, "/usr/lib/perl5/auto"), "perl-modules");
    assert_string_equal(features_of_path(&features, "/usr/lib/mine"), "sasl");
    assert_null(features_of_path(&features, "/usr/lib/sasl2"));
}

static void test_the_readmes_example_is_good(void **state)
{
    struct folder *folder = *state;
    struct strings texts = examples(folder, "manifests/README.md", "feature");
    struct features features;
    struct err err = {0};
    assert_int_equal(texts.count, 1);
    put(folder, "example", texts.items[0]);
    CHECK_OK(load_ours(folder, &features, &err), &err);
    assert_string_equal(features_of_path(&features, "/usr/lib/perl5/auto"), "example");
}

static void refused(struct folder *folder, const char *text, const char *rest)
{
    struct features features = {0};
    struct err err = {0};
    const char *path = put(folder, "mine", text);
    if (load_ours(folder, &features, &err))
        fail_msg("accepted, although \"%s\" was wanted", rest);
    assert_int_equal(err.kind, ERR_USAGE);
    assert_string_equal(err.text, arena_printf(&folder->arena, "%s:%s", path, rest));
}

static void test_a_mistake_in_a_feature_is_told_with_its_place(void **state)
{
    struct folder *folder = *state;
    refused(folder, "", "1:1: the feature is empty");
    refused(folder, "description: x\nfile: [/a]\n", "2:1: unknown key 'file'; did you mean 'files'?");
    refused(folder, "description: x\nfollows: nss\n", "2:10: 'nss' is neither nsswitch nor pam");
    refused(folder, "description: x\nfiles: [lib]\n", "2:9: 'lib' must be an absolute path");
    refused(folder, "description: x\nservices: []\n", "2:11: 'services' wants a list, beside 'follows: nsswitch'");
    refused(folder, "description: x\nfollows: nsswitch\nservices: [{name: a, package: b c}]\n",
            "3:31: 'b c' is not a package's name");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(test_a_feature_brings_its_files_with_the_packages_of_both_families),
        IN_FOLDER(test_a_glob_is_a_feature_of_any_package),
        IN_FOLDER(test_nss_brings_the_modules_that_nsswitch_conf_names_beyond_glibc),
        IN_FOLDER(test_nss_makes_a_configuration_where_there_is_none),
        IN_FOLDER(test_a_path_that_the_manifest_makes_is_the_manifests),
        IN_FOLDER(test_unknown_features_and_policies_are_refused),
        IN_FOLDER(test_a_plug_in_path_tells_its_feature),
        IN_FOLDER(test_the_list_of_features_is_the_promised_one),
        IN_FOLDER(test_a_feature_of_our_own_is_beside_the_shipped_ones_or_in_the_place_of_one),
        IN_FOLDER(test_the_readmes_example_is_good),
        IN_FOLDER(test_a_mistake_in_a_feature_is_told_with_its_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
