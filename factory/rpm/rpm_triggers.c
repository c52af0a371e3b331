/* SPDX-License-Identifier: Apache-2.0 */
#include "rpm/rpm_triggers.h"

#include "rpm/rpm_tags.h"
#include "source/solv.h"

#include <stdlib.h>

/* Tags of one kind of triggers. */
struct trigger_kind {
    const char *added, *removed; /* names of the scripts */
    uint32_t scripts, program, name, version, index, flags;
    bool is_of_files;
};

static const struct trigger_kind kinds[] = {
    {"triggerin", "triggerun", RPM_TAG_TRIGGERSCRIPTS, RPM_TAG_TRIGGERSCRIPTPROG, RPM_TAG_TRIGGERNAME,
     RPM_TAG_TRIGGERVERSION, RPM_TAG_TRIGGERINDEX, RPM_TAG_TRIGGERFLAGS, false},
    {"filetriggerin", "filetriggerun", RPM_TAG_FILETRIGGERSCRIPTS, RPM_TAG_FILETRIGGERSCRIPTPROG,
     RPM_TAG_FILETRIGGERNAME, 0, RPM_TAG_FILETRIGGERINDEX, RPM_TAG_FILETRIGGERFLAGS, true},
    {"transfiletriggerin", "transfiletriggerun", RPM_TAG_TRANSFILETRIGGERSCRIPTS, RPM_TAG_TRANSFILETRIGGERSCRIPTPROG,
     RPM_TAG_TRANSFILETRIGGERNAME, 0, RPM_TAG_TRANSFILETRIGGERINDEX, RPM_TAG_TRANSFILETRIGGERFLAGS, true},
};

struct finding {
    struct arena *arena;
    const struct rpm_triggers_request *request;
    const struct trigger_kind *kind;
    struct strings scripts, programs, names, versions;
    struct rpm_numbers indices, flags;
    struct map taken; /* numbers of scripts */
    Pool *pool;       /* compares versions */
    struct err *err;
};

