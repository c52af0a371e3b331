/* rpm_folders.h - folders of lists of files in libsolv's tree, with a bound on what that costs
 *
 * libsolv looks for a folder among all that have the same parent, one by one: a million of them beside each other take hours.
 * So those steps are counted.
 * Threads: a struct belongs to one thread.
 * Owns: nothing; the counts live in the arena.
 */
#ifndef IMGFACTORY_RPMMD_RPM_FOLDERS_H
#define IMGFACTORY_RPMMD_RPM_FOLDERS_H

#include "base/arena.h"

#include <solv/repodata.h>
#include <stdint.h>

/* Some ten seconds. */
#define RPM_FOLDERS_MAX_STEPS ((uint64_t)1000000000)

/* Zeroed but for the first two. */
struct rpm_folders {
    struct arena *arena;
    Repodata *data;
    uint32_t *counts; /* of the folders in a folder, by its Id */
    size_t capacity;
    uint64_t steps;
};

/* Adds a folder, given by its absolute path, and returns its Id; 0 when that would take more than RPM_FOLDERS_MAX_STEPS
 * steps of all folders so far. */
Id rpm_folders_add(struct rpm_folders *folders, const char *path);

#endif
