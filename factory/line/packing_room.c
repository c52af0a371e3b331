/* SPDX-License-Identifier: Apache-2.0 */
#include "line/packing_room.h"

void packing_room_init(struct packing_room *room, size_t workers)
{
    *room = (struct packing_room){.total_bytes = workers * PACKING_ROOM_BYTES};
    pthread_mutex_init(&room->lock, NULL);
    pthread_cond_init(&room->given, NULL);
}

void packing_room_take(struct packing_room *room, uint64_t bytes)
{
    pthread_mutex_lock(&room->lock);
    while (room->taken_bytes && (bytes > room->total_bytes || room->taken_bytes > room->total_bytes - bytes))
        pthread_cond_wait(&room->given, &room->lock);
    room->taken_bytes += bytes;
    pthread_mutex_unlock(&room->lock);
}

void packing_room_give(struct packing_room *room, uint64_t bytes)
{
    pthread_mutex_lock(&room->lock);
    room->taken_bytes -= bytes;
    pthread_cond_broadcast(&room->given);
    pthread_mutex_unlock(&room->lock);
}

void packing_room_done(struct packing_room *room)
{
    pthread_mutex_destroy(&room->lock);
    pthread_cond_destroy(&room->given);
}
