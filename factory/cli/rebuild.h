/* SPDX-License-Identifier: Apache-2.0 */
/* rebuild.h - `imgfactory verify`, and with --rebuild: the image made again out of exactly what it says it was made of, and compared
 *
 * First the image is verified as ever, by a thread that is confined to it (verify.h). Then a build with its lock (--lock-file, the one in
 * its provenance, or that of the bills beside a layout) makes all of its platforms in a folder of its own (TMPDIR, else /var/tmp), with
 * a state of its own, so that nothing counts that was derived before. Nothing is pushed. At last index, manifests, configurations and
 * layers are compared: the very same bytes, the same content in another compression, or else the first thing that differs.
 * Threads: main only.
 * Fails with: as verify.h and build.h; ERR_RESOLVE (nothing says what it was made of); ERR_TRUST (it comes out otherwise).
 */
#ifndef IMGFACTORY_CLI_REBUILD_H
#define IMGFACTORY_CLI_REBUILD_H

#include "cli/command.h"

/* The command `verify`. */
bool rebuild_verify(struct command *command, struct err *err) MUST_CHECK;

#endif
