/* SPDX-License-Identifier: Apache-2.0 */
/* automatic.h - what a service needs around its binary and its libraries, as its own packages say it
 *
 * For manifests with `automatic`: the closure finds what the loader wants; a service wants its configuration, its user,
 * its directories, its command as well. All of it is read from constant data of the packages; nothing is run.
 * The own packages are those of the selection with the same source package as one that ships a binary of the manifest,
 * or that the manifest takes as a whole; each part (enum automatic_part) looks into these.
 * Threads: pure functions of their inputs.
 * Owns: nothing; results live in the arena, and point into packages.
 * Fails with: ERR_MALFORMED (a file of a package that is too much to be read), ERR_TRUST (bytes that differ from their
 * digest).
 */
#ifndef IMGFACTORY_SERVICE_AUTOMATIC_H
#define IMGFACTORY_SERVICE_AUTOMATIC_H

#include "closure/closure.h"
#include "plan/features.h"
#include "plan/foreground.h"
#include "plan/interpreter.h"
#include "source/solve.h"

/* What was found. Each wish has its giver. */
struct automatic {
    struct wishes wishes;
    struct manifest_config config; /* what is started; unset members where the packages say nothing */
    struct strings names;          /* packages that are to be selected, too */
    struct strings libraries;      /* interpreters of scripts that are named, and sonames that plug-ins lack which the
                                      configuration names: nothing selected has them */
    struct strings helpers;        /* paths that programs name as those of programs, and that no opened package has */
    struct strings notes;          /* what could not be found out: sentences for the report */
};

struct references;
struct siblings;

struct automatic_request {
    const struct manifest *manifest;
    const struct arch *arch;
    const struct wishes *wishes; /* of all, by now */
    const struct selection *selection;
    const struct package *const *packages; /* parallel to the selection; NULL: not opened */
    const struct fileset *set;
    const struct keep *keep; /* what the image has by now */
    const struct features *features;
    struct references *references;   /* what was read in former rounds, and is now */
    const struct siblings *siblings; /* of the package that ships the first binary; may be NULL */
    const struct strings *depends;   /* names of packages that this one depends on directly; may be NULL */
    const struct foregrounds *foregrounds;
    const struct interpreters *interpreters;
};

/* Finds what is automatic for the image as it is by now. It can be asked again once more is in the image. */
bool automatic_find(struct arena *arena, const struct automatic_request *request, struct automatic *ret_found,
                    struct err *err) MUST_CHECK;
/* Returns whether two findings say the same. */
bool automatic_same(const struct automatic *a, const struct automatic *b);
/* Returns the manifest's configuration with what it leaves open as found: a command of the manifest's is never mixed with
 * one that was found. Variables are wishes. */
struct manifest_config automatic_config(const struct manifest_config *manifest, const struct manifest_config *found);

#endif
