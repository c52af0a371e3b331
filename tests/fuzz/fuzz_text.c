/* SPDX-License-Identifier: Apache-2.0 */
/* Small text formats of hosts and packages, of any bytes: .repo files, Debian's stanzas, PAM, registered alternatives,
 * calls of Lua, keyrings, headers of .xz; the first byte says as which one. */
#include "fuzz.h"

#include "deb/deb822.h"
#include "effect/alternatives.h"
#include "effect/pam.h"
#include "effect/script_lua.h"
#include "io/xz.h"
#include "rpmmd/ini.h"
#include "trust/keyring.h"

static void read_stanzas(struct arena *arena, struct text text, struct err *err)
{
    struct deb822 reader;
    struct deb822_stanza stanza;
    bool is_found = true;
    deb822_begin(&reader, "stanzas", text, ERR_MALFORMED);
    while (is_found && deb822_next(&reader, arena, &stanza, &is_found, err))
        (void)deb822_find(&stanza, "name");
}

static void read_pam(struct arena *arena, struct text text)
{
    struct pam_stack stack = {0};
    const struct pam_profile profile = {"profile", text};
    pam_read(arena, text, &stack);
    (void)pam_fill_template(arena, text, "auth", &profile, 1);
}

static void read_alternatives(struct arena *arena, const char *script)
{
    struct shell_commands commands = {0};
    struct alternatives alternatives;
    shell_commands_list(arena, script, &commands);
    for (size_t i = 0; i < commands.count; i++)
        (void)alternatives_parse(arena, &commands.items[i], &alternatives);
}

static void read_keyring(struct arena *arena, struct text text)
{
    struct text binary;
    if (keyring_dearmour(arena, text, &binary)) {
        (void)keyring_is_whole(binary);
        (void)keyring_fault(binary);
    }
    (void)keyring_is_whole(text);
    (void)keyring_fault(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    AUTO(arena_done) struct arena arena = {0};
    struct err err = {0};
    struct ini ini;
    struct script_lua_calls calls = {0};
    struct text text = {(const char *)bytes + 1, len ? len - 1 : 0};
    switch (len ? bytes[0] % 7 : 7) {
    case 0:
        read_stanzas(&arena, text, &err);
        break;
    case 1:
        (void)!ini_parse(&arena, "repo", text_dup(&arena, text), &ini, &err);
        break;
    case 2:
        read_pam(&arena, text);
        break;
    case 3:
        read_alternatives(&arena, text_dup(&arena, text));
        break;
    case 4:
        script_lua_list(&arena, text_dup(&arena, text), &calls);
        break;
    case 5:
        read_keyring(&arena, text);
        break;
    case 6:
        (void)!xz_check_dictionaries(text, "file.xz", &err);
        break;
    default:
        break;
    }
    return 0;
}
