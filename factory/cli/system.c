/* SPDX-License-Identifier: Apache-2.0 */
/* imgfactory system: the words, and what concerns the host alone. */
#include "cli/system.h"

#include "base/auto.h"
#include "bill/record.h"
#include "package/path.h"
#include "system/system_switch.h"

#include <time.h>

const struct command_verb system_verbs[] = {
    [SYSTEM_LINT] = {"lint", "IMAGE|DIR", "tell which rules the image, or a folder of templates, breaks", 1, 1},
    [SYSTEM_INSTALL] = {"install", "IMAGE --name NAME", "unpack it, write config.json, unit and tmpfiles.d", 0, 1},
    [SYSTEM_UPDATE] = {"update", "NAME [IMAGE]", "to what the image is now; values stay, the version before too", 1, 2},
    [SYSTEM_ROLLBACK] = {"rollback", "NAME", "back to the version before", 1, 1},
    [SYSTEM_UNINSTALL] = {"uninstall", "NAME", "remove it", 1, 1},
    [SYSTEM_LIST] = {"list", "", "tell what is installed", 0, 0},
    {0},
};

static const char *word(const struct system_call *call, size_t index)
{
    const struct strings *words = &call->command->options.words;
    return index < words->count ? words->items[index] : NULL;
}

static bool read_verb(struct system_call *call, struct err *err)
{
    struct arena *arena = &call->command->arena;
    const char *verb = word(call, 0), *nearest;
    struct strings names = {0};
    for (size_t i = 0; system_verbs[i].name; i++) {
        const struct command_verb *row = &system_verbs[i];
        list_add(arena, &names, row->name);
        if (!verb || strcmp(row->name, verb) != 0)
            continue;
        size_t count = call->command->options.words.count - 1;
        call->verb = (enum system_verb)i;
        if (count >= row->least && count <= row->most)
            return true;
        err_set(err, ERR_USAGE, "usage: imgfactory system %s%s%s", verb, *row->words ? " " : "", row->words);
        return false;
    }
    nearest = verb ? text_nearest(verb, names.items, names.count) : NULL;
    if (nearest)
        err_set(err, ERR_USAGE, "system has no '%s'; did you mean %s?", text_printable(arena, text_of(verb)), nearest);
    else
        err_set(err, ERR_USAGE, "system wants one of %s; imgfactory help system tells what they do",
                strings_join(arena, &names, ", "));
    return false;
}

/* Refuses options that a verb has no use for. */
static bool check_options(const struct system_call *call, struct err *err)
{
    const struct options *options = &call->command->options;
    bool is_new = call->verb == SYSTEM_INSTALL || call->verb == SYSTEM_UPDATE;
    bool has_image = is_new || call->verb == SYSTEM_LINT;
    const struct {
        const char *name;
        bool is_given, is_fine;
    } rows[] = {{"--name", options->name != NULL, call->verb == SYSTEM_INSTALL},
                {"--set", options->set.count > 0, is_new},
                {"--key", options->keys.count > 0, has_image},
                {"--policy", options->policy != NULL, has_image},
                {"--signed-as", options->signed_as != NULL, has_image},
                {"--no-policy", options->is_without_policy, has_image},
                {"--rootfs", options->rootfs != NULL, is_new},
                {"--host-root", options->host_root != NULL, call->verb != SYSTEM_LINT},
                {"--runtime", options->runtime != NULL, is_new}};
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        if (!rows[i].is_given || rows[i].is_fine)
            continue;
        err_set(err, ERR_USAGE, "%s has no meaning for system %s", rows[i].name, system_verbs[call->verb].name);
        return false;
    }
    return true;
}

