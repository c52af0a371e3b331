/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/services.h"

#include "plan/manifest_parts.h"
#include "plan/rules.h"
#include "plan/start_scripts.h"

#define SERVICE_DIR "/etc/service"
#define UNITS_PACKAGED "/usr/lib/systemd/system"
#define UNITS_OWN "/etc/systemd/system"

/* The tables below are the definition of the format; manifests/README.md explains them. */
#define FIELD(type, struct_name, key, member, is_required)                                                             \
    YAML_FIELD(type, struct_name, key, member, is_required, ALTERS_ORDER)

struct service {
    const char *name, *unit, *user, *restart;
    struct strings command, ready, after;
    const struct yaml_node *node;
};

static const struct yaml_field service_fields[] = {
    FIELD(YAML_STRING, service, "name", name, false),       FIELD(YAML_STRINGS, service, "command", command, false),
    FIELD(YAML_STRING, service, "unit", unit, false),       FIELD(YAML_STRING, service, "user", user, false),
    FIELD(YAML_STRINGS, service, "after", after, false),    FIELD(YAML_STRINGS, service, "ready", ready, false),
    FIELD(YAML_STRING, service, "restart", restart, false),
};

static const struct yaml_table tables[] = {{"services[]", service_fields, ARRAY_COUNT(service_fields)}};

struct yaml_tables services_tables(void)
{
    return (struct yaml_tables){tables, ARRAY_COUNT(tables)};
}

enum init { INIT_TINI, INIT_RUNIT, INIT_SYSTEMD };
static const char *const init_names[] = {[INIT_TINI] = "tini", [INIT_RUNIT] = "runit", [INIT_SYSTEMD] = "systemd"};

struct services {
    struct arena *arena;
    struct manifest_form *form;
    enum init init;
    LIST(struct service) list;
    struct strings order; /* names, each behind those that it starts after */
};

static bool is_kept(const struct service *service)
{
    return !service->restart || strcmp(service->restart, "always") == 0;
}

static void make(struct services *services, struct wish_made made)
{
    made.node = services->form->services;
    start_make(services->arena, &services->form->manifest, made, SERVICES_GIVER);
}

static void make_script(struct services *services, const char *path, const char *content)
{
    make(services, (struct wish_made){.kind = MADE_FILE, .path = path, .mode = 0755, .content = content});
}

static void want_program(struct services *services, const char *path)
{
    start_want_program(services->arena, &services->form->manifest, path);
}

/* Refuses a value of a service. */
static bool refuse(struct services *services, const struct service *service, const char *key, const char *value,
                   const char *why, struct err *err)
{
    const struct yaml_node *node = yaml_get(service->node, key);
    return yaml_fail(node ? node : service->node, err, "'%s' %s", text_printable(services->arena, text_of(value)), why);
}

static bool check_program(struct services *services, const struct service *service, const char *key,
                          const struct strings *words, struct err *err)
{
    const char *why = words->count ? rule_path(words->items[0]) : NULL;
    if (why)
        return refuse(services, service, key, words->items[0], why, err);
    for (size_t i = 0; i < words->count; i++) {
        if (!rule_is_one_line(words->items[i], false))
            return refuse(services, service, key, words->items[i], "must be one line of text", err);
    }
    return true;
}

/* "slapd.service" → "slapd", "tor@default.service" → "tor-default" */
static const char *name_of_unit(struct arena *arena, const char *unit)
{
    char *name = arena_strndup(arena, unit, strcspn(unit, "."));
    for (char *c = name; *c; c++)
        *c = *c == '@' ? '-' : *c;
    return name;
}

static bool is_unit_name(const char *unit)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:_.@\\-";
    static const char *const kinds[] = {".service", ".socket", ".timer", ".path", ".target", ".mount"};
    bool has_kind = false;
    for (size_t i = 0; i < ARRAY_COUNT(kinds); i++)
        has_kind = has_kind || text_has_suffix(text_of(unit), kinds[i]);
    return has_kind && unit[0] != '.' && strlen(unit) < 200 && unit[strspn(unit, letters)] == '\0';
}

