/* SPDX-License-Identifier: Apache-2.0 */
#include "source/beside.h"

#include <errno.h>
#include <stdlib.h>

#include "base/auto.h"
#include "base/url.h"

const char *beside_path(struct arena *arena, const struct yaml_node *node, const char *path)
{
    const char *slash = strrchr(node->file->path, '/');
    if (path[0] == '/' || !slash)
        return path;
    return arena_printf(arena, "%.*s/%s", (int)(slash - node->file->path), node->file->path, path);
}

/* Bytes that mean something in URIs; a repository's path has kept its brackets and braces so far. */
#define PATH_SPECIAL "%?#\\\"<>^`|"

/* Makes a file URI of an absolute path. */
static const char *uri_of_path(struct arena *arena, const char *path, const char *special)
{
    return arena_printf(arena, "file://%s", url_escape(arena, path, special));
}

static bool is_path(const char *uri)
{
    return uri[0] == '/' || uri[0] == '.';
}

bool beside_uri(struct arena *arena, const struct yaml_node *node, const char *uri, const char **ret_uri,
                struct err *err)
{
    if (!is_path(uri)) {
        *ret_uri = uri;
        return true;
    }
    AUTO(auto_free) char *absolute = realpath(beside_path(arena, node, uri), NULL);
    if (!absolute)
        return yaml_fail(node, err, "the repository %s: %s", uri, strerrordesc_np(errno));
    *ret_uri = uri_of_path(arena, absolute, PATH_SPECIAL "{}$");
    return true;
}

bool beside_variable_uri(struct arena *arena, const struct yaml_node *node, const char *uri, const char **ret_uri,
                         struct err *err)
{
    if (!is_path(uri) || !strchr(uri, '$'))
        return beside_uri(arena, node, uri, ret_uri, err);
    AUTO(auto_free) char *dir = realpath(beside_path(arena, node, "."), NULL);
    if (!dir)
        return yaml_fail(node, err, "the repository %s: %s", uri, strerrordesc_np(errno));
    *ret_uri = uri_of_path(arena, uri[0] == '/' ? uri : arena_printf(arena, "%s/%s", dir, uri), PATH_SPECIAL);
    return true;
}
