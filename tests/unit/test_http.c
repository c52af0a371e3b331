/* SPDX-License-Identifier: Apache-2.0 */
/* Talks to fault_server.py on loopback; each path there is one fault. Back-off starts at 5 ms here. */
#include "server.h"

#include "base/auto.h"
#include "base/workers.h"
#include "io/broker.h"
#include "io/http.h"
#include "io/http_serve.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

static char origin[64]; /* http://127.0.0.1:PORT */
static int tls_port;    /* 0 where no certificate could be made */
static char base[256];
static struct server server;
static struct http *http;
static struct store *store;
static struct broker *broker; /* in the second round */
static struct log *quiet;     /* likewise */

static int start_server(void)
{
    char certificate[300], command[2000];
    (void)snprintf(certificate, sizeof certificate, "%s/self-signed.pem", base);
    (void)snprintf(command, sizeof command,
                   "openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1 "
                   "-keyout '%s' -out '%s.cert' 2>/dev/null && cat '%s.cert' >>'%s'",
                   certificate, certificate, certificate, certificate);
    if (system(command) != 0)
        (void)unlink(certificate);
    bool is_up = server_start(&server, "fault_server.py", certificate);
    tls_port = server.ports[1];
    (void)snprintf(origin, sizeof origin, "http://127.0.0.1:%d", server.ports[0]);
    return is_up ? 0 : -1;
}

static int set_up(void **state)
{
    (void)state;
    struct err err = {0};
    (void)snprintf(base, sizeof base, "%s", check_temporary_dir());
    check_empty_home(base);
    struct http_options options = {.retry_base_ms = 5};
    if (start_server() != 0 || !store_open(base, NULL, &store, &err) || !http_start(&options, &http, &err))
        return -1;
    return 0;
}

static void fill_options(void *owner, struct http_options *ret_options)
{
    (void)owner;
    *ret_options = (struct http_options){.retry_base_ms = 5};
}

static void serve(struct channel *channel, void *owner)
{
    struct http_serving serving = {.options = fill_options, .owner = owner};
    struct http_serve *network = http_serve_new(channel, &serving);
    struct frame frame;
    while (channel_receive(channel, BROKER_FRAME_MAX_BYTES, &frame)) {
        assert_true(http_serve_take(network, &frame));
        frame_done(&frame);
    }
}

/* All is asked of another process, which may read and write below the temporary directory. */
static int set_up_broker(void **state)
{
    static struct arena arena;
    static struct confine_places places;
    struct err err = {0};
    quiet = log_open(LOG_QUIET);
    if (set_up(state) != 0 || !broker_start(quiet, serve, NULL, &broker, &err))
        return -1;
    http_stop(http);
    list_add(&arena, &places.writable, base);
    list_add(&arena, &places.local, base);
    struct http_options options = {.broker = broker, .confined = &places};
    return http_start(&options, &http, &err) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    char command[300];
    http_stop(http);
    broker_stop(broker);
    broker = NULL;
    if (quiet)
        log_close(quiet);
    quiet = NULL;
    store_close(store);
    server_stop(&server);
    (void)snprintf(command, sizeof command, "rm -rf '%s'", base);
    return system(command);
}

/* One request with its URLs; the text of the URLs lives here. */
struct asked {
    char texts[3][400];
    const char *urls[3];
    struct http_request request;
};

static void ask_url(struct asked *asked, const char *url)
{
    size_t i = asked->request.url_count++;
    (void)snprintf(asked->texts[i], sizeof asked->texts[i], "%s", url);
    asked->urls[i] = asked->texts[i];
    asked->request.urls = asked->urls;
    if (!asked->request.cap_bytes)
        asked->request.cap_bytes = 100000;
}

static void ask(struct asked *asked, const char *path)
{
    char url[400];
    (void)snprintf(url, sizeof url, "%s%s", origin, path);
    ask_url(asked, url);
}

static bool get(struct asked *asked)
{
    http_send(http, &asked->request);
    return http_wait(http, &asked->request);
}

static void asked_done(struct asked *asked)
{
    buf_done(&asked->request.body);
}

#define ASKED(name) AUTO(asked_done) struct asked name = {0}

static struct digest digest_of_x(size_t len)
{
    char bytes[5000];
    assert_true(len <= sizeof bytes);
    memset(bytes, 'x', len);
    return digest_of(bytes, len);
}

static void expect_x(struct asked *asked, size_t len)
{
    asked->request.is_digest_known = asked->request.is_size_known = true;
    asked->request.digest = digest_of_x(len);
    asked->request.size_bytes = len;
}

/* How often a path with a key was asked for. */
static int tries_of(const char *path)
{
    ASKED(asked);
    char whole[200];
    (void)snprintf(whole, sizeof whole, "/tries%s", path);
    ask(&asked, whole);
    assert_true(get(&asked));
    return atoi(asked.request.body.bytes);
}

static size_t thread_count(void)
{
    size_t count = 0;
    DIR *tasks = opendir("/proc/self/task");
    assert_non_null(tasks);
    while (readdir(tasks))
        count++;
    assert_int_equal(closedir(tasks), 0);
    return count - 2; /* . and .. */
}

