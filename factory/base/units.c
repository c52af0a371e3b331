/* SPDX-License-Identifier: Apache-2.0 */
#include "base/units.h"

#include <stdio.h>

#define DURATION_MAX_MS ((uint64_t)10000 * 86400 * 1000)
#define SIZE_MAX_BYTES ((uint64_t)1 << 60)
#define FRACTION_DIGITS_MAX 6

struct unit {
    const char *name;
    uint64_t value;
};

static const struct unit durations[] = {{"ms", 1},        {"s", 1000},         {"sec", 1000},
                                        {"m", 60 * 1000}, {"min", 60 * 1000},  {"h", 3600 * 1000u},
                                        {"d", 86400000u}, {"w", 7 * 86400000u}};

#define KIB ((uint64_t)1 << 10)
#define MIB ((uint64_t)1 << 20)
#define GIB ((uint64_t)1 << 30)
#define TIB ((uint64_t)1 << 40)
static const struct unit sizes[] = {{"B", 1},
                                    {"K", KIB},
                                    {"M", MIB},
                                    {"G", GIB},
                                    {"T", TIB},
                                    {"KiB", KIB},
                                    {"MiB", MIB},
                                    {"GiB", GIB},
                                    {"TiB", TIB},
                                    {"KB", 1000},
                                    {"MB", 1000 * 1000},
                                    {"GB", 1000000000u},
                                    {"TB", 1000000000000u}};

static bool is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

static struct text take_while(struct text *rest, bool is_number)
{
    struct text taken = {rest->ptr, 0};
    while (taken.len < rest->len && (is_digit(taken.ptr[taken.len]) || taken.ptr[taken.len] == '.') == is_number)
        taken.len++;
    *rest = (struct text){rest->ptr + taken.len, rest->len - taken.len};
    return taken;
}

static const struct unit *find_unit(struct text name, const struct unit *units, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (text_is_nocase(name, units[i].name))
            return &units[i];
    }
    return NULL;
}

/* Takes "1.5h" off the front and gives it in the smallest unit; a fraction is cut. */
static bool take_quantity(struct text *rest, const struct unit *units, size_t count, uint64_t cap, uint64_t *ret_value)
{
    struct text number = take_while(rest, true), whole, name = text_trim(take_while(rest, false));
    const struct unit *unit = find_unit(name, units, count);
    uint64_t integer, fraction = 0, divisor = 1;
    if (!unit || !text_next(&number, '.', &whole) || !text_parse_u64(whole, &integer) || integer > cap / unit->value)
        return false;
    if (number.ptr && number.len && (number.len > FRACTION_DIGITS_MAX || !text_parse_u64(number, &fraction)))
        return false;
    for (size_t i = 0; number.ptr && i < number.len; i++)
        divisor *= 10;
    *ret_value =
        integer * unit->value + (unit->value / divisor) * fraction + (unit->value % divisor) * fraction / divisor;
    return true;
}

bool units_parse_duration(struct text text, uint64_t *ret_ms)
{
    struct text rest = text_trim(text);
    uint64_t sum = 0, part;
    bool is_any = rest.len > 0;
    while (rest.len) {
        if (!take_quantity(&rest, durations, ARRAY_COUNT(durations), DURATION_MAX_MS, &part) ||
            sum + part > DURATION_MAX_MS)
            return false;
        sum += part;
    }
    *ret_ms = sum;
    return is_any;
}

bool units_parse_size(struct text text, uint64_t *ret_bytes)
{
    struct text rest = text_trim(text);
    if (text_is_nocase(rest, "none") || text_is(rest, "0")) {
        *ret_bytes = text_is(rest, "0") ? 0 : UNITS_NONE;
        return true;
    }
    return rest.len && take_quantity(&rest, sizes, ARRAY_COUNT(sizes), SIZE_MAX_BYTES, ret_bytes) && !rest.len;
}

struct units_duration units_duration(uint64_t ms)
{
    struct units_duration text;
    if (ms < 1000)
        (void)snprintf(text.chars, sizeof text.chars, "%u ms", (unsigned)ms);
    else if (ms < (uint64_t)120 * 1000)
        (void)snprintf(text.chars, sizeof text.chars, "%.3g s", (double)ms / 1e3);
    else if (ms < (uint64_t)120 * 60 * 1000)
        (void)snprintf(text.chars, sizeof text.chars, "%.3g min", (double)ms / 6e4);
    else
        (void)snprintf(text.chars, sizeof text.chars, "%.3g h", (double)ms / 3.6e6);
    return text;
}
