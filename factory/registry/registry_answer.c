/* SPDX-License-Identifier: Apache-2.0 */
/* What an answer says: headers, the Location, and the registry's own words for a refusal (OCI distribution-spec,
 * "Error Codes"). The body may be HTML, nothing, or hostile: it is never needed, only shown, without control bytes
 * and short. */
#include "registry/registry_parts.h"

#include "base/auto.h"

#include <jansson.h>

#define PROXY_WANTS_NAME 407 /* RFC 9110 15.5.8; also the answer to CONNECT, which http.h hands on as a status */
#define WORDS_MAX_BYTES 1024
#define QUERY_MAX_BYTES ((size_t)4096)
#define QUERY_CHARS                                                                                                    \
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~!$&'()*+,;=:@/?%" /* RFC 3986, 3.4 */

/* Takes the next header with that name off the front of the rest. */
static bool next_header(struct text *rest, const char *name, struct text *ret_value)
{
    struct text line, key;
    while (text_next(rest, '\n', &line)) {
        struct text value = line;
        if (text_next(&value, ':', &key) && text_is_nocase(text_trim(key), name)) {
            *ret_value = text_trim(value);
            return true;
        }
    }
    return false;
}

static struct text headers_of(const struct exchange *exchange)
{
    return (struct text){exchange->headers_in.bytes ? exchange->headers_in.bytes : "", exchange->headers_in.len};
}

struct text exchange_header(const struct exchange *exchange, const char *name)
{
    struct text rest = headers_of(exchange), value;
    return next_header(&rest, name, &value) ? value : (struct text){"", 0};
}

void exchange_header_all(struct arena *arena, const struct exchange *exchange, const char *name, struct strings *ret)
{
    struct text rest = headers_of(exchange), value;
    while (next_header(&rest, name, &value))
        list_add(arena, ret, text_dup(arena, value));
}

const char *exchange_next_query(struct arena *arena, const struct exchange *exchange)
{
    struct text rest = exchange_header(exchange, "Link"), address, place;
    if (!rest.len)
        return NULL;
    rest = text_trim(rest);
    if (!text_has_prefix(rest, "<") || !text_next(&rest, '>', &address) || !text_next(&address, '?', &place) ||
        address.len > QUERY_MAX_BYTES)
        return "";
    const char *query = text_dup(arena, address);
    bool is_by_last = strncmp(query, "last=", strlen("last=")) == 0 || strstr(query, "&last=");
    return !is_by_last && strspn(query, QUERY_CHARS) == address.len ? query : "";
}

/* A proxy that ends TLS but does not tell the registry makes it answer with http: on the same host it is turned
 * back. */
static const char *keep_https(struct registry *registry, struct arena *arena, const char *url, const char *base)
{
    struct registry_origin origin, home = registry_home(registry), from;
    if (!registry_origin_parse(url, &origin) || !registry_origin_parse(base, &from))
        return NULL;
    if (origin.is_https || !from.is_https)
        return url;
    bool is_same_port = origin.port == home.port || origin.port == 80;
    if (strcmp(origin.host, home.host) != 0 || !home.is_https || !is_same_port)
        return NULL;
    if (registry->options->log)
        log_line(registry->options->log, LOG_VERBOSE, "%s: answered with a Location on http; https is kept",
                 registry->name);
    const char *path = url + strlen("http://");
    path += strcspn(path, "/?#");
    return arena_printf(arena, "https://%s%s", registry->reference.api_host, path);
}

const char *exchange_location(struct registry *registry, struct arena *arena, const struct exchange *exchange)
{
    struct registry_origin origin, home = registry_home(registry);
    struct text location = exchange_header(exchange, "Location");
    const char *url = location.len ? registry_url_resolve(arena, exchange->final_url, location) : NULL;
    if (!url || !(url = keep_https(registry, arena, url, exchange->final_url)) || !registry_origin_parse(url, &origin))
        return NULL;
    bool is_inward = registry_origin_is_private(&origin) && !registry_origin_is_private(&home);
    return is_inward && !registry->options->is_verify_off ? NULL : url;
}

static json_t *errors_of(const struct exchange *exchange)
{
    const struct buf *body = &exchange->body_in;
    json_t *json = body->len ? json_loadb(body->bytes, body->len, JSON_DISABLE_EOF_CHECK | JSON_ALLOW_NUL, NULL) : NULL;
    json_t *errors = json_incref(json_object_get(json, "errors"));
    json_decref(json);
    return errors;
}

bool exchange_has_code(const struct exchange *exchange, const char *code)
{
    json_auto_t *errors = errors_of(exchange);
    size_t i;
    json_t *item;
    json_array_foreach(errors, i, item)
    {
        const char *has = json_string_value(json_object_get(item, "code"));
        if (has && strcmp(has, code) == 0)
            return true;
    }
    return false;
}

