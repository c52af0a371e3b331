/* SPDX-License-Identifier: Apache-2.0 */
/* system_lint_parts.h - the parts of lint; private to system/
 *
 * Threads: pure functions of their inputs.
 * Owns: nothing; all lives in the arena of the findings.
 */
#ifndef IMGFACTORY_SYSTEM_SYSTEM_LINT_PARTS_H
#define IMGFACTORY_SYSTEM_SYSTEM_LINT_PARTS_H

#include "system/system_lint.h"

/* The value of NAME while templates are judged: one that no template has by itself. */
#define SYSTEM_LINT_NAME "a-name-to-judge-with"

/* A judgement under way. */
struct lint {
    const struct lint_request *request;
    struct arena *arena;
    struct system_findings *findings;
    struct system_manifest manifest;
    struct system_values values; /* samples of all that is known, and the defaults */
    struct strings made;         /* paths that lines of tmpfiles.template and files for the host make */
    const json_t *config;        /* config.json after substitution; NULL: there is none */
};

/* Fills a template with the samples; text.ptr NULL: there is none, or it cannot be filled, which is found. */
struct text lint_fill(struct lint *lint, enum system_file file, enum system_template_kind kind);
/* The same of any other template. */
struct text lint_fill_source(struct lint *lint, const struct system_template *source);
/* Judge one file, or the image, each. lint_tmpfiles() fills `made`, which lint_config() asks. */
void lint_tmpfiles(struct lint *lint);
void lint_service(struct lint *lint);
void lint_config(struct lint *lint);
void lint_image(struct lint *lint);
/* Judges one line of tmpfiles.d(5), number `line`, and adds what it makes to `made`. */
void lint_tmpfiles_line(struct lint *lint, struct text text, size_t line);

#endif
