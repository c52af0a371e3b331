/* SPDX-License-Identifier: Apache-2.0 */
#include "layer/archive_write.h"

#include "base/auto.h"
#include "base/map.h"
#include "io/new_file.h"
#include "io/stream.h"
#include "layer/tar_header.h"
#include "oci/config_read.h"
#include "oci/layout.h"
#include "registry/reference.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <sys/stat.h>

#define HEADERS_MAX_BYTES ((size_t)64 << 10)
/* The most that a ustar header without a pax header can say. */
#define TAR_PLAIN_MAX_BYTES (((uint64_t)8 << 30) - 1)
#define FILE_MODE 0644
#define DIRECTORY_MODE 0755
#define VERSION_TEXT "{\"imageLayoutVersion\":\"1.0.0\"}"

static const struct {
    const char *prefix;
    enum archive_form form;
} forms[] = {{"oci-archive:", ARCHIVE_OCI}, {"docker-archive:", ARCHIVE_DOCKER}};

struct writer {
    const struct archive_request *request;
    struct arena *arena;
    struct new_file file;
    struct map names; /* of the members that are there */
};

static void writer_done(struct writer *writer)
{
    new_file_abandon(&writer->file);
}

bool archive_is_target(const char *word)
{
    for (size_t i = 0; i < ARRAY_COUNT(forms); i++) {
        if (strncmp(word, forms[i].prefix, strlen(forms[i].prefix)) == 0)
            return true;
    }
    return false;
}

/* A name of an image: a repository with or without a host, and a tag. */
static bool check_name(const char *name, struct err *err)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/:";
    const char *slash = strrchr(name, '/'), *colon = strchr(slash ? slash : name, ':');
    bool is_good = *name && name[strspn(name, allowed)] == '\0' && name[0] != ':' && name[0] != '/' &&
                   (!slash || slash[1]) && (!colon || reference_is_tag(colon + 1));
    if (!is_good)
        err_set(err, ERR_USAGE, "%s is no name of an image; it is like quay.io/me/dhcpd:1.0", name);
    return is_good;
}

/* A colon ends FILE, as for podman and skopeo. Who has one in the path of the file would find another file written, with
 * a name that is the rest of the path: refused, where it looks like that. */
static bool check_path(struct arena *arena, const char *file, const char *name, struct err *err)
{
    const char *slash = strrchr(name, '/');
    struct stat status;
    bool is_folder =
        slash && stat(arena_strndup(arena, file, (size_t)(slash - file)), &status) == 0 && S_ISDIR(status.st_mode);
    if (!is_folder && !text_has_suffix(text_of(name), ".tar"))
        return true;
    err_set(err, ERR_USAGE,
            "%s: a colon ends the name of the file, and %s would name the image; write the file to a path without a "
            "colon, and rename it then",
            file, name);
    return false;
}

bool archive_target_parse(struct arena *arena, const char *word, struct archive_target *ret_target, struct err *err)
{
    size_t form = strncmp(word, forms[0].prefix, strlen(forms[0].prefix)) == 0 ? 0 : 1;
    const char *file = word + strlen(forms[form].prefix), *colon = strchr(file, ':');
    *ret_target = (struct archive_target){forms[form].form, file, colon ? colon + 1 : NULL};
    if (colon)
        ret_target->file = arena_strndup(arena, file, (size_t)(colon - file));
    if (*ret_target->file)
        return !colon || (check_path(arena, file, colon + 1, err) && check_name(colon + 1, err));
    err_set(err, ERR_USAGE, "%s names no file; it is written %sFILE or %sFILE:NAME:TAG", word, forms[form].prefix,
            forms[form].prefix);
    return false;
}

const char *archive_folder(struct arena *arena, const struct archive_target *target)
{
    const char *slash = strrchr(target->file, '/');
    return slash ? arena_strndup(arena, target->file, (size_t)(slash - target->file + 1)) : ".";
}

static bool put(struct writer *writer, const void *bytes, size_t len, struct err *err)
{
    return file_write_all(writer->file.fd, bytes, len, writer->file.path, err);
}

