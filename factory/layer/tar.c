/* SPDX-License-Identifier: Apache-2.0 */
#include "layer/tar.h"

#include "base/auto.h"
#include "base/map.h"
#include "layer/tar_header.h"

#define BUFFER_BYTES ((size_t)128 * 1024)
/* What is smaller is copied into the buffer, so that the sink is not called for crumbs. */
#define DIRECT_BYTES ((size_t)32 * 1024)
/* A file goes to its check and to the sink in pieces that stay in the processor's cache between the two. */
#define PIECE_BYTES ((size_t)256 * 1024)
#define HEADERS_MAX_BYTES ((size_t)1 << 20)

static const char zeros[2 * TAR_BLOCK_BYTES];

struct tar_writer {
    const struct tree *tree;
    const size_t *leaders;  /* by node: the node that carries the bytes of a file or hard link */
    struct tar_receiver to; /* write NULL: only count */
    uint64_t total_bytes;
    struct buf headers;
    size_t used;
    char buffer[BUFFER_BYTES];
};

static bool flush(struct tar_writer *writer, struct err *err)
{
    size_t len = writer->used;
    writer->used = 0;
    return len == 0 || writer->to.write(writer->to.sink, writer->buffer, len, err);
}

static bool count(struct tar_writer *writer, uint64_t bytes, struct err *err)
{
    if (!__builtin_add_overflow(writer->total_bytes, bytes, &writer->total_bytes))
        return true;
    err_set(err, ERR_INTERNAL, "the files of the tree add up to more than 2^64 bytes");
    return false;
}

static bool put(struct tar_writer *writer, const void *bytes, size_t len, struct err *err)
{
    if (!count(writer, len, err))
        return false;
    if (!writer->to.write)
        return true;
    if (len > BUFFER_BYTES - writer->used && !flush(writer, err))
        return false;
    if (len >= DIRECT_BYTES)
        return flush(writer, err) && writer->to.write(writer->to.sink, bytes, len, err);
    if (len)
        memcpy(writer->buffer + writer->used, bytes, len);
    writer->used += len;
    return true;
}

static bool check_digest(const struct node *node, const struct digest *digest, struct err *err)
{
    if (digest_eq(node->digest, digest))
        return true;
    err_set(err, ERR_TRUST, "cached copy of %s (package %s) is damaged: expected sha256:%s, got sha256:%s", node->path,
            node->package ? node->package->name : "none", digest_hex(node->digest).chars, digest_hex(digest).chars);
    return false;
}

bool tar_is_vouched(const struct node *node)
{
    return node->digest && node->package && package_vouches(node->package, node->data, node->size_bytes);
}

/* Looks at each package once. */
static bool is_changed(struct map *looked, const struct node *node)
{
    static const bool verdicts[] = {false, true};
    struct text key = {(const char *)&node->package, sizeof node->package};
    const bool *verdict = map_get(looked, key);
    if (!verdict) {
        verdict = &verdicts[!package_is_unchanged(node->package)];
        map_set(looked, key, (void *)verdict);
    }
    return *verdict;
}

bool tar_check_files(const struct tree *tree, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct map looked = {.arena = &scratch};
    for (size_t i = 0; i < tree->count; i++) {
        const struct node *node = &tree->nodes[i];
        if (node->kind != NODE_FILE || !tar_is_vouched(node) || !is_changed(&looked, node))
            continue;
        struct digest digest = digest_of(node->data, (size_t)node->size_bytes);
        if (!check_digest(node, &digest, err))
            return false;
    }
    return true;
}

