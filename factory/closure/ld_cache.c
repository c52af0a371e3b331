/* SPDX-License-Identifier: Apache-2.0 */
/* Which libraries a cache lists, and how it is searched. */
#include "closure/ld_cache.h"

#include "closure/ld_conf.h"
#include "closure/loader.h"
#include "package/path.h"

#include <elf.h>
#include <stdlib.h>

/* sysdeps/generic/ldconfig.h */
#define FLAG_ELF_LIBC6 0x0003
#define FLAG_X8664_LIBX32 0x0800
#define FLAG_ARM_LIBHF 0x0900
#define FLAG_ARM_LIBSF 0x0b00

/* Compares names as both ldconfig and the loader's binary search do (_dl_cache_libcmp() of glibc's elf/dl-cache.c): runs
 * of digits by value, wrapping like int. So names may be equal here that differ in their bytes ("liba.so.01",
 * "liba.so.1"). */
static int compare_names(const char *a, const char *b)
{
    while (*a) {
        bool is_digit = *a >= '0' && *a <= '9', is_other_digit = *b >= '0' && *b <= '9';
        if (is_digit && is_other_digit) {
            uint32_t left = 0, right = 0;
            while (*a >= '0' && *a <= '9')
                left = left * 10 + (uint32_t)(*a++ - '0');
            while (*b >= '0' && *b <= '9')
                right = right * 10 + (uint32_t)(*b++ - '0');
            if (left != right)
                return (int32_t)(left - right) < 0 ? -1 : 1;
        } else if (is_digit || is_other_digit) {
            return is_digit ? 1 : -1;
        } else if (*a != *b) {
            return *a < *b ? -1 : 1;
        } else {
            a++;
            b++;
        }
    }
    return *b ? -1 : 0;
}

/* compare() of elf/cache.c: falling by name and flags, glibc-hwcaps first. What is equal stays in the order of the
 * directories. */
static int compare_entries(const void *a, const void *b)
{
    const struct ld_cache_entry *left = a, *right = b;
    int order = compare_names(right->name, left->name);
    if (!order && left->flags != right->flags)
        order = left->flags < right->flags ? 1 : -1;
    if (!order && !left->hwcap != !right->hwcap)
        order = left->hwcap ? -1 : 1;
    if (!order && left->hwcap)
        order = strcmp(left->hwcap, right->hwcap);
    if (!order && left->order != right->order)
        order = left->order < right->order ? -1 : 1;
    return order ? order : strcmp(left->name, right->name);
}

/* One directory while its libraries are collected: search_dir(). */
struct collection {
    struct arena *arena;
    const struct fileset *set;
    const struct arch *arch;
    const struct map *only;
    const char *dir;   /* as spelled */
    const char *real;  /* canonical */
    const char *hwcap; /* or NULL */
    struct map found;  /* soname → struct library */
};

struct library {
    const char *soname, *name;
    bool is_link;
    uint32_t flags;
};

static bool is_library_name(const char *name)
{
    if (strncmp(name, "lib", 3) == 0 || strncmp(name, "ld-", 3) == 0)
        return strstr(name, ".so") != NULL;
    return strncmp(name, "ld.so.", 6) == 0 || strncmp(name, "ld64.so.", 8) == 0;
}

/* Returns the flags of a library as the architecture's readelflib.c gives them; 0 when it does not list it. */
static uint32_t flags_of(const struct elf_facts *elf, const struct arch *arch)
{
    if (loader_is_for(elf, arch))
        return arch->cache_flags;
    switch (elf->machine) {
    case EM_386:
        return arch->elf_machine == EM_X86_64 && elf->elf_class == 32 ? FLAG_ELF_LIBC6 : 0;
    case EM_X86_64:
        return arch->elf_machine == EM_X86_64 && elf->elf_class == 32 ? FLAG_X8664_LIBX32 | FLAG_ELF_LIBC6 : 0;
    case EM_ARM:
        if (arch->elf_machine != EM_AARCH64 && arch->elf_machine != EM_ARM)
            return 0;
        if ((elf->flags & EF_ARM_EABIMASK) != EF_ARM_EABI_VER5)
            return FLAG_ELF_LIBC6;
        return (elf->flags & EF_ARM_ABI_FLOAT_HARD   ? FLAG_ARM_LIBHF
                : elf->flags & EF_ARM_ABI_FLOAT_SOFT ? FLAG_ARM_LIBSF
                                                     : 0) |
               FLAG_ELF_LIBC6;
    default:
        return 0;
    }
}

