/* SPDX-License-Identifier: Apache-2.0 */
#include "service/shells.h"

#include "effect/shell_words.h"
#include "package/elf_symbols.h"
#include "package/path.h"
#include "package/script.h"
#include "service/references.h"

#include <elf.h>

#define NAME_LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.+-["
#define SCRIPT_BYTES_MAX ((size_t)1 << 20)
#define STRING_BYTES_MAX ((size_t)1000)
#define COMMAND_BYTES_MAX ((size_t)40)
#define CALLED_MAX ((size_t)1000) /* commands of one program */

/* One script, with the files that it reads. */
struct looking {
    struct arena *arena;
    const struct automatic_request *request;
    const struct interpreter *shell;
    struct wishes *wishes;
    struct strings *names; /* of packages */
    struct strings *notes;
    const struct own *own;
    struct map *seen;       /* paths that are wished for */
    struct map *functions;  /* names of those of the script */
    const char *kind;       /* "shell script", or "program" that has commands in it */
    const char *script;     /* its path */
    bool is_named;          /* somebody named it, not only the directory that it is in */
    struct strings sourced; /* what it reads */
};

static void add(struct looking *looking, const char *path, const char *package)
{
    struct wish_file file = {
        .path = path,
        .is_optional = true,
        .giver = arena_printf(looking->arena, "the %s %s, which names it", looking->kind, looking->script)};
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

/* Finds a program of a name where a shell looks for it; NULL when no package that is open has one. */
static const struct sourced *find_program(struct looking *looking, const char *name, const char **ret_path)
{
    const struct sourced *found = NULL;
    for (size_t i = 0; script_path_dirs[i] && !found; i++) {
        *ret_path = arena_printf(looking->arena, "%s/%s", script_path_dirs[i], name);
        found = fileset_walk(looking->request->set, looking->arena, *ret_path, NULL, NULL);
    }
    return found;
}

/* Whether a tool is there already as a link of the manifest's static shell. */
static bool is_of_static_shell(struct looking *looking, const char *path)
{
    const struct family *family = looking->request->set->family;
    const struct manifest *manifest = looking->request->manifest;
    const struct sourced *file =
        manifest && manifest->shell ? fileset_walk(looking->request->set, looking->arena, path, NULL, NULL) : NULL;
    return file && family && strings_has(&family->static_shell.packages, file->package->name);
}

/* Adds a tool that the family's data knows; false when it is none. */
static bool add_tool(struct looking *looking, const char *name)
{
    const char *package = NULL, *path = tool_path(looking, name, &package);
    if (!path)
        return false;
    add(looking, path, is_of_static_shell(looking, path) ? NULL : package);
    if (!is_of_static_shell(looking, path) && !strings_has(looking->names, package))
        list_add(looking->arena, looking->names, package);
    return true;
}

/* What is asked for must not depend on which packages are open just now: a program that every system has is named with its
 * package, one of the service's own by its path, any other by a glob, for which all packages are opened. */
static void add_command(struct looking *looking, const char *command, bool has_arguments)
{
    const char *name = path_basename(command), *path;
    if (command[0] == '/' ? !is_program_dir(command) : strchr(command, '/') != NULL)
        return;
    if (!*name || strspn(name, NAME_LETTERS) != strlen(name) ||
        (name == command &&
         (strings_has(&looking->shell->builtins, name) || map_get(looking->functions, text_of(name)))))
        return;
    const struct interpreter *interpreter =
        interpreted_by(looking->request->interpreters, arena_printf(looking->arena, "/usr/bin/%s", name));
    if (!looking->is_named && interpreter && interpreter->files.count)
        return;
    if (add_tool(looking, name))
        return;
    const struct sourced *found = find_program(looking, name, &path);
    if (found)
        add(looking, path, NULL);
    /* Patterns of `case` look like commands of one word. */
    if (has_arguments && !(found && own_has(looking->own, found->package)))
        add(looking, arena_printf(looking->arena, "/usr/*bin/%s", name), NULL);
}

/* Names of functions, "name()", which are no programs. */
static void list_functions(struct looking *looking, const char *text)
{
    for (const char *at = strstr(text, "()"); at; at = strstr(at + 2, "()")) {
        const char *end = at, *start;
        while (end > text && (end[-1] == ' ' || end[-1] == '\t'))
            end--;
        for (start = end; start > text && strchr(NAME_LETTERS, start[-1]); start--)
            ;
        if (start < end)
            (void)map_add(looking->functions, (struct text){start, (size_t)(end - start)}, looking);
    }
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

/* Returns the path that a word can mean: as it is written, or, where the directory is computed, a file of that name beside the
 * script ("$DIR/common"); NULL when it can be any. */
static const char *path_of(struct looking *looking, const struct shell_word *word)
{
    const char *slash = strrchr(word->text, '/');
    if (word->is_constant)
        return word->text[0] == '/' ? word->text : NULL;
    if (!slash || !slash[1] || strspn(slash + 1, NAME_LETTERS) != strlen(slash + 1))
        return NULL;
    const char *path = arena_printf(looking->arena, "%s/%s", path_dirname(looking->arena, looking->script), slash + 1);
    return fileset_walk(looking->request->set, looking->arena, path, NULL, NULL) ? path : NULL;
}

/* What a command is where its variable is not set: "${PERL:-perl}"; NULL when it says none. */
static const char *default_of(struct arena *arena, const char *word)
{
    const char *sign = strstr(word, ":-");
    size_t len = sign ? strspn(sign + 2, NAME_LETTERS) : 0;
    return strncmp(word, "${", 2) == 0 && len && strcmp(sign + 2 + len, "}") == 0 ? arena_strndup(arena, sign + 2, len)
                                                                                  : NULL;
}

/* An interpreter that a script looks for it also runs: JAVA=$(which java), $(command -v python3). */
static void look_for(struct looking *looking, const struct shell_command *command)
{
    static const char *const seekers[] = {"which", "type", "command"};
    bool is_seeker = false;
    for (size_t i = 0; i < ARRAY_COUNT(seekers); i++)
        is_seeker = is_seeker || strcmp(command->items[0].text, seekers[i]) == 0;
    for (size_t i = 1; is_seeker && i < command->count; i++) {
        const char *name = command->items[i].text, *path, *reached;
        bool is_name = command->items[i].is_constant && !strchr(name, '/') && find_program(looking, name, &path);
        if (is_name && fileset_walk(looking->request->set, looking->arena, path, NULL, &reached) &&
            interpreted_by(looking->request->interpreters, reached))
            add(looking, path, NULL);
    }
}

static void look_at(struct looking *looking, const char *text)
{
    struct shell_commands commands;
    shell_commands_list(looking->arena, text, &commands);
    for (size_t i = 0; i < commands.count; i++) {
        const struct shell_word *name = &commands.items[i].items[0];
        const char *beside = name->is_constant ? NULL : path_of(looking, name);
        const char *slash = strrchr(name->text, '/');
        const char *otherwise = name->is_constant ? NULL : default_of(looking->arena, name->text);
        look_for(looking, &commands.items[i]);
        if (name->is_constant)
            add_command(looking, name->text, commands.items[i].count > 1);
        else if (beside)
            add(looking, beside, NULL);
        else if (slash) /* "$command_directory/postsuper" */
            add_command(looking, slash + 1, false);
        else if (otherwise)
            add_command(looking, otherwise, true);
    }
}

/* Files that the script reads: ". FILE". */
static void list_sourced(struct looking *looking, const char *text)
{
    struct shell_commands commands;
    shell_commands_list(looking->arena, text, &commands);
    for (size_t i = 0; i < commands.count; i++) {
        const struct shell_word *words = commands.items[i].items;
        bool is_reading = strcmp(words[0].text, ".") == 0 || strcmp(words[0].text, "source") == 0;
        const char *path = is_reading && commands.items[i].count > 1 ? path_of(looking, &words[1]) : NULL;
        if (path && looking->sourced.count < SHELLS_SOURCED_MAX && !strings_has(&looking->sourced, path))
            list_add(looking->arena, &looking->sourced, path);
    }
}

/* Looks at a script once for the files that it reads, then at all of them for what they call. */
static void look_at_script(struct looking *looking)
{
    LIST(const char *) texts = {0};
    const char *path, *text = text_at(looking, looking->script, &path);
    if (text)
        list_sourced(looking, text);
    for (size_t i = 0; i < looking->sourced.count; i++) {
        const char *more = text_at(looking, looking->sourced.items[i], &path);
        if (more) {
            add(looking, looking->sourced.items[i], NULL);
            list_sourced(looking, more);
            list_add(looking->arena, &texts, more);
        }
    }
    if (text)
        list_add(looking->arena, &texts, text);
    for (size_t i = 0; i < texts.count; i++)
        list_functions(looking, texts.items[i]);
    for (size_t i = 0; i < texts.count; i++)
        look_at(looking, texts.items[i]);
}

/* A program of the service that starts its own scripts through the shell (system(3), popen(3), "/bin/sh") finds none unless
 * one is wanted for that. */
static void add_shell(struct arena *arena, const struct automatic_request *request, const struct own *own,
                      struct wishes *wishes)
{
    static const char shell[] = "/bin/sh";
    const char *program = NULL, *script = NULL;
    for (size_t i = 0; i < request->keep->count; i++) {
        const struct sourced *file = request->keep->items[i].file;
        const struct entry *content = own_has(own, file->package) ? sourced_content(file) : NULL;
        if (!content)
            continue;
        if (!program && content->elf && memmem(content->data, (size_t)content->size_bytes, shell, sizeof shell))
            program = file->entry->path;
        if (!script && content->interpreter && (content->mode & 0111) && !is_program_dir(file->entry->path) &&
            strncmp(file->entry->path, "/etc/", 5) != 0)
            script = file->entry->path;
    }
    if (program && script)
        list_add(arena, &wishes->files,
                 (struct wish_file){.path = shell,
                                    .giver = arena_printf(arena, "%s, which can start %s by it", program, script)});
}

/* An interpreter that is a shell script itself, as erl is, wants its shell, however it came. */
static void add_shells_of_interpreters(struct arena *arena, const struct automatic_request *request,
                                       struct wishes *wishes)
{
    for (size_t i = 0; i < request->keep->count; i++) {
        const char *path = request->keep->items[i].file->entry->path;
        const struct sourced *end = fileset_walk(request->set, arena, path, NULL, NULL);
        const struct entry *content = end ? sourced_content(end) : NULL;
        struct text rest = text_of(content && content->interpreter ? content->interpreter : ""), word;
        if (text_next_word(&rest, &word) && word.ptr[0] == '/' && text_has_suffix(word, "sh") &&
            interpreted_by(request->interpreters, path))
            list_add(arena, &wishes->files,
                     ((struct wish_file){.path = text_dup(arena, word),
                                         .giver = arena_printf(arena, "%s, which it runs", path)}));
    }
}

/* Whether a program hands texts to the shell: it imports system(3) or popen(3). */
static bool has_shell_calls(struct arena *arena, const struct entry *content)
{
    struct elf_symbols symbols;
    bool is_one = false;
    elf_symbols_read(arena, (struct text){content->data, (size_t)content->size_bytes}, &symbols);
    for (size_t i = 1; !symbols.broken && i < symbols.count && !is_one; i++) {
        struct elf_symbol symbol = elf_symbols_get(&symbols, i);
        is_one =
            symbol.section == SHN_UNDEF && (strcmp(symbol.name, "system") == 0 || strcmp(symbol.name, "popen") == 0);
    }
    return is_one;
}

/* The program that a string of a program calls, when it begins as a command does: with the name of a tool and an option, path or
 * value: "rm -rf %s"; behind "exec" it is one for certain. */
static const char *command_of(struct arena *arena, struct text string, bool *ret_is_certain)
{
    struct text word, rest = string, name = {0};
    *ret_is_certain = text_has_prefix(string, "exec ");
    if (*ret_is_certain)
        rest = string = (struct text){string.ptr + strlen("exec "), string.len - strlen("exec ")};
    if (!string.len || strchr(" \t\n", string.ptr[0]) || !text_next_word(&rest, &word) || !rest.len ||
        word.ptr + word.len >= rest.ptr + rest.len)
        return NULL;
    rest = text_trim(rest);
    bool is_message = memmem(rest.ptr, rest.len, "%s: ", 4) != NULL; /* "exec on %s: %s" */
    if (!rest.len || is_message || !strchr("-/%\"'$", rest.ptr[0]))
        return NULL;
    for (struct text path = word; text_next(&path, '/', &name);)
        continue;
    const char *command = name.len && name.len <= COMMAND_BYTES_MAX ? text_dup(arena, name) : "";
    return *command && strcmp(command, "[") != 0 && strspn(command, NAME_LETTERS) == name.len ? command : NULL;
}

/* A command in the strings of a program. */
struct called {
    const char *name;
    bool is_certain;
};

struct called_list {
    struct called *items;
    size_t count, capacity;
};

/* The commands that a program hands to the shell; read once for all rounds, where there is a memory. */
static const struct called_list *commands_in(struct arena *arena, struct references *memory,
                                             const struct entry *content)
{
    struct text bytes = {content->data, (size_t)content->size_bytes}, string;
    struct called_list *called = memory ? map_get(&memory->called, text_of(content->path)) : NULL;
    if (called)
        return called;
    called = arena_new(arena, struct called_list);
    *called = (struct called_list){0};
    bool has_calls = !content->elf->broken && has_shell_calls(arena, content);
    while (has_calls && called->count < CALLED_MAX && text_next(&bytes, '\0', &string)) {
        bool is_certain, is_command = string.len && string.len <= STRING_BYTES_MAX;
        const char *name = is_command ? command_of(arena, string, &is_certain) : NULL;
        if (name)
            list_add(arena, called, ((struct called){name, is_certain}));
    }
    if (memory)
        map_set(&memory->called, text_of(content->path), called);
    return called;
}

/* What a program of the service starts through the shell, as far as its strings are commands. */
static void look_at_strings(struct looking *looking, const struct entry *content)
{
    const struct called_list *called = commands_in(looking->arena, looking->request->references, content);
    for (size_t i = 0; i < called->count; i++) {
        const char *path, *name = called->items[i].name;
        bool is_certain = called->items[i].is_certain;
        if (add_tool(looking, name))
            (void)add_tool(looking, "sh");
        else if (is_certain && find_program(looking, name, &path))
            add(looking, path, NULL);
        else if (is_certain && map_add(looking->seen, text_of(name), looking))
            list_add(looking->arena, looking->notes,
                     arena_printf(looking->arena, "%s calls %s, which no package of the image has", looking->script,
                                  text_printable(looking->arena, text_of(name))));
    }
}

/* Whether a script was named itself, by whatever asks for it. */
static bool is_named(const struct automatic_request *request, const struct kept *kept)
{
    const char *path = kept->file->entry->path;
    const struct wishes *wishes = request->wishes;
    bool is_named = kept->by || (request->manifest && strings_has(&request->manifest->binaries, path));
    for (size_t i = 0; wishes && i < wishes->files.count && !is_named; i++)
        is_named = strcmp(wishes->files.items[i].path, path) == 0;
    return is_named;
}

/* Programs of the service that call tools themselves. */
static void find_callers(const struct looking *model)
{
    const struct keep *keep = model->request->keep;
    for (size_t i = 0; i < keep->count; i++) {
        const struct sourced *file = keep->items[i].file;
        const struct entry *content = own_has(model->own, file->package) ? sourced_content(file) : NULL;
        struct looking looking = *model;
        if (!content || !content->elf)
            continue;
        looking.script = file->entry->path;
        look_at_strings(&looking, content);
    }
}

void shells_find(struct arena *arena, const struct automatic_request *request, const struct own *own,
                 struct wishes *wishes, struct strings *names, struct strings *notes)
{
    struct map seen = {.arena = arena};
    struct spoken spoken;
    struct spoken_memory *memory = request->references ? &request->references->spoken : NULL;
    spoken_collect(arena, request, own, wishes, memory, &spoken);
    add_shell(arena, request, own, wishes);
    add_shells_of_interpreters(arena, request, wishes);
    find_callers(&(struct looking){.arena = arena,
                                   .own = own,
                                   .request = request,
                                   .wishes = wishes,
                                   .names = names,
                                   .notes = notes,
                                   .seen = &seen,
                                   .kind = "program"});
    for (size_t i = 0; i < request->keep->count; i++) {
        const struct kept *kept = &request->keep->items[i];
        struct kept reached = *kept;
        /* A script finds what is beside it by the name that it was started with. */
        if (kept->file->entry->kind == ENTRY_SYMLINK)
            reached.file = fileset_walk(request->set, arena, kept->file->entry->path, NULL, NULL);
        const char *program = reached.file ? interpreted_program(arena, request, &reached) : NULL;
        const struct interpreter *shell = program ? interpreted_by(request->interpreters, program) : NULL;
        const char *path = kept->file->entry->path;
        if (!shell || !shell->is_shell)
            continue;
        bool is_script_named = is_named(request, kept);
        if (!is_script_named && !is_program_dir(path) && !spoken_has(&spoken, path))
            continue;
        struct map functions = {.arena = arena};
        struct looking looking = {.arena = arena,
                                  .own = own,
                                  .functions = &functions,
                                  .request = request,
                                  .shell = shell,
                                  .wishes = wishes,
                                  .names = names,
                                  .seen = &seen,
                                  .is_named = is_script_named,
                                  .kind = "shell script",
                                  .script = path};
        look_at_script(&looking);
    }
}
