/* SPDX-License-Identifier: Apache-2.0 */
#include "line/standing.h"

#include "base/auto.h"
#include "ground/ground_layers.h"
#include "line/base_rules.h"
#include "oci/layout.h"
#include "oci/platforms.h"
#include "package/path.h"
#include "registry/pull.h"
#include "registry/registry_shared.h"

#define SEEN_KIND "base-seen" /* what a reference's tag was at last */

/* A base that several orders stand on. */
struct shared_standing {
    struct shared_standing *next;
    struct arena arena;
    const char *name;
    struct layout_image image; /* blobs_fd -1: its layers come from the registry, or are in the store */
    struct registry *registry; /* NULL: of a layout */
    bool has_moved;
    struct digest before;
    LIST(struct digest) allowed; /* manifests whose signatures were looked at; guarded by the plant's lock */
};

struct question {
    struct plant *plant;
    const struct manifest *manifest;
    struct shared_standing *shared;
};

/* A base may lack platforms that nobody asks for. */
static const struct layout_wanted all_there = {.is_sparse_fine = true};

/* --- a base of a registry --- */

/* "HEX SIZE TYPE" of a root document. */
static struct digest seen_key(struct arena *arena, const struct reference *reference)
{
    const char *name = reference_print(arena, reference);
    return digest_of(name, strlen(name));
}

static bool read_seen(struct store *store, struct arena *arena, const struct reference *reference,
                      struct layout_blob *ret_root)
{
    AUTO(view_done) struct view view = {0};
    struct digest key = seen_key(arena, reference);
    struct err ignored = {0};
    struct text rest, hex, size;
    bool is_found;
    if (!store_map_derived(store, SEEN_KIND, &key, &view, &is_found, &ignored) || !is_found)
        return false;
    rest = (struct text){view.ptr, view.len};
    if (!text_next(&rest, ' ', &hex) || !text_next(&rest, ' ', &size) || !digest_parse(hex, &ret_root->digest) ||
        !text_parse_u64(size, &ret_root->size_bytes))
        return false;
    ret_root->media_type = text_dup(arena, rest);
    return true;
}

static void note_seen(struct store *store, struct arena *arena, const struct reference *reference,
                      const struct layout_blob *root)
{
    AUTO(blob_abandon) struct blob blob = {0};
    struct digest key = seen_key(arena, reference);
    struct err ignored = {0};
    const char *text = arena_printf(arena, "%s %ju %s", digest_hex(&root->digest).chars, (uintmax_t)root->size_bytes,
                                    root->media_type);
    if (blob_begin(store, &blob, &ignored) && blob_write(&blob, text, strlen(text), &ignored))
        (void)!blob_commit_derived(&blob, SEEN_KIND, &key, &ignored);
}

static bool read_cached(const struct question *question, const struct reference *reference, bool is_seen,
                        const struct layout_blob *seen, struct err *err)
{
    struct shared_standing *shared = question->shared;
    if (is_seen && (!reference->has_digest || digest_eq(&seen->digest, &reference->digest)))
        return pull_kept(question->plant->store, &shared->arena, seen, &shared->image, err);
    err_set(err, ERR_LOCAL, "it is not in the cache, and --cache-only asks no registry");
    return false;
}

/* Reads what a lock says that the name meant, whatever it means now. */
static bool read_pinned(const struct question *question, const struct reference *named, const struct digest *pinned,
                        struct err *err)
{
    struct shared_standing *shared = question->shared;
    struct plant *plant = question->plant;
    struct reference reference = *named;
    struct layout_blob seen;
    struct pull_means means = {.options = plant->options->registry, .http = plant->http, .store = plant->store};
    struct pull_request request = {.reference = &reference, .wanted = &all_there};
    bool is_seen = read_seen(plant->store, &shared->arena, named, &seen);
    reference.has_digest = true;
    reference.digest = *pinned;
    if (plant->options->is_cache_only)
        return read_cached(question, &reference, is_seen, &seen, err);
    return pull_image(&means, &shared->arena, &request, &shared->registry, &shared->image, err);
}

