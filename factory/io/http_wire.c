/* SPDX-License-Identifier: Apache-2.0 */
#include "io/http_wire.h"

#include "base/auto.h"

#define URLS_MAX 4096u

/* What a request says yes or no to. */
enum flag {
    SIZE_KNOWN = 1,
    DIGEST_KNOWN = 2,
    SHA512_KNOWN = 4,
    IMPATIENT = 8,
    TRIED_ONCE = 16,
    HAS_VERSION = 32,
    HAS_ACCESS = 64,
    HAS_STORE = 128,
    FLAGS_ALL = 255,
};
enum answer_flag { GOOD = 1, HAS_BODY = 2, ANSWER_FLAGS_ALL = 3 };

static uint64_t flag_if(bool is_so, uint64_t flag)
{
    return is_so ? flag : 0;
}

/* --- a request --- */

static void put_tls(struct wire_writer *writer, const struct http_tls *tls)
{
    const char *const strings[] = {tls->ca_file, tls->ca_dir, tls->ca_pem, tls->cert_path, tls->key_path};
    for (size_t i = 0; i < ARRAY_COUNT(strings); i++)
        wire_put_string(writer, strings[i]);
    wire_put(writer, tls->is_verify_off);
}

static struct http_tls get_tls(struct wire_reader *reader, struct arena *arena)
{
    struct http_tls tls = {0};
    const char **const strings[] = {&tls.ca_file, &tls.ca_dir, &tls.ca_pem, &tls.cert_path, &tls.key_path};
    for (size_t i = 0; i < ARRAY_COUNT(strings); i++)
        *strings[i] = wire_get_string(reader, arena);
    tls.is_verify_off = wire_get_below(reader, 1);
    return tls;
}

static void put_access(struct wire_writer *writer, const struct http_access *access)
{
    const char *const strings[] = {access->user, access->password, access->proxy, access->proxy_user,
                                   access->proxy_password};
    put_tls(writer, &access->tls);
    for (size_t i = 0; i < ARRAY_COUNT(strings); i++)
        wire_put_string(writer, strings[i]);
}

static struct http_access get_access(struct wire_reader *reader, struct arena *arena)
{
    struct http_access access = {.tls = get_tls(reader, arena)};
    const char **const strings[] = {&access.user, &access.password, &access.proxy, &access.proxy_user,
                                    &access.proxy_password};
    for (size_t i = 0; i < ARRAY_COUNT(strings); i++)
        *strings[i] = wire_get_string(reader, arena);
    return access;
}

/* Headers are those that requests of ours have: who asks must say neither how long a body is, nor which host is meant, nor
 * who asks. What they say is looked at once more when they are sent (http_call.c). */
static bool is_ours(const char *header)
{
    static const char *const names[] = {
        "Accept:", "Content-Type:", "Content-Range:", "Expect:", "If-Match:", "If-None-Match:", "Range:"};
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        if (strncasecmp(header, names[i], strlen(names[i])) == 0)
            return true;
    }
    return false;
}

