/* tar.h - a deterministic tar stream of a tree (POSIX ustar, IEEE 1003.1 pax records only where ustar cannot hold a value)
 *
 * Names without leading "/" or "./", directories end in '/', numeric owners (uname and gname empty), mtime in whole seconds.
 * Threads: one writer, one thread.
 * Fails with: what the sink fails with; ERR_TRUST when a file's bytes differ from its node's digest (a damaged cache entry).
 */
#ifndef IMGFACTORY_IMAGE_TAR_H
#define IMGFACTORY_IMAGE_TAR_H

#include "content/tree.h"

/* Takes the next bytes of the stream. */
typedef bool tar_sink(void *sink, const void *bytes, size_t len, struct err *err);

/* Writes the whole tree and the end of the archive (two zero blocks, no further padding). */
bool tar_write(const struct tree *tree, tar_sink *write, void *sink, struct err *err) MUST_CHECK;

#endif
