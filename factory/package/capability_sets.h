/* SPDX-License-Identifier: Apache-2.0 */
/* capability_sets.h - sets of Linux capabilities (capabilities(7)), for what a unit lets its service have and what
 * setcap(8) is told
 *
 * Threads: no state.
 */
#ifndef IMGFACTORY_PACKAGE_CAPABILITY_SETS_H
#define IMGFACTORY_PACKAGE_CAPABILITY_SETS_H

#include "base/text.h"

/* Reads names as systemd has them ("CAP_NET_BIND_SERVICE CAP_CHOWN") into a set, by the kernel's numbers; what is no name,
 * and all of a list that begins with '~', is passed over. */
uint64_t capability_sets_parse(const char *list);
/* Reads what setcap(8) is told ("cap_net_raw,cap_net_admin+ep"), when it is one clause whose capabilities are to be permitted
 * and effective; 0: it is none. */
uint64_t capability_sets_of_clause(const char *clause);
/* Returns those of a set that container engines give to every container (the defaults of docker and podman, which
 * both have these). */
uint64_t capability_sets_usual(uint64_t set);

#endif
