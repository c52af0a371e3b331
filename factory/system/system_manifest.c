/* SPDX-License-Identifier: Apache-2.0 */
/* manifest.json of a system container (atomic-install(1)). */
#include "system/system_exports.h"

#include "base/auto.h"
#include "package/path.h"

#define FILE_NAME SYSTEM_EXPORTS "/manifest.json"

json_t *system_json(struct system_findings *findings, const char *file, struct text text)
{
    json_error_t error;
    json_t *json = json_loadb(text.ptr, text.len, JSON_REJECT_DUPLICATES, &error);
    if (!json)
        system_find(findings, false, file, arena_printf(findings->arena, "line %d", error.line), "is no JSON: %s",
                    error.text);
    return json;
}

/* A JSON pointer's step (RFC 6901, section 3). */
static const char *pointer(struct arena *arena, const char *above, const char *key)
{
    char *step = arena_alloc(arena, strlen(key) * 2 + 1), *at = step;
    for (; *key; key++) {
        if (*key == '~' || *key == '/') {
            *at++ = '~';
            *at++ = *key == '~' ? '0' : '1';
        } else {
            *at++ = *key;
        }
    }
    return arena_printf(arena, "%s/%s", above, step);
}

/* A value as Python's str() has it. */
static const char *value_text(struct arena *arena, const json_t *value)
{
    if (json_is_string(value))
        return strlen(json_string_value(value)) == json_string_length(value)
                   ? arena_strdup(arena, json_string_value(value))
                   : NULL;
    if (json_is_integer(value))
        return arena_printf(arena, "%lld", (long long)json_integer_value(value));
    return NULL;
}

static void read_defaults(struct arena *arena, const json_t *object, struct system_findings *findings,
                          struct system_values *values)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)object, key, value)
    {
        const char *text = value_text(arena, value), *place = pointer(arena, "/defaultValues", key);
        if (!system_template_is_name(key))
            system_find(findings, false, FILE_NAME, place, "is no name of a variable");
        else if (!text)
            system_find(findings, false, FILE_NAME, place, "a default is a string");
        else
            list_add(arena, values, (struct system_value){arena_strdup(arena, key), text});
    }
}

/* Whether a path of the host is one: absolute, without "..", and with variables in it perhaps. */
static bool is_host_path(struct arena *arena, const char *path)
{
    const char *why;
    return path && path[0] == '/' && path_exact(arena, text_of(path), &why);
}

static void read_renames(struct arena *arena, const json_t *object, struct system_findings *findings,
                         struct system_values *values)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)object, key, value)
    {
        const char *text = value_text(arena, value), *place = pointer(arena, "/renameFiles", key);
        if (!is_host_path(arena, key) || !text || !(text[0] == '$' || is_host_path(arena, text)))
            system_find(findings, false, FILE_NAME, place, "wants absolute paths without \"..\" on both sides");
        else
            list_add(arena, values, (struct system_value){arena_strdup(arena, key), text});
    }
}

static void read_templates(struct arena *arena, const json_t *array, struct system_findings *findings,
                           struct strings *ret_paths)
{
    json_t *value;
    size_t i;
    json_array_foreach((json_t *)array, i, value)
    {
        const char *path = json_string_value(value);
        if (is_host_path(arena, path))
            list_add(arena, ret_paths, arena_strdup(arena, path));
        else
            system_find(findings, false, FILE_NAME, arena_printf(arena, "/installedFilesTemplate/%zu", i),
                        "is no absolute path without \"..\"");
    }
}

/* Finds a member of the right type; NULL when there is none, with a finding when it has another. */
static const json_t *member(const json_t *manifest, const char *key, json_type type, const char *wanted,
                            struct system_findings *findings)
{
    const json_t *value = json_object_get(manifest, key);
    bool is_right = value && (json_typeof(value) == type || (type == JSON_TRUE && json_is_boolean(value)));
    if (value && !is_right)
        system_find(findings, false, FILE_NAME, arena_printf(findings->arena, "/%s", key), "must be %s", wanted);
    return is_right ? value : NULL;
}

static void check_keys(const json_t *manifest, struct system_findings *findings)
{
    static const char *const known[] = {"version",  "defaultValues",     "renameFiles", "installedFilesTemplate",
                                        "useLinks", "noContainerService"};
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)manifest, key, value)
    {
        bool is_known = false;
        for (size_t i = 0; i < ARRAY_COUNT(known); i++)
            is_known = is_known || strcmp(known[i], key) == 0;
        if (!is_known)
            system_find(findings, true, FILE_NAME, pointer(findings->arena, "", key), "no installer knows this key");
    }
}

void system_manifest_read(struct arena *arena, const struct system_exports *exports, struct system_findings *findings,
                          struct system_manifest *ret_manifest)
{
    struct text text = exports->files[SYSTEM_MANIFEST];
    *ret_manifest = (struct system_manifest){0};
    if (!text.ptr)
        return;
    json_auto_t *manifest = system_json(findings, FILE_NAME, text);
    if (!manifest)
        return;
    if (!json_is_object(manifest)) {
        system_find(findings, false, FILE_NAME, "/", "must be an object");
        return;
    }
    const char *version = json_string_value(json_object_get(manifest, "version"));
    if (!version || strcmp(version, "1.0") != 0)
        system_find(findings, false, FILE_NAME, "/version", "must be \"1.0\"");
    check_keys(manifest, findings);
    const json_t *defaults = member(manifest, "defaultValues", JSON_OBJECT, "an object", findings);
    const json_t *renames = member(manifest, "renameFiles", JSON_OBJECT, "an object", findings);
    const json_t *templates = member(manifest, "installedFilesTemplate", JSON_ARRAY, "a list", findings);
    if (json_object_size(defaults) > SYSTEM_VARIABLES_MAX || json_object_size(renames) > SYSTEM_VARIABLES_MAX ||
        json_array_size(templates) > SYSTEM_VARIABLES_MAX) {
        system_find(findings, false, FILE_NAME, NULL, "has a list of more than %d", SYSTEM_VARIABLES_MAX);
        return;
    }
    read_defaults(arena, defaults, findings, &ret_manifest->defaults);
    read_renames(arena, renames, findings, &ret_manifest->renames);
    read_templates(arena, templates, findings, &ret_manifest->templates);
    (void)member(manifest, "useLinks", JSON_TRUE, "true or false", findings);
    ret_manifest->has_no_service =
        json_is_true(member(manifest, "noContainerService", JSON_TRUE, "true or false", findings));
}
