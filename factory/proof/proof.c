/* SPDX-License-Identifier: Apache-2.0 */
#include "proof/proof.h"

#include "base/auto.h"
#include "package/path.h"
#include "package/script.h"
#include "proof/prover.h"

#include <elf.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static const char libgcc_name[] = "libgcc_s.so.1";

/* Returns whether the path is where something is looked for: directly in a directory of programs or of the loader. */
static bool is_looked_for(const struct prover *prover, const struct entry *entry)
{
    const char *name = path_basename(entry->path);
    struct text dir = {entry->path, (size_t)(name - entry->path) - (name > entry->path + 1)};
    for (const char *const *known = script_path_dirs; *known; known++) {
        if (text_is(dir, *known))
            return (entry->mode & 0111) != 0;
    }
    const struct strings *dirs = &prover->loaders[0].dirs;
    for (size_t i = 0; i < dirs->count; i++) {
        /* plain /usr/lib is no sign: another architecture's loader, or all of Fedora's i686, lies there */
        if (text_is(dir, dirs->items[i]) && !text_is(dir, "/usr/lib") && !text_is(dir, "/lib"))
            return name && strstr(name, ".so");
    }
    return false;
}

/* A broken file, or one of a machine that the image is not for. */
static void check_foreign(struct prover *prover, const struct entry *entry)
{
    bool is_violation = is_looked_for(prover, entry);
    const char *what = loader_why_not(prover->arena, entry->elf, &prover->arches[0]);
    prover_add(prover, is_violation,
               &(struct proof_finding){entry->path, NULL, arena_printf(prover->arena, "%s: %s", entry->path, what)});
}

/* glibc opens libgcc_s.so.1 when a thread ends by pthread_exit or pthread_cancel, and aborts without it. */
static void check_libgcc(struct prover *prover, struct loader *loader, struct load_list *list)
{
    const char *path = list->items[0]->file->entry->path;
    struct load_object *libc = loader_find(list, "libc.so.6");
    bool is_needed = false;
    size_t count = list->count;
    if (!libc || loader_open(loader, list, libc, libgcc_name).object)
        return;
    for (size_t i = 0; i < count; i++) {
        const struct load_object *object = list->items[i];
        is_needed = is_needed || (object != libc && prover_elf(prover, object->content)->imports_unwinding);
    }
    const char *text = is_needed ? arena_printf(prover->arena,
                                                "%s: %s is not found, which glibc opens for pthread_exit and "
                                                "pthread_cancel, and it uses these",
                                                path, libgcc_name)
                                 : arena_printf(prover->arena,
                                                "%s is not found, which glibc opens for pthread_exit and "
                                                "pthread_cancel",
                                                libgcc_name);
    prover_add(prover, is_needed, &(struct proof_finding){path, libgcc_name, text});
}

/* Lets the pages of a program go: of those of a large root hardly any is asked for symbols again, and then the kernel
 * brings them back. */
static void drop_pages(const struct entry *entry)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), start = (uintptr_t)entry->data;
    uintptr_t first = (start + page - 1) / page * page, end = (start + entry->size_bytes) / page * page;
    if (end > first)
        (void)madvise((void *)first, end - first, MADV_DONTNEED);
}

static void check_program(struct prover *prover, struct proof_elf *elf)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct trouble trouble = {.arena = &scratch};
    struct loader loader = prover_loader(prover, &scratch, elf->arch);
    struct proof_program program = {.file = elf->file, .arch = elf->arch};
    struct load_list list;
    loader_load(&loader, elf->file, elf->file->entry->path, &list);
    process_scope(prover, prover->arena, &list, &program.scope);
    for (size_t i = 0; i < program.scope.count; i++)
        program.scope.items[i]->is_loaded = true;
    if (list.interpreter)
        prover_elf(prover, list.interpreter->content)->is_loaded = true;
    process_check(prover, &list, NULL, &trouble);
    for (size_t i = 0; i < trouble.findings.count; i++)
        prover_add(prover, true, &trouble.findings.items[i]);
    process_add_unbound(prover, &trouble.unbound, true,
                        arena_printf(&scratch, "nothing that %s is loaded with", elf->file->entry->path));
    if (!trouble.findings.count)
        check_libgcc(prover, &loader, &list);
    list_add(prover->arena, &prover->programs, program);
    prover->proof->program_count++;
    if (prover->request->is_mapped_alone)
        drop_pages(elf->file->entry);
}

