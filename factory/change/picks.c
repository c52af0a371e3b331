/* SPDX-License-Identifier: Apache-2.0 */
#include "change/picks.h"

#include <ctype.h>
#include <strings.h>

#define ID_MAX_BYTES 40

/* A walk through a text. */
struct walk {
    struct arena *arena;
    struct text text;
    size_t at;
    struct picks *picks;
};

static void add(const struct walk *walk, struct strings *list, const char *id)
{
    if (map_add(&walk->picks->seen, text_of(id), list))
        list_add(walk->arena, list, id);
}

static char at(const struct walk *walk, size_t offset)
{
    return walk->at + offset < walk->text.len ? walk->text.ptr[walk->at + offset] : '\0';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Returns how many digits stand at an offset. */
static size_t digits(const struct walk *walk, size_t offset)
{
    size_t count = 0;
    while (is_digit(at(walk, offset + count)))
        count++;
    return count;
}

static size_t blanks(const struct walk *walk, size_t offset)
{
    size_t count = 0;
    while (isspace((unsigned char)at(walk, offset + count)))
        count++;
    return count;
}

static bool begins(const struct walk *walk, size_t offset, const char *word)
{
    size_t len = strlen(word);
    return walk->at + offset + len <= walk->text.len && strncasecmp(walk->text.ptr + walk->at + offset, word, len) == 0;
}

/* Copies what stands here, in capitals. */
static const char *copy_upper(const struct walk *walk, size_t len)
{
    char *id = arena_strndup(walk->arena, walk->text.ptr + walk->at, len);
    for (char *c = id; *c; c++)
        *c = (char)toupper((unsigned char)*c);
    return id;
}

/* CVE-2023-12345: the number has four digits or more. */
static size_t take_cve(const struct walk *walk)
{
    size_t number = begins(walk, 0, "CVE-") && digits(walk, 4) == 4 && at(walk, 8) == '-' ? digits(walk, 9) : 0;
    if (number < 4 || 9 + number > ID_MAX_BYTES)
        return 0;
    add(walk, &walk->picks->cves, copy_upper(walk, 9 + number));
    return 9 + number;
}

/* DSA-1234-1, RHSA-2024:1234, FEDORA-2024-0123456789. */
static size_t take_advisory(const struct walk *walk)
{
    static const char *const kinds[] = {"DSA-",  "DLA-",  "USN-",  "RHSA-", "RHBA-",
                                        "RHEA-", "ELSA-", "ALSA-", "RLSA-", "FEDORA-"};
    for (size_t i = 0; i < ARRAY_COUNT(kinds); i++) {
        size_t len = strlen(kinds[i]), first = len;
        bool is_hex = strcmp(kinds[i], "FEDORA-") == 0;
        if (!begins(walk, 0, kinds[i]) || !digits(walk, len))
            continue;
        while (len < ID_MAX_BYTES && (is_digit(at(walk, len)) || (is_hex && isxdigit((unsigned char)at(walk, len))) ||
                                      ((at(walk, len) == '-' || at(walk, len) == ':') && len > first &&
                                       isxdigit((unsigned char)at(walk, len + 1)))))
            len++;
        add(walk, &walk->picks->advisories, copy_upper(walk, len));
        return len;
    }
    return 0;
}

/* A list of numbers behind a word: "#1, #2, bug#3", as Dpkg::Changelog::Entry::Debian reads "Closes:" and "LP:". */
static size_t take_list(const struct walk *walk, size_t offset, bool is_mark_needed, const char *prefix)
{
    size_t end = 0;
    for (;;) {
        offset += blanks(walk, offset);
        if (!is_mark_needed && begins(walk, offset, "bug"))
            offset += 3;
        bool has_mark = at(walk, offset) == '#';
        offset += has_mark;
        offset += !is_mark_needed && isspace((unsigned char)at(walk, offset)) ? 1 : 0;
        size_t len = digits(walk, offset);
        if (!len || len > ID_MAX_BYTES || (is_mark_needed && !has_mark))
            return end;
        add(walk, &walk->picks->bugs,
            arena_printf(walk->arena, "%s#%.*s", prefix, (int)len, walk->text.ptr + walk->at + offset));
        end = offset += len;
        if (at(walk, offset) != ',')
            return end;
        offset++;
    }
}

static size_t take_closed(const struct walk *walk)
{
    if (begins(walk, 0, "closes:"))
        return take_list(walk, strlen("closes:"), false, "");
    return begins(walk, 0, "lp:") && isspace((unsigned char)at(walk, 3)) ? take_list(walk, strlen("lp:"), true, "LP")
                                                                         : 0;
}

/* rhbz#1234567, RHEL-12345. */
static size_t take_bug(const struct walk *walk)
{
    static const char *const trackers[] = {"rhbz#", "bsc#", "boo#", "bnc#", "RHEL-", "#"};
    for (size_t i = 0; i < ARRAY_COUNT(trackers); i++) {
        size_t first = strlen(trackers[i]), len = digits(walk, first);
        bool is_bare = first == 1; /* of RPM packages: "(#1234567)"; few digits may be anything */
        if (!begins(walk, 0, trackers[i]) || !len || len > ID_MAX_BYTES || (is_bare && len < 5))
            continue;
        add(walk, &walk->picks->bugs,
            arena_printf(walk->arena, "%s%.*s", trackers[i], (int)len, walk->text.ptr + walk->at + first));
        return first + len;
    }
    return 0;
}

void picks_take(struct arena *arena, struct text text, struct picks *picks)
{
    static size_t (*const takers[])(const struct walk *) = {take_cve, take_advisory, take_closed, take_bug};
    struct walk walk = {.arena = arena, .text = text, .picks = picks};
    while (walk.at < text.len) {
        size_t len = 0;
        bool is_inside = walk.at && isalnum((unsigned char)text.ptr[walk.at - 1]);
        for (size_t i = 0; !is_inside && !len && i < ARRAY_COUNT(takers); i++)
            len = takers[i](&walk);
        walk.at += len ? len : 1;
    }
}
