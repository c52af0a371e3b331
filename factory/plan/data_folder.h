/* SPDX-License-Identifier: Apache-2.0 */
/* data_folder.h - the YAML files of one subject (recipes, features, families): a folder, or our own over the shipped one
 *
 * Threads: no shared state.
 * Owns: nothing; everything lives in the caller's arena.
 * Fails with: ERR_USAGE ("FILE:LINE:COLUMN: …"), ERR_LOCAL.
 */
#ifndef IMGFACTORY_PLAN_DATA_FOLDER_H
#define IMGFACTORY_PLAN_DATA_FOLDER_H

#include "plan/yaml.h"

struct data_file {
    const char *stem; /* the file's name without .yaml */
    const char *path;
    const struct yaml_node *root; /* never NULL */
};

struct data_folder {
    struct data_file *items; /* sorted by stem */
    size_t count, capacity;
    struct digest digest; /* of all files and their names */
};

/* Reads every *.yaml of the directories; a file takes the place of one of the same name in an earlier directory. A
 * directory that is not there has none. An empty file is an error that calls it `what` ("recipe"). */
bool data_folder_load(struct arena *arena, const struct strings *dirs, const char *what, struct data_folder *ret_folder,
                      struct err *err) MUST_CHECK;
/* Gives the digest of what data_folder_load() would read now, without looking what the files say. */
bool data_folder_digest(const struct strings *dirs, struct digest *ret_digest, struct err *err) MUST_CHECK;

#endif
