/* SPDX-License-Identifier: Apache-2.0 */
#include "io/errand_serve.h"

#include "base/auto.h"
#include "io/lock.h"
#include "io/spool.h"

static bool open_temporary(void *argument, struct err *err)
{
    return spool_open(argument, err);
}

/* The thread that may write anywhere opens it. */
static void serve_temporary(struct channel *channel, struct http_serve *network, uint64_t id)
{
    AUTO(auto_close_fd) int fd = -1;
    AUTO(wire_done) struct wire_writer writer;
    struct err err = {0};
    struct workers *keeper = http_serve_keeper(network, &err);
    bool is_open = keeper && workers_call(keeper, open_temporary, &fd, &err);
    wire_begin(&writer, BROKER_FRAME_MAX_BYTES);
    wire_put_err(&writer, &err);
    (void)!channel_send(channel, BROKER_ANSWER, id, buf_text(&writer.bytes), is_open ? fd : -1);
}

static void serve_comm(struct channel *channel, const struct frame *frame)
{
    AUTO(arena_done) struct arena scratch = {0};
    AUTO(wire_done) struct wire_writer writer;
    struct wire_reader reader = {buf_text(&frame->bytes), false};
    uint64_t pid = wire_get(&reader);
    wire_begin(&writer, BROKER_FRAME_MAX_BYTES);
    wire_put_string(&writer, lock_comm(pid, &scratch));
    (void)!channel_send(channel, BROKER_ANSWER, frame->id, buf_text(&writer.bytes), -1);
}

bool errand_serve_take(struct channel *channel, struct http_serve *network, const struct frame *frame)
{
    if (frame->kind == BROKER_TEMPORARY)
        serve_temporary(channel, network, frame->id);
    else if (frame->kind == BROKER_COMM)
        serve_comm(channel, frame);
    return frame->kind == BROKER_TEMPORARY || frame->kind == BROKER_COMM;
}
