/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "base/auto.h"
#include "io/decompress.h"

#include <archive.h>
#include <archive_entry.h>
#include <libdeflate.h>

static const enum compression kinds[] = {COMPRESSION_GZIP, COMPRESSION_XZ, COMPRESSION_ZSTD, COMPRESSION_BZIP2};

/* Compresses with libarchive's writer; gzip by libdeflate, since libarchive writes one member only anyway. */
static struct buf pack(enum compression compression, const void *bytes, size_t len)
{
    struct buf out;
    size_t bound = len + len / 2 + 65536, used = 0;
    buf_init(&out, bound);
    assert_true(buf_reserve(&out, bound));
    if (compression == COMPRESSION_GZIP) {
        struct libdeflate_compressor *deflater = libdeflate_alloc_compressor(6);
        used = libdeflate_gzip_compress(deflater, bytes, len, out.bytes, bound);
        libdeflate_free_compressor(deflater);
    } else {
        struct archive *writer = archive_write_new();
        if (compression == COMPRESSION_XZ)
            archive_write_add_filter_xz(writer);
        else if (compression == COMPRESSION_ZSTD)
            archive_write_add_filter_zstd(writer);
        else
            archive_write_add_filter_bzip2(writer);
        archive_write_set_format_raw(writer);
        archive_write_set_bytes_in_last_block(writer, 1);
        assert_int_equal(archive_write_open_memory(writer, out.bytes, bound, &used), ARCHIVE_OK);
        struct archive_entry *entry = archive_entry_new();
        archive_entry_set_filetype(entry, AE_IFREG);
        assert_int_equal(archive_write_header(writer, entry), ARCHIVE_OK);
        assert_int_equal(archive_write_data(writer, bytes, len), len);
        archive_entry_free(entry);
        assert_int_equal(archive_write_close(writer), ARCHIVE_OK);
        archive_write_free(writer);
    }
    assert_true(used > 0);
    out.len = used;
    return out;
}

static struct text text_in(const struct buf *buf)
{
    return (struct text){buf->bytes, buf->len};
}

/* Bytes that compress, but not to nothing. */
static struct buf sample(size_t len)
{
    struct buf buf;
    uint32_t random = 1;
    buf_init(&buf, len);
    assert_true(buf_reserve(&buf, len));
    for (size_t i = 0; i < len; i++) {
        random = random * 1664525u + 1013904223u;
        buf.bytes[i] = (char)("abcdefghijklmnop"[random >> 28]);
    }
    buf.len = len;
    return buf;
}

static void names_tell_the_compression_and_back(void **state)
{
    (void)state;
    assert_int_equal(compression_of_name("Packages.gz"), COMPRESSION_GZIP);
    assert_int_equal(compression_of_name("Packages.xz"), COMPRESSION_XZ);
    assert_int_equal(compression_of_name("data.tar.zst"), COMPRESSION_ZSTD);
    assert_int_equal(compression_of_name("data.tar.bz2"), COMPRESSION_BZIP2);
    assert_int_equal(compression_of_name("Packages"), COMPRESSION_NONE);
    assert_int_equal(compression_of_name("gz"), COMPRESSION_NONE);
    assert_string_equal(compression_ending(COMPRESSION_ZSTD), ".zst");
    assert_string_equal(compression_ending(COMPRESSION_NONE), "");
}

static void every_kind_gives_back_what_was_packed_with_and_without_a_known_size(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf plain = sample(300000);
    for (size_t i = 0; i < ARRAY_COUNT(kinds); i++) {
        struct err err = {0};
        AUTO(buf_done) struct buf packed = pack(kinds[i], plain.bytes, plain.len);
        AUTO(buf_done) struct buf known = {0};
        AUTO(buf_done) struct buf capped = {0};
        CHECK_OK(decompress(kinds[i], text_in(&packed), true, plain.len, "sample", &known, &err), &err);
        assert_int_equal(known.len, plain.len);
        assert_memory_equal(known.bytes, plain.bytes, plain.len);
        assert_int_equal(known.capacity, plain.len + 1);
        CHECK_OK(decompress(kinds[i], text_in(&packed), false, 1 << 24, "sample", &capped, &err), &err);
        assert_int_equal(capped.len, plain.len);
        assert_memory_equal(capped.bytes, plain.bytes, plain.len);
        assert_int_equal(capped.bytes[capped.len], 0);
    }
}

static void a_size_that_is_not_the_expected_one_is_refused(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf plain = sample(100000);
    static const int differences[] = {-1, 1, -99999, 5000};
    for (size_t i = 0; i < ARRAY_COUNT(kinds); i++) {
        AUTO(buf_done) struct buf packed = pack(kinds[i], plain.bytes, plain.len);
        for (size_t j = 0; j < ARRAY_COUNT(differences); j++) {
            struct err err = {0};
            struct buf out = {0};
            size_t wrong = (size_t)((long)plain.len + differences[j]);
            assert_false(decompress(kinds[i], text_in(&packed), true, wrong, "the-file", &out, &err));
            CHECK_ERR(&err, ERR_MALFORMED, "the-file");
            CHECK_ERR(&err, ERR_MALFORMED, "expected");
            assert_null(out.bytes);
        }
    }
}

