/* SPDX-License-Identifier: Apache-2.0 */
#include "deb/deb_arch.h"

const struct arch_key deb_arch_keys[] = {{.key = "deb", .is_alias = true}, {0}};

const char *deb_arch(const struct arch *arch)
{
    return arch_name(arch, deb_arch_keys[0].key);
}

const char *deb_native_arch(void)
{
#if defined(__x86_64__) && defined(__ILP32__)
    return "x32";
#elif defined(__x86_64__)
    return "amd64";
#elif defined(__aarch64__)
    return "arm64";
#elif defined(__arm__) && defined(__ARM_PCS_VFP)
    return "armhf";
#elif defined(__arm__)
    return "armel";
#elif defined(__i386__)
    return "i386";
#elif defined(__powerpc64__) && defined(__LITTLE_ENDIAN__)
    return "ppc64el";
#elif defined(__powerpc64__)
    return "ppc64";
#elif defined(__s390x__)
    return "s390x";
#elif defined(__riscv) && __riscv_xlen == 64
    return "riscv64";
#elif defined(__loongarch64)
    return "loong64";
#elif defined(__mips__) && defined(__mips64)
    return "mips64el";
#else
    return "unknown";
#endif
}
