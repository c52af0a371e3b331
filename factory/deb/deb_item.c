/* SPDX-License-Identifier: Apache-2.0 */
/* One stanza of an index, checked before anything of it is used; and which of two is the better one. */
#include "deb/deb_pool.h"

#include "deb/deb_arch.h"
#include "deb/deb_version.h"
#include "trust/maker.h"

#define PATH_MAX_BYTES 4095

static bool is_word(struct text word, const char *more)
{
    for (size_t i = 0; i < word.len; i++) {
        char c = word.ptr[i];
        bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!is_plain && (!c || !strchr(more, c)))
            return false;
    }
    return word.len > 0;
}

/* A path below the repository: without "..", a scheme and control bytes. All else is a file's name to apt, too: blanks, '?', '#',
 * "//", a '/' in front. */
static bool is_safe_path(struct text path)
{
    struct text rest = path;
    if (!path.len || path.len > PATH_MAX_BYTES || path.ptr[path.len - 1] == '/')
        return false;
    for (size_t i = 0; i < path.len; i++) {
        unsigned char c = (unsigned char)path.ptr[i];
        if (c < 0x20 || c == 0x7F || c == '\\')
            return false;
    }
    for (struct text part; text_next(&rest, '/', &part);) {
        bool is_scheme = part.ptr == path.ptr && part.len && part.ptr[part.len - 1] == ':';
        if (text_is(part, "..") || is_scheme)
            return false;
    }
    return true;
}

static bool fail(const struct deb_catalog_index *index, const struct deb_stanza *stanza, const char *what,
                 struct text value, struct err *err)
{
    struct arena scratch = {0};
    err_set(err, ERR_MALFORMED, "%s:%u: package %s %s: %s \"%s\"", index->name, stanza->line,
            text_printable(&scratch, stanza->name), text_printable(&scratch, stanza->version), what,
            text_printable(&scratch, value));
    arena_done(&scratch);
    return false;
}

/* Source is "name" or "name (version)"; absent it is the package itself. */
static bool read_source(struct solve_item *item)
{
    const struct deb_stanza *stanza = &item->stanza;
    struct text rest = stanza->source, version;
    item->source = stanza->name;
    item->source_version = stanza->version;
    if (!rest.len)
        return true;
    if (!text_next_word(&rest, &item->source) || !is_word(item->source, "+-._"))
        return false;
    rest = text_trim(rest);
    if (!rest.len)
        return true;
    if (rest.len < 3 || rest.ptr[0] != '(' || rest.ptr[rest.len - 1] != ')')
        return false;
    version = text_trim((struct text){rest.ptr + 1, rest.len - 2});
    item->source_version = version;
    return is_word(version, ".+~:-_");
}

bool solve_item_read(const struct deb_catalog *catalog, const struct deb_catalog_index *index, uint32_t number,
                     struct solve_item *ret_item, const char **ret_why, struct err *err)
{
    struct solve_item item = {.index = index, .number = number};
    struct deb_stanza *stanza = &item.stanza;
    if (!deb_index_read(&index->index, number, stanza))
        return deb_catalog_fail_damaged(catalog, index, err);
    if (!is_word(stanza->name, "+-._"))
        return fail(index, stanza, "not a package name:", stanza->name, err);
    if (!is_word(stanza->version, ".+~:-_"))
        return fail(index, stanza, "not a version:", stanza->version, err);
    *ret_why = !stanza->architecture.len                    ? "no Architecture in the index"
               : !stanza->filename.len                      ? "no Filename in the index"
               : !stanza->size.len                          ? "no Size in the index"
               : !stanza->sha256.len && !stanza->sha512.len ? "no SHA256 in the index, and no SHA512"
                                                            : NULL;
    item.priority = solve_priority(catalog, &item);
    item.priority += item.priority > 0 ? index->bonus : 0;
    *ret_item = item;
    if (*ret_why)
        return true;
    if (!is_word(stanza->architecture, "-"))
        return fail(index, stanza, "not an architecture:", stanza->architecture, err);
    if (!is_safe_path(stanza->filename))
        return fail(index, stanza, "a Filename that is no path below the repository:", stanza->filename, err);
    if (!text_parse_u64(stanza->size, &item.size_bytes) || item.size_bytes > INT64_MAX)
        return fail(index, stanza, "not a Size:", stanza->size, err);
    item.has_sha512 = !stanza->sha256.len;
    if (item.has_sha512 && !checksum_parse(CHECKSUM_SHA512, stanza->sha512, &item.sha512))
        return fail(index, stanza, "not a SHA512:", stanza->sha512, err);
    if (!item.has_sha512 && !digest_parse(stanza->sha256, &item.digest))
        return fail(index, stanza, "not a SHA256:", stanza->sha256, err);
    if (!read_source(&item))
        return fail(index, stanza, "not a Source:", stanza->source, err);
    if (stanza->section.len && !is_word(stanza->section, "+-._/"))
        return fail(index, stanza, "not a Section:", stanza->section, err);
    *ret_item = item;
    return true;
}

int solve_compare(const struct solve_item *a, const struct solve_item *b)
{
    return a->priority != b->priority ? (a->priority < b->priority ? -1 : 1)
                                      : deb_version_compare(a->stanza.version, b->stanza.version);
}

bool solve_is_own_arch(const struct deb_catalog *catalog, const struct solve_item *item)
{
    return text_is(item->stanza.architecture, "all") ||
           text_is(item->stanza.architecture, deb_arch(catalog->base.arch));
}

/* Finds the best package of a name; with `than` of those that another maker's repository has. */
static bool find_best(const struct deb_catalog *catalog, struct text name, const struct origin *than,
                      struct solve_item *ret_item, bool *ret_found, struct err *err)
{
    *ret_found = false;
    for (size_t i = 0; i < catalog->indices.count; i++) {
        const struct deb_catalog_index *index = &catalog->indices.items[i];
        if (than && !maker_is_another(than, deb_catalog_origin(catalog, index->release)))
            continue;
        struct deb_hits hits = deb_index_find(&index->index, name);
        uint32_t number;
        bool is_virtual;
        hits.is_loose = true; /* providers are passed over unread */
        while (deb_index_next(&hits, &number, &is_virtual)) {
            struct solve_item item = {0};
            const char *why = NULL;
            if (is_virtual)
                continue;
            if (!solve_item_read(catalog, index, number, &item, &why, err))
                return false;
            if (!why && item.index && item.priority > 0 && solve_is_own_arch(catalog, &item) &&
                (!*ret_found || solve_compare(&item, ret_item) > 0)) {
                *ret_item = item;
                *ret_found = true;
            }
        }
    }
    return true;
}

bool solve_find_candidate(const struct deb_catalog *catalog, struct text name, struct solve_item *ret_item,
                          bool *ret_found, struct err *err)
{
    return find_best(catalog, name, NULL, ret_item, ret_found, err);
}

bool solve_find_anothers(const struct deb_catalog *catalog, const struct solve_item *item, struct solve_item *ret_other,
                         bool *ret_found, struct err *err)
{
    return find_best(catalog, item->stanza.name, deb_catalog_origin(catalog, item->index->release), ret_other,
                     ret_found, err);
}
