/* SPDX-License-Identifier: Apache-2.0 */
/* script_effects.h - what a package's scripts would do when it is installed: nobody runs them, so somebody must know
 *
 * Looked at: preinst and postinst of a .deb (deb-postinst(5)), pretrans, prein, postin and posttrans of an .rpm, as
 * script_calls.h evaluates them; of a script that is not followed to its end all commands (shell_words.h).
 * Not effects here, because an image does not need them or the factory does them: ldconfig, systemd, init scripts,
 * sysusers, tmpfiles, restorecon, triggers, maintscript-helper.
 * Threads: pure function of its inputs.
 * Fails with: nothing.
 */
#ifndef IMGFACTORY_EFFECT_SCRIPT_EFFECTS_H
#define IMGFACTORY_EFFECT_SCRIPT_EFFECTS_H

#include "closure/fileset.h"
#include "plan/effect.h"

/* One thing that a script would do. */
struct script_effect {
    enum effect effect;
    const char *script;  /* "postinst" */
    const char *command; /* "setcap" */
    const char *subject; /* the user, group or path that it is about, as written; "" when there is none */
    bool is_constant;    /* the subject is known without running the script */
};

struct script_effects {
    struct script_effect *items; /* in the order of scripts and commands, each once */
    size_t count, capacity;
};

/* Returns whether a command's name is one of those whose effects are listed. */
bool script_effects_know(const char *command);
/* Lists the effects of a package's scripts; `set`: the files that they find, or NULL: the package's own. Paths of the
 * housekeeping effects (mkdir, chown, install) are listed only when they are known. Results live in the arena. */
void script_effects_list(struct arena *arena, const struct package *package, const struct fileset *set,
                         struct script_effects *ret_effects);

#endif
