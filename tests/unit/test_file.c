/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "base/auto.h"
#include "io/file.h"
#include "io/lock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>

static int dirfd_of_test = -1;
static char dir_of_test[256];

static int set_up(void **state)
{
    (void)state;
    struct err err = {0};
    (void)snprintf(dir_of_test, sizeof dir_of_test, "%s", check_temporary_dir());
    return file_open_dir(dir_of_test, &dirfd_of_test, &err) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    char command[300];
    (void)close(dirfd_of_test);
    (void)snprintf(command, sizeof command, "rm -rf '%s'", dir_of_test);
    return system(command);
}

static void put(const char *name, const char *text)
{
    struct err err = {0};
    CHECK_OK(file_write_atomic_at(dirfd_of_test, name, text, strlen(text), 0644, false, &err), &err);
}

static size_t count_files(void)
{
    size_t count = 0;
    DIR *dir = opendir(dir_of_test);
    assert_non_null(dir);
    while (readdir(dir))
        count++;
    closedir(dir);
    return count - 2;
}

static void what_is_written_atomically_is_read_back(void **state)
{
    (void)state;
    struct err err = {0};
    AUTO(buf_done) struct buf buf = {0};
    AUTO(view_done) struct view view = {0};
    struct stat status;
    put("a", "old contents");
    CHECK_OK(file_write_atomic_at(dirfd_of_test, "a", "new", 3, 0640, true, &err), &err);
    CHECK_OK(file_read_at(dirfd_of_test, "a", 100, &buf, &err), &err);
    assert_string_equal(buf.bytes, "new");
    CHECK_OK(file_map_at(dirfd_of_test, "a", &view, &err), &err);
    assert_int_equal(view.len, 3);
    assert_memory_equal(view.ptr, "new", 3);
    assert_int_equal(fstatat(dirfd_of_test, "a", &status, 0), 0);
    assert_int_equal(status.st_mode & 07777, 0640);
    assert_int_equal(count_files(), 1);
}

static void the_umask_does_not_change_modes(void **state)
{
    (void)state;
    struct err err = {0};
    struct stat status;
    char path[300];
    (void)snprintf(path, sizeof path, "%s/m/n", dir_of_test);
    mode_t before = umask(0077);
    bool is_good =
        file_write_atomic_at(dirfd_of_test, "open", "x", 1, 0666, false, &err) && file_make_dirs(path, 0755, &err);
    umask(before);
    CHECK_OK(is_good, &err);
    assert_int_equal(fstatat(dirfd_of_test, "open", &status, 0), 0);
    assert_int_equal(status.st_mode & 07777, 0666);
    assert_int_equal(fstatat(dirfd_of_test, "m", &status, 0), 0);
    assert_int_equal(status.st_mode & 0777, 0755);
}

static void a_failed_write_leaves_the_old_file_and_no_litter(void **state)
{
    (void)state;
    struct err err = {0};
    put("kept", "old");
    size_t before = count_files();
    assert_int_equal(mkdirat(dirfd_of_test, "taken", 0755), 0);
    assert_false(file_write_atomic_at(dirfd_of_test, "taken", "x", 1, 0644, false, &err));
    CHECK_ERR(&err, ERR_LOCAL, "taken");
    assert_int_equal(count_files(), before + 1);
}

static void files_that_belong_together_stay_as_they_were_when_one_cannot_be_written(void **state)
{
    (void)state;
    static const char large[4096];
    struct err err = {0}, full = {0};
    struct rlimit before, little;
    AUTO(buf_done) struct buf buf = {0};
    struct file_content files[] = {{"plan", TEXT("new plan")}, {"lock", TEXT("new lock")}};
    put("plan", "old plan");
    put("lock", "old lock");
    size_t count = count_files();
    files[1].bytes = (struct text){large, sizeof large};
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    little = (struct rlimit){.rlim_cur = sizeof large - 1, .rlim_max = before.rlim_max};
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &little), 0);
    bool is_good = file_write_several_at(dirfd_of_test, files, 2, 0644, true, &full);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    (void)signal(SIGXFSZ, handler);
    assert_false(is_good);
    CHECK_ERR(&full, ERR_LOCAL, "lock");
    CHECK_OK(file_read_at(dirfd_of_test, "plan", 100, &buf, &err), &err);
    assert_string_equal(buf.bytes, "old plan");
    assert_int_equal(count_files(), count);
    files[1].bytes = TEXT("new lock");
    CHECK_OK(file_write_several_at(dirfd_of_test, files, 2, 0644, true, &err), &err);
    assert_int_equal(count_files(), count);
}

static void a_full_disk_is_a_local_error(void **state)
{
    (void)state;
    struct err err = {0};
    AUTO(auto_close_fd) int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        skip();
    assert_false(file_write_all(fd, "x", 1, "the-thing", &err));
    CHECK_ERR(&err, ERR_LOCAL, "the-thing");
    assert_int_equal(err.detail, ENOSPC);
}

static void an_empty_file_reads_and_maps_as_nothing(void **state)
{
    (void)state;
    struct err err = {0};
    AUTO(buf_done) struct buf buf = {0};
    AUTO(view_done) struct view view = {0};
    put("empty", "");
    CHECK_OK(file_read_at(dirfd_of_test, "empty", 0, &buf, &err), &err);
    assert_int_equal(buf.len, 0);
    assert_string_equal(buf.bytes, "");
    CHECK_OK(file_map_at(dirfd_of_test, "empty", &view, &err), &err);
    assert_int_equal(view.len, 0);
    assert_non_null(view.ptr);
}

