/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "base/auto.h"
#include "io/file.h"
#include "io/owner.h"
#include "io/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

static char base[256];

static int set_up(void **state)
{
    (void)state;
    (void)snprintf(base, sizeof base, "%s", check_temporary_dir());
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    char command[300];
    (void)snprintf(command, sizeof command, "rm -rf '%s'", base);
    return system(command);
}

/* Runs a shell command in the base directory. */
static void shell(const char *command)
{
    char line[1000];
    (void)snprintf(line, sizeof line, "cd '%s' && %s", base, command);
    assert_int_equal(system(line), 0);
}

static void check_good(const char *name)
{
    struct err err = {0};
    char path[600];
    (void)snprintf(path, sizeof path, "%s/%s", base, name);
    CHECK_OK(owner_check(path, &err), &err);
}

static void check_refused(const char *name, const char *part)
{
    struct err err = {0};
    char path[600];
    (void)snprintf(path, sizeof path, "%s/%s", base, name);
    assert_false(owner_check(path, &err));
    CHECK_ERR(&err, ERR_LOCAL, part);
    assert_int_equal(err.detail, EPERM);
}

static void our_own_directories_are_fine_also_below_a_sticky_one_and_over_links(void **state)
{
    (void)state;
    shell("mkdir -p -m 755 home/.cache/mine && mkdir -m 1777 tmp && mkdir -m 700 tmp/mine && ln -s home/.cache link && "
          "ln -s ../../link/mine home/.cache/around");
    check_good("home/.cache/mine");
    check_good("tmp/mine");
    check_good("link/mine");
    check_good("home/.cache/around");
    check_good("home/../tmp/./mine");
}

static void directories_that_others_can_write_are_all_named(void **state)
{
    (void)state;
    shell("mkdir -p open/a/b/c && chmod 777 open open/a/b");
    check_refused("open/a/b/c", "/open/a/b are writable by others (chmod go-w ");
    check_refused("open/a/b", "/open, ");
    shell("chmod 755 open && chmod 775 open/a/b && (chgrp 1 open/a/b 2>/dev/null || chmod 777 open/a/b)");
    check_refused("open/a/b/c", "/open/a/b is writable by others");
}

static void a_place_of_another_user_is_refused_and_so_is_one_below_it_or_behind_his_link(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    shell("mkdir -p his/cache mine && chown -h 1000 his && mkdir -m 1777 shared && ln -s ../mine shared/link && "
          "chown -h 1000 shared/link");
    check_refused("his/cache", "/his belongs to ");
    check_refused("his/cache", "uid 1000");
    check_refused("his/cache", "--cache");
    check_refused("shared/link", "/shared/link belongs to ");
    shell("chown 0 his && chown 1000 his/cache");
    check_refused("his/cache", "/his/cache belongs to ");
}

static void a_group_without_other_members_may_write(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    /* nobody has 4294900000 as a group; 1 (daemon) is the first group of an account */
    shell("mkdir -m 775 private_group && chgrp 4294900000 private_group && mkdir -m 775 daemons && chgrp 1 daemons");
    check_good("private_group");
    check_refused("daemons", "/daemons is writable by others");
}

static void what_does_not_exist_yet_is_fine_below_what_is_ours(void **state)
{
    (void)state;
    shell("mkdir later");
    check_good("later/a/b");
    shell("chmod 777 later");
    check_refused("later/a/b", "/later is writable by others");
}

/* An emptyDir of Kubernetes is root's, with mode 2777. */
static void what_is_said_to_be_private_may_be_writable_and_nothing_else(void **state)
{
    (void)state;
    char value[600];
    shell("mkdir -p volume/cache volume/open && chmod 2777 volume && chmod 777 volume/open");
    (void)snprintf(value, sizeof value, "/nothing:%s/volume//:/more", base);
    assert_int_equal(setenv("IMGFACTORY_PRIVATE_DIRS", value, 1), 0);
    check_good("volume/cache/v1");
    check_refused("volume/open/v1", "/volume/open is writable by others");
    assert_int_equal(unsetenv("IMGFACTORY_PRIVATE_DIRS"), 0);
    check_refused("volume/cache/v1", "/volume is writable by others");
}

static void links_in_a_circle_end(void **state)
{
    (void)state;
    shell("ln -s circle circle");
    struct err err = {0};
    char path[600];
    (void)snprintf(path, sizeof path, "%s/circle", base);
    assert_false(owner_check(path, &err));
    CHECK_ERR(&err, ERR_LOCAL, "circle");
}

static struct digest open_secret(const char *name)
{
    struct err err = {0};
    char path[600];
    struct digest secret;
    (void)snprintf(path, sizeof path, "%s/%s", base, name);
    CHECK_OK(secret_open(path, &secret, &err), &err);
    return secret;
}

static void the_secret_is_made_once_and_for_us_alone(void **state)
{
    (void)state;
    struct stat status;
    char path[600];
    struct digest first = open_secret("state"), second = open_secret("state"), other = open_secret("other");
    assert_true(digest_eq(&first, &second));
    assert_false(digest_eq(&first, &other));
    (void)snprintf(path, sizeof path, "%s/state/v1/secret", base);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    assert_int_equal(status.st_size, 32);
}

static void a_secret_that_is_damaged_or_that_others_can_read_is_made_anew(void **state)
{
    (void)state;
    static const char *const spoils[] = {
        "truncate -s 0 state2/v1/secret",
        "truncate -s 31 state2/v1/secret",
        "printf x >> state2/v1/secret",
        "head -c 32 /dev/zero > state2/v1/secret",
        "chmod 644 state2/v1/secret",
        "rm state2/v1/secret && mkdir state2/v1/x && ln -s /etc/hostname state2/v1/secret",
        "rm state2/v1/secret",
    };
    for (size_t i = 0; i < ARRAY_COUNT(spoils); i++) {
        struct digest before = open_secret("state2");
        shell(spoils[i]);
        struct digest after = open_secret("state2"), again = open_secret("state2");
        assert_false(digest_eq(&before, &after));
        assert_true(digest_eq(&after, &again));
    }
}

static void a_state_of_another_user_is_refused(void **state)
{
    (void)state;
    struct err err = {0};
    char path[600];
    struct digest secret;
    if (geteuid() != 0)
        skip();
    shell("mkdir -p his_state/v1 && chown -R 1000 his_state");
    (void)snprintf(path, sizeof path, "%s/his_state", base);
    assert_false(secret_open(path, &secret, &err));
    CHECK_ERR(&err, ERR_LOCAL, "name other places with --cache and --state");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(our_own_directories_are_fine_also_below_a_sticky_one_and_over_links),
        cmocka_unit_test(directories_that_others_can_write_are_all_named),
        cmocka_unit_test(a_place_of_another_user_is_refused_and_so_is_one_below_it_or_behind_his_link),
        cmocka_unit_test(a_group_without_other_members_may_write),
        cmocka_unit_test(what_does_not_exist_yet_is_fine_below_what_is_ours),
        cmocka_unit_test(what_is_said_to_be_private_may_be_writable_and_nothing_else),
        cmocka_unit_test(links_in_a_circle_end),
        cmocka_unit_test(the_secret_is_made_once_and_for_us_alone),
        cmocka_unit_test(a_secret_that_is_damaged_or_that_others_can_read_is_made_anew),
        cmocka_unit_test(a_state_of_another_user_is_refused),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
