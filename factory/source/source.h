/* SPDX-License-Identifier: Apache-2.0 */
/* source.h - where packages come from: the host's own configuration, or a source file (formats/sources.h reads both)
 *
 * Threads: made by main before other threads start, then const for all.
 */
#ifndef IMGFACTORY_SOURCE_SOURCE_H
#define IMGFACTORY_SOURCE_SOURCE_H

#include "base/text.h"

struct format;

struct source {
    const struct format *format;
    const char *name;       /* "host", or the file's path */
    const void *configured; /* what the format read: deb/deb_source.h, rpmmd/rpm_source.h */
};

/* Returns a URI without "user:password@", and "?…" in place of a query: what messages, logs and files may show. */
const char *source_public_uri(struct arena *arena, const char *uri);
/* Returns a URI without "user:password@" but with its query: to compare with, never to show. */
const char *source_bare_uri(struct arena *arena, const char *uri);
/* Adds the folder of this machine that a URI is of, if it is one; a path with a variable in it stands for what is above. NULL is fine. */
void source_add_local(struct arena *arena, const char *uri, struct strings *paths);

#endif
