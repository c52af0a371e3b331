/* SPDX-License-Identifier: Apache-2.0 */
#include "deb/dpkg_status.h"

#include <stdlib.h>

#define STANZAS_MAX 100000u

static const char *const state_names[] = {
    [DPKG_NOT_INSTALLED] = "not-installed",       [DPKG_CONFIG_FILES] = "config-files",
    [DPKG_HALF_INSTALLED] = "half-installed",     [DPKG_UNPACKED] = "unpacked",
    [DPKG_HALF_CONFIGURED] = "half-configured",   [DPKG_TRIGGERS_AWAITED] = "triggers-awaited",
    [DPKG_TRIGGERS_PENDING] = "triggers-pending", [DPKG_INSTALLED] = "installed",
};

const char *dpkg_state_name(enum dpkg_state state)
{
    return state_names[state];
}

/* "install ok installed": what is wanted, whether that went wrong, the state. */
static bool parse_state(struct text status, enum dpkg_state *ret_state)
{
    struct text word = {0};
    for (int i = 0; i < 3; i++) {
        if (!text_next_word(&status, &word))
            return false;
    }
    for (size_t i = 0; i < ARRAY_COUNT(state_names) && !status.len; i++) {
        if (text_is(word, state_names[i])) {
            *ret_state = (enum dpkg_state)i;
            return true;
        }
    }
    return false;
}

static bool fill(struct arena *arena, const char *name, enum dpkg_state missing, struct dpkg_stanza *stanza,
                 struct err *err)
{
    const struct deb822_field *package = deb822_find(&stanza->fields, "Package");
    const struct deb822_field *status = deb822_find(&stanza->fields, "Status");
    size_t line = stanza->fields.items[0].line;
    if (!package || !package->value.len || memchr(package->value.ptr, '/', package->value.len) ||
        package->value.ptr[0] == '.' || package->value.len > 200) {
        err_set(err, ERR_MALFORMED, "%s:%zu: a stanza without the name of a package", name, line);
        return false;
    }
    stanza->name = text_dup(arena, package->value);
    stanza->version = text_dup(arena, deb822_value(&stanza->fields, "Version"));
    stanza->architecture = text_dup(arena, deb822_value(&stanza->fields, "Architecture"));
    stanza->is_same = text_is_nocase(deb822_value(&stanza->fields, "Multi-Arch"), "same");
    stanza->state = missing;
    if (!status || parse_state(status->value, &stanza->state))
        return true;
    err_set(err, ERR_MALFORMED, "%s:%zu: package %s: not a state of dpkg's: \"%s\"", name, status->line, stanza->name,
            text_printable(arena, status->value));
    return false;
}

/* The stanza's bytes as they are (a comment may hold a NUL), with one line's end behind them. */
static struct text whole_lines(struct arena *arena, struct text bytes)
{
    struct text whole = text_trim(bytes);
    char *copy = arena_alloc(arena, whole.len + sizeof "\n");
    memcpy(mempcpy(copy, whole.ptr, whole.len), "\n", sizeof "\n");
    return (struct text){copy, whole.len + 1};
}

bool dpkg_status_parse(struct arena *arena, const char *name, struct text bytes, enum dpkg_state missing,
                       struct dpkg_status *status, struct err *err)
{
    struct deb822 reader;
    deb822_begin(&reader, name, bytes, ERR_MALFORMED);
    for (;;) {
        struct dpkg_stanza stanza = {0};
        const char *begin = reader.rest.ptr;
        bool is_found;
        if (!deb822_next(&reader, arena, &stanza.fields, &is_found, err))
            return false;
        if (!is_found)
            return true;
        if (status->count == STANZAS_MAX) {
            err_set(err, ERR_MALFORMED, "%s has more than %u packages", name, STANZAS_MAX);
            return false;
        }
        stanza.text = whole_lines(arena, (struct text){begin, (size_t)(reader.rest.ptr - begin)});
        if (!fill(arena, name, missing, &stanza, err))
            return false;
        list_add(arena, status, stanza);
    }
}

const char *dpkg_info_stem(struct arena *arena, const struct dpkg_stanza *stanza)
{
    return stanza->is_same ? arena_printf(arena, "%s:%s", stanza->name, stanza->architecture) : stanza->name;
}

static int compare_stanzas(const void *a, const void *b)
{
    const struct dpkg_stanza *left = a, *right = b;
    int order = strcmp(left->name, right->name);
    return order ? order : strcmp(left->architecture, right->architecture);
}

struct text dpkg_status_print(struct arena *arena, const struct dpkg_status *status)
{
    struct dpkg_stanza *sorted = arena_new_array(arena, struct dpkg_stanza, status->count + 1);
    size_t len = 0;
    for (size_t i = 0; i < status->count; i++) {
        sorted[i] = status->items[i];
        len += sorted[i].text.len + 1;
    }
    if (status->count)
        qsort(sorted, status->count, sizeof *sorted, compare_stanzas);
    char *bytes = arena_alloc(arena, len + 1), *at = bytes;
    for (size_t i = 0; i < status->count; i++) {
        at = mempcpy(at, sorted[i].text.ptr, sorted[i].text.len);
        *at++ = '\n';
    }
    return (struct text){bytes, len};
}
