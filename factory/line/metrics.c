/* SPDX-License-Identifier: Apache-2.0 */
#include "line/metrics.h"

#include "base/auto.h"
#include "base/map.h"
#include "line/together.h"

static void print_head(FILE *out, const char *name, const char *help)
{
    (void)fprintf(out, "# HELP imgfactory_%s %s\n# TYPE imgfactory_%s gauge\n", name, help, name);
}

/* A label's value, one line: a backslash and a quote would end it. */
static void print_label(FILE *out, const char *name, const char *value, char before)
{
    (void)fprintf(out, "%c%s=\"", before, name);
    for (const char *at = value; *at; at++) {
        if (*at == '\\' || *at == '"')
            (void)fputc('\\', out);
        (void)fputc(*at, out);
    }
    (void)fputc('"', out);
}

static void print_value(FILE *out, double value)
{
    (void)fprintf(out, "} %.15g\n", value);
}

void metrics_print_run(FILE *out, const struct metrics_run *run)
{
    print_head(out, "build_info", "The version of imgfactory that made the last run.");
    (void)fputs("imgfactory_build_info", out);
    print_label(out, "version", run->version, '{');
    print_value(out, 1);
    const struct {
        const char *name, *help;
        double value;
    } rows[] = {
        {"last_run_timestamp_seconds", "When the last run ended.", (double)run->ended},
        {"last_run_duration_seconds", "How long the last run took.", run->seconds},
        {"last_run_exit_status", "The exit status of the last run; 0 is good.", run->outcome},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        print_head(out, rows[i].name, rows[i].help);
        (void)fprintf(out, "imgfactory_%s %.15g\n", rows[i].name, rows[i].value);
    }
}

/* --- of an image --- */

static double is_good(const struct batch_image *image)
{
    return image->is_good;
}

static double exit_status(const struct batch_image *image)
{
    return together_is_partly(image) ? ERR_PARTLY : image->is_good ? ERR_NONE : image->err.kind;
}

static double is_changed(const struct batch_image *image)
{
    return image->has_layout && !image->is_unchanged;
}

static double is_held(const struct batch_image *image)
{
    return image->is_held;
}

static double overdue_updates(const struct batch_image *image)
{
    size_t count = 0;
    for (size_t i = 0; i < image->lags.count; i++)
        count += image->lags.items[i].is_overdue;
    return (double)count;
}

static double is_left(const struct batch_image *image)
{
    return image->newer != NULL;
}

static double image_seconds(const struct batch_image *image)
{
    return image->seconds;
}

static double sent_bytes(const struct batch_image *image)
{
    return (double)image->publication.result.sent_bytes;
}

static double moved_tags(const struct batch_image *image)
{
    const struct push_result *result = &image->publication.result;
    size_t count = 0;
    for (size_t i = 0; i < result->tags.count; i++)
        count += result->tags.items[i].is_moved;
    return (double)count;
}

static double end_of_life(const struct batch_image *image)
{
    return image->has_end ? (double)image->end_of_life : 0;
}

static const struct {
    const char *name, *help;
    double (*value)(const struct batch_image *image);
} of_images[] = {
    {"image_success", "Whether the image was made, and pushed where it has a destination.", is_good},
    {"image_exit_status", "The exit status that the image alone would have given; 0 is good.", exit_status},
    {"image_held", "Whether the image is held, since its architectures differ.", is_held},
    {"image_overdue_updates", "Security updates that are held back for more than two nights.", overdue_updates},
    {"image_changed", "Whether the last run made another image than the one before.", is_changed},
    {"image_left", "Whether its tags stay at an image of newer repositories.", is_left},
    {"image_duration_seconds", "How long the image took, from the beginning of the run.", image_seconds},
    {"image_sent_bytes", "Bytes of blobs that were sent to the registry.", sent_bytes},
    {"image_moved_tags", "Tags of the registry that were moved.", moved_tags},
    {"image_end_of_life_timestamp_seconds", "From when on the image is not built any more; 0: nobody said.",
     end_of_life},
};

/* --- of an image for one architecture --- */

static double layer_bytes(const struct job *job)
{
    return (double)bill_layer_bytes(&job->bill);
}

static double unpacked_bytes(const struct job *job)
{
    return (double)job->bill.unpacked_bytes;
}

static double package_count(const struct job *job)
{
    return (double)job->bill.package_count;
}

static double file_count(const struct job *job)
{
    return (double)job->bill.file_count;
}

