/* SPDX-License-Identifier: Apache-2.0 */
#include "io/errand.h"

#include "base/auto.h"
#include "io/broker.h"
#include "io/wire.h"

bool errand_temporary(struct broker *broker, int *ret_fd, struct err *err)
{
    struct frame answer = {.fd = -1};
    const struct broker_call call = {.kind = BROKER_TEMPORARY, .bytes = {"", 0}, .fd = -1};
    if (!broker_call(broker, &call, &answer, err))
        return false;
    struct wire_reader reader = {buf_text(&answer.bytes), false};
    wire_get_err(&reader, err);
    *ret_fd = take_fd(&answer.fd);
    frame_done(&answer);
    if (*ret_fd < 0 && err->kind == ERR_NONE)
        err_set(err, ERR_INTERNAL, "the process that holds the network makes no temporary file");
    return *ret_fd >= 0;
}

const char *errand_comm(struct broker *broker, uint64_t pid, struct arena *arena)
{
    AUTO(wire_done) struct wire_writer writer;
    struct frame answer = {.fd = -1};
    struct err none = {0};
    wire_begin(&writer, BROKER_FRAME_MAX_BYTES);
    wire_put(&writer, pid);
    const struct broker_call call = {.kind = BROKER_COMM, .bytes = buf_text(&writer.bytes), .fd = -1};
    if (!broker_call(broker, &call, &answer, &none))
        return NULL;
    struct wire_reader reader = {buf_text(&answer.bytes), false};
    const char *comm = wire_get_string(&reader, arena);
    frame_done(&answer);
    return comm;
}
