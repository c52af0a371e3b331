/* SPDX-License-Identifier: Apache-2.0 */
/* Objects of Kubernetes: what shares the host's network is a DaemonSet, all else a Deployment with a Service and claims. */
#include "deploy/deploy_parts.h"

#include <stdlib.h>

/* What is mounted, once in the pod and once in the container. */
struct mounts {
    const char *volumes, *paths;
    size_t count;
};

static bool is_daemon_set(const struct deployment *deployment)
{
    return deployment->contract && deployment->contract->network == CONTRACT_HOST;
}

/* `source` is the volume's mapping, in the flow of one line. */
static void add_mount(struct arena *arena, struct mounts *mounts, const char *source, const char *path,
                      bool is_read_only)
{
    const char *name = arena_printf(arena, "v%zu", mounts->count++);
    deploy_append(arena, &mounts->volumes, "        - name: %s\n          %s\n", name, source);
    deploy_append(arena, &mounts->paths, "            - name: %s\n              mountPath: %s\n", name,
                  deploy_yaml_string(arena, path));
    if (is_read_only)
        deploy_append(arena, &mounts->paths, "              readOnly: true\n");
}

static void add_host_paths(struct arena *arena, const struct contract *contract, struct mounts *mounts)
{
    for (size_t i = 0; i < contract->host.count; i++) {
        const struct contract_mount *mount = &contract->host.items[i];
        bool is_file = mount->kind == CONTRACT_FILE;
        if (mount->is_optional || (!is_file && !deploy_is_mounted(contract, mount)))
            continue; /* a file in a mounted folder is mounted by itself: so the node makes it */
        const char *type = mount->is_shared ? is_file ? "File" : "Directory"
                           : is_file        ? "FileOrCreate"
                                            : "DirectoryOrCreate";
        add_mount(arena, mounts,
                  arena_printf(arena, "hostPath: {path: %s, type: %s}", deploy_yaml_string(arena, mount->host), type),
                  mount->path, mount->is_read_only);
    }
    for (size_t i = 0; i < contract->devices.count; i++) {
        struct text rest = text_of(contract->devices.items[i]), host = {0}, inner = {0};
        (void)text_next(&rest, ':', &host);
        (void)text_next(&rest, ':', &inner);
        const char *path = text_dup(arena, host);
        const char *there = inner.len && inner.ptr[0] == '/' ? text_dup(arena, inner) : path;
        add_mount(arena, mounts, arena_printf(arena, "hostPath: {path: %s}", deploy_yaml_string(arena, path)), there,
                  false);
    }
}

/* A read-only root has its folders in memory; the engine copies nothing into these. */
static void add_memory(struct arena *arena, const struct contract *contract, struct mounts *mounts)
{
    static const char *const usual[] = {"/tmp", "/var/tmp"};
    for (size_t i = 0; contract->is_read_only && i < ARRAY_COUNT(usual); i++)
        add_mount(arena, mounts, "emptyDir: {medium: Memory}", usual[i], false);
    for (size_t i = 0; i < contract->tmpfs.count; i++)
        add_mount(arena, mounts, "emptyDir: {medium: Memory}", contract->tmpfs.items[i], false);
    for (size_t i = 0; i < contract->limits.count; i++) {
        const struct yaml_pair *pair = &contract->limits.items[i];
        if (strcmp(pair->key, "shm") == 0) {
            const char *unit = strpbrk(pair->value, "kmgKMG");
            add_mount(arena, mounts,
                      arena_printf(arena, "emptyDir: {medium: Memory, sizeLimit: \"%.*s%s\"}",
                                   (int)strspn(pair->value, "0123456789"), pair->value,
                                   !unit                 ? ""
                                   : strchr("kK", *unit) ? "Ki"
                                   : strchr("mM", *unit) ? "Mi"
                                                         : "Gi"),
                      "/dev/shm", false);
        }
    }
}

static struct mounts mounts_of(struct arena *arena, const struct deployment *deployment)
{
    struct mounts mounts = {"", "", 0};
    struct deploy_volumes volumes = deploy_volumes_of(arena, deployment);
    for (size_t i = 0; i < volumes.count; i++) {
        const char *name = deploy_text_cluster(arena, volumes.items[i].name);
        add_mount(arena, &mounts,
                  is_daemon_set(deployment)
                      ? arena_printf(arena, "hostPath: {path: \"/var/lib/%s\", type: DirectoryOrCreate}", name)
                      : arena_printf(arena, "persistentVolumeClaim: {claimName: %s}", name),
                  volumes.items[i].path, false);
    }
    if (deployment->contract) {
        add_host_paths(arena, deployment->contract, &mounts);
        add_memory(arena, deployment->contract, &mounts);
    }
    return mounts;
}

