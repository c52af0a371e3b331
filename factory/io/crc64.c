#include "io/crc64.h"

#include <endian.h>

#define POLYNOMIAL UINT64_C(0xC96C5795D7870F42)

void crc64_init(struct crc64 *crc64)
{
    for (size_t byte = 0; byte < 256; byte++) {
        uint64_t sum = byte;
        for (unsigned bit = 0; bit < 8; bit++)
            sum = sum >> 1 ^ (sum & 1 ? POLYNOMIAL : 0);
        crc64->tables[0][byte] = sum;
    }
    for (size_t place = 1; place < 8; place++) {
        for (size_t byte = 0; byte < 256; byte++) {
            uint64_t sum = crc64->tables[place - 1][byte];
            crc64->tables[place][byte] = sum >> 8 ^ crc64->tables[0][sum & 0xFF];
        }
    }
}

uint64_t crc64_add(const struct crc64 *crc64, uint64_t sum, struct text bytes)
{
    sum = ~sum;
    for (; bytes.len >= 8; bytes.ptr += 8, bytes.len -= 8) {
        uint64_t word;
        memcpy(&word, bytes.ptr, sizeof word);
        sum ^= le64toh(word);
        uint64_t next = 0;
        for (unsigned place = 0; place < 8; place++)
            next ^= crc64->tables[7 - place][sum >> (8 * place) & 0xFF];
        sum = next;
    }
    for (; bytes.len; bytes.ptr++, bytes.len--)
        sum = sum >> 8 ^ crc64->tables[0][(sum ^ (unsigned char)*bytes.ptr) & 0xFF];
    return ~sum;
}
