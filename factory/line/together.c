#include "line/together.h"

#include "base/auto.h"
#include "line/lag_memory.h"
#include "line/lag_report.h"

/* Gives a bill whole: that of a product which is used again may have been read in part. */
static bool complete(struct batch_image *image, const struct job *job, const struct bill **ret_bill, struct err *err)
{
    *ret_bill = &job->bill;
    if (!job->bill.rest.ptr)
        return true;
    struct bill *whole = arena_new(&image->arena, struct bill);
    *whole = job->bill;
    *ret_bill = whole;
    if (bill_complete(&image->arena, whole))
        return true;
    err_set(err, ERR_LOCAL, "what it is made of cannot be read from the cache; --rebuild makes it anew");
    return false;
}

bool together_compare(struct batch_image *image, const struct plant *plant, struct err *err)
{
    struct parity_side *sides = arena_new_array(&image->arena, struct parity_side, image->arch_count);
    if (image->together.parity == PARITY_UNASKED || image->arch_count < 2 || plant->options->explained)
        return true;
    for (size_t i = 0; i < image->arch_count; i++) {
        const struct job *job = &image->jobs[i];
        sides[i] = (struct parity_side){.arch = job->arch, .origins = job->origins};
        if (!complete(image, job, &sides[i].bill, err))
            return false;
    }
    image->is_compared = true;
    image->lags = parity_compare(&image->arena, sides, image->arch_count, image->together.parity,
                                 job_is_selected_only(&image->jobs[0]));
    bool is_parted = image->lags.count && image->together.parity != PARITY_OFF;
    image->is_held = is_parted || (image->base && image->base->is_held);
    return true;
}

void together_note(struct batch *batch, const struct run_options *options, struct log *log)
{
    struct lag_note *notes = arena_new_array(&batch->arena, struct lag_note, batch->count + 1);
    size_t count = 0;
    for (size_t i = 0; i < batch->count && !options->is_dry_run; i++) {
        struct batch_image *image = &batch->images[i];
        const char *place = image->destination ? image->destination : "-";
        if (image->is_compared)
            notes[count++] =
                (struct lag_note){.image = arena_printf(&batch->arena, "%s %s", image->manifest->name, place),
                                  .lags = &image->lags,
                                  .is_held_back = image->is_held};
    }
    lag_memory_note(options->state_dir, notes, count, options->now, log);
}

bool together_is_overdue(const struct batch_image *image)
{
    bool is_overdue = false;
    for (size_t i = 0; i < image->lags.count; i++)
        is_overdue = is_overdue || image->lags.items[i].is_overdue;
    return is_overdue;
}

/* The difference that says most: one that is overdue, a security update, or any. */
static const struct lag *gravest(const struct lags *lags)
{
    const struct lag *found = NULL;
    for (size_t i = 0; i < lags->count; i++) {
        const struct lag *lag = &lags->items[i];
        if (!found || lag->is_overdue > found->is_overdue ||
            (lag->is_overdue == found->is_overdue && lag->is_security > found->is_security))
            found = lag;
    }
    return found;
}

static void log_image(const struct batch_image *image, struct log *log)
{
    AUTO(arena_done) struct arena scratch = {0};
    const struct lag *lag = gravest(&image->lags);
    const char *name = image->manifest->name;
    if (!lag) {
        log_line(log, LOG_QUIET, "warning: %s is held, no tag moves: its base %s is", name,
                 image->base->manifest->name);
        return;
    }
    const char *more =
        image->lags.count < 2 ? "" : arena_printf(&scratch, " (and %zu packages more)", image->lags.count - 1);
    log_line(log, LOG_QUIET, "%s: %s %s: %s%s", lag->is_overdue ? "error" : "warning", name,
             image->is_held ? "is held, no tag moves" : "differs between architectures", lag_report_line(&scratch, lag),
             more);
}

void together_log(const struct batch *batch, struct log *log)
{
    for (int is_overdue = 1; is_overdue >= 0; is_overdue--) {
        for (size_t i = 0; i < batch->count; i++) {
            const struct batch_image *image = &batch->images[i];
            bool is_told = image->is_held || image->lags.count;
            if (is_told && together_is_overdue(image) == is_overdue)
                log_image(image, log);
        }
    }
}
