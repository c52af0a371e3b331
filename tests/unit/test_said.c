/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of service/said: which words of a service's configuration name plug-ins. */
#include "packages.h"

#include "base/auto.h"
#include "service/said.h"

static struct map words_of(struct fixture *fixture, const struct wishes *made)
{
    static struct selection selection;
    static const struct package *packages[1];
    static struct selected selected;
    static struct manifest manifest;
    static struct wishes none;
    struct map words;
    struct own own;
    struct keep keep = {.items = arena_new_array(&fixture->arena, struct kept, ENTRIES_MAX)};
    set_build(fixture, false);
    selected = (struct selected){.name = "service", .source_package = "service"};
    selection = (struct selection){.items = &selected, .count = 1};
    packages[0] = &fixture->packages[0];
    manifest = (struct manifest){0};
    list_add(&fixture->arena, &manifest.binaries, "/usr/sbin/service");
    for (size_t i = 0; i < fixture->packages[0].count; i++)
        keep.items[keep.count++].file = fileset_find(&fixture->set, fixture->packages[0].entries[i].path);
    struct automatic_request request = {.manifest = &manifest,
                                        .selection = &selection,
                                        .packages = packages,
                                        .set = &fixture->set,
                                        .wishes = &none,
                                        .keep = &keep};
    own_find(&fixture->arena, &request, &own);
    said_collect(&fixture->arena, &request, &own, made, &words);
    return words;
}

static void lines_that_load_or_open_a_block_name_plugins(void **state)
{
    struct fixture *fixture = *state;
    struct package *service = package_add(fixture, "service");
    struct wishes made = {0};
    file_add(service, "/usr/sbin/service", "p");
    file_add(service, "/etc/service/modules.conf",
             "LoadModule mod_deflate.c\n  # LoadModule mod_perl.c\nmschap {\n\tuse = yes\nUser json\n}\n");
    file_add(service, "/usr/share/service/x.conf", "LoadModule far\n");
    struct map words = words_of(fixture, &made);
    assert_true(said_has(&fixture->arena, &words, "/usr/lib/service/mod_deflate.so"));
    assert_true(said_has(&fixture->arena, &words, "/usr/lib/service/rlm_mschap.so"));
    assert_true(said_has(&fixture->arena, &words, "/usr/lib/service/libservice-mschap.so.1.2"));
    assert_true(said_has(&fixture->arena, &words, "/usr/lib/service/lib20_mschap_plugin.so"));
    assert_false(said_has(&fixture->arena, &words, "/usr/lib/service/mod_perl.so"));
    assert_false(said_has(&fixture->arena, &words, "/usr/lib/service/json.so"));
    assert_false(said_has(&fixture->arena, &words, "/usr/lib/service/far.so"));
    assert_false(said_has(&fixture->arena, &words, "/usr/lib/service/mschap"));
}

static void what_is_only_available_is_not_said(void **state)
{
    struct fixture *fixture = *state;
    struct package *service = package_add(fixture, "service");
    struct wishes made = {0};
    struct wish_made link = {
        .kind = MADE_SYMLINK, .path = "/etc/service/mods-enabled/two", .target = "../mods-available/two"};
    struct wish_made copy = {.kind = MADE_COPY, .path = "/etc/service/copy", .source = "/usr/share/service/copy"};
    file_add(service, "/usr/sbin/service", "p");
    file_add(service, "/etc/service/mods-available/one", "one {\n");
    file_add(service, "/etc/service/mods-available/two", "two {\n");
    file_add(service, "/usr/share/service/copy", "plugin three\n");
    list_add(&fixture->arena, &made.made, link);
    list_add(&fixture->arena, &made.made, copy);
    struct map words = words_of(fixture, &made);
    assert_false(said_has(&fixture->arena, &words, "/usr/lib/service/one.so"));
    assert_true(said_has(&fixture->arena, &words, "/usr/lib/service/two.so"));
    assert_true(said_has(&fixture->arena, &words, "/usr/lib/service/three.so"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(lines_that_load_or_open_a_block_name_plugins),
        TEST(what_is_only_available_is_not_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
