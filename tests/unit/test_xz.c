/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of io/xz against files of the xz program. */
#include "check.h"

#include "base/auto.h"
#include "io/xz.h"

/* Runs a shell command whose output is the file to check. */
static bool check_output(const char *command, struct err *err)
{
    AUTO(buf_done) struct buf file;
    char bytes[65536];
    buf_init(&file, (size_t)64 << 20);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    for (size_t got; (got = fread(bytes, 1, sizeof bytes, pipe)) > 0;)
        assert_true(buf_add(&file, bytes, got));
    assert_int_equal(pclose(pipe), 0);
    return xz_check_dictionaries((struct text){file.bytes, file.len}, "x.xz", err);
}

static void every_usual_file_passes(void **state)
{
    (void)state;
    static const char *const commands[] = {
        "head -c 3000000 /dev/zero | xz -c",
        "head -c 3000000 /dev/zero | xz -9e -c",
        "head -c 3000000 /dev/urandom | xz -T2 --block-size=500000 -c",
        "head -c 300000 /dev/urandom | xz --x86 --lzma2=preset=6 -c",
        "printf '' | xz -c",
        "(echo a | xz -c; printf '\\0\\0\\0\\0'; echo b | xz -c; printf '\\0\\0\\0\\0\\0\\0\\0\\0')",
        "head -c 100000 /dev/zero | xz --lzma2=dict=128MiB -c",
    };
    for (size_t i = 0; i < ARRAY_COUNT(commands); i++) {
        struct err err = {0};
        if (!check_output(commands[i], &err))
            fail_msg("%s: %s", commands[i], err.text);
    }
}

static void a_large_dictionary_is_refused_in_any_block_of_any_stream(void **state)
{
    (void)state;
    static const char *const commands[] = {
        "head -c 1000 /dev/zero | xz --lzma2=dict=129MiB -c",
        "head -c 1000 /dev/zero | xz --lzma2=dict=1536MiB -c",
        "(echo a | xz -c; head -c 1000 /dev/zero | xz --lzma2=dict=256MiB -c)",
        "(head -c 1000 /dev/zero | xz --lzma2=dict=256MiB -c; echo a | xz -c)",
    };
    for (size_t i = 0; i < ARRAY_COUNT(commands); i++) {
        struct err err = {0};
        assert_false(check_output(commands[i], &err));
        CHECK_ERR(&err, ERR_MALFORMED, "x.xz: wants a dictionary of");
    }
}

static void a_file_that_is_cut_or_changed_anywhere_never_crashes(void **state)
{
    (void)state;
    unsigned char file[4096];
    FILE *pipe = popen("head -c 3000 /dev/urandom | xz -T1 --block-size=1000 -c", "r");
    assert_non_null(pipe);
    size_t len = fread(file, 1, sizeof file, pipe);
    assert_int_equal(pclose(pipe), 0);
    for (size_t cut = 12; cut < len; cut++) {
        char *copy = malloc(cut ? cut : 1);
        memcpy(copy, file, cut);
        struct err err = {0};
        assert_false(xz_check_dictionaries((struct text){copy, cut}, "x", &err));
        assert_int_equal(err.kind, ERR_MALFORMED);
        free(copy);
    }
    for (size_t at = 0; at < len; at++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            struct err err = {0};
            file[at] ^= (unsigned char)(1u << bit);
            (void)!xz_check_dictionaries((struct text){(char *)file, len}, "x", &err);
            file[at] ^= (unsigned char)(1u << bit);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_usual_file_passes),
        cmocka_unit_test(a_large_dictionary_is_refused_in_any_block_of_any_stream),
        cmocka_unit_test(a_file_that_is_cut_or_changed_anywhere_never_crashes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
