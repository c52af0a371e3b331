/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of DEFLATE streams that do not depend on libdeflate's version: what is stored, and that it is all there. */
#include "check.h"

#include "base/auto.h"
#include "layer/deflate_settle.h"
#include "noise.h"

#include <libdeflate.h>

struct fixture {
    struct arena arena;
};

static int set_up(void **state)
{
    *state = calloc(1, sizeof(struct fixture));
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    arena_done(&fixture->arena);
    free(fixture);
    return 0;
}

/* A stream of libdeflate's, with the eight bytes behind it. */
static struct text pack(struct fixture *fixture, struct text plain, int level)
{
    struct libdeflate_compressor *compressor = libdeflate_alloc_compressor(level);
    size_t capacity = libdeflate_deflate_compress_bound(compressor, plain.len);
    char *out = arena_alloc(&fixture->arena, capacity + 8);
    size_t len = libdeflate_deflate_compress(compressor, plain.ptr, plain.len, out, capacity);
    libdeflate_free_compressor(compressor);
    assert_int_not_equal(len, 0);
    return (struct text){out, len};
}

/* The stream to take: the settled one, or the given one where that is settled. */
static bool settle(struct fixture *fixture, struct text packed, struct text plain, struct text *ret_stream,
                   struct err *err)
{
    AUTO(buf_done) struct buf settled;
    buf_init(&settled, SIZE_MAX);
    if (!deflate_settle(packed, plain, &settled, err))
        return false;
    *ret_stream = packed;
    if (settled.len)
        *ret_stream = (struct text){arena_strndup(&fixture->arena, settled.bytes, settled.len), settled.len};
    return true;
}

static void check_plain(struct fixture *fixture, struct text stream, struct text plain)
{
    struct libdeflate_decompressor *decompressor = libdeflate_alloc_decompressor();
    char *again = arena_alloc(&fixture->arena, plain.len + 1);
    size_t len = 0;
    assert_int_equal(libdeflate_deflate_decompress(decompressor, stream.ptr, stream.len, again, plain.len + 1, &len),
                     LIBDEFLATE_SUCCESS);
    libdeflate_free_decompressor(decompressor);
    assert_int_equal(len, plain.len);
    assert_memory_equal(again, plain.ptr, len);
}

/* Pseudo-random bytes, of which `kept` bits are kept. */
static void fill(char *bytes, size_t len, unsigned kept)
{
    uint64_t state = NOISE_SEED;
    for (size_t i = 0; i < len; i++)
        bytes[i] = (char)(noise_next(&state) & kept);
}

static void what_shrinks_stays_as_it_is(void **state)
{
    struct fixture *fixture = *state;
    for (int level = 1; level <= 9; level++) {
        struct text stream;
        struct err err = {0};
        char *bytes = arena_alloc(&fixture->arena, 500000);
        for (size_t i = 0; i < 500000; i++)
            bytes[i] = (char)('a' + i * i / 77 % 23);
        struct text plain = {bytes, 500000}, packed = pack(fixture, plain, level);
        CHECK_OK(settle(fixture, packed, plain, &stream, &err), &err);
        assert_int_equal(stream.len, packed.len);
        assert_memory_equal(stream.ptr, packed.ptr, packed.len);
    }
}

static void blocks_without_a_match_get_a_header_of_one_shape(void **state)
{
    static const size_t lens[] = {20000, 200000, 900000};
    struct fixture *fixture = *state;
    for (size_t i = 0; i < ARRAY_COUNT(lens); i++) {
        struct text stream, again;
        struct err err = {0};
        char *bytes = arena_alloc(&fixture->arena, lens[i]);
        noise_unmatched(&fixture->arena, bytes, lens[i]);
        struct text plain = {bytes, lens[i]}, packed = pack(fixture, plain, 5);
        CHECK_OK(settle(fixture, packed, plain, &stream, &err), &err);
        check_plain(fixture, stream, plain);
        if (stream.len <= packed.len || stream.len > packed.len + 1000)
            fail_msg("%zu bytes, then %zu", packed.len, stream.len);
        char *padded = arena_alloc(&fixture->arena, stream.len + 8);
        memcpy(padded, stream.ptr, stream.len);
        CHECK_OK(settle(fixture, (struct text){padded, stream.len}, plain, &again, &err), &err);
        assert_int_equal(again.len, stream.len); /* what is settled stays */
        assert_memory_equal(again.ptr, stream.ptr, stream.len);
    }
}