/* Sends a file's bytes, hashing them on the way when nobody vouches for the digest that the node has. */
static bool put_bytes(struct tar_writer *writer, const struct node *node, struct err *err)
{
    AUTO(digest_abandon) struct digest_stream hash = {0};
    bool is_hashed = node->digest && !tar_is_vouched(node);
    if (is_hashed)
        digest_begin(&hash);
    for (uint64_t at = 0; at < node->size_bytes;) {
        uint64_t left = node->size_bytes - at;
        size_t len = left < PIECE_BYTES ? (size_t)left : PIECE_BYTES;
        if (is_hashed)
            digest_feed(&hash, node->data + at, len);
        if (!put(writer, node->data + at, len, err))
            return false;
        at += len;
    }
    if (node->digest && node->package)
        package_rest_file(node->package, node->data, node->size_bytes);
    if (!is_hashed)
        return true;
    struct digest digest = digest_end(&hash);
    return check_digest(node, &digest, err);
}

/* Gives a file's bytes to a receiver that wants them by themselves. */
static bool give_file(struct tar_writer *writer, const struct node *node, struct err *err)
{
    struct digest digest;
    if (!count(writer, node->size_bytes, err) || !flush(writer, err) ||
        !writer->to.file(writer->to.sink, node, &digest, err))
        return false;
    if (node->package)
        package_rest_file(node->package, node->data, node->size_bytes);
    return !node->digest || check_digest(node, &digest, err);
}

static bool is_given(const struct tar_writer *writer, const struct node *node)
{
    return writer->to.file && node->size_bytes && node->size_bytes >= writer->to.file_least_bytes;
}

/* Sends a file's bytes padded to whole blocks, or only counts them. */
static bool put_body(struct tar_writer *writer, const struct node *node, struct err *err)
{
    bool is_put = !writer->to.write        ? count(writer, node->size_bytes, err)
                  : is_given(writer, node) ? give_file(writer, node, err)
                                           : put_bytes(writer, node, err);
    return is_put && put(writer, zeros, (size_t)(-node->size_bytes % TAR_BLOCK_BYTES), err);
}

static bool put_header(struct tar_writer *writer, const struct tar_member *member, struct err *err)
{
    writer->headers.len = 0;
    if (tar_header_add(member, &writer->headers))
        return put(writer, writer->headers.bytes, writer->headers.len, err) &&
               (!writer->to.member || (flush(writer, err) && writer->to.member(writer->to.sink, member, err)));
    err_set(err, ERR_MALFORMED, "the name of /%.200s or its link target is too long for a tar header", member->name);
    return false;
}

static struct tar_member member_of(const struct node *node, const char *name)
{
    return (struct tar_member){
        .name = name, .link = "", .mode = node->mode, .uid = node->uid, .gid = node->gid, .mtime = node->mtime};
}

static bool put_directory(struct tar_writer *writer, const struct node *node, struct err *err)
{
    AUTO(arena_done) struct arena arena = {0};
    struct tar_member member = member_of(node, arena_printf(&arena, "%s/", node->path + 1));
    member.type = TAR_TYPE_DIRECTORY;
    return put_header(writer, &member, err);
}

static bool put_symlink(struct tar_writer *writer, const struct node *node, struct err *err)
{
    struct tar_member member = member_of(node, node->path + 1);
    member.type = TAR_TYPE_SYMLINK;
    member.link = node->target;
    return put_header(writer, &member, err);
}

/* Sends node `index`, one of the names of `file`: with the bytes when it is the first of them, else as a link to the
 * first. */
static bool put_name_of_file(struct tar_writer *writer, size_t index, const struct node *file, struct err *err)
{
    const struct node *nodes = writer->tree->nodes;
    size_t leader = writer->leaders[file - nodes];
    struct tar_member member = member_of(file, nodes[index].path + 1);
    if (index != leader) {
        member.type = TAR_TYPE_HARDLINK;
        member.link = nodes[leader].path + 1;
        return put_header(writer, &member, err);
    }
    member.type = TAR_TYPE_FILE;
    member.size_bytes = file->size_bytes;
    member.capability = file->capability;
    return put_header(writer, &member, err) && put_body(writer, file, err);
}

/* Finds who carries the bytes: for a file the index of the first of its names, for a hard link the index of its file.
 */
