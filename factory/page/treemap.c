/* SPDX-License-Identifier: Apache-2.0 */
#include "page/treemap.h"

/* What is left of the frame, and of the areas. */
struct laying {
    struct treemap_rect frame;
    uint64_t left; /* sum of the areas that are not laid */
};

/* How far the worst of a row of areas is from a square, when the row takes its share of the frame: at least 1. */
static double worst_of(const struct laying *laying, uint64_t smallest, uint64_t biggest, uint64_t sum)
{
    const struct treemap_rect *frame = &laying->frame;
    double side = frame->width < frame->height ? frame->width : frame->height;
    double unit = (double)frame->width * frame->height / (double)laying->left; /* units of space for one of area */
    double row = (double)sum * unit;
    double of_biggest = side * side * (double)biggest * unit / (row * row);
    double of_smallest = row * row / (side * side * (double)smallest * unit);
    return of_biggest > of_smallest ? of_biggest : of_smallest;
}

/* Returns how many areas the next row has: as many as make it better. */
static size_t count_row(const struct laying *laying, const uint64_t *areas, size_t count, uint64_t *ret_sum)
{
    uint64_t sum = areas[0];
    double worst = worst_of(laying, areas[0], areas[0], sum);
    size_t taken = 1;
    for (; taken < count; taken++) {
        double next = worst_of(laying, areas[taken], areas[0], sum + areas[taken]);
        if (next > worst)
            break;
        worst = next;
        sum += areas[taken];
    }
    *ret_sum = sum;
    return taken;
}

static uint32_t share_of(uint32_t length, uint64_t part, uint64_t whole)
{
    uint32_t share = (uint32_t)((double)length * (double)part / (double)whole + 0.5);
    return part == whole || share > length ? length : share;
}

/* Lays a row along the shorter side, and takes its strip off the frame. */
static void lay_row(struct laying *laying, const uint64_t *areas, size_t count, uint64_t sum,
                    struct treemap_rect *ret_rects)
{
    struct treemap_rect *frame = &laying->frame;
    int is_column = frame->width >= frame->height; /* the strip stands at the left */
    uint32_t depth = share_of(is_column ? frame->width : frame->height, sum, laying->left);
    uint32_t side = is_column ? frame->height : frame->width, done = 0;
    uint64_t left = sum;
    for (size_t i = 0; i < count; i++) {
        uint32_t length = share_of(side - done, areas[i], left);
        ret_rects[i] = is_column ? (struct treemap_rect){frame->x, frame->y + done, depth, length}
                                 : (struct treemap_rect){frame->x + done, frame->y, length, depth};
        done += length;
        left -= areas[i];
    }
    if (is_column) {
        frame->x += depth;
        frame->width -= depth;
    } else {
        frame->y += depth;
        frame->height -= depth;
    }
    laying->left -= sum;
}

void treemap_lay(const uint64_t *areas, size_t count, struct treemap_rect frame, struct treemap_rect *ret_rects)
{
    struct laying laying = {.frame = frame};
    for (size_t i = 0; i < count; i++)
        laying.left += areas[i];
    for (size_t done = 0; done < count;) {
        uint64_t sum = 0;
        size_t row = laying.frame.width && laying.frame.height ? count_row(&laying, areas + done, count - done, &sum)
                                                               : count - done;
        for (size_t i = 0; !sum && i < row; i++)
            ret_rects[done + i] = (struct treemap_rect){laying.frame.x, laying.frame.y, 0, 0};
        if (sum)
            lay_row(&laying, areas + done, row, sum, ret_rects + done);
        done += row;
    }
}
