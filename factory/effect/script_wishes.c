#include "effect/script_wishes.h"

#include "effect/script_maker.h"
#include "package/path.h"

static const struct {
    const char *name;
    script_command *make;
} makers[] = {
    {"adduser", script_adduser}, {"addgroup", script_groupadd},
    {"useradd", script_useradd}, {"groupadd", script_groupadd},
    {"usermod", script_usermod}, {"gpasswd", script_gpasswd},
    {"mkdir", script_mkdir},     {"install", script_install},
    {"cp", script_cp},           {"mv", script_mv},
    {"ln", script_ln},           {"touch", script_touch},
    {"rm", script_rm},           {"ucf", script_ucf},
    {"chown", script_chown},     {"chgrp", script_chgrp},
    {"chmod", script_chmod},     {"dpkg-statoverride", script_statoverride},
};

static void add_note(struct script_maker *maker, const char *what)
{
    const char *note =
        arena_printf(maker->arena, "package %s: its %s %s %s (line %u), which is not run", maker->at->package->name,
                     maker->at->script, maker->at->call.is_sure ? "would" : "could", what, maker->at->call.line);
    if (!strings_has(maker->notes, note))
        list_add(maker->arena, maker->notes, note);
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

/* A program of the packages themselves, which a script starts to make something. */
static bool is_own_program(const struct script_maker *maker, const char *name)
{
    static const char *const directories[] = {"/usr/bin", "/usr/sbin"};
    for (size_t i = 0; i < ARRAY_COUNT(directories); i++) {
        const char *path = arena_printf(maker->arena, "%s/%s", directories[i], name);
        for (size_t j = 0; j < maker->world.package_count; j++) {
            if (package_find(maker->world.packages[j], path))
                return true;
        }
    }
    return false;
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

static void make(struct script_maker *maker, const struct script_call *at)
{
    const struct shell_command *command = &at->call.command;
    const char *name = shell_call_name(&at->call);
    struct script_words words;
    maker->at = at;
    maker->giver = arena_printf(maker->arena, "the %s of %s, line %u", at->script, at->package->name, at->call.line);
    if (!command->items[0].is_constant)
        return;
    if (at->call.output)
        script_write(maker);
    for (size_t i = 0; i < ARRAY_COUNT(makers); i++) {
        if (strcmp(name, makers[i].name) == 0 && script_words_sort(maker->arena, name, command, &words)) {
            makers[i].make(maker, &words);
            return;
        }
    }
    if (is_edit(command, name))
        note_edit(maker, command);
    else if (is_own_program(maker, name))
        add_note(maker, arena_printf(maker->arena, "run %s", text_printable(maker->arena, text_of(name))));
}

/* What was taken back leaves a gap. */
static void close_gaps(struct wishes *wishes)
{
    size_t count = 0;
    for (size_t i = 0; i < wishes->made.count; i++) {
        if (wishes->made.items[i].path)
            wishes->made.items[count++] = wishes->made.items[i];
    }
    wishes->made.count = count;
}

void script_wishes_find(struct arena *arena, const struct package *const *own, size_t count, const struct fileset *set,
                        struct wishes *ret_wishes, struct strings *ret_notes)
{
    struct script_calls calls;
    *ret_wishes = (struct wishes){0};
    *ret_notes = (struct strings){0};
    script_calls_list(arena, own, count, set, &calls);
    struct script_maker maker = {.arena = arena,
                                 .set = set,
                                 .world = {.arena = arena,
                                           .set = set,
                                           .packages = own,
                                           .package_count = count,
                                           .made = {.arena = arena},
                                           .users = {.arena = arena},
                                           .groups = {.arena = arena}},
                                 .wishes = ret_wishes,
                                 .made = {.arena = arena},
                                 .notes = ret_notes};
    for (size_t i = 0; i < calls.count; i++)
        make(&maker, &calls.items[i]);
    close_gaps(ret_wishes);
    for (size_t i = 0; i < calls.cuts.count; i++)
        list_add(arena, ret_notes,
                 arena_printf(arena, "package %s: its %s is not understood to its end, so it may do more than is told",
                              calls.cuts.items[i].package->name, calls.cuts.items[i].script));
}
