/* SPDX-License-Identifier: Apache-2.0 */
/* From the list of tags to the last deletion. */
#include "registry/expiry_parts.h"

#include "base/auto.h"
#include "base/clock.h"

#define LOOK_SECONDS 5.0 /* after which the tags are looked at again, and ten times what it took */
#define BATCH ((size_t)64)
#define DENIALS_MAX ((size_t)16)

/* --- the memory --- */

static void remember_image(struct expiry_work *work, const struct expiry_memory_image *image, bool is_doomed,
                           struct expiry_memory *memory)
{
    list_add(work->arena, memory, (struct expiry_memory_image){image->digest, is_doomed, image->manifests});
}

/* Of a dry run: what was read need not be read again when it is done. */
static void remember_read(struct expiry_work *work)
{
    struct expiry_memory memory = {0};
    for (size_t i = 0; i < work->memory.count; i++)
        remember_image(work, &work->memory.items[i], work->memory.items[i].is_doomed, &memory);
    for (size_t i = 0; i < work->result->images.count; i++) {
        const struct expiry_image *image = work->result->images.items[i];
        struct expiry_memory_image known = {.digest = image->digest, .manifests = image->manifests};
        if (image->is_known && !image->is_recalled && !image->has_strayed)
            remember_image(work, &known, false, &memory);
    }
    expiry_memory_write(work->request->memory_dir, work->registry->name, &memory, work->registry->options->log);
}

/* Notes all images that are known. What goes is marked before; what was deleted is forgotten after all that was theirs. */
static void remember(struct expiry_work *work, bool is_done)
{
    const struct expiry_request *request = work->request;
    struct expiry_memory memory = {0};
    for (size_t i = 0; i < work->result->images.count; i++) {
        const struct expiry_image *image = work->result->images.items[i];
        struct expiry_memory_image known = {.digest = image->digest, .manifests = image->manifests};
        if (image->is_known && !image->has_strayed && !(is_done && image->is_deleted))
            remember_image(work, &known, image->is_old && !is_done, &memory);
    }
    for (size_t i = 0; !is_done && i < work->memory.count; i++) {
        const struct expiry_memory_image *known = &work->memory.items[i];
        if (known->is_doomed && !expiry_find_image(work, &known->digest))
            remember_image(work, known, true, &memory);
    }
    expiry_memory_write(request->memory_dir, work->registry->name, &memory, work->registry->options->log);
}

/* --- deleting --- */

/* How the registry deletes. */
struct deleting {
    struct expiry_work *work;
    bool are_tags_learned;
    bool are_tags_apart; /* tags stay at a digest that was deleted: each is deleted, too, and before it */
    struct err *errs;    /* of the items that are being deleted, BATCH of them: most have none in the end */
};

static bool fail_unsupported(const struct expiry_work *work, struct err *err)
{
    struct err said = *err;
    err_clear(err);
    err_set(err, ERR_PUBLISH,
            "%s: nothing can be pruned there, since the registry does not delete manifests, or is not set up to "
            "(docker-registry: storage.delete.enabled; others have rules of their own for that): %s",
            work->registry->name, said.text);
    return false;
}

static bool delete_name(struct deleting *deleting, const char *name, struct expiry_item *item, struct err *err)
{
    enum registry_deletion deletion;
    if (!registry_delete_manifest(deleting->work->registry, name, &deletion, err)) {
        if (err->kind != ERR_PUBLISH)
            return false;
        *item->err = *err; /* refused: the others may go all the same */
        err_clear(err);
        return true;
    }
    if (deletion == REGISTRY_NO_DELETION)
        return fail_unsupported(deleting->work, err);
    item->was_gone = deletion == REGISTRY_WAS_GONE;
    return true;
}

/* Unless somebody moved it to something else meanwhile. */
static bool delete_tag(struct deleting *deleting, const char *tag, struct expiry_item *item, struct err *err)
{
    bool is_found, is_it;
    return registry_manifest_is(deleting->work->registry, tag, &item->digest, true, &is_found, &is_it, err) &&
           (!is_it || delete_name(deleting, tag, item, err));
}

static bool delete_tags(struct deleting *deleting, struct expiry_item *item, struct err *err)
{
    const struct strings none = {0}, *tags = item->image ? &item->image->tags : &none;
    for (size_t i = 0; i < tags->count && item->err->kind == ERR_NONE; i++) {
        if (!delete_tag(deleting, tags->items[i], item, err))
            return false;
    }
    return !item->tag || item->err->kind != ERR_NONE || delete_tag(deleting, item->tag, item, err);
}

