/* SPDX-License-Identifier: Apache-2.0 */
/* archive_library.h - libarchive, loaded when something has to be decompressed that only it can
 *
 * That is bzip2: hardly ever. Its sixteen libraries (libxml2's ICU is 30 MB) were
 * a third of what the start of a run took in which nothing changed. The types are those of its header, so that a
 * function that changes does not compile.
 * Threads: no shared state; any thread may load it.
 * Owns: nothing; it stays loaded.
 * Fails with: ERR_LOCAL when it is not installed.
 */
#ifndef IMGFACTORY_IO_ARCHIVE_LIBRARY_H
#define IMGFACTORY_IO_ARCHIVE_LIBRARY_H

#include "base/err.h"

#include <archive.h>

struct archive_library {
    __typeof__(&archive_read_new) read_new;
    __typeof__(&archive_read_append_filter) append_filter;
    __typeof__(&archive_read_support_format_raw) support_raw;
    __typeof__(&archive_read_support_format_empty) support_empty;
    __typeof__(&archive_read_open_memory) open_memory;
    __typeof__(&archive_read_next_header) next_header;
    __typeof__(&archive_read_data_block) data_block;
    __typeof__(&archive_filter_bytes) filter_bytes;
    __typeof__(&archive_error_string) error_string;
    __typeof__(&archive_read_free) read_free;
};

/* Loads it, unless it is loaded, and finds its functions. `name` is what needs it, for messages. */
bool archive_library_load(const char *name, struct archive_library *ret_library, struct err *err) MUST_CHECK;

#endif
