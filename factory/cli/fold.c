/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/fold.h"

static bool is_blank(char c)
{
    return c == ' ' || c == '\n';
}

/* Takes the next word. */
static bool next_word(struct text *rest, struct text *ret_word)
{
    while (rest->len && is_blank(rest->ptr[0]))
        *rest = (struct text){rest->ptr + 1, rest->len - 1};
    size_t len = 0;
    while (len < rest->len && !is_blank(rest->ptr[len]))
        len++;
    *ret_word = (struct text){rest->ptr, len};
    *rest = (struct text){rest->ptr + len, rest->len - len};
    return len > 0;
}

void fold_print(FILE *out, struct text text, size_t column)
{
    struct text word;
    size_t at = column;
    while (next_word(&text, &word)) {
        if (at > column && at + 1 + word.len > FOLD_WIDTH) {
            (void)fprintf(out, "\n%*s", (int)column, "");
            at = column;
        }
        at += (size_t)fprintf(out, "%s%.*s", at > column ? " " : "", (int)word.len, word.ptr);
    }
    (void)fputc('\n', out);
}

struct text fold_brief(struct text text, size_t most)
{
    size_t depth = 0, end = 0;
    for (size_t i = 0; i < text.len && i <= most; i++) {
        bool is_bracket = text.ptr[i] == '(' && i > 0 && is_blank(text.ptr[i - 1]);
        if (depth == 0 && i > 0 && (text.ptr[i] == ';' || text.ptr[i] == ',' || is_bracket))
            end = is_bracket ? i - 1 : i;
        if (text.ptr[i] == '(')
            depth++;
        else if (text.ptr[i] == ')' && depth)
            depth--;
    }
    return text.len <= most || !end ? text : (struct text){text.ptr, end};
}
