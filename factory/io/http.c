/* SPDX-License-Identifier: Apache-2.0 */
/* Requests wait in the order in which they were sent. One starts when its host has a free connection and its back-off
 * is over; libcurl never queues by itself, so the order is ours. After a try the verdict decides: done, wait for
 * another try (at the front of the queue: it has waited already), or the next URL of the list. */
#include "io/http.h"
#include "base/auto.h"
#include "base/clock.h"
#include "base/units.h"
#include "io/file.h"
#include "io/http_remote.h"
#include "io/http_try.h"
#include "io/shared_cache.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <sys/queue.h>
#include <sys/random.h>

#define CONNECTIONS_PER_HOST 12u
#define CONNECTIONS_RATED 4u
#define RATED_BUFFER_BYTES 16384L
#define RATE_LEAST_BYTES ((uint64_t)64 << 10)
#define SMALL_CALLS_PER_HOST 48u /* they wait more than they transfer */
#define ACTIVE_MAX 128u
#define BIG_PER_HOST 6u
#define CONNECTIONS_KEPT 64L
#define RETRY_BASE_MS 500u
#define RETRY_MAX_MS ((uint64_t)30 * 1000)
#define RETRY_AFTER_MAX_S 120u
#define CANCEL_POLL_MS 100u
#define CLOCK_POLL_MS 100u
#define IDLE_POLL_MS 10000u
#define DESCRIPTORS_OF_LIBCURL 4 /* to wake its thread up, and to wait */
#define PROGRESS_BYTES ((uint64_t)1024 * 1024)
#define SAY_PAUSE_MS ((uint64_t)2000)

/* A host (scheme and authority of a URL) and the transfers under way to it. */
struct http_host {
    struct http_host *next;
    unsigned active_count;
    unsigned call_count; /* of these, calls */
    unsigned big_count;  /* of these, with big bodies */
    bool is_slow;        /* it was too slow once: others are asked first */
    uint64_t paid_ms;    /* with a rate: when what was received of it is paid for, and more may be asked */
    uint64_t said_ms;    /* when a trouble with it was last told */
    size_t name_len;
    char name[];
};

/* What is known of a URL of a request. */
enum url_state { URL_FRESH, URL_SLOW, URL_FAILED };

/* A request on its way. It lives until http_stop(), since the request's owner may free the request at any time after it
 * is done, while another thread still waits here. */
struct http_transfer {
    TAILQ_ENTRY(http_transfer) link;
    struct http_request *request;
    struct http_host *host;
    struct http_try *try; /* while it is active */
    size_t url_index;
    unsigned try_count; /* of this URL */
    uint64_t due_ms;
    struct http_part part;      /* of former tries */
    struct http *http;          /* with a broker */
    struct http_remote remote;  /* likewise */
    bool is_whole;              /* parts are not trusted any more: from the start */
    bool is_patient;            /* no faster mirror is left */
    bool is_done;               /* guarded by http.lock */
    unsigned char url_states[]; /* enum url_state, one per URL */
};

TAILQ_HEAD(http_queue, http_transfer);

struct http {
    /* set by http_start(), then never changed */
    size_t connections_per_host, small_calls_per_host;
    uint64_t rate_per_host, rate_per_connection; /* bytes a second; 0: no bound */
    struct shared_cache shared;
    unsigned retry_count, retry_base_ms, slow_after_ms;
    const atomic_bool *cancel;
    struct log *log;
    struct workers *keeper;
    const struct confine_places *confined;
    struct broker *broker; /* NULL: this process has the network itself */
    unsigned number;       /* of us, with a broker */
    struct proxies proxies;
    pthread_mutex_t lock; /* guards the next four, `ended`, and is_done of every transfer */
    struct http_queue inbox;
    bool is_running; /* there is a network thread: since the first request */
    bool is_stopping;
    size_t waiter_count;
    pthread_cond_t changed; /* predicates: a transfer is done; waiter_count is 0 */

    /* set with is_running */
    CURLM *multi; /* the network thread's, but for curl_multi_wakeup() */
    pthread_t thread;

    struct http_queue ended;

