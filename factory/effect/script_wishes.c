/* SPDX-License-Identifier: Apache-2.0 */
#include "effect/script_wishes.h"

#include "effect/script_maker.h"
#include "package/path.h"

static const struct {
    const char *name;
    script_command *make;
} makers[] = {
    {"adduser", script_adduser},
    {"addgroup", script_groupadd},
    {"useradd", script_useradd},
    {"groupadd", script_groupadd},
    {"usermod", script_usermod},
    {"gpasswd", script_gpasswd},
    {"mkdir", script_mkdir},
    {"install", script_install},
    {"cp", script_cp},
    {"mv", script_mv},
    {"ln", script_ln},
    {"touch", script_touch},
    {"rm", script_rm},
    {"ucf", script_ucf},
    {"chown", script_chown},
    {"chgrp", script_chgrp},
    {"chmod", script_chmod},
    {"dpkg-statoverride", script_statoverride},
    {"setcap", script_setcap},
    {"php_invoke", script_enable},
    {"a2enmod", script_enable},
    {"a2enconf", script_enable},
    {"a2ensite", script_enable},
    {"apache2_invoke", script_enable},
    {"lighty-enable-mod", script_enable},
};

/* Each thing once, at the line where it is done first; of packages that are not the service's nothing. */
static void add_note(struct script_maker *maker, const char *what)
{
    const struct script_call *at = maker->at;
    if (!at->package)
        return;
    const char *thing = arena_printf(maker->arena, "%s %s %s", at->package->name, at->script, what);
    bool is_told = false;
    for (size_t i = 0; i < maker->told_count && !is_told; i++)
        is_told = maker->told[i] == at->package;
    if (is_told && map_add(&maker->noted, text_of(thing), maker))
        list_add(maker->arena, maker->notes,
                 arena_printf(maker->arena, "package %s: its %s %s %s (line %u), which is not run", at->package->name,
                              at->script, at->call.is_sure ? "would" : "could", what, at->call.line));
}

/* A file that is changed as no copy tells: what there is of it stays. */
static void note_edit(struct script_maker *maker, const struct shell_command *command)
{
    for (size_t i = 1; i < command->count; i++) {
        const char *path = script_path(maker, &command->items[i]);
        if (path && script_is_there(maker, path))
            add_note(maker, arena_printf(maker->arena, "edit %s with %s", text_printable(maker->arena, text_of(path)),
                                         shell_call_name(&maker->at->call)));
    }
}

/* A file that would have been written, with a text that is not known. */
static void note_written(struct script_maker *maker)
{
    const struct shell_word word = {.text = maker->at->call.output, .is_constant = true};
    const char *path = script_path(maker, &word);
    const struct family *family = maker->set->family;
    bool is_for_host = path && family && path_is_within_any(path, &family->for_host);
    if (path && !maker->at->call.printed && !is_for_host && path_is_below(path, "/etc") &&
        !script_is_there(maker, path))
        add_note(maker, arena_printf(maker->arena, "write %s, of which the text is not known",
                                     text_printable(maker->arena, text_of(path))));
}

static bool is_program_place(const char *path)
{
    return path_is_below(path, "/usr") || path_is_below(path, "/bin") || path_is_below(path, "/dev");
}

/* A program of the service's packages, which a script starts to make something. */
static bool is_own_program(const struct script_maker *maker, const char *name)
{
    static const char *const directories[] = {"/usr/bin", "/usr/sbin"};
    for (size_t i = 0; i < ARRAY_COUNT(directories); i++) {
        const char *path = arena_printf(maker->arena, "%s/%s", directories[i], name);
        for (size_t j = 0; j < maker->told_count; j++) {
            if (package_find(maker->told[j], path))
                return true;
        }
    }
    return false;
}

static bool is_one_of(const char *word, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(word, words[i]) == 0)
            return true;
    }
    return false;
}

/* With these scripts make what a service wants to be there: keys, certificates, databases; also as another user. */
static const char *const making[] = {"openssl", "certtool",        "make-ssl-cert", "ssh-keygen",
                                     "gpg",     "gnutls-certtool", "sqlite3",       "initdb"};
static const char *const becoming[] = {"runuser", "su", "sudo", "setpriv"};

