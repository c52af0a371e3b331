/* rpm_metadata_check_arches() and rpm_metadata_remember() of rpm_metadata.h: what primary.xml tells of the repository.
 * Nothing else does: a repomd.xml signed by the same keys may be that of another architecture. */
#include "source/rpm_metadata.h"

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
    bool had = had_arch(metadata->former, arch->rpm_name);
    if (!arches->count || strings_has(arches, arch->rpm_name) || (!had && !is_per_arch(metadata->repository)))
        return true;
    err_set(err, ERR_TRUST,
            "repository %s for %s (%s): its packages are of %s, none is of %s%s: the mirror %s has another architecture's "
            "repository there",
            metadata->repository->id, arch->name, metadata->repository->place, strings_join(arena, arches, ", "),
            arch->rpm_name, had ? ", as they were before" : ", which the URL stands for",
            source_public_uri(arena, metadata->origin.uri));
    return false;
}

bool rpm_metadata_remember(const struct source_env *env, const struct rpm_metadata *metadata, struct arena *arena,
                           const struct strings *arches, struct err *err)
{
    struct release_mark mark = metadata->mark;
    if (metadata->is_recalled)
        return true;
    mark.arches = arches->count ? strings_join(arena, arches, ",") : NULL;
    return release_mark_raise(env, arena, &metadata->remembered, &mark, err);
}
