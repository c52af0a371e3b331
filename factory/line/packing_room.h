/* SPDX-License-Identifier: Apache-2.0 */
/* packing_room.h - how much memory orders may take for packing at one time
 *
 * A codec that wants its input whole takes more memory than everything else of an order. So who packs takes its part first
 * and waits while others have too much; alone, each may pack, whatever it takes. The sum grows with the number of workers:
 * images of common size never wait.
 * Threads: any thread but workers; packing_room_take() blocks.
 * Owns: nothing.
 */
#ifndef IMGFACTORY_LINE_PACKING_ROOM_H
#define IMGFACTORY_LINE_PACKING_ROOM_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

/* For each worker: a layer of 30 MB in gzip. */
#define PACKING_ROOM_BYTES ((uint64_t)45 << 20)

struct packing_room {
    pthread_mutex_t lock; /* guards the next two */
    pthread_cond_t given; /* predicate: taken_bytes fell */
    uint64_t total_bytes, taken_bytes;
};

/* Prepares the room for that many workers. */
void packing_room_init(struct packing_room *room, size_t workers);
/* Takes `bytes` as soon as they are there, or nobody has any. */
void packing_room_take(struct packing_room *room, uint64_t bytes);
/* Gives them back. */
void packing_room_give(struct packing_room *room, uint64_t bytes);
/* Ends it; nobody has any. */
void packing_room_done(struct packing_room *room);

#endif
