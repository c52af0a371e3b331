/* SPDX-License-Identifier: Apache-2.0 */
/* Nothing is ever taken out of the map: an item knows the layer that gave it, and the layers that removed it or all
 * below it. It is there when no later layer removed it or one of its ancestors. */
#include "proof/root_layers.h"

#include "base/auto.h"
#include "closure/ld_cache.h"
#include "package/elf.h"
#include "package/layer_reader.h"
#include "package/path.h"
#include "package/script.h"

#include <stdlib.h>

#define ITEMS_MAX ((size_t)1 << 20)
#define NAMES_MAX_BYTES ((size_t)96 << 20)
#define KEPT_MAX_BYTES ((size_t)64 << 20)    /* in memory: what starts scripts, accounts, the loader's cache */
#define WHOLE_MAX_BYTES ((size_t)8 << 20)    /* of one of those that are kept whole */
#define ELF_MAX_BYTES ((uint64_t)512 << 20)  /* of one ELF file */
#define ELFS_MAX_BYTES ((uint64_t)1 << 30)   /* of all that are there at a time */
#define SWEEP_MIN_BYTES ((uint64_t)32 << 20) /* looking for files that are gone has to free that much */
#define ENTRIES_MAX ((size_t)8 << 20)        /* of all layers that one call reads */
#define UNPACKED_MIN_BYTES ((uint64_t)4 << 30)
#define UNPACKED_RATIO 64 /* real layers pack to a third, at best to a tenth */
#define LINKS_MAX 40
#define LINKED_MAX_BYTES ((uint64_t)1 << 30) /* of paths that symlinks lead to, for all entries: seconds */
#define WHITEOUT ".wh."
#define WHITEOUT_ALL ".wh..wh..opq"

/* The bytes of an ELF file, which hard links share. */
struct root_content {
    struct spooled run;
    size_t names;
    bool is_listed; /* among those that are mapped */
};

/* What stands under one path. Layers count from 1; 0 is never. */
struct root_item {
    struct node node;
    struct root_content *content; /* NULL: the node has all that is kept */
    bool is_special;              /* a device or the like: nothing for the tree, but no directory either */
    size_t layer;                 /* that gave the node; 0: none did */
    size_t removed, emptied;      /* last layers that removed it, and all below it */
};

/* One layer while it is read. */
struct reading {
    struct root_layers *layers;
    struct layer_reader reader;
    size_t layer;
};

static void reading_done(struct reading *reading)
{
    layer_reader_done(&reading->reader);
}

static bool fault(const struct reading *reading, const char *path, const char *what, struct err *err)
{
    err_set(err, ERR_MALFORMED, "%s: entry %s: %s", reading->reader.name,
            text_printable(reading->layers->arena, text_of(path)), what);
    return false;
}

/* Returns the item under a path, made when there is none. */
static struct root_item *item_of(struct root_layers *layers, const char *path)
{
    struct root_item *item = map_get(&layers->items, text_of(path));
    if (item)
        return item;
    item = arena_new(layers->arena, struct root_item);
    item->node.path = arena_strdup(layers->arena, path);
    layers->name_bytes += strlen(path);
    (void)map_add(&layers->items, text_of(item->node.path), item);
    return item;
}

/* Returns whether the item was removed by itself or with an ancestor. */
static bool is_there(const struct root_layers *layers, const struct root_item *item)
{
    if (!item->layer || item->removed > item->layer)
        return false;
    struct text path = text_of(item->node.path);
    while (path.len > 1) {
        do
            path.len--;
        while (path.len && path.ptr[path.len] != '/');
        const struct root_item *above = path.len ? map_get(&layers->items, path) : map_get(&layers->items, TEXT("/"));
        if (above && (above->emptied > item->layer || above->removed > item->layer))
            return false;
    }
    return true;
}

static struct root_item *find_item(const struct root_layers *layers, const char *path)
{
    struct root_item *item = map_get(&layers->items, text_of(path));
    return item && is_there(layers, item) ? item : NULL;
}

/* Finds where a path really is: its directory with all symlinks followed, its last component as it is. NULL and
 * *ret_why when it cannot be. */
