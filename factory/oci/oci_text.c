/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/oci_text.h"

#include "base/auto.h"

#include <time.h>

#define TAG_MAX_BYTES 128
#define EXPANDED_MAX_BYTES ((size_t)64 * 1024)

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Skips "EPOCH:", which is digits. */
static const char *skip_epoch(const char *version)
{
    const char *at = version;
    while (is_digit(*at))
        at++;
    return at > version && *at == ':' ? at + 1 : version;
}

void oci_split_version(struct arena *arena, const char *version, struct oci_facts *ret_facts)
{
    const char *full = skip_epoch(version);
    const char *dash = strrchr(full, '-');
    ret_facts->full_version = arena_strdup(arena, full);
    ret_facts->version = dash ? arena_strndup(arena, full, (size_t)(dash - full)) : ret_facts->full_version;
    ret_facts->release = arena_strdup(arena, dash ? dash + 1 : "");
}

static bool break_down(int64_t seconds, struct tm *ret_utc, struct err *err)
{
    time_t time = (time_t)seconds;
    if (time == seconds && gmtime_r(&time, ret_utc) && ret_utc->tm_year >= -1900 && ret_utc->tm_year <= 9999 - 1900)
        return true;
    err_set(err, ERR_USAGE, "the creation time %lld lies outside the years 0 to 9999", (long long)seconds);
    return false;
}

bool oci_timestamp(struct arena *arena, int64_t seconds, const char **ret_text, struct err *err)
{
    struct tm utc;
    if (!break_down(seconds, &utc, err))
        return false;
    *ret_text = arena_printf(arena, "%04d-%02d-%02dT%02d:%02d:%02dZ", utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday,
                             utc.tm_hour, utc.tm_min, utc.tm_sec);
    return true;
}

static bool make_date(struct arena *arena, int64_t seconds, const char **ret_text, struct err *err)
{
    struct tm utc;
    if (!break_down(seconds, &utc, err))
        return false;
    *ret_text = arena_printf(arena, "%04d%02d%02d", utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday);
    return true;
}

/* The placeholders that are strings of struct oci_facts; {date} is made. */
static const struct placeholder {
    const char *name;
    size_t offset;
} placeholders[] = {
    {"name", offsetof(struct oci_facts, name)},
    {"arch", offsetof(struct oci_facts, arch)},
    {"package", offsetof(struct oci_facts, package)},
    {"version", offsetof(struct oci_facts, version)},
    {"release", offsetof(struct oci_facts, release)},
    {"full-version", offsetof(struct oci_facts, full_version)},
    {"source-package", offsetof(struct oci_facts, source_package)},
    {"source-version", offsetof(struct oci_facts, source_version)},
};

static bool fail_unknown(struct arena *arena, const char *template, struct text name, struct err *err)
{
    struct strings known = {0};
    for (size_t i = 0; i < ARRAY_COUNT(placeholders); i++)
        list_add(arena, &known, arena_printf(arena, "{%s}", placeholders[i].name));
    list_add(arena, &known, "{date}");
    err_set(err, ERR_USAGE, "\"%s\" has an unknown placeholder {%s}; known are %s, and {{ }} for braces",
            text_printable(arena, text_of(template)), text_printable(arena, name), strings_join(arena, &known, " "));
    return false;
}

static bool find_value(struct arena *arena, const char *template, struct text name, const struct oci_facts *facts,
                       const char **ret_value, struct err *err)
{
    if (text_is(name, "date"))
        return make_date(arena, facts->created_time, ret_value, err);
    for (size_t i = 0; i < ARRAY_COUNT(placeholders); i++) {
        if (!text_is(name, placeholders[i].name))
            continue;
        memcpy(ret_value, (const char *)facts + placeholders[i].offset, sizeof *ret_value);
        if (*ret_value)
            return true;
        err_set(err, ERR_USAGE, "\"%s\": {%s} has no value here", text_printable(arena, text_of(template)),
                placeholders[i].name);
        return false;
    }
    return fail_unknown(arena, template, name, err);
}

/* A template in parts: plain bytes, or the name of a placeholder. */
enum part_kind { PART_END, PART_PLAIN, PART_PLACEHOLDER, PART_BROKEN };

/* Takes the next part off the front. A brace must be doubled or part of a placeholder. */
static enum part_kind next_part(const char **at, struct text *ret_part)
{
    const char *start = *at;
    size_t plain = strcspn(start, "{}");
    const char *brace = start + plain, *close;
    if (plain || !*brace) {
        *at = brace;
        *ret_part = (struct text){start, plain};
        return plain ? PART_PLAIN : PART_END;
    }
    if (brace[1] == brace[0]) {
        *at = brace + 2;
        *ret_part = (struct text){brace, 1};
        return PART_PLAIN;
    }
    close = brace + 1 + strcspn(brace + 1, "{}");
    if (brace[0] == '}' || *close != '}')
        return PART_BROKEN;
    *at = close + 1;
    *ret_part = (struct text){brace + 1, (size_t)(close - brace - 1)};
    return PART_PLACEHOLDER;
}

static bool expand_into(struct arena *arena, const char *template, const struct oci_facts *facts, struct buf *ret,
                        struct err *err)
{
    const char *at = template;
    struct text part = {0};
    enum part_kind kind;
    while ((kind = next_part(&at, &part)) != PART_END) {
        if (kind == PART_BROKEN) {
            err_set(err, ERR_USAGE, "\"%s\" has a single brace at byte %zu; write {{ or }} for a plain one",
                    text_printable(arena, text_of(template)), (size_t)(at - template) + 1);
            return false;
        }
        const char *value;
        if (kind == PART_PLACEHOLDER) {
            if (!find_value(arena, template, part, facts, &value, err))
                return false;
            part = text_of(value);
        }
        if (!buf_add(ret, part.ptr, part.len)) {
            err_set(err, ERR_USAGE, "\"%s\" expands to more than %zu bytes", text_printable(arena, text_of(template)),
                    EXPANDED_MAX_BYTES);
            return false;
        }
    }
    return true;
}

bool oci_expand(struct arena *arena, const char *template, const struct oci_facts *facts, const char **ret_text,
                struct err *err)
{
    AUTO(buf_done) struct buf text;
    buf_init(&text, EXPANDED_MAX_BYTES);
    if (!expand_into(arena, template, facts, &text, err))
        return false;
    *ret_text = arena_strndup(arena, text.bytes ? text.bytes : "", text.len);
    return true;
}

bool oci_names_arch(const char *template)
{
    struct text part = {0};
    for (;;) {
        enum part_kind kind = next_part(&template, &part);
        if (kind == PART_END || kind == PART_BROKEN)
            return false;
        if (kind == PART_PLACEHOLDER && text_is(part, "arch"))
            return true;
    }
}

static bool is_tag_letter(char c, bool is_first)
{
    bool is_word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_';
    return is_word || (!is_first && (c == '.' || c == '-'));
}

const char *oci_tag_safe(struct arena *arena, const char *string)
{
    size_t len = strlen(string);
    if (!len)
        return "_";
    char *tag = arena_strndup(arena, string, len < TAG_MAX_BYTES ? len : TAG_MAX_BYTES);
    for (char *at = tag; *at; at++) {
        if (!is_tag_letter(*at, at == tag))
            *at = '_';
    }
    return tag;
}
