/* SPDX-License-Identifier: Apache-2.0 */
/* What a process that reads hostile bytes may be told to write to the broker, and what comes of it. The transfers that are
 * made in its place are in test_http.c. */
#include "check.h"

#include "base/auto.h"
#include "io/broker.h"
#include "io/http_serve.h"
#include "io/http_wire.h"
#include "registry/registry_remote.h"
#include "registry/registry_serve.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

struct place {
    struct arena arena;
    const char *top;
    struct log *log;
    struct broker *broker;
    struct http *http;
    struct confine_places confined;
};

static void fill_options(void *owner, struct http_options *ret_options)
{
    (void)owner;
    *ret_options = (struct http_options){.retry_count = HTTP_NO_RETRY};
}

static void serve(struct channel *channel, void *owner)
{
    struct http_serving serving = {.options = fill_options, .owner = owner};
    struct http_serve *network = http_serve_new(channel, &serving);
    struct registry_options options = {.retries = 0};
    struct registry_serve *registries = registry_serve_new(channel, network, &options, REGISTRY_PUSH);
    struct frame frame;
    while (channel_receive(channel, BROKER_FRAME_MAX_BYTES, &frame)) {
        if (!http_serve_take(network, &frame) && !registry_serve_take(registries, &frame))
            return;
        frame_done(&frame);
    }
}

static const char *make_file(struct place *place, const char *name, mode_t mode)
{
    const char *path = arena_printf(&place->arena, "%s/%s", place->top, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs("words", file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, mode), 0);
    return path;
}

static int set_up(void **state)
{
    struct place *place = calloc(1, sizeof *place);
    struct err err = {0};
    assert_non_null(place);
    place->top = arena_strdup(&place->arena, check_temporary_dir());
    place->log = log_open(LOG_QUIET);
    assert_int_equal(mkdir(arena_printf(&place->arena, "%s/told", place->top), 0700), 0);
    list_add(&place->arena, &place->confined.local, arena_printf(&place->arena, "%s/told", place->top));
    const char *cache = arena_printf(&place->arena, "%s/cache", place->top);
    assert_int_equal(mkdir(cache, 0700), 0);
    list_add(&place->arena, &place->confined.writable, cache);
    assert_true(broker_start(place->log, serve, NULL, &place->broker, &err));
    struct http_options options = {.broker = place->broker, .confined = &place->confined};
    assert_true(http_start(&options, &place->http, &err));
    *state = place;
    return 0;
}

static int tear_down(void **state)
{
    struct place *place = *state;
    char command[300];
    http_stop(place->http);
    broker_stop(place->broker);
    log_close(place->log);
    (void)snprintf(command, sizeof command, "rm -rf '%s'", place->top);
    arena_done(&place->arena);
    free(place);
    return system(command);
}

/* Asks for a file of this machine by its path. */
static bool get_file(struct place *place, const char *path, struct store *store, struct http_request *ret_request)
{
    const char **url = arena_new_array(&place->arena, const char *, 1);
    url[0] = arena_printf(&place->arena, "file://%s", path);
    *ret_request = (struct http_request){.urls = url, .url_count = 1, .cap_bytes = 100, .store = store};
    http_send(place->http, ret_request);
    return http_wait(place->http, ret_request);
}

static void a_file_is_read_where_the_call_may_and_nowhere_else(void **state)
{
    struct place *place = *state;
    struct http_request request;
    assert_true(get_file(place, make_file(place, "told/file", 0600), NULL, &request));
    assert_string_equal(request.body.bytes, "words");
    buf_done(&request.body);
    const char *private = make_file(place, "private", 0600);
    const char *const ways[] = {private,
                                arena_printf(&place->arena, "%s/told/../private", place->top),
                                arena_printf(&place->arena, "%s/told/%%2e%%2e/private", place->top),
                                arena_printf(&place->arena, "%s/told%%2f..%%2fprivate", place->top),
                                arena_printf(&place->arena, "//%s", private),
                                arena_printf(&place->arena, "%s?/told", private)};
    for (size_t i = 0; i < ARRAY_COUNT(ways); i++) {
        assert_false(get_file(place, ways[i], NULL, &request));
        CHECK_ERR(&request.err, ERR_USAGE, "that everybody may read");
    }
}

static const char *make_link(struct place *place, const char *name, const char *target)
{
    const char *path = arena_printf(&place->arena, "%s/%s", place->top, name);
    assert_int_equal(symlink(target, path), 0);
    return path;
}

