/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/contract.h"

#include "base/auto.h"
#include "base/map.h"
#include "plan/rules.h"

#include <arpa/inet.h>

/* The tables below are the definition of the format; manifests/README.md explains them. */
#define FIELD(type, struct_name, key, member, is_required)                                                             \
    YAML_FIELD(type, struct_name, key, member, is_required, ALTERS_ORDER)

/* A contract as it is read, with what is no value of it as it stands. */
struct contract_form {
    struct contract contract;
    const char *network;
    const struct yaml_node *host, *health;
};

/* One item of `host`. */
struct mount_form {
    struct contract_mount mount;
    const char *kind, *owner, *group;
};

static const struct yaml_field run_fields[] = {
    FIELD(YAML_STRING, contract_form, "network", network, false),
    FIELD(YAML_STRINGS, contract_form, "capabilities", contract.capabilities, false),
    FIELD(YAML_BOOL, contract_form, "gains", contract.may_gain, false),
    FIELD(YAML_STRINGS, contract_form, "devices", contract.devices, false),
    FIELD(YAML_BOOL, contract_form, "read-only", contract.is_read_only, false),
    FIELD(YAML_BOOL, contract_form, "interactive", contract.is_interactive, false),
    FIELD(YAML_STRINGS, contract_form, "tmpfs", contract.tmpfs, false),
    FIELD(YAML_STRINGS, contract_form, "writes", contract.writes, false),
    FIELD(YAML_STRINGS, contract_form, "publish", contract.publish, false),
    FIELD(YAML_PAIRS, contract_form, "sysctls", contract.sysctls, false),
    FIELD(YAML_PAIRS, contract_form, "limits", contract.limits, false),
    FIELD(YAML_STRINGS, contract_form, "dns", contract.dns, false),
    FIELD(YAML_NODE, contract_form, "health", health, false),
    FIELD(YAML_NODE, contract_form, "host", host, false),
    FIELD(YAML_STRINGS, contract_form, "secrets", contract.secrets, false),
    FIELD(YAML_STRINGS, contract_form, "needs", contract.needs, false),
};

static const struct yaml_field mount_fields[] = {
    FIELD(YAML_STRING, mount_form, "path", mount.host, true),
    FIELD(YAML_STRING, mount_form, "mount", mount.path, false),
    FIELD(YAML_STRING, mount_form, "kind", kind, false),
    FIELD(YAML_MODE, mount_form, "mode", mount.mode, false),
    FIELD(YAML_STRING, mount_form, "owner", owner, false),
    FIELD(YAML_STRING, mount_form, "group", group, false),
    FIELD(YAML_BOOL, mount_form, "read-only", mount.is_read_only, false),
    FIELD(YAML_BOOL, mount_form, "optional", mount.is_optional, false),
    FIELD(YAML_BOOL, mount_form, "shared", mount.is_shared, false),
    FIELD(YAML_STRING, mount_form, "purpose", mount.purpose, false),
};

static const struct yaml_field health_fields[] = {
    FIELD(YAML_STRINGS, contract_health, "command", command, true),
    FIELD(YAML_STRING, contract_health, "interval", interval, false),
    FIELD(YAML_STRING, contract_health, "timeout", timeout, false),
    FIELD(YAML_STRING, contract_health, "start", start_for, false),
    FIELD(YAML_NUMBER, contract_health, "retries", retries, false),
};

static const struct yaml_table tables[] = {
    {"run", run_fields, ARRAY_COUNT(run_fields)},
    {"run: host[]", mount_fields, ARRAY_COUNT(mount_fields)},
    {"run: health", health_fields, ARRAY_COUNT(health_fields)},
};

struct yaml_tables contract_tables(void)
{
    return (struct yaml_tables){tables, ARRAY_COUNT(tables)};
}

