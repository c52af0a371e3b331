/* SPDX-License-Identifier: Apache-2.0 */
#include "system/system_render.h"

#include "base/auto.h"
#include "oci/config_read.h"
#include "oci/oci_base.h"
#include "package/path.h"
#include "system/system_make.h"
#include "system/system_variables.h"

#include <stdlib.h>

#define INDENT_MAX_BYTES (64 << 10) /* of a text that is written with indents, which a deep one is full of */

/* As `atomic` had it, in the foreground. */
static const char default_service[] =
    "[Unit]\nDescription=$NAME\n\n[Service]\nExecStartPre=-$RUNTIME delete --force $NAME\n"
    "ExecStart=$EXEC_START\nExecStop=$EXEC_STOP\nRestart=on-failure\n"
    "WorkingDirectory=$DESTDIR\n\n[Install]\nWantedBy=multi-user.target\n";

struct rendering {
    struct arena *arena;
    const struct render_request *request;
    struct system_manifest manifest;
    struct rendered *rendered;
};

bool system_check_set(struct arena *arena, const struct system_exports *exports, const struct system_values *set,
                      struct err *err)
{
    struct system_findings ignored = {.arena = arena};
    struct system_manifest manifest;
    struct system_variables used;
    struct strings known = {0};
    system_manifest_read(arena, exports, &ignored, &manifest);
    if (!system_variables_list(arena, exports, &manifest, &used, err))
        return false;
    for (size_t i = 0; i < manifest.defaults.count; i++)
        list_add(arena, &known, manifest.defaults.items[i].name);
    for (size_t i = 0; i < used.count; i++) {
        const char *name = used.items[i].name;
        if (value_giver_of(name) == VALUE_FREE && !system_values_get(&manifest.defaults, name))
            list_add(arena, &known, name);
    }
    for (size_t i = 0; i < set->count; i++) {
        const char *name = set->items[i].name;
        if (value_giver_of(name) == VALUE_GIVEN || strings_has(&known, name))
            continue;
        const char *nearest = text_nearest(name, known.items, known.count);
        err_set(err, ERR_USAGE, "--set %s: the image has no variable of this name%s%s%s%s", name,
                nearest ? "; did you mean " : "", nearest ? nearest : "",
                nearest       ? "? It has: "
                : known.count ? "; it has: "
                              : "",
                strings_join(arena, &known, ", "));
        return false;
    }
    return true;
}

/* Fills a template; an unknown variable is the user's to give. */
static bool fill_with(struct arena *arena, const struct system_values *values, const struct system_template *source,
                      struct text *ret_text, struct err *err)
{
    struct system_template_uses uses;
    struct strings missing = {0};
    if (!system_template_uses(arena, source, &uses, err))
        return false;
    for (size_t i = 0; i < uses.count; i++) {
        if (!system_values_get(values, uses.items[i].name))
            list_add(arena, &missing, uses.items[i].name);
    }
    if (missing.count) {
        err_set(err, ERR_USAGE, "%s: no value is known for %s; give it with --set %s=VALUE", source->name,
                strings_join(arena, &missing, ", "), missing.items[0]);
        return false;
    }
    return system_template_fill(arena, source, values, ret_text, err);
}

static bool fill(struct rendering *rendering, const struct system_template *source, struct text *ret_text,
                 struct err *err)
{
    return fill_with(rendering->arena, &rendering->rendered->values, source, ret_text, err);
}

/* The image's own process, run as engines run what says nothing more. */
static json_t *default_config(struct rendering *rendering)
{
    const struct render_request *request = rendering->request;
    const struct oci_base base = {.config = request->image_config.ptr ? request->image_config : TEXT("{}")};
    const struct manifest_config none = {0};
    struct manifest_config process = oci_base_inherit(rendering->arena, &base, &none);
    struct make_request make = {.process = &process, .passwd = request->passwd, .group = request->group};
    return system_make_config(rendering->arena, &make);
}