/* Who reads hostile bytes can make links where it may write. */
static void a_link_leads_to_nothing_that_its_end_is_not(void **state)
{
    struct place *place = *state;
    struct http_request request;
    const char *private = make_file(place, "private", 0600), *file = make_file(place, "told/file", 0600);
    assert_false(get_file(place, make_link(place, "told/link", private), NULL, &request));
    CHECK_ERR(&request.err, ERR_USAGE, "that everybody may read");
    assert_false(get_file(place, make_link(place, "told/pipe", "/dev/zero"), NULL, &request));
    CHECK_ERR(&request.err, ERR_NETWORK, "no such file");
    assert_true(get_file(place, make_link(place, "link", file), NULL, &request));
    buf_done(&request.body);
}

static void a_link_in_a_cache_leads_into_no_other(void **state)
{
    struct place *place = *state;
    struct http_request request;
    struct store *store;
    struct err err = {0};
    struct digest digest = digest_of("words", 5);
    const char *file = make_file(place, "told/file", 0600);
    const char *other = arena_printf(&place->arena, "%s/other", place->top);
    assert_int_equal(mkdir(other, 0700), 0);
    CHECK_OK(store_open(make_link(place, "cache/link", other), NULL, &store, &err), &err);
    bool is_got = get_file(place, file, store, &request);
    if (syscall(SYS_landlock_create_ruleset, NULL, (size_t)0, 1u) >= 2)
        assert_false(is_got || store_has(store, &digest));
    store_close(store);
}

static void no_later_word_changes_what_the_call_may(void **state)
{
    struct place *place = *state;
    struct http_request request;
    struct confine_places more = {0};
    const char *private = make_file(place, "private", 0600);
    list_add(&place->arena, &more.local, "/");
    broker_seal(place->broker, &more);
    assert_false(get_file(place, private, NULL, &request));
    CHECK_ERR(&request.err, ERR_USAGE, "that everybody may read");
}

static void blobs_go_into_a_cache_of_the_call_and_no_other(void **state)
{
    struct place *place = *state;
    struct http_request request;
    struct err err = {0};
    const char *names[] = {"cache", "other"}, *file = make_file(place, "told/file", 0600);
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        struct store *store;
        CHECK_OK(store_open(arena_printf(&place->arena, "%s/%s", place->top, names[i]), NULL, &store, &err), &err);
        assert_int_equal(get_file(place, file, store, &request), i == 0);
        struct digest digest = digest_of("words", 5);
        assert_int_equal(store_has(store, &digest), i == 0);
        store_close(store);
    }
    CHECK_ERR(&request.err, ERR_INTERNAL, "is no cache of this call");
}

static void what_is_no_request_is_answered_and_changes_nothing(void **state)
{
    struct place *place = *state;
    struct http_request request;
    struct err err = {0};
    static const enum broker_frame kinds[] = {BROKER_HTTP, BROKER_REGISTRY_OPEN, BROKER_REGISTRY_EXCHANGE};
    static const char junk[300] = {1, 0, 0, 0, 0, 0, 0, 0, 0x7f, 0x7f};
    broker_say(place->broker, BROKER_REGISTRY_CLOSE, (struct text){junk, 8});
    broker_say(place->broker, BROKER_REGISTRY_PUSHES, (struct text){junk, 3});
    for (size_t i = 0; i < 3 * sizeof junk; i += 7) {
        struct frame answer = {.fd = -1};
        struct broker_call call = {.kind = kinds[i % ARRAY_COUNT(kinds)], .bytes = {junk, i / 3}, .fd = -1};
        CHECK_OK(broker_call(place->broker, &call, &answer, &err), &err);
        assert_int_equal(answer.bytes.len, 0);
        frame_done(&answer);
    }
    assert_true(get_file(place, make_file(place, "told/file", 0600), NULL, &request));
    buf_done(&request.body);
}

static void a_broker_that_ends_fails_what_is_asked(void **state)
{
    struct place *place = *state;
    struct http_request request;
    struct err err = {0};
    struct frame answer = {.fd = -1};
    const char *file = make_file(place, "told/file", 0600);
    struct broker_call call = {.kind = BROKER_LOG, .bytes = {"", 0}, .fd = -1};
    assert_false(broker_call(place->broker, &call, &answer, &err));
    CHECK_ERR(&err, ERR_LOCAL, "the process that holds network and credentials ended");
    assert_false(get_file(place, file, NULL, &request));
    CHECK_ERR(&request.err, ERR_LOCAL, "the process that holds network and credentials ended");
}

