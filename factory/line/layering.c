/* SPDX-License-Identifier: Apache-2.0 */
#include "line/layering.h"

#include "layer/layer_cut.h"
#include "plan/rules.h"

#include <stdlib.h>

/* What images hold of a source package. */
struct holding {
    const char *source;
    uint64_t images, bytes;          /* bytes: of the image that has most */
    const struct batch_image *image; /* that was counted last, and what it has for the architecture that is counted */
    const struct job *job;
    uint64_t job_bytes;
};

struct weighing {
    struct arena *arena;
    struct map known; /* holdings by their source */
    LIST(struct holding *) holdings;
};

static struct holding *holding_of(struct weighing *weighing, const char *source)
{
    struct holding *holding = map_get(&weighing->known, text_of(source));
    if (holding)
        return holding;
    holding = arena_new(weighing->arena, struct holding);
    holding->source = source;
    map_set(&weighing->known, text_of(source), holding);
    list_add(weighing->arena, &weighing->holdings, holding);
    return holding;
}

static void count_file(struct weighing *weighing, const struct batch_image *image, const struct job *job,
                       const char *source, uint64_t bytes)
{
    struct holding *holding = holding_of(weighing, source);
    holding->images += holding->image != image;
    holding->job_bytes = holding->job == job ? holding->job_bytes + bytes : bytes;
    holding->image = image;
    holding->job = job;
    holding->bytes = holding->job_bytes > holding->bytes ? holding->job_bytes : holding->bytes;
}

static void count_job(struct weighing *weighing, const struct batch_image *image, const struct job *job)
{
    struct map sources = {.arena = weighing->arena};
    for (size_t i = 0; i < job->bill.packages.count; i++) {
        const struct bill_package *package = &job->bill.packages.items[i];
        map_set(&sources, text_of(package->name), (void *)package->source_package);
    }
    for (size_t i = 0; i < job->bill.files.count; i++) {
        const struct bill_file *file = &job->bill.files.items[i];
        const char *source = file->package ? map_get(&sources, text_of(file->package)) : NULL;
        if (source && file->kind == NODE_FILE)
            count_file(weighing, image, job, source, file->size_bytes);
    }
}

static uint64_t shared_bytes(uint64_t images, uint64_t bytes)
{
    return images * (bytes < UINT32_MAX ? bytes : UINT32_MAX);
}

/* Takes over a line of the former plan, if it stays. */
static void keep_line(struct weighing *weighing, const struct layer_share *former, bool is_all, struct layer_plan *plan)
{
    const struct holding *now = map_get(&weighing->known, text_of(former->source));
    struct layer_share line = {arena_strdup(weighing->arena, former->source), former->images, former->bytes};
    if (is_all && (!now || now->bytes < LAYER_LEAST_BYTES / 2))
        return;
    uint64_t before = shared_bytes(former->images, former->bytes),
             after = now ? shared_bytes(now->images, now->bytes) : 0;
    if (now && (after >= 2 * before || (is_all && after <= before / 2))) {
        line.images = now->images;
        line.bytes = now->bytes < UINT32_MAX ? now->bytes : UINT32_MAX;
    }
    list_add(weighing->arena, plan, line);
}

/* By how many images have it, then by bytes. */
static int compare_holdings(const void *a, const void *b)
{
    const struct holding *first = *(const struct holding *const *)a, *second = *(const struct holding *const *)b;
    if (first->images != second->images)
        return first->images < second->images ? 1 : -1;
    if (first->bytes != second->bytes)
        return first->bytes < second->bytes ? 1 : -1;
    return strcmp(first->source, second->source);
}

static void add_new_lines(struct weighing *weighing, struct layer_plan *plan)
{
    if (weighing->holdings.count)
        qsort(weighing->holdings.items, weighing->holdings.count, sizeof(struct holding *), compare_holdings);
    for (size_t i = 0; i < weighing->holdings.count && plan->count < LAYER_PLAN_MAX; i++) {
        const struct holding *holding = weighing->holdings.items[i];
        uint64_t bytes = holding->bytes < UINT32_MAX ? holding->bytes : UINT32_MAX;
        if (bytes >= LAYER_LEAST_BYTES && rule_is_package_name(holding->source) &&
            !layer_plan_find(plan, holding->source))
            list_add(weighing->arena, plan, (struct layer_share){holding->source, holding->images, bytes});
    }
}

bool layering_plan(struct arena *arena, const struct batch *batch, const struct layer_plan *former, bool is_all,
                   struct layer_plan *ret_plan)
{
    struct weighing weighing = {.arena = arena, .known = {.arena = arena}};
    struct layer_plan plan = {0};
    bool is_wanted = false;
    for (size_t i = 0; i < batch->count; i++) {
        const struct batch_image *image = &batch->images[i];
        for (size_t j = 0; j < image->arch_count; j++) {
            bool is_planned = image->jobs[j].bill.inputs.layers > LAYERS_UNPLANNED;
            is_wanted = is_wanted || is_planned;
            if (is_planned)
                count_job(&weighing, image, &image->jobs[j]);
        }
    }
    for (size_t i = 0; i < former->count; i++)
        keep_line(&weighing, &former->items[i], is_all, &plan);
    add_new_lines(&weighing, &plan);
    *ret_plan = plan;
    return is_wanted;
}

bool layering_is_first(const struct job *job)
{
    const struct run_options *options = job->plant->options;
    return options->is_locking && !options->layer_plan && !job->is_base && job->bill.inputs.layers > LAYERS_UNPLANNED;
}

bool layering_check(const struct job *job, struct err *err)
{
    const struct run_options *options = job->plant->options;
    if (job->bill.inputs.layers <= LAYERS_UNPLANNED || options->layer_plan || options->is_locking ||
        options->explained || options->is_dry_run)
        return true;
    err_set(
        err, ERR_USAGE,
        "up to %zu layers want a plan of which packages get one of their own, and there is no %s; `imgfactory lock` "
        "makes it (`--layers 2` does without)",
        job->bill.inputs.layers, options->layer_plan_path);
    return false;
}
