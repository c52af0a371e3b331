/* SPDX-License-Identifier: Apache-2.0 */
#include "effect/script_world.h"

#include "effect/shell_test.h"
#include "package/path.h"

#include <stdlib.h>

#define GLOBS_MAX 200
#define SOURCE_MAX ((size_t)64 << 10)

static const struct sourced *find_file(const struct script_world *world, const char *path, bool is_followed)
{
    if (world->is_before || !world->set)
        return NULL;
    return is_followed ? fileset_walk(world->set, world->arena, path, NULL, NULL) : fileset_find(world->set, path);
}

static const struct entry *find_entry(const struct script_world *world, const char *path, bool is_followed)
{
    const struct sourced *file = find_file(world, path, is_followed);
    const struct entry *entry = file ? file->entry : NULL;
    for (size_t i = 0; !world->set && !world->is_before && i < world->package_count && !entry; i++)
        entry = package_find(world->packages[i], path);
    return entry;
}

static bool is_one_of(const char *word, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(word, words[i]) == 0)
            return true;
    }
    return false;
}

/* Directories that every system has, whatever is installed. */
static bool is_base_directory(const char *path)
{
    static const char *const directories[] = {
        "/",        "/etc",       "/etc/default", "/home",      "/mnt",        "/opt",      "/root",      "/run",
        "/srv",     "/tmp",       "/usr",         "/usr/bin",   "/usr/lib",    "/usr/sbin", "/usr/share", "/usr/local",
        "/var",     "/var/cache", "/var/lib",     "/var/local", "/var/log",    "/var/mail", "/var/opt",   "/var/spool",
        "/var/tmp", "/run/lock",  "/var/run",     "/var/lock",  "/usr/libexec"};
    return is_one_of(path, directories, ARRAY_COUNT(directories));
}

/* What scripts use to make things is there. */
static bool is_tool(const char *name)
{
    static const char *const tools[] = {
        "adduser", "addgroup", "useradd", "groupadd", "usermod", "gpasswd",           "getent", "chown", "chgrp",
        "chmod",   "install",  "mkdir",   "cp",       "ln",      "dpkg-statoverride", "ucf",    "ucfr",  "id",
        "grep",    "sed",      "setcap"};
    return is_one_of(name, tools, ARRAY_COUNT(tools));
}

static bool is_program(const char *path)
{
    return path_is_within(path, "/usr/bin") || path_is_within(path, "/usr/sbin");
}

/* What a service reads by itself; settings of what starts it are in the folders that are left out. */
static bool is_configuration(const char *path)
{
    return path_is_below(path, "/etc") && !path_is_within(path, "/etc/default") &&
           !path_is_within(path, "/etc/sysconfig");
}

static enum shell_truth test_entry(const struct entry *entry, char what)
{
    bool is_true = true;
    switch (what) {
    case 'd':
        is_true = entry->kind == ENTRY_DIRECTORY;
        break;
    case 'f':
        is_true = entry->kind == ENTRY_FILE || entry->kind == ENTRY_HARDLINK;
        break;
    case 'L':
    case 'h':
        is_true = entry->kind == ENTRY_SYMLINK;
        break;
    case 's':
        is_true = entry->kind != ENTRY_FILE || entry->size_bytes;
        break;
    case 'x':
        is_true = entry->kind != ENTRY_FILE || (entry->mode & 0111);
        break;
    case 'e':
    case 'r':
    case 'w':
        break;
    default:
        is_true = false;
        break;
    }
    return is_true ? SHELL_TRUTH_YES : SHELL_TRUTH_NO;
}