static void no_thread_runs_before_the_first_request(void **state)
{
    (void)state;
    struct http *idle;
    struct http_options options = {0};
    struct err err = {0};
    size_t before = thread_count();
    CHECK_OK(http_start(&options, &idle, &err), &err);
    assert_int_equal(thread_count(), before);
    char url[128];
    (void)snprintf(url, sizeof url, "%s/ok/1", origin);
    const char *const urls[] = {url};
    struct http_request request = {.urls = urls, .url_count = 1, .cap_bytes = 100};
    http_send(idle, &request);
    CHECK_OK(http_wait(idle, &request), &request.err);
    assert_true(thread_count() > before);
    buf_done(&request.body);
    http_stop(idle);
    CHECK_OK(http_start(&options, &idle, &err), &err);
    http_stop(idle); /* without a request */
}

static void a_body_comes_with_its_digest(void **state)
{
    (void)state;
    ASKED(asked);
    ask(&asked, "/ok/3000");
    expect_x(&asked, 3000);
    CHECK_OK(get(&asked), &asked.request.err);
    assert_int_equal(asked.request.body.len, 3000);
    assert_int_equal(asked.request.received_bytes, 3000);
    assert_int_equal(asked.request.status, 200);
    assert_ptr_equal(asked.request.url, asked.urls[0]);
    assert_true(digest_eq(&asked.request.digest, &asked.request.blob_digest));
}

static void a_blob_goes_to_the_store(void **state)
{
    (void)state;
    ASKED(asked);
    _Atomic uint64_t counter = 0;
    ask(&asked, "/ok/4000");
    expect_x(&asked, 4000);
    asked.request.store = store;
    asked.request.counter = &counter;
    CHECK_OK(get(&asked), &asked.request.err);
    assert_true(store_has_blob(store, &asked.request.digest, 4000));
    assert_null(asked.request.body.bytes);
    assert_int_equal(counter, 4000);
}

static void an_empty_answer_is_an_empty_body_and_an_empty_blob(void **state)
{
    (void)state;
    ASKED(body);
    ASKED(blob);
    ask(&body, "/ok/0");
    ask(&blob, "/ok/0");
    expect_x(&blob, 0);
    blob.request.store = store;
    CHECK_OK(get(&body), &body.request.err);
    assert_string_equal(body.request.body.bytes, "");
    CHECK_OK(get(&blob), &blob.request.err);
    assert_true(store_has_blob(store, &blob.request.blob_digest, 0));
}

static void a_404_is_final_and_has_its_status(void **state)
{
    (void)state;
    ASKED(asked);
    ask(&asked, "/flaky/404/9/a");
    assert_false(get(&asked));
    CHECK_ERR(&asked.request.err, ERR_NETWORK, "HTTP status 404");
    CHECK_ERR(&asked.request.err, ERR_NETWORK, "/flaky/404/9/a");
    assert_int_equal(asked.request.err.detail, 404);
    assert_int_equal(asked.request.status, 404);
    assert_int_equal(tries_of("/flaky/404/9/a"), 1);
}

static void a_transient_status_is_tried_again(void **state)
{
    (void)state;
    static const int statuses[] = {408, 425, 429, 500, 502, 503, 504};
    for (size_t i = 0; i < ARRAY_COUNT(statuses); i++) {
        ASKED(asked);
        char path[100];
        (void)snprintf(path, sizeof path, "/flaky/%d/2/b", statuses[i]);
        ask(&asked, path);
        expect_x(&asked, 5);
        CHECK_OK(get(&asked), &asked.request.err);
        assert_int_equal(tries_of(path), 3);
    }
}

static void a_transient_status_that_stays_fails_after_five_tries(void **state)
{
    (void)state;
    ASKED(asked);
    ask(&asked, "/flaky/503/99/c");
    assert_false(get(&asked));
    CHECK_ERR(&asked.request.err, ERR_NETWORK, "after 5 tries");
    CHECK_ERR(&asked.request.err, ERR_NETWORK, "HTTP status 503");
    assert_int_equal(asked.request.err.detail, 503);
    assert_int_equal(tries_of("/flaky/503/99/c"), 5);
}

static void a_connection_that_is_cut_or_reset_is_tried_again_and_counted_once(void **state)
{
    (void)state;
    ASKED(cut);
    ASKED(reset);
    _Atomic uint64_t counter = 0;
    ask(&cut, "/cut/1/d");
    expect_x(&cut, 1000);
    cut.request.store = store;
    cut.request.counter = &counter;
    CHECK_OK(get(&cut), &cut.request.err);
    assert_int_equal(counter, 1000);
    assert_int_equal(tries_of("/cut/1/d"), 2);
    ask(&reset, "/reset/2/d");
    expect_x(&reset, 5);
    CHECK_OK(get(&reset), &reset.request.err);
}

static void a_connection_that_is_always_cut_is_a_network_error(void **state)
{
    (void)state;
    ASKED(asked);
    _Atomic uint64_t counter = 0;
    ask(&asked, "/cut/99/e");
    asked.request.counter = &counter;
    assert_false(get(&asked));
    CHECK_ERR(&asked.request.err, ERR_NETWORK, "/cut/99/e");
    assert_int_equal(tries_of("/cut/99/e"), 5);
    assert_int_equal(counter, 0);
    assert_null(asked.request.body.bytes);
}

