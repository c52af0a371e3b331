/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/image_word.h"

#include "base/auto.h"
#include "cli/places.h"
#include "io/secret.h"
#include "oci/document_json.h"
#include "registry/pull.h"

bool image_opener_init(struct remote *remote, struct image_opener *ret_opener, struct err *err)
{
    *ret_opener = (struct image_opener){.remote = remote, .arena = remote->arena};
    if (!wanted_read(remote->command, &ret_opener->arches, err))
        return false;
    ret_opener->wanted = wanted_of_index(&ret_opener->arches, true);
    return true;
}

bool image_opener_open_store(struct image_opener *opener, struct err *err)
{
    const char *state = opener->remote->command->options.state;
    struct digest secret;
    struct err ignored = {0};
    if (opener->store)
        return true;
    if (!remote_open_store(opener->remote, &opener->store, err))
        return false;
    if ((state || places_user_dir(opener->arena, "XDG_STATE_HOME", ".local/state", "/var/lib", &state, &ignored)) &&
        secret_open(state, &secret, &ignored))
        store_use_secret(opener->store, &secret);
    return true;
}

void image_opened_close(struct image_opened *opened)
{
    layout_image_close(&opened->local);
    remote_close_image(&opened->remote);
}

/* --- by a digest --- */

/* Finds the image with a digest in a layout, by any of its tags; false when it is not there. */
static bool find_in_layout(struct image_opener *opener, const char *dir, const struct digest *digest,
                           struct layout_image *ret_image)
{
    const struct lock_wait *wait = &opener->remote->command->lock_wait;
    struct strings tags = layout_tags(opener->arena, dir, wait);
    for (size_t i = 0; i < tags.count; i++) {
        struct layout_choice choice = {.dir = dir, .tag = tags.items[i], .wait = wait, .wanted = &opener->wanted};
        struct err ignored = {0};
        if (!layout_image_open(opener->arena, &choice, ret_image, &ignored))
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
static bool open_kept(struct image_opener *opener, const struct digest *digest, struct layout_image *ret_image,
                      struct err *err)
{
    AUTO(view_done) struct view view = {0};
    bool is_found = false;
    if (!image_opener_open_store(opener, err) || !store_map_blob(opener->store, digest, &view, &is_found, err))
        return false;
    json_auto_t *document = document_object(is_found ? (struct text){view.ptr, view.len} : TEXT(""));
    const char *type = json_string_value(json_object_get(document, "mediaType"));
    struct layout_blob root = {.digest = *digest, .size_bytes = view.len, .media_type = type};
    if (is_found && type && (layout_is_manifest(type) || layout_is_index(type))) {
        root.media_type = arena_strdup(opener->arena, type);
        return pull_kept(opener->store, opener->arena, &root, ret_image, err);
    }
    err_set(err, ERR_RESOLVE,
            "no layout in the output folder and nothing in the cache has sha256:%s; of a registry it is written "
            "REPOSITORY@sha256:…",
            digest_hex(digest).chars);
    return false;
}

/* An image by its digest alone: of a layout of the output, or of the cache. */
static bool open_digest(struct image_opener *opener, const struct digest *digest, struct image_opened *opened,
                        struct err *err)
{
    const struct command *command = opener->remote->command;
    const char *output = command_first(command->options.output, command->site.output, "out");
    struct strings names = layout_names(opener->arena, output);
    for (size_t i = 0; i < names.count; i++) {
        const char *dir = arena_printf(opener->arena, "%s/%s", output, names.items[i]);
        if (find_in_layout(opener, dir, digest, &opened->local)) {
            narrow_to(&opened->local, digest);
            opened->image = &opened->local;
            return true;
        }
    }
    opened->image = &opened->local;
    return open_kept(opener, digest, &opened->local, err);
}

static bool is_digest(const char *word, struct digest *ret_digest)
{
    static const char algorithm[] = "sha256:";
    return strncmp(word, algorithm, strlen(algorithm)) == 0 &&
           digest_parse(text_of(word + strlen(algorithm)), ret_digest);
}

/* --- by a word --- */

bool image_open_word(struct image_opener *opener, size_t word_at, struct image_opened *ret_opened, struct err *err)
{
    struct remote *remote = opener->remote;
    const char *word = remote->command->options.words.items[word_at];
    struct image_opened *opened = ret_opened;
    struct local local;
    struct digest digest;
    *opened = (struct image_opened){.local.blobs_fd = -1, .remote = {.word = word, .wanted = &opener->wanted}};
    if (!remote_find_local(remote, word_at, &local, err))
        return false;
    if (!local.is_found && is_digest(word, &digest))
        return open_digest(opener, &digest, opened, err);
    if (local.is_found) {
        struct layout_choice choice = remote_local_choice(remote, &local, &opener->wanted);
        if (!layout_image_open(opener->arena, &choice, &opened->local, err))
            return false;
    } else if (remote_is_local(word)) {
        return remote_fail_no_layout(remote, word, err);
    } else if (!image_opener_open_store(opener, err) ||
               !remote_open_image(remote, opener->store, &opened->remote, err)) {
        return false;
    }
    opened->image = local.is_found ? &opened->local : &opened->remote.image;
    return remote_check_offered(opener->arena, &opener->arches, opened->image, word, err);
}

bool image_word_fetch(struct image_opener *opener, struct registry *registry, const struct layout_manifest *manifest,
                      struct err *err)
{
    struct layout_manifest platform = *manifest;
    struct layout_image one = {.blobs_fd = -1, .manifests = {&platform, 1, 1}};
    return !registry || pull_layers(registry, opener->store, &one, NULL, err);
}
