/* SPDX-License-Identifier: Apache-2.0 */
#include "line/names_exec.h"

#include "package/path.h"

#define PATHS_MAX 16
#define LINES_MAX 20000

/* Cuts off what may stand around a path. */
static struct text bare(struct text word)
{
    while (word.len && word.ptr[0] && strchr("@-:+!\"'`(", word.ptr[0]))
        word = (struct text){word.ptr + 1, word.len - 1};
    while (word.len && word.ptr[word.len - 1] && strchr("\"';`)", word.ptr[word.len - 1]))
        word.len--;
    return word;
}

/* Adds the paths of one command; what a shell runs in its own place comes first. */
static void add_words(struct arena *arena, struct text words, struct strings *paths)
{
    bool is_exec = false;
    size_t start = paths->count;
    for (struct text word; text_next_word(&words, &word);) {
        const char *why;
        word = bare(word);
        const char *path = word.len && word.ptr[0] == '/' ? path_canonical(arena, word, &why) : NULL;
        if (path && paths->count < PATHS_MAX && !strings_has(paths, path)) {
            list_add(arena, paths, path);
            const char *first = paths->items[start];
            paths->items[start] = is_exec ? path : first;
            paths->items[paths->count - 1] = is_exec ? first : path;
        }
        is_exec = text_is(word, "exec");
    }
}

void names_exec_of_unit(struct arena *arena, const struct unit_file *unit, struct strings *ret_paths)
{
    struct unit_directives starts;
    unit_file_list(arena, unit, "Service", "ExecStart", &starts);
    for (size_t i = 0; i < starts.count; i++)
        add_words(arena, text_of(starts.items[i]->value), ret_paths);
}

void names_exec_of_script(struct arena *arena, struct text script, struct strings *ret_paths)
{
    static const char key[] = "DAEMON=";
    struct text line;
    for (size_t count = 0; count < LINES_MAX && text_next(&script, '\n', &line); count++) {
        line = text_trim(line);
        if (text_has_prefix(line, key))
            add_words(arena, (struct text){line.ptr + strlen(key), line.len - strlen(key)}, ret_paths);
    }
}
