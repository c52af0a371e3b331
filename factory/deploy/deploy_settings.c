/* SPDX-License-Identifier: Apache-2.0 */
#include "deploy/deploy_settings.h"

#include "plan/services.h"

static void add(struct arena *arena, struct deploy_settings *settings, const char *key, const char *value,
                const char *option, const char *argument)
{
    bool is_word = key && strcmp(key, "Sysctl") == 0;
    list_add(arena, settings, ((struct deploy_setting){key, value, option, argument, is_word}));
}

/* A setting of which both words have the value as it stands. */
static void add_plain(struct arena *arena, struct deploy_settings *settings, const char *key, const char *option,
                      const char *value)
{
    add(arena, settings, key, value, option, value);
}

static bool is_below(const char *path, const char *folder)
{
    size_t len = strlen(folder);
    return strncmp(path, folder, len) == 0 && (!path[len] || path[len] == '/');
}

static bool is_below_any(const char *path, const struct strings *folders)
{
    for (size_t i = 0; i < folders->count; i++) {
        if (is_below(path, folders->items[i]))
            return true;
    }
    return false;
}

/* Whether a path of the host, or of the memory, takes a volume's place: also one that only some want, as what it brings
 * is the image's own otherwise, and no data. */
static bool is_taken(const struct contract *contract, const char *path)
{
    for (size_t i = 0; contract && i < contract->host.count; i++) {
        if (is_below(path, contract->host.items[i].path))
            return true;
    }
    return contract && is_below_any(path, &contract->tmpfs);
}

static const char *last_component(const char *path)
{
    return strrchr(path, '/') + 1;
}

/* Called after the image and the last part of the path, or all of it where another volume has that. */
static const char *name_volume(struct arena *arena, const struct deployment *deployment, size_t index)
{
    const struct strings *volumes = &deployment->process->volumes;
    const char *last = last_component(volumes->items[index]);
    bool is_alone = true;
    for (size_t i = 0; i < volumes->count; i++)
        is_alone = is_alone && (i == index || strcmp(last_component(volumes->items[i]), last) != 0);
    if (is_alone && strcmp(last, deployment->name) == 0)
        return last;
    char *name = arena_printf(arena, "%s-%s", deployment->name, is_alone ? last : volumes->items[index] + 1);
    for (char *at = name; *at; at++) {
        if (*at == '/')
            *at = '-';
    }
    return name;
}

struct deploy_volumes deploy_volumes_of(struct arena *arena, const struct deployment *deployment)
{
    struct deploy_volumes volumes = {0};
    const struct strings *paths = &deployment->process->volumes;
    for (size_t i = 0; i < paths->count; i++) {
        if (contract_why_not_mount(paths->items[i]) || is_taken(deployment->contract, paths->items[i]))
            continue;
        struct deploy_volume volume = {name_volume(arena, deployment, i), paths->items[i]};
        list_add(arena, &volumes, volume);
    }
    return volumes;
}

bool deploy_has_own_network(const struct deployment *deployment)
{
    return !deployment->contract || deployment->contract->network == CONTRACT_PRIVATE;
}

struct strings deploy_ports_of(struct arena *arena, const struct deployment *deployment)
{
    const struct contract *contract = deployment->contract;
    struct strings ports = {0};
    if (!deploy_has_own_network(deployment))
        return ports;
    if (contract && contract->publish.count)
        return contract->publish;
    for (size_t i = 0; i < deployment->process->ports.count; i++) {
        const char *port = deployment->process->ports.items[i];
        list_add(arena, &ports, arena_printf(arena, "%.*s:%s", (int)strcspn(port, "/"), port, port));
    }
    return ports;
}

/* Those below are made by podman for a read-only root, with what the image has there. */
static const char *const engine_tmpfs[] = {"/run", "/tmp", "/var/tmp"};

struct strings deploy_tmpfs_of(struct arena *arena, const struct contract *contract)
{
    struct strings own = {0};
    for (size_t i = 0; i < contract->tmpfs.count; i++) {
        bool is_there = false;
        for (size_t j = 0; contract->is_read_only && j < ARRAY_COUNT(engine_tmpfs); j++)
            is_there = is_there || is_below(contract->tmpfs.items[i], engine_tmpfs[j]);
        if (!is_there)
            list_add(arena, &own, contract->tmpfs.items[i]);
    }
    return own;
}

