/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/diff_parts.h"

#include "base/auto.h"
#include "cli/places.h"
#include "io/secret.h"
#include "oci/document_json.h"
#include "registry/pull.h"

/* --- what the words mean --- */

/* One of the two images, and what has to be closed. */
struct opened {
    struct layout_image local;
    struct remote_image remote;
    const struct layout_image *image;
};

/* Opens the cache, for what is not in layouts; what was derived in it counts by the state's secret. */
static bool open_store(struct differ *differ, struct err *err)
{
    const char *state = differ->options->state;
    struct digest secret;
    struct err ignored = {0};
    if (!remote_open_store(differ->remote, &differ->store, err))
        return false;
    if ((state || places_user_dir(differ->arena, "XDG_STATE_HOME", ".local/state", "/var/lib", &state, &ignored)) &&
        secret_open(state, &secret, &ignored))
        store_use_secret(differ->store, &secret);
    differ->stories.store = differ->libraries.store = differ->store;
    differ->stories.http = differ->stories.metadata_http = differ->options->is_cache_only ? NULL : differ->remote->http;
    return true;
}

/* Without a cache layouts can be compared all the same. */
static bool need_store(struct differ *differ, struct err *err)
{
    return differ->store || open_store(differ, err);
}

static void close_opened(struct opened *opened)
{
    layout_image_close(&opened->local);
    remote_close_image(&opened->remote);
}

/* Finds the image with a digest in a layout, by any of its tags; *ret_found false when it is not there. */
static bool find_in_layout(struct differ *differ, const char *dir, const struct digest *digest,
                           struct layout_image *ret_image)
{
    struct strings tags = layout_tags(differ->arena, dir, &differ->remote->command->lock_wait);
    for (size_t i = 0; i < tags.count; i++) {
        struct layout_choice choice = {
            .dir = dir, .tag = tags.items[i], .wait = &differ->remote->command->lock_wait, .wanted = &differ->wanted};
        struct err ignored = {0};
        if (!layout_image_open(differ->arena, &choice, ret_image, &ignored))
            continue;
        if (layout_image_has(ret_image, digest))
            return true;
        layout_image_close(ret_image);
        *ret_image = (struct layout_image){.blobs_fd = -1};
    }
    return false;
}

/* Leaves of an image the platform with that digest, unless it is the digest of the whole. */
static void narrow_to(struct layout_image *image, const struct digest *digest)
{
    for (size_t i = 0; !digest_eq(&image->root.digest, digest) && i < image->manifests.count; i++) {
        if (!digest_eq(&image->manifests.items[i].blob.digest, digest))
            continue;
        image->manifests.items[0] = image->manifests.items[i];
        image->manifests.count = 1;
        image->root = image->manifests.items[0].blob;
        image->is_index = false;
    }
}

/* Reads what the cache has of an image: documents that a pull left. */
static bool open_kept(struct differ *differ, const struct digest *digest, struct layout_image *ret_image,
                      struct err *err)
{
    AUTO(view_done) struct view view = {0};
    bool is_found = false;
    if (!need_store(differ, err) || !store_map_blob(differ->store, digest, &view, &is_found, err))
        return false;
    json_auto_t *document = document_object(is_found ? (struct text){view.ptr, view.len} : TEXT(""));
    const char *type = json_string_value(json_object_get(document, "mediaType"));
    struct layout_blob root = {.digest = *digest, .size_bytes = view.len, .media_type = type};
    if (is_found && type && (layout_is_manifest(type) || layout_is_index(type))) {
        root.media_type = arena_strdup(differ->arena, type);
        return pull_kept(differ->store, differ->arena, &root, ret_image, err);
    }
    err_set(err, ERR_RESOLVE,
            "no layout in the output folder and nothing in the cache has sha256:%s; of a registry it is written "
            "REPOSITORY@sha256:…",
            digest_hex(digest).chars);
    return false;
}

/* An image by its digest alone: of a layout of the output, or of the cache. */
static bool open_digest(struct differ *differ, const struct digest *digest, struct opened *opened, struct err *err)
{
    const struct command *command = differ->remote->command;
    const char *output = command_first(command->options.output, command->site.output, "out");
    struct strings names = layout_names(differ->arena, output);
    for (size_t i = 0; i < names.count; i++) {
        const char *dir = arena_printf(differ->arena, "%s/%s", output, names.items[i]);
        if (find_in_layout(differ, dir, digest, &opened->local)) {
            narrow_to(&opened->local, digest);
            opened->image = &opened->local;
            return true;
        }
    }
    opened->image = &opened->local;
    return open_kept(differ, digest, &opened->local, err);
}

static bool is_digest(const char *word, struct digest *ret_digest)
{
    static const char algorithm[] = "sha256:";
    return strncmp(word, algorithm, strlen(algorithm)) == 0 &&
           digest_parse(text_of(word + strlen(algorithm)), ret_digest);
}

static bool open_word(struct differ *differ, size_t word_at, struct opened *opened, struct err *err)
{
    struct remote *remote = differ->remote;
    const char *word = differ->options->words.items[word_at];
    struct local local;
    struct digest digest;
    *opened = (struct opened){.local.blobs_fd = -1, .remote = {.word = word, .wanted = &differ->wanted}};
    if (!remote_find_local(remote, word_at, &local, err))
        return false;
    if (!local.is_found && is_digest(word, &digest))
        return open_digest(differ, &digest, opened, err);
    if (local.is_found) {
        struct layout_choice choice = remote_local_choice(remote, &local, &differ->wanted);
        if (!layout_image_open(differ->arena, &choice, &opened->local, err))
            return false;
    } else if (remote_is_local(word)) {
        return remote_fail_no_layout(remote, word, err);
    } else if (!need_store(differ, err) || !remote_open_image(remote, differ->store, &opened->remote, err)) {
        return false;
    }
    opened->image = local.is_found ? &opened->local : &opened->remote.image;
    return remote_check_offered(differ->arena, &differ->arches, opened->image, word, err);
}

