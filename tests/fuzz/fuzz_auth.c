/* SPDX-License-Identifier: Apache-2.0 */
/* An auth.json of any bytes, once it is JSON, answers for any reference or is refused; what is set in it is found again. */
#include "fuzz.h"

#include "registry/credentials_file.h"

#include <stdlib.h>

static void set_and_find(struct arena *arena, struct auth_file *file, const struct reference *reference)
{
    struct credential given = {.user = (char *)"u", .secret = (char *)"s"}, found = {0};
    struct err err = {0};
    if (!auth_file_set(arena, file, "registry.example", &given, &err))
        return;
    if (auth_file_find(arena, file, reference, &found, &err) && !found.secret)
        abort();
    credential_done(&found);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    AUTO(arena_done) struct arena arena = {0};
    struct reference reference;
    struct err err = {0};
    if (!reference_parse(&arena, "registry.example/a/b:1", true, &reference, &err))
        abort();
    for (int format = AUTH_CONTAINERS; format <= AUTH_LEGACY; format++) {
        AUTO(auth_file_close) struct auth_file file = {.path = "auth.json", .format = (enum auth_format)format};
        struct credential credential = {0};
        const char *helper;
        bool is_found;
        file.root = json_loadb((const char *)bytes, len, JSON_REJECT_DUPLICATES, NULL);
        if (!json_is_object(file.root))
            return 0;
        (void)!auth_file_helper(&arena, &file, "registry.example", &helper, &(struct err){0});
        (void)!auth_file_store_helper(&arena, &file, &helper, &(struct err){0});
        (void)!auth_file_find(&arena, &file, &reference, &credential, &(struct err){0});
        credential_done(&credential);
        set_and_find(&arena, &file, &reference);
        (void)!auth_file_unset(&arena, &file, "registry.example", &is_found, &(struct err){0});
    }
    return 0;
}
