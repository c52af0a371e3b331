/* SPDX-License-Identifier: Apache-2.0 */
#include "effect/script_effects.h"

#include "effect/alternatives.h"
#include "effect/diversions.h"
#include "effect/script_calls.h"

#define EFFECTS_MAX 1000 /* of a package; whoever reads the first thousand knows enough */

/* Which word of a command is its subject. */
enum subject_rule {
    SUBJECT_NAME,        /* first that is no option and no option's value */
    SUBJECT_PATHS,       /* each path: one effect each */
    SUBJECT_LAST,        /* the last path */
    SUBJECT_ALTERNATIVE, /* the name; constant when alternatives.h can make the links */
    SUBJECT_DIVERSION,   /* the path; constant when diversions.h can move the files */
    SUBJECT_NONE,
};

struct rule {
    const char *command;
    enum effect effect;
    enum subject_rule subject;
    const char *only; /* an option without which the command changes nothing that matters, or NULL */
};

static const struct rule rules[] = {
    {"adduser", EFFECT_USER, SUBJECT_NAME, NULL},
    {"useradd", EFFECT_USER, SUBJECT_NAME, NULL},
    {"usermod", EFFECT_USER, SUBJECT_NAME, NULL},
    {"addgroup", EFFECT_GROUP, SUBJECT_NAME, NULL},
    {"groupadd", EFFECT_GROUP, SUBJECT_NAME, NULL},
    {"update-alternatives", EFFECT_ALTERNATIVES, SUBJECT_ALTERNATIVE, "--install"},
    {"alternatives", EFFECT_ALTERNATIVES, SUBJECT_ALTERNATIVE, "--install"},
    {"setcap", EFFECT_SETCAP, SUBJECT_LAST, NULL},
    {"dpkg-statoverride", EFFECT_STATOVERRIDE, SUBJECT_LAST, "--add"},
    {"ucf", EFFECT_UCF, SUBJECT_LAST, NULL},
    {"a2enmod", EFFECT_APACHE, SUBJECT_NAME, NULL},
    {"a2ensite", EFFECT_APACHE, SUBJECT_NAME, NULL},
    {"a2enconf", EFFECT_APACHE, SUBJECT_NAME, NULL},
    {"apache2_invoke", EFFECT_APACHE, SUBJECT_NONE, NULL},
    {"ssh-keygen", EFFECT_KEYS, SUBJECT_NONE, NULL},
    {"rndc-confgen", EFFECT_KEYS, SUBJECT_NONE, NULL},
    {"make-ssl-cert", EFFECT_KEYS, SUBJECT_NONE, NULL},
    {"openssl", EFFECT_KEYS, SUBJECT_NONE, NULL},
    {"db_get", EFFECT_DEBCONF, SUBJECT_NAME, NULL},
    {"db_input", EFFECT_DEBCONF, SUBJECT_NONE, NULL},
    {"mkdir", EFFECT_DIRECTORY, SUBJECT_PATHS, NULL},
    {"chown", EFFECT_OWNER, SUBJECT_PATHS, NULL},
    {"chgrp", EFFECT_OWNER, SUBJECT_PATHS, NULL},
    {"chmod", EFFECT_OWNER, SUBJECT_PATHS, NULL},
    {"install", EFFECT_FILE, SUBJECT_LAST, NULL},
    {"cp", EFFECT_FILE, SUBJECT_LAST, NULL},
    {"ln", EFFECT_FILE, SUBJECT_LAST, NULL},
    {"touch", EFFECT_FILE, SUBJECT_PATHS, NULL},
    {"update-ca-certificates", EFFECT_CERTIFICATES, SUBJECT_NONE, NULL},
    {"update-ca-trust", EFFECT_CERTIFICATES, SUBJECT_NONE, NULL},
    {"dpkg-divert", EFFECT_OTHER, SUBJECT_DIVERSION, NULL},
    {SCRIPT_LUA_COMMAND_NAME, EFFECT_OTHER, SUBJECT_LAST, NULL},
};

/* Options of adduser(8), addgroup(8), useradd(8), groupadd(8), usermod(8), a2enmod(8) that are followed by no value. */
static const char *const bare_options[] = {
    "--system",
    "--group",
    "--quiet",
    "--no-create-home",
    "--disabled-password",
    "--allow-badname",
    "--disabled-login",
    "--force-badname",
    "--allow-bad-names",
    "--allow-all-names",
    "--force",
    "--debug",
    "--verbose",
    "--no-user-group",
    "--user-group",
    "--non-unique",
    "--no-log-init",
    "--create-home",
    "--add-extra-groups",
    "--append",
    "-r",
    "-M",
    "-m",
    "-N",
    "-U",
    "-l",
    "-o",
    "-q",
    "-a",
    "-D",
};

static const struct rule *find_rule(const char *command)
{
    const char *slash = strrchr(command, '/');
    for (size_t i = 0; i < ARRAY_COUNT(rules); i++) {
        if (strcmp(slash ? slash + 1 : command, rules[i].command) == 0)
            return &rules[i];
    }
    return NULL;
}

bool script_effects_know(const char *command)
{
    return find_rule(command) != NULL;
}

static bool has_word(const struct shell_command *command, const char *word)
{
    for (size_t i = 1; i < command->count; i++) {
        if (strcmp(command->items[i].text, word) == 0)
            return true;
    }
    return false;
}

static bool is_bare(const char *option)
{
    for (size_t i = 0; i < ARRAY_COUNT(bare_options); i++) {
        if (strcmp(option, bare_options[i]) == 0)
            return true;
    }
    return strchr(option, '=') != NULL;
}