static bool read_set(struct system_call *call, struct err *err)
{
    struct arena *arena = &call->command->arena;
    const struct options *options = &call->command->options;
    for (size_t i = 0; i < options->set.count; i++) {
        const char *item = options->set.items[i], *sign = strchr(item, '=');
        const char *name = sign ? arena_strndup(arena, item, (size_t)(sign - item)) : item;
        if (!sign || !system_template_is_name(name)) {
            err_set(err, ERR_USAGE, "--set %s: wants NAME=VALUE", item);
            return false;
        }
        if (value_giver_of(name) == VALUE_FORCED) {
            err_set(err, ERR_USAGE, "--set %s: the installer gives this variable its value", name);
            return false;
        }
        if (strpbrk(sign, "\n\r")) {
            err_set(err, ERR_USAGE, "--set %s: a value is one line", name);
            return false;
        }
        system_values_set(arena, &call->set, name, sign + 1);
    }
    if (options->runtime)
        system_values_set(arena, &call->set, "RUNTIME", options->runtime);
    return true;
}

/* The name that an image's word has without registry, tag and digest; of a file or folder its own. */
static const char *name_of(struct arena *arena, const char *image)
{
    const char *slash = strrchr(image, '/'), *name = slash ? slash + 1 : image;
    name = arena_strndup(arena, name, strcspn(name, ":@"));
    static const char *const endings[] = {".tar.gz", ".tgz", ".tar"};
    for (size_t i = 0; i < ARRAY_COUNT(endings); i++) {
        if (text_has_suffix(text_of(name), endings[i]))
            return arena_strndup(arena, name, strlen(name) - strlen(endings[i]));
    }
    return name;
}

/* The path from the root of "PATH" or "PATH:TAG"; NULL when there is no such file or folder. */
static const char *whole_path(struct arena *arena, const char *path)
{
    for (const char *end = path + strlen(path);; end--) {
        if (end > path && (!*end || *end == ':')) {
            AUTO(auto_free) char *whole = realpath(arena_strndup(arena, path, (size_t)(end - path)), NULL);
            if (whole)
                return arena_printf(arena, "%s%s", whole, end);
        }
        if (end == path)
            return NULL;
    }
}

/* What is remembered of a word: a path from the root, whatever the folder one stands in at the next update. */
static const char *image_of(const struct system_call *call, const char *image)
{
    static const char *const prefixes[] = {"oci:", "oci-archive:", "docker-archive:"};
    struct arena *arena = &call->command->arena;
    const char *output = command_first(call->command->options.output, call->command->site.output, "out"), *path = NULL;
    size_t skip = 0;
    for (size_t i = 0; i < ARRAY_COUNT(prefixes); i++)
        skip = strncmp(image, prefixes[i], strlen(prefixes[i])) == 0 ? strlen(prefixes[i]) : skip;
    path = whole_path(arena, image + skip);
    if (!path && !strchr(image, '/'))
        path = whole_path(arena, arena_printf(arena, "%s/%s", output, image));
    return path ? arena_printf(arena, "%.*s%s", (int)skip, image, path) : image;
}

/* Says what there is to tell. */
static void tell(struct system_call *call)
{
    for (size_t i = 0; i < call->place.said.count; i++)
        log_line(call->command->log, LOG_QUIET, "%s", call->place.said.items[i]);
    call->place.said.count = 0;
}

static bool open_place(struct system_call *call, bool is_written, struct err *err)
{
    struct command *command = call->command;
    const char *root = command->options.host_root ? command->options.host_root : "/";
    struct lock_wait wait = command->lock_wait;
    return system_place_open(&command->arena, root, is_written, &wait, &call->place, err) &&
           (!is_written || system_switch_recover(&call->place, &command->arena, err));
}

/* --- list --- */

