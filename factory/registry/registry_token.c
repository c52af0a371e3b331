/* SPDX-License-Identifier: Apache-2.0 */
/* Authentication: Basic, or a bearer token from the registry's token service (docker token authentication; quay and
 * distribution as read in their sources). The challenge is learned from the first 401, the credential is looked up
 * only once the place it would go to was found acceptable. `registry.lock` is held throughout, so that many threads
 * that need a token make one request. */
#include "registry/registry_shared.h"

#include "base/auto.h"
#include "base/clock.h"
#include "base/url.h"

#include <jansson.h>
#include <openssl/evp.h>
#include <sys/stat.h>

#define TOKEN_MAX_BYTES ((size_t)64 * 1024)
#define TOKEN_ANSWER_MAX_BYTES ((size_t)1024 * 1024)
#define DEFAULT_LIFETIME_S 60
#define LIFETIME_MAX_S (24 * 60 * 60)
#define BIG_BODY_NEEDS_MS ((uint64_t)5 * 60 * 1000)
#define SHARED_SCOPES_MAX 50 /* so that the URL stays below the 8 KiB that servers take */
#define SECRET_MAX_BYTES ((size_t)64 * 1024)

/* --- where a credential may go --- */

static bool is_listed(const struct registry *registry, const struct registry_origin *realm)
{
    const struct strings *listed = registry->options->token_origins;
    for (size_t i = 0; listed && i < listed->count; i++) {
        struct registry_origin origin;
        if (registry_origin_parse(listed->items[i], &origin) && registry_origin_eq(&origin, realm))
            return true;
    }
    return false;
}

static bool read_credential(void *argument, struct err *err)
{
    struct registry *registry = argument;
    return credential_find(&registry->arena, registry->options->authfile, &registry->reference, &registry->credential,
                           err);
}

/* A file that others can read is used, as by podman and skopeo, but not in silence; told once for all images of a registry. */
static void warn_of_readers(struct registry *registry)
{
    const struct credential *credential = &registry->credential;
    struct stat status;
    bool is_open = credential->secret && credential->from && stat(credential->from, &status) == 0 &&
                   S_ISREG(status.st_mode) && (status.st_mode & (S_IRGRP | S_IROTH));
    if (is_open && registry->options->log && !(registry->host && atomic_exchange(&registry->host->is_warned, true)))
        log_line(registry->options->log, LOG_QUIET,
                 "warning: %s: others than its owner can read the credential (chmod 600)", credential->from);
}

/* Looks the credential up once. */
static bool find_credential(struct registry *registry, struct err *err)
{
    if (!registry->is_credential_loaded && !workers_call(registry->options->keeper, read_credential, registry, err))
        return false;
    if (!registry->is_credential_loaded)
        warn_of_readers(registry);
    registry->is_credential_loaded = true;
    atomic_store(&registry->has_credential, registry->credential.secret != NULL);
    return true;
}

/* A token service elsewhere is asked when there is nothing to be told to it: by who has no credential, and from outside
 * not in the network that we are in. */
static bool is_asked_anonymously(struct registry *registry, const struct registry_origin *home,
                                 const struct registry_origin *realm, struct err *err)
{
    bool is_inward = registry_origin_is_private(realm) && !registry_origin_is_private(home);
    return !is_inward && find_credential(registry, err) && !registry->credential.secret;
}

/* The registry's own host, docker.io's well-known service, what the operator listed, or any for who has no credential;
 * https unless the registry itself speaks plain http. */
static bool check_realm(struct registry *registry, const char *url, struct registry_origin *ret_realm, struct err *err)
{
    struct registry_origin home = registry_home(registry), realm, docker;
    if (!registry_origin_parse(url, &realm) || strchr(url, '#')) {
        err_set(err, ERR_PUBLISH, "%s: names a token service that is no plain http or https URL", registry->name);
        return false;
    }
    bool is_docker = strcmp(registry->reference.host, "docker.io") == 0 &&
                     registry_origin_parse("https://auth.docker.io", &docker) && registry_origin_eq(&realm, &docker);
    if (strcmp(realm.host, home.host) != 0 && !is_docker && !is_listed(registry, &realm) &&
        !is_asked_anonymously(registry, &home, &realm, err)) {
        const char *scheme = realm.is_https ? "https" : "http";
        if (err->kind == ERR_NONE)
            err_set(err, ERR_PUBLISH,
                    "%s: names a token service on another host, %s://%s:%u; nothing was sent there (if it is the "
                    "registry's: --token-origin=%s://%s:%u, or token-origins in the site file)",
                    registry->name, scheme, realm.host, realm.port, scheme, realm.host, realm.port);
        return false;
    }
    if (!realm.is_https && home.is_https) {
        err_set(err, ERR_PUBLISH, "%s: names a token service without https", registry->name);
        return false;
    }
    *ret_realm = realm;
    return true;
}

