/* SPDX-License-Identifier: Apache-2.0 */
/* loaded.h - the bytes of libraries as the loader has mapped them: which build of a library this process runs with
 *
 * Versions do not tell: a distribution mends a library without another one. Fed is what is mapped without being
 * writable, code and constants: no relocation touches it, so that it is the same in every process.
 * Threads: any.
 */
#ifndef IMGFACTORY_BASE_LOADED_H
#define IMGFACTORY_BASE_LOADED_H

#include "base/digest.h"

#include <stdint.h>

/* Feeds the object (library or program) that holds an address; of none, nothing. */
void loaded_feed_holder(uintptr_t address, struct digest_stream *stream);
/* Feeds all libraries whose file name begins so, with these names, in the loader's order. What is linked into the
 * program itself is none. */
void loaded_feed_libraries(const char *name_start, struct digest_stream *stream);

#endif
