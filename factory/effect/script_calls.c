/* SPDX-License-Identifier: Apache-2.0 */
#include "effect/script_calls.h"

#include "effect/script_find.h"
#include "effect/script_lua.h"
#include "effect/script_mode.h"
#include "effect/script_world.h"
#include "package/path.h"
#include "source/format.h"

#define CALLS_MAX 20000

struct listing {
    struct script_world world; /* first: the world's own functions are handed the same pointer */
    struct script_calls *calls;
    const struct package *package;
    const char *script;
    const struct wishes *wished; /* made besides; or NULL */
    bool is_doubtful;            /* nothing of what is listed is sure */
    unsigned line;               /* of a script in which shell commands stand; 0: the script is one */
};

static enum shell_truth take_call(void *self, const struct shell_call *given, const char **ret_printed)
{
    struct listing *listing = self;
    struct shell_call told = *given, *call = &told;
    told.is_sure = told.is_sure && !listing->is_doubtful;
    told.line = listing->line ? listing->line : told.line;
    enum shell_truth truth;
    const char *printed;
    if (call->command.items[0].is_constant && script_world_ask(&listing->world, call, &truth, &printed)) {
        *ret_printed = printed;
        return truth;
    }
    if (call->command.items[0].is_constant && !call->output && script_find(&listing->world, call, &printed)) {
        *ret_printed = printed;
        return SHELL_TRUTH_YES;
    }
    struct script_call item = {listing->package, listing->script, *call};
    if (listing->calls->count < CALLS_MAX)
        list_add(listing->world.arena, listing->calls, item);
    return script_world_make(&listing->world, call);
}

/* Returns the interpreter that the first line of a script names, without its folder; "" when none does. */
static struct text interpreter_of(const char *text)
{
    struct text rest = text_of(text), line, word, part = {0};
    if (strncmp(text, "#!", 2) != 0)
        return part;
    rest.ptr += 2;
    rest.len -= 2;
    if (!text_next(&rest, '\n', &line) || !text_next_word(&line, &word))
        return part;
    while (text_next(&word, '/', &part))
        continue;
    return part;
}

/* What is made besides, but not by the script itself: that is not there yet. */
static const struct wish_made *made_besides(const struct listing *listing, const char *path)
{
    const struct wish_made *made = listing->wished ? wishes_made(listing->wished, path) : NULL;
    return made && made->giver && strcmp(made->giver, listing->script) == 0 ? NULL : made;
}

/* What is made at a path comes before what packages have there. */
static const char *read_source(void *self, const char *path)
{
    struct listing *listing = self;
    const struct wish_made *made = made_besides(listing, path);
    if (made && made->kind == MADE_FILE)
        return made->content ? made->content : "";
    path = made && made->kind == MADE_COPY ? made->source : path;
    struct script_world packaged = listing->world;
    packaged.has_configuration = false;
    bool is_absent = strncmp(path, "/etc/", 5) == 0 && script_world_test(&packaged, 'e', path) == SHELL_TRUTH_NO;
    listing->calls->is_lacking = listing->calls->is_lacking || is_absent;
    return script_world_source(self, path);
}

static enum shell_truth test_path(void *self, char what, const char *path)
{
    const struct listing *listing = self;
    const struct wish_made *made = made_besides(listing, path);
    if (!made || made->kind == MADE_SYMLINK)
        return script_world_test(self, what, path);
    bool is_directory = made->kind == MADE_DIRECTORY;
    bool is_true = what == 'd' ? is_directory : what == 'f' ? !is_directory : strchr("ersw", what) != NULL;
    return is_true ? SHELL_TRUTH_YES : SHELL_TRUTH_NO;
}

static bool run_text(struct listing *listing, const char *text, const char *argument)
{
    const struct shell_world world = {.self = listing,
                                      .call = take_call,
                                      .test = test_path,
                                      .glob = script_world_glob,
                                      .variable = script_world_variable,
                                      .source = read_source};
    struct strings arguments = {0};
    list_add(listing->world.arena, &arguments, argument);
    return shell_run(listing->world.arena, text, &arguments, &world);
}

/* Takes the words of a call of Lua as those of a command. */
static void take_lua_words(struct listing *listing, const struct strings *words, bool is_cut)
{
    struct arena *arena = listing->world.arena;
    struct shell_call call = {.is_sure = true, .umask = SCRIPT_UMASK};
    const char *unused;
    for (size_t i = 0; i < words->count; i++)
        list_add(arena, &call.command,
                 ((struct shell_word){.text = words->items[i], .is_constant = true, .is_written = true}));
    if (is_cut)
        list_add(arena, &call.command, ((struct shell_word){.text = "…"}));
    (void)take_call(listing, &call, &unused);
}

/* Follows a call of Lua; what nobody knows becomes the command SCRIPT_LUA_COMMAND_NAME, of which everybody tells. */
static bool take_lua_call(struct listing *listing, const struct script_lua_call *lua, const char *argument)
{
    struct arena *arena = listing->world.arena;
    struct strings words = {0};
    switch (script_lua_kind_of(lua)) {
    case SCRIPT_LUA_QUIET:
        break;
    case SCRIPT_LUA_SHELL:
        return run_text(listing, lua->arguments.items[0], argument);
    case SCRIPT_LUA_COMMAND:
        take_lua_words(listing, &lua->arguments, lua->is_cut);
        break;
    case SCRIPT_LUA_FUNCTION:
        words = script_lua_words(arena, lua);
        take_lua_words(listing, &words, words.count == 2 && lua->is_cut && strcmp(words.items[0], "mv") == 0);
        break;
    case SCRIPT_LUA_UNKNOWN:
        list_add(arena, &words, SCRIPT_LUA_COMMAND_NAME);
        list_add(arena, &words,
                 arena_printf(arena, "%s(%s)", lua->function, lua->arguments.count ? lua->arguments.items[0] : ""));
        take_lua_words(listing, &words, false);
        break;
    }
    return true;
}

