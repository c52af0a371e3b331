/* SPDX-License-Identifier: Apache-2.0 */
#include "system/system_info.h"

#include "package/path.h"

#include <stdlib.h>

static const char *const kind_names[] = {
    [ENTRY_FILE] = "file", [ENTRY_DIRECTORY] = "directory", [ENTRY_SYMLINK] = "link", [ENTRY_HARDLINK] = "file"};

const struct info_file *system_info_file(const struct system_info *info, const char *path)
{
    for (size_t i = 0; i < info->files.count; i++) {
        if (strcmp(info->files.items[i].path, path) == 0)
            return &info->files.items[i];
    }
    return NULL;
}

static const char *string(struct arena *arena, const json_t *object, const char *key)
{
    return arena_strdup(arena, json_string_value(json_object_get(object, key)));
}

/* Values are strings; `atomic` has numbers among them, too. */
static void read_values(struct arena *arena, const json_t *object, struct system_values *values)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)object, key, value)
    {
        const char *text = json_is_integer(value) ? arena_printf(arena, "%lld", (long long)json_integer_value(value))
                                                  : arena_strdup(arena, json_string_value(value));
        if (text && system_template_is_name(key))
            list_add(arena, values, ((struct system_value){arena_strdup(arena, key), text}));
    }
}

static bool is_path(struct arena *arena, const char *path)
{
    const char *why;
    return path && path[0] == '/' && path[1] && path_exact(arena, text_of(path), &why);
}

static void read_files(struct arena *arena, const json_t *info, struct system_info *ret_info)
{
    const json_t *sums = json_object_get(info, "installed-files-checksum");
    json_t *item, *value;
    size_t i;
    const char *key;
    json_array_foreach(json_object_get(info, "host-files"), i, item)
    {
        const char *path = string(arena, item, "path"), *kind = string(arena, item, "kind");
        struct info_file file = {.path = path,
                                 .mode = (uint32_t)json_integer_value(json_object_get(item, "mode")) & 01777,
                                 .digest = string(arena, item, "digest"),
                                 .target = string(arena, item, "target"),
                                 .is_installed = path && json_object_get(sums, path)};
        for (size_t k = 0; kind && k < ARRAY_COUNT(kind_names); k++) {
            if (k != ENTRY_HARDLINK && strcmp(kind_names[k], kind) == 0)
                file.kind = (enum entry_kind)k;
        }
        if (is_path(arena, path) && file.digest)
            list_add(arena, &ret_info->files, file);
    }
    if (json_object_get(info, "host-files"))
        return;
    json_object_foreach((json_t *)sums, key, value)
    {
        struct info_file file = {.path = arena_strdup(arena, key),
                                 .digest = arena_strdup(arena, json_string_value(value)),
                                 .is_installed = true};
        if (is_path(arena, key) && file.digest)
            list_add(arena, &ret_info->files, file);
    }
}

bool system_info_parse(struct arena *arena, const char *name, struct text text, struct system_info *ret_info,
                       struct err *err)
{
    json_error_t error;
    json_auto_t *info = json_loadb(text.ptr, text.len, 0, &error);
    json_t *value;
    size_t i;
    if (!json_is_object(info) || !json_is_string(json_object_get(info, "image"))) {
        err_set(err, ERR_MALFORMED, "%s: is not what an installation writes", name);
        return false;
    }
    const json_t *service = json_object_get(info, "has-container-service");
    *ret_info = (struct system_info){.image = string(arena, info, "image"),
                                     .revision = string(arena, info, "revision"),
                                     .version = string(arena, info, "version"),
                                     .rootfs = string(arena, info, "remote"),
                                     .runtime = string(arena, info, "runtime"),
                                     .created_time = json_integer_value(json_object_get(info, "created")),
                                     .has_service = !service || json_is_true(service)};
    const json_t *set = json_object_get(info, "set-values");
    read_values(arena, json_object_get(info, "values"), &ret_info->values);
    read_values(arena, set, &ret_info->set);
    for (i = 0; !set && i < ret_info->values.count; i++) { /* of `atomic`: nobody knows which were set */
        if (value_giver_of(ret_info->values.items[i].name) == VALUE_FREE)
            list_add(arena, &ret_info->set, ret_info->values.items[i]);
    }
    read_files(arena, info, ret_info);
    json_array_foreach(json_object_get(info, "host-folders"), i, value)
    {
        if (is_path(arena, json_string_value(value)))
            list_add(arena, &ret_info->folders, arena_strdup(arena, json_string_value(value)));
    }
    return true;
}

static json_t *values_json(const struct system_values *values)
{
    json_t *json = json_object();
    for (size_t i = 0; i < values->count; i++)
        (void)json_object_set_new(json, values->items[i].name, json_string(values->items[i].value));
    return json;
}

static void set_string(json_t *json, const char *key, const char *value)
{
    (void)json_object_set_new(json, key, value ? json_string(value) : json_null());
}

static void set_files(json_t *json, const struct system_info *info)
{
    json_t *sums = json_object(), *names = json_array(), *files = json_array(), *folders = json_array();
    for (size_t i = 0; i < info->files.count; i++) {
        const struct info_file *file = &info->files.items[i];
        json_t *item = json_pack("{s:s, s:s, s:i, s:s}", "path", file->path, "kind", kind_names[file->kind], "mode",
                                 (int)file->mode, "digest", file->digest);
        if (file->target)
            set_string(item, "target", file->target);
        (void)json_array_append_new(files, item);
        if (file->is_installed) {
            (void)json_array_append_new(names, json_string(file->path));
            set_string(sums, file->path, file->digest);
        }
    }
    for (size_t i = 0; i < info->folders.count; i++)
        (void)json_array_append_new(folders, json_string(info->folders.items[i]));
    (void)json_object_set_new(json, "installed-files", names);
    (void)json_object_set_new(json, "installed-files-checksum", sums);
    (void)json_object_set_new(json, "host-files", files);
    (void)json_object_set_new(json, "host-folders", folders);
}

struct text system_info_text(struct arena *arena, const struct system_info *info)
{
    json_auto_t *json = json_object();
    set_string(json, "image", info->image);
    set_string(json, "revision", info->revision);
    set_string(json, "version", info->version);
    set_string(json, "remote", info->rootfs);
    set_string(json, "runtime", info->runtime);
    (void)json_object_set_new(json, "created", json_integer(info->created_time));
    (void)json_object_set_new(json, "has-container-service", json_boolean(info->has_service));
    (void)json_object_set_new(json, "values", values_json(&info->values));
    (void)json_object_set_new(json, "set-values", values_json(&info->set));
    set_files(json, info);
    char *text = json_dumps(json, JSON_INDENT(4));
    struct text copy = text_of(arena_printf(arena, "%s\n", text ? text : "{}"));
    free(text);
    return copy;
}
