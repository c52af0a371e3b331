/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "base/auto.h"
#include "source/wish_word.h"

static void is_cut(const char *word, const char *name, enum wish_operator op, const char *version)
{
    struct wish_word cut = wish_word_cut(word);
    if (!text_is(cut.name, name) || cut.op != op || !text_is(cut.version, version))
        fail_msg("%s: name '%.*s', operator %d, version '%.*s'", word, (int)cut.name.len, cut.name.ptr, (int)cut.op,
                 (int)cut.version.len, cut.version.ptr ? cut.version.ptr : "");
}

static void names_and_versions_are_cut_apart(void **state)
{
    (void)state;
    is_cut("name", "name", WISH_ANY, "");
    is_cut("name=1.2", "name", WISH_EQUAL, "1.2");
    is_cut("name = 1:2-3", "name", WISH_EQUAL, "1:2-3");
    is_cut("name (>= 1.2)", "name", WISH_GREATER_EQUAL, "1.2");
    is_cut("name(>=1.2)", "name", WISH_GREATER_EQUAL, "1.2");
    is_cut("name (<< 1.2~rc1)", "name", WISH_LESS, "1.2~rc1");
    is_cut("name >= 1.2", "name", WISH_GREATER_EQUAL, "1.2");
    is_cut("name>1", "name", WISH_GREATER, "1");
    is_cut("name<=1", "name", WISH_LESS_EQUAL, "1");
    is_cut("name == 1", "name", WISH_EQUAL, "1");
    is_cut("perl(Foo::Bar) >= 2", "perl(Foo::Bar)", WISH_GREATER_EQUAL, "2");
}

static void what_only_looks_like_a_version_is_part_of_the_name(void **state)
{
    (void)state;
    static const char *const words[] = {"font(:lang=en)",
                                        "libx.so.1()(64bit)",
                                        "libc.so.6(GLIBC_2.4)(64bit)",
                                        "perl(Foo)",
                                        "name =",
                                        "=1",
                                        "name >= ",
                                        "name (1.2)",
                                        "name >= 1 2",
                                        "(>= 1)",
                                        "<",
                                        ""};
    AUTO(arena_done) struct arena scratch = {0};
    for (size_t i = 0; i < ARRAY_COUNT(words); i++)
        is_cut(words[i], text_dup(&scratch, text_trim(text_of(words[i]))), WISH_ANY, "");
}

static void only_an_equals_sign_alone_pins(void **state)
{
    (void)state;
    assert_true(wish_word_cut("name=1").is_equals);
    assert_false(wish_word_cut("name==1").is_equals);
    assert_false(wish_word_cut("name = 1").is_equals);
    assert_false(wish_word_cut("name (= 1)").is_equals);
}

static void operators_take_what_they_say(void **state)
{
    (void)state;
    static const bool takes[][3] = {[WISH_ANY] = {true, true, true},
                                    [WISH_LESS] = {true, false, false},
                                    [WISH_LESS_EQUAL] = {true, true, false},
                                    [WISH_EQUAL] = {false, true, false},
                                    [WISH_GREATER_EQUAL] = {false, true, true},
                                    [WISH_GREATER] = {false, false, true}};
    for (size_t op = 0; op < ARRAY_COUNT(takes); op++) {
        for (int order = -1; order <= 1; order++)
            assert_int_equal(wish_operator_takes((enum wish_operator)op, order), takes[op][order + 1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_and_versions_are_cut_apart),
        cmocka_unit_test(what_only_looks_like_a_version_is_part_of_the_name),
        cmocka_unit_test(only_an_equals_sign_alone_pins),
        cmocka_unit_test(operators_take_what_they_say),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