static bool put_padding(struct writer *writer, uint64_t size_bytes, struct err *err)
{
    static const char zeros[TAR_BLOCK_BYTES];
    return put(writer, zeros, (size_t)(-size_bytes % TAR_BLOCK_BYTES), err);
}

/* Makes the blocks in front of a member; a name that ends in '/' is a directory's. */
static void make_header(const char *name, uint64_t size_bytes, struct buf *headers)
{
    bool is_directory = name[strlen(name) - 1] == '/';
    const struct tar_member member = {.type = is_directory ? TAR_TYPE_DIRECTORY : TAR_TYPE_FILE,
                                      .name = name,
                                      .link = "",
                                      .mode = is_directory ? DIRECTORY_MODE : FILE_MODE,
                                      .size_bytes = size_bytes};
    buf_init(headers, HEADERS_MAX_BYTES);
    if (!tar_header_add(&member, headers)) /* the names are short ones */
        memory_abort(HEADERS_MAX_BYTES);
}

static bool put_header(struct writer *writer, const char *name, uint64_t size_bytes, struct err *err)
{
    AUTO(buf_done) struct buf headers;
    make_header(name, size_bytes, &headers);
    return put(writer, headers.bytes, headers.len, err);
}

static bool put_file(struct writer *writer, const char *name, struct text bytes, struct err *err)
{
    return put_header(writer, name, bytes.len, err) && put(writer, bytes.ptr, bytes.len, err) &&
           put_padding(writer, bytes.len, err);
}

/* Maps a layer, its digest checked. */
static bool map_layer(struct writer *writer, const struct layout_blob *blob, struct view *ret_view, struct err *err)
{
    bool is_found;
    if (!store_map_blob(writer->request->store, &blob->digest, ret_view, &is_found, err))
        return false;
    if (is_found && ret_view->len == blob->size_bytes)
        return true;
    err_set(err, is_found ? ERR_MALFORMED : ERR_LOCAL, "layer sha256:%s %s", digest_hex(&blob->digest).chars,
            is_found ? "has another size than its manifest says"
                     : "is not in the cache any more; the same call makes it again");
    return false;
}

/* --- oci-archive --- */

static bool put_blob(struct writer *writer, const struct layout_blob *blob, struct text bytes, struct err *err)
{
    AUTO(view_done) struct view view = {0};
    const char *name = arena_printf(writer->arena, "blobs/sha256/%s", digest_hex(&blob->digest).chars);
    if (!map_add(&writer->names, text_of(name), NULL))
        return true;
    if (!bytes.ptr && !map_layer(writer, blob, &view, err))
        return false;
    return put_file(writer, name, bytes.ptr ? bytes : (struct text){view.ptr, view.len}, err);
}

static bool put_blobs(struct writer *writer, const struct layout_manifest *manifest, struct err *err)
{
    if (!manifest->bytes.ptr) /* readers have to live with blobs that are not there */
        return true;
    if (!put_blob(writer, &manifest->blob, manifest->bytes, err))
        return false;
    if (manifest->unread)
        return true;
    if (!put_blob(writer, &manifest->config, manifest->config_bytes, err))
        return false;
    for (size_t i = 0; i < manifest->layers.count; i++) {
        if (!put_blob(writer, &manifest->layers.items[i], (struct text){NULL, 0}, err))
            return false;
    }
    return true;
}

static bool is_whole_name(const char *name)
{
    return strpbrk(name, "/:") != NULL;
}

/* What index.json calls the image: a tag, and what engines call it when they load it. */
static void name_in_layout(const struct writer *writer, const char **ret_tag, const char **ret_whole)
{
    const struct archive_request *request = writer->request;
    const char *name = request->target->name;
    *ret_tag = name ? name : request->tags->count ? request->tags->items[0] : NULL;
    *ret_whole = !*ret_tag                 ? NULL
                 : is_whole_name(*ret_tag) ? *ret_tag
                                           : arena_printf(writer->arena, "%s:%s", request->name, *ret_tag);
}

