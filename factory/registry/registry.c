/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/registry_remote.h"
#include "registry/registry_shared.h"

#include "base/auto.h"
#include "base/clock.h"

#define DEFAULT_RETRY_BASE_MS 500u
#define DEFAULT_DEADLINE_MS (30u * 60 * 1000)

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

static bool read_trust_files(void *argument, struct err *err)
{
    struct registry *registry = argument;
    return trust_files_load(&registry->arena, registry->options->cert_dir, registry->reference.host,
                            registry->options->is_verify_off, &registry->tls, err);
}

/* With a broker the registry's certificates are its matter, too. */
static bool open_remote(struct registry *registry, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct strings together = {0};
    if (registry->host) {
        together = registry_shared_repositories(&scratch, registry, REGISTRY_PULL);
        list_add(&scratch, &together, registry->reference.repository);
    }
    return registry_remote_open(registry, &together, err);
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
        atomic_store(&registry->scheme, registry->host ? atomic_load(&registry->host->scheme) : SCHEME_UNKNOWN);
    if (registry->options->broker)
        return open_remote(registry, err);
    if (!workers_call(registry->options->keeper, read_trust_files, registry, err))
        return false;
    registry->foreign_tls = (struct http_tls){.ca_file = registry->tls.ca_file,
                                              .ca_dir = registry->tls.ca_dir,
                                              .ca_pem = registry->tls.ca_pem,
                                              .is_verify_off = registry->options->is_verify_off};
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
    registry->host = registry_shared_host(options->shared, registry->reference.host);
    registry->not_before_ms = registry->host ? &registry->host->not_before_ms : &registry->own_not_before_ms;
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
    registry_remote_close(registry);
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
                        const struct credential *credential, bool *ret_is_asked, struct err *err)
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
    atomic_store(&registry->has_credential, credential->secret != NULL);
    struct exchange exchange = {.method = "GET", .path = "", .is_root = true};
    bool is_good = registry_exchange(registry, &exchange, err);
    if (is_good && exchange.status != 200) {
        exchange_refused(registry, &exchange, "login", err);
        is_good = false;
    }
    exchange_done(&exchange);
    *ret_is_asked = registry->is_challenge_known;
    registry_close(registry);
    return is_good;
}
