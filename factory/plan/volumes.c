/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/volumes.h"

#include "plan/manifest_parts.h"
#include "plan/rules.h"
#include "plan/services.h"
#include "plan/start_scripts.h"

#define GIVER "data"

/* The tables below are the definition of the format; manifests/README.md explains them. */
#define FIELD(type, struct_name, key, member, is_required)                                                             \
    YAML_FIELD(type, struct_name, key, member, is_required, ALTERS_ORDER)

struct volume_form {
    const char *path;
    struct strings paths;
    bool is_kept;
};

struct program_form {
    struct strings command, variables;
};

static const struct yaml_field volume_fields[] = {
    FIELD(YAML_STRING, volume_form, "volume", path, true),
    FIELD(YAML_STRINGS, volume_form, "paths", paths, true),
    FIELD(YAML_BOOL, volume_form, "keep", is_kept, false),
};

static const struct yaml_field configure_fields[] = {
    FIELD(YAML_STRINGS, program_form, "command", command, true),
    FIELD(YAML_STRINGS, program_form, "variables", variables, false),
};

static const struct yaml_field upgrade_fields[] = {
    FIELD(YAML_STRINGS, program_form, "command", command, true),
};

static const struct yaml_table tables[] = {
    {"data[]", volume_fields, ARRAY_COUNT(volume_fields)},
    {"configure", configure_fields, ARRAY_COUNT(configure_fields)},
    {"upgrade", upgrade_fields, ARRAY_COUNT(upgrade_fields)},
};

struct yaml_tables volumes_tables(void)
{
    return (struct yaml_tables){tables, ARRAY_COUNT(tables)};
}

struct reading {
    struct arena *arena;
    struct manifest_form *form;
    struct volumes *volumes;
};

static bool refuse(const struct reading *reading, const struct yaml_node *node, const char *value, const char *why,
                   struct err *err)
{
    return yaml_fail(node, err, "'%s' %s", text_printable(reading->arena, text_of(value)), why);
}

static bool is_within(const char *path, const char *folder)
{
    size_t len = strlen(folder);
    return strncmp(path, folder, len) == 0 && (path[len] == '/' || path[len] == '\0');
}

static bool is_over_or_within(const char *a, const char *b)
{
    return is_within(a, b) || is_within(b, a);
}

/* Why a path cannot be in a volume, or NULL. */
static const char *why_not_path(const struct reading *reading, const char *path)
{
    static const char *const needed[] = {START_DIR, "/etc/build-id", "/etc/passwd", "/etc/group",
                                         "/usr/lib/os-release"};
    static const char *const engines[] = {"/dev", "/proc", "/sys", "/run", "/tmp"};
    for (size_t i = 0; i < ARRAY_COUNT(needed); i++) {
        if (is_over_or_within(path, needed[i]))
            return arena_printf(reading->arena, "holds, or is, what is needed before a volume is there: %s", needed[i]);
    }
    for (size_t i = 0; i < ARRAY_COUNT(engines); i++) {
        if (is_within(path, engines[i]))
            return "is made anew at each start";
    }
    for (size_t i = 0; i < reading->volumes->list.count; i++) {
        const struct volume *volume = &reading->volumes->list.items[i];
        if (is_over_or_within(path, volume->path) ||
            is_over_or_within(path, arena_printf(reading->arena, "%s-template", volume->path)))
            return "is in a volume, or holds one";
        for (size_t j = 0; j < volume->paths.count; j++) {
            if (is_over_or_within(path, volume->paths.items[j].path))
                return arena_printf(reading->arena, "and '%s' are in one another", volume->paths.items[j].path);
        }
    }
    return NULL;
}

static bool add_path(const struct reading *reading, struct volume *volume, const char *text,
                     const struct yaml_node *node, struct err *err)
{
    size_t len = strlen(text);
    struct volume_path path = {.is_directory = len > 1 && text[len - 1] == '/'};
    path.path = arena_strndup(reading->arena, text, path.is_directory ? len - 1 : len);
    const char *why = rule_path(path.path);
    why = why ? why : why_not_path(reading, path.path);
    if (why)
        return refuse(reading, node, text, why, err);
    list_add(reading->arena, &volume->paths, path);
    return true;
}

static bool read_volume(const struct reading *reading, const struct yaml_node *node, struct err *err)
{
    struct volume_form form = {.is_kept = true};
    if (!yaml_read(reading->arena, node, volume_fields, ARRAY_COUNT(volume_fields), &form, err))
        return false;
    const struct yaml_node *place = yaml_get(node, "volume"), *list = yaml_get(node, "paths");
    const char *why = rule_path(form.path);
    why = why ? why : why_not_path(reading, form.path);
    why = why || !strpbrk(form.path, ": ") ? why : "cannot be mounted, as it has a colon or a blank";
    if (why)
        return refuse(reading, place, form.path, why, err);
    if (!form.paths.count || form.paths.count > VOLUME_PATHS_MAX)
        return yaml_fail(list, err, "'paths' wants 1 to %d paths", VOLUME_PATHS_MAX);
    list_add(reading->arena, &reading->volumes->list,
             ((struct volume){.path = form.path, .is_lost = !form.is_kept, .node = node}));
    struct volume *volume = &reading->volumes->list.items[reading->volumes->list.count - 1];
    for (size_t i = 0; i < form.paths.count; i++) {
        if (!add_path(reading, volume, form.paths.items[i], yaml_item(list, i), err))
            return false;
    }
    return true;
}

