/* SPDX-License-Identifier: Apache-2.0 */
/* base_rules.h - what is asked of the signatures of bases: of each what the policy.json that podman goes by says of it
 *
 * Read before threads are confined, since a policy names files of keys anywhere.
 * Threads: written by main while nothing runs, then const.
 * Owns: the keys, until base_rules_close().
 */
#ifndef IMGFACTORY_LINE_BASE_RULES_H
#define IMGFACTORY_LINE_BASE_RULES_H

#include "sign/rule.h"

struct base_rule {
    const char *base; /* as a manifest names it */
    struct reference reference;
    struct rules rules;
};

struct base_rules {
    LIST(struct base_rule) items;
};

/* Reads what the machine's policy says of a base in a registry, once for each; nothing where there is no policy. ERR_USAGE. */
bool base_rules_add(struct base_rules *rules, struct arena *arena, const char *base, struct err *err) MUST_CHECK;
/* Returns what is asked of a base; NULL: nothing. */
const struct base_rule *base_rules_find(const struct base_rules *rules, const char *base);
/* Frees the keys. */
void base_rules_close(struct base_rules *rules);

#endif