static const struct {
    const char *name, *help;
    double (*value)(const struct job *job);
} of_orders[] = {
    {"image_layer_bytes", "Compressed size of the image's layers.", layer_bytes},
    {"image_unpacked_bytes", "Size of the files in the image.", unpacked_bytes},
    {"image_packages", "Packages that gave files to the image.", package_count},
    {"image_files", "Files in the image.", file_count},
};

/* Names of images as labels have them. One that was given up is called by its word, which may be another one's name; two
 * samples of one name would make a file that nobody reads. */
static const char **labels_of(struct arena *arena, const struct batch *batch)
{
    const char **labels = arena_new_array(arena, const char *, batch->count + 1);
    struct map taken = {.arena = arena};
    for (size_t i = 0; i < batch->count; i++) {
        const char *name = text_printable(arena, text_of(batch->images[i].manifest->name));
        labels[i] = name;
        for (size_t number = 2; !map_add(&taken, text_of(labels[i]), &taken); number++)
            labels[i] = arena_printf(arena, "%s (%zu)", name, number);
    }
    return labels;
}

static void print_orders(FILE *out, const struct batch *batch, const char *const *labels)
{
    for (size_t row = 0; row < ARRAY_COUNT(of_orders); row++) {
        print_head(out, of_orders[row].name, of_orders[row].help);
        for (size_t i = 0; i < batch->count; i++) {
            const struct batch_image *image = &batch->images[i];
            for (size_t j = 0; j < image->arch_count; j++) {
                if (!image->jobs[j].is_good)
                    continue;
                (void)fprintf(out, "imgfactory_%s", of_orders[row].name);
                print_label(out, "image", labels[i], '{');
                print_label(out, "arch", image->arches[j]->name, ',');
                print_value(out, of_orders[row].value(&image->jobs[j]));
            }
        }
    }
}

/* Repositories by the name and architecture that they are printed with: several orders have the same. */
static void print_repositories(FILE *out, const struct batch *batch)
{
    static const char name[] = "repository_timestamp_seconds";
    AUTO(arena_done) struct arena scratch = {0};
    struct map printed = {.arena = &scratch};
    print_head(out, name, "The date of the metadata that were used of a repository.");
    for (size_t i = 0; i < batch->count; i++) {
        for (size_t j = 0; j < batch->images[i].arch_count; j++) {
            const struct job *job = &batch->images[i].jobs[j];
            for (size_t k = 0; job->origins && k < job->origins->count; k++) {
                const struct origin *origin = &job->origins->items[k];
                const char *shown = text_printable(&scratch, text_of(origin_identity(origin)));
                const char *key = arena_printf(&scratch, "%s %s", job->arch->name, shown);
                if (!map_add(&printed, text_of(key), &printed))
                    continue;
                (void)fprintf(out, "imgfactory_%s", name);
                print_label(out, "repository", shown, '{');
                print_label(out, "arch", job->arch->name, ',');
                print_value(out, (double)origin->date);
            }
        }
    }
}

static void print_counts(FILE *out, const struct batch *batch)
{
    size_t built = 0, unchanged = 0, held = 0, failed = 0;
    for (size_t i = 0; i < batch->count; i++) {
        const struct batch_image *image = &batch->images[i];
        failed += !image->is_good;
        unchanged += image->is_good && image->is_unchanged;
        held += image->is_held && image->is_good;
        built += image->is_good && !image->is_unchanged && !image->is_held;
    }
    print_head(out, "last_run_images", "Images of the last run by what became of them.");
    (void)fprintf(out, "imgfactory_last_run_images{status=\"built\"} %zu\n", built);
    (void)fprintf(out, "imgfactory_last_run_images{status=\"unchanged\"} %zu\n", unchanged);
    (void)fprintf(out, "imgfactory_last_run_images{status=\"held\"} %zu\n", held);
    (void)fprintf(out, "imgfactory_last_run_images{status=\"failed\"} %zu\n", failed);
}

void metrics_print_batch(FILE *out, const struct batch *batch)
{
    AUTO(arena_done) struct arena scratch = {0};
    const char **labels = labels_of(&scratch, batch);
    print_counts(out, batch);
    for (size_t row = 0; row < ARRAY_COUNT(of_images); row++) {
        print_head(out, of_images[row].name, of_images[row].help);
        for (size_t i = 0; i < batch->count; i++) {
            (void)fprintf(out, "imgfactory_%s", of_images[row].name);
            print_label(out, "image", labels[i], '{');
            print_value(out, of_images[row].value(&batch->images[i]));
        }
    }
    print_orders(out, batch, labels);
    print_repositories(out, batch);
}
