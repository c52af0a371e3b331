/* SPDX-License-Identifier: Apache-2.0 */
#include "service/unit.h"

#include "effect/script_wishes.h"
#include "package/capability_sets.h"
#include "package/path.h"
#include "plan/rules.h"
#include "service/preparing.h"

#define SERVICE "Service"
#define PREPARED_MAX 100 /* commands of one key */

/* What the settings of a unit are put into. */
struct setting {
    struct arena *arena;
    const struct packaged *packaged;
    struct unit *unit;
    struct manifest_config *config;
    struct wishes *wishes;
    struct strings *notes;
    const char *user, *group; /* who owns its directories */
};

static bool fail(const struct unit_directive *directive, const struct unit_file *file, const char *why, struct err *err)
{
    err_set(err, ERR_MALFORMED, "package %s: %s:%zu: %s", file->package->name, directive->path, directive->line, why);
    return false;
}

/* A note of a unit begins with its name. */
#define NOTE(setting, ...) add_note(setting, arena_printf((setting)->arena, __VA_ARGS__))
static void add_note(struct setting *setting, const char *text)
{
    list_add(setting->arena, setting->notes, arena_printf(setting->arena, "%s: %s", setting->unit->file.name, text));
}

/* Directories that a unit is given, and the variable that tells the program where they are. */
static const struct kind {
    const char *key, *mode, *base, *variable;
    bool is_roots, is_volume;
} kinds[] = {{"RuntimeDirectory", "RuntimeDirectoryMode", "/run", "RUNTIME_DIRECTORY", false, false},
             {"StateDirectory", "StateDirectoryMode", "/var/lib", "STATE_DIRECTORY", false, true},
             {"CacheDirectory", "CacheDirectoryMode", "/var/cache", "CACHE_DIRECTORY", false, false},
             {"LogsDirectory", "LogsDirectoryMode", "/var/log", "LOGS_DIRECTORY", false, false},
             {"ConfigurationDirectory", "ConfigurationDirectoryMode", "/etc", "CONFIGURATION_DIRECTORY", true, false}};

/* Lists the names of a kind's directories; NULL, or why they cannot be read. */
static const char *list_directories(struct arena *arena, const struct unit_file *file, const struct kind *kind,
                                    struct strings *ret_names)
{
    struct unit_directives directives;
    const char *why = NULL;
    *ret_names = (struct strings){0};
    unit_file_list(arena, file, SERVICE, kind->key, &directives);
    for (size_t i = 0; !why && i < directives.count; i++) {
        struct strings names = {0};
        why = unit_words_list(arena, file->name, directives.items[i]->value, NULL, &names);
        for (size_t j = 0; !why && j < names.count; j++)
            list_add(arena, ret_names, arena_strndup(arena, names.items[j], strcspn(names.items[j], ":")));
    }
    return why;
}

/* systemd.exec(5), RuntimeDirectory=: "$RUNTIME_DIRECTORY" and its like, paths with colons between. */
static bool read_directories(struct arena *arena, struct unit *unit, struct err *err)
{
    for (size_t i = 0; i < ARRAY_COUNT(kinds); i++) {
        struct strings names, paths = {0};
        if (list_directories(arena, &unit->file, &kinds[i], &names))
            continue;
        for (size_t j = 0; j < names.count; j++)
            list_add(arena, &paths, arena_printf(arena, "%s/%s", kinds[i].base, names.items[j]));
        const char *why = paths.count ? environment_set(arena, &unit->environment, text_of(kinds[i].variable),
                                                        strings_join(arena, &paths, ":"))
                                      : NULL;
        if (why)
            return fail(unit_file_find(&unit->file, SERVICE, kinds[i].key), &unit->file, why, err);
    }
    return true;
}

/* Sets variables of words "NAME=value"; of words that are not known only that there is one. */
static const char *set_variables(struct arena *arena, const struct strings *words, bool is_known,
                                 struct environment *environment)
{
    const char *why = NULL;
    for (size_t i = 0; i < words->count && !why; i++) {
        struct text value = text_of(words->items[i]), name;
        (void)text_next(&value, '=', &name);
        if (name.len < strlen(words->items[i]))
            why = environment_set(arena, environment, name, is_known ? value.ptr : NULL);
    }
    return why;
}

