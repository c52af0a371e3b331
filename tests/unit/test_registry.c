/* SPDX-License-Identifier: Apache-2.0 */
/* Talks to registry_server.py on loopback, a registry with faults and quirks on request. Back-off starts at 5 ms here. */
#include "registry_kit.h"

#include "registry/registry_shared.h"

static struct layout_blob small_blob(void)
{
    return kit_blob(&kit, LAYER_MEDIA, "a small blob", 12);
}

static struct layout_blob big_blob(void)
{
    static char bytes[KIT_BIG_BYTES + 77];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)(i * 7 + (i >> 11));
    return kit_blob(&kit, LAYER_MEDIA, bytes, sizeof bytes);
}

static bool put(struct registry *registry, const struct layout_blob *blob, const char *mount_from, struct err *err)
{
    AUTO(auto_close_fd) int fd = kit_open_blob(&kit, blob);
    struct upload upload = {
        .digest = &blob->digest, .size_bytes = blob->size_bytes, .fd = fd, .mount_from = mount_from};
    bool is_mounted;
    return registry_upload(registry, &upload, &is_mounted, err);
}

static void check_has(struct registry *registry, const struct layout_blob *blob)
{
    struct err err = {0};
    bool is_found = false;
    CHECK_OK(registry_has_blob(registry, &blob->digest, blob->size_bytes, &is_found, &err), &err);
    assert_true(is_found);
}

/* Uploads a blob under these settings; it must be there afterwards. */
static void check_put(struct registry *registry, const char *settings, struct layout_blob blob)
{
    struct err err = {0};
    kit_set(&kit, settings);
    CHECK_OK(put(registry, &blob, NULL, &err), &err);
    check_has(registry, &blob);
    registry_close(registry);
}

/* Uploading a blob must fail like this. */
static void check_put_fails(struct registry *registry, const char *settings, enum err_kind kind, const char *part)
{
    struct err err = {0};
    struct layout_blob blob = small_blob();
    kit_set(&kit, settings);
    assert_false(put(registry, &blob, NULL, &err));
    CHECK_ERR(&err, kind, part);
    assert_null(strstr(err.text, "canary"));
    registry_close(registry);
}

/* --- URLs --- */

static const char *resolved(const char *base, const char *location)
{
    return registry_url_resolve(&kit.arena, base, text_of(location));
}

static void a_location_is_resolved_and_kept_byte_for_byte(void **state)
{
    (void)state;
    const char *base = "https://host:5/v2/a/blobs/uploads/?x=1";
    assert_string_equal(resolved(base, "/v2/u%2f?s=a%2Fb&c"), "https://host:5/v2/u%2f?s=a%2Fb&c");
    assert_string_equal(resolved(base, "HTTPS://Other/x?y"), "HTTPS://Other/x?y");
    assert_string_equal(resolved(base, "//other/x"), "https://other/x");
    assert_string_equal(resolved(base, "next"), "https://host:5/v2/a/blobs/uploads/next");
    assert_string_equal(resolved(base, "?q"), "https://host:5/v2/a/blobs/uploads/?q");
    assert_string_equal(resolved("https://host", "x"), "https://host/x");
}

static void a_location_that_may_mean_another_host_to_others_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "ftp://a/x",
                                      "http://user@host/",
                                      "http://host\\@evil/",
                                      "http:///x",
                                      "http://ho st/",
                                      "http://host:0/",
                                      "http://host:99999/",
                                      "http://[::1",
                                      "http://h\xc3\xa4/",
                                      "http://host:1:2/"};
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++)
        assert_null(resolved("https://host/", bad[i]));
}

static void private_addresses_are_known_in_any_spelling(void **state)
{
    (void)state;
    static const char *const inward[] = {"http://127.0.0.1/",
                                         "http://2130706433/",
                                         "http://0x7f.1/",
                                         "http://10.1.2.3/",
                                         "http://172.31.0.1/",
                                         "http://192.168.0.1/",
                                         "http://169.254.1.1/",
                                         "http://[::1]/",
                                         "http://[fe80::1]/",
                                         "http://[fd00::1]/",
                                         "http://[::ffff:10.0.0.1]/",
                                         "http://localhost/",
                                         "http://127.0.0.1./",
                                         "http://100.64.0.1/",
                                         "http://0/"};
    static const char *const outward[] = {"http://8.8.8.8/", "http://172.32.0.1/", "http://quay.io/",
                                          "http://[2001:db8::1]/"};
    struct registry_origin origin;
    for (size_t i = 0; i < ARRAY_COUNT(inward); i++)
        assert_true(registry_origin_parse(inward[i], &origin) && registry_origin_is_private(&origin));
    for (size_t i = 0; i < ARRAY_COUNT(outward); i++)
        assert_true(registry_origin_parse(outward[i], &origin) && !registry_origin_is_private(&origin));
}

/* --- uploads --- */

static void a_blob_goes_with_one_post_and_one_put(void **state)
{
    (void)state;
    check_put(kit_open_plain(&kit), "", small_blob());
    assert_int_equal(kit_count(&kit, ""), 3);
    assert_int_equal(kit_count(&kit, "PUT"), 1);
}

static void a_big_blob_arrives_whole(void **state)
{
    (void)state;
    check_put(kit_open_plain(&kit), "\"location\":\"absolute\"", big_blob());
}

static void an_empty_blob_arrives(void **state)
{
    (void)state;
    check_put(kit_open_plain(&kit), "", kit_blob(&kit, LAYER_MEDIA, "", 0));
}

static void any_transient_fault_of_an_upload_is_absorbed(void **state)
{
    (void)state;
    static const char *const verbs[] = {"POST", "PUT"};
    static const char *const kinds[] = {"\"do\":\"status\",\"code\":503",
                                        "\"do\":\"status\",\"code\":429,\"body\":\"<html>\"",
                                        "\"do\":\"status\",\"code\":500",
                                        "\"do\":\"status\",\"code\":401",
                                        "\"do\":\"reset\"",
                                        "\"do\":\"lose\"",
                                        "\"do\":\"status\",\"code\":502,\"headers\":{\"Retry-After\":\"0\"}",
                                        "\"do\":\"status\",\"code\":504"};
    for (size_t i = 0; i < ARRAY_COUNT(verbs); i++) {
        for (size_t j = 0; j < ARRAY_COUNT(kinds); j++)
            check_put(kit_open_plain(&kit),
                      arena_printf(&kit.arena, "\"faults\":[{\"method\":\"%s\",\"path\":\"/uploads/\",%s}]", verbs[i],
                                   kinds[j]),
                      small_blob());
    }
}

