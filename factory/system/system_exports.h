/* SPDX-License-Identifier: Apache-2.0 */
/* system_exports.h - the folder /exports of a system container: templates, manifest.json, files for the host
 *
 * The format is that of the `atomic` program of Project Atomic (atomic-install(1), Atomic/syscontainers.py);
 * system/README.md has it in our words. /exports comes out of an image's merged layers, or of a folder.
 * Threads: pure functions of their inputs.
 * Owns: nothing; all lives in the arena given, or in the ground.
 * Fails with: ERR_MALFORMED (files that are too large, too many, or nothing of the kind), ERR_TRUST, ERR_LOCAL.
 */
#ifndef IMGFACTORY_SYSTEM_SYSTEM_EXPORTS_H
#define IMGFACTORY_SYSTEM_SYSTEM_EXPORTS_H

#include "ground/ground.h"
#include "system/system_host.h"
#include "system/system_template.h"

#include <jansson.h>

#define SYSTEM_EXPORTS "/exports"
#define SYSTEM_HOSTFS "/exports/hostfs"
#define SYSTEM_EXPORT_MAX_BYTES ((size_t)1 << 20)     /* of one template */
#define SYSTEM_HOSTFS_MAX_BYTES ((uint64_t)256 << 20) /* of all files for the host that lie in a folder */
#define SYSTEM_HOSTFS_MAX_COUNT 10000
#define SYSTEM_FINDINGS_MAX 1000

/* The files of /exports that mean something, in the order of system_file_names. */
enum system_file {
    SYSTEM_CONFIG,
    SYSTEM_SERVICE,
    SYSTEM_MANIFEST,
    SYSTEM_TMPFILES,
    SYSTEM_CONFIG_PLAIN,
    SYSTEM_FILE_COUNT
};
extern const char *const system_file_names[SYSTEM_FILE_COUNT];

/* A root of which /exports is read: one of both. */
struct system_tree {
    const struct ground *ground;    /* an image's */
    const struct system_host *host; /* a folder's; then `folder` is the path of /exports in it */
    const char *folder;
};

/* manifest.json. */
struct system_manifest {
    struct system_values defaults; /* defaultValues */
    struct system_values renames;  /* renameFiles: path in hostfs, path on the host (a template) */
    struct strings templates;      /* installedFilesTemplate: paths in hostfs whose text is a template */
    bool has_no_service;           /* noContainerService */
};

struct system_exports {
    bool is_there;
    struct text files[SYSTEM_FILE_COUNT]; /* ptr NULL: not there */
    const struct entry **hostfs;          /* by path; paths begin below hostfs: "/usr/bin/x" */
    size_t hostfs_count;
};

/* A fault of /exports, or something to know. */
struct system_finding {
    const char *file;  /* "/exports/service.template", "image configuration" */
    const char *place; /* "line 3", a JSON pointer (RFC 6901), or NULL */
    const char *text;
    bool is_note;
};

struct system_findings {
    struct system_finding *items;
    size_t count, capacity;
    struct arena *arena;
    size_t violation_count, note_count; /* of each at most SYSTEM_FINDINGS_MAX are kept, and all counted */
};

/* Adds one. */
void system_find(struct system_findings *findings, bool is_note, const char *file, const char *place,
                 const char *format, ...) PRINTF_LIKE(5, 6);
/* Reads /exports. What is no regular file where one is meant, and a device among the files for the host, is refused. */
bool system_exports_read(struct arena *arena, const struct system_tree *tree, struct system_exports *ret_exports,
                         struct err *err) MUST_CHECK;
/* Parses JSON as all of it is parsed here: no key twice, at most SYSTEM_FILLED_MAX_BYTES. NULL and a finding with the line
 * when it is none. The caller owns the result. */
json_t *system_json(struct system_findings *findings, const char *file, struct text text);
/* Reads manifest.json; what breaks a rule of it is found, and taken for absent. Without a file all is empty. */
void system_manifest_read(struct arena *arena, const struct system_exports *exports, struct system_findings *findings,
                          struct system_manifest *ret_manifest);
/* Turns the first finding that is no note into an error of class ERR_MALFORMED; returns true when there is none. */
bool system_findings_verdict(const struct system_findings *findings, struct err *err) MUST_CHECK;

#endif
