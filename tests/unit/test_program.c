/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "io/program.h"

static struct stat status_of_program(void)
{
    struct stat status;
    assert_int_equal(stat("/proc/self/exe", &status), 0);
    return status;
}

static void a_program_has_one_digest_hashed_or_known(void **state)
{
    (void)state;
    struct stat status = status_of_program();
    struct hashed *hashed = hashed_open(NULL, false);
    struct digest file, first = program_digest(hashed), second = program_digest(hashed);
    assert_true(digest_eq(&first, &second));
    assert_true(hashed_find(hashed, &status, (uint64_t)status.st_size, &file));
    hashed_close(hashed);
}

static void what_is_known_of_another_file_is_nothing_of_the_program(void **state)
{
    (void)state;
    static const struct digest wrong = {{9}};
    struct stat status = status_of_program(), altered = status;
    struct hashed *hashed = hashed_open(NULL, false);
    struct digest right = program_digest(hashed), got;
    hashed_close(hashed);
    hashed = hashed_open(NULL, false);
    altered.st_ctim.tv_nsec ^= 1; /* as of a file that was written to, whatever its other times say */
    hashed_note(hashed, &altered, (uint64_t)altered.st_size, &wrong);
    got = program_digest(hashed);
    assert_true(digest_eq(&got, &right));
    hashed_note(hashed, &status, (uint64_t)status.st_size, &wrong); /* the same file is taken at its word */
    got = program_digest(hashed);
    assert_false(digest_eq(&got, &right));
    hashed_close(hashed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_program_has_one_digest_hashed_or_known),
        cmocka_unit_test(what_is_known_of_another_file_is_nothing_of_the_program),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
