/* SPDX-License-Identifier: Apache-2.0 */
#include "deb/release_names.h"

#include "trust/remembered_names.h"

struct release_names release_names_of(struct arena *arena, const struct release *release)
{
    const char *values[] = {release->origin, release->label, release->suite, release->codename};
    struct release_names names = {{0}};
    for (size_t i = 0; i < RELEASE_NAMES_COUNT; i++)
        names.values[i] = remembered_names_form(arena, values[i]);
    return names;
}

/* Compares names as wholes; "bookworm/updates" (old security suites) with "bookworm", "debian/bookworm" with "bookworm",
 * either way round; and Debian's alias "stable-proposed-updates" with "proposed-updates". */
static bool is_same_suite(const char *asked, const char *named)
{
    const char *asked_slash = strrchr(asked, '/'), *named_slash = strrchr(named, '/');
    if (strcmp(asked, named) == 0)
        return true;
    if (text_has_prefix(text_of(asked), "stable-") && strcmp(asked + strlen("stable-"), named) == 0)
        return true;
    if (asked_slash && !named_slash)
        return (strlen(named) == (size_t)(asked_slash - asked) && strncmp(asked, named, strlen(named)) == 0) ||
               strcmp(asked_slash + 1, named) == 0;
    return named_slash && !asked_slash && strcmp(asked, named_slash + 1) == 0;
}

static bool is_asked_for(const struct deb_repository *repository, const char *name)
{
    if (!name)
        return false;
    if (repository->release_names.count)
        return strings_has(&repository->release_names, name);
    return is_same_suite(repository->suite, name);
}

bool release_names_check_asked(const struct source_env *env, struct arena *arena, const struct release *release,
                               const struct release_mark *mark, struct err *err)
{
    const struct deb_repository *repository = release->repository;
    bool is_pinned = repository->release_names.count > 0;
    bool can_be_told =
        is_pinned || (!text_has_suffix(text_of(repository->suite), "/") && (release->suite || release->codename));
    bool is_known = mark && mark->has_names;
    if (!can_be_told || is_asked_for(repository, release->suite) || is_asked_for(repository, release->codename) ||
        (is_known && !is_pinned))
        return true;
    const char *asked = is_pinned ? strings_join(arena, &repository->release_names, "\" or \"") : repository->suite;
    const char *said =
        arena_printf(arena, "the suite \"%s\" was asked for, the Release says Suite %s, Codename %s", asked,
                     remembered_names_print(arena, release->suite), remembered_names_print(arena, release->codename));
    if (repository->is_optional || (env->is_change_accepted && !is_pinned)) {
        log_line(env->log, LOG_QUIET, "warning: %s: %s; it is remembered that way", repository->name, said);
        return true;
    }
    err_set(err, ERR_TRUST,
            "%s: %s: the mirror %s has another suite there; if that is right, accept it once with "
            "--accept-release-change, or say so in a source file (release-names)",
            repository->name, said, source_public_uri(arena, release->uri));
    return false;
}
