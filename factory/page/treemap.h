/* SPDX-License-Identifier: Apache-2.0 */
/* treemap.h - rectangles of given areas that fill a rectangle, as square as they can be
 *
 * Bruls, Huizing, van Wijk: Squarified Treemaps (2000). In whole units, so that equal input gives equal numbers everywhere.
 * Threads: no state.
 */
#ifndef IMGFACTORY_PAGE_TREEMAP_H
#define IMGFACTORY_PAGE_TREEMAP_H

#include <stddef.h>
#include <stdint.h>

struct treemap_rect {
    uint32_t x, y, width, height;
};

/* Lays `count` areas, the biggest first and none 0, out in `frame`: ret_rects has room for as many. They fill it without gaps and
 * do not overlap; one whose share is below a unit can have no width or height. */
void treemap_lay(const uint64_t *areas, size_t count, struct treemap_rect frame, struct treemap_rect *ret_rects);

#endif
