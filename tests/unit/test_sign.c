/* SPDX-License-Identifier: Apache-2.0 */
/* Keys, boxes, bundles and payloads. What is judged by other programs is in e2e/test_sign.py. */
#include "check.h"

#include "base/auto.h"
#include "registry/credentials_secret.h"
#include "sign/base64.h"
#include "sign/envelope.h"
#include "sign/key_box.h"
#include "sign/secretbox.h"
#include "sign/signer.h"

#include <stdlib.h>

static struct arena arena;

static int tear_down(void **state)
{
    (void)state;
    arena_done(&arena);
    return 0;
}

static struct text from_hex(const char *hex)
{
    size_t len = strlen(hex) / 2;
    char *bytes = arena_alloc(&arena, len + 1);
    for (size_t i = 0; i < len; i++)
        bytes[i] = (char)(text_hex_value(hex[2 * i]) * 16 + text_hex_value(hex[2 * i + 1]));
    return (struct text){bytes, len};
}

/* The vectors of NaCl's tests/secretbox.c. */
static void a_secretbox_is_that_of_nacl(void **state)
{
    (void)state;
    const uint8_t *key =
        (const uint8_t *)from_hex("1b27556473e985d462cd51197a9a46c76009549eac6474f206c4ee0844f68389").ptr;
    const uint8_t *nonce = (const uint8_t *)from_hex("69696ee955b62b73cd62bda875fc73d68219e0036b7a0b37").ptr;
    struct text plain =
        from_hex("be075fc53c81f2d5cf141316ebeb0c7b5228c52a4c62cbd44b66849b64244ffce5ecbaaf33bd751a1ac728d45e6c"
                 "61296cdc3c01233561f41db66cce314adb310e3be8250c46f06dceea3a7fa1348057e2f6556ad6b1318a024a838f"
                 "21af1fde048977eb48f59ffd4924ca1c60902e52f0a089bc76897040e082f937763848645e0705");
    struct text box =
        from_hex("f3ffc7703f9400e52a7dfb4b3d3305d98e993b9f48681273c29650ba32fc76ce48332ea7164d96a4476fb8c531a1186a"
                 "c0dfc17c98dce87b4da7f011ec48c97271d2c20f9b928fe2270d6fb863d51738b48eeee314a7cc8ab932164548e526ae"
                 "90224368517acfeabd6bb3732bc0e9da99832b61ca01b6de56244a9e88d5f9b37973f622a43d14a6599b1f654cb45a74"
                 "e355a5");
    uint8_t made[256], opened[256];
    secretbox_seal(key, nonce, plain, made);
    assert_memory_equal(made, box.ptr, box.len);
    assert_true(secretbox_open(key, nonce, box, opened));
    assert_memory_equal(opened, plain.ptr, plain.len);
    for (size_t i = 0; i < box.len; i += 7) {
        made[i] ^= 1;
        assert_false(secretbox_open(key, nonce, (struct text){(char *)made, box.len}, opened));
        made[i] ^= 1;
    }
    assert_false(secretbox_open(key, nonce, (struct text){(char *)made, 15}, opened));
}

static bool say(void *context, const char *name, char **ret_passphrase, struct err *err)
{
    (void)name;
    (void)err;
    *ret_passphrase = secret_dup(context);
    return true;
}

static struct sign_key *read_key(const char *bytes, const char *passphrase)
{
    struct err err = {0};
    struct sign_key *key;
    struct sign_passphrase giver = {say, (void *)(uintptr_t)passphrase};
    CHECK_OK(sign_key_read("k", text_of(bytes), &giver, &key, &err), &err);
    return key;
}

static void check_refused(const char *bytes, const char *passphrase, const char *part)
{
    struct err err = {0};
    struct sign_key *key;
    struct sign_passphrase giver = {say, (void *)(uintptr_t)passphrase};
    assert_false(sign_key_read("k", text_of(bytes), &giver, &key, &err));
    CHECK_ERR(&err, ERR_USAGE, part);
}