    /* the network thread's */
    struct http_queue waiting, active;
    struct http_host *hosts;
    unsigned active_count;
    bool has_changed;      /* something arrived or ended since the queue was last looked through */
    uint64_t next_look_ms; /* at the clocks of transfers */
    uint64_t cancelled_ms; /* when the cancel flag was first seen; 0: not yet */
    bool is_ending;        /* nothing is spared any more */
    uint64_t next_due_ms;  /* when the first of those that back off may start; UINT64_MAX for none */
    uint64_t random;
};

/* xorshift64 (Marsaglia 2003): only spreads the retries. */
static uint64_t random_next(struct http *http)
{
    http->random ^= http->random << 13;
    http->random ^= http->random >> 7;
    http->random ^= http->random << 17;
    return http->random;
}

static const char *url_of(const struct http_transfer *transfer)
{
    return transfer->request->urls[transfer->url_index];
}

/* Finds or adds the host of a URL. There are few. */
static struct http_host *host_of(struct http *http, const char *url)
{
    const char *scheme_end = strstr(url, "://");
    const char *authority = scheme_end ? scheme_end + 3 : url;
    size_t len = (size_t)(authority - url) + strcspn(authority, "/?#");
    for (struct http_host *host = http->hosts; host; host = host->next) {
        if (host->name_len == len && memcmp(host->name, url, len) == 0)
            return host;
    }
    struct http_host *host = calloc(1, sizeof *host + len + 1);
    if (!host)
        memory_abort(sizeof *host + len);
    memcpy(host->name, url, len);
    host->name_len = len;
    host->next = http->hosts;
    http->hosts = host;
    return host;
}

/* The request may be gone as soon as `done` was called or is_done is seen: nothing touches it after that. */
static void finish(struct http *http, struct http_transfer *transfer)
{
    struct http_request *request = transfer->request;
    assert(request->is_good == (request->err.kind == ERR_NONE));
    http_part_drop(request, &transfer->part);
    if (request->done)
        request->done(request);
    pthread_mutex_lock(&http->lock);
    TAILQ_INSERT_TAIL(&http->ended, transfer, link);
    transfer->is_done = true;
    pthread_cond_broadcast(&http->changed);
    pthread_mutex_unlock(&http->lock);
}

/* Adds a failure to those of earlier mirrors: the gravest kind wins, and "not found" only if all say so. */
static void add_failure(struct http_request *request, const struct err *failure)
{
    struct err *sum = &request->err;
    if (sum->kind == ERR_NONE) {
        *sum = *failure;
        return;
    }
    bool is_graver = failure->kind == sum->kind ? sum->detail == 404 || failure->detail == HTTP_DETAIL_MOVED
                                                : err_kind_is_graver(failure->kind, sum->kind);
    struct err merged = *failure;
    if (!is_graver) {
        merged.kind = sum->kind;
        merged.detail = sum->detail;
    }
    err_wrap(&merged, "%s; then", sum->text);
    *sum = merged;
}

/* Finds the first URL of a host that is slow, or is not; false when there is none that is worth a try. */
static bool find_url(struct http *http, const struct http_transfer *transfer, bool is_slow, size_t *ret_index)
{
    for (size_t i = 0; i < transfer->request->url_count; i++) {
        bool is_open = transfer->url_states[i] == URL_FRESH || (is_slow && transfer->url_states[i] == URL_SLOW);
        if (is_open && host_of(http, transfer->request->urls[i])->is_slow == is_slow) {
            *ret_index = i;
            return true;
        }
    }
    return false;
}

/* Chooses the URL that is asked next: in order, but slow hosts last, and those without a limit. */
static bool choose_url(struct http *http, struct http_transfer *transfer)
{
    size_t index;
    bool is_fast = find_url(http, transfer, false, &index);
    if (!is_fast && !find_url(http, transfer, true, &index))
        return false;
    transfer->is_patient = !is_fast;
    transfer->url_index = index;
    return true;
}

/* Whether a host other than the one that is asked could have it. */
static bool is_other_there(struct http *http, const struct http_transfer *transfer)
{
    if (transfer->request->is_impatient)
        return true;
    for (size_t i = 0; !transfer->is_patient && i < transfer->request->url_count; i++) {
        if (transfer->url_states[i] != URL_FAILED && host_of(http, transfer->request->urls[i]) != transfer->host)
            return true;
    }
    return false;
}

