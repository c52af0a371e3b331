/* Nothing is ever taken out of the map: an item knows the layer that gave it, and the layers that removed it or all
 * below it. It is there when no later layer removed it or one of its ancestors. */
#include "content/root_layers.h"

#include "base/auto.h"
#include "content/elf.h"
#include "content/ld_cache.h"
#include "content/path.h"
#include "content/script.h"
#include "content/tar_reader.h"
#include "io/stream.h"

#include <stdlib.h>

#define ENTRIES_MAX ((size_t)4 << 20)
#define NAMES_MAX_BYTES ((size_t)512 << 20)
#define FILES_MAX_BYTES ((uint64_t)32 << 30)
#define KEPT_MAX_BYTES ((uint64_t)4 << 30)
#define ELF_MAX_BYTES ((size_t)1 << 30)
#define LINKS_MAX 40
#define LINKED_MAX_BYTES ((uint64_t)1 << 30) /* of paths that symlinks lead to, for all entries: seconds */
#define WHITEOUT ".wh."
#define WHITEOUT_ALL ".wh..wh..opq"

/* What stands under one path. Layers count from 1; 0 is never. */
struct root_item {
    struct node node;
    bool is_special;         /* a device or the like: nothing for the tree, but no directory either */
    size_t layer;            /* that gave the node; 0: none did */
    size_t removed, emptied; /* last layers that removed it, and all below it */
};

/* One layer while it is read. */
struct reading {
    struct root_layers *layers;
    struct stream *stream;
    struct tar_reader tar;
    bool is_begun, is_ended; /* the stream */
    const char *name;
    size_t layer;
};

static void reading_done(struct reading *reading)
{
    tar_reader_done(&reading->tar);
    stream_close(reading->stream);
}

static bool fault(const struct reading *reading, const char *path, const char *what, struct err *err)
{
    err_set(err, ERR_MALFORMED, "%s: entry %s: %s", reading->name,
            text_printable(reading->layers->arena, text_of(path)), what);
    return false;
}

/* Names the layer in a fault of the tar; those of the decompression name it themselves. */
static bool wrap(const struct reading *reading, struct err *err)
{
    if (strncmp(err->text, reading->name, strlen(reading->name)) != 0)
        err_wrap(err, "%s", reading->name);
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
static const char *resolve(struct root_layers *layers, const char *path, const char **ret_why)
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
    return *reached ? arena_strdup(layers->arena, reached) : "/";
}

/* Takes a name as the archive spells it: absolute, without "..", and where its directory really is. */
static const char *take_path(struct reading *reading, const char *written, struct err *err)
{
    const char *why = "an empty name";
    const char *path = written ? path_exact(reading->layers->arena, text_of(written), &why) : NULL;
    if (path)
        path = resolve(reading->layers, path, &why);
    if (path)
        return path;
    (void)fault(reading, written ? written : "", why, err);
    return NULL;
}

/* Reads what the proof looks at: all of an ELF file and of the loader's cache, the beginning of any other. */
static bool read_content(struct reading *reading, const struct tar_entry *header, struct node *node, struct err *err)
{
    struct root_layers *layers = reading->layers;
    uint64_t size = header->size_bytes;
    bool is_whole = strcmp(node->path, LD_CACHE_PATH) == 0;
    AUTO(buf_done) struct buf kept;
    buf_init(&kept, size < ELF_MAX_BYTES ? (size_t)size + 1 : ELF_MAX_BYTES);
    if (__builtin_add_overflow(layers->file_bytes, size, &layers->file_bytes) || layers->file_bytes > FILES_MAX_BYTES)
        return fault(reading, node->path, "the files are larger than 32 GiB", err);
    for (bool is_wanted = true; is_wanted;) {
        struct text bytes;
        if (!tar_reader_read(&reading->tar, &bytes, err))
            return wrap(reading, err);
        if (bytes.len == 0)
            break;
        if (!buf_add(&kept, bytes.ptr, bytes.len))
            return fault(reading, node->path, "an ELF file of more than 1 GiB", err);
        is_wanted = is_whole || kept.len < SCRIPT_HEAD_BYTES || elf_is((struct text){kept.bytes, kept.len});
    }
    struct text all = {kept.len ? kept.bytes : "", kept.len};
    if (!is_whole && !elf_is(all) && all.len > SCRIPT_HEAD_BYTES)
        all.len = SCRIPT_HEAD_BYTES;
    layers->kept_bytes += all.len;
    if (layers->kept_bytes > KEPT_MAX_BYTES)
        return fault(reading, node->path, "the ELF files are larger than 4 GiB", err);
    node->data = text_dup(layers->arena, all);
    node->size_bytes = all.len;
    return true;
}

/* A hard link is another name of what is there now, whatever becomes of the first name. */
static bool take_hardlink(struct reading *reading, const char *written, struct node *node, struct err *err)
{
    const char *path = take_path(reading, written, err);
    const struct root_item *item = path ? find_item(reading->layers, path) : NULL;
    if (!path)
        return false;
    if (!item || item->is_special || item->node.kind == NODE_DIRECTORY)
        return fault(reading, node->path, "a hard link to what is not there", err);
    const char *own = node->path;
    *node = item->node;
    node->path = own;
    return true;
}

