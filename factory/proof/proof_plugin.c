/* SPDX-License-Identifier: Apache-2.0 */
/* A library that no program of the image loads by DT_NEEDED: something opens it with dlopen(3). Alone it may lack what the
 * program that opens it has: libraries that are loaded already or found by the program's DT_RPATH, and symbols. */
#include "proof/prover.h"

#include "base/auto.h"
#include "package/path.h"

#define HOST_TRIES_MAX 4096 /* processes that are set up to try plug-ins in: rare in practice */

/* Lists what may be loaded before plug-ins of an architecture, once. */
static const struct before *before_of(struct prover *prover, const struct arch *arch)
{
    size_t index = (size_t)(arch - prover->arches);
    if (!prover->before)
        prover->before = arena_new_array(prover->arena, const struct before *, prover->request->arch_count);
    if (!prover->before[index]) {
        struct before *before = arena_new(prover->arena, struct before);
        before_collect(prover->arena, &prover->loaders[index], before);
        prover->before[index] = before;
    }
    return prover->before[index];
}

/* Notes which libraries have to be loaded before a plug-in is opened. */
static void note_before(struct prover *prover, const struct load_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct load_object *object = list->items[i];
        const char *path = object->file->entry->path;
        for (size_t j = 0; j < object->need_count; j++) {
            const struct load_need *need = &object->needs[j];
            if (need->step != LOAD_BEFORE)
                continue;
            const char *text =
                arena_printf(prover->arena, "%s needs %s, which is not found: only %s is, which must be loaded before",
                             path, need->name, need->file->entry->path);
            prover_add(prover, false, &(struct proof_finding){path, need->name, text});
        }
    }
}

/* Returns whether a program has the symbol that is asked of all of them: most have not, and they have the same libraries,
 * each of which is asked once per question. */
static bool defines_first(struct prover *prover, const struct proof_scope *scope, const struct unbound *unbound,
                          const struct elf_name *name)
{
    bool is_defined = false;
    for (size_t i = 0; !is_defined && i < scope->count && prover->steps <= PROVER_STEPS_MAX; i++) {
        struct proof_elf *elf = scope->items[i]->twin ? scope->items[i]->twin : scope->items[i];
        if (elf->question != prover->question_count) {
            elf->question = prover->question_count;
            elf->answer = elf_symbols_define(prover_symbols(prover, elf), name, unbound->version, &prover->steps);
        }
        is_defined = elf->answer;
        prover->steps++;
    }
    return is_defined;
}

static bool defines_others(struct prover *prover, const struct proof_scope *scope, const struct unbound_list *unbound)
{
    for (size_t i = 1; i < unbound->count; i++) {
        if (!scope_defines(prover, scope, &unbound->items[i]))
            return false;
    }
    return true;
}

/* Returns whether one program has all symbols. */
static bool has_host(struct prover *prover, const struct arch *arch, const struct unbound_list *unbound)
{
    struct elf_name first = elf_name(unbound->items[0].name);
    prover->question_count++;
    for (size_t i = 0; i < prover->programs.count; i++) {
        size_t at = (prover->last_host + i) % prover->programs.count;
        const struct proof_scope *scope = &prover->programs.items[at].scope;
        if (prover->programs.items[at].arch == arch && defines_first(prover, scope, &unbound->items[0], &first) &&
            defines_others(prover, scope, unbound)) {
            prover->last_host = at;
            return true;
        }
    }
    return false;
}

/* Returns whether a symbol is one that a debugger defines for what it opens: glibc's nptl_db/proc_service.h. */
static bool is_of_debugger(const struct unbound *unbound)
{
    const char *soname = unbound->elf->file->entry->elf->soname;
    return soname && strcmp(soname, "libthread_db.so.1") == 0 && strncmp(unbound->name, "ps_", strlen("ps_")) == 0;
}

/* Lists all files of an architecture, once, and of those with the same bytes one. */
static const struct proof_scope *all_of(struct prover *prover, const struct arch *arch)
{
    size_t index = (size_t)(arch - prover->arches);
    if (!prover->all)
        prover->all = arena_new_array(prover->arena, struct proof_scope *, prover->request->arch_count);
    if (!prover->all[index]) {
        prover->all[index] = arena_new(prover->arena, struct proof_scope);
        for (size_t i = 0; i < prover->package.count; i++) {
            if (prover->elfs[i]->file && prover->elfs[i]->arch == arch && !prover->elfs[i]->twin)
                list_add(prover->arena, prover->all[index], prover->elfs[i]);
        }
    }
    return prover->all[index];
}

