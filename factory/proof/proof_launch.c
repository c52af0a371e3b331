/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration of an image: whether container engines would start its process in this tree. */
#include "proof/prover.h"

#include "package/path.h"

#define ID_MAX INT32_MAX /* runc takes no higher number */
#define NEAR_MAX 20000   /* names that are compared with one that is not there */

/* A launch under way. */
struct launching {
    struct arena *arena;
    struct prover *prover;
    const struct launch *launch;
    const char *working_dir;   /* "/" without one */
    struct text passwd, group; /* the bytes of /etc/passwd and /etc/group, "" without */
    struct proof_identity identity;
};

/* A note is kept in the bill of the image, which does not tell of this machine's folders. */
static void add(struct launching *launching, bool is_violation, const struct launch_words *key, const char *name,
                const char *text)
{
    const char *place = key->place ? key->place : name;
    prover_add(
        launching->prover, is_violation,
        &(struct proof_finding){
            NULL, NULL, arena_printf(launching->arena, "%s: %s", is_violation ? place : path_basename(place), text)});
}

/* One field of a line of /etc/passwd or /etc/group; "" when the line is short. Engines are as lenient. */
static struct text field_of(struct text line, unsigned number)
{
    struct text field = {0};
    for (unsigned i = 0; i <= number; i++) {
        if (!text_next(&line, ':', &field))
            return TEXT("");
    }
    return text_trim(field);
}

static uint32_t id_of(struct text field)
{
    uint64_t number;
    return text_parse_u64(field, &number) && number <= ID_MAX ? (uint32_t)number : 0;
}

/* Finds the line of a name, or of a number when the name is one; an empty text for none. */
static struct text find_line(struct text file, const char *name)
{
    struct text line;
    uint64_t number, found;
    bool is_number = text_parse_u64(text_of(name), &number);
    while (text_next(&file, '\n', &line)) {
        bool is_it =
            is_number ? text_parse_u64(field_of(line, 2), &found) && found == number : text_is(field_of(line, 0), name);
        if (line.len && is_it)
            return line;
    }
    return TEXT("");
}

/* --- Env --- */

static void take_path(struct launching *launching, const char *value)
{
    struct prover *prover = launching->prover;
    struct text rest = text_of(value), dir;
    prover->path_dirs = (struct strings){0};
    while (text_next(&rest, ':', &dir)) {
        if (dir.len && dir.ptr[0] == '/')
            list_add(prover->arena, &prover->path_dirs, text_dup(prover->arena, dir));
    }
}

static void check_env(struct launching *launching)
{
    const struct launch_words *env = &launching->launch->env;
    for (size_t i = 0; i < env->words.count; i++) {
        const char *word = env->words.items[i];
        size_t name_len = strcspn(word, "=");
        if (!name_len)
            add(launching, true, env, "Env", arena_printf(launching->arena, "'%s' has no name before the '='", word));
        else if (strcspn(word, " \t\n\v\f\r") < name_len)
            add(launching, false, env, "Env",
                arena_printf(launching->arena, "'%.*s' is no variable's name: it has blanks", (int)name_len, word));
        else if (!word[name_len])
            add(launching, true, env, "Env",
                arena_printf(launching->arena,
                             "'%s' has no '=': newer podman starts no such image, other engines leave it out", word));
        if (strncmp(word, "PATH=", 5) == 0)
            take_path(launching, word + 5);
    }
}

/* --- User --- */

/* Gives the bytes of a file of accounts; *ret_is_known is false when they were not kept. */
static struct text read_accounts(struct launching *launching, const char *path, bool *ret_is_there, bool *ret_is_known)
{
    struct prover *prover = launching->prover;
    const char *end;
    const struct sourced *file = fileset_walk(&prover->set, prover->arena, path, NULL, &end);
    const struct entry *entry = file ? sourced_content(file) : NULL;
    *ret_is_there = entry != NULL;
    /* what root_layers.h and root_dir.h keep whole; a link to some other name is only known to be there */
    *ret_is_known = !entry || strcmp(path_basename(entry->path), path_basename(path)) == 0;
    return entry && *ret_is_known ? (struct text){entry->data, (size_t)entry->size_bytes} : (struct text){"", 0};
}

static const char *near_account(struct launching *launching, const char *name, bool is_user)
{
    struct strings known = {0};
    struct arena *arena = launching->arena;
    struct text rest = is_user ? launching->passwd : launching->group, line;
    while (text_next(&rest, '\n', &line) && known.count < NEAR_MAX)
        list_add(arena, &known, text_dup(arena, field_of(line, 0)));
    const char *near = text_nearest(name, known.items, known.count);
    return near && *near ? arena_printf(arena, "; did you mean %s?", near) : "";
}

