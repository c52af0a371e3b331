#include "check.h"

#include "base/auto.h"
#include "plan/features.h"

/* Writes the text to a file of its own and loads it. */
static bool load(struct arena *arena, const char *text, struct manifest *ret_manifest, struct err *err)
{
    const char *dir = arena_strdup(arena, check_temporary_dir());
    const char *path = arena_printf(arena, "%s/it.yaml", dir);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    (void)fputs(text, file);
    (void)fclose(file);
    bool is_good = manifest_load(arena, path, ret_manifest, err);
    (void)unlink(path);
    (void)rmdir(dir);
    return is_good;
}

static const struct manifest_file *file_of(const struct manifest *manifest, const char *path)
{
    for (size_t i = 0; i < manifest->files.count; i++) {
        if (strcmp(manifest->files.items[i].path, path) == 0)
            return &manifest->files.items[i];
    }
    return NULL;
}

static void test_a_feature_brings_its_files_with_the_packages_of_both_families(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct manifest manifest = {0};
    struct err err = {0};
    CHECK_OK(load(&arena, "binaries: [/usr/sbin/x]\nfeatures: [sasl]\n", &manifest, &err), &err);
    const struct manifest_file *file = file_of(&manifest, "/usr/lib*/**/sasl2/*.so*");
    assert_non_null(file);
    assert_string_equal(strings_join(&arena, &file->packages, " "), "libsasl2-modules cyrus-sasl-plain");
    assert_false(file->is_optional);
    assert_int_equal(manifest.dlopen, DLOPEN_RECOMMENDED);
}

static void test_a_glob_is_a_feature_of_any_package(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct manifest manifest = {0};
    struct err err = {0};
    CHECK_OK(load(&arena, "binaries: [/usr/sbin/x]\nfeatures: [/usr/lib/x/*.so]\ndlopen: none\n", &manifest, &err),
             &err);
    assert_int_equal(manifest.files.count, 1);
    assert_int_equal(manifest.files.items[0].packages.count, 0);
    assert_int_equal(manifest.dlopen, DLOPEN_NONE);
}

static void test_nss_brings_the_modules_that_nsswitch_conf_names_beyond_glibc(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct manifest manifest = {0};
    struct err err = {0};
    CHECK_OK(load(&arena,
                  "binaries: [/usr/sbin/x]\nfeatures: [nss]\ncreate:\n  - path: /etc/nsswitch.conf\n    content: |\n"
                  "      passwd: files ldap # sss\n      hosts: files [NOTFOUND=return] dns mine\n",
                  &manifest, &err),
             &err);
    assert_int_equal(manifest.files.count, 2);
    assert_string_equal(manifest.files.items[0].path, "/usr/lib*/**/libnss_ldap.so.2");
    assert_string_equal(manifest.files.items[0].packages.items[0], "libnss-ldapd");
    assert_string_equal(manifest.files.items[1].path, "/usr/lib*/**/libnss_mine.so.2");
    assert_int_equal(manifest.files.items[1].packages.count, 0);
}

static void test_nss_makes_a_configuration_where_there_is_none(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct manifest manifest = {0};
    struct err err = {0};
    CHECK_OK(load(&arena, "binaries: [/usr/sbin/x]\nfeatures: [nss]\n", &manifest, &err), &err);
    assert_int_equal(manifest.files.count, 0);
    assert_int_equal(manifest.made.count, 1);
    assert_string_equal(manifest.made.items[0].path, "/etc/nsswitch.conf");
    assert_non_null(strstr(manifest.made.items[0].content, "hosts: files dns\n"));
}

static void test_unknown_features_and_policies_are_refused(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct manifest manifest = {0};
    struct err err = {0};
    assert_false(load(&arena, "binaries: [/usr/sbin/x]\nfeatures: [sals]\n", &manifest, &err));
    assert_int_equal(err.kind, ERR_USAGE);
    assert_non_null(strstr(err.text, "'sals' is no feature; known: pam"));
    err_clear(&err);
    assert_false(load(&arena, "binaries: [/usr/sbin/x]\nfeatures: [/usr/../x.so]\n", &manifest, &err));
    err_clear(&err);
    assert_false(load(&arena, "binaries: [/usr/sbin/x]\ndlopen: always\n", &manifest, &err));
    assert_non_null(strstr(err.text, "none, required, recommended, suggested"));
}

static void test_a_plug_in_path_tells_its_feature(void **state)
{
    (void)state;
    assert_string_equal(features_of_path("/usr/lib/x86_64-linux-gnu/sasl2"), "sasl");
    assert_string_equal(features_of_path("/usr/lib64/krb5/plugins/libkrb5"), "krb5");
    assert_null(features_of_path("/usr/lib/other"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_feature_brings_its_files_with_the_packages_of_both_families),
        cmocka_unit_test(test_a_glob_is_a_feature_of_any_package),
        cmocka_unit_test(test_nss_brings_the_modules_that_nsswitch_conf_names_beyond_glibc),
        cmocka_unit_test(test_nss_makes_a_configuration_where_there_is_none),
        cmocka_unit_test(test_unknown_features_and_policies_are_refused),
        cmocka_unit_test(test_a_plug_in_path_tells_its_feature),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
