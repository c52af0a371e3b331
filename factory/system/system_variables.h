/* SPDX-License-Identifier: Apache-2.0 */
/* system_variables.h - which variables an image of a system container uses
 *
 * Threads: pure functions of their inputs.
 * Owns: nothing; texts live in the arena given.
 * Fails with: ERR_MALFORMED, a template with a dollar that is none, or too many variables.
 */
#ifndef IMGFACTORY_SYSTEM_SYSTEM_VARIABLES_H
#define IMGFACTORY_SYSTEM_SYSTEM_VARIABLES_H

#include "system/system_values.h"

#define SYSTEM_USES_MAX 4000 /* of all templates of an image */

/* A variable, where it is used first. */
struct system_variable {
    const char *name;
    const char *file; /* "/exports/service.template", "/exports/hostfs/etc/x.conf", ... */
    size_t line;      /* from 1; 0: in renameFiles, whose lines are not known */
};

struct system_variables {
    struct system_variable *items;
    size_t count, capacity;
};

/* Lists the variables of the templates, of the names in renameFiles, and of the files for the host that are templates; each
 * once, in this order. When it fails, those that could be read are listed all the same. */
bool system_variables_list(struct arena *arena, const struct system_exports *exports,
                           const struct system_manifest *manifest, struct system_variables *ret_variables,
                           struct err *err) MUST_CHECK;
/* Tells whether a file for the host is a template: the manifest has its path, or the one that it is renamed to. */
bool system_is_template(const struct system_manifest *manifest, const char *path, const char *renamed);

#endif
