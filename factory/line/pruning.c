/* SPDX-License-Identifier: Apache-2.0 */
#include "line/pruning.h"

#include "base/auto.h"
#include "base/date.h"
#include "base/each.h"
#include "bill/record.h"
#include "registry/registries_conf.h"

#define REPOSITORIES_AT_ONCE ((size_t)8)
#define SLOW_LIST_SECONDS 10.0

static const char *const kind_names[] = {"image", "manifest", "referrer", "referrers-tag"};

static bool prune(const struct pruning_call *call, struct pruning *pruning, struct err *err)
{
    AUTO(auto_close_registry) struct registry *registry = NULL;
    const struct registry_options *options;
    struct reference reference;
    enum registry_access access = call->is_dry_run ? REGISTRY_PULL : REGISTRY_DELETE;
    struct expiry_request request = {
        .rules = pruning->rules, .now = call->now, .is_dry_run = call->is_dry_run, .memory_dir = call->memory_dir};
    return reference_parse(&pruning->arena, pruning->destination, false, &reference, err) &&
           registries_conf_options(&pruning->arena, call->options, &reference, &options, err) &&
           registry_open(options, call->http, &reference, access, &registry, err) &&
           expiry_run(registry, &pruning->arena, &request, &pruning->result, err);
}

static bool prune_one(void *context, void *item, struct err *err)
{
    const struct pruning_call *call = context;
    struct pruning *pruning = item;
    struct log *log = call->options->log;
    pruning->is_tried = true;
    pruning->is_good = prune(call, pruning, err);
    pruning->err = *err;
    if (pruning->result.list_seconds > SLOW_LIST_SECONDS && log)
        log_line(log, LOG_QUIET, "warning: %s lists its tags slowly: %.0f s for %zu", pruning->destination,
                 pruning->result.list_seconds, pruning->result.tag_count);
    if (pruning->result.ahead && log)
        log_line(
            log, LOG_QUIET,
            "warning: %s: the stamp %s is of a time to come: some clock is wrong, or was; it supersedes nothing, and "
            "what it is at stays",
            pruning->destination, pruning->result.ahead);
    if (pruning->result.stopped && log)
        log_line(log, LOG_QUIET, "warning: %s: %s; what is left of the pruning waits for the next time",
                 pruning->destination, pruning->result.stopped);
    return pruning->is_good;
}

bool pruning_run(const struct pruning_call *call, struct pruning *items, size_t count, struct err *err)
{
    struct pruning_call shared = *call;
    struct each_items all = {
        .items = items, .count = count, .each_bytes = sizeof *items, .threads_max = REPOSITORIES_AT_ONCE};
    return each_run(all, prune_one, &shared, err);
}

static void print_image(FILE *out, const struct expiry_item *item, const struct pruning_call *call)
{
    AUTO(arena_done) struct arena scratch = {0};
    const struct expiry_image *image = item->image;
    const char *stays = call->is_dry_run || item->is_deleted ? "" : "  NOT YET";
    (void)fprintf(out, "  %s  published %.10s, superseded %s ago  %s%s\n", item->name,
                  date_print(image->published).chars, date_print_span(call->now - image->superseded).chars,
                  strings_join(&scratch, &image->tags, " "), item->err ? "  REFUSED" : stays);
}

/* Why what no `keep` has any more stays. */
static void print_needed(FILE *out, const struct expiry_result *result)
{
    for (size_t i = 0; i < result->images.count; i++) {
        const struct expiry_image *image = result->images.items[i];
        if (image->kept_by)
            (void)fprintf(out, "  sha256:%s…  stays, since %s needs it\n", image->part, image->kept_by);
    }
}

void pruning_print(FILE *out, const struct pruning *pruning, const struct pruning_call *call)
{
    const struct expiry_result *result = &pruning->result;
    size_t counts[ARRAY_COUNT(kind_names)] = {0};
    if (!pruning->is_good && !result->items.count)
        return;
    (void)fprintf(out, "%s: %zu tag%s, %zu digest%s published, %zu %s\n", pruning->destination, result->tag_count,
                  result->tag_count == 1 ? "" : "s", result->images.count, result->images.count == 1 ? "" : "s",
                  result->image_count, call->is_dry_run ? "would go" : "went");
    for (size_t i = 0; i < result->items.count; i++) {
        const struct expiry_item *item = &result->items.items[i];
        counts[item->kind] += call->is_dry_run || item->is_deleted;
        if (item->image)
            print_image(out, item, call);
    }
    if (result->items.count)
        (void)fprintf(out, "  with %zu manifests of theirs alone, %zu referrers, %zu tags of referrers\n",
                      counts[EXPIRY_MANIFEST], counts[EXPIRY_REFERRER], counts[EXPIRY_REFERRERS_TAG]);
    print_needed(out, result);
}

/* --- JSON --- */

static json_t *time_json(int64_t seconds)
{
    return seconds ? json_integer(seconds) : json_null();
}

static json_t *images_json(const struct expiry_result *result)
{
    json_t *images = json_array();
    for (size_t i = 0; i < result->images.count; i++) {
        const struct expiry_image *image = result->images.items[i];
        json_t *digest = image->is_known ? json_sprintf("sha256:%s", digest_hex(&image->digest).chars) : json_null();
        (void)json_array_append_new(images,
                                    json_pack("{s:s, s:o, s:o, s:I, s:o, s:b, s:o}", "part", image->part, "digest",
                                              digest, "tags", record_strings(&image->tags), "published",
                                              (json_int_t)image->published, "superseded", time_json(image->superseded),
                                              "goes", (int)image->is_old, "needed_by", record_text(image->kept_by)));
    }
    return images;
}

static json_t *error_json(const struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    return !err || err->kind == ERR_NONE ? json_null()
                                         : json_pack("{s:s, s:i, s:s}", "kind", err_kind_name(err->kind), "exit",
                                                     (int)err->kind, "text", text_shown(&scratch, err->text));
}

static json_t *items_json(const struct expiry_result *result)
{
    json_t *items = json_array();
    for (size_t i = 0; i < result->items.count; i++) {
        const struct expiry_item *item = &result->items.items[i];
        (void)json_array_append_new(items, json_pack("{s:s, s:s, s:o, s:b, s:o}", "kind", kind_names[item->kind],
                                                     "digest", item->name, "tag", record_text(item->tag), "deleted",
                                                     (int)item->is_deleted, "error", error_json(item->err)));
    }
    return items;
}

static json_t *pruning_json(const struct pruning *pruning)
{
    const struct expiry_result *result = &pruning->result;
    return json_pack("{s:s, s:I, s:I, s:I, s:o, s:o, s:o, s:o}", "repository", pruning->destination, "tags",
                     (json_int_t)result->tag_count, "images_deleted", (json_int_t)result->image_count, "deleted",
                     (json_int_t)result->deleted_count, "images", images_json(result), "items", items_json(result),
                     "stopped", record_text(result->stopped), "error", error_json(&pruning->err));
}

void pruning_print_json(FILE *out, const struct pruning *items, size_t count, const struct pruning_call *call)
{
    json_t *repositories = json_array();
    for (size_t i = 0; i < count; i++)
        (void)json_array_append_new(repositories, pruning_json(&items[i]));
    json_auto_t *json = json_pack("{s:b, s:o}", "dry_run", (int)call->is_dry_run, "repositories", repositories);
    (void)json_dumpf(json, out, JSON_INDENT(2) | JSON_ENSURE_ASCII);
    (void)fputc('\n', out);
}

void pruning_done(struct pruning *pruning)
{
    arena_done(&pruning->arena);
}