/* A name that is in no file; a number that is too high. */
static void fail_account(struct launching *launching, const char *name, bool is_user)
{
    const struct launch_words *key = &launching->launch->user;
    const char *file = is_user ? "/etc/passwd" : "/etc/group", *kind = is_user ? "user" : "group";
    bool is_there, is_known;
    uint64_t number;
    (void)read_accounts(launching, file, &is_there, &is_known);
    if (text_parse_u64(text_of(name), &number))
        add(launching, true, key, "User",
            arena_printf(launching->arena, "the %s %s is a higher number than engines take (%d)", kind, name, ID_MAX));
    else if (!is_there)
        add(launching, true, key, "User",
            arena_printf(launching->arena, "the %s %s is a name, and there is no %s", kind, name, file));
    else if (!is_known)
        add(launching, false, key, "User",
            arena_printf(launching->arena, "whether the %s %s is in %s, a symlink, is not known", kind, name, file));
    else
        add(launching, true, key, "User",
            arena_printf(launching->arena, "the %s %s is not in %s%s", kind, name, file,
                         near_account(launching, name, is_user)));
}

static bool take_user(struct launching *launching, const char *name)
{
    struct arena *arena = launching->arena;
    struct proof_identity *identity = &launching->identity;
    uint64_t number;
    bool is_number = text_parse_u64(text_of(name), &number) && number <= ID_MAX;
    struct text line = find_line(launching->passwd, name), rest = launching->group, group, member;
    const char *own = text_dup(arena, field_of(line, 0));
    identity->uid = line.len ? id_of(field_of(line, 2)) : is_number ? (uint32_t)number : 0;
    list_add(arena, &identity->groups, id_of(field_of(line, 3)));
    while (line.len && text_next(&rest, '\n', &group)) {
        struct text members = field_of(group, 3);
        while (text_next(&members, ',', &member)) {
            if (text_is(member, own))
                list_add(arena, &identity->groups, id_of(field_of(group, 2)));
        }
    }
    return line.len || is_number;
}

static bool take_group(struct launching *launching, const char *name)
{
    uint64_t number;
    bool is_number = text_parse_u64(text_of(name), &number) && number <= ID_MAX;
    struct text line = find_line(launching->group, name);
    launching->identity.groups.count = 0;
    list_add(launching->arena, &launching->identity.groups,
             line.len    ? id_of(field_of(line, 2))
             : is_number ? (uint32_t)number
                         : 0);
    return line.len || is_number;
}

/* "USER", "USER:GROUP", ":GROUP"; further parts are not looked at, as runc does. */
static void check_user(struct launching *launching)
{
    struct prover *prover = launching->prover;
    const struct launch_words *key = &launching->launch->user;
    struct text rest = text_of(key->words.count ? key->words.items[0] : ""), user = {0}, group = {0};
    bool is_there, is_known;
    if (!rest.len)
        return;
    (void)text_next(&rest, ':', &user);
    (void)text_next(&rest, ':', &group);
    launching->passwd = read_accounts(launching, "/etc/passwd", &is_there, &is_known);
    launching->group = read_accounts(launching, "/etc/group", &is_there, &is_known);
    const char *name = user.len ? text_dup(prover->arena, user) : "0";
    launching->identity.name = name;
    bool is_user = take_user(launching, name);
    if (!is_user)
        fail_account(launching, name, true);
    if (group.len && !take_group(launching, text_dup(prover->arena, group)))
        fail_account(launching, text_dup(prover->arena, group), false);
    prover->identity = is_user ? &launching->identity : NULL;
}

/* --- WorkingDir and Volumes --- */

/* Notes a directory that the user is expected to use. */
static void check_dir(struct launching *launching, const struct launch_words *key, const char *name, const char *path)
{
    struct prover *prover = launching->prover;
    const char *end = path;
    const struct sourced *file = fileset_walk(&prover->set, prover->arena, path, NULL, &end);
    bool is_user = prover->identity && prover->identity->uid != 0;
    if (prover_is_provided(end) || strcmp(end, "/") == 0)
        return;
    if (file && file->entry->kind != ENTRY_DIRECTORY)
        add(launching, true, key, name, arena_printf(launching->arena, "%s is no directory", path));
    else if (!file)
        add(launching, false, key, name,
            arena_printf(launching->arena, "%s is not there; engines make it, root's%s%s", path,
                         is_user ? " and not writable for user " : "", is_user ? prover->identity->name : ""));
    else if (key == &launching->launch->volumes && strncmp(path, "/etc/", 5) != 0 &&
             prover_why_not_allowed(prover, end, 02)) /* what is mounted below /etc is read */
        add(launching, false, key, name,
            arena_printf(launching->arena, "%s: %s", path, prover_why_not_allowed(prover, end, 02)));
}

static void check_working_dir(struct launching *launching)
{
    const struct launch_words *key = &launching->launch->working_dir;
    const char *path = key->words.count ? key->words.items[0] : "";
    launching->working_dir = "/";
    if (!*path)
        return;
    if (*path != '/') {
        add(launching, true, key, "WorkingDir", arena_printf(launching->arena, "'%s' is not an absolute path", path));
        return;
    }
    launching->working_dir = path;
    check_dir(launching, key, "WorkingDir", path);
}

