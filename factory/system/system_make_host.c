/* SPDX-License-Identifier: Apache-2.0 */
/* What the container has of the host: mounts, namespaces, devices, limits (runtime-spec config.md, config-linux.md). */
#include "base/units.h"
#include "deploy/deploy_settings.h"
#include "package/path.h"
#include "system/system_make_parts.h"

/* Words of a mount's options, separated by commas. */
static json_t *mount_json(const char *destination, const char *type, const char *source, const char *options)
{
    json_t *words = json_array();
    struct text rest = text_of(options), word;
    while (rest.len && text_next(&rest, ',', &word))
        (void)json_array_append_new(words, json_stringn(word.ptr, word.len));
    return json_pack("{s:s, s:s, s:s, s:o}", "destination", destination, "type", type, "source", source, "options",
                     words);
}

static bool has_network(const struct make_request *request)
{
    return !request->contract || request->contract->network != CONTRACT_NO_NETWORK;
}

/* Volumes that nothing else is mounted on, in a folder called after the container. */
static void add_volumes(struct arena *arena, const struct make_request *request, struct make_binds *binds)
{
    struct deployment deployment = {.name = "volume", .process = request->process, .contract = request->contract};
    struct deploy_volumes volumes = deploy_volumes_of(arena, &deployment);
    struct make_user user = make_user_of(request);
    for (size_t i = 0; request->is_template && i < volumes.count; i++) {
        const char *path = volumes.items[i].path, *name = volumes.items[i].name;
        name += strncmp(name, "volume-", 7) == 0 ? 7 : 0;
        struct make_bind bind = {.path = path, .line = 'd', .mode = 0700, .is_own = true};
        bind.source = volumes.count == 1 ? "${STATE_DIRECTORY}/${NAME}"
                                         : arena_printf(arena, "${STATE_DIRECTORY}/${NAME}/%s", name);
        bind.uid = (uint32_t)user.uid;
        bind.gid = (uint32_t)user.gid;
        list_add(arena, binds, bind);
    }
}

struct make_binds make_binds_of(struct arena *arena, const struct make_request *request)
{
    static const char *const names[] = {"/etc/hosts", "/etc/resolv.conf"};
    const struct contract *contract = request->contract;
    struct make_binds binds = {0};
    for (size_t i = 0; request->is_template && has_network(request) && i < ARRAY_COUNT(names); i++) {
        struct make_bind bind = {.source = names[i], .path = names[i], .is_read_only = true};
        list_add(arena, &binds, bind);
    }
    for (size_t i = 0; contract && i < contract->host.count; i++) {
        const struct contract_mount *mount = &contract->host.items[i];
        struct make_bind bind = {.source = make_host_path(arena, request, mount->host),
                                 .path = mount->path,
                                 .line = mount->kind == CONTRACT_FILE ? 'f' : 'd',
                                 .is_shared = mount->is_shared,
                                 .is_read_only = mount->is_read_only,
                                 .mode = mount->mode,
                                 .uid = mount->uid,
                                 .gid = mount->gid};
        if (deploy_is_mounted(contract, mount))
            list_add(arena, &binds, bind);
    }
    add_volumes(arena, request, &binds);
    return binds;
}

/* The size of a contract ("64m") in bytes, or what stands for none. */
static const char *shm_size(struct arena *arena, const struct contract *contract)
{
    for (size_t i = 0; contract && i < contract->limits.count; i++) {
        if (strcmp(contract->limits.items[i].key, "shm") == 0)
            return arena_printf(arena, "size=%s", contract->limits.items[i].value);
    }
    return "size=65536k";
}

static void add_usual(struct arena *arena, const struct make_request *request, json_t *mounts)
{
    (void)json_array_append_new(mounts, mount_json("/proc", "proc", "proc", "nosuid,noexec,nodev"));
    (void)json_array_append_new(mounts,
                                mount_json("/dev", "tmpfs", "tmpfs", "nosuid,strictatime,mode=755,size=65536k"));
    (void)json_array_append_new(
        mounts, mount_json("/dev/pts", "devpts", "devpts", "nosuid,noexec,newinstance,ptmxmode=0666,mode=0620"));
    (void)json_array_append_new(mounts, mount_json("/dev/shm", "tmpfs", "shm",
                                                   arena_printf(arena, "nosuid,noexec,nodev,mode=1777,%s",
                                                                shm_size(arena, request->contract))));
    (void)json_array_append_new(mounts, mount_json("/dev/mqueue", "mqueue", "mqueue", "nosuid,noexec,nodev"));
    (void)json_array_append_new(mounts, mount_json("/sys", "sysfs", "sysfs", "nosuid,noexec,nodev,ro"));
    (void)json_array_append_new(mounts,
                                mount_json("/sys/fs/cgroup", "cgroup", "cgroup", "nosuid,noexec,nodev,relatime,ro"));
}

static bool is_bound(const struct make_binds *binds, const char *path)
{
    for (size_t i = 0; i < binds->count; i++) {
        if (strcmp(binds->items[i].path, path) == 0)
            return true;
    }
    return false;
}

