/* SPDX-License-Identifier: Apache-2.0 */
#include "line/kept.h"

#include "base/auto.h"

#include <endian.h>

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
    enum packing packing = plant_packing(job->plant->options, job->manifest);
    if (packing != inputs.compression)
        plant_set_packing(&job->arena, packing, &inputs);
    plant_set_layers(job->plant->options, job->manifest, &inputs);
    inputs.name = job->manifest->name;
    inputs.manifest = job->manifest->digest;
    inputs.arch = job->arch->digest;
    inputs.base = job->standing ? job->standing->base.digest : (struct digest){0};
    inputs.catalog = catalog->digest;
    inputs.release = release_of(&job->arena, catalog);
    return inputs;
}

/* Returns whether the store has the layers and their bytes are right; a damaged one is removed there, to be made
 * again. */
static bool has_these(struct store *store, const struct bill_layers *layers)
{
    for (size_t i = 0; i < layers->count; i++) {
        const struct layer *layer = &layers->items[i].layer;
        struct err err = {0};
        AUTO(view_done) struct view view = {0};
        bool is_found;
        if (!store_map_blob(store, &layer->digest, &view, &is_found, &err) || !is_found ||
            view.len != layer->size_bytes)
            return false;
    }
    return true;
}

static bool has_layers(struct store *store, const struct bill *bill)
{
    return bill->layers.count > 0 && has_these(store, &bill->layers) && has_these(store, &bill->second_layers);
}

#define PRODUCT_KIND "product"
#define SETTLED_KIND "settled" /* the answers of the indices that a catalog is made of */
#define ASKED_KIND "asked"     /* the questions of the last product of a source */

static bool read_derived(const struct job *job, const char *kind, const struct digest *key, struct view *ret_view)
{
    struct err ignored = {0};
    bool is_found;
    return store_map_derived(job->plant->store, kind, key, ret_view, &is_found, &ignored) && is_found;
}

static bool write_derived(const struct job *job, const char *kind, const struct digest *key, struct text text,
                          struct err *err)
{
    AUTO(blob_abandon) struct blob blob = {0};
    return blob_begin(job->plant->store, &blob, err) && blob_write(&blob, text.ptr, text.len, err) &&
           blob_commit_derived(&blob, kind, key, err);
}

/* What the questions are kept under: sources that have all inputs but the catalog in common do not share them. */
static struct digest asked_key(const struct job *job)
{
    struct digest_stream stream;
    struct digest apart = inputs_key_apart(&job->bill.inputs);
    const char *source = job->origins->source->name;
    digest_begin(&stream);
    digest_feed(&stream, apart.bytes, sizeof apart.bytes);
    digest_feed(&stream, source, strlen(source) + 1);
    origins_feed(job->origins, &stream);
    return digest_end(&stream);
}

struct repeating {
    struct questions *questions;
    struct text list;
};

static bool repeat_computed(void *argument, struct err *err)
{
    const struct repeating *repeating = argument;
    if (!questions_repeat(repeating->questions, repeating->list, false))
        err_set(err, ERR_MALFORMED, "no list of questions");
    return err->kind == ERR_NONE;
}

/* Asks again what was asked for the last product. */
static bool ask_again(const struct order *order, const struct job *job, struct digest *ret_answers)
{
    struct err ignored = {0};
    AUTO(view_done) struct view view = {0};
    struct digest key = asked_key(job);
    if (!read_derived(job, ASKED_KIND, &key, &view) || !plant_prepare(job->plant, order->catalog, &ignored))
        return false;
    AUTO(questions_close) struct questions *questions = questions_open(order->catalog);
    struct repeating repeating = {questions, {view.ptr, view.len}};
    if (!questions_repeat(questions, repeating.list, true) ||
        !order_compute(order, repeat_computed, &repeating, &ignored) || !questions_are_sure(questions))
        return false;
    *ret_answers = questions_answers(questions);
    return true;
}