static bool read_registry(const struct question *question, struct err *err)
{
    struct shared_standing *shared = question->shared;
    struct plant *plant = question->plant;
    struct arena *arena = &shared->arena;
    struct reference reference;
    struct layout_blob seen;
    struct pull_means means = {.options = plant->options->registry, .http = plant->http, .store = plant->store};
    struct pull_request request = {.reference = &reference, .wanted = &all_there};
    if (!reference_parse(arena, question->manifest->base, true, &reference, err))
        return false;
    shared->name = reference_print(arena, &reference);
    const struct digest *pinned = pins_base(plant->options->pins, question->manifest->base);
    if (pinned)
        return read_pinned(question, &reference, pinned, err);
    bool is_seen = read_seen(plant->store, arena, &reference, &seen);
    if (plant->options->is_cache_only)
        return read_cached(question, &reference, is_seen, &seen, err);
    if (!pull_image(&means, arena, &request, &shared->registry, &shared->image, err))
        return false;
    const struct layout_blob *root = &shared->image.root;
    bool is_same = is_seen && digest_eq(&seen.digest, &root->digest);
    shared->has_moved = is_seen && !is_same;
    shared->before = seen.digest;
    if (shared->has_moved)
        log_line(plant->log, LOG_NORMAL, "base %s has moved from sha256:%s to sha256:%s", shared->name,
                 digest_hex(&seen.digest).chars, digest_hex(&root->digest).chars);
    if (!is_same)
        note_seen(plant->store, arena, &reference, root);
    return true;
}

/* --- a base of a layout --- */

const char *standing_layout(struct arena *arena, const struct manifest *manifest, const char **ret_tag)
{
    const char *path = manifest->base, *file = manifest->path, *slash = strrchr(file, '/');
    path += strncmp(path, "oci:", 4) == 0 ? 4 : 0;
    if (path[0] != '/' && slash)
        path = arena_printf(arena, "%.*s/%s", (int)(slash - file), file, path);
    (void)layout_split(arena, path, &path, ret_tag);
    return path;
}

static bool read_layout(const struct question *question, struct err *err)
{
    struct shared_standing *shared = question->shared;
    struct arena *arena = &shared->arena;
    const char *tag, *path = standing_layout(arena, question->manifest, &tag);
    struct layout_choice choice = {
        .dir = path, .tag = tag, .wait = question->plant->options->wait, .wanted = &all_there};
    if (!layout_image_open(arena, &choice, &shared->image, err))
        return false;
    const char *shown = tag ? tag : shared->image.tag; /* no folder of this machine: the image goes elsewhere */
    size_t len = strlen(path);
    while (len > 1 && path[len - 1] == '/')
        len--;
    const char *name = path_basename(arena_strndup(arena, path, len));
    shared->name = shown ? arena_printf(arena, "%s:%s", name, shown) : name;
    return true;
}

static bool read_shared(void *argument, void **ret_result, struct err *err)
{
    struct question *question = argument;
    struct plant *plant = question->plant;
    pthread_mutex_lock(&plant->lock);
    struct shared_standing *shared = arena_new(&plant->arena, struct shared_standing);
    shared->image.blobs_fd = -1;
    shared->next = plant->opened_bases;
    plant->opened_bases = shared;
    pthread_mutex_unlock(&plant->lock);
    question->shared = shared;
    bool is_layout_path = manifest_base_is_layout(question->manifest->base);
    *ret_result = shared;
    return is_layout_path ? read_layout(question, err) : read_registry(question, err);
}

void standing_close_all(struct plant *plant)
{
    for (struct shared_standing *shared = plant->opened_bases; shared; shared = shared->next) {
        layout_image_close(&shared->image);
        registry_close(shared->registry);
        arena_done(&shared->arena);
    }
    plant->opened_bases = NULL;
}

/* --- its platform --- */

static bool is_same(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "") == 0;
}

