/* SPDX-License-Identifier: Apache-2.0 */
#include "deploy/deploy_parts.h"

/* One comment line. */
static void say(struct arena *arena, const char **text, const char *words)
{
    deploy_append(arena, text, "# %s\n", deploy_unit_value(arena, words));
}

static void say_health(struct arena *arena, const struct contract *contract, const char **text)
{
    if (!contract->health.command.count && !contract->is_interactive)
        say(arena, text, "No health probe: no program of the image is known to ask the service.");
}

/* What a policy that confines containers wants to know. A cluster's nodes label nothing of theirs. */
static void say_selinux(struct arena *arena, const struct contract *contract, enum deploy_format format,
                        const char **text)
{
    bool is_labelled = false;
    for (size_t i = 0; i < contract->host.count; i++) {
        const struct contract_mount *mount = &contract->host.items[i];
        bool is_mounted = deploy_is_mounted(contract, mount);
        is_labelled = is_labelled || (!mount->is_shared && is_mounted && format != DEPLOY_KUBE);
        if (is_mounted && (mount->is_shared || format == DEPLOY_KUBE))
            say(arena, text,
                arena_printf(arena, "SELinux: %s keeps its label; the policy has to allow it.", mount->host));
    }
    if (is_labelled)
        say(arena, text, "SELinux: Z labels the mounted paths for this container alone; nobody else should use them.");
    if (contract->devices.count)
        say(arena, text, "SELinux: devices need `setsebool -P container_use_devices on`.");
}

static void say_secrets(struct arena *arena, const struct deployment *deployment, enum deploy_format format,
                        const char **text)
{
    const struct strings *secrets = &deployment->contract->secrets;
    for (size_t i = 0; i < secrets->count; i++)
        say(arena, text,
            format == DEPLOY_KUBE
                ? arena_printf(arena, "Needs the secret %s with the key %s.",
                               deploy_text_cluster(arena, deployment->name), secrets->items[i])
                : arena_printf(arena, "Needs the secret %s-%s.", deployment->name, secrets->items[i]));
}

/* What the node would make otherwise than the contract wants it. */
static void say_kube_paths(struct arena *arena, const struct contract *contract, const char **text)
{
    for (size_t i = 0; i < contract->host.count; i++) {
        const struct contract_mount *mount = &contract->host.items[i];
        bool is_file = mount->kind == CONTRACT_FILE;
        if (mount->is_optional || mount->is_shared ||
            (mount->mode == (is_file ? 0644 : 0755) && !mount->uid && !mount->gid))
            continue;
        say(arena, text,
            arena_printf(arena,
                         "Make the %s %s on each node, mode %04o, user %u, group %u: Kubernetes would make it root's.",
                         is_file ? "file" : "folder", mount->host, (unsigned)mount->mode, (unsigned)mount->uid,
                         (unsigned)mount->gid));
    }
}

/* What Kubernetes has no word for. */
static void say_kube(struct arena *arena, const struct contract *contract, const char **text)
{
    struct strings limits = {0};
    say_kube_paths(arena, contract, text);
    for (size_t i = 0; i < contract->limits.count; i++) {
        const struct yaml_pair *pair = &contract->limits.items[i];
        if (contract_is_ulimit(pair->key) || strcmp(pair->key, "pids") == 0)
            list_add(arena, &limits, arena_printf(arena, "%s=%s", pair->key, pair->value));
    }
    if (limits.count)
        say(arena, text,
            arena_printf(arena, "Kubernetes has no word for the limits %s: nodes and their engine set them.",
                         strings_join(arena, &limits, ", ")));
    if (contract->network == CONTRACT_NO_NETWORK)
        say(arena, text, "Kubernetes gives it the pod's network: only a NetworkPolicy can take that away.");
    if (contract->devices.count)
        say(arena, text, "Kubernetes lets it use devices only by a device plugin, or privileged.");
    if (contract->sysctls.count)
        say(arena, text, "A kubelet takes sysctls that it does not hold for safe with --allowed-unsafe-sysctls only.");
}

