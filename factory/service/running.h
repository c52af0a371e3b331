/* SPDX-License-Identifier: Apache-2.0 */
/* running.h - how a packaged service is run: what its unit, its init script and what is known of its program say
 *
 * The unit (unit_choice.h, unit.h), for want of one the init script (init_script.h), then the switches that keep the
 * program in the foreground (plan/foreground.h) where it would fork, and the ports (ports.h). All of it is constant data of the
 * service's own packages; nothing is run.
 * Threads: pure function of its inputs.
 * Owns: nothing; what is returned lives in the arena given, or points into packages.
 * Fails with: ERR_MALFORMED (a unit, script or profile breaks its format or has more than is allowed), ERR_TRUST.
 */
#ifndef IMGFACTORY_SERVICE_RUNNING_H
#define IMGFACTORY_SERVICE_RUNNING_H

#include "plan/foreground.h"
#include "plan/manifest.h"
#include "service/packaged.h"

struct running_question {
    struct packaged packaged; /* the service's own packages */
    const char *program;      /* path of the binary that is asked for */
    const char *unit;         /* name of the unit, when it is known ("nsd.service"); or NULL */
    const char *source;       /* name of the packages' source; or NULL */
    const struct foregrounds *foregrounds;
    const struct wishes *made; /* files that are made beside the packages', of which variables are read; may be NULL */
};

struct running {
    const char *told_by; /* "nsd.service of package nsd"; NULL: nothing tells, the command is the program alone */
    /* entrypoint, cmd, user, working_dir, stop_signal, ports, volumes; what nothing is known of is empty or NULL. With a
     * unit its contract, too */
    struct manifest_config config;
    struct wishes wishes; /* directories, users, variables, each with its giver */
    struct strings notes; /* a line each: what the image needs besides, and what nothing does in it */
};

/* Finds it out. */
bool running_find(struct arena *arena, const struct running_question *question, struct running *ret_running,
                  struct err *err) MUST_CHECK;

#endif