/* Compares and prints. */
static bool compare(struct differ *differ, struct compared *compared, struct err *err)
{
    bool is_good = diff_compare(differ, compared, err);
    if (is_good)
        diff_report(differ, compared);
    diff_compare_done(compared);
    return is_good;
}

static bool diff_words(struct differ *differ, struct err *err)
{
    const char *const *words = differ->options->words.items;
    AUTO(close_opened) struct opened before = {.local.blobs_fd = -1}, after = {.local.blobs_fd = -1};
    if (!open_word(differ, 0, &before, err) || !open_word(differ, 1, &after, err))
        return false;
    struct compared compared = {.before = {words[0], before.image, &before.image->root.digest, before.remote.registry},
                                .after = {words[1], after.image, &after.image->root.digest, after.remote.registry}};
    return compare(differ, &compared, err);
}

/* --- two folders of layouts --- */

/* Opens the image of one name in a folder, if there is one. */
static bool open_in(struct differ *differ, const struct strings *names, const char *name, struct layout_image *opened,
                    struct diff_end *end, struct err *err)
{
    struct layout_choice choice = {
        .dir = end->name, .wait = &differ->remote->command->lock_wait, .wanted = &differ->wanted};
    if (!strings_has(names, name))
        return true;
    if (!layout_image_open(differ->arena, &choice, opened, err))
        return false;
    end->image = opened;
    end->digest = &opened->root.digest;
    return true;
}

/* Compares one image of both folders; its memory is given back. */
static bool diff_in_folders(struct differ *differ, const struct strings names[2], const char *name, struct err *err)
{
    AUTO(arena_done) struct arena arena = {0};
    AUTO(layout_image_close) struct layout_image before = {.blobs_fd = -1}, after = {.blobs_fd = -1};
    const char *const *folders = differ->options->words.items;
    struct compared compared = {.name = name};
    struct arena *whole = differ->arena;
    differ->arena = &arena;
    compared.before.name = arena_printf(&arena, "%s/%s", folders[0], name);
    compared.after.name = arena_printf(&arena, "%s/%s", folders[1], name);
    bool is_good = open_in(differ, &names[0], name, &before, &compared.before, err) &&
                   open_in(differ, &names[1], name, &after, &compared.after, err) && compare(differ, &compared, err);
    differ->arena = whole;
    return is_good;
}

static bool diff_folders(struct differ *differ, const struct strings names[2], struct err *err)
{
    struct strings all = {0};
    for (size_t i = 0; i < names[0].count; i++)
        list_add(differ->arena, &all, names[0].items[i]);
    for (size_t i = 0; i < names[1].count; i++) {
        if (!strings_has(&names[0], names[1].items[i]))
            list_add(differ->arena, &all, names[1].items[i]);
    }
    for (size_t i = 0; i < all.count; i++) {
        if (!diff_in_folders(differ, names, all.items[i], err))
            return false;
    }
    if (differ->form == DIFF_TEXT && !differ->options->is_quiet)
        (void)printf("%zu images differ, %zu are the same\n", differ->other_count, differ->same_count);
    return true;
}

/* Returns whether a word is a folder of layouts, and lists them. */
static bool find_folder(struct differ *differ, const char *word, struct strings *ret_names)
{
    const char *dir, *tag;
    if (!remote_is_dir(word) || remote_find_layout(differ->remote, word, &dir, &tag))
        return false;
    *ret_names = layout_names(differ->arena, word);
    return true;
}

/* --- the command --- */

static bool read_form(struct differ *differ, struct err *err)
{
    const char *format = differ->options->format;
    if (differ->options->is_json && format) {
        err_set(err, ERR_USAGE, "--json and --format=%s exclude each other", format);
        return false;
    }
    differ->form = differ->options->is_json ? DIFF_JSON : DIFF_TEXT;
    if (!format || strcmp(format, "text") == 0)
        return true;
    differ->form = DIFF_MARKDOWN;
    if (strcmp(format, "markdown") == 0)
        return true;
    err_set(err, ERR_USAGE, "--format=%s: diff has text and markdown", format);
    return false;
}

static void close_differ(struct differ *differ)
{
    stories_done(&differ->stories);
    libraries_done(&differ->libraries);
    store_close(differ->store);
}

bool diff_run(struct remote *remote, struct err *err)
{
    json_auto_t *images = json_array();
    struct err no_cache = {0};
    AUTO(close_differ)
    struct differ differ = {
        .remote = remote, .arena = remote->arena, .options = &remote->command->options, .report = images};
    const struct strings *words = &differ.options->words;
    struct strings names[2] = {{0}, {0}};
    if (!read_form(&differ, err) || !wanted_read(remote->command, &differ.arches, err))
        return false;
    differ.wanted = wanted_of_index(&differ.arches, true);
    if (!open_store(&differ, &no_cache))
        log_line(remote->command->log, LOG_QUIET, "warning: no changelog is read: %s", no_cache.text);
    bool are_folders =
        find_folder(&differ, words->items[0], &names[0]) && find_folder(&differ, words->items[1], &names[1]);
    bool are_locks = diff_is_lock(words->items[0]) || diff_is_lock(words->items[1]);
    if (are_locks     ? !diff_locks(&differ, err)
        : are_folders ? !diff_folders(&differ, names, err)
                      : !diff_words(&differ, err))
        return false;
    if (differ.form == DIFF_JSON)
        diff_print_json(&differ);
    if (differ.other_count && differ.options->is_exit_code)
        remote->command->outcome = ERR_DIFFERS;
    return true;
}
