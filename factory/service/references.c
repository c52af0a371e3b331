/* SPDX-License-Identifier: Apache-2.0 */
#include "service/references.h"

#include "package/elf_symbols.h"
#include "package/path.h"
#include "service/interpreted.h"
#include "service/said.h"

#include <elf.h>

#define TEXT_BYTES_MAX ((uint64_t)1 << 20)
#define TOKEN_BYTES_MAX ((size_t)512)
#define TOKENS_MAX ((size_t)100000) /* of one file */
#define PRIVATE_DEPTH 3             /* /usr/lib/nsd */
#define LEFT_LISTED_MAX 8
#define UNSPOKEN "nothing says its name"
#define HELPERS_MAX ((size_t)100)
#define FOLDERS_MAX ((size_t)100) /* that are made */

/* What the search works on. */
struct searching {
    struct arena *arena;
    const struct automatic_request *request;
    const struct own *own;
    struct map wanted;  /* path or glob → anything: each comes once */
    struct map refused; /* the same of what does not come */
    struct modest *modest;
    struct strings left;         /* "PATH (LIBRARY)" */
    struct map said;             /* words of the configuration */
    struct spoken spoken;        /* names of helpers */
    struct map needed;           /* sonames that files of the own packages need */
    struct strings dirs;         /* that come along, as this round has it */
    size_t folder_count;         /* that were made */
    const char *source;          /* of the first binary's package, or NULL */
    bool is_program;             /* what names something is a program */
    const struct entry *content; /* of what names something */
    const struct strings *paths; /* that it names */
    struct automatic *found;
};

static bool is_path_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr("/._+@-", c));
}

/* Whether a path can be one that packages ship. */
static bool is_shipped_place(struct text path)
{
    static const char *const places[] = {"/usr/", "/lib",  "/bin/", "/sbin/", "/etc/",
                                         "/var/", "/srv/", "/opt/", "/run/"};
    for (size_t i = 0; i < ARRAY_COUNT(places); i++) {
        if (text_has_prefix(path, places[i]))
            return true;
    }
    return false;
}

/* The folder that a string begins with, up to a slash, when the program puts "/usr" before it: "share/h2o/start_server". */
static const char *folder_before(const char *begin, const char *slash)
{
    static const char *const folders[] = {"/usr/share", "/usr/libexec", "/usr/lib", "/usr/sbin"};
    for (size_t i = 0; i < ARRAY_COUNT(folders); i++) {
        const char *name = folders[i] + strlen("/usr/");
        size_t len = strlen(name);
        if ((size_t)(slash - begin) > len && memcmp(slash - len, name, len) == 0 && !slash[-1 - (ptrdiff_t)len])
            return folders[i];
    }
    return NULL;
}

/* What a configure script's variable before a slash stands for: "${datadir}/syslog-ng/include" (GNU Coding Standards, "Variables for
 * Installation Directories"). */
static const char *variable_before(const char *begin, const char *slash)
{
    static const struct {
        const char *name, *folder;
    } variables[] = {{"${prefix}", "/usr"},
                     {"${exec_prefix}", "/usr"},
                     {"${datadir}", "/usr/share"},
                     {"${datarootdir}", "/usr/share"},
                     {"${libexecdir}", "/usr/libexec"},
                     {"${libdir}", "/usr/lib"},
                     {"${sysconfdir}", "/etc"},
                     {"${localstatedir}", "/var"}};
    for (size_t i = 0; slash > begin && slash[-1] == '}' && i < ARRAY_COUNT(variables); i++) {
        size_t len = strlen(variables[i].name);
        if ((size_t)(slash - begin) >= len && memcmp(slash - len, variables[i].name, len) == 0)
            return variables[i].folder;
    }
    return NULL;
}

static const char *prefix_before(const char *begin, const char *slash)
{
    const char *folder = folder_before(begin, slash);
    return folder ? folder : variable_before(begin, slash);
}

/* Takes the paths out of some bytes: those that begin with a slash behind what cannot be of a path; with is_joined behind
 * anything, as they stand where strings have no end. */
