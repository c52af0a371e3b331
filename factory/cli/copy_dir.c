/* SPDX-License-Identifier: Apache-2.0 */
/* Air gaps: images with all that hangs on them into a folder, which is a layout with names as registries have them, and out of it. */
#include "cli/copy_dir.h"

#include "base/auto.h"
#include "base/each.h"
#include "cli/carried.h"
#include "cli/copy.h"
#include "io/file.h"
#include "oci/layout.h"
#include "package/path.h"
#include "registry/pull.h"

#include <errno.h>
#include <jansson.h>

#define THREADS ((size_t)4)

/* --- into a folder --- */

/* A blob that is to be in the cache. */
struct fetching {
    struct copy_source *source;
    const struct layout_blob *blob;
};

static bool fetch(void *context, void *item, struct err *err)
{
    const struct fetching *fetching = item;
    struct copy_source *source = fetching->source;
    AUTO(auto_close_fd) int fd = -1;
    (void)context;
    return source->repository ? source->blobs.open(source->blobs.context, fetching->blob, &fd, err)
                              : layout_blob_keep(&source->local, fetching->blob, source->store, err);
}

/* Brings everything into the cache; what is there from a run that was cut short is not fetched again. */
static bool fetch_all(struct remote *remote, struct copy_source *source, struct err *err)
{
    const struct layout_image *image = copy_image(source);
    LIST(struct fetching) all = {0};
    for (size_t i = 0; i < image->manifests.count; i++) {
        const struct layout_manifest *manifest = &image->manifests.items[i];
        if (manifest->unread)
            continue;
        list_add(remote->arena, &all, (struct fetching){source, &manifest->config});
        for (size_t j = 0; j < manifest->layers.count; j++)
            list_add(remote->arena, &all, (struct fetching){source, &manifest->layers.items[j]});
    }
    for (size_t i = 0; i < source->cargo.pieces.count; i++) {
        for (size_t j = 0; j < source->cargo.pieces.items[i].blob_count; j++)
            list_add(remote->arena, &all, (struct fetching){source, &source->cargo.pieces.items[i].blobs[j]});
    }
    struct each_items items = {all.items, all.count, sizeof *all.items, .threads_max = THREADS, .is_stopping = true};
    return each_run(items, fetch, NULL, err);
}

/* What names of the image begin with: "quay.io/me/dhcpd:"; of a layout what its full name does, else its folder's name. */
static const char *prefix_of(struct arena *arena, const struct copy_source *source)
{
    const char *name = source->local.tag, *colon = name ? strrchr(name, ':') : NULL;
    if (source->repository)
        return arena_printf(arena, "%s:", source->repository);
    if (colon && !reference_is_tag(name))
        return arena_strndup(arena, name, (size_t)(colon + 1 - name));
    const char *word = strncmp(source->word, "oci:", 4) == 0 ? source->word + 4 : source->word;
    return arena_printf(arena, "%s:", path_basename(word));
}

static bool import(struct remote *remote, struct copy_source *source, struct carried *carried, struct err *err)
{
    struct arena *arena = remote->arena;
    const char *dir = remote->command->options.to_dir, *prefix = prefix_of(arena, source);
    const struct layout_image *image = copy_image(source);
    struct strings names = {0};
    bool is_unchanged;
    if (!source->tags.count) {
        err_set(err, ERR_USAGE, "%s has no tag to be carried by; write REPOSITORY:TAG@DIGEST", source->word);
        return false;
    }
    for (size_t i = 0; i < source->tags.count; i++)
        list_add(arena, &names, arena_printf(arena, "%s%s", prefix, source->tags.items[i]));
    struct layout_import_request request = {.dir = dir,
                                            .store = source->store,
                                            .image = image,
                                            .tags = &names,
                                            .wait = &remote->command->lock_wait,
                                            .cargo = &source->cargo,
                                            .prefix = prefix};
    if (!layout_import(&request, &is_unchanged, err))
        return false;
    for (size_t i = 0; i < names.count; i++)
        carried_set_image(
            arena, carried,
            &(struct carried_image){.name = names.items[i], .digest = image->root.digest, .is_new = true});
    if (!remote->command->options.is_quiet && !remote->command->options.is_json)
        (void)printf("  carried %s@sha256:%s with %zu artifacts and tags of signatures%s\n",
                     strings_join(arena, &names, " "), digest_hex(&image->root.digest).chars,
                     source->cargo.pieces.count, is_unchanged ? " (unchanged)" : "");
    return true;
}