static bool find_leaders(struct arena *arena, const struct tree *tree, size_t *leaders, struct err *err)
{
    struct map files = {.arena = arena};
    for (size_t i = 0; i < tree->count; i++) {
        leaders[i] = i;
        if (!map_add(&files, text_of(tree->nodes[i].path), &tree->nodes[i])) {
            err_set(err, ERR_INTERNAL, "the tree has %s twice", tree->nodes[i].path);
            return false;
        }
    }
    for (size_t i = 0; i < tree->count; i++) {
        if (tree->nodes[i].kind != NODE_HARDLINK)
            continue;
        const struct node *file = map_get(&files, text_of(tree->nodes[i].target));
        if (!file || file->kind != NODE_FILE) {
            err_set(err, ERR_INTERNAL, "the hard link %s names %s, which is not a file of the tree",
                    tree->nodes[i].path, tree->nodes[i].target);
            return false;
        }
        size_t at = (size_t)(file - tree->nodes);
        leaders[i] = at;
        if (i < leaders[at])
            leaders[at] = i;
    }
    return true;
}

/* Checks that a name creates something below the root when the layer is applied (OCI image-spec layer.md, Whiteouts).
 */
static bool check_path(const struct node *node, struct err *err)
{
    const char *path = node->path;
    if (path[0] != '/' || path[1] == '/' || path[1] == '\0') {
        err_set(err, ERR_INTERNAL, "the tree has the path \"%s\", which is not canonical", path);
        return false;
    }
    if (strncmp(strrchr(path, '/'), "/.wh.", 5) == 0 && !node->is_whiteout) {
        err_set(err, ERR_MALFORMED, "%s: a name that begins with .wh. would delete a file instead of making one", path);
        return false;
    }
    return true;
}

static bool put_node(struct tar_writer *writer, size_t index, struct err *err)
{
    const struct node *node = &writer->tree->nodes[index];
    if (!check_path(node, err))
        return false;
    switch (node->kind) {
    case NODE_DIRECTORY:
        return put_directory(writer, node, err);
    case NODE_SYMLINK:
        return put_symlink(writer, node, err);
    case NODE_FILE:
        return put_name_of_file(writer, index, node, err);
    case NODE_HARDLINK:
        return put_name_of_file(writer, index, &writer->tree->nodes[writer->leaders[index]], err);
    }
    err_set(err, ERR_INTERNAL, "%s is of no known kind", node->path);
    return false;
}

static bool put_tree(struct tar_writer *writer, struct err *err)
{
    for (size_t i = 0; i < writer->tree->count; i++) {
        if (!put_node(writer, i, err))
            return false;
    }
    return put(writer, zeros, sizeof zeros, err) && flush(writer, err);
}

static bool run(const struct tree *tree, const struct tar_receiver *to, uint64_t *ret_bytes, struct err *err)
{
    AUTO(arena_done) struct arena arena = {0};
    size_t *leaders = arena_new_array(&arena, size_t, tree->count);
    if (!find_leaders(&arena, tree, leaders, err))
        return false;
    struct tar_writer *writer = arena_new(&arena, struct tar_writer);
    writer->tree = tree;
    writer->leaders = leaders;
    writer->to = *to;
    buf_init(&writer->headers, HEADERS_MAX_BYTES);
    bool is_done = put_tree(writer, err);
    buf_done(&writer->headers);
    *ret_bytes = writer->total_bytes;
    return is_done;
}

bool tar_write(const struct tree *tree, const struct tar_receiver *receiver, struct err *err)
{
    uint64_t written;
    return run(tree, receiver, &written, err);
}

bool tar_size(const struct tree *tree, uint64_t *ret_bytes, struct err *err)
{
    const struct tar_receiver nobody = {0};
    uint64_t bytes;
    if (!run(tree, &nobody, &bytes, err))
        return false;
    *ret_bytes = bytes;
    return true;
}
