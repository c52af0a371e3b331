/* SPDX-License-Identifier: Apache-2.0 */
#include "source/wish_word.h"

static const struct {
    const char *sign;
    enum wish_operator op;
} operators[] = {{"<<", WISH_LESS},  {">>", WISH_GREATER}, {"<=", WISH_LESS_EQUAL}, {">=", WISH_GREATER_EQUAL},
                 {"==", WISH_EQUAL}, {"<", WISH_LESS},     {">", WISH_GREATER},     {"=", WISH_EQUAL}};

/* Whether a version may be written so. */
static bool is_version(struct text version)
{
    for (size_t i = 0; i < version.len; i++) {
        if (strchr("<>=() \t", version.ptr[i]))
            return false;
    }
    return version.len > 0;
}

/* Reads "OPERATOR VERSION", all of it. */
static bool read_condition(struct text text, struct wish_word *ret_word)
{
    text = text_trim(text);
    for (size_t i = 0; i < ARRAY_COUNT(operators); i++) {
        if (!text_has_prefix(text, operators[i].sign))
            continue;
        size_t len = strlen(operators[i].sign);
        ret_word->op = operators[i].op;
        ret_word->version = text_trim((struct text){text.ptr + len, text.len - len});
        return is_version(ret_word->version);
    }
    return false;
}

/* "name (>= 1.2)": the last bracket, with a blank or not before it. */
static bool cut_brackets(struct text word, struct wish_word *ret_word)
{
    const char *open = word.len && word.ptr[word.len - 1] == ')' ? memrchr(word.ptr, '(', word.len) : NULL;
    if (!open || open == word.ptr)
        return false;
    *ret_word = (struct wish_word){.name = text_trim((struct text){word.ptr, (size_t)(open - word.ptr)})};
    return ret_word->name.len &&
           read_condition((struct text){open + 1, (size_t)(word.ptr + word.len - 1 - open - 1)}, ret_word);
}

struct wish_word wish_word_cut(const char *written)
{
    struct text word = text_trim(text_of(written));
    struct wish_word cut = {.name = word};
    if (cut_brackets(word, &cut))
        return cut;
    cut = (struct wish_word){.name = word};
    size_t at = strcspn(word.ptr, "<>=");
    if (!at || at >= word.len || !read_condition((struct text){word.ptr + at, word.len - at}, &cut))
        return (struct wish_word){.name = word};
    cut.is_equals = word.ptr[at] == '=' && word.ptr[at + 1] != '=' && word.ptr[at - 1] != ' ';
    cut.name = text_trim((struct text){word.ptr, at});
    return cut;
}

bool wish_operator_takes(enum wish_operator op, int order)
{
    switch (op) {
    case WISH_ANY:
        return true;
    case WISH_LESS:
        return order < 0;
    case WISH_LESS_EQUAL:
        return order <= 0;
    case WISH_EQUAL:
        return order == 0;
    case WISH_GREATER_EQUAL:
        return order >= 0;
    case WISH_GREATER:
        return order > 0;
    }
    return false;
}

bool wish_word_is_glob(const char *word)
{
    return strpbrk(word, "*?[") != NULL;
}
