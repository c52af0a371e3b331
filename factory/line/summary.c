/* SPDX-License-Identifier: Apache-2.0 */
#include "line/summary.h"

#include "base/auto.h"
#include "base/date.h"
#include "line/changes.h"
#include "line/together.h"

static void print_push(FILE *out, const struct publication *publication)
{
    const struct push_result *result = &publication->result;
    bool is_any = false;
    if (!publication->is_tried || !publication->is_good)
        return;
    (void)fprintf(out, ", %s in %s",
                  result->is_left        ? "left as it is, which is newer,"
                  : result->is_unchanged ? "unchanged"
                                         : "pushed",
                  publication->destination);
    for (size_t i = 0; i < result->tags.count; i++) {
        if (!result->tags.items[i].is_moved)
            continue;
        (void)fprintf(out, "%s %s", is_any ? "" : ", moved", result->tags.items[i].name);
        is_any = true;
    }
}

/* Lists those that were built, or the others. */
static void print_arches(FILE *out, const struct batch_image *image, bool are_good)
{
    const char *before = are_good ? " for" : ", missing";
    for (size_t i = 0; i < image->arch_count; i++) {
        if (image->jobs[i].is_good != are_good)
            continue;
        (void)fprintf(out, "%s %s", before, image->arches[i]->name);
        before = "";
    }
}

static void print_held(FILE *out, const struct batch_image *image, const char *name)
{
    bool is_overdue = together_is_overdue(image);
    if (!image->lags.count)
        (void)fprintf(out, "held    %s  as its base %s is\n", name, image->base->manifest->name);
    else
        (void)fprintf(out, "held    %s  its architectures differ in %zu package%s%s\n", name, image->lags.count,
                      image->lags.count > 1 ? "s" : "", is_overdue ? ", a security update waits for too long" : "");
}

static void print_image(FILE *out, const struct batch_image *image)
{
    AUTO(arena_done) struct arena scratch = {0};
    const char *name = text_printable(&scratch, text_of(image->manifest->name));
    char *error = arena_strdup(&scratch, image->err.text);
    text_sanitize(error);
    if (!image->is_good) {
        (void)fprintf(out, "FAILED  %s  %s (%d): %s\n", name, err_kind_name(image->err.kind), (int)image->err.kind,
                      error);
        return;
    }
    if (image->is_held) {
        print_held(out, image, name);
        return;
    }
    bool is_made = image->has_layout || image->publication.is_tried;
    (void)fprintf(out, "%-7s %s  %s", image->is_partial ? "PARTLY" : "ok", name,
                  !is_made              ? "selected"
                  : image->is_unchanged ? "unchanged"
                                        : "built");
    if (image->has_layout)
        (void)fprintf(out, " sha256:%s", digest_hex(&image->index.digest).chars);
    print_arches(out, image, true);
    if (image->is_partial)
        print_arches(out, image, false);
    print_push(out, &image->publication);
    if (image->has_end && image->ended && image->end_of_life - image->ended <= BATCH_END_TOLD_SECONDS)
        (void)fprintf(out, ", not built any more from %.10s on", date_print(image->end_of_life).chars);
    (void)fputc('\n', out);
    struct strings lines = changes_brief(&scratch, image);
    for (size_t i = 0; i < lines.count; i++)
        (void)fprintf(out, "        %s\n", lines.items[i]);
}

static void print_record(FILE *out, const struct batch_record *record)
{
    AUTO(arena_done) struct arena scratch = {0};
    (void)fprintf(out, "FAILED  %s  %s (%d): %s\n", record->reference, err_kind_name(record->err.kind),
                  (int)record->err.kind, text_shown(&scratch, record->err.text));
}

/* What was not built any more, and what was pruned. */
static void print_rest(FILE *out, const struct batch *batch)
{
    AUTO(arena_done) struct arena scratch = {0};
    for (size_t i = 0; i < batch->ended_count; i++)
        (void)fprintf(out, "ended   %s  not built any more since %.10s\n", text_shown(&scratch, batch->ended[i].word),
                      date_print(batch->ended[i].end_of_life).chars);
    for (size_t i = 0; i < batch->pruning_count; i++) {
        const struct pruning *pruning = &batch->prunings[i];
        if (!pruning->is_good)
            (void)fprintf(out, "FAILED  pruning of %s  %s (%d): %s\n", pruning->destination,
                          err_kind_name(pruning->err.kind), (int)pruning->err.kind,
                          text_shown(&scratch, pruning->err.text));
        else if (pruning->result.deleted_count)
            (void)fprintf(out, "pruned  %s  %zu images, %zu deletions\n", pruning->destination,
                          pruning->result.image_count, pruning->result.deleted_count);
    }
}

void summary_print(FILE *out, const struct batch *batch, double seconds)
{
    enum err_kind outcome = batch_outcome(batch);
    size_t good = 0, changed = 0, pushed = 0;
    uint64_t sent_bytes = 0;
    for (size_t i = 0; i < batch->count; i++) {
        const struct batch_image *image = &batch->images[i];
        print_image(out, image);
        good += image->is_good;
        changed += image->has_layout && !image->is_unchanged;
        pushed += image->publication.is_tried && image->publication.is_good && !image->publication.result.is_unchanged;
        sent_bytes += image->publication.result.sent_bytes;
    }
    if (batch->record.reference && !batch->record.is_good)
        print_record(out, &batch->record);
    print_rest(out, batch);
    (void)fprintf(out, "%-7s %zu of %zu images, %zu changed, %zu pushed, %s sent, %.1f s: %s (%d)\n",
                  outcome == ERR_NONE ? "ok" : "FAILED", good, batch->count, changed, pushed,
                  text_size(sent_bytes).chars, seconds, err_kind_name(outcome), (int)outcome);
}