static bool open_repository(struct place *place, const char *host, struct registry_options *options,
                            struct registry **ret_registry, struct err *err)
{
    struct reference reference = {.host = host, .api_host = "elsewhere.invalid", .repository = "ns/image"};
    *options = (struct registry_options){.broker = place->broker};
    return registry_open(options, place->http, &reference, REGISTRY_PULL, ret_registry, err);
}

static void where_a_registry_is_follows_from_its_name_alone(void **state)
{
    struct place *place = *state;
    struct registry_options options;
    struct registry *registry;
    struct err err = {0};
    struct exchange exchange = {.method = "GET", .path = "manifests/v1"};
    CHECK_OK(open_repository(place, "127.0.0.1:1", &options, &registry, &err), &err);
    assert_false(registry_exchange(registry, &exchange, &err));
    CHECK_ERR(&err, ERR_NETWORK, "127.0.0.1:1/v2/ns/image/manifests/v1"); /* and not elsewhere.invalid */
    exchange_done(&exchange);
    registry_close(registry);
}

static void nothing_is_opened_for_more_than_the_call_may_want(void **state)
{
    struct place *place = *state;
    struct registry_options options = {.broker = place->broker};
    struct reference reference = {.host = "127.0.0.1:1", .api_host = "127.0.0.1:1", .repository = "ns/image"};
    struct registry *registry;
    struct err err = {0};
    CHECK_OK(registry_open(&options, place->http, &reference, REGISTRY_PUSH, &registry, &err), &err);
    registry_close(registry);
    assert_false(registry_open(&options, place->http, &reference, REGISTRY_DELETE, &registry, &err));
    CHECK_ERR(&err, ERR_INTERNAL, "refuses a request");
}

static void an_exchange_beyond_what_was_opened_is_refused(void **state)
{
    struct place *place = *state;
    struct registry_options options;
    struct registry *registry;
    struct err err = {0};
    static const struct exchange wrong[] = {
        {.method = "DELETE", .path = "manifests/v1", .access = REGISTRY_DELETE},
        {.method = "BREW", .path = "manifests/v1"},
        {.method = "GET", .path = "manifests/v1", .body = {"body", 4}},
        {.method = "GET", .path = "manifests/v1", .headers = {"no name"}, .header_count = 1},
        {.method = "GET", .path = "manifests/v1", .headers = {"Content-Length: 3"}, .header_count = 1},
        {.method = "GET", .path = "manifests/v1", .headers = {"Host: two.invalid"}, .header_count = 1},
        {.method = "GET", .path = "manifests/../../../api/tokens"},
        {.method = "GET", .path = "manifests/%2e%2e/x"},
        {.method = "GET", .path = "api/tokens"},
        {.method = "GET", .path = "_catalog", .is_root = true},
        {.method = "GET", .url = "http://127.0.0.1:1/api/tokens"},
        {.method = "DELETE", .path = "manifests/v1"},
        {.method = "POST", .path = "blobs/uploads/"},
        {.method = "PUT", .path = "manifests/v1", .body = {"{}", 2}},
        {.method = "GET", .path = "manifests/v1", .url = "https://two.invalid/"},
        {.method = "GET"},
    };
    CHECK_OK(open_repository(place, "127.0.0.1:1", &options, &registry, &err), &err);
    for (size_t i = 0; i < ARRAY_COUNT(wrong); i++) {
        struct exchange exchange = wrong[i];
        assert_false(registry_remote_exchange(registry, &exchange, SENDING_WHOLE, &err));
        CHECK_ERR(&err, ERR_INTERNAL, "refuses a request");
        err_clear(&err);
        exchange_done(&exchange);
    }
    registry->remote++;
    struct exchange exchange = {.method = "GET", .path = "manifests/v1"};
    assert_false(registry_remote_exchange(registry, &exchange, SENDING_WHOLE, &err));
    CHECK_ERR(&err, ERR_INTERNAL, "refuses a request");
    registry_close(registry);
}

static void only_where_an_answer_leads_a_session_goes_on(void **state)
{
    struct place *place = *state;
    struct registry_options options = {.broker = place->broker};
    struct reference reference = {.host = "127.0.0.1:1", .api_host = "127.0.0.1:1", .repository = "ns/image"};
    struct registry *registry;
    struct err err = {0};
    static const struct exchange wrong[] = {
        {.method = "PUT", .url = "http://127.0.0.1:1/v2/ns/image/blobs/uploads/1", .access = REGISTRY_PUSH},
        {.method = "POST", .url = "http://127.0.0.1:1/v2/ns/image/blobs/uploads/", .access = REGISTRY_PUSH},
        {.method = "POST", .path = "manifests/v1", .access = REGISTRY_PUSH},
        {.method = "PUT", .path = "blobs/uploads/", .access = REGISTRY_PUSH},
        {.method = "DELETE", .path = "manifests/v1", .access = REGISTRY_PUSH},
    };
    CHECK_OK(registry_open(&options, place->http, &reference, REGISTRY_PUSH, &registry, &err), &err);
    for (size_t i = 0; i < ARRAY_COUNT(wrong); i++) {
        struct exchange exchange = wrong[i];
        assert_false(registry_remote_exchange(registry, &exchange, SENDING_WHOLE, &err));
        CHECK_ERR(&err, ERR_INTERNAL, "refuses a request");
        err_clear(&err);
        exchange_done(&exchange);
    }
    registry_close(registry);
}

