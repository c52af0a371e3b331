/* SPDX-License-Identifier: Apache-2.0 */
/* Which updates advisories of RPM-MD repositories say to mend the security. */
#include "check.h"

#include "rpmmd/rpm_updateinfo.h"

#define HEAD "<?xml version=\"1.0\"?>\n<updates>"
#define ADVISORY(type, package)                                                                                        \
    "<update from=\"x\" type=\"" type "\" status=\"final\"><id>A</id><description>t</description><pkglist>"            \
    "<collection short=\"c\"><name>c</name>" package "</collection></pkglist></update>"
#define PACKAGE(name, epoch, version)                                                                                  \
    "<package name=\"" name "\" version=\"" version "\" release=\"1\" epoch=\"" epoch                                  \
    "\" arch=\"x86_64\"><filename>x</filename></package>"

static bool is_security(const char *text, const char *before, const char *after)
{
    struct err err = {0};
    struct catalog_update updates[] = {{"other", "0-1", "9-1", false}, {"a", before, after, false}};
    CHECK_OK(rpm_updateinfo_mark("updateinfo.xml of test", text_of(text), updates, ARRAY_COUNT(updates), &err), &err);
    assert_false(updates[0].is_security);
    return updates[1].is_security;
}

static void an_advisory_counts_for_the_versions_that_it_is_between(void **state)
{
    (void)state;
    static const char text[] = HEAD ADVISORY("security", PACKAGE("a", "0", "2")) "</updates>";
    assert_true(is_security(text, "1-1", "2-1"));
    assert_true(is_security(text, "1-1", "3-1")); /* on the way to a newer one */
    assert_false(is_security(text, "2-1", "3-1"));
    assert_false(is_security(text, "0-1", "1-1"));
}

static void epochs_count(void **state)
{
    (void)state;
    static const char text[] = HEAD ADVISORY("security", PACKAGE("a", "1", "2")) "</updates>";
    assert_true(is_security(text, "3-1", "1:2-1"));
    assert_false(is_security(text, "1-1", "3-1"));
}

static void only_advisories_for_security_count_and_only_what_they_name(void **state)
{
    (void)state;
    assert_false(is_security(HEAD ADVISORY("bugfix", PACKAGE("a", "0", "2")) "</updates>", "1-1", "2-1"));
    assert_false(is_security(HEAD ADVISORY("security", PACKAGE("b", "0", "2")) "</updates>", "1-1", "2-1"));
    assert_true(is_security(HEAD ADVISORY("security", PACKAGE("b", "0", "2")) ADVISORY("bugfix", PACKAGE("a", "0", "2"))
                                ADVISORY("security", PACKAGE("a", "0", "2")) "</updates>",
                            "1-1", "2-1"));
    assert_false(is_security(HEAD "</updates>", "1-1", "2-1"));
    static const char bare[] =
        HEAD ADVISORY("security", "<package name=\"a\"/><package/><package name=\"a\" version=\"2\"/>") "</updates>";
    assert_false(is_security(bare, "1-1", "2-1"));
}

static void what_is_no_list_of_advisories_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "<updates>", "<html/>",
                                        HEAD "<a><b><c><d><e><f><g><h></h></g></f></e></d></c></b></a></updates>",
                                        "<!DOCTYPE updates [<!ENTITY a \"b\">]><updates/>"};
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
        struct err err = {0};
        struct catalog_update update = {"a", "1-1", "2-1", false};
        assert_false(rpm_updateinfo_mark("updateinfo.xml of test", text_of(texts[i]), &update, 1, &err));
        CHECK_ERR(&err, ERR_MALFORMED, "updateinfo.xml of test");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_advisory_counts_for_the_versions_that_it_is_between),
        cmocka_unit_test(epochs_count),
        cmocka_unit_test(only_advisories_for_security_count_and_only_what_they_name),
        cmocka_unit_test(what_is_no_list_of_advisories_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