static void what_hardly_shrinks_is_stored(void **state)
{
    struct fixture *fixture = *state;
    size_t len = 60000, shrunk = 0;
    for (size_t matches = 0; matches < 60; matches++) {
        struct text stream = {0};
        struct err err = {0};
        char *bytes = arena_alloc(&fixture->arena, len);
        fill(bytes, len, 0xFF);
        for (size_t i = 1; i <= matches; i++)
            memcpy(bytes + i * 700, bytes, 5);
        struct text plain = {bytes, len}, packed = pack(fixture, plain, 5);
        CHECK_OK(settle(fixture, packed, plain, &stream, &err), &err);
        check_plain(fixture, stream, plain);
        bool is_stored = memmem(stream.ptr, stream.len, bytes + 50000, 1000) != NULL;
        assert_int_equal(is_stored, packed.len + 8 >= len);
        shrunk += packed.len < len;
    }
    assert_int_not_equal(shrunk, 0);
}

static void all_lengths_and_levels_are_read_again(void **state)
{
    static const size_t lens[] = {1, 2, 511, 512, 1024, 5000, 65535, 65536, 131070, 300001};
    static const unsigned kept[] = {0, 1, 0x0F, 0x7F, 0xFF};
    struct fixture *fixture = *state;
    for (size_t i = 0; i < ARRAY_COUNT(lens) * ARRAY_COUNT(kept); i++) {
        for (int level = 1; level <= 9; level += 4) {
            struct text stream;
            struct err err = {0};
            size_t len = lens[i % ARRAY_COUNT(lens)];
            char *bytes = arena_alloc(&fixture->arena, len);
            fill(bytes, len, kept[i / ARRAY_COUNT(lens)]);
            struct text plain = {bytes, len};
            CHECK_OK(settle(fixture, pack(fixture, plain, level), plain, &stream, &err), &err);
            check_plain(fixture, stream, plain);
        }
    }
}

static void what_is_no_stream_of_these_bytes_is_refused(void **state)
{
    struct fixture *fixture = *state;
    char *bytes = arena_alloc(&fixture->arena, 100000);
    fill(bytes, 100000, 0x1F);
    struct text plain = {bytes, 100000}, packed = pack(fixture, plain, 5);
    struct text shorter = {packed.ptr, packed.len - 1}, less = {bytes, 99999};
    struct text stream;
    struct err err = {0};
    assert_false(settle(fixture, shorter, plain, &stream, &err));
    CHECK_ERR(&err, ERR_INTERNAL, "not of its input");
    err_clear(&err);
    assert_false(settle(fixture, packed, less, &stream, &err));
    for (size_t i = 0; i < 3000; i++) { /* damaged anywhere: refused, or of the right length; never out of bounds */
        char *copy = arena_alloc(&fixture->arena, packed.len);
        memcpy(copy, packed.ptr, packed.len);
        copy[i * 7919 % packed.len] ^= (char)(1 << i % 8);
        err_clear(&err);
        (void)!settle(fixture, (struct text){copy, packed.len}, plain, &stream, &err);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_shrinks_stays_as_it_is),
        cmocka_unit_test(blocks_without_a_match_get_a_header_of_one_shape),
        cmocka_unit_test(what_hardly_shrinks_is_stored),
        cmocka_unit_test(all_lengths_and_levels_are_read_again),
        cmocka_unit_test(what_is_no_stream_of_these_bytes_is_refused),
    };
    return cmocka_run_group_tests_name("deflate_settle", tests, set_up, tear_down);
}
