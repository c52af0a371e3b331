/* SPDX-License-Identifier: Apache-2.0 */
#include "line/report.h"

#include "base/auto.h"
#include "base/date.h"
#include "deploy/deploy.h"
#include "line/changes.h"
#include "line/lag_report.h"

#include <assert.h>

/* Of the report around the bills, which have a number of their own. */
#define REPORT_FORMAT 1

#define TABLE_COLUMNS 92 /* of the table for people */

static const char *image_status(const struct batch_image *image, bool is_dry_run)
{
    if (!image->is_good)
        return "failed"; /* also when it was built, but could not be pushed */
    if (is_dry_run)
        return "dry-run";
    if (image->is_held)
        return "held";
    return image->is_unchanged ? "unchanged" : "built";
}

static void print_selection(FILE *out, const struct job *job)
{
    AUTO(arena_done) struct arena scratch = {0};
    (void)fprintf(out, "%s for %s: %zu packages\n", job->manifest->name, job->arch->name, job->bill.packages.count);
    for (size_t i = 0; i < job->bill.choices.count; i++) {
        const struct bill_choice *choice = &job->bill.choices.items[i];
        (void)fprintf(out, "  %s is in %s (%s)\n", text_shown(&scratch, choice->path),
                      text_shown(&scratch, choice->package), text_shown(&scratch, choice->why));
    }
    for (size_t i = 0; i < job->bill.packages.count; i++) {
        const struct bill_package *package = &job->bill.packages.items[i];
        (void)fprintf(out, "  %s %s %s\n", text_shown(&scratch, package->name), text_shown(&scratch, package->version),
                      text_shown(&scratch, package->architecture));
    }
}

static void print_row(FILE *out, const struct batch_image *image, const struct job *job)
{
    AUTO(arena_done) struct arena arena = {0};
    const struct bill *bill = &job->bill;
    if (!job->is_good) {
        (void)fprintf(out, "%-16s %-8s failed: %s\n", image->manifest->name, job->arch->name,
                      err_kind_name(job->err.kind));
        return;
    }
    (void)fprintf(out, "%-16s %-8s %8zu %6zu %9s %9s  %.19s  %6.2f s\n", image->manifest->name, job->arch->name,
                  bill->package_count, bill->file_count, text_size(bill->unpacked_bytes).chars,
                  text_size(bill_layer_bytes(bill)).chars,
                  arena_printf(&arena, "sha256:%s", digest_hex(&job->image.manifest.digest).chars), job->seconds);
}

/* The same for a terminal on which a row would be broken. */
static void print_narrow(FILE *out, const struct batch_image *image, const struct job *job)
{
    const struct bill *bill = &job->bill;
    (void)fprintf(out, "%s %s%s%s\n", image->manifest->name, job->arch->name,
                  job->is_good ? "" : " failed: ", job->is_good ? "" : err_kind_name(job->err.kind));
    if (job->is_good)
        (void)fprintf(out, "  %zu files of %zu packages\n  %s, layer %s, %.2f s\n  sha256:%.12s\n", bill->file_count,
                      bill->package_count, text_size(bill->unpacked_bytes).chars,
                      text_size(bill_layer_bytes(bill)).chars, job->seconds,
                      digest_hex(&job->image.manifest.digest).chars);
}

void report_push(FILE *out, const struct publication *publication)
{
    const struct push_result *result = &publication->result;
    (void)fprintf(out, "  pushed  %s@sha256:%s%s\n", publication->destination, digest_hex(&result->digest).chars,
                  result->is_unchanged ? " (unchanged)" : "");
    for (size_t i = 0; i < result->tags.count; i++) {
        const struct push_tag *tag = &result->tags.items[i];
        (void)fprintf(out, "  tag     %s", tag->name);
        if (tag->had_old && tag->is_moved)
            (void)fprintf(out, " (was sha256:%s)", digest_hex(&tag->old_digest).chars);
        if (tag->is_kept)
            (void)fprintf(out, " (kept at sha256:%s)", digest_hex(&tag->old_digest).chars);
        (void)fputc('\n', out);
    }
}

static void print_newer(FILE *out, const struct batch_image *image)
{
    AUTO(arena_done) struct arena scratch = {0};
    const struct status_newer *by = &image->newer_by;
    if (image->newer)
        (void)fprintf(out, "  newer   %s of %s there, of %s here\n", text_shown(&scratch, by->name),
                      date_print(by->there).chars, date_print(by->ours).chars);
}