static bool write_layout(struct writer *writer, struct err *err)
{
    const struct layout_image *image = writer->request->image;
    const char *tag, *whole;
    name_in_layout(writer, &tag, &whole);
    if (!put_file(writer, "oci-layout", text_of(VERSION_TEXT), err) ||
        !put_file(writer, "index.json", layout_index_of(writer->arena, &image->root, tag, whole), err) ||
        !put_header(writer, "blobs/", 0, err) || !put_header(writer, "blobs/sha256/", 0, err) ||
        !put_blob(writer, &image->root, image->root_bytes, err))
        return false;
    for (size_t i = 0; i < image->manifests.count; i++) {
        if (!put_blobs(writer, &image->manifests.items[i], err))
            return false;
    }
    return true;
}

/* --- docker-archive --- */

static bool is_image(const struct layout_manifest *manifest)
{
    return !manifest->unread && !manifest->is_attestation && layout_is_config(manifest->config.media_type);
}

/* Finds the one image. The same in another compression, which has the same configuration, is none more. */
static bool find_one(const struct writer *writer, const struct layout_manifest **ret_one, struct err *err)
{
    const struct layout_image *image = writer->request->image;
    struct strings platforms = {0};
    *ret_one = NULL;
    for (size_t i = 0; i < image->manifests.count; i++) {
        const struct layout_manifest *manifest = &image->manifests.items[i];
        if (!is_image(manifest) || (*ret_one && digest_eq(&(*ret_one)->config.digest, &manifest->config.digest)))
            continue;
        *ret_one = *ret_one ? *ret_one : manifest;
        list_add(writer->arena, &platforms, manifest->architecture ? manifest->architecture : "unknown");
    }
    if (platforms.count == 1)
        return true;
    err_set(err, ERR_USAGE, "%s: a docker-archive holds the image of one architecture, and this one is for %s%s",
            writer->file.path, platforms.count ? strings_join(writer->arena, &platforms, ", ") : "none",
            platforms.count ? "; choose one with --arch, or write an oci-archive" : "");
    return false;
}

static json_t *names_of(const struct writer *writer)
{
    const struct archive_request *request = writer->request;
    const char *name = request->target->name;
    json_t *names = json_array();
    const char *slash = name ? strrchr(name, '/') : NULL;
    if (name) /* docker load wants a tag in it */
        (void)json_array_append_new(names, json_sprintf(strchr(slash ? slash : name, ':') ? "%s" : "%s:latest", name));
    for (size_t i = 0; !name && i < request->tags->count; i++)
        (void)json_array_append_new(names, json_sprintf("%s:%s", request->name, request->tags->items[i]));
    return names;
}

/* Copies a layer's tar behind a header that is written when its size is known. */
static bool copy_tar(struct writer *writer, const struct layout_blob *blob, struct digest_stream *diff,
                     uint64_t *ret_bytes, struct err *err)
{
    AUTO(view_done) struct view view = {0};
    AUTO(stream_auto_close) struct stream *stream = NULL;
    if (!map_layer(writer, blob, &view, err))
        return false;
    struct text piece = {view.ptr, view.len};
    enum compression compression = compression_of_bytes(piece);
    const char *name = arena_printf(writer->arena, "layer sha256:%s", digest_hex(&blob->digest).chars);
    *ret_bytes = 0;
    if (compression != COMPRESSION_NONE && !stream_open(compression, piece, name, &stream, err))
        return false;
    for (;;) {
        if (stream && !stream_next(stream, &piece, err))
            return false;
        digest_feed(diff, piece.ptr, piece.len);
        *ret_bytes += piece.len;
        if (*ret_bytes > TAR_PLAIN_MAX_BYTES) {
            err_set(err, ERR_USAGE,
                    "%s has more than 8 GiB unpacked, too much for a docker-archive; write an oci-archive", name);
            return false;
        }
        if (!put(writer, piece.ptr, piece.len, err))
            return false;
        if (!stream || !piece.len)
            return put_padding(writer, *ret_bytes, err);
    }
}