/* Made by cosign 3.1.1 with the passphrase pass123. */
static const char cosign_key[] = "-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\n"
                                 "eyJrZGYiOnsibmFtZSI6InNjcnlwdCIsInBhcmFtcyI6eyJOIjo2NTUzNiwiciI6\n"
                                 "OCwicCI6MX0sInNhbHQiOiJjaVZMTnNuMDJwNmNzdDBCc0YzYWh2OUNQWlF4Z0U5\n"
                                 "UmNDVUtLN3NxWCtrPSJ9LCJjaXBoZXIiOnsibmFtZSI6Im5hY2wvc2VjcmV0Ym94\n"
                                 "Iiwibm9uY2UiOiJkSHBXUUlaeUozZ2huY0ZzcEs4SXVUejVsZkpMYzVNOSJ9LCJj\n"
                                 "aXBoZXJ0ZXh0IjoibTA2clRqanlIakUyTFBZVnk5RFk3V2oxTE95MUVPaDkwd1A5\n"
                                 "Qk05VG9XSTljTzlWaWFkRExlTkZxcFh5R0syUUorQm41dGpjbE1wUVoramFXNkhL\n"
                                 "dVkvM3pqaXJvNHc0Y2VnaElFNmg5N3BHTjBmcE1RQzNSN1hoQ0FKQkNPaWhTLzc3\n"
                                 "UVFKclVJVFlpdUswYmJiUWZXUmhyTXM0dENoYlRnOHlsZ0ZtUVB3WDhZaTRiT2V0\n"
                                 "djJ0SWRud3EvZlh6SjcwTW1mYjFmLzJwYkE9PSJ9\n"
                                 "-----END ENCRYPTED SIGSTORE PRIVATE KEY-----\n";
static const char cosign_public[] = "-----BEGIN PUBLIC KEY-----\n"
                                    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEgLmcLbO2Kmo/UROj5Fz2lNs/ZpPl\n"
                                    "o1CrwFyUn6uP0NlKgmoaX9QA4S7EUhDIpr69G3wdcPcLxJcEmtctgOcziA==\n"
                                    "-----END PUBLIC KEY-----\n";

static void a_key_of_cosign_is_read(void **state)
{
    (void)state;
    struct err err = {0};
    struct text pem;
    struct sign_key *key = read_key(cosign_key, "pass123");
    assert_int_equal(sign_key_kind(key), SIGN_KEY_P256);
    CHECK_OK(sign_key_print_public(key, &arena, &pem, &err), &err);
    assert_string_equal(pem.ptr, cosign_public);
    sign_key_close(key);
    check_refused(cosign_key, "pass124", "passphrase is not that of the key");
    check_refused(cosign_public, "", "public key");
    check_refused(
        "-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED SIGSTORE PRIVATE KEY-----\n", "",
        "as cosign encrypts");
    check_refused("", "", "no private key");
}

static void check_form(enum sign_key_kind kind, enum sign_key_form form, const char *passphrase, const char *label)
{
    struct err err = {0};
    struct sign_key *key;
    AUTO(secret_buf_done) struct buf pem = {0};
    CHECK_OK(sign_key_generate(kind, &key, &err), &err);
    CHECK_OK(sign_key_print(key, form, passphrase, &pem, &err), &err);
    assert_true(text_has_prefix(buf_text(&pem), label));
    struct sign_key *again = read_key(pem.bytes, passphrase);
    struct digest id = sign_key_id(key), id_again = sign_key_id(again);
    assert_true(digest_eq(&id, &id_again));
    if (*passphrase)
        check_refused(pem.bytes, "another", "passphrase is not that of the key");
    sign_key_close(key);
    sign_key_close(again);
}

static void keys_are_read_as_they_were_written(void **state)
{
    (void)state;
    static const enum sign_key_kind kinds[] = {SIGN_KEY_ED25519, SIGN_KEY_P256};
    for (size_t i = 0; i < ARRAY_COUNT(kinds); i++) {
        check_form(kinds[i], SIGN_KEY_PEM, "", "-----BEGIN PRIVATE KEY-----");
        check_form(kinds[i], SIGN_KEY_PEM, "secret words", "-----BEGIN ENCRYPTED PRIVATE KEY-----");
        check_form(kinds[i], SIGN_KEY_COSIGN, "secret words", "-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----");
        check_form(kinds[i], SIGN_KEY_COSIGN, "", "-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----");
    }
}

static struct signer new_signer(enum sign_key_kind kind)
{
    struct err err = {0};
    struct signer signer = {.name = "k"};
    CHECK_OK(sign_key_generate(kind, &signer.key, &err), &err);
    return signer;
}

