/* Unit tests of io/xz_file, io/lzma2 and io/crc64 against files of the xz program. */
#include "check.h"

#include "base/auto.h"
#include "base/digest.h"
#include "io/crc64.h"
#include "io/lzma2.h"
#include "io/xz_file.h"

#include <libdeflate.h>
#include <unistd.h>

#define PLAIN_BYTES ((size_t)1 << 20)

/* Words, runs, noise, repetitions near and far: what makes an encoder use all that it has. */
static void make_plain(struct buf *ret)
{
    static const char *const words[] = {"lib",
                                        "usr",
                                        "share",
                                        ".so.",
                                        "\x7f"
                                        "ELF",
                                        "0123456789abcdef",
                                        "a",
                                        "\0\0\0\0"};
    uint64_t noise = 1;
    buf_init(ret, PLAIN_BYTES + 4096);
    while (ret->len < PLAIN_BYTES) {
        noise = noise * UINT64_C(6364136223846793005) + 1442695040888963407u;
        unsigned pick = (unsigned)(noise >> 60);
        size_t far = ret->len ? (noise >> 20) % ret->len : 0, len = (noise >> 44) % 700;
        if (pick < 8)
            assert_true(buf_add(ret, words[pick], pick < 7 ? strlen(words[pick]) : 4));
        else if (pick < 10)
            assert_true(buf_add(ret, &noise, sizeof noise));
        else if (pick < 11)
            for (size_t i = 0; i < len; i++)
                assert_true(buf_add(ret, "\xcc", 1));
        else if (far + len < ret->len)
            assert_true(buf_reserve(ret, len) && buf_add(ret, ret->bytes + far, len));
    }
}

/* What a command makes of the bytes, which it finds in "$F". */
static void pack(struct text plain, const char *command, struct buf *ret)
{
    char name[] = "/tmp/imgfactory-xz-XXXXXX", bytes[65536];
    int fd = mkstemp(name);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, plain.ptr, plain.len), plain.len);
    AUTO(arena_done) struct arena arena = {0};
    FILE *pipe = popen(arena_printf(&arena, "F=%s; %s", name, command), "r");
    assert_non_null(pipe);
    buf_init(ret, (size_t)64 << 20);
    for (size_t got; (got = fread(bytes, 1, sizeof bytes, pipe)) > 0;)
        assert_true(buf_add(ret, bytes, got));
    assert_int_equal(pclose(pipe), 0);
    assert_int_equal(close(fd), 0);
    assert_int_equal(unlink(name), 0);
}

/* Unpacks a file of a block or several into `ret`: NULL, or why not. The bytes have an end that a sanitizer watches. */
static const char *unpack(struct text packed, const struct xz_needs *needs, struct buf *ret)
{
    char *copy = malloc(packed.len ? packed.len : 1);
    memcpy(copy, packed.ptr, packed.len);
    struct xz_file *file = xz_file_open((struct text){copy, packed.len}, needs);
    struct text piece;
    const char *why;
    buf_init(ret, (size_t)64 << 20);
    while (!(why = xz_file_next(file, &piece)) && piece.len)
        assert_true(buf_add(ret, piece.ptr, piece.len));
    xz_file_close(file);
    free(copy);
    return why;
}

static struct xz_needs needs_of(struct text packed)
{
    struct xz_needs needs;
    struct err err = {0};
    if (!xz_check_dictionaries(packed, "x", &needs, &err))
        fail_msg("%s", err.text);
    return needs;
}

static void check_same(struct text plain, const char *command)
{
    AUTO(buf_done) struct buf packed, got;
    pack(plain, command, &packed);
    struct text file = {packed.bytes, packed.len};
    struct xz_needs needs = needs_of(file);
    assert_true(needs.is_lzma2_only);
    const char *why = unpack(file, &needs, &got);
    if (why || got.len != plain.len || (plain.len && memcmp(got.bytes, plain.ptr, plain.len) != 0))
        fail_msg("%s: %s, %zu bytes", command, why ? why : "other bytes", got.len);
}

