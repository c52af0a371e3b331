/* SPDX-License-Identifier: Apache-2.0 */
/* Talks to call_server.py on loopback; each path there is one behaviour of a registry. */
#include "server.h"

#include "base/auto.h"
#include "io/file.h"
#include "io/http.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <time.h>

#define MIB ((size_t)1024 * 1024)
#define SECRET "Authorization: Bearer hunter2"

static char base[256];
static char origins[3][64]; /* plain, TLS, TLS with client certificates */
enum { PLAIN, TLS, MUTUAL };
static char *ca_pem;
static char client_cert[300], client_key[300];
static struct server server;
static struct http *http;
static struct store *store;

/* A CA, and two certificates of it. */
static bool make_certificates(void)
{
    char command[4000];
    struct err err = {0};
    struct buf pem = {0};
    static const char script[] =
        "set -e; cd '%s'; new='-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes'\n"
        "openssl req -x509 $new -subj /CN=test-ca -days 2 -keyout ca.key -out ca.pem\n"
        "printf 'subjectAltName=IP:127.0.0.1\\n' >san\n"
        "for who in server client; do\n"
        "  openssl req $new -subj /CN=$who -keyout $who.key -out $who.csr\n"
        "  openssl x509 -req -in $who.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile san -out $who.pem\n"
        "done";
    (void)snprintf(command, sizeof command, "exec 2>/dev/null >&2; ");
    (void)snprintf(command + strlen(command), sizeof command - strlen(command), script, base);
    (void)snprintf(client_cert, sizeof client_cert, "%s/client.pem", base);
    (void)snprintf(client_key, sizeof client_key, "%s/client.key", base);
    if (system(command) != 0)
        return false;
    (void)snprintf(command, sizeof command, "%s/ca.pem", base);
    if (!file_read_at(AT_FDCWD, command, 100000, &pem, &err))
        return false;
    ca_pem = pem.bytes;
    return true;
}

static bool start_server(void)
{
    if (!server_start(&server, "call_server.py", base))
        return false;
    for (int i = PLAIN; i <= MUTUAL; i++)
        (void)snprintf(origins[i], sizeof origins[i], "http%s://127.0.0.1:%d", i ? "s" : "", server.ports[i]);
    return server.ports[TLS] && server.ports[MUTUAL];
}

static int set_up(void **state)
{
    (void)state;
    struct err err = {0};
    (void)snprintf(base, sizeof base, "%s", check_temporary_dir());
    check_empty_home(base);
    struct http_options options = {.retry_base_ms = 5};
    return make_certificates() && start_server() && store_open(base, NULL, &store, &err) &&
                   http_start(&options, &http, &err)
               ? 0
               : -1;
}

static int tear_down(void **state)
{
    (void)state;
    char command[300];
    http_stop(http);
    store_close(store);
    free(ca_pem);
    server_stop(&server);
    (void)snprintf(command, sizeof command, "rm -rf '%s'", base);
    return system(command);
}

/* One call with what it points at. */
struct asked {
    char text[400];
    const char *url;
    const char *headers[4];
    struct http_tls tls;
    struct http_call call;
    struct http_request request;
};

static void asked_done(struct asked *asked)
{
    buf_done(&asked->request.body);
    buf_done(&asked->call.answer_headers);
}

#define ASKED(name) AUTO(asked_done) struct asked name = {0}

static void ask_at(struct asked *asked, int origin, const char *method, const char *path)
{
    (void)snprintf(asked->text, sizeof asked->text, "%s%s", origins[origin], path);
    asked->url = asked->text;
    asked->call.method = method;
    asked->call.headers = asked->headers;
    asked->request.urls = &asked->url;
    asked->request.url_count = 1;
    asked->request.cap_bytes = 100000;
    asked->request.call = &asked->call;
    if (origin != PLAIN) {
        asked->tls.ca_pem = ca_pem;
        asked->call.tls = &asked->tls;
    }
}

