/* SPDX-License-Identifier: Apache-2.0 */
#include "package/script.h"

const char *const script_path_dirs[] = {"/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin",
                                        "/sbin",           "/bin",           NULL};

const char *script_line(struct arena *arena, struct text head)
{
    if (!text_has_prefix(head, "#!"))
        return NULL;
    size_t start = 2, end = 2;
    while (end < head.len && end < SCRIPT_HEAD_BYTES && head.ptr[end] != '\n' && head.ptr[end] != '\0')
        end++;
    while (start < end && (head.ptr[start] == ' ' || head.ptr[start] == '\t'))
        start++;
    while (end > start && (head.ptr[end - 1] == ' ' || head.ptr[end - 1] == '\t'))
        end--;
    return text_dup(arena, (struct text){head.ptr + start, end - start});
}

static struct text drop_split_option(struct text word)
{
    static const char *const options[] = {"--split-string=", "-S", "-iS", "-vS"};
    for (size_t i = 0; i < ARRAY_COUNT(options); i++) {
        size_t len = strlen(options[i]);
        if (text_has_prefix(word, options[i]))
            return (struct text){word.ptr + len, word.len - len};
    }
    return word;
}

static bool env_option_takes_value(struct text word)
{
    return text_is(word, "-u") || text_is(word, "--unset") || text_is(word, "-C") || text_is(word, "--chdir");
}

const char *script_env_program(struct arena *arena, struct text argument)
{
    struct text rest = argument, word;
    if (!argument.len || argument.ptr[0] != '-')
        return argument.len && !memchr(argument.ptr, '=', argument.len) ? text_dup(arena, argument) : NULL;
    while (text_next_word(&rest, &word)) {
        word = drop_split_option(word);
        if (env_option_takes_value(word)) {
            if (!text_next_word(&rest, &word))
                return NULL;
        } else if (word.len && word.ptr[0] != '-' && !memchr(word.ptr, '=', word.len)) {
            return text_dup(arena, word);
        }
    }
    return NULL;
}