static bool read_volumes(const struct reading *reading, struct err *err)
{
    const struct yaml_node *list = reading->form->data;
    if (list->kind != YAML_SEQUENCE || !list->count || list->count > VOLUMES_MAX)
        return yaml_fail(list, err, "'data' wants a list (lines that begin with '- ') of 1 to %d volumes", VOLUMES_MAX);
    for (size_t i = 0; i < list->count; i++) {
        if (!read_volume(reading, list->items[i], err))
            return false;
    }
    const struct volumes *volumes = reading->volumes;
    return !volumes->list.items[0].is_lost ||
           yaml_fail(list->items[0], err, "the first volume is kept: it tells which builds used it");
}

static void make_file(const struct reading *reading, const char *path, uint32_t mode, const char *content)
{
    start_make(reading->arena, &reading->form->manifest,
               (struct wish_made){
                   .kind = MADE_FILE, .path = path, .mode = mode, .content = content, .node = reading->form->root},
               GIVER);
}

/* Reads one of the set-up programs and makes the script that starts it. */
static bool read_program(const struct reading *reading, const char *name, const struct yaml_node *node,
                         const struct yaml_field *fields, size_t field_count, struct strings *ret_variables,
                         struct err *err)
{
    struct program_form form = {0};
    struct strings words = {0};
    if (!yaml_read(reading->arena, node, fields, field_count, &form, err))
        return false;
    const char *why = form.command.count ? rule_path(form.command.items[0]) : "must name a program";
    if (why)
        return refuse(reading, node, form.command.count ? form.command.items[0] : "command", why, err);
    for (size_t i = 0; i < form.command.count; i++) {
        if (!rule_is_one_line(form.command.items[i], false))
            return refuse(reading, node, form.command.items[i], "must be one line of text", err);
        list_add(reading->arena, &words, text_shell_word(reading->arena, form.command.items[i]));
    }
    for (size_t i = 0; i < form.variables.count; i++) {
        if (!rule_is_variable(form.variables.items[i]))
            return refuse(reading, node, form.variables.items[i], "is no name of a variable (letters, digits, '_')",
                          err);
    }
    make_file(reading, arena_printf(reading->arena, START_DIR "/%s", name), 0755,
              arena_printf(reading->arena, "#!/bin/sh\nexec %s\n", strings_join(reading->arena, &words, " ")));
    if (fields == configure_fields)
        make_file(reading, START_DIR "/variables", 0644,
                  form.variables.count
                      ? arena_printf(reading->arena, "%s\n", strings_join(reading->arena, &form.variables, "\n"))
                      : "");
    start_want_program(reading->arena, &reading->form->manifest, form.command.items[0]);
    if (form.variables.count)
        *ret_variables = form.variables;
    return true;
}

/* Whether systemd is what the start program becomes. */
static bool is_systemd(const struct reading *reading)
{
    const struct strings *words = &reading->form->manifest.config.entrypoint;
    return reading->form->services && words->count == 2 && strcmp(words->items[1], SERVICES_SYSTEMD) == 0;
}

/* Under systemd the set-up programs are a unit's, so that they can call systemctl; it ends the container when they fail. */
static void make_unit(const struct reading *reading, const struct strings *variables)
{
    static const char unit[] = "/etc/systemd/system/imgfactory-setup.service";
    struct arena *arena = reading->arena;
    const char *pass =
        variables->count ? arena_printf(arena, "PassEnvironment=%s\n", strings_join(arena, variables, " ")) : "";
    make_file(reading, unit, 0644,
              arena_printf(arena,
                           "[Unit]\nDescription=Set-up programs of this image\nAfter=basic.target\n"
                           "FailureAction=exit\n\n"
                           "[Service]\nType=oneshot\nRemainAfterExit=yes\nTimeoutStartSec=infinity\n%s"
                           "StandardOutput=journal+console\nExecStart=" START_DIR "/setup %s\n",
                           pass, reading->volumes->list.items[0].path));
    start_make(arena, &reading->form->manifest,
               (struct wish_made){.kind = MADE_SYMLINK,
                                  .path = "/etc/systemd/system/multi-user.target.wants/imgfactory-setup.service",
                                  .mode = 0777,
                                  .target = unit,
                                  .node = reading->form->root},
               GIVER);
    make_file(reading, START_DIR "/late", 0644, "");
}

static bool read_programs(const struct reading *reading, struct err *err)
{
    const struct manifest_form *form = reading->form;
    struct strings variables = {0};
    if ((form->configure && !read_program(reading, "configure", form->configure, configure_fields,
                                          ARRAY_COUNT(configure_fields), &variables, err)) ||
        (form->upgrade && !read_program(reading, "upgrade", form->upgrade, upgrade_fields, ARRAY_COUNT(upgrade_fields),
                                        &variables, err)))
        return false;
    if (form->configure || form->upgrade)
        (void)start_add_script(reading->arena, &reading->form->manifest, "setup", NULL, 0);
    if ((form->configure || form->upgrade) && is_systemd(reading))
        make_unit(reading, &variables);
    return true;
}

