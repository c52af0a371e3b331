/* SPDX-License-Identifier: Apache-2.0 */
/* One exchange with the registry: find out how it speaks, add authentication for its own origin only, follow redirects
 * by hand, and try again what is worth it. The one retry layer; whoever has to look before another try (uploads,
 * manifests) asks for a single try and calls registry_back_off() itself. */
#include "registry/registry_remote.h"
#include "registry/registry_shared.h"

#include "base/auto.h"
#include "base/clock.h"

#include <assert.h>

#define REDIRECTS_MAX 5

static const char *url_of(struct arena *arena, const struct registry *registry, const struct exchange *exchange)
{
    if (exchange->url)
        return exchange->url;
    const char *base = registry_base(arena, registry);
    if (exchange->is_root)
        return arena_printf(arena, "%s/v2/%s", base, exchange->path);
    return arena_printf(arena, "%s/v2/%s/%s", base, registry->reference.repository, exchange->path);
}

/* One send with authentication where it belongs; answers 401 with a renewal, twice at most: a token that another thread
 * fetched meanwhile may be stale as well. */
static bool send_authorized(struct registry *registry, struct exchange *exchange, const char *url, struct err *err)
{
    struct registry_origin origin = {0}, home = registry_home(registry);
    bool is_home = registry_origin_parse(url, &origin) && registry_origin_eq(&origin, &home);
    enum renewal renewal = RENEWAL_TRY;
    uint64_t body_bytes = exchange->has_fd ? exchange->bytes : exchange->body.len;
    for (;;) {
        AUTO(secret_done) char *authorization = NULL;
        unsigned generation = 0;
        if (is_home && !registry_authorize(registry, exchange->access, body_bytes > REGISTRY_BIG_BODY_BYTES,
                                           &authorization, &generation, err)) {
            exchange->is_hopeless = true;
            return false;
        }
        if (!registry_send(registry, exchange, url, authorization, err))
            return false;
        if (is_home && (exchange->status < 400 || exchange->status == 404))
            registry_note_accepted(registry, exchange->access, generation);
        if (exchange->status != 401 || !is_home || renewal == RENEWAL_LAST_TRY)
            return true;
        if (!registry_renew(registry, exchange->access, generation, exchange, &renewal, err)) {
            exchange->is_hopeless = true;
            return false;
        }
        if (renewal == RENEWAL_REFUSED)
            return true;
    }
}

static bool is_redirect(const struct exchange *exchange)
{
    bool is_reading = strcmp(exchange->method, "GET") == 0 || strcmp(exchange->method, "HEAD") == 0;
    return http_status_is_redirect(exchange->status) && (exchange->status != 303 || is_reading);
}

static bool send_followed(struct registry *registry, struct exchange *exchange, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    const char *url = url_of(&scratch, registry, exchange);
    for (int hops = 0; hops <= REDIRECTS_MAX; hops++) {
        if (!send_authorized(registry, exchange, url, err))
            return false;
        if (!is_redirect(exchange))
            return true;
        url = exchange_location(registry, &scratch, exchange);
        if (!url) {
            exchange_refused(registry, exchange, "a redirect to where it may not lead", err);
            exchange->is_hopeless = true;
            return false;
        }
    }
    exchange_refused(registry, exchange, "too many redirects", err);
    exchange->is_hopeless = true;
    return false;
}

/* Go and nginx answer a plain request on their TLS port with a 400 of their own, others hang up. A registry's 400 is
 * JSON. */
static bool speaks(const struct exchange *exchange, bool is_answered, int scheme)
{
    struct text type = exchange_header(exchange, "Content-Type");
    return is_answered &&
           !(scheme == SCHEME_HTTP && exchange->status == 400 && !text_has_prefix(type, "application/json"));
}

/* Sends the first request of all with that scheme, without authentication. */
static bool send_in_scheme(struct registry *registry, struct exchange *exchange, int scheme, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    const char *now = url_of(&scratch, registry, exchange); /* another request may have settled the scheme meanwhile */
    const char *url = arena_printf(&scratch, "%s%s", scheme == SCHEME_HTTP ? "http" : "https", strchr(now, ':'));
    bool is_answered = registry_send(registry, exchange, url, NULL, err);
    if (speaks(exchange, is_answered, scheme))
        return true;
    if (is_answered)
        exchange_refused(registry, exchange, "plain http", err);
    return false;
}

static bool go_on(struct registry *registry, struct exchange *exchange, struct err *err)
{
    enum renewal renewal;
    if (exchange->status == 401 && !registry_renew(registry, exchange->access, 0, exchange, &renewal, err)) {
        exchange->is_hopeless = true;
        return false;
    }
    return exchange->status != 401 && !is_redirect(exchange) ? true : send_followed(registry, exchange, err);
}

/* With verification off the registry may speak https or plain http. A loopback host is asked in plain http first: no
 * one can listen there, and nothing secret is sent before a challenge. Any other host has to fail with https first. */
