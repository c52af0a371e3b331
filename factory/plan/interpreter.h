/* SPDX-License-Identifier: Apache-2.0 */
/* interpreter.h - what programs that run scripts need besides themselves: manifests/interpreters/NAME.yaml
 *
 * An interpreter opens its library and its modules by itself, so that no closure finds them. Which files these are, in any
 * distribution, is data; manifests/README.md, "Interpreters", describes every key.
 * Threads: loaded by main before other threads start, then const for all.
 * Fails with: ERR_USAGE ("FILE:LINE:COLUMN: …"), ERR_LOCAL.
 */
#ifndef IMGFACTORY_PLAN_INTERPRETER_H
#define IMGFACTORY_PLAN_INTERPRETER_H

#include "plan/yaml.h"

struct interpreter {
    const char *name;        /* the file's stem: "python" */
    struct strings programs; /* globs of paths: programs, and libraries that are one (libpython3.11.so.1.0) */
    struct strings files;    /* globs: its library and its modules */
    struct strings own;      /* globs: what of the service's own packages is for it */
    struct strings signs;    /* globs: a file like this of the service is for it */
    struct strings except;   /* globs: what of that is left out */
    struct strings needs;    /* globs: without a file of each it does not start */
    struct strings builtins; /* of a shell: commands that it has itself */
    bool is_shell;
};

struct interpreters {
    struct interpreter *items; /* sorted by name */
    size_t count, capacity;
    struct digest digest; /* of all files and their names */
};

/* Loads the interpreters of the directories; a file takes the place of one of the same name in an earlier directory. */
bool interpreters_load(struct arena *arena, const struct strings *dirs, struct interpreters *ret_interpreters,
                       struct err *err) MUST_CHECK;

#endif
