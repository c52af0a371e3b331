/* SPDX-License-Identifier: Apache-2.0 */
#include "package/os_release.h"

const char *os_release_value(struct arena *arena, struct text file, const char *key)
{
    struct text line, name, found = {0};
    while (text_next(&file, '\n', &line)) {
        if (!text_next(&line, '=', &name) || !text_is(text_trim(name), key) || !line.ptr)
            continue;
        found = text_trim(line);
        if (found.len >= 2 && (found.ptr[0] == '"' || found.ptr[0] == '\'') && found.ptr[found.len - 1] == found.ptr[0])
            found = (struct text){found.ptr + 1, found.len - 2};
    }
    return found.ptr ? text_dup(arena, found) : NULL;
}
