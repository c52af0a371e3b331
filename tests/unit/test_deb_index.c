/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "deb/deb_index.h"
#include "deb/deb_relation.h"

static const char two_stanzas[] =
    "Package: libc6\nSource: glibc (2.36-9)\nVersion: 2.36-9+deb12u1\nArchitecture: amd64\n"
    "Multi-Arch: same\nDepends: libgcc-s1,\n libcrypt1 (>= 1:4.4)\nDescription: C library\n"
    " long: text\n .\n more\nFilename: pool/libc6.deb\nSize: 12\nSHA256: abc\n\n"
    "package: sendmail-bin\nVERSION:2\nProvides: mail-transport-agent (= 2), sendmail\n";

static void build(const char *text, struct buf *bytes, struct deb_index *index)
{
    struct err err = {0};
    CHECK_OK(deb_index_build(text_of(text), "Packages", NULL, bytes, &err), &err);
    assert_true(deb_index_open((struct text){bytes->bytes, bytes->len}, index));
}

static size_t count_hits(const struct deb_index *index, const char *name, size_t *ret_virtual)
{
    struct deb_hits hits = deb_index_find(index, text_of(name));
    uint32_t number;
    bool is_virtual;
    size_t real = 0;
    *ret_virtual = 0;
    while (deb_index_next(&hits, &number, &is_virtual))
        *(is_virtual ? ret_virtual : &real) += 1;
    return real;
}

static void test_wanted_fields_of_every_stanza_come_back(void **state)
{
    (void)state;
    struct buf bytes;
    struct deb_index index;
    struct deb_stanza stanza;
    build(two_stanzas, &bytes, &index);
    assert_int_equal(index.stanza_count, 2);
    assert_true(deb_index_read(&index, 0, &stanza));
    assert_true(text_is(stanza.name, "libc6"));
    assert_true(text_is(stanza.source, "glibc (2.36-9)"));
    assert_true(text_is(stanza.version, "2.36-9+deb12u1"));
    assert_true(text_is(stanza.multi_arch, "same"));
    assert_true(text_is(stanza.depends, "libgcc-s1,  libcrypt1 (>= 1:4.4)"));
    assert_true(text_is(stanza.sha256, "abc"));
    assert_int_equal(stanza.line, 1);
    assert_true(deb_index_read(&index, 1, &stanza));
    assert_true(text_is(stanza.name, "sendmail-bin"));
    assert_true(text_is(stanza.version, "2"));
    assert_int_equal(stanza.filename.len, 0);
    assert_int_equal(stanza.line, 16);
    assert_false(deb_index_read(&index, 2, &stanza));
    buf_done(&bytes);
}

static void test_real_and_provided_names_are_found(void **state)
{
    (void)state;
    struct buf bytes;
    struct deb_index index;
    size_t provided;
    build(two_stanzas, &bytes, &index);
    assert_int_equal(count_hits(&index, "libc6", &provided), 1);
    assert_int_equal(provided, 0);
    assert_int_equal(count_hits(&index, "mail-transport-agent", &provided), 0);
    assert_int_equal(provided, 1);
    assert_int_equal(count_hits(&index, "sendmail", &provided), 0);
    assert_int_equal(provided, 1);
    assert_int_equal(count_hits(&index, "libc", &provided) + provided, 0);
    assert_int_equal(count_hits(&index, "", &provided) + provided, 0);
    buf_done(&bytes);
}

static size_t count_built_of(const struct deb_index *index, const char *source)
{
    struct deb_hits hits = deb_index_find_source(index, text_of(source));
    uint32_t number;
    bool is_virtual;
    size_t count = 0;
    for (; deb_index_next(&hits, &number, &is_virtual); count++)
        assert_false(is_virtual);
    return count;
}

static void test_packages_are_found_by_their_source(void **state)
{
    (void)state;
    struct buf bytes;
    struct deb_index index;
    struct deb_stanza stanza;
    size_t provided;
    build("Package: a-bin\nSource: a (1)\nVersion: 1+b1\n\nPackage: a\nVersion: 1\nProvides: b\n\n"
          "Package: b\nSource: a\nVersion: 1\nDescription: short\n long\n\nPackage: c\nSource: ab\nVersion: 1\n",
          &bytes, &index);
    assert_int_equal(count_built_of(&index, "a"), 3);
    assert_int_equal(count_built_of(&index, "ab"), 1);
    assert_int_equal(count_built_of(&index, "b"), 0);
    assert_int_equal(count_built_of(&index, ""), 0);
    assert_int_equal(count_hits(&index, "a", &provided) + provided, 1);
    assert_int_equal(count_hits(&index, "ab", &provided) + provided, 0);
    assert_true(deb_index_read(&index, 2, &stanza));
    assert_true(text_is(stanza.description, "short"));
    buf_done(&bytes);
}

static void test_an_empty_index_has_nothing(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "\n", "\n\n \n\t\n"};
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
        struct buf bytes;
        struct deb_index index;
        size_t provided;
        build(texts[i], &bytes, &index);
        assert_int_equal(index.stanza_count, 0);
        assert_int_equal(count_hits(&index, "x", &provided) + provided, 0);
        buf_done(&bytes);
    }
}