/* Tells what a script makes with a program that nothing runs: "run openssl for /var/lib/x/key.pem". */
static void note_making(struct script_maker *maker, const struct shell_command *command, const char *name)
{
    bool is_other = is_one_of(name, becoming, ARRAY_COUNT(becoming));
    const char *tool = is_one_of(name, making, ARRAY_COUNT(making)) ? name : NULL, *made = NULL;
    for (size_t i = 1; i < command->count; i++) {
        const struct shell_word *word = &command->items[i];
        if (is_other && !tool && word->is_constant && is_one_of(path_basename(word->text), making, ARRAY_COUNT(making)))
            tool = path_basename(word->text);
        const char *path = script_path(maker, word);
        if (path && !is_program_place(path) && !script_is_there(maker, path))
            made = path;
    }
    if (tool && made)
        add_note(maker, arena_printf(maker->arena, "run %s for %s", tool, text_printable(maker->arena, text_of(made))));
    else if (tool || is_other)
        add_note(maker, arena_printf(maker->arena, "run %s", tool ? tool : name));
}

static bool is_edit(const struct shell_command *command, const char *name)
{
    bool is_editor = strcmp(name, "sed") == 0 || strcmp(name, "perl") == 0;
    for (size_t i = 1; is_editor && i < command->count; i++) {
        const char *word = command->items[i].text;
        if (strcmp(word, "--in-place") == 0 || (word[0] == '-' && word[1] != '-' && strchr(word, 'i')))
            return true;
    }
    return false;
}

/* Returns whether find(1) picks some of what is below by more than its owner. */
static bool is_picking(struct text words)
{
    static const char *const picking[] = {"-name", "-iname",    "-path",     "-regex", "-type",  "-perm",
                                          "-size", "-maxdepth", "-mindepth", "-newer", "-links", "-empty"};
    struct text word;
    while (text_next_word(&words, &word)) {
        for (size_t i = 0; i < ARRAY_COUNT(picking); i++) {
            if (text_is(word, picking[i]))
                return true;
        }
    }
    return false;
}

/* find PATH … -exec COMMAND {} ;, and find PATH … | xargs COMMAND: the command, with the path that all is below. */
static bool unfold(const struct script_maker *maker, const struct shell_command *command, const char *name,
                   struct shell_command *ret_command)
{
    bool is_find = strcmp(name, "find") == 0;
    struct shell_word path = {.is_constant = true};
    size_t at = 1;
    if (is_find) {
        path = command->count > 1 ? command->items[1] : path;
        for (; at < command->count && strncmp(command->items[at].text, "-exec", 5) != 0; at++)
            path.text = is_picking(text_of(command->items[at].text)) ? NULL : path.text;
        at++;
    } else if (strcmp(name, "xargs") == 0 && maker->at->call.piped_from) {
        struct text words = text_of(maker->at->call.piped_from), word;
        bool is_piped = text_next_word(&words, &word) && text_is(word, "find") && text_next_word(&words, &word);
        path.text = is_piped && !is_picking(words) ? text_dup(maker->arena, word) : NULL;
        while (at < command->count && command->items[at].text[0] == '-')
            at++;
    }
    *ret_command = (struct shell_command){0};
    if (!path.text || at + 1 >= command->count || strncmp(command->items[at].text, "ch", 2) != 0)
        return false;
    list_add(maker->arena, ret_command, command->items[at]);
    list_add(maker->arena, ret_command, ((struct shell_word){.text = "-R", .is_constant = true}));
    list_add(maker->arena, ret_command, command->items[at + 1]);
    list_add(maker->arena, ret_command, path);
    return strcmp(command->items[at].text, "chmod") != 0; /* directories and files differ there, as a rule */
}

static void make(struct script_maker *maker, const struct script_call *at)
{
    const struct shell_command *command = &at->call.command;
    const char *name = shell_call_name(&at->call);
    struct script_words words;
    maker->at = at;
    maker->giver = at->script;
    if (at->package)
        maker->giver =
            arena_printf(maker->arena, "the %s of %s, line %u", at->script, at->package->name, at->call.line);
    if (!command->items[0].is_constant)
        return;
    if (at->call.output) {
        script_write(maker);
        note_written(maker);
    }
    struct shell_command unfolded;
    if (unfold(maker, command, name, &unfolded)) {
        command = &unfolded;
        name = unfolded.items[0].text;
    }
    for (size_t i = 0; i < ARRAY_COUNT(makers); i++) {
        if (strcmp(name, makers[i].name) == 0 && script_words_sort(maker->arena, name, command, &words)) {
            makers[i].make(maker, &words);
            return;
        }
    }
    if (is_edit(command, name))
        note_edit(maker, command);
    else if (is_one_of(name, making, ARRAY_COUNT(making)) || is_one_of(name, becoming, ARRAY_COUNT(becoming)))
        note_making(maker, command, name);
    else if (is_own_program(maker, name))
        add_note(maker, arena_printf(maker->arena, "run %s", text_printable(maker->arena, text_of(name))));
}

