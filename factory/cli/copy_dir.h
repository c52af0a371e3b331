/* SPDX-License-Identifier: Apache-2.0 */
/* copy_dir.h - `imgfactory copy --to-dir` and `--from-dir`: images with all that hangs on them over an air gap
 *
 * The folder is an OCI layout whose names are full ones ("quay.io/me/dhcpd:1"), with artifacts and signatures in its index.json, and
 * beside it files that help on the other side (carried.h). Everything of it is checked before the first byte is pushed.
 * Threads: main.
 * Fails with: as copy.h, carried.h.
 */
#ifndef IMGFACTORY_CLI_COPY_DIR_H
#define IMGFACTORY_CLI_COPY_DIR_H

#include "cli/remote_parts.h"

/* Copies what the words name into the folder; public keys, the lock file and the vendor folder go along. */
bool copy_to_dir(struct remote *remote, struct store *store, struct err *err) MUST_CHECK;
/* Copies all images of the folder to repositories below the one word. */
bool copy_from_dir(struct remote *remote, struct store *store, struct err *err) MUST_CHECK;

#endif
