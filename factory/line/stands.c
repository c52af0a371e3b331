/* SPDX-License-Identifier: Apache-2.0 */
#include "line/stands.h"

#include "source/wish_word.h"

#include <assert.h>

const char *stands_word(const struct wish_package *wish)
{
    return wish->word ? wish->word : wish->name;
}

static const struct selected *first_for(const struct selection *selection, const char *word)
{
    for (size_t i = 0; i < selection->count; i++) {
        if (selected_is_for(&selection->items[i], word))
            return &selection->items[i];
    }
    return NULL;
}

bool stands_check(const struct wishes *wishes, const struct selection *selection, struct err *err)
{
    for (size_t i = 0; i < wishes->packages.count; i++) {
        const struct wish_package *wish = &wishes->packages.items[i];
        if (wish->giver || first_for(selection, stands_word(wish)))
            continue;
        err_set(err, ERR_RESOLVE, "packages: install: %s: no package that was selected stands for it",
                stands_word(wish));
        return false;
    }
    return true;
}

void stands_settle(struct arena *arena, const struct selection *selection, struct wishes *wishes)
{
    struct wishes settled = {0};
    for (size_t i = 0; i < wishes->packages.count; i++) {
        struct wish_package wish = wishes->packages.items[i];
        const char *word = stands_word(&wish);
        if (!first_for(selection, word))
            list_add(arena, &settled.packages, wish);
        for (size_t k = 0; k < selection->count; k++) {
            assert(selection->items);
            const struct selected *selected = &selection->items[k];
            if (!selected_is_for(selected, word) || wishes_package(&settled, selected->name))
                continue;
            wish.name = selected->name;
            wish.word = strcmp(word, selected->name) == 0 ? NULL : word;
            list_add(arena, &settled.packages, wish);
        }
    }
    wishes->packages.items = settled.packages.items;
    wishes->packages.count = settled.packages.count;
    wishes->packages.capacity = settled.packages.capacity;
}

bool stands_is_news(const struct selected *selected, const char *word)
{
    return !text_has_prefix(text_of(word), selected->name) && !wish_word_is_glob(word);
}