/* capabilities(7) of Linux 6.1. */
static const char *const capability_names[] = {"AUDIT_CONTROL",   "AUDIT_READ",   "AUDIT_WRITE",
                                               "BLOCK_SUSPEND",   "BPF",          "CHECKPOINT_RESTORE",
                                               "CHOWN",           "DAC_OVERRIDE", "DAC_READ_SEARCH",
                                               "FOWNER",          "FSETID",       "IPC_LOCK",
                                               "IPC_OWNER",       "KILL",         "LEASE",
                                               "LINUX_IMMUTABLE", "MAC_ADMIN",    "MAC_OVERRIDE",
                                               "MKNOD",           "NET_ADMIN",    "NET_BIND_SERVICE",
                                               "NET_BROADCAST",   "NET_RAW",      "PERFMON",
                                               "SETFCAP",         "SETGID",       "SETPCAP",
                                               "SETUID",          "SYSLOG",       "SYS_ADMIN",
                                               "SYS_BOOT",        "SYS_CHROOT",   "SYS_MODULE",
                                               "SYS_NICE",        "SYS_PACCT",    "SYS_PTRACE",
                                               "SYS_RAWIO",       "SYS_RESOURCE", "SYS_TIME",
                                               "SYS_TTY_CONFIG",  "WAKE_ALARM"};

/* Limits of a process (getrlimit(2), as engines call them), then those of the container. */
static const char *const limit_names[] = {"core",     "cpu",        "data",   "fsize",  "locks", "memlock",
                                          "msgqueue", "nice",       "nofile", "nproc",  "rss",   "rtprio",
                                          "rttime",   "sigpending", "stack",  "memory", "pids",  "shm"};
#define ULIMIT_COUNT 15

/* Those that are a container's own and not the machine's (namespaces(7)), as engines take them; besides `net.…` and
 * `fs.mqueue.…`. */
static const char *const ipc_sysctls[] = {"kernel.msgmax", "kernel.msgmnb", "kernel.msgmni", "kernel.sem",
                                          "kernel.shmall", "kernel.shmmax", "kernel.shmmni", "kernel.shm_rmid_forced"};

static const char *const network_names[] = {
    [CONTRACT_PRIVATE] = "private", [CONTRACT_HOST] = "host", [CONTRACT_NO_NETWORK] = "none"};
static const char *const kind_names[] = {[CONTRACT_DIRECTORY] = "directory", [CONTRACT_FILE] = "file"};

static bool has_name(const char *const *names, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(names[i], name) == 0)
            return true;
    }
    return false;
}

struct strings contract_capabilities(struct arena *arena)
{
    struct strings names = {0};
    for (size_t i = 0; i < ARRAY_COUNT(capability_names); i++)
        list_add(arena, &names, capability_names[i]);
    return names;
}

bool contract_is_capability(const char *name)
{
    return has_name(capability_names, ARRAY_COUNT(capability_names), name);
}

bool contract_is_ulimit(const char *name)
{
    return has_name(limit_names, ULIMIT_COUNT, name);
}

const char *contract_why_not_mount(const char *path)
{
    const char *why = rule_path(path);
    if (why)
        return why;
    return strpbrk(path, ":,\\\"'%$ ") ? "has a character that command lines and units split paths at" : NULL;
}

static bool fail_value(struct arena *arena, const struct yaml_node *node, const char *value, const char *why,
                       struct err *err)
{
    return yaml_fail(node, err, "'%s' %s", text_printable(arena, text_of(value)), why);
}

/* Fails unless a value is one of some words, naming the nearest. */
static bool want_word(struct arena *arena, const struct yaml_node *node, const char *value, const char *const *words,
                      size_t count, struct err *err)
{
    if (has_name(words, count, value))
        return true;
    const char *nearest = text_nearest(value, words, count);
    if (nearest)
        return fail_value(arena, node, value, arena_printf(arena, "is not known; did you mean %s?", nearest), err);
    struct strings known = {0};
    for (size_t i = 0; i < count; i++)
        list_add(arena, &known, words[i]);
    return fail_value(arena, node, value, arena_printf(arena, "is none of %s", strings_join(arena, &known, ", ")), err);
}