enum shell_truth script_world_test(void *self, char what, const char *path)
{
    const struct script_world *world = self;
    const char *reason, *canonical = *path == '/' ? path_canonical(world->arena, text_of(path), &reason) : NULL;
    if (!*path)
        return SHELL_TRUTH_NO;
    if (!canonical || path_is_within(canonical, "/proc") || path_is_within(canonical, "/sys") ||
        path_is_within(canonical, "/dev") || !strchr("defhLrswx", what))
        return what == 't' ? SHELL_TRUTH_NO : SHELL_TRUTH_MAYBE;
    bool is_link = what == 'h' || what == 'L';
    const enum shell_truth *made = map_get(&world->made, text_of(canonical));
    if (made)
        return is_link && *made == SHELL_TRUTH_YES ? SHELL_TRUTH_MAYBE : *made;
    const struct entry *entry = find_entry(world, canonical, !is_link);
    if (entry)
        return test_entry(entry, what);
    if (is_base_directory(canonical))
        return what == 'f' || is_link ? SHELL_TRUTH_NO : SHELL_TRUTH_YES;
    if (is_program(canonical))
        return is_tool(path_basename(canonical)) && !is_link ? SHELL_TRUTH_YES : SHELL_TRUTH_MAYBE;
    return world->has_configuration && strchr("efrs", what) && is_configuration(canonical) ? SHELL_TRUTH_YES
                                                                                           : SHELL_TRUTH_NO;
}

