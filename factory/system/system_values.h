/* SPDX-License-Identifier: Apache-2.0 */
/* system_values.h - the variables that an installer of system containers gives itself
 *
 * As `atomic` did it (Atomic/syscontainers.py, _amend_values): what is forced cannot be set; what is given can; then come
 * the defaults of manifest.json.
 * Threads: pure functions of their inputs.
 * Owns: nothing; texts live in the arena given.
 */
#ifndef IMGFACTORY_SYSTEM_SYSTEM_VALUES_H
#define IMGFACTORY_SYSTEM_SYSTEM_VALUES_H

#include "system/system_exports.h"

#define SYSTEM_PLACE "/var/lib/containers/atomic"
#define SYSTEM_UNITS "/etc/systemd/system"
#define SYSTEM_TMPFILES_D "/etc/tmpfiles.d"

/* Who gives a variable its value. */
enum value_giver { VALUE_FREE, VALUE_GIVEN, VALUE_FORCED };

/* What is known of a container that is installed. */
struct system_facts {
    const char *name, *image, *image_id;
    const char *destination; /* DESTDIR: "/var/lib/containers/atomic/NAME.0" */
    const char *runtime;     /* "/usr/bin/runc", with its options perhaps */
    const char *uuid;
    uint32_t uid, gid; /* who runs it on the host */
};

/* Return where the unit and the tmpfiles.d file of a container belong on the host. */
const char *system_unit_path(struct arena *arena, const char *name);
const char *system_tmpfiles_path(struct arena *arena, const char *name);
/* Tells who gives a variable its value; VALUE_FREE: manifest.json or the user. */
enum value_giver value_giver_of(const char *name);
/* Tells whether a template of a unit lets the runtime start detached: then it uses both $PIDFILE and $EXEC_STOPPOST. */
bool system_is_detached(struct text service);
/* Completes the values that were set: `service` is the template of the unit (or empty). */
void system_values_complete(struct arena *arena, struct system_values *values, const struct system_manifest *manifest,
                            const struct system_facts *facts, struct text service);

#endif