static void a_put_whose_reply_was_lost_is_not_sent_again(void **state)
{
    (void)state;
    check_put(kit_open_plain(&kit), "\"faults\":[{\"method\":\"PUT\",\"path\":\"uploads\",\"do\":\"lose\"}]",
              big_blob());
    assert_int_equal(kit_count(&kit, "PUT"), 1);
}

static void a_lost_session_and_invalid_uploads_are_begun_anew(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        "404,\"body\":\"{\\\"errors\\\":[{\\\"code\\\":\\\"BLOB_UPLOAD_UNKNOWN\\\"}]}\"",
        "400,\"body\":\"{\\\"errors\\\":[{\\\"code\\\":\\\"BLOB_UPLOAD_INVALID\\\"}]}\"",
        "400,\"body\":\"{\\\"errors\\\":[{\\\"code\\\":\\\"DIGEST_INVALID\\\"}]}\""};
    for (size_t i = 0; i < ARRAY_COUNT(bodies); i++)
        check_put(kit_open_plain(&kit),
                  arena_printf(&kit.arena,
                               "\"faults\":[{\"method\":\"PUT\",\"path\":\"s1\",\"do\":\"status\",\"code\":%s}]",
                               bodies[i]),
                  small_blob());
}

static void a_file_with_other_bytes_than_its_name_is_named(void **state)
{
    (void)state;
    struct err err = {0};
    struct layout_blob blob = small_blob(), other = kit_blob(&kit, LAYER_MEDIA, "another blob", 12);
    struct registry *registry = kit_open_plain(&kit);
    kit_set(&kit, "");
    AUTO(auto_close_fd) int fd = kit_open_blob(&kit, &other);
    struct upload upload = {.digest = &blob.digest, .size_bytes = blob.size_bytes, .fd = fd};
    bool is_mounted;
    assert_false(registry_upload(registry, &upload, &is_mounted, &err));
    CHECK_ERR(&err, ERR_TRUST, "the local file has other bytes");
    registry_close(registry);
}

static void a_registry_without_put_gets_a_patch(void **state)
{
    (void)state;
    check_put(kit_open_plain(&kit), "\"put\":false", small_blob());
    assert_int_equal(kit_count(&kit, "PATCH"), 1);
}

static void too_large_bodies_go_in_chunks(void **state)
{
    (void)state;
    static char bytes[9 << 20];
    memset(bytes, 'x', sizeof bytes);
    check_put(kit_open_plain(&kit), "\"max_body\":4194304", kit_blob(&kit, LAYER_MEDIA, bytes, sizeof bytes));
    assert_int_equal(kit_count(&kit, "PATCH.*202"), 3);
    /* 512 KiB are the smallest. */
    check_put(kit_open_plain(&kit), "\"max_body\":600000", kit_blob(&kit, LAYER_MEDIA, bytes, 1200000));
    assert_int_equal(kit_count(&kit, "PATCH.*202"), 3);
    struct registry *registry = kit_open_plain(&kit);
    struct layout_blob blob = kit_blob(&kit, LAYER_MEDIA, bytes, 1200000);
    struct err err = {0};
    kit_set(&kit, "\"max_body\":500000");
    assert_false(put(registry, &blob, NULL, &err));
    CHECK_ERR(&err, ERR_PUBLISH, "413");
    registry_close(registry);
}

static void chunks_survive_faults_and_short_acceptance(void **state)
{
    (void)state;
    static char bytes[9 << 20];
    static const char *const more[] = {
        "\"faults\":[{\"method\":\"PATCH\",\"path\":\"s\",\"at\":3,\"do\":\"lose\"}]",
        "\"faults\":[{\"method\":\"PATCH\",\"path\":\"s\",\"at\":3,\"do\":\"reset\"}]",
        "\"quay\":true,\"faults\":[{\"method\":\"PATCH\",\"path\":\"s\",\"at\":3,\"do\":\"reset\"}]",
        "\"quay\":true,\"faults\":[{\"method\":\"PATCH\",\"path\":\"s\",\"at\":2,\"do\":\"lose\"}]",
        ("\"faults\":[{\"method\":\"PATCH\",\"path\":\"s\",\"at\":2,\"do\":\"reset\"},{\"method\":\"GET\",\"path\":"
         "\"s\",\"do\":\"status\",\"code\":404}]"),
        "\"short_chunks\":3000000"};
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)(i * 13 + (i >> 10));
    struct layout_blob blob = kit_blob(&kit, LAYER_MEDIA, bytes, sizeof bytes);
    for (size_t i = 0; i < ARRAY_COUNT(more); i++)
        check_put(kit_open_plain(&kit), arena_printf(&kit.arena, "\"max_body\":4194304,%s", more[i]), blob);
}

static void a_mount_saves_the_upload_and_a_refused_one_does_not_matter(void **state)
{
    (void)state;
    struct err err = {0};
    struct layout_blob blob = small_blob();
    struct registry *registry = kit_open_plain(&kit);
    kit_set(&kit, "");
    CHECK_OK(put(registry, &blob, "other/image", &err), &err); /* 202: its session is used */
    CHECK_OK(put(registry, &blob, "other/image", &err), &err); /* 201 */
    assert_int_equal(kit_count(&kit, "POST"), 2);
    assert_int_equal(kit_count(&kit, "PUT"), 1);
    kit_set(&kit, "\"mount\":false");
    CHECK_OK(put(registry, &blob, "other/image", &err), &err);
    assert_int_equal(kit_count(&kit, "POST"), 2);
    registry_close(registry);
}

