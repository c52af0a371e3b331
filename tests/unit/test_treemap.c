/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "page/treemap.h"

#include <stdlib.h>

static int compare(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return a < b ? 1 : a > b ? -1 : 0;
}

static bool overlap(const struct treemap_rect *a, const struct treemap_rect *b)
{
    return a->x < b->x + b->width && b->x < a->x + a->width && a->y < b->y + b->height && b->y < a->y + a->height;
}

static void rectangles_fill_the_frame_without_overlapping(void **state)
{
    (void)state;
    srandom(1);
    for (int round = 0; round < 200; round++) {
        uint64_t areas[40], filled = 0;
        struct treemap_rect rects[40], frame = {10, 20, 600 + (uint32_t)(random() % 400), 300};
        size_t count = 1 + (size_t)(random() % 40);
        for (size_t i = 0; i < count; i++)
            areas[i] = 1 + (uint64_t)(random() % (1 + (random() % 1000000)));
        qsort(areas, count, sizeof *areas, compare);
        treemap_lay(areas, count, frame, rects);
        for (size_t i = 0; i < count; i++) {
            filled += (uint64_t)rects[i].width * rects[i].height;
            assert_true(rects[i].x >= 10 && rects[i].x + rects[i].width <= 10 + frame.width);
            assert_true(rects[i].y >= 20 && rects[i].y + rects[i].height <= 320);
            for (size_t k = 0; k < i; k++)
                assert_false(overlap(&rects[i], &rects[k]));
        }
        assert_int_equal(filled, (uint64_t)frame.width * frame.height);
    }
}

static void equal_areas_are_nearly_squares(void **state)
{
    (void)state;
    const uint64_t areas[7] = {6, 6, 4, 3, 2, 2, 1};
    struct treemap_rect rects[7];
    treemap_lay(areas, 7, (struct treemap_rect){0, 0, 600, 400}, rects);
    for (size_t i = 0; i < 7; i++) {
        double aspect = (double)rects[i].width / rects[i].height;
        assert_true(aspect > 0.3 && aspect < 3.3);
    }
    assert_int_equal(rects[0].width, 300); /* the example of the paper begins so */
    assert_int_equal(rects[0].height, 200);
}

static void areas_beyond_a_unit_of_space_stay_within_the_frame(void **state)
{
    (void)state;
    const uint64_t areas[3] = {UINT64_MAX / 4, 1, 1};
    struct treemap_rect rects[3];
    treemap_lay(areas, 3, (struct treemap_rect){0, 0, 100, 100}, rects);
    assert_int_equal(rects[0].width * rects[0].height, 10000);
    assert_int_equal(rects[1].width * rects[1].height, 0);
    treemap_lay(areas, 1, (struct treemap_rect){5, 5, 0, 0}, rects);
    assert_int_equal(rects[0].width, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rectangles_fill_the_frame_without_overlapping),
        cmocka_unit_test(equal_areas_are_nearly_squares),
        cmocka_unit_test(areas_beyond_a_unit_of_space_stay_within_the_frame),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
