/* SPDX-License-Identifier: Apache-2.0 */
/* The tree becomes the files of one pretended package, so that the loader's search is the one of the closure. */
#include "proof/prover.h"

#include "base/auto.h"
#include "closure/ld_cache.h"
#include "package/script.h"

#include <elf.h>

void prover_add(struct prover *prover, bool is_violation, const struct proof_finding *finding)
{
    struct proof *proof = prover->proof;
    struct arena *arena = prover->arena;
    if (prover->is_silent)
        return;
    if (!is_violation && proof->note_count >= PROOF_NOTES_MAX) {
        proof->note_count++; /* a million of them shall cost nothing */
        return;
    }
    char *text = arena_strdup(arena, finding->text);
    text_flatten(text); /* names of files may be anything, and each finding is a line */
    bool is_spared = is_violation && prover->spare;
    const char *key = is_spared ? arena_printf(arena, "%s\n%s", prover->spare, text) : text;
    if (!map_add(&prover->seen, text_of(key), (void *)text))
        return;
    struct proof_finding kept = {arena_strdup(arena, finding->path), arena_strdup(arena, finding->wanted), text};
    if (is_spared) {
        kept.path = prover->spare;
        list_add(arena, &proof->spared, kept);
    } else if (is_violation) {
        list_add(arena, &proof->violations, kept);
    } else if (++proof->note_count <= PROOF_NOTES_MAX) {
        list_add(arena, &proof->notes, kept);
    }
}

struct loader prover_loader(struct prover *prover, struct arena *arena, const struct arch *arch)
{
    struct loader loader = prover->loaders[arch - prover->arches];
    loader.arena = arena;
    return loader;
}

struct proof_elf *prover_elf(struct prover *prover, const struct entry *content)
{
    return prover->elfs[content - prover->package.entries];
}

const struct elf_symbols *prover_symbols(struct prover *prover, struct proof_elf *elf)
{
    elf = elf->twin ? elf->twin : elf;
    if (!elf->is_read) {
        const struct entry *entry = elf->file->entry;
        elf->is_read = true;
        elf_symbols_read(prover->arena, (struct text){entry->data, (size_t)entry->size_bytes}, &elf->symbols);
    }
    return &elf->symbols;
}

/* Looks into a file: ELF or script. */
static void read_content(struct prover *prover, const struct node *node, struct entry *entry)
{
    struct text bytes = {entry->data, (size_t)entry->size_bytes};
    entry->elf = node->elf;
    entry->interpreter = node->interpreter;
    if (entry->elf || (node->is_given && node->digest))
        return; /* whoever knows the digest of a base's file has looked into it */
    if (elf_is(bytes)) {
        struct elf_facts *facts = arena_new(prover->arena, struct elf_facts);
        elf_read(prover->arena, bytes, facts);
        entry->elf = facts;
        return;
    }
    bytes.len = bytes.len < SCRIPT_HEAD_BYTES ? bytes.len : SCRIPT_HEAD_BYTES;
    entry->interpreter = script_line(prover->arena, bytes);
}

static void make_package(struct prover *prover)
{
    static const enum entry_kind kinds[] = {[NODE_DIRECTORY] = ENTRY_DIRECTORY,
                                            [NODE_FILE] = ENTRY_FILE,
                                            [NODE_SYMLINK] = ENTRY_SYMLINK,
                                            [NODE_HARDLINK] = ENTRY_HARDLINK};
    const struct tree *tree = prover->request->tree;
    struct package *package = &prover->package;
    *package = (struct package){.name = "", .version = "", .architecture = "", .count = tree->count};
    package->entries = arena_new_array(prover->arena, struct entry, tree->count);
    for (size_t i = 0; i < tree->count; i++) {
        const struct node *node = &tree->nodes[i];
        struct entry *entry = &package->entries[i];
        *entry = (struct entry){.path = node->path,
                                .kind = kinds[node->kind],
                                .mode = node->mode,
                                .uid = node->uid,
                                .gid = node->gid,
                                .size_bytes = node->size_bytes,
                                .target = node->target,
                                .data = node->data};
        if (node->kind == NODE_FILE)
            read_content(prover, node, entry);
    }
    const struct package *const packages[] = {package};
    fileset_build(prover->arena, NULL, packages, 1, &prover->set);
    prover->set.is_exact = true;
}

