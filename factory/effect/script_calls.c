#include "effect/script_calls.h"

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
};

static enum shell_truth take_call(void *self, const struct shell_call *call, const char **ret_printed)
{
    struct listing *listing = self;
    enum shell_truth truth;
    const char *printed;
    if (call->command.items[0].is_constant && script_world_ask(&listing->world, call, &truth, &printed)) {
        *ret_printed = printed;
        return truth;
    }
    struct script_call item = {listing->package, listing->script, *call};
    if (listing->calls->count < CALLS_MAX)
        list_add(listing->world.arena, listing->calls, item);
    return script_world_make(&listing->world, call);
}

/* Returns whether a script is for a shell: its first line says so, or nothing. */
static bool is_shell(const char *text)
{
    struct text rest = text_of(text), line, word;
    if (strncmp(text, "#!", 2) != 0)
        return true;
    rest.ptr += 2;
    rest.len -= 2;
    if (!text_next(&rest, '\n', &line) || !text_next_word(&line, &word))
        return true;
    return text_has_suffix(word, "sh") || text_has_suffix(word, "env");
}

/* What is made at a path comes before what packages have there. */
static const char *read_source(void *self, const char *path)
{
    struct listing *listing = self;
    const struct wish_made *made = listing->wished ? wishes_made(listing->wished, path) : NULL;
    if (made && made->kind == MADE_FILE)
        return made->content ? made->content : "";
    path = made && made->kind == MADE_COPY ? made->source : path;
    bool is_absent = strncmp(path, "/etc/", 5) == 0 && script_world_test(self, 'e', path) == SHELL_TRUTH_NO;
    listing->calls->is_lacking = listing->calls->is_lacking || is_absent;
    return script_world_source(self, path);
}

static enum shell_truth test_path(void *self, char what, const char *path)
{
    const struct listing *listing = self;
    const struct wish_made *made = listing->wished ? wishes_made(listing->wished, path) : NULL;
    if (!made || made->kind == MADE_SYMLINK)
        return script_world_test(self, what, path);
    bool is_directory = made->kind == MADE_DIRECTORY;
    bool is_true = what == 'd' ? is_directory : what == 'f' ? !is_directory : strchr("ersw", what) != NULL;
    return is_true ? SHELL_TRUTH_YES : SHELL_TRUTH_NO;
}

static void run_script(struct listing *listing, const struct package *package, const struct package_script *script,
                       const char *argument)
{
    const struct shell_world world = {.self = listing,
                                      .call = take_call,
                                      .test = test_path,
                                      .glob = script_world_glob,
                                      .variable = script_world_variable,
                                      .source = read_source};
    struct strings arguments = {0};
    list_add(listing->world.arena, &arguments, argument);
    script_world_begin(&listing->world, package);
    listing->package = package;
    listing->script = script->name;
    if (!is_shell(script->text) || !shell_run(listing->world.arena, script->text, &arguments, &world))
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
                                        .groups = {.arena = arena}},
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
                                        .made = {.arena = arena},
                                        .users = {.arena = arena},
                                        .groups = {.arena = arena}},
                              .calls = ret_calls,
                              .script = script->name,
                              .wished = script->made};
    const struct shell_world world = {
        .self = &listing, .call = take_call, .test = test_path, .glob = script_world_glob, .source = read_source};
    *ret_calls = (struct script_calls){0};
    if (!shell_run(arena, script->text, &script->arguments, &world))
        list_add(arena, &ret_calls->cuts, ((struct script_cut){NULL, script->name}));
}
