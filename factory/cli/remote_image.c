/* SPDX-License-Identifier: Apache-2.0 */
/* What a word of a command on registries and layouts means, and the image that it names. */
#include "cli/remote_parts.h"

#include "base/auto.h"
#include "cli/display.h"
#include "cli/places.h"
#include "io/store_prune.h"
#include "layer/archive.h"
#include "line/fewer.h"
#include "oci/layout.h"
#include "registry/pull.h"

#include <sys/stat.h>

#define FOLDERS_SHOWN_MAX 20

const char *remote_split_file(struct arena *arena, const char *word, const char **ret_tag)
{
    for (const char *colon = strchrnul(word, ':');; colon = strchrnul(colon + 1, ':')) {
        const char *file = arena_strndup(arena, word, (size_t)(colon - word));
        struct stat status;
        *ret_tag = *colon ? colon + 1 : NULL;
        if (stat(file, &status) == 0 && S_ISREG(status.st_mode))
            return file;
        if (!*colon)
            return NULL;
    }
}

/* Unpacks an archive; *ret_local stays as it is when there is no such file. */
static bool find_archive(struct remote *remote, const char *word, struct archive *archive, struct local *ret_local,
                         struct err *err)
{
    const char *tag, *file = remote_split_file(remote->arena, word, &tag);
    if (!file)
        return true;
    if (!archive) {
        err_set(err, ERR_USAGE, "%s: the first %d words alone may be archives", file, REMOTE_ARCHIVES);
        return false;
    }
    if (!archive_open(file, archive, err))
        return false;
    *ret_local = (struct local){true, archive->layout, tag, file};
    return true;
}

bool remote_find_layout(const struct remote *remote, const char *word, const char **ret_dir, const char **ret_tag)
{
    struct arena *arena = remote->arena;
    const struct command *command = remote->command;
    const char *path = strncmp(word, "oci:", 4) == 0 ? word + 4 : word;
    const char *output = command_first(command->options.output, command->site.output, "out");
    const char *const wholes[] = {path, arena_printf(arena, "%s/%s", output, path)};
    for (size_t i = 0; i < ARRAY_COUNT(wholes); i++) {
        if (layout_split(arena, wholes[i], ret_dir, ret_tag))
            return true;
    }
    return false;
}

bool remote_find_local(struct remote *remote, size_t word_at, struct local *ret_local, struct err *err)
{
    static const char *const prefixes[] = {"oci-archive:", "docker-archive:"};
    const char *word = remote->command->options.words.items[word_at];
    struct archive *archive = word_at < REMOTE_ARCHIVES ? &remote->archives[word_at] : NULL;
    *ret_local = (struct local){0};
    for (size_t i = 0; i < ARRAY_COUNT(prefixes); i++) {
        size_t len = strlen(prefixes[i]);
        if (strncmp(word, prefixes[i], len) != 0)
            continue;
        if (!find_archive(remote, word + len, archive, ret_local, err))
            return false;
        if (!ret_local->is_found)
            err_set(err, ERR_USAGE, "there is no file %s", word + len);
        return ret_local->is_found;
    }
    ret_local->is_found = remote_find_layout(remote, word, &ret_local->dir, &ret_local->tag);
    return ret_local->is_found || find_archive(remote, word, archive, ret_local, err);
}

struct layout_choice remote_local_choice(const struct remote *remote, const struct local *local,
                                         const struct layout_wanted *wanted)
{
    return (struct layout_choice){.dir = local->dir,
                                  .tag = local->tag,
                                  .wait = &remote->command->lock_wait,
                                  .wanted = wanted,
                                  .shown = local->shown};
}

bool remote_is_local(const char *word)
{
    const char *slash = strrchr(word, '/');
    return !slash || !slash[1] || word[0] == '.' || word[0] == '/' || !reference_has_host(word);
}

static bool ends_with_any(const char *word, const char *const *endings, size_t count)
{
    bool is_one = false;
    for (size_t i = 0; i < count; i++)
        is_one = is_one || text_has_suffix(text_of(word), endings[i]);
    return is_one;
}

/* The nearest of the images that lie in the output folder and of the catalogue; NULL when none is near. */
static const char *nearest_image(const struct remote *remote, const char *output, const char *word)
{
    struct arena *arena = remote->arena;
    const char *manifests = remote->command->options.manifests;
    struct strings names = {0}, found = layout_names(arena, output);
    struct err ignored = {0};
    if (manifests || places_data_dir(arena, "manifests", &manifests, &ignored)) {
        if (!manifest_names(arena, manifests, &names, &ignored))
            names = (struct strings){0};
    }
    for (size_t i = 0; i < found.count; i++)
        list_add(arena, &names, found.items[i]);
    return text_nearest(arena_strndup(arena, word, strcspn(word, ":")), names.items, names.count);
}

