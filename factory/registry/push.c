/* SPDX-License-Identifier: Apache-2.0 */
/* The transaction from top to bottom. A round brings everything into the repository and reads it back; what the
 * registry lost meanwhile (quay keeps what has no tag for an hour only) or does not see yet is brought again in
 * another round. */
#include "registry/push_parts.h"

#include "base/auto.h"
#include "base/clock.h"
#include "registry/artifact.h"
#include "registry/cargo_bring.h"
#include "registry/receipt.h"
#include "registry/registry_shared.h"

#define ROUNDS_MAX 4
#define PAUSE_MS ((uint64_t)1000)

/* Blobs, children, index. An image that is there under another tag is whole, unless the registry lost a part: then what
 * it needs is asked for, and only what is gone is brought. */
static bool bring_contents(struct push_work *push, int round, bool *ret_is_missing, struct err *err)
{
    if (push->is_known && round == 0)
        return push_blobs(push, PUSH_GUESS_PRESENT, err) && push_mend_manifests(push, ret_is_missing, err);
    bool is_absent_likely = push->is_new && round == 0 && !push->request->are_blobs_there;
    enum push_guess guess = is_absent_likely ? PUSH_GUESS_ABSENT : PUSH_GUESS_UNKNOWN;
    return push_blobs(push, guess, err) && push_manifests(push, ret_is_missing, err);
}

/* Once for each image: one that a tag had before may have its document. */
static bool attach_document(struct push_work *push, struct err *err)
{
    const struct push_attachment *attachment = &push->request->attachment;
    struct artifact artifact = {.found = ARTIFACT_ABSENT};
    if (!attachment->type || push->is_attached)
        return true;
    push->is_attached =
        (!push->is_known || artifact_read_attached(push->registry, push->arena, &push->result->digest, attachment->type,
                                                   &artifact, err)) &&
        (artifact.found == ARTIFACT_READ ||
         artifact_attach(push->registry, &push->request->image->root, attachment->type, attachment->document, err));
    if (!push->is_attached)
        err_wrap(err, "its bills");
    return push->is_attached;
}

/* In each round: what is there costs a look. */
static bool bring_cargo(struct push_work *push, struct err *err)
{
    const struct push_request *request = push->request;
    const struct cargo_load load = {request->cargo, request->blobs, request->mount_from};
    size_t count = 0;
    if (!request->cargo || cargo_bring(push->registry, push->arena, &load, &count, err)) {
        push->result->attached_count += count;
        return true;
    }
    err_wrap(err, "what hangs on the image");
    return false;
}

static bool publish(struct push_work *push, struct err *err)
{
    for (int round = 0;; round++) {
        bool is_missing = false;
        push->is_first_round = round == 0 && !push->is_known;
        if (bring_contents(push, round, &is_missing, err) && push_attach(push, err) && attach_document(push, err) &&
            push_bring_attached(push, err) && bring_cargo(push, err) && push_move_tags(push, &is_missing, err))
            return true;
        if (!is_missing || round + 1 >= ROUNDS_MAX)
            return false;
        if (push->registry->options->log)
            log_line(push->registry->options->log, LOG_VERBOSE, "%s; everything is looked at again", err->text);
        if (!registry_sleep(push->registry, PAUSE_MS, err))
            return false;
        err_clear(err);
    }
}

/* Whether all of it was seen there not long ago. */
static bool is_seen(const struct push_work *push)
{
    const struct push_policy *policy = &push->request->policy;
    return !policy->is_look_forced &&
           receipt_is_young(policy->receipts_dir, push->registry->name, &push->identity, clock_date());
}

static bool has_editions(const struct push_work *push)
{
    for (size_t i = 0; i < push->attached.documents.count; i++) {
        if (push->attached.documents.items[i].edition)
            return true;
    }
    return false;
}

/* After everything was seen there, or the registry said that something is not. */
static void keep_receipt(const struct push_work *push, bool is_whole, const struct err *err)
{
    const char *dir = push->request->policy.receipts_dir;
    if (is_whole && push->result->attached_count && has_editions(push))
        receipt_forget(dir, push->registry->name); /* what was seen there may have been replaced */
    if (is_whole)
        receipt_write(dir, push->registry->name, &push->identity, clock_date(), push->registry->options->log);
    else if (err->kind == ERR_PUBLISH || err->kind == ERR_TRUST)
        receipt_remove(dir, push->registry->name, &push->identity);
}

