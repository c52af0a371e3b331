/* SPDX-License-Identifier: Apache-2.0 */
/* Landlock counts by paths when something is opened: what is open already, and descriptors without a path (pipes, files in
 * memory), it leaves alone. Numbers of its rights are written here, since the headers of Debian 12 do not know all. */
#include "io/confine.h"

#include "base/auto.h"
#include "base/err.h"
#include "base/list.h"
#include "io/channel.h"
#include "io/confine_filter.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define ABI_LEAST 2 /* before it no file could be linked into another directory, which is how the cache's come */
#define ABI_TRUNCATE 3
#define ABI_NET 4
#define ABI_IOCTL 5
#define ABI_SCOPE 6

#define FS_REFER ((uint64_t)1 << 13)
#define FS_TRUNCATE ((uint64_t)1 << 14)
#define FS_IOCTL_DEV ((uint64_t)1 << 15)
#define NET_BIND_AND_CONNECT_TCP ((uint64_t)3)
#define SCOPE_ABSTRACT_UNIX ((uint64_t)1)

#define READ (LANDLOCK_ACCESS_FS_READ_FILE | (uint64_t)LANDLOCK_ACCESS_FS_READ_DIR)
#define CHANGE                                                                                                         \
    (LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |                  \
     LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SYM | FS_REFER | FS_TRUNCATE)
#define MAKE_SPECIAL                                                                                                   \
    (LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |                      \
     (uint64_t)LANDLOCK_ACCESS_FS_MAKE_BLOCK)
#define RUN ((uint64_t)LANDLOCK_ACCESS_FS_EXECUTE)
#define OF_FILES (RUN | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_READ_FILE | FS_TRUNCATE | FS_IOCTL_DEV)

/* What programs and libraries read on any system, none of it secret. Of /proc no other process: root may read memory and
 * environment of any. */
static const char *const common[] = {"/usr",
                                     "/lib",
                                     "/lib32",
                                     "/lib64",
                                     "/bin",
                                     "/sbin",
                                     "/etc/ld.so.cache",
                                     "/etc/ld.so.conf",
                                     "/etc/ld.so.conf.d",
                                     "/etc/localtime",
                                     "/etc/passwd",
                                     "/etc/group",
                                     "/etc/nsswitch.conf",
                                     "/etc/gcrypt",
                                     "/etc/ssl/openssl.cnf",
                                     "/etc/pki/tls/openssl.cnf",
                                     "/etc/crypto-policies",
                                     "/proc/self/maps",
                                     "/proc/self/task",
                                     "/proc/locks",
                                     "/proc/sys",
                                     "/sys/devices/system/cpu"};
static const char *const devices[] = {"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"};

/* What landlock_create_ruleset(2) takes; older kernels know the first, or the first two. */
struct attributes {
    uint64_t handled_fs, handled_net, scoped;
};

struct ruleset {
    int fd, abi;
    int shortage; /* errno of what kept a place out of it that may be there */
    uint64_t handled;
};

static int abi_of_kernel(void)
{
    long abi = syscall(SYS_landlock_create_ruleset, NULL, (size_t)0, LANDLOCK_CREATE_RULESET_VERSION);
    return abi < 0 ? 0 : (int)abi;
}

bool confine_is_possible(void)
{
    return abi_of_kernel() >= ABI_LEAST || confine_filter_is_possible();
}

