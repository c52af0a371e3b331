/* SPDX-License-Identifier: Apache-2.0 */
/* podman's policy.json (containers/image, docs/containers-policy.json.5.md), strictly: a key that is not known, or twice, is an error, so
 * that nothing that somebody asked for is passed over. */
#include "sign/policy.h"

#include "base/auto.h"
#include "io/file.h"
#include "sign/base64.h"

#include <fcntl.h>
#include <jansson.h>
#include <unistd.h>

/* A policy that is being read. */
struct policy {
    struct rules *rules;
    struct arena *arena;
    const char *path;
};

static bool fail(const struct policy *policy, struct err *err, const char *what)
{
    err_set(err, ERR_USAGE, "%s: %s", policy->path, text_printable(policy->arena, text_of(what)));
    return false;
}

static bool is_known(const char *key, const char *const *keys, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(key, keys[i]) == 0)
            return true;
    }
    return false;
}

static bool check_keys(const struct policy *policy, const json_t *object, const char *const *keys, size_t count,
                       struct err *err)
{
    const char *key;
    json_t *value;
    if (!json_is_object(object))
        return fail(policy, err, "an object is wanted where there is none");
    json_object_foreach((json_t *)object, key, value)
    {
        (void)value;
        if (!is_known(key, keys, count))
            return fail(policy, err, arena_printf(policy->arena, "unknown key \"%s\"", key));
    }
    return true;
}

static bool string_of(const struct policy *policy, const json_t *object, const char *key, const char **ret_string,
                      struct err *err)
{
    const char *string = json_string_value(json_object_get(object, key));
    if (!string)
        return fail(policy, err, arena_printf(policy->arena, "\"%s\" is wanted, and a string", key));
    *ret_string = arena_strdup(policy->arena, string);
    return true;
}

/* --- identities --- */

static bool read_identity(const struct policy *policy, const json_t *json, struct rule *rule, struct err *err)
{
    static const char *const keys[] = {"type", "dockerReference", "dockerRepository", "prefix", "signedPrefix"};
    static const struct {
        const char *type, *first, *second;
        enum rule_identity kind;
    } kinds[] = {{"matchRepoDigestOrExact", NULL, NULL, RULE_REPO_DIGEST_OR_EXACT},
                 {"matchExact", NULL, NULL, RULE_EXACT},
                 {"matchRepository", NULL, NULL, RULE_REPOSITORY},
                 {"exactReference", "dockerReference", NULL, RULE_EXACT_REFERENCE},
                 {"exactRepository", "dockerRepository", NULL, RULE_EXACT_REPOSITORY},
                 {"remapIdentity", "prefix", "signedPrefix", RULE_REMAP}};
    const char *type;
    if (!json)
        return true;
    if (!check_keys(policy, json, keys, ARRAY_COUNT(keys), err) || !string_of(policy, json, "type", &type, err))
        return false;
    for (size_t i = 0; i < ARRAY_COUNT(kinds); i++) {
        if (strcmp(type, kinds[i].type) != 0)
            continue;
        rule->identity_kind = kinds[i].kind;
        return (!kinds[i].first || string_of(policy, json, kinds[i].first, &rule->identity, err)) &&
               (!kinds[i].second || string_of(policy, json, kinds[i].second, &rule->signed_prefix, err));
    }
    return fail(policy, err, arena_printf(policy->arena, "unknown signedIdentity \"%s\"", type));
}

/* --- requirements --- */

static bool add_data(const struct policy *policy, const json_t *value, struct err *err)
{
    const char *encoded = json_string_value(value);
    struct text pem;
    if (!encoded || !base64_decode(policy->arena, text_of(encoded), &pem))
        return fail(policy, err, "keyData is not base64");
    return rules_add_public(policy->rules, policy->arena, policy->path, pem, err);
}