static int compare_strings(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void script_world_glob(void *self, const char *pattern, struct strings *ret_paths)
{
    struct script_world *world = self;
    size_t plain = strcspn(pattern, "*?[");
    struct sourced_list files = {0};
    if (*pattern != '/' || plain < 2 || ++world->glob_count > GLOBS_MAX)
        return;
    if (world->set && !world->is_before)
        fileset_list(world->set, world->arena, arena_strndup(world->arena, pattern, plain), &files);
    for (size_t i = 0; i < files.count; i++) {
        if (path_matches(pattern, files.items[i]->entry->path))
            list_add(world->arena, ret_paths, files.items[i]->entry->path);
    }
    for (size_t i = 0; i < world->made.slots.count; i++) {
        const struct map_slot *slot = &world->made.slots.items[i];
        if (*(const enum shell_truth *)slot->value == SHELL_TRUTH_YES && path_matches(pattern, slot->key.ptr) &&
            !find_entry(world, slot->key.ptr, false))
            list_add(world->arena, ret_paths, slot->key.ptr);
    }
    if (ret_paths->count)
        qsort(ret_paths->items, ret_paths->count, sizeof ret_paths->items[0], compare_strings);
}

/* A file that is read with `.`: a package's; below /etc and /var nothing else is there yet. Debconf's functions set only
 * what is unknown anyhow, and those that enable configuration are known by their names (script_enable.c). */
const char *script_world_source(void *self, const char *path)
{
    const struct script_world *world = self;
    const char *reason, *canonical = *path == '/' ? path_canonical(world->arena, text_of(path), &reason) : NULL;
    const struct sourced *file = canonical ? find_file(world, canonical, true) : NULL;
    const struct entry *content = file ? sourced_content(file) : NULL;
    static const char *const helpers[] = {"confmodule", "php-maintscript-helper", "apache2-maintscript-helper"};
    if (is_one_of(path_basename(path), helpers, ARRAY_COUNT(helpers)))
        return "";
    if (content && content->size_bytes <= SOURCE_MAX && !memchr(content->data, '\0', (size_t)content->size_bytes))
        return arena_strndup(world->arena, content->data, (size_t)content->size_bytes);
    bool is_absent = canonical && !content && !map_get(&world->made, text_of(canonical)) &&
                     (path_is_within(canonical, "/etc") || path_is_within(canonical, "/var"));
    return is_absent ? "" : NULL;
}

/* Returns the first word behind the name that is no option; NULL when there is none or it is not known. */
static const char *first_operand(const struct shell_command *command, size_t skip)
{
    for (size_t i = 1; i < command->count; i++) {
        if (command->items[i].text[0] == '-')
            continue;
        if (!skip--)
            return command->items[i].is_constant ? command->items[i].text : NULL;
    }
    return NULL;
}

static bool has_word(const struct shell_command *command, const char *word)
{
    for (size_t i = 1; i < command->count; i++) {
        if (strcmp(command->items[i].text, word) == 0)
            return true;
    }
    return false;
}

static enum shell_truth truth_of(bool is_true)
{
    return is_true ? SHELL_TRUTH_YES : SHELL_TRUTH_NO;
}

static enum shell_truth has_account(const struct script_world *world, const char *name, bool is_group)
{
    const enum shell_truth *made = map_get(is_group ? &world->groups : &world->users, text_of(name));
    if (made)
        return *made;
    const struct family *family = world->set ? world->set->family : NULL;
    bool is_base = strcmp(name, "root") == 0;
    for (size_t i = 0; family && !is_base && is_group && i < family->skeleton.groups.count; i++)
        is_base = strcmp(family->skeleton.groups.items[i].name, name) == 0;
    if (family && !is_group)
        is_base = is_base || wishes_has_user(&family->skeleton, name);
    return truth_of(is_base);
}

static enum shell_truth ask_getent(struct script_world *world, const struct shell_call *call, const char **ret_printed)
{
    const char *database = first_operand(&call->command, 0), *name = first_operand(&call->command, 1);
    if (!database || !name || (strcmp(database, "passwd") != 0 && strcmp(database, "group") != 0))
        return SHELL_TRUTH_MAYBE;
    enum shell_truth truth = has_account(world, name, *database == 'g');
    *ret_printed = truth == SHELL_TRUTH_NO ? "" : NULL;
    return truth;
}

static enum shell_truth ask_id(struct script_world *world, const struct shell_call *call, const char **ret_printed)
{
    const char *name = first_operand(&call->command, 0);
    if (!name) {
        *ret_printed = has_word(&call->command, "-u") ? "0\n" : NULL;
        return SHELL_TRUTH_YES;
    }
    enum shell_truth truth = has_account(world, name, false);
    *ret_printed = truth == SHELL_TRUTH_NO ? "" : NULL;
    return truth;
}

/* The name in a pattern such as "^name:". */
static const char *name_in(struct arena *arena, const char *pattern)
{
    pattern += strspn(pattern, "^");
    size_t len = strcspn(pattern, ":\\[.*$(|");
    return len && (!pattern[len] || pattern[len] == ':' || pattern[len] == '\\') ? arena_strndup(arena, pattern, len)
                                                                                 : NULL;
}

static enum shell_truth ask_grep(struct script_world *world, const struct shell_call *call, const char **ret_printed)
{
    const char *pattern = first_operand(&call->command, 0), *path = first_operand(&call->command, 1);
    const char *from = path ? path : call->piped_from ? call->piped_from : "";
    const char *name = pattern ? name_in(world->arena, pattern) : NULL;
    enum shell_truth truth = SHELL_TRUTH_MAYBE;
    if (strstr(from, "passwd") && name)
        truth = has_account(world, name, false);
    else if (strstr(from, "group") && name)
        truth = has_account(world, name, true);
    else if (path ? script_world_test(world, 'e', path) == SHELL_TRUTH_NO : call->input && !*call->input)
        truth = SHELL_TRUTH_NO;
    *ret_printed = truth == SHELL_TRUTH_NO ? "" : NULL;
    return truth;
}

/* command -v, which, type, hash. */
static enum shell_truth ask_program(struct script_world *world, const struct shell_call *call, const char **ret_printed)
{
    const char *name = first_operand(&call->command, 0);
    *ret_printed = NULL;
    if (!name)
        return SHELL_TRUTH_MAYBE;
    if (is_tool(name))
        return SHELL_TRUTH_YES;
    if (*name == '/')
        return script_world_test(world, 'x', name);
    bool is_there = find_entry(world, arena_printf(world->arena, "/usr/bin/%s", name), false) ||
                    find_entry(world, arena_printf(world->arena, "/usr/sbin/%s", name), false);
    return is_there ? SHELL_TRUTH_YES : SHELL_TRUTH_MAYBE;
}

/* dpkg --compare-versions VERSION RELATION VERSION, where nothing was installed before: dpkg(1) tells how an empty version
 * compares. */
/* All packages are of the machine's own architecture, or of every one. */
static enum shell_truth ask_architecture(struct script_world *world, const char **ret_printed)
{
    for (size_t i = 0; i < world->package_count && !*ret_printed; i++) {
        const char *architecture = world->packages[i]->architecture;
        if (architecture && strcmp(architecture, "all") != 0)
            *ret_printed = arena_printf(world->arena, "%s\n", architecture);
    }
    return *ret_printed ? SHELL_TRUTH_YES : SHELL_TRUTH_MAYBE;
}

static enum shell_truth ask_dpkg(struct script_world *world, const struct shell_call *call, const char **ret_printed)
{
    static const char *const holding[] = {"lt", "le", "ne", "<", "<<", "<=", "ge-nl", "gt-nl"};
    const struct shell_command *command = &call->command;
    *ret_printed = NULL;
    if (command->count == 2 && strcmp(command->items[1].text, "--print-architecture") == 0)
        return ask_architecture(world, ret_printed);
    if (command->count != 5 || strcmp(command->items[1].text, "--compare-versions") != 0)
        return SHELL_TRUTH_MAYBE;
    *ret_printed = "";
    for (size_t i = 2; i < 5; i++) {
        if (!command->items[i].is_constant)
            return SHELL_TRUTH_MAYBE;
    }
    if (*command->items[2].text || !*command->items[4].text)
        return SHELL_TRUTH_MAYBE;
    return truth_of(is_one_of(command->items[3].text, holding, ARRAY_COUNT(holding)));
}

static enum shell_truth ask_override(struct script_world *world, const struct shell_call *call,
                                     const char **ret_printed)
{
    (void)world;
    (void)call;
    *ret_printed = "";
    return SHELL_TRUTH_NO;
}

/* No file is diverted yet: its true name is its own. */
static enum shell_truth ask_divert(struct script_world *world, const struct shell_call *call, const char **ret_printed)
{
    const char *path = first_operand(&call->command, 0);
    *ret_printed = "";
    if (has_word(&call->command, "--truename"))
        *ret_printed = path ? arena_printf(world->arena, "%s\n", path) : NULL;
    return SHELL_TRUTH_YES;
}

/* cmp, diff: with a file that is not there they fail. */
static enum shell_truth ask_difference(struct script_world *world, const struct shell_call *call,
                                       const char **ret_printed)
{
    *ret_printed = NULL;
    for (size_t i = 0; i < 2; i++) {
        const char *path = first_operand(&call->command, i);
        if (path && *path == '/' && script_world_test(world, 'e', path) == SHELL_TRUTH_NO)
            return SHELL_TRUTH_NO;
    }
    return SHELL_TRUTH_MAYBE;
}

/* ls of what is not there, as far as paths are known. */
static enum shell_truth ask_list(struct script_world *world, const struct shell_call *call, const char **ret_printed)
{
    const char *path = first_operand(&call->command, 0);
    bool is_absent = path && *path == '/' && !first_operand(&call->command, 1) &&
                     (path_is_glob(path) || script_world_test(world, 'e', path) == SHELL_TRUTH_NO);
    *ret_printed = is_absent ? "" : NULL;
    return is_absent ? SHELL_TRUTH_NO : SHELL_TRUTH_MAYBE;
}

/* wc -l of what is known. */
static enum shell_truth ask_count(struct script_world *world, const struct shell_call *call, const char **ret_printed)
{
    size_t lines = 0;
    *ret_printed = NULL;
    if (!call->input || !has_word(&call->command, "-l"))
        return SHELL_TRUTH_YES;
    for (const char *c = call->input; *c; c++)
        lines += *c == '\n';
    *ret_printed = arena_printf(world->arena, "%zu\n", lines);
    return SHELL_TRUTH_YES;
}

const char *script_world_variable(void *self, const char *name)
{
    const struct script_world *world = self;
    if (strcmp(name, "DPKG_MAINTSCRIPT_ARCH") == 0) /* dpkg(1), environment */
        return world->architecture;
    return strcmp(name, "RET") == 0 ? world->answer : NULL;
}

void script_world_begin(struct script_world *world, const struct package *package)
{
    const struct package_script *templates = package_script_find(package, "templates");
    struct text rest = text_of(templates ? templates->text : ""), line;
    const char *name = NULL;
    world->answers = (struct map){.arena = world->arena};
    world->has_open_answers = false;
    world->answer = NULL;
    world->architecture = package->architecture;
    while (rest.len && text_next(&rest, '\n', &line)) {
        size_t key = text_has_prefix(line, "Template:") ? strlen("Template:") : strlen("Default:");
        const char *value = text_dup(world->arena, text_trim((struct text){line.ptr + key, line.len - key}));
        if (key == strlen("Template:"))
            name = value;
        if (name)
            map_set(&world->answers, text_of(name), (void *)(name == value ? "" : value));
    }
}

/* debconf(7): db_get NAME, db_set NAME VALUE, and the same of a flag of NAME. What is not sure leaves the answer open; all
 * others may say anything. */
static bool answer(struct script_world *world, const struct shell_call *call)
{
    const char *command = shell_call_name(call);
    bool is_get = strcmp(command, "db_get") == 0, is_set = strcmp(command, "db_set") == 0;
    bool is_flag_get = strcmp(command, "db_fget") == 0, is_flag_set = strcmp(command, "db_fset") == 0;
    bool is_flag = is_flag_get || is_flag_set;
    const char *name = first_operand(&call->command, 0), *flag = first_operand(&call->command, 1);
    const char *value = is_flag ? first_operand(&call->command, 2) : flag;
    if (is_flag && name)
        name = flag ? arena_printf(world->arena, "%s %s", name, flag) : NULL;
    world->has_open_answers = world->has_open_answers || ((is_set || is_flag_set) && !name);
    bool is_open = !name || !call->is_sure || world->has_open_answers;
    if ((is_set || is_flag_set) && name)
        map_set(&world->answers, text_of(name), (void *)(is_open ? NULL : value));
    else
        world->answer = is_open || !(is_get || is_flag_get) ? NULL : map_get(&world->answers, text_of(name));
    return is_get || is_set || is_flag_set;
}

/* cut -bN, -cN-M of one line: what else is cut is not looked into. */
static const char *cut_line(struct arena *arena, const struct shell_command *command, const char *line)
{
    const char *range = NULL;
    for (size_t i = 1; i < command->count; i++) {
        const char *word = command->items[i].text;
        bool is_option = word[0] == '-' && (word[1] == 'b' || word[1] == 'c');
        range = is_option ? (word[2] ? word + 2 : i + 1 < command->count ? command->items[i + 1].text : NULL) : range;
    }
    size_t len = strcspn(line, "\n");
    uint64_t first = 1, last = len;
    struct text end = text_of(range ? range : ""), start;
    if (!range || (line[len] && line[len + 1]) || !strchr(range, '-') || !text_next(&end, '-', &start) ||
        (start.len && !text_parse_u64(start, &first)) || (end.len && !text_parse_u64(end, &last)) || !first)
        return NULL;
    last = last < len ? last : len;
    return arena_printf(arena, "%.*s\n", first <= last ? (int)(last - first + 1) : 0,
                        line + (first <= len ? first - 1 : 0));
}

/* Filters: nothing gives nothing. */
static enum shell_truth ask_filter(struct script_world *world, const struct shell_call *call, const char **ret_printed)
{
    *ret_printed = call->input && !*call->input ? "" : NULL;
    if (call->input && *call->input && strcmp(shell_call_name(call), "cut") == 0)
        *ret_printed = cut_line(world->arena, &call->command, call->input);
    return *ret_printed ? SHELL_TRUTH_YES : SHELL_TRUTH_MAYBE;
}

/* A command that asks; `word`: only with this one among its words. */
struct question {
    const char *name, *word;
    enum shell_truth (*ask)(struct script_world *world, const struct shell_call *call, const char **ret_printed);
};

static const struct question questions[] = {
    {"getent", NULL, ask_getent},
    {"id", NULL, ask_id},
    {"grep", NULL, ask_grep},
    {"egrep", NULL, ask_grep},
    {"fgrep", NULL, ask_grep},
    {"command", "-v", ask_program},
    {"command", "-V", ask_program},
    {"which", NULL, ask_program},
    {"type", NULL, ask_program},
    {"hash", NULL, ask_program},
    {"dpkg", NULL, ask_dpkg},
    {"dpkg-statoverride", "--list", ask_override},
    {"dpkg-divert", "--list", ask_divert},
    {"dpkg-divert", "--listpackage", ask_divert},
    {"dpkg-divert", "--truename", ask_divert},
    {"selinuxenabled", NULL, ask_override},
    {"cmp", NULL, ask_difference},
    {"diff", NULL, ask_difference},
    {"cut", NULL, ask_filter},
    {"awk", NULL, ask_filter},
    {"head", NULL, ask_filter},
    {"tail", NULL, ask_filter},
    {"tr", NULL, ask_filter},
    {"sort", NULL, ask_filter},
    {"uniq", NULL, ask_filter},
    {"ls", NULL, ask_list},
    {"wc", NULL, ask_count},
};

bool script_world_ask(struct script_world *world, const struct shell_call *call, enum shell_truth *ret_truth,
                      const char **ret_printed)
{
    const char *name = shell_call_name(call);
    *ret_printed = NULL;
    for (size_t i = 0; i < ARRAY_COUNT(questions) && !call->output; i++) {
        const struct question *question = &questions[i];
        if (strcmp(name, question->name) != 0 || (question->word && !has_word(&call->command, question->word)))
            continue;
        *ret_truth = question->ask(world, call, ret_printed);
        return true;
    }
    return false;
}

static void note(struct script_world *world, struct map *map, const char *name, enum shell_truth truth)
{
    enum shell_truth *noted = arena_new(world->arena, enum shell_truth);
    *noted = truth;
    map_set(map, text_of(name), noted);
}

static void note_path(struct script_world *world, const struct shell_word *word, enum shell_truth truth)
{
    const char *reason, *path = word->is_constant && word->text[0] == '/'
                                    ? path_canonical(world->arena, text_of(word->text), &reason)
                                    : NULL;
    if (path)
        note(world, &world->made, path, truth);
}

/* The last word is a path, or a directory in which something of the name of the first is made. */
static void note_target(struct script_world *world, const struct shell_command *command, enum shell_truth truth)
{
    const struct shell_word *last = &command->items[command->count - 1];
    const char *source = first_operand(command, 0);
    if (command->count < 3 || !last->is_constant)
        return;
    if (source && script_world_test(world, 'd', last->text) == SHELL_TRUTH_YES) {
        const struct shell_word below = {.text = arena_printf(world->arena, "%s/%s", last->text, path_basename(source)),
                                         .is_constant = true};
        note_path(world, &below, truth);
    } else {
        note_path(world, last, truth);
    }
}

static bool is_option_of(const struct shell_command *command, const char *letters)
{
    for (size_t i = 1; i < command->count; i++) {
        const char *word = command->items[i].text;
        if (word[0] == '-' && word[1] != '-' && strpbrk(word + 1, letters))
            return true;
    }
    return false;
}

static void note_accounts(struct script_world *world, const struct shell_command *command, enum shell_truth truth)
{
    bool is_useradd = strstr(command->items[0].text, "useradd") != NULL;
    bool is_group = strstr(command->items[0].text, "group") != NULL ||
                    (has_word(command, "--group") && !has_word(command, "--system"));
    bool has_group = is_group || has_word(command, "--group") || (is_useradd && !is_option_of(command, "gN"));
    for (size_t i = 1; i < command->count; i++) {
        const struct shell_word *word = &command->items[i];
        if (!word->is_constant || word->text[0] == '-' || word->text[0] == '/')
            continue;
        if (!is_group)
            note(world, &world->users, word->text, truth);
        if (has_group)
            note(world, &world->groups, word->text, truth);
    }
}

/* chown fails where nobody made the user or the group; sysusers.d may have. */
static enum shell_truth ask_owner(struct script_world *world, const struct shell_call *call)
{
    const char *owner = first_operand(&call->command, 0);
    struct text group = text_of(owner ? owner : ""), user;
    bool is_chown = strcmp(shell_call_name(call), "chown") == 0;
    bool is_known = owner != NULL;
    if (is_known && is_chown && text_next(&group, ':', &user) && user.len)
        is_known = has_account(world, text_dup(world->arena, user), false) == SHELL_TRUTH_YES;
    if (is_known && group.len)
        is_known = has_account(world, text_dup(world->arena, group), true) == SHELL_TRUTH_YES;
    return is_known ? SHELL_TRUTH_YES : SHELL_TRUTH_MAYBE;
}

/* Which words of a command are paths that are there behind it. */
enum makes { MAKES_PATHS, MAKES_TARGET, MAKES_INSTALL, MAKES_MOVE, MAKES_GONE, MAKES_ACCOUNTS, MAKES_NOTHING };

static enum makes find_makes(const char *name)
{
    static const struct {
        const char *name;
        enum makes makes;
    } names[] = {
        {"mkdir", MAKES_PATHS},       {"touch", MAKES_PATHS},       {"cp", MAKES_TARGET},
        {"ln", MAKES_TARGET},         {"ucf", MAKES_TARGET},        {"install", MAKES_INSTALL},
        {"mv", MAKES_MOVE},           {"rm", MAKES_GONE},           {"rmdir", MAKES_GONE},
        {"adduser", MAKES_ACCOUNTS},  {"addgroup", MAKES_ACCOUNTS}, {"useradd", MAKES_ACCOUNTS},
        {"groupadd", MAKES_ACCOUNTS},
    };
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        if (strcmp(name, names[i].name) == 0)
            return names[i].makes;
    }
    return MAKES_NOTHING;
}