static bool put_tar(struct writer *writer, const char *name, const struct layout_blob *blob,
                    const struct digest *expected, struct err *err)
{
    AUTO(buf_done) struct buf headers = {0};
    AUTO(digest_abandon) struct digest_stream diff = {0};
    uint64_t size_bytes;
    off_t at = lseek(writer->file.fd, 0, SEEK_CUR);
    digest_begin(&diff);
    if (!put_header(writer, name, 0, err) || !copy_tar(writer, blob, &diff, &size_bytes, err))
        return false;
    struct digest digest = digest_end(&diff);
    if (!digest_eq(&digest, expected)) {
        err_set(err, ERR_TRUST, "layer sha256:%s unpacks to sha256:%s, where the configuration says sha256:%s",
                digest_hex(&blob->digest).chars, digest_hex(&digest).chars, digest_hex(expected).chars);
        return false;
    }
    make_header(name, size_bytes, &headers);
    if (pwrite(writer->file.fd, headers.bytes, headers.len, at) == (ssize_t)headers.len)
        return true;
    err_set_errno(err, errno, "cannot write to %s", writer->file.path);
    return false;
}

/* The configuration's diff IDs, one for each layer. */
static bool read_diff_ids(const struct writer *writer, const struct layout_manifest *one, struct digest **ret_ids,
                          struct err *err)
{
    struct config_facts facts;
    config_read(writer->arena, one->config_bytes, &facts);
    bool is_good = facts.diff_ids.count == one->layers.count;
    *ret_ids = arena_new_array(writer->arena, struct digest, one->layers.count);
    for (size_t i = 0; is_good && i < one->layers.count; i++) {
        const char *id = facts.diff_ids.items[i];
        is_good = strncmp(id, "sha256:", 7) == 0 && digest_parse(text_of(id + 7), &(*ret_ids)[i]);
    }
    if (!is_good)
        err_set(err, ERR_MALFORMED, "configuration sha256:%s does not have a diff ID of SHA-256 for each layer",
                digest_hex(&one->config.digest).chars);
    return is_good;
}

static const char *tar_name(const struct writer *writer, const struct digest *diff_id)
{
    return arena_printf(writer->arena, "%s.tar", digest_hex(diff_id).chars);
}

static struct text make_docker_manifest(const struct writer *writer, const struct layout_manifest *one,
                                        const struct digest *ids, const char *config_name)
{
    json_t *layers = json_array();
    for (size_t i = 0; i < one->layers.count; i++)
        (void)json_array_append_new(layers, json_string(tar_name(writer, &ids[i])));
    json_auto_t *manifest =
        json_pack("[{s:s,s:o,s:o}]", "Config", config_name, "RepoTags", names_of(writer), "Layers", layers);
    AUTO(auto_free) char *bytes = json_dumps(manifest, JSON_COMPACT);
    if (!bytes)
        memory_abort(0);
    return text_of(arena_strdup(writer->arena, bytes));
}

static bool write_docker(struct writer *writer, struct err *err)
{
    const struct layout_manifest *one;
    struct digest *ids;
    if (!find_one(writer, &one, err) || !read_diff_ids(writer, one, &ids, err))
        return false;
    const char *config_name = arena_printf(writer->arena, "%s.json", digest_hex(&one->config.digest).chars);
    if (!put_file(writer, "manifest.json", make_docker_manifest(writer, one, ids, config_name), err) ||
        !put_file(writer, config_name, one->config_bytes, err))
        return false;
    for (size_t i = 0; i < one->layers.count; i++) {
        const char *name = tar_name(writer, &ids[i]);
        if (map_add(&writer->names, text_of(name), NULL) && !put_tar(writer, name, &one->layers.items[i], &ids[i], err))
            return false;
    }
    return true;
}

bool archive_write(const struct archive_request *request, struct err *err)
{
    static const char end[2 * TAR_BLOCK_BYTES];
    AUTO(arena_done) struct arena arena = {0};
    AUTO(writer_done)
    struct writer writer = {
        .request = request, .arena = &arena, .file = {.fd = -1, .dirfd = -1}, .names.arena = &arena};
    return new_file_begin(request->target->file, &writer.file, err) &&
           (request->target->form == ARCHIVE_OCI ? write_layout : write_docker)(&writer, err) &&
           put(&writer, end, sizeof end, err) && new_file_commit(&writer.file, FILE_MODE, err);
}
