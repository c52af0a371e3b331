/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "base/auto.h"
#include "effect/pam.h"

#define TEMPLATE                                                                                                       \
    "# common-auth\n"                                                                                                  \
    "# here are the per-package modules (the \"Primary\" block)\n$auth_primary\n"                                      \
    "# here's the fallback if no module succeeds\nauth\trequisite\t\t\tpam_deny.so\n"                                  \
    "# and here are more per-package modules (the \"Additional\" block)\n$auth_additional\n"                           \
    "# end of pam-auth-update config\n"

static void test_a_service_file_names_modules_and_files(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct pam_stack stack;
    pam_read(
        &arena,
        TEXT("# sshd\n@include common-auth\naccount  required     pam_nologin.so\n"
             "-session optional pam_systemd.so\nsession [success=ok ignore=ignore default=bad] pam_selinux.so close\n"
             "auth substack system-auth\naccount include \\\n password-auth\nauth\n\nauth required # pam_x.so\n"
             "auth required /opt/pam_mine.so"),
        &stack);
    assert_int_equal(stack.modules.count, 4);
    assert_string_equal(stack.modules.items[0].name, "pam_nologin.so");
    assert_false(stack.modules.items[0].is_optional);
    assert_true(stack.modules.items[1].is_optional);
    assert_string_equal(stack.modules.items[2].name, "pam_selinux.so");
    assert_string_equal(stack.modules.items[3].name, "/opt/pam_mine.so");
    assert_string_equal(strings_join(&arena, &stack.includes, " "), "common-auth system-auth password-auth");
}

static void test_a_template_is_filled_by_priority_with_jumps_counted(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    const struct pam_profile profiles[] = {
        {"cap",
         TEXT("Name: C\nDefault: yes\nPriority: 0\nAuth-Type: Additional\nAuth-Final:\n\toptional\t\t\tpam_cap.so\n")},
        {"off", TEXT("Name: O\nDefault: no\nPriority: 900\nAuth-Type: Primary\nAuth:\n\trequired pam_off.so\n")},
        {"sss", TEXT("Name: S\nDefault: yes\nPriority: 128\nAuth-Type: Primary\nAuth:\n\t[success=end "
                     "default=ignore]\tpam_sss.so "
                     "use_first_pass\nAuth-Initial:\n\t[success=end default=ignore]\tpam_sss.so forward_pass\n")},
        {"unix", TEXT("Name: U\nDefault: yes\nPriority: 256\nAuth-Type: Primary\nAuth:\n\t[success=end "
                      "default=ignore]\tpam_unix.so "
                      "nullok try_first_pass\nAuth-Initial:\n\t[success=end default=ignore]\tpam_unix.so nullok\n")},
    };
    const char *text = pam_fill_template(&arena, TEXT(TEMPLATE), "auth", profiles, ARRAY_COUNT(profiles));
    assert_string_equal(text, "# common-auth\n"
                              "# here are the per-package modules (the \"Primary\" block)\n"
                              "auth\t[success=2 default=ignore]\tpam_unix.so nullok\n"
                              "auth\t[success=1 default=ignore]\tpam_sss.so use_first_pass\n"
                              "# here's the fallback if no module succeeds\nauth\trequisite\t\t\tpam_deny.so\n"
                              "# and here are more per-package modules (the \"Additional\" block)\n"
                              "auth\toptional\t\t\tpam_cap.so \n"
                              "# end of pam-auth-update config\n");
}

static void test_without_profiles_the_stack_stays_whole(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    const char *text = pam_fill_template(&arena, TEXT(TEMPLATE), "auth", NULL, 0);
    assert_non_null(strstr(text, "block)\nauth\t[default=1]\t\t\tpam_permit.so\n# here's"));
    assert_null(pam_fill_template(&arena, TEXT("nothing\n"), "auth", NULL, 0));
}

/* Returns `count` times the text. */
static struct text repeated(struct arena *arena, const char *text, size_t count)
{
    size_t len = strlen(text);
    char *all = arena_alloc(arena, len * count + 1);
    for (size_t i = 0; i < count; i++)
        memcpy(all + i * len, text, len);
    all[len * count] = '\0';
    return (struct text){all, len * count};
}

static void test_hostile_files_cost_no_more_than_they_are_long(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct pam_stack stack;
    pam_read(&arena, repeated(&arena, "a\\\n", 20000), &stack);
    pam_read(&arena, repeated(&arena, "a b c\n", 10000), &stack);
    assert_true(stack.modules.count <= 256);
    pam_read(&arena, repeated(&arena, "@include x\n", 5000), &stack);
    assert_true(stack.includes.count <= 256);
    pam_read(&arena, repeated(&arena, "auth required pam_x.so\n", 1000000), &stack);
    assert_int_equal(stack.modules.count, 0);
    struct text head = TEXT("Default: yes\nAuth-Type: Primary\nAuth:\n\t[success=end] x.so ");
    struct text words = repeated(&arena, "b ", 30000);
    struct pam_profile many[300];
    for (size_t i = 0; i < ARRAY_COUNT(many); i++)
        many[i] =
            (struct pam_profile){"p", text_of(arena_printf(&arena, "%.*s%s", (int)head.len, head.ptr, words.ptr))};
    assert_null(pam_fill_template(&arena, TEXT(TEMPLATE), "auth", many, ARRAY_COUNT(many)));
    assert_null(pam_fill_template(&arena, repeated(&arena, "\n", 60000), "auth", NULL, 0));
    assert_non_null(pam_fill_template(&arena, TEXT(TEMPLATE), "auth", many, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_service_file_names_modules_and_files),
        cmocka_unit_test(test_a_template_is_filled_by_priority_with_jumps_counted),
        cmocka_unit_test(test_without_profiles_the_stack_stays_whole),
        cmocka_unit_test(test_hostile_files_cost_no_more_than_they_are_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