static json_t *container_json(const struct system_call *call, const char *name, const struct system_versions *versions)
{
    const struct system_info *info = &versions->info;
    char date[32] = "";
    time_t created = (time_t)info->created_time;
    struct tm parts;
    if (gmtime_r(&created, &parts))
        (void)strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%SZ", &parts);
    const char *state = !info->has_service                                        ? "no service"
                        : !call->place.is_live                                    ? "unknown"
                        : system_place_systemctl(&call->place, "is-active", name) ? "running"
                        : system_place_systemctl(&call->place, "is-failed", name) ? "failed"
                                                                                  : "inactive";
    json_t *json =
        json_pack("{s:s, s:o, s:o, s:o, s:s, s:I, s:b, s:s}", "name", name, "image", record_text(info->image), "digest",
                  info->revision ? record_text(info->revision) : json_null(), "version",
                  info->version ? record_text(info->version) : json_null(), "installed", date, "deployment",
                  (json_int_t)versions->number, "rollback", versions->has_other, "state", state);
    json_t *set = json_object();
    for (size_t i = 0; i < info->set.count; i++)
        (void)json_object_set_new(set, info->set.items[i].name, record_text(info->set.items[i].value));
    (void)json_object_set_new(json, "set", set);
    if (info->rootfs)
        (void)json_object_set_new(json, "rootfs", record_text(info->rootfs));
    return json;
}

/* One whose record cannot be read. */
static json_t *damaged_json(const char *name, const struct err *reason)
{
    return json_pack("{s:s, s:s, s:o}", "name", name, "state", "damaged", "error", record_text(reason->text));
}

static const char *text_at(const json_t *json, const char *key)
{
    const char *value = json_string_value(json_object_get(json, key));
    return value ? value : "-";
}

static void print_list(struct arena *arena, const json_t *list)
{
    json_t *item;
    size_t i;
    if (json_array_size(list))
        (void)printf("%-20s %-12s %-11s %-20s %s\n", "NAME", "VERSION", "STATE", "INSTALLED", "IMAGE");
    json_array_foreach((json_t *)list, i, item)
    {
        (void)printf("%-20s %-12s %-11s %-20s %s%s\n", text_shown(arena, text_at(item, "name")),
                     text_shown(arena, text_at(item, "version")), text_at(item, "state"), text_at(item, "installed"),
                     text_shown(arena, text_at(item, "image")),
                     json_is_true(json_object_get(item, "rollback")) ? " (and the version before)" : "");
    }
}

static void print(const struct system_call *call, json_t *containers)
{
    if (!call->command->options.is_json) {
        print_list(&call->command->arena, containers);
        return;
    }
    json_auto_t *json = json_pack("{s:s, s:O}", "imgfactory", IMGFACTORY_VERSION, "containers", containers);
    (void)json_dumpf(json, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII);
    (void)fputc('\n', stdout);
}

/* One that is damaged hides none of the others. */
static bool list(struct system_call *call, struct err *err)
{
    struct arena *arena = &call->command->arena;
    enum err_kind gravest = ERR_NONE;
    size_t damaged_count = 0;
    json_auto_t *containers = json_array();
    if (!open_place(call, false, err))
        return false;
    struct strings names = system_place_names(&call->place, arena);
    for (size_t i = 0; i < names.count; i++) {
        const char *name = names.items[i];
        struct system_versions versions;
        struct err damage = {0};
        if (!system_place_versions(&call->place, arena, name, &versions, &damage)) {
            (void)json_array_append_new(containers, damaged_json(name, &damage));
            list_add(arena, &call->place.said, arena_printf(arena, "%s: %s", name, damage.text));
            if (!damaged_count++ || err_kind_is_graver(damage.kind, gravest))
                gravest = damage.kind;
        } else if (versions.is_there) {
            (void)json_array_append_new(containers, container_json(call, name, &versions));
        }
    }
    if (damaged_count)
        err_set(err, gravest,
                "%zu of %zu containers cannot be read: restore what is damaged, or remove NAME, NAME.0 and NAME.1 from "
                "%s%s, and its unit, and install it again",
                damaged_count, json_array_size(containers), call->place.host.shown, SYSTEM_PLACE);
    print(call, containers);
    return !damaged_count;
}

/* --- what needs no image --- */

static bool roll_back(struct system_call *call, struct err *err)
{
    struct system_info info;
    if (!open_place(call, true, err) || !system_rollback(&call->place, &call->command->arena, call->name, &info, err))
        return false;
    if (!call->command->options.is_quiet)
        (void)printf("%s is again as of %s%s%s\n", call->name, text_shown(&call->command->arena, info.image),
                     info.version ? ", version " : "",
                     info.version ? text_shown(&call->command->arena, info.version) : "");
    return true;
}

