/* SPDX-License-Identifier: Apache-2.0 */
/* Nothing is ever taken out of the map. Entries are numbered as they come; an item knows below which number it, or all that is below
 * it, was removed. So a whiteout, which hides lower layers only, says the first number of its own layer, and a file that
 * takes a directory's place its own number. */
#include "ground/ground_merge.h"

#include "base/auto.h"
#include "base/map.h"
#include "ground/ground_path.h"
#include "package/layer_reader.h"
#include "package/pack.h"
#include "package/package_contents.h"
#include "package/path.h"
#include "source/format.h"

#include <stdlib.h>

#define NAMES_MAX_BYTES ((size_t)96 << 20)
#define LINKED_MAX_BYTES ((uint64_t)256 << 20)
#define UNPACKED_MIN_BYTES ((uint64_t)256 << 20)
#define UNPACKED_RATIO 64
#define WHITEOUT ".wh."
#define WHITEOUT_OWN ".wh..wh."
#define WHITEOUT_ALL ".wh..wh..opq"

/* What stands under one path. */
struct item {
    struct entry entry;
    uint64_t data_offset;
    uint32_t number;           /* of the entry that gave it, from 1; 0: none did */
    uint32_t removed, emptied; /* entries with lower numbers are gone: of this path, of all below it */
    uint32_t layer;
};

struct merging {
    struct arena arena;
    struct blob blob;
    struct map items; /* path → struct item * */
    size_t name_bytes;
    uint64_t linked_bytes, unpacked_left;
    uint32_t number;
};

/* One layer while it is read. */
struct reading {
    struct merging *merging;
    struct layer_reader reader;
    uint32_t layer, first; /* number of its first entry */
};

static const char *no_fault(const struct package *package)
{
    (void)package;
    return NULL;
}

const struct format ground_format = {.name = "base", .package_fault = no_fault};

static void merging_done(struct merging *merging)
{
    blob_abandon(&merging->blob);
    arena_done(&merging->arena);
}

static bool fault(struct reading *reading, const char *path, const char *what, struct err *err)
{
    err_set(err, ERR_MALFORMED, "%s: entry %s: %s", reading->reader.name,
            text_printable(&reading->merging->arena, text_of(path)), what);
    return false;
}

static struct item *item_of(struct merging *merging, const char *path)
{
    struct item *item = map_get(&merging->items, text_of(path));
    if (item)
        return item;
    item = arena_new(&merging->arena, struct item);
    item->entry.path = arena_strdup(&merging->arena, path);
    merging->name_bytes += strlen(path);
    (void)map_add(&merging->items, text_of(item->entry.path), item);
    return item;
}

/* Cuts the last component off; "" is the root. */
static struct text parent_of(struct text path)
{
    while (path.len && path.ptr[--path.len] != '/')
        ;
    return path;
}

static bool is_there(const struct merging *merging, const struct item *item)
{
    if (!item->number || item->removed > item->number)
        return false;
    for (struct text path = parent_of(text_of(item->entry.path));; path = parent_of(path)) {
        const struct item *above = map_get(&merging->items, path.len ? path : TEXT("/"));
        if (above && (above->emptied > item->number || above->removed > item->number))
            return false;
        if (!path.len)
            return true;
    }
}

static struct item *find_item(const struct merging *merging, struct text path)
{
    struct item *item = map_get(&merging->items, path);
    return item && is_there(merging, item) ? item : NULL;
}

/* --- where an entry is put --- */

static const struct entry *look(void *self, struct text path, const char **ret_why)
{
    const struct reading *reading = self;
    const struct item *item = find_item(reading->merging, path);
    if (item && item->entry.kind == ENTRY_SYMLINK && item->layer != reading->layer)
        *ret_why = "below a link of a lower layer, which container engines put in different places";
    return item ? &item->entry : NULL;
}

/* Takes a name as the archive spells it: absolute, without "..", and where its directory really is; in the arena `to`. */
static const char *take_path(struct reading *reading, struct arena *to, const char *written, struct err *err)
{
    struct merging *merging = reading->merging;
    struct ground_walk walk = {.look = look, .self = reading};
    const char *why = "an empty name";
    const char *path = written ? path_exact(to, text_of(written), &why) : NULL;
    if (path)
        path = ground_path(&walk, to, path, &why);
    merging->linked_bytes += walk.linked_bytes;
    if (path && merging->linked_bytes > LINKED_MAX_BYTES) {
        path = NULL;
        why = "the entries lead through more links than an image may have";
    }
    if (!path)
        (void)fault(reading, written ? written : "", why, err);
    return path;
}

/* Makes the directories above that no layer has listed so far. */
static void add_parents(struct reading *reading, const char *path)
{
    struct merging *merging = reading->merging;
    AUTO(arena_done) struct arena scratch = {0};
    for (struct text above = parent_of(text_of(path)); above.len; above = parent_of(above)) {
        if (find_item(merging, above))
            return;
        struct item *item = item_of(merging, arena_strndup(&scratch, above.ptr, above.len));
        const char *own = item->entry.path;
        item->entry = (struct entry){.path = own, .kind = ENTRY_DIRECTORY, .mode = 0755};
        item->number = merging->number;
        item->layer = reading->layer;
    }
}

