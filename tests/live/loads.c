/* SPDX-License-Identifier: Apache-2.0 */
/* What closure/loader and closure/ld_cache say of a directory that is the root of some system, for test_loader.py.
 *
 *   live_loads ARCHES_DIR ARCH ROOT list PATH...  for each program or library "PATH", then the real paths of the objects
 *                                                 that are loaded, "-NAME" for what is not found, "!TEXT" for a fatal
 *                                                 note, "~TEXT" for another; the lines of each end with an empty one
 *   live_loads ARCHES_DIR ARCH ROOT list=NAME,... PATH...   the same on a machine with these glibc-hwcaps directories
 *   live_loads ARCHES_DIR ARCH ROOT cache         the bytes of /etc/ld.so.cache for the configuration of ROOT
 *
 * `list` looks through ROOT/etc/ld.so.cache when it is there, as the loader does.
 */
#include "base/auto.h"
#include "closure/ld_conf.h"
#include "closure/loader.h"
#include "formats/formats.h"
#include "io/file.h"
#include "proof/root_dir.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

/* Takes the bytes of the loader's configuration, which root_dir_read() leaves out. */
static bool read_config(struct arena *arena, const char *root, struct entry *entry, struct err *err)
{
    AUTO(buf_done) struct buf bytes = {0};
    if (entry->kind != ENTRY_FILE || strncmp(entry->path, "/etc/ld.so.conf", strlen("/etc/ld.so.conf")) != 0)
        return true;
    if (!file_read_at(AT_FDCWD, arena_printf(arena, "%s%s", root, entry->path), 1 << 20, &bytes, err))
        return false;
    entry->data = arena_strndup(arena, bytes.bytes ? bytes.bytes : "", bytes.len);
    entry->size_bytes = bytes.len;
    return true;
}

/* The directory's tree as the files of one package. */
static bool make_set(struct arena *arena, const char *root, const struct tree *tree, struct fileset *ret_set,
                     struct err *err)
{
    struct package *package = arena_new(arena, struct package);
    *package = (struct package){.name = "", .version = "", .architecture = "", .count = tree->count};
    package->entries = arena_new_array(arena, struct entry, tree->count);
    for (size_t i = 0; i < tree->count; i++) {
        static const enum entry_kind kinds[] = {[NODE_DIRECTORY] = ENTRY_DIRECTORY,
                                                [NODE_FILE] = ENTRY_FILE,
                                                [NODE_SYMLINK] = ENTRY_SYMLINK,
                                                [NODE_HARDLINK] = ENTRY_HARDLINK};
        const struct node *node = &tree->nodes[i];
        struct entry *entry = &package->entries[i];
        *entry = (struct entry){.path = node->path,
                                .kind = kinds[node->kind],
                                .mode = node->mode,
                                .target = node->target,
                                .data = node->data,
                                .size_bytes = node->size_bytes};
        struct text bytes = {node->data, (size_t)node->size_bytes};
        if (node->kind == NODE_FILE && elf_is(bytes)) {
            struct elf_facts *facts = arena_new(arena, struct elf_facts);
            elf_read(arena, bytes, facts);
            entry->elf = facts;
        }
        if (!read_config(arena, root, entry, err))
            return false;
    }
    const struct package *const packages[] = {package};
    fileset_build(arena, NULL, packages, 1, ret_set);
    ret_set->is_exact = true;
    return true;
}

static void print_loads(const struct loader *loader, const char *path)
{
    const struct sourced *file = fileset_walk(loader->set, loader->arena, path, NULL, NULL);
    const struct entry *content = file ? sourced_content(file) : NULL;
    printf("%s\n", path);
    if (!content || !content->elf || content->elf->broken) {
        printf("!no ELF file\n\n");
        return;
    }
    struct load_list list;
    loader_load(loader, file, path, &list);
    for (size_t i = 0; i < list.count; i++) {
        printf("%s\n", list.items[i]->file->entry->path);
        for (size_t j = 0; j < list.items[i]->need_count; j++) {
            if (!list.items[i]->needs[j].object)
                printf("-%s\n", list.items[i]->needs[j].name);
        }
    }
    if (list.interpreter && !list.interpreter->is_listed)
        printf("%s\n", list.interpreter->file->entry->path);
    for (size_t i = 0; i < list.notes.count; i++)
        printf("%c%s\n", list.notes.items[i].is_fatal ? '!' : '~', list.notes.items[i].text);
    printf("\n");
}

static const struct entry *find_content(struct arena *arena, const struct fileset *set, const char *path)
{
    const struct sourced *file = fileset_walk(set, arena, path, NULL, NULL);
    return file ? sourced_content(file) : NULL;
}

static bool print_cache(const struct loader *loader, struct err *err)
{
    struct ld_conf conf;
    struct ld_cache cache;
    struct text bytes;
    struct arena *arena = loader->arena;
    ld_conf_read(arena, loader->set, &conf);
    for (size_t i = 0; i < loader->dirs.count; i++)
        list_add(arena, &conf.dirs, loader->dirs.items[i]);
    ld_cache_collect(arena, loader->set, loader->arch, &conf.dirs, NULL, &cache);
    const char *path = ld_cache_find(&cache, loader->arch, "libc.so.6", NULL);
    const struct entry *content = path ? find_content(arena, loader->set, path) : NULL;
    struct text banner = {content ? content->data : NULL, content ? (size_t)content->size_bytes : 0};
    if (!ld_cache_write(arena, &cache, loader->arch, ld_cache_generator(arena, banner), &bytes, err))
        return false;
    return fwrite(bytes.ptr, 1, bytes.len, stdout) == bytes.len;
}

static bool run(struct arena *arena, char **words, int count, struct err *err)
{
    AUTO(root_dir_done) struct root_dir root = {0};
    struct arches arches;
    const struct arch *arch;
    struct fileset set;
    struct loader loader;
    struct ld_cache cache;
    struct arch_keys keys = formats_arch_keys(arena);
    if (!arches_load(arena, words[0], &keys, &arches, err) || !arches_find(&arches, words[1], &arch, err) ||
        !root_dir_read(words[2], NULL, 1, &root, err) || !make_set(arena, words[2], &root.tree, &set, err))
        return false;
    loader_prepare(arena, arch, &set, &loader);
    if (strcmp(words[3], "cache") == 0)
        return print_cache(&loader, err);
    struct text hwcaps = text_of(words[3] + strcspn(words[3], "=")), hwcap;
    (void)text_next(&hwcaps, '=', &hwcap);
    while (hwcaps.len && text_next(&hwcaps, ',', &hwcap))
        list_add(arena, &loader.hwcaps, text_dup(arena, hwcap));
    const struct entry *file = find_content(arena, &set, LD_CACHE_PATH);
    if (file) {
        if (!ld_cache_read(arena, (struct text){file->data, (size_t)file->size_bytes}, arch, &cache, err))
            return false;
        loader.cache = &cache;
    }
    for (int i = 4; i < count; i++)
        print_loads(&loader, words[i]);
    return true;
}

int main(int argc, char **argv)
{
    AUTO(arena_done) struct arena arena = {0};
    struct err err = {0};
    if (argc < 5) {
        fprintf(stderr, "usage: %s ARCHES_DIR ARCH ROOT list|cache [PATH...]\n", argv[0]);
        return 2;
    }
    elf_init();
    if (run(&arena, argv + 1, argc - 1, &err))
        return 0;
    fprintf(stderr, "%s\n", err.text);
    return 1;
}
