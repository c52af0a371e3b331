/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "base/arena.h"
#include "base/auto.h"
#include "base/list.h"
#include "io/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Below a temporary directory: told/ that may be read, made/ that may be written, other/ that was not told; a file in
 * each. */
struct places {
    struct arena arena;
    const char *top;
    struct confine_places confined;
};

static const char *const folders[] = {"told", "made", "other"};

static const char *path_of(struct places *places, const char *name)
{
    return arena_printf(&places->arena, "%s/%s", places->top, name);
}

static int set_up(void **state)
{
    struct places *places = calloc(1, sizeof *places);
    assert_non_null(places);
    places->top = arena_strdup(&places->arena, check_temporary_dir());
    for (size_t i = 0; i < ARRAY_COUNT(folders); i++) {
        assert_int_equal(mkdir(path_of(places, folders[i]), 0700), 0);
        int fd = open(path_of(places, arena_printf(&places->arena, "%s/file", folders[i])), O_CREAT | O_WRONLY, 0600);
        assert_true(fd >= 0);
        (void)close(fd);
    }
    assert_int_equal(mkdir(path_of(places, "made/below"), 0700), 0);
    list_add(&places->arena, &places->confined.readable, path_of(places, "told"));
    list_add(&places->arena, &places->confined.readable, path_of(places, "absent"));
    list_add(&places->arena, &places->confined.writable, path_of(places, "made"));
    *state = places;
    return 0;
}

static int tear_down(void **state)
{
    struct places *places = *state;
    static const char *const files[] = {"told/file", "made/file", "other/file", "made/new", "made/below/linked"};
    for (size_t i = 0; i < ARRAY_COUNT(files); i++)
        (void)unlink(path_of(places, files[i]));
    (void)rmdir(path_of(places, "made/below"));
    for (size_t i = 0; i < ARRAY_COUNT(folders); i++)
        (void)rmdir(path_of(places, folders[i]));
    (void)rmdir(places->top);
    arena_done(&places->arena);
    free(places);
    return 0;
}

