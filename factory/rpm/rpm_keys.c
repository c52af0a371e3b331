/* SPDX-License-Identifier: Apache-2.0 */
#include "rpm/rpm_keys.h"

#include "base/auto.h"
#include "base/map.h"
#include "rpm/rpm_tags.h"

#include <endian.h>
#include <stdlib.h>

#define RICH_DEPTH_MAX 64u
#define RICH_NAMES_MAX 4096u /* conditions in conditions double them */

const struct rpm_table rpm_tables[RPM_TABLES_COUNT] = {
    {"Name", RPM_TAG_NAME, true, true, false},
    {"Basenames", RPM_TAG_BASENAMES, true, true, true},
    {"Group", RPM_TAG_GROUP, true, true, false},
    {"Requirename", RPM_TAG_REQUIRENAME, true, true, true},
    {"Providename", RPM_TAG_PROVIDENAME, true, true, true},
    {"Conflictname", RPM_TAG_CONFLICTNAME, true, true, true},
    {"Obsoletename", RPM_TAG_OBSOLETENAME, true, true, true},
    {"Triggername", RPM_TAG_TRIGGERNAME, true, true, true},
    {"Dirnames", RPM_TAG_DIRNAMES, true, true, true},
    {"Installtid", RPM_TAG_INSTALLTID, false, false, false},
    {"Sigmd5", RPM_TAG_SIGMD5, false, false, false},
    {"Sha1header", RPM_TAG_SHA1HEADER, true, true, false},
    {"Filetriggername", RPM_TAG_FILETRIGGERNAME, true, true, true},
    {"Transfiletriggername", RPM_TAG_TRANSFILETRIGGERNAME, true, true, true},
    {"Recommendname", RPM_TAG_RECOMMENDNAME, true, true, true},
    {"Suggestname", RPM_TAG_SUGGESTNAME, true, true, true},
    {"Supplementname", RPM_TAG_SUPPLEMENTNAME, true, true, true},
    {"Enhancename", RPM_TAG_ENHANCENAME, true, true, true},
};

/* ---- names in rich dependencies ---- */

enum rich_op { RICH_NONE, RICH_CHAIN, RICH_CONDITION, RICH_ELSE };

/* One dependency, on its way to keys: each name with ' ' before it, or '!' where it is what a condition asks for. */
struct rich {
    struct arena *arena;
    struct strings names;
    bool is_negative;
    unsigned depth;
};

static const char *skip_blanks(const char *at)
{
    return at + strspn(at, " \t\n\v\f\r");
}

static enum rich_op find_op(const char **at)
{
    static const struct {
        const char *word;
        enum rich_op op;
    } ops[] = {{"and", RICH_CHAIN}, {"or", RICH_CHAIN},   {"if", RICH_CONDITION}, {"unless", RICH_CONDITION},
               {"else", RICH_ELSE}, {"with", RICH_CHAIN}, {"without", RICH_CHAIN}};
    size_t len = strcspn(*at, " \t\n\v\f\r)");
    for (size_t i = 0; i < ARRAY_COUNT(ops); i++) {
        if (strlen(ops[i].word) == len && strncmp(*at, ops[i].word, len) == 0) {
            *at += len;
            return ops[i].op;
        }
    }
    return RICH_NONE;
}

/* The end of a name, or version, with the parentheses that are part of it. */
static const char *word_end(const char *at)
{
    unsigned depth = 0;
    for (; *at; at++) {
        if (strchr(" \t\n\v\f\r,", *at))
            return at;
        if (*at == '(')
            depth++;
        if (*at == ')' && depth-- == 0)
            return at;
    }
    return at;
}

/* NAME, or NAME OPERATOR VERSION; false when there is none. */
static bool take_simple(struct rich *rich, const char **at)
{
    const char *start = *at, *end = word_end(start), *next = skip_blanks(end);
    size_t len = (size_t)(end - start), operator_len = strspn(next, "<>=");
    if (!len)
        return false;
    if (!(len > 7 && strncmp(start, "rpmlib(", 7) == 0))
        list_add(rich->arena, &rich->names,
                 arena_printf(rich->arena, "%c%.*s", rich->is_negative ? '!' : ' ', (int)len, start));
    *at = end;
    if (operator_len) {
        const char *version = skip_blanks(next + operator_len);
        *at = word_end(version);
        return *at != version;
    }
    return true;
}

/* After `else` the condition's names count once more, the other way round. */
static void invert_names(struct rich *rich, size_t first)
{
    size_t count = rich->names.count;
    for (size_t i = first; i < count && rich->names.count <= RICH_NAMES_MAX; i++) {
        char *name = arena_strdup(rich->arena, rich->names.items[i]);
        name[0] ^= ' ' ^ '!';
        list_add(rich->arena, &rich->names, name);
    }
}

static bool take_rich(struct rich *rich, const char **at);

static bool take_operand(struct rich *rich, const char **at)
{
    *at = skip_blanks(*at);
    bool is_good = **at == '(' ? take_rich(rich, at) : take_simple(rich, at);
    *at = skip_blanks(*at);
    return is_good;
}

