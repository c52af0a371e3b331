#include "service/capabilities.h"

#include "base/list.h"

/* By number: linux/capability.h. */
static const char *const names[] = {"chown",
                                    "dac_override",
                                    "dac_read_search",
                                    "fowner",
                                    "fsetid",
                                    "kill",
                                    "setgid",
                                    "setuid",
                                    "setpcap",
                                    "linux_immutable",
                                    "net_bind_service",
                                    "net_broadcast",
                                    "net_admin",
                                    "net_raw",
                                    "ipc_lock",
                                    "ipc_owner",
                                    "sys_module",
                                    "sys_rawio",
                                    "sys_chroot",
                                    "sys_ptrace",
                                    "sys_pacct",
                                    "sys_admin",
                                    "sys_boot",
                                    "sys_nice",
                                    "sys_resource",
                                    "sys_time",
                                    "sys_tty_config",
                                    "mknod",
                                    "lease",
                                    "audit_write",
                                    "audit_control",
                                    "setfcap",
                                    "mac_override",
                                    "mac_admin",
                                    "syslog",
                                    "wake_alarm",
                                    "block_suspend",
                                    "audit_read",
                                    "perfmon",
                                    "bpf",
                                    "checkpoint_restore"};

static bool is_named(struct text word, const char *name)
{
    static const char prefix[] = "cap_";
    size_t len = sizeof prefix - 1;
    if (word.len != len + strlen(name))
        return false;
    for (size_t i = 0; i < word.len; i++) {
        char c = word.ptr[i] >= 'A' && word.ptr[i] <= 'Z' ? (char)(word.ptr[i] - 'A' + 'a') : word.ptr[i];
        if (c != (i < len ? prefix[i] : name[i - len]))
            return false;
    }
    return true;
}

uint64_t capabilities_parse(const char *list)
{
    uint64_t set = 0;
    struct text rest = text_of(list), word;
    if (*list == '~')
        return 0;
    while (text_next_word(&rest, &word)) {
        for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
            if (is_named(word, names[i]))
                set |= (uint64_t)1 << i;
        }
    }
    return set;
}

uint64_t capabilities_usual(uint64_t set)
{
    return set & capabilities_parse("cap_chown cap_dac_override cap_fowner cap_fsetid cap_kill cap_net_bind_service "
                                    "cap_setfcap cap_setgid cap_setpcap cap_setuid cap_sys_chroot");
}
