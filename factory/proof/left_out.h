/* SPDX-License-Identifier: Apache-2.0 */
/* left_out.h - what packages of the service ship, and the image has not: configuration, units, programs, plug-ins, data
 *
 * Nobody can say from data that a service needs it; who finds that it does not start looks here first.
 * Threads: pure function of its inputs.
 * Owns: nothing; results live in the arena.
 */
#ifndef IMGFACTORY_PROOF_LEFT_OUT_H
#define IMGFACTORY_PROOF_LEFT_OUT_H

#include "plan/volumes.h"
#include "service/own.h"
#include "tree/tree.h"

struct left_out_request {
    const struct own *own; /* the packages of the service */
    const struct family *family;
    const struct arch *arch;
    const struct tree *tree;
    const struct map *told; /* paths of which people are told otherwise; or NULL */
    bool is_unit_read;      /* what the unit or init script says is in the image's configuration */
};

/* Says it in one sentence: "packages of the service (nsd) ship what is not in the image: 3 configuration files in /etc/nsd,
 * unit nsd.service"; NULL when nothing is left out. */
const char *left_out_sentence(struct arena *arena, const struct left_out_request *request);
/* Adds a note of each path of volumes that has nothing in the tree (before data are moved), while packages that are open ship
 * files there: a path brings none by itself. `packages` may hold NULL. */
void left_out_of_data(struct arena *arena, const struct volumes *volumes, const struct package *const *packages,
                      size_t package_count, const struct tree *tree, struct strings *notes);

#endif
