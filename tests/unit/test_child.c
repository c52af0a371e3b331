/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "base/auto.h"
#include "io/child.h"
#include "io/file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <time.h>

static const struct child_fds no_fds = {NULL, 0};

static bool run_shell(const char *script, struct child_fds fds, size_t cap, unsigned timeout_ms, struct buf *out,
                      int *ret_exit, struct err *err)
{
    const char *argv[] = {"sh", "-c", script, NULL};
    return child_run(argv, fds, cap, timeout_ms, out, ret_exit, err);
}

static void output_and_exit_status_come_back(void **state)
{
    (void)state;
    struct err err = {0};
    AUTO(buf_done) struct buf out = {0};
    int status = -1;
    CHECK_OK(run_shell("echo hello; echo hidden >&2; exit 7", no_fds, 100, 5000, &out, &status, &err), &err);
    assert_string_equal(out.bytes, "hello\n");
    assert_int_equal(status, 7);
}

static void a_signal_is_128_plus_its_number(void **state)
{
    (void)state;
    struct err err = {0};
    AUTO(buf_done) struct buf out = {0};
    int status = -1;
    CHECK_OK(run_shell("kill -TERM $$", no_fds, 100, 5000, &out, &status, &err), &err);
    assert_int_equal(status, 128 + SIGTERM);
}

static void the_environment_is_the_locale_and_the_path_only(void **state)
{
    (void)state;
    struct err err = {0};
    AUTO(buf_done) struct buf out = {0};
    int status = -1;
    const char *argv[] = {"env", NULL};
    CHECK_OK(child_run(argv, no_fds, 1 << 16, 5000, &out, &status, &err), &err);
    assert_true(strstr(out.bytes, "LC_ALL=C\n") == out.bytes);
    char *rest = out.bytes + strlen("LC_ALL=C\n");
    assert_true(strncmp(rest, "PATH=", 5) == 0);
    assert_ptr_equal(strchr(rest, '\n'), out.bytes + out.len - 1);
}

static void only_the_listed_descriptors_are_inherited_under_their_numbers(void **state)
{
    (void)state;
    struct err err = {0};
    AUTO(buf_done) struct buf out = {0};
    int status = -1;
    AUTO(auto_close_fd) int hidden = dup(STDERR_FILENO); /* not O_CLOEXEC, as one that we were started with */
    AUTO(auto_close_fd) int given = -1;
    AUTO(auto_close_fd) int above = dup(STDERR_FILENO);
    CHECK_OK(child_memory_file("given", "secret", 6, &given, &err), &err);
    assert_true(hidden > 2 && above > 2);
    char script[200];
    (void)snprintf(script, sizeof script, "cat /proc/self/fd/%d; ls /proc/$$/fd", given);
    CHECK_OK(run_shell(script, (struct child_fds){&given, 1}, 1000, 5000, &out, &status, &err), &err);
    char expected[64];
    (void)snprintf(expected, sizeof expected, "secret0\n1\n2\n%d\n", given);
    assert_string_equal(out.bytes, expected);
    assert_true(fcntl(given, F_GETFD) & FD_CLOEXEC);
}

static void blocked_and_ignored_signals_are_not_inherited(void **state)
{
    (void)state;
    struct err err = {0};
    AUTO(buf_done) struct buf out = {0};
    int status = -1;
    sigset_t all, before;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    struct sigaction ignore = {.sa_handler = SIG_IGN}, old;
    sigaction(SIGPIPE, &ignore, &old);
    bool is_good = run_shell("grep -E '^Sig(Blk|Ign):' /proc/self/status", no_fds, 1000, 5000, &out, &status, &err);
    sigaction(SIGPIPE, &old, NULL);
    sigprocmask(SIG_SETMASK, &before, NULL);
    CHECK_OK(is_good, &err);
    unsigned long blocked = 1, ignored = 1;
    assert_int_equal(sscanf(out.bytes, "SigBlk: %lx SigIgn: %lx", &blocked, &ignored), 2);
    assert_int_equal(blocked, 0);
    assert_int_equal(ignored & 0x7FFFFFFF, 0); /* 32 and 33 are glibc's own */
}

static void a_missing_program_is_named_and_has_enoent(void **state)
{
    (void)state;
    struct err err = {0};
    AUTO(buf_done) struct buf out = {0};
    int status = -1;
    const char *argv[] = {"imgfactory-no-such-program", NULL};
    assert_false(child_run(argv, no_fds, 100, 5000, &out, &status, &err));
    CHECK_ERR(&err, ERR_LOCAL, "imgfactory-no-such-program");
    assert_int_equal(err.detail, ENOENT);
}

static void a_file_that_is_no_program_may_not_be_run(void **state)
{
    (void)state;
    struct err err = {0};
    AUTO(buf_done) struct buf out = {0};
    int status = -1;
    const char *argv[] = {"/proc/self/cmdline", NULL};
    assert_false(child_run(argv, no_fds, 100, 5000, &out, &status, &err));
    CHECK_ERR(&err, ERR_LOCAL, "cannot start /proc/self/cmdline");
    assert_int_equal(err.detail, EACCES);
}

static void a_child_that_hangs_is_killed_with_its_own_children(void **state)
{
    (void)state;
    struct err err = {0};
    AUTO(buf_done) struct buf out = {0};
    int status = -1;
    struct timespec begin, end;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    assert_false(run_shell("sleep 60 & sleep 60", no_fds, 100, 200, &out, &status, &err));
    clock_gettime(CLOCK_MONOTONIC, &end);
    CHECK_ERR(&err, ERR_LOCAL, "did not end within 200 ms");
    assert_int_equal(err.detail, ETIMEDOUT);
    assert_true(end.tv_sec - begin.tv_sec < 20);
}

