/* SPDX-License-Identifier: Apache-2.0 */
/* What hangs on an image of a layout: index.json lists artifacts without a tag, as oras writes them, and signatures under theirs. */
#include "oci/cargo.h"

#include "base/auto.h"
#include "oci/layout_parts.h"

/* An entry of index.json that may hang on something. */
struct entry {
    struct layout_blob blob;
    const char *tag;       /* NULL: none */
    struct digest subject; /* of one without a tag */
    bool has_subject;
};

struct listed {
    struct layout layout;
    struct arena arena;
    const char *prefix;
    LIST(struct entry) entries;
};

static void close_listed(struct listed *listed)
{
    layout_close(&listed->layout);
    arena_done(&listed->arena);
}

static void read_subject(const struct listed *listed, struct entry *entry)
{
    AUTO(arena_done) struct arena scratch = {0};
    json_auto_t *json = NULL;
    struct text bytes;
    struct layout_blob subject;
    struct err none = {0};
    entry->has_subject =
        layout_read_document(&listed->layout, &scratch, &entry->blob.digest, &bytes) &&
        layout_json_parse(bytes, 0, "an artifact", &json, &none) &&
        layout_descriptor_read(&scratch, json_object_get(json, "subject"), UINT64_MAX, &subject, &none);
    if (entry->has_subject)
        entry->subject = subject.digest;
}

/* Lists the entries; those without a tag are looked into. */
static bool list_entries(struct listed *listed, struct err *err)
{
    json_auto_t *index = NULL;
    const json_t *item;
    size_t i;
    if (!layout_index_read(&listed->layout, &index, err))
        return false;
    json_array_foreach(json_object_get(index, "manifests"), i, item)
    {
        struct entry entry = {.tag = arena_strdup(&listed->arena, layout_index_tag(item))};
        if (!layout_descriptor_read(&listed->arena, item, LAYOUT_DOCUMENT_MAX_BYTES, &entry.blob, err)) {
            err_wrap(err, "%s/index.json", listed->layout.path);
            return false;
        }
        if (!entry.tag)
            read_subject(listed, &entry);
        list_add(&listed->arena, &listed->entries, entry);
    }
    return true;
}

static bool list(void *context, struct arena *arena, const struct digest *subject, struct digest **ret_digests,
                 size_t *ret_count, struct err *err)
{
    const struct listed *listed = context;
    (void)err;
    *ret_count = 0;
    *ret_digests = arena_new_array(arena, struct digest, listed->entries.count + 1);
    for (size_t i = 0; i < listed->entries.count; i++) {
        const struct entry *entry = &listed->entries.items[i];
        if (entry->has_subject && digest_eq(&entry->subject, subject))
            (*ret_digests)[(*ret_count)++] = entry->blob.digest;
    }
    return true;
}

static const struct entry *find(const struct listed *listed, struct arena *arena, const struct digest *digest,
                                const char *tag)
{
    const char *name = tag ? arena_printf(arena, "%s%s", listed->prefix, tag) : NULL;
    for (size_t i = 0; i < listed->entries.count; i++) {
        const struct entry *entry = &listed->entries.items[i];
        if (tag ? entry->tag && strcmp(entry->tag, name) == 0 : digest_eq(&entry->blob.digest, digest))
            return entry;
    }
    return NULL;
}

static bool get(void *context, struct arena *arena, const struct digest *digest, const char *tag,
                struct cargo_document *ret_document, struct err *err)
{
    const struct listed *listed = context;
    const struct entry *entry = find(listed, arena, digest, tag);
    ret_document->is_found = entry != NULL;
    if (!entry)
        return true;
    ret_document->blob = entry->blob;
    ret_document->blob.media_type = arena_strdup(arena, entry->blob.media_type); /* the list ends before the cargo */
    if (layout_read_document(&listed->layout, arena, &entry->blob.digest, &ret_document->bytes) &&
        ret_document->bytes.len == entry->blob.size_bytes)
        return true;
    err_set(err, ERR_TRUST, "sha256:%s is missing or has other bytes than its name says",
            digest_hex(&entry->blob.digest).chars);
    return false;
}

bool cargo_gather_layout(const struct layout_image *image, const char *prefix, const struct lock_wait *wait,
                         struct log *log, struct cargo *ret_cargo, struct err *err)
{
    AUTO(close_listed)
    struct listed listed = {.layout = {.path = image->dir, .wait = wait, .fd = -1, .lock_fd = -1, .blobs_fd = -1},
                            .prefix = prefix};
    struct cargo_source source = {list, get, &listed, log, image->dir};
    *ret_cargo = (struct cargo){0};
    return layout_open_to_read(&listed.layout, err) && list_entries(&listed, err) &&
           cargo_gather(&source, image, ret_cargo, err);
}