/* "(A op B …)" */
static bool take_rich(struct rich *rich, const char **at) /* NOLINT(misc-no-recursion): RICH_DEPTH_MAX */
{
    size_t first = rich->names.count;
    enum rich_op op = RICH_NONE;
    if (*(*at)++ != '(' || ++rich->depth > RICH_DEPTH_MAX)
        return false;
    for (;;) {
        if (!take_operand(rich, at))
            return false;
        if (**at == ')')
            break;
        if ((op = find_op(at)) == RICH_NONE)
            return false;
        if (op == RICH_CONDITION)
            first = rich->names.count;
        if (op == RICH_ELSE)
            invert_names(rich, first);
        if (op != RICH_CHAIN)
            rich->is_negative = !rich->is_negative;
    }
    ++*at;
    rich->depth--;
    if (op == RICH_CONDITION)
        rich->is_negative = !rich->is_negative;
    return true;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool add_rich(const struct rpm_keys_request *request, const char *text, uint32_t index, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct rich rich = {.arena = &scratch};
    if (!take_rich(&rich, &text) || !rich.names.count)
        return true; /* rpm has no further keys then, either */
    if (rich.names.count > RICH_NAMES_MAX) {
        err_set(err, ERR_MALFORMED, "a rich dependency of its header names more than %u packages", RICH_NAMES_MAX);
        return false;
    }
    qsort(rich.names.items, rich.names.count, sizeof *rich.names.items, compare_names);
    for (size_t i = 0; i < rich.names.count; i++) {
        const char *name = rich.names.items[i];
        if (i && strcmp(rich.names.items[i - 1], name) == 0)
            continue;
        if (!request->add(request->self, text_of(*name == ' ' ? name + 1 : name), index, err))
            return false;
    }
    return true;
}

/* ---- values ---- */

static bool has_rich(uint32_t tag)
{
    return tag == RPM_TAG_REQUIRENAME || tag == RPM_TAG_CONFLICTNAME || tag == RPM_TAG_SUGGESTNAME ||
           tag == RPM_TAG_SUPPLEMENTNAME || tag == RPM_TAG_RECOMMENDNAME || tag == RPM_TAG_ENHANCENAME;
}

/* What is asked for while installing, and by nobody later. */
static bool is_passing(uint64_t flags)
{
    const uint64_t installing = RPM_SENSE_SCRIPT_PRE | RPM_SENSE_SCRIPT_POST | RPM_SENSE_RPMLIB | RPM_SENSE_KEYRING |
                                RPM_SENSE_PRETRANS | RPM_SENSE_POSTTRANS;
    const uint64_t lasting = RPM_SENSE_SCRIPT_PREUN | RPM_SENSE_SCRIPT_POSTUN | RPM_SENSE_META;
    return (flags & installing) && !(flags & lasting);
}

static bool list_strings(struct arena *arena, const struct rpm_keys_request *request, struct err *err)
{
    uint32_t tag = request->table->tag;
    bool is_file_trigger = tag == RPM_TAG_FILETRIGGERNAME || tag == RPM_TAG_TRANSFILETRIGGERNAME;
    struct strings strings;
    struct rpm_numbers numbers = {0};
    struct map seen = {.arena = arena};
    uint32_t beside = tag == RPM_TAG_REQUIRENAME ? RPM_TAG_REQUIREFLAGS : is_file_trigger ? tag + 1 : 0;
    if (!rpm_header_strings(arena, request->header, tag, &strings, err) ||
        (beside && !rpm_header_numbers(arena, request->header, beside, &numbers, err)))
        return false;
    if (!strings.count && tag == RPM_TAG_GROUP)
        return request->add(request->self, TEXT("Unknown"), 0, err);
    if (is_file_trigger && numbers.count != strings.count) {
        err_set(err, ERR_MALFORMED, "its header has %zu file triggers and %zu numbers of their scripts", strings.count,
                numbers.count);
        return false;
    }
    for (size_t i = 0; i < strings.count; i++) {
        const char *string = strings.items[i];
        uint32_t index = (uint32_t)(is_file_trigger ? numbers.items[i] : i);
        if ((tag == RPM_TAG_REQUIRENAME && i < numbers.count && is_passing(numbers.items[i])) ||
            (tag == RPM_TAG_TRIGGERNAME && !map_add(&seen, text_of(string), &seen)))
            continue;
        if (!request->add(request->self, text_of(string), index, err) ||
            (string[0] == '(' && has_rich(tag) && !add_rich(request, string, index, err)))
            return false;
    }
    return true;
}

/* Sigmd5, and the transaction's number as it is in memory. */
static bool list_bytes(struct arena *arena, const struct rpm_keys_request *request, struct err *err)
{
    struct rpm_numbers numbers;
    struct text bytes;
    if (request->table->tag == RPM_TAG_SIGMD5)
        return rpm_header_binary(request->header, RPM_TAG_SIGMD5, &bytes, err) &&
               (!bytes.ptr || request->add(request->self, bytes, 0, err));
    if (!rpm_header_numbers(arena, request->header, request->table->tag, &numbers, err))
        return false;
    for (size_t i = 0; i < numbers.count; i++) {
        uint32_t value = (uint32_t)numbers.items[i];
        value = request->is_big_endian ? htobe32(value) : htole32(value);
        if (!request->add(request->self, (struct text){(const char *)&value, sizeof value}, (uint32_t)i, err))
            return false;
    }
    return true;
}

bool rpm_keys_list(struct arena *arena, const struct rpm_keys_request *request, struct err *err)
{
    return request->table->is_text ? list_strings(arena, request, err) : list_bytes(arena, request, err);
}
