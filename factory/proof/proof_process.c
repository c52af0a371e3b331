/* SPDX-License-Identifier: Apache-2.0 */
/* One process: whether the loader would let it start, and whether each symbol is bound. */
#include "proof/prover.h"

#include "base/auto.h"

#include <elf.h>

#define EXPECTED_KEPT 32 /* libraries whose versions one file needs: more are looked for again and again */
#define UNBOUND_MAX 4096 /* of one process: more tell nothing new */

static void add_trouble(struct trouble *trouble, const char *path, const char *wanted, const char *text)
{
    list_add(trouble->arena, &trouble->findings, (struct proof_finding){path, wanted, text});
}

/* Says that a file for another machine was passed over on the way to `name`, if one was. */
static const char *passed_over(struct trouble *trouble, const struct load_list *list, const struct load_object *object,
                               const char *name)
{
    for (size_t i = 0; i < list->notes.count; i++) {
        const struct load_note *note = &list->notes.items[i];
        if (note->kind == NOTE_OTHER_MACHINE && note->object == object &&
            strstr(note->text, arena_printf(trouble->arena, " for %s of ", name)))
            return arena_printf(trouble->arena, " (%s)", note->text);
    }
    return "";
}

/* What stops the loader before it looks at versions. */
static void check_files(const struct load_list *list, struct trouble *trouble)
{
    struct arena *arena = trouble->arena;
    for (size_t i = 0; i < list->notes.count; i++) {
        const struct load_note *note = &list->notes.items[i];
        if (note->is_fatal)
            add_trouble(trouble, note->object->file->entry->path, NULL, note->text);
    }
    bool is_fatal = trouble->findings.count != 0;
    const struct load_need *interpreter = &list->interpreter_need;
    if (interpreter->name && !interpreter->object && !interpreter->file) {
        const char *path = list->items[0]->file->entry->path;
        add_trouble(trouble, path, interpreter->name,
                    arena_printf(arena, "%s: its interpreter %s is not there", path, interpreter->name));
    }
    for (size_t i = 0; i < list->count && !is_fatal; i++) {
        const struct load_object *object = list->items[i];
        const char *path = object->file->entry->path;
        for (size_t j = 0; j < object->need_count; j++) {
            const char *name = object->needs[j].name;
            if (!object->needs[j].object)
                add_trouble(trouble, path, name,
                            arena_printf(arena, "%s needs %s, which is not found%s", path, name,
                                         passed_over(trouble, list, object, name)));
        }
    }
}

/* _dl_check_map_versions() for one object. */
static void check_versions(struct prover *prover, const struct load_list *list, const struct load_object *object,
                           struct trouble *trouble)
{
    const struct elf_symbols *symbols = prover_symbols(prover, prover_elf(prover, object->content));
    for (size_t i = 0; i < symbols->needed.count; i++) {
        const struct elf_version *version = &symbols->needed.items[i];
        const struct load_object *library = loader_find(list, version->file);
        if (!library || version->is_weak)
            continue;
        const struct elf_symbols *provider = prover_symbols(prover, prover_elf(prover, library->content));
        if (!provider->defined.count || elf_symbols_have_version(provider, version))
            continue; /* a library without versions only makes ld.so warn */
        const char *path = object->file->entry->path;
        add_trouble(trouble, path, version->file,
                    arena_printf(trouble->arena, "%s needs version %s of %s, which %s does not define", path,
                                 version->name, version->file, library->file->entry->path));
    }
}

/* A process while its symbols are checked. */
struct binding {
    struct prover *prover;
    const struct load_list *list; /* for the objects that versions name */
    struct proof_scope scope;     /* with the host's */
    struct trouble *trouble;
    const char *names[EXPECTED_KEPT]; /* files of versions, by address: the tables of one ELF file name each once */
    struct proof_elf *expected[EXPECTED_KEPT]; /* and what is loaded as that, or NULL */
    size_t expected_count;
};

static bool scope_has_all(const struct prover *prover, const struct proof_scope *providers)
{
    for (size_t i = 0; i < providers->count; i++) {
        if (providers->items[i]->mark != prover->mark)
            return false;
    }
    return true;
}

