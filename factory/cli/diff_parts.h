/* SPDX-License-Identifier: Apache-2.0 */
/* diff_parts.h - private to cli/diff*.c: what a call of `diff` works with
 *
 * Threads: main only.
 */
#ifndef IMGFACTORY_CLI_DIFF_PARTS_H
#define IMGFACTORY_CLI_DIFF_PARTS_H

#include "change/libraries.h"
#include "change/stories.h"
#include "cli/diff.h"
#include "cli/image_word.h"

#include <jansson.h>

enum diff_form { DIFF_TEXT, DIFF_MARKDOWN, DIFF_JSON };

/* One of two images that are compared. */
struct diff_end {
    const char *name;
    const struct layout_image *image; /* NULL: there is none, or a lock file tells of it */
    const struct digest *digest;      /* of the image, or the lock file's checksum; NULL: there is no image */
    struct registry *registry;        /* where its layers are; NULL: it lies in a layout, or all is in the cache */
};

/* Two images that are compared; of one of them there may be none. */
struct compared {
    const char *name; /* of both, in two folders; NULL: each has its own */
    struct diff_end before, after;
    LIST(struct change) changes; /* one for each platform */
    LIST(struct change_side *) sides;
    bool is_same;
};

/* A call of the command. */
struct differ {
    struct remote *remote;
    struct arena *arena;
    const struct options *options;
    enum diff_form form;
    struct image_opener opener;
    struct store *store; /* NULL: there is none */
    struct stories stories;
    struct libraries libraries;
    size_t same_count, other_count; /* images that were compared */
    json_t *report;
};

/* Compares two images platform by platform. Fails only when it was interrupted: what cannot be read is noted. */
bool diff_compare(struct differ *differ, struct compared *compared, struct err *err) MUST_CHECK;
/* Closes what compared images hold. */
void diff_compare_done(struct compared *compared);
/* Returns whether a word of the command line is a lock file. */
bool diff_is_lock(const char *word);
/* Compares what the command's words, of which one at least is a lock file, took for each image. Fails with: as bill/lock.h; ERR_USAGE
 * (the other is none). */
bool diff_locks(struct differ *differ, struct err *err) MUST_CHECK;
/* Prints two compared images, or adds them to the JSON report; counts them. */
void diff_report(struct differ *differ, const struct compared *compared);
/* Prints the JSON report. */
void diff_print_json(const struct differ *differ);

#endif
