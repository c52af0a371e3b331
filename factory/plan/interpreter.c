/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/interpreter.h"

#include "plan/data_folder.h"
#include "plan/rules.h"

#define ROW(type, key, member, is_required) YAML_FIELD(type, interpreter, key, member, is_required, ALTERS_ORDER)

static const struct yaml_field fields[] = {
    ROW(YAML_STRINGS, "programs", programs, true), ROW(YAML_STRINGS, "files", files, false),
    ROW(YAML_STRINGS, "own", own, false),          ROW(YAML_STRINGS, "signs", signs, false),
    ROW(YAML_STRINGS, "except", except, false),    ROW(YAML_STRINGS, "builtins", builtins, false),
    ROW(YAML_STRINGS, "needs", needs, false),      ROW(YAML_BOOL, "shell", is_shell, false),
};

static bool check_globs(struct arena *arena, const struct yaml_node *root, const char *key, const struct strings *globs,
                        struct err *err)
{
    for (size_t i = 0; i < globs->count; i++) {
        const char *glob = globs->items[i], *why = rule_path(glob);
        why = why ? why : rule_glob(glob);
        if (why)
            return yaml_fail(yaml_item(yaml_get(root, key), i), err, "'%s' %s", text_printable(arena, text_of(glob)),
                             why);
    }
    return true;
}

bool interpreters_load(struct arena *arena, const struct strings *dirs, struct interpreters *ret_interpreters,
                       struct err *err)
{
    struct data_folder files;
    if (!data_folder_load(arena, dirs, "interpreter", &files, err))
        return false;
    struct interpreters interpreters = {.digest = files.digest};
    for (size_t i = 0; i < files.count; i++) {
        const struct yaml_node *root = files.items[i].root;
        struct interpreter interpreter = {.name = files.items[i].stem};
        if (!yaml_read(arena, root, fields, ARRAY_COUNT(fields), &interpreter, err) ||
            !check_globs(arena, root, "programs", &interpreter.programs, err) ||
            !check_globs(arena, root, "files", &interpreter.files, err) ||
            !check_globs(arena, root, "own", &interpreter.own, err) ||
            !check_globs(arena, root, "signs", &interpreter.signs, err) ||
            !check_globs(arena, root, "except", &interpreter.except, err) ||
            !check_globs(arena, root, "needs", &interpreter.needs, err))
            return false;
        list_add(arena, &interpreters, interpreter);
    }
    *ret_interpreters = interpreters;
    return true;
}
