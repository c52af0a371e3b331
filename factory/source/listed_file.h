/* SPDX-License-Identifier: Apache-2.0 */
/* listed_file.h - a file that signed metadata list: from any mirror, each byte checked by checksum and size
 *
 * Debian's indices (release_fetch.c) and those of RPM-MD (rpm_metadata_fetch.c) come this way.
 * Threads: any; blocks on the network.
 * Fails with: ERR_NETWORK, ERR_TRUST, ERR_MALFORMED, ERR_LOCAL; texts begin with the file's name. Other bytes than those that are listed are
 * ERR_TRUST where the URL names its bytes (by-hash), else the mirror may be in the middle of an update: ERR_NETWORK (generations.h).
 */
#ifndef IMGFACTORY_SOURCE_LISTED_FILE_H
#define IMGFACTORY_SOURCE_LISTED_FILE_H

#include "base/checksum.h"
#include "io/file.h"
#include "source/env.h"

struct listed_file {
    const char *name;                /* for messages: "main/binary-amd64/Packages.xz of bookworm of http://…" */
    const char *path;                /* as it is listed; its ending tells how it is compressed */
    const struct digest *generation; /* of the metadata that list it */
    struct strings urls;             /* where it may be, first choice first */
    struct checksum checksum;        /* of the file as it comes */
    bool is_size_known;
    uint64_t size_bytes, max_bytes; /* more than max_bytes is refused */
    /* Of the plain file, by what the metadata say of it: */
    bool is_plain_size_known;
    uint64_t plain_bytes, plain_max_bytes;
    const struct checksum *plain_checksum; /* NULL: they do not say */
};

/* Lists the URLs of one file of a repository: each of `paths` below the mirror that gave the metadata (`first`, ending in
 * '/'), then below the others of `mirrors`. */
struct strings listed_file_urls(struct arena *arena, const char *first, const struct strings *mirrors,
                                const struct strings *paths);
/* Maps the file as it is, fetching it when the store lacks it. The caller calls view_done(). */
bool listed_file_map(const struct source_env *env, const struct listed_file *file, struct view *ret_view,
                     struct err *err) MUST_CHECK;
/* Gives the bytes of the plain file; an empty one is not asked for, since repositories list empty files that they do not
 * carry. The caller calls buf_done(). */
bool listed_file_read(const struct source_env *env, const struct listed_file *file, struct buf *ret_plain,
                      struct err *err) MUST_CHECK;

#endif
