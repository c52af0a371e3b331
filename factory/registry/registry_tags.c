/* SPDX-License-Identifier: Apache-2.0 */
/* The tags of a repository (distribution-spec, "Listing Tags"): page by page, each behind the last tag of the one before,
 * so that no address of the registry's has to be followed; where pages have marks of their own, behind that mark. */
#include "registry/registry_parts.h"

#include "base/auto.h"
#include "base/date.h"
#include "base/map.h"
#include "registry/reference.h"

#include <jansson.h>

#define PAGE_TAGS 1000
#define TAGS_MAX ((size_t)100000)
#define PAGES_MAX 2000 /* some give fewer tags than they are asked for */

/* Adds the tags of one answer; false when it is no list of tags. */
static bool add_tags(struct arena *arena, const struct exchange *answer, struct map *seen, struct strings *tags)
{
    json_auto_t *json = json_loadb(answer->body_in.bytes ? answer->body_in.bytes : "", answer->body_in.len,
                                   JSON_REJECT_DUPLICATES, NULL);
    const json_t *list = json_object_get(json, "tags");
    json_t *item;
    size_t i;
    if (!json_is_array(list) && !json_is_null(list)) /* null: none, as some registries say it */
        return false;
    json_array_foreach((json_t *)list, i, item)
    {
        const char *tag = json_string_value(item);
        if (!tag || !reference_is_tag(tag))
            return false;
        tag = arena_strdup(arena, tag);
        if (map_add(seen, text_of(tag), (void *)tag))
            list_add(arena, tags, tag);
    }
    return true;
}

/* Notes the registry's clock, by the first answer. */
static void take_clock(const struct exchange *answer, struct registry_tag_list *list)
{
    list->has_clock = list->has_clock || date_parse(exchange_header(answer, "Date"), &list->clock);
}

bool registry_read_tags(struct registry *registry, struct arena *arena, struct registry_tag_list *ret_list,
                        struct err *err)
{
    struct registry_tag_list list = {0};
    struct strings *tags = &list.tags;
    struct map seen = {.arena = arena};
    const char *path = arena_printf(arena, "tags/list?n=%d", PAGE_TAGS);
    for (int page = 0; page < PAGES_MAX; page++) {
        size_t before = tags->count;
        struct exchange get AUTO(exchange_done) = {
            .method = "GET", .path = path, .access = REGISTRY_PULL, .cap_bytes = REGISTRY_DOCUMENT_MAX_BYTES};
        if (!registry_exchange(registry, &get, err))
            return false;
        if (get.status != 200) {
            exchange_refused(registry, &get, "tags/list", err);
            return false;
        }
        take_clock(&get, &list);
        if (!add_tags(arena, &get, &seen, tags)) {
            err_set(err, ERR_MALFORMED, "%s: tags/list: the answer is no list of tags", registry->name);
            return false;
        }
        /* A registry may forget to say that there are more, when it gave just as many as it was asked for. */
        const char *next = exchange_next_query(arena, &get);
        bool has_more = next != NULL;
        if ((!has_more && tags->count - before != PAGE_TAGS) || tags->count == before) {
            list.is_whole = !has_more;
            *ret_list = list;
            return true;
        }
        if (tags->count > TAGS_MAX)
            break;
        path = next && *next ? arena_printf(arena, "tags/list?%s", next)
                             : arena_printf(arena, "tags/list?n=%d&last=%s", PAGE_TAGS, tags->items[tags->count - 1]);
    }
    err_set(err, ERR_MALFORMED, "%s: more than %zu tags, or in more than %d answers", registry->name, TAGS_MAX,
            PAGES_MAX);
    return false;
}

bool registry_list_tags(struct registry *registry, struct arena *arena, struct strings *ret_tags, struct err *err)
{
    struct registry_tag_list list;
    bool is_read = registry_read_tags(registry, arena, &list, err);
    *ret_tags = is_read ? list.tags : (struct strings){0};
    return is_read;
}
