/* SPDX-License-Identifier: Apache-2.0 */
/* The tags of a repository (distribution-spec, "Listing Tags"): page by page, each behind the last tag of the one before,
 * so that no address of the registry's has to be followed. */
#include "registry/registry_parts.h"

#include "base/auto.h"
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

bool registry_list_tags(struct registry *registry, struct arena *arena, struct strings *ret_tags, struct err *err)
{
    struct strings tags = {0};
    struct map seen = {.arena = arena};
    const char *path = arena_printf(arena, "tags/list?n=%d", PAGE_TAGS);
    for (int page = 0; page < PAGES_MAX; page++) {
        size_t before = tags.count;
        struct exchange get AUTO(exchange_done) = {
            .method = "GET", .path = path, .access = REGISTRY_PULL, .cap_bytes = REGISTRY_DOCUMENT_MAX_BYTES};
        if (!registry_exchange(registry, &get, err))
            return false;
        if (get.status != 200) {
            exchange_refused(registry, &get, "tags/list", err);
            return false;
        }
        if (!add_tags(arena, &get, &seen, &tags)) {
            err_set(err, ERR_MALFORMED, "%s: tags/list: the answer is no list of tags", registry->name);
            return false;
        }
        if (!exchange_header(&get, "Link").len || tags.count == before) {
            *ret_tags = tags;
            return true;
        }
        if (tags.count > TAGS_MAX)
            break;
        path = arena_printf(arena, "tags/list?n=%d&last=%s", PAGE_TAGS, tags.items[tags.count - 1]);
    }
    err_set(err, ERR_MALFORMED, "%s: more than %zu tags, or in more than %d answers", registry->name, TAGS_MAX,
            PAGES_MAX);
    return false;
}
