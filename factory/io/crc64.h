/* crc64.h - the CRC-64 of xz files (ECMA-182, reflected; https://tukaani.org/xz/xz-file-format.txt, section 6)
 *
 * Threads: tables are const once made.
 */
#ifndef IMGFACTORY_IO_CRC64_H
#define IMGFACTORY_IO_CRC64_H

#include "base/text.h"

/* Tables for eight bytes at a time. */
struct crc64 {
    uint64_t tables[8][256];
};

/* Makes the tables. */
void crc64_init(struct crc64 *crc64);
/* Returns the sum of all bytes so far and these; it begins with 0. */
uint64_t crc64_add(const struct crc64 *crc64, uint64_t sum, struct text bytes);

#endif
