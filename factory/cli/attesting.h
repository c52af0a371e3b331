/* SPDX-License-Identifier: Apache-2.0 */
/* attesting.h - what a call attaches to what it pushes (--attest, or the site file's `attest`), and data for VEX documents
 *
 * Threads: main only, before anything is confined.
 * Owns: an attesting holds the files that were read until attesting_close().
 */
#ifndef IMGFACTORY_CLI_ATTESTING_H
#define IMGFACTORY_CLI_ATTESTING_H

#include "cli/command.h"
#include "sbom/attest.h"

struct attesting {
    struct attest attest; /* without store and signers; kinds 0: nothing is attached */
    struct provenance_program program;
    struct vex_data data;
    LIST(struct buf *) files; /* bytes of the feeds */
};

/* Reads maintained claims (the shipped ones, and those beside --manifests) and the files given with --tracker, else the site's. */
bool attesting_read_data(struct command *command, struct attesting *attesting, struct err *err) MUST_CHECK;
/* Reads what is to be attached, and what that needs. Fails with: ERR_USAGE, as vex.h. */
bool attesting_open(struct command *command, struct attesting *ret_attesting, struct err *err) MUST_CHECK;
/* Frees what was read. Accepts a zeroed one. For AUTO(). */
void attesting_close(struct attesting *attesting);
/* Checks that a builder's name (or NULL) is a URI; `what` is for the message. */
bool attesting_check_builder(const char *what, const char *builder, struct err *err) MUST_CHECK;

#endif