/* Returns whether the image says what it starts: without, nobody can run it as it is. */
static bool has_command(const struct batch_image *image)
{
    const struct manifest_config *process = &image->jobs[0].bill.process;
    return process->entrypoint.count || process->cmd.count;
}

/* Prints how it is run, from its contract and its configuration, and what has to be there before. */
static void print_command(FILE *out, const struct batch_image *image, const char *reference)
{
    AUTO(arena_done) struct arena arena = {0};
    const struct bill *bill = &image->jobs[0].bill;
    struct deployment deployment = {
        .name = image->manifest->name, .reference = reference, .process = &bill->process, .contract = bill->contract};
    (void)fprintf(out, "  run     %s\n", deploy_command(&arena, &deployment));
    for (size_t i = 0; bill->contract && i < bill->contract->needs.count; i++)
        (void)fprintf(out, "  needs   %s\n", bill->contract->needs.items[i]);
}

static void print_changes(FILE *out, const struct batch_image *image)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct strings lines = changes_brief(&scratch, image);
    for (size_t i = 0; i < lines.count; i++)
        (void)fprintf(out, "  changed %s\n", lines.items[i]);
}

/* What is in an archive is loaded first, and then has the name that the archive gives to it. */
static void print_archive(FILE *out, const struct batch_image *image, const char *tag)
{
    AUTO(arena_done) struct arena arena = {0};
    const struct archive_target *archive = image->archive;
    const char *file = text_shell_word(&arena, archive->file), *name = archive->name;
    if (!name || !strpbrk(name, "/:"))
        name = arena_printf(&arena, "localhost/%s:%s", image->manifest->name, name ? name : tag);
    (void)fprintf(out, "  archive %s\n", archive->file);
    if (archive->form == ARCHIVE_DOCKER)
        (void)fprintf(out, "  load    docker load -i %s, or podman load -i %s\n", file, file);
    else
        (void)fprintf(out, "  load    podman load -i %s\n", file);
    if (has_command(image))
        print_command(out, image, name);
}

static void print_use(FILE *out, const struct batch_image *image)
{
    AUTO(arena_done) struct arena arena = {0};
    const char *tag = image->tags.count ? image->tags.items[0] : "latest";
    (void)fprintf(out, "\n%s %s: sha256:%s\n", image->manifest->name, image->is_unchanged ? "unchanged" : "built",
                  digest_hex(&image->index.digest).chars);
    if (image->archive) {
        print_archive(out, image, tag);
        return;
    }
    (void)fprintf(out, "  layout  %s (tags:", image->layout);
    for (size_t i = 0; i < image->tags.count; i++)
        (void)fprintf(out, " %s", image->tags.items[i]);
    (void)fputs(")\n", out);
    print_changes(out, image);
    for (size_t i = 0; image->is_partial && i < image->arch_count; i++) {
        if (!image->jobs[i].is_good && image->made[i])
            (void)fprintf(out, "  as was  %s: sha256:%s\n", image->arches[i]->name,
                          digest_hex(&image->made[i]->manifest.digest).chars);
        else if (!image->jobs[i].is_good)
            (void)fprintf(out, "  without %s\n", image->arches[i]->name);
    }
    if (image->publication.is_good) {
        report_push(out, &image->publication);
        print_newer(out, image);
        return;
    }
    if (image->publication.err.kind)
        (void)fprintf(out,
                      "  push    to %s failed (%s); the same call tries again, and makes what changed since only\n",
                      image->publication.destination, err_kind_name(image->publication.err.kind));
    else
        (void)fprintf(out, "  copy    skopeo copy --all oci:%s:%s docker://REGISTRY/%s:%s\n", image->layout, tag,
                      image->manifest->name, tag);
    if (has_command(image))
        print_command(out, image, arena_printf(&arena, "oci:%s:%s", image->layout, tag));
}

