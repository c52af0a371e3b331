/* SPDX-License-Identifier: Apache-2.0 */
#include "deploy/deploy_settings.h"

const char *deploy_command(struct arena *arena, const struct deployment *deployment)
{
    struct deploy_settings settings = deploy_settings_of(arena, deployment);
    const char *line = "podman run";
    for (size_t i = 0; i < settings.count; i++) {
        const struct deploy_setting *setting = &settings.items[i];
        line = arena_printf(arena, "%s %s%s%s", line, setting->option, setting->argument ? "=" : "",
                            setting->argument ? text_shell_word(arena, setting->argument) : "");
    }
    return arena_printf(arena, "%s %s", line, text_shell_word(arena, deployment->reference));
}
