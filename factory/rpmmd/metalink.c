/* SPDX-License-Identifier: Apache-2.0 */
#include "rpmmd/metalink.h"

#include <stdlib.h>

#include "rpmmd/xml.h"

#define MIRRORS_READ_MAX 2000
#define VERSIONS_MAX 64
#define URL_BYTES_MAX 2048
#define FILE_PATH "metalink/files/file"
#define ALTERNATE_PATH FILE_PATH "/alternates/alternate"

struct mirror {
    const char *base_url;
    uint64_t preference;
    size_t number;
};

struct reading {
    struct arena *arena;
    struct metalink metalink;
    LIST(struct mirror) mirrors;
    bool is_file_fine; /* file: mirrors are allowed */
    bool is_wanted;    /* inside <file name="repomd.xml"> */
    bool has_file;
    uint64_t preference;              /* of the url element that is open */
    enum checksum_kind checksum_kind; /* of the hash element that is open … */
    bool is_strong;                   /* … unless it is of a kind that does not count */
};

bool metalink_is(struct text bytes)
{
    bytes = text_trim(bytes);
    return text_has_prefix(bytes, "<?xml") || text_has_prefix(bytes, "<metalink");
}

static bool is_scheme(struct text url, const char *scheme)
{
    struct text start = {url.ptr, strlen(scheme)};
    return url.len > start.len && text_is_nocase(start, scheme);
}

/* Returns whether a mirror can be used at all. */
static bool is_usable(struct text url, bool is_file_fine)
{
    for (size_t i = 0; i < url.len; i++) {
        if ((unsigned char)url.ptr[i] <= 0x20 || url.ptr[i] == 0x7F)
            return false;
    }
    return url.len <= URL_BYTES_MAX &&
           (is_scheme(url, "https://") || is_scheme(url, "http://") || (is_file_fine && is_scheme(url, "file:///")));
}

static bool begin_version(struct reading *reading, struct err *err)
{
    struct metalink_version version = {0};
    if (reading->metalink.versions.count == VERSIONS_MAX) {
        err_set(err, ERR_MALFORMED, "more than %d versions of repomd.xml", VERSIONS_MAX);
        return false;
    }
    list_add(reading->arena, &reading->metalink.versions, version);
    return true;
}

static bool begin_file(struct reading *reading, const struct xml_element *element, struct err *err)
{
    const char *name = xml_attribute(element, "name");
    reading->is_wanted = name && strcmp(name, "repomd.xml") == 0;
    if (!reading->is_wanted)
        return true;
    if (reading->has_file) {
        err_set(err, ERR_MALFORMED, "repomd.xml stands there twice");
        return false;
    }
    reading->has_file = true;
    return begin_version(reading, err);
}

static bool on_begin(void *user, const struct xml_element *element, struct err *err)
{
    struct reading *reading = user;
    const char *path = element->path, *value;
    if (!strchr(path, '/') && strcmp(path, "metalink") != 0) {
        err_set(err, ERR_MALFORMED, "not a metalink: it begins with <%s>",
                text_printable(reading->arena, text_of(path)));
        return false;
    }
    if (strcmp(path, FILE_PATH) == 0)
        return begin_file(reading, element, err);
    if (!reading->is_wanted)
        return true;
    if (strcmp(path, ALTERNATE_PATH) == 0)
        return begin_version(reading, err);
    if (text_has_suffix(text_of(path), "/verification/hash")) {
        value = xml_attribute(element, "type");
        reading->is_strong = value && checksum_find_kind(text_of(value), &reading->checksum_kind);
    }
    if (strcmp(path, FILE_PATH "/resources/url") == 0) {
        value = xml_attribute(element, "preference");
        if (!value || !text_parse_u64(text_of(value), &reading->preference))
            reading->preference = 0;
    }
    return true;
}

/* Takes a hash; of several the strongest. */
static bool take_hash(struct reading *reading, struct metalink_version *version, struct text hex, struct err *err)
{
    struct checksum checksum;
    if (!reading->is_strong)
        return true;
    if (!checksum_parse(reading->checksum_kind, hex, &checksum)) {
        err_set(err, ERR_MALFORMED, "not a hash of its type: \"%s\"", text_printable(reading->arena, hex));
        return false;
    }
    if (!version->has_checksum || checksum.kind > version->checksum.kind)
        version->checksum = checksum;
    version->has_checksum = true;
    return true;
}

static bool take_size(struct reading *reading, struct metalink_version *version, struct text number, struct err *err)
{
    version->has_size = text_parse_u64(number, &version->size_bytes);
    if (!version->has_size)
        err_set(err, ERR_MALFORMED, "not a size: \"%s\"", text_printable(reading->arena, number));
    return version->has_size;
}

/* Takes a mirror's URL of repomd.xml; what is not usable is passed over. */
static bool take_url(struct reading *reading, struct text url, struct err *err)
{
    static const char ending[] = "/repodata/repomd.xml";
    if (!text_has_suffix(url, ending) || !is_usable(url, reading->is_file_fine))
        return true;
    if (reading->mirrors.count == MIRRORS_READ_MAX) {
        err_set(err, ERR_MALFORMED, "more than %d mirrors", MIRRORS_READ_MAX);
        return false;
    }
    url.len -= sizeof ending - 2; /* the slash before "repodata" stays */
    struct mirror mirror = {text_dup(reading->arena, url), reading->preference, reading->mirrors.count};
    list_add(reading->arena, &reading->mirrors, mirror);
    return true;
}