static bool add_path(const struct policy *policy, const json_t *value, struct err *err)
{
    const char *path = json_string_value(value);
    if (!path)
        return fail(policy, err, "keyPath is not a string");
    if (rules_add_public_file(policy->rules, policy->arena, path, err))
        return true;
    err_wrap(err, "%s", policy->path);
    return false;
}

static bool read_keys(const struct policy *policy, const json_t *json, struct err *err)
{
    const json_t *path = json_object_get(json, "keyPath"), *paths = json_object_get(json, "keyPaths"), *item;
    const json_t *data = json_object_get(json, "keyData"), *datas = json_object_get(json, "keyDatas");
    size_t i;
    if (!!path + !!paths + !!data + !!datas != 1)
        return fail(policy, err, "sigstoreSigned wants one of keyPath, keyPaths, keyData and keyDatas");
    if ((path && !add_path(policy, path, err)) || (data && !add_data(policy, data, err)))
        return false;
    json_array_foreach((json_t *)paths, i, item)
    {
        if (!add_path(policy, item, err))
            return false;
    }
    json_array_foreach((json_t *)datas, i, item)
    {
        if (!add_data(policy, item, err))
            return false;
    }
    return true;
}

static bool read_sigstore(const struct policy *policy, const json_t *json, struct rule *rule, struct err *err)
{
    static const char *const keys[] = {"type",
                                       "keyPath",
                                       "keyPaths",
                                       "keyData",
                                       "keyDatas",
                                       "fulcio",
                                       "pki",
                                       "rekorPublicKeyPath",
                                       "rekorPublicKeyPaths",
                                       "rekorPublicKeyData",
                                       "rekorPublicKeyDatas",
                                       "signedIdentity"};
    static const char *const others[] = {
        "fulcio", "pki", "rekorPublicKeyPath", "rekorPublicKeyPaths", "rekorPublicKeyData", "rekorPublicKeyDatas"};
    if (!check_keys(policy, json, keys, ARRAY_COUNT(keys), err) ||
        !read_identity(policy, json_object_get(json, "signedIdentity"), rule, err))
        return false;
    for (size_t i = 0; i < ARRAY_COUNT(others); i++) {
        if (!json_object_get(json, others[i]))
            continue;
        rule->what = arena_printf(policy->arena, "sigstoreSigned with %s", others[i]);
        return true;
    }
    rule->kind = RULE_SIGSTORE;
    rule->keys_from = policy->rules->keys.count;
    if (!read_keys(policy, json, err))
        return false;
    rule->key_count = policy->rules->keys.count - rule->keys_from;
    return rule->key_count || fail(policy, err, "sigstoreSigned names no key");
}

static bool read_requirement(const struct policy *policy, const json_t *json, struct err *err)
{
    struct rule rule = {.kind = RULE_UNKNOWN};
    bool is_read = true;
    if (!json_is_object(json))
        return fail(policy, err, "a requirement is not an object");
    if (!string_of(policy, json, "type", &rule.what, err))
        return false;
    if (strcmp(rule.what, "insecureAcceptAnything") == 0)
        rule.kind = RULE_ACCEPT;
    else if (strcmp(rule.what, "reject") == 0)
        rule.kind = RULE_REJECT;
    else if (strcmp(rule.what, "sigstoreSigned") == 0)
        is_read = read_sigstore(policy, json, &rule, err);
    else if (strcmp(rule.what, "signedBy") != 0)
        return fail(policy, err, arena_printf(policy->arena, "unknown type \"%s\"", rule.what));
    if (is_read)
        list_add(policy->arena, &policy->rules->items, rule);
    return is_read;
}

/* --- scopes --- */