/* Memory in place of what may be written to: a read-only root has nothing else for it. */
static void add_tmpfs(struct arena *arena, const struct make_request *request, const struct make_binds *binds,
                      json_t *mounts)
{
    static const char *const usual[] = {"/run", "/tmp", "/var/tmp"};
    struct strings paths = {0};
    const struct contract *contract = request->contract;
    for (size_t i = 0; i < ARRAY_COUNT(usual); i++)
        list_add(arena, &paths, usual[i]);
    const struct strings *more[] = {contract ? &contract->tmpfs : NULL, contract ? &contract->writes : NULL};
    for (size_t k = 0; k < ARRAY_COUNT(more); k++) {
        for (size_t i = 0; more[k] && i < more[k]->count; i++) {
            if (!path_is_within_any(more[k]->items[i], &paths))
                list_add(arena, &paths, more[k]->items[i]);
        }
    }
    for (size_t i = 0; i < paths.count; i++) {
        const char *path = paths.items[i], *mode = strcmp(path, "/run") == 0 ? "755" : "1777";
        if (!is_bound(binds, path))
            (void)json_array_append_new(
                mounts, mount_json(path, "tmpfs", "tmpfs", arena_printf(arena, "nosuid,nodev,mode=%s", mode)));
    }
}

json_t *make_mounts(struct arena *arena, const struct make_request *request)
{
    struct make_binds binds = make_binds_of(arena, request);
    json_t *mounts = json_array();
    add_usual(arena, request, mounts);
    add_tmpfs(arena, request, &binds, mounts);
    for (size_t i = 0; i < binds.count; i++) {
        const struct make_bind *bind = &binds.items[i];
        (void)json_array_append_new(mounts, mount_json(bind->path, "bind", bind->source,
                                                       bind->is_read_only ? "rbind,rprivate,nosuid,nodev,ro"
                                                                          : "rbind,rprivate,nosuid,nodev,rw"));
    }
    for (size_t i = 0; request->contract && i < request->contract->devices.count; i++) {
        const char *device = arena_strndup(arena, request->contract->devices.items[i],
                                           strcspn(request->contract->devices.items[i], ":"));
        (void)json_array_append_new(mounts, mount_json(device, "bind", device, "rbind,rprivate,nosuid,noexec,rw"));
    }
    return mounts;
}

static json_t *namespaces_json(const struct make_request *request)
{
    static const char *const names[] = {"pid", "ipc", "mount"};
    json_t *list = json_array();
    for (size_t i = 0; i < ARRAY_COUNT(names); i++)
        (void)json_array_append_new(list, json_pack("{s:s}", "type", names[i]));
    if (!has_network(request))
        (void)json_array_append_new(list, json_pack("{s:s}", "type", "network"));
    return list;
}

/* Which devices may be opened: the usual ones are added by the runtime. */
static json_t *devices_json(const struct contract *contract)
{
    json_t *rules = json_array();
    (void)json_array_append_new(rules, json_pack("{s:b, s:s}", "allow", 0, "access", "rwm"));
    if (contract && contract->devices.count) /* their numbers are the host's affair; there is no other one in /dev */
        (void)json_array_append_new(rules, json_pack("{s:b, s:s}", "allow", 1, "access", "rw"));
    return rules;
}

static json_t *resources_json(const struct contract *contract)
{
    json_t *resources = json_pack("{s:o}", "devices", devices_json(contract));
    for (size_t i = 0; contract && i < contract->limits.count; i++) {
        const struct yaml_pair *pair = &contract->limits.items[i];
        uint64_t number;
        if (strcmp(pair->key, "memory") == 0 && units_parse_size(text_of(pair->value), &number))
            (void)json_object_set_new(resources, "memory", json_pack("{s:I}", "limit", (json_int_t)number));
        else if (strcmp(pair->key, "pids") == 0 && text_parse_u64(text_of(pair->value), &number))
            (void)json_object_set_new(resources, "pids", json_pack("{s:I}", "limit", (json_int_t)number));
    }
    return resources;
}

/* Those of the network only where the container has one of its own. */
static json_t *sysctls_json(const struct make_request *request)
{
    json_t *sysctls = json_object();
    for (size_t i = 0; request->contract && i < request->contract->sysctls.count; i++) {
        const struct yaml_pair *pair = &request->contract->sysctls.items[i];
        if (strncmp(pair->key, "net.", 4) != 0 || !has_network(request))
            (void)json_object_set_new(sysctls, pair->key, json_string(pair->value));
    }
    return sysctls;
}

/* `runc spec` of 1.1. */
static json_t *paths_json(bool is_masked)
{
    static const char *const masked[] = {
        "/proc/acpi",       "/proc/asound",      "/proc/kcore",       "/proc/keys",    "/proc/latency_stats",
        "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug", "/sys/firmware", "/proc/scsi"};
    static const char *const read_only[] = {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"};
    json_t *list = json_array();
    for (size_t i = 0; i < (is_masked ? ARRAY_COUNT(masked) : ARRAY_COUNT(read_only)); i++)
        (void)json_array_append_new(list, json_string(is_masked ? masked[i] : read_only[i]));
    return list;
}

json_t *make_linux(struct arena *arena, const struct make_request *request)
{
    (void)arena;
    json_t *json =
        json_pack("{s:o, s:o, s:o, s:o}", "resources", resources_json(request->contract), "namespaces",
                  namespaces_json(request), "maskedPaths", paths_json(true), "readonlyPaths", paths_json(false));
    json_t *sysctls = sysctls_json(request);
    if (json_object_size(sysctls))
        (void)json_object_set(json, "sysctl", sysctls);
    json_decref(sysctls);
    return json;
}
