/* SPDX-License-Identifier: Apache-2.0 */
/* places.h - where this run reads and writes: data files as installed or in a source tree, cache and state by the XDG
 * rules
 *
 * XDG Base Directory Specification 0.8. Relative XDG values are ignored, as it says.
 * Threads: main only.
 * Fails with: ERR_USAGE, ERR_LOCAL.
 */
#ifndef IMGFACTORY_CLI_PLACES_H
#define IMGFACTORY_CLI_PLACES_H

#include "base/arena.h"

/* Finds a data folder ("arches", "manifests"): of the source tree when this program lies in its build tree, else
 * ../share/imgfactory beside the program's directory, else the place given at configure time. */
bool places_data_dir(struct arena *arena, const char *name, const char **ret_path, struct err *err) MUST_CHECK;
/* Finds the directory for `variable` ("XDG_CACHE_HOME"), `below_home` (".cache") or, for root without HOME
 * or with "/nonexistent" there, `for_system` ("/var/cache"), with "/imgfactory" added. */
bool places_user_dir(struct arena *arena, const char *variable, const char *below_home, const char *for_system,
                     const char **ret_path, struct err *err) MUST_CHECK;

#endif