static bool counts(const struct collection *collection, const char *path)
{
    return !collection->only || map_get(collection->only, text_of(path));
}

/* A symlink is listed by its own name when that is the soname, or the soname's beginning up to ".so" (for ld(1)). */
static bool is_plain_link(const char *name, const char *soname)
{
    size_t len = strlen(name);
    return strcmp(name, soname) == 0 ||
           (len >= 3 && strcmp(name + len - 3, ".so") == 0 && strncmp(name, soname, len) == 0);
}

static void collect_file(struct collection *collection, const struct sourced *file)
{
    const char *path = file->entry->path, *name = path_basename(path);
    if (file->entry->kind == ENTRY_DIRECTORY || !is_library_name(name) || !counts(collection, path))
        return;
    bool is_link = file->entry->kind == ENTRY_SYMLINK;
    const struct sourced *end = is_link ? fileset_walk(collection->set, collection->arena, path, NULL, NULL) : file;
    const struct entry *content = end && counts(collection, end->entry->path) ? sourced_content(end) : NULL;
    if (!content || !content->elf || content->elf->broken || content->elf->type != ET_DYN || !content->elf->has_dynamic)
        return;
    struct library library = {content->elf->soname ? content->elf->soname : name, name, is_link,
                              flags_of(content->elf, collection->arch)};
    if (!library.flags)
        return;
    if (is_link && is_plain_link(name, library.soname))
        library.soname = name;
    else
        library.is_link = false;
    struct library *there = map_get(&collection->found, text_of(library.soname));
    if (!there) {
        there = arena_new(collection->arena, struct library);
        *there = library;
        (void)map_add(&collection->found, text_of(library.soname), there);
    } else if ((!library.is_link && there->is_link) ||
               (library.is_link == there->is_link && compare_names(there->name, name) < 0)) {
        there->name = name;
        there->is_link = library.is_link;
    }
}

/* Puts what was found into the cache, under the soname; in a glibc-hwcaps directory under the file's own name. */
static void put_found(struct collection *collection, uint32_t order, struct ld_cache *cache)
{
    for (size_t i = 0; i < collection->found.slots.count; i++) {
        const struct library *library = collection->found.slots.items[i].value;
        const char *file = collection->hwcap ? library->name : library->soname;
        const char *real = arena_printf(collection->arena, "%s/%s", collection->real, file);
        if (strchr(file, '/') || !fileset_find(collection->set, real) || !counts(collection, real))
            continue;
        struct ld_cache_entry entry = {.name = library->soname,
                                       .path = arena_printf(collection->arena, "%s/%s", collection->dir, file),
                                       .hwcap = collection->hwcap,
                                       .flags = library->flags,
                                       .order = order};
        list_add(collection->arena, cache, entry);
    }
}

static void collect_dir(struct collection *collection, const struct sourced_list *files, uint32_t order,
                        struct ld_cache *cache)
{
    size_t len = strlen(collection->real) + 1;
    collection->found = (struct map){.arena = collection->arena};
    for (size_t i = 0; i < files->count; i++) {
        if (!strchr(files->items[i]->entry->path + len, '/'))
            collect_file(collection, files->items[i]);
    }
    put_found(collection, order, cache);
}

