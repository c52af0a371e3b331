/* SPDX-License-Identifier: Apache-2.0 */
/* ld_conf.h - the directories that a distribution configures for its loader: /etc/ld.so.conf
 *
 * ldconfig(8) and glibc's elf/ldconfig.c, parse_conf(): one directory a line, "#" begins a comment, "include GLOB …" (from
 * the including file's directory when relative; matches in the order of their bytes), "hwcap …" is ignored, "=TYPE" at
 * the end of a directory is dropped. A set without /etc/ld.so.conf but with files in /etc/ld.so.conf.d is read as if
 * it had the file of every distribution, which includes all of them that end in ".conf": the package with that file
 * need not be among those that a service depends on.
 * Threads: pure functions of their inputs.
 * Fails with: nothing; what is left out is a note.
 */
#ifndef IMGFACTORY_CLOSURE_LD_CONF_H
#define IMGFACTORY_CLOSURE_LD_CONF_H

#include "closure/fileset.h"

struct ld_conf {
    struct strings dirs;       /* as written, in order, without '/' at the end; the same one may stand twice */
    struct sourced_list files; /* that were read, in order */
    struct strings notes;      /* lines that were left out, for people */
};

/* Reads the configuration of a set. Results live in the arena. */
void ld_conf_read(struct arena *arena, const struct fileset *set, struct ld_conf *ret_conf);

#endif