/* Sets whose file is looked at: one that the image may do without, or any other. */
static void look_at(struct prover *prover, const struct proof_elf *elf)
{
    const struct map *spare = prover->request->spare;
    const char *path = elf->file ? elf->file->entry->path : NULL;
    bool is_spare = path && spare && map_get(spare, text_of(path)) && !elf->is_launched;
    prover->spare = is_spare ? path : NULL;
}

/* Whether a library is to be judged that no program needs. */
static bool is_plugin(const struct proof_elf *elf)
{
    return elf->file && elf->arch && !elf->is_given && !elf->is_loaded && !elf->file->entry->elf->interp &&
           elf->file->entry->elf->has_dynamic;
}

/* Of a base the programs are set up that a plug-in of ours may be for. */
static void set_up_given(struct prover *prover)
{
    bool has_plugins = false;
    for (size_t i = 0; i < prover->package.count && !has_plugins; i++)
        has_plugins = is_plugin(prover->elfs[i]);
    prover->is_silent = true;
    for (size_t i = 0; i < prover->package.count && has_plugins; i++) {
        struct proof_elf *elf = prover->elfs[i];
        if (elf->file && elf->arch && elf->is_given && !elf->is_launched && elf->file->entry->elf->interp)
            check_program(prover, elf);
    }
    prover->is_silent = false;
}

static void check_elfs(struct prover *prover)
{
    for (size_t i = 0; i < prover->package.count; i++) {
        struct proof_elf *elf = prover->elfs[i];
        look_at(prover, elf);
        if (elf->is_given && !elf->is_launched)
            continue;
        if (elf->file && !elf->arch)
            check_foreign(prover, elf->file->entry);
        else if (elf->file && elf->file->entry->elf->interp)
            check_program(prover, elf);
    }
    set_up_given(prover);
    for (size_t i = 0; i < prover->package.count; i++) {
        struct proof_elf *elf = prover->elfs[i];
        look_at(prover, elf);
        if (is_plugin(elf))
            plugin_check(prover, elf->file);
    }
    prover->spare = NULL;
}

/* Scripts that the image does not start by itself. */
static void check_scripts(struct prover *prover)
{
    for (size_t i = 0; i < prover->package.count; i++) {
        const struct entry *entry = &prover->package.entries[i];
        if (!entry->interpreter || !(entry->mode & 0111) || prover->request->tree->nodes[i].is_given)
            continue;
        prover->proof->file_count++;
        if (!strings_has(&prover->request->programs, entry->path))
            start_check(prover, entry->path, false);
    }
}

static void check_links(struct prover *prover)
{
    for (size_t i = 0; i < prover->package.count; i++) {
        const struct entry *entry = &prover->package.entries[i];
        const char *end = NULL;
        if (entry->kind != ENTRY_SYMLINK || prover->request->tree->nodes[i].is_given ||
            fileset_walk(&prover->set, prover->arena, entry->path, NULL, &end) || strcmp(end, "/") == 0 ||
            prover_is_provided(end))
            continue;
        prover_add(
            prover, false,
            &(struct proof_finding){entry->path, end,
                                    arena_printf(prover->arena, "%s is a symlink to %s, which is not there",
                                                 entry->path, text_printable(prover->arena, text_of(entry->target)))});
    }
}

/* Returns whether an ELF file has the architecture's machine, class and byte order. */
static bool is_of(const struct node *node, const struct arch *arch)
{
    const unsigned char *header = (const unsigned char *)node->data;
    bool is_big_endian = header[EI_DATA] == ELFDATA2MSB;
    unsigned machine = is_big_endian ? header[18] * 256U + header[19] : header[19] * 256U + header[18];
    return machine == arch->elf_machine && is_big_endian == arch->is_big_endian &&
           header[EI_CLASS] == (arch->elf_class == 64 ? ELFCLASS64 : ELFCLASS32);
}

