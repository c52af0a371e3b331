/* SPDX-License-Identifier: Apache-2.0 */
/* How an image can be made again: what its provenance, or the bills beside a layout, say. */
#include "cli/rebuild_parts.h"
#include "cli/verify_parts.h"

#include "base/auto.h"
#include "bill/lock_bill.h"
#include "change/side.h"

#include <sys/stat.h>

static void take_lock(struct rebuild_plan *plan, struct text lock, const char *from)
{
    if (plan->lock.len || !lock.len)
        return;
    plan->lock = lock;
    plan->lock_of = from;
}

static void take_provenance(struct arena *arena, const struct told_provenance *told, struct rebuild_plan *plan)
{
    if (!told->is_ours || plan->is_known)
        return;
    plan->is_known = true;
    plan->made = told->made;
    plan->layer_plan = told->layer_plan;
    for (size_t i = 0; i < told->repositories.count; i++)
        list_add(arena, &plan->repositories, told->repositories.items[i]);
    take_lock(plan, told->lock, "the lock in its provenance");
}

static const char *options_of(struct arena *arena, const struct inputs *inputs)
{
    return arena_printf(arena, "%s%s%s", inputs->is_strict ? "--strict " : "", inputs->is_no_check ? "--no-check " : "",
                        inputs->is_older_fine ? "--allow-older" : "");
}

/* What the bills say, which all are of one build. */
static void take_bills(struct arena *arena, const struct bill *const *bills, size_t count, struct rebuild_plan *plan)
{
    AUTO(buf_done) struct buf text;
    const struct inputs *inputs = &bills[0]->inputs;
    buf_init(&text, LOCK_MAX_BYTES);
    if (!lock_of_bills(arena, bills, count, &text))
        return;
    plan->is_known = true;
    plan->made = (struct told_made){.image = bills[0]->facts.name,
                                    .named = bills[0]->named,
                                    .source = bills[0]->source->name,
                                    .compression = packing_names[inputs->compression],
                                    .encoder = inputs->encoder,
                                    .options = options_of(arena, inputs),
                                    .base = bills[0]->base ? bills[0]->base->name : NULL};
    plan->made.layers = arena_printf(arena, "%zu", inputs->layers);
    plan->layer_plan = text_of(strings_join(arena, &inputs->layer_plan, "\n"));
    if (inputs->source_date_epoch >= 0)
        plan->made.source_date_epoch = arena_printf(arena, "%lld", (long long)inputs->source_date_epoch);
    for (size_t i = 0; i < bills[0]->source->repositories.count; i++) {
        const struct bill_repository *from = &bills[0]->source->repositories.items[i];
        struct told_repository repository = {from->name, from->digest, from->signed_by};
        list_add(arena, &plan->repositories, repository);
    }
    take_lock(plan, (struct text){text_dup(arena, buf_text(&text)), text.len}, "its bills");
}

static void read_bills(const struct verifying *verifying, struct rebuild_plan *plan)
{
    struct arena *arena = verifying->remote->arena;
    const struct bill **bills = arena_new_array(arena, const struct bill *, verifying->count);
    size_t count = 0, platforms = 0;
    for (size_t i = 0; i < verifying->count && verifying->image->dir; i++) {
        const struct verify_verdict *verdict = &verifying->items[i];
        struct bill *bill = arena_new(arena, struct bill);
        if (!verdict->manifest || !side_is_platform(verdict->manifest))
            continue;
        platforms++;
        if (bill_read_beside(arena, verifying->image->dir, verdict->digest, bill))
            bills[count++] = bill;
    }
    if (count && count == platforms)
        take_bills(arena, bills, count, plan);
}

/* What `copy --to-dir --vendor` took along lies there. */
static const char *vendor_beside(struct arena *arena, const char *layout)
{
    const char *dir = layout ? arena_printf(arena, "%s/vendor", layout) : NULL;
    struct stat status;
    return dir && stat(dir, &status) == 0 && S_ISDIR(status.st_mode) ? dir : NULL;
}

void verify_plan(const struct verifying *verifying, struct rebuild_plan *plan)
{
    struct arena *arena = verifying->remote->arena;
    plan->image = *verifying->image;
    plan->image.blobs_fd = -1;
    plan->vendor = vendor_beside(arena, plan->image.dir);
    plan->image.dir = NULL; /* its layers were read, and are in the cache */
    plan->is_local = verifying->verify->is_local;
    plan->is_stranger = !verifying->verify->rules.items.count && !verifying->verify->lock_path;
    plan->reference = verifying->verify->reference;
    take_lock(plan, verifying->verify->lock_text, verifying->verify->lock_path);
    for (size_t i = 0; i < verifying->held.count; i++) {
        if (verifying->held.items[i].is_counted && !verifying->held.items[i].why)
            take_provenance(arena, &verifying->held.items[i].provenance, plan);
    }
    if (!plan->is_known)
        read_bills(verifying, plan);
}