/* libcurl writes the method as it is. */
bool http_wire_is_sound(const char *method, const char *const *headers, size_t header_count, uint64_t body_bytes)
{
    static const char *const methods[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"};
    bool is_known = false, is_reading = method && (strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0);
    for (size_t i = 0; method && i < ARRAY_COUNT(methods); i++)
        is_known = is_known || strcmp(methods[i], method) == 0;
    for (size_t i = 0; i < header_count; i++)
        is_known = is_known && is_ours(headers[i]);
    return is_known && !(is_reading && body_bytes);
}

void http_wire_put_request(struct wire_writer *writer, const struct http_request *request)
{
    wire_put(writer, flag_if(request->is_size_known, SIZE_KNOWN) | flag_if(request->is_digest_known, DIGEST_KNOWN) |
                         flag_if(request->sha512 != NULL, SHA512_KNOWN) | flag_if(request->is_impatient, IMPATIENT) |
                         flag_if(request->is_tried_once, TRIED_ONCE) | flag_if(request->version != NULL, HAS_VERSION) |
                         flag_if(request->access != NULL, HAS_ACCESS) | flag_if(request->store != NULL, HAS_STORE));
    wire_put_strings(writer, request->urls, request->url_count);
    wire_put(writer, request->cap_bytes);
    wire_put(writer, request->size_bytes);
    wire_put_raw(writer, &request->digest, sizeof request->digest);
    if (request->sha512)
        wire_put_raw(writer, request->sha512->bytes, sizeof request->sha512->bytes);
    wire_put_string(writer, request->naming);
    if (request->version)
        wire_put_raw(writer, request->version, sizeof *request->version);
    if (request->access)
        put_access(writer, request->access);
    if (request->store) {
        struct store_name name = store_name(request->store);
        wire_put_string(writer, name.path);
        wire_put_raw(writer, &name.secret, sizeof name.secret);
    }
}

static void get_version(struct wire_reader *reader, struct http_version *version)
{
    wire_get_raw(reader, version, sizeof *version);
    version->etag[sizeof version->etag - 1] = version->modified[sizeof version->modified - 1] = '\0';
}

bool http_wire_get_request(struct wire_reader *reader, struct http_wired *wired)
{
    struct http_request *request = &wired->request;
    struct arena *arena = &wired->arena;
    uint64_t flags = wire_get_below(reader, FLAGS_ALL);
    request->is_size_known = flags & SIZE_KNOWN;
    request->is_digest_known = flags & DIGEST_KNOWN;
    request->is_impatient = flags & IMPATIENT;
    request->is_tried_once = flags & TRIED_ONCE;
    request->urls = wire_get_strings(reader, arena, URLS_MAX, &request->url_count);
    request->cap_bytes = wire_get(reader);
    request->size_bytes = wire_get(reader);
    wire_get_raw(reader, &request->digest, sizeof request->digest);
    if (flags & SHA512_KNOWN) {
        wired->sha512.kind = CHECKSUM_SHA512;
        wire_get_raw(reader, wired->sha512.bytes, sizeof wired->sha512.bytes);
        request->sha512 = &wired->sha512;
    }
    request->naming = wire_get_string(reader, arena);
    if (flags & HAS_VERSION) {
        get_version(reader, &wired->version);
        request->version = &wired->version;
    }
    if (flags & HAS_ACCESS) {
        wired->access = get_access(reader, arena);
        request->access = &wired->access;
    }
    wired->has_store = flags & HAS_STORE;
    if (wired->has_store) {
        wired->store_path = wire_get_string(reader, arena);
        wire_get_raw(reader, &wired->store_secret, sizeof wired->store_secret);
    }
    return wire_is_good(reader) && request->url_count > 0 && request->cap_bytes > 0 &&
           wired->has_store == (wired->store_path != NULL);
}

/* --- what became of it --- */

/* 1 and more: the URL that answered, by its place; 0: none. */
static uint64_t place_of(const struct http_request *request)
{
    for (size_t i = 0; request->url && i < request->url_count; i++) {
        if (request->urls[i] == request->url)
            return i + 1;
    }
    return 0;
}

void http_wire_put_answer(struct wire_writer *writer, const struct http_wired *wired)
{
    const struct http_request *request = &wired->request;
    wire_put(writer, flag_if(request->is_good, GOOD) | flag_if(request->body.bytes != NULL, HAS_BODY));
    wire_put_err(writer, &request->err);
    wire_put_raw(writer, &request->blob_digest, sizeof request->blob_digest);
    wire_put(writer, request->received_bytes);
    wire_put(writer, place_of(request));
    wire_put(writer, (uint64_t)(uint32_t)request->status);
    http_wire_put_progress(writer, (struct http_counted){request->counter ? atomic_load(request->counter) : 0, 0});
    if (request->version)
        wire_put_raw(writer, request->version, sizeof *request->version);
    wire_put_text(writer, buf_text(&request->body));
}

void http_wire_take_buf(struct buf *ret_buf, struct text bytes)
{
    buf_init(ret_buf, bytes.len);
    (void)!buf_add(ret_buf, bytes.ptr, bytes.len);
}

void http_wire_put_progress(struct wire_writer *writer, struct http_counted now)
{
    wire_put(writer, now.received);
    wire_put(writer, now.sent);
}

/* Counters are what several requests add to; one may take back what it added. */
void http_wire_get_progress(struct wire_reader *reader, const struct http_request *request,
                            struct http_counted *counted)
{
    struct http_counted now = {.received = wire_get(reader)};
    now.sent = wire_get(reader);
    if (request->counter)
        atomic_fetch_add(request->counter, now.received - counted->received);
    *counted = now;
}

static void take_over(const struct http_request *request)
{
    if (request->store && request->is_good && request->status != 304)
        store_take_over(request->store, &request->blob_digest);
}

bool http_wire_get_answer(struct wire_reader *reader, struct http_request *request, struct http_counted *counted)
{
    struct err err;
    uint64_t flags = wire_get_below(reader, ANSWER_FLAGS_ALL);
    wire_get_err(reader, &err);
    wire_get_raw(reader, &request->blob_digest, sizeof request->blob_digest);
    request->received_bytes = wire_get(reader);
    size_t place = (size_t)wire_get_below(reader, request->url_count);
    request->url = place ? request->urls[place - 1] : NULL;
    request->status = (int)(uint32_t)wire_get(reader);
    http_wire_get_progress(reader, request, counted);
    if (request->version)
        get_version(reader, request->version);
    struct text body = wire_get_text(reader);
    if (!wire_is_good(reader) || (flags & GOOD) != (err.kind == ERR_NONE))
        return false;
    request->err = err;
    request->is_good = flags & GOOD;
    if (flags & HAS_BODY)
        http_wire_take_buf(&request->body, body);
    take_over(request);
    return true;
}
