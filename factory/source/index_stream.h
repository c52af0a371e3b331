/* index_stream.h - a big listed file of a repository, decompressed piece by piece
 *
 * As release_fetch(), for files whose plain text shall never be in memory as a whole (Contents: 150 to 520 MB).
 * Threads: index_stream_fetch() blocks on the network (coordinating threads); index_stream_read() only computes
 * (workers). Fails with: ERR_NETWORK, ERR_TRUST (other bytes than listed), ERR_MALFORMED, ERR_LOCAL.
 */
#ifndef IMGFACTORY_SOURCE_INDEX_STREAM_H
#define IMGFACTORY_SOURCE_INDEX_STREAM_H

#include "source/release.h"

/* Takes the next piece; false (err is set) ends the reading. */
typedef bool index_stream_take(void *taker, struct text piece, struct err *err);

/* Maps the listed file (`listed_name` with its ending, as release_find() gave it), fetching it when the store lacks it.
 * The caller calls view_done(). */
bool index_stream_fetch(const struct source_env *env, const struct release *release, const char *listed_name,
                        const struct release_file *listed, struct view *ret_view, struct err *err) MUST_CHECK;
/* Decompresses; at most cap_bytes come out. `name` is for messages, its ending names the compression. */
bool index_stream_read(const char *name, const struct view *view, uint64_t cap_bytes, index_stream_take *take,
                       void *taker, struct err *err) MUST_CHECK;

#endif