/* Looks the credential up. One over plain http goes to loopback only. */
static bool load_credential(struct registry *registry, const struct registry_origin *to, struct err *err)
{
    if (!find_credential(registry, err))
        return false;
    if (!registry->credential.secret || to->is_https || registry_origin_is_loopback(to))
        return true;
    err_set(err, ERR_PUBLISH, "%s: will not send a credential to %s over plain http", registry->name, to->host);
    return false;
}

/* "Authorization: Basic …", malloc'd. */
static bool make_basic(const struct registry *registry, char **ret_header, struct err *err)
{
    const struct credential *credential = &registry->credential;
    const char *user = credential->user ? credential->user : "<token>";
    size_t user_len = strlen(user), secret_len = strlen(credential->secret), len = user_len + 1 + secret_len;
    if (user_len > SECRET_MAX_BYTES || secret_len > SECRET_MAX_BYTES || strchr(user, ':')) {
        err_set(err, ERR_USAGE, "%s: the credential from %s is too long, or its user name has a ':'", registry->name,
                credential->from ? credential->from : "an unknown place");
        return false;
    }
    static const char prefix[] = "Authorization: Basic ";
    AUTO(secret_done) char *plain = malloc(len + 1);
    char *header = malloc(sizeof prefix + (len + 2) / 3 * 4 + 1);
    if (!plain || !header)
        memory_abort(len);
    (void)snprintf(plain, len + 1, "%s:%s", user, credential->secret);
    memcpy(header, prefix, sizeof prefix);
    (void)EVP_EncodeBlock((unsigned char *)header + sizeof prefix - 1, (const unsigned char *)plain, (int)len);
    *ret_header = header;
    return true;
}

/* --- what is asked for --- */

static void add_scope(struct arena *arena, struct strings *scopes, const char *scope)
{
    if (!strings_has(scopes, scope))
        list_add(arena, scopes, scope);
}

/* Of the scopes that the registry names, those that only pull and push; never delete (quay answers 400 to it). */
static void add_asked(struct arena *arena, const struct registry *registry, enum registry_access access,
                      struct strings *scopes)
{
    struct text rest = text_of(registry->challenge.scope ? registry->challenge.scope : ""), scope;
    const char *own = arena_printf(arena, "repository:%s:", registry->reference.repository);
    while (text_next_word(&rest, &scope)) {
        bool is_pull = text_has_suffix(scope, ":pull");
        bool is_push = text_has_suffix(scope, ":pull,push") || text_has_suffix(scope, ":push,pull");
        if (text_has_prefix(scope, "repository:") && !text_has_prefix(scope, own) &&
            (is_pull || (is_push && access != REGISTRY_PULL)))
            add_scope(arena, scopes, text_dup(arena, scope));
    }
}

static const char *actions_of(const struct registry *registry, enum registry_access access)
{
    if (access == REGISTRY_DELETE && !registry->is_delete_unasked)
        return "pull,push,delete";
    return access == REGISTRY_PULL ? "pull" : "pull,push";
}

/* All that this registry object may need, the push first: some services look at the first only. */
static void list_scopes(struct arena *arena, const struct registry *registry, enum registry_access access,
                        struct strings *ret_scopes)
{
    *ret_scopes = (struct strings){0};
    if (!*registry->reference.repository)
        return; /* a login */
    add_scope(arena, ret_scopes,
              arena_printf(arena, "repository:%s:%s", registry->reference.repository, actions_of(registry, access)));
    add_asked(arena, registry, access, ret_scopes);
}

