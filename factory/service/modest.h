/* SPDX-License-Identifier: Apache-2.0 */
/* modest.h - whether a plug-in or script can be used with what is in an image anyhow
 *
 * Nobody named the file itself: a directory was named, or a glob. For one of many plug-ins a service does not want the
 * libraries of a database or an interpreter, so such files come along only when they bring nothing of other packages.
 * Programs come with their libraries, shell scripts are looked into by themselves (service/shells.h). What a script in another
 * language loads of its own packages is no option of its: its modules are welcome with the libraries of all selected packages.
 * Threads: one.
 * Owns: nothing; results live in the arena.
 */
#ifndef IMGFACTORY_SERVICE_MODEST_H
#define IMGFACTORY_SERVICE_MODEST_H

#include "service/own.h"

struct modest {
    struct arena *arena;
    const struct automatic_request *request;
    const struct own *own;
    bool is_strict;        /* not even the family's plug-in-libraries are welcome */
    struct map stays;      /* path → anything, of what is kept whichever of many plug-ins come along */
    bool is_script;        /* the service is one, and no shell's */
    struct map kept_paths; /* path → anything, of what is kept */
    struct map kept;       /* base name → anything, of what stays */
    struct map givers;     /* name → anything, of packages that give something of that */
    struct map offered;    /* base name → struct sourced *, of libraries of the own packages */
    struct map lacks;      /* path → what the file there lacks, or "" */
};

/* Prepares to judge the files of an image as it is by now. With is_strict not even the libraries are welcome that the
 * family's plug-in-libraries names. */
void modest_prepare(struct arena *arena, const struct automatic_request *request, const struct own *own, bool is_strict,
                    struct modest *ret_modest);
/* Returns the library or interpreter that a file lacks, and that would have to be brought by it alone; NULL: nothing. */
const char *modest_lacks(struct modest *modest, const struct sourced *file);
/* The same for a program, of which modest_lacks() says nothing. */
const char *modest_program_lacks(struct modest *modest, const struct sourced *file);
/* Returns whether the family says of a path that nothing below a directory needs it to serve. */
bool modest_dispenses(const struct modest *modest, const char *path);

#endif
