/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "base/auto.h"
#include "base/date.h"
#include "registry/expiry_memory.h"
#include "registry/plan_tag.h"
#include "registry/stamp.h"

#include <stdlib.h>
#include <sys/stat.h>

static struct digest some_digest(char c)
{
    char hex[65] = {0};
    struct digest digest;
    memset(hex, c, 64);
    assert_true(digest_parse(text_of(hex), &digest));
    return digest;
}

static void a_stamp_tells_its_time_and_the_digest_that_it_is_at(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct digest digest = some_digest('a');
    struct stamp_digest part;
    int64_t seconds;
    const char *stamp = stamp_print(&arena, 1796004791, &digest);
    assert_string_equal(stamp, "20261130T021311Z-aaaaaaaaaaaa");
    assert_true(stamp_parse(stamp, &seconds, &part));
    assert_int_equal(seconds, 1796004791);
    assert_string_equal(part.chars, "aaaaaaaaaaaa");
}

static void what_only_looks_like_a_stamp_is_none(void **state)
{
    (void)state;
    static const char *const others[] = {"",
                                         "latest",
                                         "20261130-aaaaaaaaaaaa",
                                         "20261130T021311Z",
                                         "20261130T021311Z-aaaaaaaaaaa",
                                         "20261130T021311Z-aaaaaaaaaaaaa",
                                         "20261130T021311Z-AAAAAAAAAAAA",
                                         "20261130T021311Z_aaaaaaaaaaaa",
                                         "20260230T021311Z-aaaaaaaaaaaa",
                                         "20261130T241311Z-aaaaaaaaaaaa",
                                         "19691130T021311Z-aaaaaaaaaaaa",
                                         "x20261130T021311Z-aaaaaaaaaaaa",
                                         "-aaaaaaaaaaaa"};
    struct stamp_digest part;
    int64_t seconds;
    for (size_t i = 0; i < ARRAY_COUNT(others); i++) {
        if (stamp_parse(others[i], &seconds, &part))
            fail_msg("\"%s\" was taken", others[i]);
    }
}

static void a_tag_of_a_digest_alone_is_a_tag_however_long(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct digest digest = some_digest('b');
    struct stamp_digest part;
    struct text before;
    char *longest = arena_alloc(&arena, 129);
    memset(longest, 'x', 128);
    longest[128] = '\0';
    assert_string_equal(stamp_tag(&arena, "1.0-20261130", &digest), "1.0-20261130-bbbbbbbbbbbb");
    assert_int_equal(strlen(stamp_tag(&arena, longest, &digest)), 128);
    assert_true(stamp_split(stamp_tag(&arena, longest, &digest), &before, &part) && before.len == 115);
    assert_false(stamp_split("1.0-rc1", &before, &part));
}

static void days_have_one_form(void **state)
{
    (void)state;
    int64_t seconds;
    assert_true(date_parse_day("2026-12-31", &seconds) && seconds == 1798675200);
    static const char *const others[] = {"2026-12-32",  "2026-2-3",   "2026-13-01", "26-12-31",
                                         "2026-12-31 ", "1969-12-31", "2026/12/31", ""};
    for (size_t i = 0; i < ARRAY_COUNT(others); i++) {
        if (date_parse_day(others[i], &seconds))
            fail_msg("\"%s\" was taken", others[i]);
    }
}

static void times_of_rfc_3339_have_fractions_and_zones(void **state)
{
    (void)state;
    static const struct {
        const char *time;
        int64_t seconds;
        uint32_t nanoseconds;
    } times[] = {{"2026-12-31T00:00:00Z", 1798675200, 0},
                 {"2026-12-31T01:00:00.5+01:00", 1798675200, 500000000},
                 {"2026-12-30T22:30:00.1234567899-01:30", 1798675200, 123456789},
                 {"1969-12-31T23:59:59Z", -1, 0},
                 {"0001-01-01T00:00:00Z", -62135596800, 0}};
    static const char *const others[] = {"",
                                         "2026-12-31",
                                         "2026-12-31T00:00:00",
                                         "2026-12-31T00:00:00.Z",
                                         "2026-12-31 00:00:00Z",
                                         "2026-02-30T00:00:00Z",
                                         "2026-12-31T24:00:00Z",
                                         "2026-12-31T00:00:00+0100",
                                         "2026-12-31T00:00:00Z "};
    int64_t seconds;
    uint32_t nanoseconds;
    for (size_t i = 0; i < ARRAY_COUNT(times); i++) {
        assert_true(date_parse_time(text_of(times[i].time), &seconds, &nanoseconds));
        assert_true(seconds == times[i].seconds && nanoseconds == times[i].nanoseconds);
    }
    for (size_t i = 0; i < ARRAY_COUNT(others); i++) {
        if (date_parse_time(text_of(others[i]), &seconds, &nanoseconds))
            fail_msg("\"%s\" was taken", others[i]);
    }
}

