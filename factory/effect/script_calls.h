/* SPDX-License-Identifier: Apache-2.0 */
/* script_calls.h - the commands that maintainer scripts give when packages are installed for the first time
 *
 * shell_run.h evaluates the scripts; here is the world that it asks: which files and accounts are there (the packages', what
 * earlier commands made, those of every system), and how the questions of scripts end (getent, id, command -v, grep in
 * /etc/passwd, dpkg-statoverride --list, dpkg --compare-versions, …). A program that nobody knows may end in either way.
 * Scripts in Lua (rpm's <lua>) are looked into for constant calls, and what else they call is a command of its own; those in
 * other languages are not.
 * Threads: pure function of its inputs.
 * Owns: nothing; all lives in the arena, and points into packages.
 * Fails with: nothing; what was too much, or not understood, is said.
 */
#ifndef IMGFACTORY_EFFECT_SCRIPT_CALLS_H
#define IMGFACTORY_EFFECT_SCRIPT_CALLS_H

#include "closure/fileset.h"
#include "effect/shell_run.h"
#include "plan/wishes.h"

/* The command that stands for a call of Lua that nobody follows, "posix.mkdir()", "io.open(/etc/x)". */
#define SCRIPT_LUA_COMMAND_NAME "<lua>"

/* A command of a script of a package. */
struct script_call {
    const struct package *package;
    const char *script; /* "postinst" */
    struct shell_call call;
};

/* A script that was not looked into to its end. */
struct script_cut {
    const struct package *package;
    const char *script;
};

struct script_calls {
    struct script_call *items; /* in the order in which they are reached */
    size_t count, capacity;
    struct {
        struct script_cut *items;
        size_t count, capacity;
    } cuts;
    bool
        is_lacking; /* a script reads a file of configuration that is not there: what it would set is taken for unset */
};

/* Lists the commands: all scripts that run before the files are there, then all others. `set` may be NULL: then only the
 * packages' own files are there. */
void script_calls_list(struct arena *arena, const struct package *const *packages, size_t count,
                       const struct fileset *set, struct script_calls *ret_calls);

/* A script that is no maintainer script: it finds the packages' files, and what is made besides. */
struct script_text {
    const char *name, *text; /* for givers and messages; as it is */
    struct strings arguments;
    const struct wishes *made; /* may be NULL */
    bool has_program;          /* its first line counts: Lua is read as such, other languages are not looked into */
    bool has_configuration;    /* files below /etc that nobody has are taken to be there: the administrator's */
};

/* Lists the commands of a script when all files are there. */
void script_calls_of_text(struct arena *arena, const struct package *const *packages, size_t count,
                          const struct fileset *set, const struct script_text *script, struct script_calls *ret_calls);

#endif
