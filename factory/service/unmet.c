/* SPDX-License-Identifier: Apache-2.0 */
#include "service/unmet.h"

#include "package/path.h"
#include "package/script.h"
#include "service/said.h"

#define TEXT_BYTES_MAX ((uint64_t)1 << 20)
#define NAMED_BYTES_MAX ((size_t)512)
#define SEEN_MAX ((size_t)20000) /* paths that are looked at */
#define LISTED_MAX 8

/* What is looked at. */
struct looking {
    struct arena *arena;
    const struct automatic_request *request;
    const struct own *own;
    struct automatic *found;
    struct map there;    /* paths that the image has, with all directories above them */
    struct map linked;   /* what links lead to */
    struct map seen;     /* paths and programs that were looked at → anything */
    struct strings told; /* "PATH (FILE)" of paths that are not there */
    const char *file;    /* that is read */
};

static bool is_path_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr("/._+@-", c));
}

static void add_there(struct looking *looking, const char *path)
{
    while (path[0] == '/' && path[1] && map_add(&looking->there, text_of(path), looking))
        path = path_dirname(looking->arena, path);
}

/* Whether a path is in the image, or will be when what is wished for is. */
static bool is_there(struct looking *looking, const char *path)
{
    const char *end; /* where its links lead, there or not */
    const struct sourced *file = fileset_walk(looking->request->set, looking->arena, path, NULL, &end);
    if (map_get(&looking->there, text_of(end)))
        return true;
    for (size_t i = 0; i < looking->found->wishes.files.count; i++) {
        if (file && path_matches(looking->found->wishes.files.items[i].path, file->entry->path))
            return true;
    }
    return false;
}

/* Whether it is of no use to tell of a path, or of what it names: engines or the tree bring it, programs do without it, nobody reads
 * it, or it is of variables, which units and scripts evaluate. */
static bool is_of_no_interest(const struct looking *looking, const char *path)
{
    static const char *const brought[] = {"/etc/hosts",     "/etc/resolv.conf", "/etc/hostname", "/etc/mtab",
                                          "/etc/localtime", "/etc/passwd",      "/etc/group"};
    const struct family *family = looking->request->set->family;
    for (size_t i = 0; i < ARRAY_COUNT(brought); i++) {
        if (strcmp(path, brought[i]) == 0)
            return true;
    }
    return path_is_below(path, "/usr/local") || path_is_below(path, "/etc/default") ||
           path_is_below(path, "/etc/sysconfig") ||
           (family &&
            (path_is_within_any(path, &family->documentation) || path_is_within_any(path, &family->for_host)));
}

static bool is_packaged_place(const char *path)
{
    static const char *const places[] = {"/etc", "/usr", "/bin", "/sbin", "/lib", "/opt"};
    for (size_t i = 0; i < ARRAY_COUNT(places); i++) {
        if (path_is_below(path, places[i]))
            return true;
    }
    return false;
}

/* With is_anywhere also a path where services write counts: what they include has to be there. */
static void look_at_path(struct looking *looking, struct text token, bool is_anywhere)
{
    while (token.len && strchr("/.", token.ptr[token.len - 1]))
        token.len--;
    const char *why, *path = path_canonical(looking->arena, token, &why);
    if (!path || !(is_packaged_place(path) || (is_anywhere && path_is_within(path, "/var"))) ||
        looking->seen.slots.count >= SEEN_MAX || !map_add(&looking->seen, text_of(path), looking) ||
        is_of_no_interest(looking, path) || is_there(looking, path))
        return;
    list_add(looking->arena, &looking->told, arena_printf(looking->arena, "%s (%s)", path, looking->file));
}

