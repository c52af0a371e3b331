/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/layout_read.h"

#include "base/auto.h"
#include "oci/layout_parts.h"
#include "oci/oci.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#define NAMES_MAX 10000
#define TAGS_SHOWN_MAX 20

/* Keeps writers out while the documents are read. A layout that we may not lock (another tool's, or a read-only one) is
 * read without: then its writers have to take care. */
static bool lock_shared(struct layout *layout, struct err *err)
{
    AUTO(arena_done) struct arena arena = {0};
    layout->lock_fd = openat(layout->fd, ".lock", O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (layout->lock_fd < 0 ||
        lock_take(layout->lock_fd, true, arena_printf(&arena, "%s/.lock", layout->path), layout->wait, err))
        return true;
    bool is_given_up = err->kind == ERR_CANCELLED || err->detail == EWOULDBLOCK;
    if (!is_given_up)
        err_clear(err);
    return !is_given_up;
}

bool layout_open_to_read(struct layout *layout, struct err *err)
{
    bool has_version;
    if (!file_open_dir(layout->path, &layout->fd, err)) {
        if (err->detail != ENOENT && err->detail != ENOTDIR)
            return false;
        err_clear(err);
        err_set(err, ERR_USAGE, "there is no image layout %s", layout->path);
        return false;
    }
    if (!lock_shared(layout, err) || !layout_version_read(layout, &has_version, err))
        return false;
    if (!has_version) {
        err_set(err, ERR_USAGE, "%s is not an OCI image layout: it has no file oci-layout", layout->path);
        return false;
    }
    layout->blobs_fd = layout_open_blobs(layout);
    if (layout->blobs_fd >= 0)
        return true;
    err_set_errno(err, errno, "cannot open %s/blobs/sha256 (links are not followed there)", layout->path);
    return false;
}

/* Whether an entry hangs on an image: an artifact without a tag, or signatures under theirs (cargo.h). */
static bool is_cargo(const json_t *item)
{
    const char *name = layout_index_tag(item), *colon = name ? strrchr(name, ':') : NULL;
    const char *tag = colon ? colon + 1 : name;
    const size_t digits = strlen("sha256-") + DIGEST_HEX_SIZE - 1;
    return tag ? strncmp(tag, "sha256-", strlen("sha256-")) == 0 && strlen(tag) >= digits &&
                     (tag[digits] == '\0' || tag[digits] == '.')
               : json_object_get(item, "artifactType") != NULL;
}

/* Finds the descriptor of a tag (NULL: that all images have). *ret_is_ambiguous tells that several differ. */
static const json_t *find_descriptor(const json_t *manifests, const char *tag, bool *ret_is_ambiguous)
{
    const json_t *found = NULL, *item;
    size_t i;
    *ret_is_ambiguous = false;
    json_array_foreach((json_t *)manifests, i, item)
    {
        const char *name = layout_index_tag(item);
        if (tag ? !name || strcmp(name, tag) != 0 : is_cargo(item) && json_array_size(manifests) > 1)
            continue;
        if (found && !json_equal(json_object_get(found, "digest"), json_object_get(item, "digest")))
            *ret_is_ambiguous = true;
        found = found ? found : item;
    }
    return found;
}

/* Lists the tags for a message. */
static const char *print_tags(struct arena *arena, const json_t *manifests)
{
    struct strings tags = {0};
    const json_t *item;
    size_t i;
    json_array_foreach((json_t *)manifests, i, item)
    {
        const char *name = layout_index_tag(item);
        if (name && tags.count < TAGS_SHOWN_MAX)
            list_add(arena, &tags, text_printable(arena, text_of(name)));
    }
    if (tags.count == TAGS_SHOWN_MAX)
        list_add(arena, &tags, "…");
    return tags.count ? arena_printf(arena, "it has: %s", strings_join(arena, &tags, ", ")) : "it has no tags";
}

/* Finds the descriptor that is asked for: of the tag, else the only one, else of "latest". */
static const json_t *choose(struct arena *arena, const char *shown, const json_t *index, const char *tag,
                            struct err *err)
{
    const json_t *manifests = json_object_get(index, "manifests");
    bool is_ambiguous;
    const json_t *found = find_descriptor(manifests, tag, &is_ambiguous);
    if (!tag && is_ambiguous)
        found = find_descriptor(manifests, "latest", &is_ambiguous);
    if (found && !is_ambiguous)
        return found;
    if (found)
        err_set(err, ERR_MALFORMED, "%s/index.json gives the tag \"%s\" to several images", shown,
                tag ? tag : "latest");
    else if (!json_array_size(manifests))
        err_set(err, ERR_USAGE, "%s holds no image", shown);
    else if (tag)
        err_set(err, ERR_USAGE, "%s has no tag \"%s\"; %s", shown, tag, print_tags(arena, manifests));
    else
        err_set(err, ERR_USAGE, "%s holds several images and none is tagged latest; %s", shown,
                print_tags(arena, manifests));
    return NULL;
}

/* Finds the descriptor of a digest. */
static const json_t *choose_digest(struct arena *arena, const char *shown, const json_t *index,
                                   const struct digest *digest, struct err *err)
{
    const json_t *manifests = json_object_get(index, "manifests"), *item;
    const char *name = arena_printf(arena, "sha256:%s", digest_hex(digest).chars);
    size_t i;
    json_array_foreach((json_t *)manifests, i, item)
    {
        const char *listed = json_string_value(json_object_get(item, "digest"));
        if (listed && strcmp(listed, name) == 0)
            return item;
    }
    err_set(err, ERR_RESOLVE, "%s has no image %s; %s", shown, name, print_tags(arena, manifests));
    return NULL;
}

static bool open_blob(int blobs_fd, const struct layout_blob *blob, int *ret_fd, bool *ret_is_absent, struct err *err)
{
    struct digest_hex name = digest_hex(&blob->digest);
    struct stat status;
    AUTO(auto_close_fd) int fd = openat(blobs_fd, name.chars, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT) {
        err_set(err, ERR_MALFORMED, "the blob sha256:%s is missing", name.chars);
        *ret_is_absent = true;
        return false;
    }
    if (fd < 0 || fstat(fd, &status)) {
        err_set_errno(err, errno, "cannot open blobs/sha256/%s", name.chars);
        return false;
    }
    if (!S_ISREG(status.st_mode)) {
        err_set(err, ERR_MALFORMED, "blobs/sha256/%s is not a regular file", name.chars);
        return false;
    }
    if ((uint64_t)status.st_size != blob->size_bytes) {
        err_set(err, ERR_TRUST, "sha256:%s: expected %ju bytes, got %jd", name.chars, (uintmax_t)blob->size_bytes,
                (intmax_t)status.st_size);
        return false;
    }
    *ret_fd = take_fd(&fd);
    return true;
}

bool layout_blob_open(const struct layout_image *image, const struct layout_blob *blob, int *ret_fd, struct err *err)
{
    assert(image->blobs_fd >= 0);
    bool is_absent;
    if (open_blob(image->blobs_fd, blob, ret_fd, &is_absent, err))
        return true;
    err_wrap(err, "%s", image->dir);
    return false;
}

/* Where layout_image_parse() gets documents from here. */
struct place {
    struct arena *arena;
    int blobs_fd;
};

static bool get_document(void *context, const struct layout_blob *blob, struct text *ret_bytes, bool *ret_is_absent,
                         struct err *err)
{
    struct place *place = context;
    AUTO(auto_close_fd) int fd = -1;
    AUTO(view_done) struct view view = {0};
    if (!open_blob(place->blobs_fd, blob, &fd, ret_is_absent, err) ||
        !file_map_fd(fd, digest_hex(&blob->digest).chars, &view, err))
        return false;
    *ret_bytes = (struct text){arena_strndup(place->arena, view.ptr, view.len), view.len};
    return true;
}

/* Reads the image behind a descriptor of index.json. */
static bool read_image(struct place *place, const json_t *descriptor, const struct layout_wanted *wanted,
                       struct layout_image *ret_image, struct err *err)
{
    struct layout_source source = {get_document, place, wanted};
    struct layout_blob root = {0};
    struct text bytes = {0};
    bool is_absent;
    if (!layout_descriptor_read(place->arena, descriptor, LAYOUT_DOCUMENT_MAX_BYTES, &root, err) ||
        !get_document(place, &root, &bytes, &is_absent, err) ||
        !layout_image_parse(place->arena, &root, bytes, &source, ret_image, err))
        return false;
    ret_image->tag = arena_strdup(place->arena, layout_index_tag(descriptor));
    return true;
}

/* Returns whether index.json lists the platforms of one image: several manifests, each with a platform, none with a
 * name. */
static bool is_whole_image(const json_t *index)
{
    const json_t *manifests = json_object_get(index, "manifests"), *item;
    size_t i;
    json_array_foreach((json_t *)manifests, i, item)
    {
        const char *type = json_string_value(json_object_get(item, "mediaType"));
        const json_t *platform = json_object_get(item, "platform");
        if (layout_index_tag(item) || !type || !layout_is_manifest(type) || !json_object_get(platform, "architecture"))
            return false;
    }
    return json_array_size(manifests) > 1;
}

/* Reads index.json as the image's index; its bytes are the document. */
static bool read_whole(struct place *place, int layout_fd, const struct layout_wanted *wanted,
                       struct layout_image *ret_image, struct err *err)
{
    struct layout_source source = {get_document, place, wanted};
    AUTO(buf_done) struct buf file = {0};
    if (!file_read_unlinked_at(layout_fd, "index.json", LAYOUT_DOCUMENT_MAX_BYTES, &file, err))
        return false;
    struct text bytes = {arena_strndup(place->arena, file.bytes, file.len), file.len};
    struct layout_blob root = {digest_of(bytes.ptr, bytes.len), bytes.len, OCI_MEDIA_INDEX};
    return layout_image_parse(place->arena, &root, bytes, &source, ret_image, err);
}

/* Lists the tags whose descriptor is this one. */
static struct strings tags_of(struct arena *arena, const json_t *index, const json_t *descriptor)
{
    struct strings tags = {0};
    const json_t *item;
    size_t i;
    json_array_foreach(json_object_get(index, "manifests"), i, item)
    {
        const char *name = layout_index_tag(item);
        if (name && json_equal(json_object_get(descriptor, "digest"), json_object_get(item, "digest")))
            list_add(arena, &tags, arena_strdup(arena, name));
    }
    return tags;
}

bool layout_image_open(struct arena *arena, const struct layout_choice *choice, struct layout_image *ret_image,
                       struct err *err)
{
    AUTO(layout_close)
    struct layout layout = {.path = choice->dir, .wait = choice->wait, .fd = -1, .lock_fd = -1, .blobs_fd = -1};
    json_auto_t *index = NULL;
    const char *shown = choice->shown ? choice->shown : choice->dir;
    if (!layout_open_to_read(&layout, err) || !layout_index_read(&layout, &index, err))
        return false;
    struct place place = {.arena = arena, .blobs_fd = layout.blobs_fd};
    bool is_whole = !choice->digest && !choice->tag && is_whole_image(index);
    const json_t *descriptor = is_whole         ? NULL
                               : choice->digest ? choose_digest(arena, shown, index, choice->digest, err)
                                                : choose(arena, shown, index, choice->tag, err);
    if (!is_whole && !descriptor)
        return false;
    if (is_whole ? !read_whole(&place, layout.fd, choice->wanted, ret_image, err)
                 : !read_image(&place, descriptor, choice->wanted, ret_image, err)) {
        err_wrap(err, "%s", shown);
        return false;
    }
    if (descriptor)
        ret_image->tags = tags_of(arena, index, descriptor);
    ret_image->dir = arena_strdup(arena, choice->dir);
    ret_image->blobs_fd = take_fd(&layout.blobs_fd);
    return true;
}

struct strings layout_tags(struct arena *arena, const char *dir, const struct lock_wait *wait)
{
    AUTO(layout_close) struct layout layout = {.path = dir, .wait = wait, .fd = -1, .lock_fd = -1, .blobs_fd = -1};
    json_auto_t *index = NULL;
    struct strings tags = {0};
    struct err none = {0};
    const json_t *item;
    size_t i;
    if (!layout_open_to_read(&layout, &none) || !layout_index_read(&layout, &index, &none))
        return tags;
    json_array_foreach(json_object_get(index, "manifests"), i, item)
    {
        const char *name = layout_index_tag(item);
        if (name)
            list_add(arena, &tags, arena_strdup(arena, name));
    }
    return tags;
}

bool layout_image_has(const struct layout_image *image, const struct digest *digest)
{
    bool is_there = digest_eq(&image->root.digest, digest);
    for (size_t i = 0; i < image->manifests.count; i++)
        is_there = is_there || digest_eq(&image->manifests.items[i].blob.digest, digest);
    return is_there;
}

void layout_image_close(struct layout_image *image)
{
    auto_close_fd(&image->blobs_fd);
    image->blobs_fd = -1;
}

static bool is_layout(const char *dir)
{
    AUTO(arena_done) struct arena arena = {0};
    struct stat status;
    return stat(arena_printf(&arena, "%s/index.json", dir), &status) == 0;
}

bool layout_split(struct arena *arena, const char *word, const char **ret_dir, const char **ret_tag)
{
    *ret_dir = word;
    *ret_tag = NULL;
    if (is_layout(word))
        return true;
    for (const char *colon = strchr(word, ':'); colon; colon = strchr(colon + 1, ':')) {
        const char *dir = arena_strndup(arena, word, (size_t)(colon - word));
        if (!is_layout(dir))
            continue;
        *ret_dir = dir;
        *ret_tag = colon + 1;
        return true;
    }
    return false;
}

static int compare_names(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

struct strings layout_names(struct arena *arena, const char *folder)
{
    struct strings names = {0};
    DIR *stream = opendir(folder);
    const struct dirent *entry;
    while (stream && names.count < NAMES_MAX &&
           (entry = readdir(stream)) != NULL) { // NOLINT(concurrency-mt-unsafe): the stream is ours alone
        if (entry->d_name[0] != '.' && is_layout(arena_printf(arena, "%s/%s", folder, entry->d_name)))
            list_add(arena, &names, arena_strdup(arena, entry->d_name));
    }
    if (stream)
        (void)closedir(stream);
    if (names.count)
        qsort(names.items, names.count, sizeof names.items[0], compare_names);
    return names;
}

bool layout_blob_keep(const struct layout_image *image, const struct layout_blob *blob, struct store *store,
                      struct err *err)
{
    AUTO(auto_close_fd) int fd = -1;
    AUTO(view_done) struct view view = {0};
    AUTO(blob_abandon) struct blob copy = {0};
    return store_has_blob(store, &blob->digest, blob->size_bytes) ||
           (layout_blob_open(image, blob, &fd, err) && file_map_fd(fd, "a layer", &view, err) &&
            blob_begin(store, &copy, err) && blob_write(&copy, view.ptr, view.len, err) &&
            blob_commit(&copy, &blob->digest, NULL, err));
}