static void a_file_larger_than_the_cap_is_refused(void **state)
{
    (void)state;
    struct err err = {0};
    AUTO(buf_done) struct buf buf = {0};
    put("long", "12345");
    assert_false(file_read_at(dirfd_of_test, "long", 4, &buf, &err));
    CHECK_ERR(&err, ERR_MALFORMED, "long");
    assert_null(buf.bytes);
    err_clear(&err);
    CHECK_OK(file_read_at(dirfd_of_test, "long", 5, &buf, &err), &err);
    assert_int_equal(buf.len, 5);
}

static void a_file_that_announces_no_size_is_read_to_its_end(void **state)
{
    (void)state;
    struct err err = {0};
    AUTO(buf_done) struct buf buf = {0};
    AUTO(buf_done) struct buf capped = {0};
    CHECK_OK(file_read_at(AT_FDCWD, "/proc/self/status", 1 << 20, &buf, &err), &err);
    assert_true(buf.len > 100);
    assert_false(file_read_at(AT_FDCWD, "/proc/self/status", 10, &capped, &err));
    CHECK_ERR(&err, ERR_MALFORMED, "/proc/self/status");
}

static void an_absent_file_has_its_errno_as_detail(void **state)
{
    (void)state;
    struct err err = {0};
    AUTO(buf_done) struct buf buf = {0};
    struct view view;
    assert_false(file_read_at(dirfd_of_test, "absent", 10, &buf, &err));
    CHECK_ERR(&err, ERR_LOCAL, "absent");
    assert_int_equal(err.detail, ENOENT);
    err_clear(&err);
    assert_false(file_map_at(dirfd_of_test, "absent", &view, &err));
    assert_int_equal(err.detail, ENOENT);
}

static void what_cannot_be_locked_is_told(void **state)
{
    (void)state;
    struct err err = {0};
    assert_false(lock_take_now(-1, "the state", &err));
    CHECK_ERR(&err, ERR_LOCAL, "cannot lock the state");
    err_clear(&err);
    char path[64];
    AUTO(auto_close_fd) int first = memfd_create("state", MFD_CLOEXEC);
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", first);
    AUTO(auto_close_fd) int second = open(path, O_RDONLY | O_CLOEXEC);
    CHECK_OK(lock_take_now(first, "the state", &err), &err);
    assert_false(lock_take_now(second, "the state", &err));
    CHECK_ERR(&err, ERR_LOCAL, "the state is taken");
    assert_int_equal(err.detail, EWOULDBLOCK);
}

static void a_directory_or_a_pipe_is_no_file_and_does_not_block(void **state)
{
    (void)state;
    struct err err = {0};
    AUTO(buf_done) struct buf buf = {0};
    assert_int_equal(mkfifoat(dirfd_of_test, "pipe", 0600), 0);
    assert_false(file_read_at(dirfd_of_test, "pipe", 10, &buf, &err));
    CHECK_ERR(&err, ERR_LOCAL, "not a regular file");
    err_clear(&err);
    assert_false(file_read_at(AT_FDCWD, "/", 10, &buf, &err));
    CHECK_ERR(&err, ERR_LOCAL, "not a regular file");
}

static void directories_are_made_with_their_parents_and_twice(void **state)
{
    (void)state;
    struct err err = {0};
    char path[300];
    AUTO(auto_close_fd) int fd = -1;
    (void)snprintf(path, sizeof path, "%s/x//y/z/", dir_of_test);
    CHECK_OK(file_make_dirs(path, 0700, &err), &err);
    CHECK_OK(file_make_dirs(path, 0700, &err), &err);
    CHECK_OK(file_open_dir(path, &fd, &err), &err);
    put("plain", "");
    (void)snprintf(path, sizeof path, "%s/plain", dir_of_test);
    assert_false(file_make_dirs(path, 0700, &err));
    CHECK_ERR(&err, ERR_LOCAL, "plain");
    err_clear(&err);
    (void)snprintf(path, sizeof path, "%s/plain/below", dir_of_test);
    assert_false(file_make_dirs(path, 0700, &err));
    CHECK_ERR(&err, ERR_LOCAL, "plain/below");
}

static void left_overs_of_killed_writers_are_removed_and_nothing_else(void **state)
{
    (void)state;
    put(".imgfactory-0123456789abcdef0123456789abcdef", "half");
    put(".imgfactory", "no left-over");
    put("mark", "kept");
    file_remove_left_overs(dirfd_of_test);
    assert_int_equal(faccessat(dirfd_of_test, ".imgfactory-0123456789abcdef0123456789abcdef", F_OK, 0), -1);
    assert_int_equal(faccessat(dirfd_of_test, ".imgfactory", F_OK, 0), 0);
    assert_int_equal(faccessat(dirfd_of_test, "mark", F_OK, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_atomically_is_read_back),
        cmocka_unit_test(the_umask_does_not_change_modes),
        cmocka_unit_test(a_failed_write_leaves_the_old_file_and_no_litter),
        cmocka_unit_test(files_that_belong_together_stay_as_they_were_when_one_cannot_be_written),
        cmocka_unit_test(a_full_disk_is_a_local_error),
        cmocka_unit_test(an_empty_file_reads_and_maps_as_nothing),
        cmocka_unit_test(a_file_larger_than_the_cap_is_refused),
        cmocka_unit_test(a_file_that_announces_no_size_is_read_to_its_end),
        cmocka_unit_test(an_absent_file_has_its_errno_as_detail),
        cmocka_unit_test(what_cannot_be_locked_is_told),
        cmocka_unit_test(a_directory_or_a_pipe_is_no_file_and_does_not_block),
        cmocka_unit_test(directories_are_made_with_their_parents_and_twice),
        cmocka_unit_test(left_overs_of_killed_writers_are_removed_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
