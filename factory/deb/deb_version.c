/* SPDX-License-Identifier: Apache-2.0 */
#include "deb/deb_version.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Where a character comes in the order of those that are no digits: '~' before the end (and before digits), then letters, then
 * all others. */
static int rank(char c)
{
    bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (!c || is_digit(c))
        return 0;
    return c == '~' ? -1 : is_letter ? (unsigned char)c : (unsigned char)c + 256;
}

static char front(struct text a)
{
    return a.len ? a.ptr[0] : '\0';
}

static void drop(struct text *a)
{
    if (!a->len)
        return;
    a->ptr++;
    a->len--;
}

/* Takes the digits off the front, without leading zeros. */
static struct text cut_number(struct text *a)
{
    while (front(*a) == '0')
        drop(a);
    struct text number = {a->ptr, 0};
    while (is_digit(front(*a))) {
        drop(a);
        number.len++;
    }
    return number;
}

/* Compares upstream versions, or revisions: runs of other characters and numbers in turns. */
static int compare_parts(struct text a, struct text b)
{
    while (a.len || b.len) {
        while ((a.len && !is_digit(front(a))) || (b.len && !is_digit(front(b)))) {
            int order = rank(front(a)) - rank(front(b));
            if (order)
                return order; /* also when one of them is at its end */
            drop(&a);
            drop(&b);
        }
        struct text left = cut_number(&a), right = cut_number(&b);
        if (left.len != right.len)
            return left.len < right.len ? -1 : 1;
        int order = left.len ? memcmp(left.ptr, right.ptr, left.len) : 0;
        if (order)
            return order;
    }
    return 0;
}

/* Cuts off what stands before the first ':'. */
static struct text cut_epoch(struct text *version)
{
    const char *colon = version->len ? memchr(version->ptr, ':', version->len) : NULL;
    if (!colon)
        return (struct text){0};
    struct text epoch = {version->ptr, (size_t)(colon - version->ptr)};
    *version = (struct text){colon + 1, version->len - epoch.len - 1};
    return epoch;
}

/* Cuts off what stands behind the last '-'. */
static struct text cut_revision(struct text *version)
{
    const char *dash = version->len ? memrchr(version->ptr, '-', version->len) : NULL;
    if (!dash)
        return (struct text){0};
    struct text revision = {dash + 1, (size_t)(version->ptr + version->len - dash - 1)};
    version->len = (size_t)(dash - version->ptr);
    return revision;
}

int deb_version_compare(struct text a, struct text b)
{
    struct text left_epoch = cut_epoch(&a), right_epoch = cut_epoch(&b);
    struct text left_revision = cut_revision(&a), right_revision = cut_revision(&b);
    int order = compare_parts(left_epoch, right_epoch);
    order = order ? order : compare_parts(a, b);
    return order ? order : compare_parts(left_revision, right_revision);
}