/* Environment=. */
static bool read_variables(struct arena *arena, struct unit *unit, struct err *err)
{
    struct unit_directives directives;
    unit_file_list(arena, &unit->file, SERVICE, "Environment", &directives);
    for (size_t i = 0; i < directives.count; i++) {
        struct strings words, unknown = {0};
        if (unit_words_list(arena, unit->file.name, directives.items[i]->value, &unknown, &words))
            continue;
        const char *why = set_variables(arena, &words, true, &unit->environment);
        why = why ? why : set_variables(arena, &unknown, false, &unit->environment);
        if (why)
            return fail(directives.items[i], &unit->file, why, err);
    }
    return true;
}

/* One file of EnvironmentFile=. */
static bool read_variables_file(struct arena *arena, const struct packaged *packaged, const struct wishes *made,
                                const struct unit_directive *directive, struct unit *unit, struct err *err)
{
    bool is_optional = directive->value[0] == '-';
    const char *why = NULL, *path = unit_words_expand(arena, unit->file.name, directive->value + is_optional);
    path = path ? path_canonical(arena, text_of(path), &why) : NULL;
    struct text text = TEXT("");
    bool is_found = false;
    if (path && !packaged_read(arena, packaged, made, path, &text, &is_found, err))
        return false;
    if (!is_found && !is_optional)
        list_add(arena, &unit->missing, directive->value);
    why = environment_read(arena, &unit->environment, text);
    return !why || fail(directive, &unit->file, why, err);
}

static bool read_environment(struct arena *arena, const struct packaged *packaged, const struct wishes *made,
                             struct unit *unit, struct err *err)
{
    struct unit_directives files;
    if (!read_directories(arena, unit, err) || !read_variables(arena, unit, err))
        return false;
    unit_file_list(arena, &unit->file, SERVICE, "EnvironmentFile", &files);
    for (size_t i = 0; i < files.count; i++) {
        if (!read_variables_file(arena, packaged, made, files.items[i], unit, err))
            return false;
    }
    return true;
}

/* Lists what the unit's command starts in its turn. */
static bool list_started(struct arena *arena, const struct packaged *packaged, const struct wishes *made,
                         struct unit *unit, struct err *err)
{
    struct script_text script;
    bool is_shell;
    if (!started_script_text(arena, packaged, &unit->environment, &unit->command.words, &script, &is_shell, err))
        return false;
    script.name = unit->file.name;
    script.made = made;
    if (is_shell)
        started_script_commands(arena, packaged, &script, &unit->started);
    return true;
}

bool unit_read(struct arena *arena, const struct packaged *packaged, const struct packaged_file *file, const char *name,
               const struct wishes *made, struct unit *ret_unit, struct err *err)
{
    struct unit unit = {.made = made};
    struct unit_commands commands = {0};
    struct unit_directives starts;
    if (!unit_file_read(arena, packaged, file, name, &unit.file, err) ||
        !read_environment(arena, packaged, made, &unit, err))
        return false;
    unit_file_list(arena, &unit.file, SERVICE, "ExecStart", &starts);
    for (size_t i = 0; i < starts.count && !commands.count; i++) {
        unit.why_no_command = unit_words_commands(arena, name, starts.items[i]->value, &unit.environment, &commands);
        if (unit.why_no_command == environment_too_much)
            return fail(starts.items[i], &unit.file, environment_too_much, err);
    }
    if (commands.count) {
        unit.command = commands.items[0];
        if (!list_started(arena, packaged, made, &unit, err))
            return false;
    }
    const char *otherwise = !starts.count                                    ? "oneshot"
                            : unit_file_find(&unit.file, SERVICE, "BusName") ? "dbus"
                                                                             : "simple";
    unit.type = unit_file_value(&unit.file, SERVICE, "Type", otherwise);
    *ret_unit = unit;
    return true;
}

