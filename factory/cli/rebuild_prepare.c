/* SPDX-License-Identifier: Apache-2.0 */
/* The lock, a source made of it where the image was made of the host's, and the options of the build. */
#include "cli/rebuild_parts.h"

#include "base/auto.h"
#include "cli/places.h"
#include "cli/wanted.h"
#include "io/file.h"
#include "line/names.h"
#include "oci/oci.h"
#include "plan/layer_plan.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEYS_MAX ((size_t)256)

static bool write_file(const char *dir, const char *name, struct text text, struct err *err)
{
    AUTO(auto_close_fd) int fd = -1;
    return file_open_dir(dir, &fd, err) && file_write_atomic_at(fd, name, text.ptr, text.len, 0600, false, err);
}

/* --- a source --- */

/* The components of a Debian repository, by the paths of what it lists. */
static json_t *components_of(const struct lock *lock, const struct lock_source *source)
{
    json_t *list = json_array(), *known = json_object();
    for (size_t i = 0; i < lock->indices.count; i++) {
        const struct lock_index *index = &lock->indices.items[i];
        const char *end = strstr(index->path, "/binary-");
        if (!end || strcmp(index->uri, source->uri) != 0 || strcmp(index->suite, source->suite) != 0)
            continue;
        json_t *name = json_stringn(index->path, (size_t)(end - index->path));
        if (name && !json_object_get(known, json_string_value(name))) {
            json_object_set_new(known, json_string_value(name), json_true());
            json_array_append(list, name);
        }
        json_decref(name);
    }
    if (!json_array_size(list) && !text_has_suffix(text_of(source->suite), "/"))
        json_array_append_new(list, json_string("main"));
    json_decref(known);
    return list;
}

/* The public keys that this machine has for repositories. */
static struct strings list_keys(struct arena *arena)
{
    static const char *const dirs[] = {"/usr/share/keyrings", "/etc/apt/trusted.gpg.d", "/etc/apt/keyrings"};
    struct strings keys = {0};
    for (size_t i = 0; i < ARRAY_COUNT(dirs); i++) {
        DIR *stream = opendir(dirs[i]);
        const struct dirent *entry;
        while (stream && keys.count < KEYS_MAX && (entry = readdir(stream))) {
            struct text name = text_of(entry->d_name);
            if (name.ptr[0] != '.' &&
                (text_has_suffix(name, ".gpg") || text_has_suffix(name, ".pgp") || text_has_suffix(name, ".asc")))
                list_add(arena, &keys, arena_printf(arena, "%s/%s", dirs[i], entry->d_name));
        }
        if (stream)
            (void)closedir(stream);
    }
    return keys;
}

/* Who signed a generation, as the provenance says; *ret_is_told is false when nothing does. */
static const char *signer_of(const struct rebuild_plan *plan, const struct lock_source *source, bool *ret_is_told)
{
    for (size_t i = 0; i < plan->repositories.count; i++) {
        const struct told_repository *told = &plan->repositories.items[i];
        *ret_is_told = digest_eq(&told->digest, &source->digest);
        if (*ret_is_told)
            return told->signed_by;
    }
    *ret_is_told = false;
    return NULL;
}

static json_t *repository_json(const struct rebuild_plan *plan, const struct lock *lock,
                               const struct lock_source *source, const struct strings *keys)
{
    bool is_told;
    const char *signer = signer_of(plan, source, &is_told);
    json_t *json = json_pack("{s:[s], s:[s]}", "uris", source->uri, "suites", source->suite);
    json_t *components = components_of(lock, source), *files = json_array();
    if (json_array_size(components))
        json_object_set(json, "components", components);
    json_decref(components);
    for (size_t i = 0; i < keys->count; i++)
        json_array_append_new(files, json_string(keys->items[i]));
    if (is_told && !signer) { /* nobody's signature was asked for then, either */
        json_object_set_new(json, "trusted", json_true());
    } else {
        json_object_set(json, "keys", files);
        if (signer)
            json_object_set_new(json, "fingerprints", json_pack("[s]", signer));
    }
    json_decref(files);
    return json;
}

