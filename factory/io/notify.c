/* SPDX-License-Identifier: Apache-2.0 */
#include "io/notify.h"

#include "base/text.h"

#include <stddef.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Makes the address; its length, or 0 when it is none of ours. */
static socklen_t address_of(const char *name, struct sockaddr_un *ret_address)
{
    size_t len = name ? strlen(name) : 0;
    *ret_address = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (len < 2 || len >= sizeof ret_address->sun_path || (name[0] != '/' && name[0] != '@'))
        return 0;
    memcpy(ret_address->sun_path, name, len);
    if (name[0] == '@')
        ret_address->sun_path[0] = '\0';
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
}

static uint64_t watchdog_ms(void)
{
    const char *usec = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
    uint64_t value;
    if (pid && *pid && !(text_parse_u64(text_of(pid), &value) && value == (uint64_t)getpid()))
        return 0;
    return usec && text_parse_u64(text_of(usec), &value) ? value / 1000 : 0;
}

void notify_open(struct notify *ret_notify)
{
    struct sockaddr_un address;
    socklen_t len = address_of(getenv("NOTIFY_SOCKET"), &address);
    *ret_notify = (struct notify){.fd = len ? socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0) : -1};
    if (ret_notify->fd < 0)
        return;
    if (connect(ret_notify->fd, (const struct sockaddr *)&address, len) != 0) {
        notify_close(ret_notify);
        return;
    }
    ret_notify->watchdog_ms = watchdog_ms();
}

void notify_send(const struct notify *notify, const char *lines)
{
    if (notify->fd >= 0)
        (void)send(notify->fd, lines, strlen(lines), MSG_NOSIGNAL);
}

void notify_close(struct notify *notify)
{
    if (notify->fd >= 0)
        (void)close(notify->fd);
    notify->fd = -1;
}
