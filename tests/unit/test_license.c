/* SPDX-License-Identifier: Apache-2.0 */
/* Names of licences: Debian's copyright files, and what is an expression of SPDX. */
#include "check.h"

#include "base/auto.h"
#include "deb/deb_license.h"
#include "package/license.h"

#define FORMAT "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\n"

static void check_said(const char *paragraphs, const char *wanted)
{
    AUTO(arena_done) struct arena arena = {0};
    const char *text = arena_printf(&arena, FORMAT "%s", paragraphs);
    const char *said = deb_license_parse(&arena, text_of(text));
    if (!wanted) {
        assert_null(said);
        return;
    }
    assert_non_null(said);
    assert_string_equal(said, wanted);
    assert_string_equal(license_read(&arena, text_of(said)), said);
}

static void check_name(const char *name, const char *wanted)
{
    AUTO(arena_done) struct arena arena = {0};
    check_said(arena_printf(&arena, "Files: *\nCopyright: x\nLicense: %s\n text\n", name), wanted);
}

static void test_names_of_debian_become_those_of_spdx(void **state)
{
    (void)state;
    check_name("Expat", "MIT");
    check_name("GPL-2", "GPL-2.0-only");
    check_name("gpl-2+", "GPL-2.0-or-later");
    check_name("GPL-3.0+", "GPL-3.0-or-later");
    check_name("LGPL-2.1+", "LGPL-2.1-or-later");
    check_name("AGPL-3", "AGPL-3.0-only");
    check_name("GFDL-NIV-1.3+", "GFDL-1.3-no-invariants-or-later");
    check_name("GFDL-1.2", "GFDL-1.2-only");
    check_name("BSD-3-clause", "BSD-3-Clause");
    check_name("Apache-2", "Apache-2.0");
    check_name("Artistic", "Artistic-1.0");
    check_name("Zope-2.1", "ZPL-2.1");
    check_name("CC0", "CC0-1.0");
    check_name("SIL-1.1", "OFL-1.1");
    check_name("zlib/libpng", "Zlib");
    check_name("public-domain", "LicenseRef-debian-public-domain");
    check_name("GPL-9", "LicenseRef-debian-GPL-9");
    check_name("GPL-2+ with OpenSSL exception", "LicenseRef-debian-GPL-2--with-OpenSSL-exception");
}

static void test_or_binds_weaker_than_and_and_a_comma_weaker_still(void **state)
{
    (void)state;
    check_name("GPL-2+ or Artistic", "GPL-2.0-or-later OR Artistic-1.0");
    check_name("MPL-2.0 and ISC", "ISC AND MPL-2.0");
    check_name("GPL-2 or ISC and Expat", "GPL-2.0-only OR (ISC AND MIT)");
    check_name("GPL-2 or ISC, and Expat", "(GPL-2.0-only OR ISC) AND MIT");
    check_name("Perl", "Artistic-1.0-Perl OR GPL-1.0-or-later");
}

static void test_all_files_paragraphs_count_once_and_a_sentence_is_one_name(void **state)
{
    (void)state;
    check_said(
        "Files: *\nLicense: Expat\n\nFiles: a\nLicense: ISC\n\nFiles: b\nLicense: Expat\n\nLicense: GPL-2\n text\n",
        "ISC AND MIT");
    check_said("Files: *\nLicense: GPL-2 or ISC\n\nFiles: a\nLicense: Expat\n", "(GPL-2.0-only OR ISC) AND MIT");
    check_said("Files: *\nLicense: Copying and distribution of this file, with or without changes\n",
               "LicenseRef-debian-Copying-and-distribution-of-this-file--with-or-without-changes");
    check_said("License: ISC\n text\n", NULL); /* of no file */
}

