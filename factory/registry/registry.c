#include "registry/registry_parts.h"

#include "base/auto.h"
#include "base/clock.h"
#include "base/units.h"

#include <inttypes.h>
#include <sys/random.h>

#define DEFAULT_RETRY_BASE_MS 500u
#define DEFAULT_DEADLINE_MS (30u * 60 * 1000)
#define BACK_OFF_MAX_MS ((uint64_t)30 * 1000)
#define RETRY_AFTER_MAX_S 120u
#define SLEEP_SLICE_MS ((uint64_t)50)

struct digest_name registry_digest_name(const struct digest *digest)
{
    struct digest_name name;
    (void)snprintf(name.chars, sizeof name.chars, "sha256:%s", digest_hex(digest).chars);
    return name;
}

const char *registry_base(struct arena *arena, const struct registry *registry)
{
    bool is_http = atomic_load(&registry->scheme) == SCHEME_HTTP;
    return arena_printf(arena, "%s://%s", is_http ? "http" : "https", registry->reference.api_host);
}

struct registry_origin registry_home(const struct registry *registry)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct registry_origin origin = {0};
    bool is_parsed = registry_origin_parse(registry_base(&scratch, registry), &origin);
    (void)is_parsed; /* registry_open() saw to it */
    return origin;
}

static void copy_reference(struct registry *registry, const struct reference *reference)
{
    struct arena *arena = &registry->arena;
    registry->reference = *reference;
    registry->reference.host = arena_strdup(arena, reference->host);
    registry->reference.api_host = arena_strdup(arena, reference->api_host);
    registry->reference.repository = arena_strdup(arena, reference->repository);
    registry->reference.tag = arena_strdup(arena, reference->tag);
    registry->name = arena_printf(arena, "%s/%s", reference->host, reference->repository);
}

static void apply_options(struct registry *registry, const struct registry_options *options)
{
    registry->options = options;
    registry->retry_base_ms = options->retry_base_ms ? options->retry_base_ms : DEFAULT_RETRY_BASE_MS;
    registry->patience_ms = options->deadline_ms ? options->deadline_ms : DEFAULT_DEADLINE_MS;
    registry->deadline_ms = clock_ms() + registry->patience_ms;
}

/* Only with verification off may the registry turn out to speak plain http: the first request finds out. */
static bool load_transport(struct registry *registry, struct err *err)
{
    struct registry_origin origin;
    atomic_store(&registry->scheme, SCHEME_HTTPS);
    if (!registry_origin_parse(registry_base(&registry->arena, registry), &origin)) {
        err_set(err, ERR_USAGE, "%s: not a host of a registry", registry->reference.host);
        return false;
    }
    if (registry->options->is_verify_off)
        atomic_store(&registry->scheme, SCHEME_UNKNOWN);
    if (!trust_files_load(&registry->arena, registry->options->cert_dir, registry->reference.host,
                          registry->options->is_verify_off, &registry->tls, err))
        return false;
    registry->foreign_tls =
        (struct http_tls){.ca_pem = registry->tls.ca_pem, .is_verify_off = registry->options->is_verify_off};
    return true;
}

bool registry_open(const struct registry_options *options, struct http *http, const struct reference *reference,
                   enum registry_access access, struct registry **ret_registry, struct err *err)
{
    struct registry *registry = calloc(1, sizeof *registry);
    if (!registry)
        memory_abort(sizeof *registry);
    pthread_mutex_init(&registry->lock, NULL);
    pthread_mutex_init(&registry->attach_lock, NULL);
    registry->http = http;
    registry->access = access;
    apply_options(registry, options);
    copy_reference(registry, reference);
    if (!load_transport(registry, err)) {
        registry_close(registry);
        return false;
    }
    *ret_registry = registry;
    return true;
}

void registry_close(struct registry *registry)
{
    if (!registry)
        return;
    for (size_t i = 0; i < ARRAY_COUNT(registry->tokens); i++)
        secret_done(&registry->tokens[i].value);
    secret_done(&registry->basic);
    credential_done(&registry->credential);
    arena_done(&registry->arena);
    pthread_mutex_destroy(&registry->lock);
    pthread_mutex_destroy(&registry->attach_lock);
    free(registry);
}

void auto_close_registry(struct registry **registry)
{
    registry_close(*registry);
}

