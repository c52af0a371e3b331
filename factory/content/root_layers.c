/* Nothing is ever taken out of the map: an item knows the layer that gave it, and the layers that removed it or all below
 * it. It is there when no later layer removed it or one of its ancestors. */
#include "content/root_layers.h"

#include "base/auto.h"
#include "content/elf.h"
#include "content/ld_cache.h"
#include "content/path.h"
#include "content/script.h"
#include "io/stream.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
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

/* One layer while it is read. `pending` is set when the stream below libarchive failed. */
struct reading {
    struct root_layers *layers;
    struct stream *stream;
    struct archive *archive;
    struct digest_stream digest; /* of the plain tar */
    struct err pending;
    const char *name;
    size_t layer;
};

static void close_reading(struct reading *reading)
{
    digest_abandon(&reading->digest);
    (void)archive_read_free(reading->archive);
    stream_close(reading->stream);
}

static bool fault(const struct reading *reading, const char *path, const char *what, struct err *err)
{
    err_set(err, ERR_MALFORMED, "%s: entry %s: %s", reading->name,
            text_printable(reading->layers->arena, text_of(path)), what);
    return false;
}

static bool library_fault(const struct reading *reading, struct err *err)
{
    if (reading->pending.kind) {
        *err = reading->pending;
        return false;
    }
    const char *why = archive_error_string(reading->archive);
    err_set(err, ERR_MALFORMED, "%s: %s", reading->name,
            text_printable(reading->layers->arena, text_of(why ? why : "cannot be read")));
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

/* Returns whether the proof looks at all of a file, whatever is in it. */
static bool is_kept_whole(const char *path)
{
    const char *name = path_basename(path);
    return strcmp(path, LD_CACHE_PATH) == 0 || strcmp(name, "passwd") == 0 || strcmp(name, "group") == 0;
}

/* Reads what the proof looks at: all of an ELF file and of what is_kept_whole(), the beginning of any other. */
static bool read_content(struct reading *reading, struct archive_entry *header, struct node *node, struct err *err)
{
    struct root_layers *layers = reading->layers;
    int64_t size = archive_entry_size(header);
    bool is_whole = is_kept_whole(node->path);
    AUTO(buf_done) struct buf kept;
    buf_init(&kept, size > 0 && (uint64_t)size < ELF_MAX_BYTES ? (size_t)size + 1 : ELF_MAX_BYTES);
    if (size < 0 || __builtin_add_overflow(layers->file_bytes, (uint64_t)size, &layers->file_bytes) ||
        layers->file_bytes > FILES_MAX_BYTES)
        return fault(reading, node->path, "the files are larger than 32 GiB", err);
    for (bool is_wanted = true; is_wanted;) {
        const void *bytes;
        size_t len;
        int64_t offset;
        int result = archive_read_data_block(reading->archive, &bytes, &len, &offset);
        if (result == ARCHIVE_EOF)
            break;
        if (result < ARCHIVE_WARN)
            return library_fault(reading, err);
        if ((uint64_t)offset != kept.len || !buf_add(&kept, bytes, len))
            return fault(reading, node->path, "a sparse file, or an ELF file of more than 1 GiB", err);
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

static bool take_node(struct reading *reading, struct archive_entry *header, struct node *node, bool *ret_is_special,
                      struct err *err)
{
    const char *hardlink = archive_entry_hardlink(header);
    *ret_is_special = false;
    node->mode = archive_entry_perm(header) & 07777U;
    node->uid = (uint32_t)archive_entry_uid(header);
    node->gid = (uint32_t)archive_entry_gid(header);
    node->kind = NODE_FILE;
    if (hardlink)
        return take_hardlink(reading, hardlink, node, err);
    switch (archive_entry_filetype(header)) {
    case AE_IFREG:
        return read_content(reading, header, node, err);
    case AE_IFDIR:
        node->kind = NODE_DIRECTORY;
        return true;
    case AE_IFLNK:
        node->kind = NODE_SYMLINK;
        node->target = arena_strdup(reading->layers->arena, archive_entry_symlink(header));
        return (node->target && *node->target && strlen(node->target) <= PATH_MAX_BYTES) ||
               fault(reading, node->path, "its target is empty or too long", err);
    default:
        *ret_is_special = true;
        return true;
    }
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

static bool take_entry(struct reading *reading, struct archive_entry *header, struct err *err)
{
    struct root_layers *layers = reading->layers;
    const char *written = archive_entry_pathname(header);
    if (!written)
        written = archive_entry_pathname_utf8(header);
    layers->name_bytes += written ? strlen(written) : 0;
    if (layers->items.slots.count >= ENTRIES_MAX || layers->name_bytes > NAMES_MAX_BYTES) {
        err_set(err, ERR_MALFORMED, "%s: more entries than an image may have", reading->name);
        return false;
    }
    const char *path = take_path(reading, written, err);
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

/* Takes the next piece of the tar; an empty one is the end. */
static bool next_piece(struct reading *reading, struct text *ret_piece)
{
    if (reading->pending.kind || !stream_next(reading->stream, ret_piece, &reading->pending))
        return false;
    digest_feed(&reading->digest, ret_piece->ptr, ret_piece->len);
    return true;
}

/* libarchive's call for more bytes of the tar. */
static la_ssize_t feed_tar(struct archive *archive, void *user, const void **ret_bytes)
{
    struct reading *reading = user;
    struct text piece;
    if (next_piece(reading, &piece)) {
        *ret_bytes = piece.ptr;
        return (la_ssize_t)piece.len;
    }
    archive_set_error(archive, EINVAL, "cannot be decompressed");
    return ARCHIVE_FATAL;
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
    reading->archive = archive_read_new();
    if (!reading->archive)
        memory_abort(0);
    return stream_open(compression, bytes, reading->name, &reading->stream, err) &&
           ((archive_read_support_format_tar(reading->archive) == ARCHIVE_OK &&
             archive_read_support_format_empty(reading->archive) == ARCHIVE_OK &&
             archive_read_open(reading->archive, reading, NULL, feed_tar, NULL) == ARCHIVE_OK) ||
            library_fault(reading, err));
}

static bool read_entries(struct reading *reading, struct err *err)
{
    for (;;) {
        struct archive_entry *header;
        int result = archive_read_next_header(reading->archive, &header);
        if (result == ARCHIVE_EOF && !reading->pending.kind)
            return true;
        if (result < ARCHIVE_WARN || result == ARCHIVE_EOF)
            return library_fault(reading, err);
        if (!take_entry(reading, header, err))
            return false;
    }
}

/* What is behind the end mark belongs to the layer's digest, and its stream has checks at its end. */
static bool read_rest(struct reading *reading, struct err *err)
{
    struct text piece = {"", 1};
    while (piece.len) {
        if (!next_piece(reading, &piece))
            return library_fault(reading, err);
    }
    return true;
}

bool root_layers_add(struct root_layers *layers, struct text bytes, const char *name, struct digest *ret_diff_id,
                     struct err *err)
{
    AUTO(close_reading) struct reading reading = {.layers = layers, .name = name, .layer = ++layers->layer_count};
    digest_begin(&reading.digest);
    if (!open_layer(&reading, bytes, err) || !read_entries(&reading, err) || !read_rest(&reading, err))
        return false;
    *ret_diff_id = digest_end(&reading.digest);
    return true;
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
