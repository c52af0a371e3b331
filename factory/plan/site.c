/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/site.h"
#include "base/units.h"
#include "plan/layer_plan.h"
#include "plan/packing.h"
#include "plan/rules.h"
#include "plan/site_values.h"
#include "plan/together.h"

#include <errno.h>
#include <stdlib.h>

#define CONNECTIONS_MAX 64 /* as --max-connections */
#define JOBS_MAX 256       /* as --jobs and --retries */
#define RETRIES_MAX 20

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"

/* What the file says, and the nodes for messages. */
struct site_form {
    struct site site;
    bool is_tls_verified, is_confined;
    struct strings arches;
    const char *timeout, *sync_wait, *cache_limit, *max_rate, *jitter, *keep, *history;
    const struct yaml_node *tags, *images, *root;
};

#define FIELD(type, key, member, alters) YAML_FIELD(type, site_form, key, member, false, alters)

static const struct yaml_field fields[] = {
    FIELD(YAML_STRING, "registry", site.registry, ALTERS_NOTHING),
    FIELD(YAML_STRING, "namespace", site.namespace, ALTERS_NOTHING),
    FIELD(YAML_NODE, "tags", tags, ALTERS_NOTHING),
    FIELD(YAML_STRING, "keep", keep, ALTERS_NOTHING),
    FIELD(YAML_BOOL, "prune", site.is_pruned, ALTERS_NOTHING),
    FIELD(YAML_BOOL, "keep-existing-tags", site.are_tags_kept, ALTERS_NOTHING),
    FIELD(YAML_BOOL, "push", site.is_push, ALTERS_NOTHING),
    FIELD(YAML_BOOL, "tls-verify", is_tls_verified, ALTERS_NOTHING),
    FIELD(YAML_STRING, "authfile", site.authfile, ALTERS_NOTHING),
    FIELD(YAML_STRINGS, "token-origins", site.token_origins, ALTERS_NOTHING),
    FIELD(YAML_STRINGS, "arch", arches, ALTERS_ORDER),
    FIELD(YAML_STRING, "source", site.source, ALTERS_ORDER),
    FIELD(YAML_STRING, "output", site.output, ALTERS_NOTHING),
    FIELD(YAML_STRING, "compression", site.compression, ALTERS_INPUTS),
    FIELD(YAML_STRING, "layers", site.layers, ALTERS_INPUTS),
    FIELD(YAML_NUMBER, "jobs", site.jobs, ALTERS_NOTHING),
    FIELD(YAML_NUMBER, "retries", site.retries, ALTERS_NOTHING),
    FIELD(YAML_BOOL, "strict", site.is_strict, ALTERS_INPUTS),
    FIELD(YAML_BOOL, "allow-older", site.is_older_fine, ALTERS_INPUTS),
    FIELD(YAML_BOOL, "confine", is_confined, ALTERS_NOTHING),
    FIELD(YAML_STRING, "timeout", timeout, ALTERS_NOTHING),
    FIELD(YAML_STRING, "sync-wait", sync_wait, ALTERS_NOTHING),
    FIELD(YAML_STRING, "cache-limit", cache_limit, ALTERS_NOTHING),
    FIELD(YAML_STRING, "cache-from", site.cache_from, ALTERS_NOTHING),
    FIELD(YAML_STRING, "max-rate", max_rate, ALTERS_NOTHING),
    FIELD(YAML_NUMBER, "max-connections", site.max_connections, ALTERS_NOTHING),
    FIELD(YAML_STRING, "jitter", jitter, ALTERS_NOTHING),
    FIELD(YAML_NODE, "images", images, ALTERS_ORDER),
    FIELD(YAML_STRING, "if-running", site.if_running, ALTERS_NOTHING),
    FIELD(YAML_STRING, "parity", site.parity, ALTERS_NOTHING),
    FIELD(YAML_STRING, "on-missing", site.on_missing, ALTERS_NOTHING),
    FIELD(YAML_STRING, "status", site.status, ALTERS_NOTHING),
    FIELD(YAML_STRING, "report", site.report, ALTERS_NOTHING),
    FIELD(YAML_STRING, "history", history, ALTERS_NOTHING),
    FIELD(YAML_STRINGS, "sign", site.sign, ALTERS_NOTHING),
    FIELD(YAML_STRINGS, "attest", site.attest, ALTERS_NOTHING),
    FIELD(YAML_STRING, "builder", site.builder, ALTERS_NOTHING),
    FIELD(YAML_STRINGS, "trackers", site.trackers, ALTERS_NOTHING),
};

const struct yaml_field *site_keys(size_t *ret_count)
{
    *ret_count = ARRAY_COUNT(fields);
    return fields;
}