static void ask(struct asked *asked, const char *method, const char *path)
{
    ask_at(asked, PLAIN, method, path);
}

static void with_header(struct asked *asked, const char *line)
{
    asked->headers[asked->call.header_count++] = line;
}

static bool run(struct asked *asked)
{
    http_send(http, &asked->request);
    return http_wait(http, &asked->request);
}

#define CHECK_STATUS(asked, wanted)                                                                                    \
    do {                                                                                                               \
        CHECK_OK(run(&(asked)), &(asked).request.err);                                                                 \
        assert_int_equal((asked).request.status, wanted);                                                              \
    } while (0)

/* "METHOD LENGTH SHA256" as /echo says it. */
static void check_echo(const struct asked *asked, const char *method, const void *bytes, size_t len)
{
    char wanted[200];
    struct digest digest = digest_of(bytes, len);
    (void)snprintf(wanted, sizeof wanted, "%s %zu %s\n", method, len, digest_hex(&digest).chars);
    assert_memory_equal(asked->request.body.bytes, wanted, strlen(wanted));
}

static bool has_line(const struct asked *asked, const char *name)
{
    char wanted[100];
    (void)snprintf(wanted, sizeof wanted, "\n%s:", name);
    return strcasestr(asked->request.body.bytes, wanted) != NULL;
}

static char *pattern_new(size_t len)
{
    char *bytes = malloc(len);
    assert_non_null(bytes);
    for (size_t i = 0; i < len; i++)
        bytes[i] = (char)(i * 31 + i / 4096);
    return bytes;
}

