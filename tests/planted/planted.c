/* SPDX-License-Identifier: Apache-2.0 */
/* The program with a planted bug: each library that reads hostile bytes for it does, the first time it is called, what an
 * attacker would have it do, and tells on standard error what came of it. The functions here take the place of the libraries'
 * own, wherever the program calls them. PLANTED names a credential file, a file to write, and a program to start, separated
 * by ':'; without it nothing is done. */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <libelf.h>
#include <lzma.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

static void tell(const char *reader, const char *what, bool is_reached)
{
    (void)dprintf(STDERR_FILENO, "planted %s %s %s\n", reader, what, is_reached ? "reached" : "refused");
}

static bool can_open(const char *path, int flags)
{
    int fd = open(path, flags, 0600);
    if (fd >= 0)
        (void)close(fd);
    return fd >= 0;
}

static bool can_make_socket(int family, int type)
{
    int fd = socket(family, type, 0);
    if (fd >= 0)
        (void)close(fd);
    return fd >= 0;
}

static bool can_start(const char *path)
{
    char *argv[] = {strdup(path), NULL};
    pid_t pid;
    int failed = posix_spawn(&pid, path, NULL, NULL, argv, NULL), status = 0;
    free(argv[0]);
    return !failed && waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static bool can_trace(pid_t pid)
{
    if (ptrace(PTRACE_SEIZE, pid, NULL, NULL) != 0)
        return false;
    (void)ptrace(PTRACE_DETACH, pid, NULL, NULL);
    return true;
}

#define LOOKS_MAX 100u

static pid_t first; /* the process that was started; others were forked */

__attribute__((constructor)) static void note_process(void)
{
    first = getpid();
}

/* What is looked for: PLANTED_SECRET has it backwards, in hexadecimal numbers, so that it is nowhere else. */
struct backwards {
    char bytes[256];
    size_t len;
};

static struct backwards read_secret(void)
{
    const char *hex = getenv("PLANTED_SECRET");
    struct backwards secret = {.len = 0};
    unsigned byte;
    while (hex && secret.len < sizeof secret.bytes && sscanf(hex + 2 * secret.len, "%2x", &byte) == 1)
        secret.bytes[secret.len++] = (char)byte;
    return secret;
}

static bool has_secret(const char *bytes, size_t len, const struct backwards *secret)
{
    const char *at = bytes, *end = bytes + len;
    while ((at = memchr(at, secret->bytes[secret->len - 1], (size_t)(end - at)))) {
        size_t same = 0;
        while (same < secret->len && at + same < end && at[same] == secret->bytes[secret->len - 1 - same])
            same++;
        if (same == secret->len)
            return true;
        at++;
    }
    return false;
}

/* Copies pieces of memory by a system call, which fails where another thread unmaps them meanwhile. */
static bool can_find_secret(const struct backwards *secret)
{
    static char piece[1 << 16];
    static atomic_flag is_busy = ATOMIC_FLAG_INIT;
    unsigned long begin, end;
    char rights[8], line[512];
    bool is_found = false;
    if (atomic_flag_test_and_set(&is_busy))
        return false;
    FILE *maps = fopen("/proc/self/maps", "re");
    int copy = memfd_create("piece", MFD_CLOEXEC);
    while (maps && copy >= 0 && !is_found && fgets(line, sizeof line, maps)) {
        if (sscanf(line, "%lx-%lx %7s", &begin, &end, rights) != 3 || strncmp(rights, "rw-p", 4) != 0)
            continue;
        for (unsigned long at = begin; at < end && !is_found; at += sizeof piece / 2) {
            size_t len = end - at < sizeof piece ? end - at : sizeof piece;
            if (at + sizeof piece >= (uintptr_t)piece && at < (uintptr_t)piece + sizeof piece)
                continue;
            ssize_t put = pwrite(copy, (const void *)at, len, 0);
            is_found = put > 0 && pread(copy, piece, (size_t)put, 0) == put && has_secret(piece, (size_t)put, secret);
        }
    }
    if (maps)
        (void)fclose(maps);
    if (copy >= 0)
        (void)close(copy);
    memset(piece, 0, sizeof piece);
    atomic_flag_clear(&is_busy);
    return is_found;
}

#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
#define IS_SANITIZED true
#elif defined __has_feature
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define IS_SANITIZED true
#endif
#endif
#ifndef IS_SANITIZED
#define IS_SANITIZED false
#endif

/* What is in the memory of the process that reads, whenever it reads. The sanitizers map more than can be looked through. */
static void look_for_secret(const char *reader)
{
    static atomic_bool is_told;
    static atomic_uint look_count;
    const struct backwards secret = read_secret();
    bool is_looked = !IS_SANITIZED && secret.len && strcmp(reader, "document") == 0 && getpid() == first &&
                     !atomic_load(&is_told) && atomic_fetch_add(&look_count, 1) < LOOKS_MAX;
    if (is_looked && can_find_secret(&secret) && !atomic_exchange(&is_told, true))
        tell(reader, "secret", true);
}

/* Threads share memory: who runs code of his own in one of them can have any other run it. Here the kernel does that, by a
 * signal that the thread handles. What it opens is opened with the thread's own rights. */
static const char *_Atomic stolen;
static atomic_uint handled_count, reached_count;

static void steal(int number)
{
    int saved_errno = errno, fd = open(atomic_load(&stolen), O_RDONLY | O_CLOEXEC);
    int made = socket(AF_INET, SOCK_STREAM, 0);
    (void)number;
    if (fd >= 0 || made >= 0)
        atomic_fetch_add(&reached_count, 1);
    if (fd >= 0)
        (void)close(fd);
    if (made >= 0)
        (void)close(made);
    atomic_fetch_add(&handled_count, 1);
    errno = saved_errno;
}

/* Whether the kernel says of a thread that a filter holds for it (proc_pid_status(5)). */
static bool is_filtered(pid_t thread)
{
    char path[64], line[256];
    unsigned mode = 0;
    (void)snprintf(path, sizeof path, "/proc/self/task/%d/status", (int)thread);
    FILE *status = fopen(path, "re");
    while (status && fgets(line, sizeof line, status) && sscanf(line, "Seccomp: %u", &mode) != 1)
        continue;
    if (status)
        (void)fclose(status);
    return mode == 2 || access(path, F_OK) != 0; /* it has ended */
}

/* Has each other thread of the process that reads do it, and tells when one could, or is not confined. */
static void attack_by_others(const char *reader, const char *credential)
{
    static char path[4096];
    struct sigaction handle = {.sa_handler = steal, .sa_flags = SA_RESTART}, before;
    struct timespec pause = {.tv_nsec = 10000000};
    unsigned sent = 0, bare = 0;
    DIR *tasks = opendir("/proc/self/task");
    const struct dirent *task;
    (void)snprintf(path, sizeof path, "%s", credential);
    atomic_store(&stolen, path);
    (void)sigaction(SIGUSR2, &handle, &before);
    while (tasks && (task = readdir(tasks))) {
        pid_t thread = (pid_t)atoi(task->d_name);
        if (thread <= 0 || thread == gettid())
            continue;
        bare += !is_filtered(thread);
        sent += syscall(SYS_tgkill, getpid(), thread, SIGUSR2) == 0;
    }
    for (unsigned i = 0; i < 30 && atomic_load(&handled_count) < sent; i++)
        (void)nanosleep(&pause, NULL); /* those that block all signals never do it */
    if (tasks)
        (void)closedir(tasks);
    tell(reader, "thread", bare || atomic_load(&reached_count));
}

static void attack(const char *reader, atomic_bool *was_here)
{
    const char *told = getenv("PLANTED");
    int saved_errno = errno;
    look_for_secret(reader);
    errno = saved_errno;
    char *paths = told ? strdup(told) : NULL, *rest = paths;
    if (!paths || atomic_exchange(was_here, true)) {
        free(paths);
        return;
    }
    if (getpid() != first)
        reader = "broker";
    char environment[64];
    (void)snprintf(environment, sizeof environment, "/proc/%d/environ", (int)getppid());
    const char *credential = strsep(&rest, ":");
    tell(reader, "credential", can_open(credential, O_RDONLY | O_CLOEXEC));
    if (getpid() == first)
        attack_by_others(reader, credential);
    tell(reader, "file", can_open(strsep(&rest, ":"), O_WRONLY | O_CREAT | O_CLOEXEC));
    tell(reader, "program", can_start(strsep(&rest, ":")));
    tell(reader, "environment", can_open(environment, O_RDONLY | O_CLOEXEC));
    tell(reader, "tcp", can_make_socket(AF_INET, SOCK_STREAM) || can_make_socket(AF_INET6, SOCK_STREAM));
    tell(reader, "udp", can_make_socket(AF_INET, SOCK_DGRAM) || can_make_socket(AF_INET6, SOCK_DGRAM));
    tell(reader, "unix", can_make_socket(AF_UNIX, SOCK_STREAM));
    tell(reader, "netlink", can_make_socket(AF_NETLINK, SOCK_RAW));
    tell(reader, "trace", can_trace(getppid()));
    free(paths);
    errno = saved_errno;
}

/* Declares `name` of a library as a function that attacks, and then does what the library's does. */
#define PLANT_UNLESS(own, reader, type, name, parameters, ...)                                                         \
    type name parameters                                                                                               \
    {                                                                                                                  \
        static atomic_bool was_here;                                                                                   \
        static type(*_Atomic real) parameters;                                                                         \
        type(*next) parameters = atomic_load(&real);                                                                   \
        if (!next) {                                                                                                   \
            void *found = dlsym(RTLD_NEXT, #name);                                                                     \
            memcpy(&next, &found, sizeof next);                                                                        \
            atomic_store(&real, next);                                                                                 \
        }                                                                                                              \
        if (!(own))                                                                                                    \
            attack(reader, &was_here);                                                                                 \
        return next(__VA_ARGS__);                                                                                      \
    }

#define PLANT(reader, type, name, parameters, ...) PLANT_UNLESS(false, reader, type, name, parameters, __VA_ARGS__)

PLANT("package", lzma_ret, lzma_code, (lzma_stream * stream, lzma_action action), stream, action)
PLANT("elf", Elf *, elf_memory, (char *image, size_t size), image, size)
/* The user's own file of credentials is not hostile, and is read by who may. */
static bool is_own(const char *bytes, size_t len)
{
    return memmem(bytes, len, "\"auths\"", strlen("\"auths\"")) != NULL;
}

PLANT_UNLESS(is_own(bytes, len), "document", json_t *, json_loadb,
             (const char *bytes, size_t len, size_t flags, json_error_t *error), bytes, len, flags, error)
PLANT("layer", int, inflate, (z_streamp stream, int flush), stream, flush)
