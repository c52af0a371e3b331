#include "service/shells.h"

#include "effect/shell_words.h"
#include "package/path.h"
#include "package/script.h"

#define SCRIPT_BYTES_MAX ((size_t)1 << 20)

/* One script, with the files that it reads. */
struct looking {
    struct arena *arena;
    const struct automatic_request *request;
    const struct interpreter *shell;
    struct wishes *wishes;
    struct strings *names;  /* of packages */
    struct map *seen;       /* paths that are wished for */
    const char *script;     /* its path */
    struct strings sourced; /* what it reads */
};

static void add(struct looking *looking, const char *path, const char *package)
{
    struct wish_file file = {.path = path,
                             .is_optional = true,
                             .giver =
                                 arena_printf(looking->arena, "the shell script %s, which names it", looking->script)};
    if (!map_add(looking->seen, text_of(path), looking))
        return;
    if (package)
        list_add(looking->arena, &file.packages, package);
    list_add(looking->arena, &looking->wishes->files, file);
}

/* Finds where a program is that the family's data knows; NULL when they do not. */
static const char *tool_path(struct looking *looking, const char *name, const char **ret_package)
{
    const struct family *family = looking->request->set->family;
    const char *in_sbin = arena_printf(looking->arena, "sbin/%s", name);
    for (size_t i = 0; family && i < family->tools.count; i++) {
        bool is_sbin = strings_has(&family->tools.items[i].programs, in_sbin);
        if (!is_sbin && !strings_has(&family->tools.items[i].programs, name))
            continue;
        *ret_package = family->tools.items[i].package;
        return arena_printf(looking->arena, "/usr/%s%s", is_sbin ? "" : "bin/", is_sbin ? in_sbin : name);
    }
    return NULL;
}

static bool is_program_dir(const char *path)
{
    size_t len = (size_t)(path_basename(path) - path) - 1;
    for (size_t i = 0; script_path_dirs[i]; i++) {
        if (strlen(script_path_dirs[i]) == len && strncmp(path, script_path_dirs[i], len) == 0)
            return true;
    }
    return false;
}

static void add_command(struct looking *looking, const char *command)
{
    const char *name = command, *package = NULL, *path;
    if (command[0] == '/' ? !is_program_dir(command) : strchr(command, '/') != NULL)
        return;
    name = path_basename(command);
    if (!*name || (name == command && strings_has(&looking->shell->builtins, name)))
        return;
    for (size_t i = 0; script_path_dirs[i]; i++) {
        path = name == command ? arena_printf(looking->arena, "%s/%s", script_path_dirs[i], name) : command;
        if (fileset_walk(looking->request->set, looking->arena, path, NULL, NULL)) {
            add(looking, path, NULL);
            return;
        }
    }
    path = tool_path(looking, name, &package);
    if (!path)
        return;
    add(looking, path, package);
    if (!strings_has(looking->names, package))
        list_add(looking->arena, looking->names, package);
}

/* Returns the text of a file of the set that a script could read; NULL for what is none. */
static const char *text_at(struct looking *looking, const char *path, const char **ret_path)
{
    const struct sourced *file = fileset_walk(looking->request->set, looking->arena, path, NULL, ret_path);
    const struct entry *content = file ? sourced_content(file) : NULL;
    if (!content || content->elf || content->size_bytes > SCRIPT_BYTES_MAX)
        return NULL;
    return arena_strndup(looking->arena, content->data, (size_t)content->size_bytes);
}

static void look_at(struct looking *looking, const char *text)
{
    struct shell_commands commands;
    shell_commands_list(looking->arena, text, &commands);
    for (size_t i = 0; i < commands.count; i++) {
        const struct shell_word *words = commands.items[i].items;
        bool is_reading = strcmp(words[0].text, ".") == 0 || strcmp(words[0].text, "source") == 0;
        if (words[0].is_constant)
            add_command(looking, words[0].text);
        if (is_reading && commands.items[i].count > 1 && words[1].is_constant && words[1].text[0] == '/' &&
            looking->sourced.count < SHELLS_SOURCED_MAX)
            list_add(looking->arena, &looking->sourced, words[1].text);
    }
}

static void look_at_script(struct looking *looking)
{
    const char *path, *text = text_at(looking, looking->script, &path);
    if (text)
        look_at(looking, text);
    for (size_t i = 0; i < looking->sourced.count; i++) {
        text = text_at(looking, looking->sourced.items[i], &path);
        if (text) {
            add(looking, path, NULL);
            look_at(looking, text);
        }
    }
}

void shells_find(struct arena *arena, const struct automatic_request *request, struct wishes *wishes,
                 struct strings *names)
{
    struct map seen = {.arena = arena};
    for (size_t i = 0; i < request->keep->count; i++) {
        const struct kept *kept = &request->keep->items[i];
        const char *program = interpreted_program(arena, request, kept);
        const struct interpreter *shell = program ? interpreted_by(request->interpreters, program) : NULL;
        if (!shell || !shell->is_shell || kept->file->entry->kind == ENTRY_SYMLINK)
            continue;
        struct looking looking = {.arena = arena,
                                  .request = request,
                                  .shell = shell,
                                  .wishes = wishes,
                                  .names = names,
                                  .seen = &seen,
                                  .script = kept->file->entry->path};
        look_at_script(&looking);
    }
}
