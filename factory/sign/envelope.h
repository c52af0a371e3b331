/* SPDX-License-Identifier: Apache-2.0 */
/* envelope.h - signed statements: in-toto's in a DSSE envelope within a sigstore bundle, and cosign's older payload
 *
 * DSSE (secure-systems-lab/dsse, protocol.md): signed are the words "DSSEv1", lengths, type and payload. The bundle (sigstore
 * protobuf-specs, sigstore_bundle.proto, v0.3) has the envelope with exactly one signature and names the key by a hint; without log
 * entries and certificates, which a key does without. The statement of a signature alone is in-toto's v1 with cosign's
 * predicate type and no predicate. The older payload is "simple signing" (containers/image, docs/containers-signature.5.md).
 * All of it is a function of its input: the same bytes each time.
 * Threads: no state.
 * Owns: what is made or read lives in the arena given.
 */
#ifndef IMGFACTORY_SIGN_ENVELOPE_H
#define IMGFACTORY_SIGN_ENVELOPE_H

#include "base/digest.h"
#include "sign/sign_key.h"

#define ENVELOPE_BUNDLE_TYPE "application/vnd.dev.sigstore.bundle.v0.3+json"
#define ENVELOPE_STATEMENT_TYPE "application/vnd.in-toto+json" /* payloadType */
#define ENVELOPE_SIGNATURE_PREDICATE "https://sigstore.dev/cosign/sign/v1"
#define ENVELOPE_SIMPLE_TYPE "application/vnd.dev.cosign.simplesigning.v1+json"
#define ENVELOPE_SIMPLE_KEY "dev.cosignproject.cosign/signature"

/* What a bundle holds. */
struct envelope {
    const char *payload_type;
    struct text payload, signature;
};

/* Returns the bytes that are signed of a payload (PAE). */
struct text envelope_signed_bytes(struct arena *arena, const char *payload_type, struct text payload);
/* Makes the bundle; `key_id` as sign_key_id(). */
struct text envelope_bundle(struct arena *arena, const struct envelope *envelope, const struct digest *key_id);
/* Reads a bundle; false when it is none, of another version, or without exactly one signature. */
bool envelope_read(struct arena *arena, struct text bundle, struct envelope *ret_envelope) MUST_CHECK;
/* Returns whether the key signed it. */
bool envelope_is_by(const struct envelope *envelope, const struct sign_key *key);

/* Makes the statement that these digests are signed. */
struct text envelope_signature_statement(struct arena *arena, const struct digest *subjects, size_t count);
/* What a statement says besides its predicate. */
struct envelope_statement {
    const char *predicate_type;
    LIST(struct digest) subjects;
};
/* Reads it; false when it is no statement of in-toto, or names no digest. */
bool envelope_read_statement(struct arena *arena, struct text payload,
                             struct envelope_statement *ret_statement) MUST_CHECK;

/* Makes the older payload: that this digest is signed as `reference` ("host/repository:tag"). */
struct text envelope_simple(struct arena *arena, const char *reference, const struct digest *digest);
/* Reads one; false when it is none, as containers/image is strict about it. */
bool envelope_read_simple(struct arena *arena, struct text payload, const char **ret_reference,
                          struct digest *ret_digest) MUST_CHECK;

#endif