static void note_provider(struct prover *prover, struct proof_elf *elf, struct proof_elf *provider)
{
    for (size_t i = 0; i < elf->providers.count; i++) {
        if (elf->providers.items[i] == provider)
            return;
    }
    list_add(prover->arena, &elf->providers, provider);
}

/* Finds the file that a version names. */
static struct proof_elf *find_expected(struct binding *binding, const char *name)
{
    for (size_t i = 0; i < binding->expected_count; i++) {
        if (binding->names[i] == name)
            return binding->expected[i];
    }
    const struct load_object *library = loader_find(binding->list, name);
    struct proof_elf *elf = library ? prover_elf(binding->prover, library->content) : NULL;
    if (binding->expected_count < EXPECTED_KEPT) {
        binding->names[binding->expected_count] = name;
        binding->expected[binding->expected_count++] = elf;
    }
    return elf;
}

/* Finds a file of the scope that defines the symbol: which one is first does not matter here. The library that the
 * version names mostly is the one, else one that has `known` symbols of the same file. */
static struct proof_elf *find_provider(struct binding *binding, const struct proof_scope *known,
                                       const struct elf_name *name, const struct elf_version *version)
{
    struct prover *prover = binding->prover;
    struct proof_elf *expected = NULL;
    if (prover->steps > PROVER_STEPS_MAX)
        return NULL;
    if (version && version->file) {
        expected = find_expected(binding, version->file);
        if (expected && expected->mark == prover->mark &&
            elf_symbols_define(prover_symbols(prover, expected), name, version, &prover->steps))
            return expected;
    }
    for (size_t i = 0; i < known->count; i++) {
        struct proof_elf *elf = known->items[i];
        if (elf != expected && elf_symbols_define(prover_symbols(prover, elf), name, version, &prover->steps))
            return elf;
    }
    for (size_t i = 0; i < binding->scope.count; i++) {
        struct proof_elf *elf = binding->scope.items[i];
        if (elf != expected && elf_symbols_define(prover_symbols(prover, elf), name, version, &prover->steps))
            return elf;
    }
    return NULL;
}

static bool is_unwinding(const char *name)
{
    return strcmp(name, "pthread_exit") == 0 || strcmp(name, "pthread_cancel") == 0 || strcmp(name, "thrd_exit") == 0;
}

/* Whether a file with the same bytes was bound by files that are all in this scope, too. */
static bool is_bound_as_twin(struct prover *prover, struct proof_elf *elf)
{
    const struct proof_elf *twin = elf->twin;
    if (!twin || !twin->has_providers || !scope_has_all(prover, &twin->providers))
        return false;
    prover->proof->symbol_count += elf->has_providers ? 0 : twin->symbol_count;
    elf->imports_unwinding = twin->imports_unwinding;
    elf->has_providers = true;
    elf->providers = twin->providers;
    elf->providers.capacity = 0; /* who binds it anew makes a list of its own */
    return true;
}

static void bind_symbols(struct binding *binding, struct proof_elf *elf)
{
    struct prover *prover = binding->prover;
    const struct elf_symbols *symbols = prover_symbols(prover, elf);
    if ((elf->has_providers && scope_has_all(prover, &elf->providers)) || is_bound_as_twin(prover, elf))
        return;
    size_t unbound = binding->trouble->unbound.count;
    bool is_first = !elf->has_providers;
    elf->providers.count = 0;
    elf->symbol_count = 0;
    binding->expected_count = 0;
    for (size_t i = 1; i < symbols->count && binding->trouble->unbound.count < UNBOUND_MAX; i++) {
        if (symbols->use[i] == ELF_USE_NONE)
            continue;
        struct elf_symbol symbol = elf_symbols_get(symbols, i);
        if (symbol.section != SHN_UNDEF || symbol.binding == STB_LOCAL)
            continue;
        elf->imports_unwinding = elf->imports_unwinding || is_unwinding(symbol.name);
        if (symbol.binding == STB_WEAK)
            continue;
        struct elf_name name = elf_name(symbol.name);
        struct proof_elf *provider = find_provider(binding, &elf->providers, &name, symbol.version);
        if (provider)
            note_provider(prover, elf, provider);
        else
            list_add(binding->trouble->arena, &binding->trouble->unbound,
                     (struct unbound){elf, symbol.name, symbol.version});
        prover->proof->symbol_count += is_first;
        elf->symbol_count++;
    }
    elf->has_providers = unbound == binding->trouble->unbound.count;
}

