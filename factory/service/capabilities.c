#include "service/capabilities.h"

#include "package/capability.h"

uint64_t capabilities_parse(const char *list)
{
    uint64_t set = 0;
    struct text rest = text_of(list), word;
    if (*list == '~')
        return 0;
    while (text_next_word(&rest, &word))
        set |= capability_find(word);
    return set;
}

uint64_t capabilities_usual(uint64_t set)
{
    return set & capabilities_parse("cap_chown cap_dac_override cap_fowner cap_fsetid cap_kill cap_net_bind_service "
                                    "cap_setfcap cap_setgid cap_setpcap cap_setuid cap_sys_chroot");
}
