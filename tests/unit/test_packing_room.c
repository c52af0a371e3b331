/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "line/packing_room.h"

#include <stdatomic.h>
#include <time.h>

/* Somebody who packs on a thread of his own. */
struct packer {
    struct packing_room *room;
    uint64_t bytes;
    atomic_bool has_taken;
    pthread_t thread;
};

static void *pack(void *argument)
{
    struct packer *packer = argument;
    packing_room_take(packer->room, packer->bytes);
    atomic_store(&packer->has_taken, true);
    return NULL;
}

static void begin(struct packer *packer, struct packing_room *room, uint64_t bytes)
{
    *packer = (struct packer){.room = room, .bytes = bytes};
    assert_int_equal(pthread_create(&packer->thread, NULL, pack, packer), 0);
}

static void wait_a_little(void)
{
    const struct timespec moment = {.tv_nsec = 50 * 1000 * 1000};
    (void)nanosleep(&moment, NULL);
}

static void who_fits_beside_the_others_does_not_wait(void **state)
{
    (void)state;
    struct packing_room room;
    packing_room_init(&room, 2);
    packing_room_take(&room, PACKING_ROOM_BYTES);
    packing_room_take(&room, PACKING_ROOM_BYTES);
    packing_room_give(&room, PACKING_ROOM_BYTES);
    packing_room_take(&room, PACKING_ROOM_BYTES / 2);
    packing_room_take(&room, PACKING_ROOM_BYTES / 2);
    packing_room_give(&room, 2 * PACKING_ROOM_BYTES);
    packing_room_done(&room);
}

static void who_does_not_fit_waits_until_the_others_are_done(void **state)
{
    (void)state;
    struct packing_room room;
    struct packer packer;
    packing_room_init(&room, 1);
    packing_room_take(&room, PACKING_ROOM_BYTES);
    begin(&packer, &room, 1);
    wait_a_little();
    assert_false(atomic_load(&packer.has_taken));
    packing_room_give(&room, PACKING_ROOM_BYTES);
    assert_int_equal(pthread_join(packer.thread, NULL), 0);
    packing_room_give(&room, 1);
    packing_room_done(&room);
}

static void alone_each_may_pack_whatever_it_takes(void **state)
{
    (void)state;
    struct packing_room room;
    struct packer packer;
    packing_room_init(&room, 1);
    packing_room_take(&room, UINT64_MAX / 2);
    begin(&packer, &room, UINT64_MAX / 2);
    wait_a_little();
    assert_false(atomic_load(&packer.has_taken));
    packing_room_give(&room, UINT64_MAX / 2);
    assert_int_equal(pthread_join(packer.thread, NULL), 0);
    packing_room_give(&room, UINT64_MAX / 2);
    packing_room_done(&room);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_fits_beside_the_others_does_not_wait),
        cmocka_unit_test(who_does_not_fit_waits_until_the_others_are_done),
        cmocka_unit_test(alone_each_may_pack_whatever_it_takes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
