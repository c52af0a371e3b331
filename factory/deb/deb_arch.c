#include "deb/deb_arch.h"

const struct arch_key deb_arch_keys[] = {{.key = "deb", .is_alias = true}, {0}};

const char *deb_arch(const struct arch *arch)
{
    return arch_name(arch, deb_arch_keys[0].key);
}