static void nothing_listens_is_a_network_error(void **state)
{
    (void)state;
    ASKED(asked);
    ask_url(&asked, "http://127.0.0.1:1/x");
    assert_false(get(&asked));
    CHECK_ERR(&asked.request.err, ERR_NETWORK, "127.0.0.1:1/x");
    assert_int_equal(asked.request.err.detail, 0);
    assert_int_equal(asked.request.status, 0);
}

static void wrong_bytes_are_a_matter_of_trust_and_not_tried_again(void **state)
{
    (void)state;
    for (int in_store = 0; in_store < 2; in_store++) {
        ASKED(asked);
        ask(&asked, "/flaky/200/9/f");
        expect_x(&asked, 5);
        asked.request.digest = digest_of("other", 5);
        asked.request.store = in_store ? store : NULL;
        assert_false(get(&asked));
        CHECK_ERR(&asked.request.err, ERR_TRUST, "/flaky/200/9/f");
        CHECK_ERR(&asked.request.err, ERR_TRUST, digest_hex(&asked.request.digest).chars);
        assert_int_equal(tries_of("/flaky/200/9/f"), 1 + in_store);
        assert_false(store_has_blob(store, &asked.request.digest, 5));
    }
}

static void a_page_in_place_of_the_file_is_hinted_at(void **state)
{
    (void)state;
    ASKED(asked);
    ask(&asked, "/html");
    asked.request.is_digest_known = true;
    assert_false(get(&asked));
    CHECK_ERR(&asked.request.err, ERR_TRUST, "HTML page");
}

static void another_size_is_refused_with_both_sizes(void **state)
{
    (void)state;
    ASKED(longer);
    ASKED(shorter);
    ask(&longer, "/ok/2001");
    expect_x(&longer, 2000);
    longer.request.store = store;
    assert_false(get(&longer));
    CHECK_ERR(&longer.request.err, ERR_TRUST, "expected 2000 bytes, got 2001");
    ask(&shorter, "/ok/1999");
    expect_x(&shorter, 2000);
    assert_false(get(&shorter));
    CHECK_ERR(&shorter.request.err, ERR_TRUST, "expected 2000 bytes, got 1999");
}

static void an_endless_body_stops_at_the_cap(void **state)
{
    (void)state;
    for (int in_store = 0; in_store < 2; in_store++) {
        ASKED(asked);
        ask(&asked, "/chunked/0");
        asked.request.store = in_store ? store : NULL;
        assert_false(get(&asked));
        CHECK_ERR(&asked.request.err, ERR_MALFORMED, "larger than the 100000 bytes");
    }
    ASKED(fits);
    ask(&fits, "/chunked/100000");
    CHECK_OK(get(&fits), &fits.request.err);
    assert_int_equal(fits.request.body.len, 100000);
}

static void a_size_above_the_cap_is_refused_without_a_request(void **state)
{
    (void)state;
    ASKED(asked);
    ask(&asked, "/ok/5");
    asked.request.is_size_known = true;
    asked.request.size_bytes = UINT64_MAX;
    assert_false(get(&asked));
    CHECK_ERR(&asked.request.err, ERR_MALFORMED, "said to have");
}

static void headers_without_end_are_refused(void **state)
{
    (void)state;
    ASKED(asked);
    ask(&asked, "/headers");
    assert_false(get(&asked));
    CHECK_ERR(&asked.request.err, ERR_MALFORMED, "headers");
}

static void encoded_content_is_refused_and_none_is_asked_for(void **state)
{
    (void)state;
    ASKED(asked);
    ASKED(told);
    ask(&asked, "/encoded");
    assert_false(get(&asked));
    CHECK_ERR(&asked.request.err, ERR_MALFORMED, "encodes");
    ask(&told, "/tell");
    CHECK_OK(get(&told), &told.request.err);
    assert_null(strcasestr(told.request.body.bytes, "accept-encoding"));
    assert_null(strcasestr(told.request.body.bytes, "authorization"));
}

static void five_redirects_are_followed_and_not_more(void **state)
{
    (void)state;
    ASKED(five);
    ASKED(loop);
    ask(&five, "/redirect/4");
    expect_x(&five, 5);
    CHECK_OK(get(&five), &five.request.err);
    ask(&loop, "/loop");
    assert_false(get(&loop));
    CHECK_ERR(&loop.request.err, ERR_NETWORK, "redirect");
    ASKED(six);
    ask(&six, "/redirect/5");
    assert_false(get(&six));
}

static void a_redirect_to_another_scheme_is_refused(void **state)
{
    (void)state;
    static const char *const targets[] = {"/to?file:///etc/passwd", "/to?ftp://127.0.0.1/x",
                                          "/to?gopher://127.0.0.1/x"};
    for (size_t i = 0; i < ARRAY_COUNT(targets); i++) {
        ASKED(asked);
        ask(&asked, targets[i]);
        assert_false(get(&asked));
        CHECK_ERR(&asked.request.err, ERR_NETWORK, "/to");
        assert_null(asked.request.body.bytes);
    }
}

