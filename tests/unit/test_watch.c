/* SPDX-License-Identifier: Apache-2.0 */
/* How long a watch waits, and how it tells its manager. */
#include "check.h"

#include "base/units.h"
#include "cli/watch.h"
#include "io/notify.h"

#include <stddef.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define MINUTE_MS ((uint64_t)60 * 1000)

static void the_pause_is_the_interval_a_tenth_more_or_less(void **state)
{
    (void)state;
    assert_int_equal(watch_pause_ms(10 * MINUTE_MS, 0, 0), 9 * MINUTE_MS);
    assert_int_equal(watch_pause_ms(10 * MINUTE_MS, 0, UINT32_MAX), 11 * MINUTE_MS);
    assert_in_range(watch_pause_ms(10 * MINUTE_MS, 0, UINT32_MAX / 2), 10 * MINUTE_MS - 10, 10 * MINUTE_MS);
    assert_int_equal(watch_pause_ms(1, 0, 0), 1);
}

static void each_failure_doubles_it_up_to_an_hour_or_the_interval(void **state)
{
    (void)state;
    assert_int_equal(watch_pause_ms(10 * MINUTE_MS, 1, 0), 18 * MINUTE_MS);
    assert_int_equal(watch_pause_ms(10 * MINUTE_MS, 2, 0), 36 * MINUTE_MS);
    assert_int_equal(watch_pause_ms(10 * MINUTE_MS, 3, 0), 54 * MINUTE_MS);
    assert_int_equal(watch_pause_ms(10 * MINUTE_MS, UINT32_MAX, 0), 54 * MINUTE_MS);
    assert_int_equal(watch_pause_ms(120 * MINUTE_MS, 5, 0), 108 * MINUTE_MS);
    assert_true(watch_pause_ms(UINT64_MAX / 4, 100, UINT32_MAX) < UINT64_MAX / 2);
}

/* Binds what is to be told: a path, or an abstract name. */
static int bind_to(const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    memcpy(address.sun_path, name, strlen(name));
    if (name[0] == '@')
        address.sun_path[0] = '\0';
    socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name));
    assert_int_equal(bind(fd, (const struct sockaddr *)&address, len), 0);
    return fd;
}

static void a_manager_hears_what_it_is_told(void **state)
{
    (void)state;
    char path[64], abstract[64], heard[64] = "";
    (void)snprintf(path, sizeof path, "/tmp/imgfactory-notify-%d", (int)getpid());
    (void)snprintf(abstract, sizeof abstract, "@imgfactory-notify-%d", (int)getpid());
    const char *const names[] = {path, abstract};
    for (size_t i = 0; i < 2; i++) {
        struct notify notify;
        int fd = bind_to(names[i]);
        (void)setenv("NOTIFY_SOCKET", names[i], 1);
        notify_open(&notify);
        notify_send(&notify, "READY=1\n");
        assert_int_equal(recv(fd, heard, sizeof heard, MSG_DONTWAIT), 8);
        assert_memory_equal(heard, "READY=1\n", 8);
        notify_close(&notify);
        notify_send(&notify, "READY=1\n");
        (void)close(fd);
    }
    (void)unlink(path);
    (void)unsetenv("NOTIFY_SOCKET");
}

static void without_one_or_with_an_odd_name_nothing_is_told(void **state)
{
    (void)state;
    char longest[300];
    memset(longest, 'x', sizeof longest);
    longest[0] = '/';
    longest[sizeof longest - 1] = '\0';
    const char *const names[] = {NULL, "", "@", "relative", "vsock:2:1234", "/nowhere/socket", longest};
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        struct notify notify;
        if (names[i])
            (void)setenv("NOTIFY_SOCKET", names[i], 1);
        else
            (void)unsetenv("NOTIFY_SOCKET");
        (void)setenv("WATCHDOG_USEC", "1000000", 1);
        notify_open(&notify);
        assert_int_equal(notify.fd, -1);
        assert_int_equal(notify.watchdog_ms, 0);
        notify_send(&notify, "READY=1\n");
        notify_close(&notify);
    }
    (void)unsetenv("NOTIFY_SOCKET");
}

static void a_watchdog_of_another_process_is_not_ours(void **state)
{
    (void)state;
    static const struct {
        const char *usec;
        bool is_ours;
        uint64_t ms;
    } cases[] = {{"3000000", true, 3000}, {"3000000", false, 0}, {"soon", true, 0}, {"-1", true, 0}};
    char name[64], pid[32];
    (void)snprintf(name, sizeof name, "@imgfactory-watchdog-%d", (int)getpid());
    int fd = bind_to(name);
    (void)setenv("NOTIFY_SOCKET", name, 1);
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct notify notify;
        (void)snprintf(pid, sizeof pid, "%d", (int)getpid() + !cases[i].is_ours);
        (void)setenv("WATCHDOG_USEC", cases[i].usec, 1);
        (void)setenv("WATCHDOG_PID", pid, 1);
        notify_open(&notify);
        assert_int_equal(notify.watchdog_ms, cases[i].ms);
        notify_close(&notify);
    }
    (void)close(fd);
    (void)unsetenv("WATCHDOG_PID");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_pause_is_the_interval_a_tenth_more_or_less),
        cmocka_unit_test(each_failure_doubles_it_up_to_an_hour_or_the_interval),
        cmocka_unit_test(a_manager_hears_what_it_is_told),
        cmocka_unit_test(without_one_or_with_an_odd_name_nothing_is_told),
        cmocka_unit_test(a_watchdog_of_another_process_is_not_ours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