static void add_claims(struct arena *arena, const struct deployment *deployment, const char **text)
{
    struct deploy_volumes volumes = deploy_volumes_of(arena, deployment);
    for (size_t i = 0; !is_daemon_set(deployment) && i < volumes.count; i++)
        deploy_append(arena, text,
                      "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata:\n  name: %s\nspec:\n  accessModes: "
                      "[ReadWriteOnce]\n  resources:\n    requests:\n      storage: 1Gi\n---\n",
                      deploy_text_cluster(arena, volumes.items[i].name));
}

static void add_service(struct arena *arena, const struct deployment *deployment, const char **text)
{
    struct strings ports = deploy_ports_of(arena, deployment);
    const char *name = deploy_text_cluster(arena, deployment->name);
    if (!ports.count)
        return;
    deploy_append(arena, text,
                  "---\napiVersion: v1\nkind: Service\nmetadata:\n  name: %s\nspec:\n  selector:\n    app: %s\n"
                  "  ports:\n",
                  name, name);
    for (size_t i = 0; i < ports.count; i++) {
        const char *port = ports.items[i], *inner = strchr(port, ':') + 1, *protocol = strchr(inner, '/') + 1;
        const char *upper = strcmp(protocol, "udp") == 0 ? "UDP" : strcmp(protocol, "sctp") == 0 ? "SCTP" : "TCP";
        deploy_append(arena, text,
                      "    - name: %s-%.*s\n      port: %.*s\n      targetPort: %.*s\n      protocol: %s\n", protocol,
                      (int)strcspn(port, ":"), port, (int)strcspn(port, ":"), port, (int)strcspn(inner, "/"), inner,
                      upper);
    }
}

static void add_privileges(struct arena *arena, const struct contract *contract, const char **text)
{
    deploy_append(arena, text, "          securityContext:\n            allowPrivilegeEscalation: %s\n",
                  contract->may_gain ? "true" : "false");
    if (contract->is_read_only)
        deploy_append(arena, text, "            readOnlyRootFilesystem: true\n");
    if (!contract->has_capabilities)
        return;
    deploy_append(arena, text, "            capabilities:\n              drop: [ALL]\n");
    if (contract->capabilities.count)
        deploy_append(arena, text, "              add: [%s]\n", strings_join(arena, &contract->capabilities, ", "));
}

/* Seconds of "30s", "5m", "1h". */
static unsigned long seconds_of(const char *duration)
{
    const char *unit = duration ? duration + strspn(duration, "0123456789") : "s";
    unsigned long number = duration ? strtoul(duration, NULL, 10) : 0;
    return *unit == 'h' ? number * 3600 : *unit == 'm' ? number * 60 : number;
}

static void add_health(struct arena *arena, const struct contract_health *health, const char **text)
{
    if (!health->command.count)
        return;
    deploy_append(arena, text, "          livenessProbe:\n            exec:\n              command:\n");
    for (size_t i = 0; i < health->command.count; i++)
        deploy_append(arena, text, "                - %s\n", deploy_yaml_string(arena, health->command.items[i]));
    deploy_append(arena, text,
                  "            periodSeconds: %lu\n            timeoutSeconds: %lu\n            initialDelaySeconds: "
                  "%lu\n            failureThreshold: %llu\n",
                  seconds_of(health->interval), seconds_of(health->timeout), seconds_of(health->start_for),
                  (unsigned long long)health->retries);
}

static void add_environment(struct arena *arena, const struct deployment *deployment, const char **text)
{
    const struct strings *secrets = &deployment->contract->secrets;
    if (secrets->count)
        deploy_append(arena, text, "          env:\n");
    for (size_t i = 0; i < secrets->count; i++)
        deploy_append(arena, text,
                      "            - name: %s\n              valueFrom:\n                secretKeyRef: {name: %s, key: "
                      "%s}\n",
                      secrets->items[i], deploy_text_cluster(arena, deployment->name), secrets->items[i]);
}

