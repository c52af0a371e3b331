/* SPDX-License-Identifier: Apache-2.0 */
/* ports.h - the ports that a service's packages say it listens on
 *
 * From socket units (systemd.socket(5): numbers, and addresses that are not of the machine itself), profiles of ufw
 * (/etc/ufw/applications.d, ufw(8) "APPLICATION INTEGRATION") and services of firewalld
 * (/usr/lib/firewalld/services, firewalld.service(5)), of which the first that knows any is taken.
 * Threads: pure function of its inputs.
 * Owns: nothing; what is returned lives in the arena given.
 * Fails with: ERR_MALFORMED, and as packaged.h.
 */
#ifndef IMGFACTORY_SERVICE_PORTS_H
#define IMGFACTORY_SERVICE_PORTS_H

#include "service/packaged.h"

#define PORTS_MAX 100 /* of a service; a wider range is not listed */
#define PORTS_FILES_MAX 200

/* Finds the ports ("53/udp"), each once, ranges that are too wide to be listed ("49152:65535/udp"), and whose they are ("the ufw profile nginx"); none and NULL when no file tells.
 * `unit` is the service's unit, whose sockets count ("cups.service"); NULL: of none. */
bool ports_find(struct arena *arena, const struct packaged *packaged, const char *unit, struct strings *ret_ports,
                struct strings *ret_wide, const char **ret_giver, struct err *err) MUST_CHECK;
/* Finds the folders of sockets that socket units for the service have below /run: systemd makes them (systemd.socket(5),
 * DirectoryMode=). */
bool ports_folders(struct arena *arena, const struct packaged *packaged, const char *unit, struct strings *ret_folders,
                   struct err *err) MUST_CHECK;

#endif
