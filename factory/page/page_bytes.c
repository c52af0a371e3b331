/* SPDX-License-Identifier: Apache-2.0 */
#include "page/page_parts.h"

void page_set_bytes(struct arena *arena, struct template_scope *scope, const char *name, const char *exact,
                    uint64_t bytes)
{
    template_text(arena, scope, name, text_size(bytes).chars);
    template_text(arena, scope, exact, arena_printf(arena, "%ju", (uintmax_t)bytes));
}