/* HOST[:PORT], in lower case; whether the host makes sense in full is checked when an image's name is made of it. */
static bool is_host(const char *host)
{
    const char *end = host;
    if (*host == '[') {
        end += 1 + strspn(host + 1, DIGITS "abcdef:");
        if (*end++ != ']')
            return false;
    } else {
        end += strspn(host, LOWER DIGITS ".-");
    }
    uint64_t port = 1;
    bool is_port_good = *end == '\0' || (*end == ':' && text_parse_u64(text_of(end + 1), &port));
    return end > host && is_port_good && port > 0 && port <= 65535 && !strchr(".-", host[0]);
}

static const char *why_not_registry(const char *registry)
{
    if (!is_host(registry))
        return "is not a registry: HOST[:PORT], such as quay.io, without https:// and path";
    if (!strpbrk(registry, ".:") && strcmp(registry, "localhost") != 0)
        return "is not a registry: its host has no '.'";
    return NULL;
}

const char *site_why_not_origin(const char *origin)
{
    static const char *const local[] = {"http://127.", "http://localhost", "http://[::1]"};
    bool is_local = false;
    for (size_t i = 0; i < ARRAY_COUNT(local); i++)
        is_local = is_local || strncmp(origin, local[i], strlen(local[i])) == 0;
    const char *host = strstr(origin, "://");
    bool is_https = strncmp(origin, "https://", 8) == 0;
    /* Plain http is for a token service on this very machine only. */
    return (is_https || is_local) && is_host(host + 3) ? NULL : "is not an origin: https://HOST[:PORT]";
}

const char *site_why_not_if_running(const char *word)
{
    return strcmp(word, "wait") == 0 || strcmp(word, "end") == 0 ? NULL : "is neither wait nor end";
}

/* Names as images have them, between slashes. */
static const char *why_not_namespace(struct arena *arena, const char *namespace)
{
    struct text rest = text_of(namespace), part;
    size_t len = rest.len;
    bool is_good = len && namespace[len - 1] != '/';
    while (is_good && text_next(&rest, '/', &part))
        is_good = rule_is_image_name(text_dup(arena, part));
    return is_good ? NULL : "is not a namespace: [a-z0-9]+([._-][a-z0-9]+)*, with '/' between several";
}

static bool check_lists(struct arena *arena, const struct site_form *form, struct err *err)
{
    const struct site *site = &form->site;
    const struct yaml_node *origins = yaml_get(form->root, "token-origins");
    if (!site_values_check_tags(arena, form->tags, &site->tags, err))
        return false;
    for (size_t i = 0; i < site->token_origins.count; i++) {
        const char *origin = site->token_origins.items[i], *why = site_why_not_origin(origin);
        if (why)
            return site_values_fail(arena, yaml_item(origins, i), origin, why, err);
    }
    return true;
}

static bool check_filled(const struct site_form *form, struct err *err)
{
    static const char *const keys[] = {"authfile", "arch", "source", "output", "status", "report"};
    for (size_t i = 0; i < ARRAY_COUNT(keys); i++) {
        if (!site_values_check_filled(form->root, keys[i], err))
            return false;
    }
    return true;
}

static bool check_number(const struct site_form *form, const char *key, uint64_t value, uint64_t least, uint64_t most,
                         struct err *err)
{
    const struct yaml_node *node = yaml_get(form->root, key);
    if (!node || (value >= least && value <= most))
        return true;
    return yaml_fail(node, err, "'%s' must be from %ju to %ju", key, (uintmax_t)least, (uintmax_t)most);
}

/* Reads the values that have units. */
static bool read_units(struct arena *arena, struct site_form *form, struct err *err)
{
    struct site *site = &form->site;
    site->has_cache_limit = form->cache_limit != NULL;
    if (form->timeout && !(units_parse_duration(text_of(form->timeout), &site->timeout_ms) && site->timeout_ms > 0))
        return site_values_fail(arena, yaml_get(form->root, "timeout"), form->timeout,
                                "is not a duration with its unit: 90s, 10m, 2h", err);
    site->has_sync_wait = form->sync_wait != NULL;
    if (form->sync_wait && strcmp(form->sync_wait, "0") != 0 &&
        !units_parse_duration(text_of(form->sync_wait), &site->sync_wait_ms))
        return site_values_fail(arena, yaml_get(form->root, "sync-wait"), form->sync_wait,
                                "is not 0 or a duration with its unit: 90s, 10m", err);
    if (form->cache_limit && !units_parse_size(text_of(form->cache_limit), &site->cache_limit))
        return site_values_fail(arena, yaml_get(form->root, "cache-limit"), form->cache_limit,
                                "is not a size with its unit: 500M, 8G, none", err);
    if (form->max_rate &&
        !(units_parse_size(text_of(form->max_rate), &site->max_rate) && site->max_rate >= SITE_RATE_LEAST))
        return site_values_fail(arena, yaml_get(form->root, "max-rate"), form->max_rate,
                                "is not 32K a second or more, with its unit: 500K, 20M, none", err);
    if (form->jitter && !(units_parse_duration(text_of(form->jitter), &site->jitter_ms) && site->jitter_ms > 0))
        return site_values_fail(arena, yaml_get(form->root, "jitter"), form->jitter,
                                "is not a duration with its unit: 90s, 5m", err);
    return true;
}

