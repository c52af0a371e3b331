/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/status_print.h"

#include "base/auto.h"
#include "base/date.h"
#include "base/map.h"
#include "base/units.h"
#include "bill/record.h"

/* --- for people --- */

/* "3 hours ago", "never". */
static const char *ago(struct arena *arena, int64_t now, int64_t then)
{
    if (!then)
        return "never";
    return arena_printf(arena, then > now ? "in %s" : "%s ago", date_print_span(now - then).chars);
}

static void print_row(FILE *out, struct arena *arena, const struct status_view *view, const struct status_row *row)
{
    static const struct digest none;
    const struct status_image *image = row->image;
    (void)fprintf(out, "%-16s %-8s", text_shown(arena, row->name), status_state_name(row->state));
    if (!image) {
        (void)fprintf(out, " no night has told of it\n");
        return;
    }
    (void)fprintf(out, " %-16s %-19.19s  %s%s%s\n", ago(arena, view->now, image->good),
                  digest_eq(&image->digest, &none) ? "-"
                                                   : arena_printf(arena, "sha256:%s", digest_hex(&image->digest).chars),
                  text_shown(arena, strings_join(arena, &image->tags, " ")),
                  image->is_proven || !image->good ? "" : "  (made with --no-check)",
                  row->is_judged ? "" : "  (not of this site file)");
    if (row->state == STATUS_AHEAD)
        (void)fprintf(out, "  its night is from the future, %s: look at the clock of the machine that made it\n",
                      date_print(image->night).chars);
    if (row->state == STATUS_REPLACED)
        (void)fprintf(out, "  sha256:%.12s is not what was published last\n", digest_hex(&row->asked).chars);
    if (row->state == STATUS_FAILING && image->error)
        (void)fprintf(out, "  failing since %s, %s (%u): %s\n", date_print(image->failing_since).chars,
                      text_shown(arena, image->error->kind), image->error->exit, text_shown(arena, image->error->text));
}

static void print_delays(FILE *out, const struct status_delays *delays)
{
    if (!delays->count)
        return;
    (void)fprintf(out, "%zu moves after new metadata: median %s, worst %s, of it ours at most %s\n", delays->count,
                  units_duration((uint64_t)delays->median_seconds * 1000).chars,
                  units_duration((uint64_t)delays->worst_seconds * 1000).chars,
                  units_duration((uint64_t)delays->worst_own_seconds * 1000).chars);
}

/* The newest date of each repository. */
static void print_repositories(FILE *out, struct arena *arena, const struct status_view *view)
{
    struct map known = {.arena = arena};
    for (size_t i = 0; i < view->rows.count; i++) {
        const struct status_image *image = view->rows.items[i].image;
        for (size_t j = 0; image && j < image->repositories.count; j++) {
            struct status_repository *repository = &image->repositories.items[j];
            const struct status_repository *newest = map_get(&known, text_of(repository->name));
            if (!newest || newest->date < repository->date)
                map_set(&known, text_of(repository->name), repository);
        }
    }
    for (size_t i = 0; i < known.slots.count; i++) {
        const struct status_repository *newest = known.slots.items[i].value;
        (void)fprintf(out, "metadata of %s  %s\n", date_print(newest->date).chars, text_shown(arena, newest->name));
    }
}

void status_print(FILE *out, const struct status_view *view)
{
    AUTO(arena_done) struct arena scratch = {0};
    (void)fprintf(out, "%s: last night %s (%s)\n", view->reference, date_print(view->record->night).chars,
                  ago(&scratch, view->now, view->record->night));
    (void)fprintf(out, "%-16s %-8s %-16s %-19s  %s\n", "IMAGE", "STATE", "GOOD", "DIGEST", "TAGS");
    for (size_t i = 0; i < view->rows.count; i++)
        print_row(out, &scratch, view, &view->rows.items[i]);
    print_repositories(out, &scratch, view);
    print_delays(out, &view->delays);
}

/* --- as JSON --- */

static json_t *time_json(int64_t seconds)
{
    return seconds ? json_integer((json_int_t)seconds) : json_null();
}

static json_t *digest_json(const struct digest *digest)
{
    static const struct digest none;
    return digest_eq(digest, &none) ? json_null() : json_sprintf("sha256:%s", digest_hex(digest).chars);
}

static json_t *row_json(const struct status_row *row)
{
    static const struct status_image nothing = {.name = ""};
    const struct status_image *image = row->image ? row->image : &nothing;
    json_t *repositories = json_array();
    for (size_t i = 0; i < image->repositories.count; i++)
        json_array_append_new(repositories, json_pack("{s:s, s:I}", "name", image->repositories.items[i].name, "date",
                                                      (json_int_t)image->repositories.items[i].date));
    json_t *json =
        json_pack("{s:o, s:s, s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:o}", "image", record_text(row->name),
                  "state", status_state_name(row->state), "judged", row->is_judged, "destination",
                  record_text(image->destination), "night", time_json(image->night), "good", time_json(image->good),
                  "failing_since", time_json(image->failing_since), "digest", digest_json(&image->digest), "tags",
                  record_strings(&image->tags), "architectures", record_strings(&image->architectures), "proven",
                  image->is_proven, "repositories", repositories);
    if (image->error)
        json_object_set_new(json, "error",
                            json_pack("{s:s, s:i, s:s}", "kind", image->error->kind, "exit", (int)image->error->exit,
                                      "text", image->error->text));
    return json;
}

static json_t *move_json(const struct status_move *move)
{
    return json_pack("{s:s, s:o, s:o, s:I, s:I, s:I}", "image", move->image, "destination",
                     record_text(move->destination), "tags", record_strings(&move->tags), "released",
                     (json_int_t)move->released, "moved", (json_int_t)move->moved, "seconds",
                     (json_int_t)move->seconds);
}

static json_t *delays_json(const struct status_delays *delays)
{
    return json_pack("{s:I, s:I, s:I, s:I}", "count", (json_int_t)delays->count, "median_seconds",
                     (json_int_t)delays->median_seconds, "worst_seconds", (json_int_t)delays->worst_seconds,
                     "worst_own_seconds", (json_int_t)delays->worst_own_seconds);
}

void status_print_json(FILE *out, const struct status_view *view)
{
    const struct status_record *record = view->record;
    json_t *images = json_array(), *moves = json_array();
    bool is_current = true;
    for (size_t i = 0; i < view->rows.count; i++) {
        const struct status_row *row = &view->rows.items[i];
        is_current = is_current && (!row->is_judged || row->state == STATUS_CURRENT || row->state == STATUS_WAITING);
        json_array_append_new(images, row_json(row));
    }
    for (size_t i = 0; i < record->moves.count && i < STATUS_MOVES_MAX; i++)
        json_array_append_new(moves, move_json(&record->moves.items[i]));
    json_auto_t *json =
        json_pack("{s:s, s:o, s:b, s:s, s:I, s:I, s:o, s:o, s:o}", "record", view->reference, "digest",
                  digest_json(&view->digest), "current", is_current, "program", record->program, "night",
                  (json_int_t)record->night, "max_age_seconds", (json_int_t)view->max_age_seconds, "images", images,
                  "delays", delays_json(&view->delays), "moves", moves);
    (void)json_dumpf(json, out, JSON_INDENT(2) | JSON_ENSURE_ASCII);
    (void)fputc('\n', out);
}
