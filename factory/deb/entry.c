/* SPDX-License-Identifier: Apache-2.0 */
/* Options become an entry here, and an entry becomes repositories. What a repository's URIs, suite, components and key
 * names may look like is checked in this file only. */
#include "deb/entry.h"

#include "deb/deb_arch.h"

#include <ctype.h>
#include <fcntl.h>
#include <strings.h>

#include "base/auto.h"
#include "io/file.h"
#include "source/config_files.h"

#define MIRROR_LIST_MAX_BYTES (1u << 20)
#define KEY_BLOCK_BEGIN "-----BEGIN PGP PUBLIC KEY BLOCK-----"

static bool fail(const struct entry *entry, struct err *err, const char *what, const char *thing)
{
    AUTO(arena_done) struct arena scratch = {0};
    err_set(err, ERR_USAGE, "%s: %s: \"%s\"", entry->place, what,
            text_printable(&scratch, text_of(source_public_uri(&scratch, thing))));
    return false;
}

static bool read_bool(const struct entry *entry, struct text name, struct text value, bool *ret, struct err *err)
{
    static const char *const yes[] = {"yes", "true", "with", "on", "enable", "1"};
    static const char *const no[] = {"no", "false", "without", "off", "disable", "0"};
    for (size_t i = 0; i < ARRAY_COUNT(yes); i++) {
        if (text_is_nocase(value, yes[i]) || text_is_nocase(value, no[i])) {
            *ret = text_is_nocase(value, yes[i]);
            return true;
        }
    }
    AUTO(arena_done) struct arena scratch = {0};
    err_set(err, ERR_USAGE, "%s: %s must be yes or no, not \"%s\"", entry->place, text_printable(&scratch, name),
            text_printable(&scratch, value));
    return false;
}

/* Undoes the deb822 form of an armoured key: each line has a blank in front, an empty line is " .". */
static const char *read_inline_key(struct arena *arena, struct text value)
{
    char *key = arena_alloc(arena, value.len + 2), *at = key;
    struct text line;
    while (text_next(&value, '\n', &line)) {
        line = text_trim(line);
        if (!text_is(line, "."))
            at = mempcpy(at, line.ptr, line.len);
        *at++ = '\n';
    }
    return key;
}

/* Reads a fingerprint of 40 or 64 hex digits, with "!" behind when subkeys shall not count, into upper case. */
static const char *read_fingerprint(struct arena *arena, const char *word)
{
    size_t digits = strspn(word, "0123456789abcdefABCDEF");
    bool is_exact = word[digits] == '!' && !word[digits + 1];
    if ((digits != 40 && digits != 64) || (word[digits] && !is_exact))
        return NULL;
    char *result = arena_strdup(arena, word);
    for (char *at = result; *at; at++)
        *at = (char)toupper((unsigned char)*at);
    return result;
}

static bool read_signed_by(struct arena *arena, struct entry *entry, struct text value, struct err *err)
{
    if (value.len && memmem(value.ptr, value.len, KEY_BLOCK_BEGIN, strlen(KEY_BLOCK_BEGIN))) {
        list_add(arena, &entry->inline_keys, read_inline_key(arena, value));
        return true;
    }
    struct strings words;
    config_words(arena, value, true, &words);
    for (size_t i = 0; i < words.count; i++) {
        const char *fingerprint = read_fingerprint(arena, words.items[i]);
        if (fingerprint)
            list_add(arena, &entry->fingerprints, fingerprint);
        else if (words.items[i][0] == '/')
            list_add(arena, &entry->keyrings, words.items[i]);
        else
            return fail(entry, err, "Signed-By takes absolute paths of keyrings, fingerprints or a key block, not",
                        words.items[i]);
    }
    return words.count > 0 || fail(entry, err, "Signed-By is empty", "");
}

/* Reads an option whose value is kept as yes or no in one of the entry's fields. */
static bool set_bool(struct entry *entry, struct text name, struct text value, bool *ret_known, struct err *err)
{
    struct {
        const char *name;
        bool *field;
        bool is_negated;
    } table[] = {
        {"Enabled", &entry->is_disabled, true},
        {"Trusted", &entry->is_trusted, false},
        {"Check-Valid-Until", &entry->is_valid_until_ignored, true},
    };
    *ret_known = false;
    for (size_t i = 0; i < ARRAY_COUNT(table); i++) {
        bool is_yes;
        if (!text_is_nocase(name, table[i].name))
            continue;
        if (!read_bool(entry, name, value, &is_yes, err))
            return false;
        *table[i].field = is_yes != table[i].is_negated;
        *ret_known = true;
    }
    return true;
}

