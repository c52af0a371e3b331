/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/effect.h"

#include <string.h>

static const char *const names[EFFECT_COUNT] = {
    [EFFECT_USER] = "adduser",
    [EFFECT_GROUP] = "addgroup",
    [EFFECT_ALTERNATIVES] = "update-alternatives",
    [EFFECT_SETCAP] = "setcap",
    [EFFECT_STATOVERRIDE] = "dpkg-statoverride",
    [EFFECT_UCF] = "ucf",
    [EFFECT_APACHE] = "a2enmod",
    [EFFECT_KEYS] = "ssh-keygen",
    [EFFECT_DEBCONF] = "debconf",
    [EFFECT_DIRECTORY] = "mkdir",
    [EFFECT_OWNER] = "chown",
    [EFFECT_FILE] = "install",
    [EFFECT_CERTIFICATES] = "update-ca-certificates",
    [EFFECT_OTHER] = "other",
};

const char *effect_name(enum effect effect)
{
    return names[effect];
}

bool effect_parse(const char *name, enum effect *ret_effect)
{
    for (size_t i = 0; i < EFFECT_COUNT; i++) {
        if (strcmp(names[i], name) == 0) {
            *ret_effect = (enum effect)i;
            return true;
        }
    }
    return false;
}
