/* SPDX-License-Identifier: Apache-2.0 */
/* change.h - what differs between two images for one platform: packages, files, configuration
 *
 * Two sides are compared by their bills, ours or made of an image's layers (change/described.h), and by their
 * configuration as the image has it. Neither side is believed: lists are sorted here, and strings are cleaned by whoever
 * prints them (change_print.h).
 * Threads: no shared state.
 * Owns: nothing; results point into both sides, and live in the arena given.
 */
#ifndef IMGFACTORY_CHANGE_CHANGE_H
#define IMGFACTORY_CHANGE_CHANGE_H

#include "bill/bill.h"
#include "ground/installed.h"
#include "package/advisory.h"

/* One image for one platform. */
struct change_side {
    const char *platform; /* "linux/arm64/v8"; NULL: it says none */
    struct digest digest; /* of its manifest */
    struct text config;   /* its configuration; empty: none is known */
    uint64_t layer_bytes; /* compressed */
    uint64_t unpacked_bytes;
    const struct bill *bill;           /* what is in it; NULL: not known */
    struct ground ground;              /* what it was read from; zeros: it was not */
    const struct installed *installed; /* the package database there, or NULL */
    const struct bill *told;           /* the bill that there was before its layers were read, or NULL */
    bool is_read; /* the bill was made of its layers: files alone, and the packages of its database */
};

struct change_story;   /* stories.h */
struct library_change; /* libraries.h */

enum change_kind { CHANGE_CAME, CHANGE_WENT, CHANGE_CHANGED };

struct package_change {
    enum change_kind kind;
    const struct bill_package *before, *after; /* NULL where there is none */
    bool has_given;                            /* files of either are in the image */
};

struct file_change {
    enum change_kind kind;
    const struct bill_file *before, *after;
};

/* A key of the configuration; of a list that is a set (env, ports, labels, …) one item. */
struct value_change {
    const char *key, *name; /* "env", "PATH"; name NULL: the whole key */
    const char *before,
        *after; /* compact JSON; NULL: not there. Of an item of a set without values both are as the name */
};

struct change {
    const struct change_side *before, *after; /* one of them may be NULL: the platform came or went */
    bool is_known;                            /* both sides' packages and files were compared */
    LIST(struct package_change) packages;     /* by name */
    LIST(struct file_change) files;           /* and directories, by path */
    LIST(struct value_change) values;
    LIST(struct library_change) libraries; /* that came, went, or define other symbols (libraries.h) */
    LIST(struct change_story) stories;     /* of packages that changed (stories.h) */
    struct advisories advisories;          /* of packages that changed */
    struct strings notes;                  /* what could not be read, as sentences */
};

/* Compares; one side may be NULL. */
void change_compare(struct arena *arena, const struct change_side *before, const struct change_side *after,
                    struct change *ret_change);
/* Returns whether the two are one image. */
bool change_is_none(const struct change *change);
/* Notes once what could not be read. */
void change_note(struct arena *arena, struct change *change, const char *note);
/* Returns the package of whose upgrade something is said: the after side's, or the before side's when it went. */
const struct bill_package *change_package(const struct package_change *change);

#endif