static const char *resolve(struct root_layers *layers, struct arena *to, const char *path, const char **ret_why)
{
    AUTO(arena_done) struct arena scratch = {0}; /* what links lead to can be megabytes for one entry */
    struct arena *arena = &scratch;
    const char *reached = "";
    struct text rest = text_of(path + 1), component;
    for (unsigned links = 0; text_next(&rest, '/', &component);) {
        if (component.len == 0 || text_is(component, "."))
            continue;
        if (text_is(component, "..")) {
            reached = strcmp(path_dirname(arena, reached), "/") == 0 ? "" : path_dirname(arena, reached);
            continue;
        }
        const char *here = arena_printf(arena, "%s/%.*s", reached, (int)component.len, component.ptr);
        if (strlen(here) > PATH_MAX_BYTES || ++links > PATH_MAX_DEPTH * LINKS_MAX) {
            *ret_why = "its path is too long";
            return NULL;
        }
        const struct root_item *item = rest.len ? find_item(layers, here) : NULL;
        if (item && item->node.kind == NODE_SYMLINK) {
            rest = text_of(arena_printf(arena, "%s/%.*s", item->node.target, (int)rest.len, rest.ptr));
            if (rest.len > 2 * PATH_MAX_BYTES) {
                *ret_why = "its path is too long";
                return NULL;
            }
            layers->linked_bytes += rest.len;
            if (layers->linked_bytes > LINKED_MAX_BYTES) {
                *ret_why = "the entries lead through more symlinks than an image may have";
                return NULL;
            }
            reached = item->node.target[0] == '/' ? "" : reached;
        } else if (item && item->node.kind != NODE_DIRECTORY) {
            *ret_why = "below an entry that is not a directory";
            return NULL;
        } else {
            reached = here;
        }
    }
    return *reached ? arena_strdup(to, reached) : "/";
}

/* Takes a name as the archive spells it: absolute, without "..", and where its directory really is; in the arena `to`. */
static const char *take_path(struct reading *reading, struct arena *to, const char *written, struct err *err)
{
    const char *why = "an empty name";
    const char *path = written ? path_exact(to, text_of(written), &why) : NULL;
    if (path)
        path = resolve(reading->layers, to, path, &why);
    if (path)
        return path;
    (void)fault(reading, written ? written : "", why, err);
    return NULL;
}

/* --- what is kept of files --- */

static void drop_content(struct root_layers *layers, struct root_item *item)
{
    struct root_content *content = item->content;
    item->content = NULL;
    if (!content || --content->names)
        return;
    layers->elf_bytes -= content->run.len;
    spool_drop(&layers->spool, &content->run);
}

/* Drops the ELF files that later layers removed; returns whether that was worth it. */
static bool sweep(struct root_layers *layers)
{
    uint64_t before = layers->elf_bytes;
    for (size_t i = 0; i < layers->items.slots.count; i++) {
        struct root_item *item = layers->items.slots.items[i].value;
        if (item->content && !is_there(layers, item))
            drop_content(layers, item);
    }
    return before - layers->elf_bytes >= SWEEP_MIN_BYTES;
}

static bool add_elf(struct reading *reading, const struct node *node, struct root_content *content, struct text bytes,
                    struct err *err)
{
    struct root_layers *layers = reading->layers;
    if (content->run.len + bytes.len > ELF_MAX_BYTES)
        return fault(reading, node->path, "an ELF file of more than 512 MiB", err);
    if (layers->elf_bytes + bytes.len > ELFS_MAX_BYTES && !sweep(layers))
        return fault(reading, node->path, "the ELF files of the image are larger than 1 GiB", err);
    layers->elf_bytes += bytes.len;
    return spool_add(&layers->spool, &content->run, bytes, err);
}

/* Brings all of an ELF file into the spool; its head, and what came with that, were read already. */
static bool read_elf(struct reading *reading, const struct node *node, struct text head, struct text rest,
                     struct root_content **ret_content, struct err *err)
{
    struct root_layers *layers = reading->layers;
    struct root_content *content = arena_new(layers->arena, struct root_content);
    content->names = 1;
    if (!spool_begin(&layers->spool, &content->run, err))
        return false;
    if (!add_elf(reading, node, content, head, err))
        return false;
    while (rest.len) {
        if (!add_elf(reading, node, content, rest, err))
            return false;
        if (!layer_reader_read(&reading->reader, &rest, err))
            return false;
    }
    *ret_content = content;
    return true;
}

/* Returns whether the proof looks at all of a file, whatever is in it. */
static bool is_kept_whole(const char *path)
{
    const char *name = path_basename(path);
    return strcmp(path, LD_CACHE_PATH) == 0 || strcmp(name, "passwd") == 0 || strcmp(name, "group") == 0;
}

