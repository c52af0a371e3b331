/* SPDX-License-Identifier: Apache-2.0 */
/* image_maker.h - made-up image documents in memory, for tests of what reads images
 *
 * A struct maker holds documents by digest and hands them out as layout_image_parse() wants them.
 */
#ifndef IMGFACTORY_TESTS_IMAGE_MAKER_H
#define IMGFACTORY_TESTS_IMAGE_MAKER_H

#include "check.h"

#include "oci/layout_read.h"
#include "oci/oci.h"

#include <errno.h>

struct maker {
    struct arena arena;
    LIST(struct made) documents;
    size_t asked_count; /* how many documents were asked for */
    const struct layout_wanted *wanted;
    bool is_gone; /* what it has not is a fault of this machine */
};

struct made {
    struct layout_blob blob;
    struct text bytes;
};

/* Adds a document. */
static inline struct layout_blob make_document(struct maker *maker, const char *media_type, const char *text)
{
    struct made made = {.bytes = text_of(arena_strdup(&maker->arena, text))};
    made.blob = (struct layout_blob){digest_of(text, strlen(text)), strlen(text), media_type};
    list_add(&maker->arena, &maker->documents, made);
    return made.blob;
}

/* Prints a descriptor; `more` are further members with a leading comma. */
static inline const char *make_descriptor(struct maker *maker, struct layout_blob blob, const char *more)
{
    return arena_printf(&maker->arena, "{\"mediaType\":\"%s\",\"digest\":\"sha256:%s\",\"size\":%ju%s}",
                        blob.media_type, digest_hex(&blob.digest).chars, (uintmax_t)blob.size_bytes, more);
}

/* Adds a manifest over a config and layer descriptors (without brackets); `more` as above. */
static inline struct layout_blob make_manifest(struct maker *maker, const char *media_type, struct layout_blob config,
                                               const char *layers, const char *more)
{
    return make_document(maker, media_type,
                         arena_printf(&maker->arena,
                                      "{\"schemaVersion\":2,\"mediaType\":\"%s\",\"config\":%s,\"layers\":[%s]%s}",
                                      media_type, make_descriptor(maker, config, ""), layers, more));
}

/* Adds an index over manifest descriptors. */
static inline struct layout_blob make_index(struct maker *maker, const char *media_type, const char *manifests,
                                            const char *more)
{
    return make_document(maker, media_type,
                         arena_printf(&maker->arena, "{\"schemaVersion\":2,\"mediaType\":\"%s\",\"manifests\":[%s]%s}",
                                      media_type, manifests, more));
}

static inline bool maker_get(void *source, const struct layout_blob *blob, struct text *ret_bytes, bool *ret_is_absent,
                             struct err *err)
{
    struct maker *maker = source;
    maker->asked_count++;
    for (size_t i = 0; i < maker->documents.count; i++) {
        if (digest_eq(&maker->documents.items[i].blob.digest, &blob->digest)) {
            *ret_bytes = maker->documents.items[i].bytes;
            return true;
        }
    }
    if (maker->is_gone) {
        err_set_errno(err, ENOENT, "the test's machine has no folder for sha256:%s", digest_hex(&blob->digest).chars);
        return false;
    }
    err_set(err, ERR_LOCAL, "the test has no document sha256:%s", digest_hex(&blob->digest).chars);
    *ret_is_absent = true;
    return false;
}

/* Parses the image under a root document that was made. */
static inline bool maker_parse(struct maker *maker, struct layout_blob root, struct layout_image *ret_image,
                               struct err *err)
{
    struct text bytes = {0};
    for (size_t i = 0; i < maker->documents.count; i++) {
        if (digest_eq(&maker->documents.items[i].blob.digest, &root.digest))
            bytes = maker->documents.items[i].bytes;
    }
    maker->asked_count = 0;
    struct layout_source source = {maker_get, maker, maker->wanted};
    return layout_image_parse(&maker->arena, &root, bytes, &source, ret_image, err);
}

static inline int maker_set_up(void **state)
{
    *state = calloc(1, sizeof(struct maker));
    return *state ? 0 : -1;
}

static inline int maker_tear_down(void **state)
{
    struct maker *maker = *state;
    arena_done(&maker->arena);
    free(maker);
    return 0;
}

#endif