/* A file of these bytes that has no name any more. */
static int file_of(const char *bytes, size_t len)
{
    struct err err = {0};
    int fd = open(base, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    CHECK_OK(file_write_all(fd, bytes, len, "file", &err), &err);
    return fd;
}

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void each_method_sends_its_body_with_its_length(void **state)
{
    (void)state;
    static const char *const methods[] = {"POST", "PUT", "PATCH", "DELETE"};
    for (size_t i = 0; i < ARRAY_COUNT(methods); i++) {
        ASKED(asked);
        ask(&asked, methods[i], "/echo");
        asked.call.body = TEXT("the body");
        with_header(&asked, "Content-Type: text/plain");
        CHECK_STATUS(asked, 200);
        check_echo(&asked, methods[i], "the body", 8);
        assert_non_null(strstr(asked.request.body.bytes, "\nContent-Type: text/plain"));
        assert_false(has_line(&asked, "expect"));
        assert_false(has_line(&asked, "transfer-encoding"));
        assert_true(asked.call.was_sent);
    }
}

static void an_empty_body_has_length_zero_and_no_type(void **state)
{
    (void)state;
    static const char *const methods[] = {"POST", "PUT", "PATCH"};
    for (size_t i = 0; i < ARRAY_COUNT(methods); i++) {
        ASKED(asked);
        ask(&asked, methods[i], "/echo");
        CHECK_STATUS(asked, 200);
        check_echo(&asked, methods[i], "", 0);
        assert_false(has_line(&asked, "content-type"));
        assert_false(has_line(&asked, "transfer-encoding"));
        assert_false(has_line(&asked, "expect"));
        assert_true(asked.call.was_sent);
    }
}

static void get_and_delete_without_body_have_no_length(void **state)
{
    (void)state;
    static const char *const methods[] = {"GET", "DELETE"};
    for (size_t i = 0; i < ARRAY_COUNT(methods); i++) {
        ASKED(asked);
        ask(&asked, methods[i], "/echo");
        with_header(&asked, "Accept: application/vnd.oci.image.index.v1+json");
        with_header(&asked, SECRET);
        CHECK_STATUS(asked, 200);
        assert_memory_equal(asked.request.body.bytes, methods[i], strlen(methods[i]));
        assert_false(has_line(&asked, "content-length"));
        assert_false(has_line(&asked, "accept-encoding"));
        assert_non_null(strstr(asked.request.body.bytes, "\nAccept: application/vnd.oci.image.index.v1+json"));
        assert_non_null(strstr(asked.request.body.bytes, "\n" SECRET));
        assert_true(asked.call.was_sent);
    }
}

static void head_gives_the_headers_and_no_body(void **state)
{
    (void)state;
    ASKED(asked);
    ask(&asked, "HEAD", "/answer/200/5000");
    CHECK_STATUS(asked, 200);
    assert_int_equal(asked.request.body.len, 0);
    assert_string_equal(asked.request.body.bytes, "");
    assert_non_null(strstr(asked.call.answer_headers.bytes, "Content-Length: 5000\n"));
}

static void five_mebibytes_go_from_a_descriptor_at_an_offset(void **state)
{
    (void)state;
    size_t len = 6 * MIB, offset = 777777, sent = 5 * MIB;
    AUTO(auto_free) char *bytes = pattern_new(len);
    AUTO(auto_close_fd) int fd = file_of(bytes, len);
    _Atomic uint64_t counter = 0;
    for (int has_secret = 0; has_secret < 2; has_secret++) {
        ASKED(asked);
        ask(&asked, "PUT", "/echo");
        asked.call.has_body_fd = true;
        asked.call.body_fd = fd;
        asked.call.body_offset = offset;
        asked.call.body_bytes = sent;
        asked.call.sent_counter = &counter;
        if (has_secret)
            with_header(&asked, SECRET);
        CHECK_STATUS(asked, 200);
        check_echo(&asked, "PUT", bytes + offset, sent);
        assert_int_equal(has_line(&asked, "expect"), !has_secret);
        assert_int_equal(counter, sent * (size_t)(has_secret + 1));
    }
    assert_int_equal(lseek(fd, 0, SEEK_CUR), len); /* only pread() */
}

static void a_file_that_ends_early_is_a_local_error(void **state)
{
    (void)state;
    AUTO(auto_close_fd) int fd = file_of("short", 5);
    ASKED(asked);
    ask(&asked, "PUT", "/echo");
    asked.call.has_body_fd = true;
    asked.call.body_fd = fd;
    asked.call.body_bytes = 6;
    assert_false(run(&asked));
    CHECK_ERR(&asked.request.err, ERR_LOCAL, "/echo: what is to be sent ended before its 6 bytes");
    assert_false(asked.call.was_sent);
    ASKED(closed);
    ask(&closed, "PUT", "/echo");
    closed.call.has_body_fd = true;
    closed.call.body_fd = -1;
    closed.call.body_bytes = 6;
    assert_false(run(&closed));
    CHECK_ERR(&closed.request.err, ERR_LOCAL, "cannot read");
}

static void every_status_is_a_result_and_asked_for_once(void **state)
{
    (void)state;
    static const int statuses[] = {200, 201, 202, 204, 206, 301, 400, 401, 404, 405, 408, 416, 425, 429, 500, 503, 504};
    for (size_t i = 0; i < ARRAY_COUNT(statuses); i++) {
        ASKED(asked);
        char path[100];
        (void)snprintf(path, sizeof path, "/answer/%d/%d", statuses[i], statuses[i] == 204 ? 0 : 5);
        ask(&asked, "POST", path);
        asked.call.body = TEXT("{}");
        asked.request.is_digest_known = statuses[i] >= 300; /* is that of the blob, not of the reason */
        asked.request.is_size_known = statuses[i] >= 300;
        asked.request.size_bytes = 90000;
        CHECK_STATUS(asked, statuses[i]);
        assert_string_equal(asked.request.body.bytes, statuses[i] == 204 ? "" : "xxxxx");
        assert_non_null(strstr(asked.call.answer_headers.bytes, "Retry-After: 7\n"));
        assert_ptr_equal(asked.request.url, asked.url);
    }
}

static void a_redirect_is_not_followed(void **state)
{
    (void)state;
    ASKED(asked);
    ask(&asked, "PUT", "/moved");
    asked.call.body = TEXT("body");
    with_header(&asked, SECRET);
    CHECK_STATUS(asked, 307);
    assert_non_null(strstr(asked.call.answer_headers.bytes, "Location: /echo\n"));
    assert_string_equal(asked.request.body.bytes, "there");
}

static void headers_are_those_of_the_last_answer_trimmed_unfolded_and_without_trailers(void **state)
{
    (void)state;
    ASKED(asked);
    ask(&asked, "POST", "/headers");
    CHECK_STATUS(asked, 201);
    assert_string_equal(asked.call.answer_headers.bytes, "Location: /v2/x?_state=a:b\nX-Folded: one two\nX-Empty: \n"
                                                         "Transfer-Encoding: chunked\n");
}

static void an_answer_before_the_body_was_sent_counts(void **state)
{
    (void)state;
    AUTO(auto_free) char *bytes = pattern_new(32 * MIB);
    static const int statuses[] = {401, 413, 503};
    for (size_t i = 0; i < 2 * ARRAY_COUNT(statuses); i++) {
        ASKED(asked);
        char path[100];
        _Atomic uint64_t counter = 0;
        (void)snprintf(path, sizeof path, "/early/%d", statuses[i / 2]);
        ask_at(&asked, i % 2 ? TLS : PLAIN, "PUT", path);
        with_header(&asked, SECRET); /* without it "100 Continue" is waited for */
        asked.call.body = (struct text){bytes, 32 * MIB};
        asked.call.sent_counter = &counter;
        CHECK_STATUS(asked, statuses[i / 2]);
        assert_non_null(strstr(asked.call.answer_headers.bytes, "WWW-Authenticate: Bearer\n"));
        assert_false(asked.call.was_sent);
        assert_int_equal(counter, 0);
    }
}

static void a_big_body_without_credentials_is_not_sent_when_it_is_refused(void **state)
{
    (void)state;
    AUTO(auto_free) char *bytes = pattern_new(2 * MIB);
    ASKED(asked);
    ask(&asked, "PUT", "/early/401");
    asked.call.body = (struct text){bytes, 2 * MIB};
    CHECK_STATUS(asked, 401);
    assert_false(asked.call.was_sent);
    ASKED(insisting);
    ask(&insisting, "PUT", "/echo");
    insisting.call.body = (struct text){bytes, 2 * MIB};
    with_header(&insisting, "Expect:");
    CHECK_STATUS(insisting, 200);
    assert_false(has_line(&insisting, "expect"));
}

static void a_lost_reply_says_that_the_request_was_sent(void **state)
{
    (void)state;
    AUTO(auto_free) char *bytes = pattern_new(2 * MIB);
    const struct text bodies[] = {TEXT(""), TEXT("small"), {bytes, 2 * MIB}};
    for (size_t i = 0; i < ARRAY_COUNT(bodies); i++) {
        ASKED(asked);
        _Atomic uint64_t counter = 0;
        ask(&asked, "PUT", "/lost");
        asked.call.body = bodies[i];
        asked.call.sent_counter = &counter;
        with_header(&asked, SECRET);
        assert_false(run(&asked));
        CHECK_ERR(&asked.request.err, ERR_NETWORK, "/lost");
        assert_null(strstr(asked.request.err.text, "hunter"));
        assert_int_equal(asked.request.err.detail, 0);
        assert_int_equal(asked.request.status, 0);
        assert_true(asked.call.was_sent);
        assert_int_equal(counter, 0);
    }
}

static void headers_that_break_off_are_no_answer(void **state)
{
    (void)state;
    ASKED(asked);
    ask(&asked, "POST", "/half-headers");
    assert_false(run(&asked));
    CHECK_ERR(&asked.request.err, ERR_NETWORK, "/half-headers");
    assert_int_equal(asked.request.status, 0);
    assert_true(asked.call.was_sent);
}

static void without_a_connection_nothing_was_sent(void **state)
{
    (void)state;
    ASKED(asked);
    ask(&asked, "POST", "");
    asked.url = "http://127.0.0.1:1/x";
    assert_false(run(&asked));
    CHECK_ERR(&asked.request.err, ERR_NETWORK, "127.0.0.1:1/x");
    assert_false(asked.call.was_sent);
    assert_null(strstr(asked.request.err.text, "tries"));
}

static void an_answer_that_breaks_off_fails_unless_it_is_a_refusal(void **state)
{
    (void)state;
    ASKED(good);
    ask(&good, "GET", "/broken/200");
    assert_false(run(&good));
    CHECK_ERR(&good.request.err, ERR_NETWORK, "/broken/200");
    assert_null(good.request.body.bytes);
    ASKED(refusal);
    ask(&refusal, "GET", "/broken/403");
    CHECK_STATUS(refusal, 403);
    assert_int_equal(refusal.request.body.len, 400);
}

static void an_answer_past_the_cap_is_malformed_but_a_long_refusal_is_cut(void **state)
{
    (void)state;
    ASKED(fits);
    ask(&fits, "GET", "/answer/200/1000");
    fits.request.cap_bytes = 1000;
    CHECK_STATUS(fits, 200);
    ASKED(longer);
    ask(&longer, "GET", "/answer/200/1001");
    longer.request.cap_bytes = 1000;
    assert_false(run(&longer));
    CHECK_ERR(&longer.request.err, ERR_MALFORMED, "larger than the 1000 bytes");
    ASKED(page);
    ask(&page, "GET", "/answer/404/1001");
    page.request.cap_bytes = 2;
    CHECK_STATUS(page, 404);
    assert_int_equal(page.request.body.len, 1001);
    ASKED(book);
    ask(&book, "GET", "/answer/500/300000");
    CHECK_STATUS(book, 500);
    assert_int_equal(book.request.body.len, 65536);
}

static void encoded_content_is_refused_but_not_the_status_of_a_refusal(void **state)
{
    (void)state;
    ASKED(good);
    ask(&good, "GET", "/encoded/200");
    assert_false(run(&good));
    CHECK_ERR(&good.request.err, ERR_MALFORMED, "encodes");
    ASKED(head);
    ask(&head, "HEAD", "/encoded/200");
    CHECK_STATUS(head, 200);
    ASKED(refusal);
    ask(&refusal, "GET", "/encoded/429");
    CHECK_STATUS(refusal, 429);
}

static void blobs_and_parts_of_blobs_go_to_the_store(void **state)
{
    (void)state;
    ASKED(whole);
    ASKED(part);
    _Atomic uint64_t counter = 0;
    ask(&whole, "GET", "/range");
    whole.request.cap_bytes = 200000;
    whole.request.store = store;
    whole.request.counter = &counter;
    CHECK_STATUS(whole, 200);
    assert_true(store_has_blob(store, &whole.request.blob_digest, 200000));
    assert_null(whole.request.body.bytes);
    assert_int_equal(counter, 200000);
    ask(&part, "GET", "/range");
    part.request.store = store;
    with_header(&part, "Range: bytes=150000-");
    CHECK_STATUS(part, 206);
    assert_true(store_has_blob(store, &part.request.blob_digest, 50000));
    assert_int_equal(part.request.received_bytes, 50000);
    assert_non_null(strstr(part.call.answer_headers.bytes, "Content-Range: bytes 150000-199999/200000\n"));
}

static void a_refusal_is_kept_in_the_body_even_with_a_store(void **state)
{
    (void)state;
    ASKED(asked);
    ask(&asked, "GET", "/answer/404/7");
    asked.request.store = store;
    CHECK_STATUS(asked, 404);
    assert_string_equal(asked.request.body.bytes, "xxxxxxx");
    assert_false(store_has_blob(store, &asked.request.blob_digest, 7));
}

static void wrong_bytes_for_the_store_are_a_matter_of_trust(void **state)
{
    (void)state;
    ASKED(asked);
    ask(&asked, "GET", "/answer/200/7");
    asked.request.store = store;
    asked.request.is_digest_known = true;
    asked.request.digest = digest_of("other", 5);
    assert_false(run(&asked));
    CHECK_ERR(&asked.request.err, ERR_TRUST, "expected sha256:");
}

static void what_came_before_a_break_is_kept_when_asked_for(void **state)
{
    (void)state;
    for (int is_asked = 0; is_asked < 2; is_asked++) {
        ASKED(asked);
        _Atomic uint64_t counter = 0;
        struct digest digest;
        char bytes[400];
        memset(bytes, 'x', sizeof bytes);
        digest = digest_of(bytes, sizeof bytes);
        ask(&asked, "GET", "/broken/206");
        asked.request.store = store;
        asked.request.counter = &counter;
        asked.call.is_part_kept = is_asked;
        assert_false(run(&asked));
        CHECK_ERR(&asked.request.err, ERR_NETWORK, "/broken/206");
        assert_int_equal(asked.call.has_part, is_asked);
        assert_int_equal(store_has_blob(store, &digest, 400), is_asked);
        assert_int_equal(counter, is_asked ? 400 : 0);
        assert_int_equal(digest_eq(&asked.request.blob_digest, &digest), is_asked);
    }
}

static void a_server_that_does_not_read_answer_or_go_on_is_left(void **state)
{
    (void)state;
    AUTO(auto_free) char *bytes = pattern_new(32 * MIB);
    ASKED(deaf);
    ASKED(mute);
    ASKED(drip);
    double begin = seconds_now();
    ask(&deaf, "PUT", "/deaf");
    deaf.call.body = (struct text){bytes, 32 * MIB};
    deaf.call.stall_ms = 400;
    with_header(&deaf, SECRET);
    ask(&mute, "PUT", "/hang");
    mute.call.body = TEXT("body");
    mute.call.answer_wait_ms = 400;
    ask(&drip, "GET", "/drip");
    drip.call.stall_ms = 400;
    http_send(http, &deaf.request);
    http_send(http, &mute.request);
    http_send(http, &drip.request);
    assert_false(http_wait(http, &deaf.request));
    CHECK_ERR(&deaf.request.err, ERR_NETWORK, "/deaf: no byte could be sent for 400 ms");
    assert_false(deaf.call.was_sent);
    assert_false(http_wait(http, &mute.request));
    CHECK_ERR(&mute.request.err, ERR_NETWORK, "/hang: no answer came for 400 ms");
    assert_true(mute.call.was_sent);
    assert_false(http_wait(http, &drip.request));
    CHECK_ERR(&drip.request.err, ERR_NETWORK, "/drip: the answer came too slowly");
    assert_true(seconds_now() - begin < 4);
}

static void big_bodies_to_one_host_are_few_at_a_time(void **state)
{
    (void)state;
    AUTO(auto_free) char *bytes = pattern_new(MIB + 1);
    static struct asked many[12];
    memset(many, 0, sizeof many);
    for (size_t i = 0; i < ARRAY_COUNT(many); i++) {
        ask(&many[i], "PUT", "/slow");
        many[i].call.body = (struct text){bytes, MIB + 1};
        http_send(http, &many[i].request);
    }
    for (size_t i = 0; i < ARRAY_COUNT(many); i++) {
        CHECK_OK(http_wait(http, &many[i].request), &many[i].request.err);
        assert_int_equal(many[i].request.status, 201);
        asked_done(&many[i]);
    }
    ASKED(most);
    ask(&most, "GET", "/most");
    CHECK_STATUS(most, 200);
    CHECK_RANGE(atoi(most.request.body.bytes), 2, 6);
}

static void a_patch_is_never_sent_twice(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        ASKED(warm);
        ASKED(asked);
        char wanted[16];
        ask(&warm, "GET", "/echo"); /* leaves a connection that resets on its second request */
        CHECK_STATUS(warm, 200);
        ask(&asked, "PATCH", "/count/patch");
        asked.call.body = TEXT("part");
        CHECK_STATUS(asked, 200);
        (void)snprintf(wanted, sizeof wanted, "%d", i + 1);
        assert_string_equal(asked.request.body.bytes, wanted);
    }
}

