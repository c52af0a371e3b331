/* SPDX-License-Identifier: Apache-2.0 */
/* program.h - which program this is: what the same program did with the same input needs not be done again
 *
 * Threads: main.
 */
#ifndef IMGFACTORY_IO_PROGRAM_H
#define IMGFACTORY_IO_PROGRAM_H

#include "io/hashed.h"

#define PROGRAM_FILE "/proc/self/exe" /* proc(5) */

/* Names the running program by its file's bytes, by those of its own libraries (a debug build has one of each room) and
 * of libsolv, which decides what is selected. Where /proc is missing all programs of a version share one name. What is
 * known of the file is not hashed again. */
struct digest program_digest(struct hashed *hashed);

#endif
