/* SPDX-License-Identifier: Apache-2.0 */
#include "trust/remembered_names.h"

#include "source/source.h"

const char *remembered_names_form(struct arena *arena, const char *value)
{
    return value && *value ? text_printable(arena, text_of(value)) : NULL;
}

const char *remembered_names_print(struct arena *arena, const char *value)
{
    return value ? arena_printf(arena, "\"%s\"", value) : "(none)";
}

bool remembered_names_check(const struct source_env *env, struct arena *arena, const struct repository *repository,
                            const struct dated *dated, const struct release_names *names,
                            const struct release_mark *mark, struct err *err)
{
    struct strings changes = {0};
    for (size_t i = 0; mark && mark->has_names && i < RELEASE_NAMES_COUNT; i++) {
        const char *was = mark->names.values[i], *is = names->values[i];
        if (strcmp(was ? was : "", is ? is : "") != 0)
            list_add(arena, &changes,
                     arena_printf(arena, "%s was %s and is %s now", dated->titles[i],
                                  remembered_names_print(arena, was), remembered_names_print(arena, is)));
    }
    if (!changes.count)
        return true;
    const char *text = strings_join(arena, &changes, ", ");
    if (env->is_change_accepted) {
        log_line(env->log, LOG_QUIET, "warning: %s: its %s changed, which was accepted: %s", repository->name,
                 dated->what, text);
        return true;
    }
    err_set(err, ERR_TRUST,
            "%s: its %s is not of the repository that it was: %s; the mirror %s has another one there, or its owner "
            "renamed it (a new stable release, for example): when that is so, accept it once with "
            "--accept-release-change",
            repository->name, dated->what, text, source_public_uri(arena, dated->uri));
    return false;
}