static void permanent_refusals_fail_at_once_with_the_registrys_words(void **state)
{
    (void)state;
    check_put_fails(kit_open_plain(&kit), "\"read_only\":true", ERR_PUBLISH, "HTTP status 405, \"UNSUPPORTED");
    assert_int_equal(kit_count(&kit, ""), 1);
    check_put_fails(kit_open_plain(&kit),
                    "\"faults\":[{\"path\":\"\",\"at\":0,\"do\":\"status\",\"code\":403,\"body\":\"{\\\"errors\\\":[{"
                    "\\\"code\\\":\\\"DENIED\\\",\\\"message\\\":\\\"Quota\\\\u001b[31m\\\\nexceeded\\\"}]}\"}]",
                    ERR_PUBLISH, "DENIED: Quota?[31m exceeded");
    assert_int_equal(kit_count(&kit, ""), 1);
    check_put_fails(kit_open_plain(&kit),
                    "\"faults\":[{\"path\":\"\",\"at\":0,\"do\":\"status\",\"code\":404,\"body\":\"{\\\"errors\\\":[{"
                    "\\\"code\\\":\\\"NAME_UNKNOWN\\\"}]}\"}]",
                    ERR_PUBLISH, "does the repository exist?");
    check_put_fails(kit_open_plain(&kit), "\"location\":\"bad\"", ERR_PUBLISH, "Location");
    check_put_fails(kit_open_plain(&kit),
                    "\"faults\":[{\"path\":\"\",\"at\":0,\"do\":\"status\",\"code\":429,\"headers\":{\"Retry-After\":"
                    "\"3600\"}}]",
                    ERR_NETWORK, "asked to wait 3600 s");
}

static void a_fault_that_lasts_ends_with_the_number_of_tries(void **state)
{
    (void)state;
    check_put_fails(kit_open_plain(&kit), "\"faults\":[{\"path\":\"\",\"at\":0,\"do\":\"status\",\"code\":503}]",
                    ERR_NETWORK, "after 6 tries");
    assert_int_equal(kit_count(&kit, ""), 6);
    check_put_fails(kit_open_plain(&kit), "\"faults\":[{\"method\":\"PUT\",\"path\":\"\",\"at\":0,\"do\":\"reset\"}]",
                    ERR_NETWORK, "after 6 tries");
}

static void cancelling_and_the_deadline_end_the_waiting(void **state)
{
    (void)state;
    struct registry_options options = kit_options(&kit);
    options.retry_base_ms = 60000;
    options.deadline_ms = 300;
    check_put_fails(kit_open(&kit, &options), "\"faults\":[{\"path\":\"\",\"at\":0,\"do\":\"status\",\"code\":503}]",
                    ERR_NETWORK, "gave up after");
    kit.is_cancelled = true;
    check_put_fails(kit_open_plain(&kit), "", ERR_CANCELLED, "cancelled");
    kit.is_cancelled = false;
}

/* --- authentication --- */

static void basic_is_sent_after_the_first_challenge_only(void **state)
{
    (void)state;
    check_put(kit_open_login(&kit), "\"auth\":\"basic\"", small_blob());
    assert_int_equal(kit_count(&kit, "401"), 1);
    assert_int_equal(kit_count(&kit, "POST"), 2);
    check_put(kit_open_login(&kit), "\"auth\":\"basic\",\"challenge\":false", small_blob());
    check_put_fails(kit_open_plain(&kit), "\"auth\":\"basic\"", ERR_PUBLISH, "needs a user name and password");
    check_put_fails(kit_open_login(&kit), "\"auth\":\"basic\",\"password\":\"other\"", ERR_PUBLISH, "401");
    check_put_fails(kit_open_login(&kit), "\"auth\":\"basic\",\"password\":\"other\"", ERR_PUBLISH,
                    "may lack the permission to write");
    struct registry *registry = kit_open_login(&kit);
    struct layout_blob blob = small_blob();
    struct err err = {0};
    assert_false(registry_get_blob(registry, kit.store, &blob.digest, blob.size_bytes, NULL, &err));
    CHECK_ERR(&err, ERR_PUBLISH, "may lack the permission to read");
    registry_close(registry);
}

static void one_token_serves_all_that_a_push_needs(void **state)
{
    (void)state;
    check_put(kit_open_login(&kit), "\"auth\":\"bearer\"", small_blob());
    assert_int_equal(kit_count(&kit, "/token"), 1);
    assert_int_equal(kit_count(&kit, "401"), 1);
    check_put(kit_open_login(&kit), "\"auth\":\"bearer\",\"quay\":true,\"expires\":null,\"jwt\":3600", small_blob());
    assert_int_equal(kit_count(&kit, "/token"), 1);
    check_put(kit_open_login(&kit), "\"auth\":\"bearer\",\"challenge\":false", small_blob());
}

static void reading_asks_for_pull_until_the_first_write(void **state)
{
    (void)state;
    struct err err = {0};
    struct layout_blob blob = small_blob();
    struct registry *registry = kit_open_plain(&kit); /* anonymous: only pull is given */
    bool is_found;
    kit_set(&kit, "\"auth\":\"bearer\"");
    CHECK_OK(registry_has_blob(registry, &blob.digest, blob.size_bytes, &is_found, &err), &err);
    assert_false(is_found);
    assert_false(put(registry, &blob, NULL, &err));
    CHECK_ERR(&err, ERR_PUBLISH, "no credential of it is known: imgfactory login 127.0.0.1:");
    registry_close(registry);
}

static void a_spent_token_is_renewed_in_the_middle(void **state)
{
    (void)state;
    check_put(kit_open_login(&kit), "\"auth\":\"bearer\",\"token_uses\":1", big_blob());
    assert_int_equal(kit_count(&kit, "/token"), 3); /* POST, PUT, HEAD */
    check_put(kit_open_login(&kit), "\"auth\":\"bearer\",\"expires\":-5", small_blob());
    assert_int_equal(kit_count(&kit, "/token"), 1); /* nonsense is a minute */
}

