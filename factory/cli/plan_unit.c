/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/plan_unit.h"

#include "base/auto.h"
#include "bill/lock.h"
#include "cli/sharding_call.h"
#include "io/file.h"

#include <errno.h>
#include <fcntl.h>

#define SHARDS "4"
/* Measured (scripts/speed.md): a catalogue's index and one order need 300 MiB; what is unpacked and packed is a few times the
 * packages. Ten minutes are for the indices, and a megabyte of packages a second for a slow mirror. */
#define MEMORY_BYTES ((uint64_t)512 << 20)
#define MEMORY_TIMES 8
#define MINUTES 10
#define BYTES_A_MINUTE ((uint64_t)60 << 20)
#define UNMEASURED_BYTES ((uint64_t)2 << 30)
#define UNMEASURED_MINUTES 120

/* Sums up the packages of all orders, and of the biggest. */
static void weigh(const struct lock *lock, uint64_t *ret_all, uint64_t *ret_biggest)
{
    *ret_all = *ret_biggest = 0;
    for (size_t i = 0; i < lock->images.count; i++) {
        const struct lock_members *members =
            lock_members(lock, lock->images.items[i].image, lock->images.items[i].arch);
        uint64_t bytes = 0;
        for (size_t j = 0; members && j < members->packages.count; j++)
            bytes += members->packages.items[j]->size_bytes;
        *ret_all += bytes;
        *ret_biggest = bytes > *ret_biggest ? bytes : *ret_biggest;
    }
}

/* Tells time and memory of a shard; twice its share, since not all are even. */
static bool measure(struct maker *maker, struct deploy_plan *plan, struct err *err)
{
    AUTO(buf_done) struct buf text = {0};
    struct lock lock;
    uint64_t all, biggest;
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
    weigh(&lock, &all, &biggest);
    plan->memory_bytes = MEMORY_BYTES + MEMORY_TIMES * biggest;
    plan->minutes = (uint32_t)(MINUTES + 2 * all / plan->shards / BYTES_A_MINUTE);
    plan->measure = "the packages that the lock file named";
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
    const struct site *site = &maker->command->site;
    const char *word = options->shard ? options->shard : SHARDS;
    struct deploy_plan plan = {.night = night, .lock = plan_unit_lock(maker->arena, night->config)};
    if (!sharding_call_count(word, &plan.shards, &plan.parallel)) {
        err_set(err, ERR_USAGE,
                "--shard=%s is not N or N%%M, how many shards there are and how many of them run at a time",
                text_printable(maker->arena, text_of(word)));
        return false;
    }
    night->key = site->sign.count ? site->sign.items[0] : NULL;
    if (!measure(maker, &plan, err))
        return false;
    *ret_files = deploy_plan_files(maker->arena, &plan, maker->format);
    return true;
}
