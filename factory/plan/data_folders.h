/* SPDX-License-Identifier: Apache-2.0 */
/* data_folders.h - recipes, families, the foreground and interpreters of a run: parsed when somebody asks what they say
 *
 * A finished product is found by the digests of these folders, so a run that makes nothing needs no more of them. But what
 * is wrong in a file has to be told before anything starts: files that this program has not parsed yet are parsed at once,
 * and that all were good is remembered (io/hashed.h) under a digest over the program and all their bytes.
 * Threads: opened and closed by main; data_folders_load() by any. What it loaded is const for all.
 * Owns: all it loaded, until data_folders_close().
 * Fails with: ERR_USAGE ("FILE:LINE:COLUMN: …"); ERR_LOCAL: files cannot be read, or were changed meanwhile.
 */
#ifndef IMGFACTORY_PLAN_DATA_FOLDERS_H
#define IMGFACTORY_PLAN_DATA_FOLDERS_H

#include "io/hashed.h"
#include "plan/family.h"
#include "plan/foreground.h"
#include "plan/interpreter.h"
#include "plan/recipe.h"

#include <pthread.h>

/* Where they are; borrowed as long as the folders are open. */
struct data_places {
    const char *recipes;
    struct strings families, foregrounds, interpreters; /* directories */
    struct strings formats;                             /* names of the package formats that there are */
};

struct data_folders {
    /* Their digests are there at once; the rest when data_folders_load() returned. */
    struct recipes recipes;
    struct families families;
    struct foregrounds foregrounds;
    struct interpreters interpreters;
    const struct data_places *places;
    pthread_mutex_t lock; /* guards the next two */
    struct arena arena;
    bool is_loaded;
};

/* Opens the folders; loads them, too, unless all their files are known to be good. `program` is this program's digest;
 * without `hashed` (NULL) nothing is known. */
bool data_folders_open(const struct data_places *places, const struct digest *program, struct hashed *hashed,
                       struct data_folders *ret_folders, struct err *err) MUST_CHECK;
/* Loads what is not loaded yet. ERR_LOCAL when a file is another one than when the folders were opened. */
bool data_folders_load(struct data_folders *folders, struct err *err) MUST_CHECK;
/* Frees everything. Accepts a zeroed one. */
void data_folders_close(struct data_folders *folders);

#endif
