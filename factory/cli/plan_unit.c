/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/plan_unit.h"

#include "base/auto.h"
#include "bill/lock.h"
#include "cli/sharding_call.h"
#include "io/file.h"
#include "past/past.h"

#include <errno.h>
#include <fcntl.h>

#define SHARDS "4"
/* Measured (scripts/speed.md): a catalogue's index and one order need 300 MiB, and packing a few times what is unpacked. Of an image that
 * was never made its packages' bytes are known, of which that is a few times more. Ten minutes are for the indices, a megabyte of packages a second
 * for a slow mirror, and five of what is unpacked for a slow processor. */
#define MEMORY_BYTES ((uint64_t)512 << 20)
#define MEMORY_TIMES 3
#define UNPACKED_TIMES 3
#define MINUTES 10
#define BYTES_A_MINUTE ((uint64_t)60 << 20)
#define UNPACKED_A_MINUTE ((uint64_t)300 << 20)
#define UNMEASURED_BYTES ((uint64_t)2 << 30)
#define UNMEASURED_MINUTES 120

/* What orders are about. */
struct weight {
    uint64_t packages, unpacked; /* bytes of all */
    uint64_t biggest;            /* of what is unpacked */
    size_t told, count;          /* how many a past night tells of, of all */
};

/* What the last night unpacked of an order; 0: none is known. */
static uint64_t last_unpacked(const struct past_images *past, const struct lock_image *order)
{
    for (size_t i = 0; i < past->count; i++) {
        const struct past_record *record = &past->items[i].nights.items[0];
        for (size_t j = 0; strcmp(record->name, order->image) == 0 && j < record->platforms.count; j++) {
            if (strcmp(record->platforms.items[j].arch, order->arch) == 0 && record->platforms.items[j].unpacked_bytes)
                return record->platforms.items[j].unpacked_bytes;
        }
    }
    return 0;
}

static struct weight weigh(const struct lock *lock, const struct past_images *past)
{
    struct weight weight = {.count = lock->images.count};
    for (size_t i = 0; i < lock->images.count; i++) {
        const struct lock_image *order = &lock->images.items[i];
        const struct lock_members *members = lock_members(lock, order->image, order->arch);
        uint64_t bytes = 0, unpacked = last_unpacked(past, order);
        for (size_t j = 0; members && j < members->packages.count; j++)
            bytes += members->packages.items[j]->size_bytes;
        weight.told += unpacked > 0;
        unpacked = unpacked ? unpacked : UNPACKED_TIMES * bytes;
        weight.packages += bytes;
        weight.unpacked += unpacked;
        weight.biggest = unpacked > weight.biggest ? unpacked : weight.biggest;
    }
    return weight;
}

/* Tells time and memory of a shard; twice its share, since not all are even. */
static bool measure(struct maker *maker, struct deploy_plan *plan, struct err *err)
{
    AUTO(buf_done) struct buf text = {0};
    struct lock lock;
    struct past_images past = {0};
    const char *state = command_state_dir(maker->command);
    plan->memory_bytes = UNMEASURED_BYTES;
    plan->minutes = UNMEASURED_MINUTES;
    plan->measure = "nothing: there was no lock file";
    if (!file_read_at(AT_FDCWD, plan->lock, LOCK_MAX_BYTES, &text, err)) {
        bool is_absent = err->kind == ERR_LOCAL && err->detail == ENOENT;
        if (is_absent)
            err_clear(err);
        return is_absent;
    }
    if (!lock_read(maker->arena, plan->lock, buf_text(&text), &lock, err))
        return false;
    if (state)
        past_read(maker->arena, state, NULL, true, &past);
    struct weight weight = weigh(&lock, &past);
    plan->memory_bytes = MEMORY_BYTES + MEMORY_TIMES * weight.biggest;
    plan->minutes = (uint32_t)(MINUTES + 2 * weight.packages / plan->shards / BYTES_A_MINUTE +
                               2 * weight.unpacked / plan->shards / UNPACKED_A_MINUTE);
    plan->measure =
        arena_printf(maker->arena, "the packages that the lock file named, and the last bills of %zu of %zu",
                     weight.told, weight.count);
    return true;
}

const char *plan_unit_lock(struct arena *arena, const char *config)
{
    const char *slash = strrchr(config, '/');
    return arena_printf(arena, "%.*simgfactory.lock", slash ? (int)(slash + 1 - config) : 0, config);
}

bool plan_unit_files(struct maker *maker, struct deploy_night *night, struct deploy_files *ret_files, struct err *err)
{
    const struct options *options = &maker->command->options;
    const char *word = options->shard ? options->shard : SHARDS;
    struct deploy_plan plan = {.night = night, .lock = plan_unit_lock(maker->arena, night->config)};
    if (!sharding_call_count(word, &plan.shards, &plan.parallel)) {
        err_set(err, ERR_USAGE,
                "--shard=%s is not N or N%%M, how many shards there are and how many of them run at a time",
                text_printable(maker->arena, text_of(word)));
        return false;
    }
    if (!measure(maker, &plan, err))
        return false;
    *ret_files = deploy_plan_files(maker->arena, &plan, maker->format);
    return true;
}