static bool carry_one(struct remote *remote, struct store *store, size_t word_at, struct carried *carried,
                      struct err *err)
{
    AUTO(copy_close) struct copy_source source = {.local.blobs_fd = -1};
    return copy_open(remote, store, word_at, &source, err) && fetch_all(remote, &source, err) &&
           import(remote, &source, carried, err);
}

static bool carry_files(struct remote *remote, struct carried *carried, struct err *err)
{
    const struct options *options = &remote->command->options;
    struct arena *arena = remote->arena;
    const char *dir = options->to_dir;
    for (size_t i = 0; i < options->keys.count; i++) {
        if (!carried_add_file(arena, carried, dir, "keys", options->keys.items[i], err))
            return false;
    }
    return (!options->lock_file || carried_add_file(arena, carried, dir, "locks", options->lock_file, err)) &&
           (!options->vendor || carried_add_folder(arena, carried, dir, "vendor", options->vendor, err));
}

/* Whether this run brought an image of this digest: what hangs on it may have come with another name. */
static bool is_touched(const struct carried *carried, const struct digest *digest)
{
    for (size_t i = 0; i < carried->images.count; i++) {
        if (carried->images.items[i].is_new && digest_eq(&carried->images.items[i].digest, digest))
            return true;
    }
    return false;
}

/* Notes, or checks, what hangs on the images, as the folder has it. */
static bool note_whole(struct remote *remote, struct store *store, struct carried *carried, bool is_check,
                       struct err *err)
{
    for (size_t i = 0; i < carried->images.count; i++) {
        struct carried_image *image = &carried->images.items[i];
        if (!is_check && !is_touched(carried, &image->digest))
            continue;
        AUTO(copy_close) struct copy_source source = {.local.blobs_fd = -1};
        struct layout_choice choice = {.dir = is_check ? remote->command->options.from_dir
                                                       : remote->command->options.to_dir,
                                       .tag = image->name,
                                       .wait = &remote->command->lock_wait};
        if (!copy_open_layout(remote, store, &choice, &source, err))
            return false;
        struct digest whole = cargo_identity(&source.local.root.digest, &source.cargo);
        if (!is_check)
            image->whole = whole;
        if (digest_eq(&source.local.root.digest, &image->digest) && digest_eq(&image->whole, &whole))
            continue;
        err_set(err, ERR_TRUST, "%s: %s, or what hangs on it, is not what was carried, as " CARRIED_NAME " says",
                choice.dir, image->name);
        return false;
    }
    return true;
}

static bool lock_dir(struct remote *remote, const char *dir, int *ret_fd, struct err *err)
{
    AUTO(auto_close_fd) int dir_fd = -1;
    if (!file_make_dirs(dir, 0755, err) || !file_open_dir(dir, &dir_fd, err))
        return false;
    *ret_fd = lock_open_at(dir_fd, ".copy.lock");
    if (*ret_fd >= 0)
        return lock_take(*ret_fd, false, dir, &remote->command->lock_wait, err);
    err_set_errno(err, errno, "cannot open %s/.copy.lock", dir);
    return false;
}

static void print_json(const char *dir, const struct carried *carried)
{
    AUTO(arena_done) struct arena arena = {0};
    json_t *images = json_array(), *files = json_array();
    for (size_t i = 0; i < carried->images.count; i++) {
        const struct carried_image *image = &carried->images.items[i];
        (void)json_array_append_new(images,
                                    json_pack("{s:s, s:s}", "name", image->name, "digest",
                                              arena_printf(&arena, "sha256:%s", digest_hex(&image->digest).chars)));
    }
    for (size_t i = 0; i < carried->files.count; i++)
        (void)json_array_append_new(files, json_string(carried->files.items[i]->path));
    json_auto_t *json = json_pack("{s:s, s:s, s:o, s:o}", "imgfactory", IMGFACTORY_VERSION, "folder", dir, "images",
                                  images, "files", files);
    (void)json_dumpf(json, stdout, JSON_INDENT(2));
    (void)fputc('\n', stdout);
}

