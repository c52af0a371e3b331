/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "base/auto.h"
#include "base/text.h"

static void words_are_taken_off_the_front_until_none_is_left(void **state)
{
    (void)state;
    struct text rest = text_of("  one\ttwo \n three"), word;
    const char *const wanted[] = {"one", "two", "three"};
    for (size_t i = 0; i < 3; i++) {
        assert_true(text_next_word(&rest, &word));
        assert_true(text_is(word, wanted[i]));
    }
    assert_false(text_next_word(&rest, &word));
}

static void empty_parts_between_separators_are_kept(void **state)
{
    (void)state;
    struct text rest = text_of("a,,b"), part;
    assert_true(text_next(&rest, ',', &part) && text_is(part, "a"));
    assert_true(text_next(&rest, ',', &part) && part.len == 0);
    assert_true(text_next(&rest, ',', &part) && text_is(part, "b"));
    assert_false(text_next(&rest, ',', &part));
}

static void numbers_with_anything_else_or_beyond_64_bits_are_refused(void **state)
{
    (void)state;
    uint64_t value;
    assert_true(text_parse_u64(text_of("18446744073709551615"), &value));
    assert_true(value == UINT64_MAX);
    assert_false(text_parse_u64(text_of("18446744073709551616"), &value));
    assert_false(text_parse_u64(text_of(""), &value));
    assert_false(text_parse_u64(text_of("12 "), &value));
    assert_false(text_parse_u64(text_of("-1"), &value));
}

static void the_nearest_known_word_is_found_and_a_far_one_is_not(void **state)
{
    (void)state;
    const char *const known[] = {"entrypoint", "binaries", "volumes"};
    assert_string_equal(text_nearest("entripoint", known, 3), "entrypoint");
    assert_string_equal(text_nearest("ENTRYPOINT", known, 3), "entrypoint");
    assert_null(text_nearest("xyz", known, 3));
}

static void what_deceives_a_reader_or_a_terminal_is_made_harmless(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    static const char *const table[][3] = {
        {"gr\303\274n \342\202\254 \360\237\220\247", "gr\303\274n \342\202\254 \360\237\220\247",
         "gr\303\274n \342\202\254 \360\237\220\247"},
        {"a\342\200\256b", "a?b", "a\\xE2\\x80\\xAEb"}, /* U+202E */
        {"a\342\201\246b", "a?b", "a\\xE2\\x81\\xA6b"}, /* U+2066 */
        {"a\342\200\217b", "a?b", "a\\xE2\\x80\\x8Fb"}, /* U+200F */
        {"a\330\234b", "a?b", "a\\xD8\\x9Cb"},          /* U+061C */
        {"a\302\233b", "a?b", "a\\xC2\\x9Bb"},          /* U+009B, CSI */
        {"a\233b", "a?b", "a\\x9Bb"},                   /* the same in eight bits */
        {"a\300\200b", "a??b", "a\\xC0\\x80b"},         /* overlong */
        {"cut \342\200", "cut ??", "cut \\xE2\\x80"},
        {"\033[2J", "?[2J", "\\x1B[2J"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(table); i++) {
        char *text = arena_strdup(&arena, table[i][0]);
        text_sanitize(text);
        assert_string_equal(text, table[i][1]);
        assert_string_equal(text_shown(&arena, table[i][0]), table[i][1]);
        assert_string_equal(text_printable(&arena, text_of(table[i][0])), table[i][2]);
    }
    assert_string_equal(text_shown(&arena, "one\nline"), "one?line");
}

static void queries_of_urls_are_hidden_wherever_they_stand(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    static const char *const table[][2] = {
        {"http://a/b?token=secret: no", "http://a/b?… no"},
        {"\"https://a?x=secret\" and http://b/?y=secret,z=secret", "\"https://a?…\" and http://b/?…"},
        {"http://a/b?…: kept", "http://a/b?…: kept"},
        {"is http://a/b right?", "is http://a/b right?"},
        {"http://a/b? yes", "http://a/b? yes"},
        {"http://a/b?x yes", "http://a/b?. yes"},
        {"no url? x", "no url? x"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(table); i++) {
        char *text = arena_strdup(&arena, table[i][0]);
        text_hide_queries(text);
        assert_string_equal(text, table[i][1]);
    }
}

static void huge_values_are_cut_where_a_character_ends(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    static char huge[3 << 20];
    memset(huge, 'x', sizeof huge - 1);
    memcpy(huge + 1022, "\342\202\254", 3);
    const char *shown = text_shown(&arena, huge);
    assert_int_equal(strlen(shown), 1022 + strlen("…"));
    assert_string_equal(shown + 1020, "xx…");
}

static void control_bytes_of_foreign_text_do_not_reach_a_terminal(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    char text[] = "a\033[31mb\n  c";
    text_sanitize(text);
    assert_string_equal(text, "a?[31mb\n  c");
    assert_string_equal(text_printable(&arena, TEXT("a\033b")), "a\\x1Bb");
}

static void a_name_cannot_begin_a_line_of_a_message(void **state)
{
    (void)state;
    char message[] = "a\nimgfactory: error: b\n c\n\td\n\n  e\n  f\n", name[] = "a\n  b\tc\n";
    text_sanitize(message);
    assert_string_equal(message, "a?imgfactory: error: b? c?\td?\n  e\n  f?");
    text_flatten(name);
    assert_string_equal(name, "a?  b?c?");
}

static void a_buffer_refuses_to_grow_above_its_cap(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf buf;
    buf_init(&buf, 5);
    assert_true(buf_add(&buf, "abc", 3));
    assert_false(buf_add(&buf, "def", 3));
    assert_true(buf_printf(&buf, "%s", "de"));
    assert_string_equal(buf.bytes, "abcde");
    assert_false(buf_printf(&buf, "f"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_taken_off_the_front_until_none_is_left),
        cmocka_unit_test(what_deceives_a_reader_or_a_terminal_is_made_harmless),
        cmocka_unit_test(huge_values_are_cut_where_a_character_ends),
        cmocka_unit_test(queries_of_urls_are_hidden_wherever_they_stand),
        cmocka_unit_test(empty_parts_between_separators_are_kept),
        cmocka_unit_test(numbers_with_anything_else_or_beyond_64_bits_are_refused),
        cmocka_unit_test(the_nearest_known_word_is_found_and_a_far_one_is_not),
        cmocka_unit_test(control_bytes_of_foreign_text_do_not_reach_a_terminal),
        cmocka_unit_test(a_name_cannot_begin_a_line_of_a_message),
        cmocka_unit_test(a_buffer_refuses_to_grow_above_its_cap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