static void a_bomb_stops_at_the_cap(void **state)
{
    (void)state;
    struct buf plain;
    buf_init(&plain, 8 << 20);
    assert_true(buf_reserve(&plain, 8 << 20));
    memset(plain.bytes, 0, 8 << 20);
    for (size_t i = 0; i < ARRAY_COUNT(kinds); i++) {
        struct err err = {0};
        AUTO(buf_done) struct buf packed = pack(kinds[i], plain.bytes, 8 << 20);
        AUTO(buf_done) struct buf out = {0};
        assert_false(decompress(kinds[i], text_in(&packed), false, 1 << 20, "bomb", &out, &err));
        CHECK_ERR(&err, ERR_MALFORMED, "bomb: unpacks to more than the 1048576 bytes");
    }
    buf_done(&plain);
}

static void a_stream_cut_anywhere_is_refused(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf plain = sample(5000);
    for (size_t i = 0; i < ARRAY_COUNT(kinds); i++) {
        AUTO(buf_done) struct buf packed = pack(kinds[i], plain.bytes, plain.len);
        for (size_t cut = 0; cut < packed.len; cut += cut < 40 || cut + 40 > packed.len ? 1 : 97) {
            for (int is_known = 0; is_known < 2; is_known++) {
                struct err err = {0};
                AUTO(buf_done) struct buf out = {0};
                struct text part = {packed.bytes, cut};
                if (decompress(kinds[i], part, is_known, is_known ? plain.len : 1 << 20, "cut", &out, &err))
                    fail_msg("kind %zu cut at %zu of %zu was accepted", i, cut, packed.len);
                assert_int_equal(err.kind, ERR_MALFORMED);
            }
        }
    }
}

static void bytes_behind_the_end_are_refused(void **state)
{
    (void)state;
    static const char *const tails[] = {"x", "garbage that is no header", "\x1f\x8b", "BZh9", "BZh"};
    AUTO(buf_done) struct buf plain = sample(5000);
    for (size_t i = 0; i < ARRAY_COUNT(kinds); i++) {
        for (size_t j = 0; j < ARRAY_COUNT(tails); j++) {
            struct err err = {0};
            AUTO(buf_done) struct buf packed = pack(kinds[i], plain.bytes, plain.len);
            AUTO(buf_done) struct buf out = {0};
            packed.cap_bytes = SIZE_MAX / 2;
            assert_true(buf_add(&packed, tails[j], strlen(tails[j])));
            if (decompress(kinds[i], text_in(&packed), true, plain.len, "tail", &out, &err))
                fail_msg("kind %zu with tail %zu was accepted", i, j);
            assert_int_equal(err.kind, ERR_MALFORMED);
        }
    }
}

static void altered_bytes_are_refused(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf plain = sample(5000);
    for (size_t i = 0; i < ARRAY_COUNT(kinds); i++) {
        struct err err = {0};
        AUTO(buf_done) struct buf packed = pack(kinds[i], plain.bytes, plain.len);
        AUTO(buf_done) struct buf out = {0};
        if (kinds[i] == COMPRESSION_ZSTD)
            continue; /* libarchive writes no checksum; the digest of the file covers it */
        packed.bytes[packed.len / 2] ^= 0x10;
        assert_false(decompress(kinds[i], text_in(&packed), false, 1 << 20, "altered", &out, &err));
        CHECK_ERR(&err, ERR_MALFORMED, "altered");
    }
}

static void several_members_give_their_bytes_in_a_row(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(kinds); i++) {
        struct err err = {0};
        AUTO(buf_done) struct buf first = pack(kinds[i], "hello ", 6);
        AUTO(buf_done) struct buf second = pack(kinds[i], "world", 5);
        AUTO(buf_done) struct buf out = {0};
        first.cap_bytes = SIZE_MAX / 2;
        assert_true(buf_add(&first, second.bytes, second.len));
        CHECK_OK(decompress(kinds[i], text_in(&first), true, 11, "members", &out, &err), &err);
        assert_string_equal(out.bytes, "hello world");
    }
}

static void nothing_packed_is_nothing_unpacked(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(kinds); i++) {
        struct err err = {0};
        AUTO(buf_done) struct buf packed = pack(kinds[i], "", 0);
        AUTO(buf_done) struct buf out = {0};
        if (!decompress(kinds[i], text_in(&packed), true, 0, "nothing", &out, &err))
            fail_msg("kind %zu: %s", i, err.text);
        assert_string_equal(out.bytes, "");
    }
}

