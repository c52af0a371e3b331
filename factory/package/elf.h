/* SPDX-License-Identifier: Apache-2.0 */
/* elf.h - what the loader reads in one ELF file: machine, interpreter, needed libraries, search paths
 *
 * Reads program headers only, never sections (gABI, "Program Loading and Dynamic Linking"; libelf for class and byte
 * order). Every offset, count and string is checked against the file; a broken file gives a reason, not a failure of
 * the package.
 * Threads: any; main calls elf_init() first.
 */
#ifndef IMGFACTORY_PACKAGE_ELF_H
#define IMGFACTORY_PACKAGE_ELF_H

#include "base/list.h"
#include "base/text.h"

struct elf_facts {
    uint16_t machine;  /* e_machine */
    uint16_t type;     /* e_type: ET_EXEC, ET_DYN, … */
    uint8_t elf_class; /* 32 or 64 */
    bool is_big_endian;
    uint8_t os_abi;        /* EI_OSABI */
    uint32_t flags;        /* e_flags */
    bool has_dynamic;      /* a PT_DYNAMIC was found and read */
    bool has_nodeflib;     /* DF_1_NODEFLIB: default directories are not searched */
    bool is_pie;           /* DF_1_PIE: a program, not a library */
    const char *interp;    /* PT_INTERP or NULL */
    const char *soname;    /* DT_SONAME or NULL */
    const char *rpath;     /* DT_RPATH or NULL */
    const char *runpath;   /* DT_RUNPATH or NULL */
    struct strings needed; /* DT_NEEDED in order */
    const char *broken;    /* why it cannot be read, or NULL */
};

/* Prepares libelf; call once in main before other threads start. */
void elf_init(void);
/* Returns whether the bytes begin with the ELF magic. */
bool elf_is(struct text bytes);
/* Reads the facts of a file that elf_is(). Strings live in the arena. */
void elf_read(struct arena *arena, struct text bytes, struct elf_facts *ret_facts);

#endif