/* --- what an entry is --- */

static bool read_contents(struct reading *reading, struct item *taken, struct err *err)
{
    struct merging *merging = reading->merging;
    AUTO(file_contents_abandon) struct file_contents contents = {0};
    if (!file_contents_begin(&contents, &merging->arena, &merging->blob, &taken->entry, err))
        return false;
    taken->data_offset = contents.offset;
    struct text run = {0};
    do {
        if (!layer_reader_read(&reading->reader, &run, err))
            return false;
        if (!file_contents_feed(&contents, run, err)) {
            err_wrap(err, "%s", reading->reader.name);
            return false;
        }
    } while (run.len);
    file_contents_end(&contents);
    return true;
}

/* A hard link is another name of what is there now, whatever becomes of the first name. */
static bool take_hardlink(struct reading *reading, const char *written, struct item *taken, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    const char *path = take_path(reading, &scratch, written, err);
    if (!path)
        return false;
    const struct item *item = find_item(reading->merging, text_of(path));
    if (!item || item->entry.kind == ENTRY_DIRECTORY || item->layer != reading->layer)
        return fault(reading, taken->entry.path, "a hard link to what its layer does not have", err);
    const char *own = taken->entry.path;
    taken->entry = item->entry;
    taken->entry.path = own;
    taken->data_offset = item->data_offset;
    return true;
}

static bool take_content(struct reading *reading, const struct tar_entry *header, struct item *taken, struct err *err)
{
    struct entry *entry = &taken->entry;
    entry->mode = header->mode & 07777;
    entry->uid = header->uid;
    entry->gid = header->gid;
    entry->mtime = header->mtime;
    entry->kind = ENTRY_FILE;
    entry->group = GROUND_PLAIN;
    switch (header->kind) {
    case TAR_FILE:
        entry->size_bytes = header->size_bytes;
        return read_contents(reading, taken, err);
    case TAR_HARDLINK:
        return take_hardlink(reading, header->target, taken, err);
    case TAR_DIRECTORY:
        entry->kind = ENTRY_DIRECTORY;
        return true;
    case TAR_SYMLINK:
        entry->kind = ENTRY_SYMLINK;
        entry->target = arena_strdup(&reading->merging->arena, header->target);
        reading->merging->name_bytes += strlen(entry->target);
        return strlen(entry->target) <= PATH_MAX_BYTES || fault(reading, entry->path, "its target is too long", err);
    case TAR_SPECIAL:
        entry->group = GROUND_SPECIAL;
        return true;
    }
    return true;
}

/* ".wh.NAME" and ".wh..wh..opq". */
static bool take_whiteout(struct reading *reading, struct arena *scratch, const char *path, struct err *err)
{
    struct merging *merging = reading->merging;
    const char *name = path_basename(path), *dir = path_dirname(scratch, path), *removed = name + strlen(WHITEOUT);
    if (strcmp(name, WHITEOUT_ALL) == 0)
        item_of(merging, dir)->emptied = reading->first;
    else if (strncmp(name, WHITEOUT_OWN, strlen(WHITEOUT_OWN)) == 0)
        return true;
    else if (!*removed || strcmp(removed, ".") == 0 || strcmp(removed, "..") == 0)
        return fault(reading, path, "a whiteout that removes no file's name", err);
    else
        item_of(merging, arena_printf(scratch, "%s/%s", strcmp(dir, "/") == 0 ? "" : dir, removed))->removed =
            reading->first;
    return true;
}

static bool take_entry(struct reading *reading, const struct tar_entry *header, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct merging *merging = reading->merging;
    if (merging->items.slots.count >= GROUND_ENTRIES_MAX || merging->name_bytes > NAMES_MAX_BYTES ||
        merging->number == UINT32_MAX) {
        err_set(err, ERR_MALFORMED, "%s: more entries, or longer names, than a base may have", reading->reader.name);
        return false;
    }
    const char *path = take_path(reading, &scratch, header->path, err);
    if (!path)
        return false;
    merging->number++;
    if (strcmp(path, "/") == 0)
        return header->kind == TAR_DIRECTORY || fault(reading, "/", "the root is not a directory", err);
    if (strncmp(path_basename(path), WHITEOUT, strlen(WHITEOUT)) == 0)
        return take_whiteout(reading, &scratch, path, err);
    struct item taken = {.entry.path = path};
    if (!take_content(reading, header, &taken, err))
        return false;
    add_parents(reading, path);
    struct item *item = item_of(merging, path);
    taken.entry.path = item->entry.path;
    if (taken.entry.kind != ENTRY_DIRECTORY)
        item->emptied = merging->number; /* what was below a directory of that name is gone */
    item->entry = taken.entry;
    item->data_offset = taken.data_offset;
    item->number = merging->number;
    item->layer = reading->layer;
    return true;
}

/* --- one layer --- */

static bool read_entries(struct reading *reading, struct err *err)
{
    for (;;) {
        struct tar_entry header;
        bool is_end;
        if (!layer_reader_next(&reading->reader, &header, &is_end, err))
            return false;
        if (is_end)
            return true;
        if (!take_entry(reading, &header, err))
            return false;
    }
}