/* The word is one of them. */
static size_t index_of(const char *const *words, size_t count, const char *word)
{
    size_t i = 0;
    while (i + 1 < count && strcmp(words[i], word) != 0)
        i++;
    return i;
}

/* Checks each value of a list, and that none comes twice. */
static bool check_each(struct arena *arena, const struct yaml_node *run, const char *key, const struct strings *values,
                       const char *(*why_not)(const char *value), struct err *err)
{
    const struct yaml_node *list = yaml_get(run, key);
    struct map seen = {.arena = arena};
    for (size_t i = 0; i < values->count; i++) {
        const char *why = why_not(values->items[i]);
        if (!why && !map_add(&seen, text_of(values->items[i]), (void *)list))
            why = "comes twice";
        if (why)
            return fail_value(arena, yaml_item(list, i), values->items[i], why, err);
    }
    return true;
}

/* What may be done with a device: "rwm", each letter once. */
static bool is_access(struct text word)
{
    bool is_good = word.len > 0;
    for (size_t i = 0; i < word.len; i++)
        is_good = is_good && strchr("rwm", word.ptr[i]) && !memchr(word.ptr, word.ptr[i], i);
    return is_good;
}

/* "HOST", "HOST:CONTAINER", "HOST:rwm", "HOST:CONTAINER:rwm" */
static const char *why_not_device(const char *device)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct text rest = text_of(device), part;
    bool is_good = strncmp(device, "/dev/", strlen("/dev/")) == 0 && device[strlen(device) - 1] != ':';
    for (size_t i = 0; is_good && text_next(&rest, ':', &part); i++) {
        bool is_path = i < 2 && !contract_why_not_mount(text_dup(&scratch, part));
        is_good = i < 3 && (is_path || (i > 0 && !rest.len && is_access(part)));
    }
    return is_good ? NULL : "is no device, such as /dev/net/tun or /dev/HOST:/dev/CONTAINER:rwm";
}

static const char *why_not_address(const char *address)
{
    unsigned char bytes[sizeof(struct in6_addr)];
    return inet_pton(AF_INET, address, bytes) == 1 || inet_pton(AF_INET6, address, bytes) == 1
               ? NULL
               : "is no address of a name server";
}

static const char *why_not_variable(const char *name)
{
    static const char *const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789";
    bool is_good = name[0] && !strchr("0123456789", name[0]) && strspn(name, letters) == strlen(name);
    return is_good ? NULL : "cannot be a variable's name";
}

static const char *why_not_need(const char *need)
{
    return rule_is_one_line(need, false) ? NULL : "must be one line of text";
}

/* "80:8080", "80:8080/udp", "80/udp": on the host, in the container. Writes both numbers and the protocol. */
static bool read_publish(struct arena *arena, const struct yaml_node *run, struct contract *contract, struct err *err)
{
    const struct yaml_node *list = yaml_get(run, "publish");
    struct map seen = {.arena = arena};
    if (list && contract->network != CONTRACT_PRIVATE)
        return yaml_fail(list, err, "ports of a container without a network of its own cannot be published");
    for (size_t i = 0; i < contract->publish.count; i++) {
        const char *value = contract->publish.items[i], *colon = strchr(value, ':'), *inner, *outer;
        const char *why = rule_port(arena, colon ? colon + 1 : value, &inner);
        const char *protocol = why ? NULL : strchr(inner, '/');
        if (!why && colon)
            why = rule_port(arena, arena_printf(arena, "%.*s%s", (int)(colon - value), value, protocol), &outer);
        if (why)
            return fail_value(arena, yaml_item(list, i), value, why, err);
        if (!colon)
            outer = inner;
        if (!map_add(&seen, text_of(outer), (void *)list))
            return fail_value(arena, yaml_item(list, i), value, "takes a port of the host that is taken already", err);
        contract->publish.items[i] = arena_printf(arena, "%.*s:%s", (int)strcspn(outer, "/"), outer, inner);
    }
    return true;
}

