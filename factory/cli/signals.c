/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/signals.h"
#include "base/arena.h"
#include "base/clock.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

struct signals {
    pthread_t thread;
    _Atomic pthread_t leaving; /* which ends when it is woken, as another took its place */
    sigset_t set;
    atomic_bool *cancel; /* in memory that processes forked from here on share */
    atomic_bool is_stopping, is_timed_out;
    atomic_bool is_hangup_caught, was_hangup; /* SIGHUP is told of, and ends nothing; it came */
    _Atomic int caught;
    _Atomic uint64_t limit_ms; /* on the monotonic clock: when the time is up; 0: never */
    _Atomic uint64_t end_ms;   /* when what is under way is not waited for any more */

    int *adopted; /* children that were there before us: a shell's that became us by exec */
    size_t adopted_count;

    pthread_mutex_t lock; /* guards the question */
    int terminal;         /* -1: no question */
    const char *prompt;
    struct termios before, during;
};

static const int ending[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

/* Writes unless that would have to be waited for: a full pipe must not keep us. The log's lock may be held by one who
 * waits for just that. */
static void say(const char *line)
{
    struct pollfd polled = {.fd = STDERR_FILENO, .events = POLLOUT};
    if (poll(&polled, 1, 0) == 1 && (polled.revents & POLLOUT)) {
        ssize_t written = write(STDERR_FILENO, line, strlen(line));
        (void)written;
    }
}

/* Gives the terminal its settings of before, or those of the question. Nothing is drained: a terminal that is stopped
 * would keep us. A half-typed secret must not become the shell's next command. Called with the lock held. */
static void set_terminal(const struct signals *signals, bool is_question)
{
    if (signals->terminal < 0)
        return;
    (void)tcsetattr(signals->terminal, TCSANOW, is_question ? &signals->during : &signals->before);
    if (!(signals->during.c_lflag & ECHO))
        (void)tcflush(signals->terminal, TCIFLUSH);
}

static void write_prompt(const struct signals *signals)
{
    ssize_t written = write(signals->terminal, signals->prompt, strlen(signals->prompt));
    (void)written;
}

/* Reads pids of /proc/self/task/TID/children (proc(5)), and hands them on. */
static void each_child(struct signals *signals, const char *tid, void (*take)(struct signals *signals, int pid))
{
    char path[300];
    int pid;
    (void)snprintf(path, sizeof path, "/proc/self/task/%s/children", tid);
    FILE *list = fopen(path, "re");
    while (list && fscanf(list, "%d", &pid) == 1 && pid > 0)
        take(signals, pid);
    if (list)
        (void)fclose(list);
}

static void adopt(struct signals *signals, int pid)
{
    int *grown = realloc(signals->adopted, (signals->adopted_count + 1) * sizeof *grown);
    if (!grown)
        memory_abort(sizeof *grown);
    signals->adopted = grown;
    grown[signals->adopted_count++] = pid;
}

/* Children have process groups of their own (io/child.h): a terminal's signals do not reach them. */
static void kill_own(struct signals *signals, int pid)
{
    for (size_t i = 0; i < signals->adopted_count; i++) {
        if (signals->adopted[i] == pid)
            return;
    }
    (void)kill(-pid, SIGKILL);
}

static void kill_children(struct signals *signals)
{
    DIR *tasks = opendir("/proc/self/task");
    const struct dirent *task;
    while (tasks && (task = readdir(tasks))) {
        if (task->d_name[0] != '.')
            each_child(signals, task->d_name, kill_own);
    }
    if (tasks)
        (void)closedir(tasks);
}

static _Noreturn void die(int signal_number)
{
    struct sigaction standard = {.sa_handler = SIG_DFL};
    sigset_t set;
    (void)sigaction(signal_number, &standard, NULL);
    (void)sigemptyset(&set);
    (void)sigaddset(&set, signal_number);
    (void)pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    (void)raise(signal_number);
    _exit(128 + signal_number);
}

/* Ends the process where it stands. A thread may hold any lock now, so only the question's is taken: it is never held
 * for long. */
static _Noreturn void end_now(struct signals *signals, int number, int status)
{
    sigset_t set; /* else a background process would be stopped for its tcsetattr() */
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTTOU);
    (void)pthread_sigmask(SIG_BLOCK, &set, NULL);
    (void)pthread_mutex_lock(&signals->lock);
    set_terminal(signals, false);
    kill_children(signals);
    if (number)
        die(number);
    _exit(status);
}

