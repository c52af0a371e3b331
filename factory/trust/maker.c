/* SPDX-License-Identifier: Apache-2.0 */
#include "trust/maker.h"

#include "trust/keyring.h"

static bool is_same(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static bool are_keys_same(const struct keyrings *keys, const struct keyrings *others)
{
    return keys == others || (keys && others && digest_eq(&keys->digest, &others->digest));
}

bool maker_is_another(const struct origin *origin, const struct origin *other)
{
    bool is_twin =
        origin->codename && is_same(origin->codename, other->codename) && strcmp(origin->uri, other->uri) != 0;
    return is_twin || !is_same(origin->distribution, other->distribution) ||
           !are_keys_same(origin->package_keys, other->package_keys);
}