/* Returns a value of the unit with its specifiers put in; NULL when there is none for an image. */
static const char *value_of(struct setting *setting, const char *key)
{
    const char *value = unit_file_value(&setting->unit->file, SERVICE, key, NULL);
    const char *expanded = value ? unit_words_expand(setting->arena, setting->unit->file.name, value) : NULL;
    if (value && !expanded)
        NOTE(setting, "%s=%s has a specifier that only a running machine has", key,
             text_printable(setting->arena, text_of(value)));
    return expanded;
}

static const char *account_of(struct setting *setting, const char *key)
{
    const char *name = value_of(setting, key);
    uint32_t number;
    if (!name || rule_is_user_name(name) || rule_parse_id(name, &number))
        return name;
    NOTE(setting, "%s=%s can be no account's name", key, text_printable(setting->arena, text_of(name)));
    return NULL;
}

static const char *giver_of(const struct setting *setting, const char *key)
{
    return arena_printf(setting->arena, "%s= of %s", key, setting->unit->file.name);
}

/* The user that systemd would make for a service: called as the unit, or as User= says. */
static const char *dynamic_user(struct setting *setting, const char *user)
{
    const char *name = setting->unit->file.name, *dot = strrchr(name, '.');
    const char *giver = giver_of(setting, "DynamicUser");
    char *made = arena_strndup(setting->arena, name, dot ? (size_t)(dot - name) : strlen(name));
    for (char *at = made; *at; at++)
        *at = (*at >= 'A' && *at <= 'Z') ? (char)(*at + 'a' - 'A') : strchr("@.:\\", *at) ? '_' : *at;
    user = user ? user : made;
    if (!rule_is_user_name(user)) {
        NOTE(setting, "DynamicUser=: %s can be no account's name", text_printable(setting->arena, text_of(user)));
        return NULL;
    }
    list_add(setting->arena, &setting->wishes->groups,
             (struct wish_group){.name = user, .gid = WISH_NUMBER_FREE, .giver = giver});
    list_add(setting->arena, &setting->wishes->users,
             (struct wish_user){.name = user,
                                .comment = "",
                                .home = "/",
                                .shell = "/usr/sbin/nologin",
                                .uid = WISH_NUMBER_FREE,
                                .group = user,
                                .giver = giver});
    return user;
}

static void set_user(struct setting *setting)
{
    const struct unit_file *file = &setting->unit->file;
    const char *user = account_of(setting, "User"), *group = account_of(setting, "Group");
    const char *more = value_of(setting, "SupplementaryGroups");
    if (unit_file_is_true(file, SERVICE, "DynamicUser"))
        user = dynamic_user(setting, user);
    setting->user = user ? user : "root";
    setting->group = group ? group : setting->user;
    /* With '+' or '!' the program begins as root, and becomes the user by itself. */
    if (user && !setting->unit->command.is_privileged)
        setting->config->user = group ? arena_printf(setting->arena, "%s:%s", user, group) : user;
    else if (group && !setting->unit->command.is_privileged)
        setting->config->user = arena_printf(setting->arena, "root:%s", group);
    if (more)
        NOTE(setting,
             "SupplementaryGroups=%s: an image's user has only the groups of its account; "
             "run it with --group-add",
             text_printable(setting->arena, text_of(more)));
}

static uint32_t mode_of(const char *mode)
{
    uint32_t value = 0;
    for (; *mode >= '0' && *mode <= '7'; mode++)
        value = (value * 8 + (uint32_t)(*mode - '0')) & 07777;
    return value ? value : 0755;
}

/* Adds the directories above as systemd makes them: root's, open to all. */
static void add_directory(struct setting *setting, const struct kind *kind, const char *name)
{
    const char *path = arena_printf(setting->arena, "%s/%s", kind->base, name);
    const char *mode = unit_file_value(&setting->unit->file, SERVICE, kind->mode, "0755");
    if (name[0] == '/' || rule_path(path)) {
        NOTE(setting, "%s=%s is no place below %s", kind->key, text_printable(setting->arena, text_of(name)),
             kind->base);
        return;
    }
    preparing_add_directory(setting->arena,
                            &(struct wish_made){.path = path,
                                                .mode = mode_of(mode),
                                                .owner = kind->is_roots ? "root" : setting->user,
                                                .group = kind->is_roots ? "root" : setting->group,
                                                .giver = giver_of(setting, kind->key)},
                            setting->wishes);
    if (kind->is_volume && !strings_has(&setting->config->volumes, path))
        list_add(setting->arena, &setting->config->volumes, path);
}