static bool check_labels(struct push_work *push, struct err *err)
{
    const struct layout_image *image = push->request->image;
    struct push_labelled *items = arena_new_array(push->arena, struct push_labelled, image->manifests.count + 1);
    size_t count = 0;
    for (size_t i = 0; i < image->manifests.count; i++) {
        const struct layout_manifest *manifest = &image->manifests.items[i];
        if (manifest->unread)
            continue;
        bool is_image = layout_is_config(manifest->config.media_type);
        items[count++] =
            (struct push_labelled){manifest->bytes, is_image ? manifest->config_bytes : (struct text){"", 0}};
    }
    return push_check_labels(push, items, count, err);
}

static bool check_platforms(struct push_work *push, struct err *err)
{
    struct platforms after = {0};
    platforms_of_image(push->arena, push->request->image, &after);
    return push_check_platforms(push, &after, err);
}

static void tell_of_mending(const struct push_work *push)
{
    struct log *log = push->registry->options->log;
    if (push->result->mended_count && log)
        log_line(log, LOG_QUIET, "warning: %s had lost %zu blobs or manifests of %s; they were sent again",
                 push->registry->name, push->result->mended_count, registry_digest_name(&push->result->digest).chars);
}

static bool are_all_kept(const struct push_work *push)
{
    for (size_t i = 0; i < push->result->tags.count; i++) {
        if (!push->result->tags.items[i].is_kept)
            return false;
    }
    return true;
}

/* Whether one of the tags is at something newer: then all stay. */
static bool leave_newer(struct push_work *push)
{
    const struct push_guard *guard = push->request->guard;
    struct push_result *result = push->result;
    for (size_t i = 0; guard && i < result->tags.count && !result->is_left; i++) {
        const struct push_note *note = &push->notes[i];
        result->is_left = note->tag->had_old && !note->is_ours && !note->tag->is_kept && !note->platform &&
                          guard->is_newer(guard->context, &note->tag->old_digest);
    }
    for (size_t i = 0; result->is_left && i < result->tags.count; i++)
        result->tags.items[i].is_kept = result->tags.items[i].had_old && !push->notes[i].is_ours;
    return result->is_left;
}

/* Notes what the first tag that moved was at. */
static void keep_replaced(struct push_work *push)
{
    struct push_result *result = push->result;
    for (size_t i = 0; i < result->tags.count; i++) {
        const struct push_note *note = &push->notes[i];
        if (!note->tag->is_moved || !note->tag->had_old || note->platform)
            continue;
        result->replaced = note->tag->old_digest;
        result->replaced_bytes =
            (struct text){arena_strndup(push->arena, note->bytes.ptr, note->bytes.len), note->bytes.len};
        return;
    }
}

static bool run(struct push_work *push, struct err *err)
{
    struct push_result *result = push->result;
    bool are_ours;
    if (!check_labels(push, err) || !push_note_tags(push, &are_ours, err))
        return false;
    if (!are_ours && leave_newer(push)) {
        result->is_unchanged = true;
        return true;
    }
    if (!check_platforms(push, err) || (are_ours && !push_ask_givers(push, err)))
        return false;
    if (are_ours && (are_all_kept(push) || is_seen(push))) {
        result->is_unchanged = true;
        result->present_count = result->blob_count;
        return are_all_kept(push) || push_settle_stamp(push, err);
    }
    registry_shared_will_push(push->registry);
    if (!are_ours && (!push_add_stamp(push, err) || !push_ask_givers(push, err)))
        return false;
    bool is_done = publish(push, err);
    keep_receipt(push, is_done, err);
    is_done = is_done && (!are_ours || push_settle_stamp(push, err));
    if (is_done)
        push_note_stamp(push);
    result->is_unchanged = is_done && are_ours && !result->mended_count;
    if (is_done) {
        keep_replaced(push);
        tell_of_mending(push);
    } else {
        err_wrap(err, "push of %s", registry_digest_name(&result->digest).chars);
    }
    return is_done;
}