static void the_token_service_is_tried_again_and_may_refuse(void **state)
{
    (void)state;
    check_put(kit_open_login(&kit),
              "\"auth\":\"bearer\",\"faults\":[{\"path\":\"/token\",\"do\":\"status\",\"code\":503}]", small_blob());
    check_put(kit_open_login(&kit), "\"auth\":\"bearer\",\"faults\":[{\"path\":\"/token\",\"do\":\"reset\"}]",
              small_blob());
    check_put_fails(kit_open_login(&kit), "\"auth\":\"bearer\",\"password\":\"other\"", ERR_PUBLISH,
                    "the token service: GET: HTTP status 401");
    check_put_fails(kit_open_login(&kit),
                    "\"auth\":\"bearer\",\"faults\":[{\"path\":\"/token\",\"at\":0,\"do\":\"status\",\"code\":200,"
                    "\"body\":\"<html>\"}]",
                    ERR_PUBLISH, "no token");
    check_put_fails(kit_open_login(&kit),
                    "\"auth\":\"bearer\",\"faults\":[{\"path\":\"/token\",\"at\":0,\"do\":\"status\",\"code\":200,"
                    "\"body\":\"{\\\"token\\\":\\\"a\\\\r\\\\nX: y\\\"}\"}]",
                    ERR_PUBLISH, "no token");
    check_put_fails(kit_open_login(&kit),
                    "\"auth\":\"bearer\",\"faults\":[{\"path\":\"/token\",\"at\":0,\"do\":\"status\",\"code\":307,"
                    "\"headers\":{\"Location\":\"/elsewhere\"}}]",
                    ERR_PUBLISH, "307");
}

static void a_new_token_that_is_refused_is_final_for_all_requests(void **state)
{
    (void)state;
    struct err err = {0};
    struct layout_blob blob = small_blob();
    struct registry *registry = kit_open_plain(&kit); /* anonymous: only pull is given */
    kit_set(&kit, "\"auth\":\"bearer\"");
    for (int i = 0; i < 5; i++) {
        assert_false(put(registry, &blob, NULL, &err));
        CHECK_ERR(&err, ERR_PUBLISH, "no credential of it is known: imgfactory login 127.0.0.1:");
        err_clear(&err);
    }
    assert_true(kit_count(&kit, "/token") <= 2);
    registry_close(registry);
}

static void a_token_service_that_gave_up_is_not_asked_again(void **state)
{
    (void)state;
    struct err err = {0};
    struct layout_blob blob = small_blob();
    struct registry *registry = kit_open_login(&kit);
    kit_set(&kit, "\"auth\":\"bearer\",\"password\":\"other\"");
    for (int i = 0; i < 5; i++) {
        assert_false(put(registry, &blob, NULL, &err));
        CHECK_ERR(&err, ERR_PUBLISH, "the token service: GET: HTTP status 401");
        err_clear(&err);
    }
    assert_int_equal(kit_count(&kit, "/token"), 1);
    registry_close(registry);
}

static void a_registry_token_is_sent_as_it_is(void **state)
{
    (void)state;
    struct registry_options options = kit_options(&kit);
    options.authfile = kit_authfile(&kit, "\"registrytoken\":\"canary-secret\"");
    check_put(kit_open(&kit, &options), "\"auth\":\"bearer\",\"given_token\":\"canary-secret\"", small_blob());
    assert_int_equal(kit_count(&kit, "/token"), 0);
    check_put_fails(kit_open(&kit, &options), "\"auth\":\"bearer\",\"given_token\":\"other\"", ERR_PUBLISH, "401");
    assert_int_equal(kit_count(&kit, "/token"), 0);
}

static void without_retries_everything_is_tried_once(void **state)
{
    (void)state;
    struct registry_options options = kit_options(&kit);
    options.retries = 0;
    check_put_fails(kit_open(&kit, &options),
                    "\"faults\":[{\"path\":\"uploads\",\"at\":0,\"do\":\"status\",\"code\":503}]", ERR_NETWORK,
                    "after 1 try");
    assert_int_equal(kit_count(&kit, "POST"), 1);
}

static void an_identity_token_goes_by_post_and_else_by_get(void **state)
{
    (void)state;
    struct registry_options options = kit_options(&kit);
    options.authfile = kit_authfile(&kit, "\"auth\":\"dXNlcjo=\",\"identitytoken\":\"canary-secret\"");
    check_put(kit_open(&kit, &options), "\"auth\":\"bearer\"", small_blob());
    assert_int_equal(kit_count(&kit, "POST./token"), 1);
    check_put(kit_open(&kit, &options),
              "\"auth\":\"bearer\",\"faults\":[{\"method\":\"POST\",\"path\":\"/token\",\"at\":0,\"do\":\"status\","
              "\"code\":405}]",
              small_blob());
    assert_int_equal(kit_count(&kit, "GET./token"), 1);
}

static void a_login_is_tried(void **state)
{
    (void)state;
    struct err err = {0};
    struct reference reference;
    struct registry_options options = kit_options(&kit);
    char user[] = "user", right[] = "canary-secret", wrong[] = "canary-x";
    struct credential good = {.user = user, .secret = right}, bad = {.user = user, .secret = wrong};
    static const char *const kinds[] = {"\"auth\":\"basic\"", "\"auth\":\"bearer\""};
    bool is_asked = false;
    kit_reference(&kit, kit.host, &reference);
    for (size_t i = 0; i < ARRAY_COUNT(kinds); i++) {
        kit_set(&kit, kinds[i]);
        CHECK_OK(registry_try_login(&options, kit.http, &reference, &good, &is_asked, &err), &err);
        assert_true(is_asked);
        assert_false(registry_try_login(&options, kit.http, &reference, &bad, &is_asked, &err));
        CHECK_ERR(&err, ERR_PUBLISH, "401");
        assert_null(strstr(err.text, "canary"));
        err_clear(&err);
    }
    kit_set(&kit, "");
    CHECK_OK(registry_try_login(&options, kit.http, &reference, &bad, &is_asked, &err), &err);
    assert_false(is_asked);
}

/* --- a credential goes only to its origin --- */

static void check_canary(void)
{
    assert_string_equal(kit_ask(&kit, "GET", "canary", ""), "0");
}

