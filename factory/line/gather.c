/* SPDX-License-Identifier: Apache-2.0 */
#include "line/gather.h"

#include "base/auto.h"
#include "line/assembly.h"
#include "line/sharding.h"
#include "oci/oci_part.h"
#include "registry/plan_tag.h"
#include "registry/pull.h"
#include "registry/registries_conf.h"

const char *gather_shard(struct arena *arena, const struct sharding *sharding, const char *image, const char *arch)
{
    for (size_t i = 0; sharding->count && i < sharding->orders.count; i++) {
        const struct sharding_order *order = &sharding->orders.items[i];
        if (strcmp(order->image, image) == 0 && strcmp(order->arch, arch) == 0)
            return arena_printf(arena, ", which shard %zu/%zu makes", order->shard, sharding->count);
    }
    return "";
}

/* Where the part of a job is. */
static bool open_place(struct job *job, struct reference *ret_reference, struct registry **ret_registry,
                       struct err *err)
{
    const struct registry_options *options = job->plant->options->registry;
    if (!reference_parse(&job->arena, job->gathered_from, false, ret_reference, err) ||
        !registries_conf_options(&job->arena, options, ret_reference, &options, err) ||
        !registry_open(options, job->plant->http, ret_reference, REGISTRY_PULL, ret_registry, err))
        return false;
    ret_reference->tag =
        plan_tag(&job->arena, job->plant->options->sharding->plan, job->manifest->name, job->arch->name);
    return true;
}

/* Says whose part is not there. */
static void tell_absent(const struct job *job, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    const char *told = arena_strdup(&scratch, err->text);
    if (err->kind != ERR_PUBLISH || err->detail)
        return;
    err_clear(err);
    err_set(err, ERR_PUBLISH, "%s has no part of the plan for it%s: %s", job->gathered_from,
            gather_shard(&scratch, job->plant->options->sharding, job->manifest->name, job->arch->name), told);
}

/* Gets a part's documents, all but the bill. */
static bool get_documents(struct job *job, struct registry *registry, const struct reference *reference,
                          struct oci_part *ret_part, const struct layout_manifest **ret_platform, struct err *err)
{
    struct pull_request request = {.reference = reference};
    struct layout_image *image = arena_new(&job->arena, struct layout_image);
    if (!pull_documents(registry, job->plant->store, &job->arena, &request, image, err)) {
        tell_absent(job, err);
        return false;
    }
    return oci_part_read(&job->arena, image, job->plant->options->sharding->plan, job->arch, ret_part, ret_platform,
                         err);
}

static bool get_bill(struct job *job, struct registry *registry, const struct oci_part *part, struct err *err)
{
    AUTO(view_done) struct view view = {0};
    struct store *store = job->plant->store;
    bool is_found;
    if (part->bill_bytes > BILL_MAX_BYTES) {
        err_set(err, ERR_MALFORMED, "its bill has %ju bytes, more than bills may have", (uintmax_t)part->bill_bytes);
        return false;
    }
    if ((!store_has_blob(store, &part->bill, part->bill_bytes) &&
         !registry_get_blob(registry, store, &part->bill, part->bill_bytes, NULL, err)) ||
        !store_map_blob(store, &part->bill, &view, &is_found, err))
        return false;
    if (is_found && view.len == part->bill_bytes &&
        bill_read(&job->arena, (struct text){view.ptr, view.len}, &job->bill))
        return true;
    err_set(err, ERR_MALFORMED, "its bill is none that this version of imgfactory reads");
    return false;
}

/* Whether the layers that the bill tells of are the uppermost of the manifest. */
static bool has_layers(const struct bill *bill, const struct layout_manifest *platform)
{
    size_t below = platform->layers.count - bill->layers.count;
    if (!bill->layers.count || bill->layers.count > platform->layers.count)
        return false;
    for (size_t i = 0; i < bill->layers.count; i++) {
        const struct layer *ours = &bill->layers.items[i].layer;
        const struct layout_blob *there = &platform->layers.items[below + i];
        if (!digest_eq(&ours->digest, &there->digest) || ours->size_bytes != there->size_bytes)
            return false;
    }
    return true;
}

/* Whether it was cut as here: into as many layers, by the same plan. */
static bool has_our_layers(const struct job *job)
{
    struct inputs ours = job->plant->inputs;
    plant_set_layers(job->plant->options, job->manifest, &ours);
    return job->bill.inputs.layers == ours.layers && strings_same(&job->bill.inputs.layer_plan, &ours.layer_plan);
}

