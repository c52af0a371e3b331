/* SPDX-License-Identifier: Apache-2.0 */
#include "deb/deb_pins.h"

#include <fcntl.h>
#include <fnmatch.h>
#include <regex.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

#include "base/auto.h"
#include "deb/apt_conf.h"
#include "deb/deb822.h"
#include "io/file.h"
#include "source/config_files.h"

#define PREFERENCES_MAX_BYTES (4u << 20)
#define PINS_MAX 20000
#define PRIORITY_AUTOMATIC 500
#define PRIORITY_UPGRADES 100
#define PRIORITY_NOT_AUTOMATIC 1

static const char *const kinds[] = {
    [DEB_PIN_VERSION] = "version", [DEB_PIN_RELEASE] = "release", [DEB_PIN_ORIGIN] = "origin"};

static bool fail(const char *place, const char *what, struct text text, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    err_set(err, ERR_USAGE, "%s: %s: \"%s\"", place, what, text_printable(&scratch, text));
    return false;
}

/* Reads the number that a value begins with, as apt does. */
static bool read_priority(const char *place, struct text value, int *ret_priority, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    if (text_is(value, "never")) {
        *ret_priority = DEB_PIN_NEVER;
        return true;
    }
    long number = value.len ? strtol(text_dup(&scratch, value), NULL, 10) : 0;
    if (!number)
        return fail(place, "a pin needs a Pin-Priority that is a number, and not zero", value, err);
    if (number <= INT16_MIN || number > INT16_MAX)
        return fail(place, "Pin-Priority is not between -32767 and 32767", value, err);
    *ret_priority = (int)number;
    return true;
}

/* Cuts "src:" and ":ARCH" off a name. */
static void cut_name(struct arena *arena, struct text word, struct deb_pin *pin)
{
    pin->is_of_source = text_has_prefix(word, "src:");
    if (pin->is_of_source)
        word = (struct text){word.ptr + 4, word.len - 4};
    const char *colon = word.len ? memrchr(word.ptr, ':', word.len) : NULL;
    if (colon) {
        size_t len = (size_t)(colon - word.ptr);
        pin->arch = arena_strndup(arena, colon + 1, word.len - len - 1);
        word.len = len;
    }
    pin->name = text_dup(arena, word);
}

/* Adds a pin for each name. One of versions needs some. */
static bool add_pins(struct arena *arena, const struct deb_pin *pin, struct text names, struct deb_pins *pins,
                     struct err *err)
{
    struct text word;
    bool is_for_all = text_is(names, "*");
    if (is_for_all && pin->kind == DEB_PIN_VERSION)
        return true;
    while (text_next_word(&names, &word)) {
        struct deb_pin named = *pin;
        if (pins->count >= PINS_MAX)
            return fail(pin->place, "more than 20000 pins, at", word, err);
        if (!is_for_all)
            cut_name(arena, word, &named);
        list_add(arena, pins, named);
    }
    return true;
}

/* The last value of a field that is given more than once, as apt takes it. */
static struct text value_of(const struct deb822_stanza *stanza, const char *name)
{
    struct text value = {0};
    for (size_t i = 0; i < stanza->count; i++) {
        if (text_is_nocase(stanza->items[i].name, name))
            value = stanza->items[i].value;
    }
    return value;
}

static bool read_stanza(struct arena *arena, const char *path, const struct deb822_stanza *stanza,
                        struct deb_pins *pins, struct err *err)
{
    struct deb_pin pin = {.place = arena_printf(arena, "%s:%zu", path, stanza->items[0].line)};
    struct text names = value_of(stanza, "Package"), rest = value_of(stanza, "Pin"), kind;
    bool is_known = false;
    if (!names.len)
        return fail(pin.place, "a pin without Package, which begins with", stanza->items[0].name, err);
    if (!text_next_word(&rest, &kind))
        return true;
    for (size_t i = 0; i < ARRAY_COUNT(kinds) && !is_known; i++) {
        is_known = text_is_nocase(kind, kinds[i]);
        pin.kind = (enum deb_pin_kind)i;
    }
    if (!is_known) /* apt passes over it with a warning */
        return true;
    if (text_is(value_of(stanza, "Pin-Priority"), "never") && !text_is(names, "*"))
        return fail(pin.place, "\"Pin-Priority: never\" is for \"Package: *\" alone, not for", names, err);
    pin.what = text_dup(arena, text_trim(rest));
    return read_priority(pin.place, value_of(stanza, "Pin-Priority"), &pin.priority, err) &&
           add_pins(arena, &pin, names, pins, err);
}

