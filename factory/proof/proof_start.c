/* SPDX-License-Identifier: Apache-2.0 */
/* One program: whether the kernel would start it. What an ELF file needs beyond that is checked elsewhere. */
#include "proof/prover.h"

#include "package/path.h"
#include "package/script.h"

bool prover_is_provided(const char *path)
{
    static const char *const places[] = {"/proc", "/sys", "/dev", "/run"};
    for (size_t i = 0; i < ARRAY_COUNT(places); i++) {
        if (path_is_within(path, places[i]))
            return true;
    }
    return false;
}

/* Returns whether the identity has the permission bit (01 execute or search, 02 write) of an entry. */
static bool has_permission(const struct proof_identity *identity, const struct entry *entry, unsigned bit)
{
    if (entry->uid == identity->uid)
        return entry->mode >> 6 & bit;
    for (size_t i = 0; i < identity->groups.count; i++) {
        if (identity->groups.items[i] == entry->gid)
            return entry->mode >> 3 & bit;
    }
    return entry->mode & bit;
}

const char *prover_why_not_allowed(struct prover *prover, const char *path, unsigned bit)
{
    const struct proof_identity *identity = prover->identity;
    if (!identity || identity->uid == 0)
        return NULL;
    for (const char *dir = path; strcmp(dir, "/") != 0;) {
        const struct sourced *file = fileset_find(&prover->set, dir);
        unsigned wanted = dir == path ? bit : 01;
        const struct entry *entry = file ? sourced_content(file) : NULL;
        entry = entry ? entry : file ? file->entry : NULL; /* what is not listed is made by engines, 0755 */
        if (entry && !has_permission(identity, entry, wanted))
            return arena_printf(prover->arena, "user %s may not %s %s (mode %04o, %u:%u)", identity->name,
                                wanted == 02  ? "write to"
                                : dir == path ? "execute"
                                              : "enter",
                                dir, entry->mode, entry->uid, entry->gid);
        dir = path_dirname(prover->arena, dir);
    }
    return NULL;
}

/* Finds what a path leads to; *ret_end is where. NULL: nothing, or no file. */
static const struct entry *find_file(struct prover *prover, const char *path, const char **ret_end)
{
    const struct sourced *file = fileset_walk(&prover->set, prover->arena, path, NULL, ret_end);
    return file ? sourced_content(file) : NULL;
}

static bool is_directory(const struct prover *prover, const char *end)
{
    const struct sourced *file = fileset_find(&prover->set, end);
    return strcmp(end, "/") == 0 || (file && file->entry->kind == ENTRY_DIRECTORY);
}

const char *prover_find_program(struct prover *prover, const char *program)
{
    const struct strings *dirs = &prover->path_dirs;
    const char *end;
    if (strchr(program, '/'))
        return find_file(prover, program, &end) ? program : NULL;
    for (size_t i = 0; i < dirs->count; i++) {
        const char *path = arena_printf(prover->arena, "%s/%s", dirs->items[i], program);
        const struct entry *file = find_file(prover, path, &end);
        if (file && (file->mode & 0111) && !prover_why_not_allowed(prover, end, 01))
            return path;
    }
    return NULL;
}

/* Why a script cannot be started, or NULL. */
static const char *why_not_script(struct prover *prover, const char *line, unsigned depth, const char **ret_wanted)
{
    struct arena *arena = prover->arena;
    struct text rest = text_of(line), word;
    if (!text_next_word(&rest, &word))
        return "its #! line names no interpreter";
    if (strchr(line, '\r'))
        return "its #! line has a carriage return, with which no interpreter is found";
    if (depth >= SCRIPT_DEPTH_MAX)
        return "too many scripts interpret each other";
    const char *interpreter = text_dup(arena, word);
    const char *why = prover_why_not_startable(prover, interpreter, depth + 1, ret_wanted);
    if (why)
        return arena_printf(arena, "its interpreter %s: %s", interpreter, why);
    const char *program =
        strcmp(path_basename(interpreter), "env") == 0 ? script_env_program(arena, text_trim(rest)) : NULL;
    const char *found = program ? prover_find_program(prover, program) : NULL;
    if (program && !found) {
        *ret_wanted = program;
        return arena_printf(arena, "env does not find %s", program);
    }
    why = found ? prover_why_not_startable(prover, found, depth + 1, ret_wanted) : NULL;
    return why ? arena_printf(arena, "%s, which env starts: %s", found, why) : NULL;
}

const char *prover_why_not_startable(struct prover *prover, const char *path, unsigned depth, const char **ret_wanted)
{
    const char *end = path;
    const struct entry *content = *path == '/' ? find_file(prover, path, &end) : NULL;
    if (!content && *path == '/' && is_directory(prover, end))
        return "it is a directory";
    if (!content) {
        *ret_wanted = end;
        return strcmp(path, end) != 0 && fileset_find(&prover->set, path)
                   ? arena_printf(prover->arena, "it is a symlink to %s, which is not there", end)
                   : "it is not there";
    }
    if (!(content->mode & 0111))
        return "it is not executable";
    const char *why = prover_why_not_allowed(prover, end, 01);
    if (why)
        return why;
    if (content->interpreter)
        return why_not_script(prover, content->interpreter, depth, ret_wanted);
    if (!content->elf)
        return "it is neither an ELF file nor a script";
    if (!prover_is_loadable(content->elf) || !prover_elf(prover, content)->arch)
        return "it is no program of this machine";
    return NULL;
}

/* Marks a file, and returns the line of its interpreter, or NULL. */
static const char *mark(struct prover *prover, const char *path)
{
    const char *end;
    const struct entry *content = path ? find_file(prover, path, &end) : NULL;
    struct proof_elf *elf = content ? prover_elf(prover, content) : NULL;
    if (elf && elf->file)
        elf->is_launched = true;
    return content ? content->interpreter : NULL;
}

void start_mark(struct prover *prover, const char *program)
{
    const char *line = mark(prover, prover_find_program(prover, program));
    for (unsigned depth = 0; line && depth < SCRIPT_DEPTH_MAX; depth++) {
        struct text rest = text_of(line), word;
        if (!text_next_word(&rest, &word))
            return;
        const char *interpreter = text_dup(prover->arena, word);
        line = mark(prover, interpreter);
        if (strcmp(path_basename(interpreter), "env") == 0 && script_env_program(prover->arena, text_trim(rest)))
            line = mark(prover, prover_find_program(prover, script_env_program(prover->arena, text_trim(rest))));
    }
}

void start_check(struct prover *prover, const char *program, bool is_violation)
{
    const char *wanted = NULL;
    const char *path = strchr(program, '/') ? program : prover_find_program(prover, program);
    const char *why = path ? prover_why_not_startable(prover, path, 0, &wanted) : "it is in no directory of PATH";
    path = path ? path : program;
    if (why)
        prover_add(prover, is_violation,
                   &(struct proof_finding){path, wanted, arena_printf(prover->arena, "%s: %s", path, why)});
}