static void a_realm_on_another_host_gets_nothing_unless_it_is_listed(void **state)
{
    (void)state;
    const char *port = strrchr(kit.second, ':');
    const char *realm = arena_printf(&kit.arena, "\"auth\":\"bearer\",\"realm\":\"http://localhost%s/token\"", port);
    check_put_fails(kit_open_login(&kit), realm, ERR_PUBLISH, "a token service on another host");
    check_canary();
    struct registry_options options = kit_options(&kit);
    const char *items[] = {arena_printf(&kit.arena, "http://localhost%s", port)};
    struct strings origins = {items, 1, 1};
    options.token_origins = &origins;
    options.authfile = kit_authfile(&kit, KIT_PASSWORD);
    check_put(kit_open(&kit, &options), realm, small_blob());
    static const char *const bad[] = {"file:///etc/passwd", "http://user:x@127.0.0.1/token", "http://127.0.0.1/t#x"};
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++)
        check_put_fails(kit_open_login(&kit), arena_printf(&kit.arena, "\"auth\":\"bearer\",\"realm\":\"%s\"", bad[i]),
                        ERR_PUBLISH, "token service");
}

static void uploads_and_redirects_elsewhere_carry_no_credential(void **state)
{
    (void)state;
    static const char *const kinds[] = {"basic", "bearer"};
    struct layout_blob blob = big_blob();
    for (size_t i = 0; i < ARRAY_COUNT(kinds); i++) {
        struct err err = {0};
        struct registry *registry = kit_open_login(&kit);
        kit_set(&kit,
                arena_printf(&kit.arena, "\"auth\":\"%s\",\"location\":\"other\",\"redirect\":\"blobs\"", kinds[i]));
        CHECK_OK(put(registry, &blob, NULL, &err), &err);
        CHECK_OK(registry_get_blob(registry, kit.store, &blob.digest, blob.size_bytes, NULL, &err), &err);
        assert_int_equal(kit_count(&kit, "GET.second"), 1);
        check_canary();
        registry_close(registry);
    }
}

static void redirects_are_followed_but_not_without_end(void **state)
{
    (void)state;
    check_put(kit_open_plain(&kit),
              "\"faults\":[{\"method\":\"POST\",\"path\":\"uploads/$\",\"do\":\"status\",\"code\":307,\"headers\":{"
              "\"Location\":\"/v2/other/blobs/uploads/\"}},{\"method\":\"PUT\",\"path\":\"s1\",\"do\":\"status\","
              "\"code\":308,\"headers\":{\"Location\":\"/v2/other/blobs/uploads/s1?\"}}]",
              small_blob());
}

/* --- manifests --- */

#define MANIFEST "{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",\"layers\":[]}"
#define PUT_FAULT "\"faults\":[{\"method\":\"PUT\",\"path\":\"manifests\","

static bool put_manifest(struct registry *registry, struct err *err)
{
    bool is_missing;
    return registry_put_manifest(registry, "v1", OCI_MEDIA_MANIFEST, TEXT(MANIFEST), &is_missing, err);
}

static void a_manifest_survives_transient_faults_and_unclear_answers(void **state)
{
    (void)state;
    static const char *const faults[] = {PUT_FAULT "\"do\":\"lose\"}]",
                                         PUT_FAULT "\"do\":\"reset\"}]",
                                         PUT_FAULT "\"do\":\"status\",\"code\":500}]",
                                         PUT_FAULT "\"do\":\"status\",\"code\":401}]",
                                         PUT_FAULT "\"do\":\"digest\",\"value\":null}]",
                                         PUT_FAULT "\"do\":\"digest\",\"value\":\"sha256:00\"}]",
                                         PUT_FAULT
                                         "\"do\":\"forget\"},{\"method\":\"PUT\",\"path\":\"x\",\"do\":\"\"}]"};
    for (size_t i = 0; i < ARRAY_COUNT(faults); i++) {
        struct err err = {0};
        struct registry_manifest manifest;
        struct registry *registry = kit_open_plain(&kit);
        kit_set(&kit, faults[i]);
        CHECK_OK(put_manifest(registry, &err), &err);
        CHECK_OK(registry_get_manifest(registry, &kit.arena, "v1", &manifest, &err), &err);
        assert_true(manifest.is_found || i == 6);
        if (manifest.is_found) {
            assert_string_equal(manifest.bytes, MANIFEST);
            assert_string_equal(manifest.media_type, OCI_MEDIA_MANIFEST);
        }
        registry_close(registry);
    }
}

static void a_lost_reply_is_looked_at_before_another_put(void **state)
{
    (void)state;
    struct err err = {0};
    struct registry *registry = kit_open_plain(&kit);
    /* twice: libcurl itself sends again on a new connection when a kept one proves dead */
    kit_set(&kit, PUT_FAULT "\"do\":\"lose\"},{\"method\":\"PUT\",\"path\":\"manifests\",\"do\":\"lose\"}]");
    CHECK_OK(put_manifest(registry, &err), &err);
    CHECK_RANGE(kit_count(&kit, "PUT"), 1, 2);
    assert_int_equal(kit_count(&kit, "HEAD"), 1);
    kit_set(&kit, PUT_FAULT "\"at\":0,\"do\":\"status\",\"code\":409}]");
    assert_false(put_manifest(registry, &err));
    CHECK_ERR(&err, ERR_PUBLISH, "409");
    registry_close(registry);
}

static void wrong_bytes_by_digest_are_refused(void **state)
{
    (void)state;
    struct err err = {0};
    struct registry_manifest manifest;
    struct registry *registry = kit_open_plain(&kit);
    struct digest digest = digest_of(MANIFEST, strlen(MANIFEST));
    kit_set(&kit, "\"faults\":[{\"method\":\"GET\",\"path\":\"manifests\",\"at\":0,\"do\":\"status\",\"code\":200,"
                  "\"body\":\"{}\"}]");
    const char *name = arena_printf(&kit.arena, "sha256:%s", digest_hex(&digest).chars);
    assert_false(registry_get_manifest(registry, &kit.arena, name, &manifest, &err));
    CHECK_ERR(&err, ERR_TRUST, "expected sha256:");
    registry_close(registry);
}