bool remote_is_dir(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

/* A folder that is no layout may be one of layouts. */
static bool fail_other_folder(const struct remote *remote, const char *word, struct err *err)
{
    struct strings found = layout_names(remote->arena, word);
    size_t count = found.count;
    found.count = count < FOLDERS_SHOWN_MAX ? count : FOLDERS_SHOWN_MAX;
    err_set(err, ERR_USAGE, "%s is a folder, and no OCI layout: it has no index.json%s%s%s", word,
            count ? "; it holds layouts: " : "", strings_join(remote->arena, &found, ", "),
            count > found.count ? ", …" : "");
    return false;
}

bool remote_fail_no_layout(const struct remote *remote, const char *word, struct err *err)
{
    static const char *const archives[] = {".tar", ".tar.gz", ".tgz", ".tar.zst", ".tar.xz"};
    const struct command *command = remote->command;
    const char *output = command_first(command->options.output, command->site.output, "out");
    const char *shown = text_printable(remote->arena, text_of(word));
    bool has_slash = strchr(word, '/') != NULL, is_path = word[0] == '.' || word[0] == '/' ||
                                                          word[strlen(word) - 1] == '/' ||
                                                          (has_slash && command->options.command->kind == COMMAND_PUSH);
    const char *nearest = has_slash ? NULL : nearest_image(remote, output, word);
    const char *also =
        word[0] == '.' || word[0] == '/' ? "" : arena_printf(remote->arena, ", nor %s/%s", output, shown);
    if (remote_is_dir(word))
        return fail_other_folder(remote, word, err);
    if (ends_with_any(word, archives, ARRAY_COUNT(archives))) {
        err_set(err, ERR_USAGE, "there is no file %s", shown);
        return false;
    }
    err_set(err, ERR_USAGE, "there is no %s %s%s; %s%s%s",
            command->options.command->kind == COMMAND_CHECK ? "root directory or OCI layout" : "OCI layout", shown,
            also,
            is_path                      ? "is it misspelt, or not built yet?"
            : has_slash                  ? "an image of a registry begins with its host, as in docker.io/"
            : !nearest                   ? "build the image first"
            : strcmp(nearest, word) == 0 ? "build it first: imgfactory "
                                         : "did you mean ",
            is_path     ? ""
            : has_slash ? shown
            : nearest   ? nearest
                        : "",
            nearest && strcmp(nearest, word) != 0 ? "?" : "");
    return false;
}

void remote_close_image(struct remote_image *image)
{
    registry_close(image->registry);
}

bool remote_open_image(struct remote *remote, struct store *store, struct remote_image *image, struct err *err)
{
    struct reference reference;
    struct progress_line line = {.image = image->word, .arch = "", .stage = STAGE_PULL};
    const struct progress progress = {&line, image->has_layers};
    struct pull_means means = {remote->registry_options, remote->http, store, &line.bytes_done, &line.bytes_total};
    struct pull_request request = {&reference, image->wanted, image->has_layers};
    if (!reference_parse(remote->arena, image->word, true, &reference, err))
        return false;
    struct display *display = remote->command->options.is_quiet ? NULL : display_start(&progress, remote->command->log);
    bool is_good = pull_image(&means, remote->arena, &request, &image->registry, &image->image, err);
    display_stop(display);
    return is_good;
}

void remote_close_store(struct store **store)
{
    store_close(*store);
}

bool remote_open_store(struct remote *remote, struct store **ret_store, struct err *err)
{
    const char *cache = remote->command->options.cache;
    const struct lock_wait *wait = &remote->command->lock_wait;
    if ((!cache && !places_user_dir(remote->arena, "XDG_CACHE_HOME", ".cache", "/var/cache", &cache, err)) ||
        !store_open(cache, wait, ret_store, err))
        return false;
    store_keep_below(*ret_store, command_cache_limit(remote->command), wait);
    return true;
}

bool remote_check_offered(struct arena *arena, const struct wanted *wanted, const struct layout_image *image,
                          const char *word, struct err *err)
{
    struct platforms offered = {0};
    struct platforms_loss loss = {0};
    platforms_of_image(arena, image, &offered);
    if (!platforms_lose(arena, &wanted->platforms, &offered, &loss))
        return true;
    err_set(err, ERR_RESOLVE, "%s has nothing for %s; it has: %s", word, platforms_print(arena, &loss.lost),
            offered.count ? platforms_print(arena, &offered) : "no platform");
    return false;
}