bool push_image(struct registry *registry, struct arena *arena, const struct push_request *request,
                struct push_result *ret_result, struct err *err)
{
    AUTO(push_forget_notes)
    struct push_work push = {.registry = registry,
                             .request = request,
                             .result = ret_result,
                             .arena = arena,
                             .identity = request->image->root.digest};
    *ret_result = (struct push_result){.digest = request->image->root.digest};
    if (!request->tags->count) {
        err_set(err, ERR_USAGE, "%s: the image has no tag; write REPOSITORY:TAG, or --tag TAG", registry->name);
        return false;
    }
    push_list_blobs(&push);
    return run(&push, err);
}

/* Every blob that was found below the manifest is asked for. */
static bool check_blobs(struct push_work *push, struct err *err)
{
    const struct push_blob *missing = NULL;
    size_t count = 0;
    if (!push_look_blobs(push, PUSH_GUESS_PRESENT, err))
        return false;
    for (size_t i = 0; i < push->blobs.count; i++) {
        if (push->blobs.items[i].presence == BLOB_THERE)
            continue;
        missing = missing ? missing : &push->blobs.items[i];
        count++;
    }
    if (missing)
        err_set(err, ERR_PUBLISH,
                "%s: %zu of the blobs that it needs are not there, or not whole: sha256:%s%s; push the image again",
                push->registry->name, count, digest_hex(&missing->blob.digest).chars, count > 1 ? ", …" : "");
    return !missing;
}

static void platforms_of_root(struct arena *arena, struct text root, const struct push_reach *reach,
                              struct platforms *platforms)
{
    struct digest config;
    if (platforms_read(arena, root, platforms, &config) == PLATFORMS_IN_CONFIG && reach->labelled.count)
        platforms_add_config(arena, reach->labelled.items[0].config, platforms);
}

/* What a tag may be set on. */
static bool check_reach(struct push_work *push, struct err *err)
{
    struct push_reach reach;
    struct platforms after = {0};
    struct text root = push->request->image->root_bytes;
    if (!push_find_reach(push->registry, push->arena, root, &reach, err))
        return false;
    platforms_of_root(push->arena, root, &reach, &after);
    push->blobs = reach.blobs;
    return push_check_labels(push, reach.labelled.items, reach.labelled.count, err) &&
           push_check_platforms(push, &after, err) && check_blobs(push, err);
}

static bool run_tag(struct push_work *push, struct err *err)
{
    bool are_ours, is_missing;
    if (!push_note_tags(push, &are_ours, err))
        return false;
    push->result->is_unchanged = are_ours;
    if (are_ours && is_seen(push))
        return true;
    bool is_whole = check_reach(push, err);
    keep_receipt(push, is_whole, err);
    return is_whole && (are_ours || push_move_tags(push, &is_missing, err));
}

bool push_tag(struct registry *registry, struct arena *arena, const struct digest *digest, const char *tag,
              const struct push_policy *policy, struct push_result *ret_result, struct err *err)
{
    struct registry_manifest manifest;
    struct digest_name name = registry_digest_name(digest);
    *ret_result = (struct push_result){.digest = *digest};
    if (!registry_get_manifest(registry, arena, name.chars, &manifest, err))
        return false;
    if (!manifest.is_found) {
        err_set(err, ERR_PUBLISH, "%s@%s: there is no such manifest", registry->name, name.chars);
        return false;
    }
    const char *items[] = {tag};
    struct strings tags = {items, 1, 1};
    struct layout_image image = {.blobs_fd = -1,
                                 .root = {*digest, manifest.size_bytes, manifest.media_type},
                                 .root_bytes = {manifest.bytes, (size_t)manifest.size_bytes}};
    struct push_request request = {.image = &image, .tags = &tags, .policy = *policy};
    AUTO(push_forget_notes)
    struct push_work push = {
        .registry = registry, .request = &request, .result = ret_result, .arena = arena, .identity = *digest};
    return run_tag(&push, err);
}