/* Tells of trouble with a host, but not of each of many transfers at once. */
static void say(struct http *http, struct http_host *host, const char *what, const char *then)
{
    uint64_t now = clock_ms();
    bool is_said = host && host->said_ms && now - host->said_ms < SAY_PAUSE_MS;
    if (!http->log)
        return;
    log_line(http->log, is_said ? LOG_VERBOSE : LOG_NORMAL, "%s; %s", what, then);
    if (host && !is_said)
        host->said_ms = now;
}

/* Goes on with the next mirror, or ends the request with what was gathered. */
static void give_up_url(struct http *http, struct http_transfer *transfer, const struct err *failure, bool is_hopeless)
{
    struct http_request *request = transfer->request;
    struct http_host *host = transfer->host;
    add_failure(request, failure);
    if (transfer->url_states[transfer->url_index] == URL_FRESH || transfer->is_patient)
        transfer->url_states[transfer->url_index] = URL_FAILED;
    if (is_hopeless || !choose_url(http, transfer)) {
        finish(http, transfer);
        return;
    }
    if (host_of(http, url_of(transfer)) != host) {
        AUTO(arena_done) struct arena scratch = {0};
        say(http, host, failure->text, arena_printf(&scratch, "asking %s", http_show(url_of(transfer)).chars));
    }
    transfer->try_count = 0;
    transfer->due_ms = 0;
    TAILQ_INSERT_HEAD(&http->waiting, transfer, link);
}

/* Leaves a mirror that is too slow, or does not answer. If all others fail, it is asked again. */
static void leave_slow(struct http *http, struct http_transfer *transfer, const struct err *failure)
{
    transfer->host->is_slow = true;
    if (is_other_there(http, transfer))
        transfer->url_states[transfer->url_index] = URL_SLOW;
    give_up_url(http, transfer, failure, false);
}

/* Exponential from the base, in a band of half to one and a half; what the server asked for if that is longer. */
static uint64_t back_off_ms(struct http *http, unsigned try_count, unsigned retry_after_s)
{
    unsigned doublings = try_count - 1 < 16 ? try_count - 1 : 16;
    uint64_t delay_ms = (uint64_t)http->retry_base_ms << doublings;
    delay_ms = delay_ms < RETRY_MAX_MS ? delay_ms : RETRY_MAX_MS;
    delay_ms = delay_ms / 2 + random_next(http) % (delay_ms + 1);
    uint64_t asked_ms = (uint64_t)retry_after_s * 1000;
    return delay_ms > asked_ms ? delay_ms : asked_ms;
}

static void retry(struct http *http, struct http_transfer *transfer, struct err *failure, unsigned retry_after_s)
{
    bool is_too_late = retry_after_s > RETRY_AFTER_MAX_S;
    unsigned retry_count = transfer->request->is_tried_once ? 0 : http->retry_count;
    if (transfer->try_count <= retry_count && !is_too_late) {
        AUTO(arena_done) struct arena scratch = {0};
        uint64_t delay_ms = back_off_ms(http, transfer->try_count, retry_after_s);
        transfer->due_ms = clock_ms() + delay_ms;
        say(http, transfer->host, failure->text,
            arena_printf(&scratch, "trying again in %s (%u of %u)", units_duration(delay_ms).chars, transfer->try_count,
                         retry_count));
        TAILQ_INSERT_HEAD(&http->waiting, transfer, link);
        return;
    }
    if (is_too_late)
        err_wrap(failure, "asked to wait %u s", retry_after_s);
    else if (transfer->try_count > 1)
        err_wrap(failure, "after %u tries", transfer->try_count);
    give_up_url(http, transfer, failure, false);
}

/* Small files come in one read: their time is taken behind them. */
static void pay(const struct http *http, struct http_host *host, const struct http_try *try)
{
    curl_off_t bytes = 0, total_us = 0;
    (void)curl_easy_getinfo(try->easy, CURLINFO_SIZE_DOWNLOAD_T, &bytes);
    (void)curl_easy_getinfo(try->easy, CURLINFO_TOTAL_TIME_T, &total_us);
    uint64_t begun_ms = clock_ms() - (uint64_t)total_us / 1000;
    host->paid_ms = host->paid_ms > begun_ms ? host->paid_ms : begun_ms;
    host->paid_ms += (uint64_t)bytes * 1000 / http->rate_per_host;
}