static void what_images_consist_of_is_remembered_or_forgotten_as_a_whole(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    char dir[] = "/tmp/imgfactory-memory-XXXXXX";
    assert_non_null(mkdtemp(dir));
    struct digest below[] = {some_digest('1'), some_digest('2')};
    struct expiry_memory_image images[] = {{some_digest('a'), false, {below, 2, 2}}, {some_digest('b'), true, {0}}};
    struct expiry_memory memory = {images, 2, 2}, read;
    const char *inner = arena_printf(&arena, "%s/pruned", dir);
    expiry_memory_read(&arena, inner, "h.x/r", &read);
    assert_int_equal(read.count, 0);
    expiry_memory_write(inner, "h.x/r", &memory, NULL);
    expiry_memory_read(&arena, inner, "h.x/r", &read);
    assert_int_equal(read.count, 2);
    assert_true(!read.items[0].is_doomed && read.items[1].is_doomed && read.items[0].manifests.count == 2);
    assert_true(digest_eq(&read.items[0].manifests.items[1], &below[1]) &&
                digest_eq(&read.items[1].digest, &images[1].digest));
    expiry_memory_read(&arena, inner, "h.x/other", &read);
    assert_int_equal(read.count, 0);
    struct digest named = digest_of("h.x/r", 5);
    const char *path = arena_printf(&arena, "%s/%s", inner, digest_hex(&named).chars);
    FILE *file = fopen(path, "a");
    assert_non_null(file);
    (void)fputs("nonsense\n", file);
    (void)fclose(file);
    expiry_memory_read(&arena, inner, "h.x/r", &read);
    assert_int_equal(read.count, 0);
    assert_true(remove(path) == 0 && rmdir(inner) == 0 && rmdir(dir) == 0);
}

static void each_image_has_a_tag_of_its_own_whatever_its_name(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    static const char plan[] = "20261129T021311Z-0123456789ab",
                      other_end[] = "a-name-that-is-longer-than-the-forty-eight-characters-that-a-tag-has-room-for";
    char long_name[] = "a-name-that-is-longer-than-the-forty-eight-characters-that-a-tag-has-room-fox";
    assert_string_equal(plan_tag(&arena, plan, "dhcpd", "amd64"),
                        "imgfactory-20261129T021311Z-0123456789ab-dhcpd-amd64");
    static const char *const odd[] = {"a b", "a/b", "a:b", "a+b"};
    for (size_t i = 0; i < ARRAY_COUNT(odd); i++) {
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(plan_tag(&arena, plan, odd[i], "amd64"), plan_tag(&arena, plan, odd[j], "amd64"));
    }
    assert_string_not_equal(plan_tag(&arena, plan, long_name, "amd64"), plan_tag(&arena, plan, other_end, "amd64"));
    CHECK_RANGE(strlen(plan_tag(&arena, plan, long_name, "amd64")), 1, 128);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_stamp_tells_its_time_and_the_digest_that_it_is_at),
                                       cmocka_unit_test(what_only_looks_like_a_stamp_is_none),
                                       cmocka_unit_test(a_tag_of_a_digest_alone_is_a_tag_however_long),
                                       cmocka_unit_test(days_have_one_form),
                                       cmocka_unit_test(times_of_rfc_3339_have_fractions_and_zones),
                                       cmocka_unit_test(what_images_consist_of_is_remembered_or_forgotten_as_a_whole),
                                       cmocka_unit_test(each_image_has_a_tag_of_its_own_whatever_its_name)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