/* A word that is only known to the running script may hold options ($quiet), so a constant one goes first. */
static const struct shell_word *find_name(const struct shell_command *command)
{
    const struct shell_word *first = NULL;
    for (size_t i = 1; i < command->count; i++) {
        const struct shell_word *word = &command->items[i];
        if (word->text[0] == '-')
            i += !is_bare(word->text);
        else if (word->is_constant)
            return word;
        else if (!first)
            first = word;
    }
    return first;
}

static void add(struct arena *arena, struct script_effects *effects, const struct script_effect *effect)
{
    for (size_t i = 0; i < effects->count; i++) {
        const struct script_effect *there = &effects->items[i];
        if (there->effect == effect->effect && strcmp(there->subject, effect->subject) == 0)
            return;
    }
    if (effects->count < EFFECTS_MAX)
        list_add(arena, effects, *effect);
}

static bool is_housekeeping(enum effect effect)
{
    return effect == EFFECT_DIRECTORY || effect == EFFECT_OWNER || effect == EFFECT_FILE;
}

static void add_word(struct arena *arena, struct script_effects *effects, struct script_effect effect,
                     const struct shell_word *word)
{
    effect.subject = word ? word->text : "";
    effect.is_constant = !word || word->is_constant;
    if (!is_housekeeping(effect.effect) || (word && word->is_written && effect.subject[0] == '/'))
        add(arena, effects, &effect);
}

static void add_command(struct arena *arena, struct script_effects *effects, const char *script,
                        const struct shell_command *command, bool is_sure)
{
    struct diversion diversion;
    const struct rule *rule = find_rule(command->items[0].text);
    if (!rule || (rule->only && !has_word(command, rule->only)))
        return;
    if (rule->effect == EFFECT_UCF && (has_word(command, "-p") || has_word(command, "--purge")))
        return; /* only forgets the file */
    struct script_effect effect = {.effect = rule->effect, .script = script, .command = rule->command};
    if (strcmp(rule->command, "install") == 0 && (has_word(command, "-d") || has_word(command, "--directory")))
        effect.effect = EFFECT_DIRECTORY;
    struct alternatives alternatives;
    switch (rule->subject) {
    case SUBJECT_ALTERNATIVE:
        effect.is_constant = alternatives_parse(arena, command, &alternatives);
        effect.subject = effect.is_constant ? alternatives.items[0].name : "";
        add(arena, effects, &effect);
        break;
    case SUBJECT_DIVERSION:
        if (has_word(command, "--remove") || has_word(command, "--truename") || has_word(command, "--list"))
            break; /* nothing is diverted at a first installation */
        if (!diversion_parse(arena, "", command, &diversion))
            diversion = (struct diversion){.path = ""};
        if (diversion.is_guard)
            break;
        effect.is_constant = is_sure && diversion.is_renamed;
        effect.subject = diversion.path;
        add(arena, effects, &effect);
        break;
    case SUBJECT_NONE:
        add_word(arena, effects, effect, NULL);
        break;
    case SUBJECT_NAME:
        add_word(arena, effects, effect, find_name(command));
        break;
    case SUBJECT_LAST:
        add_word(arena, effects, effect, command->count > 1 ? &command->items[command->count - 1] : NULL);
        break;
    case SUBJECT_PATHS:
        for (size_t i = 1; i < command->count; i++) {
            if (command->items[i].text[0] == '/')
                add_word(arena, effects, effect, &command->items[i]);
        }
        break;
    }
}

/* A script that is not followed to its end may do all that stands in it. */
static void add_all(struct arena *arena, const struct package *package, const char *script,
                    struct script_effects *effects)
{
    for (size_t i = 0; i < package->scripts.count; i++) {
        struct shell_commands commands;
        if (strcmp(package->scripts.items[i].name, script) != 0)
            continue;
        shell_commands_list(arena, package->scripts.items[i].text, &commands);
        for (size_t j = 0; j < commands.count; j++)
            add_command(arena, effects, script, &commands.items[j], false);
    }
}

/* Takes note of paths that a command removes or gives another name. */
static void note_gone(struct map *gone, const struct shell_call *call)
{
    const struct shell_command *command = &call->command;
    bool is_move = strcmp(shell_call_name(call), "mv") == 0, is_remove = strcmp(shell_call_name(call), "rm") == 0;
    for (size_t i = 1; (is_move || (is_remove && call->is_sure)) && i + is_move < command->count; i++) {
        if (command->items[i].is_constant && command->items[i].text[0] == '/')
            map_set(gone, text_of(command->items[i].text), gone);
    }
}

/* What a script makes only for itself is no effect. */
static void drop_gone(const struct map *gone, struct script_effects *effects)
{
    size_t count = 0;
    for (size_t i = 0; i < effects->count; i++) {
        const struct script_effect *effect = &effects->items[i];
        if (!is_housekeeping(effect->effect) || !map_get(gone, text_of(effect->subject)))
            effects->items[count++] = *effect;
    }
    effects->count = count;
}

void script_effects_list(struct arena *arena, const struct package *package, const struct fileset *set,
                         struct script_effects *ret_effects)
{
    struct script_calls calls;
    *ret_effects = (struct script_effects){0};
    script_calls_list(arena, &package, 1, set, &calls);
    struct map gone = {.arena = arena};
    for (size_t i = 0; i < calls.count; i++)
        note_gone(&gone, &calls.items[i].call);
    for (size_t i = 0; i < calls.count; i++)
        add_command(arena, ret_effects, calls.items[i].script, &calls.items[i].call.command,
                    calls.items[i].call.is_sure);
    drop_gone(&gone, ret_effects);
    for (size_t i = 0; i < calls.cuts.count; i++)
        add_all(arena, package, calls.cuts.items[i].script, ret_effects);
}