/* How many ELF files of the tree are the architecture's. */
static void count_elfs(const struct tree *tree, const struct arches *arches, size_t *counts)
{
    for (size_t i = 0; i < tree->count; i++) {
        const struct node *node = &tree->nodes[i];
        if (node->kind != NODE_FILE || node->size_bytes < sizeof(Elf32_Ehdr) ||
            !elf_is((struct text){node->data, (size_t)node->size_bytes}))
            continue;
        for (size_t j = 0; j < arches->count; j++)
            counts[j] += is_of(node, &arches->items[j]);
    }
}

static int compare_path(const void *key, const void *node)
{
    return strcmp(key, ((const struct node *)node)->path);
}

/* Returns whether one of the architecture's loaders is there, below /usr or, in a root that is not merged, beside it. */
static bool has_loader(struct arena *arena, const struct tree *tree, const struct arch *arch)
{
    for (size_t i = 0; i < arch->loaders.count && tree->count; i++) {
        const char *why, *path = path_canonical(arena, text_of(arch->loaders.items[i]), &why);
        if (!path)
            continue;
        bool is_below = strncmp(path, "/usr/", 5) == 0;
        if (bsearch(path, tree->nodes, tree->count, sizeof(tree->nodes[0]), compare_path) ||
            (is_below && bsearch(path + 4, tree->nodes, tree->count, sizeof(tree->nodes[0]), compare_path)))
            return true;
    }
    return false;
}

void proof_find_arches(struct arena *arena, const struct tree *tree, const struct arches *arches,
                       const struct arch ***ret_arches, size_t *ret_count)
{
    AUTO(arena_done) struct arena scratch = {0};
    const struct arch **found = arena_new_array(arena, const struct arch *, arches->count + 1), *most = NULL;
    size_t most_elfs = 0, count = 0, first_elfs = 0, *counts = arena_new_array(&scratch, size_t, arches->count);
    count_elfs(tree, arches, counts);
    for (size_t i = 0; i < arches->count; i++) {
        const struct arch *arch = &arches->items[i];
        size_t elfs = counts[i];
        if (elfs > most_elfs) {
            most_elfs = elfs;
            most = arch;
        }
        if (!elfs || !has_loader(&scratch, tree, arch))
            continue;
        found[count++] = arch;
        if (elfs > first_elfs) {
            found[count - 1] = found[0];
            found[0] = arch;
            first_elfs = elfs;
        }
    }
    if (!count && most)
        found[count++] = most;
    *ret_arches = found;
    *ret_count = count;
}

static void mark_launched(struct prover *prover)
{
    const struct proof_request *request = prover->request;
    for (size_t i = 0; i < request->programs.count; i++)
        start_mark(prover, request->programs.items[i]);
    if (request->launch)
        launch_mark(prover, request->launch);
}

void proof_check(struct arena *arena, const struct proof_request *request, struct proof *ret_proof)
{
    *ret_proof = (struct proof){0};
    struct prover prover = {.arena = arena, .request = request, .proof = ret_proof, .seen = {.arena = arena}};
    for (const char *const *dir = script_path_dirs; *dir; dir++)
        list_add(arena, &prover.path_dirs, *dir);
    for (size_t i = 0; i < request->faults.count; i++)
        prover_add(&prover, true, &(struct proof_finding){NULL, NULL, request->faults.items[i]});
    prover_init(&prover);
    mark_launched(&prover);
    check_elfs(&prover);
    for (size_t i = 0; i < request->programs.count; i++)
        start_check(&prover, request->programs.items[i], true);
    if (request->launch)
        launch_check(&prover, request->launch);
    check_scripts(&prover);
    interpreters_check(&prover);
    check_links(&prover);
}

bool proof_verdict(const struct proof *proof, struct err *err)
{
    size_t count = proof->violations.count;
    AUTO(buf_done) struct buf text;
    buf_init(&text, sizeof err->text);
    if (!count)
        return true;
    bool fits = buf_printf(&text, "the image could not work: ");
    for (size_t i = 0; i < count && i < PROOF_LISTED_MAX && fits; i++)
        fits = buf_printf(&text, "%s%s", i ? "; " : "", proof->violations.items[i].text);
    if (count > PROOF_LISTED_MAX)
        fits = fits && buf_printf(&text, "; and %zu more", count - PROOF_LISTED_MAX);
    err_set(err, ERR_RESOLVE, "%s", text.bytes);
    return false;
}