bool registry_try_login(const struct registry_options *options, struct http *http, const struct reference *reference,
                        const struct credential *credential, struct err *err)
{
    struct registry *registry;
    struct reference host = *reference;
    host.repository = "";
    if (!registry_open(options, http, &host, REGISTRY_PULL, &registry, err))
        return false;
    registry->name = registry->reference.host;
    registry->credential.user = credential->user ? secret_dup(credential->user) : NULL;
    registry->credential.secret = credential->secret ? secret_dup(credential->secret) : NULL;
    registry->credential.is_identity_token = credential->is_identity_token;
    registry->credential.is_registry_token = credential->is_registry_token;
    registry->credential.from = "this login";
    registry->is_credential_loaded = true;
    struct exchange exchange = {.method = "GET", .path = "", .is_root = true};
    bool is_good = registry_exchange(registry, &exchange, err);
    if (is_good && exchange.status != 200) {
        exchange_refused(registry, &exchange, "login", err);
        is_good = false;
    }
    exchange_done(&exchange);
    registry_close(registry);
    return is_good;
}

bool registry_sleep(struct registry *registry, uint64_t ms, struct err *err)
{
    uint64_t until = clock_ms() + ms;
    for (uint64_t now = clock_ms();; now = clock_ms()) {
        bool is_going_on = ms == 0 && atomic_load(&registry->is_ending_late);
        if (registry->options->cancel && atomic_load(registry->options->cancel) && !is_going_on) {
            err_clear(err);
            err_set(err, ERR_CANCELLED, "%s: cancelled", registry->name);
            return false;
        }
        if (now >= registry->deadline_ms) {
            if (err->kind == ERR_NONE)
                err_set(err, ERR_NETWORK, "%s: not done", registry->name);
            err_wrap(err, "gave up after %u s", registry->patience_ms / 1000);
            return false;
        }
        if (now >= until)
            return true;
        uint64_t left = until - now < SLEEP_SLICE_MS ? until - now : SLEEP_SLICE_MS;
        clock_sleep_ms(left);
    }
}

/* Exponential, in a band of half to one and a half. */
static uint64_t back_off_ms(const struct registry *registry, unsigned count)
{
    uint64_t delay_ms = (uint64_t)registry->retry_base_ms << (count < 16 ? count : 16);
    uint64_t spread = 0;
    delay_ms = delay_ms < BACK_OFF_MAX_MS ? delay_ms : BACK_OFF_MAX_MS;
    if (getrandom(&spread, sizeof spread, 0) != (ssize_t)sizeof spread)
        spread = delay_ms / 2;
    return delay_ms / 2 + spread % (delay_ms + 1);
}

/* 429 and 503 are about all of us: nobody sends before the wait is over. */
static void hold_back_all(struct registry *registry, uint64_t until_ms)
{
    uint64_t before = atomic_load(&registry->not_before_ms);
    while (before < until_ms && !atomic_compare_exchange_weak(&registry->not_before_ms, &before, until_ms))
        ;
}

/* A wait that is asked for is not taken for granted when it is too long: the next answer will tell. */
void registry_heed(struct registry *registry, const struct exchange *answer)
{
    bool is_about_all = answer->status == 429 || answer->status == 503;
    if (is_about_all && answer->retry_after_s <= RETRY_AFTER_MAX_S)
        hold_back_all(registry, clock_ms() + (uint64_t)answer->retry_after_s * 1000);
}

bool registry_back_off(struct registry *registry, struct retry *retry, unsigned retry_after_s, struct err *err)
{
    if (err->kind == ERR_CANCELLED)
        return false;
    if (retry_after_s > RETRY_AFTER_MAX_S) {
        err_wrap(err, "asked to wait %u s", retry_after_s);
        return false;
    }
    if (retry->count >= registry->options->retries) {
        err_wrap(err, retry->count ? "after %u tries" : "after %u try", retry->count + 1);
        return false;
    }
    uint64_t delay_ms = back_off_ms(registry, retry->count++);
    uint64_t asked_ms = (uint64_t)retry_after_s * 1000;
    delay_ms = delay_ms > asked_ms ? delay_ms : asked_ms;
    if (err->detail == 429 || err->detail == 503)
        hold_back_all(registry, clock_ms() + delay_ms);
    if (registry->options->log)
        log_line(registry->options->log, LOG_NORMAL, "%s; trying again in %s (%u of %u)", err->text,
                 units_duration(delay_ms).chars, retry->count, registry->options->retries);
    if (!registry_sleep(registry, delay_ms, err))
        return false;
    err_clear(err);
    return true;
}