static void test_what_no_machine_can_read_says_nothing(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    static const char *const others[] = {"",
                                         "This is free.\n",
                                         "License: ISC\n",
                                         "Format: https://example.org/other\n",
                                         FORMAT "Files: *\nLicense: ISC\n\nno field\n",
                                         FORMAT "Files: *\nLicense:\n"};
    for (size_t i = 0; i < ARRAY_COUNT(others); i++)
        assert_null(deb_license_parse(&arena, text_of(others[i])));
    assert_string_equal(deb_license_parse(&arena, TEXT("Format: https://x/copyright-format/1.0/\nLicense: ISC\n")),
                        "ISC");
}

static void test_an_expression_is_read_whole_and_written_in_spdx_s_letters(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    static const char *const good[][2] = {
        {"MIT", "MIT"},
        {" GPL-2.0-or-later ", "GPL-2.0-or-later"},
        {"GPL-2.0-or-later AND(MIT  OR ISC)", "GPL-2.0-or-later AND (MIT OR ISC)"},
        {"mit and isc", "MIT AND ISC"},
        {"apache-2.0+ or MIT", "Apache-2.0+ OR MIT"},
        {"GPL-3.0-or-later with gcc-exception-3.1", "GPL-3.0-or-later WITH GCC-exception-3.1"},
        {"( ( MIT ) )", "((MIT))"},
        {"LicenseRef-x.1-y", "LicenseRef-x.1-y"},
        {"LGPL-2.1-or-later WITH GCC-exception-2.0 AND BSD-3-Clause",
         "LGPL-2.1-or-later WITH GCC-exception-2.0 AND BSD-3-Clause"}};
    static const char *const bad[] = {"",
                                      "MIT ISC",
                                      "MIT AND",
                                      "(MIT",
                                      "MIT)",
                                      "GPLv2+",
                                      "GPLv2+ and MIT",
                                      "LicenseRef-",
                                      "LicenseRef-a_b",
                                      "MIT WITH ISC",
                                      "AND MIT",
                                      "()",
                                      "+"};
    for (size_t i = 0; i < ARRAY_COUNT(good); i++) {
        const char *read = license_read(&arena, text_of(good[i][0]));
        assert_non_null(read);
        assert_string_equal(read, good[i][1]);
    }
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++)
        assert_null(license_read(&arena, text_of(bad[i])));
    assert_string_equal(license_expression(&arena, "rpm", "GPLv2+ and MIT"), "LicenseRef-rpm-GPLv2--and-MIT");
    assert_string_equal(license_expression(&arena, "rpm", "MIT"), "MIT");
    struct strings refs = {0};
    license_list_refs(&arena, "(LicenseRef-a OR MIT) AND LicenseRef-b AND LicenseRef-a", &refs);
    assert_int_equal(refs.count, 2);
    assert_string_equal(refs.items[1], "LicenseRef-b");
}

static void test_what_is_read_has_bounds(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    char deep[201], *file = arena_alloc(&arena, 3000000);
    memset(deep, '(', 200);
    deep[200] = '\0';
    assert_null(license_read(&arena, text_of(deep)));
    (void)strcpy(file, FORMAT "Files: *\nLicense: ISC");
    for (char *at = file + strlen(file); at < file + 2900000; at += 8)
        memcpy(at, " or ISC", 8), at[7] = ' ';
    assert_string_equal(deb_license_parse(&arena, text_of(file)),
                        "LicenseRef-debian-ISC-or-ISC--or-ISC--or-ISC--or-ISC--or-ISC--or-ISC--or-ISC--or-I");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_of_debian_become_those_of_spdx),
        cmocka_unit_test(test_or_binds_weaker_than_and_and_a_comma_weaker_still),
        cmocka_unit_test(test_all_files_paragraphs_count_once_and_a_sentence_is_one_name),
        cmocka_unit_test(test_what_no_machine_can_read_says_nothing),
        cmocka_unit_test(test_an_expression_is_read_whole_and_written_in_spdx_s_letters),
        cmocka_unit_test(test_what_is_read_has_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
