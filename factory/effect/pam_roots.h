/* SPDX-License-Identifier: Apache-2.0 */
/* pam_roots.h - feature pam: the modules that the image's service files name, as roots of the closure
 *
 * Service files are those that the manifest creates in /etc/pam.d and those of the packages that ship its binaries;
 * what they include comes along, from the manifest, a package, or Debian's templates, which are filled as
 * pam-auth-update(8) does on a fresh system.
 * Threads: pure functions of their inputs.
 * Fails with: ERR_RESOLVE (a module or file that no package in the set ships).
 */
#ifndef IMGFACTORY_EFFECT_PAM_ROOTS_H
#define IMGFACTORY_EFFECT_PAM_ROOTS_H

#include "closure/roots.h"

/* Adds the roots to those of the request, and returns what the image lacks for them: the files that are made of templates.
 * Nothing without the feature. `notes` gets a sentence for each module that no package ships; NULL: that is an error. */
bool pam_roots_add(struct arena *arena, const struct roots_request *request, struct roots *roots,
                   struct wishes *ret_wishes, struct strings *notes, struct err *err) MUST_CHECK;

#endif
