/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of DEFLATE streams that do not depend on libdeflate's version: what is stored, and that it is all there. */
#include "check.h"

#include "base/auto.h"
#include "layer/deflate_settle.h"
#include "noise.h"

#include <libdeflate.h>

struct fixture {
    struct store *store;
    const char *dir;
    struct arena arena;
};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    struct err err = {0};
    fixture->dir = check_temporary_dir();
    CHECK_OK(store_open(fixture->dir, NULL, &fixture->store, &err), &err);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    store_close(fixture->store);
    assert_int_equal(system(arena_printf(&fixture->arena, "rm -rf '%s'", fixture->dir)), 0);
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

static bool settle(struct fixture *fixture, struct text packed, struct text plain, struct view *ret_view,
                   struct err *err)
{
    AUTO(blob_abandon) struct blob blob = {0};
    struct digest digest;
    bool is_found = false;
    if (!blob_begin(fixture->store, &blob, err) || !deflate_settle(&blob, packed, plain, err) ||
        !blob_commit(&blob, NULL, &digest, err) ||
        (ret_view && !store_map_blob(fixture->store, &digest, ret_view, &is_found, err)))
        return false;
    assert_true(!ret_view || is_found);
    return true;
}

static void check_plain(struct fixture *fixture, const struct view *view, struct text plain)
{
    struct libdeflate_decompressor *decompressor = libdeflate_alloc_decompressor();
    char *again = arena_alloc(&fixture->arena, plain.len + 1);
    size_t len = 0;
    assert_int_equal(libdeflate_deflate_decompress(decompressor, view->ptr, view->len, again, plain.len + 1, &len),
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
        AUTO(view_done) struct view view = {0};
        struct err err = {0};
        char *bytes = arena_alloc(&fixture->arena, 500000);
        for (size_t i = 0; i < 500000; i++)
            bytes[i] = (char)('a' + i * i / 77 % 23);
        struct text plain = {bytes, 500000}, packed = pack(fixture, plain, level);
        CHECK_OK(settle(fixture, packed, plain, &view, &err), &err);
        assert_int_equal(view.len, packed.len);
        assert_memory_equal(view.ptr, packed.ptr, packed.len);
    }
}

static void blocks_without_a_match_get_a_header_of_one_shape(void **state)
{
    static const size_t lens[] = {20000, 200000, 900000};
    struct fixture *fixture = *state;
    for (size_t i = 0; i < ARRAY_COUNT(lens); i++) {
        AUTO(view_done) struct view view = {0}, again = {0};
        struct err err = {0};
        char *bytes = arena_alloc(&fixture->arena, lens[i]);
        noise_unmatched(&fixture->arena, bytes, lens[i]);
        struct text plain = {bytes, lens[i]}, packed = pack(fixture, plain, 5);
        CHECK_OK(settle(fixture, packed, plain, &view, &err), &err);
        check_plain(fixture, &view, plain);
        if (view.len <= packed.len || view.len > packed.len + 1000)
            fail_msg("%zu bytes, then %zu", packed.len, view.len);
        char *padded = arena_alloc(&fixture->arena, view.len + 8);
        memcpy(padded, view.ptr, view.len);
        CHECK_OK(settle(fixture, (struct text){padded, view.len}, plain, &again, &err), &err);
        assert_int_equal(again.len, view.len); /* what is settled stays */
        assert_memory_equal(again.ptr, view.ptr, view.len);
    }
}

static void what_hardly_shrinks_is_stored(void **state)
{
    struct fixture *fixture = *state;
    size_t len = 60000, shrunk = 0;
    for (size_t matches = 0; matches < 60; matches++) {
        AUTO(view_done) struct view view = {0};
        struct err err = {0};
        char *bytes = arena_alloc(&fixture->arena, len);
        fill(bytes, len, 0xFF);
        for (size_t i = 1; i <= matches; i++)
            memcpy(bytes + i * 700, bytes, 5);
        struct text plain = {bytes, len}, packed = pack(fixture, plain, 5);
        CHECK_OK(settle(fixture, packed, plain, &view, &err), &err);
        check_plain(fixture, &view, plain);
        bool is_stored = memmem(view.ptr, view.len, bytes + 50000, 1000) != NULL;
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
            AUTO(view_done) struct view view = {0};
            struct err err = {0};
            size_t len = lens[i % ARRAY_COUNT(lens)];
            char *bytes = arena_alloc(&fixture->arena, len);
            fill(bytes, len, kept[i / ARRAY_COUNT(lens)]);
            struct text plain = {bytes, len};
            CHECK_OK(settle(fixture, pack(fixture, plain, level), plain, &view, &err), &err);
            check_plain(fixture, &view, plain);
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
    struct err err = {0};
    assert_false(settle(fixture, shorter, plain, NULL, &err));
    CHECK_ERR(&err, ERR_INTERNAL, "not of its input");
    err_clear(&err);
    assert_false(settle(fixture, packed, less, NULL, &err));
    for (size_t i = 0; i < 3000; i++) { /* damaged anywhere: refused, or of the right length; never out of bounds */
        char *copy = arena_alloc(&fixture->arena, packed.len);
        memcpy(copy, packed.ptr, packed.len);
        copy[i * 7919 % packed.len] ^= (char)(1 << i % 8);
        err_clear(&err);
        (void)!settle(fixture, (struct text){copy, packed.len}, plain, NULL, &err);
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
