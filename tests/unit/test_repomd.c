/* SPDX-License-Identifier: Apache-2.0 */
/* repomd, xml, rpm_href: repomd.xml is read as createrepo_c writes it, and nothing hostile gets through. */
#include "check.h"

#include "base/auto.h"
#include "rpmmd/repomd.h"
#include "rpmmd/rpm_href.h"
#include "rpmmd/xml.h"
#include "rpmmd/xml_stream.h"

#define HEX64 "28f811615d7e121f4a312d72150506f2fffb9eb174ab44644907c95122c010f5"
#define SUM "<checksum type=\"sha256\">" HEX64 "</checksum>"
#define HEAD                                                                                                           \
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<repomd xmlns=\"http://linux.duke.edu/metadata/repo\" "               \
    "xmlns:rpm=\"http://linux.duke.edu/metadata/rpm\">"
#define PLACE "<location href=\"repodata/p.xml.gz\"/>"
#define DATA(type, inside) "<data type=\"" type "\">" inside "</data>"

static void parse(struct arena *arena, const char *text, struct repomd *repomd)
{
    struct err err = {0};
    CHECK_OK(repomd_parse(arena, "repomd.xml", text_of(text), repomd, &err), &err);
}

static void check_refused(const char *text, enum err_kind kind, const char *part)
{
    AUTO(arena_done) struct arena arena = {0};
    struct repomd repomd;
    struct err err = {0};
    if (repomd_parse(&arena, "repomd.xml", text_of(text), &repomd, &err))
        fail_msg("taken: %s", text);
    CHECK_ERR(&err, kind, part);
}

static void all_that_counts_is_read(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct repomd repomd;
    parse(&arena,
          HEAD "<revision>17</revision><tags><content>binary</content><distro cpeid=\"cpe:/o:fedoraproject:fedora:41\">"
               "Fedora 41</distro></tags>" DATA("primary",
                                                SUM "<open-checksum type=\"sha256\"> " HEX64 "\n</open-checksum>" PLACE
                                                    "<timestamp>1783694078.25</timestamp><size>6466</size>"
                                                    "<open-size>51151</open-size>")
                   DATA("filelists", PLACE SUM "<timestamp>1783694079</timestamp><database_version>10"
                                               "</database_version>") "</repomd>",
          &repomd);
    assert_int_equal(repomd.files.count, 2);
    const struct rpm_metadata_file *primary = &repomd.files.items[0];
    assert_string_equal(primary->type, "primary");
    assert_string_equal(primary->href, "repodata/p.xml.gz");
    assert_int_equal(primary->size_bytes, 6466);
    assert_int_equal(primary->open_size_bytes, 51151);
    assert_true(primary->has_open_checksum);
    assert_string_equal(checksum_text(&primary->checksum).chars, "sha256:" HEX64);
    assert_false(repomd.files.items[1].has_open_checksum);
    assert_int_equal(repomd.date, 1783694079);
    assert_string_equal(repomd.distribution, "Fedora 41");
    assert_string_equal(repomd.version, "41");
}

static void a_revision_stands_in_for_timestamps(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct repomd repomd;
    parse(&arena, HEAD "<revision>1783694078</revision>" DATA("primary", SUM PLACE) "</repomd>", &repomd);
    assert_int_equal(repomd.date, 1783694078);
    parse(&arena, HEAD "<revision>el9-2</revision>" DATA("primary", SUM PLACE) "</repomd>", &repomd);
    assert_int_equal(repomd.date, 0);
}

