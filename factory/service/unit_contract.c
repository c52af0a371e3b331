/* SPDX-License-Identifier: Apache-2.0 */
#include "service/unit_contract.h"

#define SERVICE "Service"

/* Adds what a list of capabilities names; false when it takes away instead ("~CAP_SYS_ADMIN"), or names one that nobody
 * knows. */
static bool add_capabilities(struct arena *arena, const struct unit_file *unit, const char *key,
                             struct strings *capabilities)
{
    struct unit_directives list = {0};
    unit_file_list(arena, unit, SERVICE, key, &list);
    for (size_t i = 0; i < list.count; i++) {
        struct text rest = text_of(list.items[i]->value), word;
        while (text_next_word(&rest, &word)) {
            char *name = arena_strndup(arena, word.ptr, word.len);
            for (char *at = name; *at; at++)
                *at = *at >= 'a' && *at <= 'z' ? (char)(*at - 'a' + 'A') : *at;
            if (strncmp(name, "CAP_", 4) != 0 || !contract_is_capability(name + 4))
                return false;
            if (!strings_has(capabilities, name + 4))
                list_add(arena, capabilities, name + 4);
        }
    }
    return true;
}

static bool has_low_port(const struct manifest_config *config)
{
    for (size_t i = 0; i < config->ports.count; i++) {
        struct text rest = text_of(config->ports.items[i]), number;
        uint64_t port = 0;
        if (text_next(&rest, '/', &number) && text_parse_u64(number, &port) && port < 1024)
            return true;
    }
    return false;
}

/* A unit that bounds them says what the service can do with; one that only adds some says nothing of the rest. */
static void set_capabilities(struct arena *arena, const struct unit_file *unit, const struct manifest_config *config,
                             struct contract *contract)
{
    struct strings bounded = {0}, added = {0};
    bool is_bounded = unit_file_find(unit, SERVICE, "CapabilityBoundingSet") &&
                      add_capabilities(arena, unit, "CapabilityBoundingSet", &bounded);
    if (!add_capabilities(arena, unit, "AmbientCapabilities", &added))
        added = (struct strings){0};
    contract->has_capabilities = is_bounded;
    contract->capabilities = is_bounded ? bounded : added;
    for (size_t i = 0; is_bounded && i < added.count; i++) {
        if (!strings_has(&contract->capabilities, added.items[i]))
            list_add(arena, &contract->capabilities, added.items[i]);
    }
    /* a socket unit may have opened them for it */
    if (is_bounded && has_low_port(config) && !strings_has(&contract->capabilities, "NET_BIND_SERVICE"))
        list_add(arena, &contract->capabilities, "NET_BIND_SERVICE");
}

/* "DeviceAllow=/dev/net/tun rw" */
static void add_devices(struct arena *arena, const struct unit_file *unit, struct contract *contract)
{
    struct unit_directives list = {0};
    unit_file_list(arena, unit, SERVICE, "DeviceAllow", &list);
    for (size_t i = 0; i < list.count; i++) {
        struct text rest = text_of(list.items[i]->value), word;
        if (!text_next_word(&rest, &word))
            continue;
        const char *path = arena_strndup(arena, word.ptr, word.len);
        static const char *const everybodys[] = {"/dev/null",   "/dev/zero",    "/dev/full",
                                                 "/dev/random", "/dev/urandom", "/dev/tty"};
        bool is_usual = false;
        for (size_t j = 0; j < ARRAY_COUNT(everybodys); j++)
            is_usual = is_usual || strcmp(everybodys[j], path) == 0;
        if (!is_usual && strncmp(path, "/dev/", 5) == 0 && !strpbrk(path, "*?[") && !contract_why_not_mount(path))
            list_add(arena, &contract->devices, path);
    }
}

/* One side of a limit, of which systemd multiplies by a letter behind it (systemd.exec(5), LimitCPU=). */
static const char *limit_number(struct arena *arena, struct text word)
{
    static const char letters[] = "KMGTPE";
    const char *letter = word.len > 1 ? strchr(letters, word.ptr[word.len - 1]) : NULL;
    struct text digits = {word.ptr, word.len - (letter ? 1 : 0)};
    uint64_t number;
    if (text_is(word, "infinity"))
        return "-1";
    unsigned bits = letter ? 10 * (unsigned)(letter - letters + 1) : 0;
    bool is_good = text_parse_u64(digits, &number) && number <= (uint64_t)INT64_MAX >> bits;
    if (!is_good)
        return NULL;
    number <<= bits;
    return arena_printf(arena, "%llu", (unsigned long long)number);
}

/* "LimitNOFILE=1024:512K"; what the kernel could not be given says nothing. */
static void add_limits(struct arena *arena, const struct unit_file *unit, struct contract *contract)
{
    static const char *const keys[][2] = {
        {"LimitNOFILE", "nofile"}, {"LimitNPROC", "nproc"}, {"LimitMEMLOCK", "memlock"}, {"LimitCORE", "core"}};
    for (size_t i = 0; i < ARRAY_COUNT(keys); i++) {
        const char *value = unit_file_value(unit, SERVICE, keys[i][0], "");
        const char *colon = strchr(value, ':');
        const char *soft = limit_number(arena, (struct text){value, strcspn(value, ":")});
        const char *hard = colon ? limit_number(arena, text_of(colon + 1)) : soft;
        if (!soft || !hard)
            continue;
        struct yaml_pair pair = {keys[i][1], colon ? arena_printf(arena, "%s:%s", soft, hard) : soft, NULL};
        if (!contract_why_not_ulimit(pair.value))
            list_add(arena, &contract->limits, pair);
    }
}

/* With ProtectSystem=strict a service writes to nothing but what it is given: state is a volume, the rest in memory. */
static void set_paths(struct arena *arena, const struct unit_file *unit, const struct manifest_config *config,
                      const struct wishes *wishes, struct contract *contract)
{
    bool is_strict = strcmp(unit_file_value(unit, SERVICE, "ProtectSystem", ""), "strict") == 0;
    contract->is_read_only = is_strict && !unit_file_find(unit, SERVICE, "ReadWritePaths");
    for (size_t i = 0; contract->is_read_only && i < wishes->made.count; i++) {
        const struct wish_made *made = &wishes->made.items[i];
        bool is_place = strncmp(made->path, "/run/", 5) == 0 || strncmp(made->path, "/var/cache/", 11) == 0 ||
                        strncmp(made->path, "/var/log/", 9) == 0;
        if (made->kind == MADE_DIRECTORY && is_place && !strings_has(&config->volumes, made->path) &&
            !contract_why_not_mount(made->path) && !strings_has(&contract->tmpfs, made->path))
            list_add(arena, &contract->tmpfs, made->path);
    }
}

const struct contract *unit_contract(struct arena *arena, const struct unit_file *unit,
                                     const struct manifest_config *config, const struct wishes *wishes)
{
    struct contract *contract = arena_new(arena, struct contract);
    bool has_rights = false; /* of a program's file, which no-new-privileges would take away */
    for (size_t i = 0; i < wishes->owners.count; i++)
        has_rights = has_rights || wishes->owners.items[i].capabilities;
    contract->may_gain = has_rights || !unit_file_is_true(unit, SERVICE, "NoNewPrivileges");
    set_capabilities(arena, unit, config, contract);
    add_devices(arena, unit, contract);
    add_limits(arena, unit, contract);
    set_paths(arena, unit, config, wishes, contract);
    return contract;
}