static void add_container(struct arena *arena, const struct deployment *deployment, const struct mounts *mounts,
                          const char **text)
{
    const struct contract *contract = deployment->contract;
    deploy_append(arena, text,
                  "      containers:\n        - name: %s\n          image: %s\n          imagePullPolicy: %s\n",
                  deploy_text_cluster(arena, deployment->name), deploy_yaml_string(arena, deployment->reference),
                  deployment->is_pinned ? "IfNotPresent" : "Always");
    if (contract) {
        if (contract->is_interactive)
            deploy_append(arena, text, "          stdin: true\n          tty: true\n");
        add_privileges(arena, contract, text);
        add_environment(arena, deployment, text);
        for (size_t i = 0; i < contract->limits.count; i++) {
            const struct yaml_pair *pair = &contract->limits.items[i];
            size_t digits = strspn(pair->value, "0123456789");
            if (strcmp(pair->key, "memory") == 0)
                deploy_append(arena, text, "          resources:\n            limits: {memory: \"%.*s%s\"}\n",
                              (int)digits, pair->value,
                              !pair->value[digits]                ? ""
                              : strchr("gG", pair->value[digits]) ? "Gi"
                              : strchr("mM", pair->value[digits]) ? "Mi"
                                                                  : "Ki");
        }
        add_health(arena, &contract->health, text);
    }
    if (mounts->count)
        deploy_append(arena, text, "          volumeMounts:\n%s", mounts->paths);
}

static void add_pod(struct arena *arena, const struct deployment *deployment, const char **text)
{
    const struct contract *contract = deployment->contract;
    struct mounts mounts = mounts_of(arena, deployment);
    if (is_daemon_set(deployment))
        deploy_append(arena, text, "      hostNetwork: true\n      dnsPolicy: %s\n",
                      contract->dns.count ? "None" : "ClusterFirstWithHostNet");
    else if (contract && contract->dns.count)
        deploy_append(arena, text, "      dnsPolicy: None\n");
    if (contract && contract->dns.count) {
        deploy_append(arena, text, "      dnsConfig:\n        nameservers:\n");
        for (size_t i = 0; i < contract->dns.count; i++)
            deploy_append(arena, text, "          - %s\n", deploy_yaml_string(arena, contract->dns.items[i]));
    }
    bool has_sysctls = contract && contract->sysctls.count;
    if (has_sysctls || deployment->volume_gid)
        deploy_append(arena, text, "      securityContext:\n");
    if (deployment->volume_gid)
        deploy_append(arena, text, "        fsGroup: %u\n", (unsigned)deployment->volume_gid);
    if (has_sysctls)
        deploy_append(arena, text, "        sysctls:\n");
    for (size_t i = 0; has_sysctls && i < contract->sysctls.count; i++)
        deploy_append(arena, text, "          - {name: %s, value: %s}\n", contract->sysctls.items[i].key,
                      deploy_yaml_string(arena, contract->sysctls.items[i].value));
    add_container(arena, deployment, &mounts, text);
    if (mounts.count)
        deploy_append(arena, text, "      volumes:\n%s", mounts.volumes);
}

void deploy_add_kube(struct arena *arena, const struct deployment *deployment, struct deploy_files *files)
{
    const char *name = deploy_text_cluster(arena, deployment->name);
    const char *text =
        deploy_head(arena, deployment, DEPLOY_KUBE, arena_printf(arena, "kubectl apply -f %s.yaml", name));
    bool is_daemon = is_daemon_set(deployment);
    add_claims(arena, deployment, &text);
    deploy_append(arena, &text, "apiVersion: apps/v1\nkind: %s\nmetadata:\n  name: %s\n  labels:\n    app: %s\nspec:\n",
                  is_daemon ? "DaemonSet" : "Deployment", name, name);
    if (!is_daemon) /* two at once would share a volume */
        deploy_append(arena, &text, "  replicas: 1\n  strategy:\n    type: Recreate\n");
    deploy_append(
        arena, &text,
        "  selector:\n    matchLabels:\n      app: %s\n  template:\n    metadata:\n      labels:\n        app: "
        "%s\n    spec:\n      automountServiceAccountToken: false\n",
        name, name);
    add_pod(arena, deployment, &text);
    add_service(arena, deployment, &text);
    struct deploy_file file = {.name = arena_printf(arena, "%s.yaml", name), .folder = "", .text = text};
    list_add(arena, files, file);
}
