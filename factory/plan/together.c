/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/together.h"

#include "base/list.h"

#include <string.h>

static const char *const parity_words[] = {[PARITY_OFF] = "off", [PARITY_SOURCE] = "source", [PARITY_EXACT] = "exact"};
static const char *const missing_words[] = {
    [MISSING_HOLD] = "hold", [MISSING_PREVIOUS] = "keep-previous", [MISSING_PUBLISH] = "publish"};

/* Finds a word by its place; 0 when it is none or NULL. */
static size_t place_of(const char *const *words, size_t count, const char *word)
{
    size_t found = 0;
    for (size_t i = 0; word && i < count; i++) {
        if (words[i] && strcmp(words[i], word) == 0)
            found = i;
    }
    return found;
}

enum parity together_parity(const char *word)
{
    return (enum parity)place_of(parity_words, ARRAY_COUNT(parity_words), word);
}

enum on_missing together_missing(const char *word)
{
    return (enum on_missing)place_of(missing_words, ARRAY_COUNT(missing_words), word);
}

const char *together_why_not_parity(const char *word)
{
    return together_parity(word) ? NULL : "is none of exact, source and off";
}

const char *together_why_not_missing(const char *word)
{
    bool is_one = together_missing(word) || strcmp(word, missing_words[MISSING_HOLD]) == 0;
    return is_one ? NULL : "is none of hold, keep-previous and publish";
}

const char *together_parity_name(enum parity parity)
{
    return parity == PARITY_UNASKED ? parity_words[PARITY_OFF] : parity_words[parity];
}
