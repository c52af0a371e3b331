/* SPDX-License-Identifier: Apache-2.0 */
/* holder.h - the package that holds a service: the unit, the init script, the configuration of a binary that another
 * package of the same source ships (mariadb-server for what mariadb-server-core ships)
 *
 * Threads: pure functions of their inputs.
 * Owns: nothing.
 */
#ifndef IMGFACTORY_SERVICE_HOLDER_H
#define IMGFACTORY_SERVICE_HOLDER_H

#include "source/catalog.h"
#include "source/solve.h"

struct holder_request {
    const char *binary;              /* its path */
    const struct siblings *siblings; /* of the package that ships it, which is among them */
    const struct selection *selection;
    const struct strings *never; /* packages that may not be added */
};

/* Finds the package that is to be selected, too; NULL when there is none. When the selection has one that ships a service,
 * that is a dependent one that is called as the service and then has its configuration (collectd, of which collectd-core
 * has the unit); else one with a service that is about the binary. Of several: one that depends on the binary's package; then the shortest name, then the first
 * by name. */
const char *holder_find(const struct holder_request *request);

#endif