static void missing_parts_are_told_apart_from_bad_manifests(void **state)
{
    (void)state;
    static const struct {
        const char *settings;
        bool is_missing;
    } cases[] = {
        {"", true},
        {"\"quay\":true", true},
        {PUT_FAULT "\"do\":\"status\",\"code\":400,\"body\":\"{\\\"errors\\\":[{\\\"code\\\":\\\"MANIFEST_INVALID\\\","
                   "\\\"detail\\\":{\\\"message\\\":\\\"bad schema\\\"}}]}\"}]",
         false},
        {PUT_FAULT "\"do\":\"status\",\"code\":413}]", false},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct err err = {0};
        struct layout_image image = kit_image(&kit, "m");
        struct registry *registry = kit_open_plain(&kit);
        bool is_missing = !cases[i].is_missing;
        kit_set(&kit, cases[i].settings);
        assert_false(registry_put_manifest(registry, "v1", OCI_MEDIA_INDEX, image.root_bytes, &is_missing, &err));
        assert_int_equal(err.kind, ERR_PUBLISH);
        assert_int_equal(is_missing, cases[i].is_missing);
        registry_close(registry);
        layout_image_close(&image);
    }
}

/* --- reading blobs --- */

static void a_broken_download_goes_on_where_it_was(void **state)
{
    (void)state;
    struct err err = {0};
    struct layout_blob blob = big_blob();
    struct registry *registry = kit_open_plain(&kit);
    kit_set(&kit, "\"faults\":[{\"method\":\"GET\",\"path\":\"blobs/sha\",\"do\":\"cut\"},{\"method\":\"GET\","
                  "\"path\":\"blobs/sha\",\"do\":\"cut\"}]");
    CHECK_OK(put(registry, &blob, NULL, &err), &err);
    CHECK_OK(registry_get_blob(registry, kit.store, &blob.digest, blob.size_bytes, NULL, &err), &err);
    assert_true(store_has_blob(kit.store, &blob.digest, blob.size_bytes));
    assert_int_equal(kit_count(&kit, "GET"), 3);
    registry_close(registry);
}

static void a_blob_of_another_size_than_was_said_is_refused(void **state)
{
    (void)state;
    struct err err = {0};
    struct layout_blob small = small_blob(), big = big_blob();
    struct registry *registry = kit_open_plain(&kit);
    kit_set(&kit, "");
    CHECK_OK(put(registry, &small, NULL, &err), &err);
    CHECK_OK(put(registry, &big, NULL, &err), &err);
    /* The bytes are the right ones: the digest tells nothing. */
    for (int more = -1; more <= 1; more += 2) {
        assert_false(
            registry_get_blob(registry, kit.store, &small.digest, small.size_bytes + (uint64_t)more, NULL, &err));
        CHECK_ERR(&err, ERR_TRUST, arena_printf(&kit.arena, "expected %d bytes, got 12", 12 + more));
        err_clear(&err);
    }
    /* More than can be an error's text is not read to its end. */
    assert_false(registry_get_blob(registry, kit.store, &big.digest, 1, NULL, &err));
    CHECK_ERR(&err, ERR_MALFORMED, "larger than the 65536 bytes that are allowed");
    registry_close(registry);
}

static void a_wrong_or_absent_blob_is_refused(void **state)
{
    (void)state;
    struct err err = {0};
    struct layout_blob blob = small_blob();
    struct registry *registry = kit_open_plain(&kit);
    bool is_found;
    kit_set(&kit, "");
    assert_false(registry_get_blob(registry, kit.store, &blob.digest, blob.size_bytes, NULL, &err));
    CHECK_ERR(&err, ERR_PUBLISH, "404");
    err_clear(&err);
    kit_set(&kit,
            "\"faults\":[{\"path\":\"blobs\",\"at\":0,\"do\":\"status\",\"code\":200,\"body\":\"a smell blob\"}]");
    assert_false(registry_get_blob(registry, kit.store, &blob.digest, blob.size_bytes, NULL, &err));
    CHECK_ERR(&err, ERR_TRUST, "expected sha256:");
    err_clear(&err);
    CHECK_OK(registry_has_blob(registry, &blob.digest, blob.size_bytes + 1, &is_found, &err), &err);
    assert_false(is_found);
    registry_close(registry);
}

/* Denied, or what no registry should say: nobody knows whether the blob is there. */
static void a_look_that_is_refused_is_an_error_and_no_absence(void **state)
{
    (void)state;
    static const int statuses[] = {400, 403, 501};
    struct layout_blob blob = small_blob();
    for (size_t i = 0; i < ARRAY_COUNT(statuses); i++) {
        struct err err = {0};
        struct text bytes;
        bool is_found;
        struct registry *registry = kit_open_plain(&kit);
        kit_set(&kit, arena_printf(&kit.arena,
                                   "\"faults\":[{\"path\":\"blobs\",\"at\":0,\"do\":\"status\",\"code\":%d,"
                                   "\"body\":\"{\\\"errors\\\":[{\\\"code\\\":\\\"DENIED\\\"}]}\"}]",
                                   statuses[i]));
        assert_false(registry_has_blob(registry, &blob.digest, blob.size_bytes, &is_found, &err));
        CHECK_ERR(&err, ERR_PUBLISH, "\"DENIED\"");
        assert_int_equal(err.detail, statuses[i]);
        err_clear(&err);
        assert_false(registry_get_document(registry, &kit.arena, &blob.digest, &is_found, &bytes, &err));
        CHECK_ERR(&err, ERR_PUBLISH, "\"DENIED\"");
        registry_close(registry);
    }
}

static void a_blob_that_is_gone_is_absent(void **state)
{
    (void)state;
    struct err err = {0};
    struct text bytes;
    bool is_found = true;
    struct layout_blob blob = small_blob();
    struct registry *registry = kit_open_plain(&kit);
    kit_set(&kit, "\"faults\":[{\"path\":\"blobs\",\"at\":0,\"do\":\"status\",\"code\":410}]");
    CHECK_OK(registry_has_blob(registry, &blob.digest, blob.size_bytes, &is_found, &err), &err);
    assert_false(is_found);
    is_found = true;
    CHECK_OK(registry_get_document(registry, &kit.arena, &blob.digest, &is_found, &bytes, &err), &err);
    assert_false(is_found);
    registry_close(registry);
}

