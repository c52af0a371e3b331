/* SPDX-License-Identifier: Apache-2.0 */
#include "service/unit_choice.h"

#include "package/path.h"

#define SUFFIX ".service"

/* A unit in the choice. */
struct candidate {
    struct unit unit;
    enum unit_relation relation;
    bool is_job;
    int rank; /* of those with the same relation */
};

struct choosing {
    struct arena *arena;
    const struct unit_question *question;
    const char *program; /* where it really is */
    struct packaged_files files;
    struct candidate *best;
};

static const char *stem_of(struct arena *arena, const char *name)
{
    return arena_strndup(arena, name, strlen(name) - strlen(SUFFIX));
}

/* Returns the instance that a packaged link gives a template ("…/x@INSTANCE.service"), else "default". */
static const char *instance_of(const struct choosing *choosing, const char *template)
{
    const struct packaged *packaged = choosing->question->packaged;
    size_t len = strcspn(template, "@") + 1;
    for (size_t i = 0; i < packaged->count; i++) {
        for (size_t j = 0; j < packaged->packages[i]->count; j++) {
            const struct entry *entry = &packaged->packages[i]->entries[j];
            const char *name = path_basename(entry->path);
            if (entry->kind == ENTRY_SYMLINK && strncmp(name, template, len) == 0 && strcmp(name, template) != 0 &&
                strlen(name) > len + strlen(SUFFIX) && text_has_suffix(text_of(name), SUFFIX))
                return arena_strndup(choosing->arena, name + len, strlen(name) - len - strlen(SUFFIX));
        }
    }
    return "default";
}

/* Returns what a file of the directory is called as a unit. */
static const char *name_of(const struct choosing *choosing, const char *file_name)
{
    if (!text_has_suffix(text_of(file_name), "@" SUFFIX))
        return file_name;
    return arena_printf(choosing->arena, "%.*s%s" SUFFIX, (int)strcspn(file_name, "@") + 1, file_name,
                        instance_of(choosing, file_name));
}

/* Returns whether the packages have a unit of another type beside the file, which starts it. */
static bool has_beside(const struct choosing *choosing, const char *file_name, const char *suffix)
{
    const char *stem = stem_of(choosing->arena, file_name);
    size_t len = strcspn(stem, "@");
    return packaged_find(choosing->arena, choosing->question->packaged,
                         arena_printf(choosing->arena, UNIT_DIR "/%s%s", stem, suffix)) ||
           (stem[len] && !stem[len + 1] &&
            packaged_find(choosing->arena, choosing->question->packaged,
                          arena_printf(choosing->arena, UNIT_DIR "/%.*s%s", (int)len, stem, suffix)));
}

static bool is_same_program(const struct choosing *choosing, const char *word)
{
    if (word[0] != '/')
        return strchr(word, '/') == NULL && strcmp(word, path_basename(choosing->program)) == 0;
    return strcmp(packaged_reached(choosing->arena, choosing->question->packaged, word), choosing->program) == 0;
}

/* Finds the program among what the unit's shell or script starts: the last command of it. Its words, as far as they are
 * known, then are the unit's. */
static bool take_started(struct choosing *choosing, struct unit *unit)
{
    const struct started_command *found = NULL;
    for (size_t i = 0; i < unit->started.count; i++) {
        const struct started_command *started = &unit->started.items[i];
        if (started->words.count && is_same_program(choosing, started->words.items[0]))
            found = started;
    }
    if (!found || unit->started.is_lacking)
        return false;
    unit->command.words = found->words;
    unit->is_cut = !found->is_constant;
    return true;
}

static enum unit_relation relation_of(struct choosing *choosing, struct unit *unit)
{
    const struct strings *words = &unit->command.words;
    if (words->count && is_same_program(choosing, words->items[0]))
        return UNIT_STARTS_IT;
    for (size_t i = 1; i < words->count && i < 4; i++) {
        if (words->items[i][0] == '/' && is_same_program(choosing, words->items[i]))
            return UNIT_RUNS_IT_AS_SCRIPT;
    }
    bool is_service = strcmp(unit->type, "oneshot") != 0;
    return is_service && take_started(choosing, unit) ? UNIT_STARTS_IT : UNIT_NAMED_LIKE_IT;
}

