/* SPDX-License-Identifier: Apache-2.0 */
/* maker.h - `imgfactory unit`: units and command lines that run images, made of what is known of each
 *
 * A layout's contract is in the bill beside it; of an image of a registry the manifest of its title says it, if the
 * catalogue has one; else the configuration alone is known. What a layout is called in a registry say --image, the
 * manifest and the site file.
 * Threads: main only.
 * Owns: nothing; all lives in the command's arena.
 * Fails with: ERR_USAGE (no such image or format, several of a name), ERR_LOCAL (a file cannot be written).
 */
#ifndef IMGFACTORY_CLI_MAKER_H
#define IMGFACTORY_CLI_MAKER_H

#include "cli/command.h"
#include "deploy/deploy.h"
#include "oci/layout_read.h"
#include "plan/features.h"
#include "registry/reference.h"

struct maker {
    struct command *command;
    struct arena *arena;
    enum deploy_format format;
    const char *manifests_dir;
    struct features features;
    struct digest pinned;
    bool is_pinned, has_digest; /* --pin; with --pin=DIGEST */
    struct deployments deployments;
};

/* Finds the catalogue, --manifests or as installed, and the features that its manifests can name. */
bool maker_find_catalogue(struct command *command, const char **ret_dir, struct features *ret_features,
                          struct err *err) MUST_CHECK;
/* Loads the manifest that a word means, as the command line has it; NULL when there is none, or none that can be read. */
const struct manifest *maker_find_manifest(struct arena *arena, const char *dir, const struct features *features,
                                           const char *word);
/* Returns what the image of a word is called: by its manifest, or without one (NULL) as the word is, without folder and ending. */
const char *maker_name_of(struct arena *arena, const struct manifest *manifest, const char *word);
/* Reads the options, and finds the catalogue. */
bool maker_begin(struct command *command, struct maker *ret_maker, struct err *err) MUST_CHECK;
/* Adds an opened image: of a registry, by what it is called there, or of a layout (`reference` NULL). */
bool maker_add_image(struct maker *maker, const struct layout_image *image, const struct reference *reference,
                     struct err *err) MUST_CHECK;
/* Adds an image of the catalogue that was not built here, if it has one of that name. */
bool maker_add_manifest(struct maker *maker, const char *word, bool *ret_is_found, struct err *err) MUST_CHECK;
/* Makes the files of all images that were added, and prints them, or writes them with --units. */
bool maker_print(struct maker *maker, struct err *err) MUST_CHECK;
/* Prints files, or writes them with --units. */
bool maker_print_files(struct maker *maker, const struct deploy_files *files, struct err *err) MUST_CHECK;

#endif
