/* SPDX-License-Identifier: Apache-2.0 */
/* system_lint.h - whether /exports and the image around it keep the rules of system containers
 *
 * The rules are those of `atomic` and of its own lint (atomic-system-containers, lint/syscontainers-lint, FILES.md,
 * LABELS.md), of OCI's runtime-spec 1.0 (config.md, config-linux.md), systemd.unit(5), systemd.service(5) and
 * tmpfiles.d(5). system/README.md lists them.
 * Threads: pure functions of their inputs.
 * Owns: nothing; findings live in their arena.
 */
#ifndef IMGFACTORY_SYSTEM_SYSTEM_LINT_H
#define IMGFACTORY_SYSTEM_SYSTEM_LINT_H

#include "system/system_values.h"

/* What is judged. */
struct lint_request {
    const struct system_exports *exports;
    const struct ground *ground; /* of the image; NULL: a folder, whose programs are not looked at */
    struct text config;          /* the image's configuration; ptr NULL: there is none */
};

/* Judges everything. */
void system_lint(const struct lint_request *request, struct system_findings *findings);

#endif