static bool uninstall(struct system_call *call, struct err *err)
{
    if (!open_place(call, true, err) || !system_uninstall(&call->place, &call->command->arena, call->name, err))
        return false;
    if (!call->command->options.is_quiet)
        (void)printf("%s is removed\n", call->name);
    return true;
}

/* Finds the tree of --rootfs: below the host's root where it is there, else on this machine. */
static bool find_rootfs(struct system_call *call, const char *given, struct err *err)
{
    struct arena *arena = &call->command->arena;
    const char *root = call->place.host.shown, *why;
    AUTO(auto_free) char *real = realpath(given, NULL);
    AUTO(auto_free) char *real_root = realpath(*root ? root : "/", NULL);
    const char *path = given[0] == '/' ? path_exact(arena, text_of(given), &why) : NULL;
    struct stat status;
    size_t len = real_root && strcmp(real_root, "/") != 0 ? strlen(real_root) : 0;
    if (path && system_host_stat(&call->place.host, path, &status))
        call->rootfs = path;
    else if (real)
        call->rootfs = arena_strdup(arena, len && path_is_within(real, real_root) ? real + len : real);
    if (!call->rootfs || !*call->rootfs) {
        err_set(err, ERR_USAGE, "--rootfs %s: there is no such folder", given);
        return false;
    }
    return true;
}

static bool begin_install(struct system_call *call, struct err *err)
{
    struct command *command = call->command;
    struct arena *arena = &command->arena;
    const struct options *options = &command->options;
    bool is_update = call->verb == SYSTEM_UPDATE;
    const char *given = word(call, is_update ? 2 : 1), *rootfs = options->rootfs;
    if (!is_update) {
        call->name = options->name ? options->name : given ? name_of(arena, given) : NULL;
        if (!call->name || (!given && !rootfs)) {
            err_set(err, ERR_USAGE, "system install wants an IMAGE, or --rootfs DIR and --name NAME");
            return false;
        }
    }
    if (!system_name_check(call->name, err) || !open_place(call, true, err) ||
        !system_begin(&call->place, arena, call->name, is_update, &call->versions, err))
        return false;
    if (!rootfs && is_update)
        call->rootfs = call->versions.info.rootfs;
    if (rootfs && !find_rootfs(call, rootfs, err))
        return false;
    call->image = given ? image_of(call, given) : is_update ? call->versions.info.image : NULL;
    if (call->rootfs && !given)
        call->image = NULL; /* a tree needs none; what was remembered of it is its own path */
    struct strings words = {0};
    list_add(arena, &words, system_verbs[call->verb].name);
    if (call->image)
        list_add(arena, &words, call->image);
    command->options.words = words;
    return true;
}

bool system_call_begin(struct command *command, struct system_call *ret_call, bool *ret_is_done, struct err *err)
{
    struct system_call *call = ret_call;
    *call = (struct system_call){.command = command, .place = {.host.root = -1, .base = -1, .lock = -1}};
    *ret_is_done = true;
    if (!read_verb(call, err) || !check_options(call, err) || !read_set(call, err))
        return false;
    call->name = call->verb == SYSTEM_LINT || call->verb == SYSTEM_INSTALL ? NULL : word(call, 1);
    bool is_good = true;
    switch (call->verb) {
    case SYSTEM_LINT:
        *ret_is_done = false;
        break;
    case SYSTEM_INSTALL:
    case SYSTEM_UPDATE:
        *ret_is_done = false;
        is_good = begin_install(call, err);
        break;
    case SYSTEM_ROLLBACK:
        is_good = roll_back(call, err);
        break;
    case SYSTEM_UNINSTALL:
        is_good = uninstall(call, err);
        break;
    case SYSTEM_LIST:
        is_good = list(call, err);
        break;
    }
    tell(call);
    return is_good;
}

void system_call_end(struct system_call *call)
{
    tell(call);
    system_place_close(&call->place);
}