/* Whether it comes with another that is mounted, in which it lies in both places: then it is only made there. */
static bool is_within_another(const struct contract *contract, const struct contract_mount *mount)
{
    for (size_t i = 0; i < contract->host.count; i++) {
        const struct contract_mount *other = &contract->host.items[i];
        size_t host_len = strlen(other->host), path_len = strlen(other->path);
        if (other != mount && !other->is_optional && is_below(mount->host, other->host) &&
            is_below(mount->path, other->path) && strcmp(mount->host + host_len, mount->path + path_len) == 0)
            return true;
    }
    return false;
}

bool deploy_is_mounted(const struct contract *contract, const struct contract_mount *mount)
{
    return !mount->is_optional && !is_within_another(contract, mount);
}

const char *deploy_mount(struct arena *arena, const struct contract_mount *mount)
{
    return arena_printf(arena, "%s:%s:%s%s", mount->host, mount->path, mount->is_read_only ? "ro" : "rw",
                        mount->is_shared ? "" : ",Z");
}

static void add_network(struct arena *arena, const struct deployment *deployment, struct deploy_settings *settings)
{
    const struct contract *contract = deployment->contract;
    if (!deploy_has_own_network(deployment))
        add_plain(arena, settings, "Network", "--network", contract->network == CONTRACT_HOST ? "host" : "none");
    else if (deployment->network)
        add(arena, settings, "Network", arena_printf(arena, "%s.network", deployment->network), "--network",
            deployment->network);
    struct strings ports = deploy_ports_of(arena, deployment);
    for (size_t i = 0; i < ports.count; i++)
        add_plain(arena, settings, "PublishPort", "--publish", ports.items[i]);
    for (size_t i = 0; contract && i < contract->dns.count; i++)
        add_plain(arena, settings, "DNS", "--dns", contract->dns.items[i]);
}

static void add_privileges(struct arena *arena, const struct contract *contract, struct deploy_settings *settings)
{
    if (contract->has_capabilities)
        add(arena, settings, "DropCapability", "all", "--cap-drop", "all");
    for (size_t i = 0; i < contract->capabilities.count; i++)
        add_plain(arena, settings, "AddCapability", "--cap-add", contract->capabilities.items[i]);
    if (!contract->may_gain)
        add(arena, settings, "NoNewPrivileges", "true", "--security-opt", "no-new-privileges");
    if (contract->is_read_only)
        add(arena, settings, "ReadOnly", "true", "--read-only", NULL);
    for (size_t i = 0; i < contract->devices.count; i++)
        add_plain(arena, settings, "AddDevice", "--device", contract->devices.items[i]);
}

/* Words of a limit of the container. */
static void add_limits(struct arena *arena, const struct contract *contract, struct deploy_settings *settings)
{
    static const struct {
        const char *name, *key, *option;
    } rows[] = {{"memory", NULL, "--memory"}, {"pids", "PidsLimit", "--pids-limit"}, {"shm", "ShmSize", "--shm-size"}};
    for (size_t i = 0; i < contract->limits.count; i++) {
        const struct yaml_pair *pair = &contract->limits.items[i];
        for (size_t j = 0; j < ARRAY_COUNT(rows); j++) {
            if (strcmp(rows[j].name, pair->key) == 0)
                add_plain(arena, settings, rows[j].key, rows[j].option, pair->value);
        }
        if (contract_is_ulimit(pair->key))
            add_plain(arena, settings, "Ulimit", "--ulimit", arena_printf(arena, "%s=%s", pair->key, pair->value));
    }
    for (size_t i = 0; i < contract->sysctls.count; i++) {
        const struct yaml_pair *pair = &contract->sysctls.items[i];
        add_plain(arena, settings, "Sysctl", "--sysctl", arena_printf(arena, "%s=%s", pair->key, pair->value));
    }
}

