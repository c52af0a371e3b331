/* SPDX-License-Identifier: Apache-2.0 */
/* configuration.h - the configuration of a service as its packages have it, and the places for its state
 *
 * Threads: pure functions of their inputs.
 * Owns: nothing; results live in the arena, and point into packages.
 */
#ifndef IMGFACTORY_SERVICE_CONFIGURATION_H
#define IMGFACTORY_SERVICE_CONFIGURATION_H

#include "service/own.h"

/* Adds to the wishes what own packages have below /etc, but what configures the host (families), below /var and /srv, and the
 * directories that the family has for services. */
void configuration_find(struct arena *arena, const struct automatic_request *request, const struct own *own,
                        struct wishes *wishes);

#endif
