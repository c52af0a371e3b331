/* SPDX-License-Identifier: Apache-2.0 */
/* told_file.h - a file that a run replaces at its end, to tell others of itself
 *
 * It is replaced at once, so that a reader sees that of the last run or of this one, and others may read it (0644).
 * Threads: any.
 * Fails with: ERR_USAGE (no such folder), ERR_LOCAL; texts name the option.
 */
#ifndef IMGFACTORY_CLI_TOLD_FILE_H
#define IMGFACTORY_CLI_TOLD_FILE_H

#include "base/text.h"

/* Checks, before anything begins, that the file can be where it is to be; NULL is fine. */
bool told_file_check(const char *option, const char *path, struct err *err) MUST_CHECK;
/* Replaces it. */
bool told_file_write(const char *option, const char *path, struct text text, struct err *err) MUST_CHECK;

#endif
