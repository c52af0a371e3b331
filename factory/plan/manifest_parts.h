/* SPDX-License-Identifier: Apache-2.0 */
/* manifest_parts.h - the steps of manifest_load(): read by tables, then check what the tables cannot
 *
 * Threads: no shared state.
 * Fails with: ERR_USAGE ("FILE:LINE:COLUMN: …").
 */
#ifndef IMGFACTORY_PLAN_MANIFEST_PARTS_H
#define IMGFACTORY_PLAN_MANIFEST_PARTS_H

#include "plan/manifest.h"

/* A manifest as it is read, with the nodes that checks name in their messages. */
struct manifest_form {
    struct manifest manifest;
    const struct yaml_node *root, *files, *packages, *directories, *create, *symlinks, *users, *groups, *config,
        *automatic, *run, *system, *services, *data, *configure, *upgrade;
    struct strings install;    /* packages */
    const char *dlopen;        /* as written, or NULL */
    const char *init;          /* as written, or NULL */
    struct contract *contract; /* the manifest's, which is still being made; NULL without `run` */
    const char *optional;      /* packages: optional, as written, or NULL */
    struct strings covers;     /* as written */
    bool is_from_fine;         /* files may be copied from beside it: their bytes are in its digest */
    bool is_repeat_fine;       /* one path may stand twice under `files`, for other packages */
};

/* Reads the root mapping and everything below it into the form. */
bool manifest_read(struct arena *arena, const struct yaml_file *file, struct manifest_form *ret_form,
                   struct err *err) MUST_CHECK;
/* Reads what stands under the form's `files`, `directories`, `create`, `symlinks`, `users` and `groups` nodes, takes its
 * variables and packages to install over into the wishes, and checks
 * it: the parts that recipes have, too. */
bool manifest_read_parts(struct arena *arena, struct manifest_form *form, struct err *err) MUST_CHECK;
bool manifest_check_parts(struct arena *arena, struct manifest_form *form, struct err *err) MUST_CHECK;
/* Reads the file that `made` is a copy of, which lies beside the manifest or below it, and adds its bytes to the digest of the
 * manifest. */
bool manifest_read_from(struct arena *arena, struct manifest_form *form, struct wish_made *made,
                        struct err *err) MUST_CHECK;
/* Checks names and values of environment variables. */
bool manifest_check_env(struct arena *arena, const struct yaml_pairs *env, struct err *err) MUST_CHECK;
/* Reads the names of `covers`, which stand under that key of `root`, into a truth for each effect. */
bool manifest_read_covers(struct arena *arena, const struct yaml_node *root, const struct strings *covers,
                          bool *ret_covers, struct err *err) MUST_CHECK;
/* Tells why a string is not a package's name, or NULL. */
const char *manifest_why_not_package(const char *name);
/* Checks names, paths and numbers, normalises ports, and adds the default groups of users. */
bool manifest_check(struct arena *arena, struct manifest_form *form, struct err *err) MUST_CHECK;
/* Checks the `config` and `tags` keys; `form` knows the users and groups. Part of manifest_check(). */
bool manifest_check_config(struct arena *arena, struct manifest_form *form, struct err *err) MUST_CHECK;
/* Returns whether `name` is "root", a user (or group) of the manifest, or a decimal number. With `has_recipes` any name
 * will do: a recipe may bring the user, which is only known when the packages are. */
bool manifest_knows_user(const struct manifest *manifest, const char *name);
bool manifest_knows_group(const struct manifest *manifest, const char *name);

#endif
