/* SPDX-License-Identifier: Apache-2.0 */
/* What a source file and a .repo file have in common: variables, and what a repository must have (rpm_source.h). */
#include "rpmmd/rpm_source.h"

#include "rpmmd/rpm_variables.h"

void rpm_set_releasever(struct map *variables, const char *releasever)
{
    struct arena *arena = variables->arena;
    const char *dot = strchr(releasever, '.');
    size_t major_len = dot ? (size_t)(dot - releasever) : strlen(releasever);
    map_set(variables, TEXT("releasever"), arena_strdup(arena, releasever));
    map_set(variables, TEXT("releasever_major"), arena_strndup(arena, releasever, major_len));
    map_set(variables, TEXT("releasever_minor"), arena_strdup(arena, dot ? dot + 1 : ""));
}

static bool fail(const struct rpm_repository *repository, struct err *err, const char *what, const char *value)
{
    err_set(err, ERR_USAGE, "%s: repository %s: %s%s", repository->place, repository->id, what, value);
    return false;
}

static bool expand(struct arena *arena, const struct map *variables, const struct rpm_repository *repository,
                   const char **value, struct err *err)
{
    const char *unknown = NULL;
    if (!*value)
        return true;
    *value = rpm_expand(arena, variables, NULL, *value, &unknown);
    if (!unknown)
        return true;
    err_set(err, ERR_USAGE, "%s: repository %s: $%s is not known%s", repository->place, repository->id, unknown,
            text_has_prefix(text_of(unknown), "releasever") ? "; give \"releasever\", or write the release instead"
                                                            : "");
    return false;
}

static bool expand_all(struct arena *arena, const struct map *variables, const struct rpm_repository *repository,
                       struct strings *values, struct err *err)
{
    for (size_t i = 0; i < values->count; i++) {
        if (!expand(arena, variables, repository, &values->items[i], err))
            return false;
    }
    return true;
}

static bool has_scheme(const char *url, const char *scheme)
{
    struct text start = {url, strlen(scheme)};
    return strlen(url) > start.len && text_is_nocase(start, scheme);
}

static bool check_url(struct arena *arena, const struct rpm_repository *repository, const char *url, struct err *err)
{
    for (const char *at = url; *at; at++) {
        if ((unsigned char)*at <= 0x20 || *at == 0x7F)
            return fail(repository, err, "blanks or control bytes in the URL ", text_printable(arena, text_of(url)));
    }
    if (has_scheme(url, "https://") || has_scheme(url, "http://") || has_scheme(url, "file:///"))
        return true;
    return fail(repository, err, "only https, http and file URLs can be used, not ", source_public_uri(arena, url));
}

static bool check(struct arena *arena, const struct rpm_repository *repository, struct err *err)
{
    const char *lists[] = {repository->metalink, repository->mirrorlist};
    for (size_t i = 0; i < repository->base_urls.count; i++) {
        if (!check_url(arena, repository, repository->base_urls.items[i], err))
            return false;
    }
    for (size_t i = 0; i < ARRAY_COUNT(lists); i++) {
        if (lists[i] && !check_url(arena, repository, lists[i], err))
            return false;
    }
    if (!repository->base_urls.count && !repository->metalink && !repository->mirrorlist)
        return fail(repository, err, "it needs baseurl, metalink or mirrorlist", "");
    if ((repository->is_gpg_checked || repository->is_repo_gpg_checked) && !repository->gpg_keys.count)
        return fail(repository, err, "it needs gpgkey: paths or URLs of the public keys that sign its packages", "");
    return true;
}

bool rpm_repository_finish(struct arena *arena, const struct map *variables, struct rpm_repository *repository,
                           struct err *err)
{
    return expand_all(arena, variables, repository, &repository->base_urls, err) &&
           expand_all(arena, variables, repository, &repository->gpg_keys, err) &&
           expand(arena, variables, repository, &repository->metalink, err) &&
           expand(arena, variables, repository, &repository->snapshot, err) &&
           expand(arena, variables, repository, &repository->mirrorlist, err) && check(arena, repository, err);
}