void confine_secrets(void)
{
    struct rlimit none = {0, 0};
    (void)setrlimit(RLIMIT_CORE, &none);
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

static uint64_t known(int abi, uint64_t rights)
{
    return rights & ~(abi < ABI_TRUNCATE ? FS_TRUNCATE : 0) & ~(abi < ABI_IOCTL ? FS_IOCTL_DEV : 0);
}

static bool begin(uint64_t handled, bool is_network_refused, int shortage, struct ruleset *ret_ruleset)
{
    int abi = abi_of_kernel();
    struct attributes attributes = {.handled_fs = known(abi, handled)};
    size_t size = sizeof attributes.handled_fs;
    if (abi < ABI_LEAST) {
        errno = abi ? EOPNOTSUPP : errno;
        return false;
    }
    if (is_network_refused && abi >= ABI_NET) {
        attributes.handled_net = NET_BIND_AND_CONNECT_TCP;
        size += sizeof attributes.handled_net;
    }
    if (is_network_refused && abi >= ABI_SCOPE) {
        attributes.scoped = SCOPE_ABSTRACT_UNIX;
        size += sizeof attributes.scoped;
    }
    *ret_ruleset = (struct ruleset){.abi = abi, .shortage = shortage, .handled = attributes.handled_fs};
    ret_ruleset->fd = (int)syscall(SYS_landlock_create_ruleset, &attributes, size, 0u);
    return ret_ruleset->fd >= 0;
}

/* Opens a place; -1 if it is not there, or for a shortage, which is noted. */
static int open_place(struct ruleset *ruleset, const char *path, int flags)
{
    int fd = open(path, flags | O_CLOEXEC);
    if (fd < 0 && errno_is_shortage(errno))
        ruleset->shortage = errno;
    return fd;
}

static void allow(struct ruleset *ruleset, const char *path, uint64_t rights)
{
    AUTO(auto_close_fd) int fd = open_place(ruleset, path, O_PATH);
    struct stat status;
    if (fd < 0 || fstat(fd, &status) != 0)
        return;
    rights &= ruleset->handled & (S_ISDIR(status.st_mode) ? ~(uint64_t)0 : OF_FILES);
    struct landlock_path_beneath_attr rule = {.allowed_access = rights, .parent_fd = fd};
    if (rights && syscall(SYS_landlock_add_rule, ruleset->fd, LANDLOCK_RULE_PATH_BENEATH, &rule, 0u) != 0 &&
        errno_is_shortage(errno))
        ruleset->shortage = errno;
}

static void allow_all(struct ruleset *ruleset, const struct strings *paths, uint64_t rights)
{
    for (size_t i = 0; i < paths->count; i++)
        allow(ruleset, paths->items[i], rights);
}

/* Reads at an offset; false when it is not all there. */
static bool read_at(int fd, void *bytes, size_t len, uint64_t offset)
{
    return pread(fd, bytes, len, (off_t)offset) == (ssize_t)len;
}

/* Allows the loader that a program asks for (ELF, PT_INTERP). What is no program of this machine's kind, such as a script,
 * has an interpreter that may start others: false. */
static bool allow_loader(struct ruleset *ruleset, int fd)
{
    ElfW(Ehdr) header;
    char path[256];
    if (!read_at(fd, &header, sizeof header, 0) || memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
        header.e_phentsize != sizeof(ElfW(Phdr)))
        return false;
    for (unsigned i = 0; i < header.e_phnum; i++) {
        ElfW(Phdr) segment;
        if (!read_at(fd, &segment, sizeof segment, header.e_phoff + i * sizeof segment))
            return false;
        if (segment.p_type != PT_INTERP || !segment.p_filesz || segment.p_filesz > sizeof path)
            continue;
        if (!read_at(fd, path, segment.p_filesz, segment.p_offset) || path[segment.p_filesz - 1])
            return false;
        allow(ruleset, path, RUN | READ);
    }
    return true;
}

/* Allows a program to be started wherever PATH has it. */
static void allow_program(struct ruleset *ruleset, const char *program)
{
    AUTO(arena_done) struct arena scratch = {0};
    const char *set = getenv("PATH");
    struct text path = text_of(set ? set : "/usr/local/bin:/usr/bin:/bin"), rest = path, dir;
    bool is_script = false;
    while (text_next(&rest, ':', &dir)) {
        const char *file = arena_printf(&scratch, "%.*s/%s", (int)dir.len, dir.ptr, program);
        AUTO(auto_close_fd) int fd = open_place(ruleset, file, O_RDONLY);
        if (fd >= 0) {
            allow(ruleset, file, RUN | READ);
            is_script = !allow_loader(ruleset, fd) || is_script;
        }
    }
    for (rest = path; is_script && text_next(&rest, ':', &dir);)
        allow(ruleset, text_dup(&scratch, dir), RUN | READ);
    for (size_t i = 0; is_script && i < ARRAY_COUNT(common); i++)
        allow(ruleset, common[i], RUN | READ);
}

/* Libraries that are loaded later come from the directories that the first came from. */
static void allow_libraries(struct ruleset *ruleset)
{
    AUTO(arena_done) struct arena scratch = {0};
    const char *path = getenv("LD_LIBRARY_PATH");
    struct text rest = text_of(path ? path : ""), dir;
    while (text_next(&rest, ':', &dir))
        allow(ruleset, text_dup(&scratch, dir), READ);
}

static bool end(struct ruleset *ruleset)
{
    bool is_done = !ruleset->shortage && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
                   syscall(SYS_landlock_restrict_self, ruleset->fd, 0u) == 0;
    int saved_errno = ruleset->shortage ? ruleset->shortage : errno;
    (void)close(ruleset->fd);
    errno = saved_errno;
    return is_done;
}

static bool restrict_readers(const struct confine_places *places)
{
    struct ruleset ruleset;
    if (!begin(READ | CHANGE | MAKE_SPECIAL | RUN | FS_IOCTL_DEV, true, places->shortage, &ruleset))
        return false;
    allow(&ruleset, "/", LANDLOCK_ACCESS_FS_READ_DIR);
    for (size_t i = 0; i < ARRAY_COUNT(common); i++)
        allow(&ruleset, common[i], READ);
    for (size_t i = 0; i < ARRAY_COUNT(devices); i++)
        allow(&ruleset, devices[i], READ | LANDLOCK_ACCESS_FS_WRITE_FILE);
    allow_libraries(&ruleset);
    allow_all(&ruleset, &places->readable, READ);
    allow_all(&ruleset, &places->writable, READ | CHANGE);
    allow_all(&ruleset, &places->changeable, CHANGE);
    allow_all(&ruleset, &places->removable, LANDLOCK_ACCESS_FS_REMOVE_DIR);
    for (size_t i = 0; i < places->programs.count; i++)
        allow_program(&ruleset, places->programs.items[i]);
    return end(&ruleset);
}

const char *confine_readers(struct arena *arena, const struct confine_places *places)
{
    const char *lacking = NULL;
    if (!restrict_readers(places))
        lacking = arena_printf(arena, "Landlock (%s)", strerrordesc_np(errno));
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || !confine_filter(places->channel ? places->channel->fd : -1))
        lacking = arena_printf(arena, "%s%sseccomp (%s)", lacking ? lacking : "", lacking ? ", " : "",
                               strerrordesc_np(errno));
    return lacking;
}

void confine_network(const struct confine_places *places)
{
    struct ruleset ruleset;
    if (!begin(CHANGE | MAKE_SPECIAL | RUN, false, places->shortage, &ruleset))
        return;
    for (size_t i = 0; i < ARRAY_COUNT(devices); i++)
        allow(&ruleset, devices[i], LANDLOCK_ACCESS_FS_WRITE_FILE);
    allow_all(&ruleset, &places->writable, CHANGE);
    (void)end(&ruleset);
}
