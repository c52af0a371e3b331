/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/registry_remote.h"

#include "base/auto.h"
#include "io/broker.h"
#include "io/child.h"

static bool refuse(struct err *err)
{
    err_clear(err);
    err_set(err, ERR_INTERNAL, "the process that holds the network refuses a request");
    return false;
}

bool registry_remote_open(struct registry *registry, const struct strings *together, struct err *err)
{
    AUTO(wire_done) struct wire_writer writer;
    AUTO(arena_done) struct arena scratch = {0};
    const struct registry_options *options = registry->options;
    struct frame answer = {.fd = -1};
    struct registry_wired_open open = {
        .number = http_number(registry->http),
        .name = arena_printf(&scratch, "%s/%s", registry->reference.host, registry->reference.repository),
        .access = registry->access,
        .is_verify_off = options->is_verify_off,
        .is_other_there = options->is_other_there,
        .retries = options->retries,
        .retry_base_ms = options->retry_base_ms,
        .deadline_ms = options->deadline_ms,
        .together = *together};
    wire_begin(&writer, BROKER_FRAME_MAX_BYTES);
    registry_wire_put_open(&writer, &open);
    struct broker_call call = {.kind = BROKER_REGISTRY_OPEN, .bytes = buf_text(&writer.bytes), .fd = -1};
    if (writer.is_full || !broker_call(options->broker, &call, &answer, err))
        return err->kind ? false : refuse(err);
    struct wire_reader reader = {buf_text(&answer.bytes), false};
    uint64_t remote = wire_get(&reader);
    struct err said;
    wire_get_err(&reader, &said);
    bool is_good = wire_is_good(&reader);
    frame_done(&answer);
    if (!is_good)
        return refuse(err);
    if (said.kind) {
        *err = said;
        return false;
    }
    registry->remote = remote;
    return true;
}

static void say(const struct registry *registry, enum broker_frame kind)
{
    AUTO(wire_done) struct wire_writer writer;
    wire_begin(&writer, BROKER_FRAME_MAX_BYTES);
    wire_put(&writer, registry->remote);
    broker_say(registry->options->broker, kind, buf_text(&writer.bytes));
}

void registry_remote_pushes(const struct registry *registry)
{
    if (registry->remote)
        say(registry, BROKER_REGISTRY_PUSHES);
}

void registry_remote_close(const struct registry *registry)
{
    if (registry->remote)
        say(registry, BROKER_REGISTRY_CLOSE);
}

/* What counters had of an exchange so far. */
struct counting {
    struct exchange *exchange;
    struct http_counted counted;
};

static void count(struct counting *counting, struct http_counted now)
{
    const struct exchange *exchange = counting->exchange;
    if (exchange->received_counter)
        atomic_fetch_add(exchange->received_counter, now.received - counting->counted.received);
    if (exchange->sent_counter)
        atomic_fetch_add(exchange->sent_counter, now.sent - counting->counted.sent);
    counting->counted = now;
}

static void progressed(void *owner, struct frame *frame)
{
    struct wire_reader reader = {buf_text(&frame->bytes), false};
    struct http_counted now = {.received = wire_get(&reader)};
    now.sent = wire_get(&reader);
    count(owner, now);
}

/* A body that is too long for a message goes as a file in memory. */
static bool move_body(struct exchange *exchange, int *ret_made, struct err *err)
{
    *ret_made = -1;
    if (exchange->has_fd || exchange->body.len <= HTTP_WIRE_BODY_MAX_BYTES)
        return true;
    if (!child_memory_file("a body to be sent", exchange->body.ptr, exchange->body.len, ret_made, err))
        return false;
    exchange->has_fd = true;
    exchange->fd = *ret_made;
    exchange->offset = 0;
    exchange->bytes = exchange->body.len;
    return true;
}

/* What the broker learned of the registry meanwhile. */
static void learn(struct registry *registry, const struct registry_wired_answer *answer)
{
    uint64_t before = atomic_load(registry->not_before_ms);
    while (before < answer->not_before_ms &&
           !atomic_compare_exchange_weak(registry->not_before_ms, &before, answer->not_before_ms))
        ;
    atomic_store(&registry->scheme, answer->scheme);
    atomic_store(&registry->has_answered, answer->has_answered);
    atomic_store(&registry->has_credential, answer->has_credential);
}

static bool take_answer(struct registry *registry, struct exchange *exchange, struct counting *counting,
                        const struct frame *frame, struct err *err)
{
    struct wire_reader reader = {buf_text(&frame->bytes), false};
    struct registry_wired_answer answer;
    if (!registry_wire_get_answer(&reader, &answer, exchange))
        return refuse(err);
    count(counting, answer.counted);
    learn(registry, &answer);
    bool is_stored = exchange->store &&
                     (exchange->has_part || (answer.is_good && (exchange->status == 200 || exchange->status == 206)));
    if (is_stored)
        store_take_over(exchange->store, &exchange->digest);
    err_clear(err);
    *err = answer.err;
    return answer.is_good;
}

bool registry_remote_exchange(struct registry *registry, struct exchange *exchange, enum registry_sending sending,
                              struct err *err)
{
    AUTO(wire_done) struct wire_writer writer;
    AUTO(auto_close_fd) int made = -1;
    struct counting counting = {.exchange = exchange};
    struct frame answer = {.fd = -1};
    struct registry_wired_exchange wired = {.remote = registry->remote,
                                            .sending = sending,
                                            .is_ending_late = atomic_load(&registry->is_ending_late),
                                            .not_before_ms = atomic_load(registry->not_before_ms),
                                            .has_store = exchange->store != NULL,
                                            .exchange = *exchange};
    wire_begin(&writer, BROKER_FRAME_MAX_BYTES);
    exchange_done(exchange);
    if (!move_body(&wired.exchange, &made, err))
        return false;
    if (exchange->store)
        wired.store = store_name(exchange->store);
    registry_wire_put_exchange(&writer, &wired);
    struct broker_call call = {.kind = BROKER_REGISTRY_EXCHANGE,
                               .bytes = buf_text(&writer.bytes),
                               .fd = wired.exchange.has_fd ? wired.exchange.fd : -1,
                               .progressed = progressed,
                               .owner = &counting};
    if (writer.is_full)
        return refuse(err);
    if (!broker_call(registry->options->broker, &call, &answer, err)) {
        exchange->is_hopeless = true;
        return false;
    }
    bool is_good = take_answer(registry, exchange, &counting, &answer, err);
    frame_done(&answer);
    return is_good;
}
