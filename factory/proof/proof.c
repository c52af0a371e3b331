/* The tree becomes the files of one pretended package, so that the loader's search is the one of the closure. */
#include "proof/proof.h"

#include "base/auto.h"
#include "closure/ld_cache.h"
#include "package/path.h"
#include "package/script.h"
#include "proof/proof_parts.h"

#include <elf.h>

static const char libgcc_name[] = "libgcc_s.so.1";

void prover_add(struct prover *prover, bool is_violation, const struct proof_finding *finding)
{
    struct proof *proof = prover->proof;
    struct arena *arena = prover->arena;
    if (!is_violation && proof->note_count >= PROOF_NOTES_MAX) {
        proof->note_count++; /* a million of them shall cost nothing */
        return;
    }
    char *text = arena_strdup(arena, finding->text);
    text_sanitize(text); /* names of files may be anything, and each finding is a line */
    for (char *c = text; *c; c++)
        *c = *c == '\n' || *c == '\t' ? '?' : *c;
    if (!map_add(&prover->seen, text_of(text), (void *)text))
        return;
    struct proof_finding kept = {arena_strdup(arena, finding->path), arena_strdup(arena, finding->wanted), text};
    if (is_violation) {
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
    if (!elf->is_read) {
        const struct entry *entry = elf->file->entry;
        elf->is_read = true;
        elf_symbols_read(prover->arena, (struct text){entry->data, (size_t)entry->size_bytes}, &elf->symbols);
    }
    return &elf->symbols;
}

/* Looks into a file: ELF or script. */
static void read_content(struct prover *prover, struct entry *entry)
{
    struct text bytes = {entry->data, (size_t)entry->size_bytes};
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
            read_content(prover, entry);
    }
    const struct package *const packages[] = {package};
    fileset_build(prover->arena, packages, 1, &prover->set);
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
    }
}

bool prover_is_loadable(const struct elf_facts *elf)
{
    return elf->broken || elf->type == ET_EXEC || elf->type == ET_DYN;
}

static void make_elfs(struct prover *prover)
{
    prover->elfs = arena_new_array(prover->arena, struct proof_elf *, prover->package.count);
    for (size_t i = 0; i < prover->package.count; i++) {
        const struct entry *entry = &prover->package.entries[i];
        prover->elfs[i] = &prover->no_elf;
        if (!entry->elf || !prover_is_loadable(entry->elf))
            continue;
        struct proof_elf *elf = prover->elfs[i] = arena_new(prover->arena, struct proof_elf);
        elf->file = fileset_find(&prover->set, entry->path);
        for (size_t j = 0; !entry->elf->broken && !elf->arch && j < prover->request->arch_count; j++) {
            if (loader_is_for(entry->elf, &prover->arches[j]))
                elf->arch = &prover->arches[j];
        }
        prover->proof->file_count++;
    }
}

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
            return strstr(name, ".so") != NULL;
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
}

static void check_elfs(struct prover *prover)
{
    for (size_t i = 0; i < prover->package.count; i++) {
        struct proof_elf *elf = prover->elfs[i];
        if (elf->file && !elf->arch)
            check_foreign(prover, elf->file->entry);
        else if (elf->file && elf->file->entry->elf->interp)
            check_program(prover, elf);
    }
    for (size_t i = 0; i < prover->package.count; i++) {
        struct proof_elf *elf = prover->elfs[i];
        if (elf->arch && !elf->is_loaded && !elf->file->entry->elf->interp && elf->file->entry->elf->has_dynamic)
            plugin_check(prover, elf->file);
    }
}

/* Scripts that the image does not start by itself. */
static void check_scripts(struct prover *prover)
{
    for (size_t i = 0; i < prover->package.count; i++) {
        const struct entry *entry = &prover->package.entries[i];
        if (!entry->interpreter || !(entry->mode & 0111))
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
        if (entry->kind != ENTRY_SYMLINK || fileset_walk(&prover->set, prover->arena, entry->path, NULL, &end) ||
            strcmp(end, "/") == 0 || prover_is_provided(end))
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

static bool has_loader(struct arena *arena, const struct tree *tree, const struct arch *arch)
{
    for (size_t i = 0; i < tree->count; i++) {
        const char *why, *name = path_basename(tree->nodes[i].path);
        for (size_t j = 0; j < arch->loaders.count; j++) {
            if (strcmp(name, path_basename(arch->loaders.items[j])) != 0)
                continue;
            const char *path = path_canonical(arena, text_of(tree->nodes[i].path), &why);
            const char *loader = path_canonical(arena, text_of(arch->loaders.items[j]), &why);
            if (path && loader && strcmp(loader, path) == 0)
                return true;
        }
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

void proof_check(struct arena *arena, const struct proof_request *request, struct proof *ret_proof)
{
    *ret_proof = (struct proof){0};
    struct prover prover = {.arena = arena, .request = request, .proof = ret_proof, .seen = {.arena = arena}};
    for (const char *const *dir = script_path_dirs; *dir; dir++)
        list_add(arena, &prover.path_dirs, *dir);
    for (size_t i = 0; i < request->faults.count; i++)
        prover_add(&prover, true, &(struct proof_finding){NULL, NULL, request->faults.items[i]});
    make_package(&prover);
    make_loaders(&prover);
    make_elfs(&prover);
    check_elfs(&prover);
    for (size_t i = 0; i < request->programs.count; i++)
        start_check(&prover, request->programs.items[i], true);
    if (request->launch)
        launch_check(&prover, request->launch);
    check_scripts(&prover);
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
