/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/copy.h"

#include "base/auto.h"
#include "base/each.h"
#include "cli/display.h"
#include "cli/verify.h"
#include "line/publish.h"
#include "line/report.h"
#include "registry/cargo_bring.h"
#include "registry/push.h"
#include "registry/registries_conf.h"

#include <errno.h>
#include <sys/stat.h>

/* --- sources --- */

/* Gets a blob of a registry when it is needed; one that the cache has is not fetched again. */
static bool open_fetched(void *context, const struct layout_blob *blob, int *ret_fd, struct err *err)
{
    const struct copy_source *source = context;
    AUTO(auto_close_fd) int fd = -1;
    struct stat status;
    bool is_there = store_has_blob(source->store, &blob->digest, blob->size_bytes);
    if (is_there && !store_open_blob(source->store, &blob->digest, &fd, err))
        return false;
    if (fd < 0 &&
        (!registry_get_blob(source->remote.registry, source->store, &blob->digest, blob->size_bytes, NULL, err) ||
         !store_open_blob(source->store, &blob->digest, &fd, err))) {
        err_wrap(err, "from %s: sha256:%s", source->word, digest_hex(&blob->digest).chars);
        return false;
    }
    if (fd >= 0 && fstat(fd, &status) == 0 && (uint64_t)status.st_size == blob->size_bytes) {
        *ret_fd = take_fd(&fd);
        return true;
    }
    err_set(err, ERR_LOCAL, "sha256:%s went out of the cache while it was used; run again",
            digest_hex(&blob->digest).chars);
    return false;
}

static bool open_local(void *context, const struct layout_blob *blob, int *ret_fd, struct err *err)
{
    const struct copy_source *source = context;
    return layout_blob_open(&source->local, blob, ret_fd, err);
}

/* --- a layout's bytes --- */

static bool check_blob(void *context, void *item, struct err *err)
{
    const struct copy_source *source = context;
    const struct layout_blob *blob = item;
    AUTO(auto_close_fd) int fd = -1;
    AUTO(view_done) struct view view = {0};
    if (!layout_blob_open(&source->local, blob, &fd, err)) {
        if (err->kind == ERR_MALFORMED || err->detail == ELOOP)
            err->kind = ERR_TRUST; /* missing, or no file, or a link: it is not what was put there */
        return false;
    }
    if (!file_map_fd(fd, "a blob", &view, err))
        return false;
    struct digest got = digest_of(view.ptr, view.len);
    if (digest_eq(&got, &blob->digest))
        return true;
    err_set(err, ERR_TRUST, "%s: blobs/sha256/%s has other bytes than its name says; it was damaged, or put there",
            source->word, digest_hex(&blob->digest).chars);
    return false;
}

/* Hashes all blobs before anything of them goes anywhere. */
static bool check_blobs(struct remote *remote, struct copy_source *source, struct err *err)
{
    LIST(struct layout_blob) blobs = {0};
    for (size_t i = 0; i < source->local.manifests.count; i++) {
        const struct layout_manifest *manifest = &source->local.manifests.items[i];
        if (manifest->unread)
            continue;
        list_add(remote->arena, &blobs, manifest->config);
        for (size_t j = 0; j < manifest->layers.count; j++)
            list_add(remote->arena, &blobs, manifest->layers.items[j]);
    }
    for (size_t i = 0; i < source->cargo.pieces.count; i++) {
        for (size_t j = 0; j < source->cargo.pieces.items[i].blob_count; j++)
            list_add(remote->arena, &blobs, source->cargo.pieces.items[i].blobs[j]);
    }
    struct each_items all = {blobs.items, blobs.count, sizeof *blobs.items, .threads_max = 2, .is_stopping = true};
    return each_run(all, check_blob, source, err);
}

/* What names in index.json begin with: of a full name ("quay.io/me/dhcpd:1") all but the tag. */
static const char *prefix_of(struct arena *arena, const char *name)
{
    const char *colon = name ? strrchr(name, ':') : NULL;
    return colon && !reference_is_tag(name) ? arena_strndup(arena, name, (size_t)(colon + 1 - name)) : "";
}

bool copy_open_layout(struct remote *remote, struct store *store, const struct layout_choice *choice,
                      struct copy_source *ret_source, struct err *err)
{
    struct copy_source *source = ret_source;
    const char *shown = choice->shown ? choice->shown : choice->dir;
    *source = (struct copy_source){.store = store, .word = shown, .local.blobs_fd = -1};
    if (!layout_image_open(remote->arena, choice, &source->local, err))
        return false;
    source->blobs = (struct cargo_blobs){open_local, source};
    source->tags = publish_tags(remote->arena, &source->local);
    return cargo_gather_layout(&source->local, prefix_of(remote->arena, source->local.tag), choice->wait,
                               remote->command->log, &source->cargo, err) &&
           check_blobs(remote, source, err);
}

/* Whether its signatures are as the call, or the machine's policy, wants them. */
static bool is_allowed(const struct remote *remote, size_t word_at, const struct copy_source *source, struct err *err)
{
    struct remote looking = *remote;
    looking.verify = remote->verify + word_at;
    return verify_image(&looking, &source->remote, err);
}

