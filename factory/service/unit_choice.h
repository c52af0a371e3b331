/* SPDX-License-Identifier: Apache-2.0 */
/* unit_choice.h - which of a service's units runs a program
 *
 * Units are the .service files of the packages, and instances of templates: the one that a link names, else "default".
 * First those whose command is the program, then those whose command runs it as a script, then those that are only named
 * like it (they start it through something else). Of several: jobs (Type=oneshot) and what a timer or socket starts
 * last; then the one named like the program, its package, its source; then the first by name.
 * Threads: pure functions of their inputs.
 * Owns: nothing; what is returned lives in the arena given.
 * Fails with: as unit.h; ERR_MALFORMED when there are more units than UNIT_CHOICE_MAX.
 */
#ifndef IMGFACTORY_SERVICE_UNIT_CHOICE_H
#define IMGFACTORY_SERVICE_UNIT_CHOICE_H

#include "service/unit.h"

#define UNIT_CHOICE_MAX 1000

struct unit_question {
    const struct packaged *packaged;
    const char *program;       /* path */
    const char *name;          /* of the unit, when it is known; or NULL */
    const char *package;       /* that ships the program; or NULL */
    const char *source;        /* name of the source package; or NULL */
    const struct wishes *made; /* may be NULL */
};

/* How a unit starts the program that was asked about. */
enum unit_relation { UNIT_STARTS_IT, UNIT_RUNS_IT_AS_SCRIPT, UNIT_NAMED_LIKE_IT };

struct unit_choice {
    const struct unit *unit; /* NULL when there is none */
    enum unit_relation relation;
    bool is_job; /* it ends, or a timer or socket starts it: the service is another */
};

/* Finds the unit. */
bool unit_choice_find(struct arena *arena, const struct unit_question *question, struct unit_choice *ret_choice,
                      struct err *err) MUST_CHECK;

#endif
