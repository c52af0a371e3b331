/* SPDX-License-Identifier: Apache-2.0 */
#include "source/source.h"

#include "base/url.h"

const char *source_bare_uri(struct arena *arena, const char *uri)
{
    const char *host = strstr(uri, "://");
    if (!host)
        return uri;
    host += 3;
    size_t len = strcspn(host, "/");
    const char *at = memrchr(host, '@', len);
    return at ? arena_printf(arena, "%.*s%s", (int)(host - uri), uri, at + 1) : uri;
}

/* Where an '@' stands behind a '?' and no '/' between, nobody can tell what is secret. */
const char *source_public_uri(struct arena *arena, const char *uri)
{
    const char *bare = source_bare_uri(arena, uri), *scheme = strstr(uri, "://");
    const char *host = scheme ? scheme + 3 : uri;
    size_t authority_len = strcspn(host, "/"), query_at = strcspn(host, "?#"), len = strcspn(bare, "?#");
    const char *at = scheme ? memrchr(host, '@', authority_len) : NULL;
    if (at && query_at < (size_t)(at - host))
        return arena_printf(arena, "%.*s…", (int)(host - uri), uri);
    return bare[len] ? arena_printf(arena, "%.*s%s", (int)len, bare, bare[len] == '?' ? "?…" : "#…") : bare;
}

void source_add_local(struct arena *arena, const char *uri, struct strings *paths)
{
    const char *path = uri ? url_local_path(arena, uri) : NULL;
    size_t len = path ? strcspn(path, "${") : 0;
    while (path && path[len] && len > 1 && path[len - 1] != '/')
        len--;
    if (path && len > 1) /* who names it by a variable alone does not name all of this machine */
        list_add(arena, paths, arena_strndup(arena, path, len));
}
