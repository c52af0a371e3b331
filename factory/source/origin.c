/* SPDX-License-Identifier: Apache-2.0 */
#include "source/origin.h"

#include "base/auto.h"

const char *origin_identity(const struct origin *origin)
{
    return origin->identity ? origin->identity : origin->name;
}

void origins_feed(const struct origins *origins, struct digest_stream *stream)
{
    AUTO(arena_done) struct arena scratch = {0};
    for (size_t i = 0; i < origins->count; i++) {
        const struct origin *origin = &origins->items[i];
        const char *uri = origin->uri ? source_public_uri(&scratch, origin->uri) : "";
        digest_feed(stream, origin->name, strlen(origin->name) + 1);
        digest_feed(stream, uri, strlen(uri) + 1);
    }
}
