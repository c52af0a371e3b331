#include "effect/script_wishes.h"

void script_wishes_find(struct arena *arena, const struct package *const *own, size_t count, const struct fileset *set,
                        struct wishes *ret_wishes, struct strings *ret_notes)
{
    (void)arena;
    (void)own;
    (void)count;
    (void)set;
    *ret_wishes = (struct wishes){0};
    *ret_notes = (struct strings){0};
}