static bool check(struct arena *arena, const struct site_form *form, struct err *err)
{
    const struct site *site = &form->site;
    const struct yaml_node *registry = yaml_get(form->root, "registry"), *namespace = yaml_get(form->root, "namespace");
    const struct yaml_node *compression = yaml_get(form->root, "compression");
    enum packing packing;
    size_t layers;
    const char *why = registry ? why_not_registry(site->registry) : NULL;
    if (why)
        return site_values_fail(arena, registry, site->registry, why, err);
    if (namespace && !registry)
        return yaml_fail(namespace, err, "'namespace' wants a 'registry' beside it");
    why = namespace ? why_not_namespace(arena, site->namespace) : NULL;
    if (why)
        return site_values_fail(arena, namespace, site->namespace, why, err);
    if (compression && !packing_parse(site->compression, &packing))
        return site_values_fail(arena, compression, site->compression, "is not a compression: " PACKING_WORDS, err);
    if (site->layers && !layers_parse(site->layers, &layers))
        return site_values_fail(arena, yaml_get(form->root, "layers"), site->layers, "is not " LAYERS_WORDS, err);
    if (site->if_running && site_why_not_if_running(site->if_running))
        return site_values_fail(arena, yaml_get(form->root, "if-running"), site->if_running,
                                site_why_not_if_running(site->if_running), err);
    if (form->history && strcmp(form->history, "registry") != 0 && strcmp(form->history, "local") != 0)
        return site_values_fail(arena, yaml_get(form->root, "history"), form->history, "is neither local nor registry",
                                err);
    return site_values_check_together(arena, form->root, site->parity, site->on_missing, err) &&
           check_filled(form, err) && check_lists(arena, form, err) &&
           check_number(form, "jobs", site->jobs, 1, JOBS_MAX, err) &&
           check_number(form, "max-connections", site->max_connections, 1, CONNECTIONS_MAX, err) &&
           check_number(form, "retries", site->retries, 0, RETRIES_MAX, err);
}

/* Makes a path of the file's absolute or relative to where the file is. */
static void make_relative(struct arena *arena, const char *file, const char **path)
{
    *path = *path ? site_values_beside(arena, file, *path) : NULL;
}

/* Reads how long digests stay. Nothing is deleted by a rule that nobody wrote. */
static bool read_keeps(struct arena *arena, struct site_form *form, struct err *err)
{
    struct site *site = &form->site;
    if ((form->tags && !tag_rules_read(arena, form->tags, &site->tags, &site->tag_rules, err)) ||
        !tag_keep_read(arena, yaml_get(form->root, "keep"), &site->keep, err))
        return false;
    return true;
}

static bool check_prune(const struct site_form *form, struct err *err)
{
    const struct site *site = &form->site;
    bool has_keep = site->keep.kind != KEEP_UNSAID;
    for (size_t i = 0; i < site->tag_rules.count; i++)
        has_keep = has_keep || site->tag_rules.items[i].keep.kind != KEEP_UNSAID;
    for (size_t i = 0; i < site->images.count; i++)
        has_keep = has_keep || site_image_has_keep(&site->images.items[i]);
    return !site->is_pruned || has_keep ||
           yaml_fail(yaml_get(form->root, "prune"), err,
                     "'prune' wants a 'keep' that says what goes, such as keep: 30d in the site file");
}

/* Words that people bring along, which are near to none of the keys, and what is to be written. */
static const struct {
    const char *word, *instead;
} strangers[] = {
    {"repository", "'registry' (quay.io) and 'namespace' (me)"},
    {"services", "'images'"},
    {"manifests", "'images'"},
    {"names", "'images'"},
    {"insecure", "'tls-verify: false'"},
    {"schedule", "a timer: `imgfactory unit --format timer`"},
};

