/* SPDX-License-Identifier: Apache-2.0 */
/* Members are read once, in the order they come in: every file is put into blobs/sha256 by its digest, and what the names
 * stand for is settled at the end. */
#include "layer/archive.h"

#include "base/auto.h"
#include "base/digest.h"
#include "base/map.h"
#include "io/file.h"
#include "io/stream.h"
#include "oci/oci.h"
#include "package/path.h"
#include "package/tar_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define MEMBERS_MAX_COUNT 1000000u
#define DOCUMENT_MAX_BYTES ((uint64_t)4 << 20)
#define LEAST_CAP_BYTES ((uint64_t)1 << 30)
#define RATIO_MAX 64
#define LINKS_MAX 8
#define REF_NAME "org.opencontainers.image.ref.name"
#define LAYER_TYPE "application/vnd.oci.image.layer.v1.tar"

static const struct tar_rules archive_tar_rules = {0};

/* A member: a file's bytes, or where a link leads. */
struct member {
    struct digest digest;
    uint64_t size_bytes;
    enum compression compression; /* of its bytes, by their first ones */
    const char *target;           /* of a link; NULL: a file */
};

struct unpacking {
    struct archive *archive;
    struct arena *arena;
    const char *file;
    struct stream *stream; /* NULL: the tar is plain */
    struct text plain;
    bool is_fed; /* the plain tar's bytes */
    struct tar_reader tar;
    struct map members; /* by path */
    size_t member_count;
    uint64_t written_bytes, cap_bytes;
    int blobs_fd, layout_fd;
};

static void unpacking_done(struct unpacking *unpacking)
{
    tar_reader_done(&unpacking->tar);
    stream_close(unpacking->stream);
    auto_close_fd(&unpacking->blobs_fd);
    auto_close_fd(&unpacking->layout_fd);
}

static bool feed(void *user, struct text *ret_bytes, struct err *err)
{
    struct unpacking *unpacking = user;
    if (unpacking->stream)
        return stream_next(unpacking->stream, ret_bytes, err);
    *ret_bytes = unpacking->is_fed ? (struct text){"", 0} : unpacking->plain;
    unpacking->is_fed = true;
    return true;
}

/* The path as the documents write it: without a leading "./" or "/", and nothing that leads out. */
static const char *name_of(struct arena *arena, const char *path)
{
    const char *why, *exact = path_exact(arena, text_of(path), &why);
    return exact ? exact + 1 : NULL;
}

static bool write_piece(struct unpacking *unpacking, int fd, struct text bytes, struct err *err)
{
    unpacking->written_bytes += bytes.len;
    if (unpacking->written_bytes <= unpacking->cap_bytes)
        return file_write_all(fd, bytes.ptr, bytes.len, "a file of the archive", err);
    err_set(err, ERR_MALFORMED, "it unpacks to more than %ju MiB, which is too much for its size",
            (uintmax_t)unpacking->cap_bytes >> 20);
    return false;
}

