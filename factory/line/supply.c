/* SPDX-License-Identifier: Apache-2.0 */
/* Each package is an item in a table keyed by its checksum, by what it claims to be (an index may list one file under two
 * names, and only one of them can be right) and by the keys that must have signed it. Where the index has a SHA-512
 * only, the store remembers which blob has it. Its first asker submits open_task(); from there the item walks open →
 * (fetch →) unpack → open by itself, each step ending in the submission of the next or in item_end(). When its last holder
 * gives it back the package is closed, and the item is as if nobody had asked yet. */
#include "line/supply.h"
#include "base/auto.h"
#include "base/checksum.h"
#include "base/map.h"
#include "source/listed_file.h"
#include "trust/keyring.h"

#include <pthread.h>
#include <stdlib.h>

/* A package above this is refused before it is fetched. */
#define PACKAGE_FILE_MAX_BYTES ((uint64_t)4 << 30)

struct supply_item {
    struct supply *supply;
    const struct selected *selected; /* the first asker's, copied */
    struct package_expect expect;
    struct digest generation; /* of the metadata that list it */
    struct generations *generations;
    struct strings urls;
    struct http_request request;
    bool is_recorded; /* its record is wanted, too */
    bool is_named;    /* its error begins with the package's name */
    bool
        is_asked; /* somebody asked for it, and it was not closed since; guarded by supply->lock, as is all that follows */
    bool is_done;          /* there is a package or an error */
    unsigned holder_count; /* who have it or wait for it */
    struct package *package;
    struct err err;
};

struct supply {
    struct store *store;
    struct http *http;
    struct workers *workers;
    pthread_mutex_t lock;   /* guards arena, items and the results of every item */
    pthread_cond_t arrived; /* predicate: some item->is_done changed */
    struct arena arena;
    struct map items; /* hex digest → struct supply_item * */
};

struct supply *supply_open(struct store *store, struct http *http, struct workers *workers)
{
    struct supply *supply = calloc(1, sizeof *supply);
    if (!supply)
        memory_abort(sizeof *supply);
    supply->store = store;
    supply->http = http;
    supply->workers = workers;
    pthread_mutex_init(&supply->lock, NULL);
    pthread_cond_init(&supply->arrived, NULL);
    supply->items.arena = &supply->arena;
    return supply;
}

/* Ends an item: with a package, or with an error that gets the package's name. */
static void item_end(struct supply_item *item, struct package *package, struct err *err)
{
    struct supply *supply = item->supply;
    pthread_mutex_lock(&supply->lock);
    if (package) {
        item->package = package;
    } else {
        item->err = *err;
        if (!item->is_named)
            err_wrap(&item->err, "package %s %s %s", item->selected->name, item->selected->version,
                     item->selected->architecture);
    }
    item->is_done = true;
    pthread_cond_broadcast(&supply->arrived);
    pthread_mutex_unlock(&supply->lock);
}

/* Makes sure that the package's SHA-256, by which the store names things, is known; false when it is not (err is then
 * not set) or on an error. */
static bool find_digest(struct supply_item *item, struct err *err)
{
    bool is_found = true;
    return (!item->request.sha512 ||
            store_find_sha512(item->supply->store, item->request.sha512, &item->expect.digest, &is_found, err)) &&
           is_found;
}

/* Returns whether the record is there, when it is wanted; false on an error, too. */
static bool has_record(struct supply_item *item, struct err *err)
{
    AUTO(record_close) struct record record = {0};
    bool is_found = true;
    return (!item->is_recorded || record_open(item->supply->store, &item->expect, &record, &is_found, err)) && is_found;
}

/* Opens what was unpacked before; false when there is nothing (err is then not set) or on an error. */
static bool open_unpacked(struct supply_item *item, struct package **ret_package, struct err *err)
{
    bool is_found;
    return find_digest(item, err) && has_record(item, err) &&
           package_open(item->supply->store, &item->expect, ret_package, &is_found, err) && is_found;
}

/* Unpacks the blob that lies in the store and opens the result; *ret_found is false when the blob is not there. */
static bool unpack_stored(struct supply_item *item, struct package **ret_package, bool *ret_found, struct err *err)
{
    AUTO(view_done) struct view view = {0};
    *ret_found = find_digest(item, err);
    if (!*ret_found)
        return err->kind == ERR_NONE;
    if (!store_map_blob(item->supply->store, &item->expect.digest, &view, ret_found, err))
        return false;
    if (!*ret_found)
        return true;
    struct text bytes = {view.ptr, view.len};
    if (!package_unpack(item->supply->store, bytes, &item->expect, err) ||
        (item->is_recorded && !record_make(item->supply->store, bytes, &item->expect, err))) {
        item->is_named = true;
        return false;
    }
    if (open_unpacked(item, ret_package, err))
        return true;
    if (!err->kind)
        err_set(err, ERR_LOCAL, "what was just unpacked cannot be read back from the cache");
    return false;
}

