/* SPDX-License-Identifier: Apache-2.0 */
/* stories.h - why packages changed: what their changelogs say between the two versions
 *
 * Packages of one source have one changelog, which is read out of any of them that the cache has (verified by the digest in
 * the bill), or else fetched from the URL in the bill, the smallest of them. One source's upgrade is read once, however many
 * images have it. What cannot be read is told, and is no failure.
 * Limits: 8 MiB of text of one changelog, 48 MiB of all that one call reads; 500 packages are fetched for this, of at most
 * 256 MiB each, and none any more once nobody answered for three of them.
 * Threads: the caller's.
 * Owns: what was read, until stories_done().
 */
#ifndef IMGFACTORY_CHANGE_STORIES_H
#define IMGFACTORY_CHANGE_STORIES_H

#include "change/change.h"
#include "change/picks.h"
#include "io/http.h"
#include "package/changelog.h"

/* The changelog of one source between two versions. */
struct story {
    const char *source;         /* name of the source package */
    const char *before, *after; /* its versions */
    bool is_back;               /* the second is the older one: the entries went */
    bool is_read;
    struct changelog changelog;
    struct picks picks;
    const char *why_not; /* it was not read */
};

/* A story as an image has it. */
struct change_story {
    const struct story *story;
    struct strings packages; /* of the source, that changed in this image */
};

/* Where stories come from. Zero-initialise, with .store and, where packages may be fetched, .http. */
struct stories {
    struct store *store;        /* NULL: nothing can be read */
    struct http *http;          /* NULL: no package is fetched */
    struct http *metadata_http; /* NULL: no list of advisories is fetched */
    struct arena arena;
    struct map known;   /* source and versions → struct story */
    struct map advised; /* a repository and packages → struct advised, read or not */
    size_t text_bytes;
    unsigned fetch_count, failed_count;
};

/* Tells of each source of packages that changed to another version; into change->stories. */
void stories_tell(struct arena *arena, struct stories *stories, struct change *change);
/* Tells of each advisory that the after side's repositories have of packages that changed; into change->advisories. */
void stories_advise(struct arena *arena, struct stories *stories, struct change *change);
/* Returns whether any of these packages of a change, those of a story or an advisory, gave files to the image, before or after. Of no
 * packages: whether the change is known. */
bool stories_are_given(const struct change *change, const struct strings *packages);
/* Frees. Accepts a zeroed one. For AUTO(). */
void stories_done(struct stories *stories);

#endif