static bool check_diff_id(const char *name, const struct digest *got, const struct digest *expected, struct err *err)
{
    if (digest_eq(got, expected))
        return true;
    err_set(err, ERR_TRUST, "%s: it unpacks to sha256:%s, the configuration says sha256:%s", name,
            digest_hex(got).chars, digest_hex(expected).chars);
    return false;
}

static void reading_done(struct reading *reading)
{
    layer_reader_done(&reading->reader);
}

static bool add_layer(struct merging *merging, struct store *store, const struct base_layer *layer, const char *name,
                      uint32_t number, struct err *err)
{
    AUTO(view_done) struct view view = {0};
    AUTO(reading_done)
    struct reading reading = {.merging = merging, .layer = number, .first = merging->number + 1};
    struct digest got;
    bool is_found;
    if (!store_map_blob(store, &layer->blob.digest, &view, &is_found, err))
        return false;
    if (!is_found) {
        err_set(err, ERR_LOCAL, "%s went out of the cache while it was used; run again", name);
        return false;
    }
    struct text bytes = {view.ptr, view.len};
    return layer_reader_open(&reading.reader, bytes, name, &merging->unpacked_left, err) &&
           read_entries(&reading, err) && layer_reader_end(&reading.reader, &got, err) &&
           check_diff_id(name, &got, &layer->diff_id, err);
}

/* --- the result --- */

static int compare_items(const void *a, const void *b)
{
    return strcmp((*(const struct item *const *)a)->entry.path, (*(const struct item *const *)b)->entry.path);
}

/* Names of one inode have their bytes in one place: the first by path is the file, the others are links to it. */
static void link_names(struct merging *merging, struct item *item, struct map *named)
{
    if (item->entry.kind != ENTRY_FILE || !item->entry.size_bytes)
        return;
    struct text key = {(const char *)&item->data_offset, sizeof item->data_offset};
    const char *first = map_get(named, key);
    if (!first) {
        map_set(named, key, (void *)item->entry.path);
        return;
    }
    item->entry.kind = ENTRY_HARDLINK;
    item->entry.target = arena_strdup(&merging->arena, first);
}

static const char *layer_name(struct merging *merging, struct strings *names, uint32_t layer)
{
    while (names->count <= layer) {
        const char *number = arena_printf(&merging->arena, "%zu", names->count);
        list_add(&merging->arena, names, number);
    }
    return names->items[layer];
}

static bool write_result(struct merging *merging, const struct digest *key, struct err *err)
{
    struct arena *arena = &merging->arena;
    struct item **items = arena_new_array(arena, struct item *, merging->items.slots.count + 1);
    struct map named = {.arena = arena};
    struct strings names = {0};
    size_t count = 0;
    for (size_t i = 0; i < merging->items.slots.count; i++) {
        struct item *item = merging->items.slots.items[i].value;
        if (is_there(merging, item))
            items[count++] = item;
    }
    qsort(items, count, sizeof items[0], compare_items);
    struct package package = {.format = &ground_format,
                              .name = "base",
                              .version = "0",
                              .architecture = "-",
                              .digest = *key,
                              .count = count,
                              .entries = arena_new_array(arena, struct entry, count + 1)};
    uint64_t *offsets = arena_new_array(arena, uint64_t, count + 1);
    for (size_t i = 0; i < count; i++) {
        link_names(merging, items[i], &named);
        package.entries[i] = items[i]->entry;
        package.entries[i].owner = layer_name(merging, &names, items[i]->layer);
        if (!package.entries[i].group)
            package.entries[i].group = GROUND_PLAIN;
        offsets[i] = items[i]->data_offset;
    }
    return pack_write_tables(&merging->blob, &package, offsets, err) &&
           blob_commit_derived(&merging->blob, GROUND_KIND, key, err);
}

/* What all layers together may unpack to. */
static uint64_t unpacked_limit(const struct base_layers *layers)
{
    uint64_t limit = UNPACKED_MIN_BYTES;
    for (size_t i = 0; i < layers->count; i++) {
        uint64_t room = PACKAGE_MAX_BYTES - limit, packed = layers->items[i].blob.size_bytes;
        limit += packed > room / UNPACKED_RATIO ? room : packed * UNPACKED_RATIO;
    }
    return limit;
}

bool ground_merge(struct store *store, const char *name, const struct base_layers *layers, const struct digest *key,
                  struct err *err)
{
    AUTO(merging_done) struct merging merging = {.unpacked_left = unpacked_limit(layers)};
    merging.items.arena = &merging.arena;
    if (!blob_begin(store, &merging.blob, err))
        return false;
    for (size_t i = 0; i < layers->count; i++) {
        const struct base_layer *layer = &layers->items[i];
        const char *layer_title =
            arena_printf(&merging.arena, "%s: layer sha256:%s", name, digest_hex(&layer->blob.digest).chars);
        if (!add_layer(&merging, store, layer, layer_title, (uint32_t)i + 1, err))
            return false;
    }
    return write_result(&merging, key, err);
}
