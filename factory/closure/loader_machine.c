/* SPDX-License-Identifier: Apache-2.0 */
/* Which machine an ELF file is for. */
#include "closure/loader.h"

#include "package/path.h"

#include <elf.h>

/* arch->cache_flags of the soft float ABIs: sysdeps/generic/ldconfig.h */
#define CACHE_ARM_SOFT 0x0b03
#define CACHE_RISCV_SOFT 0x0f03

/* The machine-dependent part of open_verify(): elf_machine_matches_host() and VALID_FLOAT_ABI() of glibc's sysdeps. */
static bool abi_is_for(const struct elf_facts *elf, const struct arch *arch)
{
    switch (arch->elf_machine) {
    case EM_ARM: /* what is unmarked is for both */
        return (elf->flags & EF_ARM_EABIMASK) != EF_ARM_EABI_VER5 ||
               !(elf->flags & (arch->cache_flags == CACHE_ARM_SOFT ? EF_ARM_ABI_FLOAT_HARD : EF_ARM_ABI_FLOAT_SOFT));
    case EM_PPC64: /* ELFv2 or unmarked for little endian, ELFv1 for big endian */
        return (elf->flags & EF_PPC64_ABI) == 0 || (elf->flags & EF_PPC64_ABI) == (arch->is_big_endian ? 1 : 2);
    case EM_RISCV:
        return (elf->flags & EF_RISCV_FLOAT_ABI) ==
               (arch->cache_flags == CACHE_RISCV_SOFT ? EF_RISCV_FLOAT_ABI_SOFT : EF_RISCV_FLOAT_ABI_DOUBLE);
    default:
        return true;
    }
}

bool loader_is_for(const struct elf_facts *elf, const struct arch *arch)
{
    return elf->machine == arch->elf_machine && elf->elf_class == arch->elf_class &&
           elf->is_big_endian == arch->is_big_endian && abi_is_for(elf, arch);
}

const char *loader_describe(struct arena *arena, uint16_t machine, uint8_t elf_class, bool is_big_endian)
{
    static const struct {
        uint16_t machine;
        const char *name;
    } known[] = {
        {EM_386, "i386"},    {EM_X86_64, "x86-64"},       {EM_ARM, "ARM"},     {EM_AARCH64, "AArch64"},
        {EM_PPC, "PowerPC"}, {EM_PPC64, "PowerPC64"},     {EM_S390, "S/390"},  {EM_RISCV, "RISC-V"},
        {EM_MIPS, "MIPS"},   {EM_SPARCV9, "SPARC V9"},    {EM_IA_64, "IA-64"}, {EM_68K, "m68k"},
        {EM_BPF, "BPF"},     {EM_LOONGARCH, "LoongArch"},
    };
    const char *name = arena_printf(arena, "machine %u", (unsigned)machine);
    for (size_t i = 0; i < ARRAY_COUNT(known); i++) {
        if (known[i].machine == machine)
            name = known[i].name;
    }
    return arena_printf(arena, "%s (%u-bit, %s-endian)", name, (unsigned)elf_class, is_big_endian ? "big" : "little");
}

const char *loader_why_not(struct arena *arena, const struct elf_facts *elf, const struct arch *arch)
{
    if (elf->broken)
        return arena_printf(arena, "broken ELF: %s", elf->broken);
    if (loader_is_for(elf, arch))
        return NULL;
    const char *its = loader_describe(arena, elf->machine, elf->elf_class, elf->is_big_endian);
    const char *ours = loader_describe(arena, arch->elf_machine, arch->elf_class, arch->is_big_endian);
    if (strcmp(its, ours) == 0)
        return arena_printf(arena, "it is for %s with another ABI (e_flags 0x%x) than %s", its, (unsigned)elf->flags,
                            arch->name);
    return arena_printf(arena, "it is for %s, but %s is %s", its, arch->name, ours);
}

static const char *canonical_dir(const struct loader *loader, const char *dir)
{
    const char *why;
    return loader->set->is_exact ? path_exact(loader->arena, text_of(dir), &why)
                                 : path_canonical(loader->arena, text_of(dir), &why);
}

bool loader_is_builtin(const struct loader *loader, const char *dir)
{
    const char *canonical = canonical_dir(loader, dir);
    for (size_t i = 0; canonical && i < loader->dirs.count; i++) {
        const char *builtin = canonical_dir(loader, loader->dirs.items[i]);
        if (builtin && strcmp(builtin, canonical) == 0)
            return true;
    }
    return false;
}