static void a_certificate_that_nobody_vouches_for_is_refused_at_once(void **state)
{
    (void)state;
    ASKED(asked);
    char url[100];
    if (!tls_port)
        skip();
    (void)snprintf(url, sizeof url, "https://127.0.0.1:%d/flaky/200/9/tls", tls_port);
    ask_url(&asked, url);
    assert_false(get(&asked));
    CHECK_ERR(&asked.request.err, ERR_TRUST, "certificate");
    assert_null(strstr(asked.request.err.text, "tries"));
    assert_int_equal(tries_of("/flaky/200/9/tls"), 0);
}

static void the_next_mirror_is_asked_when_one_fails_for_good(void **state)
{
    (void)state;
    static const char *const bad[] = {"/status/404", "/status/503", "/ok/4", "/ok/6", "/html", "/cut/99/g", "/encoded"};
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
        ASKED(asked);
        ask(&asked, bad[i]);
        ask_url(&asked, "http://127.0.0.1:1/none");
        ask(&asked, "/ok/5");
        expect_x(&asked, 5);
        CHECK_OK(get(&asked), &asked.request.err);
        assert_ptr_equal(asked.request.url, asked.urls[2]);
        assert_int_equal(asked.request.err.kind, ERR_NONE);
        assert_memory_equal(asked.request.body.bytes, "xxxxx", 6);
    }
}

static void when_all_mirrors_fail_the_gravest_kind_and_all_texts_remain(void **state)
{
    (void)state;
    ASKED(asked);
    ask(&asked, "/status/404");
    ask(&asked, "/ok/6");
    ask(&asked, "/status/410");
    expect_x(&asked, 5);
    assert_false(get(&asked));
    CHECK_ERR(&asked.request.err, ERR_TRUST, "HTTP status 404; then");
    CHECK_ERR(&asked.request.err, ERR_TRUST, "expected 5 bytes, got 6");
    CHECK_ERR(&asked.request.err, ERR_TRUST, "HTTP status 410");
    ASKED(missing);
    ask(&missing, "/status/404");
    ask(&missing, "/status/404");
    assert_false(get(&missing));
    assert_int_equal(missing.request.err.detail, 404);
    ASKED(unclear);
    ask(&unclear, "/status/403");
    ask(&unclear, "/status/404");
    assert_false(get(&unclear));
    assert_int_equal(unclear.request.err.detail, 403);
    ASKED(unclear_later);
    ask(&unclear_later, "/status/404");
    ask(&unclear_later, "/status/403");
    assert_false(get(&unclear_later));
    assert_int_equal(unclear_later.request.err.detail, 403);
}

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void retry_after_is_obeyed_but_not_for_hours(void **state)
{
    (void)state;
    ASKED(second);
    ASKED(hour);
    double begin = seconds_now();
    ask(&second, "/after/1/h");
    expect_x(&second, 5);
    CHECK_OK(get(&second), &second.request.err);
    assert_true(seconds_now() - begin >= 0.99);
    begin = seconds_now();
    ask(&hour, "/after/3600/h");
    assert_false(get(&hour));
    CHECK_ERR(&hour.request.err, ERR_NETWORK, "asked to wait 3600 s");
    assert_true(seconds_now() - begin < 30);
}

static void secrets_of_a_url_are_not_shown(void **state)
{
    (void)state;
    ASKED(asked);
    char url[300];
    (void)snprintf(url, sizeof url, "http://user:hunter2@%s/status/404?token=hunter3#hunter4",
                   origin + strlen("http://"));
    ask_url(&asked, url);
    assert_false(get(&asked));
    CHECK_ERR(&asked.request.err, ERR_NETWORK, "/status/404");
    assert_null(strstr(asked.request.err.text, "hunter"));
    assert_null(strstr(asked.request.err.text, "user"));
}

static void a_url_of_another_scheme_or_none_is_refused(void **state)
{
    (void)state;
    static const char *const urls[] = {
        "ftp://127.0.0.1/x",          "gopher://127.0.0.1/x", "dict://127.0.0.1/x", "http://", "",
        "http://127.0.0.1\x1b[31m/x", "http://[::1/x"};
    for (size_t i = 0; i < ARRAY_COUNT(urls); i++) {
        ASKED(asked);
        ask_url(&asked, urls[i]);
        assert_false(get(&asked));
        CHECK_ERR(&asked.request.err, ERR_NETWORK, "");
        assert_null(strchr(asked.request.err.text, '\x1b'));
    }
}

static void files_are_read_and_a_missing_one_is_like_a_404(void **state)
{
    (void)state;
    ASKED(there);
    ASKED(missing);
    char url[400];
    struct err err = {0};
    AUTO(auto_close_fd) int dirfd = -1;
    CHECK_OK(file_open_dir(base, &dirfd, &err), &err);
    CHECK_OK(file_write_atomic_at(dirfd, "file", "xxxxx", 5, 0644, false, &err), &err);
    (void)snprintf(url, sizeof url, "file://%s/file", base);
    ask_url(&there, url);
    expect_x(&there, 5);
    there.request.store = store;
    CHECK_OK(get(&there), &there.request.err);
    assert_int_equal(there.request.status, 0);
    (void)snprintf(url, sizeof url, "file://%s/missing", base);
    ask_url(&missing, url);
    assert_false(get(&missing));
    CHECK_ERR(&missing.request.err, ERR_NETWORK, "/missing");
    assert_int_equal(missing.request.status, 404);
    assert_int_equal(missing.request.err.detail, 404);
}

