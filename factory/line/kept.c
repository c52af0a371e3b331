#include "line/kept.h"

#include "base/auto.h"

/* What the first repository calls itself: an os-release may be made of it. */
static const char *release_of(struct arena *arena, const struct catalog *catalog)
{
    const struct origin *origin = catalog->origins.count ? &catalog->origins.items[0] : NULL;
    if (!origin || !origin->distribution)
        return NULL;
    return arena_printf(arena, "%s %s %s", origin->distribution, origin->version ? origin->version : "-",
                        origin->codename ? origin->codename : "-");
}

struct inputs kept_inputs(struct job *job, const struct catalog *catalog)
{
    struct inputs inputs = job->plant->inputs;
    inputs.name = job->manifest->name;
    inputs.manifest = job->manifest->digest;
    inputs.arch = job->arch->digest;
    inputs.catalog = catalog->digest;
    inputs.release = release_of(&job->arena, catalog);
    return inputs;
}

/* Returns whether the store has the layers and their bytes are right; a damaged one is removed there, to be made
 * again. */
static bool has_layers(struct store *store, const struct bill *bill)
{
    for (size_t i = 0; i < bill->layers.count; i++) {
        const struct layer *layer = &bill->layers.items[i].layer;
        struct err err = {0};
        AUTO(view_done) struct view view = {0};
        bool is_found;
        if (!store_map_blob(store, &layer->digest, &view, &is_found, &err) || !is_found ||
            view.len != layer->size_bytes)
            return false;
    }
    return bill->layers.count > 0;
}

bool kept_use(struct job *job)
{
    struct err err = {0};
    AUTO(view_done) struct view view = {0};
    bool is_found;
    struct bill bill;
    if (!store_map_derived(job->plant->store, "product", &job->bill.key, &view, &is_found, &err) || !is_found ||
        !bill_read(&job->arena, (struct text){view.ptr, view.len}, &bill) || !has_layers(job->plant->store, &bill))
        return false;
    job->bill = bill;
    job->is_reused = true;
    return true;
}

void kept_store(struct job *job)
{
    struct err err = {0};
    struct text text;
    AUTO(arena_done) struct arena scratch = {0};
    AUTO(blob_abandon) struct blob blob = {0};
    if (bill_text(&scratch, &job->bill, &text) &&
        !(blob_begin(job->plant->store, &blob, &err) && blob_write(&blob, text.ptr, text.len, &err) &&
          blob_commit_derived(&blob, "product", &job->bill.key, &err)))
        log_line(job->plant->log, LOG_QUIET, "warning: the finished product is not kept for the next run: %s",
                 err.text);
}