static bool fail_config(const char *file, const char *place, const char *what, struct err *err)
{
    err_set(err, ERR_MALFORMED, "%s: %s: %s", file, place, what);
    return false;
}

/* In a user's own namespace root is that user. */
static void map_user(const struct render_request *request, json_t *config)
{
    json_t *part = json_object_get(config, "linux");
    if (!request->facts.uid || !part || json_object_get(part, "uidMappings"))
        return;
    json_t *spaces = json_object_get(part, "namespaces");
    (void)json_array_append_new(spaces, json_pack("{s:s}", "type", "user"));
    (void)json_object_set_new(
        part, "uidMappings",
        json_pack("[{s:i, s:I, s:i}]", "containerID", 0, "hostID", (json_int_t)request->facts.uid, "size", 1));
    (void)json_object_set_new(
        part, "gidMappings",
        json_pack("[{s:i, s:I, s:i}]", "containerID", 0, "hostID", (json_int_t)request->facts.gid, "size", 1));
}

static bool settle_config(struct rendering *rendering, const char *file, size_t len, json_t *config, struct err *err)
{
    const struct render_request *request = rendering->request;
    json_t *root = json_object_get(config, "root");
    const char *path = json_string_value(json_object_get(root, "path"));
    if (!json_is_object(config))
        return fail_config(file, "/", "must be an object", err);
    if (!path || strcmp(path, "rootfs") != 0)
        return fail_config(file, "/root/path", "must be \"rootfs\"", err);
    if (!json_is_true(json_object_get(root, "readonly")))
        return fail_config(file, "/root/readonly", "must be true: a system container's root is only read", err);
    if (request->rootfs)
        (void)json_object_set_new(root, "path", json_string(request->rootfs));
    map_user(request, config);
    char *text = json_dumps(config, len > INDENT_MAX_BYTES ? JSON_COMPACT : JSON_INDENT(2));
    rendering->rendered->config = text_of(arena_printf(rendering->arena, "%s\n", text ? text : "{}"));
    free(text);
    return true;
}

static bool render_config(struct rendering *rendering, struct err *err)
{
    const struct system_exports *exports = rendering->request->exports;
    bool is_template = !exports->files[SYSTEM_CONFIG_PLAIN].ptr && exports->files[SYSTEM_CONFIG].ptr;
    enum system_file which = is_template ? SYSTEM_CONFIG : SYSTEM_CONFIG_PLAIN;
    const struct system_template source = {system_file_names[which], exports->files[which], SYSTEM_TEMPLATE_JSON};
    struct system_findings findings = {.arena = rendering->arena};
    struct text text = source.text;
    if (is_template && !fill(rendering, &source, &text, err))
        return false;
    json_auto_t *config = text.ptr ? system_json(&findings, source.name, text) : default_config(rendering);
    if (!config) {
        (void)!system_findings_verdict(&findings, err);
        if (is_template)
            err_wrap(err, "with its values");
        return false;
    }
    return settle_config(rendering, source.name, text.len, config, err);
}

/* Directories of the host that the container is given and nothing makes: as `atomic`, when there is no template. */
static const char *default_tmpfiles(struct rendering *rendering)
{
    json_auto_t *config = json_loadb(rendering->rendered->config.ptr, rendering->rendered->config.len, 0, NULL);
    const char *text = "";
    json_t *mount;
    size_t i;
    json_array_foreach(json_object_get(config, "mounts"), i, mount)
    {
        const char *type = json_string_value(json_object_get(mount, "type")),
                   *source = json_string_value(json_object_get(mount, "source"));
        static const char *const made[] = {"/var/lib/", "/run/", "/var/log/", "/var/cache/", "/srv/"};
        for (size_t j = 0; type && strstr(type, "bind") && source && j < ARRAY_COUNT(made); j++) {
            if (strncmp(source, made[j], strlen(made[j])) == 0 && !strpbrk(source, " \t\n\"'\\%"))
                text = arena_printf(rendering->arena, "%sd %s 0700 %u %u - -\n", text, source,
                                    rendering->request->facts.uid, rendering->request->facts.gid);
        }
    }
    return text;
}

