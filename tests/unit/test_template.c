/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "base/auto.h"
#include "page/template.h"

static const char *filled(struct arena *arena, const char *template, const struct template_scope *scope)
{
    AUTO(buf_done) struct buf out;
    buf_init(&out, 1 << 20);
    assert_true(template_fill(text_of(template), scope, &out));
    return arena_strndup(arena, buf_text(&out).ptr, out.len);
}

static const char *escaped(struct arena *arena, const char *text)
{
    AUTO(buf_done) struct buf out;
    buf_init(&out, 1 << 20);
    assert_true(template_escape(text, &out));
    return arena_strndup(arena, buf_text(&out).ptr, out.len);
}

static void nothing_of_a_text_is_markup(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    assert_string_equal(escaped(&arena, "<script>alert(\"&'\")</script>"),
                        "&lt;script&gt;alert(&quot;&amp;&#39;&quot;)&lt;/script&gt;");
    assert_string_equal(escaped(&arena, "{{name}}"), "{{name}}");
    assert_string_equal(escaped(&arena, "a\nb\tc\x01\x7F"), "a?b?c??");
    assert_string_equal(escaped(&arena, "\xC3\xBC \xE9 \xE2\x80\xAEx"), "\xC3\xBC ? ?x");
    assert_string_equal(escaped(&arena, "\xEF\xBF\xBF \xEF\xB7\x90 \xF0\x9F\xBF\xBE"), "? ? ?"); /* noncharacters */
}

static void a_long_text_is_cut_between_characters(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    char *text = arena_alloc(&arena, 2 * TEMPLATE_TEXT_MAX + 2);
    text[0] = 'a';
    for (size_t i = 0; i < TEMPLATE_TEXT_MAX; i++)
        memcpy(text + 1 + 2 * i, "\xC3\xBC", 2);
    text[2 * TEMPLATE_TEXT_MAX + 1] = '\0';
    const char *shown = escaped(&arena, text);
    assert_true(text_has_suffix(text_of(shown), "\xC3\xBC\xE2\x80\xA6"));
    assert_null(strchr(shown, '?'));
    assert_true(strlen(shown) <= TEMPLATE_TEXT_MAX + 3);
    assert_string_equal(escaped(&arena, "whole"), "whole");
}

static void places_take_texts_markup_and_lists(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct template_scope *scope = template_scope(&arena, NULL);
    template_text(&arena, scope, "name", "<a>");
    template_text(&arena, scope, "none", "");
    template_markup(&arena, scope, "svg", TEXT("<svg/>"));
    for (int i = 0; i < 2; i++) {
        struct template_scope *row = template_item(&arena, scope, "rows");
        template_text(&arena, row, "n", i ? "two" : "one");
        if (i)
            template_text(&arena, template_item(&arena, row, "cells"), "c", "x");
    }
    assert_string_equal(filled(&arena, "{{name}} {{{svg}}}{{absent}}.", scope), "&lt;a&gt; <svg/>.");
    assert_string_equal(filled(&arena, "{{#rows}}{{n}} of {{name}}{{#cells}} [{{c}}]{{/cells}};{{/rows}}", scope),
                        "one of &lt;a&gt;;two of &lt;a&gt; [x];");
    assert_string_equal(filled(&arena, "{{^none}}no{{/none}}{{#none}}yes{{/none}}{{^name}}no{{/name}}", scope), "no");
    assert_string_equal(filled(&arena, "{{#name}}({{name}}){{/name}}{{^rows}}empty{{/rows}}", scope), "(&lt;a&gt;)");
}

static void a_page_that_is_too_big_is_told(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf out;
    buf_init(&out, 4);
    assert_false(template_fill(TEXT("longer"), NULL, &out));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_of_a_text_is_markup),
        cmocka_unit_test(a_long_text_is_cut_between_characters),
        cmocka_unit_test(places_take_texts_markup_and_lists),
        cmocka_unit_test(a_page_that_is_too_big_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