static void unpack_task(void *argument)
{
    struct supply_item *item = argument;
    struct err err = {0};
    struct package *package = NULL;
    bool is_found = false;
    if (unpack_stored(item, &package, &is_found, &err) && !is_found)
        err_set(&err, ERR_LOCAL, "what was just fetched is gone from the cache");
    item_end(item, package, &err);
}

/* What the index lists is not there: then the index is of another generation than the mirror. */
static void fail_fetched(struct supply_item *item, struct err *err)
{
    generations_note(item->generations, &item->generation, err);
    item_end(item, NULL, err);
}

/* On the network thread: hands over to a worker. */
static void fetched(struct http_request *request)
{
    struct supply_item *item = request->owner;
    if (request->is_good)
        workers_submit(item->supply->workers, unpack_task, item);
    else
        fail_fetched(item, &request->err);
}

/* The URLs of a package: the mirror that served the Release first, then the repository's others. */
static struct strings urls_of(struct arena *arena, const struct selected *selected)
{
    struct strings paths = {0};
    list_add(arena, &paths, selected->url_path);
    return listed_file_urls(arena, selected->origin->uri, &selected->origin->uris, &paths);
}

static void open_task(void *argument)
{
    struct supply_item *item = argument;
    struct err err = {0};
    struct package *package = NULL;
    bool is_found = false;
    if (open_unpacked(item, &package, &err) || err.kind) {
        item_end(item, package, &err);
        return;
    }
    if (!unpack_stored(item, &package, &is_found, &err) || is_found) {
        item_end(item, package, &err);
        return;
    }
    if (item->selected->size_bytes > PACKAGE_FILE_MAX_BYTES) {
        err_set(&err, ERR_MALFORMED, "its index says %llu bytes, more than the limit of %llu",
                (unsigned long long)item->selected->size_bytes, (unsigned long long)PACKAGE_FILE_MAX_BYTES);
        item_end(item, NULL, &err);
        return;
    }
    http_send(item->supply->http, &item->request);
}

/* Sends the item on its way. Called with the lock held. */
static void start(struct supply_item *item, _Atomic uint64_t *counter)
{
    const struct selected *selected = item->selected;
    item->is_asked = true;
    item->request = (struct http_request){.urls = item->urls.items,
                                          .url_count = item->urls.count,
                                          .cap_bytes = PACKAGE_FILE_MAX_BYTES,
                                          .is_size_known = true,
                                          .size_bytes = selected->size_bytes,
                                          .is_digest_known = !selected->sha512,
                                          .digest = selected->digest,
                                          .sha512 = selected->sha512,
                                          .store = item->supply->store,
                                          .access = selected->origin->access,
                                          .counter = counter,
                                          .done = fetched,
                                          .owner = item};
    workers_submit(item->supply->workers, open_task, item);
}

static struct selected *copy_selected(struct arena *arena, const struct selected *from)
{
    struct selected *copy = arena_new(arena, struct selected);
    *copy = *from;
    copy->name = arena_strdup(arena, from->name);
    copy->version = arena_strdup(arena, from->version);
    copy->architecture = arena_strdup(arena, from->architecture);
    copy->url_path = arena_strdup(arena, from->url_path);
    if (from->sha512) {
        struct checksum *sha512 = arena_new(arena, struct checksum);
        *sha512 = *from->sha512;
        copy->sha512 = sha512;
    }
    return copy;
}

static struct package_expect expect_of(const struct selected *selected)
{
    return (struct package_expect){.format = selected->origin->format,
                                   .name = selected->name,
                                   .version = selected->version,
                                   .architecture = selected->architecture,
                                   .digest = selected->digest,
                                   .keys = selected->origin->package_keys};
}

/* Finds the item of a package or makes it. Called with the lock held. */
static struct supply_item *find(struct supply *supply, const struct selected *selected, bool is_recorded)
{
    const struct keyrings *keys = selected->origin->package_keys;
    const char *key =
        arena_printf(&supply->arena, "%s %s %s %s %s%s",
                     selected->sha512 ? checksum_text(selected->sha512).chars : digest_hex(&selected->digest).chars,
                     selected->name, selected->version, selected->architecture,
                     keys ? digest_hex(&keys->digest).chars : "", is_recorded ? " recorded" : "");
    struct supply_item *item = map_get(&supply->items, text_of(key));
    if (item)
        return item;
    item = arena_new(&supply->arena, struct supply_item);
    item->supply = supply;
    item->selected = copy_selected(&supply->arena, selected);
    item->is_recorded = is_recorded;
    item->generation = selected->origin->digest;
    item->generations = selected->origin->generations;
    item->expect = expect_of(item->selected);
    item->urls = urls_of(&supply->arena, selected);
    (void)map_add(&supply->items, text_of(key), item);
    return item;
}