static bool check_service(struct services *services, struct service *service, struct err *err)
{
    bool is_unit = service->unit != NULL;
    if (is_unit == (service->command.count != 0))
        return yaml_fail(service->node, err, "a service has one of 'command' and 'unit'");
    if (is_unit && !is_unit_name(service->unit))
        return refuse(services, service, "unit", service->unit, "is no unit's name, such as slapd.service", err);
    if (!service->name && is_unit)
        service->name = name_of_unit(services->arena, service->unit);
    if (!service->name)
        return yaml_fail(service->node, err, "a service with a 'command' wants a 'name'");
    if (!rule_is_image_name(service->name))
        return refuse(services, service, "name", service->name, "is no name: [a-z0-9]+([._-][a-z0-9]+)*", err);
    if (service->restart && !is_kept(service) && strcmp(service->restart, "no") != 0)
        return refuse(services, service, "restart", service->restart, "is neither always nor no", err);
    if (is_unit && (service->user || service->ready.count))
        return yaml_fail(service->node, err, "'%s' is for commands: a unit says it by itself",
                         service->user ? "user" : "ready");
    const char *colon = service->user ? strchr(service->user, ':') : NULL;
    const char *user =
        colon ? arena_strndup(services->arena, service->user, (size_t)(colon - service->user)) : service->user;
    if (user && !manifest_knows_user(&services->form->manifest, user))
        return refuse(services, service, "user", user, "is not root, one of 'users', or a number", err);
    if (colon && !manifest_knows_group(&services->form->manifest, colon + 1))
        return refuse(services, service, "user", colon + 1, "is not root, one of 'groups', or a number", err);
    return check_program(services, service, "command", &service->command, err) &&
           check_program(services, service, "ready", &service->ready, err);
}

static bool read_list(struct services *services, struct err *err)
{
    const struct yaml_node *list = services->form->services;
    if (list->kind != YAML_SEQUENCE || !list->count || list->count > SERVICES_MAX)
        return yaml_fail(list, err, "'services' wants a list (lines that begin with '- ') of 1 to %d services",
                         SERVICES_MAX);
    for (size_t i = 0; i < list->count; i++) {
        struct service service = {.node = list->items[i]};
        if (!yaml_read(services->arena, list->items[i], service_fields, ARRAY_COUNT(service_fields), &service, err) ||
            !check_service(services, &service, err))
            return false;
        for (size_t j = 0; j < i; j++) {
            if (strcmp(services->list.items[j].name, service.name) == 0)
                return refuse(services, &service, "name", service.name, "comes twice", err);
        }
        list_add(services->arena, &services->list, service);
    }
    return true;
}

static const struct service *find_service(const struct services *services, const char *name)
{
    for (size_t i = 0; i < services->list.count; i++) {
        if (strcmp(services->list.items[i].name, name) == 0)
            return &services->list.items[i];
    }
    return NULL;
}

static bool check_after(struct services *services, const struct service *service, struct err *err)
{
    struct strings names = {0};
    for (size_t i = 0; i < services->list.count; i++)
        list_add(services->arena, &names, services->list.items[i].name);
    for (size_t i = 0; i < service->after.count; i++) {
        const char *nearest, *name = service->after.items[i];
        if (find_service(services, name))
            continue;
        nearest = text_nearest(name, names.items, names.count);
        return refuse(services, service, "after", name,
                      nearest ? arena_printf(services->arena, "is no service; did you mean '%s'?", nearest)
                              : "is no service of 'services'",
                      err);
    }
    return true;
}

/* Puts the names in an order in which each is behind those that it starts after. */
static bool find_order(struct services *services, struct err *err)
{
    for (size_t i = 0; i < services->list.count; i++) {
        if (!check_after(services, &services->list.items[i], err))
            return false;
    }
    while (services->order.count < services->list.count) {
        const struct service *next = NULL, *stuck = &services->list.items[0];
        for (size_t i = 0; i < services->list.count && !next; i++) {
            const struct service *service = &services->list.items[i];
            bool is_free = !strings_has(&services->order, service->name);
            stuck = is_free ? service : stuck;
            for (size_t j = 0; j < service->after.count && is_free; j++)
                is_free = strings_has(&services->order, service->after.items[j]);
            next = is_free ? service : NULL;
        }
        if (!next)
            return refuse(services, stuck, "after", stuck->name, "would wait for itself", err);
        list_add(services->arena, &services->order, next->name);
    }
    return true;
}

