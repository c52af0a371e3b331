/* SPDX-License-Identifier: Apache-2.0 */
/* packing.h - how layers are compressed, as --compression and files name it
 *
 * Threads: no state.
 */
#ifndef IMGFACTORY_PLAN_PACKING_H
#define IMGFACTORY_PLAN_PACKING_H

#include <stdbool.h>

/* Both: images in gzip, and the same ones in zstd:chunked behind them. */
enum packing { PACKING_ZSTD, PACKING_GZIP, PACKING_CHUNKED, PACKING_BOTH };

/* All names, for messages. */
#define PACKING_WORDS "gzip, zstd, zstd:chunked or both"

/* In the order of the enum; NULL ends them. */
extern const char *const packing_names[];

/* Parses one of them; false when it is none. */
bool packing_parse(const char *name, enum packing *ret_packing);

#endif
