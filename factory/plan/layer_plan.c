/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/layer_plan.h"

#include "base/auto.h"
#include "plan/rules.h"

bool layers_parse(const char *word, size_t *ret_layers)
{
    uint64_t layers = LAYERS_AUTO;
    if (strcmp(word, "auto") != 0 && (!text_parse_u64(text_of(word), &layers) || layers < 1 || layers > LAYERS_MAX))
        return false;
    *ret_layers = (size_t)layers;
    return true;
}

/* Whether a line may name a file so: of few kinds of characters, and '*' at the end alone. */
static bool is_file_name(const char *name)
{
    size_t len = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._+:@~%-");
    return len > 0 && len < LAYER_PLAN_FILE_MAX_BYTES && (!name[len] || strcmp(name + len, "*") == 0);
}

const char *layer_plan_name_of(struct arena *arena, const char *base_name)
{
    const char *name = base_name, *end = strstr(base_name, ".so");
    if (end && (!end[3] || end[3] == '.')) {
        size_t len = (size_t)(end - base_name), stem = 0;
        while (stem + 1 < len && !(base_name[stem] == '-' && base_name[stem + 1] >= '0' && base_name[stem + 1] <= '9'))
            stem++;
        name = stem + 1 < len ? arena_printf(arena, "%.*s*", (int)stem + 1, base_name)
                              : arena_printf(arena, "%.*s*", (int)len + 3, base_name);
    }
    return is_file_name(name) ? name : NULL;
}

/* How well a line's name of a file means this one: 0 when it does not, else the more the longer what they have in common. */
static size_t match_of(const char *name, const char *base_name)
{
    size_t len = strlen(name);
    if (name[len - 1] != '*')
        return strcmp(name, base_name) == 0 ? SIZE_MAX : 0;
    return strncmp(name, base_name, len - 1) == 0 ? len : 0;
}

void layer_index_make(struct arena *arena, const struct layer_plan *plan, struct layer_index *ret_index)
{
    *ret_index = (struct layer_index){
        .plan = plan, .sources = {.arena = arena}, .next = arena_new_array(arena, size_t, plan->count)};
    for (size_t i = plan->count; i-- > 0;) {
        struct text source = text_of(plan->items[i].source);
        const struct layer_share *behind = map_get(&ret_index->sources, source);
        ret_index->next[i] = behind ? (size_t)(behind - plan->items) : SIZE_MAX;
        map_set(&ret_index->sources, source, &plan->items[i]);
    }
}

const struct layer_share *layer_index_find(const struct layer_index *index, const char *source, const char *base_name)
{
    const struct layer_share *first = map_get(&index->sources, text_of(source)), *others = NULL, *best = NULL;
    size_t best_match = 0;
    size_t number = first ? (size_t)(first - index->plan->items) : SIZE_MAX;
    for (; number != SIZE_MAX; number = index->next[number]) {
        const struct layer_share *share = &index->plan->items[number];
        for (size_t i = 0; i < share->files.count; i++) {
            size_t match = match_of(share->files.items[i], base_name);
            if (match > best_match) {
                best_match = match;
                best = share;
            }
        }
        others = share->files.count ? others : share;
    }
    return best ? best : others;
}

/* Reads the names of a line's files. */
static bool read_files(struct arena *arena, struct text rest, struct strings *files)
{
    struct text word;
    while (text_next_word(&rest, &word)) {
        const char *name = text_dup(arena, word);
        if (!is_file_name(name) || strings_has(files, name) || files->count == LAYER_PLAN_FILES_MAX)
            return false;
        list_add(arena, files, name);
    }
    return true;
}

/* Reads a line that is not empty; false when it is none. */
static bool read_line(struct arena *arena, struct text line, struct layer_share *ret_share)
{
    struct text source, images, bytes;
    struct layer_share share = {0};
    if (!text_next_word(&line, &source) || !text_next_word(&line, &images) || !text_next_word(&line, &bytes) ||
        !text_parse_u64(images, &share.images) || !text_parse_u64(bytes, &share.bytes) ||
        !read_files(arena, line, &share.files))
        return false;
    share.source = text_dup(arena, source);
    *ret_share = share;
    return rule_is_package_name(share.source) && share.images > 0 && share.images <= UINT32_MAX &&
           share.bytes <= UINT32_MAX;
}

/* Whether an earlier line is of the same. */
static bool has_line(const struct layer_plan *plan, const struct layer_share *share)
{
    for (size_t i = 0; i < plan->count; i++) {
        if (strcmp(plan->items[i].source, share->source) == 0 && strings_same(&plan->items[i].files, &share->files))
            return true;
    }
    return false;
}

bool layer_plan_read(struct arena *arena, const char *name, struct text text, struct layer_plan *ret_plan,
                     struct err *err)
{
    struct layer_plan plan = {0};
    struct text line;
    for (size_t number = 1; text_next(&text, '\n', &line); number++) {
        const char *comment = line.len ? memchr(line.ptr, '#', line.len) : NULL;
        struct layer_share share;
        if (comment)
            line.len = (size_t)(comment - line.ptr);
        line = text_trim(line);
        if (!line.len)
            continue;
        const char *why = !read_line(arena, line, &share)
                              ? "is not a source package, a number of images and one of bytes, and names of files"
                          : has_line(&plan, &share)      ? "is of the same files as an earlier line"
                          : plan.count == LAYER_PLAN_MAX ? "is one too many: a plan has at most 1000"
                                                         : NULL;
        if (why) {
            err_set(err, ERR_USAGE, "%s:%zu: the line %s", name, number, why);
            return false;
        }
        list_add(arena, &plan, share);
    }
    *ret_plan = plan;
    return true;
}

struct strings layer_plan_lines(struct arena *arena, const struct layer_plan *plan)
{
    struct strings lines = {0};
    for (size_t i = 0; i < plan->count; i++) {
        const struct layer_share *share = &plan->items[i];
        list_add(arena, &lines,
                 arena_printf(arena, "%s %ju %ju%s%s", share->source, (uintmax_t)share->images, (uintmax_t)share->bytes,
                              share->files.count ? " " : "", strings_join(arena, &share->files, " ")));
    }
    return lines;
}

bool layer_plan_write(const struct layer_plan *plan, struct buf *text)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct strings lines = layer_plan_lines(&scratch, plan);
    bool is_good =
        buf_printf(text, "# Which source packages get a layer of their own, the lowest first: made and updated by\n"
                         "# `imgfactory lock`. SOURCE IMAGES BYTES [FILE...]: images that have files of it, how many "
                         "bytes, and which.\n");
    for (size_t i = 0; i < lines.count && is_good; i++)
        is_good = buf_printf(text, "%s\n", lines.items[i]);
    return is_good;
}
