/* SPDX-License-Identifier: Apache-2.0 */
/* tmpfiles.template: lines of tmpfiles.d(5), each type with the fields that it has. */
#include "system/system_lint_parts.h"

#include "package/path.h"

#define FILE_NAME SYSTEM_EXPORTS "/tmpfiles.template"

enum argument {
    ARGUMENT_NONE,
    ARGUMENT_FREE,
    ARGUMENT_PATH,
    ARGUMENT_WANTED,
    ARGUMENT_DEVICE,
    ARGUMENT_ATTRIBUTE,
    ARGUMENT_ACL
};

/* A type of line: which fields it has a use for. */
struct line_type {
    char letter;
    bool may_force; /* "+" */
    bool has_mode, has_owner, has_age;
    bool makes;
    enum argument argument;
};

static const struct line_type types[] = {
    {'f', true, true, true, false, true, ARGUMENT_FREE},
    {'F', false, true, true, false, true, ARGUMENT_FREE}, /* the old name of f+ */
    {'w', true, false, false, false, false, ARGUMENT_WANTED},
    {'d', false, true, true, true, true, ARGUMENT_NONE},
    {'D', false, true, true, true, true, ARGUMENT_NONE},
    {'e', false, true, true, true, false, ARGUMENT_NONE},
    {'v', false, true, true, true, true, ARGUMENT_NONE},
    {'q', false, true, true, true, true, ARGUMENT_NONE},
    {'Q', false, true, true, true, true, ARGUMENT_NONE},
    {'p', true, true, true, false, true, ARGUMENT_NONE},
    {'L', true, false, true, false, true, ARGUMENT_FREE},
    {'c', true, true, true, false, true, ARGUMENT_DEVICE},
    {'b', true, true, true, false, true, ARGUMENT_DEVICE},
    {'C', true, true, true, true, true, ARGUMENT_PATH},
    {'x', false, false, false, true, false, ARGUMENT_NONE},
    {'X', false, false, false, true, false, ARGUMENT_NONE},
    {'r', false, false, false, false, false, ARGUMENT_NONE},
    {'R', false, false, false, false, false, ARGUMENT_NONE},
    {'z', false, true, true, false, false, ARGUMENT_NONE},
    {'Z', false, true, true, false, false, ARGUMENT_NONE},
    {'t', true, false, false, false, false, ARGUMENT_WANTED},
    {'T', true, false, false, false, false, ARGUMENT_WANTED},
    {'h', true, false, false, false, false, ARGUMENT_ATTRIBUTE},
    {'H', true, false, false, false, false, ARGUMENT_ATTRIBUTE},
    {'a', true, false, false, false, false, ARGUMENT_ACL},
    {'A', true, false, false, false, false, ARGUMENT_ACL},
};

enum field { FIELD_TYPE, FIELD_PATH, FIELD_MODE, FIELD_USER, FIELD_GROUP, FIELD_AGE, FIELD_ARGUMENT, FIELD_COUNT };

static bool is_given(const char *field)
{
    return *field && strcmp(field, "-") != 0;
}

/* Takes a word off the front, its quotes away; NULL when a quote is not closed. */
static const char *take_word(struct arena *arena, struct text *rest)
{
    char *word = arena_alloc(arena, rest->len + 1), *at = word, quote = 0;
    *rest = text_trim(*rest);
    for (; rest->len && (quote || !strchr(" \t", *rest->ptr)); rest->ptr++, rest->len--) {
        char c = *rest->ptr;
        if (c == '\\' && rest->len > 1) {
            *at++ = rest->ptr[1];
            rest->ptr++;
            rest->len--;
        } else if (quote ? c == quote : (c == '"' || c == '\'')) {
            quote = quote ? 0 : c;
        } else {
            *at++ = c;
        }
    }
    return quote ? NULL : word;
}

/* Specifiers of tmpfiles.d(5), "Specifiers". */
static char wrong_specifier(const char *text)
{
    for (; (text = strchr(text, '%')); text += 2) {
        if (!text[1] || !strchr("%aAbBCgGhHlLmMoStTuUvVwW", text[1]))
            return text[1] ? text[1] : ' ';
    }
    return 0;
}

/* The path with the specifiers of system directories put in, as a system (not a user) has them. */
static const char *expand(struct arena *arena, const char *path)
{
    static const struct {
        char letter;
        const char *path;
    } rows[] = {{'S', "/var/lib"}, {'C', "/var/cache"}, {'L', "/var/log"},
                {'t', "/run"},     {'T', "/tmp"},       {'V', "/var/tmp"}};
    for (size_t i = 0; path[0] == '%' && i < ARRAY_COUNT(rows); i++) {
        if (path[1] == rows[i].letter)
            return arena_printf(arena, "%s%s", rows[i].path, path + 2);
    }
    return path;
}

