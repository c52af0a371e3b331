/* SPDX-License-Identifier: Apache-2.0 */
#include "effect/shell_test.h"

#define NUMBER_MAX 1000000000

struct testing {
    const struct shell_word *items;
    size_t count, at;
    const struct shell_world *world;
};

enum shell_truth shell_both(enum shell_truth a, enum shell_truth b)
{
    if (a == SHELL_TRUTH_NO || b == SHELL_TRUTH_NO)
        return SHELL_TRUTH_NO;
    return a == SHELL_TRUTH_YES && b == SHELL_TRUTH_YES ? SHELL_TRUTH_YES : SHELL_TRUTH_MAYBE;
}

enum shell_truth shell_either(enum shell_truth a, enum shell_truth b)
{
    return shell_not(shell_both(shell_not(a), shell_not(b)));
}

enum shell_truth shell_not(enum shell_truth a)
{
    if (a == SHELL_TRUTH_MAYBE)
        return a;
    return a == SHELL_TRUTH_YES ? SHELL_TRUTH_NO : SHELL_TRUTH_YES;
}

static enum shell_truth truth_of(bool is_true)
{
    return is_true ? SHELL_TRUTH_YES : SHELL_TRUTH_NO;
}

static bool is_word(const struct testing *testing, size_t at, const char *word)
{
    return at < testing->count && testing->items[at].is_constant && strcmp(testing->items[at].text, word) == 0;
}

static bool parse_number(const char *text, int64_t *ret_number)
{
    bool is_negative = *text == '-';
    uint64_t number;
    if (!text_parse_u64(text_of(text + is_negative), &number) || number > NUMBER_MAX)
        return false;
    *ret_number = is_negative ? -(int64_t)number : (int64_t)number;
    return true;
}

static enum shell_truth compare_numbers(const char *sign, const char *left, const char *right)
{
    int64_t a, b;
    if (!parse_number(left, &a) || !parse_number(right, &b))
        return SHELL_TRUTH_NO; /* test(1) fails */
    if (strcmp(sign, "-eq") == 0 || strcmp(sign, "-ne") == 0)
        return truth_of((a == b) == (sign[1] == 'e'));
    if (strcmp(sign, "-lt") == 0 || strcmp(sign, "-ge") == 0)
        return truth_of((a < b) == (sign[1] == 'l'));
    return truth_of((a > b) == (sign[1] == 'g')); /* -gt, -le */
}

static bool is_binary(const char *sign)
{
    static const char *const signs[] = {"=", "==", "!=", "-eq", "-ne", "-lt", "-le", "-gt", "-ge", "-nt", "-ot", "-ef"};
    for (size_t i = 0; i < ARRAY_COUNT(signs); i++) {
        if (strcmp(sign, signs[i]) == 0)
            return true;
    }
    return false;
}

static enum shell_truth decide_binary(const struct shell_word *left, const char *sign, const struct shell_word *right)
{
    if (!left->is_constant || !right->is_constant || strcmp(sign, "-nt") == 0 || strcmp(sign, "-ot") == 0 ||
        strcmp(sign, "-ef") == 0)
        return SHELL_TRUTH_MAYBE;
    if (*sign == '-')
        return compare_numbers(sign, left->text, right->text);
    return truth_of((strcmp(left->text, right->text) == 0) == (*sign != '!'));
}

static enum shell_truth decide_unary(const struct testing *testing, char what, const struct shell_word *word)
{
    if (!word->is_constant)
        return SHELL_TRUTH_MAYBE;
    if (what == 'z' || what == 'n')
        return truth_of((*word->text == '\0') == (what == 'z'));
    return testing->world->test ? testing->world->test(testing->world->self, what, word->text) : SHELL_TRUTH_MAYBE;
}

static enum shell_truth decide_primary(struct testing *testing)
{
    const struct shell_word *words = testing->items + testing->at;
    size_t left = testing->count - testing->at;
    if (!left)
        return SHELL_TRUTH_NO;
    if (left > 2 && words[1].is_constant && is_binary(words[1].text)) {
        testing->at += 3;
        return decide_binary(&words[0], words[1].text, &words[2]);
    }
    if (left > 1 && words[0].is_constant && words[0].text[0] == '-' && words[0].text[1] && !words[0].text[2]) {
        testing->at += 2;
        return decide_unary(testing, words[0].text[1], &words[1]);
    }
    testing->at++;
    if (!words[0].is_constant)
        return SHELL_TRUTH_MAYBE;
    return truth_of(*words[0].text != '\0');
}

static enum shell_truth decide_not(struct testing *testing)
{
    bool is_not = false;
    while (is_word(testing, testing->at, "!") && testing->at + 1 < testing->count) {
        is_not = !is_not;
        testing->at++;
    }
    enum shell_truth truth = decide_primary(testing);
    return is_not ? shell_not(truth) : truth;
}

static enum shell_truth decide_all(struct testing *testing)
{
    enum shell_truth any = SHELL_TRUTH_NO, all = decide_not(testing);
    while (testing->at < testing->count) {
        bool is_and = is_word(testing, testing->at, "-a"), is_or = is_word(testing, testing->at, "-o");
        if (!is_and && !is_or)
            return SHELL_TRUTH_MAYBE; /* brackets, and what else there is */
        testing->at++;
        any = is_or ? shell_either(any, all) : any;
        enum shell_truth next = decide_not(testing);
        all = is_and ? shell_both(all, next) : next;
    }
    return shell_either(any, all);
}

enum shell_truth shell_test(const struct shell_command *command, const struct shell_world *world)
{
    struct testing testing = {.items = command->items + 1, .count = command->count - 1, .world = world};
    bool has_bracket = command->items[0].text[0] == '[';
    if (has_bracket && (!testing.count || testing.items[testing.count - 1].text[0] != ']'))
        return SHELL_TRUTH_MAYBE;
    testing.count -= has_bracket;
    return decide_all(&testing);
}