/* Reads "N", or "-1" and "infinity", which are INT64_MAX. */
static bool read_limit(struct text word, int64_t *ret_limit)
{
    uint64_t number;
    *ret_limit = INT64_MAX;
    if (text_is(word, "-1") || text_is(word, "infinity"))
        return true;
    if (!text_parse_u64(word, &number) || number >= INT64_MAX)
        return false;
    *ret_limit = (int64_t)number;
    return true;
}

const char *contract_why_not_ulimit(const char *value)
{
    const char *colon = strchr(value, ':');
    struct text whole = text_of(value), soft_word = {value, colon ? (size_t)(colon - value) : whole.len};
    int64_t soft, hard;
    if (!read_limit(soft_word, &soft) || !read_limit(colon ? text_of(colon + 1) : soft_word, &hard))
        return "is no limit: N, SOFT:HARD, or -1 for none";
    return soft > hard ? "has a soft limit above the hard one: SOFT:HARD is meant" : NULL;
}

/* memory and shm are sizes, pids a number. */
static const char *why_not_limit(const char *name, const char *value)
{
    if (contract_is_ulimit(name))
        return contract_why_not_ulimit(value);
    size_t digits = strspn(value, "0123456789");
    bool is_number = digits && digits < 19 && strspn(value, "0") < digits;
    if (strcmp(name, "pids") == 0)
        return (is_number && !value[digits]) || strcmp(value, "-1") == 0 ? NULL : "is no number, or -1 for any";
    return is_number && (!value[digits] || (strchr("kmgKMG", value[digits]) && !value[digits + 1]))
               ? NULL
               : "is no size, such as 256m";
}

static const char *why_not_sysctl(const struct contract *contract, const char *name)
{
    static const char *const signs = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/";
    bool is_of_network = strncmp(name, "net.", strlen("net.")) == 0;
    if (!strchr(name, '.') || strspn(name, signs) != strlen(name))
        return "is no name of a sysctl";
    if (is_of_network && contract->network == CONTRACT_HOST)
        return "belongs to the host, whose network it is";
    if (is_of_network || strncmp(name, "fs.mqueue.", strlen("fs.mqueue.")) == 0 ||
        has_name(ipc_sysctls, ARRAY_COUNT(ipc_sysctls), name))
        return NULL;
    return "is the whole machine's: a container has its own of net.…, fs.mqueue.… and kernel.msg…, sem and shm… alone; "
           "'needs' can say that the host must have it";
}

static bool check_pairs(struct arena *arena, const struct contract *contract, struct err *err)
{
    for (size_t i = 0; i < contract->limits.count; i++) {
        const struct yaml_pair *pair = &contract->limits.items[i];
        if (!want_word(arena, pair->node, pair->key, limit_names, ARRAY_COUNT(limit_names), err))
            return false;
        const char *why = why_not_limit(pair->key, pair->value);
        if (why)
            return fail_value(arena, pair->node, pair->value, why, err);
    }
    for (size_t i = 0; i < contract->sysctls.count; i++) {
        const struct yaml_pair *pair = &contract->sysctls.items[i];
        const char *why = why_not_sysctl(contract, pair->key);
        if (why)
            return fail_value(arena, pair->node, pair->key, why, err);
        if (!pair->value[0] || !rule_is_one_line(pair->value, false) || strpbrk(pair->value, "\"'\\$%"))
            return fail_value(arena, pair->node, pair->value, "is no value of a sysctl", err);
    }
    return true;
}

static const char *why_not_duration(const char *duration)
{
    size_t digits = strspn(duration, "0123456789");
    bool is_good = digits && digits < 6 && strchr("smh", duration[digits]) && duration[digits] && !duration[digits + 1];
    return is_good ? NULL : "is no duration, such as 30s";
}