static bool run_lua(struct listing *listing, const char *text, const char *argument)
{
    struct script_lua_calls calls;
    script_lua_list(listing->world.arena, text, &calls);
    bool is_whole = !calls.is_partial;
    for (size_t i = 0; i < calls.count; i++) {
        listing->line = calls.items[i].line;
        listing->is_doubtful = !calls.items[i].is_sure;
        is_whole = take_lua_call(listing, &calls.items[i], argument) && is_whole;
    }
    listing->line = 0;
    listing->is_doubtful = false;
    return is_whole;
}

static bool is_shell(struct text interpreter)
{
    return !interpreter.len || text_has_suffix(interpreter, "sh") || text_is(interpreter, "env");
}

/* debconf(7): a package's config script runs before its files are there; nobody is asked, so what it sets are the answers. One
 * that cannot be followed may set anything. */
static void answer_questions(struct listing *listing, const struct package *package)
{
    const struct package_script *config = package_script_find(package, "config");
    struct arena *arena = listing->world.arena;
    struct script_calls unused = {0};
    script_world_begin(&listing->world, package);
    if (!config)
        return;
    struct listing before = {.world = {.arena = arena,
                                       .set = listing->world.set,
                                       .is_before = true,
                                       .made = {.arena = arena},
                                       .users = {.arena = arena},
                                       .groups = {.arena = arena},
                                       .answers = listing->world.answers},
                             .calls = &unused,
                             .package = package,
                             .script = config->name};
    bool is_whole = is_shell(interpreter_of(config->text)) && run_text(&before, config->text, "configure");
    listing->world.answers = before.world.answers;
    listing->world.has_open_answers = !is_whole || before.world.has_open_answers;
}

/* Follows a script as the program would that its first line names. Where that line is all there is, the program itself is the
 * command: rpm's "%post -p /sbin/ldconfig". */
static bool run_by_program(struct listing *listing, const char *text, const char *argument)
{
    struct text interpreter = interpreter_of(text), rest = text_of(text), line;
    if (text_is(interpreter, "<lua>"))
        return run_lua(listing, text, argument);
    if (is_shell(interpreter))
        return run_text(listing, text, argument);
    if (!text_next(&rest, '\n', &line) || text_trim(rest).len)
        return false;
    return run_text(listing, text_dup(listing->world.arena, (struct text){line.ptr + 2, line.len - 2}), argument);
}

static void run_script(struct listing *listing, const struct package *package, const struct package_script *script,
                       const char *argument)
{
    answer_questions(listing, package);
    listing->package = package;
    listing->script = script->name;
    if (!run_by_program(listing, script->text, argument))
        list_add(listing->world.arena, &listing->calls->cuts, ((struct script_cut){package, script->name}));
}

static void run_scripts(struct listing *listing, const struct package *package, bool is_before)
{
    const struct format *format = package->format;
    for (size_t i = 0; format && format->install_scripts[i]; i++) {
        bool runs_before = strncmp(format->install_scripts[i], "pre", 3) == 0; /* preinst, pretrans, prein */
        for (size_t j = 0; runs_before == is_before && j < package->scripts.count; j++) {
            if (strcmp(package->scripts.items[j].name, format->install_scripts[i]) == 0)
                run_script(listing, package, &package->scripts.items[j], format->install_arguments[i]);
        }
    }
}

void script_calls_list(struct arena *arena, const struct package *const *packages, size_t count,
                       const struct fileset *set, struct script_calls *ret_calls)
{
    struct listing listing = {.world = {.arena = arena,
                                        .set = set,
                                        .packages = packages,
                                        .package_count = count,
                                        .is_before = true,
                                        .made = {.arena = arena},
                                        .users = {.arena = arena},
                                        .groups = {.arena = arena},
                                        .answers = {.arena = arena}},
                              .calls = ret_calls};
    *ret_calls = (struct script_calls){0};
    for (size_t i = 0; i < count; i++)
        run_scripts(&listing, packages[i], true);
    listing.world.is_before = false;
    for (size_t i = 0; i < count; i++)
        run_scripts(&listing, packages[i], false);
}

void script_calls_of_text(struct arena *arena, const struct package *const *packages, size_t count,
                          const struct fileset *set, const struct script_text *script, struct script_calls *ret_calls)
{
    struct listing listing = {.world = {.arena = arena,
                                        .set = set,
                                        .packages = packages,
                                        .package_count = count,
                                        .has_configuration = script->has_configuration,
                                        .made = {.arena = arena},
                                        .users = {.arena = arena},
                                        .groups = {.arena = arena},
                                        .answers = {.arena = arena}},
                              .calls = ret_calls,
                              .script = script->name,
                              .wished = script->made};
    const struct shell_world world = {
        .self = &listing, .call = take_call, .test = test_path, .glob = script_world_glob, .source = read_source};
    *ret_calls = (struct script_calls){0};
    bool is_other = script->has_program && !is_shell(interpreter_of(script->text));
    const char *argument = script->arguments.count ? script->arguments.items[0] : "";
    if (is_other ? !run_by_program(&listing, script->text, argument)
                 : !shell_run(arena, script->text, &script->arguments, &world))
        list_add(arena, &ret_calls->cuts, ((struct script_cut){NULL, script->name}));
}
