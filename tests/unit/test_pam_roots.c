/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of feature pam: which modules become roots, and that what is made for them is returned, not written anywhere. */
#include "packages.h"

#include "effect/pam_roots.h"

struct asking {
    struct fixture *fixture;
    struct strings binaries;
    struct wishes wishes, given;
    struct roots roots;
    struct strings *notes; /* NULL: what no package ships is an error */
};

/* A world of a service, a module, and a template that includes another module. */
static struct asking ask_for(struct fixture *fixture)
{
    struct package *service = package_add(fixture, "service"), *modules = package_add(fixture, "modules");
    file_add(service, "/usr/sbin/service", "program");
    file_add(service, "/etc/pam.d/service", "auth required pam_one.so\n@include common-auth\n");
    file_add(modules, "/usr/lib/x/security/pam_one.so", "one");
    file_add(modules, "/usr/lib/x/security/pam_deny.so", "deny");
    file_add(modules, "/usr/lib/x/security/pam_permit.so", "permit");
    file_add(modules, "/usr/share/pam/common-auth", "$auth_primary\nauth requisite pam_deny.so\n$auth_additional\n");
    set_build(fixture, false);
    struct asking asking = {.fixture = fixture, .wishes.follows_pam = true};
    list_add(&fixture->arena, &asking.binaries, "/usr/sbin/service");
    return asking;
}

static bool add_roots(struct asking *asking)
{
    struct fixture *fixture = asking->fixture;
    struct roots_request request = {.binaries = &asking->binaries, .wishes = &asking->wishes, .set = &fixture->set};
    asking->roots = (struct roots){0};
    return pam_roots_add(&fixture->arena, &request, &asking->roots, &asking->given, asking->notes, &fixture->err);
}

static bool has_root(const struct asking *asking, const char *path)
{
    for (size_t i = 0; i < asking->roots.count; i++) {
        if (strcmp(asking->roots.items[i].path, path) == 0)
            return true;
    }
    return false;
}

static void what_the_image_lacks_is_returned_with_its_giver(void **state)
{
    struct asking asking = ask_for(*state);
    CHECK_OK(add_roots(&asking), &asking.fixture->err);
    assert_true(has_root(&asking, "/usr/lib/x/security/pam_one.so"));
    assert_true(has_root(&asking, "/usr/lib/x/security/pam_deny.so"));
    assert_true(has_root(&asking, "/etc/pam.d/service"));
    assert_int_equal(asking.given.made.count, 1);
    assert_string_equal(asking.given.made.items[0].path, "/etc/pam.d/common-auth");
    assert_string_equal(asking.given.made.items[0].giver, "the feature pam");
    assert_int_equal(asking.wishes.made.count, 0); /* nobody's list was written to */
}

static void asked_again_it_gives_the_same(void **state)
{
    struct asking asking = ask_for(*state);
    CHECK_OK(add_roots(&asking), &asking.fixture->err);
    struct wishes first = asking.given;
    CHECK_OK(add_roots(&asking), &asking.fixture->err);
    assert_int_equal(asking.given.made.count, first.made.count);
    assert_string_equal(asking.given.made.items[0].content, first.made.items[0].content);
}

static void a_file_that_is_wished_for_needs_no_template(void **state)
{
    struct asking asking = ask_for(*state);
    list_add(&asking.fixture->arena, &asking.wishes.made,
             ((struct wish_made){
                 .kind = MADE_FILE, .path = "/etc/pam.d/common-auth", .content = "auth required pam_one.so\n"}));
    CHECK_OK(add_roots(&asking), &asking.fixture->err);
    assert_int_equal(asking.given.made.count, 0);
    assert_false(has_root(&asking, "/usr/lib/x/security/pam_deny.so"));
}

static void a_module_that_no_package_ships_is_an_error_or_a_note(void **state)
{
    struct asking asking = ask_for(*state);
    struct strings notes = {0};
    list_add(&asking.fixture->arena, &asking.wishes.made,
             ((struct wish_made){.kind = MADE_FILE,
                                 .path = "/etc/pam.d/service",
                                 .content = "auth required /lib/security/pam_one.so\nauth required pam_deny.so\n"}));
    assert_false(add_roots(&asking));
    CHECK_ERR(&asking.fixture->err, ERR_RESOLVE, "no selected package ships /lib/security/pam_one.so");
    err_clear(&asking.fixture->err);
    asking.notes = &notes;
    CHECK_OK(add_roots(&asking), &asking.fixture->err);
    assert_int_equal(notes.count, 1);
    assert_string_equal(notes.items[0], "no selected package ships /lib/security/pam_one.so, which /etc/pam.d/service "
                                        "names: who logs in by it cannot");
    assert_true(has_root(&asking, "/usr/lib/x/security/pam_deny.so"));
}

static void without_the_feature_there_is_nothing(void **state)
{
    struct asking asking = ask_for(*state);
    asking.wishes.follows_pam = false;
    CHECK_OK(add_roots(&asking), &asking.fixture->err);
    assert_int_equal(asking.roots.count + asking.given.made.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_the_image_lacks_is_returned_with_its_giver),
        TEST(asked_again_it_gives_the_same),
        TEST(a_file_that_is_wished_for_needs_no_template),
        TEST(a_module_that_no_package_ships_is_an_error_or_a_note),
        TEST(without_the_feature_there_is_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