static const char *token_url(struct arena *arena, const struct registry *registry, const struct strings *scopes)
{
    const struct challenge *challenge = &registry->challenge;
    const char *url = challenge->realm, *separator = strchr(url, '?') ? "&" : "?";
    if (challenge->service) {
        url = arena_printf(arena, "%s%sservice=%s", url, separator, url_encode(arena, challenge->service));
        separator = "&";
    }
    for (size_t i = 0; i < scopes->count; i++) {
        url = arena_printf(arena, "%s%sscope=%s", url, separator, url_encode(arena, scopes->items[i]));
        separator = "&";
    }
    if (registry->credential.secret && registry->credential.user && !registry->credential.is_identity_token)
        url = arena_printf(arena, "%s%saccount=%s", url, separator, url_encode(arena, registry->credential.user));
    return url;
}

/* --- the token's answer --- */

static bool is_header_safe(const char *token)
{
    size_t len = strlen(token);
    for (size_t i = 0; i < len; i++) {
        if (token[i] <= ' ' || token[i] >= 0x7f)
            return false;
    }
    return len > 0 && len <= TOKEN_MAX_BYTES;
}

/* The lifetime that a JWT itself tells: exp - iat, by the service's own clock, else from now on. 0: not a JWT. */
static int64_t jwt_lifetime_s(const char *token)
{
    const char *start = strchr(token, '.');
    const char *end = start ? strchr(start + 1, '.') : NULL;
    AUTO(arena_done) struct arena scratch = {0};
    if (!end)
        return 0;
    size_t len = (size_t)(end - start) - 1, padded = (len + 3) / 4 * 4;
    char *base64 = arena_alloc(&scratch, padded + 1);
    unsigned char *bytes = arena_alloc(&scratch, padded / 4 * 3 + 1);
    for (size_t i = 0; i < padded; i++) {
        char c = i < len ? start[1 + i] : '=';
        base64[i] = c == '-' ? '+' : c == '_' ? '/' : c;
    }
    int decoded = EVP_DecodeBlock(bytes, (const unsigned char *)base64, (int)padded);
    if (decoded < (int)(padded - len))
        return 0;
    json_auto_t *claims = json_loadb((const char *)bytes, (size_t)decoded - (padded - len), 0, NULL);
    json_int_t expires = json_integer_value(json_object_get(claims, "exp"));
    json_int_t issued = json_integer_value(json_object_get(claims, "iat"));
    int64_t from = issued > 0 ? issued : clock_date();
    return expires > from && from > 0 ? expires - from : 0;
}

static uint64_t lifetime_ms(const json_t *answer, const char *token)
{
    const json_t *said = json_object_get(answer, "expires_in");
    double seconds = json_is_number(said) ? json_number_value(said) : (double)jwt_lifetime_s(token);
    if (!(seconds > 0))
        seconds = DEFAULT_LIFETIME_S;
    return (uint64_t)((seconds < LIFETIME_MAX_S ? seconds : LIFETIME_MAX_S) * 1000);
}

static const char *token_of(const json_t *answer)
{
    const char *token = json_string_value(json_object_get(answer, "token"));
    const char *access = json_string_value(json_object_get(answer, "access_token"));
    return token && *token ? token : access;
}

/* Takes a new value; it counts as spent after 80 % of its life. */
static void set_token(struct registry *registry, struct registry_token *token, const char *value, uint64_t lifetime)
{
    secret_done(&token->value);
    token->is_shared = false;
    token->value = secret_dup(value);
    token->lifetime_ms = lifetime;
    token->expires_ms = clock_ms() + lifetime / 5 * 4;
    token->generation = ++registry->generation;
}

static bool keep_token(struct registry *registry, const struct exchange *answer, struct registry_token *ret_token,
                       struct err *err)
{
    json_auto_t *json = answer->body_in.len ? json_loadb(answer->body_in.bytes, answer->body_in.len, 0, NULL) : NULL;
    const char *token = token_of(json);
    if (!token || !is_header_safe(token)) {
        err_set(err, ERR_PUBLISH, "%s: the token service's answer has no token that can be used", registry->name);
        return false;
    }
    set_token(registry, ret_token, token, lifetime_ms(json, token));
    return true;
}

/* --- asking for it --- */

