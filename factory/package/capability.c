/* SPDX-License-Identifier: Apache-2.0 */
#include "package/capability.h"

#include <endian.h>

#define REVISION_2 0x02000000u
#define FLAG_EFFECTIVE 1u

/* By number, without "cap_" (linux/capability.h). */
static const char *const names[] = {
    "chown",
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
    "checkpoint_restore",
};
#define ALL_CAPABILITIES (((uint64_t)1 << ARRAY_COUNT(names)) - 1)

struct sets {
    uint64_t effective, permitted, inheritable;
};

uint64_t capability_find(struct text name)
{
    uint64_t number;
    if (text_is_nocase(name, "all"))
        return ALL_CAPABILITIES;
    if (text_parse_u64(name, &number))
        return number < 64 ? (uint64_t)1 << number : 0;
    if (name.len < 5 || !text_is_nocase((struct text){name.ptr, 4}, "cap_"))
        return 0;
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        if (text_is_nocase((struct text){name.ptr + 4, name.len - 4}, names[i]))
            return (uint64_t)1 << i;
    }
    return 0;
}

/* Applies one operator to the sets that its letters name; "=" first takes the capabilities out of all three. */
static bool apply(struct sets *sets, uint64_t bits, char op, struct text letters)
{
    uint64_t *all[] = {&sets->effective, &sets->permitted, &sets->inheritable};
    for (size_t i = 0; op == '=' && i < ARRAY_COUNT(all); i++)
        *all[i] &= ~bits;
    for (size_t i = 0; i < letters.len; i++) {
        uint64_t *set = letters.ptr[i] == 'e'   ? &sets->effective
                        : letters.ptr[i] == 'p' ? &sets->permitted
                        : letters.ptr[i] == 'i' ? &sets->inheritable
                                                : NULL;
        if (!set)
            return false;
        *set = op == '-' ? *set & ~bits : *set | bits;
    }
    return true;
}

static bool is_operator(char byte)
{
    return byte == '=' || byte == '+' || byte == '-';
}

/* A clause: names with commas between them (none: all, before '=' only), then operators with their letters. */
static bool parse_clause(struct text clause, struct sets *sets)
{
    size_t at = 0;
    uint64_t bits = 0;
    while (at < clause.len && !is_operator(clause.ptr[at]))
        at++;
    struct text list = {clause.ptr, at}, name;
    if (at == clause.len || (at == 0 && clause.ptr[0] != '=') || text_has_suffix(list, ","))
        return false;
    while (text_next(&list, ',', &name)) {
        uint64_t one = capability_find(name);
        if (!one)
            return false;
        bits |= one;
    }
    if (at == 0)
        bits = ALL_CAPABILITIES;
    while (at < clause.len) {
        char op = clause.ptr[at++];
        size_t start = at;
        while (at < clause.len && !is_operator(clause.ptr[at]))
            at++;
        if (!apply(sets, bits, op, (struct text){clause.ptr + start, at - start}))
            return false;
    }
    return true;
}

static void print(const struct sets *sets, char ret_bytes[CAPABILITY_BYTES])
{
    const uint32_t words[] = {
        htole32(REVISION_2 | (sets->effective ? FLAG_EFFECTIVE : 0)),
        htole32((uint32_t)sets->permitted),
        htole32((uint32_t)sets->inheritable),
        htole32((uint32_t)(sets->permitted >> 32)),
        htole32((uint32_t)(sets->inheritable >> 32)),
    };
    memcpy(ret_bytes, words, sizeof words);
}

void capability_print(uint64_t set, char ret_bytes[CAPABILITY_BYTES])
{
    print(&(struct sets){.effective = set, .permitted = set}, ret_bytes);
}

bool capability_parse(struct text text, char ret_bytes[CAPABILITY_BYTES])
{
    struct sets sets = {0};
    struct text clause;
    bool is_any = false;
    while (text_next_word(&text, &clause)) {
        if (!parse_clause(clause, &sets))
            return false;
        is_any = true;
    }
    if (!is_any || (sets.effective && (~sets.effective & (sets.permitted | sets.inheritable))))
        return false;
    print(&sets, ret_bytes);
    return true;
}
