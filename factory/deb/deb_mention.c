/* SPDX-License-Identifier: Apache-2.0 */
#include "deb/deb_mention.h"

/* The fields of a stanza, as their letters in the index, in the order in which apt reads them; its own name comes first. */
static const char fields[] = "dDCBRgreP";

static bool is_edge(char c)
{
    return strchr(" \t,|(\n", c) != NULL; /* and NUL */
}

/* Whether the name at `at` in a line of relations is that of one, and not a part, a version, or of another architecture. */
static bool is_relation(struct text line, size_t at, size_t len)
{
    size_t end = at + len;
    if ((at > 1 && !is_edge(line.ptr[at - 1])) || (end < line.len && !is_edge(line.ptr[end])))
        return false;
    for (size_t i = at; i-- > 1 && line.ptr[i] != ',' && line.ptr[i] != '|';) {
        if (line.ptr[i] != ' ' && line.ptr[i] != '\t')
            return false;
    }
    return true;
}

/* The row of the index's table that a place in its text belongs to. */
static uint32_t find_stanza(const struct deb_index *index, size_t at)
{
    uint32_t low = 0, high = index->stanza_count;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (deb_index_begin(index, middle) <= at)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* Reads what stands around a hit. *ret_at is its place in apt's order: stanza, then field, then place. */
static bool is_mention(const struct deb_index *index, size_t hit, size_t len, uint64_t *ret_at)
{
    struct text stanzas = index->stanzas;
    uint32_t number = find_stanza(index, hit);
    size_t begin = deb_index_begin(index, number);
    const char *line_end = memchr(stanzas.ptr + hit, '\n', stanzas.len - hit);
    const char *before = hit ? memrchr(stanzas.ptr, '\n', hit) : NULL;
    size_t line_begin = before ? (size_t)(before + 1 - stanzas.ptr) : 0;
    struct text line = {stanzas.ptr + line_begin,
                        (line_end ? (size_t)(line_end - stanzas.ptr) : stanzas.len) - line_begin};
    uint64_t field = 0;
    if (line_begin <= begin) { /* the stanza's own name has no letter */
        if (hit != begin || line.len != len)
            return false;
    } else {
        const char *letter = line.len ? memchr(fields, line.ptr[0], sizeof fields - 1) : NULL;
        if (!letter || !is_relation(line, hit - line_begin, len))
            return false;
        field = (uint64_t)(letter - fields) + 1;
    }
    uint64_t place = hit - line_begin;
    *ret_at = (uint64_t)number << 36 | field << 32 | (place > UINT32_MAX ? UINT32_MAX : place);
    return true;
}

/* The first mention in one index: fields stand there in another order than apt's, so that a stanza is read to its end. */
static bool find_in(const struct deb_index *index, struct text name, uint64_t *ret_at)
{
    const char *end = index->stanzas.ptr + index->stanzas.len, *next = index->stanzas.ptr;
    bool is_found = false;
    uint64_t at;
    while (index->stanza_count && (next = memmem(next, (size_t)(end - next), name.ptr, name.len))) {
        size_t hit = (size_t)(next++ - index->stanzas.ptr);
        if (is_found && find_stanza(index, hit) != *ret_at >> 36)
            return true;
        if (!is_mention(index, hit, name.len, &at) || (is_found && at >= *ret_at))
            continue;
        *ret_at = at;
        is_found = true;
    }
    return is_found;
}

struct deb_mention deb_mention_find(const struct deb_catalog *catalog, struct text name)
{
    struct deb_mention mention = {0};
    for (; mention.index < catalog->indices.count; mention.index++) {
        if (find_in(&catalog->indices.items[mention.index].index, name, &mention.at))
            break;
    }
    return mention;
}

bool deb_mention_is_later(const struct deb_mention *a, const struct deb_mention *b)
{
    return a->index != b->index ? a->index > b->index : a->at > b->at;
}
