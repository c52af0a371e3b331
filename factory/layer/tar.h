/* SPDX-License-Identifier: Apache-2.0 */
/* tar.h - a deterministic tar stream of a tree (POSIX ustar, IEEE 1003.1 pax records only where ustar cannot hold a
 * value)
 *
 * Names without leading "/" or "./", directories end in '/', numeric owners (uname and gname empty), mtime in whole
 * seconds. Members come in the tree's order; of a file and its hard links the first carries the bytes (and the file's
 * owner, mode, time and capability), the others link to it, so that a link never precedes its target.
 * Threads: one writer, one thread.
 * Fails with: what the sink fails with; ERR_TRUST when a file's bytes differ from its node's digest (a damaged cache
 * entry); ERR_MALFORMED for a whiteout name (.wh.*: it would delete instead of create); ERR_INTERNAL for a tree that
 * is none: a path twice, a hard link to what is not a file.
 */
#ifndef IMGFACTORY_LAYER_TAR_H
#define IMGFACTORY_LAYER_TAR_H

#include "layer/tar_header.h"
#include "tree/tree.h"

/* Takes the next bytes of the stream: pieces of 64 KiB to 256 KiB but for the last, for those around a large file, and in
 * front of what member() and file() are told. */
typedef bool tar_sink(void *sink, const void *bytes, size_t len, struct err *err);

/* Who takes a tar, and may want to know where members and files' bytes begin. */
struct tar_receiver {
    tar_sink *write; /* takes all but what file() takes */
    /* Is told of a member when its header has been written, and nothing behind it. NULL: nobody asks. */
    bool (*member)(void *sink, const struct tar_member *member, struct err *err);
    /* Takes all bytes of a file that has at least file_least_bytes and one, and tells their digest; what is in front of them
     * has been written. NULL: write() takes all files. */
    bool (*file)(void *sink, const struct node *node, struct digest *ret_digest, struct err *err);
    uint64_t file_least_bytes;
    void *sink;
};

/* Writes the whole tree and the end of the archive (two zero blocks, no further padding). */
bool tar_write(const struct tree *tree, const struct tar_receiver *receiver, struct err *err) MUST_CHECK;
/* Returns whether a file's bytes were found to be those of its digest when its package was opened, and need not be hashed again. */
bool tar_is_vouched(const struct node *node);
/* Hashes, after all is written, the files of packages whose file in the cache changed in the meantime. */
bool tar_check_files(const struct tree *tree, struct err *err) MUST_CHECK;
/* Tells how many bytes tar_write() will give, without looking at any file's bytes. */
bool tar_size(const struct tree *tree, uint64_t *ret_bytes, struct err *err) MUST_CHECK;

#endif
