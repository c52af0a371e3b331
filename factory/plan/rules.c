/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/rules.h"

#include <signal.h>

#define PATH_BYTES_MAX 4095
#define COMPONENT_BYTES_MAX 255
#define TAG_BYTES_MAX 128
#define USER_NAME_BYTES_MAX 32
#define WISH_BYTES_MAX 500

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

/* Returns whether the string is not empty, begins with one of `first` and goes on with those of `rest`. */
static bool is_of(const char *string, const char *first, const char *rest)
{
    return string[0] && strchr(first, string[0]) && strspn(string, rest) == strlen(string);
}

bool rule_is_one_line(const char *string, bool is_field)
{
    for (; *string; string++) {
        unsigned char c = (unsigned char)*string;
        if (c < 0x20 || c == 0x7F || (is_field && c == ':'))
            return false;
    }
    return true;
}

const char *rule_path_or_root(const char *path)
{
    if (path[0] != '/')
        return "must be an absolute path";
    if (strlen(path) > PATH_BYTES_MAX)
        return "is longer than 4,095 bytes";
    if (!rule_is_one_line(path, false))
        return "has a control character";
    struct text rest = text_of(path + 1), part;
    while (text_next(&rest, '/', &part)) {
        if (text_is(part, ".."))
            return "must not have a '..' component";
        if (!part.len || text_is(part, "."))
            return "must not have an empty or '.' component";
        if (part.len > COMPONENT_BYTES_MAX)
            return "has a component longer than 255 bytes";
    }
    return path[1] && path[strlen(path) - 1] == '/' ? "must not end in '/'" : NULL;
}

const char *rule_path(const char *path)
{
    return strcmp(path, "/") == 0 ? "must not be the root" : rule_path_or_root(path);
}

const char *rule_glob(const char *glob)
{
    while ((glob = strchr(glob, '['))) {
        const char *first = glob + 1 + (glob[1] == '!' || glob[1] == '^');
        const char *end = *first ? strchr(first + 1, ']') : NULL; /* a ']' that stands first is an item of the set */
        if (!end)
            return "has a '[' without its ']'";
        glob = end + 1;
    }
    return NULL;
}

bool rule_is_image_name(const char *name)
{
    bool may_separate = false;
    for (const char *at = name; *at; at++) {
        if (strchr(LOWER DIGITS, *at))
            may_separate = true;
        else if (strchr("._-", *at) && may_separate && at[1])
            may_separate = false;
        else
            return false;
    }
    return may_separate && strlen(name) <= COMPONENT_BYTES_MAX;
}

bool rule_is_user_name(const char *name)
{
    return strlen(name) <= USER_NAME_BYTES_MAX && is_of(name, LOWER UPPER "_", LOWER UPPER DIGITS "_.-");
}

bool rule_is_package_name(const char *name)
{
    return is_of(name, LOWER UPPER DIGITS, LOWER UPPER DIGITS "+._-");
}

bool rule_is_package_wish(const char *word)
{
    return *word && strchr(LOWER UPPER DIGITS "*?[/_^", *word) && rule_is_one_line(word, false) &&
           strlen(word) <= WISH_BYTES_MAX;
}

bool rule_is_arch_name(const char *name)
{
    return is_of(name, LOWER DIGITS, LOWER DIGITS "._/-");
}

bool rule_is_variable(const char *name)
{
    static const char letters[] = "_ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", digits[] = "0123456789";
    size_t len = strspn(name, letters);
    while (len && name[len] && strspn(name + len, digits) + strspn(name + len, letters))
        len += strspn(name + len, digits) + strspn(name + len, letters);
    return len && !name[len];
}

bool rule_parse_id(const char *string, uint32_t *ret_id)
{
    uint64_t id;
    if (!text_parse_u64(text_of(string), &id) || id > RULE_ID_MAX)
        return false;
    *ret_id = (uint32_t)id;
    return true;
}

