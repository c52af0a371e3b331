/* xz.h - how much memory an .xz file would take, told from its headers before anything is decompressed
 *
 * Format: https://tukaani.org/xz/xz-file-format.txt, version 1.2.0. Each block names the size of its dictionary, up to
 * 4 GiB, and a decoder allocates that much. The index at the end of a stream tells where its blocks are.
 * Threads: no state.
 * Fails with: ERR_MALFORMED.
 */
#ifndef IMGFACTORY_IO_XZ_H
#define IMGFACTORY_IO_XZ_H

#include "base/text.h"

/* Largest dictionary that is accepted: twice that of `xz -9`. */
#define XZ_DICTIONARY_MAX_BYTES ((uint64_t)128 << 20)

#define XZ_FILTER_LZMA2 0x21u

/* What its blocks say that their decoder needs: of the largest one each. */
struct xz_needs {
    uint64_t dictionary_bytes, plain_bytes;
    bool is_lzma2_only; /* no block has another filter (sections 5.3.2 and 5.3.3) */
};

/* Checks every block of every stream of the file. Not the data, nor that it is xz at all:
 * that is the decoder's to check. `name` is for messages. */
bool xz_check_dictionaries(struct text file, const char *name, struct xz_needs *ret_needs, struct err *err) MUST_CHECK;
/* Takes a variable-length integer (section 1.2) off the front; false when none is there. */
bool xz_take_number(struct text *rest, uint64_t *ret_value) MUST_CHECK;

#endif
