/* SPDX-License-Identifier: Apache-2.0 */
/* channel.h - frames over a pair of sockets between two processes: a kind, a number, bytes, and perhaps a descriptor
 *
 * Threads: any number may send, one receives.
 * Owns: nothing: the descriptor is the caller's.
 */
#ifndef IMGFACTORY_IO_CHANNEL_H
#define IMGFACTORY_IO_CHANNEL_H

#include "base/text.h"

#include <pthread.h>

struct channel {
    int fd;               /* a SOCK_STREAM of AF_UNIX */
    pthread_mutex_t lock; /* held while a frame is sent: they do not mix */
};

struct frame {
    uint32_t kind;
    uint64_t id;      /* what it is about */
    struct buf bytes; /* of the one who received it: frame_done() */
    int fd;           /* a descriptor that came with it, or -1: frame_done(), unless it was taken */
};

/* Makes one of a descriptor. */
void channel_init(struct channel *channel, int fd);
/* Sends a frame, with a copy of a descriptor unless that is -1; false: the other end is gone. */
bool channel_send(struct channel *channel, uint32_t kind, uint64_t id, struct text bytes, int fd) MUST_CHECK;
/* Waits for a frame of at most so many bytes; false: the other end is gone, or sends what it may not. */
bool channel_receive(const struct channel *channel, size_t cap_bytes, struct frame *ret_frame) MUST_CHECK;
/* Wipes and frees what came. For AUTO(); accepts a zeroed frame with fd -1. */
void frame_done(struct frame *frame);

#endif
