/* SPDX-License-Identifier: Apache-2.0 */
/* release_trust.h - whether a Release may be believed
 *
 * Threads: any.
 * Fails with: ERR_TRUST, ERR_LOCAL.
 */
#ifndef IMGFACTORY_DEB_RELEASE_TRUST_H
#define IMGFACTORY_DEB_RELEASE_TRUST_H

#include "deb/release.h"

enum release_form {
    RELEASE_INLINE,   /* InRelease */
    RELEASE_DETACHED, /* Release and Release.gpg */
    RELEASE_BARE,     /* Release alone */
};

/* A Release as it was fetched; bytes are borrowed. */
struct release_bytes {
    enum release_form form;
    const char *url; /* for messages */
    struct text file, signature;
};

/* Checks shape and signature by the repository's keys and gives the signed text and the key's fingerprint (NULL when
 * the repository is trusted without a signature), both in the arena. gpgv's good verdict is kept in the store for a
 * day, named by all that it was made from. */
bool release_trust(const struct source_env *env, struct arena *arena, const struct deb_repository *repository,
                   const struct release_bytes *bytes, struct text *ret_text, const char **ret_signed_by,
                   struct err *err) MUST_CHECK;

#endif