static int compare_sources(const void *a, const void *b)
{
    const struct lock_source *const *first = a, *const *second = b;
    int order = strcmp((*first)->suite, (*second)->suite);
    return order ? order : strcmp((*first)->uri, (*second)->uri);
}

/* Writes a source with the lock's repositories, by the keys that this machine has: its own repositories may be others. Of a package that
 * several have the first gives it: a suite stands before what is named after it (bookworm, bookworm-security), as hosts have them. */
static bool write_source(struct arena *arena, const struct rebuild_plan *plan, const struct lock *lock, const char *dir,
                         struct err *err)
{
    struct strings keys = list_keys(arena);
    json_t *repositories = json_array();
    LIST(const struct lock_source *) sources = {0};
    for (size_t i = 0; i < lock->sources.count; i++) {
        const struct lock_source *source = &lock->sources.items[i];
        if (!source->is_extra && *source->from)
            list_add(arena, &sources, source);
    }
    if (sources.count)
        qsort(sources.items, sources.count, sizeof(const struct lock_source *), compare_sources);
    for (size_t i = 0; i < sources.count; i++)
        json_array_append_new(repositories, repository_json(plan, lock, sources.items[i], &keys));
    json_auto_t *json = json_pack("{s:s, s:o}", "kind", "deb", "repositories", repositories);
    AUTO(auto_free) char *text = json_dumps(json, JSON_INDENT(1));
    if (!text)
        memory_abort(0);
    return write_file(dir, "source.yaml", text_of(text), err);
}

/* --- options --- */

static bool is_of_debs(const struct lock *lock)
{
    for (size_t i = 0; i < lock->packages.count; i++) {
        if (!text_has_suffix(text_of(lock->packages.items[i].url), ".deb"))
            return false;
    }
    return lock->packages.count > 0;
}

static bool has_option(const char *options, const char *word)
{
    const char *at = options ? strstr(options, word) : NULL;
    return at && strchr(" ", at[strlen(word)]);
}

static bool is_locked_for(const struct lock *lock, const char *image, const char *arch)
{
    return lock_find_image(lock, image, arch) != NULL;
}

/* The architectures, in the order in which the image's index has them. */
static bool list_arches(struct command *command, struct rebuild_plan *plan, const struct lock *lock, struct err *err)
{
    struct wanted known;
    if (!wanted_read(command, &known, err))
        return false;
    for (size_t i = 0; i < plan->image.manifests.count; i++) {
        const struct layout_manifest *manifest = &plan->image.manifests.items[i];
        for (size_t j = 0; j < known.arches.count; j++) {
            const struct arch *arch = &known.arches.items[j];
            if (text_same(arch->oci_os, manifest->os) && text_same(arch->oci_architecture, manifest->architecture) &&
                (!manifest->variant || text_same(arch->oci_variant, manifest->variant)) &&
                is_locked_for(lock, plan->made.image, arch->name) && !strings_has(&plan->arches, arch->name))
                list_add(&command->arena, &plan->arches, arch->name);
        }
    }
    if (!plan->arches.count)
        err_set(err, ERR_RESOLVE, "%s has no image %s for a platform that this one has", plan->lock_of,
                plan->made.image ? text_printable(&command->arena, text_of(plan->made.image)) : "at all");
    return plan->arches.count > 0;
}

/* Which image of the lock is made; the lock may have others. */
static bool choose_image(struct rebuild_plan *plan, const struct lock *lock, struct err *err)
{
    const char *image = plan->made.image;
    for (size_t i = 0; !image && i < lock->images.count; i++) {
        image = lock->images.items[0].image;
        if (strcmp(lock->images.items[i].image, image) != 0) {
            err_set(err, ERR_USAGE,
                    "%s has several images, and nothing says which of them this is: it has no provenance",
                    plan->lock_of);
            return false;
        }
    }
    plan->made.image = image;
    return true;
}

