/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "base/auto.h"
#include "io/hashed.h"

#include <fcntl.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

static char base[256];

static int set_up(void **state)
{
    (void)state;
    char path[300];
    (void)snprintf(base, sizeof base, "%s", check_temporary_dir());
    (void)snprintf(path, sizeof path, "%s/v1", base);
    return mkdir(path, 0700);
}

static int tear_down(void **state)
{
    (void)state;
    char command[300];
    (void)snprintf(command, sizeof command, "rm -rf '%s'", base);
    return system(command);
}

static const char *path_of(const char *name)
{
    static char paths[2][400];
    static unsigned turn;
    char *path = paths[turn++ % 2];
    (void)snprintf(path, sizeof paths[0], "%s/%s", base, name);
    return path;
}

static const struct digest right = {{7}}, other = {{8}};

/* A file that is older than a tick of the clock. */
static struct stat make(const char *name, const char *text)
{
    struct stat status;
    AUTO(auto_close_fd) int fd = open(path_of(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    assert_int_equal(nanosleep(&(struct timespec){0, 30000000}, NULL), 0);
    assert_int_equal(fstat(fd, &status), 0);
    return status;
}

static struct stat status_of(const char *name)
{
    struct stat status;
    assert_int_equal(stat(path_of(name), &status), 0);
    return status;
}

static void note(const struct stat *status)
{
    struct hashed *hashed = hashed_open(base, false);
    hashed_note(hashed, status, 4, &right);
    hashed_close(hashed);
}

static bool is_known(const struct stat *status)
{
    struct hashed *hashed = hashed_open(base, false);
    bool is_known = hashed_has(hashed, status, 4, &right);
    hashed_close(hashed);
    return is_known;
}

/* Changes a member of the first mark in the table and the table's digest with it. */
static void alter_mark(size_t offset, int64_t change)
{
    char bytes[4096];
    int64_t value;
    AUTO(auto_close_fd) int fd = open(path_of("v1/hashed/table"), O_RDWR | O_CLOEXEC);
    ssize_t len = read(fd, bytes, sizeof bytes);
    assert_true(len > 64);
    memcpy(&value, bytes + 64 + offset, sizeof value);
    value += change;
    memcpy(bytes + 64 + offset, &value, sizeof value);
    struct digest digest = digest_of(bytes + 64, (size_t)len - 64);
    memcpy(bytes + 32, digest.bytes, sizeof digest.bytes);
    assert_int_equal(pwrite(fd, bytes, (size_t)len, 0), len);
}
enum { HASHED_S = 96, BOOT = 104 }; /* offsets in a mark */
#define DAY_S ((int64_t)86400)

static void what_was_hashed_is_known_to_the_next_run_and_only_as_what_it_was(void **state)
{
    (void)state;
    struct stat status = make("a", "text");
    note(&status);
    struct hashed *hashed = hashed_open(base, false);
    assert_true(hashed_has(hashed, &status, 4, &right));
    assert_false(hashed_has(hashed, &status, 4, &other));
    assert_false(hashed_has(hashed, &status, 3, &right));
    hashed_close(hashed);
}

static void a_file_altered_in_place_is_another_though_its_times_were_set_back(void **state)
{
    (void)state;
    struct stat status = make("b", "text");
    note(&status);
    AUTO(auto_close_fd) int fd = open(path_of("b"), O_WRONLY | O_CLOEXEC);
    assert_int_equal(pwrite(fd, "EVIL", 4, 0), 4);
    struct timespec times[2] = {status.st_atim, status.st_mtim};
    assert_int_equal(futimens(fd, times), 0);
    struct stat now = status_of("b");
    assert_int_equal(now.st_mtim.tv_nsec, status.st_mtim.tv_nsec);
    assert_false(is_known(&now));
}

static void another_file_in_the_place_of_a_known_one_is_not_known(void **state)
{
    (void)state;
    struct stat status = make("c", "text");
    note(&status);
    (void)make("d", "EVIL");
    assert_int_equal(rename(path_of("d"), path_of("c")), 0);
    struct stat now = status_of("c");
    assert_false(is_known(&now));
}

static void nothing_that_earlier_runs_noted_counts_when_all_is_to_be_new(void **state)
{
    (void)state;
    struct stat status = make("e", "text");
    note(&status);
    struct hashed *hashed = hashed_open(base, true);
    assert_false(hashed_has(hashed, &status, 4, &right));
    hashed_note(hashed, &status, 4, &right);
    assert_true(hashed_has(hashed, &status, 4, &right));
    hashed_close(hashed);
}

static void after_its_days_a_file_is_hashed_again(void **state)
{
    (void)state;
    assert_int_equal(unlink(path_of("v1/hashed/table")), 0);
    struct stat status = make("f", "text");
    note(&status);
    alter_mark(HASHED_S, -(HASHED_DAYS * DAY_S) + 60);
    assert_true(is_known(&status));
    alter_mark(HASHED_S, -120);
    assert_false(is_known(&status));
    note(&status);
    assert_true(is_known(&status));
    alter_mark(HASHED_S, 2 * DAY_S); /* a clock that was set back */
    assert_false(is_known(&status));
}

static void what_was_written_before_the_machine_started_anew_is_hashed_once_more(void **state)
{
    (void)state;
    assert_int_equal(unlink(path_of("v1/hashed/table")), 0);
    struct stat status = make("g", "text");
    note(&status);
    alter_mark(BOOT, 1);
    assert_false(is_known(&status));
    note(&status); /* now it was read from the disk */
    assert_true(is_known(&status));
    struct hashed *hashed = hashed_open(base, false);
    hashed_close(hashed);
    AUTO(auto_close_fd) int fd = open(path_of("v1/hashed/table"), O_RDONLY | O_CLOEXEC);
    uint64_t boot = 1;
    assert_int_equal(pread(fd, &boot, sizeof boot, 64 + BOOT), sizeof boot);
    assert_int_equal(boot, 0);
}

static void a_table_that_is_cut_or_altered_is_none(void **state)
{
    (void)state;
    struct stat status = make("h", "text");
    assert_int_equal(unlink(path_of("v1/hashed/table")), 0);
    note(&status);
    struct stat table = status_of("v1/hashed/table");
    assert_true(is_known(&status));
    for (off_t len = 0; len < table.st_size; len += 13) {
        note(&status);
        assert_int_equal(truncate(path_of("v1/hashed/table"), len), 0);
        assert_false(is_known(&status));
    }
    for (off_t at = 0; at < table.st_size; at += 7) {
        assert_true(unlink(path_of("v1/hashed/table")) == 0);
        note(&status);
        assert_true(is_known(&status));
        AUTO(auto_close_fd) int fd = open(path_of("v1/hashed/table"), O_RDWR | O_CLOEXEC);
        char byte;
        assert_int_equal(pread(fd, &byte, 1, at), 1);
        byte = (char)(byte ^ 1);
        assert_int_equal(pwrite(fd, &byte, 1, at), 1);
        assert_false(is_known(&status));
    }
    note(&status);
    if (geteuid() == 0) {
        assert_int_equal(chown(path_of("v1/hashed/table"), 1000, 1000), 0);
        assert_false(is_known(&status));
    }
    assert_int_equal(unlink(path_of("v1/hashed/table")), 0);
    note(&status);
    assert_true(is_known(&status));
}

static void other_times_given_by_us_leave_a_file_known_and_by_others_not(void **state)
{
    (void)state;
    struct stat before = make("i", "text");
    note(&before);
    assert_int_equal(utimensat(AT_FDCWD, path_of("i"), NULL, 0), 0);
    assert_int_equal(nanosleep(&(struct timespec){0, 30000000}, NULL), 0);
    struct stat after = status_of("i");
    assert_false(is_known(&after));
    struct hashed *hashed = hashed_open(base, false);
    hashed_move(hashed, &before, &after);
    hashed_close(hashed);
    assert_true(is_known(&after));
}

static void a_file_that_is_as_young_as_the_end_of_the_run_is_hashed_by_the_next(void **state)
{
    (void)state;
    (void)make("j", "text");
    struct hashed *hashed = hashed_open(base, false);
    assert_int_equal(utimensat(AT_FDCWD, path_of("j"), NULL, 0), 0);
    struct stat status = status_of("j");
    hashed_note(hashed, &status, 4, &right);
    assert_true(hashed_has(hashed, &status, 4, &right));
    hashed_close(hashed);
    assert_false(is_known(&status));
}

/* Notes a file in a process of its own, at once with others. */
static pid_t note_in_child(const struct stat *status)
{
    pid_t child = fork();
    if (child == 0) {
        note(status);
        _exit(0);
    }
    return child;
}

static void processes_that_end_at_once_lose_nothing_of_each_other(void **state)
{
    (void)state;
    struct stat status[8];
    pid_t children[8];
    for (int i = 0; i < 8; i++)
        status[i] = make((char[]){'k', (char)('0' + i), '\0'}, "text");
    for (int i = 0; i < 8; i++)
        children[i] = note_in_child(&status[i]);
    for (int i = 0; i < 8; i++)
        assert_int_equal(waitpid(children[i], NULL, 0), children[i]);
    for (int i = 0; i < 8; i++)
        assert_true(is_known(&status[i]));
}

static void without_a_state_this_process_alone_knows(void **state)
{
    (void)state;
    struct stat status = make("l", "text");
    struct hashed *hashed = hashed_open(NULL, false);
    hashed_note(hashed, &status, 4, &right);
    assert_true(hashed_has(hashed, &status, 4, &right));
    hashed_close(hashed);
    assert_false(is_known(&status));
    hashed_close(hashed_open("/nonexistent", false));
}

static void what_a_digest_names_is_known_by_all_of_it(void **state)
{
    (void)state;
    struct digest near = right;
    near.bytes[DIGEST_BYTES - 1] ^= 1;
    struct hashed *hashed = hashed_open(base, false);
    assert_false(hashed_knows(hashed, &right));
    hashed_learn(hashed, &right);
    assert_true(hashed_knows(hashed, &right));
    hashed_close(hashed);
    hashed = hashed_open(base, false);
    assert_true(hashed_knows(hashed, &right));
    assert_false(hashed_knows(hashed, &near));
    assert_false(hashed_knows(hashed, &other));
    hashed_close(hashed);
    hashed = hashed_open(base, true);
    assert_false(hashed_knows(hashed, &right));
    hashed_close(hashed);
}

static void a_state_that_comes_into_being_meanwhile_keeps_what_was_noted(void **state)
{
    (void)state;
    struct stat status = make("m", "text");
    const char *path = path_of("later");
    struct hashed *hashed = hashed_open(path, false);
    hashed_note(hashed, &status, 4, &right);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(mkdir(path_of("later/v1"), 0700), 0);
    hashed_close(hashed);
    hashed = hashed_open(path_of("later"), false);
    assert_true(hashed_has(hashed, &status, 4, &right));
    hashed_close(hashed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_hashed_is_known_to_the_next_run_and_only_as_what_it_was),
        cmocka_unit_test(a_file_altered_in_place_is_another_though_its_times_were_set_back),
        cmocka_unit_test(another_file_in_the_place_of_a_known_one_is_not_known),
        cmocka_unit_test(nothing_that_earlier_runs_noted_counts_when_all_is_to_be_new),
        cmocka_unit_test(after_its_days_a_file_is_hashed_again),
        cmocka_unit_test(what_was_written_before_the_machine_started_anew_is_hashed_once_more),
        cmocka_unit_test(a_table_that_is_cut_or_altered_is_none),
        cmocka_unit_test(other_times_given_by_us_leave_a_file_known_and_by_others_not),
        cmocka_unit_test(a_file_that_is_as_young_as_the_end_of_the_run_is_hashed_by_the_next),
        cmocka_unit_test(processes_that_end_at_once_lose_nothing_of_each_other),
        cmocka_unit_test(without_a_state_this_process_alone_knows),
        cmocka_unit_test(what_a_digest_names_is_known_by_all_of_it),
        cmocka_unit_test(a_state_that_comes_into_being_meanwhile_keeps_what_was_noted),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