/* Takes a transfer out of libcurl's hands; its try is the caller's then. */
static struct http_try *deactivate(struct http *http, struct http_transfer *transfer)
{
    struct http_try *try = TAKE_PTR(transfer->try);
    CURLMcode code = curl_multi_remove_handle(http->multi, try->easy);
    assert(code == CURLM_OK);
    (void)code;
    if (http->rate_per_host)
        pay(http, transfer->host, try);
    if (transfer->request->call)
        http_call_note_sent(try);
    if (http_call_is_big(transfer->request->call))
        transfer->host->big_count--;
    if (transfer->request->call)
        transfer->host->call_count--;
    TAILQ_REMOVE(&http->active, transfer, link);
    http->active_count--;
    transfer->host->active_count--;
    http->has_changed = true;
    return try;
}

/* What became of a try. */
struct outcome {
    enum http_verdict verdict;
    struct err failure;
    unsigned retry_after_s;
    bool is_slow;  /* another mirror is asked, though this one may be all that is left later */
    bool is_again; /* the same mirror is asked for the whole file */
};

/* Wrong bytes may be the fault of the part that another mirror gave. */
static bool is_worth_the_whole(const struct http_try *try, enum http_verdict verdict)
{
    int status = try->request->status;
    return try->is_suspect && !try->is_too_slow && verdict == HTTP_VERDICT_FINAL && (status == 206 || status == 416);
}

static struct outcome judge(struct http *http, struct http_transfer *transfer, struct http_try *try, CURLcode code)
{
    const struct http_request *request = transfer->request;
    struct outcome outcome = {.verdict = http_try_judge(try, code)};
    bool is_lost = outcome.verdict != HTTP_VERDICT_GOOD;
    outcome.failure = try->err;
    outcome.retry_after_s = try->retry_after_s;
    outcome.is_again = is_worth_the_whole(try, outcome.verdict);
    bool is_left = try->is_too_slow || (code == CURLE_OPERATION_TIMEDOUT && is_other_there(http, transfer));
    outcome.is_slow = is_left && is_lost && !request->call && !request->is_impatient;
    if (try->is_too_slow && outcome.verdict == HTTP_VERDICT_TRANSIENT)
        outcome.verdict = HTTP_VERDICT_FINAL; /* the same server would be no faster */
    if (try->is_too_slow && request->is_impatient)
        say(http, transfer->host, outcome.failure.text, "another place is asked");
    if (is_lost && !outcome.is_again && http_try_take_part(try, &transfer->part) &&
        transfer->part.blob.len >= try->resumed_bytes + PROGRESS_BYTES)
        transfer->try_count = 1; /* it moves: tries count anew */
    return outcome;
}

static void ask_for_the_whole(struct http *http, struct http_transfer *transfer)
{
    transfer->is_whole = true;
    TAILQ_INSERT_HEAD(&http->waiting, transfer, link);
}

/* The try is freed before the request is finished: with it goes what it counted. */
static void settle(struct http *http, struct http_transfer *transfer, CURLcode code)
{
    struct http_try *try = deactivate(http, transfer);
    struct outcome outcome = judge(http, transfer, try, code);
    http_try_free(try);
    if (outcome.is_again) {
        ask_for_the_whole(http, transfer);
        return;
    }
    if (outcome.is_slow) {
        leave_slow(http, transfer, &outcome.failure);
        return;
    }
    switch (outcome.verdict) {
    case HTTP_VERDICT_GOOD:
        err_clear(&transfer->request->err);
        transfer->request->is_good = true;
        finish(http, transfer);
        break;
    case HTTP_VERDICT_TRANSIENT:
        retry(http, transfer, &outcome.failure, outcome.retry_after_s);
        break;
    case HTTP_VERDICT_FINAL:
        give_up_url(http, transfer, &outcome.failure, false);
        break;
    case HTTP_VERDICT_HOPELESS:
        give_up_url(http, transfer, &outcome.failure, true);
        break;
    }
}