static void a_hundred_requests_share_twelve_connections(void **state)
{
    (void)state;
    static struct asked many[100];
    memset(many, 0, sizeof many);
    for (size_t i = 0; i < ARRAY_COUNT(many); i++) {
        ask(&many[i], i % 2 ? "/slow/10" : "/ok/4500");
        expect_x(&many[i], i % 2 ? 5 : 4500);
        many[i].request.store = i % 4 < 2 ? store : NULL;
        http_send(http, &many[i].request);
    }
    for (size_t i = 0; i < ARRAY_COUNT(many); i++) {
        CHECK_OK(http_wait(http, &many[i].request), &many[i].request.err);
        asked_done(&many[i]);
    }
    ASKED(stats);
    int most = 0, connections = 0;
    ask(&stats, "/stats");
    CHECK_OK(get(&stats), &stats.request.err);
    assert_int_equal(sscanf(stats.request.body.bytes, "%d %d", &most, &connections), 2);
    CHECK_RANGE(most, 2, 12);
    CHECK_RANGE(connections, 2, 80); /* those of earlier tests included */
}

static void requests_start_in_the_order_in_which_they_were_sent(void **state)
{
    (void)state;
    struct err err = {0};
    struct http *narrow = NULL;
    struct http_options options = {.connections_per_host = 1, .retry_base_ms = 5};
    struct asked five[5] = {0};
    CHECK_OK(http_start(&options, &narrow, &err), &err);
    for (size_t i = 0; i < ARRAY_COUNT(five); i++) {
        char path[50];
        (void)snprintf(path, sizeof path, "/slow/20/%zu", i);
        ask(&five[i], path);
        http_send(narrow, &five[i].request);
    }
    for (size_t i = 0; i < ARRAY_COUNT(five); i++) {
        CHECK_OK(http_wait(narrow, &five[i].request), &five[i].request.err);
        asked_done(&five[i]);
    }
    http_stop(narrow);
    ASKED(order);
    ask(&order, "/order");
    CHECK_OK(get(&order), &order.request.err);
    assert_non_null(strstr(order.request.body.bytes, "/slow/20/0 /slow/20/1 /slow/20/2 /slow/20/3 /slow/20/4"));
}

static void mark_done(struct http_request *request)
{
    atomic_int *count = request->owner;
    atomic_fetch_add(count, 1);
}

static void done_is_called_once_for_good_and_bad_alike(void **state)
{
    (void)state;
    atomic_int count = 0;
    ASKED(good);
    ASKED(bad);
    ask(&good, "/flaky/503/1/i");
    ask(&bad, "/status/404");
    good.request.done = bad.request.done = mark_done;
    good.request.owner = bad.request.owner = &count;
    assert_true(get(&good));
    assert_int_equal(count, 1);
    assert_false(get(&bad));
    assert_int_equal(count, 2);
}

static void no_retry_means_one_try(void **state)
{
    (void)state;
    struct err err = {0};
    struct http *strict = NULL;
    struct http_options options = {.retry_count = HTTP_NO_RETRY};
    ASKED(asked);
    CHECK_OK(http_start(&options, &strict, &err), &err);
    ask(&asked, "/flaky/503/1/j");
    http_send(strict, &asked.request);
    assert_false(http_wait(strict, &asked.request));
    http_stop(strict);
    CHECK_ERR(&asked.request.err, ERR_NETWORK, "503");
    assert_null(strstr(asked.request.err.text, "tries"));
    assert_int_equal(tries_of("/flaky/503/1/j"), 1);
}

static void cancelling_ends_all_requests_soon(void **state)
{
    (void)state;
    struct err err = {0};
    struct http *cancelled = NULL;
    atomic_bool cancel = false;
    struct http_options options = {.connections_per_host = 2, .cancel = &cancel};
    struct asked hanging[4] = {0};
    CHECK_OK(http_start(&options, &cancelled, &err), &err);
    for (size_t i = 0; i < ARRAY_COUNT(hanging); i++) {
        ask(&hanging[i], "/hang");
        http_send(cancelled, &hanging[i].request);
    }
    usleep(50 * 1000);
    double begin = seconds_now();
    atomic_store(&cancel, true);
    for (size_t i = 0; i < ARRAY_COUNT(hanging); i++) {
        assert_false(http_wait(cancelled, &hanging[i].request));
        CHECK_ERR(&hanging[i].request.err, ERR_CANCELLED, "/hang");
    }
    assert_true(seconds_now() - begin < 5);
    ASKED(late);
    ask(&late, "/ok/5");
    http_send(cancelled, &late.request);
    assert_false(http_wait(cancelled, &late.request));
    CHECK_ERR(&late.request.err, ERR_CANCELLED, "/ok/5");
    http_stop(cancelled);
}

/* Asks by another name of the same server: another host. */
static void ask_other(struct asked *asked, const char *path)
{
    char url[400];
    (void)snprintf(url, sizeof url, "http://localhost%s%s", strrchr(origin, ':'), path);
    ask_url(asked, url);
}