/* Most registries take the tags along with what they are at. Where the first one shows that they stay, they are deleted by name; until
 * then what they are at is whole: its manifests come later. */
static bool learn_tags(struct deleting *deleting, struct expiry_item *item, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct registry_manifest manifest;
    const char *tag = item->tag ? item->tag : item->image ? item->image->tags.items[0] : NULL;
    if (deleting->are_tags_learned || !tag || item->err->kind != ERR_NONE)
        return true;
    if (!registry_get_manifest(deleting->work->registry, &scratch, tag, &manifest, err))
        return false;
    deleting->are_tags_learned = true;
    deleting->are_tags_apart = manifest.is_found;
    return !manifest.is_found || delete_tags(deleting, item, err);
}

static bool delete_item(void *context, void *argument, struct err *err)
{
    struct deleting *deleting = context;
    struct expiry_item *item = argument;
    if (item->is_spared)
        return true;
    if ((deleting->are_tags_apart && !delete_tags(deleting, item, err)) ||
        (item->err->kind == ERR_NONE && !delete_name(deleting, item->name, item, err)) ||
        !learn_tags(deleting, item, err))
        return false;
    item->is_deleted = item->err->kind == ERR_NONE;
    return true;
}

/* Stops when somebody else moves tags: what they are at now may need what is about to go. */
static bool look_again(struct expiry_work *work, bool is_due, struct err *err)
{
    const char *tag = NULL;
    if (is_due && !expiry_has_moved(work, &tag, err))
        return false;
    if (tag)
        work->result->stopped = arena_printf(work->arena, "somebody else moved the tag %s", tag);
    return true;
}

static bool check_refused(const struct expiry_work *work, struct err *err)
{
    const struct expiry_result *result = work->result;
    const struct expiry_item *first = NULL;
    size_t count = 0;
    for (size_t i = 0; i < result->items.count; i++) {
        if (!result->items.items[i].err)
            continue;
        first = first ? first : &result->items.items[i];
        count++;
    }
    if (first)
        err_set(err, first->err->kind, "%s: %zu of %zu could not be deleted: %s", work->registry->name, count,
                result->items.count, first->err->text);
    return !first;
}

/* Whether the credential just may not delete: so many were denied, and nothing was deleted. */
static bool are_all_denied(const struct expiry_result *result)
{
    size_t denied = 0;
    for (size_t i = 0; i < result->items.count; i++) {
        const struct expiry_item *item = &result->items.items[i];
        if (item->is_deleted)
            return false;
        denied += item->err && (item->err->detail == 401 || item->err->detail == 403);
    }
    return denied >= DENIALS_MAX;
}

/* Deletes some at a time, and keeps why any was refused. */
static bool delete_batch(struct deleting *deleting, struct each_items items, struct err *err)
{
    struct expiry_work *work = deleting->work;
    struct expiry_item *first = items.items;
    for (size_t i = 0; i < items.count; i++) {
        deleting->errs[i] = (struct err){0};
        first[i].err = &deleting->errs[i];
    }
    bool is_good = each_run(items, delete_item, deleting, err);
    for (size_t i = 0; i < items.count; i++) {
        struct err *kept = first[i].err->kind == ERR_NONE ? NULL : arena_new(work->arena, struct err);
        if (kept)
            *kept = *first[i].err;
        first[i].err = kept;
    }
    return is_good;
}

/* Deletes the items of one kind, which stand together; the first alone, since it shows how the registry does it. */
static bool delete_kind(struct deleting *deleting, enum expiry_kind kind, struct err *err)
{
    struct expiry_work *work = deleting->work;
    struct expiry_result *result = work->result;
    size_t at = 0, end;
    while (at < result->items.count && result->items.items[at].kind != kind)
        at++;
    for (end = at; end < result->items.count && result->items.items[end].kind == kind;)
        end++;
    while (at < end && !result->stopped) {
        size_t count = end - at < BATCH ? end - at : BATCH;
        struct each_items items = {.items = &result->items.items[at],
                                   .count = deleting->are_tags_learned ? count : 1,
                                   .each_bytes = sizeof *result->items.items,
                                   .threads_max = EXPIRY_REQUESTS,
                                   .is_stopping = true};
        if (!delete_batch(deleting, items, err))
            return false;
        at += items.count;
        if (!deleting->are_tags_learned && are_all_denied(result))
            return check_refused(work, err);
        double seconds = clock_seconds() - work->read_seconds;
        if (!look_again(work, at < end && seconds > LOOK_SECONDS && seconds > 10 * work->look_seconds, err))
            return false;
    }
    return true;
}