static void a_value_with_a_line_break_is_refused_and_not_shown(void **state)
{
    (void)state;
    ASKED(asked);
    ask(&asked, "GET", "/echo");
    with_header(&asked, "Authorization: Bearer hunter2\r\nX-Smuggled: 1");
    assert_false(run(&asked));
    CHECK_ERR(&asked.request.err, ERR_MALFORMED, "/echo: the value of header Authorization has a control byte");
    assert_null(strstr(asked.request.err.text, "hunter"));
}

static void other_schemes_and_user_info_are_refused(void **state)
{
    (void)state;
    static const char *const urls[] = {"file:///etc/hostname", "ftp://127.0.0.1/x", "dict://127.0.0.1/x"};
    for (size_t i = 0; i <= ARRAY_COUNT(urls); i++) {
        ASKED(asked);
        char with_user[300];
        (void)snprintf(with_user, sizeof with_user, "http://user:hunter2@%s/echo", origins[PLAIN] + strlen("http://"));
        ask(&asked, "GET", "");
        asked.url = i < ARRAY_COUNT(urls) ? urls[i] : with_user;
        assert_false(run(&asked));
        CHECK_ERR(&asked.request.err, ERR_NETWORK, "");
        assert_null(strstr(asked.request.err.text, "hunter"));
        assert_false(asked.call.was_sent);
    }
}