/* Returns whether a manifest runs on the architecture; a variant that one of the two does not tell is no difference. */
static bool is_for(const struct layout_manifest *manifest, const struct arch *arch)
{
    if (manifest->unread == LAYOUT_OTHER || manifest->is_attestation)
        return false;
    return is_same(manifest->os, arch->oci_os) && is_same(manifest->architecture, arch->oci_architecture) &&
           (!manifest->variant || !arch->oci_variant || is_same(manifest->variant, arch->oci_variant));
}

/* An index may lie about what its manifests are for; the first that is for the architecture is what engines take. */
static const struct layout_manifest *find_platform(struct arena *arena, const struct shared_standing *shared,
                                                   const struct arch *arch, struct err *err)
{
    struct platforms platforms = {0};
    for (size_t i = 0; i < shared->image.manifests.count; i++) {
        const struct layout_manifest *manifest = &shared->image.manifests.items[i];
        if (!is_for(manifest, arch))
            continue;
        if (manifest->unread == LAYOUT_READ)
            return manifest;
        err_set(err, ERR_MALFORMED, "its manifest for %s/%s, sha256:%s, is not there", arch->oci_os,
                arch->oci_architecture, digest_hex(&manifest->blob.digest).chars);
        return NULL;
    }
    platforms_of_image(arena, &shared->image, &platforms);
    err_set(err, ERR_RESOLVE, "it has nothing for %s/%s%s%s; it is for %s", arch->oci_os, arch->oci_architecture,
            arch->oci_variant ? "/" : "", arch->oci_variant ? arch->oci_variant : "",
            platforms.count ? platforms_print(arena, &platforms) : "no platform that is known");
    return NULL;
}

/* Tells the registry's other repositories where these layers are: a push mounts them from there. */
static void tell_where(const struct standing *standing)
{
    for (size_t i = 0; standing->shared->registry && i < standing->base.layers.count; i++)
        registry_shared_settle(standing->shared->registry, &standing->base.layers.items[i].blob.digest, true);
}

/* Whether a platform of it is signed as the machine's policy wants it: looked at once. */
static bool is_allowed(const struct question *question, struct shared_standing *shared, const struct digest *digest,
                       struct err *err)
{
    struct plant *plant = question->plant;
    const struct base_rule *rule = base_rules_find(plant->options->base_rules, question->manifest->base);
    AUTO(arena_done) struct arena scratch = {0};
    const char *why;
    bool is_known = !rule;
    pthread_mutex_lock(&plant->lock);
    for (size_t i = 0; i < shared->allowed.count && !is_known; i++)
        is_known = digest_eq(&shared->allowed.items[i], digest);
    pthread_mutex_unlock(&plant->lock);
    if (is_known)
        return true;
    if (!shared->registry) {
        err_set(err, ERR_LOCAL,
                "%s wants signatures of it, and --cache-only asks no registry for them (--no-policy goes without)",
                rule->rules.path);
        return false;
    }
    if (!rules_judge(&rule->rules, shared->registry, &scratch, &rule->reference, digest, &why, err))
        return false;
    if (why) {
        err_set(err, ERR_TRUST, "sha256:%s: %s; so %s wants it for %s (--no-policy goes without)",
                digest_hex(digest).chars, why, rule->rules.path, rule->rules.scope);
        return false;
    }
    pthread_mutex_lock(&plant->lock);
    list_add(&shared->arena, &shared->allowed, *digest);
    pthread_mutex_unlock(&plant->lock);
    return true;
}

static bool find_shared(struct question *question, struct arena *arena, const struct arch *arch,
                        struct standing *standing, struct err *err)
{
    void *result;
    const char *base = question->manifest->base;
    /* of a relative path the manifest's folder is part of the name */
    const char *key =
        manifest_base_is_layout(base) ? arena_printf(arena, "%s %s", question->manifest->path, base) : base;
    if (!flight_get(question->plant->bases, key, read_shared, question, &result, err))
        return false;
    struct shared_standing *shared = result;
    const struct layout_manifest *manifest = find_platform(arena, shared, arch, err);
    if (!manifest || !is_allowed(question, shared, &manifest->blob.digest, err) ||
        !ground_layers_of(arena, shared->name, manifest, &standing->base.layers, err))
        return false;
    standing->base.name = shared->name;
    standing->base.digest = shared->image.root.digest;
    standing->base.config = manifest->config_bytes;
    standing->manifest = manifest->blob.digest;
    standing->is_unsigned = true;
    standing->has_moved = shared->has_moved;
    standing->before = shared->before;
    standing->described = manifest;
    standing->shared = shared;
    tell_where(standing);
    return true;
}

