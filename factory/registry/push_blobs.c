/* SPDX-License-Identifier: Apache-2.0 */
/* The blobs of all platforms in one queue, the biggest first, so that the last one to end is a small one. */
#include "registry/push_parts.h"

#include "base/auto.h"
#include "base/map.h"
#include "registry/registry_shared.h"

#include <errno.h>

bool push_is_foreign(const struct layout_blob *blob)
{
    return blob->media_type && (strstr(blob->media_type, "nondistributable") || strstr(blob->media_type, ".foreign."));
}

static void add_blob(struct push_work *push, struct map *seen, const struct layout_blob *blob)
{
    struct text key = {(const char *)blob->digest.bytes, sizeof blob->digest.bytes};
    if (!push_is_foreign(blob) && map_add(seen, key, (void *)blob))
        list_add(push->arena, &push->blobs, (struct push_blob){.blob = *blob});
}

static int by_size_down(const void *a, const void *b)
{
    const struct push_blob *first = a, *second = b;
    if (first->blob.size_bytes != second->blob.size_bytes)
        return first->blob.size_bytes < second->blob.size_bytes ? 1 : -1;
    return memcmp(first->blob.digest.bytes, second->blob.digest.bytes, sizeof first->blob.digest.bytes);
}

void push_list_blobs(struct push_work *push)
{
    const struct layout_image *image = push->request->image;
    struct map seen = {.arena = push->arena};
    for (size_t i = 0; i < image->manifests.count; i++) {
        const struct layout_manifest *manifest = &image->manifests.items[i];
        if (manifest->unread) {
            /* A nested index is put as a manifest; what is of an unknown type can only be a blob. */
            if (!layout_is_index(manifest->blob.media_type))
                add_blob(push, &seen, &manifest->blob);
            continue;
        }
        add_blob(push, &seen, &manifest->config);
        for (size_t j = 0; j < manifest->layers.count; j++)
            add_blob(push, &seen, &manifest->layers.items[j]);
    }
    if (push->blobs.count)
        qsort(push->blobs.items, push->blobs.count, sizeof *push->blobs.items, by_size_down);
    push->result->blob_count = push->blobs.count;
}

static bool look(void *context, void *item, struct err *err)
{
    struct push_work *push = context;
    struct push_blob *blob = item;
    return registry_look_blob(push->registry, &blob->blob.digest, blob->blob.size_bytes, false, &blob->presence, err);
}

static bool look_for_known(void *context, void *item, struct err *err)
{
    struct push_work *push = context;
    struct push_blob *blob = item;
    return registry_look_blob(push->registry, &blob->blob.digest, blob->blob.size_bytes, true, &blob->presence, err);
}

bool push_look_blobs(struct push_work *push, enum push_guess guess, struct err *err)
{
    struct each_items all =
        push_items(push->blobs.items, push->blobs.count, sizeof *push->blobs.items, PUSH_SMALL_REQUESTS);
    return each_run(all, guess == PUSH_GUESS_PRESENT ? look_for_known : look, push, err);
}

/* A blob to upload; what became of it. */
struct sending {
    struct push_blob *blob;
    bool is_mounted, is_sent;
};

/* Some registries keep what they have under a digest, whatever they are sent. */
static bool check_replaced(struct push_work *push, struct push_blob *blob, struct err *err)
{
    if (!look_for_known(push, blob, err))
        return false;
    if (blob->presence != BLOB_THERE)
        err_set(err, ERR_PUBLISH,
                "%s: the registry has other bytes under sha256:%s, and keeps them although the right ones were sent; "
                "they have to be deleted there",
                push->registry->name, digest_hex(&blob->blob.digest).chars);
    return blob->presence == BLOB_THERE;
}

/* Who opens the bytes of one blob. */
struct opening {
    const struct push_request *request;
    const struct layout_blob *blob;
};

static bool open_body(void *context, int *ret_fd, struct err *err)
{
    const struct opening *opening = context;
    const struct push_request *request = opening->request;
    const struct cargo_blobs *blobs = request->blobs;
    if (blobs ? blobs->open(blobs->context, opening->blob, ret_fd, err)
              : layout_blob_open(request->image, opening->blob, ret_fd, err))
        return true;
    bool is_missing = err->kind == ERR_MALFORMED || (err->kind == ERR_LOCAL && err->detail == ENOENT);
    if (request->are_blobs_there && is_missing) {
        err_clear(err);
        err_set(err, ERR_PUBLISH, "sha256:%s was there, and is not any more; push it again",
                digest_hex(&opening->blob->digest).chars);
    }
    return false;
}