/* The cache of the image itself; what is no cache, or lies, is passed over with a note. */
static const struct ld_cache *read_cache(struct prover *prover, const struct arch *arch)
{
    struct ld_cache *cache = arena_new(prover->arena, struct ld_cache);
    struct err err = {0};
    const struct sourced *file = fileset_walk(&prover->set, prover->arena, LD_CACHE_PATH, NULL, NULL);
    const struct entry *content = file ? sourced_content(file) : NULL;
    if (!content)
        return NULL;
    if (ld_cache_read(prover->arena, (struct text){content->data, (size_t)content->size_bytes}, arch, cache, &err))
        return cache;
    prover_add(prover, false, &(struct proof_finding){LD_CACHE_PATH, NULL, err.text});
    return NULL;
}

/* Prepares the search of each architecture. Its directories are spelled below /usr; a root that is not merged has them
 * in / as well, and the loader looks there first. */
static void make_loaders(struct prover *prover)
{
    const struct proof_request *request = prover->request;
    prover->arches = arena_new_array(prover->arena, struct arch, request->arch_count);
    prover->loaders = arena_new_array(prover->arena, struct loader, request->arch_count);
    struct map *walks = arena_new(prover->arena, struct map);
    walks->arena = prover->arena;
    for (size_t i = 0; i < request->arch_count; i++) {
        struct arch *arch = &prover->arches[i];
        *arch = *request->arches[i];
        arch->library_dirs = (struct strings){0};
        for (size_t j = 0; j < request->arches[i]->library_dirs.count; j++) {
            const char *dir = request->arches[i]->library_dirs.items[j];
            if (strncmp(dir, "/usr/", 5) == 0)
                list_add(prover->arena, &arch->library_dirs, dir + 4);
            list_add(prover->arena, &arch->library_dirs, dir);
        }
        loader_prepare(prover->arena, arch, &prover->set, &prover->loaders[i]);
        prover->loaders[i].cache = read_cache(prover, arch);
        prover->loaders[i].walks = walks;
    }
}

bool prover_is_loadable(const struct elf_facts *elf)
{
    return elf->broken || elf->type == ET_EXEC || elf->type == ET_DYN;
}

static void make_elfs(struct prover *prover)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct map first = {.arena = &scratch}; /* of files with the same facts: they are one file's */
    prover->elfs = arena_new_array(prover->arena, struct proof_elf *, prover->package.count);
    for (size_t i = 0; i < prover->package.count; i++) {
        const struct entry *entry = &prover->package.entries[i];
        prover->elfs[i] = &prover->no_elf;
        if (!entry->elf || !prover_is_loadable(entry->elf))
            continue;
        struct proof_elf *elf = prover->elfs[i] = arena_new(prover->arena, struct proof_elf);
        elf->file = fileset_find(&prover->set, entry->path);
        struct text facts = {(const char *)&entry->elf, sizeof entry->elf};
        if (!map_add(&first, facts, elf))
            elf->twin = map_get(&first, facts);
        elf->is_given = prover->request->tree->nodes[i].is_given;
        for (size_t j = 0; !entry->elf->broken && !elf->arch && j < prover->request->arch_count; j++) {
            if (loader_is_for(entry->elf, &prover->arches[j]))
                elf->arch = &prover->arches[j];
        }
        prover->proof->file_count += !elf->is_given;
    }
}

void prover_init(struct prover *prover)
{
    make_package(prover);
    make_loaders(prover);
    make_elfs(prover);
}