static int compare_strings(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void gather(struct arena *arena, const struct rpm_trigger_cause *cause, struct strings *paths)
{
    for (size_t i = 0; i < cause->paths.count; i++)
        list_add(arena, paths, cause->paths.items[i]);
}

void rpm_triggers_settle(struct arena *arena, struct rpm_trigger_causes *causes)
{
    causes->by_name.arena = arena;
    for (size_t i = 0; i < causes->packages.count; i++) {
        struct rpm_trigger_cause *cause = &causes->packages.items[i];
        gather(arena, cause, cause->is_removed ? &causes->removed : &causes->added);
        /* a package and the former version of it: both are asked, one behind the other */
        (void)map_add(&causes->by_name, text_of(cause->name), cause);
    }
    if (causes->added.count)
        qsort(causes->added.items, causes->added.count, sizeof *causes->added.items, compare_strings);
    if (causes->removed.count)
        qsort(causes->removed.items, causes->removed.count, sizeof *causes->removed.items, compare_strings);
}

/* Whether one of the sorted paths begins so. */
static bool has_prefix(const struct strings *paths, const char *prefix)
{
    size_t low = 0, high = paths->count, len = strlen(prefix);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strncmp(paths->items[middle], prefix, len) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < paths->count && strncmp(paths->items[low], prefix, len) == 0;
}

/* Whether a version is one that the trigger waits for. */
static bool is_version(const struct finding *finding, size_t at, const char *evr)
{
    const char *wanted = at < finding->versions.count ? finding->versions.items[at] : "";
    uint64_t flags = finding->flags.items[at];
    if (!*wanted || !(flags & (RPM_SENSE_LESS | RPM_SENSE_GREATER | RPM_SENSE_EQUAL)))
        return true;
    int order = pool_evrcmp_str(finding->pool, evr, wanted, EVRCMP_MATCH_RELEASE);
    if (order == -2 || order == 2) /* as far as the wanted one goes they are equal */
        order = 0;
    return order < 0 ? flags & RPM_SENSE_LESS : order > 0 ? flags & RPM_SENSE_GREATER : flags & RPM_SENSE_EQUAL;
}

/* Whether what happens is what the trigger waits for: *ret_removed which of the two. */
static bool is_due(const struct finding *finding, size_t at, bool *ret_removed)
{
    const struct rpm_trigger_causes *causes = finding->request->causes;
    const char *name = finding->names.items[at];
    uint64_t flags = finding->flags.items[at];
    bool on_added = flags & (RPM_SENSE_TRIGGERIN | RPM_SENSE_TRIGGERPREIN);
    bool on_removed = flags & (RPM_SENSE_TRIGGERUN | RPM_SENSE_TRIGGERPOSTUN);
    *ret_removed = !on_added;
    if (finding->kind->is_of_files)
        return (on_added && has_prefix(&causes->added, name)) || (on_removed && has_prefix(&causes->removed, name));
    const struct rpm_trigger_cause *cause = map_get(&causes->by_name, text_of(name));
    const struct rpm_trigger_cause *end = causes->packages.items + causes->packages.count;
    for (; cause && cause < end && strcmp(cause->name, name) == 0; cause++) {
        if ((cause->is_removed ? on_removed : on_added) && is_version(finding, at, cause->evr))
            return true;
    }
    return false;
}

static bool contradicts(const struct finding *finding)
{
    err_set(finding->err, ERR_MALFORMED, "the triggers of its header do not fit together");
    return false;
}

static bool take(struct finding *finding, size_t at, bool is_removed)
{
    uint64_t script = finding->indices.items[at];
    if (script >= finding->scripts.count)
        return contradicts(finding);
    const char *text = finding->scripts.items[script];
    const char *program = script < finding->programs.count ? finding->programs.items[script] : "/bin/sh";
    if (!map_add(&finding->taken, text_of(arena_printf(finding->arena, "%zu", (size_t)script)), finding))
        return true;
    finding->request->take(finding->request->self, is_removed ? finding->kind->removed : finding->kind->added,
                           arena_printf(finding->arena, "#!%s\n%s", program, text));
    return true;
}

static bool find_kind(struct finding *finding)
{
    const struct trigger_kind *kind = finding->kind;
    const struct rpm_header *header = finding->request->header;
    struct arena *arena = finding->arena;
    struct err *err = finding->err;
    finding->taken = (struct map){.arena = arena};
    finding->versions = (struct strings){0};
    if (!rpm_header_strings(arena, header, kind->scripts, &finding->scripts, err) ||
        !rpm_header_strings(arena, header, kind->program, &finding->programs, err) ||
        !rpm_header_strings(arena, header, kind->name, &finding->names, err) ||
        (kind->version && !rpm_header_strings(arena, header, kind->version, &finding->versions, err)) ||
        !rpm_header_numbers(arena, header, kind->index, &finding->indices, err) ||
        !rpm_header_numbers(arena, header, kind->flags, &finding->flags, err))
        return false;
    if (finding->names.count != finding->indices.count || finding->names.count != finding->flags.count)
        return contradicts(finding);
    for (size_t i = 0; i < finding->names.count; i++) {
        bool is_removed;
        if (is_due(finding, i, &is_removed) && !take(finding, i, is_removed))
            return false;
    }
    return true;
}

bool rpm_triggers_find(struct arena *arena, const struct rpm_triggers_request *request, struct err *err)
{
    struct finding finding = {.arena = arena, .request = request, .pool = pool_create(), .err = err};
    bool is_good = true;
    (void)pool_setdisttype(finding.pool, DISTTYPE_RPM);
    for (size_t i = 0; is_good && i < ARRAY_COUNT(kinds); i++) {
        finding.kind = &kinds[i];
        is_good = find_kind(&finding);
    }
    pool_free(finding.pool);
    return is_good;
}
