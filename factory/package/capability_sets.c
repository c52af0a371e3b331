/* SPDX-License-Identifier: Apache-2.0 */
#include "package/capability_sets.h"

#include "package/capability.h"

uint64_t capability_sets_parse(const char *list)
{
    uint64_t set = 0;
    struct text rest = text_of(list), word;
    if (*list == '~')
        return 0;
    while (text_next_word(&rest, &word))
        set |= capability_find(word);
    return set;
}

uint64_t capability_sets_of_clause(const char *clause)
{
    size_t len = strcspn(clause, "+=");
    struct text rest = {clause, len}, name;
    uint64_t set = 0;
    const char *flags = clause[len] ? clause + len + 1 : "";
    if (strspn(flags, "eip") != strlen(flags) || !strchr(flags, 'e') || !strchr(flags, 'p'))
        return 0;
    while (text_next(&rest, ',', &name)) {
        uint64_t one = capability_find(text_trim(name));
        if (!one)
            return 0;
        set |= one;
    }
    return set;
}

uint64_t capability_sets_usual(uint64_t set)
{
    return set & capability_sets_parse("cap_chown cap_dac_override cap_fowner cap_fsetid cap_kill cap_net_bind_service "
                                       "cap_setfcap cap_setgid cap_setpcap cap_setuid cap_sys_chroot");
}