/* libcurl looks at the rate between two reads: they have to be small. */
static void slow_down(const struct http *http, const struct http_try *try)
{
    (void)curl_easy_setopt(try->easy, CURLOPT_BUFFERSIZE, RATED_BUFFER_BYTES);
    (void)curl_easy_setopt(try->easy, CURLOPT_MAX_RECV_SPEED_LARGE, (curl_off_t)http->rate_per_connection);
}

/* Hands a waiting transfer, already out of its queue, to libcurl. */
static void start(struct http *http, struct http_transfer *transfer)
{
    struct err failure = {0};
    if (transfer->is_whole)
        http_part_drop(transfer->request, &transfer->part);
    if (!http_try_new(transfer->request, url_of(transfer), &http->proxies, transfer, &transfer->try, &failure) ||
        (transfer->part.blob.is_begun && !http_try_resume(transfer->try, &transfer->part, &failure))) {
        http_try_free(TAKE_PTR(transfer->try));
        give_up_url(http, transfer, &failure, failure.kind == ERR_INTERNAL || failure.kind == ERR_LOCAL);
        http->has_changed = true;
        return;
    }
    if (http->rate_per_host)
        slow_down(http, transfer->try);
    if (curl_multi_add_handle(http->multi, transfer->try->easy) != CURLM_OK)
        memory_abort(sizeof *transfer->try);
    transfer->try_count++;
    if (http_call_is_big(transfer->request->call))
        transfer->host->big_count++;
    if (transfer->request->call)
        transfer->host->call_count++;
    transfer->host->active_count++;
    http->active_count++;
    TAILQ_INSERT_TAIL(&http->active, transfer, link);
}

static bool has_room(const struct http *http, const struct http_transfer *transfer)
{
    const struct http_host *host = transfer->host;
    if (!transfer->request->call)
        return host->active_count < http->connections_per_host;
    if (http_call_is_big(transfer->request->call) && host->big_count >= BIG_PER_HOST)
        return false;
    return host->call_count < http->small_calls_per_host;
}

/* Starts what may start, in order, and finds out when to look again. */
static void start_waiting(struct http *http)
{
    uint64_t now = clock_ms();
    if (!http->has_changed && now < http->next_due_ms)
        return;
    http->has_changed = false;
    http->next_due_ms = UINT64_MAX;
    struct http_transfer *transfer = TAILQ_FIRST(&http->waiting);
    while (transfer && http->active_count < ACTIVE_MAX) {
        struct http_transfer *next = TAILQ_NEXT(transfer, link);
        transfer->host = host_of(http, url_of(transfer));
        if (transfer->host->is_slow && !transfer->try_count && !transfer->is_patient && choose_url(http, transfer))
            transfer->host = host_of(http, url_of(transfer));
        uint64_t due_ms = transfer->due_ms > transfer->host->paid_ms ? transfer->due_ms : transfer->host->paid_ms;
        if (due_ms > now) {
            if (due_ms < http->next_due_ms)
                http->next_due_ms = due_ms;
        } else if (has_room(http, transfer)) {
            TAILQ_REMOVE(&http->waiting, transfer, link);
            start(http, transfer);
        }
        transfer = next;
    }
}

static void settle_ended(struct http *http)
{
    CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(http->multi, &left))) {
        char *owner = NULL;
        if (message->msg != CURLMSG_DONE)
            continue;
        CURLcode code = message->data.result; /* the message is gone once the handle is removed */
        (void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &owner);
        settle(http, (struct http_transfer *)(void *)owner, code);
    }
}

/* Of a call only what is received counts: how long a server may take to act is another clock's matter. */
static bool is_too_slow(struct http *http, struct http_transfer *transfer, uint64_t now)
{
    struct http_try *try = transfer->try;
    if (transfer->request->call && try->calling.stage != HTTP_RECEIVING)
        return false;
    struct http_pace_look look = {.now_ms = now,
                                  .received_bytes = try->received_bytes - try->resumed_bytes,
                                  .slow_after_ms = http->slow_after_ms,
                                  .active_count = http->active_count,
                                  .is_other_there = is_other_there(http, transfer)};
    enum http_pace_verdict verdict = http_pace_look(&try->pace, &look);
    if (verdict == HTTP_PACE_FINE)
        return false;
    try->is_too_slow = true;
    (void)snprintf(try->reason, sizeof try->reason, "too slow: %s in %s", text_size(look.received_bytes).chars,
                   units_duration(try->pace.total_ms).chars);
    if (transfer->request->call)
        transfer->request->call->is_too_slow = true;
    return true;
}

