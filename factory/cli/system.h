/* SPDX-License-Identifier: Apache-2.0 */
/* system.h - imgfactory system: system containers on a host (system/system_place.h) and their lint
 *
 * What has to do with the host is done before readers are confined, or by the keeper: opening it, its lock, writing.
 * Images are read by confined threads, as everywhere.
 * Threads: main only.
 */
#ifndef IMGFACTORY_CLI_SYSTEM_H
#define IMGFACTORY_CLI_SYSTEM_H

#include "cli/remote_parts.h"
#include "system/system_install.h"

enum system_verb { SYSTEM_LINT, SYSTEM_INSTALL, SYSTEM_UPDATE, SYSTEM_ROLLBACK, SYSTEM_UNINSTALL, SYSTEM_LIST };
/* Their words, in the order of the enum. */
extern const struct command_verb system_verbs[];

/* One call. */
struct system_call {
    struct command *command;
    enum system_verb verb;
    const char *name;  /* of the container */
    const char *image; /* as it is remembered; NULL: only a tree is run */
    struct system_place place;
    struct system_versions versions;
    struct system_values set;
    const char *rootfs; /* the tree that is run, as config.json says it, or NULL */
};

/* Reads the words, and does all that needs no image: *ret_is_done. Else the command's words become the verb and the
 * image. */
bool system_call_begin(struct command *command, struct system_call *ret_call, bool *ret_is_done,
                       struct err *err) MUST_CHECK;
/* Does what needs an image. */
bool system_call_image(struct remote *remote, struct err *err) MUST_CHECK;
/* Closes what it holds. For AUTO(). */
void system_call_end(struct system_call *call);
/* What /exports says of each manifest of an image, as JSON for inspect: files, variables, which can be set; NULL where its
 * labels do not say that it is a system container. `from` is where the layers come from; NULL: the image is on this
 * machine. The caller owns what is listed. */
bool system_describe(struct remote *remote, const struct layout_image *image, const struct remote_image *from,
                     json_t ***ret_exports, struct err *err) MUST_CHECK;

#endif
