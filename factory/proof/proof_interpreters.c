/* SPDX-License-Identifier: Apache-2.0 */
/* Interpreters: whether what they open by themselves is there. Which files that is, is data (plan/interpreter.h). */
#include "proof/prover.h"

#include "package/path.h"

static bool matches_any(const struct strings *globs, const char *path)
{
    for (size_t i = 0; i < globs->count; i++) {
        if (path_matches(globs->items[i], path))
            return true;
    }
    return false;
}

static bool has(const struct prover *prover, const char *glob)
{
    for (size_t i = 0; i < prover->package.count; i++) {
        const struct entry *entry = &prover->package.entries[i];
        if (entry->kind != ENTRY_DIRECTORY && path_matches(glob, entry->path))
            return true;
    }
    return false;
}

/* Finds the program or library of an interpreter: one that the image starts, else the first; NULL when it has none. */
static const struct proof_elf *find_program(const struct prover *prover, const struct interpreter *interpreter)
{
    const struct proof_elf *found = NULL;
    for (size_t i = 0; i < prover->package.count; i++) {
        const struct proof_elf *elf = prover->elfs[i];
        bool is_better = elf->file && (!found || (elf->is_launched && !found->is_launched));
        if (is_better && matches_any(&interpreter->programs, elf->file->entry->path))
            found = elf;
    }
    return found;
}

static void check_one(struct prover *prover, const struct interpreter *interpreter)
{
    const struct proof_elf *program = interpreter->needs.count ? find_program(prover, interpreter) : NULL;
    for (size_t i = 0; program && i < interpreter->needs.count; i++) {
        const char *path = program->file->entry->path, *needed = interpreter->needs.items[i];
        if (has(prover, needed))
            continue;
        const char *text = arena_printf(prover->arena, "%s: it does not start without %s, of the library of %s", path,
                                        needed, interpreter->name);
        prover_add(prover, program->is_launched, &(struct proof_finding){path, needed, text});
    }
}

void interpreters_check(struct prover *prover)
{
    const struct interpreters *interpreters = prover->request->interpreters;
    for (size_t i = 0; interpreters && i < interpreters->count; i++)
        check_one(prover, &interpreters->items[i]);
}
