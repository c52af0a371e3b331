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

const struct layer_share *layer_plan_find(const struct layer_plan *plan, const char *source)
{
    for (size_t i = 0; i < plan->count; i++) {
        if (strcmp(plan->items[i].source, source) == 0)
            return &plan->items[i];
    }
    return NULL;
}

/* Reads a line that is not empty; false when it is none. */
static bool read_line(struct arena *arena, struct text line, struct layer_share *ret_share)
{
    struct text source, images, bytes, more;
    struct layer_share share;
    if (!text_next_word(&line, &source) || !text_next_word(&line, &images) || !text_next_word(&line, &bytes) ||
        text_next_word(&line, &more) || !text_parse_u64(images, &share.images) || !text_parse_u64(bytes, &share.bytes))
        return false;
    share.source = text_dup(arena, source);
    *ret_share = share;
    return rule_is_package_name(share.source) && share.images > 0 && share.images <= UINT32_MAX &&
           share.bytes <= UINT32_MAX;
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
                              ? "is not a source package, a number of images and one of bytes"
                          : layer_plan_find(&plan, share.source) ? "names a source package that an earlier line has"
                          : plan.count == LAYER_PLAN_MAX         ? "is one too many: a plan has at most 1000"
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
                 arena_printf(arena, "%s %ju %ju", share->source, (uintmax_t)share->images, (uintmax_t)share->bytes));
    }
    return lines;
}

bool layer_plan_write(const struct layer_plan *plan, struct buf *text)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct strings lines = layer_plan_lines(&scratch, plan);
    bool is_good = buf_printf(
        text, "# Which source packages get a layer of their own, the lowest first: made and updated by\n"
              "# `imgfactory lock`. SOURCE IMAGES BYTES: images that have files of it, and how many bytes.\n");
    for (size_t i = 0; i < lines.count && is_good; i++)
        is_good = buf_printf(text, "%s\n", lines.items[i]);
    return is_good;
}