static bool read_file(struct arena *arena, const char *path, struct deb_pins *pins, struct err *err)
{
    AUTO(buf_done) struct buf bytes = {0};
    struct deb822 reader;
    struct deb822_stanza stanza;
    bool is_found;
    if (!file_read_at(AT_FDCWD, path, PREFERENCES_MAX_BYTES, &bytes, err))
        return false;
    deb822_begin(&reader, path, (struct text){bytes.bytes, bytes.len}, ERR_USAGE);
    reader.are_twins_fine = true;
    for (;;) {
        if (!deb822_next(&reader, arena, &stanza, &is_found, err))
            return false;
        if (!is_found)
            return true;
        if (!read_stanza(arena, path, &stanza, pins, err))
            return false;
    }
}

bool deb_pins_load(struct arena *arena, const char *apt_dir, struct deb_pins *ret_pins, struct err *err)
{
    struct deb_pins pins = {0};
    struct strings paths = {0}, parts;
    const char *whole = arena_printf(arena, "%s/preferences", apt_dir);
    if (!apt_conf_find(arena, apt_dir, "APT::Default-Release", &pins.default_release, err) ||
        !apt_conf_list(arena, arena_printf(arena, "%s/preferences.d", apt_dir), ".pref", &parts, err))
        return false;
    if (access(whole, F_OK) == 0)
        list_add(arena, &paths, whole);
    for (size_t i = 0; i < parts.count; i++)
        list_add(arena, &paths, parts.items[i]);
    for (size_t i = 0; i < paths.count; i++) {
        if (!read_file(arena, paths.items[i], &pins, err))
            return false;
    }
    *ret_pins = pins;
    return true;
}

/* A glob or /expression/, letters without case. Nothing is in an absent text. */
static bool is_like(const char *pattern, const char *string)
{
    size_t len = strlen(pattern);
    if (!string)
        return false;
    if (len < 2 || pattern[0] != '/' || pattern[len - 1] != '/')
        return fnmatch(pattern, string, FNM_CASEFOLD) == 0;
    AUTO(arena_done) struct arena scratch = {0};
    regex_t regex;
    if (regcomp(&regex, arena_strndup(&scratch, pattern + 1, len - 2), REG_EXTENDED | REG_ICASE | REG_NOSUB) != 0)
        return false;
    bool is_match = regexec(&regex, string, 0, NULL, 0) == 0;
    regfree(&regex);
    return is_match;
}

/* A version that begins with "5.10.", of a pattern "5.10.*", or that is like the pattern without that star. */
static bool is_version(struct text pattern, const char *version)
{
    AUTO(arena_done) struct arena scratch = {0};
    bool is_prefix = pattern.len && pattern.ptr[pattern.len - 1] == '*';
    if (!version)
        return false;
    pattern.len -= is_prefix;
    size_t len = strlen(version);
    if (len >= pattern.len && (is_prefix || len == pattern.len) && strncasecmp(pattern.ptr, version, pattern.len) == 0)
        return true;
    return is_like(text_dup(&scratch, pattern), version);
}

/* What a release pin wants, by its letters; of a letter that is given twice the last counts. */
#define LETTERS "oanlcbv"
enum { LETTER_VERSION = 6, LETTER_COUNT };

/* Cuts "a=stable, o=Debian"; what is too short, and other letters, count for nothing. Returns whether there is a word at all. */
static bool cut_release(struct text what, struct text wanted[LETTER_COUNT])
{
    bool has_one = false;
    for (struct text word; text_next(&what, ',', &word);) {
        word = text_trim(word);
        const char *letter = word.len >= 3 && word.ptr[1] == '=' ? strchr(LETTERS, word.ptr[0] | 0x20) : NULL;
        if (letter && *letter)
            wanted[letter - LETTERS] = (struct text){word.ptr + 2, word.len - 2};
    }
    if (text_is(wanted[LETTER_VERSION], "*")) /* nothing is left of it without its star */
        wanted[LETTER_VERSION] = (struct text){0};
    for (int i = 0; i < LETTER_COUNT; i++)
        has_one = has_one || wanted[i].len;
    return has_one;
}

/* A release: "*", its number, archive or codename alone, or words that all have to fit. */
static bool fits_release(struct text what, const struct deb_pin_index *index)
{
    AUTO(arena_done) struct arena scratch = {0};
    const char *const values[] = {index->origin, index->archive,   index->codename,
                                  index->label,  index->component, index->architecture};
    struct text wanted[LETTER_COUNT] = {0};
    if (!what.len)
        return false;
    if (text_is(what, "*"))
        return true;
    if (!memchr(what.ptr, '=', what.len)) {
        const char *word = text_dup(&scratch, what);
        bool is_number = what.ptr[0] >= '0' && what.ptr[0] <= '9';
        return is_number ? is_version(what, index->version)
                         : is_like(word, index->archive) || is_like(word, index->codename);
    }
    if (!cut_release(what, wanted) ||
        (wanted[LETTER_VERSION].len && !is_version(wanted[LETTER_VERSION], index->version)))
        return false;
    for (size_t i = 0; i < ARRAY_COUNT(values); i++) {
        if (wanted[i].len && !is_like(text_dup(&scratch, wanted[i]), values[i]))
            return false;
    }
    return true;
}

