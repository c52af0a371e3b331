/* SPDX-License-Identifier: Apache-2.0 */
/* Units for hosts whose podman is older than quadlet, in the shape of `podman generate systemd --new`. */
#include "deploy/deploy_parts.h"

/* The command, an option a line. */
static void add_start(struct arena *arena, const struct deployment *deployment, const char **text)
{
    struct deploy_settings settings = deploy_settings_of(arena, deployment);
    const struct contract *contract = deployment->contract;
    deploy_append(arena, text,
                  "ExecStart=/usr/bin/podman run --cidfile=%%t/%%n.ctr-id --cgroups=no-conmon --rm --replace "
                  "--sdnotify=conmon --detach \\\n    --name=%s --pull=%s",
                  deployment->name, deployment->is_pinned || deployment->is_local ? "missing" : "newer");
    for (size_t i = 0; i < settings.count; i++) {
        const struct deploy_setting *setting = &settings.items[i];
        const char *word =
            setting->argument ? arena_printf(arena, "%s=%s", setting->option, setting->argument) : setting->option;
        deploy_append(arena, text, " \\\n    %s", deploy_unit_word(arena, word));
    }
    if (contract && contract->health.command.count)
        deploy_append(arena, text, " \\\n    --health-on-failure=kill");
    if (deployment->process->stop_signal)
        deploy_append(arena, text, " \\\n    --stop-signal=%s", deployment->process->stop_signal);
    deploy_append(arena, text, " \\\n    %s\n", deploy_unit_word(arena, deployment->reference));
}

void deploy_add_service(struct arena *arena, const struct deployment *deployment, struct deploy_files *files)
{
    const char *use = arena_printf(
        arena, "Put it into /etc/systemd/system; then: systemctl daemon-reload && systemctl enable --now %s",
        deployment->name);
    const char *text = deploy_head(arena, deployment, DEPLOY_SYSTEMD, use);
    deploy_append(arena, &text,
                  "%sRequiresMountsFor=%%t/containers\n\n[Service]\nType=notify\nNotifyAccess=all\n"
                  "Environment=PODMAN_SYSTEMD_UNIT=%%n\nRestart=always\nTimeoutStartSec=900\nTimeoutStopSec=70\n"
                  "ExecStartPre=/bin/rm -f %%t/%%n.ctr-id\n",
                  deploy_unit_section(arena, deployment));
    if (deployment->network)
        deploy_append(arena, &text, "ExecStartPre=-/usr/bin/podman network create %s\n", deployment->network);
    add_start(arena, deployment, &text);
    deploy_append(arena, &text,
                  "ExecStop=/usr/bin/podman stop --ignore --cidfile=%%t/%%n.ctr-id\n"
                  "ExecStopPost=/usr/bin/podman rm --force --ignore --cidfile=%%t/%%n.ctr-id\n\n"
                  "[Install]\nWantedBy=multi-user.target default.target\n");
    struct deploy_file file = {
        .name = arena_printf(arena, "%s.service", deployment->name), .folder = "/etc/systemd/system", .text = text};
    list_add(arena, files, file);
}