static void settle(const struct job *job, const struct digest *answers)
{
    struct err ignored = {0};
    struct digest key = inputs_key_asking(&job->bill.inputs);
    (void)!write_derived(job, SETTLED_KIND, &key, (struct text){(const char *)answers->bytes, DIGEST_BYTES}, &ignored);
}

/* Finds the answers of the order's catalog: those that it gave before, or by asking. */
static bool find_answers(const struct order *order, struct job *job, bool *ret_known, struct digest *ret_answers)
{
    AUTO(view_done) struct view view = {0};
    struct digest key = inputs_key_asking(&job->bill.inputs);
    *ret_known = read_derived(job, SETTLED_KIND, &key, &view) && view.len == DIGEST_BYTES;
    if (*ret_known)
        memcpy(ret_answers->bytes, view.ptr, DIGEST_BYTES);
    return *ret_known || ask_again(order, job, ret_answers);
}

/* A kept product: the length of the bill's head, little-endian, the head, the rest. */
static bool read_product(struct job *job, struct bill *ret_bill)
{
    uint64_t head_len;
    struct view *view = &job->kept;
    if (!read_derived(job, PRODUCT_KIND, &job->bill.key, view) || view->len < sizeof head_len)
        return false;
    memcpy(&head_len, view->ptr, sizeof head_len);
    head_len = le64toh(head_len);
    if (head_len > view->len - sizeof head_len)
        return false;
    struct text head = {view->ptr + sizeof head_len, head_len};
    struct text rest = {head.ptr + head_len, view->len - sizeof head_len - head_len};
    return bill_read_head(&job->arena, head, rest, ret_bill);
}

bool kept_use(const struct order *order, struct job *job)
{
    struct bill bill;
    struct inputs *inputs = &job->bill.inputs;
    bool is_known;
    if (!find_answers(order, job, &is_known, &inputs->answers))
        return false;
    job->bill.key = inputs_key(inputs);
    bool is_whole = job->plant->options->is_bill_told;
    if (!read_product(job, &bill) || !has_layers(job->plant->store, &bill) ||
        (is_whole && !bill_complete(&job->arena, &bill))) {
        view_done(&job->kept);
        return false;
    }
    if (!is_known)
        settle(job, &inputs->answers);
    bill.inputs = *inputs;
    job->bill = bill;
    job->is_reused = true;
    return true;
}

void kept_note(const struct questions *questions, struct job *job)
{
    job->bill.inputs.answers = questions_answers(questions);
    job->bill.key = inputs_key(&job->bill.inputs);
    job->is_sure = questions_are_sure(questions);
    job->questions = questions_list(&job->arena, questions);
}

static bool store_product(const struct job *job, struct err *err)
{
    AUTO(buf_done) struct buf text;
    buf_init(&text, SIZE_MAX);
    uint64_t head_len = 0;
    if (!buf_add(&text, &head_len, sizeof head_len) || !bill_write_head(&job->bill, &text))
        memory_abort(text.len);
    head_len = htole64(text.len - sizeof head_len);
    memcpy(text.bytes, &head_len, sizeof head_len);
    if (!bill_write_rest(&job->bill, &text))
        memory_abort(text.len);
    return write_derived(job, PRODUCT_KIND, &job->bill.key, (struct text){text.bytes, text.len}, err);
}

/* The product first: what leads to it is of no use without. */
void kept_store(struct job *job)
{
    struct err err = {0};
    struct text text;
    AUTO(arena_done) struct arena scratch = {0};
    struct digest asked = asked_key(job);
    if (!job->is_sure || !bill_text(&scratch, &job->bill, &text))
        return; /* a question may get another answer next time; a bill may be bigger than bills may be */
    if (store_product(job, &err) && write_derived(job, ASKED_KIND, &asked, job->questions, &err))
        settle(job, &job->bill.inputs.answers);
    else
        log_line(job->plant->log, LOG_QUIET, "warning: the finished product is not kept for the next run: %s",
                 err.text);
}