/* Reads the beginning of a file: as much as there is or as `buf` may hold. */
static bool read_head(struct reading *reading, struct buf *head, struct text *ret_rest, struct err *err)
{
    do {
        if (!layer_reader_read(&reading->reader, ret_rest, err))
            return false;
        size_t room = head->cap_bytes - head->len, len = ret_rest->len < room ? ret_rest->len : room;
        if (!buf_add(head, ret_rest->ptr, len))
            return fault(reading, "", "its beginning has no room", err); /* len never passes the cap */
        *ret_rest = (struct text){ret_rest->ptr + len, ret_rest->len - len};
        if (!len)
            return true;
    } while (!ret_rest->len);
    return true;
}

/* Keeps what the proof looks at: of a script what starts it, all of a file that is_kept_whole(); nothing else. */
static bool keep_head(struct reading *reading, struct node *node, struct text head, bool is_whole, struct err *err)
{
    struct root_layers *layers = reading->layers;
    if (!is_whole && !text_has_prefix(head, "#!"))
        return true;
    layers->kept_bytes += head.len;
    if (layers->kept_bytes > KEPT_MAX_BYTES)
        return fault(reading, node->path, "more scripts than an image may have", err);
    node->data = text_dup(layers->arena, head);
    node->size_bytes = head.len;
    return true;
}

static bool read_content(struct reading *reading, const struct tar_entry *header, struct node *node,
                         struct root_content **ret_content, struct err *err)
{
    bool is_whole = is_kept_whole(node->path) && header->size_bytes <= WHOLE_MAX_BYTES;
    AUTO(buf_done) struct buf head;
    struct text rest = {0};
    buf_init(&head, is_whole ? WHOLE_MAX_BYTES : SCRIPT_HEAD_BYTES);
    node->data = "";
    if (!header->size_bytes)
        return true;
    if (!read_head(reading, &head, &rest, err))
        return false;
    struct text all = {head.len ? head.bytes : "", head.len};
    if (!elf_is(all))
        return keep_head(reading, node, all, is_whole, err);
    return read_elf(reading, node, all, rest, ret_content, err);
}

/* A hard link is another name of what is there now, whatever becomes of the first name. */
static bool take_hardlink(struct reading *reading, const char *written, struct root_item *ret_taken, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct node *node = &ret_taken->node;
    const char *path = take_path(reading, &scratch, written, err);
    struct root_item *item = path ? find_item(reading->layers, path) : NULL;
    if (!path)
        return false;
    if (!item || item->node.kind == NODE_DIRECTORY)
        return fault(reading, node->path, "a hard link to what is not there", err);
    const char *own = node->path;
    *node = item->node;
    node->path = own;
    ret_taken->is_special = item->is_special;
    ret_taken->content = item->content;
    if (item->content)
        item->content->names++;
    return true;
}

static bool take_node(struct reading *reading, const struct tar_entry *header, struct root_item *ret_taken,
                      struct err *err)
{
    struct node *node = &ret_taken->node;
    ret_taken->is_special = header->kind == TAR_SPECIAL;
    node->mode = header->mode;
    node->uid = header->uid;
    node->gid = header->gid;
    node->kind = NODE_FILE;
    switch (header->kind) {
    case TAR_FILE:
        return read_content(reading, header, node, &ret_taken->content, err);
    case TAR_HARDLINK:
        return take_hardlink(reading, header->target, ret_taken, err);
    case TAR_DIRECTORY:
        node->kind = NODE_DIRECTORY;
        return true;
    case TAR_SYMLINK:
        node->kind = NODE_SYMLINK;
        node->target = arena_strdup(reading->layers->arena, header->target);
        reading->layers->name_bytes += strlen(node->target);
        return strlen(node->target) <= PATH_MAX_BYTES || fault(reading, node->path, "its target is too long", err);
    case TAR_SPECIAL:
        return true;
    }
    return true;
}

/* ".wh.NAME" and ".wh..wh..opq"; false when the path is neither. */
static bool take_whiteout(struct reading *reading, struct arena *arena, const char *path)
{
    const char *name = path_basename(path), *dir = path_dirname(arena, path);
    if (strncmp(name, WHITEOUT, strlen(WHITEOUT)) != 0)
        return false;
    if (strcmp(name, WHITEOUT_ALL) == 0)
        item_of(reading->layers, dir)->emptied = reading->layer;
    else
        item_of(reading->layers,
                arena_printf(arena, "%s/%s", strcmp(dir, "/") == 0 ? "" : dir, name + strlen(WHITEOUT)))
            ->removed = reading->layer;
    return true;
}