/* What only some want; a quadlet unit has it where it is to be uncommented. */
static void say_optional(struct arena *arena, const struct contract *contract, enum deploy_format format,
                         const char **text)
{
    for (size_t i = 0; i < contract->host.count && format != DEPLOY_QUADLET; i++) {
        const struct contract_mount *mount = &contract->host.items[i];
        if (mount->is_optional)
            say(arena, text,
                arena_printf(arena, "In place of what the image has in %s%s%s, %s of the host can be mounted.",
                             mount->path, mount->purpose ? ", " : "", mount->purpose ? mount->purpose : "",
                             strcmp(mount->host, mount->path) == 0 ? "that path" : mount->host));
    }
}

static void say_ports(struct arena *arena, const struct deployment *deployment, enum deploy_format format,
                      const char **text)
{
    const struct contract *contract = deployment->contract;
    if (!deploy_has_own_network(deployment) || deploy_ports_of(arena, deployment).count ||
        (contract && contract->is_interactive))
        return;
    say(arena, text,
        format == DEPLOY_KUBE ? "No port is known: it has no Service, and others reach it by the pod's address alone."
        : format == DEPLOY_QUADLET ? "No port is known: none is published; PublishPort=HOST:CONTAINER publishes one."
                                   : "No port is known: none is published; --publish=HOST:CONTAINER publishes one.");
}

static void say_contract(struct arena *arena, const struct deployment *deployment, enum deploy_format format,
                         const char **text)
{
    const struct contract *contract = deployment->contract;
    for (size_t i = 0; i < contract->needs.count; i++)
        say(arena, text, arena_printf(arena, "Needs %s.", contract->needs.items[i]));
    say_secrets(arena, deployment, format, text);
    if (!contract->has_capabilities)
        say(arena, text, "Not known: which capabilities it needs. It has those that the engine gives everybody.");
    for (size_t i = 0; i < contract->writes.count; i++)
        say(arena, text, arena_printf(arena, "Writes to %s, which is lost at its end.", contract->writes.items[i]));
    if (!contract->is_read_only && !contract->writes.count)
        say(arena, text, "Not known: what it writes to. Its root is not read-only.");
    say_health(arena, contract, text);
    say_optional(arena, contract, format, text);
    if (format == DEPLOY_KUBE)
        say_kube(arena, contract, text);
    say_selinux(arena, contract, format, text);
}

const char *deploy_head(struct arena *arena, const struct deployment *deployment, enum deploy_format format,
                        const char *use)
{
    const char *text = "", *description = deployment->description;
    say(arena, &text, description ? arena_printf(arena, "%s: %s", deployment->name, description) : deployment->name);
    say(arena, &text,
        deployment->contract
            ? arena_printf(arena, "Made by imgfactory; how it is run says %s.", deployment->origin)
            : "Made by imgfactory from the image's configuration alone. Not known: what it writes to, which "
              "capabilities, devices and paths of the host it needs, how it is asked whether it serves.");
    if (use)
        say(arena, &text, use);
    if (deployment->network && format != DEPLOY_KUBE)
        say(arena, &text,
            arena_printf(arena, "Joins the network %s, where the others find it by its name%s.", deployment->network,
                         format == DEPLOY_SYSTEMD ? "; whoever starts first makes it" : ""));
    say_ports(arena, deployment, format, &text);
    if (deployment->contract)
        say_contract(arena, deployment, format, &text);
    return text;
}

const char *deploy_unit_section(struct arena *arena, const struct deployment *deployment)
{
    const char *description = deployment->description ? deployment->description : deployment->name;
    return arena_printf(arena, "[Unit]\nDescription=%s\nWants=network-online.target\nAfter=network-online.target\n",
                        deploy_unit_value(arena, description));
}