void report_table(FILE *out, const struct batch *batch, bool is_dry_run, size_t columns)
{
    lag_report_print(out, batch);
    if (is_dry_run) {
        for (size_t i = 0; i < batch->count; i++) {
            for (size_t j = 0; j < batch->images[i].arch_count; j++) {
                if (batch->images[i].jobs[j].is_good)
                    print_selection(out, &batch->images[i].jobs[j]);
            }
        }
        return;
    }
    bool is_narrow = columns && columns < TABLE_COLUMNS;
    if (!is_narrow)
        (void)fprintf(out, "%-16s %-8s %8s %6s %9s %9s  %-19s  %8s\n", "IMAGE", "ARCH", "PACKAGES", "FILES", "UNPACKED",
                      "LAYER", "DIGEST", "TIME");
    for (size_t i = 0; i < batch->count; i++) {
        const struct batch_image *image = &batch->images[i];
        for (size_t j = 0; j < image->arch_count; j++)
            (is_narrow ? print_narrow : print_row)(out, image, &image->jobs[j]);
        if (!image->arch_count)
            (void)fprintf(out, "%-16s %-8s %s%s\n", image->manifest->name, "-",
                          !image->is_good   ? "failed: "
                          : image->err.kind ? "is not there for what stands on it"
                                            : "was put together before",
                          image->is_good ? "" : err_kind_name(image->err.kind));
    }
    for (size_t i = 0; i < batch->count; i++) {
        const struct batch_image *image = &batch->images[i];
        if (image->has_layout || image->archive)
            print_use(out, image);
        else if (image->publication.is_tried && image->publication.is_good) /* parts of a plan */
            report_push(out, &image->publication);
    }
}

static json_t *digest_json(const struct digest *digest)
{
    return json_sprintf("sha256:%s", digest_hex(digest).chars);
}

static json_t *error_json(const struct err *err)
{
    return json_pack("{s:s, s:i, s:s}", "kind", err_kind_name(err->kind), "exit", (int)err->kind, "text", err->text);
}

/* What was written by a table, for the report: the one writer of bills is theirs. */
static json_t *parsed(struct buf *text)
{
    json_t *json = json_loadb(text->bytes, text->len, 0, NULL);
    if (!json)
        memory_abort(text->len);
    return json;
}

static json_t *bill_json(const struct bill *bill)
{
    AUTO(buf_done) struct buf text;
    buf_init(&text, SIZE_MAX);
    bool is_written = bill_write(bill, &text);
    assert(is_written);
    return parsed(&text);
}

static json_t *source_json(const struct origins *origins)
{
    AUTO(arena_done) struct arena scratch = {0};
    AUTO(buf_done) struct buf text;
    buf_init(&text, SIZE_MAX);
    bool is_written = bill_source_write(bill_source_of(&scratch, origins), &text);
    assert(is_written);
    return parsed(&text);
}

/* A value that there is not was always left out here; a bill, which has every key, says null. */
static void drop_null(json_t *object, const char *key)
{
    if (json_is_null(json_object_get(object, key)))
        (void)json_object_del(object, key);
}

static void drop_nulls(json_t *json)
{
    json_t *source = json_object_get(json, "source"), *repository;
    size_t i;
    drop_null(json, "digest");
    drop_null(json, "config");
    json_array_foreach(json_object_get(source, "repositories"), i, repository)
    {
        drop_null(repository, "codename");
        drop_null(repository, "signed_by");
    }
}

/* What is said of the layers beside `layers`: of the topmost, and sums. */
static void add_layer(json_t *json, const struct bill *bill)
{
    const struct bill_layer none = {.encoder = ""};
    const struct bill_layer *top = bill->layers.count ? &bill->layers.items[bill->layers.count - 1] : &none;
    uint64_t tar_bytes = 0;
    for (size_t i = 0; i < bill->layers.count; i++)
        tar_bytes += bill->layers.items[i].layer.tar_bytes;
    json_object_set_new(json, "media_type", json_string(layer_media_type(top->layer.compression)));
    json_object_set_new(json, "layer", digest_json(&top->layer.digest));
    json_object_set_new(json, "diff_id", digest_json(&top->layer.diff_id));
    json_object_set_new(json, "encoder", json_string(top->encoder));
    json_object_set_new(json, "encoder_code", digest_json(&top->encoder_code));
    json_object_set_new(json, "compressed_bytes", json_integer((json_int_t)bill_layer_bytes(bill)));
    json_object_set_new(json, "tar_bytes", json_integer((json_int_t)tar_bytes));
    json_object_set_new(json, "file_count", json_integer((json_int_t)bill->file_count));
}

