/* SPDX-License-Identifier: Apache-2.0 */
#include "effect/script_strange.h"

#include "effect/script_effects.h"
#include "effect/script_open.h"

/* What only looks, computes or says; and what is about services of a machine that boots. */
static const char *const known[] = {
    ".",
    ":",
    "[",
    "aa-enabled",
    "aa-status",
    "apparmor_parser",
    "basename",
    "break",
    "cat",
    "cd",
    "cmp",
    "continue",
    "cut",
    "date",
    "db_capb",
    "db_fget",
    "db_fset",
    "db_get",
    "db_go",
    "db_input",
    "db_metaget",
    "db_purge",
    "db_register",
    "db_reset",
    "db_set",
    "db_settitle",
    "db_stop",
    "db_subst",
    "db_title",
    "db_unregister",
    "db_version",
    "deb-systemd-helper",
    "deb-systemd-invoke",
    "diff",
    "dirname",
    "dpkg",
    "dpkg-maintscript-helper",
    "dpkg-query",
    "dpkg-realpath",
    "dpkg-trigger",
    "echo",
    "egrep",
    "env",
    "exec",
    "exit",
    "export",
    "expr",
    "false",
    "fgrep",
    "getent",
    "grep",
    "head",
    "hash",
    "id",
    "invoke-rc.d",
    "ischroot",
    "ldconfig",
    "local",
    "logger",
    "ls",
    "md5sum",
    "mktemp",
    "mountpoint",
    "printf",
    "pwd",
    "read",
    "readlink",
    "realpath",
    "restorecon",
    "return",
    "rmdir",
    "set",
    "sha256sum",
    "shift",
    "sleep",
    "sort",
    "stat",
    "systemctl",
    "systemd-update-helper",
    "systemd-sysusers",
    "systemd-tmpfiles",
    "tail",
    "telinit",
    "test",
    "tr",
    "trap",
    "true",
    "type",
    "ulimit",
    "umask",
    "uname",
    "uniq",
    "unset",
    "update-menus",
    "update-rc.d",
    "wc",
    "which",
};

static bool is_known(const char *name)
{
    for (size_t i = 0; i < ARRAY_COUNT(known); i++) {
        if (strcmp(name, known[i]) == 0)
            return true;
    }
    return false;
}

/* What is written is thrown away, shown, or known and in its file. */
static bool is_written(const struct script_strange_request *request, const struct shell_call *call)
{
    return !call->output || strncmp(call->output, "/dev/", 5) == 0 ||
           (call->output[0] == '/' && call->printed && call->is_sure && !request->has_effects &&
            request->has_path(request->self, text_of(call->output)));
}

/* What is removed is not there. A path that only the running script knows is most often one that it made for itself. */
static bool is_removed(const struct script_strange_request *request, const struct shell_call *call)
{
    const struct shell_command *command = &call->command;
    for (size_t i = 1; i < command->count; i++) {
        const struct shell_word *word = &command->items[i];
        if (word->is_constant && word->text[0] == '/' && request->has_path(request->self, text_of(word->text)))
            return false;
    }
    return true;
}

/* sed writes to a file only with -i. */
static bool is_filter(const struct shell_call *call)
{
    const struct shell_command *command = &call->command;
    for (size_t i = 1; i < command->count; i++) {
        const char *word = command->items[i].text;
        if (strncmp(word, "--in-place", 10) == 0 || (word[0] == '-' && word[1] != '-' && strchr(word, 'i')))
            return false;
    }
    return true;
}

static bool is_strange(const struct script_strange_request *request, const struct shell_call *call)
{
    const char *name = shell_call_name(call);
    if (!call->command.items[0].is_constant)
        return true;
    if (strcmp(name, "dpkg-divert") == 0)
        return true; /* a base's files stay where they are */
    if (script_effects_know(name))
        return request->has_effects;
    if (strcmp(name, "rm") == 0)
        return !is_removed(request, call);
    if (strcmp(name, "sed") == 0 || strcmp(name, "awk") == 0)
        return !is_filter(call) || !is_written(request, call);
    return !is_known(name) || !is_written(request, call);
}

/* What of a call nobody knows: the command, or what a known one changes. */
static const char *name_of(struct arena *arena, const struct script_strange_request *request,
                           const struct shell_call *call)
{
    const char *name = shell_call_name(call);
    bool is_filter_call = strcmp(name, "sed") == 0 || strcmp(name, "awk") == 0;
    if (!call->command.items[0].is_constant)
        return arena_printf(arena, "the unknown command %s", name);
    if (is_filter_call && !is_filter(call))
        return arena_printf(arena, "%s -i", name);
    if (!is_written(request, call) && (is_filter_call || is_known(name)))
        return arena_printf(arena, "%s > %s", name, call->output);
    if (strcmp(name, "mv") == 0 && call->command.count > 2)
        return arena_printf(arena, "mv to %s", call->command.items[call->command.count - 1].text);
    return name;
}

/* What of a call nobody does; NULL when nothing. */
static const char *find_strange(struct arena *arena, const struct script_strange_request *request,
                                const struct shell_call *call, enum effect *ret_effect)
{
    *ret_effect = EFFECT_OTHER;
    if (is_strange(request, call))
        return name_of(arena, request, call);
    return request->has_effects ? NULL : script_open_find(arena, request, call, ret_effect);
}

void script_strange_find(struct arena *arena, const struct script_strange_request *request, struct strings *ret_names,
                         bool ret_left[EFFECT_COUNT])
{
    static const char cut[] = "more than is understood";
    struct script_calls calls;
    *ret_names = (struct strings){0};
    if (request->package)
        script_calls_list(arena, &request->package, 1, request->set, &calls);
    else
        script_calls_of_text(arena, NULL, 0, request->set, request->script, &calls);
    for (size_t i = 0; i < calls.count; i++) {
        enum effect effect;
        if (request->package && strcmp(calls.items[i].script, request->script->name) != 0)
            continue;
        const char *name = find_strange(arena, request, &calls.items[i].call, &effect);
        if (name)
            ret_left[effect] = true;
        if (name && !strings_has(ret_names, name))
            list_add(arena, ret_names, name);
    }
    for (size_t i = 0; i < calls.cuts.count && !strings_has(ret_names, cut); i++) {
        if (request->package && strcmp(calls.cuts.items[i].script, request->script->name) != 0)
            continue;
        ret_left[EFFECT_OTHER] = true;
        list_add(arena, ret_names, cut);
    }
}
