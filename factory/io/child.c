/* The child runs in a process group of its own with default signal handling, whatever the parent blocks or ignores, so
 * that a time-out can end it together with what it started. A pidfd lets one poll() wait for output and end alike. */
#include "io/child.h"
#include "base/auto.h"
#include "io/file.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

static uint64_t now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static bool is_listed(struct child_fds fds, int fd)
{
    for (size_t i = 0; i < fds.count; i++) {
        if (fds.fds[i] == fd)
            return true;
    }
    return false;
}

/* Ours are all O_CLOEXEC, but we may have been started with more descriptors than the standard ones: so the gaps
 * between those listed, and all above them, are closed. dup2() of a descriptor onto itself clears its close-on-exec
 * flag in the child only (glibc since 2.29); closing one that is not open is no failure there. */
static int add_inherited(posix_spawn_file_actions_t *actions, struct child_fds inherit)
{
    int failed = 0, last = STDERR_FILENO;
    for (size_t i = 0; i < inherit.count; i++) {
        assert(inherit.fds[i] > STDERR_FILENO);
        last = inherit.fds[i] > last ? inherit.fds[i] : last;
    }
    for (int fd = STDERR_FILENO + 1; !failed && fd <= last; fd++)
        failed = is_listed(inherit, fd) ? posix_spawn_file_actions_adddup2(actions, fd, fd)
                                        : posix_spawn_file_actions_addclose(actions, fd);
    return failed ? failed : posix_spawn_file_actions_addclosefrom_np(actions, last + 1);
}

