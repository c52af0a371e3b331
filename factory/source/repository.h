/* SPDX-License-Identifier: Apache-2.0 */
/* repository.h - what is the same of a repository in every format: who it is, and how far it is trusted
 *
 * Threads: const for all.
 */
#ifndef IMGFACTORY_SOURCE_REPOSITORY_H
#define IMGFACTORY_SOURCE_REPOSITORY_H

#include <stdbool.h>
#include <stdint.h>

struct repository {
    const char *name;            /* for messages, without user info */
    const char *uri;             /* the first that is configured; with the next it names the repository in the state */
    const char *suite;           /* "bookworm"; of formats without suites the name of what is dated */
    const char *place;           /* "FILE:LINE" where it was configured */
    uint64_t max_age_days;       /* older metadata is refused; 0: none is for its age */
    bool is_trusted;             /* nobody's signature is asked for */
    bool is_valid_until_ignored; /* it may be taken after the time that it says itself */
    bool is_optional;            /* a third party's */
};

#endif