/* --- referrers --- */

#define SUBJECT "sha256:2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881" /* of "x" */
#define SUBJECT_TAG "sha256-2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"

/* A manifest with a subject. */
static struct text referrer(const char *subject, const char *more)
{
    return text_of(arena_printf(&kit.arena,
                                "{\"schemaVersion\":2,\"mediaType\":\"" OCI_MEDIA_MANIFEST "\",\"layers\":[],"
                                "\"config\":{\"mediaType\":\"application/a.config\",\"digest\":\"" SUBJECT
                                "\",\"size\":1},%s\"subject\":{\"digest\":\"%s\",\"size\":1}}",
                                more, subject));
}

/* The same in the registry, with what it needs. */
static struct text put_referrer(struct registry *registry, const char *subject, const char *more)
{
    struct err err = {0};
    struct text manifest = referrer(subject, more);
    struct layout_blob config = kit_blob(&kit, "application/a.config", "x", 1);
    struct digest digest = digest_of(manifest.ptr, manifest.len);
    const char *name = arena_printf(&kit.arena, "sha256:%s", digest_hex(&digest).chars);
    bool is_missing;
    CHECK_OK(put(registry, &config, NULL, &err), &err);
    CHECK_OK(registry_put_manifest(registry, name, OCI_MEDIA_MANIFEST, manifest, &is_missing, &err), &err);
    return manifest;
}

static const char *entry_of(struct text manifest, const char *more)
{
    struct digest digest = digest_of(manifest.ptr, manifest.len);
    return arena_printf(&kit.arena,
                        "{\"mediaType\":\"" OCI_MEDIA_MANIFEST "\",\"digest\":\"sha256:%s\",\"size\":%zu,%s}",
                        digest_hex(&digest).chars, manifest.len, more);
}

static void artifacts_are_found_by_the_tag_of_their_subject(void **state)
{
    (void)state;
    struct err err = {0};
    struct registry_manifest index;
    struct registry *registry = kit_open_plain(&kit);
    kit_set(&kit, "");
    struct text named =
        put_referrer(registry, SUBJECT, "\"artifactType\":\"application/spdx+json\",\"annotations\":{\"a\":\"b\"},");
    struct text plain = put_referrer(registry, SUBJECT, "");
    unsigned before = kit_count(&kit, "PUT");
    for (int i = 0; i < 2; i++) /* again changes nothing */
        CHECK_OK(registry_attach(registry, OCI_MEDIA_MANIFEST, named, &err), &err);
    assert_int_equal(kit_count(&kit, "PUT"), before + 1);
    assert_int_equal(kit_count(&kit, "referrers"), 1);
    CHECK_OK(registry_attach(registry, OCI_MEDIA_MANIFEST, plain, &err), &err);
    CHECK_OK(registry_get_manifest(registry, &kit.arena, SUBJECT_TAG, &index, &err), &err);
    assert_string_equal(
        index.bytes,
        arena_printf(&kit.arena, "{\"schemaVersion\":2,\"mediaType\":\"" OCI_MEDIA_INDEX "\",\"manifests\":[%s,%s]}",
                     entry_of(named, "\"artifactType\":\"application/spdx+json\",\"annotations\":{\"a\":\"b\"}"),
                     entry_of(plain, "\"artifactType\":\"application/a.config\"")));
    registry_close(registry);
}

/* One who attaches, with a registry object of his own. */
struct attacher {
    struct registry *registry;
    struct text manifests[3];
    struct err err;
};

static void *attach_all(void *argument)
{
    struct attacher *attacher = argument;
    for (size_t i = 0; i < ARRAY_COUNT(attacher->manifests); i++) {
        if (!registry_attach(attacher->registry, OCI_MEDIA_MANIFEST, attacher->manifests[i], &attacher->err))
            break;
    }
    return NULL;
}

static void two_that_attach_at_once_lose_nothing(void **state)
{
    (void)state;
    struct err err = {0};
    struct registry_manifest index;
    struct attacher both[2] = {0};
    pthread_t threads[2];
    kit_set(&kit, "\"conditions\":true");
    for (int i = 0; i < 2; i++) {
        both[i].registry = kit_open_plain(&kit);
        for (int j = 0; j < 3; j++)
            both[i].manifests[j] = put_referrer(both[i].registry, SUBJECT,
                                                arena_printf(&kit.arena, "\"annotations\":{\"by\":\"%d-%d\"},", i, j));
    }
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, attach_all, &both[i]), 0);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    CHECK_OK(registry_get_manifest(both[0].registry, &kit.arena, SUBJECT_TAG, &index, &err), &err);
    for (int i = 0; i < 2; i++) {
        assert_string_equal(both[i].err.text, "");
        for (int j = 0; j < 3; j++)
            assert_non_null(strstr(index.bytes, arena_printf(&kit.arena, "{\"by\":\"%d-%d\"}", i, j)));
        registry_close(both[i].registry);
    }
}

static void with_the_referrers_api_or_without_a_subject_no_tag_is_written(void **state)
{
    (void)state;
    struct err err = {0};
    struct registry *registry = kit_open_plain(&kit);
    kit_set(&kit, "\"referrers\":true");
    CHECK_OK(registry_attach(registry, OCI_MEDIA_MANIFEST, text_of(MANIFEST), &err), &err);
    assert_int_equal(kit_count(&kit, "referrers"), 0);
    CHECK_OK(registry_attach(registry, OCI_MEDIA_MANIFEST, referrer(SUBJECT, ""), &err), &err);
    assert_int_equal(kit_count(&kit, "PUT"), 0);
    registry_close(registry);
}

