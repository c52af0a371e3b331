/* SPDX-License-Identifier: Apache-2.0 */
/* choose.h - which package is meant by the path of a binary
 *
 * Rule, in this order: the manifest's `packages: first` names that ship it, in their order (a `first` name that exists
 * in the catalog is tried without looking into Contents; the caller checks after unpacking that it really ships the
 * path); else the packages that Contents lists, less `packages: never`; of several: the one named like the image, or
 * like the binary; of a service the one on which a package depends that is named like the binary, or like it without the
 * 'd' of daemons (ntp depends on ntpsec, which ships ntpd); else the one whose solution has the fewest packages; else the
 * shortest name, then the first by name. Where no index of paths can be asked (there is none, or the mirror is being changed), the `first` names that were
 * not looked into yet are taken in their order, then for a program the package that has it on every system (the family's
 * tools), one that is named like it, or a part on which that depends (perl-base), or one named like the image; the caller
 * checks each. manifests/sources/README.md and manifests/README.md say the same.
 * Threads: blocks (Contents); called on coordinating threads.
 * Fails with: ERR_RESOLVE ("no package of … ships /usr/sbin/x", with the hint), and as catalog.h.
 */
#ifndef IMGFACTORY_SOURCE_CHOOSE_H
#define IMGFACTORY_SOURCE_CHOOSE_H

#include "source/solve.h"

/* How the `why` of what was taken by its name alone ends. */
#define CHOICE_BLIND "no index of paths can be asked"

struct choice {
    const char *package;
    struct strings others; /* packages that ship the path too and were not chosen */
    const char *why;       /* "first in the manifest", "the only one", "named like the image", "fewest packages (8;
                              isc-dhcp-server-ldap 22)", … */
    /* Not looked up in Contents, or taken by its name alone: verify after unpacking, and call again with is_first_ignored
     * if it does not ship the path. */
    bool is_from_first;
    const char
        *without_paths; /* why no index of paths was asked, though there is one; NULL: it was, or there is none */
};

struct choose_request {
    const char *path, *image_name;
    const struct strings *first, *never;
    const struct strings *looked;         /* packages that are known not to ship it; may be NULL */
    bool is_first_ignored, is_older_fine; /* is_older_fine: as in solve.h */
    bool is_service;                      /* nobody wrote down what is in the image: a name is all there is */
};

/* Chooses. Strings live in the arena. */
bool choose_package(struct arena *arena, struct workers *workers, struct catalog *catalog,
                    const struct choose_request *request, struct choice *ret_choice, struct err *err) MUST_CHECK;

#endif