/* What would have to be fetched first is opened only when it could not be mounted. */
static bool upload_body(struct push_work *push, struct sending *sending, const char *from, struct err *err)
{
    const struct layout_blob *blob = &sending->blob->blob;
    bool is_queued = blob->size_bytes > REGISTRY_BIG_BODY_BYTES, is_late = push->request->blobs && from;
    struct opening opening = {push->request, blob};
    AUTO(auto_close_fd) int fd = -1;
    if (!is_late && !open_body(&opening, &fd, err))
        return false;
    if (is_queued && !registry_shared_enter(push->registry, blob->size_bytes, err))
        return false;
    struct upload upload = {.digest = &blob->digest,
                            .size_bytes = blob->size_bytes,
                            .fd = fd,
                            .open = open_body,
                            .context = &opening,
                            .mount_from = from,
                            .counter = push->request->counter};
    bool is_done = registry_upload(push->registry, &upload, &sending->is_mounted, err);
    if (is_queued)
        registry_shared_leave(push->registry);
    return is_done;
}

/* What another image of the call brought to this repository is there; to another one of the registry: it is mounted. After
 * the first round nothing is taken for granted. */
static bool send_once(struct push_work *push, struct sending *sending, struct err *err)
{
    const struct digest *digest = &sending->blob->blob.digest;
    const char *own = push->registry->reference.repository, *there = NULL;
    bool is_claimed = push->is_first_round && sending->blob->presence == BLOB_ABSENT;
    if (is_claimed && !registry_shared_claim(push->registry, digest, &there, err))
        return false;
    if (there && strcmp(there, own) == 0) {
        sending->is_mounted = true;
        return true;
    }
    const char *likely = push->is_first_round ? push->request->mount_from : NULL;
    bool is_done = upload_body(push, sending, there ? there : likely ? likely : push->is_new ? own : NULL, err);
    if (is_claimed && !there)
        registry_shared_settle(push->registry, digest, is_done);
    return is_done;
}

/* With a mount a registry that has the blob answers 201 to the very POST that would open the session: from a repository
 * that the caller named, or from this one, which saves the HEAD where nothing is expected to be there. */
static bool send(void *context, void *item, struct err *err)
{
    struct push_work *push = context;
    struct sending *sending = item;
    const struct layout_blob *blob = &sending->blob->blob;
    if (push->request->image->blobs_fd < 0 && !push->request->blobs) {
        err_set(err, ERR_LOCAL, "blob sha256:%s is not here to be sent", digest_hex(&blob->digest).chars);
        return false;
    }
    if (!send_once(push, sending, err))
        return false;
    sending->is_sent = !sending->is_mounted;
    if (sending->blob->presence == BLOB_OF_OTHER_SIZE)
        return check_replaced(push, sending->blob, err);
    sending->blob->presence = BLOB_THERE;
    return true;
}

static void count_sent(struct push_work *push, const struct sending *sendings, size_t count)
{
    struct push_result *result = push->result;
    for (size_t i = 0; i < count; i++) {
        if (sendings[i].is_mounted)
            result->present_count++;
        if (sendings[i].is_sent)
            result->sent_bytes += sendings[i].blob->blob.size_bytes;
    }
}

bool push_blobs(struct push_work *push, enum push_guess guess, struct err *err)
{
    size_t connections = push->request->connections ? push->request->connections : PUSH_DEFAULT_CONNECTIONS;
    LIST(struct sending) absent = {0};
    if (guess != PUSH_GUESS_ABSENT && !push_look_blobs(push, guess, err))
        return false;
    for (size_t i = 0; i < push->blobs.count; i++) {
        if (push->blobs.items[i].presence == BLOB_THERE)
            registry_shared_settle(push->registry, &push->blobs.items[i].blob.digest, true);
        else
            list_add(push->arena, &absent, (struct sending){.blob = &push->blobs.items[i]});
    }
    for (size_t i = 0; push->request->total && i < absent.count; i++)
        atomic_fetch_add(push->request->total, absent.items[i].blob->blob.size_bytes);
    struct each_items items = push_items(absent.items, absent.count, sizeof *absent.items, connections);
    bool is_done = each_run(items, send, push, err);
    count_sent(push, absent.items, absent.count);
    if (guess == PUSH_GUESS_PRESENT)
        push->result->mended_count += absent.count;
    if (guess != PUSH_GUESS_ABSENT && !push->is_counted)
        push->result->present_count = push->blobs.count - absent.count;
    push->is_counted = true;
    return is_done;
}