static void that_there_is_no_referrers_api_is_asked_once_for_a_host(void **state)
{
    (void)state;
    struct err err = {0};
    struct registry_options options = kit_options(&kit);
    options.shared = registry_shared_new();
    kit_set(&kit, "");
    for (int i = 0; i < 3; i++) {
        struct registry *registry = kit_open(&kit, &options);
        CHECK_OK(registry_attach(registry, OCI_MEDIA_MANIFEST,
                                 put_referrer(registry, SUBJECT, i ? "\"artifactType\":\"a/b\"," : ""), &err),
                 &err);
        registry_close(registry);
    }
    assert_int_equal(kit_count(&kit, "referrers"), 1);
    kit_set(&kit, "\"referrers\":true"); /* one that lists by itself is asked all the same by who looks for something */
    struct registry *registry = kit_open(&kit, &options);
    struct digest subject = digest_of("x", 1);
    struct referrers referrers;
    CHECK_OK(registry_list_referrers(registry, &kit.arena, &subject, &referrers, &err), &err);
    assert_true(referrers.has_api);
    registry_close(registry);
    registry_shared_free(options.shared);
}

static void a_subjects_digest_makes_a_tag_or_nothing(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "sha256", "sha256:", ":a", "sha256:../x", "sha256:a/b", "SHA256:a", "-a:b"};
    struct err err = {0};
    struct registry_manifest index;
    struct registry *registry = kit_open_plain(&kit);
    kit_set(&kit, "");
    const char *longer = "a+b.c:aA=_-456789012345678901234567890123456789012345678901234567890123456789";
    CHECK_OK(registry_attach(registry, OCI_MEDIA_MANIFEST, put_referrer(registry, longer, ""), &err), &err);
    CHECK_OK(registry_get_manifest(registry, &kit.arena,
                                   "a-b.c-aA-_-45678901234567890123456789012345678901234567890123456789012", &index,
                                   &err),
             &err);
    assert_true(index.is_found);
    unsigned before = kit_count(&kit, "");
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
        assert_false(registry_attach(registry, OCI_MEDIA_MANIFEST, referrer(bad[i], ""), &err));
        CHECK_ERR(&err, ERR_MALFORMED, "subject without a digest");
        err_clear(&err);
    }
    assert_int_equal(kit_count(&kit, ""), before);
    registry_close(registry);
}

static void without_verification_off_plain_http_is_not_spoken(void **state)
{
    (void)state;
    struct registry_options options = kit_options(&kit);
    options.is_verify_off = false;
    options.retries = 1;
    check_put_fails(kit_open(&kit, &options), "", ERR_NETWORK, "127.0.0.1");
    assert_int_equal(kit_count(&kit, "POST"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_location_is_resolved_and_kept_byte_for_byte),
        cmocka_unit_test(a_location_that_may_mean_another_host_to_others_is_refused),
        cmocka_unit_test(private_addresses_are_known_in_any_spelling),
        cmocka_unit_test(a_blob_goes_with_one_post_and_one_put),
        cmocka_unit_test(a_big_blob_arrives_whole),
        cmocka_unit_test(an_empty_blob_arrives),
        cmocka_unit_test(any_transient_fault_of_an_upload_is_absorbed),
        cmocka_unit_test(a_put_whose_reply_was_lost_is_not_sent_again),
        cmocka_unit_test(a_lost_session_and_invalid_uploads_are_begun_anew),
        cmocka_unit_test(a_file_with_other_bytes_than_its_name_is_named),
        cmocka_unit_test(a_registry_without_put_gets_a_patch),
        cmocka_unit_test(too_large_bodies_go_in_chunks),
        cmocka_unit_test(chunks_survive_faults_and_short_acceptance),
        cmocka_unit_test(a_mount_saves_the_upload_and_a_refused_one_does_not_matter),
        cmocka_unit_test(permanent_refusals_fail_at_once_with_the_registrys_words),
        cmocka_unit_test(a_fault_that_lasts_ends_with_the_number_of_tries),
        cmocka_unit_test(cancelling_and_the_deadline_end_the_waiting),
        cmocka_unit_test(basic_is_sent_after_the_first_challenge_only),
        cmocka_unit_test(one_token_serves_all_that_a_push_needs),
        cmocka_unit_test(reading_asks_for_pull_until_the_first_write),
        cmocka_unit_test(a_spent_token_is_renewed_in_the_middle),
        cmocka_unit_test(the_token_service_is_tried_again_and_may_refuse),
        cmocka_unit_test(a_new_token_that_is_refused_is_final_for_all_requests),
        cmocka_unit_test(a_token_service_that_gave_up_is_not_asked_again),
        cmocka_unit_test(a_registry_token_is_sent_as_it_is),
        cmocka_unit_test(without_retries_everything_is_tried_once),
        cmocka_unit_test(an_identity_token_goes_by_post_and_else_by_get),
        cmocka_unit_test(a_login_is_tried),
        cmocka_unit_test(a_realm_on_another_host_gets_nothing_unless_it_is_listed),
        cmocka_unit_test(uploads_and_redirects_elsewhere_carry_no_credential),
        cmocka_unit_test(redirects_are_followed_but_not_without_end),
        cmocka_unit_test(a_manifest_survives_transient_faults_and_unclear_answers),
        cmocka_unit_test(a_lost_reply_is_looked_at_before_another_put),
        cmocka_unit_test(wrong_bytes_by_digest_are_refused),
        cmocka_unit_test(missing_parts_are_told_apart_from_bad_manifests),
        cmocka_unit_test(a_broken_download_goes_on_where_it_was),
        cmocka_unit_test(a_blob_of_another_size_than_was_said_is_refused),
        cmocka_unit_test(a_wrong_or_absent_blob_is_refused),
        cmocka_unit_test(a_look_that_is_refused_is_an_error_and_no_absence),
        cmocka_unit_test(a_blob_that_is_gone_is_absent),
        cmocka_unit_test(artifacts_are_found_by_the_tag_of_their_subject),
        cmocka_unit_test(two_that_attach_at_once_lose_nothing),
        cmocka_unit_test(with_the_referrers_api_or_without_a_subject_no_tag_is_written),
        cmocka_unit_test(that_there_is_no_referrers_api_is_asked_once_for_a_host),
        cmocka_unit_test(a_subjects_digest_makes_a_tag_or_nothing),
        cmocka_unit_test(without_verification_off_plain_http_is_not_spoken),
    };
    return cmocka_run_group_tests(tests, kit_set_up, kit_tear_down);
}