bool entry_set(struct arena *arena, struct entry *entry, struct text name, struct text value, struct err *err)
{
    static const char *const refused[] = {"InRelease-Path"};
    bool is_known;
    if (!set_bool(entry, name, value, &is_known, err))
        return false;
    if (is_known)
        return true;
    if (text_is_nocase(name, "Types"))
        config_words(arena, value, false, &entry->types);
    else if (text_is_nocase(name, "URIs"))
        config_words(arena, value, false, &entry->uris);
    else if (text_is_nocase(name, "Suites"))
        config_words(arena, value, false, &entry->suites);
    else if (text_is_nocase(name, "Components"))
        config_words(arena, value, false, &entry->components);
    else if (text_is_nocase(name, "Architectures"))
        config_words(arena, value, true, &entry->architectures);
    else if (text_is_nocase(name, "Architectures-Remove"))
        config_words(arena, value, true, &entry->without);
    else if (text_is_nocase(name, "Signed-By"))
        return read_signed_by(arena, entry, value, err);
    else if (text_is_nocase(name, "By-Hash"))
        entry->is_by_hash_off = text_is_nocase(value, "no") || text_is_nocase(value, "false");
    for (size_t i = 0; i < ARRAY_COUNT(refused); i++) {
        if (text_is_nocase(name, refused[i]))
            return fail(entry, err, "this option is not supported; give another source with --source", refused[i]);
    }
    return true;
}

/* Refuses bytes that a URI cannot have, and what apt would replace by the host's architecture. */
static bool check_uri_bytes(const struct entry *entry, const char *uri, struct err *err)
{
    if (strstr(uri, "$("))
        return fail(entry, err, "the only variable of apt is $(ARCH)", uri);
    for (const char *at = uri; *at; at++) {
        if ((unsigned char)*at <= 0x20 || *at == 0x7F || strchr("\\\"<>^`{|}", *at))
            return fail(entry, err, "not a URI", uri);
    }
    if (strpbrk(uri, "?#"))
        return fail(entry, err, "a repository's URI has no query and no fragment", uri);
    return true;
}

/* Returns the URI in the form that all others use: ending in '/', "file:///…" for local ones; NULL when its scheme is
 * not supported. */
static const char *normal_uri(struct arena *arena, const char *uri)
{
    const char *slash = uri[0] && uri[strlen(uri) - 1] == '/' ? "" : "/";
    if ((strncasecmp(uri, "http://", 7) == 0 && uri[7]) || (strncasecmp(uri, "https://", 8) == 0 && uri[8]))
        return arena_printf(arena, "%s%s", uri, slash);
    size_t scheme = strncasecmp(uri, "file:", 5) == 0 || strncasecmp(uri, "copy:", 5) == 0 ? 5 : 0;
    if (!scheme || uri[scheme] != '/')
        return NULL;
    const char *path = uri + scheme;
    while (path[0] == '/' && path[1] == '/')
        path++;
    return arena_printf(arena, "file://%s%s", path, path[1] ? slash : "");
}

/* Adds the URIs that a mirror list (apt-transport-mirror(1)) names; `path` is a local file. */
static bool read_mirror_list(struct arena *arena, const struct entry *entry, const char *path, struct strings *uris,
                             struct err *err)
{
    AUTO(buf_done) struct buf bytes = {0};
    if (!file_read_at(AT_FDCWD, path, MIRROR_LIST_MAX_BYTES, &bytes, err)) {
        err_wrap(err, "%s", entry->place);
        return false;
    }
    struct text rest = {bytes.bytes, bytes.len}, line, word;
    size_t before = uris->count;
    while (text_next(&rest, '\n', &line)) {
        if (!text_next_word(&line, &word) || word.ptr[0] == '#')
            continue;
        const char *uri = text_dup(arena, word), *normal = normal_uri(arena, uri);
        if (!normal)
            return fail(entry, err, "the mirror list names a URI that is not http, https or file", uri);
        if (!check_uri_bytes(entry, normal, err))
            return false;
        list_add(arena, uris, normal);
    }
    return uris->count > before || fail(entry, err, "the mirror list names no mirror", path);
}

/* Reads one configured URI into the mirrors it stands for; none for a CD-ROM, which only apt can ask for. */
static bool read_uri(struct arena *arena, const struct entry *entry, const char *uri, struct strings *uris,
                     struct err *err)
{
    if (strncasecmp(uri, "cdrom:", 6) == 0)
        return true;
    if (!check_uri_bytes(entry, uri, err))
        return false;
    if (strncasecmp(uri, "mirror+file:", 12) == 0) {
        const char *path = uri + 12;
        while (path[0] == '/' && path[1] == '/')
            path++;
        return read_mirror_list(arena, entry, path, uris, err);
    }
    const char *normal = normal_uri(arena, uri);
    if (!normal)
        return fail(entry, err,
                    "the URI is not http, https, file or mirror+file; disable the entry or give another source with "
                    "--source",
                    uri);
    list_add(arena, uris, normal);
    return true;
}

/* Returns whether a suite or component is a relative path of plain names, so that it cannot leave the repository. */
static bool is_plain_path(const char *path)
{
    struct text rest = text_of(path), part;
    if (!rest.len || rest.len > 255 || strpbrk(path, "\\?#%:[]$"))
        return false;
    for (const char *at = path; *at; at++) {
        if ((unsigned char)*at <= 0x20 || *at == 0x7F)
            return false;
    }
    while (text_next(&rest, '/', &part)) {
        if (text_is(part, ".."))
            return false;
    }
    return true;
}