static bool render_units(struct rendering *rendering, struct err *err)
{
    const struct system_exports *exports = rendering->request->exports;
    struct text service = exports->files[SYSTEM_SERVICE], tmpfiles = exports->files[SYSTEM_TMPFILES];
    const struct system_template unit = {system_file_names[SYSTEM_SERVICE],
                                         service.ptr ? service : text_of(default_service), SYSTEM_TEMPLATE_LINES};
    const struct system_template made = {system_file_names[SYSTEM_TMPFILES], tmpfiles, SYSTEM_TEMPLATE_LINES};
    if (!fill(rendering, &unit, &rendering->rendered->unit, err))
        return false;
    if (!rendering->rendered->unit.len) {
        err_set(err, ERR_MALFORMED, "%s: is empty", unit.name);
        return false;
    }
    if (tmpfiles.ptr)
        return fill(rendering, &made, &rendering->rendered->tmpfiles, err);
    rendering->rendered->tmpfiles = text_of(default_tmpfiles(rendering));
    return true;
}

bool system_rename(struct arena *arena, const struct system_manifest *manifest, const struct system_values *values,
                   const char *path, const char **ret_path, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0}; /* each step is as long as the path */
    const char *done = "", *why = "";
    struct text rest = text_of(path + 1), component;
    while (text_next(&rest, '/', &component)) {
        done = arena_printf(&scratch, "%s/%.*s", done, (int)component.len, component.ptr);
        const char *other = system_values_get(&manifest->renames, done);
        const struct system_template source = {system_file_names[SYSTEM_MANIFEST], text_of(other ? other : ""),
                                               SYSTEM_TEMPLATE_LINES};
        struct text filled;
        if (!other)
            continue;
        if (!fill_with(arena, values, &source, &filled, err))
            return false;
        done = filled.ptr;
    }
    *ret_path = done[0] == '/' ? path_exact(arena, text_of(done), &why) : NULL;
    if (*ret_path && strcmp(*ret_path, "/") != 0)
        return true;
    err_set(err, ERR_MALFORMED, "%s%s: would be put at \"%s\", which is no absolute path without \"..\"", SYSTEM_HOSTFS,
            text_printable(arena, text_of(path)), text_printable(arena, text_of(done)));
    return false;
}

/* Folders below which nothing of an image is put: what the installer itself keeps, and the kernel's. */
static bool check_place(struct rendering *rendering, const char *path, struct err *err)
{
    static const char *const closed[] = {"/proc", "/sys", "/dev", "/run", "/var/run", SYSTEM_PLACE};
    struct arena *arena = rendering->arena;
    const char *name = rendering->request->facts.name;
    const char *own[] = {system_unit_path(arena, name), system_tmpfiles_path(arena, name)};
    for (size_t i = 0; i < ARRAY_COUNT(closed); i++) {
        if (!path_is_within(path, closed[i]))
            continue;
        err_set(err, ERR_MALFORMED, "%s: a file of the image would be put at %s, where none is put", SYSTEM_HOSTFS,
                text_printable(arena, text_of(path)));
        return false;
    }
    for (size_t i = 0; i < ARRAY_COUNT(own); i++) {
        if (strcmp(path, own[i]) != 0)
            continue;
        err_set(err, ERR_MALFORMED,
                "%s: a file of the image would be put at %s, which is the place of what is made of its templates; "
                "choose another --name",
                SYSTEM_HOSTFS, path);
        return false;
    }
    return true;
}