bool copy_to_dir(struct remote *remote, struct store *store, struct err *err)
{
    const struct options *options = &remote->command->options;
    struct carried carried;
    AUTO(auto_close_fd) int lock = -1;
    if (!lock_dir(remote, options->to_dir, &lock, err) ||
        !carried_read(remote->arena, options->to_dir, false, &carried, err))
        return false;
    for (size_t i = 0; i < options->words.count; i++) {
        if (!carry_one(remote, store, i, &carried, err))
            return false;
    }
    if (!carry_files(remote, &carried, err) || !note_whole(remote, store, &carried, false, err) ||
        !carried_write(options->to_dir, &carried, err))
        return false;
    if (options->is_json)
        print_json(options->to_dir, &carried);
    return true;
}

/* --- out of a folder --- */

/* A name without its tag. */
static char *repository_of(struct arena *arena, const char *name)
{
    const char *colon = strrchr(name, ':');
    return arena_strndup(arena, name, colon ? (size_t)(colon - name) : strlen(name));
}

/* Where an image goes: TARGET and the last component of its repository. */
static const char *target_of(struct arena *arena, const char *target, const char *name)
{
    return arena_printf(arena, "%s/%s", target, path_basename(repository_of(arena, name)));
}

/* Two repositories of one last name would become one. */
static bool check_names(struct remote *remote, const struct carried *carried, const char *target, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct map targets = {.arena = &scratch}; /* the first repository that goes there */
    for (size_t i = 0; i < carried->images.count; i++) {
        const char *name = carried->images.items[i].name, *to = target_of(&scratch, target, name);
        char *repository = repository_of(&scratch, name);
        if (map_add(&targets, text_of(to), repository) || strcmp(map_get(&targets, text_of(to)), repository) == 0)
            continue;
        const char *other = map_get(&targets, text_of(to)), *dir = remote->command->options.from_dir;
        err_set(err, ERR_USAGE, "%s and %s would both go to %s; copy each by itself: copy %s:%s REF", repository, other,
                to, dir, name);
        return false;
    }
    return true;
}

static bool push_one(struct remote *remote, struct store *store, const struct carried_image *image, const char *target,
                     struct err *err)
{
    AUTO(copy_close) struct copy_source source = {.local.blobs_fd = -1};
    const char *dir = remote->command->options.from_dir, *colon = strrchr(image->name, ':');
    struct layout_choice choice = {.dir = dir, .tag = image->name, .wait = &remote->command->lock_wait};
    if (!copy_open_layout(remote, store, &choice, &source, err))
        return false;
    struct digest whole = cargo_identity(&source.local.root.digest, &source.cargo);
    if (!digest_eq(&image->whole, &whole)) {
        err_set(err, ERR_TRUST, "%s: %s was altered while it was copied", dir, image->name);
        return false;
    }
    const char *to =
        arena_printf(remote->arena, "%s%s", target_of(remote->arena, target, image->name), colon ? colon : "");
    return copy_push(remote, &source, to, err);
}

bool copy_from_dir(struct remote *remote, struct store *store, struct err *err)
{
    const struct options *options = &remote->command->options;
    const char *dir = options->from_dir, *target = options->words.items[0];
    struct carried carried;
    if (!carried_read(remote->arena, dir, true, &carried, err) || !check_names(remote, &carried, target, err) ||
        !carried_check(remote->arena, dir, &carried, err) || !note_whole(remote, store, &carried, true, err))
        return false;
    for (size_t i = 0; i < carried.images.count; i++) {
        if (!push_one(remote, store, &carried.images.items[i], target, err))
            return false;
    }
    for (size_t i = 0; !options->is_json && !options->is_quiet && i < carried.files.count; i++) {
        const char *path = carried.files.items[i]->path;
        if (strncmp(path, "vendor/", 7) != 0)
            (void)printf("  carried %s/%s\n", dir, path);
    }
    return true;
}