static void gives_what_the_xz_program_packed_whatever_its_options(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf plain;
    make_plain(&plain);
    static const char *const commands[] = {
        "xz -0 -c $F",
        "xz -c $F",
        "xz -9e -c $F",
        "xz --check=none -c $F",
        "xz --check=crc32 -c $F",
        "xz --check=crc64 -c $F",
        "xz --check=sha256 -c $F",
        "xz --lzma2=lc=0,lp=4,pb=4 -c $F",
        "xz --lzma2=lc=4,lp=0,pb=0 -c $F",
        "xz --lzma2=lc=1,lp=2,pb=1 -c $F",
        "xz --lzma2=dict=4KiB -c $F",
        "xz --lzma2=dict=300KiB,nice=273 -c $F",
        "xz --lzma2=dict=1MiB,mode=fast -c $F",
        "xz -T2 --block-size=400000 -c $F",
        "xz -T1 --block-size=400000 -c $F",
        "(head -c 100001 $F | xz -c; printf '\\0\\0\\0\\0'; tail -c +100002 $F | xz -c --check=none; printf "
        "'\\0\\0\\0\\0')",
    };
    for (size_t i = 0; i < ARRAY_COUNT(commands); i++)
        check_same((struct text){plain.bytes, plain.len}, commands[i]);
}

static void make_noise(size_t len, struct buf *ret)
{
    uint64_t value = 7;
    buf_init(ret, (size_t)1 << 20);
    while (ret->len < len) {
        value = value * UINT64_C(6364136223846793005) + 1442695040888963407u;
        assert_true(buf_add(ret, (char *)&value + 4, 4));
    }
}

static void gives_small_and_incompressible_files(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf noise;
    make_noise(300000, &noise);
    static const size_t lengths[] = {0, 1, 2, 3, 4, 15, 64, 65, 4096, 65535, 65536, 65537, 262144, 262145, 300000};
    for (size_t i = 0; i < ARRAY_COUNT(lengths); i++)
        check_same((struct text){noise.bytes, lengths[i]}, "xz --lzma2=dict=64KiB -c $F");
}

/* A small file with all that a file can have. */
static void make_small(struct buf *ret)
{
    static const char text[] = "a small text, a small text; something else, and then a small text again 0123456789";
    pack(TEXT(text), "xz -T1 --block-size=50 -c $F", ret);
}

static void any_changed_bit_is_found(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf packed;
    make_small(&packed);
    struct text file = {packed.bytes, packed.len};
    struct xz_needs needs = needs_of(file);
    for (size_t bit = 0; bit < packed.len * 8; bit++) {
        AUTO(buf_done) struct buf got;
        packed.bytes[bit / 8] ^= (char)(1u << bit % 8);
        if (!unpack(file, &needs, &got))
            fail_msg("bit %zu of byte %zu", bit % 8, bit / 8);
        packed.bytes[bit / 8] ^= (char)(1u << bit % 8);
    }
}

static void a_file_that_is_cut_or_goes_on_is_refused(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf packed;
    make_small(&packed);
    struct xz_needs needs = needs_of((struct text){packed.bytes, packed.len});
    for (size_t len = 0; len < packed.len; len++) {
        AUTO(buf_done) struct buf got;
        assert_non_null(unpack((struct text){packed.bytes, len}, &needs, &got));
    }
    AUTO(buf_done) struct buf got;
    assert_true(buf_add(&packed, "more than a header of xz has", 28));
    assert_string_equal(unpack((struct text){packed.bytes, packed.len}, &needs, &got),
                        "there are bytes behind the end of the xz data");
}

static void a_block_that_is_longer_than_its_index_says_is_refused(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf plain, packed, got;
    make_plain(&plain);
    pack((struct text){plain.bytes, 500000}, "xz -c $F", &packed);
    struct text file = {packed.bytes, packed.len};
    struct xz_needs needs = needs_of(file);
    assert_int_equal(needs.plain_bytes, 500000);
    static const uint64_t lies[] = {0, 1, 100, 262144, 499999};
    for (size_t i = 0; i < ARRAY_COUNT(lies); i++) {
        needs.plain_bytes = lies[i];
        assert_non_null(unpack(file, &needs, &got));
        buf_done(&got);
    }
    needs.plain_bytes = 500001; /* which only makes the window larger */
    assert_null(unpack(file, &needs, &got));
}

/* All that comes out of chunks; NULL, or why not. */
static const char *decode(struct text chunks, uint64_t dictionary_bytes, struct buf *ret)
{
    struct lzma2 *lzma2 = lzma2_open(dictionary_bytes, UINT64_MAX);
    struct text piece;
    const char *why;
    buf_init(ret, (size_t)64 << 20);
    lzma2_begin(lzma2, chunks);
    while (!(why = lzma2_next(lzma2, &piece)) && piece.len && ret->len < (size_t)32 << 20)
        assert_true(buf_add(ret, piece.ptr, piece.len));
    lzma2_close(lzma2);
    return why;
}

