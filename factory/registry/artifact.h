/* SPDX-License-Identifier: Apache-2.0 */
/* artifact.h - a small document under a tag of a repository, as an artifact (OCI image-spec 1.1, manifest.md, "Guidelines
 * for Artifact Usage")
 *
 * The document is the config of the manifest and its only layer, of one media type, which is the artifactType, too: so
 * the repository needs no other blob. A document of up to ARTIFACT_INSIDE_MAX_BYTES stands in the layer's descriptor as
 * well (`data`: descriptor.md, "Embedded Content"), so that one request reads it. Written: upload (two requests), manifest.
 * Threads: blocks.
 * Fails with: as registry.h.
 */
#ifndef IMGFACTORY_REGISTRY_ARTIFACT_H
#define IMGFACTORY_REGISTRY_ARTIFACT_H

#include "oci/layout_read.h"
#include "registry/registry.h"

#define ARTIFACT_INSIDE_MAX_BYTES ((size_t)1024 * 1024)
#define ARTIFACT_MAX_BYTES ((size_t)4 * 1024 * 1024)

/* What a tag is at. */
enum artifact_found {
    ARTIFACT_ABSENT, /* nothing */
    ARTIFACT_OTHER,  /* something else: an image, another kind of artifact */
    ARTIFACT_BROKEN, /* an artifact of this type, but its document is not there or not whole */
    ARTIFACT_READ,
};

struct artifact {
    enum artifact_found found;
    struct digest digest; /* of the manifest, unless it is absent */
    struct text manifest; /* its bytes, unless it is absent */
    struct text document; /* when it was read */
};

/* Reads what `name` (a tag or "sha256:…") is at. All texts live in the arena. */
bool artifact_read(struct registry *registry, struct arena *arena, const char *name, const char *type,
                   struct artifact *ret_artifact, struct err *err) MUST_CHECK;
/* A document of at most ARTIFACT_MAX_BYTES for a tag, in place of `before`, what artifact_read() found there. */
struct artifact_put {
    const char *tag, *type;
    struct text document;
    const struct artifact *before;
};

/* Puts it there: *ret_lost with true when something else is there by now, as far as the registry looks at conditions. It is not
 * read back. */
bool artifact_write(struct registry *registry, const struct artifact_put *put, struct digest *ret_digest,
                    bool *ret_lost, struct err *err) MUST_CHECK;
/* Attaches a document to a manifest that is in the repository (`subject` of the given size and media type), findable from it:
 * upload (two requests), manifest, and registry_attach(). */
bool artifact_attach(struct registry *registry, const struct layout_blob *subject, const char *type,
                     struct text document, struct err *err) MUST_CHECK;
/* Finds the newest artifact of a type that is attached to a manifest, and reads it as artifact_read(); ARTIFACT_ABSENT when there is
 * none. */
bool artifact_read_attached(struct registry *registry, struct arena *arena, const struct digest *subject,
                            const char *type, struct artifact *ret_artifact, struct err *err) MUST_CHECK;
/* Returns whether the tag is at this manifest now. */
bool artifact_is_at(struct registry *registry, const char *tag, const struct digest *digest, bool *ret_is_it,
                    struct err *err) MUST_CHECK;

#endif