/* The form of an OAuth2 refresh (docker's "oauth" token endpoint), malloc'd. */
static char *refresh_form(const struct registry *registry, const struct strings *scopes)
{
    AUTO(arena_done) struct arena scratch = {0};
    const struct challenge *challenge = &registry->challenge;
    const char *scope = url_encode(&scratch, strings_join(&scratch, scopes, " "));
    const char *service = url_encode(&scratch, challenge->service ? challenge->service : "");
    const char *secret = url_encode(&scratch, registry->credential.secret);
    char *form = NULL;
    int len = asprintf(&form, "grant_type=refresh_token&service=%s&client_id=imgfactory&scope=%s&refresh_token=%s",
                       service, scope, secret);
    explicit_bzero((char *)secret, strlen(secret));
    if (len < 0)
        memory_abort(strlen(registry->credential.secret));
    return form;
}

/* One request to the token service: POST of the identity token, or GET. */
static bool ask_once(struct registry *registry, const struct strings *scopes, bool is_post, struct exchange *exchange,
                     struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    AUTO(secret_done) char *form = NULL;
    AUTO(secret_done) char *basic = NULL;
    const char *url = is_post ? registry->challenge.realm : token_url(&scratch, registry, scopes);
    exchange->method = is_post ? "POST" : "GET";
    exchange->cap_bytes = TOKEN_ANSWER_MAX_BYTES;
    exchange->header_count = 0;
    exchange->body = (struct text){0};
    if (is_post) {
        form = refresh_form(registry, scopes);
        exchange->headers[exchange->header_count++] = "Content-Type: application/x-www-form-urlencoded";
        exchange->body = text_of(form);
    } else if (registry->credential.secret && !make_basic(registry, &basic, err)) {
        return false;
    }
    return registry_send(registry, exchange, url, basic, err);
}

static bool refuse_token(const struct registry *registry, struct exchange *answer, struct err *err)
{
    const char *from = registry->credential.from;
    exchange_refused(registry, answer, "the token service", err);
    if (registry->credential.secret && http_status_is_denied(answer->status))
        err_wrap(err, "credential from %s", from ? from : "an unknown place");
    return false;
}

/* Tries until the service answers; redirects of a token service are refused. */
static bool fetch_token(struct registry *registry, enum registry_access access, const struct strings *scopes,
                        struct err *err)
{
    struct retry retry = {0};
    bool is_post = registry->credential.secret && registry->credential.is_identity_token;
    for (;;) {
        struct exchange answer AUTO(exchange_done) = {0};
        bool is_answered = ask_once(registry, scopes, is_post, &answer, err);
        if (is_answered && answer.status == 200) {
            bool is_kept = keep_token(registry, &answer, &registry->tokens[access], err);
            if (answer.body_in.len)
                explicit_bzero(answer.body_in.bytes, answer.body_in.len);
            return is_kept;
        }
        if (is_answered && is_post && (answer.status == 404 || answer.status == 405)) {
            is_post = false;
            continue;
        }
        if (is_answered && !http_status_is_transient(answer.status))
            return refuse_token(registry, &answer, err);
        if (is_answered)
            exchange_refused(registry, &answer, "the token service", err);
        else if (err->kind != ERR_NETWORK)
            return false;
        if (!registry_back_off(registry, &retry, answer.retry_after_s, err))
            return false;
    }
}

static const char *scopes_of(struct arena *arena, const struct registry *registry, enum registry_access access)
{
    struct strings scopes;
    list_scopes(arena, registry, access, &scopes);
    return strings_join(arena, &scopes, " ");
}

static bool check_registry_token(const struct registry *registry, struct err *err)
{
    const struct credential *credential = &registry->credential;
    if (is_header_safe(credential->secret))
        return true;
    err_set(err, ERR_USAGE, "%s: the token from %s cannot be sent", registry->name,
            credential->from ? credential->from : "an unknown place");
    return false;
}

/* --- one for all repositories of the call --- */

/* Whose a token is: it is handed on among those with the same credential only. */
static struct digest identity_of(const struct credential *credential)
{
    AUTO(digest_abandon) struct digest_stream stream = {0};
    const char *parts[] = {credential->user, credential->secret};
    digest_begin(&stream);
    for (size_t i = 0; i < ARRAY_COUNT(parts); i++)
        digest_feed(&stream, parts[i] ? parts[i] : "", parts[i] ? strlen(parts[i]) + 1 : 0);
    digest_feed(&stream, credential->is_identity_token ? "1" : "0", 1);
    return digest_end(&stream);
}