/* Paths of a line: not what goes on as a pattern or with a variable. */
static void look_at_paths(struct looking *looking, struct text line)
{
    bool is_including = text_has_prefix(line, "include ") || text_has_prefix(line, "@include ");
    for (size_t at = 0; at < line.len;) {
        size_t from = at;
        bool is_behind_element = at > 1 && line.ptr[at - 1] == '>' && line.ptr[at - 2] == '/'; /* of XML: a variable */
        if (line.ptr[at] != '/' || is_behind_element ||
            (at && (is_path_byte(line.ptr[at - 1]) || strchr("}%*?])$:~\\", line.ptr[at - 1])))) {
            at++;
            continue;
        }
        while (at < line.len && is_path_byte(line.ptr[at]))
            at++;
        bool goes_on = at < line.len && strchr("*?[{$%(<~\\:|^", line.ptr[at]);
        if (!goes_on && at - from <= NAMED_BYTES_MAX)
            look_at_path(looking, (struct text){line.ptr + from, at - from}, is_including);
    }
}

/* A program that a quoted value pipes to: "|rotatelogs -l", of any package that has it where a shell looks. */
static void look_at_pipe(struct looking *looking, struct text line)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789_.-";
    for (size_t at = 1; at < line.len; at++) {
        if (line.ptr[at] != '|' || !strchr("\"'", line.ptr[at - 1]))
            continue;
        size_t from = at + 1;
        while (from < line.len && line.ptr[from] == ' ')
            from++;
        size_t end = from;
        while (end < line.len && strchr(letters, line.ptr[end]))
            end++;
        if (end - from < 2 || end == line.len || !strchr(" \"'", line.ptr[end]))
            continue;
        const char *name = arena_strndup(looking->arena, line.ptr + from, end - from);
        if (looking->seen.slots.count >= SEEN_MAX || !map_add(&looking->seen, text_of(name), looking))
            continue;
        list_add(looking->arena, &looking->found->wishes.files,
                 ((struct wish_file){.path = arena_printf(looking->arena, "/usr/*bin/%s", name),
                                     .is_optional = true,
                                     .giver = arena_printf(looking->arena, "%s, which pipes to it", looking->file)}));
        bool is_found = false;
        for (size_t i = 0; script_path_dirs[i] && !is_found; i++)
            is_found = fileset_walk(looking->request->set, looking->arena,
                                    arena_printf(looking->arena, "%s/%s", script_path_dirs[i], name), NULL, NULL);
        if (!is_found)
            list_add(looking->arena, &looking->told,
                     arena_printf(looking->arena, "the program %s (%s)", name, looking->file));
    }
}

static void look_at_text(struct looking *looking, struct text text)
{
    struct text line;
    if (text.len > TEXT_BYTES_MAX || !text.len || memchr(text.ptr, '\0', text.len))
        return;
    while (text_next(&text, '\n', &line)) {
        struct text trimmed = text_trim(line);
        if (!trimmed.len || strchr("#;", trimmed.ptr[0]) || text_has_prefix(trimmed, "//") ||
            text_has_prefix(trimmed, "--") || text_has_prefix(trimmed, "/*"))
            continue;
        look_at_paths(looking, trimmed);
        look_at_pipe(looking, trimmed);
    }
}

static bool is_configuration(const struct looking *looking, const struct sourced *file)
{
    const struct entry *entry = file->entry;
    return entry->kind == ENTRY_FILE && !(entry->mode & 0111) && strncmp(entry->path, "/etc/", 5) == 0 &&
           !path_is_within(entry->path, "/etc/pam.d") && /* effect/pam.h tells of its modules */
           own_has(looking->own, file->package) && !said_is_idle(&looking->linked, entry->path) &&
           !is_of_no_interest(looking, entry->path);
}

