/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/expiry_memory.h"

#include "base/auto.h"
#include "io/file.h"

#include <fcntl.h>

#define MEMORY_MAX_BYTES ((size_t)64 * 1024 * 1024)

static const char *name_of(struct arena *arena, const char *repository)
{
    struct digest name = digest_of(repository, strlen(repository));
    return arena_strdup(arena, digest_hex(&name).chars);
}

static const char *head_of(struct arena *arena, const char *repository)
{
    return arena_printf(arena, "version 1\nrepository %s\n", repository);
}

/* Reads one line; false when it is none. */
static bool read_line(struct arena *arena, struct text line, struct expiry_memory_image *ret_image)
{
    struct expiry_memory_image image = {0};
    struct text word;
    struct digest digest;
    if (!text_next(&line, ' ', &word))
        return false;
    image.is_doomed = text_has_suffix(word, "!");
    word.len -= image.is_doomed;
    if (!digest_parse(word, &image.digest))
        return false;
    while (text_next(&line, ' ', &word)) {
        if (!digest_parse(word, &digest))
            return false;
        list_add(arena, &image.manifests, digest);
    }
    *ret_image = image;
    return true;
}

void expiry_memory_read(struct arena *arena, const char *dir, const char *repository, struct expiry_memory *ret_memory)
{
    AUTO(buf_done) struct buf bytes = {0};
    struct expiry_memory memory = {0};
    struct expiry_memory_image image;
    struct err ignored = {0};
    *ret_memory = memory;
    if (!dir || !file_read_at(AT_FDCWD, arena_printf(arena, "%s/%s", dir, name_of(arena, repository)), MEMORY_MAX_BYTES,
                              &bytes, &ignored))
        return;
    struct text rest = buf_text(&bytes), line;
    const char *head = head_of(arena, repository);
    if (!rest.len || !text_has_prefix(rest, head) || rest.ptr[rest.len - 1] != '\n')
        return;
    rest = (struct text){rest.ptr + strlen(head), rest.len - strlen(head)};
    while (rest.len && text_next(&rest, '\n', &line)) {
        if (!read_line(arena, line, &image))
            return;
        list_add(arena, &memory, image);
    }
    *ret_memory = memory;
}

static bool print(const struct expiry_memory *memory, const char *head, struct buf *text)
{
    bool is_whole = buf_printf(text, "%s", head);
    for (size_t i = 0; is_whole && i < memory->count; i++) {
        const struct expiry_memory_image *image = &memory->items[i];
        is_whole = buf_printf(text, "%s%s", digest_hex(&image->digest).chars, image->is_doomed ? "!" : "");
        for (size_t j = 0; is_whole && j < image->manifests.count; j++)
            is_whole = buf_printf(text, " %s", digest_hex(&image->manifests.items[j]).chars);
        is_whole = is_whole && buf_add(text, "\n", 1);
    }
    return is_whole;
}

void expiry_memory_write(const char *dir, const char *repository, const struct expiry_memory *memory, struct log *log)
{
    AUTO(arena_done) struct arena scratch = {0};
    AUTO(buf_done) struct buf text;
    AUTO(auto_close_fd) int dir_fd = -1;
    struct err err = {0};
    buf_init(&text, MEMORY_MAX_BYTES);
    if (!dir || !print(memory, head_of(&scratch, repository), &text))
        return;
    bool is_written =
        file_make_dirs(dir, 0700, &err) && file_open_dir(dir, &dir_fd, &err) &&
        file_write_atomic_at(dir_fd, name_of(&scratch, repository), text.bytes, text.len, 0600, true, &err);
    if (!is_written && log)
        log_line(log, LOG_VERBOSE, "what %s consists of cannot be remembered: %s", repository, err.text);
}
