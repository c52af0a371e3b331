/* SPDX-License-Identifier: Apache-2.0 */
/* roots.h - what is asked for, as roots of the closure
 *
 * Threads: pure functions of their inputs.
 */
#ifndef IMGFACTORY_CLOSURE_ROOTS_H
#define IMGFACTORY_CLOSURE_ROOTS_H

#include "closure/closure.h"
#include "plan/manifest.h"

struct roots {
    struct closure_root *items;
    size_t count, capacity;
};

/* What of their documentation whole packages have: nothing that the family knows or a package marks; what no package marks
 * (as rpm's --nodocs, which leaves licences); all. */
enum roots_documentation { DOCUMENTATION_NONE, DOCUMENTATION_UNMARKED, DOCUMENTATION_ALL };

/* What is wanted of a set of packages. */
struct roots_request {
    const struct strings *binaries; /* programs of the manifest, no globs */
    const struct wishes *wishes;    /* of all givers */
    const struct fileset *set;      /* of a family */
    const struct package *identity; /* base-files; may be NULL */
    enum roots_documentation documentation;
    bool has_alternatives; /* and the links that they register (effect/alternatives.h) */
};

/* Lists the programs of the manifest: a path as it is written, a glob as the paths of executable files that it matches in
 * these packages of the set, else in any. A glob that matches nothing: ERR_RESOLVE. */
bool roots_programs(struct arena *arena, const struct fileset *set, const struct strings *binaries,
                    const struct strings *packages, struct strings *ret_programs, struct err *err) MUST_CHECK;
/* Lists the roots: binaries, files (globs expanded over the packages they name, or over all), whole packages without their
 * documentation, and of the identity the files that tell scanners the distribution. A glob that must match and matches
 * nothing: ERR_RESOLVE. */
bool roots_list(struct arena *arena, const struct roots_request *request, struct roots *ret_roots,
                struct err *err) MUST_CHECK;
/* Returns whether the closure can be complete without every package of the selection: false when a glob without package
 * names must see all of them. */
bool roots_are_lazy(const struct wishes *wishes);
/* Returns whether a package must be opened at once because it is named (whole, or as the place of files). */
bool roots_name_package(const struct wishes *wishes, const char *package);
/* Returns whether a package must be opened at once because it lays out the directories of the system, such as
 * "/usr/sbin -> bin": where the files of all others are depends on it. */
bool roots_lay_out(const struct family *family, const char *package);

#endif
