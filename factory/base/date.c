/* SPDX-License-Identifier: Apache-2.0 */
#include "base/date.h"

#include <stdio.h>
#include <time.h>

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

/* Reads a zone of RFC 5322 (section 4.3 has the names) as seconds east of Greenwich. */
static bool parse_zone(struct text zone, int64_t *ret_seconds)
{
    static const struct {
        const char *name;
        int hours;
    } names[] = {{"UTC", 0},  {"GMT", 0},  {"Z", 0},    {"UT", 0},   {"EST", -5}, {"EDT", -4},
                 {"CST", -6}, {"CDT", -5}, {"MST", -7}, {"MDT", -6}, {"PST", -8}, {"PDT", -7}};
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        if (text_is(zone, names[i].name)) {
            *ret_seconds = names[i].hours * INT64_C(3600);
            return true;
        }
    }
    int hours, minutes;
    if (zone.len != 5 || (zone.ptr[0] != '+' && zone.ptr[0] != '-') ||
        !parse_part((struct text){zone.ptr + 1, 2}, 2, 23, &hours) ||
        !parse_part((struct text){zone.ptr + 3, 2}, 2, 59, &minutes))
        return false;
    *ret_seconds = (zone.ptr[0] == '-' ? -1 : 1) * (hours * INT64_C(3600) + minutes * INT64_C(60));
    return true;
}

bool date_parse(struct text date, int64_t *ret_seconds)
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
    int64_t east_seconds;
    if (!parse_zone(words[first + 4], &east_seconds))
        return false;
    int day = tm.tm_mday;
    bool is_leap_second = tm.tm_sec == 60; /* it may begin the next day */
    tm.tm_year -= 1900;
    *ret_seconds = timegm(&tm) - east_seconds;
    return tm.tm_mday == day || is_leap_second; /* 31 February is no date */
}

/* A day that is one: no 31 February. */
static bool make_time(struct tm *tm, int64_t *ret_seconds)
{
    int day = tm->tm_mday;
    tm->tm_year -= 1900;
    tm->tm_mon--;
    *ret_seconds = timegm(tm);
    return tm->tm_mday == day;
}

bool date_parse_day(const char *day, int64_t *ret_seconds)
{
    struct text text = text_of(day);
    struct tm tm = {0};
    return text.len == 10 && day[4] == '-' && day[7] == '-' &&
           parse_part((struct text){day, 4}, 4, 9999, &tm.tm_year) && tm.tm_year >= 1970 &&
           parse_part((struct text){day + 5, 2}, 2, 12, &tm.tm_mon) && tm.tm_mon &&
           parse_part((struct text){day + 8, 2}, 2, 31, &tm.tm_mday) && tm.tm_mday && make_time(&tm, ret_seconds);
}

static size_t count_digits(struct text text)
{
    size_t count = 0;
    while (count < text.len && text.ptr[count] >= '0' && text.ptr[count] <= '9')
        count++;
    return count;
}

/* Reads the digits of a fraction and drops what is finer than nanoseconds. */
static uint32_t read_fraction(struct text digits)
{
    uint32_t nanoseconds = 0;
    for (size_t i = 0; i < 9; i++)
        nanoseconds = nanoseconds * 10 + (i < digits.len ? (uint32_t)(digits.ptr[i] - '0') : 0);
    return nanoseconds;
}

/* Reads a zone of RFC 3339 as seconds east of Greenwich. */
static bool parse_offset(struct text zone, int64_t *ret_seconds)
{
    int hours, minutes;
    *ret_seconds = 0;
    if (text_is(zone, "Z"))
        return true;
    if (zone.len != 6 || (zone.ptr[0] != '+' && zone.ptr[0] != '-') || zone.ptr[3] != ':' ||
        !parse_part((struct text){zone.ptr + 1, 2}, 2, 23, &hours) ||
        !parse_part((struct text){zone.ptr + 4, 2}, 2, 59, &minutes))
        return false;
    *ret_seconds = (zone.ptr[0] == '-' ? -1 : 1) * (hours * INT64_C(3600) + minutes * INT64_C(60));
    return true;
}

bool date_parse_time(struct text time, int64_t *ret_seconds, uint32_t *ret_nanoseconds)
{
    struct tm tm = {0};
    const char *at = time.ptr;
    int64_t east_seconds;
    if (time.len < 20 || at[4] != '-' || at[7] != '-' || at[10] != 'T' || at[13] != ':' || at[16] != ':' ||
        !parse_part((struct text){at, 4}, 4, 9999, &tm.tm_year) ||
        !parse_part((struct text){at + 5, 2}, 2, 12, &tm.tm_mon) || !tm.tm_mon ||
        !parse_part((struct text){at + 8, 2}, 2, 31, &tm.tm_mday) || !tm.tm_mday ||
        !parse_part((struct text){at + 11, 2}, 2, 23, &tm.tm_hour) ||
        !parse_part((struct text){at + 14, 2}, 2, 59, &tm.tm_min) ||
        !parse_part((struct text){at + 17, 2}, 2, 59, &tm.tm_sec))
        return false;
    size_t digits = at[19] == '.' ? count_digits((struct text){at + 20, time.len - 20}) : 0;
    size_t end = digits ? 20 + digits : 19;
    *ret_nanoseconds = read_fraction((struct text){at + 20, digits});
    if (!parse_offset((struct text){at + end, time.len - end}, &east_seconds) || !make_time(&tm, ret_seconds))
        return false;
    *ret_seconds -= east_seconds;
    return true;
}

struct date_chars date_print_basic(int64_t seconds)
{
    struct date_chars date = {{0}};
    struct tm tm;
    time_t time = (time_t)seconds;
    if (gmtime_r(&time, &tm))
        (void)strftime(date.chars, sizeof date.chars, "%Y%m%dT%H%M%SZ", &tm);
    return date;
}

bool date_parse_basic(struct text date, int64_t *ret_seconds)
{
    struct tm tm = {0};
    const char *at = date.ptr;
    return date.len == 16 && at[8] == 'T' && at[15] == 'Z' && parse_part((struct text){at, 4}, 4, 9999, &tm.tm_year) &&
           tm.tm_year >= 1970 && parse_part((struct text){at + 4, 2}, 2, 12, &tm.tm_mon) && tm.tm_mon &&
           parse_part((struct text){at + 6, 2}, 2, 31, &tm.tm_mday) && tm.tm_mday &&
           parse_part((struct text){at + 9, 2}, 2, 23, &tm.tm_hour) &&
           parse_part((struct text){at + 11, 2}, 2, 59, &tm.tm_min) &&
           parse_part((struct text){at + 13, 2}, 2, 59, &tm.tm_sec) && make_time(&tm, ret_seconds);
}

struct date_chars date_print(int64_t seconds)
{
    struct date_chars result = {"an unknown time"};
    time_t time = seconds;
    struct tm tm;
    if (gmtime_r(&time, &tm))
        (void)snprintf(result.chars, sizeof result.chars, "%04d-%02d-%02d %02d:%02d:%02d UTC", tm.tm_year + 1900,
                       tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
    return result;
}

struct date_chars date_print_span(int64_t seconds)
{
    static const struct {
        uint64_t seconds;
        const char *name;
    } units[] = {{86400, "day"}, {3600, "hour"}, {60, "minute"}, {1, "second"}};
    struct date_chars result = {"0 seconds"};
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
