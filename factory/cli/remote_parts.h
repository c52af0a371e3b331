/* SPDX-License-Identifier: Apache-2.0 */
/* remote_parts.h - what commands on registries and layouts share; private to cli/
 *
 * Threads: main only.
 */
#ifndef IMGFACTORY_CLI_REMOTE_PARTS_H
#define IMGFACTORY_CLI_REMOTE_PARTS_H

#include "cli/remote.h"
#include "cli/wanted.h"
#include "io/http.h"
#include "layer/archive.h"
#include "oci/layout_read.h"

#define REMOTE_ARCHIVES 2 /* words of a command that may mean one */

struct system_call; /* cli/system.h */
struct attest;      /* sbom/attest.h */
struct verify;      /* cli/verify.h */

/* What a command on registries works with. */
struct remote {
    const struct signers *signers; /* of a push; NULL: nothing is signed */
    const struct attest *attest;   /* what is attached, without store and signers; NULL: nothing */
    struct command *command;
    struct arena *arena;
    const struct registry_options *registry_options;
    struct http *http;
    const struct wanted *wanted;              /* of check */
    const struct verify *verify;              /* of verify and pull; of copy one for each source */
    struct system_call *system;               /* of system */
    struct archive archives[REMOTE_ARCHIVES]; /* that the command's first words mean, unpacked */
};

/* What a word means on this machine. */
struct local {
    bool is_found;
    const char *dir, *tag; /* of a layout; tag NULL: none is named */
    const char *shown;     /* what it is called; NULL: dir */
};

/* An image of a registry, as far as it is wanted. */
struct remote_image {
    const char *word;
    const struct layout_wanted *wanted;
    bool has_layers; /* are they wanted */
    struct registry *registry;
    struct layout_image image;
};

/* Runs a command's work with the network thread beside it, confined to what the command works with. */
bool remote_with_network(struct remote *remote, bool (*run)(struct remote *remote, struct err *err),
                         struct err *err) MUST_CHECK;
/* Splits "FILE[:TAG]"; NULL when there is no such file. */
const char *remote_split_file(struct arena *arena, const char *word, const char **ret_tag);
/* Splits "LAYOUT[:TAG]", "oci:LAYOUT[:TAG]" or "NAME[:TAG]" (of the output directory). False when no layout is meant. */
bool remote_find_layout(const struct remote *remote, const char *word, const char **ret_dir, const char **ret_tag);
/* Finds what one of the command's words means: a layout, or an archive of one, which is unpacked: also written
 * "oci-archive:FILE[:TAG]" or "docker-archive:FILE[:TAG]". */
bool remote_find_local(struct remote *remote, size_t word_at, struct local *ret_local, struct err *err) MUST_CHECK;
/* Says how the layout is opened. */
struct layout_choice remote_local_choice(const struct remote *remote, const struct local *local,
                                         const struct layout_wanted *wanted);
/* Returns whether the word can only mean something on this machine: a reference has a host, and does not end with a slash. */
bool remote_is_local(const char *word);
/* Returns whether there is a folder. */
bool remote_is_dir(const char *path);
/* Says that nothing on this machine has the name, and what may be meant; returns false. */
bool remote_fail_no_layout(const struct remote *remote, const char *word, struct err *err) MUST_CHECK;
/* Opens the cache; the caller closes it. */
bool remote_open_store(struct remote *remote, struct store **ret_store, struct err *err) MUST_CHECK;
/* Closes it. For AUTO(). */
void remote_close_store(struct store **store);
/* Gets an image of a registry, whose word and wishes are set. */
bool remote_open_image(struct remote *remote, struct store *store, struct remote_image *image,
                       struct err *err) MUST_CHECK;
/* Closes it. Accepts a zeroed one. For AUTO(). */
void remote_close_image(struct remote_image *image);
/* Checks that the image has something for each architecture of --arch. */
bool remote_check_offered(struct arena *arena, const struct wanted *wanted, const struct layout_image *image,
                          const char *word, struct err *err) MUST_CHECK;

#endif
