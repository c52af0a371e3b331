/* SPDX-License-Identifier: Apache-2.0 */
/* checksum: SHA-256 and SHA-512 by kind (vectors of FIPS 180-4). */
#include "check.h"

#include "base/checksum.h"

#define ABC_SHA256 "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define ABC_SHA512                                                                                                     \
    "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e" \
    "2a9ac94fa54ca49f"

static void the_published_vectors_come_out(void **state)
{
    (void)state;
    struct checksum short_one = checksum_of(CHECKSUM_SHA256, "abc", 3),
                    long_one = checksum_of(CHECKSUM_SHA512, "abc", 3);
    assert_string_equal(checksum_text(&short_one).chars, "sha256:" ABC_SHA256);
    assert_string_equal(checksum_text(&long_one).chars, "sha512:" ABC_SHA512);
    struct digest digest = checksum_digest(&short_one);
    assert_string_equal(digest_hex(&digest).chars, ABC_SHA256);
}

static void pieces_give_the_same_as_the_whole(void **state)
{
    (void)state;
    struct checksum_stream stream;
    checksum_begin(&stream, CHECKSUM_SHA512);
    checksum_feed(&stream, "a", 1);
    checksum_feed(&stream, "", 0);
    checksum_feed(&stream, "bc", 2);
    struct checksum got = checksum_end(&stream), expected = checksum_of(CHECKSUM_SHA512, "abc", 3);
    assert_true(checksum_eq(&got, &expected));
    checksum_abandon(&stream);
}

static void hex_of_another_length_or_letter_is_refused(void **state)
{
    (void)state;
    struct checksum got, expected = checksum_of(CHECKSUM_SHA512, "abc", 3);
    assert_true(checksum_parse(CHECKSUM_SHA512, TEXT(ABC_SHA512), &got));
    assert_true(checksum_eq(&got, &expected));
    assert_false(checksum_parse(CHECKSUM_SHA512, TEXT(ABC_SHA256), &got));
    assert_false(checksum_parse(CHECKSUM_SHA256, TEXT(ABC_SHA512), &got));
    assert_false(checksum_parse(CHECKSUM_SHA256, TEXT(ABC_SHA256 "0"), &got));
    assert_false(checksum_parse(CHECKSUM_SHA256,
                                TEXT("xa7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"), &got));
}

static void the_two_kinds_are_never_equal(void **state)
{
    (void)state;
    struct checksum a = checksum_of(CHECKSUM_SHA256, "abc", 3), b = a;
    b.kind = CHECKSUM_SHA512;
    assert_false(checksum_eq(&a, &b));
    b = a;
    b.bytes[31] ^= 1;
    assert_false(checksum_eq(&a, &b));
}

static void weak_kinds_are_not_known(void **state)
{
    (void)state;
    enum checksum_kind kind;
    assert_true(checksum_find_kind(TEXT("sha512"), &kind));
    assert_int_equal(kind, CHECKSUM_SHA512);
    static const char *const others[] = {"md5", "sha", "sha1", "sha224", "SHA256", ""};
    for (size_t i = 0; i < ARRAY_COUNT(others); i++)
        assert_false(checksum_find_kind(text_of(others[i]), &kind));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_published_vectors_come_out),
        cmocka_unit_test(pieces_give_the_same_as_the_whole),
        cmocka_unit_test(hex_of_another_length_or_letter_is_refused),
        cmocka_unit_test(the_two_kinds_are_never_equal),
        cmocka_unit_test(weak_kinds_are_not_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