/* What is process 1: as `init` says, else by what the services are. */
static bool find_init(struct services *services, struct err *err)
{
    const char *word = services->form->init;
    bool has_units = false, has_commands = false, is_restarted = false, wants_runit = false;
    for (size_t i = 0; i < services->list.count; i++) {
        const struct service *service = &services->list.items[i];
        has_units = has_units || service->unit;
        has_commands = has_commands || !service->unit;
        is_restarted = is_restarted || (service->restart && is_kept(service));
        wants_runit = wants_runit || is_restarted || service->user || service->ready.count;
    }
    services->init = has_units ? INIT_SYSTEMD : services->list.count == 1 && !wants_runit ? INIT_TINI : INIT_RUNIT;
    const struct yaml_node *place = word ? yaml_get(services->form->root, "init") : services->form->services;
    bool is_known = !word;
    for (size_t i = 0; word && i < ARRAY_COUNT(init_names); i++) {
        if (strcmp(word, init_names[i]) != 0)
            continue;
        services->init = (enum init)i;
        is_known = true;
    }
    if (!is_known)
        return yaml_fail(place, err, "'init' is none of tini, runit and systemd");
    if (has_units && services->init != INIT_SYSTEMD)
        return yaml_fail(place, err, "units of packages want systemd as 'init'");
    if (has_commands && services->init == INIT_SYSTEMD)
        return yaml_fail(place, err, "systemd starts units: put the command into one, under 'create', and name that");
    if (services->list.count > 1 && services->init == INIT_TINI)
        return yaml_fail(place, err, "tini starts one service; several want runit or systemd");
    if (services->init == INIT_TINI && is_restarted)
        return yaml_fail(place, err, "tini starts nothing again: 'restart: always' wants runit");
    return true;
}

static const char *join_words(struct arena *arena, const struct strings *words)
{
    struct strings quoted = {0};
    for (size_t i = 0; i < words->count; i++)
        list_add(arena, &quoted, text_shell_word(arena, words->items[i]));
    return strings_join(arena, &quoted, " ");
}

/* run: waits for what it starts after, and becomes the service. */
static const char *print_run(struct arena *arena, const struct service *service)
{
    const char *wait = service->after.count ? arena_printf(arena, START_DIR "/await %s %s\n", service->name,
                                                           strings_join(arena, &service->after, " "))
                                            : "";
    const char *as = service->user ? arena_printf(arena, "chpst -u %s ", service->user) : "";
    return arena_printf(arena, "#!/bin/sh\nexec 2>&1\n%sexec %s%s\n", wait, as, join_words(arena, &service->command));
}

/* finish: what becomes of the container when a service ends by itself that is not started again. */
static const char *print_finish(struct arena *arena, const struct service *service)
{
    return arena_printf(arena,
                        "#!/bin/sh\n"
                        "# $1: exit status, or -1 and $2: the signal\n"
                        "[ ! -e /run/services/.stopping ] || exit 0\n"
                        "sv d . > /run/services/.told\n"
                        "if [ \"$1\" = 0 ]; then\n"
                        "    : > /run/services/.ended.%s\n"
                        "    exit 0\n"
                        "fi\n"
                        "status=$1\n"
                        "[ \"$1\" != -1 ] || status=$((128 + $2))\n"
                        "echo \"services: %s ended with status $status, which ends the container\"\n"
                        "echo \"$status\" > /run/services/.status\n"
                        "read -r pid < /run/services/.pid\n"
                        "kill -TERM \"$pid\"\n",
                        service->name, service->name);
}