static void tls_with_a_ca_of_its_own_needs_that_ca(void **state)
{
    (void)state;
    AUTO(auto_free) char *bytes = pattern_new(2 * MIB);
    ASKED(small);
    ASKED(big);
    ASKED(unknown);
    ask_at(&small, TLS, "PUT", "/echo");
    small.call.body = TEXT("small");
    CHECK_STATUS(small, 200);
    check_echo(&small, "PUT", "small", 5);
    ask_at(&big, TLS, "PUT", "/echo");
    big.call.body = (struct text){bytes, 2 * MIB};
    CHECK_STATUS(big, 200);
    check_echo(&big, "PUT", bytes, 2 * MIB);
    ask_at(&unknown, TLS, "GET", "/echo");
    unknown.call.tls = NULL;
    assert_false(run(&unknown));
    CHECK_ERR(&unknown.request.err, ERR_TRUST, "certificate");
    assert_false(unknown.call.was_sent);
}

static void verification_is_off_only_where_asked(void **state)
{
    (void)state;
    ASKED(lax);
    ASKED(strict);
    ask_at(&lax, TLS, "GET", "/echo");
    lax.tls = (struct http_tls){.is_verify_off = true};
    CHECK_STATUS(lax, 200);
    ask_at(&strict, TLS, "GET", "/echo"); /* the connection of before must not be used again */
    strict.tls = (struct http_tls){0};
    assert_false(run(&strict));
    CHECK_ERR(&strict.request.err, ERR_TRUST, "certificate");
}

