/* SPDX-License-Identifier: Apache-2.0 */
#include "service/init_script.h"

#include "effect/script_wishes.h"
#include "package/path.h"
#include "plan/rules.h"
#include "service/preparing.h"
#include "service/started_script.h"

struct script {
    struct arena *arena;
    const struct unit_question *question;
    struct packaged_file file;
    struct init_script found;
    struct wishes *wishes;
    const char *giver;
    bool is_reached; /* a command of it that starts something */
};

/* What start-stop-daemon(8) is told; its options with a value. */
static const char valued[] = "xapcungNPIkRsdrO";
struct option_name {
    const char *name;
    char letter;
};
static const struct option_name option_names[] = {
    {"start", 'S'},   {"exec", 'x'},   {"startas", 'a'}, {"pidfile", 'p'},    {"chuid", 'c'},
    {"user", 'u'},    {"name", 'n'},   {"group", 'g'},   {"nicelevel", 'N'},  {"procsched", 'P'},
    {"iosched", 'I'}, {"umask", 'k'},  {"retry", 'R'},   {"signal", 's'},     {"chdir", 'd'},
    {"chroot", 'r'},  {"output", 'O'}, {"test", 't'},    {"background", 'b'}, {"make-pidfile", 'm'},
    {"stop", 'K'},    {"quiet", 'q'},  {"oknodo", 'o'},  {"verbose", 'v'}};

struct started {
    const char *values[128]; /* by letter */
    bool has[128];
    struct strings arguments;
};

static char letter_of(const char *word, const char **ret_value)
{
    const char *equals = strchr(word, '=');
    size_t len = equals ? (size_t)(equals - word) : strlen(word);
    *ret_value = equals ? equals + 1 : NULL;
    for (size_t i = 0; i < ARRAY_COUNT(option_names); i++) {
        if (strlen(option_names[i].name) == len && strncmp(option_names[i].name, word, len) == 0)
            return option_names[i].letter;
    }
    return '\0';
}

/* Letters in one word, of which the last may have its value behind it or in the next word. */
static void read_letters(const char *word, const char *next, struct started *started, size_t *at)
{
    for (; *word; word++) {
        unsigned char letter = (unsigned char)*word;
        if (letter >= 128)
            return;
        started->has[letter] = true;
        if (!strchr(valued, *word))
            continue;
        started->values[letter] = word[1] ? word + 1 : next;
        *at += !word[1];
        return;
    }
}

static void read_options(struct script *script, const struct strings *words, struct started *started)
{
    for (size_t i = 1; i < words->count; i++) {
        const char *word = words->items[i], *next = i + 1 < words->count ? words->items[i + 1] : NULL, *value;
        if (strcmp(word, "--") == 0) {
            for (i++; i < words->count; i++)
                list_add(script->arena, &started->arguments, words->items[i]);
        } else if (strncmp(word, "--", 2) == 0) {
            char letter = letter_of(word + 2, &value);
            bool is_valued = letter && strchr(valued, letter);
            started->has[(unsigned char)letter] = true;
            if (is_valued)
                started->values[(unsigned char)letter] = value ? value : next;
            i += is_valued && !value;
        } else if (word[0] == '-') {
            read_letters(word + 1, next, started, &i);
        } else {
            list_add(script->arena, &started->arguments, word);
        }
    }
}

static bool is_program(struct script *script, const char *path)
{
    const struct packaged *packaged = script->question->packaged;
    return path && path[0] == '/' &&
           strcmp(packaged_reached(script->arena, packaged, path),
                  packaged_reached(script->arena, packaged, script->question->program)) == 0;
}

/* Returns whether it is "USER" or "USER:GROUP", of names or numbers. */
static bool is_account(struct arena *arena, const char *account)
{
    struct text rest = text_of(account), part;
    uint32_t number;
    size_t count = 0;
    for (; text_next(&rest, ':', &part); count++) {
        const char *name = text_dup(arena, part);
        if (!rule_is_user_name(name) && !rule_parse_id(name, &number))
            return false;
    }
    return count == 1 || count == 2;
}

static void add_pid_directory(struct script *script, const char *file)
{
    const char *why, *place = file && file[0] == '/' ? path_canonical(script->arena, text_of(file), &why) : NULL;
    const char *dir = place ? path_through_run(script->arena, path_dirname(script->arena, place)) : "/run";
    const char *owner = script->found.user ? script->found.user : "root";
    size_t len = strcspn(owner, ":");
    const char *name = arena_strndup(script->arena, owner, len);
    if (strncmp(dir, "/run/", 5) == 0)
        preparing_add_directory(script->arena,
                                &(struct wish_made){.path = dir,
                                                    .mode = 0755,
                                                    .owner = name,
                                                    .group = owner[len] ? owner + len + 1 : name,
                                                    .yields_to_tmpfiles = true,
                                                    .giver = script->giver},
                                script->wishes);
}

