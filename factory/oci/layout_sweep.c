/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/layout_parts.h"

#include "base/auto.h"
#include "base/map.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#define REACHED_MAX_COUNT 65536

/* What a set of descriptors reaches inside the layout. */
struct reach {
    const struct layout *layout;
    struct arena *arena;
    struct map digests;   /* by hex: everything reached */
    struct map documents; /* by hex: to be read, in the order found */
    bool is_complete;     /* false: a document is damaged, or there are too many */
};

/* Notes a descriptor's blob. What may be an index or manifest is read later; a config or layer is not, however it
 * looks. */
static void note(struct reach *reach, const json_t *descriptor, bool may_be_document)
{
    const json_t *digest = json_object_get(descriptor, "digest");
    struct text hex = {json_string_value(digest), json_string_length(digest)};
    struct digest parsed;
    if (!hex.ptr || !text_has_prefix(hex, "sha256:"))
        return;
    hex = (struct text){hex.ptr + 7, hex.len - 7};
    if (!digest_parse(hex, &parsed))
        return;
    hex = text_of(arena_strdup(reach->arena, digest_hex(&parsed).chars));
    if (reach->digests.slots.count >= REACHED_MAX_COUNT) {
        reach->is_complete = false;
        return;
    }
    (void)map_add(&reach->digests, hex, NULL);
    if (may_be_document)
        (void)map_add(&reach->documents, hex, NULL);
}

static void note_all(struct reach *reach, const json_t *array, bool may_be_document)
{
    size_t i;
    json_t *item;
    json_array_foreach((json_t *)array, i, item) note(reach, item, may_be_document);
}

/* Follows one document: an index names manifests, a manifest a config and layers, either may name a subject. */
static void follow(struct reach *reach, const json_t *document)
{
    note_all(reach, json_object_get(document, "manifests"), true);
    note_all(reach, json_object_get(document, "layers"), false);
    note_all(reach, json_object_get(document, "blobs"), false);
    note(reach, json_object_get(document, "config"), false);
    note(reach, json_object_get(document, "subject"), true);
}

/* Reads a blob that may be a document. Absent (the spec allows it) or too big for one: nothing to follow. */
static void read_document(struct reach *reach, struct text hex)
{
    AUTO(auto_close_fd)
    int fd = openat(reach->layout->blobs_fd, hex.ptr, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    struct stat status;
    if (fd < 0 && errno != ENOENT && errno != ELOOP) {
        reach->is_complete = false; /* what it needs is not known */
        return;
    }
    if (fd < 0 || fstat(fd, &status) || !S_ISREG(status.st_mode) || status.st_size > (off_t)LAYOUT_DOCUMENT_MAX_BYTES)
        return;
    AUTO(view_done) struct view view = {0};
    struct err ignored = {0};
    struct digest expected, got;
    if (!digest_parse(hex, &expected) || !file_map_fd(fd, hex.ptr, &view, &ignored)) {
        reach->is_complete = false;
        return;
    }
    got = digest_of(view.ptr, view.len);
    if (!digest_eq(&got, &expected)) {
        reach->is_complete = false;
        return;
    }
    json_auto_t *document = json_loadb(view.ptr, view.len, JSON_ALLOW_NUL, NULL);
    follow(reach, document);
}

/* Finds all that the descriptors reach, breadth first. */
static void find_reach(struct reach *reach, const json_t *descriptors)
{
    reach->is_complete = true;
    reach->digests.arena = reach->documents.arena = reach->arena;
    note_all(reach, descriptors, true);
    for (size_t i = 0; i < reach->documents.slots.count; i++)
        read_document(reach, reach->documents.slots.items[i].key);
}

void layout_sweep(const struct layout *layout, const json_t *index, const json_t *replaced)
{
    AUTO(arena_done) struct arena arena = {0};
    struct reach dropped = {.layout = layout, .arena = &arena}, needed = {.layout = layout, .arena = &arena};
    if (layout->blobs_fd < 0 || !json_array_size(replaced))
        return;
    find_reach(&dropped, replaced);
    find_reach(&needed, json_object_get(index, "manifests"));
    if (!needed.is_complete)
        return;
    struct map kept = {.arena = &arena};
    for (size_t i = 0; i < needed.digests.slots.count; i++)
        (void)map_add(&kept, needed.digests.slots.items[i].key, &kept);
    AUTO(auto_close_fd) int beside = layout_open_beside(layout->fd);
    for (size_t i = 0; i < dropped.digests.slots.count; i++) {
        struct text hex = dropped.digests.slots.items[i].key;
        struct digest digest;
        if (map_get(&kept, hex))
            continue;
        (void)unlinkat(layout->blobs_fd, hex.ptr, 0);
        if (beside >= 0 && digest_parse(hex, &digest))
            layout_drop_beside(beside, &digest);
    }
}