static bool render_file(struct rendering *rendering, const struct entry *entry, bool is_empty, struct err *err)
{
    struct arena *arena = rendering->arena;
    struct rendered_file file = {.kind = entry->kind, .mode = entry->mode & 01777, .target = entry->target};
    if (!system_rename(arena, &rendering->manifest, &rendering->rendered->values, entry->path, &file.path, err))
        return false;
    if (entry->kind == ENTRY_DIRECTORY && !is_empty)
        return true;
    if (!check_place(rendering, file.path, err))
        return false;
    if (!text_is_utf8(text_of(file.path)) || (entry->kind == ENTRY_SYMLINK && !text_is_utf8(text_of(entry->target)))) {
        err_set(err, ERR_MALFORMED, "%s%s: a name that is not UTF-8 cannot be remembered", SYSTEM_HOSTFS,
                text_printable(arena, text_of(entry->path)));
        return false;
    }
    for (size_t i = 0; i < rendering->rendered->files.count; i++) {
        if (strcmp(rendering->rendered->files.items[i].path, file.path) != 0)
            continue;
        err_set(err, ERR_MALFORMED, "%s: two files would be put at %s", SYSTEM_HOSTFS, file.path);
        return false;
    }
    if (entry->kind == ENTRY_FILE) {
        struct digest digest = digest_of(entry->data, (size_t)entry->size_bytes);
        file.data = (struct text){entry->data, (size_t)entry->size_bytes};
        if (!digest_eq(&digest, &entry->digest)) {
            err_set(err, ERR_TRUST, "%s%s: its bytes in the cache are not those that were put there", SYSTEM_HOSTFS,
                    entry->path);
            return false;
        }
    }
    const char *renamed = system_values_get(&rendering->manifest.renames, entry->path);
    bool is_template = system_is_template(&rendering->manifest, entry->path, renamed) ||
                       strings_has(&rendering->manifest.templates, file.path);
    const struct system_template source = {arena_printf(arena, "%s%s", SYSTEM_HOSTFS, entry->path), file.data,
                                           SYSTEM_TEMPLATE_PLAIN};
    if (is_template && entry->kind == ENTRY_FILE) {
        if (file.data.len > SYSTEM_EXPORT_MAX_BYTES) {
            err_set(err, ERR_MALFORMED, "%s: larger than a template may be", source.name);
            return false;
        }
        if (!fill(rendering, &source, &file.data, err))
            return false;
    }
    list_add(arena, &rendering->rendered->files, file);
    return true;
}

static bool render_files(struct rendering *rendering, struct err *err)
{
    const struct system_exports *exports = rendering->request->exports;
    for (size_t i = 0; i < exports->hostfs_count; i++) {
        const char *path = exports->hostfs[i]->path;
        bool is_empty = i + 1 == exports->hostfs_count || !path_is_below(exports->hostfs[i + 1]->path, path);
        if (!render_file(rendering, exports->hostfs[i], is_empty, err))
            return false;
    }
    return true;
}

bool system_render(struct arena *arena, const struct render_request *request, struct rendered *ret_rendered,
                   struct err *err)
{
    struct system_findings findings = {.arena = arena};
    struct rendered rendered = {0};
    struct rendering rendering = {.arena = arena, .request = request, .rendered = &rendered};
    system_manifest_read(arena, request->exports, &findings, &rendering.manifest);
    if (!system_findings_verdict(&findings, err))
        return false;
    for (size_t i = 0; i < request->set->count; i++)
        system_values_set(arena, &rendered.values, request->set->items[i].name, request->set->items[i].value);
    system_values_complete(arena, &rendered.values, &rendering.manifest, &request->facts,
                           request->exports->files[SYSTEM_SERVICE]);
    rendered.has_service = !rendering.manifest.has_no_service;
    if ((rendered.has_service && (!render_config(&rendering, err) || !render_units(&rendering, err))) ||
        !render_files(&rendering, err))
        return false;
    *ret_rendered = rendered;
    return true;
}
