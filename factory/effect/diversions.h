/* SPDX-License-Identifier: Apache-2.0 */
/* diversions.h - dpkg-divert: files that other packages get elsewhere, because one package's scripts move them aside
 *
 * Looked at: the commands of preinst and postinst with constant words that are reached in any case (script_calls.h), one
 * after the other: --add (the default) and --remove, --package, --local, --divert, --rename (dpkg-divert(1)). As with dpkg the file at
 * the diverted path is then of the package that diverts it, if it has one, and everybody else's lies at the other name. Other
 * commands are told (script_effects.h), but those that guard a name which merged /usr gives a second time (DEP 17, "M8"): they move nothing. For images of their own; a base's files stay where they are.
 * Threads: pure function of its inputs.
 * Owns: nothing; all lives in the arena.
 * Fails with: nothing.
 */
#ifndef IMGFACTORY_EFFECT_DIVERSIONS_H
#define IMGFACTORY_EFFECT_DIVERSIONS_H

#include "effect/shell_words.h"
#include "package/package.h"

struct diversion {
    const char *path, *to; /* canonical */
    const char *package;   /* whose file stays; NULL: nobody's (--local) */
    bool is_removal;       /* takes back what was diverted before */
    bool is_guard;         /* of an aliased name, as /lib64/x, that no package ships any more */
    bool is_renamed; /* --rename; without it a file that was there before is lost, which depends on dpkg's order */
};

/* Reads a dpkg-divert command of a package's script; false when it is none that changes anything, or when a word of it is only
 * known to the running script. */
bool diversion_parse(struct arena *arena, const char *package, const struct shell_command *command,
                     struct diversion *ret_diversion);
/* Puts in place of packages (of one image; NULL items are passed over) those with the names that diversions give their files. The
 * arena must live as long as anybody reads those. */
void diversions_apply(struct arena *arena, const struct package **packages, size_t count);

#endif