static bool take_node(struct reading *reading, const struct tar_entry *header, struct node *node, bool *ret_is_special,
                      struct err *err)
{
    *ret_is_special = header->kind == TAR_SPECIAL;
    node->mode = header->mode;
    node->kind = NODE_FILE;
    switch (header->kind) {
    case TAR_FILE:
        return read_content(reading, header, node, err);
    case TAR_HARDLINK:
        return take_hardlink(reading, header->target, node, err);
    case TAR_DIRECTORY:
        node->kind = NODE_DIRECTORY;
        return true;
    case TAR_SYMLINK:
        node->kind = NODE_SYMLINK;
        node->target = arena_strdup(reading->layers->arena, header->target);
        return strlen(node->target) <= PATH_MAX_BYTES || fault(reading, node->path, "its target is too long", err);
    case TAR_SPECIAL:
        return true;
    }
    return true;
}

/* ".wh.NAME" and ".wh..wh..opq"; false when the path is neither. */
static bool take_whiteout(struct reading *reading, const char *path)
{
    struct arena *arena = reading->layers->arena;
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

static bool take_entry(struct reading *reading, const struct tar_entry *header, struct err *err)
{
    struct root_layers *layers = reading->layers;
    layers->name_bytes += strlen(header->path);
    if (layers->items.slots.count >= ENTRIES_MAX || layers->name_bytes > NAMES_MAX_BYTES) {
        err_set(err, ERR_MALFORMED, "%s: more entries than an image may have", reading->name);
        return false;
    }
    const char *path = take_path(reading, header->path, err);
    if (!path)
        return false;
    if (strcmp(path, "/") == 0 || take_whiteout(reading, path))
        return true;
    struct node node = {.path = path};
    bool is_special;
    if (!take_node(reading, header, &node, &is_special, err))
        return false;
    struct root_item *item = item_of(layers, path);
    if (node.kind != NODE_DIRECTORY)
        item->emptied = reading->layer; /* what was below a directory of that name is gone */
    node.path = item->node.path;
    item->node = node;
    item->is_special = is_special;
    item->layer = reading->layer;
    return true;
}

/* The tar's feed: the next piece out of the decompression. Not to be asked again after the end, which a stream does not
 * allow. */
static bool feed_layer(void *user, struct text *ret_bytes, struct err *err)
{
    struct reading *reading = user;
    *ret_bytes = TEXT("");
    if (reading->is_ended)
        return true;
    if (!stream_next(reading->stream, ret_bytes, err))
        return false;
    reading->is_ended = ret_bytes->len == 0;
    if (!reading->is_begun && compression_of_bytes(*ret_bytes) != COMPRESSION_NONE) {
        err_set(err, ERR_MALFORMED, "%s: compressed more than once", reading->name);
        return false;
    }
    reading->is_begun = true;
    return true;
}

/* Opens a layer by what its bytes are: media types lie, and engines do the same. What is inside of the compression is a
 * tar or nothing. */
static bool open_layer(struct reading *reading, struct text bytes, struct err *err)
{
    enum compression compression = compression_of_bytes(bytes);
    if (compression == COMPRESSION_XZ || compression == COMPRESSION_BZIP2) {
        err_set(err, ERR_MALFORMED, "%s: compressed as %s, while layers are gzip, zstd or plain tar", reading->name,
                compression_ending(compression));
        return false;
    }
    return stream_open(compression, bytes, reading->name, &reading->stream, err);
}

bool root_layers_add(struct root_layers *layers, struct text bytes, const char *name, struct err *err)
{
    AUTO(reading_done) struct reading reading = {.layers = layers, .name = name, .layer = ++layers->layer_count};
    tar_reader_init(&reading.tar, TAR_OF_LAYER, feed_layer, &reading);
    if (!open_layer(&reading, bytes, err))
        return false;
    for (;;) {
        struct tar_entry header;
        bool is_end;
        if (!tar_reader_next(&reading.tar, &header, &is_end, err))
            return wrap(&reading, err);
        if (is_end)
            return true;
        if (!take_entry(&reading, &header, err))
            return false;
    }
}

static int compare_nodes(const void *a, const void *b)
{
    return strcmp(((const struct node *)a)->path, ((const struct node *)b)->path);
}

void root_layers_tree(struct root_layers *layers, struct tree *ret_tree)
{
    LIST(struct node) nodes = {0};
    for (size_t i = 0; i < layers->items.slots.count; i++) {
        const struct root_item *item = layers->items.slots.items[i].value;
        if (!item->is_special && is_there(layers, item))
            list_add(layers->arena, &nodes, item->node);
    }
    if (nodes.count)
        qsort(nodes.items, nodes.count, sizeof(nodes.items[0]), compare_nodes);
    *ret_tree = (struct tree){.nodes = nodes.items, .count = nodes.count};
}