static void collect_hwcaps(const struct collection *base, uint32_t order, struct ld_cache *cache)
{
    struct arena *arena = base->arena;
    struct sourced_list files, own;
    struct map seen = {.arena = arena};
    const char *prefix = arena_printf(arena, "%s/glibc-hwcaps/", base->real);
    fileset_list(base->set, arena, prefix, &files);
    for (size_t i = 0; i < files.count; i++) {
        const char *at = files.items[i]->entry->path + strlen(prefix), *slash = strchr(at, '/');
        if (!slash || *at == '.' || memchr(at, ':', (size_t)(slash - at)))
            continue;
        const char *name = arena_strndup(arena, at, (size_t)(slash - at));
        if (!map_add(&seen, text_of(name), (void *)name))
            continue;
        struct collection collection = *base;
        collection.hwcap = name;
        collection.dir = arena_printf(arena, "%s/glibc-hwcaps/%s", base->dir, name);
        collection.real = arena_printf(arena, "%s%s", prefix, name);
        fileset_list(base->set, arena, arena_printf(arena, "%s/", collection.real), &own);
        collect_dir(&collection, &own, order, cache);
    }
}

void ld_cache_collect(struct arena *arena, const struct fileset *set, const struct arch *arch,
                      const struct strings *dirs, const struct map *only, struct ld_cache *ret_cache)
{
    struct map seen = {.arena = arena};
    *ret_cache = (struct ld_cache){0};
    for (size_t i = 0; i < dirs->count; i++) {
        struct collection collection = {.arena = arena, .set = set, .arch = arch, .only = only, .dir = dirs->items[i]};
        struct sourced_list files;
        (void)fileset_walk(set, arena, dirs->items[i], NULL, &collection.real);
        if (!map_add(&seen, text_of(collection.real), (void *)collection.real))
            continue;
        fileset_list(set, arena, arena_printf(arena, "%s/", collection.real), &files);
        collect_dir(&collection, &files, (uint32_t)i, ret_cache);
        collect_hwcaps(&collection, (uint32_t)i, ret_cache);
    }
    if (ret_cache->count)
        qsort(ret_cache->items, ret_cache->count, sizeof(ret_cache->items[0]), compare_entries);
}

