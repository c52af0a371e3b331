/* SPDX-License-Identifier: Apache-2.0 */
/* fork() and no exec: what the call means (options, site file) is in memory already, and a run that asks nothing pays half a
 * millisecond. main alone forks, beside the thread for signals, which holds nothing while it waits. */
#include "io/broker.h"

#include "base/auto.h"
#include "io/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define NUMBERS 64u

struct broker {
    /* set by broker_start(), then never changed */
    struct channel channel;
    struct log *log;
    pid_t pid;

    bool is_sealed; /* of the thread that seals */

    pthread_mutex_t lock; /* guards the rest */
    bool is_listening;    /* there is a thread for answers */
    bool is_gone;
    pthread_t thread;
    uint64_t numbers; /* a bit for each that is taken */
    LIST_HEAD(, broker_question) questions;
};

/* Whatever else is open belongs to the one who reads: a lock of its must not outlive it here. */
static void close_others(int channel_fd)
{
    int none = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (none >= 0) {
        (void)dup2(none, STDIN_FILENO);
        (void)dup2(none, STDOUT_FILENO);
    }
    if (channel_fd > STDERR_FILENO + 1)
        (void)close_range(STDERR_FILENO + 1, (unsigned)channel_fd - 1, 0);
    (void)close_range((unsigned)channel_fd + 1, ~0u, 0);
}

static void relay(void *owner, enum log_level level, const char *line)
{
    struct channel *channel = owner;
    (void)!channel_send(channel, BROKER_LOG, level, text_of(line), -1);
}

/* Signals are blocked here, as they were when it was forked: what they mean is told by the one flag that is shared, and by
 * the parent's end. A terminal's do not come, in a group of its own. */
static _Noreturn void run_process(int fd, pid_t parent, struct log *log, broker_main *run, void *owner)
{
    struct channel channel;
    (void)setpgid(0, 0);
    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0 || getppid() != parent)
        _exit(ERR_LOCAL);
    close_others(fd);
    channel_init(&channel, fd);
    log_set_relay(log, relay, &channel);
    run(&channel, owner);
    _exit(0);
}

bool broker_start(struct log *log, broker_main *run, void *owner, struct broker **ret_broker, struct err *err)
{
    int fds[2];
    pid_t parent = getpid();
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0) {
        err_set_errno(err, errno, "cannot make a pair of sockets");
        return false;
    }
    pid_t pid = fork();
    if (pid == 0) {
        (void)close(fds[0]);
        run_process(fds[1], parent, log, run, owner);
    }
    int failed = errno;
    (void)close(fds[1]);
    if (pid < 0) {
        (void)close(fds[0]);
        err_set_errno(err, failed, "cannot start a process");
        return false;
    }
    struct broker *broker = calloc(1, sizeof *broker);
    if (!broker)
        memory_abort(sizeof *broker);
    channel_init(&broker->channel, fds[0]);
    broker->log = log;
    broker->pid = pid;
    pthread_mutex_init(&broker->lock, NULL);
    LIST_INIT(&broker->questions);
    *ret_broker = broker;
    return true;
}

const struct channel *broker_channel(const struct broker *broker)
{
    return &broker->channel;
}

bool broker_is_gone(struct broker *broker)
{
    pthread_mutex_lock(&broker->lock);
    bool is_gone = broker->is_gone;
    pthread_mutex_unlock(&broker->lock);
    return is_gone;
}

void broker_set_gone(struct err *err)
{
    err_clear(err);
    err_set(err, ERR_LOCAL,
            "the process that holds network and credentials ended (was it killed, or out of memory?); run it again");
}

/* --- the thread for answers --- */

/* The question, if it is one that is open. Told of its answer, it is no more. */
static struct broker_question *find_question(struct broker *broker, const struct frame *frame)
{
    struct broker_question *question;
    pthread_mutex_lock(&broker->lock);
    LIST_FOREACH(question, &broker->questions, link)
    {
        if ((uintptr_t)question == frame->id)
            break;
    }
    if (question && frame->kind == BROKER_ANSWER)
        LIST_REMOVE(question, link);
    pthread_mutex_unlock(&broker->lock);
    return question;
}

static void take_frame(struct broker *broker, struct frame *frame)
{
    if (frame->kind == BROKER_LOG) {
        log_line(broker->log, (enum log_level)frame->id, "%.*s", (int)frame->bytes.len, frame->bytes.bytes);
        return;
    }
    struct broker_question *question = find_question(broker, frame);
    if (question)
        question->told(question, frame);
}

/* Nobody waits for a process that is no more. */
static void tell_end(struct broker *broker)
{
    struct broker_question *question;
    pthread_mutex_lock(&broker->lock);
    broker->is_gone = true;
    while ((question = LIST_FIRST(&broker->questions))) {
        LIST_REMOVE(question, link);
        pthread_mutex_unlock(&broker->lock);
        question->told(question, NULL);
        pthread_mutex_lock(&broker->lock);
    }
    pthread_mutex_unlock(&broker->lock);
}