/* Returns whether a thing is of use: a link that a package has already is not, nor are documentation and what configures
 * the machine. */
static bool is_useful(const struct script_maker *maker, const struct wish_made *made)
{
    const struct family *family = maker->set->family;
    const struct entry *entry = script_packaged(maker, made->path, false);
    bool is_same =
        made->kind == MADE_SYMLINK && entry && entry->kind == ENTRY_SYMLINK && strcmp(entry->target, made->target) == 0;
    return !is_same && !(family && (path_is_within_any(made->path, &family->documentation) ||
                                    (!maker->is_installed && path_is_within_any(made->path, &family->for_host))));
}

/* What was taken back leaves a gap. */
static void close_gaps(const struct script_maker *maker)
{
    struct wishes *wishes = maker->wishes;
    size_t count = 0;
    for (size_t i = 0; i < wishes->made.count; i++) {
        if (wishes->made.items[i].path && is_useful(maker, &wishes->made.items[i]))
            wishes->made.items[count++] = wishes->made.items[i];
    }
    wishes->made.count = count;
}

static struct script_maker begin(struct arena *arena, const struct script_wishes_request *request,
                                 struct wishes *wishes, struct strings *notes)
{
    const struct package *const *packages = request->packages;
    size_t count = request->other_count + request->own_count;
    return (struct script_maker){.arena = arena,
                                 .set = request->set,
                                 .world = {.arena = arena,
                                           .set = request->set,
                                           .packages = packages,
                                           .package_count = count,
                                           .made = {.arena = arena},
                                           .users = {.arena = arena},
                                           .groups = {.arena = arena}},
                                 .wishes = wishes,
                                 .made = {.arena = arena},
                                 .noted = {.arena = arena},
                                 .told = packages + request->other_count,
                                 .told_count = request->own_count,
                                 .is_installed = request->is_installed,
                                 .notes = notes};
}

void script_wishes_find(struct arena *arena, const struct script_wishes_request *request, struct wishes *ret_wishes,
                        struct strings *ret_notes)
{
    struct script_calls calls;
    *ret_wishes = (struct wishes){0};
    *ret_notes = (struct strings){0};
    script_calls_list(arena, request->packages, request->other_count + request->own_count, request->set, &calls);
    struct script_maker maker = begin(arena, request, ret_wishes, ret_notes);
    for (size_t i = 0; i < calls.count; i++)
        make(&maker, &calls.items[i]);
    close_gaps(&maker);
    for (size_t i = 0; i < calls.cuts.count; i++)
        list_add(arena, ret_notes,
                 arena_printf(arena, "package %s: its %s is not understood to its end, so it may do more than is told",
                              calls.cuts.items[i].package->name, calls.cuts.items[i].script));
}

/* Commands that only look at something, or say it. */
static bool is_harmless(const char *name)
{
    static const char *const names[] = {"true",   "false", ":",     "test", "[",      "echo",   "printf", "logger",
                                        "getent", "id",    "sleep", "set",  "umask",  "export", "exit",   "return",
                                        ".",      "cd",    "grep",  "trap", "ulimit", "unset",  "shift",  "which"};
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        if (strcmp(name, names[i]) == 0)
            return true;
    }
    return false;
}

static bool is_made(const struct shell_call *call)
{
    const char *name = shell_call_name(call);
    bool is_known = is_harmless(name) && !call->output;
    for (size_t i = 0; i < ARRAY_COUNT(makers) && !is_known; i++)
        is_known = strcmp(name, makers[i].name) == 0;
    for (size_t i = 0; i < call->command.count && !is_harmless(name); i++)
        is_known = is_known && call->command.items[i].is_constant;
    return is_known;
}

void script_wishes_of_text(struct arena *arena, const struct script_wishes_request *request,
                           const struct script_text *script, struct wishes *ret_wishes, struct strings *ret_left)
{
    struct script_calls calls;
    struct strings notes = {0};
    *ret_wishes = (struct wishes){0};
    *ret_left = (struct strings){0};
    script_calls_of_text(arena, request->packages, request->other_count + request->own_count, request->set, script,
                         &calls);
    struct script_maker maker = begin(arena, request, ret_wishes, &notes);
    for (size_t i = 0; i < calls.count; i++) {
        make(&maker, &calls.items[i]);
        if (!is_made(&calls.items[i].call))
            list_add(arena, ret_left, calls.items[i].call.command.items[0].text);
    }
    if (calls.cuts.count)
        list_add(arena, ret_left, "more than can be understood");
    close_gaps(&maker);
}
