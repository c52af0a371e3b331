/* /etc/ld.so.cache, when something of the image is found only through it. */
#include "closure/ld_cache.h"
#include "tree/tree_draft.h"

/* The bytes of the C library that is kept, or empty: for the name of its ldconfig. */
static struct text find_libc(const struct keep *keep)
{
    for (size_t i = 0; i < keep->count; i++) {
        const struct entry *content = sourced_content(keep->items[i].file);
        const char *soname = content && content->elf ? content->elf->soname : NULL;
        if (soname && strcmp(soname, "libc.so.6") == 0)
            return (struct text){content->data, (size_t)content->size_bytes};
    }
    return (struct text){0};
}

bool drafts_add_cache(struct drafts *drafts, struct err *err)
{
    const struct tree_request *request = drafts->request;
    const struct keep *keep = request->keep;
    if (!keep->needs_cache || drafts_find(drafts, LD_CACHE_PATH))
        return true; /* not needed, or the manifest has its own */
    struct ld_cache cache;
    struct text bytes;
    ld_cache_collect(drafts->arena, request->set, request->arch, &keep->cache_dirs, &drafts->by_path, &cache);
    const char *generator = ld_cache_generator(drafts->arena, find_libc(keep));
    if (!ld_cache_write(drafts->arena, &cache, request->arch, generator, &bytes, err))
        return false;
    struct node node = {.path = LD_CACHE_PATH,
                        .kind = NODE_FILE,
                        .mode = 0644,
                        .size_bytes = bytes.len,
                        .data = bytes.ptr,
                        .why = "libraries are found only in directories of /etc/ld.so.conf"};
    return drafts_add(drafts, &node, NULL, err);
}
