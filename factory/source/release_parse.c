/* A Release is one deb822 stanza; its SHA256 field has one "digest size name" per line. */
#include "source/release_parse.h"

#include <stdio.h>
#include <time.h>

#include "source/deb822.h"

#define FILES_MAX 200000u
#define NAME_MAX_BYTES 1024u

static bool parse_month(struct text word, int *ret_month)
{
    static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    for (int i = 0; i < 12; i++) {
        if (text_is_nocase(word, months[i])) {
            *ret_month = i;
            return true;
        }
    }
    return false;
}

static bool parse_part(struct text word, size_t digits_max, uint64_t max, int *ret)
{
    uint64_t value;
    if (word.len > digits_max || !text_parse_u64(word, &value) || value > max)
        return false;
    *ret = (int)value;
    return true;
}

static bool parse_clock(struct text clock, struct tm *tm)
{
    struct text hour, minute, second;
    return text_next(&clock, ':', &hour) && text_next(&clock, ':', &minute) && text_next(&clock, ':', &second) &&
           !clock.len && parse_part(hour, 2, 23, &tm->tm_hour) && parse_part(minute, 2, 59, &tm->tm_min) &&
           parse_part(second, 2, 60, &tm->tm_sec);
}

bool release_parse_date(struct text date, int64_t *ret_seconds)
{
    struct text words[6], rest = date;
    size_t count = 0;
    while (count < 6 && text_next_word(&rest, &words[count]))
        count++;
    size_t first = count && text_has_suffix(words[0], ",");
    struct tm tm = {0};
    if (count != first + 5 || text_trim(rest).len || !parse_part(words[first], 2, 31, &tm.tm_mday) || !tm.tm_mday ||
        !parse_month(words[first + 1], &tm.tm_mon) || words[first + 2].len != 4 ||
        !parse_part(words[first + 2], 4, 9999, &tm.tm_year) || !parse_clock(words[first + 3], &tm))
        return false;
    struct text zone = words[first + 4];
    if (!text_is(zone, "UTC") && !text_is(zone, "GMT") && !text_is(zone, "Z") && !text_is(zone, "+0000"))
        return false;
    int day = tm.tm_mday;
    bool is_leap_second = tm.tm_sec == 60; /* it may begin the next day */
    tm.tm_year -= 1900;
    *ret_seconds = timegm(&tm);
    return tm.tm_mday == day || is_leap_second; /* 31 February is no date */
}

struct release_date release_print_date(int64_t seconds)
{
    struct release_date result = {"an unknown time"};
    time_t time = seconds;
    struct tm tm;
    if (gmtime_r(&time, &tm))
        (void)snprintf(result.chars, sizeof result.chars, "%04d-%02d-%02d %02d:%02d:%02d UTC", tm.tm_year + 1900,
                       tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
    return result;
}

struct release_date release_print_span(int64_t seconds)
{
    static const struct {
        uint64_t seconds;
        const char *name;
    } units[] = {{86400, "day"}, {3600, "hour"}, {60, "minute"}, {1, "second"}};
    struct release_date result = {"0 seconds"};
    uint64_t span = seconds < 0 ? -(uint64_t)seconds : (uint64_t)seconds;
    for (size_t i = 0; i < ARRAY_COUNT(units); i++) {
        uint64_t count = span / units[i].seconds;
        if (!count)
            continue;
        (void)snprintf(result.chars, sizeof result.chars, "%llu %s%s", (unsigned long long)count, units[i].name,
                       count == 1 ? "" : "s");
        break;
    }
    return result;
}

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

static bool parse_file(const struct parsing *parsing, struct text line, struct map *files)
{
    struct text rest = line, digest, size, name, more;
    struct release_file file;
    if (!text_next_word(&rest, &digest))
        return true;
    if (!text_next_word(&rest, &size) || !text_next_word(&rest, &name) || text_next_word(&rest, &more) ||
        !digest_parse(digest, &file.digest) || !text_parse_u64(size, &file.size_bytes))
        return fail(parsing, "not a \"digest size name\" line in SHA256", line);
    if (!is_good_name(name))
        return fail(parsing, "a listed file's name leaves the repository or is no name", name);
    if (text_has_prefix(name, "./")) {
        name.ptr += 2;
        name.len -= 2;
    }
    const struct release_file *known = map_get(files, name);
    if (known && (known->size_bytes != file.size_bytes || !digest_eq(&known->digest, &file.digest)))
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

static bool parse_files(const struct parsing *parsing, const struct deb822_stanza *stanza, struct map *files)
{
    const struct deb822_field *field = deb822_find(stanza, "SHA256");
    files->arena = parsing->arena;
    if (!field) {
        err_set(parsing->err, ERR_TRUST, "%s: it lists no files by SHA-256 (weaker digests are not accepted)",
                parsing->name);
        return false;
    }
    struct text rest = field->value, line;
    while (text_next(&rest, '\n', &line)) {
        if (!parse_file(parsing, line, files))
            return false;
    }
    return true;
}

static bool parse_dates(const struct parsing *parsing, const struct deb822_stanza *stanza, struct release *release,
                        int64_t *ret_valid_until)
{
    struct text date = deb822_value(stanza, "Date"), valid_until = deb822_value(stanza, "Valid-Until");
    *ret_valid_until = 0;
    if (date.ptr && !release_parse_date(date, &release->date))
        return fail(parsing, "Date is not a date", date);
    if (valid_until.ptr && !release_parse_date(valid_until, ret_valid_until))
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