static bool check_entry(const struct entry *entry, struct err *err)
{
    if (!entry->uris.count)
        return fail(entry, err, "the entry names no URI", "");
    if (!entry->suites.count)
        return fail(entry, err, "the entry names no suite", "");
    for (size_t i = 0; i < entry->suites.count; i++) {
        const char *suite = entry->suites.items[i];
        bool is_flat = text_has_suffix(text_of(suite), "/");
        if (!is_plain_path(suite) || (suite[0] == '/' && suite[1]))
            return fail(entry, err, "not a suite", suite);
        if (!is_flat && !entry->components.count)
            return fail(entry, err, "the entry names no component for the suite", suite);
        if (is_flat && entry->components.count)
            return fail(entry, err, "a suite that ends in '/' takes no components", suite);
    }
    for (size_t i = 0; i < entry->components.count; i++) {
        if (!is_plain_path(entry->components.items[i]))
            return fail(entry, err, "not a component", entry->components.items[i]);
    }
    for (size_t i = 0; i < entry->architectures.count; i++) {
        const char *arch = entry->architectures.items[i];
        if (!arch[0] || arch[strspn(arch, "abcdefghijklmnopqrstuvwxyz0123456789-")] || arch[0] == '-')
            return fail(entry, err, "not an architecture", arch);
    }
    return true;
}

/* Puts the machine's own architecture, as Debian calls it, into the place of "$(ARCH)", as apt does. */
static struct strings with_arch(struct arena *arena, const struct strings *values)
{
    struct strings result = {0};
    for (size_t i = 0; i < values->count; i++) {
        const char *value = values->items[i];
        for (const char *at; (at = strstr(value, "$(ARCH)"));)
            value = arena_printf(arena, "%.*s%s%s", (int)(at - value), value, deb_native_arch(), at + 7);
        list_add(arena, &result, value);
    }
    return result;
}

static void add_repositories(struct arena *arena, const struct entry *entry, const struct strings *uris,
                             const struct strings *default_keyrings, struct deb_source *source)
{
    bool has_keys = entry->keyrings.count || entry->inline_keys.count;
    for (size_t i = 0; i < entry->suites.count; i++) {
        const char *suite = entry->suites.items[i];
        struct deb_repository repository = {
            .name = entry->name ? arena_printf(arena, "%s (%s)", entry->name, suite)
                                : arena_printf(arena, "%s of %s", suite, source_public_uri(arena, uris->items[0])),
            .uris = *uris,
            .suite = suite,
            .components = entry->components,
            .architectures = entry->architectures,
            .without = entry->without,
            .keyrings = has_keys || entry->is_trusted ? entry->keyrings : *default_keyrings,
            .inline_keys = entry->inline_keys,
            .fingerprints = entry->fingerprints,
            .is_trusted = entry->is_trusted,
            .is_valid_until_ignored = entry->is_valid_until_ignored,
            .is_by_hash_off = entry->is_by_hash_off,
            .release_names = entry->release_names,
            .max_age_days = entry->max_age_days,
            .snapshot = entry->snapshot,
            .place = entry->place,
            .site = entry->site,
        };
        list_add(arena, &source->repositories, repository);
    }
}

/* Returns the host's name in a URI, as apt's pins know it: without user, port and brackets; "" of a local one and of a list of
 * mirrors. */
static const char *site_of(struct arena *arena, const char *uri)
{
    const char *begin = strncasecmp(uri, "http", 4) == 0 ? strstr(uri, "://") : NULL;
    if (!begin)
        return "";
    begin += 3;
    size_t len = strcspn(begin, "/");
    const char *at = memrchr(begin, '@', len);
    if (at) {
        len -= (size_t)(at + 1 - begin);
        begin = at + 1;
    }
    if (begin[0] == '[')
        return arena_strndup(arena, begin + 1, strcspn(begin + 1, "]/"));
    return arena_strndup(arena, begin, strcspn(begin, ":/"));
}

bool entry_expand(struct arena *arena, const struct entry *written, const struct strings *default_keyrings,
                  struct deb_source *source, struct err *err)
{
    if (written->is_disabled || !strings_has(&written->types, "deb"))
        return true;
    struct entry whole = *written;
    const struct entry *entry = &whole;
    whole.uris = with_arch(arena, &written->uris);
    whole.suites = with_arch(arena, &written->suites);
    whole.components = with_arch(arena, &written->components);
    if (!check_entry(entry, err))
        return false;
    struct strings group = {0};
    for (size_t i = 0; i < entry->uris.count; i++) {
        if (!read_uri(arena, entry, entry->uris.items[i], &group, err))
            return false;
        bool is_last = i + 1 == entry->uris.count;
        if (!group.count || (entry->is_mirror_group && !is_last))
            continue;
        whole.site = site_of(arena, entry->uris.items[i]);
        add_repositories(arena, entry, &group, default_keyrings, source);
        group = (struct strings){0};
    }
    return true;
}