static void list_paths(struct arena *arena, struct text bytes, bool is_joined, struct map *seen, struct strings *paths)
{
    const char *at = bytes.ptr, *end = bytes.ptr + bytes.len;
    while (at < end && (at = memchr(at, '/', (size_t)(end - at)))) {
        const char *from = at, *prefix = is_joined ? NULL : prefix_before(bytes.ptr, from);
        while (at < end && is_path_byte(*at) && (size_t)(at - from) <= TOKEN_BYTES_MAX)
            at++;
        struct text token = {from, (size_t)(at - from)};
        bool is_begin = is_joined || prefix || from == bytes.ptr || !is_path_byte(from[-1]);
        at = is_joined ? from + 1 : at;
        while (token.len && strchr("/.", token.ptr[token.len - 1]))
            token.len--;
        if (!is_begin || !(prefix || is_shipped_place(token)) || (token.len > TOKEN_BYTES_MAX && !is_joined) ||
            paths->count >= TOKENS_MAX)
            continue;
        const char *path =
            prefix ? arena_printf(arena, "%s%.*s", prefix, (int)token.len, token.ptr) : text_dup(arena, token);
        if (map_add(seen, text_of(path), (void *)path))
            list_add(arena, paths, path);
    }
}

/* The same for a text, of which comments name nothing. */
static void list_paths_of_text(struct arena *arena, struct text text, struct map *seen, struct strings *paths)
{
    struct text line;
    while (text_next(&text, '\n', &line)) {
        struct text trimmed = text_trim(line);
        if (trimmed.len && !strchr("#;", trimmed.ptr[0]))
            list_paths(arena, line, false, seen, paths);
    }
}

/* Whether a program is the Go linker's, which puts strings one behind the other without an end (cmd/link, "buildinfo"). */
static bool is_go(const struct entry *content)
{
    static const char mark[] = "\xff Go buildinf:";
    return memmem(content->data, (size_t)content->size_bytes, mark, sizeof mark - 1) != NULL;
}

static const struct strings *read_file(struct searching *searching, const struct entry *content)
{
    struct arena *arena = searching->arena;
    struct map *by_file = &searching->request->references->by_file;
    const struct strings *known = map_get(by_file, text_of(content->path));
    struct text bytes = {content->data, (size_t)content->size_bytes};
    if (known)
        return known;
    struct strings *paths = arena_new(arena, struct strings);
    struct map seen = {.arena = arena};
    *paths = (struct strings){0};
    bool is_joined = content->elf && is_go(content);
    if (is_joined)
        (void)map_add(&searching->request->references->joined, text_of(content->path), paths);
    if (content->elf)
        list_paths(arena, bytes, is_joined, &seen, paths);
    else if (bytes.len <= TEXT_BYTES_MAX && !memchr(bytes.ptr, '\0', bytes.len))
        list_paths_of_text(arena, bytes, &seen, paths);
    (void)map_add(by_file, text_of(content->path), paths);
    return paths;
}

static void want(struct searching *searching, const char *path, const struct strings *packages, const char *namer)
{
    struct arena *arena = searching->arena;
    if (!map_add(&searching->wanted, text_of(path), (void *)path))
        return;
    struct wish_file file = {.path = path,
                             .packages = *packages,
                             .is_optional = true,
                             .is_lenient = true,
                             .giver = arena_printf(arena, "what %s names", namer)};
    list_add(arena, &searching->found->wishes.files, file);
}

/* Whether a file is only for building other programs; libltdl finds plug-ins by .la files (GNU Libtool manual, "Libltdl"). */
static bool is_for_building(const struct searching *searching, const char *path)
{
    static const char *const endings[] = {".a", ".h", ".pc", ".la"};
    size_t len = strlen(path),
           count = ARRAY_COUNT(endings) - (map_get(&searching->modest->kept, text_of("libltdl.so.7")) != NULL);
    for (size_t i = 0; i < count; i++) {
        size_t ending = strlen(endings[i]);
        if (len > ending && strcmp(path + len - ending, endings[i]) == 0)
            return true;
    }
    return false;
}

/* What a plug-in that the configuration loads lacks is looked for in all packages, unless it is a library that a selected
 * one has. */
