/* SPDX-License-Identifier: Apache-2.0 */
/* root_dir_reader.h - one directory of a root that is checked: its names, and what the proof looks at of its files
 *
 * Private to root_dir.c. Images have a hundred thousand files, so each costs as few system calls as can be: getdents64(2)
 * tells what a name is, a file that may matter is opened before it is asked for its size and mode, and of others only the
 * mode is asked for. A file that has several names (st_nlink) is read and mapped once, whoever meets it first.
 * Threads: a reader belongs to one thread; a folder to the reader that takes it, and is const when it is read.
 * Owns: a reader owns its arenas and mappings (root_dir_reader_done()).
 * Fails with: ERR_LOCAL (cannot be read), ERR_MALFORMED (more than 4 million names, 256 levels).
 */
#ifndef IMGFACTORY_PROOF_ROOT_DIR_READER_H
#define IMGFACTORY_PROOF_ROOT_DIR_READER_H

#include "base/map.h"
#include "tree/tree.h"

#include <pthread.h>
#include <stdatomic.h>

#define ROOT_DIR_NODES_MAX ((size_t)4 << 20)

struct folder;

/* One name of a folder. */
struct folder_name {
    struct node node;
    struct folder *below; /* of a directory that is looked into; else NULL */
    bool is_left;         /* a file that was not opened because of its name */
};

struct folder {
    const char *path; /* as of nodes; "" for the root */
    unsigned depth;
    LIST(struct folder_name) names; /* in the order of the directory */
};

struct folders {
    struct folder **items;
    size_t count, capacity;
};

/* What was found in files that have several names, for all readers. */
struct seen_files {
    pthread_mutex_t lock; /* guards all below */
    struct arena arena;
    struct map by_inode; /* struct seen_file, private to root_dir_reader.c */
};

struct root_dir_reader {
    int root;             /* descriptor of the root; borrowed */
    const char *left_out; /* a directory that is not looked into; NULL: none. Borrowed */
    atomic_size_t *count; /* of names, of all readers together */
    struct seen_files *seen;
    struct arena kept;    /* paths, link targets, lines of scripts, ELF facts */
    struct arena scratch; /* folders and their names */
    LIST(struct view) views;
    struct folders found; /* folders below those that were read since the caller emptied it */
    char *buffer;         /* for getdents64() */
};

/* Reads the folder's names, and of its files what the proof looks at. */
bool root_dir_reader_read(struct root_dir_reader *reader, struct folder *folder, struct err *err) MUST_CHECK;
/* Opens a file that was left for its name, after all. */
bool root_dir_reader_open(struct root_dir_reader *reader, const struct folder *folder, struct folder_name *name,
                          struct err *err) MUST_CHECK;
/* Returns whether a file of that name that nobody may execute is taken for data: sources, byte code of interpreters,
 * documents, pictures, archives. */
bool root_dir_reader_is_left(const char *name);
/* Frees all but what is kept, when the tree is made. */
void root_dir_reader_trim(struct root_dir_reader *reader);
/* Unmaps and frees. Accepts a zeroed one. */
void root_dir_reader_done(struct root_dir_reader *reader);

#endif