static void set_directories(struct setting *setting)
{
    for (size_t i = 0; i < ARRAY_COUNT(kinds); i++) {
        struct strings names;
        const char *why = list_directories(setting->arena, &setting->unit->file, &kinds[i], &names);
        if (why)
            NOTE(setting, "%s= has %s", kinds[i].key, why);
        for (size_t j = 0; j < names.count; j++)
            add_directory(setting, &kinds[i], names.items[j]);
    }
}

/* The directory of the file with the process's number, below /run and not it; it is the user's who writes it. */
static void set_pid_directory(struct setting *setting)
{
    const char *file = value_of(setting, "PIDFile"), *why = NULL;
    file = file && file[0] != '/' ? arena_printf(setting->arena, "/run/%s", file) : file;
    file = file ? path_canonical(setting->arena, text_of(file), &why) : NULL;
    const char *path = file ? path_through_run(setting->arena, path_dirname(setting->arena, file)) : "/run";
    if (strncmp(path, "/run/", 5) == 0)
        preparing_add_directory(setting->arena,
                                &(struct wish_made){.path = path,
                                                    .mode = 0755,
                                                    .owner = setting->user,
                                                    .group = setting->group,
                                                    .yields_to_tmpfiles = true,
                                                    .giver = giver_of(setting, "PIDFile")},
                                setting->wishes);
}

/* What commands of one key make. */
struct preparation {
    struct setting *setting;
    const char *key, *giver;
    const char *text;    /* of commands that no shell starts: what one makes, the next one changes */
    struct strings left; /* those that may do more than what is made here */
};

static void evaluate(struct preparation *preparation, struct script_text *script, struct wishes *ret_wishes,
                     struct strings *ret_left)
{
    const struct setting *setting = preparation->setting;
    const struct packaged *packaged = setting->packaged;
    struct script_wishes_request request = {
        .packages = packaged->packages, .own_count = packaged->count, .set = packaged->set};
    script->name = preparation->giver;
    script->made = setting->unit->made;
    script_wishes_of_text(setting->arena, &request, script, ret_wishes, ret_left);
}

/* Takes over what a command makes; *ret_is_all is false when it may do more. */
static bool prepare(struct preparation *preparation, const struct strings *words, bool *ret_is_all, struct err *err)
{
    struct setting *setting = preparation->setting;
    struct script_text script;
    struct wishes wishes;
    struct strings left;
    bool is_shell;
    if (!started_script_text(setting->arena, setting->packaged, &setting->unit->environment, words, &script, &is_shell,
                             err))
        return false;
    evaluate(preparation, &script, &wishes, &left);
    *ret_is_all = !left.count;
    if (is_shell)
        *setting->wishes = wishes_join(setting->arena, setting->wishes, &wishes);
    else
        preparation->text = arena_printf(setting->arena, "%s%s", preparation->text, script.text);
    return true;
}

static bool prepare_directive(struct preparation *preparation, const struct unit_directive *directive, struct err *err)
{
    struct setting *setting = preparation->setting;
    struct unit_commands commands = {0};
    bool is_all = !unit_words_commands(setting->arena, setting->unit->file.name, directive->value,
                                       &setting->unit->environment, &commands);
    for (size_t i = 0; i < commands.count; i++) {
        bool is_made;
        if (!prepare(preparation, &commands.items[i].words, &is_made, err))
            return false;
        is_all = is_all && is_made;
    }
    if (!is_all)
        list_add(setting->arena, &preparation->left,
                 arena_printf(setting->arena, "'%s'", text_printable(setting->arena, text_of(directive->value))));
    return true;
}

