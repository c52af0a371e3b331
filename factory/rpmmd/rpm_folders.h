/* SPDX-License-Identifier: Apache-2.0 */
/* rpm_folders.h - folders of lists of files in libsolv's tree, with a bound on what that costs
 *
 * libsolv looks for a folder among all that have the same parent, one by one: a million of them beside each other take hours.
 * So what is there is found in a table, and what is new is added without looking. Whoever looks for a path later still goes
 * through all beside it, which is why these steps are counted.
 * Threads: a struct belongs to one thread.
 * Owns: nothing; counts and what is known live in the arena.
 */
#ifndef IMGFACTORY_RPMMD_RPM_FOLDERS_H
#define IMGFACTORY_RPMMD_RPM_FOLDERS_H

#include "base/arena.h"

#include <solv/repodata.h>
#include <stdint.h>

/* To find each folder once: of 141,000 beside each other. */
#define RPM_FOLDERS_MAX_STEPS ((uint64_t)10000000000)

/* A folder that was added. */
struct rpm_folder {
    Id parent, name, folder; /* folder 0: the place is free */
};

/* Zeroed but for the first two. All folders of `data` are added here. */
struct rpm_folders {
    struct arena *arena;
    Repodata *data;
    uint32_t *counts; /* of the folders in a folder, by its Id */
    size_t capacity;
    struct rpm_folder *known; /* a hash table with open addressing; known_capacity is a power of 2, or 0 */
    size_t known_capacity, known_count;
    uint64_t steps;
};

/* Adds a folder, given by its absolute path, unless it is there, and returns its Id; 0 when to find
 * each of them would take more than RPM_FOLDERS_MAX_STEPS steps. */
Id rpm_folders_add(struct rpm_folders *folders, const char *path);

#endif
