/* SPDX-License-Identifier: Apache-2.0 */
#include "service/unit_alias.h"

#include "plan/services.h"

#define ALIASES_MAX 100
#define UNITS_OWN "/etc/systemd/system"

/* Adds a link for each word of an Alias= line. */
static void add_links(struct arena *arena, struct text words, const struct wish_made *enabled,
                      const struct wishes *wishes, struct wishes *links)
{
    struct text word;
    while (text_next_word(&words, &word)) {
        struct wish_made link = *enabled;
        if (!word.len || word.len > 200 || word.ptr[0] == '.' || memchr(word.ptr, '/', word.len) ||
            !text_is_utf8(word) || links->made.count >= ALIASES_MAX)
            continue;
        link.path = arena_printf(arena, UNITS_OWN "/%s", text_printable(arena, word));
        if (!wishes_made(wishes, link.path) && !wishes_made(links, link.path))
            list_add(arena, &links->made, link);
    }
}

struct wishes unit_alias_links(struct arena *arena, const struct fileset *set, const struct wishes *wishes)
{
    struct wishes links = {0};
    for (size_t i = 0; i < wishes->made.count; i++) {
        const struct wish_made *made = &wishes->made.items[i];
        if (made->kind != MADE_SYMLINK || !made->giver || strcmp(made->giver, SERVICES_GIVER) != 0 ||
            !strstr(made->path, ".target.wants/"))
            continue;
        const struct sourced *unit = fileset_find(set, made->target);
        const struct entry *content = unit ? sourced_content(unit) : NULL;
        struct text rest = {content ? content->data : NULL, content ? (size_t)content->size_bytes : 0}, line;
        bool is_install = false;
        while (rest.len && text_next(&rest, '\n', &line)) {
            line = text_trim(line);
            if (line.len && line.ptr[0] == '[')
                is_install = text_is(line, "[Install]");
            if (is_install && text_has_prefix(line, "Alias="))
                add_links(arena, (struct text){line.ptr + strlen("Alias="), line.len - strlen("Alias=")}, made, wishes,
                          &links);
        }
    }
    return links;
}
