/* Unit tests of service/automatic: what is found in a service's packages, and how it stands beside the manifest. */
#include "check.h"

#include "base/auto.h"
#include "service/automatic.h"

static struct strings words(struct arena *arena, const char *first, const char *second)
{
    struct strings words = {0};
    list_add(arena, &words, first);
    if (second)
        list_add(arena, &words, second);
    return words;
}

static void the_manifest_wins_key_by_key(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct manifest_config manifest = {.user = "me", .ports = words(&arena, "80/tcp", NULL)};
    struct manifest_config found = {.entrypoint = words(&arena, "/usr/sbin/nsd", "-d"),
                                    .user = "nsd",
                                    .working_dir = "/var/lib/nsd",
                                    .ports = words(&arena, "53/udp", NULL),
                                    .volumes = words(&arena, "/var/lib/nsd", NULL),
                                    .stop_signal = "SIGINT"};
    struct manifest_config both = automatic_config(&manifest, &found);
    assert_string_equal(both.user, "me");
    assert_string_equal(both.ports.items[0], "80/tcp");
    assert_string_equal(both.entrypoint.items[1], "-d");
    assert_string_equal(both.working_dir, "/var/lib/nsd");
    assert_string_equal(both.volumes.items[0], "/var/lib/nsd");
    assert_string_equal(both.stop_signal, "SIGINT");
}

static void a_command_of_the_manifest_is_not_mixed_with_one_that_was_found(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct manifest_config manifest = {.cmd = words(&arena, "-h", NULL)};
    struct manifest_config found = {.entrypoint = words(&arena, "/usr/sbin/nsd", NULL)};
    struct manifest_config both = automatic_config(&manifest, &found);
    assert_int_equal(both.entrypoint.count, 0);
    assert_string_equal(both.cmd.items[0], "-h");
}

static void findings_are_the_same_when_they_say_the_same(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct automatic one = {0}, other = {0};
    assert_true(automatic_same(&one, &other));
    list_add(&arena, &one.wishes.files, ((struct wish_file){.path = "/etc/**", .giver = "a"}));
    assert_false(automatic_same(&one, &other));
    list_add(&arena, &other.wishes.files, ((struct wish_file){.path = "/etc/**", .giver = "b"}));
    assert_true(automatic_same(&one, &other));
    list_add(&arena, &one.wishes.users, ((struct wish_user){.name = "nsd", .uid = 1}));
    list_add(&arena, &other.wishes.users, ((struct wish_user){.name = "nsd", .uid = 2}));
    assert_false(automatic_same(&one, &other));
    other.wishes.users.items[0].uid = 1;
    one.config.user = "nsd";
    assert_false(automatic_same(&one, &other));
    other.config.user = "nsd";
    list_add(&arena, &one.notes, "no port is known");
    assert_false(automatic_same(&one, &other));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_manifest_wins_key_by_key),
        cmocka_unit_test(a_command_of_the_manifest_is_not_mixed_with_one_that_was_found),
        cmocka_unit_test(findings_are_the_same_when_they_say_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