/* Finds one that is for this repository, lasts, and is another than the registry has. Under the host's lock. */
static const struct shared_token *find_shared(const struct registry *registry, enum registry_access access,
                                              const struct digest *identity)
{
    const struct shared_host *host = registry->host;
    const char *stale = registry->tokens[access].value;
    for (size_t i = host->tokens.count; i > 0; i--) {
        const struct shared_token *token = &host->tokens.items[i - 1];
        if (token->access == access && digest_eq(&token->credential, identity) && token->expires_ms > clock_ms() &&
            (!stale || strcmp(stale, token->value) != 0) &&
            strings_has(&token->repositories, registry->reference.repository))
            return token;
    }
    return NULL;
}

/* Fetches a token for all of them and notes it. Under the host's lock. */
static bool fetch_shared(struct registry *registry, enum registry_access access, const struct digest *identity,
                         struct strings *others, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct registry_token *token = &registry->tokens[access];
    struct strings scopes;
    list_scopes(&scratch, registry, access, &scopes);
    for (size_t i = 0; i < others->count && i < SHARED_SCOPES_MAX; i++)
        add_scope(&scratch, &scopes,
                  arena_printf(&scratch, "repository:%s:%s", others->items[i], actions_of(registry, access)));
    if (registry->options->log)
        log_line(registry->options->log, LOG_VERBOSE, "%s: a token for it and %zu other repositories", registry->name,
                 scopes.count - 1);
    if (!fetch_token(registry, access, &scopes, err))
        return false;
    struct shared_token shared = {.access = access,
                                  .credential = *identity,
                                  .value = secret_dup(token->value),
                                  .lifetime_ms = token->lifetime_ms,
                                  .expires_ms = token->expires_ms};
    struct arena *arena = &registry->host->arena;
    list_add(arena, &shared.repositories, arena_strdup(arena, registry->reference.repository));
    for (size_t i = 0; i < others->count && i < SHARED_SCOPES_MAX; i++)
        list_add(arena, &shared.repositories, arena_strdup(arena, others->items[i]));
    list_add(arena, &registry->host->tokens, shared);
    token->is_shared = true;
    return true;
}

/* Takes the token that another image got, or gets one for all. *ret_is_done false: to be asked for alone, as a service may
 * refuse what one of many is not allowed, or know one scope only. */
static bool get_shared(struct registry *registry, enum registry_access access, bool *ret_is_done, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct registry_token *token = &registry->tokens[access];
    *ret_is_done = false;
    if (!registry->host || registry->is_token_alone ||
        access == REGISTRY_DELETE) /* nobody gets more than he asked for */
        return true;
    struct strings others = registry_shared_repositories(&scratch, registry, access);
    struct digest identity = identity_of(&registry->credential);
    pthread_mutex_lock(&registry->host->token_lock);
    const struct shared_token *found = find_shared(registry, access, &identity);
    if (found) {
        set_token(registry, token, found->value, found->lifetime_ms);
        token->expires_ms = found->expires_ms;
        token->is_shared = *ret_is_done = true;
    } else if (others.count) {
        *ret_is_done = fetch_shared(registry, access, &identity, &others, err);
        registry->is_token_alone = !*ret_is_done;
    }
    pthread_mutex_unlock(&registry->host->token_lock);
    if (err->kind != ERR_PUBLISH)
        return err->kind == ERR_NONE;
    err_clear(err);
    return true;
}

/* Asks the token service, unless the user has the token itself (docker's registrytoken). */
static bool get_token(struct registry *registry, enum registry_access access, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct strings scopes;
    struct registry_origin home = registry_home(registry); /* where the token itself goes */
    if (!load_credential(registry, &home, err))
        return false;
    if (registry->credential.is_registry_token) {
        if (!check_registry_token(registry, err))
            return false;
        set_token(registry, &registry->tokens[access], registry->credential.secret, (uint64_t)LIFETIME_MAX_S * 1000);
        return true;
    }
    if (!load_credential(registry, &registry->realm, err))
        return false;
    bool is_done;
    if (!get_shared(registry, access, &is_done, err) || is_done)
        return err->kind == ERR_NONE;
    list_scopes(&scratch, registry, access, &scopes);
    if (registry->options->log)
        log_line(registry->options->log, LOG_VERBOSE, "%s: a token for %s", registry->name,
                 strings_join(&scratch, &scopes, " "));
    if (fetch_token(registry, access, &scopes, err) || access != REGISTRY_DELETE || err->detail != 400 ||
        registry->is_delete_unasked)
        return err->kind == ERR_NONE;
    err_clear(err);
    registry->is_delete_unasked = true;
    list_scopes(&scratch, registry, access, &scopes);
    return fetch_token(registry, access, &scopes, err);
}