/* A file whose bytes are "x", for the store. */
static void want_file(struct asked *asked, size_t len)
{
    char *bytes = malloc(len);
    assert_non_null(bytes);
    memset(bytes, 'x', len);
    asked->request = (struct http_request){.cap_bytes = len,
                                           .is_size_known = true,
                                           .size_bytes = len,
                                           .is_digest_known = true,
                                           .digest = digest_of(bytes, len),
                                           .store = store};
    free(bytes);
}

static void expect_ranges(const char *path, const char *wanted)
{
    ASKED(asked);
    char whole[200];
    (void)snprintf(whole, sizeof whole, "/ranges%s", path);
    ask(&asked, whole);
    assert_true(get(&asked));
    assert_string_equal(asked.request.body.bytes, wanted);
}

static void what_came_before_a_connection_broke_is_not_fetched_again(void **state)
{
    (void)state;
    ASKED(asked);
    _Atomic uint64_t counter = 0;
    want_file(&asked, 200000);
    asked.request.counter = &counter;
    ask(&asked, "/part/200000/80000/2/resumed");
    CHECK_OK(get(&asked), &asked.request.err);
    assert_int_equal(atomic_load(&counter), 200000);
    expect_ranges("/part/200000/80000/2/resumed", "none bytes=80000- bytes=160000-");
}

static void a_part_of_wrong_bytes_is_not_trusted_with_the_rest(void **state)
{
    (void)state;
    ASKED(asked);
    _Atomic uint64_t counter = 0;
    want_file(&asked, 3000);
    asked.request.is_tried_once = true; /* the first mirror breaks off in the middle of its wrong bytes */
    asked.request.counter = &counter;
    ask(&asked, "/bad/3000/1000/w");
    ask_other(&asked, "/part/3000/0/0/w");
    CHECK_OK(get(&asked), &asked.request.err);
    assert_int_equal(atomic_load(&counter), 3000);
    expect_ranges("/part/3000/0/0/w", "bytes=1000- none");
}

static void a_server_without_ranges_gives_the_whole_again(void **state)
{
    (void)state;
    ASKED(asked);
    want_file(&asked, 1000);
    ask(&asked, "/cut/1/whole");
    CHECK_OK(get(&asked), &asked.request.err);
    assert_int_equal(asked.request.received_bytes, 1000);
}

static struct http *start_impatient(unsigned slow_after_ms)
{
    struct err err = {0};
    struct http *impatient = NULL;
    struct http_options options = {.retry_base_ms = 5, .slow_after_ms = slow_after_ms};
    CHECK_OK(http_start(&options, &impatient, &err), &err);
    return impatient;
}

static void stop(struct http **started)
{
    http_stop(*started);
}

static void a_slow_mirror_is_left_for_another_which_goes_on_where_it_was(void **state)
{
    (void)state;
    AUTO(stop) struct http *impatient = start_impatient(400);
    ASKED(asked);
    want_file(&asked, 100000);
    ask(&asked, "/drip/100000/3000");
    ask_other(&asked, "/part/100000/0/0/fast");
    double begin = seconds_now();
    http_send(impatient, &asked.request);
    CHECK_OK(http_wait(impatient, &asked.request), &asked.request.err);
    assert_true(seconds_now() - begin < 10);
    assert_non_null(strstr(asked.request.url, "localhost"));
    ASKED(ranges);
    ask(&ranges, "/ranges/part/100000/0/0/fast");
    assert_true(get(&ranges));
    assert_int_equal(strncmp(ranges.request.body.bytes, "bytes=", 6), 0);
    ASKED(next); /* the slow host is known now */
    want_file(&next, 100000);
    ask(&next, "/drip/100000/2999");
    ask_other(&next, "/part/100000/0/0/next");
    begin = seconds_now();
    http_send(impatient, &next.request);
    CHECK_OK(http_wait(impatient, &next.request), &next.request.err);
    expect_ranges("/drip/100000/2999", "");
}

static void what_two_slow_mirrors_gave_is_kept_for_the_third(void **state)
{
    (void)state;
    AUTO(stop) struct http *impatient = start_impatient(400);
    ASKED(asked);
    char url[400];
    want_file(&asked, 100001);
    ask(&asked, "/drip/100001/3000");
    ask_other(&asked, "/drip/100001/3001");
    (void)snprintf(url, sizeof url, "http://LOCALHOST%s/part/100001/0/0/third", strrchr(origin, ':'));
    ask_url(&asked, url);
    http_send(impatient, &asked.request);
    CHECK_OK(http_wait(impatient, &asked.request), &asked.request.err);
    ASKED(second);
    ASKED(third);
    ask(&second, "/ranges/drip/100001/3001");
    ask(&third, "/ranges/part/100001/0/0/third");
    assert_true(get(&second) && get(&third));
    int first_bytes = 0, both_bytes = 0;
    assert_int_equal(sscanf(second.request.body.bytes, "bytes=%d-", &first_bytes), 1);
    assert_int_equal(sscanf(third.request.body.bytes, "bytes=%d-", &both_bytes), 1);
    assert_true(first_bytes > 0 && both_bytes > first_bytes);
}

