/* SPDX-License-Identifier: Apache-2.0 */
#include "io/http_remote.h"

#include "base/auto.h"

#include <assert.h>

static void fail(struct http_remote *remote, bool is_gone)
{
    struct http_request *request = remote->request;
    request->is_good = false;
    err_clear(&request->err);
    if (is_gone)
        broker_set_gone(&request->err);
    else
        err_set(&request->err, ERR_INTERNAL, "the process that holds the network refuses a request");
}

static void told(struct broker_question *question, struct frame *frame)
{
    struct http_remote *remote = (struct http_remote *)(void *)question;
    struct wire_reader reader = {frame ? buf_text(&frame->bytes) : (struct text){"", 0}, false};
    if (frame && frame->kind == BROKER_PROGRESS) {
        http_wire_get_progress(&reader, remote->request, &remote->counted);
        return;
    }
    if (!frame || !http_wire_get_answer(&reader, remote->request, &remote->counted))
        fail(remote, !frame);
    remote->ended(remote->owner);
}

bool http_remote_send(struct broker *broker, unsigned number, struct http_remote *remote, struct err *err)
{
    AUTO(wire_done) struct wire_writer writer;
    assert(!remote->request->call);
    wire_begin(&writer, BROKER_FRAME_MAX_BYTES);
    remote->question.told = told;
    wire_put(&writer, number);
    http_wire_put_request(&writer, remote->request);
    if (writer.is_full) {
        err_set(err, ERR_MALFORMED, "a request is larger than the limit of %zu bytes", BROKER_FRAME_MAX_BYTES);
        return false;
    }
    return broker_ask(broker, &remote->question, BROKER_HTTP, buf_text(&writer.bytes), -1, err);
}

void http_remote_end(struct broker *broker, unsigned number)
{
    AUTO(wire_done) struct wire_writer writer;
    struct frame answer = {.fd = -1};
    struct err gone = {0}; /* then all were told already */
    wire_begin(&writer, BROKER_FRAME_MAX_BYTES);
    wire_put(&writer, number);
    struct broker_call call = {.kind = BROKER_HTTP_END, .bytes = buf_text(&writer.bytes), .fd = -1};
    if (broker_call(broker, &call, &answer, &gone))
        frame_done(&answer);
}
