/* SPDX-License-Identifier: Apache-2.0 */
/* The pure parts below release_get(): dates, the signed text, gpgv's status lines, armour. */
#include "check.h"

#include "base/auto.h"
#include "base/date.h"
#include "deb/release_parse.h"
#include "trust/clearsign.h"
#include "trust/gpgv.h"

#define HEX64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define FPR "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define PRIMARY "BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB"
#define GOOD "[GNUPG:] GOODSIG AAAAAAAAAAAAAAAA a name\n"
#define VALID "[GNUPG:] VALIDSIG " FPR " 2026-07-11 1783764997 0 4 0 22 8 01 " PRIMARY "\n"

static void dates_are_read_whatever_the_locale(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t seconds;
    } good[] = {
        {"Sat, 11 Jul 2026 10:16:37 UTC", 1783764997},
        {"Sat, 11 Jul 2026 10:16:37 +0000", 1783764997},
        {"11 Jul 2026 10:16:37 GMT", 1783764997},
        {"Sat, 11 Jul 2026 12:16:37 +0200", 1783764997},
        {"Sat, 11 Jul 2026 02:46:37 -0730", 1783764997},
        {"Sat, 11 Jul 2026 05:16:37 EST", 1783764997},
        {"Thu, 1 Jan 1970 00:00:00 UTC", 0},
        {"Thu, 01 Jan 1970  0:00:01  Z ", 1},
        {"Thu, 29 Feb 2024 00:00:00 UTC", 1709164800},
        {"Fri, 31 Dec 9999 23:59:59 UTC", 253402300799},
        {"Sat, 31 Dec 2016 23:59:60 UTC", 1483228800},
    };
    static const char *const bad[] = {
        "",
        "Sat,",
        "yesterday",
        "Sat, 11 Jul 2026 10:16:37",
        "Sat, 11 Jul 2026 10:16:37 CEST",
        "Sat, 11 Jul 2026 10:16:37 +2400",
        "Sat, 11 Jul 2026 10:16:37 0200",
        "Sat, 11 Jul 2026 10:16:37 +02",
        "Sat, 11 Jul 2026 10:16:37 UTC UTC",
        "Sat, 11 Jul 26 10:16:37 UTC",
        "Sat, 11 Jul 20260 10:16:37 UTC",
        "Sat, 11 Xxx 2026 10:16:37 UTC",
        "Sat, 0 Jul 2026 10:16:37 UTC",
        "Sat, 32 Jul 2026 10:16:37 UTC",
        "Sat, 31 Feb 2026 10:16:00 UTC",
        "Sat, 11 Jul 2026 24:16:37 UTC",
        "Sat, 11 Jul 2026 10:60:37 UTC",
        "Sat, 11 Jul 2026 10:16:61 UTC",
        "Sat, 11 Jul 2026 10:16 UTC",
        "Sat, 11 Jul 2026 10:16:37:0 UTC",
        "Sat, -1 Jul 2026 10:16:37 UTC",
    };
    int64_t seconds;
    for (size_t i = 0; i < ARRAY_COUNT(good); i++) {
        if (!date_parse(text_of(good[i].text), &seconds))
            fail_msg("refused: %s", good[i].text);
        assert_int_equal(seconds, good[i].seconds);
    }
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
        if (date_parse(text_of(bad[i]), &seconds))
            fail_msg("accepted: %s", bad[i]);
    }
    assert_string_equal(date_print(1783764997).chars, "2026-07-11 10:16:37 UTC");
    assert_string_equal(date_print_span(-86400 * 3 - 5).chars, "3 days");
    assert_string_equal(date_print_span(61).chars, "1 minute");
}

static void check_parse_refused(const char *text, enum err_kind kind, const char *part)
{
    AUTO(arena_done) struct arena arena = {0};
    struct release release = {0};
    struct err err = {0};
    int64_t valid_until;
    if (release_parse(&arena, "R", text_of(text), &release, &valid_until, &err))
        fail_msg("accepted: %s", text);
    CHECK_ERR(&err, kind, part);
}