static bool is_mode(const char *mode)
{
    mode += strspn(mode, "~:");
    size_t len = strspn(mode, "01234567");
    return len && !mode[len] && strtoul(mode, NULL, 8) <= 07777;
}

/* A user's or group's name as systemd takes it, or a number. */
static bool is_account(const char *name)
{
    name += *name == ':';
    size_t len = strlen(name);
    return len && len < 256 && (name[strspn(name, "0123456789")] == 0 || !strchr("0123456789-", name[0])) &&
           !strpbrk(name, " \t:/,;");
}

/* systemd.time(7), "Parsing Time Spans", behind what of a file's times is asked ("am:", "~"). */
static bool is_age(const char *age)
{
    static const char *const units[] = {"usec", "us",      "msec",   "ms",  "seconds", "second", "sec",
                                        "s",    "minutes", "minute", "min", "months",  "month",  "m",
                                        "M",    "hours",   "hour",   "hr",  "h",       "days",   "day",
                                        "d",    "weeks",   "week",   "w",   "years",   "year",   "y"};
    age += *age == '~';
    size_t times = strspn(age, "abcmABCM");
    if (times && age[times] == ':')
        age += times + 1;
    if (!*age)
        return false;
    while (*age) {
        size_t digits = strspn(age, "0123456789."), len = 0;
        age += digits;
        age += strspn(age, " ");
        for (size_t i = 0; !len && i < ARRAY_COUNT(units); i++) {
            size_t unit = strlen(units[i]);
            len = strncmp(age, units[i], unit) == 0 && !((age[unit] | 0x20) >= 'a' && (age[unit] | 0x20) <= 'z') ? unit
                                                                                                                 : 0;
        }
        if (!digits || (!len && *age))
            return false;
        age += len;
        age += strspn(age, " ");
    }
    return true;
}

/* A line that is judged. */
struct judged {
    struct lint *lint;
    const char *place;
    const char *fields[FIELD_COUNT];
    const struct line_type *type;
};

static void fault(const struct judged *judged, const char *what, const char *value)
{
    system_find(judged->lint->findings, false, FILE_NAME, judged->place, "%s: \"%s\"", what, value);
}

static void check_type(struct judged *judged)
{
    const char *field = judged->fields[FIELD_TYPE];
    for (size_t i = 0; i < ARRAY_COUNT(types); i++) {
        if (types[i].letter == field[0])
            judged->type = &types[i];
    }
    if (!judged->type) {
        fault(judged, "is no type of line that tmpfiles.d knows", field);
        return;
    }
    for (const char *at = field + 1; *at; at++) {
        bool is_known = strchr("+!-=~^$", *at) || (*at == '?' && field[0] == 'L');
        if (!is_known || strchr(at + 1, *at))
            fault(judged, "has a modifier that is none, or twice", field);
        else if (*at == '+' && !judged->type->may_force)
            fault(judged, "has a '+', which this type of line does not take", field);
    }
}

static void check_path(const struct judged *judged)
{
    const char *path = judged->fields[FIELD_PATH], *why = "";
    bool is_special = path[0] == '%' && path[1] && strchr("CLSTVth", path[1]);
    char specifier = wrong_specifier(path);
    if (specifier)
        fault(judged, arena_printf(judged->lint->arena, "its path has the unknown specifier %%%c", specifier), path);
    else if (!is_special && path[0] != '/')
        fault(judged, "its path is not absolute", path);
    else if (!path_exact(judged->lint->arena, text_of(is_special ? path + 2 : path), &why) && !(is_special && !path[2]))
        fault(judged, arena_printf(judged->lint->arena, "its path is wrong: %s", why), path);
    else if (judged->type->makes)
        list_add(judged->lint->arena, &judged->lint->made, expand(judged->lint->arena, path));
}

static void check_facts(const struct judged *judged)
{
    const char *mode = judged->fields[FIELD_MODE], *age = judged->fields[FIELD_AGE];
    if (is_given(mode) && !judged->type->has_mode)
        fault(judged, "has a mode, which this type of line has no use for", mode);
    else if (is_given(mode) && !is_mode(mode))
        fault(judged, "its mode is no octal number of at most 7777", mode);
    for (size_t i = FIELD_USER; i <= FIELD_GROUP; i++) {
        const char *account = judged->fields[i], *kind = i == FIELD_USER ? "user" : "group";
        if (is_given(account) && !judged->type->has_owner)
            fault(judged, arena_printf(judged->lint->arena, "has a %s, which this type of line has no use for", kind),
                  account);
        else if (is_given(account) && !is_account(account))
            fault(judged, arena_printf(judged->lint->arena, "its %s is no name and no number", kind), account);
    }
    if (is_given(age) && !judged->type->has_age)
        fault(judged, "has an age, which this type of line has no use for", age);
    else if (is_given(age) && !is_age(age))
        fault(judged, "its age is no time span (10d, 1h30min)", age);
}