/* Counts an entry against what an image may have, and all images of a call together. */
static bool count_entry(struct reading *reading, struct err *err)
{
    struct root_layers *layers = reading->layers;
    if (layers->items.slots.count < ITEMS_MAX && layers->name_bytes <= NAMES_MAX_BYTES && layers->budget->entries) {
        layers->budget->entries--;
        return true;
    }
    err_set(err, ERR_MALFORMED, "%s: more entries, or longer names, than an image may have", reading->reader.name);
    return false;
}

static bool take_entry(struct reading *reading, const struct tar_entry *header, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct root_layers *layers = reading->layers;
    const char *path = count_entry(reading, err) ? take_path(reading, &scratch, header->path, err) : NULL;
    if (!path)
        return false;
    if (strcmp(path, "/") == 0 || take_whiteout(reading, &scratch, path))
        return true;
    struct root_item taken = {.node = {.path = path}};
    if (!take_node(reading, header, &taken, err))
        return false;
    struct root_item *item = item_of(layers, path);
    if (taken.node.kind != NODE_DIRECTORY)
        item->emptied = reading->layer; /* what was below a directory of that name is gone */
    drop_content(layers, item);
    taken.node.path = item->node.path;
    item->node = taken.node;
    item->content = taken.content;
    item->is_special = taken.is_special;
    item->layer = reading->layer;
    return true;
}

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

struct root_budget root_budget_of_call(void)
{
    return (struct root_budget){.entries = ENTRIES_MAX, .unpacked_bytes = UNPACKED_MIN_BYTES};
}

void root_budget_add(struct root_budget *budget, uint64_t packed_bytes)
{
    budget->unpacked_bytes += packed_bytes * UNPACKED_RATIO;
}

bool root_layers_add(struct root_layers *layers, struct text bytes, const char *name, struct digest *ret_diff_id,
                     struct err *err)
{
    AUTO(reading_done) struct reading reading = {.layers = layers, .layer = ++layers->layer_count};
    layers->spool.arena = layers->arena;
    return layer_reader_open(&reading.reader, bytes, name, &layers->budget->unpacked_bytes, err) &&
           read_entries(&reading, err) && layer_reader_end(&reading.reader, ret_diff_id, err);
}

static int compare_items(const void *a, const void *b)
{
    return strcmp((*(const struct root_item *const *)a)->node.path, (*(const struct root_item *const *)b)->node.path);
}

static int compare_runs(const void *a, const void *b)
{
    const struct spooled *left = *(const struct spooled *const *)a, *right = *(const struct spooled *const *)b;
    return left->offset < right->offset ? -1 : left->offset > right->offset;
}

/* Maps the ELF files that are left. */
static bool map_contents(struct root_layers *layers, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct spooled **runs = arena_new_array(&scratch, struct spooled *, layers->items.slots.count + 1);
    size_t count = 0;
    for (size_t i = 0; i < layers->items.slots.count; i++) {
        struct root_item *item = layers->items.slots.items[i].value;
        bool is_first = item->content && !item->content->is_listed && is_there(layers, item);
        if (!is_first)
            continue;
        item->content->is_listed = true;
        runs[count++] = &item->content->run;
    }
    qsort(runs, count, sizeof runs[0], compare_runs);
    return spool_map(&layers->spool, runs, count, err);
}

/* Lists what is there, by path. Pointers are sorted, since qsort() takes as much memory again as it sorts. */
static size_t list_items(struct root_layers *layers, const struct root_item **items)
{
    size_t count = 0;
    for (size_t i = 0; i < layers->items.slots.count; i++) {
        const struct root_item *item = layers->items.slots.items[i].value;
        if (!item->is_special && is_there(layers, item))
            items[count++] = item;
    }
    qsort(items, count, sizeof(items[0]), compare_items);
    return count;
}

bool root_layers_tree(struct root_layers *layers, struct tree *ret_tree, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    const struct root_item **items = arena_new_array(&scratch, const struct root_item *, layers->items.slots.count + 1);
    if (!map_contents(layers, err))
        return false;
    size_t count = list_items(layers, items);
    struct node *nodes = arena_new_array(layers->arena, struct node, count + 1);
    for (size_t i = 0; i < count; i++) {
        nodes[i] = items[i]->node;
        nodes[i].is_given = items[i]->layer <= layers->given_count;
        if (!items[i]->content)
            continue;
        nodes[i].data = items[i]->content->run.bytes;
        nodes[i].size_bytes = items[i]->content->run.len;
    }
    *ret_tree = (struct tree){.nodes = nodes, .count = count};
    return true;
}

void root_layers_done(struct root_layers *layers)
{
    spool_done(&layers->spool);
}