static void hostile_releases_are_refused(void **state)
{
    (void)state;
    check_parse_refused("", ERR_MALFORMED, "empty");
    check_parse_refused("Date: never\nSHA256:\n", ERR_MALFORMED, "Date is not a date: \"never\"");
    check_parse_refused("Valid-Until: x\nSHA256:\n", ERR_MALFORMED, "Valid-Until is not a date");
    check_parse_refused("Suite: s\nMD5Sum:\n 0 0 x\n", ERR_TRUST, "no files by SHA-256");
    check_parse_refused("SHA256:\n " HEX64 " 1\n", ERR_MALFORMED, "not a \"digest size name\" line");
    check_parse_refused("SHA256:\n " HEX64 "0 1 x\n", ERR_MALFORMED, "not a \"digest size name\" line");
    check_parse_refused("SHA256:\n " HEX64 " -1 x\n", ERR_MALFORMED, "not a \"digest size name\" line");
    check_parse_refused("SHA256:\n " HEX64 " 18446744073709551616 x\n", ERR_MALFORMED, "not a \"digest size name\"");
    check_parse_refused("SHA256:\n " HEX64 " 1 x y\n", ERR_MALFORMED, "not a \"digest size name\" line");
    check_parse_refused("SHA256:\n " HEX64 " 1 ../x\n", ERR_MALFORMED, "leaves the repository");
    check_parse_refused("SHA256:\n " HEX64 " 1 a/../../x\n", ERR_MALFORMED, "leaves the repository");
    check_parse_refused("SHA256:\n " HEX64 " 1 /etc/passwd\n", ERR_MALFORMED, "leaves the repository");
    check_parse_refused("SHA256:\n " HEX64 " 1 a\033[2J\n", ERR_MALFORMED, "a\\x1B[2J");
    check_parse_refused("SHA256:\n " HEX64 " 1 x\n " HEX64 " 2 x\n", ERR_MALFORMED, "listed twice and differently");
    check_parse_refused("SHA256:\n\nSHA256:\n", ERR_MALFORMED, "more than one stanza");
    check_parse_refused("Suite: s\nSuite: t\nSHA256:\n", ERR_MALFORMED, "twice");
}

static void a_file_listed_twice_alike_is_one(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct release release = {0};
    struct err err = {0};
    int64_t valid_until = -1;
    CHECK_OK(
        release_parse(&arena, "R", TEXT("SHA256:\n " HEX64 " 1 x\n " HEX64 " 1 ./x\n"), &release, &valid_until, &err),
        &err);
    assert_int_equal(release.files.slots.count, 1);
    assert_int_equal(valid_until, 0);
}

static struct gpgv_verdict judge(struct arena *arena, const char *status, const char *fingerprint)
{
    struct gpgv_verdict verdict;
    struct strings fingerprints = {0};
    if (fingerprint)
        list_add(arena, &fingerprints, fingerprint);
    gpgv_judge(arena, text_of(status), &fingerprints, &verdict);
    return verdict;
}

static void only_goodsig_followed_by_validsig_counts(void **state)
{
    (void)state;
    static const char *const good[] = {
        GOOD VALID,
        "[GNUPG:] NEWSIG\n" GOOD "[GNUPG:] NOTATION_NAME salt@x\n[GNUPG:] NOTATION_DATA y\n" VALID,
        "[GNUPG:] NEWSIG\n[GNUPG:] ERRSIG C 1 8 01 1 9 -\n[GNUPG:] NO_PUBKEY C\n" GOOD VALID,
    };
    static const char *const bad[] = {
        "",
        GOOD,
        VALID,
        "GOODSIG A\nVALIDSIG " FPR "\n",
        "[GNUPG:] EXPKEYSIG AAAAAAAAAAAAAAAA x\n" VALID,
        "[GNUPG:] REVKEYSIG AAAAAAAAAAAAAAAA x\n" VALID,
        "[GNUPG:] EXPSIG AAAAAAAAAAAAAAAA x\n" VALID,
        GOOD "[GNUPG:] NEWSIG\n" VALID,
        GOOD "[GNUPG:] KEYEXPIRED 1\n" VALID,
        GOOD VALID "[GNUPG:] BADSIG C x\n",
        "[GNUPG:] BADSIG C x\n" GOOD VALID,
        GOOD "[GNUPG:] VALIDSIG " FPR " 2026-07-11 1783764997 0 4 0 22\n",
        GOOD "[GNUPG:] VALIDSIG " FPR " 2026-07-11 1783764997 0 4 0 22 2 01 " PRIMARY "\n",
        GOOD "[GNUPG:] VALIDSIG " FPR " 2026-07-11 1783764997 0 4 0 22 11 01 " PRIMARY "\n",
        GOOD "[GNUPG:] VALIDSIG " FPR " 2026-07-11 1783764997 0 4 0 22 80 01 " PRIMARY "\n",
    };
    AUTO(arena_done) struct arena arena = {0};
    for (size_t i = 0; i < ARRAY_COUNT(good); i++)
        assert_string_equal(judge(&arena, good[i], NULL).signed_by, FPR);
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
        if (judge(&arena, bad[i], NULL).signed_by)
            fail_msg("accepted: %s", bad[i]);
    }
}