static void *listen_main(void *argument)
{
    struct broker *broker = argument;
    struct frame frame;
    while (channel_receive(&broker->channel, PTRDIFF_MAX / 2, &frame)) {
        take_frame(broker, &frame);
        frame_done(&frame);
    }
    tell_end(broker);
    return NULL;
}

/* Called with the lock held. No signal is handled on that thread. */
static bool listen_now(struct broker *broker, struct err *err)
{
    sigset_t all, before;
    if (broker->is_listening)
        return true;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&broker->thread, NULL, listen_main, broker);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed)
        err_set_errno(err, failed, "cannot start the network thread");
    return broker->is_listening = !failed;
}

/* --- asking --- */

bool broker_ask(struct broker *broker, struct broker_question *question, enum broker_frame kind, struct text bytes,
                int fd, struct err *err)
{
    pthread_mutex_lock(&broker->lock);
    bool is_heard = listen_now(broker, err) && !broker->is_gone;
    if (is_heard)
        LIST_INSERT_HEAD(&broker->questions, question, link);
    pthread_mutex_unlock(&broker->lock);
    if (!is_heard && err->kind == ERR_NONE)
        broker_set_gone(err);
    /* When it cannot be sent, the thread for answers is told so, too, and tells the question. */
    if (is_heard && !channel_send(&broker->channel, kind, (uintptr_t)question, bytes, fd))
        (void)shutdown(broker->channel.fd, SHUT_RDWR);
    return is_heard;
}

struct waiting {
    struct broker_question question;
    const struct broker_call *call;
    pthread_mutex_t lock; /* guards the rest */
    pthread_cond_t ended; /* predicate: is_ended */
    bool is_ended, is_answered;
    struct frame answer;
};

static void tell_waiting(struct broker_question *question, struct frame *frame)
{
    struct waiting *waiting = (struct waiting *)(void *)question;
    if (frame && frame->kind != BROKER_ANSWER) {
        if (waiting->call->progressed)
            waiting->call->progressed(waiting->call->owner, frame);
        return;
    }
    pthread_mutex_lock(&waiting->lock);
    waiting->is_answered = frame != NULL;
    if (frame) {
        waiting->answer = *frame;
        *frame = (struct frame){.fd = -1};
    }
    waiting->is_ended = true;
    pthread_cond_signal(&waiting->ended);
    pthread_mutex_unlock(&waiting->lock);
}

bool broker_call(struct broker *broker, const struct broker_call *call, struct frame *ret_answer, struct err *err)
{
    struct waiting waiting = {.question = {.told = tell_waiting}, .call = call};
    pthread_mutex_init(&waiting.lock, NULL);
    pthread_cond_init(&waiting.ended, NULL);
    bool is_good = broker_ask(broker, &waiting.question, call->kind, call->bytes, call->fd, err);
    if (is_good) {
        pthread_mutex_lock(&waiting.lock);
        while (!waiting.is_ended)
            pthread_cond_wait(&waiting.ended, &waiting.lock);
        pthread_mutex_unlock(&waiting.lock);
        is_good = waiting.is_answered;
        if (is_good)
            *ret_answer = waiting.answer;
        else
            broker_set_gone(err);
    }
    pthread_cond_destroy(&waiting.ended);
    pthread_mutex_destroy(&waiting.lock);
    return is_good;
}

void broker_say(struct broker *broker, enum broker_frame kind, struct text bytes)
{
    (void)!channel_send(&broker->channel, kind, 0, bytes, -1);
}

void broker_seal(struct broker *broker, const struct confine_places *places)
{
    AUTO(wire_done) struct wire_writer writer;
    broker->is_sealed = true;
    wire_begin(&writer, BROKER_FRAME_MAX_BYTES);
    wire_put(&writer, (uint64_t)(uint32_t)places->shortage);
    wire_put_strings(&writer, places->local.items, places->local.count);
    wire_put_strings(&writer, places->writable.items, places->writable.count);
    if (!writer.is_full)
        broker_say(broker, BROKER_SEAL, buf_text(&writer.bytes));
}

bool broker_is_sealed(const struct broker *broker)
{
    return broker->is_sealed;
}

unsigned broker_take_number(struct broker *broker)
{
    unsigned number = 0;
    pthread_mutex_lock(&broker->lock);
    while (number < NUMBERS - 1 && (broker->numbers & ((uint64_t)1 << number)))
        number++;
    broker->numbers |= (uint64_t)1 << number;
    pthread_mutex_unlock(&broker->lock);
    return number;
}

void broker_give_number(struct broker *broker, unsigned number)
{
    pthread_mutex_lock(&broker->lock);
    broker->numbers &= ~((uint64_t)1 << number);
    pthread_mutex_unlock(&broker->lock);
}

/* What was under way was ended before (http_stop()): nothing is lost by a kill. */
void broker_stop(struct broker *broker)
{
    int status;
    if (!broker)
        return;
    (void)kill(broker->pid, SIGKILL);
    while (waitpid(broker->pid, &status, 0) < 0 && errno == EINTR)
        continue;
    if (broker->is_listening)
        pthread_join(broker->thread, NULL);
    (void)close(broker->channel.fd);
    pthread_mutex_destroy(&broker->channel.lock);
    pthread_mutex_destroy(&broker->lock);
    free(broker);
}
