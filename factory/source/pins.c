/* SPDX-License-Identifier: Apache-2.0 */
#include "source/pins.h"

#include "base/date.h"

#include <stdlib.h>
#include <time.h>

#define DATE_MAX INT64_C(253402300799) /* the last second of the year 9999 */
#define HOUR_S 3600

const struct pin *pins_find(const struct pins *pins, const char *uri, const char *suite)
{
    for (size_t i = 0; pins && i < pins->items.count; i++) {
        const struct pin *pin = &pins->items.items[i];
        if (!pin->is_extra && strcmp(pin->uri, uri) == 0 && strcmp(pin->suite, suite) == 0)
            return pin;
    }
    return NULL;
}

const struct pin *pins_next_extra(const struct pins *pins, const char *uri, const char *suite, const struct pin *after)
{
    for (size_t i = after ? (size_t)(after - pins->items.items) + 1 : 0; pins && i < pins->items.count; i++) {
        const struct pin *pin = &pins->items.items[i];
        if (pin->is_extra && strcmp(pin->uri, uri) == 0 && strcmp(pin->suite, suite) == 0)
            return pin;
    }
    return NULL;
}

static int compare_names(const void *a, const void *b)
{
    const struct pin_name *left = a, *right = b;
    int order = strcmp(left->arch, right->arch);
    return order ? order : strcmp(left->name, right->name);
}

void pin_sort_names(struct pin *pin)
{
    if (pin->names.count)
        qsort(pin->names.items, pin->names.count, sizeof *pin->names.items, compare_names);
}

static int compare_with(const struct pin_name *name, const char *arch, struct text sought)
{
    int order = strcmp(name->arch, arch);
    if (order)
        return order;
    struct text own = text_of(name->name);
    size_t shorter = own.len < sought.len ? own.len : sought.len;
    order = memcmp(own.ptr, sought.ptr, shorter);
    return order ? order : own.len < sought.len ? -1 : own.len > sought.len;
}

static bool is_named(const struct pin *pin, const char *arch, struct text name)
{
    size_t low = 0, high = pin->names.count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = compare_with(&pin->names.items[middle], arch, name);
        if (!order)
            return true;
        low = order < 0 ? middle + 1 : low;
        high = order < 0 ? high : middle;
    }
    return false;
}

bool pin_view_shows(const struct pin_view *view, struct text name)
{
    return !view->pin || is_named(view->pin, view->arch, name) == view->pin->is_extra;
}

void pin_view_feed(const struct pin_view *view, struct digest_stream *stream)
{
    const struct pin *pin = view->pin;
    if (pin && pin->is_extra)
        digest_feed(stream, "only", sizeof "only");
    for (size_t i = 0; pin && i < pin->names.count; i++) {
        const struct pin_name *name = &pin->names.items[i];
        if (strcmp(name->arch, view->arch) == 0)
            digest_feed(stream, name->name, strlen(name->name) + 1);
    }
}

const char *pin_extra_name(struct arena *arena, const char *name, int64_t date)
{
    return arena_printf(arena, "%s of %s", name, date_print(date).chars);
}

const struct digest *pins_base(const struct pins *pins, const char *name)
{
    for (size_t i = 0; pins && i < pins->bases.count; i++) {
        if (strcmp(pins->bases.items[i].name, name) == 0)
            return &pins->bases.items[i].digest;
    }
    return NULL;
}

/* Replaces a word of a pattern, everywhere. */
static const char *replace(struct arena *arena, const char *pattern, const char *word, const char *value)
{
    const char *at;
    while ((at = strstr(pattern, word)))
        pattern = arena_printf(arena, "%.*s%s%s", (int)(at - pattern), pattern, value, at + strlen(word));
    return pattern;
}

struct strings pins_snapshots(struct arena *arena, const char *pattern, int64_t date)
{
    static const int hours[] = {0, 6, 24, 72};
    struct strings uris = {0};
    bool is_date = date >= 0 && date <= DATE_MAX;
    for (size_t i = 0; pattern && is_date && i < ARRAY_COUNT(hours); i++) {
        char moment[32], day[32];
        struct tm parts;
        time_t seconds = date + hours[i] * HOUR_S;
        if (!gmtime_r(&seconds, &parts) || !strftime(moment, sizeof moment, "%Y%m%dT%H%M%SZ", &parts) ||
            !strftime(day, sizeof day, "%Y%m%d", &parts))
            continue;
        const char *uri = replace(arena, replace(arena, pattern, "{time}", moment), "{date}", day);
        uri = text_has_suffix(text_of(uri), "/") ? uri : arena_printf(arena, "%s/", uri);
        if (!strings_has(&uris, uri))
            list_add(arena, &uris, uri);
    }
    return uris;
}

const char *pins_snapshot_fault(const char *pattern)
{
    if (!strstr(pattern, "{time}") && !strstr(pattern, "{date}"))
        return "it has neither {time} nor {date}";
    return strstr(pattern, "://") ? NULL : "it is no URL";
}

void pins_fail_unknown(const struct pins *pins, const char *name, struct err *err)
{
    err_set(err, ERR_TRUST, "%s: %s does not have this repository; `imgfactory lock --update` writes it anew", name,
            pins->place);
}

void pins_fail_gone(const struct pins *pins, const struct pin *pin, const char *what, int64_t seen_date,
                    struct err *err)
{
    if (seen_date && seen_date == pin->date) { /* a flat repository without a Release has no dates */
        err_set(err, ERR_TRUST,
                "%s names a %s of %s, but the one of that date is another: nothing vouches for what it "
                "names",
                pins->place, what, date_print(pin->date).chars);
        return;
    }
    err_set(err, ERR_NETWORK,
            "the %s of %s that %s names is not in the cache, and is gone from the mirror%s%s (`snapshot:` in the "
            "source file, or a folder of `imgfactory lock --vendor`, keeps it%s)",
            what, date_print(pin->date).chars, pins->place, seen_date ? ", which has that of " : "",
            seen_date ? date_print(seen_date).chars : "",
            pins->has_newest ? "; `imgfactory lock --update` without packages takes all that is new" : "");
    err->detail = PINS_GONE;
}

void pins_fail_uncached(const struct pins *pins, const struct pin *pin, const char *what, struct err *err)
{
    err_set(err, ERR_NETWORK, "the %s of %s that %s names is not in the cache; the network is needed once", what,
            date_print(pin->date).chars, pins->place);
}

bool pins_check(const struct pins *pins, const struct pin *pin, const struct digest *digest, int64_t date,
                struct err *err)
{
    if (digest_eq(&pin->digest, digest) && pin->date == date)
        return true;
    err_set(err, ERR_TRUST, "%s says of its signed text sha256:%s of %s; it is sha256:%s of %s", pins->place,
            digest_hex(&pin->digest).chars, date_print(pin->date).chars, digest_hex(digest).chars,
            date_print(date).chars);
    return false;
}