static void nested_compression_is_refused(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf plain = sample(5000);
    for (size_t i = 1; i < ARRAY_COUNT(kinds); i++) {
        struct err err = {0};
        AUTO(buf_done) struct buf once = pack(kinds[i], plain.bytes, plain.len);
        AUTO(buf_done) struct buf twice = pack(kinds[i], once.bytes, once.len);
        AUTO(buf_done) struct buf out = {0};
        assert_false(decompress(kinds[i], text_in(&twice), false, 1 << 20, "nested", &out, &err));
        CHECK_ERR(&err, ERR_MALFORMED, "more than once");
    }
}

static void plain_bytes_under_a_compressed_name_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(kinds); i++) {
        struct err err = {0};
        AUTO(buf_done) struct buf out = {0};
        assert_false(decompress(kinds[i], TEXT("<!DOCTYPE html><html></html>"), false, 100, "page", &out, &err));
        CHECK_ERR(&err, ERR_MALFORMED, "page");
    }
}

static void uncompressed_bytes_are_copied_and_their_size_checked(void **state)
{
    (void)state;
    struct err err = {0};
    AUTO(buf_done) struct buf out = {0};
    CHECK_OK(decompress(COMPRESSION_NONE, TEXT("abc"), true, 3, "plain", &out, &err), &err);
    assert_string_equal(out.bytes, "abc");
    buf_done(&out);
    assert_false(decompress(COMPRESSION_NONE, TEXT("abc"), true, 4, "plain", &out, &err));
    CHECK_ERR(&err, ERR_MALFORMED, "3 bytes, expected 4");
    err_clear(&err);
    assert_false(decompress(COMPRESSION_NONE, TEXT("abc"), false, 2, "plain", &out, &err));
    CHECK_ERR(&err, ERR_MALFORMED, "more than the 2 bytes");
}

static void an_impossible_size_is_refused_before_any_allocation(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf plain = sample(100);
    for (size_t i = 0; i < ARRAY_COUNT(kinds); i++) {
        struct err err = {0};
        AUTO(buf_done) struct buf packed = pack(kinds[i], plain.bytes, plain.len);
        AUTO(buf_done) struct buf out = {0};
        assert_false(decompress(kinds[i], text_in(&packed), true, SIZE_MAX - 1, "huge", &out, &err));
        CHECK_ERR(&err, ERR_MALFORMED, "huge");
    }
}

static bool collect(void *taker, struct text piece, struct err *err)
{
    (void)err;
    return buf_add(taker, piece.ptr, piece.len);
}

static void pieces_give_the_same_bytes_and_stop_at_the_cap(void **state)
{
    (void)state;
    struct buf plain = sample(700000);
    for (size_t i = 0; i < ARRAY_COUNT(kinds); i++) {
        struct buf packed = pack(kinds[i], plain.bytes, plain.len), out;
        struct err err = {0};
        buf_init(&out, plain.len);
        CHECK_OK(decompress_pieces(kinds[i], text_in(&packed), plain.len, "x", collect, &out, &err), &err);
        assert_true(text_eq(text_in(&plain), text_in(&out)));
        out.len = 0;
        assert_false(decompress_pieces(kinds[i], text_in(&packed), plain.len - 1, "x", collect, &out, &err));
        CHECK_ERR(&err, ERR_MALFORMED, "more than the 699999 bytes");
        err_clear(&err);
        out.len = 0;
        struct text cut = {packed.bytes, packed.len - 5};
        assert_false(decompress_pieces(kinds[i], cut, plain.len, "x", collect, &out, &err));
        assert_int_equal(err.kind, ERR_MALFORMED);
        buf_done(&packed);
        buf_done(&out);
    }
    buf_done(&plain);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_tell_the_compression_and_back),
        cmocka_unit_test(every_kind_gives_back_what_was_packed_with_and_without_a_known_size),
        cmocka_unit_test(a_size_that_is_not_the_expected_one_is_refused),
        cmocka_unit_test(a_bomb_stops_at_the_cap),
        cmocka_unit_test(pieces_give_the_same_bytes_and_stop_at_the_cap),
        cmocka_unit_test(a_stream_cut_anywhere_is_refused),
        cmocka_unit_test(bytes_behind_the_end_are_refused),
        cmocka_unit_test(altered_bytes_are_refused),
        cmocka_unit_test(several_members_give_their_bytes_in_a_row),
        cmocka_unit_test(nothing_packed_is_nothing_unpacked),
        cmocka_unit_test(nested_compression_is_refused),
        cmocka_unit_test(plain_bytes_under_a_compressed_name_are_refused),
        cmocka_unit_test(uncompressed_bytes_are_copied_and_their_size_checked),
        cmocka_unit_test(an_impossible_size_is_refused_before_any_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
