/* SPDX-License-Identifier: Apache-2.0 */
#include "rpmmd/rpm_arch.h"

const struct arch_key rpm_arch_keys[] = {
    {.key = "rpm", .is_alias = true}, {.key = "rpm-base", .otherwise = "rpm"}, {0}};

const char *rpm_arch(const struct arch *arch)
{
    return arch_name(arch, rpm_arch_keys[0].key);
}

const char *rpm_arch_base(const struct arch *arch)
{
    return arch_name(arch, rpm_arch_keys[1].key);
}
