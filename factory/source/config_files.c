/* SPDX-License-Identifier: Apache-2.0 */
#include "source/config_files.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/auto.h"

void config_words(struct arena *arena, struct text words, bool is_comma_fine, struct strings *ret_words)
{
    struct strings result = {0};
    struct text word, part;
    while (text_next_word(&words, &word)) {
        if (!is_comma_fine) {
            list_add(arena, &result, text_dup(arena, word));
            continue;
        }
        while (text_next(&word, ',', &part)) {
            if (part.len)
                list_add(arena, &result, text_dup(arena, part));
        }
    }
    *ret_words = result;
}

static int compare_paths(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void close_dir(DIR **dir)
{
    if (*dir)
        (void)closedir(*dir);
}

static bool is_wanted_name(const char *name, const char *const *endings, size_t ending_count)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";
    if (name[0] == '.' || name[strspn(name, plain)])
        return false;
    for (size_t i = 0; i < ending_count; i++) {
        if (text_has_suffix(text_of(name), endings[i]))
            return true;
    }
    return false;
}

bool config_list_files(struct arena *arena, const char *dir, const char *const *endings, size_t ending_count,
                       struct strings *ret_paths, struct err *err)
{
    struct strings paths = {0};
    AUTO(close_dir) DIR *open_dir = opendir(dir);
    if (!open_dir && errno != ENOENT && errno != ENOTDIR) {
        err_set_errno(err, errno, "cannot list %s", dir);
        return false;
    }
    const struct dirent *item;
    while (open_dir && (item = readdir(open_dir))) {
        struct stat status;
        bool is_dir = fstatat(dirfd(open_dir), item->d_name, &status, 0) == 0 && S_ISDIR(status.st_mode);
        if (!is_dir && is_wanted_name(item->d_name, endings, ending_count))
            list_add(arena, &paths, arena_printf(arena, "%s/%s", dir, item->d_name));
    }
    if (paths.count)
        qsort(paths.items, paths.count, sizeof *paths.items, compare_paths);
    *ret_paths = paths;
    return true;
}

bool config_has_files(const char *dir, const char *const *endings, size_t ending_count, bool *ret_has, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct strings paths = {0};
    struct err unlisted = {0};
    bool is_listed = config_list_files(&scratch, dir, endings, ending_count, &paths, &unlisted);
    if (err_is_shortage(&unlisted)) {
        *err = unlisted;
        return false;
    }
    *ret_has = is_listed && paths.count > 0;
    return true;
}
