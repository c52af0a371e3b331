/* SPDX-License-Identifier: Apache-2.0 */
/* The image around /exports: labels, entry point, user, volumes, stop signal (OCI image-spec, config.md). */
#include "system/system_lint_parts.h"

#include "oci/config_read.h"
#include "oci/document_json.h"
#include "package/path.h"
#include "plan/rules.h"

#define PLACE_NAME "image configuration"

static void fault(struct lint *lint, const char *place, const char *text)
{
    system_find(lint->findings, false, PLACE_NAME, place, "%s", text);
}

/* Names of machine types: as images have them, as the kernel and labels do. */
static bool is_same_machine(const char *label, const char *architecture)
{
    static const char *const pairs[][2] = {{"amd64", "x86_64"}, {"arm64", "aarch64"}, {"386", "i686"},
                                           {"arm", "armv7hl"},  {"arm", "armv7l"},    {"arm", "armhf"},
                                           {"386", "i386"}};
    bool is_same = strcmp(label, architecture) == 0;
    for (size_t i = 0; i < ARRAY_COUNT(pairs); i++)
        is_same = is_same || (strcmp(pairs[i][0], architecture) == 0 && strcmp(pairs[i][1], label) == 0);
    return is_same;
}

static void check_labels(struct lint *lint, const json_t *labels, const char *architecture)
{
    static const char *const wanted[] = {"name", "version", "release", "architecture", "summary", "maintainer"};
    for (size_t i = 0; i < ARRAY_COUNT(wanted); i++) {
        const char *value = json_string_value(json_object_get(labels, wanted[i]));
        if (!value || !*value)
            fault(lint, arena_printf(lint->arena, "label %s", wanted[i]), "is missing");
    }
    const char *type = json_string_value(json_object_get(labels, "atomic.type")),
               *run = json_string_value(json_object_get(labels, "atomic.run")),
               *machine = json_string_value(json_object_get(labels, "architecture"));
    if (!type || strcmp(type, "system") != 0)
        fault(lint, "label atomic.type", "must be \"system\"");
    if (run && strcmp(run, "once") != 0)
        fault(lint, "label atomic.run", "can only be \"once\"");
    if (machine && *machine && architecture && !is_same_machine(machine, architecture))
        fault(lint, "label architecture",
              arena_printf(lint->arena, "is %s, but the image is for %s", machine, architecture));
    if (json_object_get(labels, "install") && !json_object_get(labels, "uninstall"))
        fault(lint, "label uninstall", "is missing; an image with the label install wants it");
}

/* Where a program is that is called by a path, or by a name of PATH; NULL: nowhere. */
static const struct entry *find_program(struct lint *lint, const char *word, const char *search)
{
    struct text rest = text_of(search ? search : "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"), dir;
    if (strchr(word, '/'))
        return ground_walk(lint->request->ground, lint->arena, word, NULL);
    while (text_next(&rest, ':', &dir)) {
        const char *path = arena_printf(lint->arena, "%.*s/%s", (int)dir.len, dir.ptr, word);
        const struct entry *entry = dir.len ? ground_walk(lint->request->ground, lint->arena, path, NULL) : NULL;
        if (entry && entry->kind != ENTRY_DIRECTORY)
            return entry;
    }
    return NULL;
}

/* The first word of a command is a program of the image that can be executed. */
static void check_program(struct lint *lint, const char *file, const char *place, const char *word, const char *search)
{
    if (!lint->request->ground)
        return;
    const struct entry *entry = find_program(lint, word, search);
    if (entry && entry->kind == ENTRY_HARDLINK)
        entry = ground_find(lint->request->ground, entry->target);
    if (!entry)
        system_find(lint->findings, false, file, place, "the image has no %s", word);
    else if (entry->kind != ENTRY_FILE || ground_is_special(entry) || !(entry->mode & 0111))
        system_find(lint->findings, false, file, place, "%s is no file that can be executed", word);
    else if (entry->interpreter && entry->interpreter[0] == '/' &&
             !ground_walk(lint->request->ground, lint->arena,
                          arena_strndup(lint->arena, entry->interpreter, strcspn(entry->interpreter, " \t")), NULL))
        system_find(lint->findings, false, file, place, "%s is a script of %s, which the image has not", word,
                    entry->interpreter);
}

static const char *search_of(const struct strings *env)
{
    for (size_t i = 0; i < env->count; i++) {
        if (strncmp(env->items[i], "PATH=", 5) == 0)
            return env->items[i] + 5;
    }
    return NULL;
}