/* The manifest: of --manifests, which may be its file, or as installed. */
static bool choose_manifest(struct command *command, struct rebuild_plan *plan, struct err *err)
{
    static const char *const places[] = {"", "bases/"};
    struct arena *arena = &command->arena;
    const char *image = plan->made.image, *dir = command->options.manifests;
    struct stat status;
    if (dir && stat(dir, &status) == 0 && S_ISREG(status.st_mode)) {
        plan->word = strchr(dir, '/') ? dir : arena_printf(arena, "./%s", dir);
        command->options.manifests = NULL;
        return true;
    }
    if (!dir && !places_data_dir(arena, "manifests", &dir, err))
        return false;
    for (size_t i = 0; i < ARRAY_COUNT(places) && !yaml_is_path(image); i++) {
        const char *path = arena_printf(arena, "%s/%s%s.yaml", dir, places[i], image);
        if (access(path, F_OK) != 0)
            continue;
        plan->word = *places[i] ? path : image;
        return true;
    }
    err_set(err, ERR_USAGE,
            "%s has no manifest %s.yaml, of which the image was made: --manifests names the folder that has it, with "
            "its recipes, or the file itself",
            dir, text_printable(arena, text_of(image)));
    return false;
}

/* What is built: the word that the image was made of, which begins how it was taken (names_text.h), else its manifest. What it stands on
 * has to be in the lock, too, when it was made in the same run. */
static bool choose_word(struct command *command, struct rebuild_plan *plan, const struct lock *lock, struct err *err)
{
    struct arena *arena = &command->arena;
    const struct lock_image *image = lock_find_image(lock, plan->made.image, NULL);
    const char *named = image->named, *end = named ? strstr(named, " is ") : NULL, *base = plan->made.base;
    if (base && !image->base && !lock_find_image(lock, base, NULL)) {
        err_set(err, ERR_RESOLVE,
                "%s stands on the image %s of its run, which is not in %s; give the lock of both: --lock-file FILE",
                text_printable(arena, text_of(plan->made.image)), text_printable(arena, text_of(base)), plan->lock_of);
        return false;
    }
    if (!end)
        return choose_manifest(command, plan, err);
    plan->word = arena_strndup(arena, named, (size_t)(end - named));
    if (names_is_word(plan->word) && !text_has_suffix(text_of(plan->word), ".yaml") &&
        !text_has_suffix(text_of(plan->word), ".yml"))
        return true;
    err_set(err, ERR_MALFORMED, "%s: '%s' is no name", plan->lock_of, text_printable(arena, text_of(plan->word)));
    return false;
}

static const char *compression_of(const struct rebuild_plan *plan)
{
    for (size_t i = 0; !plan->made.compression && i < plan->image.manifests.count; i++) {
        const struct layout_manifest *manifest = &plan->image.manifests.items[i];
        if (manifest->layers.count)
            return text_has_suffix(text_of(manifest->layers.items[manifest->layers.count - 1].media_type), "zstd")
                       ? "zstd"
                       : "gzip";
    }
    return plan->made.compression;
}

/* What tells of the build says nothing of one layer, the default. */
static const char *layers_of(const struct rebuild_plan *plan)
{
    return plan->made.layers ? plan->made.layers : plan->is_known ? "1" : NULL;
}

/* Where the index says that its site's status record is, which is a part of its bytes alone: nothing is asked of that place.
 * What no site can say is left out, and then the indices differ. */
static const char *record_of(struct arena *arena, const struct rebuild_plan *plan)
{
    json_auto_t *root =
        json_loadb(plan->image.root_bytes.ptr, plan->image.root_bytes.len, JSON_REJECT_DUPLICATES, NULL);
    const char *named = json_string_value(json_object_get(json_object_get(root, "annotations"), OCI_RECORD_ANNOTATION));
    struct reference reference;
    struct err none = {0};
    bool is_one = named && reference_parse(arena, named, true, &reference, &none) && !reference.has_digest;
    return is_one ? arena_strdup(arena, named) : NULL;
}