static void want_library(struct searching *searching, const char *lack)
{
    const struct strings *dirs = &searching->request->arch->library_dirs;
    bool is_there = !strstr(lack, ".so") || strings_has(&searching->found->libraries, lack);
    for (size_t i = 0; i < dirs->count && !is_there; i++)
        is_there = fileset_walk(searching->request->set, searching->arena,
                                arena_printf(searching->arena, "%s/%s", dirs->items[i], lack), NULL, NULL);
    if (!is_there)
        list_add(searching->arena, &searching->found->libraries, lack);
}

static bool is_program(const struct entry *content)
{
    return content->elf && content->elf->interp;
}

/* Whether a file is a library with a version that others need: the loader finds it then, nobody opens it as a plug-in. */
static bool is_library(const struct searching *searching, const struct entry *content)
{
    const char *soname = content->elf && !content->elf->interp ? content->elf->soname : NULL, *ending = soname;
    while (ending && (ending = strstr(ending, ".so.")) && !(ending[4] >= '0' && ending[4] <= '9'))
        ending++;
    return ending && map_get(&searching->needed, text_of(soname));
}

static bool is_shell_script(const struct entry *content)
{
    struct text rest = text_of(content->interpreter ? content->interpreter : ""), program;
    return !content->elf && (content->mode & 0111) && text_next_word(&rest, &program) && text_has_suffix(program, "sh");
}

/* What keeps a file below a directory from coming along, though nobody leaves it out by its kind; NULL when nothing does.
 * `path` is how it is listed, `end` the file that it is or leads to. */
static const char *lack_below(struct searching *searching, const char *path, const struct sourced *end)
{
    const struct entry *content = sourced_content(end);
    bool is_spoken = spoken_has(&searching->spoken, path) || spoken_has(&searching->spoken, end->entry->path);
    if (!content)
        return NULL;
    if (is_program(content))
        return is_spoken ? NULL : modest_program_lacks(searching->modest, end);
    if (is_shell_script(content))
        return is_spoken ? NULL : UNSPOKEN;
    const char *lack = modest_lacks(searching->modest, end);
    if (!lack || !said_has(searching->arena, &searching->said, path))
        return lack;
    want_library(searching, lack);
    return NULL;
}

/* Listens to helpers that come along, for the names of others. */
static void hear_below(struct searching *searching, const struct sourced_list *files)
{
    for (bool is_new = true; is_new;) {
        is_new = false;
        for (size_t i = 0; i < files->count; i++) {
            const char *path = files->items[i]->entry->path;
            const struct entry *content = sourced_content(files->items[i]);
            bool is_helper = content && (is_program(content) || content->interpreter);
            if (is_helper && own_has(searching->own, files->items[i]->package) && spoken_has(&searching->spoken, path))
                is_new = spoken_hear(&searching->spoken, content) || is_new;
        }
    }
}

/* Leaves a file out of the wish for a directory, unless it is of use. */
static void consider_below(struct searching *searching, const struct sourced *file, struct wish_file *wish)
{
    struct arena *arena = searching->arena;
    const char *path = file->entry->path;
    const struct sourced *end = fileset_walk(searching->request->set, arena, path, NULL, NULL);
    if (!end || !own_has(searching->own, file->package) || file->entry->kind == ENTRY_DIRECTORY)
        return;
    const struct entry *content = sourced_content(end);
    bool is_nothing = is_for_building(searching, path) || modest_dispenses(searching->modest, path) ||
                      (content && is_library(searching, content));
    const char *lack = is_nothing ? NULL : lack_below(searching, path, end);
    if (is_nothing || lack)
        list_add(arena, &wish->except, path);
    if (lack)
        list_add(arena, &searching->left, arena_printf(arena, "%s (%s)", path, lack));
}

/* All below a directory of the service's own. */
static void want_below(struct searching *searching, const char *dir, const char *namer)
{
    struct arena *arena = searching->arena;
    struct sourced_list files = {0};
    if (path_is_within_any(dir, &searching->dirs) || searching->dirs.count > REFERENCES_DIRS_MAX)
        return;
    list_add(arena, &searching->dirs, dir);
    want(searching, arena_printf(arena, "%s/**", dir), &searching->own->names, namer);
    if (!strings_has(&searching->request->references->dirs, dir))
        list_add(arena, &searching->request->references->dirs, dir);
    struct wish_file *wish = &searching->found->wishes.files.items[searching->found->wishes.files.count - 1];
    fileset_list(searching->request->set, arena, arena_printf(arena, "%s/", dir), &files);
    hear_below(searching, &files);
    for (size_t i = 0; i < files.count; i++)
        consider_below(searching, files.items[i], wish);
}