/* Sorts biggest first, so that the longest transfers and unpackings start first; by name among equals. */
static int bigger_first(const void *left, const void *right)
{
    const struct selected *a = *(const struct selected *const *)left, *b = *(const struct selected *const *)right;
    if (a->size_bytes != b->size_bytes)
        return a->size_bytes > b->size_bytes ? -1 : 1;
    return strcmp(a->name, b->name);
}

/* Takes one holder off an item; returns the package, to be closed, when it was the last. Called with the lock held. */
static struct package *release(struct supply_item *item)
{
    item->holder_count--;
    if (!item->holder_count && !item->package && generations_is_race(&item->err)) {
        item->is_asked = item->is_done = false; /* a mirror may have it by now */
        err_clear(&item->err);
    }
    if (item->holder_count || !item->package)
        return NULL;
    item->is_asked = item->is_done = false;
    return TAKE_PTR(item->package);
}

/* Waits for these items, each of which the caller holds; returns the first that failed, or NULL. Called with the lock
 * held. */
static const struct supply_item *wait_for(struct supply *supply, struct supply_item *const *items, size_t count)
{
    const struct supply_item *failed = NULL;
    for (size_t i = 0; i < count; i++) {
        while (!items[i]->is_done)
            pthread_cond_wait(&supply->arrived, &supply->lock);
        if (!items[i]->package && !failed)
            failed = items[i];
    }
    return failed;
}

bool supply_get(struct supply *supply, const struct selected *const *selected, size_t count, _Atomic uint64_t *counter,
                struct supply_hold *hold, const struct package **ret_packages, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    const struct selected **sorted = arena_new_array(&scratch, const struct selected *, count);
    struct supply_item **items = arena_new_array(&scratch, struct supply_item *, count);
    for (size_t i = 0; i < count; i++)
        sorted[i] = selected[i];
    qsort(sorted, count, sizeof *sorted, bigger_first);

    pthread_mutex_lock(&supply->lock);
    for (size_t i = 0; i < count; i++) {
        struct supply_item *item = find(supply, sorted[i], hold->is_recorded);
        item->holder_count++;
        list_add(hold->arena, &hold->items, item);
        if (!item->is_asked)
            start(item, counter);
    }
    for (size_t i = 0; i < count; i++)
        items[i] = find(supply, selected[i], hold->is_recorded);
    const struct supply_item *failed = wait_for(supply, items, count);
    for (size_t i = 0; i < count && !failed; i++)
        ret_packages[i] = items[i]->package;
    if (failed)
        *err = failed->err;
    pthread_mutex_unlock(&supply->lock);
    return !failed;
}

bool supply_record(struct supply *supply, const struct selected *selected, struct record *ret_record, struct err *err)
{
    struct package_expect expect = expect_of(selected);
    bool is_found = true;
    if ((selected->sha512 && !store_find_sha512(supply->store, selected->sha512, &expect.digest, &is_found, err)) ||
        (is_found && !record_open(supply->store, &expect, ret_record, &is_found, err)))
        return false;
    if (!is_found)
        err_set(err, ERR_LOCAL, "package %s: what was just unpacked is gone from the cache", selected->name);
    return is_found;
}

void supply_rest(const struct supply_hold *hold)
{
    for (size_t i = 0; i < hold->items.count; i++) {
        const struct package *package = hold->items.items[i]->package; /* ours: nobody changes it */
        if (package)
            package_rest(package);
    }
}

void supply_give_back(struct supply *supply, struct supply_hold *hold)
{
    for (size_t i = 0; i < hold->items.count; i++) {
        pthread_mutex_lock(&supply->lock);
        struct package *package = release(hold->items.items[i]);
        pthread_mutex_unlock(&supply->lock);
        package_close(package);
    }
    hold->items.count = 0;
}

void supply_close(struct supply *supply)
{
    if (!supply)
        return;
    for (size_t i = 0; i < supply->items.slots.count; i++) {
        struct supply_item *item = supply->items.slots.items[i].value;
        package_close(item->package);
        buf_done(&item->request.body);
    }
    pthread_mutex_destroy(&supply->lock);
    pthread_cond_destroy(&supply->arrived);
    arena_done(&supply->arena);
    free(supply);
}
