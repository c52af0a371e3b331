/* SPDX-License-Identifier: Apache-2.0 */
#include "service/running.h"

#include "package/capability_sets.h"
#include "package/path.h"
#include "plan/rules.h"
#include "service/init_script.h"
#include "service/ports.h"
#include "service/unit_choice.h"
#include "service/unit_contract.h"

/* What is being found out. */
struct finding {
    struct arena *arena;
    const struct running_question *question;
    struct unit_question units;
    struct running running;
    struct strings words;  /* the command */
    bool is_forking;       /* somebody says that it leaves the foreground */
    bool is_unsure;        /* the command is not as somebody says it */
    bool is_handed;        /* it was told that a socket unit hands it ports */
    const char *teller;    /* "nsd.service", or NULL */
    struct unit_file file; /* of the unit that tells; directives empty without one */
};

#define NOTE(finding, ...)                                                                                             \
    list_add((finding)->arena, &(finding)->running.notes, arena_printf((finding)->arena, __VA_ARGS__))

static const char *shown(const struct finding *finding, const char *string)
{
    return text_printable(finding->arena, text_of(string));
}

/* A command that is no path is looked for where systemd does. */
static const char *program_path(const struct finding *finding, const char *word)
{
    static const char *const dirs[] = {"/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin"};
    for (size_t i = 0; !strchr(word, '/') && i < ARRAY_COUNT(dirs); i++) {
        const char *path = arena_printf(finding->arena, "%s/%s", dirs[i], word);
        if (fileset_walk(finding->question->packaged.set, finding->arena, path, NULL, NULL))
            return path;
    }
    return word;
}

static void take_unit_command(struct finding *finding, const struct unit *unit, enum unit_relation relation)
{
    const struct unit_command *command = &unit->command;
    finding->words = command->words;
    /* A program that is handed its connections has other words there than by itself. */
    bool is_handed = strncmp(unit_file_value(&unit->file, "Service", "StandardInput", ""), "socket", 6) == 0;
    if (relation == UNIT_NAMED_LIKE_IT || !command->words.count || is_handed) {
        finding->words = (struct strings){0};
        list_add(finding->arena, &finding->words, finding->question->program);
        finding->is_unsure = true;
    }
    if (unit->why_no_command)
        NOTE(finding, "%s: its command has %s", unit->file.name, unit->why_no_command);
    else if (relation == UNIT_NAMED_LIKE_IT && command->words.count)
        NOTE(finding, "%s starts %s, the image %s by itself", unit->file.name, shown(finding, command->words.items[0]),
             finding->question->program);
    bool is_told = relation != UNIT_NAMED_LIKE_IT && command->words.count && !is_handed;
    for (size_t i = 0; is_told && i < unit->environment.unset.count; i++)
        NOTE(finding, "%s: its command has ${%s}, which is empty", unit->file.name, unit->environment.unset.items[i]);
    for (size_t i = 0; is_told && i < unit->environment.left_out.count; i++)
        NOTE(finding, "%s: its command's %s is left out: only a running machine knows its value", unit->file.name,
             shown(finding, unit->environment.left_out.items[i]));
    if (unit->is_cut && relation != UNIT_NAMED_LIKE_IT)
        NOTE(finding, "%s: only the first words of its command can be told", unit->file.name);
    if (is_handed)
        NOTE(finding, "%s is handed its connections by a socket unit; the image starts %s by itself", unit->file.name,
             finding->question->program);
    if (strstr(unit->file.path, "@.") && !strstr(unit->file.name, "@."))
        NOTE(finding, "%s is of a template; what it names by '%%i' has to be there", unit->file.name);
    if (command->argv0 && strcmp(path_basename(command->argv0), path_basename(finding->words.items[0])) != 0)
        NOTE(finding, "%s calls its program '%s', which an image cannot", unit->file.name,
             shown(finding, command->argv0));
}

static bool take_unit(struct finding *finding, const struct unit_choice *choice, struct err *err)
{
    struct unit unit = *choice->unit;
    finding->teller = unit.file.name;
    finding->file = unit.file;
    finding->running.told_by =
        arena_printf(finding->arena, "%s of package %s", unit.file.name, unit.file.package->name);
    finding->is_forking = strcmp(unit.type, "forking") == 0;
    take_unit_command(finding, &unit, choice->relation);
    if (!unit_settings(finding->arena, &finding->question->packaged, &unit, &finding->running.config,
                       &finding->running.wishes, &finding->running.notes, err))
        return false;
    if (strcmp(unit.type, "oneshot") == 0)
        NOTE(finding, "%s is a job that ends (Type=oneshot), not a service", unit.file.name);
    return true;
}