static json_t *job_json(const struct job *job, bool is_dry_run)
{
    json_t *json = job->is_good ? bill_json(&job->bill) : json_object();
    json_object_set_new(json, "arch", json_string(job->arch->name));
    json_object_set_new(json, "platform",
                        json_sprintf("%s/%s%s%s", job->arch->oci_os, job->arch->oci_architecture,
                                     job->arch->oci_variant ? "/" : "",
                                     job->arch->oci_variant ? job->arch->oci_variant : ""));
    json_object_set_new(json, "status",
                        json_string(!job->is_good    ? "failed"
                                    : is_dry_run     ? "dry-run"
                                    : job->is_reused ? "reused"
                                                     : "built"));
    json_object_set_new(json, "seconds", json_real(job->seconds));
    if (job->origins) /* with the path of its file, which a bill leaves out */
        json_object_set_new(json, "source", source_json(job->origins));
    drop_nulls(json);
    if (job->is_good) {
        add_layer(json, &job->bill);
        return json;
    }
    json_object_set_new(json, "error", error_json(&job->err));
    json_object_set_new(json, "selection", json_array()); /* so that readers need not look whether they are there */
    json_object_set_new(json, "notes", json_array());
    return json;
}

static json_t *publication_json(const struct publication *publication)
{
    const struct push_result *result = &publication->result;
    json_t *tags = json_array();
    for (size_t i = 0; i < result->tags.count; i++) {
        const struct push_tag *tag = &result->tags.items[i];
        json_t *json = json_pack("{s:s, s:o, s:o, s:b}", "name", tag->name, "old",
                                 tag->had_old ? digest_json(&tag->old_digest) : json_null(), "new",
                                 tag->is_moved                      ? digest_json(&tag->new_digest)
                                 : tag->had_old && !tag->is_unclear ? digest_json(&tag->old_digest)
                                                                    : json_null(),
                                 "moved", tag->is_moved);
        if (tag->is_kept)
            json_object_set_new(json, "kept", json_true());
        if (tag->is_unclear)
            json_object_set_new(json, "unclear", json_true());
        json_array_append_new(tags, json);
    }
    const char *status = !publication->is_good ? "failed" : result->is_unchanged ? "unchanged" : "pushed";
    json_t *json =
        json_pack("{s:s, s:s, s:o, s:o, s:I, s:i, s:i, s:i}", "reference", publication->destination, "status", status,
                  "digest", digest_json(&result->digest), "tags", tags, "sent_bytes", (json_int_t)result->sent_bytes,
                  "blobs", (int)result->blob_count, "mounted", 0, "present", (int)result->present_count);
    json_object_set_new(json, "mended", json_integer((json_int_t)result->mended_count));
    json_object_set_new(json, "attached", json_integer((json_int_t)result->attached_count));
    if (publication->err.kind)
        json_object_set_new(json, "error", error_json(&publication->err));
    return json;
}

static json_t *newer_json(const struct batch_image *image)
{
    const struct status_newer *by = &image->newer_by;
    return json_pack("{s:o, s:o, s:I, s:I}", "digest", digest_json(&image->newer->digest), "repository",
                     record_text(by->name), "there", (json_int_t)by->there, "here", (json_int_t)by->ours);
}

/* A day as people write it. */
static json_t *day_json(int64_t seconds)
{
    return json_sprintf("%.10s", date_print(seconds).chars);
}

static json_t *image_json(const struct batch_image *image, bool is_dry_run)
{
    json_t *json = json_object(), *arches = json_array(), *changes = changes_json(image);
    json_object_set_new(json, "image", json_string(image->manifest->name));
    json_object_set_new(json, "manifest", record_text(image->manifest->path));
    json_object_set_new(json, "status", json_string(image_status(image, is_dry_run)));
    json_object_set_new(json, "seconds", json_real(image->seconds));
    if (!image->is_good)
        json_object_set_new(json, "error", error_json(&image->err));
    json_t *together = lag_report_json(image);
    if (together)
        json_object_set_new(json, "together", together);
    if (image->has_layout)
        json_object_set_new(json, "layout", record_text(image->layout));
    if (image->archive)
        json_object_set_new(json, "archive", record_text(image->archive->file));
    if (image->has_layout || image->archive) {
        json_object_set_new(json, "digest", digest_json(&image->index.digest));
        json_object_set_new(json, "tags", record_strings(&image->tags));
    }
    if (image->publication.is_tried)
        json_object_set_new(json, "push", publication_json(&image->publication));
    if (image->newer)
        json_object_set_new(json, "newer", newer_json(image));
    for (size_t i = 0; i < image->arch_count; i++)
        json_array_append_new(arches, job_json(&image->jobs[i], is_dry_run));
    if (changes)
        json_object_set_new(json, "changes", changes);
    if (image->has_end)
        json_object_set_new(json, "end_of_life", day_json(image->end_of_life));
    json_object_set_new(json, "architectures", arches);
    return json;
}

