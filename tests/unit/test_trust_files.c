/* SPDX-License-Identifier: Apache-2.0 */
#include "home.h"

#include "base/auto.h"
#include "base/list.h"
#include "registry/trust_files.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

/* Writes a certificate of its own, with its key behind it when asked. */
static void write_certificate(const char *name, bool has_key)
{
    FILE *file = create_at_home(name);
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = X509_new();
    assert_true(key && certificate);
    X509_set_pubkey(certificate, key);
    X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    assert_true(X509_sign(certificate, key, EVP_sha256()) > 0);
    fputs("some words before it\n", file);
    assert_int_equal(PEM_write_X509(file, certificate), 1);
    if (has_key)
        assert_int_equal(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL), 1);
    assert_int_equal(fclose(file), 0);
    X509_free(certificate);
    EVP_PKEY_free(key);
}

#define HOST "lab.example:5000"
#define CERTS ".config/containers/certs.d/" HOST "/"

static size_t count(const char *text, const char *wanted)
{
    size_t found = 0;
    for (const char *at = text; at && (at = strstr(at, wanted)); at += strlen(wanted))
        found++;
    return found;
}

static void without_a_directory_there_is_nothing_but_the_switch(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct err err = {0};
    struct http_tls tls;
    CHECK_OK(trust_files_load(&arena, NULL, HOST, true, &tls, &err), &err);
    assert_true(tls.is_verify_off);
    assert_true(!tls.ca_pem && !tls.cert_path && !tls.key_path);
    CHECK_OK(trust_files_load(&arena, NULL, HOST, false, &tls, &err), &err);
    assert_false(tls.is_verify_off);
}

static void the_directory_of_the_host_with_its_port_is_read(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct err err = {0};
    struct http_tls tls;
    write_certificate(CERTS "b.crt", false);
    write_certificate(CERTS "a.crt", true);
    write_certificate(CERTS "me.cert", false);
    write_at_home(CERTS "me.key", "key");
    write_at_home(CERTS "README", "nothing");
    CHECK_OK(trust_files_load(&arena, NULL, HOST, false, &tls, &err), &err);
    assert_int_equal(count(tls.ca_pem, "-----BEGIN CERTIFICATE-----"), 2);
    assert_int_equal(count(tls.ca_pem, "PRIVATE KEY"), 0);
    assert_string_equal(tls.cert_path, at_home(CERTS "me.cert"));
    assert_string_equal(tls.key_path, at_home(CERTS "me.key"));
    CHECK_OK(trust_files_load(&arena, NULL, "lab.example", false, &tls, &err), &err);
    assert_null(tls.ca_pem);
}

static void a_named_directory_is_used_instead_and_must_exist(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct err err = {0};
    struct http_tls tls;
    write_certificate(CERTS "a.crt", false);
    write_certificate("other/me.cert", false);
    write_at_home("other/me.key", "key");
    CHECK_OK(trust_files_load(&arena, at_home("other"), HOST, false, &tls, &err), &err);
    assert_null(tls.ca_pem);
    assert_non_null(tls.cert_path);
    assert_false(trust_files_load(&arena, at_home("absent"), HOST, false, &tls, &err));
    CHECK_ERR(&err, ERR_USAGE, "/absent");
}

static void half_a_pair_is_refused(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct err err = {0};
    struct http_tls tls;
    write_at_home(CERTS "me.cert", "x");
    assert_false(trust_files_load(&arena, NULL, HOST, false, &tls, &err));
    CHECK_ERR(&err, ERR_USAGE, "me.cert: has no me.key");
    assert_int_equal(rename(at_home(CERTS "me.cert"), at_home(CERTS "me.key")), 0);
    err_clear(&err);
    assert_false(trust_files_load(&arena, NULL, HOST, false, &tls, &err));
    CHECK_ERR(&err, ERR_USAGE, "me.key: has no me.cert");
}

static void two_pairs_are_refused(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct err err = {0};
    struct http_tls tls;
    static const char *const names[] = {CERTS "a.cert", CERTS "a.key", CERTS "b.cert", CERTS "b.key"};
    for (size_t i = 0; i < ARRAY_COUNT(names); i++)
        write_at_home(names[i], "x");
    assert_false(trust_files_load(&arena, NULL, HOST, false, &tls, &err));
    CHECK_ERR(&err, ERR_USAGE, "more than one client certificate");
}

static void a_ca_file_without_a_good_certificate_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *bytes, *part;
    } rows[] = {{"", "no certificate"},
                {"\x30\x82", "no certificate"},
                {"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "a.crt"},
                {"-----BEGIN CERTIFICATE-----\n", "a.crt"}};
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        AUTO(arena_done) struct arena arena = {0};
        struct err err = {0};
        struct http_tls tls;
        write_at_home(CERTS "a.crt", rows[i].bytes);
        assert_false(trust_files_load(&arena, NULL, HOST, false, &tls, &err));
        CHECK_ERR(&err, ERR_USAGE, rows[i].part);
    }
}

static void a_ca_file_that_is_broken_behind_a_good_one_is_refused(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct err err = {0};
    struct http_tls tls;
    write_certificate(CERTS "a.crt", false);
    FILE *file = fopen(at_home(CERTS "a.crt"), "a");
    assert_non_null(file);
    fputs("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", file);
    assert_int_equal(fclose(file), 0);
    assert_false(trust_files_load(&arena, NULL, HOST, false, &tls, &err));
    CHECK_ERR(&err, ERR_USAGE, "broken certificate");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_home, tear_down_home)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(without_a_directory_there_is_nothing_but_the_switch),
        TEST(the_directory_of_the_host_with_its_port_is_read),
        TEST(a_named_directory_is_used_instead_and_must_exist),
        TEST(half_a_pair_is_refused),
        TEST(two_pairs_are_refused),
        TEST(a_ca_file_without_a_good_certificate_is_refused),
        TEST(a_ca_file_that_is_broken_behind_a_good_one_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