static bool send_undecided(struct registry *registry, struct exchange *exchange, struct err *err)
{
    bool is_loopback = reference_is_loopback(&registry->reference);
    int first = is_loopback ? SCHEME_HTTP : SCHEME_HTTPS, second = is_loopback ? SCHEME_HTTPS : SCHEME_HTTP;
    struct err failure = {0};
    int scheme = first;
    if (!send_in_scheme(registry, exchange, first, &failure)) {
        if (failure.kind == ERR_CANCELLED || failure.kind == ERR_LOCAL) {
            *err = failure;
            return false;
        }
        scheme = second;
        if (!send_in_scheme(registry, exchange, second, err)) {
            err_wrap(err, "%s; then", failure.text);
            return false;
        }
    }
    int unknown = SCHEME_UNKNOWN, none = SCHEME_UNKNOWN;
    (void)atomic_compare_exchange_strong(&registry->scheme, &unknown, scheme);
    if (registry->host)
        (void)atomic_compare_exchange_strong(&registry->host->scheme, &none, scheme);
    return go_on(registry, exchange, err);
}

static bool has_sign(const struct err *err, const char *const *signs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strstr(err->text, signs[i]))
            return true;
    }
    return false;
}

static bool is_wrong_protocol(const struct err *err)
{
    static const char *const signs[] = {"wrong version number", "packet length too long", "record layer failure"};
    return has_sign(err, signs, ARRAY_COUNT(signs));
}

/* With TLS 1.3 the client is through with the handshake before the server misses its certificate: then the connection
 * breaks at the first read or write, with whatever words libcurl has for that. */
static bool may_want_certificate(const struct registry *registry, const struct err *err)
{
    static const char *const signs[] = {"alert", "SSL_read", "SSL_write", "getpeername", "Send failure"};
    return err->kind == ERR_NETWORK && !registry->tls.cert_path && !atomic_load(&registry->has_answered) &&
           atomic_load(&registry->scheme) != SCHEME_HTTP && has_sign(err, signs, ARRAY_COUNT(signs));
}

static const char *const plain_hint = " (does the registry speak plain http? for a lab registry: --tls-verify=false)";
static const char *const trust_hint = " (a registry with its own CA: put the CA into certs.d/HOST/*.crt)";
static const char *const certificate_hint =
    " (does the registry want a client certificate? put it into certs.d/HOST as NAME.cert and NAME.key)";

/* One try: waits while the registry asked all of us to, then sends. */
static bool try_once(struct registry *registry, struct exchange *exchange, struct err *err)
{
    uint64_t now = clock_ms(), not_before = atomic_load(registry->not_before_ms);
    if (!registry_sleep(registry, not_before > now ? not_before - now : 0, err)) {
        exchange->is_hopeless = true;
        return false;
    }
    bool is_undecided = atomic_load(&registry->scheme) == SCHEME_UNKNOWN && !exchange->url;
    if (is_undecided ? send_undecided(registry, exchange, err) : send_followed(registry, exchange, err))
        return true;
    if (err->kind == ERR_NETWORK && !is_undecided && is_wrong_protocol(err)) {
        err_add(err, "%s", registry->options->is_verify_off ? "" : plain_hint);
        exchange->is_hopeless = true;
    } else if (err->kind == ERR_TRUST && !registry->options->is_verify_off) {
        err_add(err, "%s", trust_hint);
    } else if (may_want_certificate(registry, err)) {
        err_add(err, "%s", certificate_hint);
    }
    if (err->kind != ERR_NETWORK || exchange->is_too_slow)
        exchange->is_hopeless = true;
    return false;
}

bool registry_send_once(struct registry *registry, struct exchange *exchange, struct err *err)
{
    struct registry_origin origin, home = registry_home(registry);
    AUTO(secret_done) char *authorization = NULL;
    unsigned generation;
    if (registry->options->broker)
        return registry_remote_exchange(registry, exchange, SENDING_ONCE, err);
    bool is_home = registry_origin_parse(exchange->url, &origin) && registry_origin_eq(&origin, &home);
    return (!is_home || registry_authorize(registry, exchange->access, false, &authorization, &generation, err)) &&
           registry_send(registry, exchange, exchange->url, authorization, err);
}

bool registry_exchange(struct registry *registry, struct exchange *exchange, struct err *err)
{
    struct retry retry = {0};
    assert(exchange->access <= registry->access);
    if (registry->options->broker)
        return registry_remote_exchange(registry, exchange, SENDING_WHOLE, err);
    const char *what = !exchange->path ? "upload" : *exchange->path ? exchange->path : "login";
    for (;;) {
        exchange->is_hopeless = false;
        bool is_answered = try_once(registry, exchange, err);
        if (is_answered && (exchange->is_tried_once || !http_status_is_transient(exchange->status)))
            return true;
        if (is_answered)
            exchange_refused(registry, exchange, what, err);
        else if (strncmp(err->text, registry->name, strlen(registry->name)) != 0)
            err_wrap(err, "%s: %s", registry->name, what);
        if (exchange->is_tried_once || exchange->is_hopeless ||
            !registry_back_off(registry, &retry, exchange->retry_after_s, err))
            return false;
    }
}