/* Returns how near a unit's name is to what was asked for: 0 is the name of the program, 6 nothing of it. */
static int name_rank(const struct choosing *choosing, const char *name)
{
    const struct unit_question *question = choosing->question;
    const char *const wanted[] = {path_basename(question->program), question->package, question->source};
    const char *stem = stem_of(choosing->arena, name);
    const char *prefix = arena_strndup(choosing->arena, stem, strcspn(stem, "@"));
    for (size_t i = 0; i < ARRAY_COUNT(wanted); i++) {
        if (wanted[i] && strcmp(wanted[i], stem) == 0)
            return (int)i * 2;
        if (wanted[i] && strcmp(wanted[i], prefix) == 0)
            return (int)i * 2 + 1;
    }
    return (int)ARRAY_COUNT(wanted) * 2;
}

static bool is_better(const struct candidate *candidate, const struct candidate *best)
{
    if (best && candidate->is_job != best->is_job)
        return !candidate->is_job;
    if (!best || candidate->relation != best->relation)
        return !best || candidate->relation < best->relation;
    if (candidate->rank != best->rank)
        return candidate->rank < best->rank;
    return strcmp(candidate->unit.file.name, best->unit.file.name) < 0;
}

/* Reads one file of the directory, and keeps it when it is the best so far. */
static bool consider(struct choosing *choosing, const struct packaged_file *file, struct err *err)
{
    const char *file_name = path_basename(file->entry->path), *wanted = choosing->question->name;
    struct candidate *candidate = arena_new(choosing->arena, struct candidate);
    if (!unit_read(choosing->arena, choosing->question->packaged, file, name_of(choosing, file_name),
                   choosing->question->made, &candidate->unit, err))
        return false;
    int name = name_rank(choosing, candidate->unit.file.name);
    bool is_job = strcmp(candidate->unit.type, "oneshot") == 0;
    bool is_installed = *unit_file_value(&candidate->unit.file, "Install", "WantedBy", "");
    bool is_started = (has_beside(choosing, file_name, ".timer") && !is_installed) ||
                      (strchr(file_name, '@') && has_beside(choosing, file_name, ".socket"));
    candidate->relation = relation_of(choosing, &candidate->unit);
    candidate->is_job = is_job || is_started;
    candidate->rank = (candidate->is_job ? 100 : 0) + name * 2 + (strstr(file_name, "@.") != NULL);
    if (wanted && (strcmp(wanted, file_name) == 0 || strcmp(wanted, candidate->unit.file.name) == 0))
        candidate->rank = -1;
    else if (candidate->relation == UNIT_NAMED_LIKE_IT && (candidate->is_job || name == 6))
        return true;
    if (candidate->rank == -1 && candidate->relation == UNIT_NAMED_LIKE_IT && wanted)
        candidate->relation = UNIT_STARTS_IT;
    if (is_better(candidate, choosing->best))
        choosing->best = candidate;
    return true;
}

bool unit_choice_find(struct arena *arena, const struct unit_question *question, struct unit_choice *ret_choice,
                      struct err *err)
{
    struct choosing choosing = {.arena = arena, .question = question};
    choosing.program = packaged_reached(arena, question->packaged, question->program);
    packaged_list(arena, question->packaged, UNIT_DIR, SUFFIX, &choosing.files);
    if (choosing.files.count > UNIT_CHOICE_MAX) {
        err_set(err, ERR_MALFORMED, "%zu units in the packages of one service, more than %d", choosing.files.count,
                UNIT_CHOICE_MAX);
        return false;
    }
    for (size_t i = 0; i < choosing.files.count; i++) {
        const struct packaged_file *file = &choosing.files.items[i];
        /* Links are further names of units, and those that are masked. */
        if (file->entry->kind != ENTRY_SYMLINK && !consider(&choosing, file, err))
            return false;
    }
    *ret_choice = (struct unit_choice){0};
    if (choosing.best)
        *ret_choice = (struct unit_choice){&choosing.best->unit, choosing.best->relation, choosing.best->is_job};
    return true;
}
