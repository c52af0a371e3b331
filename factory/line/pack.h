/* SPDX-License-Identifier: Apache-2.0 */
/* pack.h - LAYER: an order's tree as layers in the store, in each compression that is asked for
 *
 * Threads: on the order's thread, which waits; computing goes to the workers.
 * Owns: nothing; what is told of layers lives in the job's arena.
 * Fails with: as layer.h; ERR_CANCELLED.
 */
#ifndef IMGFACTORY_LINE_PACK_H
#define IMGFACTORY_LINE_PACK_H

#include "line/job.h"
#include "line/order.h"

/* Packs the job's tree, cut as its inputs say (layer/layer_cut.h), and adds the layers to its bill. */
bool pack_layers(const struct order *order, struct job *job, struct err *err) MUST_CHECK;

#endif