static size_t depth_of(const char *path)
{
    size_t depth = 0;
    for (; *path; path++)
        depth += *path == '/';
    return depth;
}

/* Whether nobody but the service has files in a directory. */
static bool is_private(const struct searching *searching, const struct sourced *directory)
{
    const struct family *family = searching->request->set->family;
    const char *path = directory->entry->path;
    if (depth_of(path) < PRIVATE_DEPTH || strncmp(path, "/etc/", 5) == 0 ||
        path_is_within_any(path, &family->documentation))
        return false;
    for (const struct sourced *each = directory; each; each = each->shadowed) {
        if (!own_has(searching->own, each->package))
            return false;
    }
    return true;
}

/* One file. What only one of many plug-ins would start does not come along when it brings more libraries. */
static void want_file(struct searching *searching, const char *path, const struct sourced *file, const char *namer,
                      bool is_wanted_by_service)
{
    const struct strings anywhere = {0};
    const struct entry *content = sourced_content(file);
    const char *lack =
        is_wanted_by_service || !content || !is_program(content) ? NULL : modest_program_lacks(searching->modest, file);
    if (!lack)
        want(searching, path, &anywhere, namer);
    else if (map_add(&searching->refused, text_of(path), (void *)path))
        list_add(searching->arena, &searching->left, arena_printf(searching->arena, "%s (%s)", path, lack));
}

/* What runs a script that a text names, as configuration does whose service starts it, is looked for in all packages. */
static void want_interpreter(struct searching *searching, const struct sourced *file)
{
    const struct entry *content = sourced_content(file);
    struct text rest = text_of(content && (content->mode & 0111) && content->interpreter ? content->interpreter : "");
    struct text word;
    if (!text_next_word(&rest, &word) || (text_has_suffix(word, "/env") && !text_next_word(&rest, &word)))
        return;
    const char *path = text_dup(searching->arena, word);
    if (path[0] == '/' && !fileset_walk(searching->request->set, searching->arena, path, NULL, NULL) &&
        !strings_has(&searching->found->libraries, path))
        list_add(searching->arena, &searching->found->libraries, path);
}

/* Whether a path is one where commands are, of no shell and of nothing that runs scripts: these come for their scripts. */
static bool is_command(const struct searching *searching, const char *path)
{
    static const char *const folders[] = {"/usr/bin", "/usr/sbin", "/bin", "/sbin"};
    const char *name = path_basename(path);
    size_t folder_len = (size_t)(name - path) - 1;
    if (text_has_suffix(text_of(name), "sh") || interpreted_by(searching->request->interpreters, path))
        return false;
    for (size_t i = 0; i < ARRAY_COUNT(folders); i++) {
        if (strlen(folders[i]) == folder_len && memcmp(folders[i], path, folder_len) == 0)
            return true;
    }
    return false;
}

/* Whether a file is a command that a program of the service names, of a package on which the service's depends: m4, by which a
 * daemon reads its configuration. */
static bool is_helper(const struct searching *searching, const char *path, const struct sourced *file)
{
    const struct strings *depends = searching->request->depends;
    const struct entry *content = sourced_content(file);
    return searching->is_program && depends && strings_has(depends, file->package->name) && content &&
           (content->mode & 0111) && is_command(searching, path);
}

/* Notes a command that may be one of a package that was not opened. */
static void seek_helper(struct searching *searching, const char *path)
{
    struct strings *helpers = &searching->found->helpers;
    if (searching->is_program && searching->request->depends && helpers->count < HELPERS_MAX &&
        is_command(searching, path) && !strings_has(helpers, path))
        list_add(searching->arena, helpers, path);
}

static bool is_configuration(const char *path)
{
    return strncmp(path, "/etc/", 5) == 0;
}

