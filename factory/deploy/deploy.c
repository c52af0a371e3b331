/* SPDX-License-Identifier: Apache-2.0 */
#include "deploy/deploy.h"

#include "deploy/deploy_parts.h"

const char *const deploy_format_names[] = {[DEPLOY_QUADLET] = "quadlet",   [DEPLOY_SYSTEMD] = "systemd",
                                           [DEPLOY_KUBE] = "kube",         [DEPLOY_RUN] = "run",
                                           [DEPLOY_TIMER] = "timer",       [DEPLOY_WATCH] = "watch",
                                           [DEPLOY_CRONJOB] = "cronjob",   [DEPLOY_SLURM] = "slurm",
                                           [DEPLOY_KUBE_JOB] = "kube-job", NULL};

/* tmpfiles.d(5): what is mounted has to be there. */
static void add_tmpfiles(struct arena *arena, const struct deployment *deployment, struct deploy_files *files)
{
    const struct contract *contract = deployment->contract;
    const char *text = "";
    for (size_t i = 0; contract && i < contract->host.count; i++) {
        const struct contract_mount *mount = &contract->host.items[i];
        if (!mount->is_optional && !mount->is_shared)
            deploy_append(arena, &text, "%c %s %04o %u %u -\n", mount->kind == CONTRACT_FILE ? 'f' : 'd', mount->host,
                          (unsigned)mount->mode, (unsigned)mount->uid, (unsigned)mount->gid);
    }
    if (!*text)
        return;
    struct deploy_file file = {.name = arena_printf(arena, "%s-container.conf", deployment->name),
                               .folder = "/etc/tmpfiles.d",
                               .text = arena_printf(arena,
                                                    "# Paths of the host that %s is given; now: systemd-tmpfiles "
                                                    "--create\n%s",
                                                    deployment->name, text)};
    list_add(arena, files, file);
}

static void add_network(struct arena *arena, const char *name, struct deploy_files *files)
{
    struct deploy_file file = {
        .name = arena_printf(arena, "%s.network", name),
        .folder = "/etc/containers/systemd",
        .text = arena_printf(arena,
                             "# Joins the containers of %s, which find each other by name.\n[Network]\n"
                             "NetworkName=%s\n",
                             name, name)};
    list_add(arena, files, file);
}

static void add_command(struct arena *arena, const struct deployment *deployment, struct deploy_files *files)
{
    const char *text = deploy_head(arena, deployment, DEPLOY_RUN, NULL);
    if (deployment->network)
        deploy_append(arena, &text, "podman network exists %s || podman network create %s\n", deployment->network,
                      deployment->network);
    deploy_append(arena, &text, "%s\n", deploy_command(arena, deployment));
    struct deploy_file file = {.name = arena_printf(arena, "%s.sh", deployment->name), .folder = "", .text = text};
    list_add(arena, files, file);
}

/* The network of several, if any has joined it. */
static const char *network_of(const struct deployments *deployments)
{
    const char *network = NULL;
    for (size_t i = 0; i < deployments->count && !network; i++)
        network = deployments->items[i].network;
    return network;
}

struct deploy_files deploy_files_of(struct arena *arena, const struct deployments *deployments,
                                    enum deploy_format format)
{
    static void (*const adders[])(struct arena *, const struct deployment *,
                                  struct deploy_files *) = {[DEPLOY_QUADLET] = deploy_add_quadlet,
                                                            [DEPLOY_SYSTEMD] = deploy_add_service,
                                                            [DEPLOY_KUBE] = deploy_add_kube,
                                                            [DEPLOY_RUN] = add_command};
    struct deploy_files files = {0};
    const char *network = network_of(deployments);
    if (network && format == DEPLOY_QUADLET)
        add_network(arena, network, &files);
    for (size_t i = 0; i < deployments->count; i++) {
        adders[format](arena, &deployments->items[i], &files);
        if (format != DEPLOY_KUBE) /* there the node makes them */
            add_tmpfiles(arena, &deployments->items[i], &files);
    }
    return files;
}