/* Layers of an image of this run: those that it stands on, and its own. */
static bool take_made(struct arena *arena, const struct made_base *made, struct standing *standing, struct err *err)
{
    if (!made->is_built) {
        *err = made->err; /* with the lines that it has */
        err_wrap(err, "its base failed");
        return false;
    }
    const struct image *image = made->image;
    for (size_t i = 0; image->base && i < image->base->layers.count; i++)
        list_add(arena, &standing->base.layers, image->base->layers.items[i]);
    for (size_t i = 0; i < image->layers.count; i++) {
        const struct layer *layer = &image->layers.items[i];
        struct base_layer below = {.diff_id = layer->diff_id, .toc = &layer->toc};
        below.blob = (struct layout_blob){layer->digest, layer->size_bytes, layer_media_type(layer->compression)};
        list_add(arena, &standing->base.layers, below);
    }
    standing->base.name = made->name;
    standing->base.digest = image->manifest.digest; /* the same whatever other architectures the run is for */
    standing->base.index = made->digest;
    standing->base.config = (struct text){image->config.bytes, image->config.len};
    standing->manifest = image->manifest.digest;
    return true;
}

bool standing_find(struct plant *plant, struct arena *arena, const struct manifest *manifest, const struct arch *arch,
                   const struct made_base *made, struct standing *ret_standing, struct err *err)
{
    struct question question = {.plant = plant, .manifest = manifest};
    *ret_standing = (struct standing){.written = manifest->base};
    if (made)
        return take_made(arena, made, ret_standing, err);
    if (find_shared(&question, arena, arch, ret_standing, err))
        return true;
    err_wrap(err, "base %s", manifest->base);
    return false;
}

/* --- its layers --- */

static bool bring_layers(struct plant *plant, const struct standing *standing, struct err *err)
{
    const struct shared_standing *shared = standing->shared;
    if (shared->image.blobs_fd < 0 && !shared->registry) {
        err_set(err, ERR_LOCAL, "its layers are not in the cache, and --cache-only asks no registry");
        return false;
    }
    if (shared->registry) {
        struct layout_manifest platform = *standing->described;
        struct layout_image one = {.blobs_fd = -1, .manifests = {&platform, 1, 1}};
        return pull_layers(shared->registry, plant->store, &one, NULL, err);
    }
    for (size_t i = 0; i < standing->described->layers.count; i++) {
        const struct layout_blob *blob = &standing->described->layers.items[i];
        if (!layout_blob_keep(&shared->image, blob, plant->store, err))
            return false;
    }
    return true;
}

bool standing_fetch(struct plant *plant, const struct standing *standing, struct err *err)
{
    bool has_all = true;
    for (size_t i = 0; i < standing->base.layers.count; i++) {
        const struct layout_blob *blob = &standing->base.layers.items[i].blob;
        has_all = has_all && store_has_blob(plant->store, &blob->digest, blob->size_bytes);
    }
    if (has_all || !standing->shared || bring_layers(plant, standing, err))
        return true;
    err_wrap(err, "base %s", standing->written);
    return false;
}

bool standing_open(struct plant *plant, const struct standing *standing, struct ground *ret_ground, struct err *err)
{
    const char *name = standing->base.name ? standing->base.name : standing->written;
    AUTO(arena_done) struct arena scratch = {0};
    return ground_open(plant->store, arena_printf(&scratch, "base %s", name), &standing->base.layers, ret_ground, err);
}
