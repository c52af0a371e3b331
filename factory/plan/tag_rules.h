/* SPDX-License-Identifier: Apache-2.0 */
/* tag_rules.h - what a site wants of its tags: how long a published digest stays (`keep`), and which tags never move
 *
 * An entry of `tags:` is a template, or a mapping {tag, keep, immutable}. factory/registry/prune.md describes what follows.
 * Threads: no state.
 * Owns: nothing; texts live in the arena given.
 * Fails with: ERR_USAGE with place.
 */
#ifndef IMGFACTORY_PLAN_TAG_RULES_H
#define IMGFACTORY_PLAN_TAG_RULES_H

#include "plan/yaml.h"

enum tag_keep_kind {
    KEEP_UNSAID, /* nobody said how long */
    KEEP_ALWAYS,
    KEEP_FOR,    /* so long after it was last current */
    KEEP_NEWEST, /* as long as it is among so many */
};

struct tag_keep {
    enum tag_keep_kind kind;
    int64_t seconds; /* KEEP_FOR */
    size_t count;    /* KEEP_NEWEST: at least 1 */
};

struct tag_rule {
    const char *template; /* as it is written: it may hold placeholders */
    struct tag_keep keep;
    bool is_immutable;
};

struct tag_rules {
    struct tag_rule *items;
    size_t count, capacity;
};

/* Parses "always", a duration with its unit ("30d") of at least an hour, or a number from 1 to 100,000. */
bool tag_keep_parse(const char *word, struct tag_keep *ret_keep) MUST_CHECK;
/* Prints one as it is written; "" for KEEP_UNSAID. */
const char *tag_keep_print(struct arena *arena, const struct tag_keep *keep);
/* Reads the value of `keep`; NULL: not given. */
bool tag_keep_read(struct arena *arena, const struct yaml_node *node, struct tag_keep *ret_keep,
                   struct err *err) MUST_CHECK;
/* Reads the value of `tags`: the templates alone, and the rule of each. */
bool tag_rules_read(struct arena *arena, const struct yaml_node *node, struct strings *ret_tags,
                    struct tag_rules *ret_rules, struct err *err) MUST_CHECK;
/* Returns the table of an entry's keys, for manual pages. */
const struct yaml_field *tag_rules_keys(size_t *ret_count);
/* Finds the rule of a template; NULL: it has none. */
const struct tag_rule *tag_rules_find(const struct tag_rules *rules, const char *template);
/* Returns whether the tags that a rule makes get the first characters of the digest, so that no other digest has one: those with
 * a date in them that are kept for a while. */
bool tag_rule_is_dated(const struct tag_rule *rule);

#endif
