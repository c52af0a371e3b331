/* SPDX-License-Identifier: Apache-2.0 */
/* manual_texts.h - pages of the tree from which manual pages are made (manual_files.h), within the program
 *
 * Threads: const.
 * Owns: nothing.
 */
#ifndef IMGFACTORY_CLI_MANUAL_TEXTS_H
#define IMGFACTORY_CLI_MANUAL_TEXTS_H

#include "base/embedded.h"

extern const struct embedded_file manual_texts[];
extern const size_t manual_texts_count;

#endif