/* Writes the bytes of the file that was read last under their digest. */
static bool put_blob(struct unpacking *unpacking, struct member *member, struct err *err)
{
    AUTO(digest_abandon) struct digest_stream stream = {0};
    AUTO(auto_close_fd)
    int fd = openat(unpacking->blobs_fd, ".part", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    struct text bytes;
    if (fd < 0) {
        err_set_errno(err, errno, "cannot create a file in %s", unpacking->archive->layout);
        return false;
    }
    digest_begin(&stream);
    for (bool is_first = true;; is_first = false) {
        if (!tar_reader_read(&unpacking->tar, &bytes, err) || (bytes.len && !write_piece(unpacking, fd, bytes, err)))
            return false;
        if (is_first)
            member->compression = compression_of_bytes(bytes);
        if (!bytes.len)
            break;
        digest_feed(&stream, bytes.ptr, bytes.len);
    }
    member->digest = digest_end(&stream);
    if (renameat(unpacking->blobs_fd, ".part", unpacking->blobs_fd, digest_hex(&member->digest).chars) == 0)
        return true;
    err_set_errno(err, errno, "cannot rename a file in %s", unpacking->archive->layout);
    return false;
}

static bool take_member(struct unpacking *unpacking, const struct tar_entry *entry, struct err *err)
{
    const char *name = name_of(unpacking->arena, entry->path);
    bool is_link = entry->kind == TAR_SYMLINK || entry->kind == TAR_HARDLINK;
    if (++unpacking->member_count > MEMBERS_MAX_COUNT) {
        err_set(err, ERR_MALFORMED, "it has more than %u members", MEMBERS_MAX_COUNT);
        return false;
    }
    if (!name || (entry->kind != TAR_FILE && !is_link))
        return true; /* no document can name it */
    struct member *member = arena_new(unpacking->arena, struct member);
    member->size_bytes = entry->size_bytes;
    if (entry->kind == TAR_HARDLINK)
        member->target = name_of(unpacking->arena, entry->target);
    else if (is_link)
        member->target = path_join_target(unpacking->arena, arena_printf(unpacking->arena, "/%s", name), entry->target);
    if (is_link && !member->target)
        return true;
    if (!is_link && !put_blob(unpacking, member, err))
        return false;
    (void)map_set(&unpacking->members, text_of(name), member);
    return true;
}

static bool read_members(struct unpacking *unpacking, struct err *err)
{
    tar_reader_init(&unpacking->tar, &archive_tar_rules, feed, unpacking);
    for (;;) {
        struct tar_entry entry;
        bool is_end;
        if (!tar_reader_next(&unpacking->tar, &entry, &is_end, err))
            return false;
        if (is_end)
            return true;
        if (!take_member(unpacking, &entry, err))
            return false;
    }
}

/* Finds what a document means by a name, through links; NULL when it is not there. */
static const struct member *find_member(const struct unpacking *unpacking, const char *path)
{
    const char *name = path ? name_of(unpacking->arena, path) : NULL;
    for (int i = 0; name && i < LINKS_MAX; i++) {
        const struct member *member = map_get(&unpacking->members, text_of(name));
        if (!member || !member->target)
            return member;
        name = name_of(unpacking->arena, member->target);
    }
    return NULL;
}

static bool read_document(const struct unpacking *unpacking, const struct member *member, struct buf *ret_bytes,
                          struct err *err)
{
    return file_read_at(unpacking->blobs_fd, digest_hex(&member->digest).chars, DOCUMENT_MAX_BYTES, ret_bytes, err);
}

static bool write_file(const struct unpacking *unpacking, const char *name, const char *bytes, size_t len,
                       struct err *err)
{
    return file_write_atomic_at(unpacking->layout_fd, name, bytes, len, 0600, false, err);
}

/* Writes a document that is made here, as a blob or under a name. */
static bool write_json(int dirfd, const char *name, const json_t *json, struct digest *ret_digest, size_t *ret_len,
                       struct err *err)
{
    AUTO(auto_free) char *bytes = json_dumps(json, JSON_COMPACT);
    if (!bytes)
        memory_abort(0);
    *ret_len = strlen(bytes);
    *ret_digest = digest_of(bytes, *ret_len);
    return file_write_atomic_at(dirfd, name ? name : digest_hex(ret_digest).chars, bytes, *ret_len, 0600, false, err);
}

static bool fail_absent(const struct unpacking *unpacking, const char *what, const char *name, struct err *err)
{
    err_set(err, ERR_MALFORMED, "manifest.json: %s is not in the archive: %s", what,
            name ? text_printable(unpacking->arena, text_of(name)) : "it has no name");
    return false;
}

static json_t *descriptor_of(const char *media_type, const struct digest *digest, uint64_t size_bytes)
{
    return json_pack("{s:s,s:o,s:I}", "mediaType", media_type, "digest",
                     json_sprintf("sha256:%s", digest_hex(digest).chars), "size", (json_int_t)size_bytes);
}

static const char *layer_type(const struct member *member)
{
    return member->compression == COMPRESSION_GZIP   ? LAYER_TYPE "+gzip"
           : member->compression == COMPRESSION_ZSTD ? LAYER_TYPE "+zstd"
                                                     : LAYER_TYPE;
}

/* Makes a manifest of one image of manifest.json. */
static bool make_manifest(const struct unpacking *unpacking, const json_t *image, json_t *manifest, struct err *err)
{
    const char *config_name = json_string_value(json_object_get(image, "Config"));
    const struct member *config = find_member(unpacking, config_name);
    json_t *layers = json_array(), *item;
    size_t i;
    (void)json_object_set_new(manifest, "layers", layers);
    if (!config)
        return fail_absent(unpacking, "the configuration", config_name, err);
    (void)json_object_set_new(manifest, "config", descriptor_of(OCI_MEDIA_CONFIG, &config->digest, config->size_bytes));
    json_array_foreach(json_object_get(image, "Layers"), i, item)
    {
        const char *name = json_string_value(item);
        const struct member *layer = find_member(unpacking, name);
        if (!layer)
            return fail_absent(unpacking, "a layer", name, err);
        (void)json_array_append_new(layers, descriptor_of(layer_type(layer), &layer->digest, layer->size_bytes));
    }
    return true;
}

/* Adds an image of manifest.json to the layout's index, under each of its tags. */
static bool add_image(const struct unpacking *unpacking, const json_t *image, json_t *manifests, struct err *err)
{
    json_auto_t *manifest = json_pack("{s:i,s:s}", "schemaVersion", 2, "mediaType", OCI_MEDIA_MANIFEST);
    const json_t *tags = json_object_get(image, "RepoTags");
    struct digest digest;
    size_t len, count = json_array_size(tags);
    if (!make_manifest(unpacking, image, manifest, err) ||
        !write_json(unpacking->blobs_fd, NULL, manifest, &digest, &len, err))
        return false;
    for (size_t i = 0; i < (count ? count : 1); i++) {
        json_t *descriptor = descriptor_of(OCI_MEDIA_MANIFEST, &digest, len);
        const char *tag = json_string_value(json_array_get(tags, i));
        if (tag)
            (void)json_object_set_new(descriptor, "annotations", json_pack("{s:s}", REF_NAME, tag));
        (void)json_array_append_new(manifests, descriptor);
    }
    return true;
}

static bool settle_docker(const struct unpacking *unpacking, const struct member *member, struct err *err)
{
    static const char version[] = "{\"imageLayoutVersion\":\"1.0.0\"}";
    AUTO(buf_done) struct buf bytes = {0};
    json_auto_t *index = json_pack("{s:i,s:s,s:[]}", "schemaVersion", 2, "mediaType", OCI_MEDIA_INDEX, "manifests");
    struct digest digest;
    json_t *image;
    size_t i, len;
    if (!read_document(unpacking, member, &bytes, err))
        return false;
    json_auto_t *images = json_loadb(bytes.len ? bytes.bytes : "", bytes.len, JSON_REJECT_DUPLICATES, NULL);
    if (!json_array_size(images)) {
        err_set(err, ERR_MALFORMED, "manifest.json is no list of images");
        return false;
    }
    json_array_foreach(images, i, image)
    {
        if (!add_image(unpacking, image, json_object_get(index, "manifests"), err))
            return false;
    }
    return write_json(unpacking->layout_fd, "index.json", index, &digest, &len, err) &&
           write_file(unpacking, "oci-layout", version, sizeof version - 1, err);
}

static bool settle_layout(const struct unpacking *unpacking, const struct member *version, const struct member *index,
                          struct err *err)
{
    AUTO(buf_done) struct buf version_bytes = {0}, index_bytes = {0};
    return read_document(unpacking, version, &version_bytes, err) &&
           read_document(unpacking, index, &index_bytes, err) &&
           write_file(unpacking, "index.json", index_bytes.bytes, index_bytes.len, err) &&
           write_file(unpacking, "oci-layout", version_bytes.bytes, version_bytes.len, err);
}

/* Makes a layout of what was read. */
static bool settle(const struct unpacking *unpacking, struct err *err)
{
    const struct member *version = find_member(unpacking, "oci-layout"), *index = find_member(unpacking, "index.json");
    const struct member *docker = find_member(unpacking, "manifest.json");
    if (version && index)
        return settle_layout(unpacking, version, index, err);
    if (docker)
        return settle_docker(unpacking, docker, err);
    err_set(err, ERR_USAGE,
            "it is no archive of an image: neither oci-layout and index.json nor manifest.json is in it");
    return false;
}

bool archive_make_place(struct archive *archive, struct err *err)
{
    const char *place = getenv("TMPDIR");
    char *path = arena_printf(&archive->arena, "%s/imgfactory-XXXXXX", place && *place ? place : "/var/tmp");
    if (!mkdtemp(path)) {
        err_set_errno(err, errno, "cannot make a directory for what is unpacked (TMPDIR names another place)");
        return false;
    }
    archive->layout = path;
    return true;
}

static bool make_dirs(struct unpacking *unpacking, struct err *err)
{
    struct arena *arena = &unpacking->archive->arena;
    if (!unpacking->archive->layout && !archive_make_place(unpacking->archive, err))
        return false;
    const char *path = unpacking->archive->layout;
    const char *blobs = arena_printf(arena, "%s/blobs/sha256", path);
    return file_make_dirs(blobs, 0700, err) && file_open_dir(path, &unpacking->layout_fd, err) &&
           file_open_dir(blobs, &unpacking->blobs_fd, err);
}

static bool unpack(struct unpacking *unpacking, struct text bytes, struct err *err)
{
    enum compression compression = compression_of_bytes(bytes);
    unpacking->plain = bytes;
    unpacking->cap_bytes = bytes.len < LEAST_CAP_BYTES / RATIO_MAX ? LEAST_CAP_BYTES : (uint64_t)bytes.len * RATIO_MAX;
    return (compression == COMPRESSION_NONE ||
            stream_open(compression, bytes, unpacking->file, &unpacking->stream, err)) &&
           make_dirs(unpacking, err) && read_members(unpacking, err) && settle(unpacking, err);
}

bool archive_open(const char *file, struct archive *archive, struct err *err)
{
    AUTO(arena_done) struct arena arena = {0};
    AUTO(view_done) struct view view = {0};
    AUTO(unpacking_done)
    struct unpacking unpacking = {
        .archive = archive, .arena = &arena, .file = file, .members.arena = &arena, .blobs_fd = -1, .layout_fd = -1};
    if (!file_map_at(AT_FDCWD, file, &view, err))
        return false;
    if (unpack(&unpacking, (struct text){view.ptr, view.len}, err))
        return true;
    if (strncmp(err->text, file, strlen(file)) != 0)
        err_wrap(err, "%s", file);
    archive_done(archive);
    return false;
}

static void remove_name(int dirfd, const char *name)
{
    (void)unlinkat(dirfd, name, 0);
}

static void remove_dir(const char *path)
{
    AUTO(auto_close_fd) int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd >= 0)
        file_visit_names(fd, remove_name);
    (void)rmdir(path);
}

void archive_done(struct archive *archive)
{
    if (archive->layout) {
        remove_dir(arena_printf(&archive->arena, "%s/blobs/sha256", archive->layout));
        remove_dir(arena_printf(&archive->arena, "%s/blobs", archive->layout));
        remove_dir(archive->layout);
    }
    archive->layout = NULL;
    arena_done(&archive->arena);
}