static void add_folder(struct services *services, const struct service *service)
{
    struct arena *arena = services->arena;
    const char *folder = arena_printf(arena, SERVICE_DIR "/%s", service->name);
    make_script(services, arena_printf(arena, "%s/run", folder), print_run(arena, service));
    if (service->ready.count)
        make_script(
            services, arena_printf(arena, "%s/check", folder),
            arena_printf(arena, "#!/bin/sh\nexec > /dev/null 2>&1\nexec %s\n", join_words(arena, &service->ready)));
    if (!is_kept(service))
        make_script(services, arena_printf(arena, "%s/finish", folder), print_finish(arena, service));
    make(services, (struct wish_made){.kind = MADE_SYMLINK,
                                      .path = arena_printf(arena, "%s/supervise", folder),
                                      .mode = 0777,
                                      .target = arena_printf(arena, "/run/services/%s", service->name)});
    want_program(services, service->command.items[0]);
    if (service->ready.count)
        want_program(services, service->ready.items[0]);
}

static void add_runit(struct services *services)
{
    static const char *const programs[] = {"/usr/bin/runsvdir", "/usr/bin/runsv", "/usr/bin/sv", "/usr/bin/chpst"};
    static const char *const tools[] = {"/usr/bin/mkdir", "/usr/bin/rm", "/usr/bin/sleep"};
    struct manifest *manifest = &services->form->manifest;
    for (size_t i = 0; i < services->list.count; i++)
        add_folder(services, &services->list.items[i]);
    for (size_t i = 0; i < ARRAY_COUNT(programs); i++)
        want_program(services, programs[i]);
    make(services, (struct wish_made){.kind = MADE_FILE,
                                      .path = START_DIR "/services",
                                      .mode = 0644,
                                      .content = arena_printf(services->arena, "%s\n",
                                                              strings_join(services->arena, &services->order, "\n"))});
    (void)start_add_script(services->arena, manifest, "await", tools, ARRAY_COUNT(tools));
    list_add(services->arena, &manifest->config.entrypoint,
             start_add_script(services->arena, manifest, "supervise", tools, ARRAY_COUNT(tools)));
}

static void add_tini(struct services *services)
{
    static const char *const words[] = {"/usr/bin/tini", "--"};
    const struct service *service = &services->list.items[0];
    struct strings *entrypoint = &services->form->manifest.config.entrypoint;
    for (size_t i = 0; i < ARRAY_COUNT(words); i++)
        list_add(services->arena, entrypoint, words[i]);
    for (size_t i = 0; i < service->command.count; i++)
        list_add(services->arena, entrypoint, service->command.items[i]);
    want_program(services, words[0]);
    want_program(services, service->command.items[0]);
}

/* The unit's file, of which an instance has its template's. */
static const char *unit_path(struct arena *arena, const struct service *service)
{
    const char *at = strchr(service->unit, '@'), *dot = strrchr(service->unit, '.');
    if (!at || at > dot)
        return arena_printf(arena, UNITS_PACKAGED "/%s", service->unit);
    return arena_printf(arena, UNITS_PACKAGED "/%.*s%s", (int)(at + 1 - service->unit), service->unit, dot);
}

/* What an administrator would have called systemctl enable for; its order and restarts are a drop-in. */
static void add_unit(struct services *services, const struct service *service)
{
    static const char *const wants[][2] = {{".socket", "sockets"}, {".timer", "timers"}};
    struct arena *arena = services->arena;
    const char *target = "multi-user", *path = unit_path(arena, service), *lines = "";
    const char *own = arena_printf(arena, UNITS_OWN "/%s", strrchr(path, '/') + 1);
    for (size_t i = 0; i < ARRAY_COUNT(wants); i++)
        target = text_has_suffix(text_of(service->unit), wants[i][0]) ? wants[i][1] : target;
    if (wishes_made(&services->form->manifest.wishes, own))
        path = own;
    else
        start_want_file(arena, &services->form->manifest, path, SERVICES_GIVER);
    make(services,
         (struct wish_made){.kind = MADE_SYMLINK,
                            .path = arena_printf(arena, UNITS_OWN "/%s.target.wants/%s", target, service->unit),
                            .mode = 0777,
                            .target = path});
    for (size_t i = 0; i < service->after.count; i++) {
        const char *unit = find_service(services, service->after.items[i])->unit;
        lines = arena_printf(arena, "%sAfter=%s\nRequires=%s\n", lines, unit, unit);
    }
    if (service->restart)
        lines = is_kept(service) ? arena_printf(arena, "%s\n[Service]\nRestart=always\n", lines)
                                 : arena_printf(arena, "%sFailureAction=exit\n\n[Service]\nRestart=no\n", lines);
    if (*lines)
        make(services, (struct wish_made){.kind = MADE_FILE,
                                          .path = arena_printf(arena, UNITS_OWN "/%s.d/imgfactory.conf", service->unit),
                                          .mode = 0644,
                                          .content = arena_printf(arena, "[Unit]\n%s", lines)});
}

