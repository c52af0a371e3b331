/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "base/auto.h"
#include "deb/dpkg_status.h"

static struct dpkg_stanza make(struct arena *arena, const char *control, enum dpkg_state state, const char *conffiles)
{
    struct dpkg_stanza stanza;
    struct err err = {0};
    CHECK_OK(dpkg_stanza_make(arena, text_of(control), state, text_of(conffiles), &stanza, &err), &err);
    return stanza;
}

/* As dpkg 1.21.22 wrote it into its status when a package with this control file was installed. */
static void a_stanza_is_what_dpkg_writes(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct dpkg_stanza stanza =
        make(&arena,
             "Package: app\nSource: app-src (1)\nVersion: 0:1.5-1\nArchitecture: amd64\n"
             "Maintainer: A B <a@b>\nInstalled-Size: 7\n"
             "Pre-Depends: libc6 (>=2.3)\nDepends: liba(>> 0:1) | libb , perl:any,\n libc (= 1:2)\n"
             "Breaks: old (< 3)\nSection: admin\nPriority: Optional\nMulti-Arch: same\n"
             "Essential: no\nHomepage: https://a.example\n"
             "Description: what it is\n more of it\n .\n and more\nTag: x::y\n",
             DPKG_INSTALLED, "/etc/app 764efa883dda1e11db47671c4a3bbd9e\n");
    assert_string_equal(stanza.text.ptr,
                        "Package: app\nStatus: install ok installed\nPriority: optional\nSection: admin\n"
                        "Installed-Size: 7\nMaintainer: A B <a@b>\nArchitecture: amd64\nMulti-Arch: same\n"
                        "Source: app-src (1)\nVersion: 1.5-1\nDepends: liba (>> 1) | libb, perl:any, libc (= 1:2)\n"
                        "Pre-Depends: libc6 (>= 2.3)\nBreaks: old (<= 3)\n"
                        "Conffiles:\n /etc/app 764efa883dda1e11db47671c4a3bbd9e\n"
                        "Description: what it is\n more of it\n .\n and more\n"
                        "Homepage: https://a.example\nTag: x::y\n");
    assert_string_equal(dpkg_info_stem(&arena, &stanza), "app:amd64");
    stanza = make(&arena, "Package: b\nVersion: 1\nArchitecture: all\n", DPKG_HALF_CONFIGURED, "");
    assert_string_equal(stanza.text.ptr,
                        "Package: b\nStatus: install ok half-configured\nArchitecture: all\nVersion: 1\n");
    assert_string_equal(dpkg_info_stem(&arena, &stanza), "b");
}

static void a_comment_with_a_nul_byte_cuts_no_stanza_short(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct dpkg_status status = {0};
    struct err err = {0};
    static const char bytes[] = "Package: a\n# \0\nVersion: 1\n\n";
    struct text text = {bytes, sizeof bytes - 1};
    CHECK_OK(dpkg_status_parse(&arena, "status", text, DPKG_INSTALLED, &status, &err), &err);
    struct text printed = dpkg_status_print(&arena, &status);
    assert_int_equal(printed.len, text.len);
    assert_memory_equal(printed.ptr, bytes, text.len);
}

static void the_list_is_printed_in_the_order_of_names_and_stanzas_stay_as_they_are(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct dpkg_status status = {0};
    struct err err = {0};
    static const char z[] = "Package: z\nStatus: hold ok triggers-pending\nOdd:kept\nArchitecture: i386\n";
    const char *two = arena_printf(&arena, "%s\n\nPackage: z\nStatus: install ok installed\nArchitecture: amd64\n", z);
    CHECK_OK(dpkg_status_parse(&arena, "status", text_of(two), DPKG_INSTALLED, &status, &err), &err);
    assert_int_equal(status.items[0].state, DPKG_TRIGGERS_PENDING);
    list_add(&arena, &status, make(&arena, "Package: a+b\nVersion: 1\n", DPKG_INSTALLED, ""));
    list_add(&arena, &status, make(&arena, "Package: a\nVersion: 1\n", DPKG_INSTALLED, ""));
    assert_string_equal(dpkg_status_print(&arena, &status).ptr,
                        arena_printf(&arena,
                                     "Package: a\nStatus: install ok installed\nVersion: 1\n\n"
                                     "Package: a+b\nStatus: install ok installed\nVersion: 1\n\n"
                                     "Package: z\nStatus: install ok installed\nArchitecture: amd64\n\n%s\n",
                                     z));
    CHECK_OK(dpkg_status_parse(&arena, "status", TEXT(""), DPKG_INSTALLED, &status, &err), &err);
    assert_int_equal(status.count, 4);
}

static void what_is_no_list_of_packages_is_refused(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    static const struct {
        const char *text, *words;
    } bad[] = {{"Status: install ok installed\n", "status:1: a stanza without the name of a package"},
               {"\nPackage: ../x\nVersion: 1\n", "status:2: a stanza without the name of a package"},
               {"Package: x\nStatus: install ok perfect\n", "status:2: package x: not a state of dpkg's"},
               {"Package: x\nStatus: install ok installed more\n", "not a state of dpkg's"},
               {"Package: x\nPackage: y\n", "given twice"}};
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
        struct dpkg_status status = {0};
        struct err err = {0};
        assert_false(dpkg_status_parse(&arena, "status", text_of(bad[i].text), DPKG_INSTALLED, &status, &err));
        CHECK_ERR(&err, ERR_MALFORMED, bad[i].words);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stanza_is_what_dpkg_writes),
        cmocka_unit_test(the_list_is_printed_in_the_order_of_names_and_stanzas_stay_as_they_are),
        cmocka_unit_test(a_comment_with_a_nul_byte_cuts_no_stanza_short),
        cmocka_unit_test(what_is_no_list_of_packages_is_refused),
    };
    return cmocka_run_group_tests_name("dpkg_status", tests, NULL, NULL);
}
