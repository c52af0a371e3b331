/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as sysusers.d and tmpfiles.d are read or passed over: what is read cannot forge a line of /etc/passwd, and
 * no path leaves the root. */
#include "fuzz.h"

#include "effect/accounts.h"
#include "effect/tmpfiles.h"
#include "plan/rules.h"

#include <stdlib.h>

static void check_accounts(struct arena *arena, const struct dropin_lines *lines, struct strings *notes)
{
    struct sysusers items;
    struct accounts accounts = {.arena = arena, .notes = notes};
    sysusers_parse(arena, lines, &items, notes);
    accounts_apply(&accounts, &items, NULL, NULL);
    for (size_t i = 0; i < accounts.users.count; i++) {
        const struct account_user *user = accounts.users.items[i];
        if (!rule_is_user_name(user->name) || !account_is_field(user->comment) || !account_is_field(user->home) ||
            (user->shell && !account_is_field(user->shell)))
            abort();
    }
    for (size_t i = 0; i < accounts.groups.count; i++) {
        if (!rule_is_user_name(accounts.groups.items[i]->name))
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    AUTO(arena_done) struct arena arena = {0};
    struct strings notes = {0};
    struct package package = {.name = "p"};
    struct entry entry = {.path = "/usr/lib/x.d/p.conf",
                          .kind = ENTRY_FILE,
                          .data = (const char *)bytes,
                          .size_bytes = len,
                          .digest = digest_of(bytes, len)};
    struct dropins files = {0};
    struct dropin_lines lines;
    struct tmpfiles items;
    struct err err = {0};
    list_add(&arena, &files, (struct dropin){&package, &entry});
    if (!dropin_read(&arena, &files, &lines, &notes, &err))
        abort();
    check_accounts(&arena, &lines, &notes);
    tmpfiles_parse(&arena, &lines, &items, &notes);
    for (size_t i = 0; i < items.count; i++) {
        const char *path = items.items[i].path;
        if (path[0] != '/' || !path[1] || strstr(path, "/../") || items.items[i].mode > 07777)
            abort();
    }
    return 0;
}
