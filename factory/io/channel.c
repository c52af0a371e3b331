/* SPDX-License-Identifier: Apache-2.0 */
/* A stream and no packets: answers may be larger than what a socket takes at once. A descriptor travels with the first byte
 * of its frame (unix(7), SCM_RIGHTS). */
#include "io/channel.h"

#include "base/auto.h"

#include <errno.h>
#include <sys/socket.h>

struct header {
    uint32_t kind;
    uint32_t has_fd;
    uint64_t id, len;
};

/* Room for one descriptor. */
union control {
    char bytes[CMSG_SPACE(sizeof(int))];
    struct cmsghdr align;
};

void channel_init(struct channel *channel, int fd)
{
    channel->fd = fd;
    pthread_mutex_init(&channel->lock, NULL);
}

static void add_descriptor(struct msghdr *message, union control *control, int fd)
{
    memset(control, 0, sizeof *control);
    message->msg_control = control->bytes;
    message->msg_controllen = sizeof control->bytes;
    struct cmsghdr *header = CMSG_FIRSTHDR(message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof fd);
    memcpy(CMSG_DATA(header), &fd, sizeof fd);
}

/* Leaves out what was sent already. */
static void advance(struct msghdr *message, size_t sent)
{
    message->msg_control = NULL;
    message->msg_controllen = 0;
    while (message->msg_iovlen && sent >= message->msg_iov->iov_len) {
        sent -= message->msg_iov->iov_len;
        message->msg_iov++;
        message->msg_iovlen--;
    }
    if (message->msg_iovlen) {
        message->msg_iov->iov_base = (char *)message->msg_iov->iov_base + sent;
        message->msg_iov->iov_len -= sent;
    }
}

bool channel_send(struct channel *channel, uint32_t kind, uint64_t id, struct text bytes, int fd)
{
    struct header header = {.kind = kind, .has_fd = fd >= 0, .id = id, .len = bytes.len};
    struct iovec parts[] = {{&header, sizeof header}, {(void *)(uintptr_t)bytes.ptr, bytes.len}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = ARRAY_COUNT(parts)};
    union control control;
    bool is_good = true;
    if (fd >= 0)
        add_descriptor(&message, &control, fd);
    pthread_mutex_lock(&channel->lock);
    while (is_good && message.msg_iovlen) {
        ssize_t sent = sendmsg(channel->fd, &message, MSG_NOSIGNAL);
        if (sent >= 0)
            advance(&message, (size_t)sent);
        else
            is_good = errno == EINTR;
    }
    pthread_mutex_unlock(&channel->lock);
    return is_good;
}

static int take_descriptor(struct msghdr *message)
{
    int fd = -1;
    struct cmsghdr *header = CMSG_FIRSTHDR(message);
    if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS &&
        header->cmsg_len == CMSG_LEN(sizeof fd))
        memcpy(&fd, CMSG_DATA(header), sizeof fd);
    return fd;
}

/* Reads all of it; false at the end, or when a descriptor comes that nobody wants. */
static bool receive_all(const struct channel *channel, void *bytes, size_t len, int *ret_fd)
{
    for (size_t done = 0; done < len;) {
        union control control;
        struct iovec part = {(char *)bytes + done, len - done};
        struct msghdr message = {.msg_iov = &part,
                                 .msg_iovlen = 1,
                                 .msg_control = control.bytes,
                                 .msg_controllen = CMSG_LEN(sizeof(int))}; /* padding would hold another one */
        ssize_t got = recvmsg(channel->fd, &message, MSG_CMSG_CLOEXEC);
        if (got < 0 && errno == EINTR)
            continue;
        AUTO(auto_close_fd) int fd = got > 0 ? take_descriptor(&message) : -1;
        if (got <= 0 || (fd >= 0 && (!ret_fd || *ret_fd >= 0)))
            return false;
        if (fd >= 0)
            *ret_fd = take_fd(&fd);
        done += (size_t)got;
    }
    return true;
}

bool channel_receive(const struct channel *channel, size_t cap_bytes, struct frame *ret_frame)
{
    struct header header;
    struct frame frame = {.fd = -1};
    bool is_good = receive_all(channel, &header, sizeof header, &frame.fd) && header.len <= cap_bytes &&
                   header.has_fd == (frame.fd >= 0);
    if (is_good) {
        frame.kind = header.kind;
        frame.id = header.id;
        buf_init(&frame.bytes, (size_t)header.len);
        is_good = buf_reserve(&frame.bytes, (size_t)header.len) &&
                  receive_all(channel, frame.bytes.bytes, (size_t)header.len, NULL);
        frame.bytes.len = is_good ? (size_t)header.len : 0;
    }
    if (!is_good) {
        frame_done(&frame);
        return false;
    }
    *ret_frame = frame;
    return true;
}

void frame_done(struct frame *frame)
{
    if (frame->bytes.bytes)
        explicit_bzero(frame->bytes.bytes, frame->bytes.capacity);
    buf_done(&frame->bytes);
    auto_close_fd(&frame->fd);
    *frame = (struct frame){.fd = -1};
}