static bool read_health(struct arena *arena, const struct yaml_node *node, struct contract_health *health,
                        struct err *err)
{
    *health = (struct contract_health){.interval = "30s", .timeout = "5s", .start_for = "10s", .retries = 3};
    if (!yaml_read(arena, node, health_fields, ARRAY_COUNT(health_fields), health, err))
        return false;
    const struct strings *command = &health->command;
    const struct yaml_node *list = yaml_get(node, "command");
    if (!command->count || rule_path(command->items[0]))
        return yaml_fail(list, err, "'command' must begin with the path of a program");
    if (strpbrk(command->items[0], " \t"))
        return fail_value(arena, list, command->items[0],
                          "is one word, and no shell splits it: write [PROGRAM, ARGUMENT, …]", err);
    for (size_t i = 0; i < command->count; i++) {
        if (!rule_is_one_line(command->items[i], false))
            return fail_value(arena, yaml_item(list, i), command->items[i], "must be one line of text", err);
    }
    const struct yaml_pair durations[] = {
        {"interval", health->interval, NULL}, {"timeout", health->timeout, NULL}, {"start", health->start_for, NULL}};
    for (size_t i = 0; i < ARRAY_COUNT(durations); i++) {
        const char *why = why_not_duration(durations[i].value);
        bool is_none = strspn(durations[i].value, "0") == strspn(durations[i].value, "0123456789");
        if (!why && is_none && durations[i].value != health->start_for)
            why = "is no time at all";
        if (why)
            return fail_value(arena, yaml_get(node, durations[i].key), durations[i].value, why, err);
    }
    return (health->retries > 0 && health->retries <= 100) ||
           yaml_fail(yaml_get(node, "retries"), err, "'retries' must be 1 to 100");
}

/* Finds the number of an owner; false when the image has none of that name. */
static bool find_user(const struct wishes *wishes, const char *name, uint32_t *ret_uid)
{
    for (size_t i = 0; i < wishes->users.count; i++) {
        if (strcmp(wishes->users.items[i].name, name) == 0) {
            *ret_uid = (uint32_t)wishes->users.items[i].uid;
            return true;
        }
    }
    return rule_parse_id(name, ret_uid);
}

static bool find_group(const struct wishes *wishes, const char *name, uint32_t *ret_gid)
{
    for (size_t i = 0; i < wishes->groups.count; i++) {
        if (strcmp(wishes->groups.items[i].name, name) == 0) {
            *ret_gid = (uint32_t)wishes->groups.items[i].gid;
            return true;
        }
    }
    return rule_parse_id(name, ret_gid);
}

static bool read_owners(struct arena *arena, const struct yaml_node *node, const struct wishes *wishes,
                        struct mount_form *form, struct err *err)
{
    struct contract_mount *mount = &form->mount;
    if (form->owner && strcmp(form->owner, "root") != 0 && !find_user(wishes, form->owner, &mount->uid))
        return fail_value(arena, yaml_get(node, "owner"), form->owner, "is not root, one of 'users', or a number", err);
    if (form->group && strcmp(form->group, "root") != 0 && !find_group(wishes, form->group, &mount->gid))
        return fail_value(arena, yaml_get(node, "group"), form->group, "is not root, one of 'groups', or a number",
                          err);
    return true;
}

/* What whole systems share is not relabelled for one container: it would lock out all others. */
static bool is_of_the_system(const char *path)
{
    static const char *const trees[] = {"/dev/", "/proc/", "/sys/", "/usr/"};
    for (size_t i = 0; i < ARRAY_COUNT(trees); i++) {
        if (strncmp(path, trees[i], strlen(trees[i])) == 0)
            return true;
    }
    return !strchr(path + 1, '/');
}

