/* SPDX-License-Identifier: Apache-2.0 */
/* rpm_metadata_check_arches() and rpm_metadata_remember() of rpm_metadata.h: what primary.xml tells of the repository.
 * Nothing else does: a repomd.xml signed by the same keys may be that of another architecture. */
#include "rpmmd/rpm_metadata.h"

#include "rpmmd/rpm_arch.h"

#define ARCH_NAME_MAX 32

static bool depends_on_arch(const char *url)
{
    static const char *const variables[] = {"$basearch", "${basearch", "$arch", "${arch"};
    for (size_t i = 0; url && i < ARRAY_COUNT(variables); i++) {
        if (strstr(url, variables[i]))
            return true;
    }
    return false;
}

/* Returns whether the repository has a URL of its own for each architecture. */
static bool is_per_arch(const struct rpm_repository *repository)
{
    for (size_t i = 0; i < repository->base_urls.count; i++) {
        if (depends_on_arch(repository->base_urls.items[i]))
            return true;
    }
    return depends_on_arch(repository->metalink) || depends_on_arch(repository->mirrorlist);
}

static bool had_arch(const struct release_mark *former, const char *name)
{
    struct text rest = text_of(former && former->arches ? former->arches : ""), part;
    while (text_next(&rest, ',', &part)) {
        if (text_is(part, name))
            return true;
    }
    return false;
}

bool rpm_metadata_check_arches(const struct rpm_metadata *metadata, struct arena *arena, const struct arch *arch,
                               const struct strings *arches, struct err *err)
{
    bool had = had_arch(metadata->former, rpm_arch(arch));
    if (!arches->count || strings_has(arches, rpm_arch(arch)) || (!had && !is_per_arch(metadata->repository)))
        return true;
    err_set(
        err, ERR_TRUST,
        "repository %s for %s (%s): its packages are of %s, none is of %s%s: the mirror %s has another architecture's "
        "repository there",
        metadata->repository->id, arch->name, metadata->repository->place, strings_join(arena, arches, ", "),
        rpm_arch(arch), had ? ", as they were before" : ", which the URL stands for",
        source_public_uri(arena, metadata->origin.uri));
    return false;
}

/* Whether a name can stand in the state's line. */
static bool is_sane(const char *arch)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    size_t len = strspn(arch, plain);
    return len > 0 && len <= ARCH_NAME_MAX && !arch[len];
}

bool rpm_metadata_remember(const struct source_env *env, const struct rpm_metadata *metadata, struct arena *arena,
                           const struct strings *arches, struct err *err)
{
    struct release_mark mark = metadata->mark;
    if (metadata->is_recalled)
        return true;
    struct strings sane = {0};
    for (size_t i = 0; i < arches->count; i++) {
        if (is_sane(arches->items[i]))
            list_add(arena, &sane, arches->items[i]);
    }
    mark.arches = sane.count ? strings_join(arena, &sane, ",") : NULL;
    return release_mark_raise(env, arena, &metadata->remembered, &mark, err);
}
