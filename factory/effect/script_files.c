/* SPDX-License-Identifier: Apache-2.0 */
/* Directories, files, copies and links that scripts make. */
#include "effect/script_maker.h"

#include "package/path.h"

#define CONTENT_MAX ((size_t)64 << 10)

static bool is_sure(const struct script_maker *maker)
{
    return maker->at->call.is_sure;
}

/* Reads a mode that an option gives; false when there is none that is known. */
static bool find_mode(const struct script_maker *maker, const struct script_words *words, struct script_mode *ret_mode)
{
    const char *text = script_words_value(words, OPTION_MODE);
    return text && script_mode_parse(text, maker->at->call.umask, ret_mode);
}

void script_mkdir(struct script_maker *maker, const struct script_words *words)
{
    struct script_mode mode;
    bool has_mode = find_mode(maker, words, &mode);
    for (size_t i = 0; i < words->operands.count; i++) {
        const char *path = script_path(maker, &words->operands.items[i]);
        bool is_new = path && !script_is_there(maker, path);
        struct wish_made *made = path ? script_make_directory(maker, path, script_new_mode(maker, 0777)) : NULL;
        if (made && is_new && has_mode)
            script_change(maker, made, NULL, NULL, &mode);
    }
}

static const char *account_value(const struct script_words *words, enum script_option option)
{
    const char *name = script_words_value(words, option);
    uint64_t number;
    return name && (rule_is_user_name(name) || text_parse_u64(text_of(name), &number)) ? name : NULL;
}

/* install -d, which also changes what is there. */
static void install_directories(struct script_maker *maker, const struct script_words *words)
{
    struct script_mode mode = {.lost = 07777, .set = 0755}, given;
    if (find_mode(maker, words, &given))
        mode = given;
    for (size_t i = 0; i < words->operands.count; i++) {
        const char *path = script_path(maker, &words->operands.items[i]);
        struct wish_made *made = path ? script_make_directory(maker, path, 0755) : NULL;
        const char *owner = account_value(words, OPTION_OWNER), *group = account_value(words, OPTION_GROUP);
        if (made)
            script_change(maker, made, owner ? owner : "root", group ? group : "root", &mode);
    }
}

/* What a copy has of its source; without `mode` it is a new file under the umask. */
struct copy {
    bool links, mode;
};

static const struct copy copy_all = {.links = true, .mode = true}, copy_mode = {.mode = true};

static struct wish_made *copy_made(struct script_maker *maker, const struct wish_made *from, const char *path,
                                   struct copy how)
{
    struct wish_made copy = *from; /* which may move */
    struct wish_made *made = script_make(maker, copy.kind, path);
    if (!made)
        return NULL;
    const struct entry *entry = copy.keeps_mode ? script_packaged(maker, copy.source, true) : NULL;
    copy.path = path;
    copy.giver = maker->giver;
    if (!how.mode && copy.kind != MADE_SYMLINK) {
        copy.mode = script_new_mode(maker, (entry ? entry->mode : copy.mode) & 0777);
        copy.keeps_mode = false;
    }
    *made = copy;
    return made;
}

/* Makes at `path` what is at `source`: of a package, or made by a script. NULL: nothing. */
static struct wish_made *copy_one(struct script_maker *maker, const char *source, const char *path, struct copy how)
{
    const struct wish_made *from = script_made(maker, source);
    const struct entry *entry = script_packaged(maker, source, !how.links);
    if (strcmp(source, path) == 0)
        return NULL;
    if (from)
        return copy_made(maker, from, path, how);
    if (!entry)
        return NULL;
    uint32_t mode = how.mode ? entry->mode : script_new_mode(maker, entry->mode & 0777);
    bool is_symlink = entry->kind == ENTRY_SYMLINK;
    if (entry->kind == ENTRY_DIRECTORY)
        return script_make_directory(maker, path, mode);
    struct wish_made *made = script_make(maker, is_symlink ? MADE_SYMLINK : MADE_COPY, path);
    if (!made)
        return NULL;
    made->source = source;
    made->keeps_mode = !is_symlink && how.mode;
    made->mode = mode;
    made->target = is_symlink ? entry->target : NULL;
    return made;
}

