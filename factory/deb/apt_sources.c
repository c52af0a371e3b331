/* SPDX-License-Identifier: Apache-2.0 */
/* apt's configuration, sources.list(5): both formats, in apt's order (sources.list, then sources.list.d by name).
 *
 * Which repositories are the distribution's own? Those whose keys most repositories share (a distribution has its
 * release, updates and security under the same keys; a third party brings its own). They are required; the others are
 * optional. */
#include "deb/entry.h"

#include <fcntl.h>

#include "base/auto.h"
#include "deb/deb822.h"
#include "deb/deb_format.h"
#include "io/file.h"
#include "source/config_files.h"

#define SOURCES_MAX_BYTES (4u << 20)

static const char *const endings[] = {".list", ".sources"};

bool entry_default_keyrings(struct arena *arena, const char *apt_dir, struct strings *ret_paths, struct err *err)
{
    static const char *const key_endings[] = {".gpg", ".asc"};
    struct strings paths;
    const char *dir = arena_printf(arena, "%s/trusted.gpg.d", apt_dir);
    if (!config_list_files(arena, dir, key_endings, ARRAY_COUNT(key_endings), &paths, err))
        return false;
    const char *main_keyring = arena_printf(arena, "%s/trusted.gpg", apt_dir);
    if (access(main_keyring, R_OK) == 0)
        list_add(arena, &paths, main_keyring);
    *ret_paths = paths;
    return true;
}