static void set_options(struct command *command, const struct rebuild_plan *plan, const char *dir)
{
    struct arena *arena = &command->arena;
    struct options *options = &command->options;
    const struct site *site = &command->site;
    command->site = (struct site){.status = record_of(arena, plan),
                                  .authfile = site->authfile,
                                  .token_origins = site->token_origins,
                                  .is_tls_verify_off = site->is_tls_verify_off,
                                  .is_unconfined = site->is_unconfined};
    options->words = (struct strings){0};
    if (plan->word)
        list_add(arena, &options->words, plan->word);
    options->arch = strings_join(arena, &plan->arches, ",");
    options->lock_file = arena_printf(arena, "%s/imgfactory.lock", dir);
    options->output = arena_printf(arena, "%s/out", dir);
    options->state = arena_printf(arena, "%s/state", dir);
    options->compression = compression_of(plan);
    options->layers = layers_of(plan);
    options->parity = "off";
    options->is_locked = options->is_no_push = true;
    options->is_lock_vouching = plan->word != NULL;
    options->vendor = options->vendor ? options->vendor : plan->vendor;
    options->is_strict = has_option(plan->made.options, "--strict");
    options->is_no_check = has_option(plan->made.options, "--no-check");
    options->is_older_fine = has_option(plan->made.options, "--allow-older");
    options->source_date_epoch = plan->made.source_date_epoch ? plan->made.source_date_epoch : "";
}

static bool prepare(struct command *command, struct rebuild_plan *plan, const struct lock *lock, const char *dir,
                    bool is_any_source, struct err *err)
{
    struct options *options = &command->options;
    bool is_host = is_any_source || !plan->made.source || strcmp(plan->made.source, "host") == 0;
    if (!write_file(dir, "imgfactory.lock", plan->lock, err) ||
        (plan->layer_plan.len && !write_file(dir, LAYER_PLAN_NAME, plan->layer_plan, err)))
        return false;
    if (is_host && is_of_debs(lock) && !options->source && !options->suite && !options->config_root) {
        if (!write_source(&command->arena, plan, lock, dir, err))
            return false;
        options->source = arena_printf(&command->arena, "%s/source.yaml", dir);
    }
    set_options(command, plan, dir);
    return true;
}

bool rebuild_prepare(struct command *command, struct rebuild_plan *plan, const char *dir, struct err *err)
{
    struct lock lock;
    return lock_read(&command->arena, plan->lock_of, plan->lock, &lock, err) && choose_image(plan, &lock, err) &&
           list_arches(command, plan, &lock, err) && choose_word(command, plan, &lock, err) &&
           prepare(command, plan, &lock, dir, false, err);
}

/* A source of the lock will do whatever the image's was: which package is preferred is no question. The other one may be shipped. */
bool rebuild_prepare_lock(struct command *command, struct rebuild_plan *plan, const char *dir, struct err *err)
{
    struct options *options = &command->options;
    const char *source = plan->made.source;
    struct stat status;
    struct lock lock;
    if (!lock_read(&command->arena, plan->lock_of, plan->lock, &lock, err) || !choose_image(plan, &lock, err) ||
        !list_arches(command, plan, &lock, err))
        return false;
    if (!options->has_retries) { /* whether a mirror is there is no reason to wait: what is not had is told */
        options->has_retries = true;
        options->retries = 1;
    }
    if (options->manifests && stat(options->manifests, &status) == 0 && !S_ISDIR(status.st_mode))
        options->manifests = NULL; /* the manifest's file, for --rebuild */
    if (!is_of_debs(&lock) && !options->source && !options->config_root && source && strcmp(source, "host") != 0 &&
        !yaml_is_path(source))
        options->source = source;
    return prepare(command, plan, &lock, dir, true, err);
}
