/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a maintainer script, in shell or Lua: what comes out has valid names and paths that stay in the root. */
#include "fuzz.h"

#include "deb/deb_format.h"
#include "effect/script_effects.h"
#include "effect/script_wishes.h"
#include "plan/rules.h"
#include "rpmmd/rpm_format.h"

#include <stdlib.h>

static void check_path(const char *path)
{
    if (path[0] != '/' || !path[1] || strstr(path, "/../") || strstr(path, "//"))
        abort();
}

static void check_wishes(const struct wishes *wishes)
{
    for (size_t i = 0; i < wishes->users.count; i++) {
        if (!rule_is_user_name(wishes->users.items[i].name) || !rule_is_one_line(wishes->users.items[i].home, true) ||
            !rule_is_one_line(wishes->users.items[i].comment, true))
            abort();
    }
    for (size_t i = 0; i < wishes->groups.count; i++) {
        if (!rule_is_user_name(wishes->groups.items[i].name))
            abort();
    }
    for (size_t i = 0; i < wishes->made.count; i++)
        check_path(wishes->made.items[i].path);
    for (size_t i = 0; i < wishes->owners.count; i++)
        check_path(wishes->owners.items[i].path);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    AUTO(arena_done) struct arena arena = {0};
    bool is_rpm = len && bytes[0] % 2;
    struct package package = {.name = "p", .format = is_rpm ? &format_rpm : &format_deb};
    const struct package *packages[] = {&package};
    struct package_script script = {is_rpm ? "prein" : "postinst",
                                    arena_strndup(&arena, (const char *)bytes + (len > 0), len - (len > 0))};
    struct fileset set;
    struct wishes wishes;
    struct strings notes;
    struct script_effects effects;
    list_add(&arena, &package.scripts, script);
    fileset_build(&arena, NULL, packages, 1, &set);
    const struct script_wishes_request request = {.packages = packages, .own_count = 1, .set = &set};
    script_wishes_find(&arena, &request, &wishes, &notes);
    check_wishes(&wishes);
    script_effects_list(&arena, &package, &set, &effects);
    return 0;
}