/* All that packages have below a directory. */
static void copy_below(struct script_maker *maker, const char *source, const char *path, bool has_mode)
{
    struct sourced_list files = {0};
    const char *prefix = arena_printf(maker->arena, "%s/", source);
    if (strncmp(path, prefix, strlen(prefix)) == 0)
        return;
    fileset_list(maker->set, maker->arena, prefix, &files);
    for (size_t i = 0; i < files.count; i++) {
        const char *below = files.items[i]->entry->path;
        (void)copy_one(maker, below, arena_printf(maker->arena, "%s%s", path, below + strlen(source)),
                       (struct copy){.links = true, .mode = has_mode});
    }
}

/* Where the last operand leads what the others name. */
struct target {
    const char *path;
    size_t source_count;
    bool is_directory;
};

static bool find_target(struct script_maker *maker, const struct script_words *words, struct target *ret_target)
{
    const struct shell_command *operands = &words->operands;
    const struct shell_word *into = words->values[OPTION_TARGET];
    if (operands->count + (into != NULL) < 2)
        return false;
    const struct shell_word *last = into ? into : &operands->items[operands->count - 1];
    size_t len = strlen(last->text ? last->text : "");
    *ret_target =
        (struct target){.path = last->text ? script_path(maker, last) : NULL, .source_count = operands->count - !into};
    ret_target->is_directory =
        into || ret_target->source_count > 1 || (len && last->text[len - 1] == '/') ||
        (!words->has[OPTION_NOT_INTO] && ret_target->path && script_is_directory(maker, ret_target->path));
    return ret_target->path != NULL;
}

static const char *target_path(const struct script_maker *maker, const struct target *target, const char *source)
{
    return target->is_directory ? arena_printf(maker->arena, "%s/%s", target->path, path_basename(source))
                                : target->path;
}

static void install_files(struct script_maker *maker, const struct script_words *words)
{
    struct target target;
    struct script_mode mode = {.lost = 07777, .set = 0755}, given;
    const char *owner = account_value(words, OPTION_OWNER), *group = account_value(words, OPTION_GROUP);
    if (find_mode(maker, words, &given))
        mode = given;
    if (!find_target(maker, words, &target))
        return;
    for (size_t i = 0; i < target.source_count; i++) {
        const struct shell_word *word = &words->operands.items[i];
        bool is_empty = word->is_constant && strcmp(word->text, "/dev/null") == 0;
        const char *source = is_empty ? word->text : script_path(maker, word);
        const char *path = source ? target_path(maker, &target, source) : NULL;
        struct wish_made *made = NULL;
        if (is_empty)
            made = script_make(maker, MADE_FILE, path);
        else if (source && !script_is_directory(maker, source))
            made = copy_one(maker, source, path, copy_mode);
        if (made)
            script_change(maker, made, owner ? owner : "root", group ? group : "root", &mode);
    }
}

void script_install(struct script_maker *maker, const struct script_words *words)
{
    if (words->has[OPTION_DIRECTORY])
        install_directories(maker, words);
    else if (is_sure(maker))
        install_files(maker, words);
}

static bool ends_with(const char *text, const char *end)
{
    return text_has_suffix(text_of(text), end);
}

void script_cp(struct script_maker *maker, const struct script_words *words)
{
    struct target target;
    bool is_as_it_is = words->has[OPTION_AS_IT_IS], is_deep = is_as_it_is || words->has[OPTION_DEEP];
    const struct copy how = {.links = is_as_it_is, .mode = is_as_it_is || words->has[OPTION_PRESERVE]};
    if (!is_sure(maker) || !find_target(maker, words, &target))
        return;
    for (size_t i = 0; i < target.source_count; i++) {
        const struct shell_word *word = &words->operands.items[i];
        const char *source = script_path(maker, word);
        if (!source)
            continue;
        const char *path = ends_with(word->text, "/.") ? target.path : target_path(maker, &target, source);
        bool is_directory = script_is_directory(maker, source);
        if ((is_directory && !is_deep) || (words->has[OPTION_NO_CLOBBER] && script_is_there(maker, path)))
            continue;
        (void)copy_one(maker, source, path, how);
        if (is_directory)
            copy_below(maker, source, path, how.mode);
    }
}

