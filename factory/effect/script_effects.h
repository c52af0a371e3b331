/* script_effects.h - what a package's scripts would do when it is installed: nobody runs them, so somebody must know
 *
 * Looked at: preinst and postinst of a .deb (deb-postinst(5)), pretrans, prein, postin and posttrans of an .rpm. Only
 * commands count (shell_words.h), not comments, texts or here-documents; whether a condition holds is not decided.
 * Not effects here, because an image does not need them or the factory does them: ldconfig, systemd, init scripts,
 * sysusers, tmpfiles, restorecon, triggers, maintscript-helper.
 * Threads: pure function of its inputs.
 * Fails with: nothing.
 */
#ifndef IMGFACTORY_EFFECT_SCRIPT_EFFECTS_H
#define IMGFACTORY_EFFECT_SCRIPT_EFFECTS_H

#include "package/package.h"
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

/* Lists the effects of a package's scripts. Paths of the housekeeping effects (mkdir, chown, install) are listed only
 * when they are known. Results live in the arena. */
void script_effects_list(struct arena *arena, const struct package *package, struct script_effects *ret_effects);

#endif
