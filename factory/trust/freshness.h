/* SPDX-License-Identifier: Apache-2.0 */
/* freshness.h - how old a repository's metadata may get: a warning by kind of suite, an error by `max-age`
 *
 * Many Releases have no Valid-Until (Debian's stable suites), and no repomd.xml has one: a mirror that stands still, or
 * somebody who replays what is not older than the last, shows by nothing but age.
 * Threads: any.
 */
#ifndef IMGFACTORY_TRUST_FRESHNESS_H
#define IMGFACTORY_TRUST_FRESHNESS_H

#include "plan/yaml.h"
#include "trust/release_state.h"

/* After how many days without newer metadata a warning is due. Of a format's rules the first that fits counts; the last
 * fits all. */
struct freshness_rule {
    const char *origin, *name; /* patterns (glob(7)); NULL: any */
    unsigned days;             /* 0: never */
};

/* What a repository is, for the kind of its suite. */
struct freshness_subject {
    const struct freshness_rule *rules; /* of its format */
    const char *what, *uri;             /* "Release" or "repomd.xml"; the mirror, for messages */
    const char *origin;                 /* or NULL */
    const char *names[4]; /* Debian: suite asked for, Suite, Codename, Label; RPM: the id; NULL for none */
    int64_t date;
};

/* After how many days without newer metadata a warning is due; 0: never. */
unsigned freshness_days(const struct repository *repository, const struct freshness_subject *subject);
/* Logs the warning when it is due. None when the source file has a max-age, or is told not to check Valid-Until. */
void freshness_warn(const struct source_env *env, const struct repository *repository,
                    const struct freshness_subject *subject);
/* Checks the key max-age of a source file: days, from 1 to 36500 when given. */
bool freshness_check_key(const struct yaml_node *node, uint64_t days, struct err *err) MUST_CHECK;
/* Refuses (ERR_TRUST) what is older than the repository's max-age. */
bool freshness_check_age(const struct source_env *env, struct arena *arena, const struct repository *repository,
                         const struct dated *dated, struct err *err) MUST_CHECK;

#endif