/* Whether a file is data that packages share, and that whoever names it reads: /usr/share/dns/root.key. */
static bool is_shared_data(const struct searching *searching, const struct sourced *file)
{
    const char *path = file->entry->path;
    const struct entry *content = sourced_content(file);
    return path_is_below(path, "/usr/share") && content && !content->elf && !(content->mode & 0111) &&
           !path_is_within_any(path, &searching->request->set->family->documentation);
}

/* Where services keep what they write. */
static const char *const state_places[] = {"/var/lib/", "/var/cache/", "/var/spool/", "/var/log/", "/run/"};

/* Returns the part of a path behind one of these places; NULL when it is at none. */
static const char *state_of(const char *path, size_t *ret_place)
{
    for (size_t i = 0; i < ARRAY_COUNT(state_places); i++) {
        *ret_place = i;
        if (text_has_prefix(text_of(path), state_places[i]))
            return path + strlen(state_places[i]);
    }
    return NULL;
}

/* A file that a service is to write and nobody has: its folder, which none of its packages has, is the service's own. */
static void want_folder(struct searching *searching, const char *folder, const char *namer)
{
    struct automatic *found = searching->found;
    const struct automatic_request *request = searching->request;
    const char *user = found->config.user ? found->config.user : "root", *colon = strchr(user, ':');
    const struct wish_made *given = wishes_made(request->wishes, folder);
    size_t place;
    bool is_place = state_of(folder, &place) != NULL;
    const struct sourced *packaged = fileset_walk(request->set, searching->arena, folder, NULL, NULL);
    if (!is_place || (packaged && own_has(searching->own, packaged->package)) || wishes_made(&found->wishes, folder) ||
        (given && !given->is_automatic) || searching->folder_count++ >= FOLDERS_MAX)
        return;
    list_add(searching->arena, &found->wishes.made,
             ((struct wish_made){.kind = MADE_DIRECTORY,
                                 .path = folder,
                                 .mode = 0755,
                                 .owner = colon ? arena_strndup(searching->arena, user, (size_t)(colon - user)) : user,
                                 .group = colon ? colon + 1 : NULL,
                                 .is_automatic = true,
                                 .yields_to_tmpfiles = true,
                                 .giver = arena_printf(searching->arena, "what %s names", namer)}));
}

/* The folder of a file that the configuration names. */
static void want_folder_above(struct searching *searching, const char *path, const char *namer)
{
    want_folder(searching, path_through_run(searching->arena, path_dirname(searching->arena, path)), namer);
}

static bool imports_mkdir(struct arena *arena, const struct entry *content)
{
    struct elf_symbols symbols;
    bool is_one = false;
    elf_symbols_read(arena, (struct text){content->data, (size_t)content->size_bytes}, &symbols);
    for (size_t i = 1; !symbols.broken && i < symbols.count && !is_one; i++) {
        struct elf_symbol symbol = elf_symbols_get(&symbols, i);
        is_one = symbol.section == SHN_UNDEF && strcmp(symbol.name, "mkdir") == 0;
    }
    return is_one;
}

/* Whether a program that root starts makes a folder itself, with the mode that it wants it to have: it names the folder alone and
 * what is in it, and imports mkdir(2). */
static bool is_made_by_program(struct searching *searching, const char *folder)
{
    const char *user = searching->found->config.user;
    const struct entry *content = searching->content;
    bool is_root = !user || strcmp(user, "root") == 0 || strncmp(user, "root:", 5) == 0;
    bool has_folder = false, has_below = false;
    for (size_t i = 0; is_root && content && searching->paths && i < searching->paths->count; i++) {
        const char *path = path_through_run(searching->arena, searching->paths->items[i]);
        has_folder = has_folder || strcmp(path, folder) == 0;
        has_below = has_below || path_is_below(path, folder);
    }
    return has_folder && has_below && searching->is_program && imports_mkdir(searching->arena, content);
}

/* A folder that a program or the configuration names, for what is written, called as the program, its package or its source: "/var/lib/varnish", or
 * "/run/nsd/nsd.sock". */