/* What a script made gets another name; what a package has stays, and is told. */
void script_mv(struct script_maker *maker, const struct script_words *words)
{
    struct target target;
    if (!is_sure(maker) || !find_target(maker, words, &target))
        return;
    for (size_t i = 0; i < target.source_count; i++) {
        const char *source = script_path(maker, &words->operands.items[i]);
        if (!source || !script_made(maker, source) || script_is_directory(maker, source))
            continue;
        if (copy_one(maker, source, target_path(maker, &target, source), copy_all))
            script_unmake(maker, source);
    }
}

void script_rm(struct script_maker *maker, const struct script_words *words)
{
    for (size_t i = 0; is_sure(maker) && i < words->operands.count; i++) {
        const char *path = script_path(maker, &words->operands.items[i]);
        if (path)
            script_unmake(maker, path);
    }
}

void script_ln(struct script_maker *maker, const struct script_words *words)
{
    struct target target;
    if (!is_sure(maker) || !find_target(maker, words, &target))
        return;
    for (size_t i = 0; i < target.source_count; i++) {
        const struct shell_word *word = &words->operands.items[i];
        if (!word->is_constant || !*word->text)
            continue;
        const char *path = target_path(maker, &target, word->text);
        if (script_is_there(maker, path) && !words->has[OPTION_FORCE])
            continue;
        if (words->has[OPTION_SYMBOLIC]) {
            struct wish_made *made = script_make(maker, MADE_SYMLINK, path);
            if (made)
                made->target = word->text;
        } else if (script_path(maker, word)) {
            (void)copy_one(maker, script_path(maker, word), path, copy_all);
        }
    }
}

void script_touch(struct script_maker *maker, const struct script_words *words)
{
    for (size_t i = 0; is_sure(maker) && !words->has[OPTION_NO_CLOBBER] && i < words->operands.count; i++) {
        const char *path = script_path(maker, &words->operands.items[i]);
        if (path && !script_is_there(maker, path))
            (void)script_make(maker, MADE_FILE, path);
    }
}

/* The source of ucf, which dh_ucf(1) may leave without its slash: scripts run in "/" (dpkg, maintscript_pre_exec()). */
static const char *ucf_source(const struct script_maker *maker, const struct shell_word *word)
{
    struct shell_word rooted = *word;
    if (word->is_constant && text_has_prefix(text_of(word->text), "usr/"))
        rooted.text = arena_printf(maker->arena, "/%s", word->text);
    return script_path(maker, &rooted);
}

/* ucf SOURCE DESTINATION: at a first installation a copy. */
void script_ucf(struct script_maker *maker, const struct script_words *words)
{
    const char *source = words->operands.count == 2 ? ucf_source(maker, &words->operands.items[0]) : NULL;
    const char *path = words->operands.count == 2 ? script_path(maker, &words->operands.items[1]) : NULL;
    if (!is_sure(maker) || words->has[OPTION_REMOVE] || !source || !path || script_is_directory(maker, source) ||
        script_is_there(maker, path))
        return;
    (void)copy_one(maker, source, path, copy_mode);
}

void script_write(struct script_maker *maker)
{
    const struct shell_call *call = &maker->at->call;
    const struct shell_word word = {.text = call->output, .is_constant = true};
    const char *path = script_path(maker, &word), *before = "";
    if (!path || !is_sure(maker))
        return;
    struct wish_made *made = script_made(maker, path);
    bool is_other = made && made->kind != MADE_FILE;
    if (!call->printed || (call->is_appending && (is_other || (!made && script_is_there(maker, path)))))
        return;
    if (call->is_appending && made && made->content)
        before = made->content;
    if (strlen(before) + strlen(call->printed) > CONTENT_MAX || script_is_directory(maker, path))
        return;
    const char *content = arena_printf(maker->arena, "%s%s", before, call->printed);
    made = made && !is_other ? made : script_make(maker, MADE_FILE, path);
    if (made)
        made->content = content;
}
