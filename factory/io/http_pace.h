/* SPDX-License-Identifier: Apache-2.0 */
/* http_pace.h - how slow a transfer may be (private to http*.c)
 *
 * Two rules. Where the file can be had elsewhere: in each window of 60 s (http_options.slow_after_ms) an average of
 * 20 kB/s, else the other place is asked. Where it cannot: 10 kB/s from the start, with five windows of credit, shared
 * among the transfers that are under way (a slow line is no slow server): a file of N bytes that has the line to itself
 * takes at most five minutes and N/10,000 s. Time in which this process did not run (stopped, suspended) does not
 * count.
 * Threads: the network thread only.
 */
#ifndef IMGFACTORY_IO_HTTP_PACE_H
#define IMGFACTORY_IO_HTTP_PACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTP_SLOW_AFTER_MS 60000u
#define HTTP_SLOW_BYTES_PER_S 20000u
#define HTTP_HOPELESS_BYTES_PER_S 10000u
#define HTTP_HOPELESS_WINDOWS 5u

/* Of one try; zero-initialise. */
struct http_pace {
    uint64_t looked_ms;               /* the last look; 0: none yet */
    uint64_t total_ms;                /* time that counted */
    uint64_t window_ms, window_bytes; /* of the running window: its length so far, what was there at its start */
    uint64_t received_bytes;          /* at the last look; they never become fewer */
    int64_t behind_us;                /* how far it is behind 10 kB/s */
};

enum http_pace_verdict { HTTP_PACE_FINE, HTTP_PACE_SLOW, HTTP_PACE_HOPELESS };

/* What a look needs to know. */
struct http_pace_look {
    uint64_t now_ms, received_bytes;
    unsigned slow_after_ms; /* the window */
    size_t active_count;    /* transfers under way, this one included */
    bool is_other_there;    /* the file can be had elsewhere */
};

/* Looks at a transfer; call it every 100 ms or so. */
enum http_pace_verdict http_pace_look(struct http_pace *pace, const struct http_pace_look *look);

#endif
