#include "io/http_pace.h"

/* A longer pause between two looks was none of the server's. */
#define STEP_MAX_MS ((uint64_t)1000)

enum http_pace_verdict http_pace_look(struct http_pace *pace, const struct http_pace_look *look)
{
    uint64_t step_ms = pace->looked_ms ? look->now_ms - pace->looked_ms : 0;
    step_ms = step_ms < STEP_MAX_MS ? step_ms : STEP_MAX_MS;
    pace->looked_ms = look->now_ms;
    pace->total_ms += step_ms;
    pace->window_ms += step_ms;
    pace->owed_bytes += step_ms * HTTP_HOPELESS_BYTES_PER_S / 1000 / (look->active_count ? look->active_count : 1);
    uint64_t credit_bytes =
        (uint64_t)look->slow_after_ms * HTTP_HOPELESS_WINDOWS * HTTP_HOPELESS_BYTES_PER_S / 1000;
    if (pace->owed_bytes > look->received_bytes + credit_bytes)
        return HTTP_PACE_HOPELESS;
    if (pace->window_ms < look->slow_after_ms)
        return HTTP_PACE_FINE;
    uint64_t came_bytes =
        look->received_bytes > pace->window_bytes ? look->received_bytes - pace->window_bytes : 0;
    bool is_slow = came_bytes < pace->window_ms * HTTP_SLOW_BYTES_PER_S / 1000;
    pace->window_ms = 0;
    pace->window_bytes = look->received_bytes;
    return is_slow && look->is_other_there ? HTTP_PACE_SLOW : HTTP_PACE_FINE;
}
