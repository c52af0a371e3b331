/* SPDX-License-Identifier: Apache-2.0 */
/* features.h - plug-in systems that a program opens with dlopen: by name, what each needs: manifests/features/NAME.yaml
 *
 * A static walk cannot see plug-ins, so a manifest names what it uses (`features: [sasl, pam]`), or a glob of plug-ins.
 * A feature is a list of files as a manifest could have them, with the packages of Debian and Fedora that ship them;
 * the ELF files among them are roots of the closure. manifests/README.md, "Features", describes every key.
 * Threads: loaded by main before other threads start, then const for all.
 * Fails with: ERR_USAGE ("FILE:LINE:COLUMN: …"), ERR_LOCAL.
 */
#ifndef IMGFACTORY_PLAN_FEATURES_H
#define IMGFACTORY_PLAN_FEATURES_H

#include "plan/manifest.h"

/* Which configuration names further modules: none, /etc/nsswitch.conf, the service files of /etc/pam.d. */
enum feature_follows { FEATURE_FOLLOWS_NOTHING, FEATURE_FOLLOWS_NSSWITCH, FEATURE_FOLLOWS_PAM };

/* Words of nsswitch.conf(5), and who ships their modules. */
struct feature_service {
    struct strings names, packages;
};

/* When a service wants the feature though nobody names it (`automatic` in a manifest): one of these is enough. */
struct feature_signs {
    struct strings needed;  /* a file of the service needs such a library (DT_NEEDED; may be a glob) */
    struct strings loaded;  /* such a library is in the image (its name; may be a glob) */
    struct strings imports; /* a file of the service imports such a function */
    struct strings names;   /* a file of the service names such a path, or one below it */
};

struct feature {
    const char *name;    /* the file's stem */
    const char *plugins; /* a part of the plug-ins' paths, as it shows in the programs: "/sasl2"; or NULL */
    enum feature_follows follows;
    struct feature_signs signs;
    struct wishes wishes; /* files; made: what there is for want of one in the manifest */
    struct {
        struct feature_service *items;
        size_t count, capacity;
    } services;
};

struct features {
    struct feature *items; /* sorted by name */
    size_t count, capacity;
    struct digest digest; /* of all files and their names */
};

/* Loads the features of the directories; a file takes the place of one of the same name in an earlier directory. */
bool features_load(struct arena *arena, const struct strings *dirs, struct features *ret_features,
                   struct err *err) MUST_CHECK;
/* Returns what the manifest's features wish for beside what the manifest itself does; `node` is the value of the key, for
 * messages. The name service modules are those that an /etc/nsswitch.conf of the manifest names (nsswitch.conf(5));
 * without one the file is made as the feature has it. */
bool features_wishes(struct arena *arena, const struct features *features, const struct yaml_node *node,
                     const struct manifest *manifest, struct wishes *ret_wishes, struct err *err) MUST_CHECK;
/* Returns the feature that would bring a plug-in of this path ("…/sasl2/libplain.so", or the directory), or NULL. */
const char *features_of_path(const struct features *features, const char *path);

#endif