static void check_volumes(struct launching *launching)
{
    const struct launch_words *key = &launching->launch->volumes;
    for (size_t i = 0; i < key->words.count; i++) {
        if (key->words.items[i][0] == '/')
            check_dir(launching, key, "Volumes", key->words.items[i]);
        else
            add(launching, true, key, "Volumes",
                arena_printf(launching->arena, "'%s' is not an absolute path", key->words.items[i]));
    }
}

/* --- the command --- */

/* What a program that is not there was meant to be: the same name elsewhere, else the nearest path of a program. */
static const char *near_program(struct prover *prover, const char *program)
{
    struct strings paths = {0}, names = {0};
    const char *name = path_basename(program);
    for (size_t i = 0; i < prover->package.count && paths.count < NEAR_MAX; i++) {
        const struct entry *entry = &prover->package.entries[i];
        const char *end;
        const struct sourced *file = fileset_walk(&prover->set, prover->arena, entry->path, NULL, &end);
        const struct entry *content = file ? sourced_content(file) : NULL;
        if (!content || !(content->mode & 0111) || (!content->interpreter && !content->elf) ||
            (content->elf && !content->elf->interp && content->elf->soname))
            continue;
        if (strcmp(path_basename(entry->path), name) == 0)
            return entry->path;
        list_add(prover->arena, &paths, entry->path);
        list_add(prover->arena, &names, path_basename(entry->path));
    }
    const char *near = text_nearest(program, paths.items, paths.count);
    const char *near_name = text_nearest(name, names.items, names.count);
    for (size_t i = 0; near_name && i < names.count; i++) {
        if (names.items[i] == near_name)
            return paths.items[i];
    }
    return near;
}

static void check_program(struct launching *launching, const struct launch_words *key, const char *name,
                          const char *program)
{
    struct prover *prover = launching->prover;
    bool is_path = strchr(program, '/') != NULL;
    const char *wanted = NULL, *path = is_path ? program : prover_find_program(prover, program);
    if (is_path && *program != '/')
        path = arena_printf(prover->arena, "%s/%s", launching->working_dir, program);
    if (path && (prover_is_provided(path) || strings_has(&prover->request->programs, path)))
        return; /* the latter was looked at, and told, as a program */
    const char *why = path ? prover_why_not_startable(prover, path, 0, &wanted) : "it is in no directory of PATH";
    if (!why)
        return;
    bool is_gone = !path || (wanted && strcmp(wanted, path) == 0);
    const char *near = is_gone ? near_program(prover, program) : NULL;
    const char *text = arena_printf(prover->arena, "%s: %s: %s%s%s%s", key->place ? key->place : name,
                                    path && !(is_path && *program == '/') ? path : program, why,
                                    near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
    prover_add(prover, true, &(struct proof_finding){path ? path : program, wanted, text});
}

static void check_command(struct launching *launching)
{
    const struct launch_words *entrypoint = &launching->launch->entrypoint, *cmd = &launching->launch->cmd;
    bool is_reset = entrypoint->words.count == 1 && !entrypoint->words.items[0][0];
    bool has_entrypoint = entrypoint->words.count && !is_reset;
    const struct launch_words *key = has_entrypoint ? entrypoint : cmd;
    const char *name = has_entrypoint ? "Entrypoint" : "Cmd";
    if (!key->words.count && is_reset)
        add(launching, true, entrypoint, "Entrypoint", "its one word is empty and there is no Cmd: no command");
    else if (!key->words.count)
        add(launching, false, entrypoint, "Entrypoint",
            "neither it nor Cmd is given: who runs the image has to name a command");
    else if (!key->words.items[0][0])
        add(launching, true, key, name, "its first word, the program, is empty");
    else
        check_program(launching, key, name, key->words.items[0]);
}

void launch_mark(struct prover *prover, const struct launch *launch)
{
    struct launching launching = {.arena = prover->arena, .prover = prover, .launch = launch};
    const struct strings path_dirs = prover->path_dirs;
    const struct strings *words = launch->entrypoint.words.count ? &launch->entrypoint.words : &launch->cmd.words;
    for (size_t i = 0; i < launch->env.words.count; i++) {
        if (strncmp(launch->env.words.items[i], "PATH=", 5) == 0)
            take_path(&launching, launch->env.words.items[i] + 5);
    }
    if (words->count)
        start_mark(prover, words->items[0]);
    prover->path_dirs = path_dirs;
}

void launch_check(struct prover *prover, const struct launch *launch)
{
    struct launching launching = {.arena = prover->arena, .prover = prover, .launch = launch};
    check_env(&launching);
    check_user(&launching);
    check_working_dir(&launching);
    check_volumes(&launching);
    check_command(&launching);
    if (launch->probe.words.count)
        check_program(&launching, &launch->probe, "the probe", launch->probe.words.items[0]);
    prover->identity = NULL; /* other programs may be for other users */
}
