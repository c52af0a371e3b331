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

/* Takes the next line with those that continue it off the front, without what ends them. */
static bool next_line(struct text *rest, struct text *ret_line)
{
    struct text more;
    if (!text_next(rest, '\n', ret_line))
        return false;
    while (ret_line->len && ret_line->ptr[ret_line->len - 1] == '\\' && text_next(rest, '\n', &more))
        ret_line->len = (size_t)(more.ptr + more.len - ret_line->ptr);
    return true;
}

void names_exec_list(struct arena *arena, struct text service, struct strings *ret_paths)
{
    static const char *const keys[] = {"ExecStart=", "DAEMON="};
    struct text line;
    for (size_t count = 0; count < LINES_MAX && next_line(&service, &line); count++) {
        line = text_trim(line);
        for (size_t i = 0; i < ARRAY_COUNT(keys); i++) {
            size_t len = strlen(keys[i]);
            if (text_has_prefix(line, keys[i]))
                add_words(arena, (struct text){line.ptr + len, line.len - len}, ret_paths);
        }
    }
}

bool names_exec_is_job(struct text service)
{
    struct text line;
    for (size_t count = 0; count < LINES_MAX && next_line(&service, &line); count++) {
        if (text_is(text_trim(line), "Type=oneshot"))
            return true;
    }
    return false;
}
