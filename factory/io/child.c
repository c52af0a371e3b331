/* SPDX-License-Identifier: Apache-2.0 */
/* The child runs in a process group of its own with default signal handling, whatever the parent blocks or ignores, so
 * that a time-out can end it together with what it started. A pidfd lets one poll() wait for output and end alike. */
#include "io/child.h"
#include "base/auto.h"
#include "base/clock.h"
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

/* What a child gets: descriptors, variables, its standard streams (stdin_fd -1: /dev/null). */
struct plan {
    const char *const *argv;
    struct child_fds inherit;
    const struct child_input *input; /* NULL for none */
    int stdin_fd, stdout_fd;
};

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

static int add_actions(posix_spawn_file_actions_t *actions, const struct plan *plan)
{
    int failed = plan->stdin_fd < 0 ? posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
                                    : posix_spawn_file_actions_adddup2(actions, plan->stdin_fd, STDIN_FILENO);
    if (!failed)
        failed = posix_spawn_file_actions_adddup2(actions, plan->stdout_fd, STDOUT_FILENO);
    if (!failed)
        failed = posix_spawn_file_actions_addopen(actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    return failed ? failed : add_inherited(actions, plan->inherit);
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

/* Returns whether "NAME=value" is a variable that is passed on. LC_ALL and PATH are there already. */
static bool is_passed_on(const struct child_input *input, const char *variable)
{
    const char *end = strchr(variable, '=');
    struct text name = {variable, end ? (size_t)(end - variable) : 0};
    if (!name.len || text_is(name, "LC_ALL") || text_is(name, "PATH"))
        return false;
    for (size_t i = 0; i < input->environment_count; i++) {
        struct text wanted = text_of(input->environment[i]);
        bool is_prefix = text_has_suffix(wanted, "*");
        wanted.len -= is_prefix;
        if (is_prefix ? name.len >= wanted.len && memcmp(name.ptr, wanted.ptr, wanted.len) == 0 : text_eq(name, wanted))
            return true;
    }
    return false;
}

static char **make_environment(struct arena *arena, const struct child_input *input)
{
    const char *path = getenv("PATH");
    LIST(char *) variables = {0};
    list_add(arena, &variables, arena_strdup(arena, "LC_ALL=C"));
    list_add(arena, &variables, arena_printf(arena, "PATH=%s", path ? path : "/usr/local/bin:/usr/bin:/bin"));
    for (char **variable = environ; input && variable && *variable; variable++) {
        if (is_passed_on(input, *variable))
            list_add(arena, &variables, *variable);
    }
    list_add(arena, &variables, NULL);
    return variables.items;
}

/* posix_spawn() wants pointers to non-const strings but never writes to them (POSIX, exec, rationale). */
static int spawn(const struct plan *plan, pid_t *ret_pid)
{
    AUTO(arena_done) struct arena scratch = {0};
    char **environment = make_environment(&scratch, plan->input);
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int failed = posix_spawn_file_actions_init(&actions);
    if (failed)
        return failed;
    failed = posix_spawnattr_init(&attributes);
    if (!failed) {
        failed = add_actions(&actions, plan);
        if (!failed)
            failed = set_attributes(&attributes);
        if (!failed)
            failed =
                posix_spawnp(ret_pid, plan->argv[0], &actions, &attributes, (char *const *)plan->argv, environment);
        (void)posix_spawnattr_destroy(&attributes);
    }
    (void)posix_spawn_file_actions_destroy(&actions);
    return failed;
}

/* A directory of PATH that may not be entered makes a missing program one that may not be run (exec(3)); returns whether
 * there is a file of that name anywhere. */
static bool is_anywhere(const char *program)
{
    AUTO(arena_done) struct arena scratch = {0};
    const char *path = getenv("PATH");
    struct text rest = text_of(path ? path : ""), dir;
    if (strchr(program, '/'))
        return true;
    while (text_next(&rest, ':', &dir)) {
        if (access(arena_printf(&scratch, "%.*s/%s", (int)dir.len, dir.ptr, program), F_OK) == 0)
            return true;
    }
    return false;
}

static bool read_output(int fd, const char *program, bool *ret_is_open, struct buf *out, struct err *err)
{
    char bytes[4096];
    ssize_t got = read(fd, bytes, sizeof bytes);
    if (got < 0 && errno != EINTR && errno != EAGAIN) {
        err_set_errno(err, errno, "cannot read the output of %s", program);
        return false;
    }
    bool fits = got <= 0 || buf_add(out, bytes, (size_t)got);
    explicit_bzero(bytes, sizeof bytes);
    if (!fits)
        err_set(err, ERR_MALFORMED, "%s wrote more than the %zu bytes that are allowed", program, out->cap_bytes);
    if (got == 0)
        *ret_is_open = false;
    return fits;
}

/* Collects output until the pipe is closed and the child has ended, or the time is up. */
static bool watch(const char *program, int stdout_fd, int pid_fd, unsigned timeout_ms, struct buf *out, struct err *err)
{
    uint64_t deadline_ms = clock_ms() + timeout_ms;
    bool is_open = true, is_running = true;
    while (is_open || is_running) {
        uint64_t now = clock_ms();
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

/* Starts the child and collects what it writes into `out`. */
static bool run(struct plan *plan, unsigned timeout_ms, struct buf *out, int *ret_exit, struct err *err)
{
    const char *program = plan->argv[0];
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        err_set_errno(err, errno, "cannot make a pipe for %s", program);
        return false;
    }
    AUTO(auto_close_fd) int read_end = ends[0];
    AUTO(auto_close_fd) int write_end = ends[1];
    pid_t pid;
    plan->stdout_fd = write_end;
    int failed = spawn(plan, &pid);
    if (failed == EACCES && !is_anywhere(program))
        failed = ENOENT;
    if (failed) {
        err_set_errno(err, failed, "cannot start %s", program);
        return false;
    }
    (void)close(take_fd(&write_end));
    AUTO(auto_close_fd) int pid_fd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (pid_fd < 0)
        err_set_errno(err, errno, "cannot watch %s", program);
    bool is_good = pid_fd >= 0 && watch(program, read_end, pid_fd, timeout_ms, out, err);
    return reap(program, pid, is_good, ret_exit, err);
}

bool child_run(const char *const *argv, struct child_fds inherit, size_t stdout_cap, unsigned timeout_ms,
               struct buf *ret_stdout, int *ret_exit, struct err *err)
{
    struct plan plan = {.argv = argv, .inherit = inherit, .stdin_fd = -1};
    buf_init(ret_stdout, stdout_cap);
    return run(&plan, timeout_ms, ret_stdout, ret_exit, err);
}

/* The input goes through a file in memory: whether and when the child reads it does not matter to us. The output has
 * its whole room from the start, because growing would leave copies behind. */
bool child_run_with_input(const char *const *argv, const struct child_input *input, size_t stdout_cap,
                          unsigned timeout_ms, struct buf *ret_stdout, int *ret_exit, struct err *err)
{
    AUTO(auto_close_fd) int stdin_fd = -1;
    buf_init(ret_stdout, stdout_cap);
    bool fits = buf_reserve(ret_stdout, stdout_cap) && buf_add(ret_stdout, "", 0);
    assert(fits);
    if (!child_memory_file("standard input", input->bytes.ptr, input->bytes.len, &stdin_fd, err))
        return false;
    struct plan plan = {.argv = argv, .input = input, .stdin_fd = stdin_fd};
    return run(&plan, timeout_ms, ret_stdout, ret_exit, err);
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
