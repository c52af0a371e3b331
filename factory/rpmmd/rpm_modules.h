/* SPDX-License-Identifier: Apache-2.0 */
/* rpm_modules.h - modules.yaml: which packages of a modular repository count
 *
 * Format: https://github.com/fedora-modularity/libmodulemd, documents "modulemd" (version 2) and "modulemd-defaults";
 * others are passed over. As dnf does it: a stream is active when the source enables it, or it is its module's default
 * and no other is enabled, or an active one requires it; all of its versions count. A module that is disabled has no
 * active stream. Packages listed by streams
 * that are not active are left out, and so are packages outside modules that have the name of an active stream's
 * package, or provide it.
 * Threads: a struct rpm_modules belongs to one thread.
 * Owns: its memory, until rpm_modules_done().
 * Fails with: ERR_MALFORMED, ERR_RESOLVE (an enabled stream that is not there).
 */
#ifndef IMGFACTORY_RPMMD_RPM_MODULES_H
#define IMGFACTORY_RPMMD_RPM_MODULES_H

#include "base/text.h"

/* One requirement of a stream: another module, of one of these streams (none: any). */
struct rpm_module_need {
    const char *module;
    struct strings streams;
};

/* One document: a build of a stream. */
struct rpm_module_stream {
    const char *module, *stream, *context, *arch; /* context and arch: NULL when absent */
    uint64_t version;
    struct strings artifacts; /* "NAME-EPOCH:VERSION-RELEASE.ARCH" */
    LIST(struct rpm_module_need) needs;
    bool is_active;
};

struct rpm_modules {
    struct arena arena;
    LIST(struct rpm_module_stream) streams;
    LIST(struct rpm_module_default {
        const char *module;
        const char *stream;
    })
    defaults;
};

/* Adds the documents of one repository's modules.yaml; `name` is for messages. */
bool rpm_modules_read(struct rpm_modules *modules, const char *name, struct text bytes, struct err *err) MUST_CHECK;
/* Sets is_active. `enabled` has "MODULE:STREAM" items, `disabled` names of modules; streams built for other architectures than
 * `arch` are passed over. */
bool rpm_modules_choose(struct rpm_modules *modules, const struct strings *enabled, const struct strings *disabled,
                        const char *arch, struct err *err) MUST_CHECK;
/* Frees it. For AUTO(). */
void rpm_modules_done(struct rpm_modules *modules);

#endif