static void a_bundle_is_by_its_key_alone_and_by_ed25519_the_same_each_time(void **state)
{
    (void)state;
    struct err err = {0};
    struct digest subject = digest_of("x", 1), other = digest_of("y", 1);
    struct text statement = envelope_signature_statement(&arena, &subject, 1), bundle, again;
    struct signer ours = new_signer(SIGN_KEY_ED25519), theirs = new_signer(SIGN_KEY_P256);
    struct envelope envelope;
    struct envelope_statement read;
    CHECK_OK(signer_bundle(&ours, &arena, ENVELOPE_STATEMENT_TYPE, statement, &bundle, &err), &err);
    CHECK_OK(signer_bundle(&ours, &arena, ENVELOPE_STATEMENT_TYPE, statement, &again, &err), &err);
    assert_true(text_eq(bundle, again));
    assert_true(envelope_read(&arena, bundle, &envelope));
    assert_true(envelope_is_by(&envelope, ours.key));
    assert_false(envelope_is_by(&envelope, theirs.key));
    assert_true(envelope_read_statement(&arena, envelope.payload, &read));
    assert_string_equal(read.predicate_type, ENVELOPE_SIGNATURE_PREDICATE);
    assert_true(digest_eq(&read.subjects.items[0], &subject));
    envelope.payload = envelope_signature_statement(&arena, &other, 1);
    assert_false(envelope_is_by(&envelope, ours.key));
    sign_key_close(ours.key);
    sign_key_close(theirs.key);
}

static void what_is_no_bundle_statement_or_payload_is_not_read(void **state)
{
    (void)state;
    static const char *const bundles[] = {
        "",
        "{}",
        "[]",
        "{\"mediaType\":\"" ENVELOPE_BUNDLE_TYPE "\"}",
        "{\"mediaType\":\"" ENVELOPE_BUNDLE_TYPE "\",\"dsseEnvelope\":{\"payload\":\"e30=\",\"payloadType\":\"a\","
        "\"signatures\":[]}}",
        "{\"mediaType\":\"" ENVELOPE_BUNDLE_TYPE "\",\"dsseEnvelope\":{\"payload\":\"e30=\",\"payloadType\":\"a\","
        "\"signatures\":[{\"sig\":\"AA==\"},{\"sig\":\"AA==\"}]}}",
        "{\"mediaType\":\"" ENVELOPE_BUNDLE_TYPE "\",\"dsseEnvelope\":{\"payload\":\"e3\",\"payloadType\":\"a\","
        "\"signatures\":[{\"sig\":\"AA==\"}]}}"};
    struct envelope envelope;
    struct envelope_statement statement;
    struct digest digest = digest_of("x", 1), read;
    const char *reference;
    for (size_t i = 0; i < ARRAY_COUNT(bundles); i++)
        assert_false(envelope_read(&arena, text_of(bundles[i]), &envelope));
    assert_false(envelope_read_statement(&arena, TEXT("{\"_type\":\"https://in-toto.io/Statement/v1\"}"), &statement));
    struct text simple = envelope_simple(&arena, "h.example/x:1", &digest);
    assert_true(envelope_read_simple(&arena, simple, &reference, &read));
    assert_string_equal(reference, "h.example/x:1");
    assert_true(digest_eq(&digest, &read));
    assert_false(envelope_read_simple(&arena, (struct text){simple.ptr, simple.len - 1}, &reference, &read));
    assert_false(envelope_read_simple(&arena, TEXT("{\"critical\":{},\"optional\":null}"), &reference, &read));
}

static void base64_has_one_form(void **state)
{
    (void)state;
    struct text bytes;
    assert_string_equal(base64_encode(&arena, TEXT("ab")), "YWI=");
    assert_true(base64_decode(&arena, TEXT("YWI="), &bytes) && text_is(bytes, "ab"));
    static const char *const wrong[] = {"YWI", "YW I=", "YWJ=", "=", "====", "YWI=\n"};
    for (size_t i = 0; i < ARRAY_COUNT(wrong); i++)
        assert_false(base64_decode(&arena, text_of(wrong[i]), &bytes));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_secretbox_is_that_of_nacl),
        cmocka_unit_test(a_key_of_cosign_is_read),
        cmocka_unit_test(keys_are_read_as_they_were_written),
        cmocka_unit_test(a_bundle_is_by_its_key_alone_and_by_ed25519_the_same_each_time),
        cmocka_unit_test(what_is_no_bundle_statement_or_payload_is_not_read),
        cmocka_unit_test(base64_has_one_form),
    };
    return cmocka_run_group_tests(tests, NULL, tear_down);
}
