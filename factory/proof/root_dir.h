/* root_dir.h - a directory of the host that is the root of some system, read as a tree to be checked
 *
 * Every name is opened below the directory with openat, symlinks are data and never followed, so nothing outside is
 * looked at. ELF files and /etc/ld.so.cache are mapped; of a script only the beginning is read (the "#!" line), other
 * files have no bytes, and what is below /usr/share and not executable is not opened; size_bytes and data are those.
 * Devices, fifos and sockets are left out, and what is below /proc, /sys, /dev and /run. A file that may not be read and
 * is not executable is taken as empty.
 * Threads: no shared state.
 * Owns: the mappings, until root_dir_done().
 * Fails with: ERR_LOCAL (cannot be read), ERR_MALFORMED (more than 4 million names, 256 levels).
 */
#ifndef IMGFACTORY_PROOF_ROOT_DIR_H
#define IMGFACTORY_PROOF_ROOT_DIR_H

#include "tree/tree.h"

struct root_dir {
    struct arena *arena;
    LIST(struct view) views;
    LIST(struct node) nodes;
    struct tree tree;
};

/* Reads the directory; strings live in the arena. */
bool root_dir_read(struct arena *arena, const char *path, struct root_dir *ret_root, struct err *err) MUST_CHECK;
/* Unmaps. Accepts a zeroed one. For AUTO(). */
void root_dir_done(struct root_dir *root);

#endif