/* Ends the transfers whose clock ran out. */
static void settle_stuck(struct http *http)
{
    uint64_t now = clock_ms();
    if (now < http->next_look_ms)
        return;
    http->next_look_ms = now + CLOCK_POLL_MS;
    struct http_transfer *transfer = TAILQ_FIRST(&http->active);
    while (transfer) {
        struct http_transfer *next = TAILQ_NEXT(transfer, link);
        bool is_stuck = transfer->request->call && http_call_is_stuck(transfer->try, now);
        if (is_stuck || is_too_slow(http, transfer, now))
            settle(http, transfer, CURLE_OPERATION_TIMEDOUT);
        transfer = next;
    }
}

/* What has begun to change things gets a moment, so that one knows what became of it. */
static bool is_spared(const struct http *http, const struct http_transfer *transfer)
{
    const struct http_call *call = transfer->request->call;
    return call && call->is_ended_late && !http->is_ending && clock_ms() - http->cancelled_ms < HTTP_LATE_MS;
}

static void cancel_one(struct http *http, struct http_transfer *transfer)
{
    struct http_request *request = transfer->request;
    err_clear(&request->err);
    err_set(&request->err, ERR_CANCELLED, "%s: cancelled", http_show(url_of(transfer)).chars);
    finish(http, transfer);
}

/* Without CURLOPT_QUICK_EXIT libcurl would wait for the end of name look-ups. */
static void cancel_active(struct http *http, struct http_transfer *transfer)
{
    (void)curl_easy_setopt(transfer->try->easy, CURLOPT_QUICK_EXIT, 1L);
    http_try_free(deactivate(http, transfer));
    cancel_one(http, transfer);
}

static void cancel_all(struct http *http)
{
    struct http_transfer *transfer, *next;
    http->cancelled_ms = http->cancelled_ms ? http->cancelled_ms : clock_ms();
    for (transfer = TAILQ_FIRST(&http->active); transfer; transfer = next) {
        next = TAILQ_NEXT(transfer, link);
        if (!is_spared(http, transfer))
            cancel_active(http, transfer);
    }
    for (transfer = TAILQ_FIRST(&http->waiting); transfer; transfer = next) {
        next = TAILQ_NEXT(transfer, link);
        if (is_spared(http, transfer))
            continue;
        TAILQ_REMOVE(&http->waiting, transfer, link);
        cancel_one(http, transfer);
    }
}

/* Moves what was sent to the waiting; returns false when it is time to stop. */
static bool take_inbox(struct http *http)
{
    pthread_mutex_lock(&http->lock);
    bool is_stopping = http->is_stopping;
    if (!TAILQ_EMPTY(&http->inbox))
        http->has_changed = true;
    TAILQ_CONCAT(&http->waiting, &http->inbox, link);
    pthread_mutex_unlock(&http->lock);
    return !is_stopping;
}

static int poll_ms(const struct http *http)
{
    if (http->has_changed)
        return 0;
    if (!http->active_count && TAILQ_EMPTY(&http->waiting))
        return IDLE_POLL_MS;
    uint64_t now = clock_ms();
    uint64_t left_ms = http->next_due_ms > now ? http->next_due_ms - now : 0;
    return left_ms < CANCEL_POLL_MS ? (int)left_ms : (int)CANCEL_POLL_MS;
}

static void *network_main(void *argument)
{
    struct http *http = argument;
    if (http->confined)
        confine_network(http->confined);
    while (take_inbox(http)) {
        int running_count;
        if (http->cancel && atomic_load(http->cancel))
            cancel_all(http);
        start_waiting(http);
        CURLMcode code = curl_multi_perform(http->multi, &running_count);
        settle_ended(http);
        settle_stuck(http);
        if (code == CURLM_OK)
            code = curl_multi_poll(http->multi, NULL, 0, poll_ms(http), NULL);
        if (code != CURLM_OK)
            memory_abort(0); /* the only failure that a right caller can meet */
    }
    http->is_ending = true;
    cancel_all(http);
    return NULL;
}

