/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/sharding_call.h"

#include "base/auto.h"
#include "package/path.h"
#include "registry/stamp.h"

#include <stdlib.h>

#define SHARDS_MAX ((uint64_t)10000)
#define ORDER_BYTES ((uint64_t)1 << 20) /* what an order costs besides its packages */

/* "I/N", or "N". */
static bool parse(const char *word, bool has_index, struct sharding_call *call)
{
    struct text rest = text_of(word), part;
    uint64_t index = 0, count;
    if (has_index && (!strchr(word, '/') || !text_next(&rest, '/', &part) || !text_parse_u64(part, &index)))
        return false;
    if (!text_parse_u64(rest, &count) || !count || count > SHARDS_MAX || index >= count)
        return false;
    call->index = (size_t)index;
    call->count = (size_t)count;
    return true;
}

bool sharding_call_count(const char *word, size_t *ret_count, size_t *ret_parallel)
{
    struct text rest = text_of(word), part;
    uint64_t count, parallel = 0;
    bool has_parallel = strchr(word, '%') != NULL;
    if (!text_next(&rest, '%', &part) || !text_parse_u64(part, &count) || !count || count > SHARDS_MAX ||
        (has_parallel && (!text_parse_u64(rest, &parallel) || !parallel || parallel > count)))
        return false;
    *ret_count = (size_t)count;
    *ret_parallel = (size_t)(has_parallel ? parallel : count);
    return true;
}

bool sharding_call_read(struct command *command, struct sharding_call *ret_call, struct err *err)
{
    struct options *options = &command->options;
    const char *word = options->shard;
    bool is_assembling = options->command->kind != COMMAND_BUILD; /* or asked after */
    *ret_call = (struct sharding_call){.is_given = word || options->plan || options->command->kind == COMMAND_ASSEMBLE,
                                       .is_assembling = is_assembling};
    if (!ret_call->is_given)
        return true;
    options->is_locked = true;
    if (!is_assembling && options->sign.count + options->attest.count) {
        err_set(err, ERR_USAGE,
                "--shard signs and attests nothing: give --%s to imgfactory assemble, and keys to no other machine",
                options->sign.count ? "sign" : "attest");
        return false;
    }
    if (word && !parse(word, !is_assembling, ret_call))
        err_set(err, ERR_USAGE,
                is_assembling
                    ? "--shard=%s: give the number of shards alone, from 1 to %ju"
                    : "--shard=%s is not I/N, the shard's number from 0 on and how many there are: 0/4 to 3/4 "
                      "(at most %ju)",
                text_printable(&command->arena, text_of(word)), (uintmax_t)SHARDS_MAX);
    return err->kind == ERR_NONE;
}

/* --- naming --- */

static int64_t newest_source(const struct lock *lock)
{
    int64_t newest = 0;
    for (size_t i = 0; i < lock->sources.count; i++)
        newest = lock->sources.items[i].date > newest ? lock->sources.items[i].date : newest;
    return newest;
}

/* Manifests, which may say how their layers are compressed, are the lock's, unless the call says it. */
static const char *name_plan(struct arena *arena, const struct lock *lock, const struct run_options *run, int64_t date)
{
    const struct inputs *inputs = &run->inputs;
    struct digest_stream stream;
    const char *options =
        arena_printf(arena, "imgfactory plan " IMGFACTORY_VERSION " %s%s%s%s%s %jd", packing_names[inputs->compression],
                     run->is_packing_given ? " given" : "", inputs->is_no_check ? " no-check" : "",
                     inputs->is_strict ? " strict" : "", inputs->is_older_fine ? " allow-older" : "",
                     (intmax_t)inputs->source_date_epoch);
    if (inputs->layers > 1 || run->is_layers_given)
        options = arena_printf(arena, "%s layers %zu%s", options, inputs->layers, run->is_layers_given ? " given" : "");
    digest_begin(&stream);
    digest_feed(&stream, options, strlen(options) + 1);
    for (size_t i = 0; i < inputs->layer_plan.count; i++)
        digest_feed(&stream, inputs->layer_plan.items[i], strlen(inputs->layer_plan.items[i]) + 1);
    digest_feed(&stream, lock->sum.bytes, sizeof lock->sum.bytes);
    struct digest digest = digest_end(&stream);
    return stamp_print(arena, date, &digest);
}

/* --- dealing out --- */

/* What goes to one machine: images that stand on each other, for one architecture. */
struct unit {
    const char *source, *arch, *name; /* of the image below all others */
    const struct batch_image *lowest;
    uint64_t bytes;
    size_t shard;
};

struct units {
    struct unit *items;
    size_t count, capacity;
};

static const struct batch_image *lowest_of(const struct batch_image *image)
{
    while (image->base)
        image = image->base;
    return image;
}

static int compare_units(const void *a, const void *b)
{
    const struct unit *first = a, *second = b;
    int by_source = strcmp(first->source, second->source), by_arch = strcmp(first->arch, second->arch);
    return by_source ? by_source : by_arch ? by_arch : strcmp(first->name, second->name);
}