static void take_script(struct finding *finding, const struct init_script *script)
{
    finding->words = script->words;
    finding->is_unsure = !script->words.count;
    if (!script->words.count)
        list_add(finding->arena, &finding->words, finding->question->program);
    if (!script->path)
        return;
    finding->teller = script->path;
    finding->running.told_by = arena_printf(finding->arena, "%s of package %s", script->path, script->package->name);
    finding->running.config.user = script->user;
    if (script->working_dir && !rule_path_or_root(script->working_dir))
        finding->running.config.working_dir = script->working_dir;
    finding->is_forking = !script->is_background;
}

/* The unit, or for want of one that is a service the init script; else a job. */
static bool find_teller(struct finding *finding, bool *ret_is_unit, struct err *err)
{
    struct unit_choice choice;
    struct init_script script;
    struct wishes made = {0};
    if (!unit_choice_find(finding->arena, &finding->units, &choice, err))
        return false;
    *ret_is_unit = choice.unit && !choice.is_job;
    if (*ret_is_unit)
        return take_unit(finding, &choice, err);
    if (!init_script_find(finding->arena, &finding->units, &script, &made, err))
        return false;
    *ret_is_unit = choice.unit && !script.path;
    if (*ret_is_unit)
        return take_unit(finding, &choice, err);
    finding->running.wishes = made;
    take_script(finding, &script);
    return true;
}

/* Variables that say the same as options become these: who gives the command then gives the options as well. */
static void take_options(struct finding *finding, const char *prefix)
{
    struct wishes *wishes = &finding->running.wishes;
    size_t left = 0, len = strlen(prefix);
    for (size_t i = 0; i < wishes->env.count; i++) {
        const struct wish_variable *variable = &wishes->env.items[i];
        if (strncmp(variable->name, prefix, len) != 0 || !variable->name[len]) {
            wishes->env.items[left++] = *variable;
            continue;
        }
        char *option = arena_printf(finding->arena, "--%s", variable->name + len);
        for (char *at = option + 2; *at; at++)
            *at = *at == '_' ? '-' : (*at >= 'A' && *at <= 'Z') ? (char)(*at + 'a' - 'A') : *at;
        list_add(finding->arena, &finding->words, arena_printf(finding->arena, "%s=%s", option, variable->value));
    }
    wishes->env.count = left;
}

/* Lets the program stay in the foreground. */
static void keep_foreground(struct finding *finding)
{
    const char *program = program_path(finding, finding->words.items[0]);
    const struct foregrounds *foregrounds = finding->question->foregrounds;
    const struct foreground *known = foreground_find(foregrounds, program, finding->units.package);
    if (!known)
        known = foreground_find(foregrounds, packaged_reached(finding->arena, &finding->question->packaged, program),
                                finding->units.package);
    if (known && (finding->is_forking || finding->is_unsure || known->is_always))
        finding->words = foreground_words(finding->arena, known, &finding->words);
    if (known && known->options_of)
        take_options(finding, known->options_of);
    if (known && known->note && (finding->is_forking || finding->is_unsure || known->is_always))
        NOTE(finding, "%s: %s", program, known->note);
    if (!known && finding->is_forking)
        NOTE(finding, "%s: it forks, and no switch is known that keeps %s in the foreground (manifests/foreground)",
             finding->teller, program);
}

static void set_command(struct finding *finding)
{
    struct manifest_config *config = &finding->running.config;
    const char *path = program_path(finding, finding->words.items[0]);
    if (strcmp(path, finding->question->program) != 0)
        list_add(finding->arena, &finding->running.wishes.files,
                 (struct wish_file){.path = path,
                                    .giver = arena_printf(finding->arena, "ExecStart= of %s", finding->teller)});
    list_add(finding->arena, &config->entrypoint, path);
    for (size_t i = 1; i < finding->words.count; i++)
        list_add(finding->arena, &config->cmd, finding->words.items[i]);
}

/* Whether a path is for what is written, or the kernel's: nobody has to bring it. */
static bool is_for_writing(const char *path)
{
    static const char *const places[] = {"/run", "/var", "/srv", "/tmp", "/dev", "/proc", "/sys"};
    for (size_t i = 0; i < ARRAY_COUNT(places); i++) {
        if (path_is_within(path, places[i]))
            return true;
    }
    return !path[1];
}

/* Whether nothing brings a path: neither a package nor who makes files. */
static bool is_missing(const struct finding *finding, const char *path)
{
    const struct wishes *made = finding->question->made;
    return !fileset_walk(finding->question->packaged.set, finding->arena, path, NULL, NULL) &&
           !(made && wishes_made(made, path)) && !wishes_made(&finding->running.wishes, path);
}

