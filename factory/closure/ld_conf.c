/* SPDX-License-Identifier: Apache-2.0 */
#include "closure/ld_conf.h"

#include "package/path.h"

#define INCLUDES_MAX 16   /* files that include each other, one behind the other */
#define FILES_MAX 1000    /* files read in all */
#define PATTERNS_MAX 1000 /* include words in all: each is looked for among all files */
#define DIRS_MAX 1000
#define NOTES_MAX 100

static const char main_file[] = "/etc/ld.so.conf";
static const char usual_include[] = "/etc/ld.so.conf.d/*.conf";

struct reader {
    struct arena *arena;
    const struct fileset *set;
    struct ld_conf *conf;
    size_t pattern_count;
};

static void note(struct reader *reader, const char *file, unsigned line, const char *text)
{
    if (reader->conf->notes.count == NOTES_MAX)
        return;
    list_add(reader->arena, &reader->conf->notes, arena_printf(reader->arena, "%s:%u: %s: left out", file, line, text));
}

static void add_dir(struct reader *reader, struct text line, const char *file, unsigned number)
{
    const char *equal = memchr(line.ptr, '=', line.len);
    if (equal)
        line = text_trim((struct text){line.ptr, (size_t)(equal - line.ptr)});
    while (line.len && line.ptr[line.len - 1] == '/')
        line.len--;
    if (!line.len)
        return;
    if (line.ptr[0] != '/' || line.len > PATH_MAX_BYTES || reader->conf->dirs.count == DIRS_MAX)
        note(reader, file, number, line.ptr[0] == '/' ? "too long or too many directories" : "a relative directory");
    else
        list_add(reader->arena, &reader->conf->dirs, text_dup(reader->arena, line));
}

static void include(struct reader *reader, const char *pattern, const char *file, unsigned number, unsigned depth);

static void read_line(struct reader *reader, struct text line, const char *file, unsigned number, unsigned depth)
{
    const char *comment = memchr(line.ptr, '#', line.len);
    if (comment)
        line.len = (size_t)(comment - line.ptr);
    line = text_trim(line);
    if (!line.len)
        return;
    struct text rest = line, word;
    (void)text_next_word(&rest, &word);
    if (text_is(word, "include") && rest.len) {
        while (text_next_word(&rest, &word))
            include(reader, text_dup(reader->arena, word), file, number, depth);
    } else if (text_is_nocase(word, "hwcap") && rest.len) {
        note(reader, file, number, "the hwcap directive");
    } else {
        add_dir(reader, line, file, number);
    }
}

static void read_file(struct reader *reader, const struct sourced *file, unsigned depth)
{
    const struct entry *content = sourced_content(file);
    if (!content || reader->conf->files.count == FILES_MAX)
        return;
    list_add(reader->arena, &reader->conf->files, file);
    struct text rest = {content->data, (size_t)content->size_bytes}, line;
    for (unsigned number = 1; text_next(&rest, '\n', &line); number++) {
        if (line.len && !memchr(line.ptr, '\0', line.len))
            read_line(reader, line, file->entry->path, number, depth);
    }
}

/* Reads the files that a pattern matches, as glob(3) lists them: a leading '.' is matched only by itself. */
static void include(struct reader *reader, const char *pattern, const char *file, unsigned number, unsigned depth)
{
    if (depth == INCLUDES_MAX) {
        note(reader, file, number, "files that include each other");
        return;
    }
    if (reader->pattern_count++ == PATTERNS_MAX)
        note(reader, file, number, "an include after too many others");
    if (reader->pattern_count > PATTERNS_MAX)
        return;
    if (*pattern != '/')
        pattern = arena_printf(reader->arena, "%s/%s", path_dirname(reader->arena, file), pattern);
    if (!path_is_glob(pattern)) {
        const struct sourced *found = fileset_walk(reader->set, reader->arena, pattern, NULL, NULL);
        if (found)
            read_file(reader, found, depth + 1);
        return;
    }
    const char *why;
    pattern = path_canonical(reader->arena, text_of(pattern), &why);
    if (!pattern || strlen(pattern) > PATH_MAX_BYTES) {
        note(reader, file, number, "an include that is no path");
        return;
    }
    size_t literal = strcspn(pattern, "*?[");
    struct sourced_list files;
    fileset_list(reader->set, reader->arena, arena_strndup(reader->arena, pattern, literal), &files);
    for (size_t i = 0; i < files.count; i++) {
        const char *path = files.items[i]->entry->path;
        bool is_hidden = path_basename(path)[0] == '.' && path_basename(pattern)[0] != '.';
        if (is_hidden || !path_matches(pattern, path))
            continue;
        const struct sourced *found = fileset_walk(reader->set, reader->arena, path, NULL, NULL);
        if (found)
            read_file(reader, found, depth + 1);
    }
}

void ld_conf_read(struct arena *arena, const struct fileset *set, struct ld_conf *ret_conf)
{
    *ret_conf = (struct ld_conf){0};
    struct reader reader = {arena, set, ret_conf, 0};
    const struct sourced *file = fileset_walk(set, arena, main_file, NULL, NULL);
    if (file)
        read_file(&reader, file, 0);
    else
        include(&reader, usual_include, main_file, 1, 0);
}