_Noreturn void signals_end(struct signals *signals, int status)
{
    end_now(signals, atomic_load(&signals->caught), status);
}

/* Asks all to end. */
static void begin_end(struct signals *signals, int number)
{
    if (!number)
        atomic_store(&signals->is_timed_out, true);
    atomic_store(&signals->caught, number);
    atomic_store(signals->cancel, true);
    atomic_store(&signals->end_ms, clock_ms() + SIGNALS_GRACE_MS);
}

/* Stops as SIGTSTP does without us (an orphaned process group is not stopped), the terminal's settings given back. */
static void stop_for_a_while(struct signals *signals)
{
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTSTP);
    (void)pthread_mutex_lock(&signals->lock);
    set_terminal(signals, false);
    (void)raise(SIGTSTP);
    (void)pthread_sigmask(SIG_UNBLOCK, &set, NULL); /* here it stops, and goes on with SIGCONT */
    (void)pthread_sigmask(SIG_BLOCK, &set, NULL);
    (void)pthread_mutex_unlock(&signals->lock);
}

/* The shell may have changed the terminal meanwhile. */
static void go_on(struct signals *signals)
{
    (void)pthread_mutex_lock(&signals->lock);
    set_terminal(signals, true);
    if (signals->terminal >= 0)
        write_prompt(signals);
    (void)pthread_mutex_unlock(&signals->lock);
}

/* Waits for a signal until something is due; 0 when it is. */
static int wait_for_one(const struct signals *signals)
{
    uint64_t end_ms = atomic_load(&signals->end_ms), now = clock_ms(),
             due_ms = end_ms ? end_ms : atomic_load(&signals->limit_ms);
    if (!due_ms)
        return sigwaitinfo(&signals->set, NULL);
    if (now >= due_ms)
        return 0;
    uint64_t left_ms = due_ms - now;
    struct timespec left = {.tv_sec = (time_t)(left_ms / 1000), .tv_nsec = (long)(left_ms % 1000) * 1000000};
    int number = sigtimedwait(&signals->set, NULL, &left);
    return number < 0 && errno == EAGAIN ? 0 : number;
}

static bool is_ending(int number)
{
    for (size_t i = 0; i < sizeof ending / sizeof ending[0]; i++) {
        if (ending[i] == number)
            return true;
    }
    return false;
}

static void take_ending(struct signals *signals, int number)
{
    if (!atomic_load(signals->cancel)) {
        begin_end(signals, number);
        return;
    }
    if (number)
        end_now(signals, number, 0);
    bool is_timed_out = atomic_load(&signals->is_timed_out);
    say(is_timed_out ? "imgfactory: error: not done within --timeout; ended in the middle of it\n"
                     : "imgfactory: interrupted; what is still under way is not waited for\n");
    end_now(signals, atomic_load(&signals->caught), ERR_NETWORK);
}

static void *wait_for_signals(void *argument)
{
    struct signals *signals = argument;
    for (;;) {
        int number = wait_for_one(signals);
        if (number == SIGUSR1 && pthread_equal(atomic_load(&signals->leaving), pthread_self()))
            return NULL;
        if (atomic_load(&signals->is_stopping))
            return NULL;
        if (number == SIGTSTP)
            stop_for_a_while(signals);
        else if (number == SIGCONT)
            go_on(signals);
        else if (number == SIGHUP && atomic_load(&signals->is_hangup_caught))
            atomic_store(&signals->was_hangup, true);
        else if (number == 0 || is_ending(number))
            take_ending(signals, number);
    }
}

/* Adds a signal unless the parent wants it ignored (nohup): a blocked one would come to us all the same. */
static void add_unless_ignored(sigset_t *set, int number)
{
    struct sigaction action;
    if (sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN)
        (void)sigdelset(set, number);
    else
        (void)sigaddset(set, number);
}

static void set_up(struct signals *signals)
{
    (void)sigemptyset(&signals->set);
    for (size_t i = 0; i < sizeof ending / sizeof ending[0]; i++)
        (void)sigaddset(&signals->set, ending[i]);
    add_unless_ignored(&signals->set, SIGHUP);
    add_unless_ignored(&signals->set, SIGTSTP);
    (void)sigaddset(&signals->set, SIGCONT);
    (void)sigaddset(&signals->set, SIGUSR1);
    (void)pthread_sigmask(SIG_BLOCK, &signals->set, NULL);
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    (void)sigaction(SIGPIPE, &ignore, NULL);
    (void)sigaction(SIGXFSZ, &ignore, NULL);
}