/* The paths of a word of the command: one, or a list of several ("/usr/share/d/conf.d:/etc/d/d.conf"). */
static void tell_missing_paths(struct finding *finding, const char *word)
{
    struct text rest = text_of(word), part;
    const char *why;
    bool is_list = strstr(word, ":/") != NULL;
    while (rest.len && text_next(&rest, is_list ? ':' : '\0', &part)) {
        const char *path = part.len && part.ptr[0] == '/' ? path_canonical(finding->arena, part, &why) : NULL;
        if (path && !is_for_writing(path) && is_missing(finding, path))
            NOTE(finding, "%s: its command names %s, which is not there unless you bring it", finding->teller, path);
    }
}

/* Files that the command names and nothing brings are the administrator's. */
static void tell_missing(struct finding *finding)
{
    for (size_t i = 1; i < finding->words.count; i++) {
        const char *word = finding->words.items[i], *open = strchr(word, '<'), *equals = strchr(word, '=');
        const char *path = word[0] == '-' && equals ? equals + 1 : word;
        if (open && strchr(open, '>'))
            NOTE(finding, "%s: its command has '%s', in place of which something has to stand", finding->teller,
                 shown(finding, word));
        if (path[0] == '/')
            tell_missing_paths(finding, path);
    }
}

/* Lists what a unit wants of paths before it is started, of one kind ("Condition", "Assert"): what stands behind the last
 * empty one of any key of the kind, which takes all back (systemd.unit(5)). */
static void list_conditions(struct finding *finding, const char *kind, struct unit_directives *ret_asked)
{
    static const char *const keys[] = {"PathExists", "PathIsDirectory", "FileNotEmpty", "DirectoryNotEmpty",
                                       "FileIsExecutable"};
    *ret_asked = (struct unit_directives){0};
    for (size_t i = 0; i < finding->file.directives.count; i++) {
        const struct unit_directive *directive = &finding->file.directives.items[i];
        if (strcmp(directive->section, "Unit") != 0 || !text_has_prefix(text_of(directive->key), kind))
            continue;
        if (!directive->value[0])
            ret_asked->count = 0;
        for (size_t j = 0; j < ARRAY_COUNT(keys) && directive->value[0]; j++) {
            if (strcmp(directive->key + strlen(kind), keys[j]) == 0)
                list_add(finding->arena, ret_asked, directive);
        }
    }
}

/* What has to be there before systemd starts the service, and nothing brings: without it the program is not started on a
 * machine either. Conditions of which one is enough ("|"), of what must not be there ("!"), and those on what the kernel
 * or a boot makes are not the image's. */
static void tell_conditions(struct finding *finding)
{
    static const char *const kinds[] = {"Condition", "Assert"};
    static const char *const others[] = {"/run", "/dev", "/proc", "/sys", "/tmp"};
    for (size_t i = 0; i < ARRAY_COUNT(kinds); i++) {
        struct unit_directives asked;
        list_conditions(finding, kinds[i], &asked);
        for (size_t j = 0; j < asked.count; j++) {
            const char *value = asked.items[j]->value, *why;
            const char *path =
                value[0] == '/' && !strchr(value, '%') ? path_canonical(finding->arena, text_of(value), &why) : NULL;
            path = path ? path_through_run(finding->arena, path) : NULL;
            bool is_other = !path || !path[1];
            for (size_t k = 0; k < ARRAY_COUNT(others) && !is_other; k++)
                is_other = path_is_within(path, others[k]);
            if (!is_other && is_missing(finding, path))
                NOTE(finding, "%s is started only where %s is (%s=), which is not there unless you bring it",
                     finding->teller, path, asked.items[j]->key);
        }
    }
}

/* Whether a user other than root listens on a port that the kernel keeps for those who may bind any. */
static bool binds_below_1024(const struct manifest_config *config)
{
    struct text user = text_of(config->user ? config->user : ""), name, number;
    uint64_t port = 0;
    bool is_low = false;
    for (size_t i = 0; i < config->ports.count; i++) {
        struct text rest = text_of(config->ports.items[i]);
        is_low = is_low || (text_next(&rest, '/', &number) && text_parse_u64(number, &port) && port < 1024);
    }
    return is_low && text_next(&user, ':', &name) && name.len && !text_is(name, "root") && !text_is(name, "0");
}

/* Sockets that root opens for a service need the right to open them where nobody does: its program has it by its file. */
static void give_binding(struct finding *finding, const char *giver)
{
    struct arena *arena = finding->arena;
    struct wishes *wishes = &finding->running.wishes;
    const char *program = finding->running.config.entrypoint.items[0];
    const char *path = packaged_reached(arena, &finding->question->packaged, program);
    uint64_t set = capability_sets_parse("cap_net_bind_service");
    for (size_t i = 0; i < wishes->owners.count; i++) {
        if (strcmp(wishes->owners.items[i].path, path) == 0)
            set |= wishes->owners.items[i].capabilities;
    }
    list_add(arena, &wishes->owners, ((struct wish_owner){.path = path, .capabilities = set, .giver = giver}));
}

