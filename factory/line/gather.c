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

/* Looking at one of the places where the part of a job may be. */
struct look {
    struct registry *registry;
    struct reference reference;
    struct layout_image image; /* its documents, all but the bill */
    const char *told;          /* why a place did not do, other than that nothing is there; NULL: none said more */
};

static bool open_place(struct job *job, const struct part_place *place, struct look *look, struct err *err)
{
    const struct registry_options *options = job->plant->options->registry;
    if (!reference_parse(&job->arena, place->repository, false, &look->reference, err) ||
        !registries_conf_options(&job->arena, options, &look->reference, &options, err) ||
        !registry_open(options, job->plant->http, &look->reference, REGISTRY_PULL, &look->registry, err))
        return false;
    look->reference.tag =
        plan_tag_below(&job->arena, job->plant->options->sharding->plan, place->image, job->arch->name, place->depth);
    return true;
}

/* Says whose part is not there. */
static void tell_absent(const struct job *job, const struct look *look, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    const char *told = arena_strdup(&scratch, look->told ? look->told : err->text);
    struct strings asked = {0};
    for (size_t i = 0; i < job->gathered_from->count; i++) {
        if (!strings_has(&asked, job->gathered_from->items[i].repository))
            list_add(&scratch, &asked, job->gathered_from->items[i].repository);
    }
    err_clear(err);
    err_set(err, ERR_PUBLISH, "%s %s no part of the plan for it%s: %s", strings_join(&scratch, &asked, ", "),
            asked.count > 1 ? "have" : "has",
            gather_shard(&scratch, job->plant->options->sharding, job->manifest->name, job->arch->name), told);
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
static bool has_layers(const struct bill_layers *layers, const struct layout_manifest *platform)
{
    size_t below = platform->layers.count - layers->count;
    if (!layers->count || layers->count > platform->layers.count)
        return false;
    for (size_t i = 0; i < layers->count; i++) {
        const struct layer *ours = &layers->items[i].layer;
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

/* Whether there is a second image of the platform exactly when both compressions were asked for, with the layers that the bill tells of
 * and the same configuration. */
static bool has_second(const struct bill *bill, const struct gathered *gathered)
{
    const struct layout_manifest *second = &gathered->platforms[1];
    if ((bill->inputs.compression == PACKING_BOTH) != (gathered->count > 1))
        return false;
    if (gathered->count == 1)
        return !bill->second_layers.count;
    return digest_eq(&bill->second, &second->blob.digest) && digest_eq(&bill->config, &second->config.digest) &&
           has_layers(&bill->second_layers, second);
}

/* What the bill is about has to be what this run would have made. */
static bool check_bill(const struct job *job, const struct gathered *gathered, struct err *err)
{
    const struct layout_manifest *platform = &gathered->platforms[0];
    const struct bill *bill = &job->bill;
    const struct inputs *inputs = &bill->inputs, *ours = &job->plant->inputs;
    struct digest key = inputs_key(inputs);
    const char *fault = !digest_eq(&bill->manifest, &platform->blob.digest) ? "another image"
                        : !digest_eq(&bill->config, &platform->config.digest) || !has_layers(&bill->layers, platform) ||
                                !has_second(bill, gathered)
                            ? "other layers"
                        : !bill->source ? "no source"
                        : !digest_eq(&bill->key, &key) || !text_same(inputs->name, job->manifest->name) ||
                                !digest_eq(&inputs->manifest, &job->manifest->digest)
                            ? "another manifest"
                        : !digest_eq(&inputs->arch, &job->arch->digest) || !text_same(bill->facts.arch, job->arch->name)
                            ? "another architecture"
                        : inputs->compression != plant_packing(job->plant->options, job->manifest) ||
                                !has_our_layers(job) || inputs->is_no_check != ours->is_no_check ||
                                inputs->is_strict != ours->is_strict || inputs->is_older_fine != ours->is_older_fine ||
                                inputs->source_date_epoch != ours->source_date_epoch
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

static bool get_layers(struct job *job, struct registry *registry, struct gathered *gathered, struct err *err)
{
    struct layout_image all = {.blobs_fd = -1, .manifests = {gathered->platforms, gathered->count, gathered->count}};
    if (!assembly_is_bare(job->plant))
        return pull_layers(registry, job->plant->store, &all, NULL, err);
    for (size_t i = 0; i < gathered->count; i++) {
        if (!look_for_layers(job, registry, &gathered->platforms[i], err))
            return false;
    }
    return true;
}

static bool take_part(struct job *job, const struct look *look, struct gathered *ret_gathered, struct err *err)
{
    struct oci_part part;
    if (!oci_part_read(&job->arena, &look->image, job->plant->options->sharding->plan, job->arch, &part, err))
        return false;
    *ret_gathered = (struct gathered){.count = part.second_bytes ? 2 : 1};
    for (size_t i = 0; i < ret_gathered->count; i++)
        ret_gathered->platforms[i] = look->image.manifests.items[i];
    return get_bill(job, look->registry, &part, err) && check_bill(job, ret_gathered, err) &&
           get_layers(job, look->registry, ret_gathered, err);
}

/* Whether the registry has no part there, or does not let it be seen: of repositories that were never pushed to some say
 * 401 or 403, and the credential need not be for one that nobody pushes to. */
static bool is_absent(const struct err *err, bool is_last)
{
    return err->kind == ERR_PUBLISH &&
           (!err->detail || err->detail == 404 || (!is_last && (err->detail == 401 || err->detail == 403)));
}

/* Takes the part from the first place that has all of it: where what stands there was just put together, it is being taken away. */
static bool find_part(struct job *job, struct look *look, struct gathered *ret_gathered, struct err *err)
{
    const struct part_places *places = job->gathered_from;
    for (size_t i = 0; i < places->count; i++) {
        struct pull_request request = {.reference = &look->reference};
        bool is_last = i + 1 == places->count;
        registry_close(TAKE_PTR(look->registry));
        err_clear(err);
        if (!open_place(job, &places->items[i], look, err))
            return false;
        bool is_there = pull_documents(look->registry, job->plant->store, &job->arena, &request, &look->image, err);
        if (is_there && take_part(job, look, ret_gathered, err))
            return true;
        if (is_there)
            err_wrap(err, "%s", reference_print(&job->arena, &look->reference));
        if (is_there ? is_last || err->kind != ERR_PUBLISH : !is_absent(err, is_last))
            return false;
        if (is_there || err->detail)
            look->told = arena_strdup(&job->arena, err->text);
    }
    tell_absent(job, look, err);
    return false;
}

bool gather_take(struct job *job, struct gathered *ret_gathered, struct err *err)
{
    struct look look = {0};
    progress_stage(job->progress, STAGE_FETCH);
    bool is_good = find_part(job, &look, ret_gathered, err);
    registry_close(look.registry);
    if (is_good)
        job->origins = origins_of(job, &job->arena);
    return is_good;
}
