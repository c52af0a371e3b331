/* SPDX-License-Identifier: Apache-2.0 */
/* small_file.h - files that lead to all others (Release, repomd.xml, metalinks, keys): fetched whole, kept as blobs
 *
 * Threads: any; small_file_get() blocks on the network.
 * Fails with: ERR_NETWORK, ERR_TRUST (certificates), ERR_MALFORMED past the cap, ERR_LOCAL.
 */
#ifndef IMGFACTORY_TRUST_SMALL_FILE_H
#define IMGFACTORY_TRUST_SMALL_FILE_H

#include "source/env.h"

/* How patient one is: a transient fault is not tried again; another mirror will be asked when this one is slow. */
struct small_file_haste {
    bool is_tried_once, is_other_there;
};
/* Gets a file of at most cap_bytes. Where the server said of which version it was when it was got last, it is asked
 * whether there is another one (ETag, If-Modified-Since); the bytes of then, hashed as any of the store, count as got.
 * *ret_absent tells that the server answered that there is none. The caller calls buf_done(). */
bool small_file_get(const struct source_env *env, const char *url, uint64_t cap_bytes, struct small_file_haste haste,
                    struct buf *ret_body, bool *ret_absent, struct err *err) MUST_CHECK;
/* Keeps bytes as a blob of the store unless they are there. */
bool small_file_keep(const struct source_env *env, const struct buf *bytes, struct digest *ret_digest,
                     struct err *err) MUST_CHECK;
/* Takes a blob out of the store again; `name` says what it is ("bookworm of …: its last accepted Release"). Not there:
 * ERR_NETWORK. The caller calls buf_done(). */
bool small_file_recall(const struct source_env *env, const char *name, const struct digest *digest, size_t cap_bytes,
                       struct buf *ret_bytes, struct err *err) MUST_CHECK;

#endif