static void http_free(struct http *http)
{
    struct http_transfer *transfer;
    while ((transfer = TAILQ_FIRST(&http->ended))) {
        TAILQ_REMOVE(&http->ended, transfer, link);
        free(transfer);
    }
    while (http->hosts) {
        struct http_host *host = http->hosts;
        http->hosts = host->next;
        free(host);
    }
    if (http->multi) {
        (void)curl_multi_cleanup(http->multi);
        curl_global_cleanup();
    }
    pthread_cond_destroy(&http->changed);
    pthread_mutex_destroy(&http->lock);
    proxies_done(&http->proxies);
    free(http);
}

/* No signal is handled on the network thread, nor on those that libcurl starts for name look-ups; that also keeps a
 * connection that OpenSSL writes to from raising SIGPIPE. */
static int start_thread(struct http *http)
{
    sigset_t all, before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&http->thread, NULL, network_main, http);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failed;
}

/* Each connection gets an even share; there are fewer of them where one would be taken for a stalled one. */
static void share_rate(struct http *http, uint64_t rate)
{
    uint64_t most = rate / RATE_LEAST_BYTES ? rate / RATE_LEAST_BYTES : 1;
    if (!rate)
        return;
    if (http->connections_per_host > most)
        http->connections_per_host = http->small_calls_per_host = (size_t)most;
    http->rate_per_host = rate;
    http->rate_per_connection = rate / http->connections_per_host;
}

static void apply_options(struct http *http, const struct http_options *options)
{
    size_t wanted = options->connections_per_host, rated = options->rate_per_host ? CONNECTIONS_RATED : 0;
    http->connections_per_host = wanted ? wanted : rated ? rated : CONNECTIONS_PER_HOST;
    http->small_calls_per_host = wanted ? wanted : rated ? rated : SMALL_CALLS_PER_HOST;
    share_rate(http, options->rate_per_host);
    http->shared = shared_cache_open(options->cache_from, options->log);
    http->retry_base_ms = options->retry_base_ms ? options->retry_base_ms : RETRY_BASE_MS;
    http->retry_count = options->retry_count ? options->retry_count : HTTP_DEFAULT_RETRIES;
    if (options->retry_count == HTTP_NO_RETRY)
        http->retry_count = 0;
    http->cancel = options->cancel;
    http->log = options->log;
    http->keeper = options->keeper;
    http->confined = options->confined;
    http->broker = options->broker;
    http->slow_after_ms = options->slow_after_ms ? options->slow_after_ms : HTTP_SLOW_AFTER_MS;
    if (!options->broker) /* which has read them */
        proxies_read(&http->proxies);
}

/* Starts the network for the first request, with the lock held: an offline run in which nothing changed needs neither
 * libcurl's OpenSSL nor the thread. curl_global_init() may be called beside other threads since libcurl 7.84. */
static bool begin_network(void *argument, struct err *err)
{
    struct http *http = argument;
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        err_set(err, ERR_INTERNAL, "libcurl cannot be initialised");
        return false;
    }
    http->multi = curl_multi_init();
    if (!http->multi)
        memory_abort(0);
    (void)curl_multi_setopt(http->multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long)http->small_calls_per_host);
    (void)curl_multi_setopt(http->multi, CURLMOPT_MAXCONNECTS, CONNECTIONS_KEPT);
    int failed = start_thread(http);
    if (!failed)
        return http->is_running = true;
    err_set_errno(err, failed, "cannot start the network thread");
    (void)curl_multi_cleanup(http->multi);
    http->multi = NULL;
    curl_global_cleanup();
    return false;
}

bool http_start(const struct http_options *options, struct http **ret_http, struct err *err)
{
    if (!file_check_room(DESCRIPTORS_OF_LIBCURL, err))
        return false;
    struct http *http = calloc(1, sizeof *http);
    if (!http)
        memory_abort(sizeof *http);
    apply_options(http, options);
    pthread_mutex_init(&http->lock, NULL);
    pthread_cond_init(&http->changed, NULL);
    TAILQ_INIT(&http->inbox);
    TAILQ_INIT(&http->waiting);
    TAILQ_INIT(&http->active);
    TAILQ_INIT(&http->ended);
    http->next_due_ms = UINT64_MAX;
    if (getrandom(&http->random, sizeof http->random, 0) != (ssize_t)sizeof http->random || !http->random)
        http->random = 1;
    if (http->broker) {
        http->number = broker_take_number(http->broker);
        broker_seal(http->broker, http->confined);
    }
    *ret_http = http;
    return true;
}

