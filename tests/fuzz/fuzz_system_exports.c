/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as the files of /exports: lint ends, an installation's texts keep what the formats promise, and nothing that is
 * put on a host has a path that leads elsewhere. The files are parted by zero bytes, in the order of enum system_file; what
 * follows them is the path of a file for the host, and its bytes. */
#include "fuzz.h"

#include "package/path.h"
#include "system/system_lint.h"
#include "system/system_render.h"

#include <stdlib.h>

#define IMAGE_CONFIG "{\"config\": {\"Labels\": {\"name\": \"n\"}, \"Volumes\": {\"/srv\": {}}}}"

static void check_lines(struct text text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (!text.ptr[i])
            abort();
    }
}

static void check_files(struct arena *arena, const struct rendered_files *files)
{
    for (size_t i = 0; i < files->count; i++) {
        const char *why, *path = files->items[i].path, *exact = path_exact(arena, text_of(path), &why);
        if (path[0] != '/' || !exact || strcmp(exact, path) != 0 || path_is_within(path, "/proc"))
            abort();
    }
}

static void render(struct arena *arena, const struct system_exports *exports)
{
    const struct system_values set = {0};
    const struct render_request request = {
        .exports = exports,
        .set = &set,
        .facts = {.name = "n", .image = "i", .image_id = "d", .destination = "/d", .runtime = "/r", .uuid = "u"},
        .image_config = TEXT(IMAGE_CONFIG),
        .passwd = TEXT(""),
        .group = TEXT("")};
    struct rendered rendered;
    struct err err = {0};
    if (!system_check_set(arena, exports, &set, &err) || !system_render(arena, &request, &rendered, &err)) {
        if (err.kind != ERR_MALFORMED && err.kind != ERR_USAGE)
            abort();
        return;
    }
    check_lines(rendered.config);
    check_files(arena, &rendered.files);
}

/* Takes up to the next zero byte off the front; ptr NULL when there is no more, as of a file that is not there. A copy, so
 * that a sanitizer sees what is read behind its end. */
static struct text take(struct text *rest, char **ret_copy)
{
    const char *end = rest->len ? memchr(rest->ptr, '\0', rest->len) : NULL;
    struct text part = {rest->ptr, end ? (size_t)(end - rest->ptr) : rest->len};
    *ret_copy = NULL;
    if (!part.len)
        part.ptr = NULL;
    else if (!(*ret_copy = malloc(part.len)))
        abort();
    else
        part.ptr = memcpy(*ret_copy, part.ptr, part.len);
    *rest = end ? (struct text){end + 1, rest->len - part.len - 1} : (struct text){rest->ptr, 0};
    return part;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    AUTO(arena_done) struct arena arena = {0};
    struct text rest = {(const char *)bytes, len};
    struct system_exports exports = {.is_there = true};
    char *copies[SYSTEM_FILE_COUNT + 1];
    for (size_t i = 0; i < SYSTEM_FILE_COUNT; i++)
        exports.files[i] = take(&rest, &copies[i]);
    struct text name = take(&rest, &copies[SYSTEM_FILE_COUNT]);
    const char *why, *path = name.len && name.ptr[0] == '/' ? path_exact(&arena, name, &why) : NULL;
    struct entry file = {.path = path,
                         .kind = ENTRY_FILE,
                         .mode = 0644,
                         .data = rest.ptr,
                         .size_bytes = rest.len,
                         .digest = digest_of(rest.ptr, rest.len)};
    const struct entry *hostfs[] = {&file};
    if (path && path[1]) {
        exports.hostfs = hostfs;
        exports.hostfs_count = 1;
    }
    struct system_findings findings = {.arena = &arena};
    const struct lint_request request = {.exports = &exports, .config = TEXT(IMAGE_CONFIG)};
    system_lint(&request, &findings);
    render(&arena, &exports);
    for (size_t i = 0; i < ARRAY_COUNT(copies); i++)
        free(copies[i]);
    return 0;
}
