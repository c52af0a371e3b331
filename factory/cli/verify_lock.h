/* SPDX-License-Identifier: Apache-2.0 */
/* verify_lock.h - the lock of an image, held against the signed metadata that it names; private to cli/rebuild.c
 *
 * Signed files and indices come from the cache, the folder of --vendor, mirrors that have them still, or the source's `snapshot:` places.
 * Their signatures are verified as in a build. What the lock says of generations and of what they list has to be so, and each of its
 * packages for the architectures of the image has to stand in an index. What cannot be had here, a key among it, is no lie: it is told.
 * Threads: main only, once per process: the calling thread is confined (confinement.h).
 * Owns: strings live in the command's arena.
 * Fails with: ERR_CANCELLED, ERR_LOCAL (no folder to work in); what is not so is in the result.
 */
#ifndef IMGFACTORY_CLI_VERIFY_LOCK_H
#define IMGFACTORY_CLI_VERIFY_LOCK_H

#include "cli/rebuild_parts.h"

struct verify_lock {
    const char *from;            /* where the lock is from; NULL: there is none */
    struct strings repositories; /* whose signatures hold: "trixie of http://… (2026-11-29), signed by FINGERPRINT" */
    size_t package_count;        /* that stand in their indices; of each architecture by itself */
    struct strings unverified;   /* sentences */
    const char *why;             /* what is not so; NULL: nothing */
};

/* Holds the lock of the plan; `dir` is an empty folder for it. */
bool verify_lock(struct command *command, struct rebuild_plan *plan, const char *dir, struct verify_lock *ret_result,
                 struct err *err) MUST_CHECK;

#endif