bool http_take_shared(struct http *http, struct store *store, const struct digest *digest, uint64_t size_bytes)
{
    return shared_cache_take(&http->shared, store, digest, size_bytes, true);
}

/* What a cache that is shared has needs no network. */
static bool take_shared(struct http *http, struct http_request *request)
{
    if (!http->shared.dir || request->call || !request->store || !request->is_digest_known ||
        !shared_cache_take(&http->shared, request->store, &request->digest,
                           request->is_size_known ? request->size_bytes : request->cap_bytes, request->is_size_known))
        return false;
    request->blob_digest = request->digest;
    request->url = request->urls[0];
    return request->is_good = true;
}

/* The request's results are there. */
static void end_remote(void *owner)
{
    struct http_transfer *transfer = owner;
    finish(transfer->http, transfer);
}

/* Hands it to the process that has the network. */
static void send_remote(struct http *http, struct http_transfer *transfer)
{
    transfer->http = http;
    transfer->remote = (struct http_remote){.request = transfer->request, .ended = end_remote, .owner = transfer};
    pthread_mutex_lock(&http->lock);
    http->is_running = true;
    pthread_mutex_unlock(&http->lock);
    if (!http_remote_send(http->broker, http->number, &transfer->remote, &transfer->request->err))
        finish(http, transfer);
}

unsigned http_number(struct http *http)
{
    pthread_mutex_lock(&http->lock);
    http->is_running = true;
    pthread_mutex_unlock(&http->lock);
    return http->number;
}

void http_send(struct http *http, struct http_request *request)
{
    struct http_transfer *transfer = calloc(1, sizeof *transfer + request->url_count);
    if (!transfer)
        memory_abort(sizeof *transfer);
    assert(request->url_count > 0);
    transfer->request = request;
    err_clear(&request->err);
    request->is_good = false;
    request->body = (struct buf){0};
    request->received_bytes = 0;
    request->url = NULL;
    request->status = 0;
    request->transfer = transfer;
    if (request->call) {
        assert(request->url_count == 1);
        request->call->answer_headers = (struct buf){0};
        request->call->was_sent = request->call->has_part = request->call->is_too_slow = false;
    }
    if (take_shared(http, request)) {
        finish(http, transfer);
        return;
    }
    if (http->broker) {
        send_remote(http, transfer);
        return;
    }
    pthread_mutex_lock(&http->lock);
    assert(!http->is_stopping);
    bool is_running = http->is_running || workers_call(http->keeper, begin_network, http, &request->err);
    if (is_running)
        TAILQ_INSERT_TAIL(&http->inbox, transfer, link);
    pthread_mutex_unlock(&http->lock);
    if (is_running)
        (void)curl_multi_wakeup(http->multi);
    else
        finish(http, transfer);
}

bool http_wait(struct http *http, struct http_request *request)
{
    struct http_transfer *transfer = request->transfer;
    pthread_mutex_lock(&http->lock);
    http->waiter_count++;
    while (!transfer->is_done)
        pthread_cond_wait(&http->changed, &http->lock);
    if (--http->waiter_count == 0)
        pthread_cond_broadcast(&http->changed);
    pthread_mutex_unlock(&http->lock);
    return request->is_good;
}

void http_stop(struct http *http)
{
    if (!http)
        return;
    pthread_mutex_lock(&http->lock);
    http->is_stopping = true;
    bool is_running = http->is_running;
    pthread_mutex_unlock(&http->lock);
    if (is_running && http->broker) {
        http_remote_end(http->broker, http->number);
    } else if (is_running) {
        (void)curl_multi_wakeup(http->multi);
        pthread_join(http->thread, NULL);
    }
    if (http->broker)
        broker_give_number(http->broker, http->number);
    pthread_mutex_lock(&http->lock);
    while (http->waiter_count > 0)
        pthread_cond_wait(&http->changed, &http->lock);
    pthread_mutex_unlock(&http->lock);
    http_free(http);
}
