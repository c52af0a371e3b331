#include "line/report.h"

#include "base/auto.h"

static const char *image_status(const struct batch_image *image, bool is_dry_run)
{
    if (!image->is_good)
        return "failed"; /* also when it was built, but could not be pushed */
    if (is_dry_run)
        return "dry-run";
    return image->is_unchanged ? "unchanged" : "built";
}

static void print_selection(FILE *out, const struct job *job)
{
    (void)fprintf(out, "%s for %s: %zu packages\n", job->manifest->name, job->arch->name, job->product.packages.count);
    for (size_t i = 0; i < job->product.choices.count; i++) {
        const struct product_choice *choice = &job->product.choices.items[i];
        (void)fprintf(out, "  %s is in %s (%s)\n", choice->path, choice->package, choice->why);
    }
    for (size_t i = 0; i < job->product.packages.count; i++) {
        const struct product_package *package = &job->product.packages.items[i];
        (void)fprintf(out, "  %s %s %s\n", package->name, package->version, package->architecture);
    }
}

static void print_row(FILE *out, const struct batch_image *image, const struct job *job)
{
    AUTO(arena_done) struct arena arena = {0};
    const struct product *product = &job->product;
    if (!job->is_good) {
        (void)fprintf(out, "%-16s %-8s failed: %s\n", image->manifest->name, job->arch->name,
                      err_kind_name(job->err.kind));
        return;
    }
    (void)fprintf(out, "%-16s %-8s %8zu %6zu %9s %9s  %.19s  %6.2f s\n", image->manifest->name, job->arch->name,
                  product->package_count, product->files.count, text_size(product->unpacked_bytes).chars,
                  text_size(product->layer.size_bytes).chars,
                  arena_printf(&arena, "sha256:%s", digest_hex(&job->image.manifest.digest).chars), job->seconds);
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
        (void)fputc('\n', out);
    }
}

static void print_use(FILE *out, const struct batch_image *image)
{
    const char *tag = image->tags.count ? image->tags.items[0] : "latest";
    (void)fprintf(out, "\n%s %s: sha256:%s\n", image->manifest->name, image->is_unchanged ? "unchanged" : "built",
                  digest_hex(&image->index.digest).chars);
    (void)fprintf(out, "  layout  %s (tags:", image->layout);
    for (size_t i = 0; i < image->tags.count; i++)
        (void)fprintf(out, " %s", image->tags.items[i]);
    (void)fputs(")\n", out);
    if (image->publication.is_good) {
        report_push(out, &image->publication);
        return;
    }
    (void)fprintf(out, "  copy    skopeo copy --all oci:%s:%s docker://REGISTRY/%s:%s\n", image->layout, tag,
                  image->manifest->name, tag);
    (void)fprintf(out, "  run     podman run oci:%s:%s\n", image->layout, tag);
}

