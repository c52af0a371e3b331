/* SPDX-License-Identifier: Apache-2.0 */
/* What Debian calls the package of a library. */
#include "check.h"

#include "base/auto.h"
#include "base/text.h"
#include "deb/deb_library.h"

static void check_names(const char *soname, const char *wanted)
{
    AUTO(arena_done) struct arena arena = {0};
    struct strings names = {0};
    deb_library_packages(&arena, soname, &names);
    assert_string_equal(names.count ? strings_join(&arena, &names, " ") : "", wanted);
}

static void test_names_of_policy(void **state)
{
    (void)state;
    check_names("libzstd.so.1", "libzstd1 libzstd1t64");
    check_names("liblz4.so.1", "liblz4-1 liblz4-1t64");
    check_names("libgcc_s.so.1", "libgcc-s1 libgcc-s1t64");
    check_names("libX11.so.6", "libx11-6 libx11-6t64");
    check_names("libprotobuf-c.so.1.0.0", "libprotobuf-c1.0.0 libprotobuf-c1.0.0t64");
}

static void test_what_has_no_version_has_no_package(void **state)
{
    (void)state;
    check_names("libfoo.so", "");
    check_names("libfoo.so.", "");
    check_names(".so.1", "");
    check_names("/usr/lib/libfoo.so.1", "");
    check_names("", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_of_policy),
        cmocka_unit_test(test_what_has_no_version_has_no_package),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
