/* registries_conf.h - registries.conf (containers-registries.conf(5), version 2): where pulls really go
 *
 * Read: prefix, location, insecure, blocked, mirror-by-digest-only, [[registry.mirror]] with location, insecure,
 * pull-from-mirror, of $HOME/.config/containers/registries.conf, else /etc/containers/registries.conf, and then the
 * .conf files of /etc/containers/registries.conf.d and $HOME/.config/containers/registries.conf.d, whose entries take
 * the place of former ones with the same prefix. Other keys are not ours and passed over. Short names are not
 * resolved. For pulls only: pushes go where the reference says, except that `blocked` refuses and `insecure` is
 * reported as a hint. Version 1 of the format is refused when it blocks registries or makes them insecure.
 * Threads: loaded by one thread, then const.
 * Fails with: ERR_USAGE ("FILE:LINE: …").
 */
#ifndef IMGFACTORY_REGISTRY_REGISTRIES_CONF_H
#define IMGFACTORY_REGISTRY_REGISTRIES_CONF_H

#include "registry/reference.h"

struct pull_place {
    struct reference reference; /* rewritten */
    bool is_insecure, is_mirror;
};

/* Lists the places to pull `reference` from, in order (mirrors first, then the location itself). Blocked: ERR_USAGE.
 * `path` names one file instead of the standard ones, or NULL. */
bool registries_conf_places(struct arena *arena, const char *path, const struct reference *reference,
                            struct pull_place **ret_places, size_t *ret_count, struct err *err) MUST_CHECK;

#endif
