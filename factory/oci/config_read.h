/* SPDX-License-Identifier: Apache-2.0 */
/* config_read.h - an image's configuration (OCI image-spec config.md), anybody's, as container engines parse it
 *
 * Engines are written in Go: names of keys are compared without case, null stands for "not given", unknown keys are
 * passed over, and one value of another type makes the whole document unreadable. What they could not parse is listed,
 * and taken as not given.
 * Threads: no state.
 */
#ifndef IMGFACTORY_OCI_CONFIG_READ_H
#define IMGFACTORY_OCI_CONFIG_READ_H

#include "base/text.h"
#include "oci/launch.h"

struct config_facts {
    const char *os; /* NULL: not given */
    struct launch launch;
    struct strings ports, stop_signal; /* ExposedPorts; one word or none */
    struct strings diff_ids;           /* "sha256:…" as written, one for each layer from below */
    struct strings faults;             /* a sentence each */
};

/* Reads the configuration; strings live in the arena. */
void config_read(struct arena *arena, struct text bytes, struct config_facts *ret_facts);

#endif
