/* SPDX-License-Identifier: Apache-2.0 */
/* Wiping what is secret before its memory is given back. */
#include "registry/credentials_secret.h"

#include "registry/credentials_file.h"

void credential_done(struct credential *credential)
{
    secret_done(&credential->user);
    secret_done(&credential->secret);
    *credential = (struct credential){0};
}

/* jansson owns these strings and hands out const pointers; it frees without wiping. Its depth limit (2048) bounds the
 * recursion. */
void auth_json_wipe(json_t *json)
{
    const char *key;
    json_t *item;
    size_t i;
    if (json_is_string(json))
        explicit_bzero((char *)json_string_value(json), json_string_length(json));
    json_object_foreach(json, key, item)
    {
        auth_json_wipe(item);
    }
    json_array_foreach(json, i, item)
    {
        auth_json_wipe(item);
    }
}

void auth_json_done(json_t **json)
{
    auth_json_wipe(*json);
    json_decref(*json);
    *json = NULL;
}