static bool open_registry(struct remote *remote, size_t word_at, struct copy_source *source, struct err *err)
{
    struct reference reference;
    source->remote.word = source->word;
    if (!reference_parse(remote->arena, source->word, true, &reference, err))
        return false;
    if (!remote_open_image(remote, source->store, &source->remote, err) || !is_allowed(remote, word_at, source, err)) {
        err_wrap(err, "from");
        return false;
    }
    source->blobs = (struct cargo_blobs){open_fetched, source};
    if (reference.tag || !reference.has_digest)
        list_add(remote->arena, &source->tags, reference.tag ? reference.tag : "latest");
    reference.tag = NULL;
    reference.has_digest = false;
    source->repository = reference_print(remote->arena, &reference);
    return cargo_gather_registry(source->remote.registry, arena_printf(remote->arena, "from %s", source->word),
                                 remote->command->log, copy_image(source), &source->cargo, err);
}

bool copy_open(struct remote *remote, struct store *store, size_t word_at, struct copy_source *ret_source,
               struct err *err)
{
    const char *word = remote->command->options.words.items[word_at];
    struct local local;
    *ret_source = (struct copy_source){.store = store, .word = word, .local.blobs_fd = -1};
    if (!remote_find_local(remote, word_at, &local, err))
        return false;
    const struct options *options = &remote->command->options;
    bool is_verified = options->policy || (options->keys.count ? !options->to_dir : options->signed_as != NULL);
    if (local.is_found && is_verified) {
        err_set(err, ERR_USAGE,
                "%s: --key, --policy and --signed-as verify images of registries; copy it, then: imgfactory verify REF",
                word);
        return false;
    }
    if (local.is_found) {
        struct layout_choice choice = remote_local_choice(remote, &local, NULL);
        return copy_open_layout(remote, store, &choice, ret_source, err);
    }
    return remote_is_local(word) ? remote_fail_no_layout(remote, word, err)
                                 : open_registry(remote, word_at, ret_source, err);
}

void copy_close(struct copy_source *source)
{
    cargo_done(&source->cargo);
    remote_close_image(&source->remote);
    layout_image_close(&source->local);
}

/* --- to a registry --- */

/* The source's repository, when the target's registry has it, too. */
static const char *mountable(struct remote *remote, const struct copy_source *source, const struct reference *target)
{
    struct reference from;
    struct err none = {0};
    bool is_near = source->repository && reference_parse(remote->arena, source->repository, false, &from, &none) &&
                   strcmp(from.host, target->host) == 0 && strcmp(from.repository, target->repository) != 0;
    return is_near ? arena_strdup(remote->arena, from.repository) : NULL;
}

static bool push(struct remote *remote, struct copy_source *source, struct reference *target,
                 struct publication *publication, struct err *err)
{
    AUTO(auto_close_registry) struct registry *registry = NULL;
    const struct registry_options *options;
    struct progress_line line = {.image = source->word, .arch = "", .stage = STAGE_PUSH};
    const struct progress progress = {&line, 1};
    struct push_request request = {.image = copy_image(source),
                                   .tags = &publication->tags,
                                   .policy = publication->policy,
                                   .blobs = &source->blobs,
                                   .cargo = &source->cargo,
                                   .mount_from = mountable(remote, source, target),
                                   .counter = &line.bytes_done,
                                   .total = &line.bytes_total};
    if (!registries_conf_options(remote->arena, remote->registry_options, target, &options, err) ||
        !registry_open(options, remote->http, target, REGISTRY_PUSH, &registry, err))
        return false;
    struct display *display = remote->command->options.is_quiet ? NULL : display_start(&progress, remote->command->log);
    publication->is_tried = true;
    publication->result.digest = copy_image(source)->root.digest;
    publication->is_good = push_image(registry, remote->arena, &request, &publication->result, err);
    display_stop(display);
    return publication->is_good;
}

static void tell(struct remote *remote, const struct copy_source *source, const struct publication *publication)
{
    const struct options *options = &remote->command->options;
    size_t missing = publication->result.attached_count;
    if (options->is_json)
        report_push_json(stdout, source->word, publication);
    if (options->is_json || options->is_quiet || !publication->is_good)
        return;
    report_push(stdout, publication);
    if (source->cargo.pieces.count)
        (void)printf("  with    %zu artifacts and tags of signatures that hang on it (%zu were missing)\n",
                     source->cargo.pieces.count, missing);
}

bool copy_push(struct remote *remote, struct copy_source *source, const char *target, struct err *err)
{
    struct reference reference;
    struct publication publication = {.policy = command_push_policy(remote->command)};
    if (!reference_parse(remote->arena, target, false, &reference, err))
        return false;
    if (reference.has_digest) {
        err_set(err, ERR_USAGE, "%s: a digest cannot be copied to; name a tag", target);
        return false;
    }
    for (size_t i = 0; i < remote->command->options.tags.count; i++)
        list_add(remote->arena, &publication.tags, remote->command->options.tags.items[i]);
    if (reference.tag)
        list_add(remote->arena, &publication.tags, reference.tag);
    if (!publication.tags.count)
        publication.tags = source->tags;
    if (!publication.tags.count) {
        err_set(err, ERR_USAGE, "%s has no tag; name one behind the target, as in %s:1", source->word, target);
        return false;
    }
    reference.tag = NULL;
    publication.destination = reference_print(remote->arena, &reference);
    bool is_good = push(remote, source, &reference, &publication, err);
    if (!is_good)
        err_wrap(err, "to %s", publication.destination);
    publication.err = *err;
    command_tell_timeout(remote->command, &publication.err);
    tell(remote, source, &publication);
    return is_good;
}
