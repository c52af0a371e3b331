/* SPDX-License-Identifier: Apache-2.0 */
/* rebuild_parts.h - an image that is made again; private to cli/rebuild*.c and cli/verify*.c
 *
 * Threads: main only, one after the other.
 * Owns: all lives in the command's arena; `told` is the caller's to json_decref().
 */
#ifndef IMGFACTORY_CLI_REBUILD_PARTS_H
#define IMGFACTORY_CLI_REBUILD_PARTS_H

#include "bill/lock.h"
#include "cli/command.h"
#include "oci/layout_read.h"
#include "registry/reference.h"
#include "sbom/told.h"

#include <jansson.h>

/* What is known of how an image was made. */
struct rebuild_plan {
    bool is_rebuilt;                           /* it is wanted: layers are compared, too */
    bool is_known;                             /* a provenance or bills tell: */
    struct told_made made;                     /* else zeros */
    struct text lock;                          /* the document; empty: there is none */
    const char *lock_of;                       /* where it is from, for messages */
    struct text layer_plan;                    /* of its layers; empty: there was none */
    LIST(struct told_repository) repositories; /* and who signed them */
    struct layout_image image;                 /* its documents; its layers are in the cache */
    bool is_stranger;                          /* nobody that is known says what is said here of the image */
    bool is_local;                             /* it lies on this machine; else: */
    struct reference reference;
    struct strings arches; /* of orders, as the lock has them */
    const char *word;      /* what the build is asked for: a name, or the manifest's path; NULL: nothing is built */
    const char *vendor;    /* the vendor folder beside the image's layout; NULL: there is none */
    json_t *told;          /* what verify told, with --json; NULL: nothing */
};

enum rebuild_verdict { REBUILD_IDENTICAL, REBUILD_SAME_CONTENT, REBUILD_DIFFERENT };

struct rebuild_result {
    enum rebuild_verdict verdict;
    struct strings lines; /* what differs, or how it was compressed */
};

/* Writes what the build takes (lock, source) into a folder, and sets the command's options for it. */
bool rebuild_prepare(struct command *command, struct rebuild_plan *plan, const char *dir, struct err *err) MUST_CHECK;
/* The same for who looks at the lock's indices alone: no manifest is needed. */
bool rebuild_prepare_lock(struct command *command, struct rebuild_plan *plan, const char *dir,
                          struct err *err) MUST_CHECK;
/* Compares the image with the layout that the build made in the folder. */
bool rebuild_compare(struct command *command, const struct rebuild_plan *plan, const char *dir,
                     struct rebuild_result *ret_result, struct err *err) MUST_CHECK;

/* Publishes that it came out so, signed by the command's signers, and attached to the image (sbom/attest.h). *ret_count: how many artifacts
 * were made; 0: all are there. */
bool rebuild_publish(struct command *command, const struct rebuild_plan *plan, const struct rebuild_result *result,
                     size_t *ret_count, struct err *err) MUST_CHECK;

#endif
