/* A library that no program of the image loads by DT_NEEDED: something opens it with dlopen(3). Alone it may lack what the
 * program that opens it has: libraries that are loaded already or found by the program's DT_RPATH, and symbols. */
#include "proof/prover.h"

#include "base/auto.h"
#include "package/path.h"

#define HOST_TRIES_MAX 4096 /* processes that are set up to try plug-ins in: rare in practice */

/* Finds a library in a directory of somebody's own, by its DT_SONAME or name. Who uses such libraries loads them by path
 * first, and then the need is met by what is loaded already (libjvm.so). In a directory of the loader this is no
 * excuse: there the library, or its link, would have been found. */
static const struct sourced *find_private(const struct prover *prover, const struct arch *arch, const char *name)
{
    for (size_t i = 0; i < prover->package.count; i++) {
        const struct proof_elf *elf = prover->elfs[i];
        if (!elf->file || elf->arch != arch)
            continue;
        const char *path = elf->file->entry->path, *soname = elf->file->entry->elf->soname;
        if (strcmp(soname ? soname : path_basename(path), name) == 0 &&
            !loader_is_builtin(&prover->loaders[arch - prover->arches], path_dirname(prover->arena, path)))
            return elf->file;
    }
    return NULL;
}

/* Moves findings to the proof. */
static void report(struct prover *prover, const struct arch *arch, const struct proof_findings *findings)
{
    for (size_t i = 0; i < findings->count; i++) {
        struct proof_finding finding = findings->items[i];
        const struct sourced *file = finding.wanted ? find_private(prover, arch, finding.wanted) : NULL;
        if (file)
            finding.text = arena_printf(prover->arena, "%s: only %s is, which must be loaded before", finding.text,
                                        file->entry->path);
        prover_add(prover, !file, &finding);
    }
}

static bool defines_all(struct prover *prover, const struct proof_scope *scope, const struct unbound_list *unbound)
{
    for (size_t i = 0; i < unbound->count; i++) {
        if (!scope_defines(prover, scope, &unbound->items[i]))
            return false;
    }
    return true;
}

/* Returns whether one program has all symbols. */
static bool has_host(struct prover *prover, const struct arch *arch, const struct unbound_list *unbound)
{
    for (size_t i = 0; i < prover->programs.count; i++) {
        size_t at = (prover->last_host + i) % prover->programs.count;
        if (prover->programs.items[at].arch == arch &&
            defines_all(prover, &prover->programs.items[at].scope, unbound)) {
            prover->last_host = at;
            return true;
        }
    }
    return false;
}

/* Symbols that no single program provides: known to the image or not. */
static void report_unbound(struct prover *prover, const struct arch *arch, struct trouble *trouble)
{
    struct unbound_list unknown = {0}, known = {0};
    struct proof_scope all = {0};
    for (size_t i = 0; i < prover->package.count; i++) {
        if (prover->elfs[i]->file && prover->elfs[i]->arch == arch)
            list_add(trouble->arena, &all, prover->elfs[i]);
    }
    for (size_t i = 0; i < trouble->unbound.count; i++) {
        const struct unbound *unbound = &trouble->unbound.items[i];
        if (scope_defines(prover, &all, unbound))
            list_add(trouble->arena, &known, *unbound);
        else
            list_add(trouble->arena, &unknown, *unbound);
    }
    process_add_unbound(prover, &unknown, true, "no file of the image");
    process_add_unbound(prover, &known, false,
                        "none of what it is loaded with by any one program, but by another file of the image");
}

static void settle_symbols(struct prover *prover, const struct arch *arch, struct trouble *trouble)
{
    if (trouble->unbound.count && !has_host(prover, arch, &trouble->unbound))
        report_unbound(prover, arch, trouble);
}

/* Returns whether one program can open the plug-in: as dlopen(3) called by the program itself. */
static bool opens_in(struct prover *prover, const struct proof_program *program, const struct sourced *file)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct trouble trouble = {.arena = &scratch};
    struct loader loader = prover_loader(prover, &scratch, program->arch);
    struct load_list list;
    loader_load(&loader, program->file, program->file->entry->path, &list);
    struct load_need need = loader_open(&loader, &list, list.items[0], file->entry->path);
    if (!need.object)
        return false;
    process_check(prover, &list, NULL, &trouble);
    return !trouble.findings.count && !trouble.unbound.count;
}

static bool opens_somewhere(struct prover *prover, const struct arch *arch, const struct sourced *file)
{
    for (size_t i = 0; i < prover->programs.count && prover->host_tries < HOST_TRIES_MAX; i++) {
        if (prover->programs.items[i].arch != arch)
            continue;
        prover->host_tries++;
        if (opens_in(prover, &prover->programs.items[i], file))
            return true;
    }
    return false;
}

void plugin_check(struct prover *prover, const struct sourced *file)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct trouble trouble = {.arena = &scratch};
    const struct arch *arch = prover_elf(prover, file->entry)->arch;
    struct loader loader = prover_loader(prover, &scratch, arch);
    struct load_list list;
    loader_load(&loader, file, file->entry->path, &list);
    process_check(prover, &list, NULL, &trouble);
    if (trouble.findings.count && !opens_somewhere(prover, arch, file))
        report(prover, arch, &trouble.findings);
    else if (!trouble.findings.count)
        settle_symbols(prover, arch, &trouble);
}