void process_scope(struct prover *prover, struct arena *arena, const struct load_list *list,
                   struct proof_scope *ret_scope)
{
    *ret_scope = (struct proof_scope){0};
    for (size_t i = 0; i < list->count; i++)
        list_add(arena, ret_scope, prover_elf(prover, list->items[i]->content));
}

static void check_symbols(struct prover *prover, const struct load_list *list, const struct proof_scope *host,
                          struct trouble *trouble)
{
    struct binding binding = {.prover = prover, .list = list, .trouble = trouble};
    process_scope(prover, trouble->arena, list, &binding.scope);
    for (size_t i = 0; host && i < host->count; i++)
        list_add(trouble->arena, &binding.scope, host->items[i]);
    prover->mark++;
    for (size_t i = 0; i < binding.scope.count; i++)
        binding.scope.items[i]->mark = prover->mark;
    for (size_t i = 0; i < list->count; i++)
        bind_symbols(&binding, prover_elf(prover, list->items[i]->content));
}

void process_check(struct prover *prover, const struct load_list *list, const struct proof_scope *host,
                   struct trouble *trouble)
{
    check_files(list, trouble);
    for (size_t i = 0; i < list->count; i++) {
        const struct elf_symbols *symbols = prover_symbols(prover, prover_elf(prover, list->items[i]->content));
        const char *path = list->items[i]->file->entry->path;
        if (symbols->broken)
            add_trouble(trouble, path, NULL, arena_printf(trouble->arena, "%s: broken ELF: %s", path, symbols->broken));
    }
    if (trouble->findings.count)
        return; /* the loader stops here; symbols would only repeat it */
    for (size_t i = 0; i < list->count; i++)
        check_versions(prover, list, list->items[i], trouble);
    if (!trouble->findings.count)
        check_symbols(prover, list, host, trouble);
}

bool scope_defines(struct prover *prover, const struct proof_scope *scope, const struct unbound *unbound)
{
    struct elf_name name = elf_name(unbound->name);
    for (size_t i = 0; i < scope->count && prover->steps <= PROVER_STEPS_MAX; i++) {
        const struct elf_symbols *symbols = prover_symbols(prover, scope->items[i]);
        if (elf_symbols_define(symbols, &name, unbound->version, &prover->steps))
            return true;
    }
    return false;
}

static bool is_same_group(const struct unbound *a, const struct unbound *b)
{
    const char *left = a->version ? a->version->file : NULL, *right = b->version ? b->version->file : NULL;
    return a->elf == b->elf && (left && right ? strcmp(left, right) == 0 : left == right);
}

void process_add_unbound(struct prover *prover, const struct unbound_list *unbound, bool is_violation,
                         const char *where)
{
    for (size_t i = 0; i < unbound->count; i++) {
        const struct unbound *first = &unbound->items[i];
        size_t more = 0;
        bool is_told = false;
        for (size_t j = 0; j < unbound->count && !is_told; j++) {
            bool is_same = is_same_group(first, &unbound->items[j]);
            is_told = is_same && j < i;
            more += is_same && j > i;
        }
        if (is_told)
            continue;
        const char *path = first->elf->file->entry->path;
        const char *file = first->version ? first->version->file : NULL;
        const char *count = more ? arena_printf(prover->arena, " and %zu more", more) : "";
        const char *text = arena_printf(prover->arena, "%s: symbol %s%s%s%s%s%s is defined by %s", path,
                                        text_printable(prover->arena, text_of(first->name)), first->version ? "@" : "",
                                        first->version ? first->version->name : "", file ? " of " : "",
                                        file ? file : "", count, where);
        prover_add(prover, is_violation, &(struct proof_finding){path, is_violation ? file : NULL, text});
    }
}
