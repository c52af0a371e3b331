/* SPDX-License-Identifier: Apache-2.0 */
#include "line/pack.h"

#include "base/auto.h"
#include "layer/layer_cut.h"
#include "sbom/sbom_sums.h"

/* The trees of the layers, the lowest first. */
struct cut {
    struct tree *trees;
    size_t count;
};

struct layering {
    const struct plant *plant;
    const struct tree *tree;
    enum layer_compression compression;
    struct layer *layer;
};

static bool build_layer(void *argument, struct err *err)
{
    const struct layering *layering = argument;
    return layer_build(layering->plant->store, layering->tree, layering->compression, layering->layer, err);
}

static bool make_layer(const struct order *order, const struct tree *tree, enum layer_compression compression,
                       struct bill_layer *ret_layer, struct err *err)
{
    struct layering layering = {order->plant, tree, compression, &ret_layer->layer};
    return order_compute(order, build_layer, &layering, err);
}

struct summing {
    const struct job *job;
    const struct bill_layers *layers;
};

/* Remembers what an SBOM asks of the files, which are at hand now; reading them again later would take longer than packing's share. */
static bool keep_sums(void *argument, struct err *err)
{
    const struct summing *summing = argument;
    AUTO(arena_done) struct arena scratch = {0};
    struct base_layers layers = {0};
    struct sbom_sums sums;
    (void)err;
    for (size_t i = 0; i < summing->layers->count; i++) {
        const struct layer *layer = &summing->layers->items[i].layer;
        list_add(&scratch, &layers, (struct base_layer){.blob.digest = layer->digest, .diff_id = layer->diff_id});
    }
    if (sbom_sums_of_tree(&scratch, &summing->job->tree, summing->job->plant->sums_seen, &sums))
        sbom_sums_keep(summing->job->plant->store, &layers, &sums);
    return true;
}

/* Makes the layers in one compression. */
static bool make_layers(const struct order *order, struct job *job, const struct cut *cut,
                        enum layer_compression compression, struct bill_layers *layers, struct err *err)
{
    struct layer_encoder encoder = layer_encoder(compression);
    for (size_t i = 0; i < cut->count; i++) {
        struct bill_layer layer = {.encoder = arena_strdup(&job->arena, encoder.name), .encoder_code = encoder.code};
        if (!make_layer(order, &cut->trees[i], compression, &layer, err))
            return false;
        list_add(&job->arena, layers, layer);
    }
    /* On a base the files of the tree are not all of the image's. */
    struct summing summing = {job, layers};
    return job->standing || order_compute(order, keep_sums, &summing, err);
}

/* Maps packages to their source packages. */
static struct map sources_of(struct job *job)
{
    struct map sources = {.arena = &job->tree_arena};
    for (size_t i = 0; i < job->bill.packages.count && job->bill.inputs.layers > 1; i++) {
        const struct bill_package *package = &job->bill.packages.items[i];
        map_set(&sources, text_of(package->name), (void *)package->source_package);
    }
    return sources;
}

bool pack_layers(const struct order *order, struct job *job, struct err *err)
{
    enum layer_compression compressions[LAYER_COMPRESSIONS_MAX];
    size_t count = layer_compressions(job->bill.inputs.compression, compressions);
    struct map sources = sources_of(job);
    struct layer_cut_request request = {.tree = &job->tree,
                                        .most = job->bill.inputs.layers,
                                        .plan = job->plant->options->layer_plan,
                                        .sources = &sources};
    struct cut cut = {0};
    order_enter(order, STAGE_LAYER);
    cut.trees = layer_cut(&job->tree_arena, &request, &cut.count);
    return make_layers(order, job, &cut, compressions[0], &job->bill.layers, err) &&
           (count == 1 || make_layers(order, job, &cut, compressions[1], &job->bill.second_layers, err));
}
