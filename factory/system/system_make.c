/* SPDX-License-Identifier: Apache-2.0 */
#include "system/system_make.h"

#include "deploy/deploy_settings.h"
#include "package/path.h"
#include "system/system_make_parts.h"

static json_t *user_json(const struct make_request *request)
{
    struct make_user user = make_user_of(request);
    json_t *json = json_pack("{s:I, s:I}", "uid", (json_int_t)user.uid, "gid", (json_int_t)user.gid);
    json_t *groups = user.name.len ? make_groups_of(request, user.name) : json_array();
    if (json_array_size(groups))
        (void)json_object_set_new(json, "additionalGids", groups);
    else
        json_decref(groups);
    return json;
}

static void append(json_t *array, const char *text)
{
    (void)json_array_append_new(array, json_string(text));
}

static json_t *args_json(struct arena *arena, const struct make_request *request)
{
    const struct strings *lists[] = {&request->process->entrypoint, &request->process->cmd};
    json_t *args = json_array();
    for (size_t k = 0; k < ARRAY_COUNT(lists); k++) {
        for (size_t i = 0; i < lists[k]->count; i++)
            append(args, make_literal(arena, request, lists[k]->items[i]));
    }
    if (!json_array_size(args))
        append(args, "run.sh"); /* as `atomic` had it */
    return args;
}

static json_t *env_json(struct arena *arena, const struct make_request *request)
{
    const struct yaml_pairs *pairs = &request->process->env;
    json_t *env = json_array();
    bool has_path = false;
    for (size_t i = 0; i < pairs->count; i++) {
        const char *name = pairs->items[i].key;
        bool is_variable = request->is_template && strcmp(name, "NAME") == 0;
        has_path = has_path || strcmp(name, "PATH") == 0;
        for (size_t j = 0; request->variables && j < request->variables->count; j++)
            is_variable = is_variable || strcmp(request->variables->items[j].key, name) == 0;
        if (!is_variable)
            append(env, arena_printf(arena, "%s=%s", name, make_literal(arena, request, pairs->items[i].value)));
    }
    if (!has_path)
        append(env, "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    if (request->is_template)
        append(env, "NAME=$NAME");
    for (size_t i = 0; request->variables && i < request->variables->count; i++) {
        const char *name = request->variables->items[i].key;
        if (strcmp(name, "NAME") != 0)
            append(env, arena_printf(arena, "%s=$%s", name, name));
    }
    for (size_t i = 0; request->is_template && request->contract && i < request->contract->secrets.count; i++) {
        const char *name = request->contract->secrets.items[i];
        append(env, arena_printf(arena, "%s=$%s", name, name));
    }
    return env;
}

static json_t *capabilities_json(struct arena *arena, const struct contract *contract)
{
    static const char *const sets[] = {"bounding", "effective", "inheritable", "permitted", "ambient"};
    static const char *const usual[] = {"AUDIT_WRITE", "KILL", "NET_BIND_SERVICE"}; /* `runc spec` */
    bool is_known = contract && contract->has_capabilities;
    json_t *list = json_array(), *json = json_object();
    for (size_t i = 0; i < (is_known ? contract->capabilities.count : ARRAY_COUNT(usual)); i++)
        append(list, arena_printf(arena, "CAP_%s", is_known ? contract->capabilities.items[i] : usual[i]));
    for (size_t i = 0; i < ARRAY_COUNT(sets); i++)
        (void)json_object_set_new(json, sets[i], json_deep_copy(list));
    json_decref(list);
    return json;
}

/* "SOFT:HARD" or one for both; -1 and infinity are none. */
static json_t *limit_json(struct arena *arena, const char *name, const char *value)
{
    char *type = arena_printf(arena, "RLIMIT_%s", name);
    struct text rest = text_of(value), part = {0};
    uint64_t numbers[2] = {0};
    for (char *at = type; *at; at++)
        *at = (char)(*at >= 'a' && *at <= 'z' ? *at - 'a' + 'A' : *at);
    for (size_t i = 0; i < 2; i++) {
        if (!text_next(&rest, ':', &part) && i)
            numbers[1] = numbers[0];
        else if (!text_parse_u64(part, &numbers[i]))
            numbers[i] = INT64_MAX; /* more than any kernel allows; jansson has no larger number */
    }
    return json_pack("{s:s, s:I, s:I}", "type", type, "soft", (json_int_t)numbers[0], "hard", (json_int_t)numbers[1]);
}

static json_t *limits_json(struct arena *arena, const struct contract *contract)
{
    json_t *limits = json_array();
    for (size_t i = 0; contract && i < contract->limits.count; i++) {
        const struct yaml_pair *pair = &contract->limits.items[i];
        if (contract_is_ulimit(pair->key))
            (void)json_array_append_new(limits, limit_json(arena, pair->key, pair->value));
    }
    return limits;
}

static json_t *process_json(struct arena *arena, const struct make_request *request)
{
    const struct contract *contract = request->contract;
    const char *cwd = request->process->working_dir;
    json_t *limits = limits_json(arena, contract);
    json_t *json =
        json_pack("{s:b, s:o, s:o, s:o, s:s, s:o}", "terminal", 0, "user", user_json(request), "args",
                  args_json(arena, request), "env", env_json(arena, request), "cwd",
                  cwd ? make_literal(arena, request, cwd) : "/", "capabilities", capabilities_json(arena, contract));
    if (json_array_size(limits))
        (void)json_object_set(json, "rlimits", limits);
    json_decref(limits);
    if (contract && !contract->may_gain)
        (void)json_object_set_new(json, "noNewPrivileges", json_true());
    return json;
}

json_t *system_make_config(struct arena *arena, const struct make_request *request)
{
    return json_pack("{s:s, s:o, s:{s:s, s:b}, s:o, s:o}", "ociVersion", "1.0.2", "process",
                     process_json(arena, request), "root", "path", "rootfs", "readonly", 1, "mounts",
                     make_mounts(arena, request), "linux", make_linux(arena, request));
}