static void note_paths(struct script_world *world, const struct shell_command *command, enum shell_truth truth)
{
    for (size_t i = 1; i < command->count; i++)
        note_path(world, &command->items[i], truth);
}

/* What these commands do succeeds. */
static bool is_good_command(const char *name)
{
    static const char *const names[] = {"chown",
                                        "chgrp",
                                        "chmod",
                                        "usermod",
                                        "gpasswd",
                                        "ucfr",
                                        "dpkg-statoverride",
                                        "cat",
                                        "setcap",
                                        "update-alternatives",
                                        "chpasswd",
                                        "db_get",
                                        "db_version"};
    return find_makes(name) != MAKES_NOTHING || is_one_of(name, names, ARRAY_COUNT(names));
}

enum shell_truth script_world_make(struct script_world *world, const struct shell_call *call)
{
    const struct shell_command *command = &call->command;
    const char *name = shell_call_name(call);
    enum shell_truth truth = call->is_sure ? SHELL_TRUTH_YES : SHELL_TRUTH_MAYBE;
    enum shell_truth gone = call->is_sure ? SHELL_TRUTH_NO : SHELL_TRUTH_MAYBE;
    bool is_directory = has_word(command, "--directory") || is_option_of(command, "d");
    if (strncmp(name, "db_", 3) == 0)
        return answer(world, call) ? SHELL_TRUTH_YES : SHELL_TRUTH_MAYBE;
    if (call->output)
        note_path(world, &(struct shell_word){.text = call->output, .is_constant = true}, truth);
    switch (find_makes(name)) {
    case MAKES_PATHS:
        note_paths(world, command, truth);
        break;
    case MAKES_INSTALL:
        if (is_directory)
            note_paths(world, command, truth);
        else
            note_target(world, command, truth);
        break;
    case MAKES_TARGET:
        if (!has_word(command, "--purge") && !(strcmp(name, "ucf") == 0 && has_word(command, "-p")))
            note_target(world, command, truth);
        break;
    case MAKES_MOVE:
        note_target(world, command, truth);
        for (size_t i = 1; i + 1 < command->count; i++)
            note_path(world, &command->items[i], gone);
        break;
    case MAKES_GONE:
        note_paths(world, command, gone);
        break;
    case MAKES_ACCOUNTS:
        note_accounts(world, command, truth);
        break;
    case MAKES_NOTHING:
        break;
    }
    if (strcmp(name, "chown") == 0 || strcmp(name, "chgrp") == 0)
        return ask_owner(world, call);
    return is_good_command(name) ? SHELL_TRUTH_YES : SHELL_TRUTH_MAYBE;
}