/* Names of the options in one-line entries, as deb822 fields. */
static const char *option_field(struct text name)
{
    static const struct {
        const char *option, *field;
    } table[] = {
        {"arch", "Architectures"}, {"signed-by", "Signed-By"},
        {"trusted", "Trusted"},    {"check-valid-until", "Check-Valid-Until"},
        {"by-hash", "By-Hash"},    {"inrelease-path", "InRelease-Path"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(table); i++) {
        if (text_is_nocase(name, table[i].option))
            return table[i].field;
    }
    return NULL;
}

/* Reads "name=value"; "arch+=x" adds to all architectures, which are wanted anyway. */
static bool read_option(struct arena *arena, struct entry *entry, struct text option, struct err *err)
{
    const char *equals = memchr(option.ptr, '=', option.len);
    if (!equals || equals == option.ptr) {
        err_set(err, ERR_USAGE, "%s: not an option of the form name=value: \"%s\"", entry->place,
                text_printable(arena, option));
        return false;
    }
    struct text name = {option.ptr, (size_t)(equals - option.ptr)};
    struct text value = {equals + 1, option.len - name.len - 1};
    char change = name.ptr[name.len - 1];
    if (change == '+' || change == '-')
        name.len--;
    const char *field = option_field(name);
    if (!field || change == '+')
        return true;
    if (change == '-')
        field = arena_printf(arena, "%s-Remove", field);
    return entry_set(arena, entry, text_of(field), value, err);
}

/* Takes "[ option=value … ]" off the front of the line when it stands there. */
static bool read_options(struct arena *arena, struct entry *entry, struct text *line, struct err *err)
{
    *line = text_trim(*line);
    if (!text_has_prefix(*line, "["))
        return true;
    const char *end = memchr(line->ptr, ']', line->len);
    if (!end) {
        err_set(err, ERR_USAGE, "%s: the options' closing ']' is missing", entry->place);
        return false;
    }
    struct text options = {line->ptr + 1, (size_t)(end - line->ptr) - 1}, option;
    *line = (struct text){end + 1, line->len - options.len - 2};
    while (text_next_word(&options, &option)) {
        if (!read_option(arena, entry, option, err))
            return false;
    }
    return true;
}

/* Reads a line that is neither blank nor comment: type [options] uri suite components… */
static bool read_line(struct arena *arena, struct entry *entry, struct text line, struct err *err)
{
    struct text type, uri, suite;
    if (!text_next_word(&line, &type))
        return true;
    if (!text_is(type, "deb") && !text_is(type, "deb-src")) {
        err_set(err, ERR_USAGE, "%s: the type is neither deb nor deb-src: \"%s\"", entry->place,
                text_printable(arena, type));
        return false;
    }
    list_add(arena, &entry->types, text_dup(arena, type));
    if (!read_options(arena, entry, &line, err))
        return false;
    if (text_has_prefix(text_trim(line), "cdrom:")) { /* its name has blanks in it, and only apt can ask for it */
        entry->is_disabled = true;
        return true;
    }
    if (!text_next_word(&line, &uri) || !text_next_word(&line, &suite)) {
        err_set(err, ERR_USAGE, "%s: an entry is \"deb [options] URI SUITE COMPONENT…\"", entry->place);
        return false;
    }
    list_add(arena, &entry->uris, text_dup(arena, uri));
    list_add(arena, &entry->suites, text_dup(arena, suite));
    config_words(arena, line, false, &entry->components);
    return true;
}

static bool read_file(const char *path, struct buf *ret_bytes, struct err *err)
{
    if (!file_read_at(AT_FDCWD, path, SOURCES_MAX_BYTES, ret_bytes, err))
        return false;
    if (ret_bytes->len && memchr(ret_bytes->bytes, '\0', ret_bytes->len)) {
        err_set(err, ERR_USAGE, "%s: the file has NUL bytes", path);
        return false;
    }
    return true;
}

static bool read_one_line(struct arena *arena, const char *path, const struct strings *default_keyrings,
                          struct deb_source *source, struct err *err)
{
    AUTO(buf_done) struct buf bytes = {0};
    if (!read_file(path, &bytes, err))
        return false;
    struct text rest = {bytes.bytes, bytes.len}, line;
    for (size_t number = 1; text_next(&rest, '\n', &line); number++) {
        const char *comment = line.len ? memchr(line.ptr, '#', line.len) : NULL;
        if (comment)
            line.len = (size_t)(comment - line.ptr);
        struct entry entry = {.place = arena_printf(arena, "%s:%zu", path, number)};
        if (!read_line(arena, &entry, line, err) || !entry_expand(arena, &entry, default_keyrings, source, err))
            return false;
    }
    return true;
}

static bool read_stanza(struct arena *arena, const char *path, const struct deb822_stanza *stanza,
                        const struct strings *default_keyrings, struct deb_source *source, struct err *err)
{
    static const char *const required[] = {"Types", "URIs", "Suites"};
    struct entry entry = {.place = arena_printf(arena, "%s:%zu", path, stanza->items[0].line)};
    for (size_t i = 0; i < stanza->count; i++) {
        if (!entry_set(arena, &entry, stanza->items[i].name, stanza->items[i].value, err))
            return false;
    }
    for (size_t i = 0; i < ARRAY_COUNT(required); i++) {
        if (!entry.is_disabled && !deb822_value(stanza, required[i]).len) {
            err_set(err, ERR_USAGE, "%s: the entry has no %s field", entry.place, required[i]);
            return false;
        }
    }
    return entry_expand(arena, &entry, default_keyrings, source, err);
}

static bool read_deb822(struct arena *arena, const char *path, const struct strings *default_keyrings,
                        struct deb_source *source, struct err *err)
{
    AUTO(buf_done) struct buf bytes = {0};
    if (!read_file(path, &bytes, err))
        return false;
    struct deb822 reader;
    struct deb822_stanza stanza;
    bool is_found;
    deb822_begin(&reader, path, (struct text){bytes.bytes, bytes.len}, ERR_USAGE);
    for (;;) {
        if (!deb822_next(&reader, arena, &stanza, &is_found, err))
            return false;
        if (!is_found)
            return true;
        if (!read_stanza(arena, path, &stanza, default_keyrings, source, err))
            return false;
    }
}

static bool strings_eq(const struct strings *a, const struct strings *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++) {
        if (strcmp(a->items[i], b->items[i]) != 0)
            return false;
    }
    return true;
}

