/* SPDX-License-Identifier: Apache-2.0 */
/* history_rebuild.h - `imgfactory history --rebuild`: what was published, read into the state from registries
 *
 * Of sites with `history: registry`: the documents (past/past_document.h) that are attached to what the tags are at. Four requests
 * for an image: tag, list of what is attached, manifest, and the document when it is big. What the state has already stays.
 * Threads: main only.
 * Fails with: as registry.h; ERR_USAGE when nothing says where images are; ERR_LOCAL when the state cannot be written.
 */
#ifndef IMGFACTORY_CLI_HISTORY_REBUILD_H
#define IMGFACTORY_CLI_HISTORY_REBUILD_H

#include "cli/remote_parts.h"

/* Reads the repositories that are the command's words, or those of the site file's images. */
bool history_rebuild(struct remote *remote, struct err *err) MUST_CHECK;

#endif
