/* SPDX-License-Identifier: Apache-2.0 */
/* A control file as a stanza of dpkg's status: fields in the order of dpkg's table (lib/dpkg/parse.c), then all others in that
 * of the file; relations in the one spelling that dpkg prints. */
#include "deb/deb_relation.h"
#include "deb/dpkg_status.h"

enum how { HOW_PLAIN, HOW_YES, HOW_LOWER, HOW_MULTI, HOW_VERSION, HOW_RELATIONS, HOW_STATUS, HOW_CONFFILES, HOW_NEVER };

static const struct row {
    const char *name;
    enum how how;
} rows[] = {{"Package", HOW_PLAIN},
            {"Essential", HOW_YES},
            {"Protected", HOW_YES},
            {"Status", HOW_STATUS},
            {"Priority", HOW_LOWER},
            {"Section", HOW_PLAIN},
            {"Installed-Size", HOW_PLAIN},
            {"Origin", HOW_PLAIN},
            {"Maintainer", HOW_PLAIN},
            {"Bugs", HOW_PLAIN},
            {"Architecture", HOW_PLAIN},
            {"Multi-Arch", HOW_MULTI},
            {"Source", HOW_PLAIN},
            {"Version", HOW_VERSION},
            {"Config-Version", HOW_NEVER},
            {"Replaces", HOW_RELATIONS},
            {"Provides", HOW_RELATIONS},
            {"Depends", HOW_RELATIONS},
            {"Pre-Depends", HOW_RELATIONS},
            {"Recommends", HOW_RELATIONS},
            {"Suggests", HOW_RELATIONS},
            {"Breaks", HOW_RELATIONS},
            {"Conflicts", HOW_RELATIONS},
            {"Enhances", HOW_RELATIONS},
            {"Conffiles", HOW_CONFFILES},
            {"Filename", HOW_NEVER},
            {"Size", HOW_NEVER},
            {"MD5sum", HOW_NEVER},
            {"MSDOS-Filename", HOW_NEVER},
            {"Description", HOW_PLAIN},
            {"Triggers-Pending", HOW_NEVER},
            {"Triggers-Awaited", HOW_NEVER}};

/* An epoch of 0 is not printed, unless what follows has a colon. */
static struct text short_version(struct text version)
{
    struct text rest = version, epoch;
    uint64_t number;
    if (version.len && memchr(version.ptr, ':', version.len) && text_next(&rest, ':', &epoch) &&
        text_parse_u64(epoch, &number) && number == 0 && !memchr(rest.ptr, ':', rest.len))
        return rest;
    return version;
}

static const char *print_relation(struct arena *arena, struct text text)
{
    static const char *const signs[] = {[DEB_LESS] = "<<",
                                        [DEB_LESS_EQUAL] = "<=",
                                        [DEB_EQUAL] = "=",
                                        [DEB_GREATER_EQUAL] = ">=",
                                        [DEB_GREATER] = ">>"};
    struct deb_relation relation;
    if (!deb_relation_parse(text, &relation))
        return text_dup(arena, text_trim(text));
    const char *name = text_dup(arena, relation.name);
    if (relation.qualifier.len)
        name = arena_printf(arena, "%s:%.*s", name, (int)relation.qualifier.len, relation.qualifier.ptr);
    if (relation.op == DEB_ANY)
        return name;
    struct text version = short_version(relation.version);
    return arena_printf(arena, "%s (%s %.*s)", name, signs[relation.op], (int)version.len, version.ptr);
}

static const char *print_relations(struct arena *arena, struct text field)
{
    struct strings clauses = {0};
    struct text clause, relation;
    while (text_next(&field, ',', &clause)) {
        struct strings alternatives = {0};
        if (!text_trim(clause).len)
            continue;
        while (text_next(&clause, '|', &relation))
            list_add(arena, &alternatives, print_relation(arena, relation));
        list_add(arena, &clauses, strings_join(arena, &alternatives, " | "));
    }
    return strings_join(arena, &clauses, ", ");
}

static const char *lower(struct arena *arena, struct text text)
{
    char *copy = text_dup(arena, text);
    for (char *c = copy; *c; c++) {
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c - 'A' + 'a');
    }
    return copy;
}

/* " PATH MD5", a line each, below the field's name. */
static const char *print_conffiles(struct arena *arena, struct text conffiles)
{
    struct strings lines = {0};
    struct text line;
    while (conffiles.len && text_next(&conffiles, '\n', &line)) {
        if (line.len)
            list_add(arena, &lines, arena_printf(arena, "\n %.*s", (int)line.len, line.ptr));
    }
    return strings_join(arena, &lines, "");
}

/* A value as dpkg prints it; NULL: not at all. */
static const char *print_value(struct arena *arena, enum how how, struct text value)
{
    if (!value.len || how == HOW_NEVER || how == HOW_STATUS || how == HOW_CONFFILES ||
        (how == HOW_YES && !text_is_nocase(value, "yes")) || (how == HOW_MULTI && text_is_nocase(value, "no")))
        return NULL;
    switch (how) {
    case HOW_YES:
        return "yes";
    case HOW_LOWER:
    case HOW_MULTI:
        return lower(arena, value);
    case HOW_VERSION:
        return text_dup(arena, short_version(value));
    case HOW_RELATIONS:
        return print_relations(arena, value);
    case HOW_PLAIN:
    case HOW_STATUS:
    case HOW_CONFFILES:
    case HOW_NEVER:
        break;
    }
    return text_dup(arena, value);
}

static const struct row *find_row(struct text name)
{
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        if (text_is_nocase(name, rows[i].name))
            return &rows[i];
    }
    return NULL;
}

static const char *print_stanza(struct arena *arena, const struct deb822_stanza *fields, enum dpkg_state state,
                                struct text conffiles)
{
    struct strings lines = {0};
    const char *listed = print_conffiles(arena, conffiles);
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        const char *value = print_value(arena, rows[i].how, deb822_value(fields, rows[i].name));
        if (rows[i].how == HOW_STATUS)
            list_add(arena, &lines, arena_printf(arena, "Status: install ok %s\n", dpkg_state_name(state)));
        else if (rows[i].how == HOW_CONFFILES && *listed)
            list_add(arena, &lines, arena_printf(arena, "Conffiles:%s\n", listed));
        else if (value)
            list_add(arena, &lines, arena_printf(arena, "%s: %s\n", rows[i].name, value));
    }
    for (size_t i = 0; i < fields->count; i++) {
        const struct deb822_field *field = &fields->items[i];
        if (!find_row(field->name))
            list_add(arena, &lines,
                     arena_printf(arena, "%.*s: %.*s\n", (int)field->name.len, field->name.ptr, (int)field->value.len,
                                  field->value.ptr));
    }
    return strings_join(arena, &lines, "");
}

bool dpkg_stanza_make(struct arena *arena, struct text control, enum dpkg_state state, struct text conffiles,
                      struct dpkg_stanza *ret_stanza, struct err *err)
{
    struct deb822 reader;
    struct deb822_stanza fields;
    struct dpkg_status status = {0};
    bool is_found;
    deb822_begin(&reader, "control", control, ERR_MALFORMED);
    if (!deb822_next(&reader, arena, &fields, &is_found, err))
        return false;
    const char *text = is_found ? print_stanza(arena, &fields, state, conffiles) : "";
    if (!dpkg_status_parse(arena, "control", text_of(text), state, &status, err))
        return false;
    if (status.count != 1) {
        err_set(err, ERR_MALFORMED, "control: not one stanza");
        return false;
    }
    *ret_stanza = status.items[0];
    return true;
}