/* start-stop-daemon --start … --exec PROGRAM -- ARGUMENTS */
static void take_started(struct script *script, const struct strings *words)
{
    struct started started = {0};
    read_options(script, words, &started);
    const char *program = started.values['a'] ? started.values['a'] : started.values['x'];
    if (!started.has['S'] || started.has['t'] || !is_program(script, program) || script->found.words.count)
        return;
    list_add(script->arena, &script->found.words, script->question->program);
    for (size_t i = 0; i < started.arguments.count; i++)
        list_add(script->arena, &script->found.words, started.arguments.items[i]);
    script->found.user =
        started.values['c'] && is_account(script->arena, started.values['c']) ? started.values['c'] : NULL;
    script->found.working_dir = started.values['d'];
    script->found.is_background = started.has['b'];
    add_pid_directory(script, started.values['p']);
}

/* start_daemon [-f] [-n nicelevel] [-p pidfile] PROGRAM ARGUMENTS (LSB 5.0, "Init Script Functions") */
static void take_lsb(struct script *script, const struct strings *words)
{
    const char *pid_file = NULL;
    size_t i = 1;
    for (; i < words->count && words->items[i][0] == '-'; i++) {
        bool is_valued = strcmp(words->items[i], "-n") == 0 || strcmp(words->items[i], "-p") == 0;
        if (strcmp(words->items[i], "-p") == 0 && i + 1 < words->count)
            pid_file = words->items[i + 1];
        i += is_valued;
    }
    if (i >= words->count || !is_program(script, words->items[i]) || script->found.words.count)
        return;
    for (; i < words->count; i++)
        list_add(script->arena, &script->found.words, words->items[i]);
    add_pid_directory(script, pid_file);
}

static void take_commands(struct script *script, const struct started_commands *commands)
{
    for (size_t i = 0; i < commands->count; i++) {
        const struct strings *words = &commands->items[i].words;
        const char *name = words->count ? path_basename(words->items[0]) : "";
        script->is_reached = script->is_reached || strcmp(name, "start-stop-daemon") == 0 ||
                             strcmp(name, "start_daemon") == 0 || strcmp(name, "daemon") == 0;
        if (!commands->items[i].is_constant)
            continue;
        if (strcmp(name, "start-stop-daemon") == 0)
            take_started(script, words);
        else if (strcmp(name, "start_daemon") == 0)
            take_lsb(script, words);
    }
}

static bool find_file(struct arena *arena, const struct unit_question *question, struct packaged_file *ret_file)
{
    static const char *const dirs[] = {"/etc/init.d", "/etc/rc.d/init.d"};
    const char *const names[] = {path_basename(question->program), question->package, question->source};
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        for (size_t j = 0; names[i] && j < ARRAY_COUNT(dirs); j++) {
            const struct packaged_file *file =
                packaged_find(arena, question->packaged, arena_printf(arena, "%s/%s", dirs[j], names[i]));
            if (file) {
                *ret_file = *file;
                return true;
            }
        }
    }
    return false;
}

/* Takes over what the script makes and starts. */
static void evaluate(struct script *script, const struct script_text *text)
{
    const struct packaged *packaged = script->question->packaged;
    struct script_wishes_request request = {
        .packages = packaged->packages, .own_count = packaged->count, .set = packaged->set};
    struct started_commands commands;
    struct strings left;
    script_wishes_of_text(script->arena, &request, text, script->wishes, &left);
    started_script_commands(script->arena, packaged, text, &commands);
    take_commands(script, &commands);
    if (commands.is_lacking)
        script->found.words = (struct strings){0};
}

bool init_script_find(struct arena *arena, const struct unit_question *question, struct init_script *ret_script,
                      struct wishes *wishes, struct err *err)
{
    const struct packaged *packaged = question->packaged;
    struct script script = {.arena = arena, .question = question, .wishes = wishes};
    struct script_text text = {.made = question->made};
    struct text bytes;
    *ret_script = (struct init_script){0};
    if (!find_file(arena, question, &script.file))
        return true;
    if (!packaged_text(arena, packaged, &script.file, &bytes, err))
        return false;
    script.found.path = script.file.entry->path;
    script.found.package = script.file.package;
    script.giver = arena_printf(arena, "the init script %s", script.found.path);
    text.name = script.giver;
    text.text = text_dup(arena, bytes);
    list_add(arena, &text.arguments, "start");
    evaluate(&script, &text);
    /* Many leave when the configuration is not there, which the administrator has to make. */
    text.has_configuration = true;
    if (!script.is_reached)
        evaluate(&script, &text);
    *ret_script = script.found;
    return true;
}