/* Refuses what an image has and the file has not, and words of elsewhere. */
static bool check_strangers(const struct yaml_node *root, struct err *err)
{
    const struct yaml_table mine = {.fields = fields, .count = ARRAY_COUNT(fields)};
    for (size_t i = 0; root->kind == YAML_MAPPING && i < root->count; i++) {
        const struct yaml_node *key = root->keys[i];
        if (yaml_has_field(&mine, key->scalar))
            continue;
        for (size_t j = 0; j < ARRAY_COUNT(strangers); j++) {
            if (strcmp(key->scalar, strangers[j].word) == 0)
                return yaml_fail(key, err, "unknown key '%s'; did you mean %s?", key->scalar, strangers[j].instead);
        }
        if (strcmp(key->scalar, "base") == 0 || strcmp(key->scalar, "end-of-life") == 0)
            return yaml_fail(key, err, "unknown key '%s'; did you mean that of an image, below 'images:'?",
                             key->scalar);
    }
    const struct yaml_node *push = root->kind == YAML_MAPPING ? yaml_get(root, "push") : NULL;
    return !push || push->kind != YAML_SCALAR || !strchr(push->scalar, '/') ||
           yaml_fail(push, err,
                     "'push' wants true or false; 'registry' and 'namespace' say where to, or 'push' of an image");
}

static bool read_site(struct arena *arena, const struct yaml_file *file, struct site *ret_site, struct err *err)
{
    struct site_form form = {
        .site = {.path = file->path, .is_push = true}, .is_tls_verified = true, .is_confined = true};
    form.root = file->root;
    if (form.root &&
        (!check_strangers(form.root, err) || !yaml_read(arena, form.root, fields, ARRAY_COUNT(fields), &form, err) ||
         !read_keeps(arena, &form, err) || !check(arena, &form, err) || !read_units(arena, &form, err) ||
         (form.images && !site_image_read(arena, form.images, &form.site.images, err)) || !check_prune(&form, err)))
        return false;
    struct site *site = &form.site;
    site->root = form.root;
    site->has_push = form.root && yaml_get(form.root, "push");
    site->has_retries = form.root && yaml_get(form.root, "retries");
    site->is_tls_verify_off = !form.is_tls_verified;
    site->is_unconfined = !form.is_confined;
    site->is_history_pushed = form.history && strcmp(form.history, "registry") == 0;
    site->arch = form.arches.count ? strings_join(arena, &form.arches, ",") : NULL;
    make_relative(arena, file->path, &site->authfile);
    if (site->source && yaml_is_path(site->source))
        make_relative(arena, file->path, &site->source);
    make_relative(arena, file->path, &site->output);
    make_relative(arena, file->path, &site->report);
    make_relative(arena, file->path, &site->cache_from);
    for (size_t i = 0; i < site->sign.count; i++)
        make_relative(arena, file->path, &site->sign.items[i]);
    for (size_t i = 0; i < site->trackers.count; i++)
        make_relative(arena, file->path, &site->trackers.items[i]);
    *ret_site = *site;
    return true;
}

static struct strings standard_files(struct arena *arena)
{
    struct strings paths = {0};
    const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
    list_add(arena, &paths, "imgfactory.yaml");
    if (config && config[0] == '/')
        list_add(arena, &paths, arena_printf(arena, "%s/imgfactory/imgfactory.yaml", config));
    else if (home && home[0] == '/')
        list_add(arena, &paths, arena_printf(arena, "%s/.config/imgfactory/imgfactory.yaml", home));
    list_add(arena, &paths, "/etc/imgfactory/imgfactory.yaml");
    return paths;
}

const char *site_destination(struct arena *arena, const struct site *site, const char *name)
{
    const char *namespace = site->namespace ? site->namespace : "";
    return site->registry
               ? arena_printf(arena, "%s/%s%s%s", site->registry, namespace, site->namespace ? "/" : "", name)
               : NULL;
}

const char *site_place(struct arena *arena, const struct site *site, const struct site_image *own,
                       const char *of_manifest, const char *name)
{
    const char *place = site_image_push(arena, own, name);
    return place ? place : of_manifest ? of_manifest : site_destination(arena, site, name);
}

bool site_is_pushed(const struct site *site, const struct site_image *own)
{
    return own && own->has_push ? own->is_push : !site->has_push || site->is_push;
}

bool site_load(struct arena *arena, const char *config, struct site *ret_site, struct err *err)
{
    struct yaml_file *file;
    struct strings paths = {0};
    *ret_site = (struct site){.is_push = true};
    if (config)
        return yaml_load(arena, config, &file, err) && read_site(arena, file, ret_site, err);
    paths = standard_files(arena);
    for (size_t i = 0; i < paths.count; i++) {
        if (yaml_load(arena, paths.items[i], &file, err))
            return read_site(arena, file, ret_site, err);
        if (err->detail != ENOENT && err->detail != ENOTDIR)
            return false;
        err_clear(err);
    }
    return true;
}