static void endless_output_is_stopped_at_the_cap(void **state)
{
    (void)state;
    struct err err = {0};
    AUTO(buf_done) struct buf out = {0};
    int status = -1;
    assert_false(run_shell("while :; do echo yyyyyyyyyyyyyyyy; done", no_fds, 10000, 20000, &out, &status, &err));
    CHECK_ERR(&err, ERR_MALFORMED, "more than the 10000 bytes");
}

static void a_child_that_closes_its_output_is_still_waited_for(void **state)
{
    (void)state;
    struct err err = {0};
    AUTO(buf_done) struct buf out = {0};
    int status = -1;
    CHECK_OK(run_shell("exec >&-; sleep 0.2; exit 3", no_fds, 100, 10000, &out, &status, &err), &err);
    assert_int_equal(status, 3);
}

static void input_goes_to_standard_input_whole(void **state)
{
    (void)state;
    struct err err = {0};
    AUTO(buf_done) struct buf out = {0};
    int status = -1;
    char bytes[70000];
    memset(bytes, 'x', sizeof bytes);
    const char *argv[] = {"sh", "-c", "wc -c; exit 2", NULL};
    struct child_input input = {{bytes, sizeof bytes}, NULL, 0};
    CHECK_OK(child_run_with_input(argv, &input, 100, 5000, &out, &status, &err), &err);
    assert_int_equal(strtol(out.bytes, NULL, 10), sizeof bytes);
    assert_int_equal(status, 2);
}

static void a_child_need_not_read_its_input(void **state)
{
    (void)state;
    struct err err = {0};
    AUTO(buf_done) struct buf out = {0};
    int status = -1;
    const char *argv[] = {"true", NULL};
    struct child_input input = {TEXT("not wanted"), NULL, 0};
    CHECK_OK(child_run_with_input(argv, &input, 100, 5000, &out, &status, &err), &err);
    assert_int_equal(status, 0);
    assert_string_equal(out.bytes, "");
}

static void only_the_named_variables_are_passed_on(void **state)
{
    (void)state;
    struct err err = {0};
    AUTO(buf_done) struct buf out = {0};
    int status = -1;
    static const char *const names[] = {"TEST_ONE", "MANY_*", "LC_ALL"};
    setenv("TEST_ONE", "1", 1);
    setenv("TEST_ONE_MORE", "2", 1);
    setenv("MANY_A", "3", 1);
    setenv("MAN", "4", 1);
    setenv("LC_ALL", "C.UTF-8", 1);
    const char *argv[] = {"sh", "-c", "env | grep -E '^(TEST|MAN|LC_)' | sort", NULL};
    struct child_input input = {TEXT(""), names, ARRAY_COUNT(names)};
    bool is_good = child_run_with_input(argv, &input, 1000, 5000, &out, &status, &err);
    unsetenv("LC_ALL");
    CHECK_OK(is_good, &err);
    assert_string_equal(out.bytes, "LC_ALL=C\nMANY_A=3\nTEST_ONE=1\n");
}

static void output_with_input_has_a_cap_and_a_time_limit_too(void **state)
{
    (void)state;
    struct err err = {0};
    AUTO(buf_done) struct buf out = {0}, late = {0};
    int status = -1;
    const char *loud[] = {"sh", "-c", "cat; cat /dev/zero", NULL}, *slow[] = {"sleep", "60", NULL};
    struct child_input input = {TEXT("abc"), NULL, 0};
    assert_false(child_run_with_input(loud, &input, 5000, 20000, &out, &status, &err));
    CHECK_ERR(&err, ERR_MALFORMED, "more than the 5000 bytes");
    err_clear(&err);
    assert_false(child_run_with_input(slow, &input, 5000, 200, &late, &status, &err));
    assert_int_equal(err.detail, ETIMEDOUT);
}

static void a_memory_file_holds_its_bytes_from_the_start(void **state)
{
    (void)state;
    struct err err = {0};
    AUTO(auto_close_fd) int fd = -1;
    char bytes[8] = {0};
    CHECK_OK(child_memory_file("x", "abc", 3, &fd, &err), &err);
    assert_int_equal(read(fd, bytes, sizeof bytes), 3);
    assert_string_equal(bytes, "abc");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(output_and_exit_status_come_back),
        cmocka_unit_test(a_signal_is_128_plus_its_number),
        cmocka_unit_test(the_environment_is_the_locale_and_the_path_only),
        cmocka_unit_test(only_the_listed_descriptors_are_inherited_under_their_numbers),
        cmocka_unit_test(blocked_and_ignored_signals_are_not_inherited),
        cmocka_unit_test(a_missing_program_is_named_and_has_enoent),
        cmocka_unit_test(a_file_that_is_no_program_may_not_be_run),
        cmocka_unit_test(a_child_that_hangs_is_killed_with_its_own_children),
        cmocka_unit_test(endless_output_is_stopped_at_the_cap),
        cmocka_unit_test(a_child_that_closes_its_output_is_still_waited_for),
        cmocka_unit_test(input_goes_to_standard_input_whole),
        cmocka_unit_test(a_child_need_not_read_its_input),
        cmocka_unit_test(only_the_named_variables_are_passed_on),
        cmocka_unit_test(output_with_input_has_a_cap_and_a_time_limit_too),
        cmocka_unit_test(a_memory_file_holds_its_bytes_from_the_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