static json_t *batch_record_json(const struct batch_record *record)
{
    json_t *json =
        json_pack("{s:s, s:s}", "reference", record->reference, "status", record->is_good ? "written" : "failed");
    if (record->is_good)
        json_object_set_new(json, "digest", digest_json(&record->digest));
    else
        json_object_set_new(json, "error", error_json(&record->err));
    return json;
}

static json_t *ended_json(const struct batch *batch)
{
    json_t *ended = json_array();
    for (size_t i = 0; i < batch->ended_count; i++)
        json_array_append_new(ended, json_pack("{s:o, s:o}", "image", record_text(batch->ended[i].word), "end_of_life",
                                               day_json(batch->ended[i].end_of_life)));
    return ended;
}

/* What became of the repositories that the night pruned. */
static json_t *pruned_json(const struct batch *batch)
{
    json_t *pruned = json_array();
    for (size_t i = 0; i < batch->pruning_count; i++) {
        const struct pruning *pruning = &batch->prunings[i];
        json_t *json =
            json_pack("{s:s, s:s, s:I, s:I}", "repository", pruning->destination, "status",
                      pruning->is_good ? "pruned" : "failed", "images", (json_int_t)pruning->result.image_count,
                      "deleted", (json_int_t)pruning->result.deleted_count);
        if (pruning->result.stopped)
            json_object_set_new(json, "stopped", record_text(pruning->result.stopped));
        if (!pruning->is_good)
            json_object_set_new(json, "error", error_json(&pruning->err));
        json_array_append_new(pruned, json);
    }
    return pruned;
}

/* What a night tells besides its images. */
static void add_night(json_t *json, const struct batch *batch)
{
    if (batch->record.reference)
        json_object_set_new(json, "status_record", batch_record_json(&batch->record));
    if (batch->ended_count)
        json_object_set_new(json, "ended", ended_json(batch));
    if (batch->pruning_count)
        json_object_set_new(json, "pruned", pruned_json(batch));
}

/* Prints the object around `images`, which is used up, as is `overdue`, unless that is NULL. `batch` may be NULL. */
static void print_report(FILE *out, json_t *overdue, json_t *images, enum err_kind outcome, const struct batch *batch)
{
    json_t *json = json_pack("{s:s, s:i, s:s, s:i}", "imgfactory", IMGFACTORY_VERSION, "format", REPORT_FORMAT,
                             "outcome", err_kind_name(outcome), "exit", (int)outcome);
    if (overdue)
        json_object_set_new(json, "overdue", overdue);
    json_object_set_new(json, "images", images);
    if (batch)
        add_night(json, batch);
    (void)json_dumpf(json, out, JSON_INDENT(2) | JSON_ENSURE_ASCII);
    (void)fputc('\n', out);
    json_decref(json);
}

void report_push_json(FILE *out, const char *image, const struct publication *publication)
{
    json_t *json = json_pack("{s:o, s:s, s:o}", "image", record_text(image), "status",
                             publication->is_good ? "pushed" : "failed", "push", publication_json(publication));
    print_report(out, NULL, json_pack("[o]", json), publication->is_good ? ERR_NONE : publication->err.kind, NULL);
}

void report_json(FILE *out, const struct batch *batch, bool is_dry_run)
{
    json_t *images = json_array();
    for (size_t i = 0; i < batch->count; i++)
        json_array_append_new(images, image_json(&batch->images[i], is_dry_run));
    print_report(out, lag_report_overdue(batch), images, batch_outcome(batch), batch);
}

static struct explained explained_of(const struct job *job)
{
    return (struct explained){job->manifest, job->arch, &job->bill, &job->answers};
}

void report_why(FILE *out, const struct batch *batch)
{
    for (size_t i = 0; i < batch->images[0].arch_count; i++) {
        struct explained explained = explained_of(&batch->images[0].jobs[i]);
        explain_print(out, &explained);
    }
}

void report_why_json(FILE *out, const struct batch *batch)
{
    json_t *array = json_array();
    for (size_t i = 0; i < batch->images[0].arch_count; i++) {
        struct explained explained = explained_of(&batch->images[0].jobs[i]);
        explain_json(&explained, array);
    }
    (void)json_dumpf(array, out, JSON_INDENT(2) | JSON_ENSURE_ASCII);
    (void)fputc('\n', out);
    json_decref(array);
}