static bool read_mount(struct arena *arena, const struct yaml_node *node, const struct wishes *wishes,
                       struct contract *contract, struct err *err)
{
    struct mount_form form = {.kind = kind_names[CONTRACT_DIRECTORY]};
    struct contract_mount *mount = &form.mount;
    if (!yaml_read(arena, node, mount_fields, ARRAY_COUNT(mount_fields), &form, err) ||
        !want_word(arena, yaml_get(node, "kind"), form.kind, kind_names, ARRAY_COUNT(kind_names), err) ||
        !read_owners(arena, node, wishes, &form, err))
        return false;
    mount->kind = (enum contract_kind)index_of(kind_names, ARRAY_COUNT(kind_names), form.kind);
    mount->path = mount->path ? mount->path : mount->host;
    mount->mode = mount->mode ? mount->mode : mount->kind == CONTRACT_FILE ? 0644 : 0755;
    const char *const paths[] = {mount->host, mount->path};
    for (size_t i = 0; i < ARRAY_COUNT(paths); i++) {
        const char *why = contract_why_not_mount(paths[i]);
        if (why)
            return fail_value(arena, node, paths[i], why, err);
    }
    if (!mount->is_shared && is_of_the_system(mount->host))
        return fail_value(arena, yaml_get(node, "path"), mount->host, "is the whole system's: say 'shared: true'", err);
    if (mount->purpose && !rule_is_one_line(mount->purpose, false))
        return yaml_fail(yaml_get(node, "purpose"), err, "'purpose' must be one line of text");
    list_add(arena, &contract->host, *mount);
    return true;
}

static bool read_host(struct arena *arena, const struct yaml_node *node, const struct wishes *wishes,
                      struct contract *contract, struct err *err)
{
    struct map seen = {.arena = arena};
    if (node && node->kind != YAML_SEQUENCE)
        return yaml_fail(node, err, "'host' wants a list (lines that begin with '- '), not %s",
                         yaml_kind_name(node->kind));
    for (size_t i = 0; node && i < node->count; i++) {
        if (!read_mount(arena, node->items[i], wishes, contract, err))
            return false;
        const char *path = contract->host.items[i].path;
        if (!map_add(&seen, text_of(path), (void *)node))
            return fail_value(arena, node->items[i], path, "is mounted twice", err);
    }
    return true;
}

/* What is written to is known or not: read-only goes with a list of nothing. */
static bool check_writes(const struct yaml_node *run, struct contract *contract, struct err *err)
{
    bool has_said = yaml_get(run, "read-only") != NULL;
    if (contract->is_read_only && contract->writes.count)
        return yaml_fail(yaml_get(run, "writes"), err,
                         "a read-only image has nothing that is written to; 'tmpfs' or a volume may be meant");
    if (!has_said)
        contract->is_read_only = !contract->writes.count;
    return true;
}

/* Engines take CAP_NET_RAW and net_raw, too: here each is written NET_RAW. */
static bool read_capabilities(struct arena *arena, const struct yaml_node *run, struct contract *contract,
                              struct err *err)
{
    const struct yaml_node *list = yaml_get(run, "capabilities");
    struct map seen = {.arena = arena};
    for (size_t i = 0; i < contract->capabilities.count; i++) {
        const char *written = contract->capabilities.items[i];
        char *name = arena_strdup(arena, written);
        for (char *at = name; *at; at++)
            *at = *at >= 'a' && *at <= 'z' ? (char)(*at - 'a' + 'A') : *at;
        name += strncmp(name, "CAP_", 4) == 0 ? 4 : 0;
        if (!want_word(arena, yaml_item(list, i), name, capability_names, ARRAY_COUNT(capability_names), err))
            return false;
        if (!map_add(&seen, text_of(name), (void *)list))
            return fail_value(arena, yaml_item(list, i), written, "comes twice", err);
        contract->capabilities.items[i] = name;
    }
    return true;
}