/* Runs a check in a process of its own, which stays confined; it returns the line of the first expectation that fails. */
static void in_a_process(int check(struct places *places), struct places *places)
{
    int status;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        _exit(check(places));
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

#define EXPECT(condition)                                                                                              \
    do {                                                                                                               \
        if (!(condition))                                                                                              \
            return __LINE__ % 256;                                                                                     \
    } while (0)

static bool has_landlock(void)
{
    return syscall(SYS_landlock_create_ruleset, NULL, (size_t)0, 1u) >= 2;
}

static bool opens(struct places *places, const char *name, int flags)
{
    int fd = open(path_of(places, name), flags | O_CLOEXEC, 0600);
    if (fd >= 0)
        (void)close(fd);
    return fd >= 0;
}

static int check_readers(struct places *places)
{
    EXPECT(opens(places, "other/file", O_RDONLY));
    const char *lacking = confine_readers(&places->arena, &places->confined);
    EXPECT(!lacking == has_landlock());
    EXPECT(socket(AF_INET, SOCK_STREAM, 0) < 0 && errno == EACCES);
    EXPECT(socket(AF_UNIX, SOCK_STREAM, 0) < 0 && errno == EACCES);
    EXPECT(opens(places, "told/file", O_RDONLY) && opens(places, "made/file", O_RDWR | O_TRUNC));
    EXPECT(opens(places, "other", O_RDONLY | O_DIRECTORY) && opens(places, "made/new", O_WRONLY | O_CREAT));
    if (!has_landlock())
        return 0;
    EXPECT(!opens(places, "told/file", O_WRONLY) && errno == EACCES);
    EXPECT(!opens(places, "told/new", O_WRONLY | O_CREAT) && errno == EACCES);
    EXPECT(!opens(places, "other/file", O_RDONLY) && errno == EACCES);
    EXPECT(unlink(path_of(places, "other/file")) != 0 && errno == EACCES);
    EXPECT(rename(path_of(places, "made/file"), path_of(places, "other/moved")) != 0);
    EXPECT(!opens(places, "made/../other/file", O_RDONLY));
    EXPECT(open("/etc/shadow", O_RDONLY | O_CLOEXEC) < 0);
    return 0;
}

static void readers_open_what_they_were_told_of_and_make_no_socket(void **state)
{
    in_a_process(check_readers, *state);
}

/* With room for the ruleset, and for no place. */
static int check_shortage(struct places *places)
{
    struct rlimit limit;
    EXPECT(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    int next = open("/dev/null", O_RDONLY | O_CLOEXEC);
    EXPECT(next >= 0 && close(next) == 0);
    EXPECT(setrlimit(RLIMIT_NOFILE, &(struct rlimit){(rlim_t)next + 1, limit.rlim_max}) == 0);
    const char *lacking = confine_readers(&places->arena, &places->confined);
    EXPECT(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    EXPECT(lacking && (!has_landlock() || strstr(lacking, "Landlock (Too many open files)")));
    EXPECT(opens(places, "told/file", O_RDONLY) && opens(places, "made/file", O_RDWR));
    return 0;
}

static void a_place_that_no_descriptor_was_left_for_is_not_refused(void **state)
{
    in_a_process(check_shortage, *state);
}

static int check_shortage_before(struct places *places)
{
    places->confined.shortage = ENFILE;
    confine_network(&places->confined);
    EXPECT(opens(places, "other/file", O_WRONLY));
    const char *lacking = confine_readers(&places->arena, &places->confined);
    EXPECT(lacking && (!has_landlock() || strstr(lacking, "Landlock (Too many open files in system)")));
    EXPECT(opens(places, "other/file", O_RDONLY));
    return 0;
}

static void places_that_could_not_be_found_before_are_not_refused(void **state)
{
    in_a_process(check_shortage_before, *state);
}

/* As the cache's files come. */
static int check_unnamed(struct places *places)
{
    char name[64];
    (void)confine_readers(&places->arena, &places->confined);
    int fd = open(path_of(places, "made"), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR))
        return 0;
    EXPECT(fd >= 0);
    (void)snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    EXPECT(linkat(AT_FDCWD, name, AT_FDCWD, path_of(places, "made/below/linked"), AT_SYMLINK_FOLLOW) == 0);
    EXPECT(rename(path_of(places, "made/below/linked"), path_of(places, "made/new")) == 0);
    return 0;
}

static void unnamed_files_are_linked_and_moved_between_folders(void **state)
{
    in_a_process(check_unnamed, *state);
}

static int check_programs(struct places *places)
{
    static const char *const argv[] = {"true", NULL};
    int status;
    list_add(&places->arena, &places->confined.programs, "true");
    (void)confine_readers(&places->arena, &places->confined);
    for (int i = 0; i < 2; i++) {
        const char *name = i ? "false" : "true";
        pid_t pid = fork();
        if (pid == 0) {
            (void)execvp(name, (char *const *)argv);
            _exit(errno == EACCES ? 77 : 1);
        }
        EXPECT(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
        EXPECT(WEXITSTATUS(status) == (i && has_landlock() ? 77 : i));
    }
    return 0;
}

static void only_programs_that_were_named_are_started(void **state)
{
    in_a_process(check_programs, *state);
}

static int check_network(struct places *places)
{
    confine_network(&places->confined);
    EXPECT(opens(places, "other/file", O_RDONLY) && opens(places, "made/file", O_WRONLY));
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    EXPECT(fd >= 0);
    if (has_landlock())
        EXPECT(!opens(places, "other/file", O_WRONLY) && errno == EACCES);
    return 0;
}

static void the_networks_thread_reads_and_connects_but_writes_only_to_its_places(void **state)
{
    in_a_process(check_network, *state);
}

static int check_secrets(struct places *places)
{
    struct rlimit core;
    (void)places;
    confine_secrets();
    EXPECT(prctl(PR_GET_DUMPABLE) == 0);
    EXPECT(getrlimit(RLIMIT_CORE, &core) == 0 && core.rlim_cur == 0 && core.rlim_max == 0);
    return 0;
}

static void no_core_is_left_and_nobody_of_the_same_user_looks_in(void **state)
{
    in_a_process(check_secrets, *state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(readers_open_what_they_were_told_of_and_make_no_socket, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_place_that_no_descriptor_was_left_for_is_not_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(places_that_could_not_be_found_before_are_not_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(unnamed_files_are_linked_and_moved_between_folders, set_up, tear_down),
        cmocka_unit_test_setup_teardown(only_programs_that_were_named_are_started, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_networks_thread_reads_and_connects_but_writes_only_to_its_places, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(no_core_is_left_and_nobody_of_the_same_user_looks_in, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