static bool set_prepared(struct setting *setting, const char *key, struct err *err)
{
    struct preparation preparation = {.setting = setting, .key = key, .giver = giver_of(setting, key), .text = ""};
    struct unit_directives directives;
    unit_file_list(setting->arena, &setting->unit->file, SERVICE, key, &directives);
    if (directives.count > PREPARED_MAX)
        return fail(directives.items[PREPARED_MAX], &setting->unit->file, "more commands than are allowed", err);
    for (size_t i = 0; i < directives.count; i++) {
        if (!prepare_directive(&preparation, directives.items[i], err))
            return false;
    }
    struct script_text script = {.text = preparation.text};
    struct wishes wishes;
    struct strings left;
    evaluate(&preparation, &script, &wishes, &left);
    *setting->wishes = wishes_join(setting->arena, setting->wishes, &wishes);
    if (preparation.left.count)
        NOTE(setting, "%s= runs %s, which nothing does in an image", key,
             strings_join(setting->arena, &preparation.left, ", "));
    return true;
}

static void set_words(struct setting *setting)
{
    const struct unit_file *file = &setting->unit->file;
    const char *dir = value_of(setting, "WorkingDirectory"),
               *signal = unit_file_value(file, SERVICE, "KillSignal", NULL);
    dir = dir && dir[0] == '-' ? dir + 1 : dir;
    size_t len = dir ? strlen(dir) : 0;
    while (len > 1 && dir[len - 1] == '/') /* as systemd takes it */
        len--;
    dir = dir ? arena_strndup(setting->arena, dir, len) : NULL;
    if (dir && !rule_path_or_root(dir))
        setting->config->working_dir = dir;
    else if (dir)
        NOTE(setting, "WorkingDirectory=%s is no absolute path", text_printable(setting->arena, text_of(dir)));
    if (signal && rule_is_signal(signal))
        setting->config->stop_signal = signal;
}

/* What the command did not stand for is the program's own. */
static void set_environment(struct setting *setting)
{
    const struct environment *environment = &setting->unit->environment;
    for (size_t i = 0; i < environment->count; i++) {
        const struct environment_variable *variable = &environment->items[i];
        if (!variable->is_used && variable->value && rule_is_one_line(variable->value, false))
            list_add(setting->arena, &setting->wishes->env,
                     (struct wish_variable){variable->name, variable->value, giver_of(setting, "Environment")});
    }
}

/* What a runtime gives to every container, and the kernel takes from who is not root, the program gets back by its file. */
static void give_capabilities(struct setting *setting, uint64_t set)
{
    const struct strings *command = &setting->unit->command.words;
    struct wish_owner owner = {.capabilities = set, .giver = giver_of(setting, "AmbientCapabilities")};
    if (!command->count)
        return;
    owner.path = packaged_reached(setting->arena, setting->packaged, command->items[0]);
    list_add(setting->arena, &setting->wishes->owners, owner);
}

/* Words that a unit says to the kernel, and that only a runtime can. */
static void tell_rights(struct setting *setting)
{
    const struct unit_file *file = &setting->unit->file;
    const char *kept = unit_file_value(file, SERVICE, "AmbientCapabilities", NULL);
    const char *mask = unit_file_value(file, SERVICE, "UMask", NULL);
    for (size_t i = 0; i < setting->unit->missing.count; i++)
        NOTE(setting, "EnvironmentFile=%s is in none of its packages", setting->unit->missing.items[i]);
    uint64_t all = capability_sets_parse(kept ? kept : ""), usual = capability_sets_usual(all);
    if (usual && setting->config->user)
        give_capabilities(setting, usual);
    if (kept && (all != usual || !all))
        NOTE(setting, "AmbientCapabilities=%s: run it with --cap-add for what the runtime does not give", kept);
    if (mask && mode_of(mask) != 0022)
        NOTE(setting, "UMask=%s is not in an image; the runtime's own holds", mask);
}

bool unit_settings(struct arena *arena, const struct packaged *packaged, struct unit *unit,
                   struct manifest_config *config, struct wishes *wishes, struct strings *notes, struct err *err)
{
    struct setting setting = {
        .arena = arena, .packaged = packaged, .unit = unit, .config = config, .wishes = wishes, .notes = notes};
    set_user(&setting);
    set_directories(&setting);
    if (!set_prepared(&setting, "ExecStartPre", err) || !set_prepared(&setting, "ExecStartPost", err))
        return false;
    set_pid_directory(&setting);
    set_words(&setting);
    set_environment(&setting);
    tell_rights(&setting);
    return true;
}
