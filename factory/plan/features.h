/* features.h - plug-in systems that a program opens with dlopen: by name, the files that each needs
 *
 * A static walk cannot see plug-ins, so a manifest names what it uses (`features: [sasl, pam]`), or a glob of plug-ins.
 * A feature is a list of files as a manifest could have them, with the packages of Debian and Fedora that ship them;
 * the ELF files among them are roots of the closure. manifests/README.md, "Features", says the same as the table.
 * Threads: no state.
 * Fails with: ERR_USAGE.
 */
#ifndef IMGFACTORY_PLAN_FEATURES_H
#define IMGFACTORY_PLAN_FEATURES_H

#include "plan/manifest.h"

/* Adds the files of the manifest's features behind its own; `node` is the value of the key, for messages. The name
 * service modules are those that an /etc/nsswitch.conf of the manifest names (nsswitch.conf(5)); without one the file is made with what glibc does by itself. */
bool features_expand(struct arena *arena, const struct yaml_node *node, struct manifest *manifest,
                     struct err *err) MUST_CHECK;
/* Returns the feature that would bring a plug-in of this path ("…/sasl2/libplain.so", or the directory), or NULL. */
const char *features_of_path(const char *path);

#endif
