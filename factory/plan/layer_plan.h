/* SPDX-License-Identifier: Apache-2.0 */
/* layer_plan.h - into how many layers an image goes, and which source packages get one of their own (imgfactory.layers)
 *
 * The plan lies beside the lock file, and is made and updated by `imgfactory lock` (line/layering.h). A line is a
 * source package, the number of images that have files of it, and how many bytes these have; and, where images have
 * different files of it, which of its files, by their last names, in which a '*' at the end stands for any version:
 *     openssl 16 4733728 libcrypto.so*
 *     glibc 23 2141232
 *     openssl 15 688160 libssl.so*
 * A line without names is of all files of its source package that no other line of it names. Lines are in the order of
 * layers, the lowest first. '#' begins a comment. It is an input like the manifest: what an image's layers are depends
 * on the image, the plan and the number alone, never on what other images a call has.
 * Threads: no state.
 * Owns: nothing; strings live in the arena given.
 * Fails with: ERR_USAGE (a line that is none, with its number).
 */
#ifndef IMGFACTORY_PLAN_LAYER_PLAN_H
#define IMGFACTORY_PLAN_LAYER_PLAN_H

#include "base/map.h"

#define LAYER_PLAN_NAME "imgfactory.layers"
#define LAYER_PLAN_MAX_BYTES ((size_t)1 << 20)
#define LAYER_PLAN_MAX 1000          /* lines */
#define LAYER_PLAN_FILES_MAX 16      /* names of files in a line */
#define LAYER_PLAN_FILE_MAX_BYTES 48 /* of such a name */
#define LAYERS_MAX 100               /* Docker takes 127, with those of a base */
#define LAYERS_AUTO 24
#define LAYERS_UNPLANNED 2 /* up to so many no plan is asked for */
#define LAYERS_WORDS "1, auto, or a number up to 100"

struct layer_share {
    const char *source;     /* name of the source package */
    uint64_t images, bytes; /* that have files of it; of these files, in the image that has most */
    struct strings files;   /* names of files that it is of; none: all that no other line of the source package names */
};

struct layer_plan {
    struct layer_share *items; /* the lowest first */
    size_t count, capacity;
};

/* Parses how many layers an image gets at most: 1, "auto" or a number. */
bool layers_parse(const char *word, size_t *ret_layers) MUST_CHECK;
/* Reads a plan; `name` is for messages. */
bool layer_plan_read(struct arena *arena, const char *name, struct text text, struct layer_plan *ret_plan,
                     struct err *err) MUST_CHECK;
/* Appends the document; false when the buffer is full. */
bool layer_plan_write(const struct layer_plan *plan, struct buf *text) MUST_CHECK;
/* Returns the plan's lines, as a bill has them. */
struct strings layer_plan_lines(struct arena *arena, const struct layer_plan *plan);
/* Returns the name by which a line has a file, from its last name: without what changes with its version, "libssl.so*" of
 * libssl.so.3, "libisc-*" of libisc-9.18.49-1.so, else as it is. NULL when no line can have it. */
const char *layer_plan_name_of(struct arena *arena, const char *base_name);

/* A plan's lines by their source packages. */
struct layer_index {
    const struct layer_plan *plan;
    struct map sources; /* private: numbers of lines */
    size_t *next;       /* private: the number of the next line of the source package */
};

/* Sorts the lines of a plan, which has to outlive the index, as do its strings. */
void layer_index_make(struct arena *arena, const struct layer_plan *plan, struct layer_index *ret_index);
/* Finds the line that a file of a source package is of, by the last part of its path: the one that names it best (as it is, else by the
 * longest name with a '*'; of the same the first), so that a line for what none named before takes no file from another; else the one
 * without names. NULL when the plan has neither. */
const struct layer_share *layer_index_find(const struct layer_index *index, const char *source, const char *base_name);

#endif
