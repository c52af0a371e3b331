/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/registry_wire.h"

#include "base/auto.h"

#define TOGETHER_MAX 100000u

enum exchange_flag { IS_ROOT = 1, HAS_FD = 2, TRIED_ONCE = 4, ENDING_LATE = 8, HAS_STORE = 16, EXCHANGE_FLAGS = 31 };
enum answer_flag {
    GOOD = 1,
    HAS_PART = 2,
    TOO_SLOW = 4,
    HOPELESS = 8,
    ANSWERED = 16,
    CREDENTIAL = 32,
    ANSWER_FLAGS = 63
};
enum open_flag { VERIFY_OFF = 1, OTHER_THERE = 2, OPEN_FLAGS = 3 };

static uint64_t flag_if(bool is_so, uint64_t flag)
{
    return is_so ? flag : 0;
}

void registry_wire_put_exchange(struct wire_writer *writer, const struct registry_wired_exchange *wired)
{
    const struct exchange *exchange = &wired->exchange;
    wire_put(writer, wired->remote);
    wire_put(writer, wired->sending);
    wire_put(writer, flag_if(exchange->is_root, IS_ROOT) | flag_if(exchange->has_fd, HAS_FD) |
                         flag_if(exchange->is_tried_once, TRIED_ONCE) | flag_if(wired->is_ending_late, ENDING_LATE) |
                         flag_if(wired->has_store, HAS_STORE));
    wire_put(writer, wired->not_before_ms);
    wire_put(writer, exchange->access);
    wire_put_string(writer, exchange->method);
    wire_put_string(writer, exchange->path);
    wire_put_string(writer, exchange->url);
    wire_put_strings(writer, exchange->headers, exchange->header_count);
    wire_put_text(writer, exchange->has_fd ? (struct text){"", 0} : exchange->body);
    wire_put(writer, exchange->offset);
    wire_put(writer, exchange->bytes);
    wire_put(writer, exchange->cap_bytes);
    if (wired->has_store) {
        wire_put_string(writer, wired->store.path);
        wire_put_raw(writer, &wired->store.secret, sizeof wired->store.secret);
    }
}

static bool begins_with(const char *path, const char *prefix)
{
    return strncmp(path, prefix, strlen(prefix)) == 0;
}

/* Whether a path leads where it begins: libcurl takes "." and ".." for steps. */
static bool is_straight(const char *path)
{
    size_t len = strcspn(path, "?");
    for (size_t i = 0; i < len; i++) {
        if (strchr("%\\#", path[i]) || (path[i] == '.' && (!i || path[i - 1] == '/')))
            return false;
    }
    return true;
}

/* Whether it is one of the requests that are made of repositories, and of the access that they take. A URL is held against
 * what the registry said of sessions (registry_serve.c). */
static bool is_of_a_repository(const struct exchange *exchange)
{
    const char *path = exchange->path, *method = exchange->method;
    bool is_reading = strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
    if (!path)
        return exchange->access >= REGISTRY_PUSH && strcmp(method, "POST") != 0;
    if (exchange->is_root)
        return is_reading && !*path;
    if (!is_straight(path))
        return false;
    if (is_reading)
        return begins_with(path, "blobs/") || begins_with(path, "manifests/") || begins_with(path, "referrers/") ||
               begins_with(path, "tags/");
    if (strcmp(method, "DELETE") == 0)
        return exchange->access == REGISTRY_DELETE && begins_with(path, "manifests/");
    return exchange->access >= REGISTRY_PUSH && ((strcmp(method, "POST") == 0 && begins_with(path, "blobs/uploads/")) ||
                                                 (strcmp(method, "PUT") == 0 && begins_with(path, "manifests/")));
}

bool registry_wire_get_exchange(struct wire_reader *reader, struct arena *arena,
                                struct registry_wired_exchange *ret_wired)
{
    struct exchange *exchange = &ret_wired->exchange;
    *ret_wired = (struct registry_wired_exchange){.remote = wire_get(reader)};
    ret_wired->sending = (enum registry_sending)wire_get_below(reader, SENDING_ONCE);
    uint64_t flags = wire_get_below(reader, EXCHANGE_FLAGS);
    exchange->is_root = flags & IS_ROOT;
    exchange->has_fd = flags & HAS_FD;
    exchange->is_tried_once = flags & TRIED_ONCE;
    ret_wired->is_ending_late = flags & ENDING_LATE;
    ret_wired->has_store = flags & HAS_STORE;
    ret_wired->not_before_ms = wire_get(reader);
    exchange->access = (enum registry_access)wire_get_below(reader, REGISTRY_DELETE);
    exchange->method = wire_get_string(reader, arena);
    exchange->path = wire_get_string(reader, arena);
    exchange->url = wire_get_string(reader, arena);
    size_t count;
    const char *const *headers = wire_get_strings(reader, arena, ARRAY_COUNT(exchange->headers), &count);
    memcpy(exchange->headers, headers, count * sizeof *headers);
    exchange->header_count = count;
    struct text body = wire_get_text(reader);
    exchange->body = (struct text){arena_strndup(arena, body.ptr, body.len), body.len};
    exchange->offset = wire_get(reader);
    exchange->bytes = wire_get(reader);
    exchange->cap_bytes = (size_t)wire_get_below(reader, PTRDIFF_MAX);
    if (ret_wired->has_store) {
        ret_wired->store.path = wire_get_string(reader, arena);
        wire_get_raw(reader, &ret_wired->store.secret, sizeof ret_wired->store.secret);
    }
    uint64_t body_bytes = exchange->has_fd ? exchange->bytes : exchange->body.len;
    return wire_is_good(reader) && !exchange->path != !exchange->url &&
           (!ret_wired->has_store || ret_wired->store.path) && (ret_wired->sending == SENDING_WHOLE || exchange->url) &&
           http_wire_is_sound(exchange->method, headers, count, body_bytes) && is_of_a_repository(exchange);
}

