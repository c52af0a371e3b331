/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/sources.h"

#include "formats/formats.h"

bool source_load_host(struct arena *arena, const char *root, struct source *ret_source, struct err *err)
{
    struct strings places = {0};
    for (size_t i = 0; formats_at(i); i++) {
        const struct format *format = formats_at(i);
        bool is_there;
        if (!format->host_has(root, &is_there, err))
            return false;
        if (is_there)
            return format->load_host(arena, root, ret_source, err);
        list_add(arena, &places, format->host_place(arena, root));
    }
    err_set(err, ERR_USAGE, "this host has neither %s; name a source with --source",
            strings_join(arena, &places, " nor "));
    return false;
}

bool source_find(struct arena *arena, const char *dir, const char *name, const char **ret_path, struct err *err)
{
    struct strings names;
    if (yaml_is_path(name)) {
        *ret_path = arena_strdup(arena, name);
        return true;
    }
    if (!yaml_stems(arena, dir, &names, err))
        return false;
    if (strings_has(&names, name)) {
        *ret_path = arena_printf(arena, "%s/%s.yaml", dir, name);
        return true;
    }
    const char *shown = text_printable(arena, text_of(name));
    const char *nearest = text_nearest(name, names.items, names.count);
    err_set(err, ERR_USAGE, "unknown source '%s'%s%s%s known in %s: %s (a file of your own is ./%s.yaml)", shown,
            nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : ";", dir,
            names.count ? strings_join(arena, &names, ", ") : "none", shown);
    return false;
}

bool source_load_node(struct arena *arena, const struct yaml_node *node, const char *root, struct source *ret_source,
                      struct err *err)
{
    const struct yaml_node *kind = yaml_get(node, "kind");
    struct strings names = formats_names(arena);
    bool is_told = kind && kind->kind == YAML_SCALAR;
    /* Where no kind can be read, any format's table says what is wrong with it. */
    const struct format *format = is_told ? formats_find(kind->scalar) : formats_at(0);
    if (is_told && !format)
        return yaml_fail(node, err, "kind \"%s\" is not known; known: %s", kind->scalar,
                         strings_join(arena, &names, ", "));
    return format->load_node(arena, node, root, ret_source, err);
}

bool source_load_file(struct arena *arena, const char *path, const char *root, struct source *ret_source,
                      struct err *err)
{
    struct yaml_file *file;
    if (!yaml_load(arena, path, &file, err))
        return false;
    if (!file->root) {
        err_set(err, ERR_USAGE,
                "%s:1:1: the source file is empty; it needs at least \"kind\" and where the repository is", path);
        return false;
    }
    return source_load_node(arena, file->root, root, ret_source, err);
}

bool source_replace_suites(struct arena *arena, struct source *source, const char *suites, struct err *err)
{
    return source->format->replace_suites(arena, source, suites, err);
}
