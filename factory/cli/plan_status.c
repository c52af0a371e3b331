/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/plan_status.h"

#include "base/auto.h"
#include "bill/record.h"
#include "line/assembly.h"
#include "registry/plan_tag.h"
#include "registry/registries_conf.h"

#include <jansson.h>

enum plan_state { PLAN_MISSING, PLAN_PUSHED, PLAN_ASSEMBLED };

static const char *const state_names[] = {"missing", "pushed", "assembled"};

/* One order of the plan. */
struct row {
    const struct sharding_order *order;
    enum plan_state state;
};

struct rows {
    struct row *items;
    size_t count, capacity;
};

/* Whether the repository may not be there yet: some registries say 401 or 403 then, and 404 only to who may see that. */
static bool is_absent(const struct plan_status *status, const struct batch_image *image, const struct err *err)
{
    bool is_denied = err->detail == 401 || err->detail == 403;
    if (err->kind != ERR_PUBLISH || (err->detail != 404 && !is_denied))
        return false;
    if (is_denied)
        log_line(status->command->log, LOG_QUIET, "warning: %s does not let its tags be seen, and counts as empty: %s",
                 image->destination, err->text);
    return true;
}

/* What an image's repository has of the plan. */
struct seen {
    struct strings tags;
    bool is_assembled; /* whole: of one that went out without an architecture the parts stay, and tell what there is */
};

/* Looks into an image's repository. One that is not there yet has no tags. */
static bool look(const struct plan_status *status, const struct batch_image *image, struct seen *ret_seen,
                 struct err *err)
{
    AUTO(auto_close_registry) struct registry *registry = NULL;
    struct arena *arena = &status->command->arena;
    const char *mark = plan_tag(arena, status->sharding->plan, image->manifest->name, PLAN_TAG_MARK);
    const struct registry_options *options = status->registry;
    struct reference reference;
    *ret_seen = (struct seen){0};
    if (!reference_parse(arena, image->destination, false, &reference, err) ||
        !registries_conf_options(arena, options, &reference, &options, err) ||
        !registry_open(options, status->http, &reference, REGISTRY_PULL, &registry, err))
        return false;
    if (registry_list_tags(registry, arena, &ret_seen->tags, err))
        return !strings_has(&ret_seen->tags, mark) ||
               assembly_is_whole(registry, arena, mark, &ret_seen->is_assembled, err);
    bool is_empty = is_absent(status, image, err);
    if (is_empty)
        err_clear(err);
    return is_empty;
}

/* Whether all of a platform is there: also what the image stands on, where that is pushed nowhere itself. */
static bool has_parts(const struct plan_status *status, const struct strings *tags, const struct batch_image *image,
                      const char *arch)
{
    struct arena *arena = &status->command->arena;
    const struct batch_image *below = image;
    for (size_t depth = 0; below && (!depth || !below->destination); depth++, below = below->base) {
        if (!strings_has(tags, plan_tag_below(arena, status->sharding->plan, image->manifest->name, arch, depth)))
            return false;
    }
    return true;
}

static bool add_image(const struct plan_status *status, const struct batch_image *image, struct rows *rows,
                      struct err *err)
{
    struct seen seen;
    if (!image->destination)
        return true;
    if (!look(status, image, &seen, err))
        return false;
    for (size_t i = 0; i < status->sharding->orders.count; i++) {
        const struct sharding_order *order = &status->sharding->orders.items[i];
        if (strcmp(order->image, image->manifest->name) != 0)
            continue;
        enum plan_state state = seen.is_assembled                                   ? PLAN_ASSEMBLED
                                : has_parts(status, &seen.tags, image, order->arch) ? PLAN_PUSHED
                                                                                    : PLAN_MISSING;
        list_add(&status->command->arena, rows, (struct row){order, state});
    }
    return true;
}

static size_t count_of(const struct rows *rows, enum plan_state state)
{
    size_t count = 0;
    for (size_t i = 0; i < rows->count; i++)
        count += rows->items[i].state == state;
    return count;
}

static void print(const struct plan_status *status, const struct rows *rows)
{
    AUTO(arena_done) struct arena scratch = {0};
    const struct sharding *sharding = status->sharding;
    for (size_t i = 0; i < rows->count; i++) {
        const struct sharding_order *order = rows->items[i].order;
        (void)printf("%-16s %-8s %-9s %s\n", text_shown(&scratch, order->image), order->arch,
                     state_names[rows->items[i].state],
                     sharding->count ? arena_printf(&scratch, "shard %zu/%zu", order->shard, sharding->count) : "");
    }
    (void)printf("plan %s: of %zu %zu assembled, %zu pushed, %zu missing\n", sharding->plan, rows->count,
                 count_of(rows, PLAN_ASSEMBLED), count_of(rows, PLAN_PUSHED), count_of(rows, PLAN_MISSING));
}

static void print_json(const struct plan_status *status, const struct rows *rows)
{
    json_t *orders = json_array();
    for (size_t i = 0; i < rows->count; i++) {
        const struct sharding_order *order = rows->items[i].order;
        json_t *json = json_pack("{s:o, s:s, s:s}", "image", record_text(order->image), "arch", order->arch, "state",
                                 state_names[rows->items[i].state]);
        if (status->sharding->count)
            json_object_set_new(json, "shard", json_integer((json_int_t)order->shard));
        json_array_append_new(orders, json);
    }
    json_auto_t *json = json_pack("{s:s, s:s, s:o}", "imgfactory", IMGFACTORY_VERSION, "plan", status->sharding->plan,
                                  "orders", orders);
    (void)json_dumpf(json, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII);
    (void)fputc('\n', stdout);
}

bool plan_status_run(const struct plan_status *status, struct err *err)
{
    struct rows rows = {0};
    for (size_t i = 0; i < status->count; i++) {
        if (!add_image(status, &status->images[i], &rows, err))
            return false;
    }
    if (status->command->options.is_json)
        print_json(status, &rows);
    else if (!status->command->options.is_quiet)
        print(status, &rows);
    size_t missing = count_of(&rows, PLAN_MISSING);
    if (missing)
        err_set(err, ERR_PARTLY, "plan %s: %zu of %zu are missing", status->sharding->plan, missing, rows.count);
    return !missing;
}