static void bad_ca_text_or_client_files_are_a_matter_of_trust(void **state)
{
    (void)state;
    ASKED(ca);
    ASKED(client);
    ask_at(&ca, TLS, "GET", "/echo");
    ca.tls.ca_pem = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    assert_false(run(&ca));
    CHECK_ERR(&ca.request.err, ERR_TRUST, "/echo");
    ask_at(&client, MUTUAL, "GET", "/echo");
    client.tls.cert_path = client.tls.key_path = "/nowhere.pem";
    assert_false(run(&client));
    CHECK_ERR(&client.request.err, ERR_TRUST, "/nowhere.pem");
}

static void a_client_certificate_is_shown_where_given(void **state)
{
    (void)state;
    ASKED(with);
    ASKED(without);
    ask_at(&without, MUTUAL, "GET", "/echo");
    assert_false(run(&without));
    CHECK_ERR(&without.request.err, ERR_NETWORK, "/echo"); /* of TLS 1.3 a late alert, or a reset */
    ask_at(&with, MUTUAL, "POST", "/echo");
    with.tls.cert_path = client_cert;
    with.tls.key_path = client_key;
    with.call.body = TEXT("body");
    CHECK_STATUS(with, 200);
    check_echo(&with, "POST", "body", 4);
}

static void a_cancelled_call_tells_whether_it_was_sent(void **state)
{
    (void)state;
    struct err err = {0};
    struct http *stopped = NULL;
    struct http_options options = {0};
    ASKED(asked);
    _Atomic uint64_t counter = 0;
    CHECK_OK(http_start(&options, &stopped, &err), &err);
    ask(&asked, "PUT", "/hang");
    asked.call.body = TEXT("body");
    asked.call.sent_counter = &counter;
    http_send(stopped, &asked.request);
    for (double begin = seconds_now(); counter != 4 && seconds_now() - begin < 5;)
        usleep(1000);
    http_stop(stopped);
    CHECK_ERR(&asked.request.err, ERR_CANCELLED, "/hang");
    assert_true(asked.call.was_sent);
    assert_int_equal(counter, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_method_sends_its_body_with_its_length),
        cmocka_unit_test(an_empty_body_has_length_zero_and_no_type),
        cmocka_unit_test(get_and_delete_without_body_have_no_length),
        cmocka_unit_test(head_gives_the_headers_and_no_body),
        cmocka_unit_test(five_mebibytes_go_from_a_descriptor_at_an_offset),
        cmocka_unit_test(a_file_that_ends_early_is_a_local_error),
        cmocka_unit_test(every_status_is_a_result_and_asked_for_once),
        cmocka_unit_test(a_redirect_is_not_followed),
        cmocka_unit_test(headers_are_those_of_the_last_answer_trimmed_unfolded_and_without_trailers),
        cmocka_unit_test(an_answer_before_the_body_was_sent_counts),
        cmocka_unit_test(a_big_body_without_credentials_is_not_sent_when_it_is_refused),
        cmocka_unit_test(a_lost_reply_says_that_the_request_was_sent),
        cmocka_unit_test(headers_that_break_off_are_no_answer),
        cmocka_unit_test(without_a_connection_nothing_was_sent),
        cmocka_unit_test(an_answer_that_breaks_off_fails_unless_it_is_a_refusal),
        cmocka_unit_test(an_answer_past_the_cap_is_malformed_but_a_long_refusal_is_cut),
        cmocka_unit_test(encoded_content_is_refused_but_not_the_status_of_a_refusal),
        cmocka_unit_test(blobs_and_parts_of_blobs_go_to_the_store),
        cmocka_unit_test(a_refusal_is_kept_in_the_body_even_with_a_store),
        cmocka_unit_test(wrong_bytes_for_the_store_are_a_matter_of_trust),
        cmocka_unit_test(what_came_before_a_break_is_kept_when_asked_for),
        cmocka_unit_test(a_server_that_does_not_read_answer_or_go_on_is_left),
        cmocka_unit_test(big_bodies_to_one_host_are_few_at_a_time),
        cmocka_unit_test(a_patch_is_never_sent_twice),
        cmocka_unit_test(a_value_with_a_line_break_is_refused_and_not_shown),
        cmocka_unit_test(other_schemes_and_user_info_are_refused),
        cmocka_unit_test(tls_with_a_ca_of_its_own_needs_that_ca),
        cmocka_unit_test(verification_is_off_only_where_asked),
        cmocka_unit_test(bad_ca_text_or_client_files_are_a_matter_of_trust),
        cmocka_unit_test(a_client_certificate_is_shown_where_given),
        cmocka_unit_test(a_cancelled_call_tells_whether_it_was_sent),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
