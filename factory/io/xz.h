/* SPDX-License-Identifier: Apache-2.0 */
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

/* Checks every block of every stream of the file. Not the data, nor that it is xz at all:
 * that is the decoder's to check. `name` is for messages. */
bool xz_check_dictionaries(struct text file, const char *name, struct err *err) MUST_CHECK;

#endif