static void a_slow_mirror_is_asked_again_when_the_others_have_nothing(void **state)
{
    (void)state;
    AUTO(stop) struct http *impatient = start_impatient(400);
    ASKED(asked);
    want_file(&asked, 12000);
    ask(&asked, "/drip/12000/12000");
    ask_other(&asked, "/status/404");
    http_send(impatient, &asked.request);
    CHECK_OK(http_wait(impatient, &asked.request), &asked.request.err);
    assert_non_null(strstr(asked.request.url, "127.0.0.1"));
}

static void the_only_mirror_may_be_slow_but_not_for_ever(void **state)
{
    (void)state;
    AUTO(stop) struct http *impatient = start_impatient(200);
    ASKED(slow);
    want_file(&slow, 16000);
    ask(&slow, "/drip/16000/16000");
    http_send(impatient, &slow.request);
    CHECK_OK(http_wait(impatient, &slow.request), &slow.request.err);
    ASKED(hopeless);
    want_file(&hopeless, 90000);
    ask(&hopeless, "/drip/90000/1500");
    double begin = seconds_now();
    http_send(impatient, &hopeless.request);
    assert_false(http_wait(impatient, &hopeless.request));
    CHECK_ERR(&hopeless.request.err, ERR_NETWORK, "too slow");
    assert_true(seconds_now() - begin < 15);
    expect_ranges("/drip/90000/1500", "none");
}

static void a_slow_line_is_no_slow_server(void **state)
{
    (void)state;
    AUTO(stop) struct http *impatient = start_impatient(200);
    struct asked asked[8] = {0};
    for (size_t i = 0; i < ARRAY_COUNT(asked); i++) { /* 8 x 3 kB/s */
        char path[40];
        (void)snprintf(path, sizeof path, "/drip/%zu/3000", 5000 + i);
        want_file(&asked[i], 5000 + i);
        ask(&asked[i], path);
        http_send(impatient, &asked[i].request);
    }
    for (size_t i = 0; i < ARRAY_COUNT(asked); i++)
        CHECK_OK(http_wait(impatient, &asked[i].request), &asked[i].request.err);
}

struct waiting {
    struct http *http;
    struct http_request *request;
    atomic_bool is_waiting;
};

static void *wait_for_request(void *argument)
{
    struct waiting *waiting = argument;
    atomic_store(&waiting->is_waiting, true);
    (void)http_wait(waiting->http, waiting->request);
    return NULL;
}

static void stopping_cancels_what_is_under_way_and_frees_those_who_wait(void **state)
{
    (void)state;
    struct err err = {0};
    struct http_options options = {.retry_base_ms = 20000};
    struct waiting waiting = {0};
    struct asked three[3] = {0};
    pthread_t thread;
    CHECK_OK(http_start(&options, &waiting.http, &err), &err);
    ask(&three[0], "/hang");
    ask(&three[1], "/status/503"); /* backs off when it is stopped */
    ask(&three[2], "/chunked/0");
    three[2].request.cap_bytes = UINT64_MAX;
    three[2].request.store = store;
    waiting.request = &three[0].request;
    for (size_t i = 0; i < ARRAY_COUNT(three); i++)
        http_send(waiting.http, &three[i].request);
    assert_int_equal(pthread_create(&thread, NULL, wait_for_request, &waiting), 0);
    while (!atomic_load(&waiting.is_waiting))
        usleep(1000);
    usleep(100 * 1000);
    http_stop(waiting.http);
    pthread_join(thread, NULL);
    for (size_t i = 0; i < ARRAY_COUNT(three); i++)
        CHECK_ERR(&three[i].request.err, ERR_CANCELLED, "cancelled");
}

static void send_and_wait(void *item)
{
    for (int i = 0; i < 10; i++) {
        ASKED(asked);
        ask(&asked, i % 5 ? "/ok/50" : "/status/404");
        *(bool *)item = get(&asked) == (i % 5 != 0);
        if (!*(bool *)item)
            return;
    }
}

static void many_threads_may_send_and_wait(void **state)
{
    (void)state;
    struct err err = {0};
    struct workers *workers;
    bool results[4] = {false};
    void *items[4] = {&results[0], &results[1], &results[2], &results[3]};
    CHECK_OK(workers_start(4, &workers, &err), &err);
    workers_run_all(workers, send_and_wait, items, 4);
    workers_stop(workers);
    for (size_t i = 0; i < 4; i++)
        assert_true(results[i]);
}

