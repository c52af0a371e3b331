/* SPDX-License-Identifier: Apache-2.0 */
/* unit_contract.h - what a packaged systemd unit says of how its service may be confined, as the contract of an image
 *
 * systemd.exec(5), systemd.resource-control(5): what a service is left of rights, devices and limits under systemd it is
 * left in a container, too. What the unit does not say is not known: then the engine's own choice stays.
 * Threads: pure function of its inputs.
 * Owns: nothing; what is returned lives in the arena given, or points into the unit.
 */
#ifndef IMGFACTORY_SERVICE_UNIT_CONTRACT_H
#define IMGFACTORY_SERVICE_UNIT_CONTRACT_H

#include "plan/manifest.h"
#include "service/unit_file.h"

/* Makes the contract. `config` and `wishes` are what was found of the service: its user and ports, the folders that it is
 * given, programs whose files have capabilities. */
const struct contract *unit_contract(struct arena *arena, const struct unit_file *unit,
                                     const struct manifest_config *config, const struct wishes *wishes);

#endif