static bool on_end(void *user, const struct xml_element *element, struct err *err)
{
    struct reading *reading = user;
    const char *path = element->path;
    if (!reading->is_wanted)
        return true;
    struct metalink_version *newest = reading->metalink.versions.items;
    struct metalink_version *last = &newest[reading->metalink.versions.count - 1];
    if (strcmp(path, FILE_PATH) == 0)
        reading->is_wanted = false;
    if (strcmp(path, FILE_PATH "/verification/hash") == 0)
        return take_hash(reading, newest, element->content, err);
    if (strcmp(path, ALTERNATE_PATH "/verification/hash") == 0)
        return take_hash(reading, last, element->content, err);
    if (strcmp(path, FILE_PATH "/size") == 0)
        return take_size(reading, newest, element->content, err);
    if (strcmp(path, ALTERNATE_PATH "/size") == 0)
        return take_size(reading, last, element->content, err);
    if (strcmp(path, FILE_PATH "/resources/url") == 0)
        return take_url(reading, element->content, err);
    return true;
}

static int better_first(const void *left, const void *right)
{
    const struct mirror *a = left, *b = right;
    bool is_a_safe = is_scheme(text_of(a->base_url), "https://"),
         is_b_safe = is_scheme(text_of(b->base_url), "https://");
    if (is_a_safe != is_b_safe)
        return is_a_safe ? -1 : 1;
    if (a->preference != b->preference)
        return a->preference > b->preference ? -1 : 1;
    return a->number < b->number ? -1 : a->number > b->number;
}

/* Adds a base URL once, as long as there is room. */
static void add_base_url(struct arena *arena, struct strings *urls, const char *base_url)
{
    if (urls->count < METALINK_MIRRORS_MAX && !strings_has(urls, base_url))
        list_add(arena, urls, base_url);
}

static void sort_mirrors(struct reading *reading)
{
    if (reading->mirrors.count)
        qsort(reading->mirrors.items, reading->mirrors.count, sizeof *reading->mirrors.items, better_first);
    for (size_t i = 0; i < reading->mirrors.count; i++)
        add_base_url(reading->arena, &reading->metalink.base_urls, reading->mirrors.items[i].base_url);
}

static bool check(const struct reading *reading, const char *url, struct err *err)
{
    const struct metalink *metalink = &reading->metalink;
    if (!reading->has_file)
        err_set(err, ERR_MALFORMED, "%s: the metalink is not one of repomd.xml", url);
    else if (!metalink->versions.items[0].has_checksum)
        err_set(err, ERR_TRUST, "%s: the metalink has no SHA-256 or SHA-512 of repomd.xml", url);
    else if (!metalink->base_urls.count)
        err_set(err, ERR_MALFORMED, "%s: the metalink names no mirror that can be used (https or http)", url);
    return !err->kind;
}

bool metalink_parse(struct arena *arena, const char *url, struct text bytes, struct metalink *ret_metalink,
                    struct err *err)
{
    struct reading reading = {.arena = arena, .is_file_fine = is_scheme(text_of(url), "file:")};
    struct xml_handler handler = {on_begin, on_end, &reading};
    if (!xml_read(url, bytes, &handler, err))
        return false;
    sort_mirrors(&reading);
    if (!check(&reading, url, err))
        return false;
    *ret_metalink = reading.metalink;
    return true;
}

bool mirrorlist_parse(struct arena *arena, const char *url, struct text bytes, struct strings *ret_base_urls,
                      struct err *err)
{
    struct strings urls = {0};
    struct text line;
    bool is_file_fine = is_scheme(text_of(url), "file:");
    for (size_t number = 1; text_next(&bytes, '\n', &line); number++) {
        line = text_trim(line);
        if (!line.len || line.ptr[0] == '#' || is_scheme(line, "rsync://") || is_scheme(line, "ftp://"))
            continue;
        if (!is_usable(line, is_file_fine)) {
            err_set(err, ERR_MALFORMED, "%s:%zu: not the URL of a mirror: \"%s\"", url, number,
                    text_printable(arena, line));
            return false;
        }
        const char *base_url = text_dup(arena, line);
        add_base_url(arena, &urls, text_has_suffix(line, "/") ? base_url : arena_printf(arena, "%s/", base_url));
    }
    if (!urls.count) {
        err_set(err, ERR_MALFORMED, "%s: the list of mirrors is empty", url);
        return false;
    }
    *ret_base_urls = urls;
    return true;
}

bool metalink_has(const struct metalink *metalink, struct text bytes)
{
    for (size_t i = 0; i < metalink->versions.count; i++) {
        const struct metalink_version *version = &metalink->versions.items[i];
        if (!version->has_checksum || (version->has_size && version->size_bytes != bytes.len))
            continue;
        struct checksum got = checksum_of(version->checksum.kind, bytes.ptr, bytes.len);
        if (checksum_eq(&got, &version->checksum))
            return true;
    }
    return false;
}