static bool is_device(const char *argument)
{
    size_t major = strspn(argument, "0123456789");
    size_t minor = argument[major] == ':' ? strspn(argument + major + 1, "0123456789") : 0;
    return major && minor && !argument[major + 1 + minor];
}

static bool is_attribute(const char *argument)
{
    argument += strspn(argument, "+-=") > 0;
    return *argument && !argument[strspn(argument, "aAcCdDeijPsStTuFVxm")];
}

/* One entry of acl(5), as setfacl(1) takes it: [default:]TAG:QUALIFIER:PERMISSIONS; mask and other may go
 * without a qualifier. */
static bool is_acl_entry(struct text entry)
{
    static const char *const tags[] = {"user", "group", "mask", "other"};
    struct text tag = text_of(""), who;
    bool is_tag = false;
    (void)text_next(&entry, ':', &tag);
    if (text_is(tag, "d") || text_is(tag, "default"))
        (void)text_next(&entry, ':', &tag);
    for (size_t i = 0; i < ARRAY_COUNT(tags); i++)
        is_tag = is_tag || text_is(tag, tags[i]) || (tag.len == 1 && tag.ptr[0] == tags[i][0]);
    if (is_tag && (tag.ptr[0] == 'm' || tag.ptr[0] == 'o') && !memchr(entry.ptr, ':', entry.len))
        return entry.len && strspn(entry.ptr, "rwxX-") >= entry.len; /* nobody can be named there */
    return is_tag && text_next(&entry, ':', &who) && entry.len && strspn(entry.ptr, "rwxX-") >= entry.len;
}

static bool is_acl(const char *argument)
{
    struct text rest = text_of(argument), entry;
    while (text_next(&rest, ',', &entry)) {
        if (!is_acl_entry(entry))
            return false;
    }
    return true;
}

static void check_argument(const struct judged *judged)
{
    const char *argument = judged->fields[FIELD_ARGUMENT];
    char specifier = wrong_specifier(argument);
    bool is_there = is_given(argument);
    if (is_there && specifier && judged->type->argument != ARGUMENT_NONE)
        fault(judged, arena_printf(judged->lint->arena, "its argument has the unknown specifier %%%c", specifier),
              argument);
    switch (judged->type->argument) {
    case ARGUMENT_NONE:
        if (is_there)
            fault(judged, "has an argument, which this type of line has no use for", argument);
        break;
    case ARGUMENT_FREE:
        break;
    case ARGUMENT_PATH:
        if (is_there && argument[0] != '/' && argument[0] != '%')
            fault(judged, "copies from a path that is not absolute", argument);
        break;
    case ARGUMENT_WANTED:
        if (!is_there)
            fault(judged, "wants an argument", judged->fields[FIELD_TYPE]);
        else if ((judged->type->letter | 0x20) == 't' && !strchr(argument, '='))
            fault(judged, "its argument is no NAME=VALUE", argument);
        break;
    case ARGUMENT_DEVICE:
        if (!is_device(argument))
            fault(judged, "wants MAJOR:MINOR as its argument", argument);
        break;
    case ARGUMENT_ATTRIBUTE:
        if (!is_there || !is_attribute(argument))
            fault(judged, "wants letters of chattr(1) as its argument", argument);
        break;
    case ARGUMENT_ACL:
        if (!is_there)
            fault(judged, "wants an argument", judged->fields[FIELD_TYPE]);
        else if (!is_acl(argument))
            fault(judged, "wants entries of setfacl(1) as its argument, such as user:root:rwx", argument);
        break;
    }
}

void lint_tmpfiles_line(struct lint *lint, struct text text, size_t line)
{
    struct judged judged = {.lint = lint, .place = arena_printf(lint->arena, "line %zu", line)};
    struct text rest = text;
    for (size_t i = 0; i < FIELD_ARGUMENT; i++) {
        judged.fields[i] = take_word(lint->arena, &rest);
        if (!judged.fields[i]) {
            system_find(lint->findings, false, FILE_NAME, judged.place, "a quote that is not closed");
            return;
        }
    }
    judged.fields[FIELD_ARGUMENT] = text_dup(lint->arena, text_trim(rest));
    check_type(&judged);
    if (!judged.type)
        return;
    if (!*judged.fields[FIELD_PATH]) {
        fault(&judged, "has no path", judged.fields[FIELD_TYPE]);
        return;
    }
    check_path(&judged);
    check_facts(&judged);
    check_argument(&judged);
}

void lint_tmpfiles(struct lint *lint)
{
    struct text rest = lint_fill(lint, SYSTEM_TMPFILES, SYSTEM_TEMPLATE_LINES), line;
    for (size_t number = 1; rest.ptr && text_next(&rest, '\n', &line); number++) {
        line = text_trim(line);
        if (line.len && line.ptr[0] != '#')
            lint_tmpfiles_line(lint, line, number);
    }
}