static void fingerprints_mean_the_primary_key_too_unless_exact(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    assert_non_null(judge(&arena, GOOD VALID, FPR).signed_by);
    assert_non_null(judge(&arena, GOOD VALID, FPR "!").signed_by);
    assert_non_null(judge(&arena, GOOD VALID, PRIMARY).signed_by);
    assert_null(judge(&arena, GOOD VALID, PRIMARY "!").signed_by);
    assert_int_equal(judge(&arena, GOOD VALID, PRIMARY "!").not_allowed.count, 1);
}

static void armour_is_undone_and_broken_armour_refused(void **state)
{
    (void)state;
    static const char begin[] = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n",
                      end[] = "-----END PGP PUBLIC KEY BLOCK-----\n";
    static const struct {
        const char *body, *wanted; /* NULL: refused */
    } cases[] = {
        {"\naGVsbG8=\n=abcd\n", "hello"},
        {"Version: x\nComment: y\n\naGVs\nbG8=\n", "hello"},
        {"aGVsbG8h\r\n", "hello!"},
        {"\naGVsbG8\n", NULL},
        {"\naGV!bG8=\n", NULL},
        {"\n", NULL},
        {"\n=abcd\n", NULL},
    };
    AUTO(arena_done) struct arena arena = {0};
    struct text binary;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        const char *armour = arena_printf(&arena, "text\n%s%s%s", begin, cases[i].body, end);
        bool is_good = keyring_dearmour(&arena, text_of(armour), &binary);
        assert_int_equal(is_good, cases[i].wanted != NULL);
        if (is_good)
            assert_true(text_is(binary, cases[i].wanted));
    }
    const char *two = arena_printf(&arena, "%s\nYQ==\n%s%s\nYg==\n%s", begin, end, begin, end);
    assert_true(keyring_dearmour(&arena, text_of(two), &binary) && text_is(binary, "ab"));
    assert_false(keyring_dearmour(&arena, text_of(begin), &binary));
    assert_false(keyring_dearmour(&arena, TEXT(""), &binary));
}

static void dash_escapes_are_undone(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct err err = {0};
    struct text text;
    CHECK_OK(
        clearsign_open(&arena, "I",
                       TEXT("-----BEGIN PGP SIGNED MESSAGE-----\r\nHash: SHA256\n\nA: b \n- -----X\n-----BEGIN PGP "
                            "SIGNATURE-----\n\nxx\n-----END PGP SIGNATURE-----\n"),
                       &text, &err),
        &err);
    assert_true(text_is(text, "A: b\n-----X\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dates_are_read_whatever_the_locale),
        cmocka_unit_test(hostile_releases_are_refused),
        cmocka_unit_test(a_file_listed_twice_alike_is_one),
        cmocka_unit_test(only_goodsig_followed_by_validsig_counts),
        cmocka_unit_test(fingerprints_mean_the_primary_key_too_unless_exact),
        cmocka_unit_test(armour_is_undone_and_broken_armour_refused),
        cmocka_unit_test(dash_escapes_are_undone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
