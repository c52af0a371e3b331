/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/clean.h"

#include "base/auto.h"
#include "bill/record.h"
#include "cli/places.h"
#include "io/store_prune.h"

#include <jansson.h>

static void print_json(const struct command *command, const char *cache, const struct prune_result *result)
{
    json_t *json =
        json_pack("{s:s, s:s, s:i, s:o, s:b, s:b, s:I, s:I, s:I, s:I}", "imgfactory", IMGFACTORY_VERSION, "outcome",
                  err_kind_name(ERR_NONE), "exit", 0, "cache", record_text(cache), "dry_run",
                  command->options.is_dry_run, "in_use", result->is_shared, "freed_bytes",
                  (json_int_t)result->freed_bytes, "freed_files", (json_int_t)result->freed_count, "kept_bytes",
                  (json_int_t)result->kept_bytes, "kept_files", (json_int_t)result->kept_count);
    (void)json_dumpf(json, stdout, JSON_INDENT(2));
    (void)fputc('\n', stdout);
    json_decref(json);
}

static void print(const struct command *command, const char *cache, const struct prune_result *result)
{
    AUTO(arena_done) struct arena scratch = {0};
    const char *held = result->held_bytes ? arena_printf(&scratch, ", of them %s that lock files name",
                                                         text_size(result->held_bytes).chars)
                                          : "";
    (void)printf("%s %zu files, %s, from the cache %s; %zu files, %s %s left%s%s\n",
                 command->options.is_dry_run ? "would remove" : "removed", result->freed_count,
                 text_size(result->freed_bytes).chars, cache, result->kept_count, text_size(result->kept_bytes).chars,
                 command->options.is_dry_run ? "would be" : "are", held,
                 result->is_shared ? " (other runs use it: what was used in the last two days is kept)" : "");
}

static void close_store(struct store **store)
{
    store_close(*store);
}

bool clean_run(struct command *command, struct err *err)
{
    const struct options *options = &command->options;
    const char *cache = options->cache;
    AUTO(close_store) struct store *store = NULL;
    struct prune_result result = {0};
    uint64_t keep_bytes = options->has_cache_limit ? options->cache_limit : 0;
    struct prune_request request = {.limit_bytes = keep_bytes,
                                    .keep_bytes = keep_bytes,
                                    .is_dry_run = options->is_dry_run,
                                    .cancel = command->cancel};
    if (!cache && !places_user_dir(&command->arena, "XDG_CACHE_HOME", ".cache", "/var/cache", &cache, err))
        return false;
    bool is_there = access(cache, F_OK) == 0; /* one that is not there is not made for this */
    if (is_there &&
        (!store_open(cache, &command->lock_wait, &store, err) || !store_prune(store, &request, &result, err)))
        return false;
    if (atomic_load(command->cancel)) {
        err_set(err, ERR_CANCELLED, "interrupted");
        return false;
    }
    if (options->is_json)
        print_json(command, cache, &result);
    else if (!options->is_quiet)
        print(command, cache, &result);
    return true;
}