static bool has_same_keys(const struct deb_repository *a, const struct deb_repository *b)
{
    return strings_eq(&a->keyrings, &b->keyrings) && strings_eq(&a->inline_keys, &b->inline_keys) &&
           strings_eq(&a->fingerprints, &b->fingerprints);
}

static size_t count_same_keys(const struct deb_source *source, const struct deb_repository *repository)
{
    size_t count = 0;
    for (size_t i = 0; i < source->repositories.count; i++)
        count += has_same_keys(&source->repositories.items[i], repository);
    return count;
}

/* Marks the repositories that do not share the most common keys (the first of them, when several are as common). */
static void mark_optional(struct deb_source *source)
{
    struct deb_repository *items = source->repositories.items;
    const struct deb_repository *own = items;
    size_t own_count = 0;
    for (size_t i = 0; i < source->repositories.count; i++) {
        size_t count = count_same_keys(source, &items[i]);
        if (count > own_count) {
            own = &items[i];
            own_count = count;
        }
    }
    for (size_t i = 0; i < source->repositories.count; i++)
        items[i].is_optional = !has_same_keys(&items[i], own);
}

/* Reads sources.list (when it is there) and the files of sources.list.d in the order of their names. */
static bool read_all(struct arena *arena, const char *apt_dir, struct deb_source *source, struct err *err)
{
    struct strings keyrings, paths;
    const char *main_list = arena_printf(arena, "%s/sources.list", apt_dir);
    const char *parts = arena_printf(arena, "%s/sources.list.d", apt_dir);
    if (!entry_default_keyrings(arena, apt_dir, &keyrings, err) ||
        !config_list_files(arena, parts, endings, ARRAY_COUNT(endings), &paths, err))
        return false;
    if (access(main_list, F_OK) == 0 && !read_one_line(arena, main_list, &keyrings, source, err))
        return false;
    for (size_t i = 0; i < paths.count; i++) {
        bool is_deb822 = text_has_suffix(text_of(paths.items[i]), ".sources");
        if (!(is_deb822 ? read_deb822 : read_one_line)(arena, paths.items[i], &keyrings, source, err))
            return false;
    }
    return true;
}

/* Keyrings that entries name are those of the system whose configuration it is. */
static void settle_keyrings(struct arena *arena, const char *apt_dir, struct deb_source *source)
{
    struct text dir = text_of(apt_dir);
    const char *root = arena_strndup(arena, apt_dir, text_has_suffix(dir, "/etc/apt") ? dir.len - 8 : 0);
    for (size_t i = 0; *root && i < source->repositories.count; i++) {
        struct strings *keyrings = &source->repositories.items[i].keyrings, settled = {0};
        for (size_t k = 0; k < keyrings->count; k++) {
            const char *path = keyrings->items[k];
            bool is_there = text_has_prefix(text_of(path), arena_printf(arena, "%s/", root));
            list_add(arena, &settled, is_there ? path : arena_printf(arena, "%s%s", root, path));
        }
        *keyrings = settled;
    }
}

bool apt_has_sources(const char *apt_dir, bool *ret_has, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    const char *parts = arena_printf(&scratch, "%s/sources.list.d", apt_dir);
    if (access(arena_printf(&scratch, "%s/sources.list", apt_dir), F_OK) == 0) {
        *ret_has = true;
        return true;
    }
    return config_has_files(parts, endings, ARRAY_COUNT(endings), ret_has, err);
}

bool apt_load_sources(struct arena *arena, const char *apt_dir, struct deb_source *ret_source, struct err *err)
{
    struct deb_source source = {0};
    if (!read_all(arena, apt_dir, &source, err))
        return false;
    if (!source.repositories.count) {
        err_set(err, ERR_USAGE,
                "%s has no enabled package repository (looked at sources.list and sources.list.d/*.list, *.sources); "
                "name one with --source FILE",
                apt_dir);
        return false;
    }
    settle_keyrings(arena, apt_dir, &source);
    mark_optional(&source);
    if (!deb_pins_load(arena, apt_dir, &source.pins, err))
        return false;
    *ret_source = source;
    return true;
}
