/* SPDX-License-Identifier: Apache-2.0 */
/* effect.h - what a package's script can do to the system: names for recipes (`covers`) and reports
 *
 * Threads: no state.
 */
#ifndef IMGFACTORY_PLAN_EFFECT_H
#define IMGFACTORY_PLAN_EFFECT_H

#include "base/err.h"

#include <stddef.h>

enum effect {
    EFFECT_USER,         /* adduser, useradd, usermod */
    EFFECT_GROUP,        /* addgroup, groupadd, gpasswd */
    EFFECT_ALTERNATIVES, /* update-alternatives, alternatives */
    EFFECT_SETCAP,
    EFFECT_STATOVERRIDE, /* dpkg-statoverride */
    EFFECT_UCF,          /* ucf, ucfr: configuration files made of templates */
    EFFECT_APACHE,       /* a2enmod, a2ensite, a2enconf, apache2_invoke */
    EFFECT_KEYS,         /* ssh-keygen, rndc-confgen, openssl, make-ssl-cert: secrets, which never go into an image */
    EFFECT_DEBCONF,      /* db_get, db_input, …: answers of the administrator */
    EFFECT_DIRECTORY,    /* mkdir, install -d */
    EFFECT_OWNER,        /* chown, chgrp, chmod */
    EFFECT_FILE,         /* install, cp, mv, ln, touch */
    EFFECT_CERTIFICATES, /* update-ca-certificates, update-ca-trust */
    EFFECT_OTHER, /* whatever commands do of which nobody here knows it: asked where packages are installed, and of
                     calls of Lua */
};
#define EFFECT_COUNT (EFFECT_OTHER + 1)

/* Returns the name that recipes and reports use: "adduser", "update-alternatives", … */
const char *effect_name(enum effect effect);
/* Finds the effect of a name; false when there is none. */
bool effect_parse(const char *name, enum effect *ret_effect) MUST_CHECK;

#endif
