/* SPDX-License-Identifier: Apache-2.0 */
/* yum_options.h - the options of dnf.conf's [main] and of the sections of .repo files (dnf.conf(5)) that matter here
 *
 * Variables in a value are replaced before it is read, numbers and truths, too.
 * Threads: no state.
 * Owns: nothing; all lives in the arena.
 * Fails with: ERR_USAGE "FILE:LINE: OPTION: …", without the value of a credential.
 */
#ifndef IMGFACTORY_RPMMD_YUM_OPTIONS_H
#define IMGFACTORY_RPMMD_YUM_OPTIONS_H

#include "rpmmd/ini.h"
#include "rpmmd/rpm_source.h"

/* What a section says. Those of repositories begin with what [main] said. */
struct yum_options {
    struct rpm_repository repository; /* its excludes and includes are its own alone */
    struct http_access access;
    bool is_enabled, is_verified;     /* enabled, sslverify */
    struct strings disabled_excludes; /* disable_excludes, of [main]: "all", "main", ids of repositories */
    const char *plugin_dir;           /* pluginconfpath, of [main] */
    bool has_plugins;                 /* plugins, of [main] */
    bool is_best;                     /* best, of [main] */
};

/* Where a section is read. */
struct yum_place {
    struct arena *arena;
    const char *root; /* files of the host are below it */
    const struct map *variables;
    const char *path; /* of the file */
};

/* Sets what dnf takes where nothing is said, but `best`, which distributions set: true. */
void yum_options_init(struct yum_options *options);
/* Sets one option; what does not matter here is passed over. */
bool yum_option_set(const struct yum_place *place, const struct ini_value *value, struct yum_options *options,
                    struct err *err) MUST_CHECK;
/* Returns what the options want of transfers; NULL when that is nothing. */
const struct http_access *yum_options_access(struct arena *arena, const struct yum_options *options);

#endif