/* --- answers --- */

void registry_wire_put_answer(struct wire_writer *writer, const struct registry_wired_answer *wired,
                              const struct exchange *exchange)
{
    wire_put(writer, flag_if(wired->is_good, GOOD) | flag_if(exchange->has_part, HAS_PART) |
                         flag_if(exchange->is_too_slow, TOO_SLOW) | flag_if(exchange->is_hopeless, HOPELESS) |
                         flag_if(wired->has_answered, ANSWERED) | flag_if(wired->has_credential, CREDENTIAL));
    wire_put_err(writer, &wired->err);
    wire_put(writer, (uint64_t)wired->scheme);
    wire_put(writer, wired->not_before_ms);
    http_wire_put_progress(writer, wired->counted);
    wire_put(writer, (uint64_t)(uint32_t)exchange->status);
    wire_put(writer, (uint64_t)(uint32_t)exchange->part_status);
    wire_put(writer, exchange->retry_after_s);
    wire_put(writer, exchange->received_bytes);
    wire_put_raw(writer, &exchange->digest, sizeof exchange->digest);
    wire_put_string(writer, exchange->final_url);
    wire_put_text(writer, buf_text(&exchange->headers_in));
    wire_put(writer, exchange->body_in.bytes != NULL);
    wire_put_text(writer, buf_text(&exchange->body_in));
}

bool registry_wire_get_answer(struct wire_reader *reader, struct registry_wired_answer *ret_wired,
                              struct exchange *exchange)
{
    AUTO(arena_done) struct arena scratch = {0};
    uint64_t flags = wire_get_below(reader, ANSWER_FLAGS);
    *ret_wired = (struct registry_wired_answer){
        .is_good = flags & GOOD, .has_answered = flags & ANSWERED, .has_credential = flags & CREDENTIAL};
    wire_get_err(reader, &ret_wired->err);
    ret_wired->scheme = (int)wire_get_below(reader, SCHEME_HTTP);
    ret_wired->not_before_ms = wire_get(reader);
    ret_wired->counted.received = wire_get(reader);
    ret_wired->counted.sent = wire_get(reader);
    int status = (int)(uint32_t)wire_get(reader), part_status = (int)(uint32_t)wire_get(reader);
    unsigned retry_after_s = (unsigned)wire_get_below(reader, UINT32_MAX);
    uint64_t received_bytes = wire_get(reader);
    struct digest digest;
    wire_get_raw(reader, &digest, sizeof digest);
    const char *final_url = wire_get_string(reader, &scratch);
    struct text headers = wire_get_text(reader);
    bool has_body = wire_get_below(reader, 1);
    struct text body = wire_get_text(reader);
    if (!wire_is_good(reader) || ret_wired->is_good != (ret_wired->err.kind == ERR_NONE))
        return false;
    exchange->status = status;
    exchange->part_status = part_status;
    exchange->retry_after_s = retry_after_s;
    exchange->received_bytes = received_bytes;
    exchange->digest = digest;
    exchange->has_part = flags & HAS_PART;
    exchange->is_too_slow = flags & TOO_SLOW;
    exchange->is_hopeless = flags & HOPELESS;
    if (final_url && !(exchange->final_url = strdup(final_url)))
        memory_abort(strlen(final_url));
    if (headers.len)
        http_wire_take_buf(&exchange->headers_in, headers);
    if (has_body)
        http_wire_take_buf(&exchange->body_in, body);
    return true;
}

/* --- opening --- */

void registry_wire_put_open(struct wire_writer *writer, const struct registry_wired_open *wired)
{
    wire_put(writer, wired->number);
    wire_put_string(writer, wired->name);
    wire_put(writer, wired->access);
    wire_put(writer, flag_if(wired->is_verify_off, VERIFY_OFF) | flag_if(wired->is_other_there, OTHER_THERE));
    wire_put(writer, wired->retries);
    wire_put(writer, wired->retry_base_ms);
    wire_put(writer, wired->deadline_ms);
    wire_put_strings(writer, wired->together.items, wired->together.count);
}

bool registry_wire_get_open(struct wire_reader *reader, struct arena *arena, struct registry_wired_open *ret_wired)
{
    *ret_wired = (struct registry_wired_open){.number = (unsigned)wire_get_below(reader, UINT32_MAX)};
    ret_wired->name = wire_get_string(reader, arena);
    ret_wired->access = (enum registry_access)wire_get_below(reader, REGISTRY_DELETE);
    uint64_t flags = wire_get_below(reader, OPEN_FLAGS);
    ret_wired->is_verify_off = flags & VERIFY_OFF;
    ret_wired->is_other_there = flags & OTHER_THERE;
    ret_wired->retries = (unsigned)wire_get_below(reader, UINT32_MAX);
    ret_wired->retry_base_ms = (unsigned)wire_get_below(reader, UINT32_MAX);
    ret_wired->deadline_ms = (unsigned)wire_get_below(reader, UINT32_MAX);
    size_t count;
    const char *const *together = wire_get_strings(reader, arena, TOGETHER_MAX, &count);
    for (size_t i = 0; i < count; i++)
        list_add(arena, &ret_wired->together, together[i]);
    return wire_is_good(reader) && ret_wired->name;
}
