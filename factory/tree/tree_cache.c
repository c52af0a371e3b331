/* SPDX-License-Identifier: Apache-2.0 */
/* /etc/ld.so.cache, when something of the image is found only through it. */
#include "closure/ld_cache.h"
#include "package/path.h"
#include "tree/tree_draft.h"

/* The bytes of the C library that is kept, or the base's, or empty: for the name of its ldconfig. */
static struct text find_libc(const struct tree_request *request)
{
    const struct keep *keep = request->keep;
    for (size_t i = 0; request->ground && i < request->ground->package->count; i++) {
        const struct entry *entry = &request->ground->package->entries[i];
        if (entry->kind == ENTRY_FILE && entry->elf && entry->elf->soname &&
            strcmp(entry->elf->soname, "libc.so.6") == 0)
            return (struct text){entry->data, (size_t)entry->size_bytes};
    }
    for (size_t i = 0; i < keep->count; i++) {
        const struct entry *content = sourced_content(keep->items[i].file);
        const char *soname = content && content->elf ? content->elf->soname : NULL;
        if (soname && strcmp(soname, "libc.so.6") == 0)
            return (struct text){content->data, (size_t)content->size_bytes};
    }
    return (struct text){0};
}

/* Returns whether one of our own libraries lies where only the cache has it. */
static bool is_ours_cached(const struct keep *keep)
{
    for (size_t i = 0; i < keep->count; i++) {
        const char *path = keep->items[i].file->entry->path;
        struct text dir = {path, (size_t)(path_basename(path) - path) - 1};
        for (size_t j = 0; j < keep->cache_dirs.count; j++) {
            if (text_is(dir, keep->cache_dirs.items[j]))
                return true;
        }
    }
    return false;
}

/* The paths of the image, the base's among them. */
static struct map files_there(const struct drafts *drafts)
{
    const struct ground *ground = drafts->request->ground;
    struct map there = {.arena = drafts->arena};
    for (size_t i = 0; i < drafts->by_path.slots.count; i++)
        (void)map_add(&there, drafts->by_path.slots.items[i].key, drafts->by_path.slots.items[i].value);
    for (size_t i = 0; ground && i < ground->package->count; i++)
        (void)map_add(&there, text_of(ground->package->entries[i].path), drafts->arena);
    return there;
}

bool drafts_add_cache(struct drafts *drafts, struct err *err)
{
    const struct tree_request *request = drafts->request;
    const struct keep *keep = request->keep;
    if (!keep->needs_cache || drafts_find(drafts, LD_CACHE_PATH) || (request->ground && !is_ours_cached(keep)))
        return true; /* not needed, or the manifest or the base has it */
    struct ld_cache cache;
    struct text bytes;
    struct map there = files_there(drafts);
    ld_cache_collect(drafts->arena, request->set, request->arch, &keep->cache_dirs, &there, &cache);
    const char *generator = ld_cache_generator(drafts->arena, find_libc(request));
    if (!ld_cache_write(drafts->arena, &cache, request->arch, generator, &bytes, err))
        return false;
    struct node node = {.path = LD_CACHE_PATH,
                        .kind = NODE_FILE,
                        .mode = 0644,
                        .size_bytes = bytes.len,
                        .data = bytes.ptr,
                        .claim = CLAIM_DATABASE,
                        .why = "libraries are found only in directories of /etc/ld.so.conf"};
    return drafts_add(drafts, &node, NULL, err);
}