static void what_is_wrong_is_refused_with_its_line(void **state)
{
    (void)state;
    static const struct {
        const char *text, *part;
    } table[] = {
        {"", "not well-formed"},
        {"<repomd>", "not well-formed"},
        {"<a/>", "not a repomd.xml"},
        {"<html><body>please log in</body></html>", "not a repomd.xml: it begins with <html>"},
        {HEAD "</repomd>", "lists no files"},
        {HEAD DATA("primary", SUM PLACE) "</repomd>junk", "not well-formed"},
        {HEAD "\n<data>" SUM PLACE "</data></repomd>", "repomd.xml:3: a data element without a type"},
        {HEAD DATA("pri/mary", SUM PLACE) "</repomd>", "or with a bad one"},
        {HEAD DATA("primary", PLACE) "</repomd>", "no checksum"},
        {HEAD DATA("primary", SUM) "</repomd>", "no location"},
        {HEAD DATA("primary", SUM SUM PLACE) "</repomd>", "two checksums"},
        {HEAD DATA("primary", SUM PLACE PLACE) "</repomd>", "two locations"},
        {HEAD DATA("primary", SUM PLACE) DATA("primary", SUM PLACE) "</repomd>", "twice"},
        {HEAD DATA("primary", "<checksum type=\"sha256\">28f8</checksum>" PLACE) "</repomd>", "not a checksum"},
        {HEAD DATA("primary", "<checksum type=\"sha512\">" HEX64 "</checksum>" PLACE) "</repomd>", "not a checksum"},
        {HEAD DATA("primary", SUM PLACE "<size>-1</size>") "</repomd>", "not a number of bytes"},
        {HEAD DATA("primary", SUM PLACE "<size>99999999999999999999</size>") "</repomd>", "not a number of bytes"},
        {HEAD DATA("primary", SUM PLACE "<timestamp>yesterday</timestamp>") "</repomd>", "not a timestamp"},
        {HEAD DATA("primary", SUM PLACE "<timestamp>9999999999999</timestamp>") "</repomd>", "not a timestamp"},
        {HEAD DATA("primary", SUM "<location xml:base=\"http://other.test/\" href=\"p.xml\"/>") "</repomd>",
         "another base"},
        {HEAD DATA("primary", SUM "<location href=\"../../etc/passwd\"/>") "</repomd>", "it has \"..\""},
        {HEAD DATA("primary", SUM "<location href=\"https://evil.test/p\"/>") "</repomd>", "refused: it has"},
        {"<!DOCTYPE repomd [<!ENTITY a \"b\">]><repomd>&a;</repomd>", "document type declaration"},
        {"<!DOCTYPE repomd SYSTEM \"file:///etc/passwd\"><repomd/>", "document type declaration"},
        {"<repomd>&xxe;</repomd>", "not well-formed"},
        {"<repomd xmlns:a=\"x\"><b:tags></a:tags></repomd>", "not well-formed"},
        {"<repomd><data type=\"primary\"><x>\xff</x></data></repomd>", "not well-formed"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(table); i++)
        check_refused(table[i].text, ERR_MALFORMED, table[i].part);
}

static void weak_checksums_are_a_matter_of_trust(void **state)
{
    (void)state;
    check_refused(HEAD DATA("primary", "<checksum type=\"sha\">28f8</checksum>" PLACE) "</repomd>", ERR_TRUST,
                  "of type sha; only");
    check_refused(HEAD DATA("primary", "<checksum>28f8</checksum>" PLACE) "</repomd>", ERR_TRUST, "of type (none)");
    check_refused(HEAD DATA("primary", SUM "<open-checksum type=\"md5\">28f8</open-checksum>" PLACE) "</repomd>",
                  ERR_TRUST, "of type md5");
}

static void depth_number_and_length_are_capped(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf text;
    buf_init(&text, 16u << 20);
    for (int i = 0; i < XML_STREAM_DEPTH_MAX + 1; i++)
        assert_true(buf_add(&text, i ? "<a>" : "<repomd>", i ? 3 : 8));
    check_refused(text.bytes, ERR_MALFORMED, "nested deeper");
    text.len = 0;
    assert_true(buf_add(&text, "<repomd>", 8));
    for (unsigned i = 0; i < XML_ELEMENTS_MAX; i++)
        assert_true(buf_add(&text, "<a/>", 4));
    assert_true(buf_add(&text, "</repomd>", 9));
    check_refused(text.bytes, ERR_MALFORMED, "more elements");
    text.len = 0;
    assert_true(buf_add(&text, "<repomd><revision>", 18));
    for (unsigned i = 0; i <= XML_STREAM_TEXT_MAX / 16; i++)
        assert_true(buf_add(&text, "0123456789abcdef", 16));
    assert_true(buf_add(&text, "</revision></repomd>", 20));
    check_refused(text.bytes, ERR_MALFORMED, "bytes of text");
    text.len = 0;
    assert_true(buf_add(&text, "<repomd>", 8));
    for (unsigned i = 0; i < 257; i++)
        assert_true(buf_printf(&text, "<data type=\"t%u\">" SUM PLACE "</data>", i));
    assert_true(buf_add(&text, "</repomd>", 9));
    check_refused(text.bytes, ERR_MALFORMED, "more than 256 data elements");
}

static void every_cut_of_a_good_file_is_refused(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    static const char good[] = HEAD DATA("primary", SUM PLACE "<size>1</size>") "</repomd>";
    for (size_t len = 0; len + 1 < sizeof good; len++) {
        struct repomd repomd;
        struct err err = {0};
        char *cut = arena_strndup(&arena, good, len); /* its own allocation, so that a sanitizer sees an overrun */
        assert_false(repomd_parse(&arena, "repomd.xml", (struct text){cut, len}, &repomd, &err));
        assert_int_equal(err.kind, ERR_MALFORMED);
    }
}

static void only_paths_below_the_repository_are_hrefs(void **state)
{
    (void)state;
    static const char *const good[] = {
        "repodata/a.xml.gz", "Packages/a/a+b-1~rc1^git.rpm", "a b.rpm", "./x", "a%20b", "%zz", "a..b", "..a/b",
        "Packages/c:d.rpm"};
    static const char *const bad[] = {"",         "/etc/passwd",      "../x",     "a/../../x", "a/..",
                                      "%2e%2e/x", "%2E%2e%2fx",       "a//b",     "a/",        "https://evil.test/x",
                                      "file:/x",  "file:///etc/pass", "a\\..\\b", "a\nb",      "a%00b",
                                      "a%0ab",    "%2fetc/passwd",    "a\x7f"};
    for (size_t i = 0; i < ARRAY_COUNT(good); i++) {
        const char *why = rpm_href_fault(text_of(good[i]));
        if (why)
            fail_msg("%s: %s", good[i], why);
    }
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
        if (!rpm_href_fault(text_of(bad[i])))
            fail_msg("taken: %s", bad[i]);
    }
}

static void urls_keep_what_is_escaped_and_escape_the_rest(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    assert_string_equal(rpm_href_url(&arena, "a b?c#d%20e%zz~+^"), "a%20b%3Fc%23d%20e%25zz~+%5E");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_that_counts_is_read),
        cmocka_unit_test(a_revision_stands_in_for_timestamps),
        cmocka_unit_test(what_is_wrong_is_refused_with_its_line),
        cmocka_unit_test(weak_checksums_are_a_matter_of_trust),
        cmocka_unit_test(depth_number_and_length_are_capped),
        cmocka_unit_test(every_cut_of_a_good_file_is_refused),
        cmocka_unit_test(only_paths_below_the_repository_are_hrefs),
        cmocka_unit_test(urls_keep_what_is_escaped_and_escape_the_rest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
