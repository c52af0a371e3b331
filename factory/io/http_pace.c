/* SPDX-License-Identifier: Apache-2.0 */
#include "io/http_pace.h"

#define US_PER_BYTE (1000000u / HTTP_HOPELESS_BYTES_PER_S)
/* A longer pause between two looks was none of the server's. */
#define STEP_MAX_MS ((uint64_t)1000)

enum http_pace_verdict http_pace_look(struct http_pace *pace, const struct http_pace_look *look)
{
    uint64_t step_ms = pace->looked_ms ? look->now_ms - pace->looked_ms : 0;
    step_ms = step_ms < STEP_MAX_MS ? step_ms : STEP_MAX_MS;
    pace->looked_ms = look->now_ms;
    pace->total_ms += step_ms;
    pace->window_ms += step_ms;
    uint64_t came_bytes = look->received_bytes - pace->received_bytes;
    pace->received_bytes = look->received_bytes;
    pace->behind_us += (int64_t)(step_ms * 1000);
    pace->behind_us -= (int64_t)(came_bytes * (look->active_count ? look->active_count : 1) * US_PER_BYTE);
    if (pace->behind_us > (int64_t)look->slow_after_ms * HTTP_HOPELESS_WINDOWS * 1000)
        return HTTP_PACE_HOPELESS;
    if (pace->window_ms < look->slow_after_ms)
        return HTTP_PACE_FINE;
    uint64_t window_bytes = look->received_bytes - pace->window_bytes;
    bool is_slow = window_bytes < pace->window_ms * HTTP_SLOW_BYTES_PER_S / 1000;
    pace->window_ms = 0;
    pace->window_bytes = look->received_bytes;
    return is_slow && look->is_other_there ? HTTP_PACE_SLOW : HTTP_PACE_FINE;
}
