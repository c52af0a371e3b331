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

/* What a policy that confines containers wants to know. */
static void say_selinux(struct arena *arena, const struct contract *contract, const char **text)
{
    bool is_labelled = false;
    for (size_t i = 0; i < contract->host.count; i++) {
        const struct contract_mount *mount = &contract->host.items[i];
        is_labelled = is_labelled || (!mount->is_shared && deploy_is_mounted(contract, mount));
        if (mount->is_shared)
            say(arena, text,
                arena_printf(arena, "SELinux: %s keeps its label; the policy has to allow it.", mount->host));
    }
    if (is_labelled)
        say(arena, text, "SELinux: Z labels the mounted paths for this container alone; nobody else should use them.");
    if (contract->devices.count)
        say(arena, text, "SELinux: devices need `setsebool -P container_use_devices on`.");
}

static void say_secrets(struct arena *arena, const struct deployment *deployment, const char **text)
{
    for (size_t i = 0; i < deployment->contract->secrets.count; i++)
        say(arena, text,
            arena_printf(arena, "Needs the secret %s-%s.", deployment->name, deployment->contract->secrets.items[i]));
}

static void say_contract(struct arena *arena, const struct deployment *deployment, const char **text)
{
    const struct contract *contract = deployment->contract;
    for (size_t i = 0; i < contract->needs.count; i++)
        say(arena, text, arena_printf(arena, "Needs %s.", contract->needs.items[i]));
    say_secrets(arena, deployment, text);
    if (!contract->has_capabilities)
        say(arena, text, "Not known: which capabilities it needs. It has those that the engine gives everybody.");
    for (size_t i = 0; i < contract->writes.count; i++)
        say(arena, text, arena_printf(arena, "Writes to %s, which is lost at its end.", contract->writes.items[i]));
    if (!contract->is_read_only && !contract->writes.count)
        say(arena, text, "Not known: what it writes to. Its root is not read-only.");
    say_health(arena, contract, text);
    say_selinux(arena, contract, text);
}

const char *deploy_head(struct arena *arena, const struct deployment *deployment, const char *use)
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
    if (deployment->contract)
        say_contract(arena, deployment, &text);
    return text;
}

const char *deploy_unit_section(struct arena *arena, const struct deployment *deployment)
{
    const char *description = deployment->description ? deployment->description : deployment->name;
    return arena_printf(arena, "[Unit]\nDescription=%s\nWants=network-online.target\nAfter=network-online.target\n",
                        deploy_unit_value(arena, description));
}