/* Whether /etc/passwd or /etc/group has a name. */
static bool has_account(struct lint *lint, const char *file, struct text name)
{
    struct text rest = {0}, line;
    struct err ignored = {0};
    bool is_found;
    if (!ground_read(lint->request->ground, file, &rest, &is_found, &ignored) || !is_found)
        return false;
    while (text_next(&rest, '\n', &line)) {
        if (line.len > name.len && line.ptr[name.len] == ':' && memcmp(line.ptr, name.ptr, name.len) == 0)
            return true;
    }
    return false;
}

static void check_user(struct lint *lint, const struct strings *user)
{
    const char *word = user->count ? user->items[0] : "";
    struct text rest = text_of(word), name = {0}, group = {0};
    uint64_t number;
    if (!*word || !lint->request->ground)
        return;
    (void)text_next(&rest, ':', &name);
    group = rest;
    if (name.len && !text_parse_u64(name, &number) && !has_account(lint, "/etc/passwd", name))
        fault(lint, "User", arena_printf(lint->arena, "the image's /etc/passwd has no %.*s", (int)name.len, name.ptr));
    if (group.len && !text_parse_u64(group, &number) && !has_account(lint, "/etc/group", group))
        fault(lint, "User", arena_printf(lint->arena, "the image's /etc/group has no %.*s", (int)group.len, group.ptr));
}

/* A volume that nothing is mounted on lies on the read-only root. */
static void check_volumes(struct lint *lint, const struct strings *volumes)
{
    const json_t *mounts = json_object_get(lint->config, "mounts");
    for (size_t i = 0; i < volumes->count && i < SYSTEM_VARIABLES_MAX; i++) {
        const char *volume = volumes->items[i], *why;
        bool is_mounted = false;
        json_t *mount;
        size_t j;
        if (volume[0] != '/' || !path_exact(lint->arena, text_of(volume), &why)) {
            fault(lint, "Volumes", arena_printf(lint->arena, "%s is no absolute path", volume));
            continue;
        }
        json_array_foreach((json_t *)mounts, j, mount)
        {
            const char *destination = json_string_value(json_object_get(mount, "destination"));
            is_mounted = is_mounted || (destination && path_is_within(volume, destination));
        }
        if (lint->config && !is_mounted)
            fault(lint, "Volumes",
                  arena_printf(lint->arena,
                               "%s is a volume, but config.json.template mounts nothing there, and the root "
                               "is read-only",
                               volume));
    }
}

static void check_entry(struct lint *lint, const struct launch *launch)
{
    const struct strings *entry = &launch->entrypoint.words, *command = entry->count ? entry : &launch->cmd.words;
    const char *place = entry->count ? "Entrypoint" : "Cmd";
    if (!command->count || !*command->items[0])
        fault(lint, "Entrypoint", "is missing, and so is Cmd");
    else
        check_program(lint, PLACE_NAME, place, command->items[0], search_of(&launch->env.words));
}

/* The command of config.json, with its own PATH. */
static void check_args(struct lint *lint)
{
    const json_t *process = json_object_get(lint->config, "process");
    const char *word = json_string_value(json_array_get(json_object_get(process, "args"), 0));
    enum system_file which = lint->request->exports->files[SYSTEM_CONFIG].ptr ? SYSTEM_CONFIG : SYSTEM_CONFIG_PLAIN;
    struct strings env = {0};
    json_t *value;
    size_t i;
    json_array_foreach(json_object_get(process, "env"), i, value)
    {
        if (json_is_string(value))
            list_add(lint->arena, &env, json_string_value(value));
    }
    if (word && *word)
        check_program(lint, system_file_names[which], "/process/args/0", word, search_of(&env));
}

void lint_image(struct lint *lint)
{
    const struct lint_request *request = lint->request;
    struct config_facts facts;
    if (lint->config)
        check_args(lint);
    if (!request->config.ptr) {
        system_find(lint->findings, true, PLACE_NAME, NULL,
                    "a folder has none: labels, entry point, user, volumes and stop signal were not looked at");
        return;
    }
    config_read(lint->arena, request->config, &facts);
    json_auto_t *document = document_object(request->config);
    json_auto_t *image = json_object();
    document_config(image, request->config);
    for (size_t i = 0; i < facts.faults.count; i++)
        fault(lint, NULL, facts.faults.items[i]);
    check_labels(lint, json_object_get(image, "labels"), json_string_value(json_object_get(document, "architecture")));
    check_entry(lint, &facts.launch);
    check_user(lint, &facts.launch.user.words);
    check_volumes(lint, &facts.launch.volumes.words);
    if (facts.stop_signal.count && !rule_is_signal(facts.stop_signal.items[0]))
        fault(lint, "StopSignal", arena_printf(lint->arena, "%s is no signal", facts.stop_signal.items[0]));
}
