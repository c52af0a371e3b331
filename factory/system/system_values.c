/* SPDX-License-Identifier: Apache-2.0 */
#include "system/system_values.h"

#include "plan/contract.h"

static const char *const forced[] = {"DESTDIR",       "NAME",     "EXEC_START", "EXEC_STOP", "EXEC_STARTPRE",
                                     "EXEC_STOPPOST", "HOST_UID", "HOST_GID",   "IMAGE_ID",  "IMAGE_NAME"};
static const char *const given[] = {"RUN_DIRECTORY", "STATE_DIRECTORY",          "CONF_DIRECTORY", "UUID",
                                    "PIDFILE",       "ALL_PROCESS_CAPABILITIES", "RUNTIME",        "ATOMIC"};

const char *system_unit_path(struct arena *arena, const char *name)
{
    return arena_printf(arena, "%s/%s.service", SYSTEM_UNITS, name);
}

const char *system_tmpfiles_path(struct arena *arena, const char *name)
{
    return arena_printf(arena, "%s/%s.conf", SYSTEM_TMPFILES_D, name);
}

enum value_giver value_giver_of(const char *name)
{
    for (size_t i = 0; i < ARRAY_COUNT(forced); i++) {
        if (strcmp(forced[i], name) == 0)
            return VALUE_FORCED;
    }
    for (size_t i = 0; i < ARRAY_COUNT(given); i++) {
        if (strcmp(given[i], name) == 0)
            return VALUE_GIVEN;
    }
    return VALUE_FREE;
}

static bool has_use(struct text service, const char *plain, const char *braced)
{
    return memmem(service.ptr, service.len, plain, strlen(plain)) ||
           memmem(service.ptr, service.len, braced, strlen(braced));
}

bool system_is_detached(struct text service)
{
    return service.len && has_use(service, "$EXEC_STOPPOST", "${EXEC_STOPPOST}") &&
           has_use(service, "$PIDFILE", "${PIDFILE}");
}

static void give(struct arena *arena, struct system_values *values, const char *name, const char *value)
{
    if (!system_values_get(values, name))
        system_values_set(arena, values, name, value);
}

/* The members of a JSON list. */
static const char *all_capabilities(struct arena *arena)
{
    struct strings names = contract_capabilities(arena), quoted = {0};
    for (size_t i = 0; i < names.count; i++)
        list_add(arena, &quoted, arena_printf(arena, "\"CAP_%s\"", names.items[i]));
    return strings_join(arena, &quoted, ", ");
}

/* As _generate_systemd_runtime_startstop_directives(): in the foreground, or detached with a PID file. */
static void force_commands(struct arena *arena, struct system_values *values, const struct system_facts *facts,
                           bool is_detached)
{
    const char *name = facts->name, *cgroup = facts->uid ? "" : " --systemd-cgroup"; /* which is root's */
    const char *runtime = system_values_get(values, "RUNTIME"), *pidfile = system_values_get(values, "PIDFILE");
    const char *start = arena_printf(arena, "%s%s run '%s'", runtime, cgroup, name);
    const char *stop = arena_printf(arena, "%s%s kill '%s'", runtime, cgroup, name);
    if (is_detached)
        start = arena_printf(arena, "%s%s run -d --pid-file %s '%s'", runtime, cgroup, pidfile, name);
    system_values_set(arena, values, "EXEC_START", start);
    system_values_set(arena, values, "EXEC_STOP", is_detached ? "" : stop);
    system_values_set(arena, values, "EXEC_STARTPRE", "");
    system_values_set(arena, values, "EXEC_STOPPOST",
                      is_detached ? arena_printf(arena, "%s delete '%s'", runtime, name) : "");
}

void system_values_complete(struct arena *arena, struct system_values *values, const struct system_manifest *manifest,
                            const struct system_facts *facts, struct text service)
{
    give(arena, values, "RUN_DIRECTORY", "/run");
    give(arena, values, "PIDFILE",
         arena_printf(arena, "%s/container-%s.pid", system_values_get(values, "RUN_DIRECTORY"), facts->name));
    give(arena, values, "CONF_DIRECTORY", "/etc");
    give(arena, values, "STATE_DIRECTORY", "/var/lib");
    give(arena, values, "ALL_PROCESS_CAPABILITIES", all_capabilities(arena));
    give(arena, values, "RUNTIME", facts->runtime);
    give(arena, values, "ATOMIC", "/usr/bin/imgfactory");
    for (size_t i = 0; i < manifest->defaults.count; i++)
        give(arena, values, manifest->defaults.items[i].name, manifest->defaults.items[i].value);
    give(arena, values, "UUID", facts->uuid);
    system_values_set(arena, values, "DESTDIR", facts->destination);
    system_values_set(arena, values, "NAME", facts->name);
    force_commands(arena, values, facts, system_is_detached(service));
    system_values_set(arena, values, "HOST_UID", arena_printf(arena, "%u", facts->uid));
    system_values_set(arena, values, "HOST_GID", arena_printf(arena, "%u", facts->gid));
    system_values_set(arena, values, "IMAGE_NAME", facts->image);
    system_values_set(arena, values, "IMAGE_ID", facts->image_id);
}
