/* capabilities.h - Linux capabilities by their names (capabilities(7)), for what a unit lets its service have
 *
 * Threads: no state.
 */
#ifndef IMGFACTORY_SERVICE_CAPABILITIES_H
#define IMGFACTORY_SERVICE_CAPABILITIES_H

#include "base/text.h"

/* Reads names as systemd has them ("CAP_NET_BIND_SERVICE CAP_CHOWN") into a set, by the kernel's numbers; what is no name,
 * and all of a list that begins with '~', is passed over. */
uint64_t capabilities_parse(const char *list);
/* Returns those of a set that container engines give to every container (the defaults of docker and podman, which
 * both have these). */
uint64_t capabilities_usual(uint64_t set);

#endif
