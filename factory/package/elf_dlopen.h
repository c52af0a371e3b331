/* SPDX-License-Identifier: Apache-2.0 */
/* elf_dlopen.h - what an ELF file may open at run time: its dlopen notes, and strings that tell of plug-ins
 *
 * Notes: uapi-group.org specifications, "ELF dlopen metadata": notes of owner "FDO" and type 0x407c0c0a, each a JSON
 * array of {soname: [alternatives, best first], feature, description, priority}. They lie in a PT_NOTE.
 * Threads: any; elf_init() first.
 * Owns: results live in the arena.
 */
#ifndef IMGFACTORY_PACKAGE_ELF_DLOPEN_H
#define IMGFACTORY_PACKAGE_ELF_DLOPEN_H

#include "base/text.h"
#include "plan/manifest.h"

/* One library, or one of several that do the same. */
struct dlopen_need {
    struct strings sonames;
    const char *feature; /* what for, or NULL */
    enum dlopen_policy priority;
};

struct dlopen_needs {
    struct dlopen_need *items;
    size_t count, capacity;
};

/* Reads the dlopen notes of a file that elf_is(). Returns why one cannot be read (the others are read), or NULL. */
const char *elf_dlopen_needs(struct arena *arena, struct text bytes, struct dlopen_needs *ret_needs);
/* Lists strings of what is loaded that look like plug-ins: absolute paths below a library directory, and
 * file names of shared objects. At most 200, each once, in the order of the file; segments that together are more than
 * twice the file are not read. */
void elf_plugin_strings(struct arena *arena, struct text bytes, struct strings *ret_strings);

#endif