static void test_broken_syntax_is_refused_with_its_line(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"Package: a\nVersion: 1\n\nVersion: 1\n", "P:4: stanza without Package"},
        {"Package: a\nArchitecture: all\n", "P:1: stanza without Version"},
        {"Package: a\nVersion 1\n", "P:2: not a field"},
        {"Package: a\nVersion: 1\nVersion: 2\n", "P:3: a field that the stanza has already"},
        {"Package: a\nVersion: 1\n: x\n", "P:3: not a field"},
        {"\n continued\n", "P:2: a continuation line before"},
        {"<html>\n", "P:1: not a field"},
        {"Package:\nVersion: 1\n", "P:1: stanza without Package"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct buf bytes;
        struct err err = {0};
        assert_false(deb_index_build(text_of(cases[i].text), "P", NULL, &bytes, &err));
        CHECK_ERR(&err, ERR_MALFORMED, cases[i].message);
    }
}

static void test_nul_bytes_are_refused(void **state)
{
    (void)state;
    struct buf bytes;
    struct err err = {0};
    assert_false(deb_index_build(TEXT("Package: a\0b\nVersion: 1\n"), "P", NULL, &bytes, &err));
    CHECK_ERR(&err, ERR_MALFORMED, "NUL");
}

static void test_a_last_line_without_newline_counts(void **state)
{
    (void)state;
    struct buf bytes;
    struct deb_index index;
    struct deb_stanza stanza;
    build("Package: a\nVersion: 1\nSize: 77", &bytes, &index);
    assert_true(deb_index_read(&index, 0, &stanza));
    assert_true(text_is(stanza.size, "77"));
    buf_done(&bytes);
}

/* Every single flipped byte, and every shorter length, is noticed or harmless: nothing outside the bytes is read (run
 * under asan). */
static void test_a_damaged_index_is_never_read_out_of_bounds(void **state)
{
    (void)state;
    struct buf bytes;
    struct deb_index index;
    build(two_stanzas, &bytes, &index);
    for (size_t i = 0; i < bytes.len; i++) {
        struct deb_stanza stanza;
        size_t provided;
        struct deb_index damaged;
        bytes.bytes[i] ^= 0x41;
        char *copy = malloc(bytes.len);
        memcpy(copy, bytes.bytes, bytes.len);
        if (deb_index_open((struct text){copy, bytes.len}, &damaged)) {
            size_t good = (size_t)deb_index_read(&damaged, 0, &stanza) + deb_index_read(&damaged, 1, &stanza);
            assert_true(good < 2 || i < 64);
            (void)count_hits(&damaged, "libc6", &provided);
            (void)count_hits(&damaged, "sendmail", &provided);
        }
        free(copy);
        bytes.bytes[i] ^= 0x41;
    }
    for (size_t len = 0; len < bytes.len; len++)
        assert_false(deb_index_open((struct text){bytes.bytes, len}, &index));
    buf_done(&bytes);
}

static void test_relations_are_parsed(void **state)
{
    (void)state;
    static const struct {
        const char *text, *name, *qualifier, *version;
        enum deb_operator op;
    } cases[] = {
        {"libc6", "libc6", "", "", DEB_ANY},
        {" libc6 (>= 2.36) ", "libc6", "", "2.36", DEB_GREATER_EQUAL},
        {"python3:any (>= 3~)", "python3", "any", "3~", DEB_GREATER_EQUAL},
        {"a(=1:2-3)", "a", "", "1:2-3", DEB_EQUAL},
        {"a (<<1)", "a", "", "1", DEB_LESS},
        {"a (>> 1)", "a", "", "1", DEB_GREATER},
        {"a (< 1)", "a", "", "1", DEB_LESS_EQUAL},
        {"a (> 1)", "a", "", "1", DEB_GREATER_EQUAL},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct deb_relation relation;
        assert_true(deb_relation_parse(text_of(cases[i].text), &relation));
        assert_true(text_is(relation.name, cases[i].name));
        assert_true(text_is(relation.qualifier, cases[i].qualifier));
        assert_true(text_is(relation.version, cases[i].version));
        assert_int_equal(relation.op, cases[i].op);
    }
}

static void test_what_is_no_relation_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {"",        " ",          "(>= 1)",     "a (1)",     "a (>= )",
                                        "a (>= 1", "a >= 1",     "a (>= 1 2)", "a [amd64]", "a <!nocheck>",
                                        "a:",      "a (>= 1) x", "a (",        "a ()"};
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
        struct deb_relation relation;
        if (deb_relation_parse(text_of(texts[i]), &relation))
            fail_msg("accepted: %s", texts[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wanted_fields_of_every_stanza_come_back),
        cmocka_unit_test(test_real_and_provided_names_are_found),
        cmocka_unit_test(test_packages_are_found_by_their_source),
        cmocka_unit_test(test_an_empty_index_has_nothing),
        cmocka_unit_test(test_broken_syntax_is_refused_with_its_line),
        cmocka_unit_test(test_nul_bytes_are_refused),
        cmocka_unit_test(test_a_last_line_without_newline_counts),
        cmocka_unit_test(test_a_damaged_index_is_never_read_out_of_bounds),
        cmocka_unit_test(test_relations_are_parsed),
        cmocka_unit_test(test_what_is_no_relation_is_refused),
    };
    return cmocka_run_group_tests_name("deb_index", tests, NULL, NULL);
}
