/* SPDX-License-Identifier: Apache-2.0 */
#include "package/changelog.h"

bool changelog_add(struct arena *arena, const struct changelog_request *request, const struct changelog_entry *entry,
                   struct text text, struct changelog *changelog)
{
    while (text.len && text.ptr[text.len - 1] == '\n')
        text.len--;
    if (changelog->entries.count >= CHANGELOG_ENTRIES_MAX || text.len > request->cap_bytes - changelog->text_bytes) {
        changelog->is_cut = true;
        return false;
    }
    struct changelog_entry copy = *entry;
    copy.text = text_dup(arena, text);
    changelog->text_bytes += text.len;
    list_add(arena, &changelog->entries, copy);
    return true;
}