/* A proxy that is none: what matters is that it is asked. */
static void the_proxy_of_the_environment_is_used_in_either_spelling(void **state)
{
    (void)state;
    static const char *const names[] = {"http_proxy", "HTTP_PROXY"};
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        struct err err = {0};
        struct http *proxied = NULL;
        struct http_options options = {.retry_count = HTTP_NO_RETRY};
        ASKED(asked);
        setenv(names[i], origin, 1);
        setenv("no_proxy", "", 1);
        CHECK_OK(http_start(&options, &proxied, &err), &err);
        ask_url(&asked, "http://mirror.invalid/x");
        http_send(proxied, &asked.request);
        assert_false(http_wait(proxied, &asked.request));
        http_stop(proxied);
        unsetenv(names[i]);
        unsetenv("no_proxy");
        CHECK_ERR(&asked.request.err, ERR_NETWORK, "http://mirror.invalid/x: HTTP status 404");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_thread_runs_before_the_first_request),
        cmocka_unit_test(a_body_comes_with_its_digest),
        cmocka_unit_test(a_blob_goes_to_the_store),
        cmocka_unit_test(an_empty_answer_is_an_empty_body_and_an_empty_blob),
        cmocka_unit_test(a_404_is_final_and_has_its_status),
        cmocka_unit_test(a_transient_status_is_tried_again),
        cmocka_unit_test(a_transient_status_that_stays_fails_after_five_tries),
        cmocka_unit_test(a_connection_that_is_cut_or_reset_is_tried_again_and_counted_once),
        cmocka_unit_test(a_connection_that_is_always_cut_is_a_network_error),
        cmocka_unit_test(nothing_listens_is_a_network_error),
        cmocka_unit_test(wrong_bytes_are_a_matter_of_trust_and_not_tried_again),
        cmocka_unit_test(a_page_in_place_of_the_file_is_hinted_at),
        cmocka_unit_test(another_size_is_refused_with_both_sizes),
        cmocka_unit_test(an_endless_body_stops_at_the_cap),
        cmocka_unit_test(a_size_above_the_cap_is_refused_without_a_request),
        cmocka_unit_test(headers_without_end_are_refused),
        cmocka_unit_test(encoded_content_is_refused_and_none_is_asked_for),
        cmocka_unit_test(five_redirects_are_followed_and_not_more),
        cmocka_unit_test(a_redirect_to_another_scheme_is_refused),
        cmocka_unit_test(a_certificate_that_nobody_vouches_for_is_refused_at_once),
        cmocka_unit_test(the_next_mirror_is_asked_when_one_fails_for_good),
        cmocka_unit_test(when_all_mirrors_fail_the_gravest_kind_and_all_texts_remain),
        cmocka_unit_test(retry_after_is_obeyed_but_not_for_hours),
        cmocka_unit_test(secrets_of_a_url_are_not_shown),
        cmocka_unit_test(a_url_of_another_scheme_or_none_is_refused),
        cmocka_unit_test(files_are_read_and_a_missing_one_is_like_a_404),
        cmocka_unit_test(a_hundred_requests_share_twelve_connections),
        cmocka_unit_test(requests_start_in_the_order_in_which_they_were_sent),
        cmocka_unit_test(done_is_called_once_for_good_and_bad_alike),
        cmocka_unit_test(no_retry_means_one_try),
        cmocka_unit_test(cancelling_ends_all_requests_soon),
        cmocka_unit_test(what_came_before_a_connection_broke_is_not_fetched_again),
        cmocka_unit_test(a_part_of_wrong_bytes_is_not_trusted_with_the_rest),
        cmocka_unit_test(a_server_without_ranges_gives_the_whole_again),
        cmocka_unit_test(a_slow_mirror_is_left_for_another_which_goes_on_where_it_was),
        cmocka_unit_test(what_two_slow_mirrors_gave_is_kept_for_the_third),
        cmocka_unit_test(a_slow_mirror_is_asked_again_when_the_others_have_nothing),
        cmocka_unit_test(the_only_mirror_may_be_slow_but_not_for_ever),
        cmocka_unit_test(a_slow_line_is_no_slow_server),
        cmocka_unit_test(stopping_cancels_what_is_under_way_and_frees_those_who_wait),
        cmocka_unit_test(many_threads_may_send_and_wait),
        cmocka_unit_test(the_proxy_of_the_environment_is_used_in_either_spelling),
    };
    const struct CMUnitTest by_broker[] = {
        cmocka_unit_test(a_body_comes_with_its_digest),
        cmocka_unit_test(a_blob_goes_to_the_store),
        cmocka_unit_test(an_empty_answer_is_an_empty_body_and_an_empty_blob),
        cmocka_unit_test(a_404_is_final_and_has_its_status),
        cmocka_unit_test(a_transient_status_that_stays_fails_after_five_tries),
        cmocka_unit_test(a_connection_that_is_cut_or_reset_is_tried_again_and_counted_once),
        cmocka_unit_test(nothing_listens_is_a_network_error),
        cmocka_unit_test(wrong_bytes_are_a_matter_of_trust_and_not_tried_again),
        cmocka_unit_test(another_size_is_refused_with_both_sizes),
        cmocka_unit_test(an_endless_body_stops_at_the_cap),
        cmocka_unit_test(a_certificate_that_nobody_vouches_for_is_refused_at_once),
        cmocka_unit_test(the_next_mirror_is_asked_when_one_fails_for_good),
        cmocka_unit_test(when_all_mirrors_fail_the_gravest_kind_and_all_texts_remain),
        cmocka_unit_test(secrets_of_a_url_are_not_shown),
        cmocka_unit_test(files_are_read_and_a_missing_one_is_like_a_404),
        cmocka_unit_test(done_is_called_once_for_good_and_bad_alike),
        cmocka_unit_test(a_part_of_wrong_bytes_is_not_trusted_with_the_rest),
        cmocka_unit_test(many_threads_may_send_and_wait),
    };
    int failed = cmocka_run_group_tests(tests, set_up, tear_down);
    return failed + cmocka_run_group_tests(by_broker, set_up_broker, tear_down);
}
