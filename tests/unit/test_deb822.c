/* SPDX-License-Identifier: Apache-2.0 */
/* deb822: stanzas as Debian writes them, and what is refused. */
#include "check.h"

#include "base/auto.h"
#include "deb/deb822.h"

/* Reads all stanzas; the last one is left in *ret_stanza. */
static bool read_all(struct arena *arena, struct text bytes, size_t *ret_count, struct deb822_stanza *ret_stanza,
                     struct err *err)
{
    struct deb822 reader;
    bool is_found;
    deb822_begin(&reader, "f", bytes, ERR_MALFORMED);
    for (*ret_count = 0;; (*ret_count)++) {
        struct deb822_stanza stanza;
        if (!deb822_next(&reader, arena, &stanza, &is_found, err))
            return false;
        if (!is_found)
            return true;
        *ret_stanza = stanza;
    }
}

static void check_value(const struct deb822_stanza *stanza, const char *name, const char *wanted)
{
    struct text value = deb822_value(stanza, name);
    assert_non_null(value.ptr);
    assert_int_equal(value.len, strlen(wanted));
    assert_memory_equal(value.ptr, wanted, value.len);
}

static void check_refused(const char *bytes, size_t len, const char *part)
{
    AUTO(arena_done) struct arena arena = {0};
    struct err err = {0};
    struct deb822_stanza stanza;
    size_t count;
    assert_false(read_all(&arena, (struct text){bytes, len}, &count, &stanza, &err));
    CHECK_ERR(&err, ERR_MALFORMED, part);
}

static void fields_are_found_without_case_and_values_are_trimmed(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct err err = {0};
    struct deb822_stanza stanza;
    size_t count;
    CHECK_OK(read_all(&arena, TEXT("Package:  dhcpd \t\nVersion:1:2\r\nEmpty:\n"), &count, &stanza, &err), &err);
    assert_int_equal(count, 1);
    check_value(&stanza, "package", "dhcpd");
    check_value(&stanza, "VERSION", "1:2");
    check_value(&stanza, "Empty", "");
    assert_null(deb822_value(&stanza, "Absent").ptr);
    assert_int_equal(deb822_find(&stanza, "Version")->line, 2);
}

static void continuation_lines_belong_to_the_field_above(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct err err = {0};
    struct deb822_stanza stanza;
    size_t count;
    CHECK_OK(read_all(&arena, TEXT("A: one\n two\n\tthree\nB:\n x\n .\n y"), &count, &stanza, &err), &err);
    assert_int_equal(count, 1);
    check_value(&stanza, "A", "one\n two\n\tthree");
    check_value(&stanza, "B", "x\n .\n y");
}

static void comments_vanish_between_fields_and_inside_values(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct err err = {0};
    struct deb822_stanza stanza;
    size_t count;
    CHECK_OK(read_all(&arena, TEXT("# top\nA: one\n# middle\n two\n# last\nB: x # kept\n#end"), &count, &stanza, &err),
             &err);
    assert_int_equal(count, 1);
    check_value(&stanza, "A", "one\n two");
    check_value(&stanza, "B", "x # kept");
}

static void blank_lines_of_any_kind_and_number_part_stanzas(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct err err = {0};
    struct deb822_stanza stanza;
    size_t count;
    CHECK_OK(read_all(&arena, TEXT("\n\nA: 1\n\n \t\n\nA: 2\n# c\n\nA: 3\n\n"), &count, &stanza, &err), &err);
    assert_int_equal(count, 3);
    check_value(&stanza, "A", "3");
}

static void nothing_but_blanks_and_comments_is_no_stanza(void **state)
{
    (void)state;
    static const char *const inputs[] = {"", "\n", "# c", "# c\n\n  \n#d\n"};
    for (size_t i = 0; i < ARRAY_COUNT(inputs); i++) {
        AUTO(arena_done) struct arena arena = {0};
        struct err err = {0};
        struct deb822_stanza stanza;
        size_t count;
        CHECK_OK(read_all(&arena, text_of(inputs[i]), &count, &stanza, &err), &err);
        assert_int_equal(count, 0);
    }
}

static void broken_lines_are_refused_with_their_place(void **state)
{
    (void)state;
    check_refused(" x\n", 3, "f:1: a continuation line");
    check_refused("A: 1\n\n b\n", 9, "f:3: a continuation line");
    check_refused("A: 1\nnocolon\n", 13, "f:2: not a \"Name: value\" line");
    check_refused(": x\n", 4, "f:1: not a");
    check_refused("A B: x\n", 7, "f:1: not a");
    check_refused("-----BEGIN: x\n", 14, "f:1: not a");
    check_refused("A: 1\na: 2\n", 10, "f:2: the field is given twice");
    check_refused("A: 1\0002\n", 7, "NUL");
    check_refused("\033[2J: x\n", 8, "\\x1B");
}

static void too_many_fields_are_refused(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf many;
    buf_init(&many, 1 << 20);
    for (int i = 0; i < 4097; i++)
        assert_true(buf_printf(&many, "F%d: x\n", i));
    check_refused(many.bytes, many.len, "more than 4096 fields");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_found_without_case_and_values_are_trimmed),
        cmocka_unit_test(continuation_lines_belong_to_the_field_above),
        cmocka_unit_test(comments_vanish_between_fields_and_inside_values),
        cmocka_unit_test(blank_lines_of_any_kind_and_number_part_stanzas),
        cmocka_unit_test(nothing_but_blanks_and_comments_is_no_stanza),
        cmocka_unit_test(broken_lines_are_refused_with_their_place),
        cmocka_unit_test(too_many_fields_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
