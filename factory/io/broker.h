/* SPDX-License-Identifier: Apache-2.0 */
/* broker.h - the other process: it holds what the one that reads hostile bytes must not have
 *
 * main forks it before hostile bytes are read and before threads are started that hold anything; from then on both share
 * nothing but a pair of sockets and what was mapped to be shared. Who reads asks (broker_ask(), broker_call()), the
 * broker does it or refuses: what it may do was settled before (broker_seal()), and no later word changes that. The broker
 * ends with its parent, whatever ends that; where the broker ends first, all that is asked fails as ERR_LOCAL.
 * Threads: any thread may ask. Answers come on one thread of the asking process, the network thread of factory/README.md,
 * which is started with the first question.
 * Owns: the process, the thread and the sockets, until broker_stop().
 * Fails with: ERR_LOCAL.
 */
#ifndef IMGFACTORY_IO_BROKER_H
#define IMGFACTORY_IO_BROKER_H

#include "base/log.h"
#include "io/channel.h"
#include "io/confine.h"

#include <sys/queue.h>

#define BROKER_FRAME_MAX_BYTES ((size_t)8 << 20) /* of what is asked; answers are as large as what was asked for */

/* Kinds of frames. */
enum broker_frame {
    BROKER_SEAL,              /* → what the call may write; the first one counts */
    BROKER_HTTP,              /* → a request (http_wire.h) */
    BROKER_REGISTRY_OPEN,     /* → a repository of a registry (registry_wire.h); answered by its number, or why not */
    BROKER_REGISTRY_PUSHES,   /* → it is going to be written to */
    BROKER_REGISTRY_CLOSE,    /* → it is not needed any more */
    BROKER_REGISTRY_EXCHANGE, /* → a request to it, with what authorizes it; the descriptor is its body */
    BROKER_SIGNER,            /* → somebody who signs (signer_wire.h), before the seal */
    BROKER_SIGN,              /* → bytes that the signer of a number is to sign */
    BROKER_TEMPORARY,         /* → a temporary file is wanted; its descriptor comes with the answer */
    BROKER_COMM,              /* → what process has that number? */
    BROKER_HTTP_END,          /* → all requests of one struct http are to end; answered when they have */
    BROKER_ANSWER,            /* ← the last word on a question */
    BROKER_PROGRESS,          /* ← bytes received and sent so far */
    BROKER_LOG,               /* ← a line for people; the id is its level */
};

struct broker;

/* What runs in the process: it returns when the channel ends. */
typedef void broker_main(struct channel *channel, void *owner);

/* Something that was asked. The asker's; it stays until the answer came. */
struct broker_question {
    LIST_ENTRY(broker_question) link;
    /* Called on the network thread for each frame about it, of which BROKER_ANSWER is the last; NULL: the broker is gone,
     * and nothing more comes. */
    void (*told)(struct broker_question *question, struct frame *frame);
};

/* Forks the process. Lines that it logs come out of `log` (which it may use in its own copy). */
bool broker_start(struct log *log, broker_main *run, void *owner, struct broker **ret_broker,
                  struct err *err) MUST_CHECK;
/* Returns its channel, the only one that confined threads send and receive messages over. */
const struct channel *broker_channel(const struct broker *broker);
/* Says what the call may read and write, before hostile bytes are read; later words do not count. */
void broker_seal(struct broker *broker, const struct confine_places *places);
/* Returns whether that was said. On the thread that says it. */
bool broker_is_sealed(const struct broker *broker);
/* Returns whether it ended before its time, once that was seen: no question will be answered. */
bool broker_is_gone(struct broker *broker);
/* Asks. With false nobody is told, as the broker is gone or no thread can be started: err says so. */
bool broker_ask(struct broker *broker, struct broker_question *question, enum broker_frame kind, struct text bytes,
                int fd, struct err *err) MUST_CHECK;
/* A question that is waited for. */
struct broker_call {
    enum broker_frame kind;
    struct text bytes;
    int fd;                                               /* -1: none */
    void (*progressed)(void *owner, struct frame *frame); /* on the network thread; may be NULL */
    void *owner;
};
/* Asks, and waits for the answer, which is the caller's then (frame_done()). */
bool broker_call(struct broker *broker, const struct broker_call *call, struct frame *ret_answer,
                 struct err *err) MUST_CHECK;
/* Says something that has no answer. */
void broker_say(struct broker *broker, enum broker_frame kind, struct text bytes);
/* Sets the error of a broker that is gone. */
void broker_set_gone(struct err *err);
/* Returns a number for a struct http: the smallest that none has. */
unsigned broker_take_number(struct broker *broker);
/* Gives it back. */
void broker_give_number(struct broker *broker, unsigned number);
/* Ends the process, and waits for its end. NULL is fine. */
void broker_stop(struct broker *broker);

#endif