static void want_state(struct searching *searching, const char *path, const char *namer)
{
    size_t place;
    path = path_through_run(searching->arena, path);
    const char *rest = state_of(path, &place), *slash = rest ? strchr(rest, '/') : NULL;
    bool is_kept = rest && place < 3; /* in /var/log and /run such a name may be a file's */
    if (!rest || (!slash && (!is_kept || strchr(rest, '.'))))
        return;
    const char *name = slash ? arena_strndup(searching->arena, rest, (size_t)(slash - rest)) : rest;
    if (!strings_has(&searching->own->names, name) && strcmp(path_basename(namer), name) != 0 &&
        (!searching->source || strcmp(searching->source, name) != 0))
        return;
    const char *folder = slash ? path_dirname(searching->arena, path) : path;
    if (!is_made_by_program(searching, folder))
        want_folder(searching, folder, namer);
}

/* Whether what a file names may be run because of it: configuration, and shell scripts. */
static bool is_run_by(const struct searching *searching, const char *namer)
{
    const struct sourced *file = fileset_find(searching->request->set, namer);
    const struct entry *content = file ? sourced_content(file) : NULL;
    struct text rest = text_of(content && content->interpreter ? content->interpreter : ""), word;
    return is_configuration(namer) || (text_next_word(&rest, &word) && text_has_suffix(word, "sh"));
}

/* The longest beginning of what is named that an own package has, below a folder that is not everybody's; the whole when there
 * is none. */
static const char *cut_joined(const struct searching *searching, const char *named)
{
    char *path = arena_strndup(searching->arena, named, strlen(named));
    for (size_t len = strlen(path); len; len--) {
        path[len] = '\0';
        const struct sourced *file = path[len - 1] == '/' ? NULL : fileset_find(searching->request->set, path);
        if (file && own_has(searching->own, file->package) && depth_of(path) >= PRIVATE_DEPTH)
            return path;
    }
    return named;
}

static void want_named(struct searching *searching, const char *named, const char *namer, bool may_be_directory)
{
    bool is_joined = map_get(&searching->request->references->joined, text_of(namer)) != NULL;
    const char *why, *path = is_joined ? cut_joined(searching, named) : named;
    struct sourced_list links = {0};
    path = path_canonical(searching->arena, text_of(path), &why);
    const struct sourced *file =
        path ? fileset_walk(searching->request->set, searching->arena, path, &links, NULL) : NULL;
    if (!file) {
        if (path)
            seek_helper(searching, path);
        if (path && is_configuration(namer))
            want_folder_above(searching, path, namer);
        if (path && (is_configuration(namer) || searching->is_program))
            want_state(searching, path, namer);
        return;
    }
    if (file->entry->kind != ENTRY_DIRECTORY) {
        bool is_own =
            own_has(searching->own, file->package) || (links.count && own_has(searching->own, links.items[0]->package));
        if (is_own || is_shared_data(searching, file) || is_helper(searching, path, file))
            want_file(searching, path, file, namer, may_be_directory);
        if (is_own && is_run_by(searching, namer))
            want_interpreter(searching, file);
        return;
    }
    /* The way to a directory comes in any case: what is there comes as configuration, if not by this. */
    for (size_t i = 0; i < links.count; i++) {
        if (own_has(searching->own, links.items[i]->package))
            want(searching, links.items[i]->entry->path, &(const struct strings){0}, namer);
    }
    if (may_be_directory && is_private(searching, file))
        want_below(searching, file->entry->path, namer);
}

static void list_needed(struct searching *searching)
{
    for (size_t p = 0; p < searching->own->packages.count; p++) {
        const struct package *package = searching->own->packages.items[p];
        for (size_t i = 0; i < package->count; i++) {
            const struct elf_facts *elf = package->entries[i].elf;
            for (size_t j = 0; elf && j < elf->needed.count; j++)
                (void)map_add(&searching->needed, text_of(elf->needed.items[j]), (void *)elf);
        }
    }
}

struct references *references_new(struct arena *arena)
{
    struct references *references = arena_new(arena, struct references);
    *references = (struct references){.by_file = {.arena = arena},
                                      .joined = {.arena = arena},
                                      .called = {.arena = arena},
                                      .spoken = {.by_file = {.arena = arena}}};
    return references;
}

