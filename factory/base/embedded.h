/* SPDX-License-Identifier: Apache-2.0 */
/* embedded.h - files of the tree within the program; the build makes the tables of them (imgfactory_embed() in CMakeLists.txt)
 *
 * Threads: const.
 * Owns: nothing.
 */
#ifndef IMGFACTORY_BASE_EMBEDDED_H
#define IMGFACTORY_BASE_EMBEDDED_H

#include <stddef.h>

struct embedded_file {
    const char *name; /* "bash" */
    const unsigned char *bytes;
    size_t len;
};

#endif