static void a_dictionary_may_begin_anew_within_a_block(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf plain, first, second, got;
    make_plain(&plain);
    pack((struct text){plain.bytes, 300001}, "xz --format=raw --lzma2=dict=64KiB -c $F", &first);
    pack((struct text){plain.bytes + 300001, 200000}, "xz --format=raw --lzma2=dict=64KiB,lc=0 -c $F", &second);
    first.len--; /* the end */
    assert_true(buf_add(&first, second.bytes, second.len));
    assert_null(decode((struct text){first.bytes, first.len}, 64 << 10, &got));
    assert_int_equal(got.len, 500001);
    assert_memory_equal(got.bytes, plain.bytes, got.len);
}

static void a_distance_before_the_first_byte_or_beyond_the_dictionary_is_refused(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf plain, chunks, got;
    make_plain(&plain);
    pack((struct text){plain.bytes, plain.len}, "xz --format=raw --lzma2=dict=1MiB -c $F", &chunks);
    assert_non_null(decode((struct text){chunks.bytes, chunks.len}, 64 << 10, &got));
    buf_done(&got);
    /* A match to 70000 bytes that were stored, of which a single one is left. */
    static const char fresh[] = {1, 0, 0, 'x'};
    AUTO(buf_done) struct buf noise, stored, less;
    make_noise(70000, &noise);
    assert_true(buf_reserve(&noise, 70000) && buf_add(&noise, noise.bytes, 70000));
    pack((struct text){noise.bytes, noise.len}, "xz --format=raw --lzma2=dict=1MiB,lc=0 -c $F", &stored);
    assert_null(decode((struct text){stored.bytes, stored.len}, 1 << 20, &got));
    buf_done(&got);
    size_t at = 0;
    while (stored.bytes[at] == 1 || stored.bytes[at] == 2)
        at += 3 + (((size_t)(unsigned char)stored.bytes[at + 1] << 8) | (unsigned char)stored.bytes[at + 2]) + 1;
    assert_true(at > 60000 && at < stored.len);
    buf_init(&less, (size_t)1 << 20);
    assert_true(buf_add(&less, fresh, sizeof fresh) && buf_add(&less, stored.bytes + at, stored.len - at));
    assert_non_null(decode((struct text){less.bytes, less.len}, 1 << 20, &got));
    assert_true(got.len < 70000);
}

static void noise_is_decoded_within_its_bounds(void **state)
{
    (void)state;
    AUTO(buf_done) struct buf plain, chunks;
    make_plain(&plain);
    pack((struct text){plain.bytes, 30000}, "xz --format=raw --lzma2=dict=4KiB -c $F", &chunks);
    uint64_t noise = 3;
    for (unsigned round = 0; round < 2000; round++) {
        AUTO(buf_done) struct buf got;
        char *copy = malloc(chunks.len);
        memcpy(copy, chunks.bytes, chunks.len);
        for (unsigned i = 0; i < 1 + round % 8; i++) {
            noise = noise * UINT64_C(6364136223846793005) + 1442695040888963407u;
            copy[6 + (noise >> 40) % (round % 2 ? 200 : chunks.len - 6)] ^= (char)(noise >> 32 | 1);
        }
        (void)decode((struct text){copy, chunks.len - round % 3}, round % 5 ? 4096 : 100000, &got);
        free(copy);
    }
}

static void its_crc_is_that_of_the_specification(void **state)
{
    (void)state;
    struct crc64 crc64;
    crc64_init(&crc64);
    assert_true(crc64_add(&crc64, 0, TEXT("123456789")) == UINT64_C(0x995DC9BBDF1939FA));
    uint64_t parts = crc64_add(&crc64, crc64_add(&crc64, 0, TEXT("1234567890ab")), TEXT("cdefghijklmnop"));
    assert_true(parts == crc64_add(&crc64, 0, TEXT("1234567890abcdefghijklmnop")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_what_the_xz_program_packed_whatever_its_options),
        cmocka_unit_test(gives_small_and_incompressible_files),
        cmocka_unit_test(any_changed_bit_is_found),
        cmocka_unit_test(a_file_that_is_cut_or_goes_on_is_refused),
        cmocka_unit_test(a_block_that_is_longer_than_its_index_says_is_refused),
        cmocka_unit_test(a_dictionary_may_begin_anew_within_a_block),
        cmocka_unit_test(a_distance_before_the_first_byte_or_beyond_the_dictionary_is_refused),
        cmocka_unit_test(noise_is_decoded_within_its_bounds),
        cmocka_unit_test(its_crc_is_that_of_the_specification),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
