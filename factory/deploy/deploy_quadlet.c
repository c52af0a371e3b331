/* SPDX-License-Identifier: Apache-2.0 */
/* Quadlet units (podman-systemd.unit(5)). */
#include "deploy/deploy_parts.h"

#define FOLDER "/etc/containers/systemd"

static void add_settings(struct arena *arena, const struct deployment *deployment, const char **text)
{
    struct deploy_settings settings = deploy_settings_of(arena, deployment);
    for (size_t i = 0; i < settings.count; i++) {
        const struct deploy_setting *setting = &settings.items[i];
        if (!setting->key)
            deploy_append(arena, text, "PodmanArgs=%s%s%s\n", setting->option, setting->argument ? "=" : "",
                          setting->argument ? deploy_unit_word(arena, setting->argument) : "");
        else
            deploy_append(arena, text, "%s=%s\n", setting->key,
                          setting->is_word ? deploy_unit_word(arena, setting->value)
                                           : deploy_unit_value(arena, setting->value));
    }
    if (deployment->contract && deployment->contract->health.command.count)
        deploy_append(arena, text, "HealthOnFailure=kill\n");
}

/* What only some want, for them to uncomment. */
static void add_optional(struct arena *arena, const struct contract *contract, const char **text)
{
    for (size_t i = 0; contract && i < contract->host.count; i++) {
        const struct contract_mount *mount = &contract->host.items[i];
        if (mount->is_optional)
            deploy_append(arena, text, "# In place of what the image has%s%s:\n# Volume=%s\n",
                          mount->purpose ? ", " : "", mount->purpose ? deploy_unit_value(arena, mount->purpose) : "",
                          deploy_mount(arena, mount));
    }
}

static void add_volumes(struct arena *arena, const struct deployment *deployment, struct deploy_files *files)
{
    struct deploy_volumes volumes = deploy_volumes_of(arena, deployment);
    for (size_t i = 0; i < volumes.count; i++) {
        struct deploy_file file = {.name = arena_printf(arena, "%s.volume", volumes.items[i].name),
                                   .folder = FOLDER,
                                   .text =
                                       arena_printf(arena, "# %s of %s\n[Volume]\nVolumeName=%s\n",
                                                    volumes.items[i].path, deployment->name, volumes.items[i].name)};
        list_add(arena, files, file);
    }
}

void deploy_add_quadlet(struct arena *arena, const struct deployment *deployment, struct deploy_files *files)
{
    const char *use = arena_printf(arena, "Put it into " FOLDER "; then: systemctl daemon-reload && systemctl start %s",
                                   deployment->name);
    const char *text = deploy_head(arena, deployment, DEPLOY_QUADLET, use);
    const char *signal = deployment->process->stop_signal;
    deploy_append(arena, &text, "%s\n[Container]\nContainerName=%s\nImage=%s\nPull=%s\n",
                  deploy_unit_section(arena, deployment), deployment->name,
                  deploy_unit_value(arena, deployment->reference),
                  deployment->is_pinned || deployment->is_local ? "missing" : "newer");
    add_settings(arena, deployment, &text);
    if (signal)
        deploy_append(arena, &text, "StopSignal=%s\n", signal);
    add_optional(arena, deployment->contract, &text);
    deploy_append(arena, &text,
                  "\n[Service]\nRestart=always\nTimeoutStartSec=900\n\n[Install]\nWantedBy=multi-user.target "
                  "default.target\n");
    struct deploy_file file = {
        .name = arena_printf(arena, "%s.container", deployment->name), .folder = FOLDER, .text = text};
    list_add(arena, files, file);
    add_volumes(arena, deployment, files);
}
