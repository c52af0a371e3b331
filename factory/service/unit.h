/* SPDX-License-Identifier: Apache-2.0 */
/* unit.h - what a packaged systemd unit says of how its service runs, as an image's configuration and wishes
 *
 * systemd.service(5), systemd.exec(5), systemd.kill(5): the command with its variables and specifiers, who runs it, the
 * directories it is given, its environment, the signal that stops it. Nothing is run: commands before and behind the
 * service's own count where they only make directories (preparing.h), the rest is told.
 * Threads: pure functions of their inputs.
 * Owns: nothing; what is returned lives in the arena given, or points into packages.
 * Fails with: ERR_MALFORMED (more of anything than is allowed), and as packaged.h.
 */
#ifndef IMGFACTORY_SERVICE_UNIT_H
#define IMGFACTORY_SERVICE_UNIT_H

#include "plan/manifest.h"
#include "service/started_script.h"
#include "service/unit_file.h"
#include "service/unit_words.h"

struct unit {
    struct unit_file file;
    struct unit_command command; /* the first of ExecStart=; no words when it cannot be told */
    struct started_commands
        started;      /* what the command starts in its turn, where it is a shell or a script of the packages */
    const char *type; /* "simple", "exec", "forking", "notify", "oneshot", … */
    struct environment environment;
    const struct wishes *made;  /* files that are made beside the packages'; may be NULL */
    bool is_cut;                /* the command has more words, which are not constant */
    const char *why_no_command; /* or NULL */
    struct strings missing;     /* files of variables that must be there and are in none of the packages */
};

/* Reads what a unit starts. `made` has files that are made beside the packages' (may be NULL). */
bool unit_read(struct arena *arena, const struct packaged *packaged, const struct packaged_file *file, const char *name,
               const struct wishes *made, struct unit *ret_unit, struct err *err) MUST_CHECK;
/* Fills the configuration's user, working directory, stop signal and volumes, and the wishes, of which the environment is
 * a part: all that the unit says but its command. What it wants and no image does is a note. */
bool unit_settings(struct arena *arena, const struct packaged *packaged, struct unit *unit,
                   struct manifest_config *config, struct wishes *wishes, struct strings *notes,
                   struct err *err) MUST_CHECK;

#endif
