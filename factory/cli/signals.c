#include "cli/signals.h"
#include "base/arena.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

struct signals {
    pthread_t thread;
    sigset_t set;
    atomic_bool cancel;
    _Atomic int caught;
};

static void *wait_for_signals(void *argument)
{
    struct signals *signals = argument;
    for (;;) {
        int number = 0;
        if (sigwait(&signals->set, &number) != 0 || number == SIGUSR1)
            return NULL;
        if (atomic_exchange(&signals->cancel, true))
            _exit(128 + number);
        atomic_store(&signals->caught, number);
    }
}

bool signals_start(struct signals **ret_signals, struct err *err)
{
    struct signals *signals = calloc(1, sizeof *signals);
    if (!signals)
        memory_abort(sizeof *signals);
    sigemptyset(&signals->set);
    sigaddset(&signals->set, SIGINT);
    sigaddset(&signals->set, SIGTERM);
    sigaddset(&signals->set, SIGHUP);
    sigaddset(&signals->set, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &signals->set, NULL);
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigaction(SIGPIPE, &ignore, NULL);
    sigaction(SIGXFSZ, &ignore, NULL);
    int failed = pthread_create(&signals->thread, NULL, wait_for_signals, signals);
    if (failed) {
        err_set_errno(err, failed, "cannot start a thread");
        free(signals);
        return false;
    }
    *ret_signals = signals;
    return true;
}

const atomic_bool *signals_cancel(const struct signals *signals)
{
    return &signals->cancel;
}

int signals_stop(struct signals *signals)
{
    if (!signals)
        return 0;
    pthread_kill(signals->thread, SIGUSR1);
    pthread_join(signals->thread, NULL);
    int caught = atomic_load(&signals->caught);
    free(signals);
    return caught;
}

_Noreturn void signals_die(int signal_number)
{
    struct sigaction standard = {.sa_handler = SIG_DFL};
    sigset_t set;
    sigaction(signal_number, &standard, NULL);
    sigemptyset(&set);
    sigaddset(&set, signal_number);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    raise(signal_number);
    _exit(128 + signal_number);
}
