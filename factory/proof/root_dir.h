/* SPDX-License-Identifier: Apache-2.0 */
/* root_dir.h - a directory of the host that is the root of some system, read as a tree to be checked
 *
 * Every name is opened below the directory, symlinks are data and never followed, so nothing outside is
 * looked at. ELF files and /etc/ld.so.cache are mapped; of a script only the beginning is read (the "#!" line), other
 * files have no bytes; size_bytes and data are those. Not opened is what nobody may execute and is below /usr/share, or
 * has a name of data (root_dir_reader.h) that neither a symlink nor another file's DT_NEEDED has.
 * Names of one file (hard links) have the same data and elf, mapped and read once.
 * Devices, fifos and sockets are left out, and what is below /proc, /sys, /dev and /run. A file that may not be read and
 * is not executable is taken as empty.
 * Threads: no shared state; root_dir_read() makes some of its own, and neither the tree nor an error depends on how many.
 * Owns: the mappings and all strings, until root_dir_done().
 * Fails with: ERR_LOCAL (cannot be read), ERR_MALFORMED (more than 4 million names, 256 levels).
 */
#ifndef IMGFACTORY_PROOF_ROOT_DIR_H
#define IMGFACTORY_PROOF_ROOT_DIR_H

#include "tree/tree.h"

struct root_dir_reader;
struct seen_files;

struct root_dir {
    struct root_dir_reader *readers;
    size_t reader_count;
    struct seen_files *seen; /* by the readers */
    struct arena arena;      /* of the readers, what they share, and the nodes */
    struct tree tree;
};

/* Reads the directory with at most that many threads, the caller's among them, but nothing below `left_out`, a directory of
 * it ("/root/.cache/x"; NULL: all). */
bool root_dir_read(const char *path, const char *left_out, size_t thread_count, struct root_dir *ret_root,
                   struct err *err) MUST_CHECK;
/* Unmaps and frees. Accepts a zeroed one. For AUTO(). */
void root_dir_done(struct root_dir *root);

#endif