static struct unit *find_unit(const struct units *units, const struct batch_image *image, const char *arch)
{
    const struct batch_image *lowest = lowest_of(image);
    for (size_t i = 0; i < units->count; i++) {
        if (units->items[i].lowest == lowest && strcmp(units->items[i].arch, arch) == 0)
            return &units->items[i];
    }
    return NULL;
}

static uint64_t order_bytes(const struct lock *lock, const char *image, const char *arch)
{
    const struct lock_members *members = lock_members(lock, image, arch);
    uint64_t bytes = ORDER_BYTES;
    for (size_t i = 0; members && i < members->packages.count; i++)
        bytes += members->packages.items[i]->size_bytes;
    return bytes;
}

static void add_orders(struct arena *arena, const struct lock *lock, const struct batch_image *image,
                       struct units *units)
{
    const struct batch_image *lowest = lowest_of(image);
    for (size_t i = 0; i < image->arch_count; i++) {
        const char *arch = image->arches[i]->name;
        struct unit *unit = find_unit(units, image, arch);
        if (!unit) {
            list_add(arena, units,
                     (struct unit){.source = path_basename(lowest->source->name),
                                   .arch = arch,
                                   .name = lowest->manifest->name,
                                   .lowest = lowest});
            unit = &units->items[units->count - 1];
        }
        unit->bytes += order_bytes(lock, image->manifest->name, arch);
    }
}

/* Cuts the row into as many pieces as there are shards, each unit going where its middle is. */
static void deal(struct units *units, size_t count)
{
    uint64_t all = 0, before = 0;
    if (units->count)
        qsort(units->items, units->count, sizeof *units->items, compare_units);
    for (size_t i = 0; i < units->count; i++)
        all += units->items[i].bytes;
    for (size_t i = 0; i < units->count; i++) {
        struct unit *unit = &units->items[i];
        unit->shard = (size_t)(((double)before + (double)unit->bytes / 2) * (double)count / (double)all);
        before += unit->bytes;
    }
}

void sharding_call_plan(struct arena *arena, const struct sharding_call *call, const struct lock *lock,
                        const struct run_options *run, const struct batch_image *images, size_t count,
                        struct sharding *ret_sharding)
{
    int64_t date = newest_source(lock);
    struct units units = {0};
    *ret_sharding = (struct sharding){.plan = name_plan(arena, lock, run, date),
                                      .date = date,
                                      .is_assembling = call->is_assembling,
                                      .count = call->count};
    for (size_t i = 0; i < count; i++) {
        if (images[i].err.kind == ERR_NONE)
            add_orders(arena, lock, &images[i], &units);
    }
    deal(&units, call->count ? call->count : 1);
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < images[i].arch_count; j++) {
            struct sharding_order order = {.image = images[i].manifest->name, .arch = images[i].arches[j]->name};
            order.shard = find_unit(&units, &images[i], order.arch)->shard;
            list_add(arena, &ret_sharding->orders, order);
        }
    }
}

static bool is_ours(const struct sharding_call *call, const struct sharding *sharding, const char *image,
                    const char *arch)
{
    for (size_t i = 0; i < sharding->orders.count; i++) {
        const struct sharding_order *order = &sharding->orders.items[i];
        if (strcmp(order->image, image) == 0 && strcmp(order->arch, arch) == 0)
            return order->shard == call->index;
    }
    return false;
}

void sharding_call_narrow(struct arena *arena, const struct sharding_call *call, const struct sharding *sharding,
                          struct batch_image *image)
{
    const struct arch **arches = arena_new_array(arena, const struct arch *, image->arch_count + 1);
    size_t count = 0;
    for (size_t i = 0; i < image->arch_count; i++) {
        if (is_ours(call, sharding, image->manifest->name, image->arches[i]->name))
            arches[count++] = image->arches[i];
    }
    image->arches = arches;
    image->arch_count = count;
}

/* How many images below another one an image is, of which only the first goes to a registry; 0: it is not. */
static size_t depth_below(const struct batch_image *above, const struct batch_image *image)
{
    size_t depth = 0;
    for (const struct batch_image *below = above->base; below && !below->destination; below = below->base) {
        depth++;
        if (below == image)
            return depth;
    }
    return 0;
}

void sharding_call_places(struct arena *arena, const struct sharding_call *call, const struct batch_image *images,
                          size_t count, struct batch_image *image)
{
    const char *own = image->destination ? image->destination : call->is_assembling ? image->apart : NULL;
    if (own)
        list_add(arena, &image->places, (struct part_place){own, image->manifest->name, 0});
    for (size_t i = 0; i < count && !image->destination; i++) {
        const struct batch_image *above = &images[i];
        size_t depth = depth_below(above, image);
        if (depth && above->destination)
            list_add(arena, &image->places, (struct part_place){above->destination, above->manifest->name, depth});
    }
}
