/* SPDX-License-Identifier: Apache-2.0 */
/* The filter is written by hand: a list of numbers needs no library. A kernel that has no such call answers ENOSYS, which
 * the filter does not change for the better or worse. */
#include "io/confine_filter.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined __x86_64__ && !defined __ILP32__
#define MACHINE AUDIT_ARCH_X86_64
#elif defined __aarch64__ && defined __AARCH64EL__
#define MACHINE AUDIT_ARCH_AARCH64
#elif defined __i386__
#define MACHINE AUDIT_ARCH_I386
#elif defined __arm__ && defined __ARMEL__
#define MACHINE AUDIT_ARCH_ARM
#elif defined __powerpc64__ && defined __LITTLE_ENDIAN__
#define MACHINE AUDIT_ARCH_PPC64LE
#elif defined __s390x__
#define MACHINE AUDIT_ARCH_S390X
#elif defined __riscv && __riscv_xlen == 64
#define MACHINE AUDIT_ARCH_RISCV64
#endif

#if defined __SANITIZE_ADDRESS__
#define HAS_LEAK_SANITIZER 1
#elif defined __has_feature
#if __has_feature(address_sanitizer)
#define HAS_LEAK_SANITIZER 1
#endif
#endif

/* x32's calls have the machine of x86_64 and numbers of their own. */
#define X32_BIT 0x40000000u

static const unsigned refused[] = {
    SYS_socket,
    SYS_socketpair,
    SYS_connect,
    SYS_bind,
    SYS_listen,
    SYS_accept4,

    SYS_sendmsg,
    SYS_sendmmsg,
    SYS_recvfrom,
    SYS_recvmsg,
    SYS_recvmmsg,
    SYS_setsockopt,
    SYS_getpeername,
    SYS_process_vm_readv,
    SYS_process_vm_writev,
#ifdef SYS_accept
    SYS_accept,
#endif
#ifdef SYS_socketcall
    SYS_socketcall,
#endif
#ifndef HAS_LEAK_SANITIZER /* its process traces ours at the end */
    SYS_ptrace,
#endif
#ifdef SYS_pidfd_getfd
    SYS_pidfd_getfd,
#endif
#ifdef SYS_io_uring_setup
    SYS_io_uring_setup, /* its requests are no system calls */
#endif
    SYS_open_by_handle_at,
    SYS_mount,
    SYS_umount2,
    SYS_pivot_root,
    SYS_chroot,
    SYS_unshare,
    SYS_setns,
    SYS_perf_event_open,
    SYS_bpf,
    SYS_userfaultfd,
    SYS_keyctl,
    SYS_add_key,
    SYS_request_key,
};

#define CHANNEL_CODES 6u
#if defined __BYTE_ORDER__ && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define LOW_HALF sizeof(__u32)
#else
#define LOW_HALF 0
#endif
#define REFUSED_COUNT (sizeof refused / sizeof refused[0])

bool confine_filter_is_possible(void)
{
#ifdef MACHINE
    unsigned action = SECCOMP_RET_ERRNO;
    return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0u, &action) == 0;
#else
    return false;
#endif
}

#ifdef MACHINE
static struct sock_filter statement(unsigned code, unsigned value)
{
    return (struct sock_filter){.code = (unsigned short)code, .k = value};
}

static struct sock_filter jump(unsigned code, unsigned value, size_t if_true, size_t if_false)
{
    return (struct sock_filter){.code = (unsigned short)(BPF_JMP | code | BPF_K),
                                .jt = (unsigned char)if_true,
                                .jf = (unsigned char)if_false,
                                .k = value};
}

/* Lets messages pass over the one descriptor; a socket that another has been put in the place of, there is none. */
static size_t pass_channel(struct sock_filter *code, int fd)
{
    const unsigned descriptor = offsetof(struct seccomp_data, args) + LOW_HALF;
    size_t count = 0;
    if (fd < 0)
        return 0;
    code[count++] = jump(BPF_JEQ, SYS_sendmsg, 1, 0);
    code[count++] = jump(BPF_JEQ, SYS_recvmsg, 0, 4);
    code[count++] = statement(BPF_LD | BPF_W | BPF_ABS, descriptor);
    code[count++] = jump(BPF_JEQ, (unsigned)fd, 0, 1);
    code[count++] = statement(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    code[count++] = statement(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EACCES);
    return count;
}

/* Lets sendto(2) pass where it names no address: then it is write(2), by which libcurl wakes its thread. */
static size_t pass_unaddressed(struct sock_filter *code)
{
    const unsigned address = offsetof(struct seccomp_data, args) + 4 * sizeof(__u64);
    size_t count = 0, last = 6;
    code[count++] = jump(BPF_JEQ, SYS_sendto, 1, 0);
    code[count++] = statement(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    code[count++] = statement(BPF_LD | BPF_W | BPF_ABS, address);
    code[count] = jump(BPF_JEQ, 0, 0, last - count);
    count++;
    code[count++] = statement(BPF_LD | BPF_W | BPF_ABS, address + sizeof(__u32));
    code[count] = jump(BPF_JEQ, 0, 0, last - count);
    count++;
    code[count++] = statement(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    return count;
}
#endif

bool confine_filter(int channel_fd)
{
#ifdef MACHINE
    _Static_assert(REFUSED_COUNT < 200, "a jump reaches 255 instructions");
    struct sock_filter code[REFUSED_COUNT + 12 + CHANNEL_CODES];
    size_t count = 0, last = REFUSED_COUNT + 11 + (channel_fd < 0 ? 0 : CHANNEL_CODES);
    code[count++] = statement(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch));
    code[count] = jump(BPF_JEQ, MACHINE, 0, last - count - 1);
    count++;
    code[count++] = statement(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    count += pass_channel(code + count, channel_fd);
    for (size_t i = 0; i < REFUSED_COUNT; i++, count++)
        code[count] = jump(BPF_JEQ, refused[i], last - count - 1, 0);
    code[count] = jump(BPF_JGE, X32_BIT, last - count - 1, 0);
    count++;
    count += pass_unaddressed(code + count);
    code[count++] = statement(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EACCES);
    struct sock_fprog program = {.len = (unsigned short)count, .filter = code};
    unsigned flags = 0;
#ifdef SECCOMP_FILTER_FLAG_SPEC_ALLOW
    flags = SECCOMP_FILTER_FLAG_SPEC_ALLOW; /* without, older kernels slow the thread down */
#endif
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program) == 0;
#else
    (void)channel_fd;
    errno = ENOSYS;
    return false;
#endif
}