/* What the registry refused to delete stays, and so all does that this consists of and that is about it. */
static void spare(struct expiry_work *work)
{
    static const char why[] = "the registry";
    struct expiry_result *result = work->result;
    for (size_t i = 0; i < result->items.count; i++) { /* whatever depends on something stands behind it */
        struct expiry_item *item = &result->items.items[i];
        bool is_refused = item->err != NULL;
        if (is_refused && item->subject) /* its tag goes on naming it */
            expiry_need(work, item->subject, why);
        for (size_t j = 0; is_refused && item->image && j < item->image->manifests.count; j++)
            expiry_need(work, &item->image->manifests.items[j], why);
        item->is_spared =
            !item->is_deleted && !is_refused &&
            (expiry_is_needed(work, &item->digest) || (item->subject && expiry_is_needed(work, item->subject)));
        if (is_refused || item->is_spared)
            expiry_need(work, &item->digest, why);
    }
}

static void count_deleted(struct expiry_work *work)
{
    struct expiry_result *result = work->result;
    for (size_t i = 0; i < result->items.count; i++) {
        const struct expiry_item *item = &result->items.items[i];
        bool is_image = item->image && (work->request->is_dry_run || item->is_deleted);
        result->deleted_count += item->is_deleted;
        result->image_count += is_image;
        if (is_image)
            expiry_find_image(work, &item->image->digest)->is_deleted = item->is_deleted;
    }
}

static bool delete_all(struct expiry_work *work, struct err *err)
{
    struct deleting deleting = {.work = work, .errs = arena_new_array(work->arena, struct err, BATCH)};
    struct expiry_result *result = work->result;
    remember(work, false);
    bool is_good = delete_kind(&deleting, EXPIRY_IMAGE, err);
    is_good = is_good && (result->stopped || look_again(work, true, err));
    for (enum expiry_kind kind = EXPIRY_MANIFEST; is_good && !result->stopped && kind <= EXPIRY_REFERRERS_TAG; kind++) {
        spare(work);
        is_good = delete_kind(&deleting, kind, err);
    }
    count_deleted(work);
    if (is_good && !result->stopped && check_refused(work, err)) {
        remember(work, true);
        return true;
    }
    return is_good && err->kind == ERR_NONE;
}

static bool has_work(const struct expiry_work *work)
{
    bool has_some = false;
    for (size_t i = 0; i < work->result->images.count; i++)
        has_some = has_some || work->result->images.items[i]->is_old;
    for (size_t i = 0; i < work->memory.count; i++)
        has_some = has_some || work->memory.items[i].is_doomed;
    return has_some;
}

static bool plan(struct expiry_work *work, struct err *err)
{
    struct expiry_result *result = work->result;
    size_t before;
    if (!expiry_read_others(work, err) || !expiry_know_images(work, err))
        return false;
    do {
        before = work->others.count;
        work->needed = (struct map){.arena = work->arena};
        work->doomed = (struct map){.arena = work->arena};
        result->items.count = 0;
        if (!expiry_find_needed(work, err) || !expiry_list_doomed(work, err))
            return false;
    } while (work->others.count > before);
    return true;
}

bool expiry_run(struct registry *registry, struct arena *arena, const struct expiry_request *request,
                struct expiry_result *ret_result, struct err *err)
{
    struct expiry_work work = {.registry = registry,
                               .arena = arena,
                               .request = request,
                               .result = ret_result,
                               .images.arena = arena,
                               .abouts.arena = arena};
    *ret_result = (struct expiry_result){0};
    expiry_memory_read(arena, request->memory_dir, registry->name, &work.memory);
    if (!expiry_read_names(&work, err))
        return false;
    bool is_asked = has_work(&work), is_good = !is_asked || plan(&work, err);
    for (size_t i = 0; i < work.others.count; i++)
        arena_done(&work.others.items[i].arena);
    if (!is_good || !is_asked)
        return is_good;
    if (request->is_dry_run) {
        count_deleted(&work);
        remember_read(&work);
        return true;
    }
    if (ret_result->items.count)
        return delete_all(&work, err);
    remember(&work, true);
    return true;
}