void report_table(FILE *out, const struct batch *batch, bool is_dry_run)
{
    if (is_dry_run) {
        for (size_t i = 0; i < batch->count; i++) {
            for (size_t j = 0; j < batch->images[i].arch_count; j++) {
                if (batch->images[i].jobs[j].is_good)
                    print_selection(out, &batch->images[i].jobs[j]);
            }
        }
        return;
    }
    (void)fprintf(out, "%-16s %-8s %8s %6s %9s %9s  %-19s  %8s\n", "IMAGE", "ARCH", "PACKAGES", "FILES", "UNPACKED",
                  "LAYER", "DIGEST", "TIME");
    for (size_t i = 0; i < batch->count; i++) {
        for (size_t j = 0; j < batch->images[i].arch_count; j++)
            print_row(out, &batch->images[i], &batch->images[i].jobs[j]);
    }
    for (size_t i = 0; i < batch->count; i++) {
        if (batch->images[i].is_built)
            print_use(out, &batch->images[i]);
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

static json_t *strings_json(const struct strings *strings)
{
    json_t *array = json_array();
    for (size_t i = 0; i < strings->count; i++)
        json_array_append_new(array, json_string(strings->items[i]));
    return array;
}

static json_t *origins_json(const struct origins *origins)
{
    json_t *array = json_array();
    AUTO(arena_done) struct arena scratch = {0};
    for (size_t i = 0; i < origins->count; i++) {
        const struct origin *origin = &origins->items[i];
        json_t *json =
            json_pack("{s:s, s:s, s:I, s:o}", "name", origin->name, "uri", source_public_uri(&scratch, origin->uri),
                      "date", (json_int_t)origin->date, "digest", digest_json(&origin->digest));
        if (origin->codename)
            json_object_set_new(json, "codename", json_string(origin->codename));
        if (origin->signed_by)
            json_object_set_new(json, "signed_by", json_string(origin->signed_by));
        json_array_append_new(array, json);
    }
    return json_pack("{s:s, s:o, s:o, s:o}", "name", origins->source->name, "repositories", array, "trusted",
                     strings_json(&origins->trusted), "left_out", strings_json(&origins->left_out));
}

static json_t *job_json(const struct job *job, bool is_dry_run)
{
    json_t *json = json_object();
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
    if (job->origins)
        json_object_set_new(json, "source", origins_json(job->origins));
    if (!job->is_good) {
        json_object_set_new(json, "error", error_json(&job->err));
        json_object_set_new(json, "selection", json_array()); /* so that readers need not look whether they are there */
        json_object_set_new(json, "notes", json_array());
        return json;
    }
    if (!is_dry_run) {
        json_object_set_new(json, "digest", digest_json(&job->image.manifest.digest));
        json_object_set_new(json, "config", digest_json(&job->image.config.digest));
    }
    json_t *product = product_to_json(&job->product);
    json_object_update_missing(json, product);
    json_decref(product);
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
    if (publication->err.kind)
        json_object_set_new(json, "error", error_json(&publication->err));
    return json;
}

static json_t *image_json(const struct batch_image *image, bool is_dry_run)
{
    json_t *json = json_object(), *arches = json_array();
    json_object_set_new(json, "image", json_string(image->manifest->name));
    json_object_set_new(json, "manifest", json_string(image->manifest->path));
    json_object_set_new(json, "status", json_string(image_status(image, is_dry_run)));
    json_object_set_new(json, "seconds", json_real(image->seconds));
    if (!image->is_good)
        json_object_set_new(json, "error", error_json(&image->err));
    if (image->is_built) {
        json_object_set_new(json, "layout", json_string(image->layout));
        json_object_set_new(json, "digest", digest_json(&image->index.digest));
        json_object_set_new(json, "tags", strings_json(&image->tags));
    }
    if (image->publication.is_tried)
        json_object_set_new(json, "push", publication_json(&image->publication));
    for (size_t i = 0; i < image->arch_count; i++)
        json_array_append_new(arches, job_json(&image->jobs[i], is_dry_run));
    json_object_set_new(json, "architectures", arches);
    return json;
}

/* Prints the object around `images`, which is used up. */
static void print_report(FILE *out, json_t *images, enum err_kind outcome)
{
    json_t *json = json_pack("{s:s, s:s, s:i, s:o}", "imgfactory", IMGFACTORY_VERSION, "outcome",
                             err_kind_name(outcome), "exit", (int)outcome, "images", images);
    (void)json_dumpf(json, out, JSON_INDENT(2) | JSON_ENSURE_ASCII);
    (void)fputc('\n', out);
    json_decref(json);
}

void report_push_json(FILE *out, const char *image, const struct publication *publication)
{
    json_t *json = json_pack("{s:s, s:s, s:o}", "image", image, "status", publication->is_good ? "pushed" : "failed",
                             "push", publication_json(publication));
    print_report(out, json_pack("[o]", json), publication->is_good ? ERR_NONE : publication->err.kind);
}

void report_json(FILE *out, const struct batch *batch, bool is_dry_run)
{
    json_t *images = json_array();
    for (size_t i = 0; i < batch->count; i++)
        json_array_append_new(images, image_json(&batch->images[i], is_dry_run));
    print_report(out, images, batch_outcome(batch));
}

static struct explained explained_of(const struct job *job)
{
    return (struct explained){job->manifest, job->arch, &job->product, &job->answers};
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