static int add_actions(posix_spawn_file_actions_t *actions, struct child_fds inherit, int stdout_fd)
{
    int failed = posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    if (!failed)
        failed = posix_spawn_file_actions_adddup2(actions, stdout_fd, STDOUT_FILENO);
    if (!failed)
        failed = posix_spawn_file_actions_addopen(actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    return failed ? failed : add_inherited(actions, inherit);
}

static int set_attributes(posix_spawnattr_t *attributes)
{
    sigset_t none, all;
    (void)sigemptyset(&none);
    (void)sigfillset(&all);
    int failed = posix_spawnattr_setsigmask(attributes, &none);
    if (!failed)
        failed = posix_spawnattr_setsigdefault(attributes, &all);
    if (!failed)
        failed = posix_spawnattr_setpgroup(attributes, 0);
    if (!failed)
        failed = posix_spawnattr_setflags(attributes,
                                          POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    return failed;
}

/* posix_spawn() wants pointers to non-const strings but never writes to them (POSIX, exec, rationale). */
static int spawn(const char *const *argv, struct child_fds inherit, int stdout_fd, pid_t *ret_pid)
{
    AUTO(arena_done) struct arena scratch = {0};
    const char *path = getenv("PATH");
    char *environment[] = {arena_strdup(&scratch, "LC_ALL=C"),
                           arena_printf(&scratch, "PATH=%s", path ? path : "/usr/local/bin:/usr/bin:/bin"), NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int failed = posix_spawn_file_actions_init(&actions);
    if (failed)
        return failed;
    failed = posix_spawnattr_init(&attributes);
    if (!failed) {
        failed = add_actions(&actions, inherit, stdout_fd);
        if (!failed)
            failed = set_attributes(&attributes);
        if (!failed)
            failed = posix_spawnp(ret_pid, argv[0], &actions, &attributes, (char *const *)argv, environment);
        (void)posix_spawnattr_destroy(&attributes);
    }
    (void)posix_spawn_file_actions_destroy(&actions);
    return failed;
}

static bool read_output(int fd, const char *program, bool *ret_is_open, struct buf *out, struct err *err)
{
    char bytes[4096];
    ssize_t got = read(fd, bytes, sizeof bytes);
    if (got < 0 && errno != EINTR && errno != EAGAIN) {
        err_set_errno(err, errno, "cannot read the output of %s", program);
        return false;
    }
    if (got > 0 && !buf_add(out, bytes, (size_t)got)) {
        err_set(err, ERR_MALFORMED, "%s wrote more than the %zu bytes that are allowed", program, out->cap_bytes);
        return false;
    }
    if (got == 0)
        *ret_is_open = false;
    return true;
}

/* Collects output until the pipe is closed and the child has ended, or the time is up. */
static bool watch(const char *program, int stdout_fd, int pid_fd, unsigned timeout_ms, struct buf *out, struct err *err)
{
    uint64_t deadline_ms = now_ms() + timeout_ms;
    bool is_open = true, is_running = true;
    while (is_open || is_running) {
        uint64_t now = now_ms();
        if (now >= deadline_ms) {
            err_set(err, ERR_LOCAL, "%s did not end within %u ms", program, timeout_ms);
            err->detail = ETIMEDOUT;
            return false;
        }
        uint64_t left_ms = deadline_ms - now;
        struct pollfd polled[] = {{.fd = is_open ? stdout_fd : -1, .events = POLLIN},
                                  {.fd = is_running ? pid_fd : -1, .events = POLLIN}};
        if (poll(polled, ARRAY_COUNT(polled), left_ms > 60000 ? 60000 : (int)left_ms) < 0 && errno != EINTR) {
            err_set_errno(err, errno, "cannot wait for %s", program);
            return false;
        }
        if (polled[1].revents)
            is_running = false;
        if (polled[0].revents && !read_output(stdout_fd, program, &is_open, out, err))
            return false;
    }
    return true;
}

/* Ends the child by force unless all went well, and takes its status in any case: no zombie stays. */
static bool reap(const char *program, pid_t pid, bool is_good, int *ret_exit, struct err *err)
{
    int status = 0;
    pid_t waited;
    if (!is_good)
        (void)kill(-pid, SIGKILL);
    do
        waited = waitpid(pid, &status, 0);
    while (waited < 0 && errno == EINTR);
    if (!is_good)
        return false;
    if (waited < 0) {
        err_set_errno(err, errno, "cannot learn how %s ended", program);
        return false;
    }
    *ret_exit = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    return true;
}

bool child_run(const char *const *argv, struct child_fds inherit, size_t stdout_cap, unsigned timeout_ms,
               struct buf *ret_stdout, int *ret_exit, struct err *err)
{
    int ends[2];
    buf_init(ret_stdout, stdout_cap);
    if (pipe2(ends, O_CLOEXEC) != 0) {
        err_set_errno(err, errno, "cannot make a pipe for %s", argv[0]);
        return false;
    }
    AUTO(auto_close_fd) int read_end = ends[0];
    AUTO(auto_close_fd) int write_end = ends[1];
    pid_t pid;
    int failed = spawn(argv, inherit, write_end, &pid);
    if (failed) {
        err_set_errno(err, failed, "cannot start %s", argv[0]);
        return false;
    }
    (void)close(take_fd(&write_end));
    AUTO(auto_close_fd) int pid_fd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (pid_fd < 0)
        err_set_errno(err, errno, "cannot watch %s", argv[0]);
    bool is_good = pid_fd >= 0 && watch(argv[0], read_end, pid_fd, timeout_ms, ret_stdout, err);
    return reap(argv[0], pid, is_good, ret_exit, err);
}

bool child_memory_file(const char *name, const void *bytes, size_t len, int *ret_fd, struct err *err)
{
    AUTO(auto_close_fd) int fd = memfd_create(name, MFD_CLOEXEC);
    if (fd < 0) {
        err_set_errno(err, errno, "cannot make the file %s in memory", name);
        return false;
    }
    if (!file_write_all(fd, bytes, len, name, err))
        return false;
    if (lseek(fd, 0, SEEK_SET) != 0) {
        err_set_errno(err, errno, "cannot rewind %s", name);
        return false;
    }
    *ret_fd = take_fd(&fd);
    return true;
}
