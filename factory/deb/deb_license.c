/* SPDX-License-Identifier: Apache-2.0 */
#include "deb/deb_license.h"

#include "base/auto.h"
#include "deb/deb822.h"
#include "package/license.h"

#include <stdlib.h>

#define COPYRIGHT_MAX_BYTES ((size_t)4 << 20)
#define NAMES_MAX 256                     /* distinct ones of a package */
#define SYNOPSIS_MAX_BYTES ((size_t)1000) /* above that it is none, and is not taken apart */

/* --- one name --- */

/* Debian's short names (copyright-format-1.0, "License short name") where SPDX has another; "-only" and "-or-later" of GNU's
 * are made of a missing or present '+'. */
static const struct {
    const char *debian, *spdx;
} others[] = {
    {"Apache", "Apache-2.0"},
    {"Apache-2", "Apache-2.0"},
    {"Artistic", "Artistic-1.0"},
    {"Artistic-2", "Artistic-2.0"},
    {"BSD-2-clauses", "BSD-2-Clause"},
    {"BSD-3-clauses", "BSD-3-Clause"},
    {"BSL-1", "BSL-1.0"},
    {"CC0", "CC0-1.0"},
    {"Expat", "MIT"},
    {"EPL-1", "EPL-1.0"},
    {"EPL-2", "EPL-2.0"},
    {"MPL-2", "MPL-2.0"},
    {"PSF", "PSF-2.0"},
    {"PSF-2", "PSF-2.0"},
    {"Python", "PSF-2.0"},
    {"Perl", "Artistic-1.0-Perl OR GPL-1.0-or-later"},
    {"QPL", "QPL-1.0"},
    {"SIL", "OFL-1.1"},
    {"SIL-1.1", "OFL-1.1"},
    {"W3C-Software", "W3C"},
    {"Zope-2.1", "ZPL-2.1"},
    {"zlib/libpng", "Zlib"},
};

/* GNU's: "GPL-2+", "LGPL-2.1", "GFDL-NIV-1.3+". */
static const char *gnu_name(struct arena *arena, struct text name)
{
    static const char *const families[] = {"GPL-", "LGPL-", "AGPL-", "GFDL-NIV-", "GFDL-"};
    bool is_later = name.len && name.ptr[name.len - 1] == '+';
    name.len -= is_later;
    for (size_t i = 0; i < ARRAY_COUNT(families); i++) {
        size_t len = strlen(families[i]);
        if (name.len <= len || strncasecmp(name.ptr, families[i], len) != 0)
            continue;
        struct text version = {name.ptr + len, name.len - len};
        bool has_point = memchr(version.ptr, '.', version.len) != NULL;
        bool is_niv = i == 3;
        const char *made =
            arena_printf(arena, "%.*s%.*s%s%s%s", is_niv ? 5 : (int)len, families[i], (int)version.len, version.ptr,
                         has_point ? "" : ".0", is_niv ? "-no-invariants" : "", is_later ? "-or-later" : "-only");
        return license_find(text_of(made));
    }
    return NULL;
}

static const char *name_of(struct arena *arena, struct text name)
{
    const char *found = gnu_name(arena, name);
    for (size_t i = 0; !found && i < ARRAY_COUNT(others); i++) {
        if (text_is_nocase(name, others[i].debian))
            found = others[i].spdx;
    }
    if (!found)
        found = license_find(name);
    return found ? found : license_ref(arena, "debian", name);
}

/* --- a synopsis: names with "and", "or" and commas --- */

/* Finds an operator as a word of its own; the part before it, without a comma. */
static bool split_at(struct text *rest, const char *operator, struct text * ret_part)
{
    size_t len = strlen(operator);
    for (size_t i = 0; i + len <= rest->len; i++) {
        if (strncasecmp(rest->ptr + i, operator, len) != 0)
            continue;
        *ret_part = text_trim((struct text){rest->ptr, i});
        *rest = (struct text){rest->ptr + i + len, rest->len - i - len};
        return true;
    }
    *ret_part = text_trim(*rest);
    *rest = (struct text){NULL, 0};
    return false;
}

/* The operators from the weakest on. */
static const struct {
    const char *debian, *spdx;
} operators[] = {{", and ", " AND "}, {", or ", " OR "}, {" or ", " OR "}, {" and ", " AND "}};

static const char *expression_of(struct arena *arena, struct text said, size_t level, bool *ret_is_one)
{
    if (level == ARRAY_COUNT(operators)) {
        const char *name = name_of(arena, said);
        *ret_is_one = !strchr(name, ' ');
        return name;
    }
    const char *all = NULL;
    struct text rest = said;
    bool has_more, is_one = true;
    size_t count = 0;
    do {
        struct text part;
        has_more = split_at(&rest, operators[level].debian, &part);
        if (!part.len)
            continue;
        const char *made = expression_of(arena, part, level + 1, &is_one);
        if (!is_one && (has_more || count))
            made = arena_printf(arena, "(%s)", made);
        all = all ? arena_printf(arena, "%s%s%s", all, operators[level].spdx, made) : made;
        count++;
    } while (has_more && count < NAMES_MAX);
    *ret_is_one = count < 2 && is_one;
    return all ? all : license_ref(arena, "debian", said);
}

