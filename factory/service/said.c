/* SPDX-License-Identifier: Apache-2.0 */
#include "service/said.h"

#include "package/path.h"

#define ETC "/etc/"
#define AVAILABLE "-available/"
#define TEXT_BYTES_MAX ((uint64_t)1 << 20)
#define WORDS_MAX ((size_t)200000)

struct collecting {
    struct arena *arena;
    const struct fileset *set;
    struct map *words;
    size_t count;
};

static bool is_word_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

static bool is_about_loading(struct text line)
{
    static const char *const verbs[] = {"load", "plugin", "module", "extension"};
    for (size_t at = 0; at < line.len; at++) {
        for (size_t i = 0; i < ARRAY_COUNT(verbs); i++) {
            size_t len = strlen(verbs[i]);
            if (len <= line.len - at && text_is_nocase((struct text){line.ptr + at, len}, verbs[i]))
                return true;
        }
    }
    return false;
}

static void add_word(struct collecting *collecting, struct text word)
{
    if (collecting->count++ < WORDS_MAX)
        (void)map_add(collecting->words, word, (void *)word.ptr);
}

/* Adds what may be the end of a plug-in's path: "mgmt/glusterd". */
static void add_places(struct collecting *collecting, struct text line)
{
    for (size_t at = 0; at < line.len;) {
        size_t from = at, slashes = 0;
        for (; at < line.len && (is_word_byte(line.ptr[at]) || line.ptr[at] == '/'); at++)
            slashes += line.ptr[at] == '/';
        if (slashes == 1 && line.ptr[from] != '/' && line.ptr[at - 1] != '/')
            add_word(collecting, (struct text){line.ptr + from, at - from});
        at += at == from;
    }
}

/* Adds the first word of a line that opens a block, all words of one that is about loading. */
static void add_line(struct collecting *collecting, struct text line)
{
    add_places(collecting, line);
    bool is_load = is_about_loading(line), is_block = memchr(line.ptr, '{', line.len) != NULL;
    for (size_t at = 0; at < line.len && (is_load || is_block);) {
        size_t from = at;
        while (at < line.len && is_word_byte(line.ptr[at]))
            at++;
        if (at > from) {
            is_block = false;
            add_word(collecting, (struct text){line.ptr + from, at - from});
        }
        at += at == from;
    }
}

static void add_text(struct collecting *collecting, struct text text)
{
    struct text line;
    if (text.len > TEXT_BYTES_MAX || !text.len || memchr(text.ptr, '\0', text.len))
        return;
    while (text_next(&text, '\n', &line)) {
        struct text trimmed = text_trim(line);
        if (trimmed.len && !strchr("#;", trimmed.ptr[0]))
            add_line(collecting, trimmed);
    }
}

static void add_file(struct collecting *collecting, const char *path)
{
    const struct sourced *file = fileset_walk(collecting->set, collecting->arena, path, NULL, NULL);
    const struct entry *content = file ? sourced_content(file) : NULL;
    if (content && !content->elf)
        add_text(collecting, (struct text){content->data, (size_t)content->size_bytes});
}

/* Whether a file is for people who write a configuration, by what such files are called everywhere. */
static bool is_to_read(const char *path)
{
    static const char *const names[] = {"README*", "*.md", "*.rst", "*.example", "*.sample"};
    bool is_one = false;
    for (size_t i = 0; i < ARRAY_COUNT(names) && !is_one; i++)
        is_one = path_matches(names[i], path_basename(path));
    return is_one;
}

static bool is_configuration(const char *path)
{
    return strncmp(path, ETC, strlen(ETC)) == 0 && !strstr(path, AVAILABLE) && !is_to_read(path);
}

static void add_content(struct collecting *collecting, const struct wish_made *made)
{
    if (made->kind == MADE_FILE && made->content)
        add_text(collecting, text_of(made->content));
    else if (made->kind == MADE_COPY)
        add_file(collecting, made->source);
}

/* What is made, and what links that are made lead to. */
static void add_all_made(struct collecting *collecting, const struct wishes *wishes)
{
    for (size_t i = 0; i < wishes->made.count; i++) {
        const struct wish_made *made = &wishes->made.items[i];
        if (!is_configuration(made->path))
            continue;
        const char *end =
            made->kind == MADE_SYMLINK ? path_join_target(collecting->arena, made->path, made->target) : NULL;
        const struct wish_made *target = end ? wishes_made(wishes, end) : NULL;
        if (end && !target)
            add_file(collecting, end);
        add_content(collecting, target ? target : made);
    }
}

void said_collect(struct arena *arena, const struct automatic_request *request, const struct own *own,
                  const struct wishes *wishes, struct map *ret_words)
{
    *ret_words = (struct map){.arena = arena};
    struct collecting collecting = {.arena = arena, .set = request->set, .words = ret_words};
    for (size_t i = 0; i < request->keep->count; i++) {
        const struct sourced *file = request->keep->items[i].file;
        if (own_has(own, file->package) && is_configuration(file->entry->path) && file->entry->kind != ENTRY_DIRECTORY)
            add_file(&collecting, file->entry->path);
    }
    add_all_made(&collecting, wishes);
    add_all_made(&collecting, request->wishes);
}

static bool has_either(const struct map *words, struct text name)
{
    static const char *const endings[] = {"_plugin", "-plugin", "_module", "-module"};
    bool is_said = map_get(words, name) != NULL;
    for (size_t i = 0; i < ARRAY_COUNT(endings); i++) {
        if (text_has_suffix(name, endings[i]))
            is_said = is_said || map_get(words, (struct text){name.ptr, name.len - strlen(endings[i])});
    }
    return is_said;
}

bool said_has(struct arena *arena, const struct map *words, const char *path)
{
    const char *base = path_basename(path), *end = strstr(base, ".so");
    if (!end)
        return false;
    char *name = text_dup(arena, (struct text){base, (size_t)(end - base)});
    struct text whole = text_of(strncmp(name, "lib", 3) == 0 ? name + 3 : name);
    size_t before = strcspn(whole.ptr, "_-");
    struct text rest = before < whole.len ? text_of(whole.ptr + before + 1) : whole;
    const char *place = base - 1;
    while (place > path && place[-1] != '/')
        place--;
    if (map_get(words, (struct text){place, (size_t)(end - place)}))
        return true;
    return has_either(words, text_of(name)) || has_either(words, whole) || (rest.len && has_either(words, rest));
}

static void add_link(struct map *linked, const char *path, const char *target)
{
    const char *end = path_join_target(linked->arena, path, target);
    if (end)
        map_set(linked, text_of(end), (void *)end);
}

static void add_made_links(const struct wishes *wishes, struct map *linked)
{
    for (size_t i = 0; i < wishes->made.count; i++) {
        if (wishes->made.items[i].kind == MADE_SYMLINK)
            add_link(linked, wishes->made.items[i].path, wishes->made.items[i].target);
    }
}

void said_collect_linked(struct arena *arena, const struct automatic_request *request, const struct wishes *wishes,
                         struct map *ret_linked)
{
    *ret_linked = (struct map){.arena = arena};
    for (size_t i = 0; i < request->keep->count; i++) {
        const struct entry *entry = request->keep->items[i].file->entry;
        if (entry->kind == ENTRY_SYMLINK)
            add_link(ret_linked, entry->path, entry->target);
    }
    add_made_links(wishes, ret_linked);
    add_made_links(request->wishes, ret_linked);
}

bool said_is_idle(const struct map *linked, const char *path)
{
    return (strstr(path, AVAILABLE) && !map_get(linked, text_of(path))) || is_to_read(path);
}
