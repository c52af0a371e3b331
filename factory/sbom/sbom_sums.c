/* SPDX-License-Identifier: Apache-2.0 */
#include "sbom/sbom_sums.h"

#include "base/auto.h"
#include "base/map.h"
#include "package/os_release.h"

#include <pthread.h>
#include <stdlib.h>

#define SUMS_KIND "sums"
#define SUMS_VERSION "2"
#define KEY_PURPOSE "imgfactory: sums " SUMS_VERSION
#define SUMS_MAX_BYTES ((size_t)256 << 20)

static const char kind_letters[] = {[NODE_FILE] = 'f', [NODE_SYMLINK] = 's', [NODE_HARDLINK] = 'h'};

/* --- of a tree --- */

static int compare_paths(const void *a, const void *b)
{
    return strcmp(((const struct sbom_sum *)a)->path, ((const struct sbom_sum *)b)->path);
}

/* Finds the file that /etc/os-release is, or a link to the one place where it may be instead (os-release(5)); *ret_text is empty when
 * there is none. False: it is something else. */
static bool find_os_release(const struct map *nodes, struct text *ret_text)
{
    const struct node *node = map_get(nodes, TEXT("/etc/os-release"));
    if (node && node->kind == NODE_SYMLINK && strcmp(node->target, "../usr/lib/os-release") != 0 &&
        strcmp(node->target, "/usr/lib/os-release") != 0)
        return false;
    if (!node || node->kind == NODE_SYMLINK)
        node = map_get(nodes, TEXT("/usr/lib/os-release"));
    *ret_text = node && node->kind == NODE_FILE ? (struct text){node->data, (size_t)node->size_bytes} : TEXT("");
    return !node || node->kind == NODE_FILE;
}

void sbom_sums_name(struct arena *arena, struct text os_release, struct sbom_sums *sums)
{
    const char *id = os_release_value(arena, os_release, "ID");
    const char *version = os_release_value(arena, os_release, "VERSION_ID");
    const char *codename = os_release_value(arena, os_release, "VERSION_CODENAME");
    sums->os_id = id ? id : "";
    sums->os_version = version ? version : "";
    sums->os_codename = codename ? codename : "";
}

/* Smaller files are hashed about as quickly as they are looked up. */
#define SEEN_LEAST_BYTES ((size_t)4 << 10)

struct seen_sum {
    struct digest content;
    struct sha1 sha1;
};

struct sbom_seen {
    pthread_mutex_t lock; /* guards what follows */
    struct arena arena;
    struct map sums; /* digest of a content → struct seen_sum * */
};

struct sbom_seen *sbom_seen_open(void)
{
    struct sbom_seen *seen = calloc(1, sizeof *seen);
    if (!seen)
        memory_abort(sizeof *seen);
    pthread_mutex_init(&seen->lock, NULL);
    seen->sums.arena = &seen->arena;
    return seen;
}

void sbom_seen_close(struct sbom_seen *seen)
{
    if (!seen)
        return;
    pthread_mutex_destroy(&seen->lock);
    arena_done(&seen->arena);
    free(seen);
}

static struct text key_of(const struct digest *content)
{
    return (struct text){(const char *)content->bytes, sizeof content->bytes};
}

static bool find_seen(struct sbom_seen *seen, const struct digest *content, struct sha1 *ret_sha1)
{
    pthread_mutex_lock(&seen->lock);
    const struct seen_sum *sum = map_get(&seen->sums, key_of(content));
    if (sum)
        *ret_sha1 = sum->sha1;
    pthread_mutex_unlock(&seen->lock);
    return sum != NULL;
}

static void note_seen(struct sbom_seen *seen, const struct digest *content, const struct sha1 *sha1)
{
    pthread_mutex_lock(&seen->lock);
    struct seen_sum *sum = arena_new(&seen->arena, struct seen_sum);
    *sum = (struct seen_sum){*content, *sha1};
    map_set(&seen->sums, key_of(&sum->content), sum);
    pthread_mutex_unlock(&seen->lock);
}

/* Finds the SHA-1 of a file, of packages' files once for each content: packing checked that they have their digests. */
static struct sha1 sha1_of_node(struct sbom_seen *seen, const struct node *node)
{
    struct sha1 sha1;
    size_t len = (size_t)node->size_bytes;
    if (!node->digest || len < SEEN_LEAST_BYTES)
        return sha1_of(node->data, len);
    if (find_seen(seen, node->digest, &sha1))
        return sha1;
    sha1 = sha1_of(node->data, len);
    note_seen(seen, node->digest, &sha1);
    return sha1;
}

static void sum_node(struct arena *arena, const struct node *node, struct sbom_seen *seen, struct sbom_sums *sums)
{
    struct sbom_sum sum = {.path = node->path, .kind = node->kind};
    if (node->kind == NODE_FILE) {
        size_t len = (size_t)node->size_bytes;
        sum.sha1 = sha1_of_node(seen, node);
        sum.sha256 = node->digest ? *node->digest : digest_of(node->data, len);
        if (node->package)
            package_rest_file(node->package, node->data, node->size_bytes);
    }
    list_add(arena, &sums->files, sum);
}