/* Returns the number of the first entry with that name, or count: the same comparison as the loader's. */
static size_t find_first(const struct ld_cache *cache, const char *name)
{
    size_t low = 0, high = cache->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare_names(cache->items[middle].name, name) > 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static size_t rank_of(const struct strings *hwcaps, const char *hwcap)
{
    size_t rank = 0;
    while (hwcaps && rank < hwcaps->count && strcmp(hwcaps->items[rank], hwcap) != 0)
        rank++;
    return hwcaps && rank < hwcaps->count ? rank : SIZE_MAX;
}

const char *ld_cache_find(const struct ld_cache *cache, const struct arch *arch, const char *name,
                          const struct strings *hwcaps)
{
    const char *best = NULL;
    size_t best_rank = SIZE_MAX;
    for (size_t i = find_first(cache, name); i < cache->count; i++) {
        const struct ld_cache_entry *entry = &cache->items[i];
        if (compare_names(entry->name, name) != 0)
            break;
        if (entry->flags != arch->cache_flags)
            continue;
        if (!entry->hwcap)
            return best ? best : entry->path;
        size_t rank = rank_of(hwcaps, entry->hwcap);
        if (rank < best_rank) {
            best = entry->path;
            best_rank = rank;
        }
    }
    return best;
}

const char *ld_cache_generator(struct arena *arena, struct text libc)
{
    static const char banner[] = "GNU C Library ";
    const char *at = libc.len ? memmem(libc.ptr, libc.len, banner, strlen(banner)) : NULL;
    if (!at)
        return "ldconfig";
    at += strlen(banner);
    size_t room = libc.len - (size_t)(at - libc.ptr), len = 0;
    while (len < room && len < 200 && at[len] >= ' ' && at[len] < 127)
        len++;
    if (len && at[len - 1] == '.')
        len--;
    return arena_printf(arena, "ldconfig %.*s", (int)len, at);
}

/* Whether ldconfig makes a link for a library; *ret_path is the link's. */
static bool lacks_link(const struct fileset *set, const struct arch *arch, const struct sourced *file,
                       const char **ret_path)
{
    const struct elf_facts *elf = file && file->entry->kind == ENTRY_FILE ? file->entry->elf : NULL;
    const char *name = elf ? path_basename(file->entry->path) : "";
    if (!elf || elf->broken || elf->type != ET_DYN || !elf->soname || !*elf->soname || strchr(elf->soname, '/') ||
        strcmp(elf->soname, name) == 0 || !is_library_name(name) || !loader_is_for(elf, arch))
        return false;
    *ret_path = arena_printf(set->arena, "%.*s%s", (int)(name - file->entry->path), file->entry->path, elf->soname);
    return !map_get(&set->by_path, text_of(*ret_path));
}

/* Returns whether ldconfig looks into a directory: its own, and what is configured. */
static bool is_configured(struct arena *arena, const struct ld_conf *conf, const char *dir)
{
    bool is_one = strcmp(dir, "/usr/lib") == 0 || strcmp(dir, "/usr/lib64") == 0;
    for (size_t i = 0; i < conf->dirs.count && !is_one; i++) {
        const char *why, *configured = path_canonical(arena, text_of(conf->dirs.items[i]), &why);
        is_one = configured && strcmp(configured, dir) == 0;
    }
    return is_one;
}

/* Whether a directory that ldconfig looks into has the name anyway: then that library was meant, whatever ldconfig would put into
 * one that comes before. */
static bool is_elsewhere(const struct fileset *set, const struct ld_conf *conf, const char *soname)
{
    static const char *const own[] = {"/usr/lib", "/usr/lib64"};
    bool is_there = false;
    for (size_t i = 0; i < conf->dirs.count + ARRAY_COUNT(own) && !is_there; i++) {
        const char *dir = i < ARRAY_COUNT(own) ? own[i] : conf->dirs.items[i - ARRAY_COUNT(own)], *why;
        const char *path = path_canonical(set->arena, text_of(arena_printf(set->arena, "%s/%s", dir, soname)), &why);
        is_there = path && map_get(&set->by_path, text_of(path));
    }
    return is_there;
}

void ld_cache_add_links(struct fileset *set, const struct arch *arch)
{
    struct map links = {.arena = set->arena}; /* path → struct sourced * of the library */
    struct ld_conf conf = {0};
    for (size_t i = 0; i < set->packaged_count; i++) {
        const struct sourced *file = set->by_path.slots.items[i].value, *there;
        const char *path;
        if (!lacks_link(set, arch, file, &path))
            continue;
        there = map_get(&links, text_of(path));
        if (!there || compare_names(path_basename(there->entry->path), path_basename(file->entry->path)) < 0)
            map_set(&links, text_of(path), (void *)file);
    }
    if (links.slots.count)
        ld_conf_read(set->arena, set, &conf);
    for (size_t i = 0; i < links.slots.count; i++) {
        const struct sourced *file = links.slots.items[i].value;
        const char *path = links.slots.items[i].key.ptr, *name = path_basename(file->entry->path);
        if (!is_configured(set->arena, &conf, path_dirname(set->arena, path)) ||
            is_elsewhere(set, &conf, path_basename(path)))
            continue;
        struct entry *entry = arena_new(set->arena, struct entry);
        struct sourced *link = arena_new(set->arena, struct sourced);
        *entry = (struct entry){
            .path = path, .kind = ENTRY_SYMLINK, .mode = 0777, .mtime = file->package->build_time, .target = name};
        *link = (struct sourced){.package = file->package, .entry = entry};
        (void)map_add(&set->by_path, text_of(path), link);
    }
}
