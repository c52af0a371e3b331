/* SPDX-License-Identifier: Apache-2.0 */
/* module_data.h - data and configuration of other packages' modules that a service's interpreter opens
 *
 * A module knows by itself where its data are: "/usr/share/spamassassin" stands in the modules of that package, not in those of the service which
 * uses them. Of a package that gives modules to the image, a directory that is called as it or its source, below
 * /usr/share or /etc, comes along when one of these modules names it.
 * Threads: pure function of its inputs.
 * Owns: nothing; results live in the arena, and point into packages.
 */
#ifndef IMGFACTORY_SERVICE_MODULE_DATA_H
#define IMGFACTORY_SERVICE_MODULE_DATA_H

#include "service/own.h"

/* Adds the wishes, each with its giver. */
void module_data_find(struct arena *arena, const struct automatic_request *request, const struct own *own,
                      struct wishes *wishes);

#endif