/* Finds what was answered of these symbols of a file, or of another one with the same bytes: their names and versions lie in
 * the same place then. The caller sets *ret_answer when it was not asked before. */
static bool was_answered(struct prover *prover, const struct arch *arch, struct map *answers,
                         const struct unbound *items, size_t count, bool **ret_answer)
{
    AUTO(arena_done) struct arena scratch = {0};
    LIST(const void *) places = {0};
    list_add(&scratch, &places, arch);
    for (size_t i = 0; i < count; i++) {
        list_add(&scratch, &places, items[i].name);
        list_add(&scratch, &places, items[i].version);
    }
    struct text key = {(const char *)places.items, places.count * sizeof *places.items};
    *ret_answer = map_get(answers, key);
    if (*ret_answer)
        return true;
    answers->arena = prover->arena;
    *ret_answer = arena_new(prover->arena, bool);
    (void)map_add(answers, (struct text){arena_strndup(prover->arena, key.ptr, key.len), key.len}, *ret_answer);
    return false;
}

/* Symbols that no single program provides: known to the image or not. */
static void report_unbound(struct prover *prover, const struct arch *arch, struct trouble *trouble)
{
    struct unbound_list unknown = {0}, known = {0}, debugger = {0};
    for (size_t i = 0; i < trouble->unbound.count; i++) {
        const struct unbound *unbound = &trouble->unbound.items[i];
        bool *is_known;
        if (!was_answered(prover, arch, &prover->known, unbound, 1, &is_known))
            *is_known = scope_defines(prover, all_of(prover, arch), unbound);
        if (*is_known)
            list_add(trouble->arena, &known, *unbound);
        else if (is_of_debugger(unbound))
            list_add(trouble->arena, &debugger, *unbound);
        else
            list_add(trouble->arena, &unknown, *unbound);
    }
    process_add_unbound(prover, &unknown, true, "no file of the image");
    process_add_unbound(prover, &debugger, false, "the debugger that opens it, and no file of the image");
    process_add_unbound(prover, &known, false,
                        "none of what it is loaded with by any one program, but by another file of the image");
}

static void settle_symbols(struct prover *prover, const struct arch *arch, struct trouble *trouble)
{
    const struct unbound_list *unbound = &trouble->unbound;
    bool *is_hosted;
    if (!unbound->count)
        return;
    if (!was_answered(prover, arch, &prover->hosted, unbound->items, unbound->count, &is_hosted))
        *is_hosted = has_host(prover, arch, unbound);
    if (!*is_hosted)
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

/* Sets up the process of a plug-in by itself and looks what is wrong with it. */
static void try_alone(struct prover *prover, const struct sourced *file, struct loader *loader,
                      struct load_list *ret_list, struct trouble *trouble)
{
    loader_load(loader, file, file->entry->path, ret_list);
    process_check(prover, ret_list, NULL, trouble);
}

/* Who uses libraries of its own without search paths to them loads them by path first, and then a need is met by what is
 * loaded already (libjvm.so). */
static void try_before(struct prover *prover, const struct sourced *file, struct loader *loader,
                       struct trouble *trouble)
{
    struct load_list list;
    *trouble = (struct trouble){.arena = trouble->arena};
    loader->before = before_of(prover, prover_elf(prover, file->entry)->arch);
    try_alone(prover, file, loader, &list, trouble);
    for (size_t i = 0; i < trouble->findings.count; i++)
        prover_add(prover, true, &trouble->findings.items[i]);
    if (!trouble->findings.count)
        note_before(prover, &list);
}

void plugin_check(struct prover *prover, const struct sourced *file)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct trouble trouble = {.arena = &scratch};
    const struct arch *arch = prover_elf(prover, file->entry)->arch;
    struct loader loader = prover_loader(prover, &scratch, arch);
    struct load_list list;
    try_alone(prover, file, &loader, &list, &trouble);
    if (trouble.findings.count && opens_somewhere(prover, arch, file))
        return;
    if (trouble.findings.count)
        try_before(prover, file, &loader, &trouble);
    if (!trouble.findings.count)
        settle_symbols(prover, arch, &trouble);
}