/* What the bill is about has to be what this run would have made. */
static bool check_bill(const struct job *job, const struct layout_manifest *platform, struct err *err)
{
    const struct bill *bill = &job->bill;
    const struct inputs *inputs = &bill->inputs, *ours = &job->plant->inputs;
    struct digest key = inputs_key(inputs);
    const char *fault =
        !digest_eq(&bill->manifest, &platform->blob.digest)                                  ? "another image"
        : !digest_eq(&bill->config, &platform->config.digest) || !has_layers(bill, platform) ? "other layers"
        : !bill->source                                                                      ? "no source"
        : !digest_eq(&bill->key, &key) || !text_same(inputs->name, job->manifest->name) ||
                !digest_eq(&inputs->manifest, &job->manifest->digest)
            ? "another manifest"
        : !digest_eq(&inputs->arch, &job->arch->digest) || !text_same(bill->facts.arch, job->arch->name)
            ? "another architecture"
        : inputs->compression != plant_packing(job->plant->options, job->manifest) || !has_our_layers(job) ||
                inputs->is_no_check != ours->is_no_check || inputs->is_strict != ours->is_strict ||
                inputs->is_older_fine != ours->is_older_fine || inputs->source_date_epoch != ours->source_date_epoch
            ? "other options"
            : NULL;
    if (fault)
        err_set(err, ERR_TRUST, "its bill tells of %s", fault);
    return !fault;
}

/* The repositories as the machine that made it saw them. A bill does not have what a Release calls itself: one for security updates is
 * known by its name, as RPM repositories are. */
static const struct origins *origins_of(const struct job *job, struct arena *arena)
{
    const struct bill_source *source = job->bill.source;
    struct origins *origins = arena_new(arena, struct origins);
    *origins = (struct origins){.source = job->source, .trusted = source->trusted, .left_out = source->left_out};
    origins->items = arena_new_array(arena, struct origin, source->repositories.count + 1);
    for (size_t i = 0; i < source->repositories.count; i++) {
        const struct bill_repository *repository = &source->repositories.items[i];
        origins->items[origins->count++] =
            (struct origin){.format = job->source->format,
                            .name = repository->name,
                            .uri = repository->uri,
                            .date = repository->date,
                            .digest = repository->digest,
                            .codename = repository->codename,
                            .signed_by = repository->signed_by,
                            .is_security = strcasestr(repository->name, "security") != NULL};
    }
    return origins;
}

/* Those that nobody reads stay where they are: only whether they are there, with the sizes that the manifest tells, is asked. The bill
 * names their digests, and a registry takes no other bytes under them. */
static bool look_for_layers(struct job *job, struct registry *registry, const struct layout_manifest *platform,
                            struct err *err)
{
    for (size_t i = 0; i < platform->layers.count; i++) {
        const struct layout_blob *layer = &platform->layers.items[i];
        bool is_found;
        if (!registry_has_blob(registry, &layer->digest, layer->size_bytes, &is_found, err))
            return false;
        if (is_found)
            continue;
        err_set(err, ERR_PUBLISH, "of the part%s, the layer sha256:%s is not there, or not whole",
                gather_shard(&job->arena, job->plant->options->sharding, job->manifest->name, job->arch->name),
                digest_hex(&layer->digest).chars);
        return false;
    }
    return true;
}

static bool get_layers(struct job *job, struct registry *registry, struct layout_manifest *platform, struct err *err)
{
    struct layout_image one = {.blobs_fd = -1, .manifests = {platform, 1, 1}};
    return assembly_is_bare(job->plant) ? look_for_layers(job, registry, platform, err)
                                        : pull_layers(registry, job->plant->store, &one, NULL, err);
}

bool gather_take(struct job *job, struct layout_manifest *ret_platform, struct err *err)
{
    AUTO(auto_close_registry) struct registry *registry = NULL;
    const struct layout_manifest *platform;
    struct reference reference;
    struct oci_part part;
    progress_stage(job->progress, STAGE_FETCH);
    if (!open_place(job, &reference, &registry, err) ||
        !get_documents(job, registry, &reference, &part, &platform, err))
        return false;
    *ret_platform = *platform;
    bool is_good = get_bill(job, registry, &part, err) && check_bill(job, platform, err) &&
                   get_layers(job, registry, ret_platform, err);
    if (is_good)
        job->origins = origins_of(job, &job->arena);
    else
        err_wrap(err, "%s", reference_print(&job->arena, &reference));
    return is_good;
}