/* All tries were made when it fails: the other threads, which wait for the same token, do not make them once more. */
static bool new_token(struct registry *registry, enum registry_access access, bool is_renewed, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct registry_token *token = &registry->tokens[access];
    const char *scopes = scopes_of(&scratch, registry, access);
    if (token->failed_scopes && strcmp(token->failed_scopes, scopes) == 0) {
        *err = token->failure;
        return false;
    }
    if (!get_token(registry, access, err)) {
        token->failure = *err;
        token->failed_scopes = arena_strdup(&registry->arena, scopes);
        return false;
    }
    token->is_renewed = is_renewed;
    token->scopes = arena_strdup(&registry->arena, scopes);
    return true;
}

/* --- challenges --- */

static bool learn(struct registry *registry, const struct exchange *answer, struct err *err)
{
    struct strings headers = {0};
    struct challenge challenge = {0};
    exchange_header_all(&registry->arena, answer, "WWW-Authenticate", &headers);
    challenge_parse(&registry->arena, &headers, &challenge);
    if (challenge.scheme == CHALLENGE_BEARER) {
        if (!challenge.realm) {
            err_set(err, ERR_PUBLISH, "%s: asks for a token without naming a token service", registry->name);
            return false;
        }
        if (!check_realm(registry, challenge.realm, &registry->realm, err))
            return false;
    }
    if (challenge.scheme != CHALLENGE_NONE) {
        registry->challenge = challenge;
        registry->is_challenge_known = true;
    }
    return true;
}

/* A 401 without a challenge: /v2/ may tell it. */
static bool learn_by_ping(struct registry *registry, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct exchange ping AUTO(exchange_done) = {.method = "GET"};
    const char *url = arena_printf(&scratch, "%s/v2/", registry_base(&scratch, registry));
    return registry_send(registry, &ping, url, NULL, err) && (ping.status != 401 || learn(registry, &ping, err));
}

static bool take_credential(struct registry *registry, struct err *err)
{
    struct registry_origin home = registry_home(registry);
    if (!load_credential(registry, &home, err))
        return false;
    if (!registry->credential.secret) {
        err_set(err, ERR_PUBLISH, "%s: needs a user name and password (imgfactory login %s)", registry->name,
                registry->reference.host);
        return false;
    }
    secret_done(&registry->basic);
    registry->generation++;
    if (!registry->credential.is_registry_token)
        return make_basic(registry, &registry->basic, err);
    if (!check_registry_token(registry, err))
        return false;
    if (asprintf(&registry->basic, "Authorization: Bearer %s", registry->credential.secret) < 0)
        memory_abort(SECRET_MAX_BYTES);
    return true;
}

/* What was good for writing is good for reading. */
static bool was_accepted(struct registry *registry, enum registry_access asked, unsigned generation)
{
    if (asked == REGISTRY_DELETE)
        return atomic_load(&registry->accepted[REGISTRY_DELETE]) >= generation;
    return atomic_load(&registry->accepted[REGISTRY_PUSH]) >= generation ||
           (asked == REGISTRY_PULL && atomic_load(&registry->accepted[REGISTRY_PULL]) >= generation);
}

/* A token that was fetched after a refusal and is refused before it was good for anything: with another one, and in the
 * other threads, it would be the same. */
static bool is_refused(struct registry *registry, enum registry_access asked, enum registry_access access,
                       unsigned generation)
{
    AUTO(arena_done) struct arena scratch = {0};
    const struct registry_token *token = &registry->tokens[access];
    return token->value && token->is_renewed && !was_accepted(registry, asked, generation) &&
           strcmp(token->scopes, scopes_of(&scratch, registry, access)) == 0;
}

