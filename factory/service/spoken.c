/* SPDX-License-Identifier: Apache-2.0 */
#include "service/spoken.h"

#include "package/path.h"

#define TEXT_BYTES_MAX ((uint64_t)1 << 20)
#define WORD_BYTES_MIN ((size_t)2)
#define BEGINNING_BYTES_MIN ((size_t)3)
#define WORD_BYTES_MAX ((size_t)255)

static bool is_name_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr("_.+-", c));
}

/* The parts of a name that may stand for it: itself (i = 0), then how it begins. Ends with an empty one. */
static struct text part_of(const char *name, size_t i)
{
    size_t len = strlen(name);
    if (i == 0)
        return text_of(name);
    for (size_t at = len; at-- > BEGINNING_BYTES_MIN;) {
        if (strchr("-_", name[at - 1]) && --i == 0)
            return (struct text){name, at};
    }
    return (struct text){name, 0};
}

static void add_words(struct map *words, const char *name)
{
    struct text part;
    for (size_t i = 0; strlen(name) <= WORD_BYTES_MAX && (part = part_of(name, i)).len; i++)
        (void)map_add(words, part, (void *)part.ptr);
}

/* A script, a program, or a link that may lead to one. */
static bool is_helper(const struct entry *entry)
{
    if (entry->kind == ENTRY_SYMLINK)
        return !strstr(entry->path, ".so");
    return entry->kind != ENTRY_DIRECTORY && (entry->mode & 0111) && !(entry->elf && !entry->elf->interp);
}

static void list_words(const struct own *own, struct map *words)
{
    for (size_t p = 0; p < own->packages.count; p++) {
        const struct package *package = own->packages.items[p];
        for (size_t i = 0; i < package->count; i++) {
            if (is_helper(&package->entries[i]))
                add_words(words, path_basename(package->entries[i].path));
        }
    }
}

/* Adds the words that some bytes have. `speaker`: the name that does not count, or NULL. */
static void listen(const struct spoken *spoken, struct text bytes, const char *speaker, struct strings *heard)
{
    const char *end = bytes.ptr + bytes.len;
    struct map seen = {.arena = spoken->arena};
    for (const char *at = bytes.ptr; at < end;) {
        const char *from = at;
        while (at < end && is_name_byte(*at))
            at++;
        struct text word = {from, (size_t)(at - from)};
        at += at == from;
        while (word.len && word.ptr[word.len - 1] == '.')
            word.len--;
        const char *known =
            word.len < WORD_BYTES_MIN || word.len > WORD_BYTES_MAX ? NULL : map_get(&spoken->words, word);
        bool is_own = speaker && strncmp(word.ptr, speaker, word.len) == 0 && strchr(".", speaker[word.len]);
        if (known && !is_own && map_add(&seen, word, (void *)known))
            list_add(spoken->arena, heard, text_dup(spoken->arena, word));
    }
}

static bool say(struct spoken *spoken, const struct strings *heard)
{
    bool is_new = false;
    for (size_t i = 0; i < heard->count; i++)
        is_new = map_add(&spoken->said, text_of(heard->items[i]), (void *)heard->items[i]) || is_new;
    return is_new;
}

void spoken_hear_text(struct spoken *spoken, struct text text)
{
    struct strings heard = {0};
    listen(spoken, text, NULL, &heard);
    (void)say(spoken, &heard);
}

bool spoken_hear(struct spoken *spoken, const struct entry *content)
{
    struct text bytes = {content->data, (size_t)content->size_bytes};
    struct spoken_memory *memory = spoken->memory;
    struct strings *heard = memory ? map_get(&memory->by_file, text_of(content->path)) : NULL;
    bool is_text = bytes.len <= TEXT_BYTES_MAX && bytes.ptr && !memchr(bytes.ptr, '\0', bytes.len);
    if (!heard && (content->elf || is_text)) {
        heard = arena_new(spoken->arena, struct strings);
        *heard = (struct strings){0};
        listen(spoken, bytes, path_basename(content->path), heard);
        if (memory)
            (void)map_add(&memory->by_file, text_of(content->path), heard);
    }
    return heard && say(spoken, heard);
}

static void hear_made(struct spoken *spoken, const struct fileset *set, const struct wishes *wishes)
{
    for (size_t i = 0; wishes && i < wishes->made.count; i++) {
        const struct wish_made *made = &wishes->made.items[i];
        const struct sourced *source =
            made->kind == MADE_COPY ? fileset_walk(set, spoken->arena, made->source, NULL, NULL) : NULL;
        const struct entry *content = source ? sourced_content(source) : NULL;
        if (content)
            (void)spoken_hear(spoken, content);
        if (made->kind == MADE_FILE && made->content)
            spoken_hear_text(spoken, text_of(made->content));
    }
}

/* Packages that have a script in the image: names → anything. */
static void list_speakers(struct spoken *spoken, const struct automatic_request *request, const struct own *own,
                          struct map *speakers)
{
    for (size_t i = 0; i < own->names.count; i++)
        map_set(speakers, text_of(own->names.items[i]), spoken);
    for (size_t i = 0; i < request->keep->count; i++) {
        const struct sourced *file = request->keep->items[i].file;
        const struct entry *content = sourced_content(file);
        if (!content || !content->interpreter || !(content->mode & 0111) || own_has(own, file->package))
            continue;
        map_set(speakers, text_of(file->package->name), spoken);
        add_words(&spoken->words, path_basename(file->entry->path));
    }
}

void spoken_collect(struct arena *arena, const struct automatic_request *request, const struct own *own,
                    const struct wishes *wishes, struct spoken_memory *memory, struct spoken *ret_spoken)
{
    struct map speakers = {.arena = arena};
    *ret_spoken =
        (struct spoken){.arena = arena, .words = {.arena = arena}, .said = {.arena = arena}, .memory = memory};
    list_words(own, &ret_spoken->words);
    list_speakers(ret_spoken, request, own, &speakers);
    if (memory && memory->word_count != ret_spoken->words.slots.count)
        *memory = (struct spoken_memory){{.arena = memory->by_file.arena}, ret_spoken->words.slots.count};
    for (size_t i = 0; i < request->keep->count; i++) {
        const struct sourced *file = request->keep->items[i].file;
        const struct entry *content = sourced_content(file);
        if (content && file->package && map_get(&speakers, text_of(file->package->name)))
            (void)spoken_hear(ret_spoken, content);
    }
    hear_made(ret_spoken, request->set, wishes);
    hear_made(ret_spoken, request->set, request->wishes);
}

bool spoken_has(const struct spoken *spoken, const char *path)
{
    struct text part;
    const char *name = path_basename(path);
    for (size_t i = 0; (part = part_of(name, i)).len; i++) {
        if (map_get(&spoken->said, part))
            return true;
    }
    return strlen(name) > WORD_BYTES_MAX;
}