static void add_paths(struct arena *arena, const struct deployment *deployment, struct deploy_settings *settings)
{
    const struct contract *contract = deployment->contract;
    struct strings tmpfs = contract ? deploy_tmpfs_of(arena, contract) : (struct strings){0};
    for (size_t i = 0; i < tmpfs.count; i++)
        add_plain(arena, settings, "Tmpfs", "--tmpfs", tmpfs.items[i]);
    for (size_t i = 0; contract && i < contract->host.count; i++) {
        if (deploy_is_mounted(contract, &contract->host.items[i]))
            add_plain(arena, settings, "Volume", "--volume", deploy_mount(arena, &contract->host.items[i]));
    }
    struct deploy_volumes volumes = deploy_volumes_of(arena, deployment);
    for (size_t i = 0; i < volumes.count; i++) {
        const char *name = volumes.items[i].name, *path = volumes.items[i].path;
        add(arena, settings, "Volume", arena_printf(arena, "%s.volume:%s", name, path), "--volume",
            arena_printf(arena, "%s:%s", name, path));
    }
}

/* The probe as podman reads it: words behind CMD, or an array where one of them has a blank. */
static const char *health_command(struct arena *arena, const struct strings *command)
{
    const char *plain = "CMD", *array = "";
    bool is_plain = true;
    for (size_t i = 0; i < command->count; i++) {
        const char *word = command->items[i];
        is_plain = is_plain && *word && !strpbrk(word, " \t\"\\[");
        plain = arena_printf(arena, "%s %s", plain, word);
        array = arena_printf(arena, "%s%s\"", array, i ? ", \"" : "[\"");
        for (; *word; word++)
            array = arena_printf(arena, "%.*s%s%c\"", (int)strlen(array) - 1, array, strchr("\"\\", *word) ? "\\" : "",
                                 *word);
    }
    return is_plain ? plain : arena_printf(arena, "%s]", array);
}

static void add_health(struct arena *arena, const struct contract_health *health, struct deploy_settings *settings)
{
    if (!health->command.count)
        return;
    add_plain(arena, settings, "HealthCmd", "--health-cmd", health_command(arena, &health->command));
    add_plain(arena, settings, "HealthInterval", "--health-interval", health->interval);
    add_plain(arena, settings, "HealthTimeout", "--health-timeout", health->timeout);
    add_plain(arena, settings, "HealthStartPeriod", "--health-start-period", health->start_for);
    add_plain(arena, settings, "HealthRetries", "--health-retries",
              arena_printf(arena, "%llu", (unsigned long long)health->retries));
}

static void add_secrets(struct arena *arena, const struct deployment *deployment, struct deploy_settings *settings)
{
    for (size_t i = 0; i < deployment->contract->secrets.count; i++) {
        const char *name = deployment->contract->secrets.items[i];
        add_plain(arena, settings, "Secret", "--secret",
                  arena_printf(arena, "%s-%s,type=env,target=%s", deployment->name, name, name));
    }
}

/* systemd that a start program becomes: podman knows it by the first word alone. */
static bool becomes_systemd(const struct deployment *deployment)
{
    const struct strings *words = &deployment->process->entrypoint;
    bool is_systemd = false;
    for (size_t i = 1; i < words->count; i++)
        is_systemd = is_systemd || strcmp(words->items[i], SERVICES_SYSTEMD) == 0;
    return is_systemd;
}

struct deploy_settings deploy_settings_of(struct arena *arena, const struct deployment *deployment)
{
    const struct contract *contract = deployment->contract;
    struct deploy_settings settings = {0};
    if (contract && contract->is_interactive) {
        add(arena, &settings, NULL, NULL, "--interactive", NULL);
        add(arena, &settings, NULL, NULL, "--tty", NULL);
    }
    if (becomes_systemd(deployment))
        add_plain(arena, &settings, NULL, "--systemd", "always");
    add_network(arena, deployment, &settings);
    if (contract)
        add_privileges(arena, contract, &settings);
    add_paths(arena, deployment, &settings);
    if (contract) {
        add_limits(arena, contract, &settings);
        add_secrets(arena, deployment, &settings);
        add_health(arena, &contract->health, &settings);
    }
    return settings;
}
