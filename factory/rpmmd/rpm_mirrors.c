/* SPDX-License-Identifier: Apache-2.0 */
#include "rpmmd/rpm_mirrors.h"

#include "base/auto.h"
#include "base/url.h"
#include "io/file.h"
#include "rpmmd/rpm_variables.h"
#include "trust/small_file.h"

#include <fcntl.h>

static const char *expand(struct arena *arena, const struct arch *arch, const char *text)
{
    return text ? rpm_expand(arena, NULL, arch, text, NULL) : NULL;
}

static void expand_all(struct arena *arena, const struct arch *arch, const struct strings *from, struct strings *to)
{
    for (size_t i = 0; i < from->count; i++)
        list_add(arena, to, expand(arena, arch, from->items[i]));
}

struct rpm_place rpm_place_of(struct arena *arena, const struct rpm_repository *repository, const struct arch *arch)
{
    struct rpm_place place = {.repository = repository, .arch = arch};
    expand_all(arena, arch, &repository->base_urls, &place.base_urls);
    expand_all(arena, arch, &repository->gpg_keys, &place.gpg_keys);
    place.metalink = expand(arena, arch, repository->metalink);
    place.mirrorlist = expand(arena, arch, repository->mirrorlist);
    place.snapshot = expand(arena, arch, repository->snapshot);
    const char *first = place.base_urls.count ? place.base_urls.items[0] : place.metalink;
    place.identity = source_bare_uri(arena, first ? first : place.mirrorlist);
    return place;
}

/* Reads a list of either kind; what `mirrorlist` names is often a metalink. */
static bool parse(struct arena *arena, const char *url, bool is_metalink, struct text bytes,
                  struct rpm_mirrors *mirrors, struct strings *ret_listed, struct err *err)
{
    if (!is_metalink && !metalink_is(bytes))
        return mirrorlist_parse(arena, url, bytes, ret_listed, err);
    if (!metalink_parse(arena, url, bytes, &mirrors->metalink, err))
        return false;
    mirrors->has_metalink = true;
    *ret_listed = mirrors->metalink.base_urls;
    return true;
}

static bool add_listed(const struct source_env *env, struct arena *arena, const struct rpm_place *place,
                       struct rpm_mirrors *mirrors, struct err *err)
{
    AUTO(buf_done) struct buf body = {0};
    struct strings listed = {0};
    bool is_absent;
    const char *url = place->metalink ? place->metalink : place->mirrorlist;
    struct small_file_haste haste = {.is_tried_once = place->repository->is_optional};
    if (!small_file_get(env, url, METALINK_MAX_BYTES, haste, &body, &is_absent, err)) {
        err_wrap(err, "the list of mirrors");
        return false;
    }
    struct text bytes = {body.bytes, body.len};
    if (!parse(arena, source_public_uri(arena, url), place->metalink != NULL, bytes, mirrors, &listed, err))
        return false;
    for (size_t i = 0; i < listed.count; i++) {
        const char *base_url = expand(arena, place->arch, listed.items[i]);
        if (http_is_inward(url, base_url)) {
            log_line(
                env->log, LOG_QUIET,
                "warning: %s: a mirror was passed over: %s leads inside this network, and the list comes from outside",
                place->repository->id, source_public_uri(arena, base_url));
            continue;
        }
        if (!strings_has(&mirrors->base_urls, base_url))
            list_add(arena, &mirrors->base_urls, base_url);
    }
    return true;
}

bool rpm_mirrors_get(const struct source_env *env, struct arena *arena, const struct rpm_place *place,
                     struct rpm_mirrors *ret_mirrors, struct err *err)
{
    struct rpm_mirrors mirrors = {0};
    for (size_t i = 0; i < place->base_urls.count; i++) {
        const char *url = place->base_urls.items[i];
        list_add(arena, &mirrors.base_urls, text_has_suffix(text_of(url), "/") ? url : arena_printf(arena, "%s/", url));
    }
    if ((place->metalink || place->mirrorlist) && !add_listed(env, arena, place, &mirrors, err))
        return false;
    *ret_mirrors = mirrors;
    return true;
}

/* What is wrong with the list is told by who asks for it in earnest. */
static void add_listed_local(struct arena *arena, const char *url, bool is_metalink, struct strings *paths)
{
    AUTO(buf_done) struct buf list = {0};
    struct rpm_mirrors mirrors = {0};
    struct strings listed = {0};
    struct err none = {0};
    source_add_local(arena, url, paths);
    const char *path = url ? url_local_path(arena, url) : NULL;
    if (!path || !file_read_at(AT_FDCWD, path, METALINK_MAX_BYTES, &list, &none) ||
        !parse(arena, url, is_metalink, buf_text(&list), &mirrors, &listed, &none))
        return;
    for (size_t i = 0; i < listed.count; i++)
        source_add_local(arena, listed.items[i], paths);
}

void rpm_mirrors_add_local(struct arena *arena, const struct rpm_repository *repository, struct strings *paths)
{
    for (size_t i = 0; i < repository->base_urls.count; i++)
        source_add_local(arena, repository->base_urls.items[i], paths);
    source_add_local(arena, repository->snapshot, paths);
    add_listed_local(arena, repository->metalink, true, paths);
    add_listed_local(arena, repository->mirrorlist, false, paths);
}
