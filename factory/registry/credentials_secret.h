/* SPDX-License-Identifier: Apache-2.0 */
/* credentials_secret.h - strings that are wiped before they are freed (part of credentials.h)
 *
 * Threads: no state.
 */
#ifndef IMGFACTORY_REGISTRY_CREDENTIALS_SECRET_H
#define IMGFACTORY_REGISTRY_CREDENTIALS_SECRET_H

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

/* Allocates `bytes` zeroed bytes outside of any arena. */
static inline char *secret_alloc(size_t bytes)
{
    char *secret = calloc(1, bytes);
    if (!secret)
        memory_abort(bytes);
    return secret;
}

/* Copies a NUL-terminated string. */
static inline char *secret_dup(const char *string)
{
    size_t len = strlen(string);
    return memcpy(secret_alloc(len + 1), string, len);
}

/* Wipes and frees the string that `secret` points at; NULL is fine. For AUTO() on `char *`. */
static inline void secret_done(char **secret)
{
    if (*secret)
        explicit_bzero(*secret, strlen(*secret));
    free(*secret);
    *secret = NULL;
}

/* Wipes all that a buffer ever held, and frees it. For AUTO(). */
static inline void secret_buf_done(struct buf *buf)
{
    if (buf->bytes)
        explicit_bzero(buf->bytes, buf->capacity);
    buf_done(buf);
}

#endif
