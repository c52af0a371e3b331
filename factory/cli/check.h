/* SPDX-License-Identifier: Apache-2.0 */
/* check.h - imgfactory check: the proof over a directory, an OCI layout or a pulled image, and its report
 *
 * Exit status as the kinds of errors: 0 everything can start; 5 (ERR_RESOLVE) something is missing, all of which is listed;
 * 4 (ERR_MALFORMED) a layer that is broken or hostile; else as for the other commands.
 * Threads: main only; directories are checked on workers of its own.
 */
#ifndef IMGFACTORY_CLI_CHECK_H
#define IMGFACTORY_CLI_CHECK_H

#include "cli/wanted.h"
#include "io/store.h"

/* Checks root directories, several at a time, and reports them in the order given. */
bool check_dirs(struct command *command, const struct wanted *wanted, const struct strings *paths,
                struct err *err) MUST_CHECK;
/* An image that is to be checked. */
struct checked_image {
    const char *name;
    const struct layout_image *image;
    struct store *store; /* of a pulled image: where its layers are; else NULL */
    const char *layout;  /* of a layout: its directory, which may have bills; else NULL */
};

/* Checks all images of a layout, or of a pulled image. What the bill beside one says to be unloadable is a note. */
bool check_image(struct command *command, const struct wanted *wanted, const struct checked_image *checked,
                 struct err *err) MUST_CHECK;

#endif
