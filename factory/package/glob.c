/* SPDX-License-Identifier: Apache-2.0 */
/* Globs as a set of states: after each byte of the path, state[i] tells whether glob[0..i) can match what was read. So
 * the work is at most path length times glob length, whatever the glob. */
#include "package/path.h"

struct states {
    bool is_on[PATH_MAX_BYTES + 2];
};

/* Finds the ']' that closes the set at glob[at] == '['; 0 when there is none (the '[' then stands for itself). */
static size_t set_end(const char *glob, size_t at)
{
    size_t i = at + 1;
    if (glob[i] == '!' || glob[i] == '^')
        i++;
    if (glob[i] == ']')
        i++;
    while (glob[i] && glob[i] != ']')
        i++;
    return glob[i] ? i : 0;
}

/* Tells whether `c` is in the set glob[at..end], whose brackets are at `at` and `end`. */
static bool set_has(const char *glob, size_t at, size_t end, char c)
{
    size_t i = at + 1;
    bool is_negated = glob[i] == '!' || glob[i] == '^';
    bool is_in = false;
    unsigned char wanted = (unsigned char)c;
    i += is_negated;
    while (i < end) {
        unsigned char low = (unsigned char)glob[i], high = low;
        if (i + 2 < end && glob[i + 1] == '-') {
            high = (unsigned char)glob[i + 2];
            i += 2;
        }
        is_in = is_in || (low <= wanted && wanted <= high);
        i++;
    }
    return is_in != is_negated;
}

/* Switches on a state and those reached from it without reading a byte; deeper calls go forward in the glob only. */
static void state_enter(struct states *states, const char *glob, size_t at)
{
    while (!states->is_on[at]) {
        states->is_on[at] = true;
        if (glob[at] != '*')
            return;
        bool is_deep = glob[at + 1] == '*';
        /* A whole component of stars between slashes also stands for no component at all. */
        if (is_deep && glob[at + 2] == '/' && at > 0 && glob[at - 1] == '/')
            state_enter(states, glob, at + 3);
        at += is_deep ? 2 : 1;
    }
}

/* Reads the byte `c` in the state `at`. */
static void state_step(struct states *next, const char *glob, size_t at, char c)
{
    if (glob[at] == '*' && glob[at + 1] == '*') {
        next->is_on[at] = true;
        state_enter(next, glob, at + 2);
        return;
    }
    if (glob[at] == '*') {
        if (c != '/')
            state_enter(next, glob, at);
        return;
    }
    size_t end = glob[at] == '[' ? set_end(glob, at) : 0;
    if (end) {
        if (c != '/' && set_has(glob, at, end, c))
            state_enter(next, glob, end + 1);
    } else if (glob[at] == '?' ? c != '/' : glob[at] == c) {
        state_enter(next, glob, at + 1);
    }
}

bool path_matches(const char *glob, const char *path)
{
    /* Nearly every path differs in the part before the first special byte. */
    size_t plain = strcspn(glob, "*?[");
    size_t glob_len = plain + strlen(glob + plain);
    if (strncmp(glob, path, plain) != 0 || glob_len > PATH_MAX_BYTES)
        return false;
    struct states states[2];
    struct states *now = &states[0], *next = &states[1];
    memset(now->is_on, 0, glob_len + 1);
    state_enter(now, glob, plain);
    for (const char *c = path + plain; *c; c++) {
        memset(next->is_on, 0, glob_len + 1);
        for (size_t at = plain; at < glob_len; at++) {
            if (now->is_on[at])
                state_step(next, glob, at, *c);
        }
        struct states *done = now;
        now = next;
        next = done;
    }
    return now->is_on[glob_len];
}