static void discard(struct signals *signals)
{
    pthread_mutex_destroy(&signals->lock);
    (void)munmap(signals->cancel, sizeof *signals->cancel);
    free(signals->adopted);
    free(signals);
}

bool signals_start(struct signals **ret_signals, struct err *err)
{
    struct signals *signals = calloc(1, sizeof *signals);
    if (!signals)
        memory_abort(sizeof *signals);
    signals->terminal = -1;
    signals->cancel = mmap(NULL, sizeof *signals->cancel, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (signals->cancel == MAP_FAILED)
        memory_abort(sizeof *signals->cancel);
    pthread_mutex_init(&signals->lock, NULL);
    set_up(signals);
    char tid[16];
    (void)snprintf(tid, sizeof tid, "%d", (int)getpid());
    each_child(signals, tid, adopt);
    int failed = pthread_create(&signals->thread, NULL, wait_for_signals, signals);
    if (failed) {
        err_set_errno(err, failed, "cannot start a thread");
        discard(signals);
        return false;
    }
    *ret_signals = signals;
    return true;
}

/* Has the thread end that is on its own. */
static void end_thread(struct signals *signals, pthread_t thread)
{
    atomic_store(&signals->leaving, thread);
    (void)pthread_kill(thread, SIGUSR1);
    (void)pthread_join(thread, NULL);
    atomic_store(&signals->leaving, 0); /* its number may be given to another */
}

void signals_pause(struct signals *signals)
{
    end_thread(signals, signals->thread);
}

void signals_resume(struct signals *signals)
{
    if (pthread_create(&signals->thread, NULL, wait_for_signals, signals) != 0)
        memory_abort(0); /* there was one a moment ago */
}

/* The new one begins before the old one is woken. */
bool signals_renew(struct signals *signals, struct err *err)
{
    pthread_t before = signals->thread, thread;
    int failed = pthread_create(&thread, NULL, wait_for_signals, signals);
    if (failed) {
        err_set_errno(err, failed, "cannot start a thread");
        return false;
    }
    end_thread(signals, before);
    signals->thread = thread;
    return true;
}

const atomic_bool *signals_cancel(const struct signals *signals)
{
    return signals->cancel;
}

void signals_catch_hangups(struct signals *signals)
{
    atomic_store(&signals->is_hangup_caught, true);
}

bool signals_take_hangup(struct signals *signals)
{
    return atomic_exchange(&signals->was_hangup, false);
}

/* SIGUSR1 only makes the thread look again. */
void signals_limit_ms(struct signals *signals, uint64_t ms)
{
    atomic_store(&signals->limit_ms, ms ? clock_ms() + ms : 0);
    (void)pthread_kill(signals->thread, SIGUSR1);
}

int signals_caught(const struct signals *signals)
{
    return signals ? atomic_load(&signals->caught) : 0;
}

bool signals_is_timed_out(const struct signals *signals)
{
    return signals && atomic_load(&signals->is_timed_out);
}

bool signals_ask(struct signals *signals, int fd, const char *prompt, bool is_hidden)
{
    struct termios before;
    if (tcgetattr(fd, &before) != 0)
        return false;
    (void)pthread_mutex_lock(&signals->lock);
    signals->terminal = fd;
    signals->prompt = prompt;
    signals->before = signals->during = before;
    if (is_hidden)
        signals->during.c_lflag &= ~(tcflag_t)ECHO;
    set_terminal(signals, true);
    write_prompt(signals);
    (void)pthread_mutex_unlock(&signals->lock);
    return true;
}

void signals_answered(struct signals *signals)
{
    (void)pthread_mutex_lock(&signals->lock);
    set_terminal(signals, false);
    signals->terminal = -1;
    (void)pthread_mutex_unlock(&signals->lock);
}

void signals_stop(struct signals *signals)
{
    if (!signals)
        return;
    atomic_store(&signals->is_stopping, true);
    (void)pthread_kill(signals->thread, SIGUSR1);
    (void)pthread_join(signals->thread, NULL);
    discard(signals);
}
