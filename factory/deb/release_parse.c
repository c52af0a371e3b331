/* SPDX-License-Identifier: Apache-2.0 */
/* A Release is one deb822 stanza; its SHA256 field has one "digest size name" per line. */
#include "deb/release_parse.h"

#include "base/date.h"
#include "deb/deb822.h"

#define FILES_MAX 200000u
#define NAME_MAX_BYTES 1024u

/* What release_parse() is working on. */
struct parsing {
    struct arena *arena;
    const char *name;
    struct err *err;
};

static bool fail(const struct parsing *parsing, const char *what, struct text text)
{
    err_set(parsing->err, ERR_MALFORMED, "%s: %s: \"%s\"", parsing->name, what, text_printable(parsing->arena, text));
    return false;
}

/* A listed name is a relative path of printable bytes that stays below the Release's directory. */
static bool is_good_name(struct text name)
{
    struct text rest = name, part;
    if (!name.len || name.len > NAME_MAX_BYTES || name.ptr[0] == '/')
        return false;
    for (size_t i = 0; i < name.len; i++) {
        if ((unsigned char)name.ptr[i] <= 0x20 || name.ptr[i] == 0x7F)
            return false;
    }
    while (text_next(&rest, '/', &part)) {
        if (text_is(part, ".."))
            return false;
    }
    return true;
}

/* Reads a file's digest, which is of that kind. */
static bool parse_digest(enum checksum_kind kind, struct text hex, struct release_file *file)
{
    struct checksum checksum;
    if (!checksum_parse(kind, hex, &checksum))
        return false;
    file->has_sha512 = kind == CHECKSUM_SHA512;
    file->sha512 = checksum;
    file->digest = file->has_sha512 ? digest_of(checksum.bytes, checksum_len(kind)) : checksum_digest(&checksum);
    return true;
}

static bool parse_file(const struct parsing *parsing, struct text line, enum checksum_kind kind, struct map *files)
{
    struct text rest = line, digest, size, name, more;
    struct release_file file;
    if (!text_next_word(&rest, &digest))
        return true;
    if (!text_next_word(&rest, &size) || !text_next_word(&rest, &name) || text_next_word(&rest, &more) ||
        !parse_digest(kind, digest, &file) || !text_parse_u64(size, &file.size_bytes))
        return fail(parsing,
                    kind == CHECKSUM_SHA256 ? "not a \"digest size name\" line in SHA256"
                                            : "not a \"digest size name\" line in SHA512",
                    line);
    if (!is_good_name(name))
        return fail(parsing, "a listed file's name leaves the repository or is no name", name);
    if (text_has_prefix(name, "./")) {
        name.ptr += 2;
        name.len -= 2;
    }
    const struct release_file *known = map_get(files, name);
    if (known && (known->size_bytes != file.size_bytes ||
                  (known->has_sha512 == file.has_sha512 && !digest_eq(&known->digest, &file.digest))))
        return fail(parsing, "a file is listed twice and differently", name);
    if (known)
        return true;
    if (files->slots.count == FILES_MAX)
        return fail(parsing, "more than 200000 files are listed, at", name);
    struct release_file *kept = arena_new(parsing->arena, struct release_file);
    *kept = file;
    name.ptr = text_dup(parsing->arena, name);
    (void)map_add(files, name, kept);
    return true;
}

/* SHA-256 first; SHA-512 for what is not listed by that. */
static bool parse_files(const struct parsing *parsing, const struct deb822_stanza *stanza, struct map *files)
{
    static const struct {
        const char *field;
        enum checksum_kind kind;
    } lists[] = {{"SHA256", CHECKSUM_SHA256}, {"SHA512", CHECKSUM_SHA512}};
    bool has_one = false;
    files->arena = parsing->arena;
    for (size_t i = 0; i < ARRAY_COUNT(lists); i++) {
        const struct deb822_field *field = deb822_find(stanza, lists[i].field);
        struct text rest = field ? field->value : (struct text){0}, line;
        has_one = has_one || field;
        while (text_next(&rest, '\n', &line)) {
            if (!parse_file(parsing, line, lists[i].kind, files))
                return false;
        }
    }
    if (!has_one)
        err_set(parsing->err, ERR_TRUST,
                "%s: it lists no files by SHA-256 or SHA-512 (weaker digests are not accepted)", parsing->name);
    return has_one;
}

static bool parse_dates(const struct parsing *parsing, const struct deb822_stanza *stanza, struct release *release,
                        int64_t *ret_valid_until)
{
    struct text date = deb822_value(stanza, "Date"), valid_until = deb822_value(stanza, "Valid-Until");
    *ret_valid_until = 0;
    if (date.ptr && !date_parse(date, &release->date))
        return fail(parsing, "Date is not a date", date);
    if (valid_until.ptr && !date_parse(valid_until, ret_valid_until))
        return fail(parsing, "Valid-Until is not a date", valid_until);
    return true;
}

static const char *string_of(struct arena *arena, const struct deb822_stanza *stanza, const char *name)
{
    struct text value = deb822_value(stanza, name);
    return value.ptr ? text_dup(arena, value) : NULL;
}

static struct strings words_of(struct arena *arena, const struct deb822_stanza *stanza, const char *name)
{
    struct strings words = {0};
    struct text rest = deb822_value(stanza, name), word;
    while (text_next_word(&rest, &word))
        list_add(arena, &words, text_dup(arena, word));
    return words;
}

static bool is_yes(const struct deb822_stanza *stanza, const char *name)
{
    return text_is_nocase(deb822_value(stanza, name), "yes");
}

static void parse_fields(struct arena *arena, const struct deb822_stanza *stanza, struct release *release)
{
    release->origin = string_of(arena, stanza, "Origin");
    release->label = string_of(arena, stanza, "Label");
    release->suite = string_of(arena, stanza, "Suite");
    release->codename = string_of(arena, stanza, "Codename");
    release->version = string_of(arena, stanza, "Version");
    release->architectures = words_of(arena, stanza, "Architectures");
    release->components = words_of(arena, stanza, "Components");
    release->has_by_hash = is_yes(stanza, "Acquire-By-Hash");
    release->is_not_automatic = is_yes(stanza, "NotAutomatic");
    release->is_but_automatic_upgrades = is_yes(stanza, "ButAutomaticUpgrades");
    release->has_all_in_arch = text_is_nocase(deb822_value(stanza, "No-Support-for-Architecture-all"), "Packages") ||
                               !strings_has(&release->architectures, "all");
}

bool release_parse(struct arena *arena, const char *name, struct text text, struct release *ret_release,
                   int64_t *ret_valid_until, struct err *err)
{
    struct parsing parsing = {.arena = arena, .name = name, .err = err};
    struct deb822 reader;
    struct deb822_stanza stanza, second;
    bool is_found;
    deb822_begin(&reader, name, text, ERR_MALFORMED);
    if (!deb822_next(&reader, arena, &stanza, &is_found, err))
        return false;
    if (!is_found)
        return fail(&parsing, "the Release is empty", TEXT(""));
    if (!deb822_next(&reader, arena, &second, &is_found, err))
        return false;
    if (is_found)
        return fail(&parsing, "the Release has more than one stanza, the second begins with", second.items[0].name);
    parse_fields(arena, &stanza, ret_release);
    ret_release->digest = digest_of(text.ptr, text.len);
    return parse_dates(&parsing, &stanza, ret_release, ret_valid_until) &&
           parse_files(&parsing, &stanza, &ret_release->files);
}