static bool fits_origin(struct text site, const struct deb_pin_index *index)
{
    AUTO(arena_done) struct arena scratch = {0};
    if (site.len >= 2 && site.ptr[0] == '"' && site.ptr[site.len - 1] == '"')
        site = (struct text){site.ptr + 1, site.len - 2};
    return is_like(text_dup(&scratch, site), index->site);
}

bool deb_pin_fits_index(const struct deb_pin *pin, const struct deb_pin_index *index)
{
    return pin->kind == DEB_PIN_RELEASE  ? fits_release(text_of(pin->what), index)
           : pin->kind == DEB_PIN_ORIGIN ? fits_origin(text_of(pin->what), index)
                                         : false;
}

bool deb_pin_fits_version(const struct deb_pin *pin, struct text version)
{
    AUTO(arena_done) struct arena scratch = {0};
    return pin->kind == DEB_PIN_VERSION && is_version(text_of(pin->what), text_dup(&scratch, version));
}

bool deb_pins_is_default(const struct deb_pins *pins, const struct deb_pin_index *index)
{
    const char *wanted = pins->default_release;
    return (strlen(wanted) > 2 && wanted[1] == '=') || strcasecmp(wanted, "now") == 0 ||
           is_like(wanted, index->archive) || is_like(wanted, index->codename) || is_like(wanted, index->version);
}

int deb_pins_index_priority(const struct deb_pins *pins, const struct deb_pin_index *index)
{
    const struct deb_pin *first = NULL;
    for (size_t i = 0; i < pins->count; i++) {
        const struct deb_pin *pin = &pins->items[i];
        if (pin->name || !deb_pin_fits_index(pin, index))
            continue;
        if (pin->priority == DEB_PIN_NEVER)
            return DEB_PIN_NEVER;
        first = first ? first : pin;
    }
    if (pins->default_release && fits_release(text_of(pins->default_release), index))
        return DEB_PIN_DEFAULT_RELEASE;
    if (first)
        return first->priority;
    if (!index->is_not_automatic)
        return PRIORITY_AUTOMATIC;
    return index->is_but_automatic_upgrades ? PRIORITY_UPGRADES : PRIORITY_NOT_AUTOMATIC;
}

/* Names are compared with letters as they are, patterns without case. */
static bool fits_name(const char *wanted, struct text name)
{
    AUTO(arena_done) struct arena scratch = {0};
    size_t len = strlen(wanted);
    if (text_is(name, wanted))
        return true;
    bool is_pattern = strpbrk(wanted, "*[?") || (len > 1 && wanted[0] == '/' && wanted[len - 1] == '/');
    return is_pattern && is_like(wanted, text_dup(&scratch, name));
}

/* "amd64", "any", and dpkg's wildcards "linux-any", "any-amd64". */
static bool fits_arch(const char *wanted, const char *arch)
{
    if (!wanted || strcmp(wanted, arch) == 0 || strcmp(wanted, "any") == 0 || strcmp(wanted, "linux-any") == 0)
        return true;
    return strncmp(wanted, "any-", 4) == 0 && (strcmp(wanted + 4, arch) == 0 || strcmp(wanted + 4, "any") == 0);
}

const struct deb_pin *deb_pins_next(const struct deb_pins *pins, const struct deb_pin_version *version, size_t *at)
{
    while (*at < pins->count) {
        const struct deb_pin *pin = &pins->items[(*at)++];
        if (pin->name && fits_arch(pin->arch, version->arch) &&
            fits_name(pin->name, pin->is_of_source ? version->source : version->name))
            return pin;
    }
    return NULL;
}

static void feed(struct digest_stream *stream, const char *string)
{
    digest_feed(stream, string ? string : "", string ? strlen(string) + 1 : 0);
    digest_feed(stream, "", 1);
}

void deb_pins_feed(const struct deb_pins *pins, struct digest_stream *stream)
{
    if (pins->default_release)
        feed(stream, pins->default_release);
    for (size_t i = 0; i < pins->count; i++) {
        const struct deb_pin *pin = &pins->items[i];
        const int numbers[] = {pin->is_of_source, (int)pin->kind, pin->priority};
        feed(stream, pin->name);
        feed(stream, pin->arch);
        feed(stream, pin->what);
        digest_feed(stream, numbers, sizeof numbers);
    }
}