bool sbom_sums_of_tree(struct arena *arena, const struct tree *tree, struct sbom_seen *seen, struct sbom_sums *ret_sums)
{
    struct map nodes = {.arena = arena}, sums = {.arena = arena};
    struct text os_release;
    *ret_sums = (struct sbom_sums){0};
    for (size_t i = 0; i < tree->count; i++)
        map_set(&nodes, text_of(tree->nodes[i].path), &tree->nodes[i]);
    if (!find_os_release(&nodes, &os_release))
        return false;
    sbom_sums_name(arena, os_release, ret_sums);
    for (size_t i = 0; i < tree->count; i++) {
        if (tree->nodes[i].is_whiteout)
            return false; /* what lies below is not told here */
        if (tree->nodes[i].kind != NODE_DIRECTORY)
            sum_node(arena, &tree->nodes[i], seen, ret_sums);
    }
    if (ret_sums->files.count)
        qsort(ret_sums->files.items, ret_sums->files.count, sizeof *ret_sums->files.items, compare_paths);
    for (size_t i = 0; i < ret_sums->files.count; i++)
        map_set(&sums, text_of(ret_sums->files.items[i].path), &ret_sums->files.items[i]);
    for (size_t i = 0; i < ret_sums->files.count; i++) {
        struct sbom_sum *sum = &ret_sums->files.items[i];
        if (sum->kind != NODE_HARDLINK)
            continue;
        const struct node *link = map_get(&nodes, text_of(sum->path));
        const struct sbom_sum *file = map_get(&sums, text_of(link->target));
        sum->sha256 = file->sha256;
        sum->sha1 = file->sha1;
    }
    return true;
}

/* --- in the store --- */

static bool put_text(struct buf *buf, const char *text)
{
    return buf_add(buf, text, strlen(text) + 1);
}

void sbom_sums_keep(struct store *store, const struct base_layers *layers, const struct sbom_sums *sums)
{
    AUTO(blob_abandon) struct blob blob = {0};
    AUTO(buf_done) struct buf text;
    struct digest key = base_layers_key(layers, KEY_PURPOSE);
    struct err ignored = {0};
    buf_init(&text, SUMS_MAX_BYTES);
    bool is_good = put_text(&text, SUMS_VERSION) && put_text(&text, sums->os_id) && put_text(&text, sums->os_version) &&
                   put_text(&text, sums->os_codename);
    for (size_t i = 0; is_good && i < sums->files.count; i++) {
        const struct sbom_sum *sum = &sums->files.items[i];
        is_good = buf_add(&text, &kind_letters[sum->kind], 1) &&
                  buf_add(&text, sum->sha256.bytes, sizeof sum->sha256.bytes) &&
                  buf_add(&text, sum->sha1.bytes, sizeof sum->sha1.bytes) && put_text(&text, sum->path);
    }
    if (is_good && blob_begin(store, &blob, &ignored) && blob_write(&blob, text.bytes, text.len, &ignored))
        (void)!blob_commit_derived(&blob, SUMS_KIND, &key, &ignored);
}

/* Takes a string with its NUL off the front. */
static const char *take_text(struct arena *arena, struct text *rest)
{
    const char *end = rest->len ? memchr(rest->ptr, '\0', rest->len) : NULL;
    if (!end)
        return NULL;
    const char *text = arena_strndup(arena, rest->ptr, (size_t)(end - rest->ptr));
    *rest = (struct text){end + 1, rest->len - (size_t)(end + 1 - rest->ptr)};
    return text;
}

static bool take_sum(struct arena *arena, struct text *rest, struct sbom_sum *ret_sum)
{
    const size_t len = 1 + sizeof ret_sum->sha256.bytes + sizeof ret_sum->sha1.bytes;
    if (rest->len < len)
        return false;
    *ret_sum = (struct sbom_sum){.kind = NODE_DIRECTORY};
    for (size_t i = 0; i < ARRAY_COUNT(kind_letters); i++) {
        if (kind_letters[i] == rest->ptr[0])
            ret_sum->kind = (enum node_kind)i;
    }
    memcpy(ret_sum->sha256.bytes, rest->ptr + 1, sizeof ret_sum->sha256.bytes);
    memcpy(ret_sum->sha1.bytes, rest->ptr + 1 + sizeof ret_sum->sha256.bytes, sizeof ret_sum->sha1.bytes);
    *rest = (struct text){rest->ptr + len, rest->len - len};
    ret_sum->path = take_text(arena, rest);
    return ret_sum->path && ret_sum->kind != NODE_DIRECTORY;
}

bool sbom_sums_find(struct arena *arena, struct store *store, const struct base_layers *layers,
                    struct sbom_sums *ret_sums)
{
    AUTO(view_done) struct view view = {0};
    struct digest key = base_layers_key(layers, KEY_PURPOSE);
    struct err ignored = {0};
    bool is_found;
    if (!store_map_derived(store, SUMS_KIND, &key, &view, &is_found, &ignored) || !is_found)
        return false;
    struct text rest = {view.ptr, view.len};
    const char *version = take_text(arena, &rest);
    *ret_sums = (struct sbom_sums){.os_id = take_text(arena, &rest)};
    ret_sums->os_version = take_text(arena, &rest);
    ret_sums->os_codename = take_text(arena, &rest);
    if (!version || strcmp(version, SUMS_VERSION) != 0 || !ret_sums->os_id || !ret_sums->os_version ||
        !ret_sums->os_codename)
        return false;
    while (rest.len) {
        struct sbom_sum sum;
        if (!take_sum(arena, &rest, &sum))
            return false;
        list_add(arena, &ret_sums->files, sum);
    }
    return true;
}