/* The volumes are filled by root, who gives files to others. */
static bool check_rights(const struct reading *reading, struct err *err)
{
    static const char *const needed[] = {"CHOWN", "DAC_OVERRIDE", "FOWNER"};
    const struct manifest_form *form = reading->form;
    const struct manifest_config *config = &form->manifest.config;
    const struct contract *contract = form->contract;
    if (config->user && strcmp(config->user, "root") != 0 && strcmp(config->user, "0") != 0)
        return yaml_fail(form->data, err,
                         "'data' is filled by root: 'user' below 'config:' cannot be another one; a service can "
                         "('user' below 'services:')");
    for (size_t i = 0; contract && contract->has_capabilities && i < ARRAY_COUNT(needed); i++) {
        if (!strings_has(&contract->capabilities, needed[i]))
            return yaml_fail(form->data, err,
                             "who fills volumes needs 'capabilities: [CHOWN, DAC_OVERRIDE, FOWNER]' below 'run:'");
    }
    return true;
}

/* The command begins with the start program, which becomes what stood there. */
static bool prepend_start(const struct reading *reading, struct err *err)
{
    static const char *const tools[] = {"/usr/bin/chmod", "/usr/bin/chown", "/usr/bin/cmp",      "/usr/bin/cp",
                                        "/usr/bin/mkdir", "/usr/bin/mv",    "/usr/bin/readlink", "/usr/bin/rm",
                                        "/usr/bin/rmdir", "/usr/bin/sync"};
    static const char flock[] = "/usr/bin/flock", sleep[] = "/usr/bin/sleep"; /* static shells may lack the first */
    struct manifest *manifest = &reading->form->manifest;
    struct manifest_config *config = &manifest->config;
    const struct strings *command = config->entrypoint.count ? &config->entrypoint : &config->cmd;
    struct strings words = {0};
    if (!command->count)
        return yaml_fail(reading->form->data, err,
                         "'data' wants to know the command: 'services', or 'entrypoint' below 'config:'");
    if (rule_path(command->items[0]) || manifest_is_glob(command->items[0]))
        return yaml_fail(reading->form->data, err, "with 'data' the command begins with an absolute path");
    if (!strings_has(&manifest->binaries, command->items[0]))
        start_want_program(reading->arena, manifest, command->items[0]);
    list_add(reading->arena, &words, start_add_script(reading->arena, manifest, "start", tools, ARRAY_COUNT(tools)));
    start_want_file(reading->arena, manifest, flock, words.items[0]);
    if (!manifest->shell && strcmp(command->items[0], SERVICES_SYSTEMD) == 0)
        start_want_file(reading->arena, manifest, sleep, words.items[0]);
    for (size_t i = 0; i < config->entrypoint.count; i++)
        list_add(reading->arena, &words, config->entrypoint.items[i]);
    config->entrypoint = words;
    return true;
}

static void add_to_configuration(const struct reading *reading)
{
    struct manifest *manifest = &reading->form->manifest;
    struct contract *contract = reading->form->contract;
    if (manifest->base && !manifest->config.user)
        manifest->config.user = "0"; /* not the base's: root fills volumes */
    for (size_t i = 0; i < reading->volumes->list.count; i++) {
        const struct volume *volume = &reading->volumes->list.items[i];
        start_make(reading->arena, manifest,
                   (struct wish_made){.kind = MADE_DIRECTORY, .path = volume->path, .mode = 0755, .node = volume->node},
                   GIVER);
        if (!volume->is_lost && !strings_has(&manifest->config.volumes, volume->path))
            list_add(reading->arena, &manifest->config.volumes, volume->path);
        if (volume->is_lost && contract && !strings_has(&contract->tmpfs, volume->path))
            list_add(reading->arena, &contract->tmpfs, volume->path);
    }
}

static const char *join_paths(const struct reading *reading)
{
    struct strings paths = {0};
    for (size_t i = 0; i < reading->volumes->list.count; i++)
        list_add(reading->arena, &paths, reading->volumes->list.items[i].path);
    return arena_printf(reading->arena, "%s\n", strings_join(reading->arena, &paths, "\n"));
}

bool volumes_read(struct arena *arena, struct manifest_form *form, struct err *err)
{
    struct reading reading = {.arena = arena, .form = form, .volumes = arena_new(arena, struct volumes)};
    const struct yaml_node *program = form->configure ? form->configure : form->upgrade;
    if (!form->data)
        return !program || yaml_fail(program, err, "a set-up program wants 'data': what it makes has to stay");
    if (!read_volumes(&reading, err) || !check_rights(&reading, err) || !prepend_start(&reading, err) ||
        !read_programs(&reading, err))
        return false;
    add_to_configuration(&reading);
    make_file(&reading, START_DIR "/volumes", 0644, join_paths(&reading));
    form->manifest.volumes = reading.volumes;
    return true;
}
