/* SPDX-License-Identifier: Apache-2.0 */
/* found.h - the signatures that a registry has of one manifest, and by which of some keys each was made
 *
 * Bundles count when their statement is cosign's of a signature (envelope.h) and names the manifest: other statements by the same key
 * are no signature of the image. The older form counts when its payload names the manifest; what it says of the image's name is for
 * rule.h. Whatever cannot be read, is too big or about something else counts as foreign: anybody who may push can put it there.
 * Threads: blocks.
 * Owns: what is found lives in the arena given.
 * Fails with: as registry.h.
 */
#ifndef IMGFACTORY_SIGN_FOUND_H
#define IMGFACTORY_SIGN_FOUND_H

#include "registry/registry.h"
#include "sign/sign_key.h"

#define FOUND_MAX_COUNT ((size_t)256) /* of each form that are read of one manifest */

#define FOUND_ROOM_BYTES ((uint64_t)256 << 20) /* of documents of one image that are kept */

/* Keys to check with, borrowed. */
struct found_keys {
    const struct sign_key *const *items;
    size_t count;
};

/* What is looked for. */
struct found_wish {
    struct found_keys keys;
    _Atomic uint64_t
        *room; /* bytes of documents that may still be kept, shared by all manifests; NULL: none are wanted */
};

/* A document about the manifest. */
struct found_document {
    const char *predicate; /* the statement's; NULL: it is no statement, but what `type` says */
    const char *type;      /* of its artifact: a bundle's, in-toto's, SPDX's, CycloneDX's */
    struct text text;      /* the statement or document */
    bool is_signed;        /* by one of the keys: */
    size_t key;
};

struct found_signature {
    bool is_bundle;
    size_t key;            /* which of the keys made it */
    const char *reference; /* not of a bundle: what the image is called in it */
};

struct found {
    LIST(struct found_signature) ours; /* by one of the keys, about this manifest */
    size_t bundle_count, simple_count; /* all that are there */
    size_t foreign_count;              /* of these: by none of the keys, not to be read, or not about this manifest */
    struct strings predicates; /* the types of all statements in bundles, each once: nothing of them is proved */
    LIST(struct found_document) documents;
    size_t left_out_count; /* documents for which there was no room */
    LIST(struct digest)
    broken; /* artifacts of a known type that are not there, not whole, or other bytes than their digest's */
};

/* Looks for them. */
bool found_read(struct registry *registry, struct arena *arena, const struct digest *subject,
                const struct found_wish *wish, struct found *ret_found, struct err *err) MUST_CHECK;

#endif