static bool check_lists(struct arena *arena, const struct yaml_node *run, const struct contract *contract,
                        struct err *err)
{
    if (contract->dns.count && contract->network == CONTRACT_NO_NETWORK)
        return yaml_fail(yaml_get(run, "dns"), err, "without a network no name server can be asked");
    return check_each(arena, run, "tmpfs", &contract->tmpfs, contract_why_not_mount, err) &&
           check_each(arena, run, "writes", &contract->writes, contract_why_not_mount, err) &&
           check_each(arena, run, "devices", &contract->devices, why_not_device, err) &&
           check_each(arena, run, "dns", &contract->dns, why_not_address, err) &&
           check_each(arena, run, "secrets", &contract->secrets, why_not_variable, err) &&
           check_each(arena, run, "needs", &contract->needs, why_not_need, err);
}

bool contract_read(struct arena *arena, const struct yaml_node *node, const struct wishes *wishes,
                   struct contract *ret_contract, struct err *err)
{
    struct contract_form form = {.network = network_names[CONTRACT_PRIVATE]};
    struct contract *contract = &form.contract;
    if (!yaml_read(arena, node, run_fields, ARRAY_COUNT(run_fields), &form, err) ||
        !want_word(arena, yaml_get(node, "network"), form.network, network_names, ARRAY_COUNT(network_names), err))
        return false;
    contract->network = (enum contract_network)index_of(network_names, ARRAY_COUNT(network_names), form.network);
    contract->has_capabilities = true;
    if (!read_capabilities(arena, node, contract, err) || !check_lists(arena, node, contract, err) ||
        !read_publish(arena, node, contract, err) || !check_pairs(arena, contract, err) ||
        (form.health && !read_health(arena, form.health, &contract->health, err)) ||
        !read_host(arena, form.host, wishes, contract, err) || !check_writes(node, contract, err))
        return false;
    *ret_contract = *contract;
    return true;
}

static struct strings copy_strings(struct arena *arena, const struct strings *strings)
{
    struct strings copy = {0};
    for (size_t i = 0; i < strings->count; i++)
        list_add(arena, &copy, arena_strdup(arena, strings->items[i]));
    return copy;
}

static struct yaml_pairs copy_pairs(struct arena *arena, const struct yaml_pairs *pairs)
{
    struct yaml_pairs copy = {0};
    for (size_t i = 0; i < pairs->count; i++) {
        struct yaml_pair pair = {arena_strdup(arena, pairs->items[i].key), arena_strdup(arena, pairs->items[i].value),
                                 NULL};
        list_add(arena, &copy, pair);
    }
    return copy;
}

const struct contract *contract_copy(struct arena *arena, const struct contract *contract)
{
    struct contract *copy = arena_new(arena, struct contract);
    *copy = *contract;
    struct strings *lists[] = {&copy->capabilities, &copy->tmpfs,   &copy->writes, &copy->publish,       &copy->devices,
                               &copy->dns,          &copy->secrets, &copy->needs,  &copy->health.command};
    for (size_t i = 0; i < ARRAY_COUNT(lists); i++)
        *lists[i] = copy_strings(arena, lists[i]);
    copy->sysctls = copy_pairs(arena, &contract->sysctls);
    copy->limits = copy_pairs(arena, &contract->limits);
    copy->health.interval = arena_strdup(arena, contract->health.interval);
    copy->health.timeout = arena_strdup(arena, contract->health.timeout);
    copy->health.start_for = arena_strdup(arena, contract->health.start_for);
    memset(&copy->host, 0, sizeof copy->host);
    for (size_t i = 0; i < contract->host.count; i++) {
        struct contract_mount mount = contract->host.items[i];
        mount.host = arena_strdup(arena, mount.host);
        mount.path = arena_strdup(arena, mount.path);
        mount.purpose = arena_strdup(arena, mount.purpose);
        list_add(arena, &copy->host, mount);
    }
    return copy;
}
