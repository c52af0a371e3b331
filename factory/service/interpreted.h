/* SPDX-License-Identifier: Apache-2.0 */
/* interpreted.h - what scripts of a service need besides the program that runs them: its library, its modules
 *
 * For each interpreter of which a program or library is in the image, the files that its data names (plan/interpreter.h), of all
 * packages of the selection: those are what the service's packages depend on. A script that is run by anything else is told.
 * An interpreter that is only a library of other packages' libraries brings nothing, unless the service has modules for it: told.
 * Threads: pure function of its inputs.
 * Owns: nothing; results live in the arena, and point into packages.
 */
#ifndef IMGFACTORY_SERVICE_INTERPRETED_H
#define IMGFACTORY_SERVICE_INTERPRETED_H

#include "plan/interpreter.h"
#include "service/own.h"

/* Finds the interpreter whose program is at a path; NULL when it is none. */
const struct interpreter *interpreted_by(const struct interpreters *interpreters, const char *path);
/* Returns the path of the program that runs a kept script, as its first line names it and links lead; NULL when it is no
 * script that can be started. */
const char *interpreted_program(struct arena *arena, const struct automatic_request *request, const struct kept *kept);
/* Adds the wishes, each with its giver ("python, of which /usr/bin/python3.11 runs /usr/bin/gunicorn"). */
void interpreted_find(struct arena *arena, const struct automatic_request *request, const struct own *own,
                      struct wishes *wishes, struct strings *notes);

#endif
