/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of service/spoken: which helpers somebody says the name of. */
#include "packages.h"

#include "service/spoken.h"

static void names_are_heard_in_files_of_the_service_in_what_is_made_and_by_how_they_begin(void **state)
{
    struct fixture *fixture = *state;
    struct wishes made = {0}, none = {0};
    struct kept kept[3] = {{0}};
    struct keep keep = {.items = kept, .count = ARRAY_COUNT(kept)};
    struct own own = {0};
    struct spoken spoken;
    struct spoken_memory memory = {.by_file = {.arena = &fixture->arena}};
    static const char *const helpers[] = {"smtpd", "bounce", "rpcd_classic", "lonely", "made", "x"};
    struct package *package = package_add(fixture, "mail"), *other = package_add(fixture, "other");
    for (size_t i = 0; i < ARRAY_COUNT(helpers); i++)
        entry_add(package, arena_printf(&fixture->arena, "/usr/lib/mail/%s", helpers[i]), ENTRY_FILE, 0755);
    link_add(package, "/usr/lib/mail/alias", "smtpd");
    file_add(package, "/etc/mail/master.cf", "#smtp inet smtpd.\nunits/bounce rpcd_* x xsmtpdx alias");
    file_add(package, "/usr/lib/mail/readme", "notlonely lonely2 readme");
    file_add(other, "/etc/other", "lonely");
    set_build(fixture, false);
    kept[0].file = fileset_find(&fixture->set, "/etc/mail/master.cf");
    kept[1].file = fileset_find(&fixture->set, "/usr/lib/mail/readme");
    kept[2].file = fileset_find(&fixture->set, "/etc/other");
    list_add(&fixture->arena, &own.packages, package);
    list_add(&fixture->arena, &own.names, "mail");
    list_add(&fixture->arena, &made.made, ((struct wish_made){.kind = MADE_FILE, .path = "/etc/x", .content = "made"}));
    struct automatic_request request = {.set = &fixture->set, .keep = &keep, .wishes = &none};
    for (int round = 0; round < 2; round++) { /* the second out of memory */
        spoken_collect(&fixture->arena, &request, &own, &made, &memory, &spoken);
        assert_true(spoken_has(&spoken, "/usr/lib/mail/smtpd"));
        assert_true(spoken_has(&spoken, "/usr/lib/mail/bounce"));
        assert_true(spoken_has(&spoken, "/usr/lib/mail/rpcd_classic"));
        assert_true(spoken_has(&spoken, "/usr/lib/mail/alias"));
        assert_true(spoken_has(&spoken, "/usr/lib/mail/made"));
        assert_false(spoken_has(&spoken, "/usr/lib/mail/lonely"));
    }
    spoken_hear_text(&spoken, text_of("--start=lonely"));
    assert_true(spoken_has(&spoken, "/usr/lib/mail/lonely"));
}

static void what_a_file_says_of_itself_does_not_count(void **state)
{
    struct fixture *fixture = *state;
    struct wishes none = {0};
    struct kept kept = {0};
    struct keep keep = {.items = &kept, .count = 1};
    struct own own = {0};
    struct spoken spoken;
    struct package *package = package_add(fixture, "mail");
    file_add(package, "/usr/lib/mail/start.sh", "#!/bin/sh\n# start.sh starts start\n")->mode = 0755;
    file_add(package, "/usr/lib/mail/stop.sh", "")->mode = 0755;
    package->entries[0].interpreter = package->entries[1].interpreter = "/bin/sh";
    set_build(fixture, false);
    kept.file = fileset_find(&fixture->set, "/usr/lib/mail/start.sh");
    list_add(&fixture->arena, &own.packages, package);
    list_add(&fixture->arena, &own.names, "mail");
    struct automatic_request request = {.set = &fixture->set, .keep = &keep, .wishes = &none};
    spoken_collect(&fixture->arena, &request, &own, &none, NULL, &spoken);
    assert_false(spoken_has(&spoken, "/usr/lib/mail/start.sh"));
    struct entry more = {.path = "/usr/lib/mail/main", .data = "start.sh", .size_bytes = 8};
    assert_true(spoken_hear(&spoken, &more));
    assert_false(spoken_hear(&spoken, &more)); /* nothing new */
    assert_true(spoken_has(&spoken, "/usr/lib/mail/start.sh"));
    assert_false(spoken_has(&spoken, "/usr/lib/mail/stop.sh"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(names_are_heard_in_files_of_the_service_in_what_is_made_and_by_how_they_begin),
        TEST(what_a_file_says_of_itself_does_not_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