static bool find_ports(struct finding *finding, const char *unit, struct err *err)
{
    const char *giver;
    struct strings wide;
    if (!ports_find(finding->arena, &finding->question->packaged, unit, &finding->running.config.ports, &wide, &giver,
                    err))
        return false;
    for (size_t i = 0; i < wide.count; i++)
        NOTE(finding, "the ports %s are too many to be listed", text_printable(finding->arena, text_of(wide.items[i])));
    if (!giver && finding->teller)
        NOTE(finding, "%s: no port is known; podman's --publish or `ports` of a manifest (`imgfactory new`) names it",
             finding->teller);
    bool is_handed = giver && text_has_suffix(text_of(giver), ".socket");
    finding->is_handed = is_handed;
    if (is_handed)
        NOTE(finding, "%s would hand the service its sockets; in an image it opens them by itself", giver);
    if (is_handed && binds_below_1024(&finding->running.config))
        give_binding(finding, giver);
    return true;
}

/* What systemd makes for the sockets of a service, its own user makes in them. */
static bool make_folders(struct finding *finding, const char *unit, struct err *err)
{
    struct strings folders;
    const char *user = finding->running.config.user ? finding->running.config.user : "root", *colon = strchr(user, ':');
    if (!ports_folders(finding->arena, &finding->question->packaged, unit, &folders, err))
        return false;
    if (folders.count && !finding->is_handed)
        NOTE(finding, "a socket unit of %s would hand it its sockets; in an image it opens them by itself, if it can",
             unit);
    for (size_t i = 0; i < folders.count; i++) {
        if (!wishes_made(&finding->running.wishes, folders.items[i]))
            list_add(finding->arena, &finding->running.wishes.made,
                     ((struct wish_made){
                         .kind = MADE_DIRECTORY,
                         .path = folders.items[i],
                         .mode = 0755,
                         .owner = arena_strndup(finding->arena, user, colon ? (size_t)(colon - user) : strlen(user)),
                         .group = colon ? colon + 1 : NULL,
                         .giver = arena_printf(finding->arena, "a socket unit of %s", unit)}));
    }
    return true;
}

/* Others win over what was found here, and their accounts are as good. */
static void make_automatic(struct wishes *wishes)
{
    for (size_t i = 0; i < wishes->made.count; i++)
        wishes->made.items[i].is_automatic = true;
    for (size_t i = 0; i < wishes->users.count; i++)
        wishes->users.items[i].is_automatic = true;
    for (size_t i = 0; i < wishes->groups.count; i++)
        wishes->groups.items[i].is_automatic = true;
}

/* A program that nobody tells of. Games are not for root, and many servers among them refuse to be: they run as the
 * account that every system has for them. */
static void take_untold(struct finding *finding)
{
    const char *program = finding->question->program;
    const struct family *family = finding->question->packaged.set->family;
    bool is_game = path_is_below(program, "/usr/games") && family && wishes_has_user(&family->skeleton, "games");
    if (is_game)
        finding->running.config.user = "games:games";
    NOTE(finding, "no unit and no init script of its packages says how %s is run: the image starts it %s%s", program,
         finding->running.config.cmd.count ? "so that it stays in the foreground" : "without a word more",
         is_game ? ", as the user games" : "");
}

bool running_find(struct arena *arena, const struct running_question *question, struct running *ret_running,
                  struct err *err)
{
    const char *path = packaged_reached(arena, &question->packaged, question->program);
    const struct sourced *file = fileset_find(question->packaged.set, path);
    struct finding finding = {.arena = arena, .question = question};
    finding.units = (struct unit_question){.packaged = &question->packaged,
                                           .program = question->program,
                                           .name = question->unit,
                                           .package = file ? file->package->name : NULL,
                                           .source = question->source,
                                           .made = question->made};
    bool is_unit;
    if (!find_teller(&finding, &is_unit, err))
        return false;
    keep_foreground(&finding);
    set_command(&finding);
    if (finding.teller) {
        tell_missing(&finding);
        tell_conditions(&finding);
    } else {
        take_untold(&finding);
    }
    if (!find_ports(&finding, is_unit ? finding.teller : NULL, err) ||
        (is_unit && finding.teller && !make_folders(&finding, finding.teller, err)))
        return false;
    if (is_unit)
        finding.running.config.contract =
            unit_contract(arena, &finding.file, &finding.running.config, &finding.running.wishes);
    make_automatic(&finding.running.wishes);
    *ret_running = finding.running;
    return true;
}