/* Says what of the directories was left out. */
static void note_left(struct searching *searching)
{
    struct strings listed = {0};
    struct arena *arena = searching->arena;
    /* Scripts that nobody speaks of come last. */
    for (int is_unspoken = 0; is_unspoken < 2; is_unspoken++) {
        for (size_t i = 0; i < searching->left.count && listed.count < LEFT_LISTED_MAX; i++) {
            if (text_has_suffix(text_of(searching->left.items[i]), UNSPOKEN ")") == is_unspoken)
                list_add(arena, &listed, searching->left.items[i]);
        }
    }
    if (searching->left.count > LEFT_LISTED_MAX)
        list_add(arena, &listed, arena_printf(arena, "and %zu more", searching->left.count - LEFT_LISTED_MAX));
    if (listed.count)
        list_add(arena, &searching->found->notes,
                 arena_printf(
                     arena,
                     "plug-ins and helpers that need what nothing else in the image does are left out; `files` would "
                     "bring them: %s",
                     strings_join(arena, &listed, ", ")));
}

const struct strings *references_of(const struct references *references, const char *path)
{
    return map_get(&references->by_file, text_of(path));
}

/* Whether a file is the machine's to start, as are scripts below /etc: what it names is not the service's. */
static bool is_for_host(const struct automatic_request *request, const struct entry *entry)
{
    bool is_started = strncmp(entry->path, "/etc/", 5) == 0 && entry->kind == ENTRY_FILE && (entry->mode & 0111);
    return is_started || path_is_within_any(entry->path, &request->set->family->for_host);
}

/* Whether a file is a library that a program of the service needs, wherever it lies: it speaks for the program. */
static bool is_of_program(const struct searching *searching, const struct kept *kept)
{
    const struct sourced *by = kept->by ? fileset_find(searching->request->set, kept->by) : NULL;
    const struct entry *content = by && own_has(searching->own, by->package) ? sourced_content(by) : NULL;
    return content && is_program(content);
}

bool references_find(struct modest *modest, const struct strings *command, struct automatic *found, struct err *err)
{
    struct arena *arena = modest->arena;
    const struct automatic_request *request = modest->request;
    const struct own *own = modest->own;
    struct searching searching = {.arena = arena,
                                  .request = request,
                                  .own = own,
                                  .wanted = {.arena = arena},
                                  .refused = {.arena = arena},
                                  .needed = {.arena = arena},
                                  .modest = modest,
                                  .source = own->main ? own_source(request, own->main->name) : NULL,
                                  .found = found};
    struct map linked;
    said_collect(arena, request, own, &found->wishes, &searching.said);
    said_collect_linked(arena, request, &found->wishes, &linked);
    spoken_collect(arena, request, own, &found->wishes, &request->references->spoken, &searching.spoken);
    list_needed(&searching);
    for (size_t i = 0; i < command->count; i++) {
        struct strings paths = {0};
        struct map seen = {.arena = arena};
        list_paths(arena, text_of(command->items[i]), false, &seen, &paths);
        spoken_hear_text(&searching.spoken, text_of(command->items[i]));
        for (size_t j = 0; j < paths.count; j++)
            want_named(&searching, paths.items[j], "the command", true);
    }
    for (size_t i = 0; i < request->keep->count; i++) {
        const struct sourced *file = request->keep->items[i].file;
        const struct entry *content = sourced_content(file);
        if (!content || !own_has(own, file->package) || is_for_host(request, file->entry) ||
            said_is_idle(&linked, file->entry->path))
            continue;
        const struct strings *paths = read_file(&searching, content);
        searching.is_program = is_program(content);
        searching.content = content;
        searching.paths = paths;
        bool may_name_all = searching.is_program || is_of_program(&searching, &request->keep->items[i]) ||
                            !path_is_within_any(file->entry->path, &request->references->dirs);
        for (size_t j = 0; j < paths->count; j++)
            want_named(&searching, paths->items[j], file->entry->path, may_name_all);
    }
    note_left(&searching);
    if (searching.dirs.count > REFERENCES_DIRS_MAX)
        err_set(err, ERR_MALFORMED, "package %s: the files of its source package name more than %d directories of it",
                own->names.items[0], REFERENCES_DIRS_MAX);
    return searching.dirs.count <= REFERENCES_DIRS_MAX;
}