/* A request with all that one can have. */
static void put_request(struct wire_writer *writer)
{
    const char *url = "https://example.invalid/v2/", *naming = "n";
    struct checksum sha512 = checksum_of(CHECKSUM_SHA512, "x", 1);
    struct http_access access = {.tls = {.ca_file = "/ca", .ca_pem = "pem", .key_path = "/k"},
                                 .user = "u",
                                 .password = "p",
                                 .proxy = "http://proxy"};
    struct http_version version = {.etag = "\"1\""};
    struct http_request request = {.urls = &url,
                                   .url_count = 1,
                                   .cap_bytes = 100,
                                   .sha512 = &sha512,
                                   .naming = naming,
                                   .access = &access,
                                   .version = &version};
    wire_begin(writer, BROKER_FRAME_MAX_BYTES);
    http_wire_put_request(writer, &request);
}

static bool read_request(struct text bytes)
{
    struct wire_reader reader = {bytes, false};
    struct http_wired *wired = calloc(1, sizeof *wired);
    assert_non_null(wired);
    bool is_good = http_wire_get_request(&reader, wired);
    if (is_good) {
        assert_string_equal(wired->request.urls[0], "https://example.invalid/v2/");
        assert_string_equal(wired->access.password, "p");
        assert_string_equal(wired->access.tls.key_path, "/k");
    }
    arena_done(&wired->arena);
    free(wired);
    return is_good;
}

static void a_request_that_breaks_off_or_goes_on_is_none(void **state)
{
    (void)state;
    AUTO(wire_done) struct wire_writer writer;
    put_request(&writer);
    struct text whole = buf_text(&writer.bytes);
    assert_true(read_request(whole));
    for (size_t len = 0; len < whole.len; len++)
        assert_false(read_request((struct text){whole.ptr, len}));
    wire_put(&writer, 0);
    assert_false(read_request(buf_text(&writer.bytes)));
}

static void a_request_with_any_number_replaced_is_read_within_bounds(void **state)
{
    (void)state;
    static const uint64_t values[] = {0, 1, UINT64_MAX, UINT64_MAX - 1, (uint64_t)1 << 62, 511};
    AUTO(wire_done) struct wire_writer writer;
    put_request(&writer);
    struct text whole = buf_text(&writer.bytes);
    for (size_t at = 0; at + sizeof values[0] <= whole.len; at++) {
        for (size_t i = 0; i < ARRAY_COUNT(values); i++) {
            struct arena arena = {0};
            char *copy = arena_strndup(&arena, whole.ptr, whole.len);
            struct wire_reader reader = {{copy, whole.len}, false};
            struct http_wired *wired = calloc(1, sizeof *wired);
            assert_non_null(wired);
            memcpy(copy + at, &values[i], sizeof values[i]);
            (void)!http_wire_get_request(&reader, wired); /* asan and the arena's own abort judge */
            arena_done(&wired->arena);
            arena_done(&arena);
            free(wired);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_file_is_read_where_the_call_may_and_nowhere_else, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_link_leads_to_nothing_that_its_end_is_not, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_link_in_a_cache_leads_into_no_other, set_up, tear_down),
        cmocka_unit_test_setup_teardown(no_later_word_changes_what_the_call_may, set_up, tear_down),
        cmocka_unit_test_setup_teardown(blobs_go_into_a_cache_of_the_call_and_no_other, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_no_request_is_answered_and_changes_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_broker_that_ends_fails_what_is_asked, set_up, tear_down),
        cmocka_unit_test_setup_teardown(where_a_registry_is_follows_from_its_name_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nothing_is_opened_for_more_than_the_call_may_want, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_exchange_beyond_what_was_opened_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(only_where_an_answer_leads_a_session_goes_on, set_up, tear_down),
        cmocka_unit_test(a_request_that_breaks_off_or_goes_on_is_none),
        cmocka_unit_test(a_request_with_any_number_replaced_is_read_within_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