static void add_systemd(struct services *services)
{
    struct arena *arena = services->arena;
    struct manifest *manifest = &services->form->manifest;
    for (size_t i = 0; i < services->list.count; i++)
        add_unit(services, &services->list.items[i]);
    if (!wishes_package(&manifest->wishes, "systemd"))
        list_add(arena, &manifest->wishes.packages,
                 ((struct wish_package){.name = "systemd", .giver = SERVICES_GIVER}));
    manifest->installs = true;
    make(services, (struct wish_made){.kind = MADE_SYMLINK,
                                      .path = UNITS_OWN "/default.target",
                                      .mode = 0777,
                                      .target = UNITS_PACKAGED "/multi-user.target"});
    make(services, (struct wish_made){.kind = MADE_FILE, .path = "/etc/machine-id", .mode = 0444, .content = ""});
    list_add(arena, &manifest->config.entrypoint, SERVICES_SYSTEMD);
    if (!manifest->config.stop_signal)
        manifest->config.stop_signal = "SIGRTMIN+3"; /* systemd(1): halts; SIGTERM would reload it */
}

/* What the contract of the image has to have for them. */
static bool settle_contract(struct services *services, struct err *err)
{
    static const char *const needed[] = {"SETUID", "SETGID", "KILL"};
    static const char *const tmpfs[] = {"/run", "/tmp"};
    struct contract *contract = services->form->contract;
    for (size_t i = 0; contract && i < ARRAY_COUNT(tmpfs) && services->init != INIT_TINI; i++) {
        if (!strings_has(&contract->tmpfs, tmpfs[i]))
            list_add(services->arena, &contract->tmpfs, tmpfs[i]);
    }
    for (size_t i = 0; i < services->list.count; i++) {
        const struct service *service = &services->list.items[i];
        for (size_t j = 0; service->user && contract && contract->has_capabilities && j < ARRAY_COUNT(needed); j++) {
            if (!strings_has(&contract->capabilities, needed[j]))
                return refuse(services, service, "user", service->user,
                              "is another user: whoever starts it and ends it needs 'capabilities: [SETUID, SETGID, "
                              "KILL]' below 'run:'",
                              err);
        }
        if (services->init == INIT_TINI && (service->user || service->ready.count || service->after.count))
            return yaml_fail(service->node, err,
                             "'user', 'ready' and 'after' are for runit; one service has 'user' below 'config:' and "
                             "'health' below 'run:'");
    }
    return true;
}

bool services_read(struct arena *arena, struct manifest_form *form, struct err *err)
{
    struct services services = {.arena = arena, .form = form};
    if (form->init && !form->services)
        return yaml_fail(yaml_get(form->root, "init"), err, "'init' is for 'services', which are not given");
    if (!form->services)
        return true;
    if (form->config && (yaml_get(form->config, "entrypoint") || yaml_get(form->config, "cmd")))
        return yaml_fail(form->services, err,
                         "with 'services' there is neither 'entrypoint' nor 'cmd' below 'config:'");
    if (!read_list(&services, err) || !find_order(&services, err) || !find_init(&services, err) ||
        !settle_contract(&services, err))
        return false;
    if (services.init == INIT_TINI)
        add_tini(&services);
    else if (services.init == INIT_RUNIT)
        add_runit(&services);
    else
        add_systemd(&services);
    return true;
}