/* Whether a path below /etc is called as the service: "/etc/NAME/…", "/etc/NAME.conf". */
static bool is_called_so(const struct looking *looking, const char *path, const char *program)
{
    static const char *const endings[] = {".conf", ".cfg",  ".cf",  ".cnf",  ".yml",
                                          ".yaml", ".toml", ".ini", ".json", "/config"};
    const struct package *main = looking->own->main;
    const char *source = main ? own_source(looking->request, main->name) : NULL;
    const char *names[] = {path_basename(program), main ? main->name : NULL, source};
    bool is_file = false, is_one = false;
    for (size_t i = 0; i < ARRAY_COUNT(endings) && !is_file; i++)
        is_file = text_has_suffix(text_of(path), endings[i]);
    for (size_t i = 0; i < ARRAY_COUNT(names) && is_file && !is_one; i++) {
        size_t len = names[i] ? strlen(names[i]) : 0;
        is_one = len && strncmp(path, "/etc/", 5) == 0 && strncmp(path + 5, names[i], len) == 0 &&
                 (path[5 + len] == '/' || path[5 + len] == '.');
    }
    return is_one;
}

/* Whether the command says itself which configuration is read. */
static bool is_told_configuration(const struct looking *looking)
{
    const struct strings *cmd = &looking->found->config.cmd;
    bool is_told = false;
    for (size_t i = 0; i < cmd->count && !is_told; i++)
        is_told = strstr(cmd->items[i], "/etc/") != NULL;
    return is_told;
}

/* The configuration that the program, or a library of its own, reads when nobody says another. */
static void look_at_program(struct looking *looking)
{
    const struct strings *entrypoint = &looking->found->config.entrypoint;
    const struct automatic_request *request = looking->request;
    const char *program = entrypoint->count ? entrypoint->items[0] : NULL;
    if (!program || is_told_configuration(looking))
        return;
    for (size_t i = 0; i < request->keep->count; i++) {
        const struct kept *kept = &request->keep->items[i];
        const char *path = kept->file->entry->path;
        bool is_it = strcmp(path, program) == 0 || (kept->by && strcmp(kept->by, program) == 0);
        const struct strings *named =
            is_it && own_has(looking->own, kept->file->package) ? references_of(request->references, path) : NULL;
        looking->file = path;
        for (size_t j = 0; named && j < named->count; j++) {
            if (is_called_so(looking, named->items[j], program))
                look_at_path(looking, text_of(named->items[j]), false);
        }
    }
}

static void list_there(struct looking *looking)
{
    const struct automatic_request *request = looking->request;
    const struct wishes *wishes[] = {&looking->found->wishes, request->wishes};
    for (size_t i = 0; i < request->keep->count; i++)
        add_there(looking, request->keep->items[i].file->entry->path);
    for (size_t i = 0; i < ARRAY_COUNT(wishes); i++) {
        for (size_t j = 0; wishes[i] && j < wishes[i]->made.count; j++)
            add_there(looking, wishes[i]->made.items[j].path);
    }
}

void unmet_find(struct arena *arena, const struct automatic_request *request, const struct own *own,
                struct automatic *found)
{
    struct looking looking = {.arena = arena,
                              .request = request,
                              .own = own,
                              .found = found,
                              .there = {.arena = arena},
                              .seen = {.arena = arena}};
    list_there(&looking);
    said_collect_linked(arena, request, &found->wishes, &looking.linked);
    for (size_t i = 0; i < request->keep->count; i++) {
        const struct sourced *file = request->keep->items[i].file;
        const struct entry *content = is_configuration(&looking, file) ? sourced_content(file) : NULL;
        looking.file = file->entry->path;
        if (content && !content->elf)
            look_at_text(&looking, (struct text){content->data, (size_t)content->size_bytes});
    }
    look_at_program(&looking);
    size_t more = looking.told.count > LISTED_MAX ? looking.told.count - LISTED_MAX : 0;
    looking.told.count -= more;
    if (looking.told.count)
        list_add(arena, &found->notes,
                 arena_printf(arena, "named, and not in the image unless you bring it: %s%s",
                              strings_join(arena, &looking.told, ", "),
                              more ? arena_printf(arena, ", and %zu more", more) : ""));
}