bool exchange_has_detail(const struct exchange *exchange)
{
    json_auto_t *errors = errors_of(exchange);
    size_t i;
    json_t *item;
    json_array_foreach(errors, i, item)
    {
        const json_t *detail = json_object_get(item, "detail");
        if (json_string_length(detail) || json_object_size(detail) || json_array_size(detail))
            return true;
    }
    return false;
}

bool exchange_has_words(const struct exchange *exchange, const char *words)
{
    const struct buf *body = &exchange->body_in;
    return body->len && memmem(body->bytes, body->len, words, strlen(words)) != NULL;
}

static void add_words(struct buf *words, const char *part)
{
    bool is_whole = !part || !*part || buf_printf(words, "%s%.500s", words->len ? ": " : "", part);
    (void)is_whole; /* the cap cuts it */
}

/* errors[0]: code, message, and quay's detail.message or detail.error. */
static void add_errors(struct buf *words, const struct exchange *exchange)
{
    json_auto_t *errors = errors_of(exchange);
    json_t *first = json_array_get(errors, 0), *detail = json_object_get(first, "detail");
    add_words(words, json_string_value(json_object_get(first, "code")));
    add_words(words, json_string_value(json_object_get(first, "message")));
    add_words(words, json_string_value(detail));
    add_words(words, json_string_value(json_object_get(detail, "message")));
    add_words(words, json_string_value(json_object_get(detail, "error")));
}

/* One line without control bytes. */
static void flatten(struct buf *words)
{
    for (size_t i = 0; i < words->len; i++) {
        if (words->bytes[i] == '\n' || words->bytes[i] == '\t')
            words->bytes[i] = ' ';
    }
    if (words->len)
        text_flatten(words->bytes);
}

/* What who was not let in can do. */
static const char *denied_hint(struct arena *arena, const struct registry *registry, const struct exchange *exchange)
{
    if (!atomic_load(&registry->has_credential))
        return arena_printf(arena,
                            " (no credential of it is known: imgfactory login %s; or the repository does not exist)",
                            registry->reference.host);
    bool is_token =
        !exchange->path && exchange->access == REGISTRY_PULL; /* its service tells nothing of permissions so */
    if (is_token || !*registry->reference.repository)         /* the latter as registry_try_login() has it */
        return " (is the user name wrong, or the password?)";
    if (exchange->access == REGISTRY_DELETE)
        return " (the credential may lack the permission to delete)";
    return exchange->access == REGISTRY_PUSH
               ? " (the credential may lack the permission to write, or the repository does not exist)"
               : " (the credential may lack the permission to read, or the repository does not exist)";
}

static const char *hint_of(struct arena *arena, const struct registry *registry, const struct exchange *exchange)
{
    if (exchange->status == 404 && exchange_has_code(exchange, "NAME_UNKNOWN"))
        return " (does the repository exist? create it first where the registry does not do so itself)";
    if (exchange->status == 401)
        return denied_hint(arena, registry, exchange);
    if (exchange->status == 405)
        return " (read-only or switched off at the moment?)";
    if (exchange->status == 413)
        return " (a proxy before the registry limits what is sent at once; nginx: client_max_body_size)";
    if (exchange->status == 400 && exchange_has_words(exchange, "HTTP request to an HTTPS"))
        return " (the registry speaks https)";
    if (exchange->status == PROXY_WANTS_NAME)
        return " (the proxy wants a name and password, or others: https_proxy=http://NAME:PASSWORD@…)";
    return "";
}

void exchange_refused(const struct registry *registry, const struct exchange *exchange, const char *what,
                      struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct buf words;
    buf_init(&words, WORDS_MAX_BYTES);
    add_errors(&words, exchange);
    if (!words.len && exchange->body_in.len && exchange->body_in.bytes[0] != '<') {
        struct text body = text_trim((struct text){exchange->body_in.bytes, exchange->body_in.len});
        bool is_whole = buf_printf(&words, "%.*s", body.len < 300 ? (int)body.len : 300, body.ptr);
        (void)is_whole;
    }
    flatten(&words);
    bool is_on_the_way = http_status_is_transient(exchange->status) || exchange->status == PROXY_WANTS_NAME;
    enum err_kind kind = is_on_the_way ? ERR_NETWORK : ERR_PUBLISH;
    err_clear(err);
    err_set(err, kind, "%s: %s: %s: HTTP status %d%s%s%s%s", registry->name, what, exchange->method, exchange->status,
            words.len ? ", \"" : "", words.len ? words.bytes : "", words.len ? "\"" : "",
            hint_of(&scratch, registry, exchange));
    err->detail = exchange->status;
    buf_done(&words);
}