/* The credential itself is what is sent; it stays the same. */
static bool renew_basic(struct registry *registry, unsigned generation, enum renewal *ret_renewal, struct err *err)
{
    if (generation < registry->generation)
        return true;
    if (!registry->basic || generation > 0)
        *ret_renewal = RENEWAL_LAST_TRY;
    return registry->basic || take_credential(registry, err);
}

static bool renew_locked(struct registry *registry, enum registry_access access, unsigned generation,
                         const struct exchange *answer, enum renewal *ret_renewal, struct err *err)
{
    enum registry_access asked = access;
    if (!learn(registry, answer, err) || (!registry->is_challenge_known && !learn_by_ping(registry, err)))
        return false;
    if (!registry->is_challenge_known) {
        *ret_renewal = RENEWAL_LAST_TRY; /* nothing to add: asked again once */
        return true;
    }
    if (registry->challenge.scheme == CHALLENGE_BASIC)
        return renew_basic(registry, generation, ret_renewal, err);
    if (registry->tokens[REGISTRY_PUSH].value && access != REGISTRY_DELETE)
        access = REGISTRY_PUSH; /* it serves readers, too */
    if (registry->tokens[access].generation > generation)
        return true;
    bool is_shared_refused = registry->tokens[access].is_shared && !was_accepted(registry, asked, generation);
    registry->is_token_alone = registry->is_token_alone || is_shared_refused;
    *ret_renewal = RENEWAL_LAST_TRY;
    if (!is_shared_refused && is_refused(registry, asked, access, generation))
        *ret_renewal = RENEWAL_REFUSED;
    if (*ret_renewal == RENEWAL_REFUSED)
        return true;
    if (!new_token(registry, access, true, err))
        return false;
    if (registry->tokens[access].is_shared)
        *ret_renewal = RENEWAL_TRY; /* one of its own may be taken where this one is not */
    return true;
}

bool registry_renew(struct registry *registry, enum registry_access access, unsigned generation,
                    const struct exchange *answer, enum renewal *ret_renewal, struct err *err)
{
    *ret_renewal = RENEWAL_TRY;
    pthread_mutex_lock(&registry->lock);
    bool is_done = renew_locked(registry, access, generation, answer, ret_renewal, err);
    pthread_mutex_unlock(&registry->lock);
    return is_done;
}

void registry_note_accepted(struct registry *registry, enum registry_access access, unsigned generation)
{
    unsigned before = atomic_load(&registry->accepted[access]);
    while (before < generation && !atomic_compare_exchange_weak(&registry->accepted[access], &before, generation))
        ;
}

/* A token that outlives the start of this request; a big body takes its time, so it gets one that lasts. */
static bool lasts(const struct registry_token *token, bool is_big)
{
    uint64_t now = clock_ms(), needed = is_big ? token->lifetime_ms / 2 : 0;
    if (needed > BIG_BODY_NEEDS_MS)
        needed = BIG_BODY_NEEDS_MS;
    return token->value && token->expires_ms > now + needed;
}

static bool authorize_locked(struct registry *registry, enum registry_access access, bool is_big, char **ret_header,
                             unsigned *ret_generation, struct err *err)
{
    if (!registry->is_challenge_known)
        return true;
    if (registry->challenge.scheme == CHALLENGE_BASIC) {
        *ret_generation = registry->generation;
        if (registry->basic && !(*ret_header = strdup(registry->basic)))
            memory_abort(strlen(registry->basic));
        return true;
    }
    if (registry->tokens[REGISTRY_PUSH].value && access != REGISTRY_DELETE)
        access = REGISTRY_PUSH;
    if (!lasts(&registry->tokens[access], is_big) && !new_token(registry, access, false, err))
        return false;
    *ret_generation = registry->tokens[access].generation;
    if (asprintf(ret_header, "Authorization: Bearer %s", registry->tokens[access].value) < 0)
        memory_abort(TOKEN_MAX_BYTES);
    return true;
}

bool registry_authorize(struct registry *registry, enum registry_access access, bool is_big, char **ret_header,
                        unsigned *ret_generation, struct err *err)
{
    *ret_header = NULL;
    *ret_generation = 0;
    pthread_mutex_lock(&registry->lock);
    bool is_done = authorize_locked(registry, access, is_big, ret_header, ret_generation, err);
    pthread_mutex_unlock(&registry->lock);
    return is_done;
}