const char *rule_port(struct arena *arena, const char *port, const char **ret_port)
{
    static const char *const protocols[] = {"tcp", "udp", "sctp"};
    size_t digits = strcspn(port, "/");
    const char *protocol = port[digits] ? port + digits + 1 : "tcp";
    uint64_t number;
    if (!text_parse_u64((struct text){port, digits}, &number) || number < 1 || number > 65535)
        return "wants a port from 1 to 65535";
    for (size_t i = 0; i < ARRAY_COUNT(protocols); i++) {
        if (strcmp(protocol, protocols[i]) == 0) {
            *ret_port = arena_printf(arena, "%u/%s", (unsigned)number, protocol);
            return NULL;
        }
    }
    return "wants the protocol tcp, udp or sctp after the '/'";
}

/* "SIGRTMIN", "SIGRTMIN+3", "SIGRTMAX-2": `sign` is what may stand before the number. */
static bool is_realtime(const char *name, const char *base, char sign)
{
    uint64_t distance;
    size_t len = strlen(base);
    if (strncmp(name, base, len) != 0)
        return false;
    return !name[len] || (name[len] == sign && text_parse_u64(text_of(name + len + 1), &distance) && distance <= 30);
}

bool rule_is_signal(const char *signal)
{
    uint64_t number;
    if (text_parse_u64(text_of(signal), &number))
        return number >= 1 && number <= 64;
    if (strncmp(signal, "SIG", 3) != 0)
        return false;
    for (int i = 1; i < 32; i++) {
        const char *name = sigabbrev_np(i);
        if (name && strcmp(signal + 3, name) == 0)
            return true;
    }
    return is_realtime(signal + 3, "RTMIN", '+') || is_realtime(signal + 3, "RTMAX", '-');
}

enum rule_part rule_next_part(const char **at, struct text *ret_part)
{
    const char *start = *at;
    size_t plain = strcspn(start, "{}"), name_len;
    const char *brace = start + plain;
    if (plain || !*brace) {
        *at = brace;
        *ret_part = (struct text){start, plain};
        return plain ? RULE_PLAIN : RULE_END;
    }
    if (brace[1] == brace[0]) {
        *at = brace + 2;
        *ret_part = (struct text){brace, 1};
        return RULE_PLAIN;
    }
    name_len = strcspn(brace + 1, "{}");
    if (brace[0] == '}' || brace[1 + name_len] != '}')
        return RULE_BROKEN;
    *at = brace + name_len + 2;
    *ret_part = (struct text){brace + 1, name_len};
    return RULE_PLACEHOLDER;
}

const char *rule_tag(const char *tag)
{
    struct text part;
    enum rule_part kind;
    if (!tag[0])
        return "must not be empty";
    if (strchr(".-", tag[0]))
        return "must not begin with '.' or '-'";
    if (strlen(tag) > TAG_BYTES_MAX)
        return "is longer than 128 bytes";
    while ((kind = rule_next_part(&tag, &part)) != RULE_END) {
        bool is_good = kind == RULE_PLACEHOLDER;
        if (kind == RULE_PLAIN)
            is_good = strspn(part.ptr, LOWER UPPER DIGITS "._-") >= part.len;
        if (!is_good)
            return "may hold only letters, digits, '.', '_', '-' and {placeholders}";
    }
    return NULL;
}

const char *const *rule_placeholders(size_t *ret_count)
{
    static const char *const names[] = {"name",         "arch",           "package",        "version", "release",
                                        "full-version", "source-package", "source-version", "date"};
    *ret_count = ARRAY_COUNT(names);
    return names;
}

bool rule_is_annotation(const char *key)
{
    static const char *const known[] = {"created",     "authors",     "url",      "documentation", "source",
                                        "version",     "vendor",      "licenses", "title",         "revision",
                                        "description", "base.digest", "base.name"};
    static const char reserved[] = "org.opencontainers.", image[] = "org.opencontainers.image.";
    if (strncmp(key, reserved, strlen(reserved)) != 0)
        return true;
    if (strncmp(key, image, strlen(image)) != 0)
        return false;
    for (size_t i = 0; i < ARRAY_COUNT(known); i++) {
        if (strcmp(key + strlen(image), known[i]) == 0)
            return true;
    }
    return false;
}
