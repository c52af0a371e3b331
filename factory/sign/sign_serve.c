/* SPDX-License-Identifier: Apache-2.0 */
#include "sign/sign_serve.h"

#include "base/auto.h"
#include "sign/signer_wire.h"

struct sign_serve {
    struct channel *channel;
    const struct http_serve *network;
    struct arena arena;
    struct signers signers; /* the main thread adds, before anything is signed */
    struct workers *worker; /* NULL: there are no signers */
};

/* Bytes that are to be signed. */
struct signing {
    struct sign_serve *serve;
    uint64_t id;
    const struct signer *signer; /* NULL: none has that number */
    struct buf bytes;
};

struct sign_serve *sign_serve_new(struct channel *channel, const struct http_serve *network)
{
    struct sign_serve *serve = calloc(1, sizeof *serve);
    if (!serve)
        memory_abort(sizeof *serve);
    serve->channel = channel;
    serve->network = network;
    return serve;
}

static void answer(struct sign_serve *serve, uint64_t id, const struct err *err, struct text signature)
{
    AUTO(wire_done) struct wire_writer writer;
    wire_begin(&writer, BROKER_FRAME_MAX_BYTES);
    wire_put_err(&writer, err);
    wire_put_text(&writer, signature);
    (void)!channel_send(serve->channel, BROKER_ANSWER, id, buf_text(&writer.bytes), -1);
}

/* The worker is started here, where this thread may still start programs. A signer that is none keeps its number: who asks
 * it to sign is told. */
static void serve_signer(struct sign_serve *serve, const struct frame *frame)
{
    struct wire_reader reader = {buf_text(&frame->bytes), false};
    struct err err = {0};
    if (http_serve_is_sealed(serve->network) || serve->signers.count == SIGNERS_MAX)
        return;
    if (serve->worker || workers_start(1, &serve->worker, &err))
        (void)!signer_wire_get(&reader, &serve->arena, &serve->signers.items[serve->signers.count], &err);
    serve->signers.count++;
}

static void sign(void *item)
{
    struct signing *signing = item;
    AUTO(arena_done) struct arena scratch = {0};
    struct err err = {0};
    struct text signature = {"", 0};
    if (!signing->signer)
        err_set(&err, ERR_INTERNAL, "no signer has that number");
    else if (!signer_sign(signing->signer, &scratch, buf_text(&signing->bytes), &signature, &err))
        signature = (struct text){"", 0};
    answer(signing->serve, signing->id, &err, signature);
    buf_done(&signing->bytes);
    free(signing);
}

static void serve_sign(struct sign_serve *serve, const struct frame *frame)
{
    struct wire_reader reader = {buf_text(&frame->bytes), false};
    struct err err = {0};
    struct signing *signing = calloc(1, sizeof *signing);
    if (!signing)
        memory_abort(sizeof *signing);
    uint64_t number = wire_get(&reader);
    signing->serve = serve;
    signing->id = frame->id;
    bool is_known = number < serve->signers.count && serve->signers.items[number].key;
    signing->signer = is_known ? &serve->signers.items[number] : NULL;
    if (serve->worker && signer_wire_get_bytes(&reader, frame->fd, &signing->bytes, &err)) {
        workers_submit(serve->worker, sign, signing);
        return;
    }
    if (err.kind == ERR_NONE)
        err_set(&err, ERR_INTERNAL, "there is no signer");
    answer(serve, frame->id, &err, (struct text){"", 0});
    buf_done(&signing->bytes);
    free(signing);
}

bool sign_serve_take(struct sign_serve *serve, struct frame *frame)
{
    if (frame->kind == BROKER_SIGNER)
        serve_signer(serve, frame);
    else if (frame->kind == BROKER_SIGN)
        serve_sign(serve, frame);
    return frame->kind == BROKER_SIGNER || frame->kind == BROKER_SIGN;
}
