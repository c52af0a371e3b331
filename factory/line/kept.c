#include "line/kept.h"

#include "base/auto.h"

#include <stdlib.h>

/* Names everything that a finished product depends on. */
struct digest kept_key(const struct job *job, const struct catalog *catalog)
{
    const struct plant_options *options = job->plant->options;
    struct digest_stream stream;
    digest_begin(&stream);
    digest_feed(&stream, job->plant->program.bytes, DIGEST_BYTES);
    digest_feed(&stream, job->plant->encoder.name, strlen(job->plant->encoder.name) + 1);
    digest_feed(&stream, job->plant->encoder.code.bytes, DIGEST_BYTES);
    digest_feed(&stream, catalog->digest.bytes, DIGEST_BYTES);
    digest_feed(&stream, job->manifest->digest.bytes, DIGEST_BYTES);
    digest_feed(&stream, job->manifest->name, strlen(job->manifest->name) + 1);
    digest_feed(&stream, job->arch->digest.bytes, DIGEST_BYTES);
    digest_feed(&stream, options->recipes->digest.bytes, DIGEST_BYTES);
    digest_feed(&stream, options->features->digest.bytes, DIGEST_BYTES);
    digest_feed(&stream, options->families->digest.bytes, DIGEST_BYTES);
    int64_t numbers[5] = {options->source_date_epoch, (int64_t)options->compression, options->is_strict,
                          options->is_no_check, options->is_older_fine};
    digest_feed(&stream, numbers, sizeof numbers);
    return digest_end(&stream);
}

/* Returns whether the store has the layer and its bytes are right; a damaged one is removed there, to be made again. */
static bool has_layer(struct store *store, const struct layer *layer)
{
    struct err err = {0};
    AUTO(view_done) struct view view = {0};
    bool is_found;
    return store_map_blob(store, &layer->digest, &view, &is_found, &err) && is_found && view.len == layer->size_bytes;
}

/* Finds a finished product of the same inputs whose layer is still in the store. */
bool kept_use(struct job *job, const struct digest *key)
{
    struct err err = {0};
    AUTO(view_done) struct view view = {0};
    bool is_found;
    if (!store_map_derived(job->plant->store, "product", key, false, &view, &is_found, &err) || !is_found)
        return false;
    json_t *json = json_loadb(view.ptr, view.len, JSON_REJECT_DUPLICATES, NULL);
    struct product product;
    bool is_read = json && product_from_json(&job->arena, json, &product);
    json_decref(json);
    if (!is_read || !has_layer(job->plant->store, &product.layer))
        return false;
    job->product = product;
    job->is_reused = true;
    return true;
}

/* Keeps the finished product. That it cannot be kept costs the next run time, not this run its image. */
void kept_store(struct job *job, const struct digest *key)
{
    struct err err = {0};
    json_t *json = product_to_json(&job->product);
    char *text = json_dumps(json, JSON_COMPACT);
    json_decref(json);
    AUTO(blob_abandon) struct blob blob = {0};
    if (text && !(blob_begin(job->plant->store, &blob, &err) && blob_write(&blob, text, strlen(text), &err) &&
                  blob_commit_derived(&blob, "product", key, &err)))
        log_line(job->plant->log, LOG_QUIET, "warning: the finished product is not kept for the next run: %s",
                 err.text);
    free(text);
}
