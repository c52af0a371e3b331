/* SPDX-License-Identifier: Apache-2.0 */
/* crc64.h - CRC-64 with the polynomial of ISO 3309, as tar-split has it of files' bytes
 *
 * Go's hash/crc64 with its table ISO: reflected, polynomial 0xD800000000000000, all bits inverted before and after.
 * Threads: no state.
 */
#ifndef IMGFACTORY_LAYER_CRC64_H
#define IMGFACTORY_LAYER_CRC64_H

#include <stddef.h>
#include <stdint.h>

#define CRC64_SLICES 8

/* What the sum is looked up in: eight bytes at a time. */
struct crc64_table {
    uint64_t sums[CRC64_SLICES][256];
};

/* Fills the table. */
void crc64_init(struct crc64_table *table);
/* Returns the sum of what has the sum `before` (nothing: 0) and of these bytes behind it. */
uint64_t crc64_add(const struct crc64_table *table, uint64_t before, const void *bytes, size_t len);

#endif