/* --- the file --- */

static int compare_strings(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Returns whether all parts of a synopsis look like names: a word, or "NAME with … exception". Others are sentences. */
static bool is_of_names(struct text synopsis)
{
    static const char *const words[] = {"and", "or"};
    struct text word;
    size_t in_name = 0;
    bool has_with = false;
    while (text_next_word(&synopsis, &word)) {
        bool is_comma = word.ptr[word.len - 1] == ',';
        if (text_is_nocase(word, words[0]) || text_is_nocase(word, words[1])) {
            in_name = 0;
            has_with = false;
            continue;
        }
        if (in_name++ && !has_with && !text_is_nocase(word, "with"))
            return false;
        has_with = has_with || text_is_nocase(word, "with");
        in_name = is_comma ? 0 : in_name;
    }
    return true;
}

static void add_name(struct arena *arena, const char *name, struct strings *names)
{
    if (!strings_has(names, name) && names->count < NAMES_MAX)
        list_add(arena, names, name);
}

/* Adds the parts of an expression that has AND alone. */
static void add_parts(struct arena *arena, struct text made, struct strings *names)
{
    struct text part;
    bool has_more;
    do {
        has_more = split_at(&made, " AND ", &part);
        while (part.len && *part.ptr == '(')
            part = (struct text){part.ptr + 1, part.len - 1};
        while (part.len && part.ptr[part.len - 1] == ')')
            part.len--;
        add_name(arena, text_dup(arena, part), names);
    } while (has_more);
}

/* Takes the first line of a License field. */
static void take_license(struct arena *arena, const struct deb822_stanza *stanza, struct strings *names)
{
    struct text value = deb822_value(stanza, "License"), synopsis = {0};
    bool is_one;
    if (!value.len || !text_next(&value, '\n', &synopsis) || !(synopsis = text_trim(synopsis)).len)
        return;
    if (synopsis.len > SYNOPSIS_MAX_BYTES || !is_of_names(synopsis)) {
        add_name(arena, license_ref(arena, "debian", synopsis), names);
        return;
    }
    const char *made = expression_of(arena, synopsis, 0, &is_one);
    if (!strstr(made, " OR "))
        add_parts(arena, text_of(made), names);
    else
        add_name(arena, arena_printf(arena, "(%s)", made), names);
}

/* Joins them all; parentheses around a single one go. */
static const char *join(struct arena *arena, struct strings *names)
{
    if (!names->count)
        return NULL;
    qsort(names->items, names->count, sizeof *names->items, compare_strings);
    if (names->count > 1)
        return strings_join(arena, names, " AND ");
    const char *only = names->items[0];
    return *only == '(' ? arena_strndup(arena, only + 1, strlen(only) - 2) : only;
}

const char *deb_license_parse(struct arena *arena, struct text copyright)
{
    struct deb822 reader;
    struct deb822_stanza stanza;
    struct strings of_files = {0}, of_all = {0};
    struct err ignored = {0};
    bool is_found;
    deb822_begin(&reader, "copyright", copyright, ERR_MALFORMED);
    reader.are_twins_fine = true;
    if (!deb822_next(&reader, arena, &stanza, &is_found, &ignored) || !is_found || !stanza.count ||
        !text_is_nocase(stanza.items[0].name, "Format") ||
        !memmem(stanza.items[0].value.ptr, stanza.items[0].value.len, "copyright-format", 16))
        return NULL;
    take_license(arena, &stanza, &of_all);
    for (;;) {
        if (!deb822_next(&reader, arena, &stanza, &is_found, &ignored))
            return NULL;
        if (!is_found)
            break;
        if (deb822_find(&stanza, "Files"))
            take_license(arena, &stanza, &of_files);
    }
    return join(arena, of_files.count ? &of_files : &of_all);
}

const char *deb_installed_license(struct arena *arena, const struct ground *ground,
                                  const struct installed_package *package)
{
    AUTO(arena_done) struct arena scratch = {0};
    const char *path = arena_printf(&scratch, "/usr/share/doc/%s/copyright", package->name), *said;
    struct text bytes;
    struct err ignored = {0};
    bool is_found;
    if (strchr(package->name, '/') || !ground_read(ground, path, &bytes, &is_found, &ignored) || !is_found ||
        bytes.len > COPYRIGHT_MAX_BYTES)
        return NULL;
    said = deb_license_parse(&scratch, bytes);
    return said ? arena_strdup(arena, said) : NULL;
}

const char *deb_license(struct arena *arena, const struct package *package)
{
    AUTO(arena_done) struct arena scratch = {0};
    const char *path = arena_printf(&scratch, "/usr/share/doc/%s/copyright", package->name);
    const struct entry *entry = package_find(package, path);
    if (entry && entry->kind == ENTRY_HARDLINK)
        entry = package_find(package, entry->target);
    if (!entry || entry->kind != ENTRY_FILE || entry->size_bytes > COPYRIGHT_MAX_BYTES)
        return NULL;
    struct digest digest = digest_of(entry->data, entry->size_bytes);
    if (!digest_eq(&digest, &entry->digest))
        return NULL;
    const char *said = deb_license_parse(&scratch, (struct text){entry->data, entry->size_bytes});
    return said ? arena_strdup(arena, said) : NULL;
}
