/* SPDX-License-Identifier: Apache-2.0 */
/* registries_conf.h - registries.conf (containers-registries.conf(5), version 2): where pulls really go, and which
 * registries are blocked or insecure
 *
 * Read: prefix, location, insecure, blocked, mirror-by-digest-only, [[registry.mirror]] with location, insecure,
 * pull-from-mirror, of the file that CONTAINERS_REGISTRIES_CONF names (podman(1)), else $HOME/.config/containers/registries.conf, else /etc/containers/registries.conf, and then the
 * .conf files of /etc/containers/registries.conf.d and $HOME/.config/containers/registries.conf.d, whose entries take
 * the place of former ones with the same prefix. Other keys are not ours and passed over. Short names are not
 * resolved. Pushes, tags and logins go where the reference says: of its entry only `blocked` and `insecure` count for
 * them. Version 1 of the format is refused when it blocks registries or makes them insecure.
 * Threads: loaded by one thread, then const.
 * Fails with: ERR_USAGE ("FILE:LINE: …").
 */
#ifndef IMGFACTORY_REGISTRY_REGISTRIES_CONF_H
#define IMGFACTORY_REGISTRY_REGISTRIES_CONF_H

#include "registry/registry.h"

/* Lists the files and folders that it is read from. */
void registries_conf_files(struct arena *arena, struct strings *ret_paths);

struct pull_place {
    struct reference reference; /* rewritten */
    bool is_insecure, is_mirror;
};

/* Lists the places to pull `reference` from, in order (mirrors first, then the location itself). Blocked: ERR_USAGE.
 * `path` names one file instead of the standard ones, or NULL. */
bool registries_conf_places(struct arena *arena, const char *path, const struct reference *reference,
                            struct pull_place **ret_places, size_t *ret_count, struct err *err) MUST_CHECK;
/* Says whether some entry or mirror lets the repository of `reference` be spoken to without verification, whatever leads there. */
bool registries_conf_is_insecure(struct arena *arena, const struct reference *reference, bool *ret_is_insecure,
                                 struct err *err) MUST_CHECK;
/* Gives the options for a push, tag or login at the registry of `reference`: `options`, or a copy in the arena without
 * verification where its entry says insecure. Blocked: ERR_USAGE. */
bool registries_conf_options(struct arena *arena, const struct registry_options *options,
                             const struct reference *reference, const struct registry_options **ret_options,
                             struct err *err) MUST_CHECK;

#endif