/* The requirements of the most specific scope: the image, its repository, the namespaces above, the host, *.domain, "". */
static const json_t *find_scope(const struct policy *policy, const json_t *scopes, const struct reference *reference)
{
    struct arena *arena = policy->arena;
    char *scope = arena_printf(arena, "%s/%s", reference->host, reference->repository);
    const json_t *found = NULL;
    if (reference->tag && !reference->has_digest) {
        policy->rules->scope = arena_printf(arena, "%s:%s", scope, reference->tag);
        found = json_object_get(scopes, policy->rules->scope);
    } else if (reference->has_digest) {
        policy->rules->scope = arena_printf(arena, "%s@sha256:%s", scope, digest_hex(&reference->digest).chars);
        found = json_object_get(scopes, policy->rules->scope);
    }
    while (!found) {
        policy->rules->scope = arena_strdup(arena, scope);
        found = json_object_get(scopes, scope);
        char *slash = strrchr(scope, '/');
        if (found || !slash)
            break;
        *slash = '\0';
    }
    const char *domain = arena_strndup(arena, reference->host, strcspn(reference->host, ":")); /* without the port */
    for (const char *dot = strchr(domain, '.'); !found && dot; dot = strchr(dot + 1, '.')) {
        policy->rules->scope = arena_printf(arena, "*%s", dot);
        found = json_object_get(scopes, policy->rules->scope);
    }
    if (!found) {
        policy->rules->scope = "docker";
        found = json_object_get(scopes, "");
    }
    return found;
}

static bool read_policy(const struct policy *policy, const json_t *json, const struct reference *reference,
                        struct err *err)
{
    static const char *const keys[] = {"default", "transports"};
    size_t i;
    const json_t *item;
    if (!check_keys(policy, json, keys, ARRAY_COUNT(keys), err))
        return false;
    const json_t *docker = json_object_get(json_object_get(json, "transports"), "docker");
    const json_t *found = docker ? find_scope(policy, docker, reference) : NULL;
    if (!found) {
        policy->rules->scope = "default";
        found = json_object_get(json, "default");
    }
    if (json_array_size(found) == 0)
        return fail(policy, err, arena_printf(policy->arena, "\"%s\" has no requirements", policy->rules->scope));
    if (json_array_size(found) > RULES_MAX_COUNT)
        return fail(policy, err, "too many requirements");
    json_array_foreach((json_t *)found, i, item)
    {
        if (!read_requirement(policy, item, err))
            return false;
    }
    return true;
}

const char *policy_standard(struct arena *arena)
{
    const char *named = getenv("CONTAINERS_POLICY_JSON"), *home = getenv("HOME"), *own = getenv("XDG_CONFIG_HOME");
    const char *const places[] = {
        own && own[0] == '/' ? arena_printf(arena, "%s/containers/policy.json", own) : NULL,
        home && home[0] == '/' ? arena_printf(arena, "%s/.config/containers/policy.json", home) : NULL,
        "/etc/containers/policy.json", "/usr/share/containers/policy.json"};
    if (named && *named)
        return arena_strdup(arena, named);
    for (size_t i = 0; i < ARRAY_COUNT(places); i++) {
        if (places[i] && faccessat(AT_FDCWD, places[i], F_OK, 0) == 0)
            return places[i];
    }
    return NULL;
}

bool policy_read(struct rules *rules, struct arena *arena, const char *path, const struct reference *reference,
                 struct err *err)
{
    AUTO(buf_done) struct buf bytes = {0};
    struct policy policy = {rules, arena, arena_strdup(arena, path)};
    rules->path = policy.path;
    json_error_t place;
    if (!file_read_at(AT_FDCWD, path, RULE_POLICY_MAX_BYTES, &bytes, err)) {
        err->kind = ERR_USAGE;
        return false;
    }
    json_auto_t *json = json_loadb(bytes.bytes ? bytes.bytes : "", bytes.len, JSON_REJECT_DUPLICATES, &place);
    if (!json) {
        err_set(err, ERR_USAGE, "%s:%d:%d: is no policy: %s", path, place.line, place.column, place.text);
        return false;
    }
    return read_policy(&policy, json, reference, err);
}
