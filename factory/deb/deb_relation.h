/* SPDX-License-Identifier: Apache-2.0 */
/* deb_relation.h - one relation of a Depends-like field: "name:qualifier (>= version)"
 *
 * Format: Debian Policy, 7.1. A field is relations joined by '|' (alternatives) in clauses joined by ','; callers
 * split with text_next(). Architecture and build profile lists, which binary packages do not have, are refused.
 * Threads: no state.
 */
#ifndef IMGFACTORY_DEB_DEB_RELATION_H
#define IMGFACTORY_DEB_DEB_RELATION_H

#include "base/text.h"

enum deb_operator { DEB_ANY, DEB_LESS, DEB_LESS_EQUAL, DEB_EQUAL, DEB_GREATER_EQUAL, DEB_GREATER };

struct deb_relation {
    struct text name, qualifier, version; /* qualifier and version are empty when absent */
    enum deb_operator op;
};

/* Parses one relation; the old '<' and '>' mean '<=' and '>='. False when it is none. */
bool deb_relation_parse(struct text relation, struct deb_relation *ret_relation) MUST_CHECK;
/* Cuts the name off the front of a relation without looking at the rest; empty when there is none. */
struct text deb_relation_name(struct text relation);

#endif
