/* SPDX-License-Identifier: Apache-2.0 */
#include "rpmmd/rpm_variables.h"

#include "base/auto.h"
#include "rpmmd/rpm_arch.h"

#define EXPANDED_MAX_BYTES (1u << 20)
#define DEPTH_MAX 32

static size_t name_len(const char *at)
{
    return strspn(at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
}

/* One variable in a text: "$name", "${name}", "${name:-word}" (word where it is unset or empty), "${name:+word}" (word where it is
 * neither). */
struct variable {
    struct text name, word;
    char choice; /* '-', '+', or 0 */
    size_t len;  /* of all of it */
};

/* Returns how many bytes the word of "${name:-word}" has, in which there may be further ones; SIZE_MAX when it has no end. */
static size_t word_len(const char *at)
{
    size_t depth = 0, len = 0;
    for (; at[len]; len++) {
        if (at[len] == '$' && at[len + 1] == '{')
            depth++;
        else if (at[len] == '}' && !depth--)
            return len;
    }
    return SIZE_MAX;
}

/* Reads a variable; false when there is none. */
static bool read_variable(const char *at, struct variable *ret_variable)
{
    bool is_braced = at[1] == '{';
    struct variable variable = {.name = {at + 1 + is_braced, name_len(at + 1 + is_braced)}};
    const char *end = variable.name.ptr + variable.name.len;
    if (!variable.name.len)
        return false;
    if (is_braced && end[0] == ':' && (end[1] == '-' || end[1] == '+')) {
        size_t len = word_len(end + 2);
        if (len == SIZE_MAX)
            return false;
        variable.choice = end[1];
        variable.word = (struct text){end + 2, len};
        end += 2 + len;
    }
    if (is_braced && *end != '}')
        return false;
    variable.len = (size_t)(end - at) + is_braced;
    *ret_variable = variable;
    return true;
}

static const char *value_of(const struct map *values, const struct arch *arch, struct text name, bool *ret_later)
{
    bool is_base = text_is(name, "basearch"), is_arch = text_is(name, "arch");
    *ret_later = false;
    if ((is_base || is_arch) && arch)
        return is_base ? rpm_arch_base(arch) : rpm_arch(arch);
    const char *value = values ? map_get(values, name) : NULL;
    *ret_later = !value && (is_base || is_arch);
    return value;
}

/* Where values come from, and what was not found. */
struct expanding {
    struct arena *arena;
    const struct map *values;
    const struct arch *arch;
    const char *unknown;
};

static bool expand(struct expanding *expanding, struct text text, unsigned depth, struct buf *result);

/* Adds what stands for a variable; itself when nothing does yet, or at all. */
static bool add_variable(struct expanding *expanding, const struct variable *variable, struct text whole,
                         unsigned depth, struct buf *result)
{
    bool is_later;
    const char *value = value_of(expanding->values, expanding->arch, variable->name, &is_later);
    bool is_set = value && *value;
    if (is_later)
        return buf_add(result, whole.ptr, whole.len);
    if (variable->choice && depth < DEPTH_MAX && is_set == (variable->choice == '+'))
        return expand(expanding, variable->word, depth + 1, result);
    if (variable->choice == '+')
        return true;
    if (value)
        return buf_add(result, value, strlen(value));
    if (!expanding->unknown)
        expanding->unknown = text_dup(expanding->arena, variable->name);
    return buf_add(result, whole.ptr, whole.len);
}

static bool expand(struct expanding *expanding, struct text text, unsigned depth, struct buf *result)
{
    const char *at = text.ptr, *end = text.ptr + text.len;
    bool is_good = true;
    while (at < end && is_good) {
        struct variable variable;
        bool is_one = *at == '$' && read_variable(at, &variable) && variable.len <= (size_t)(end - at);
        size_t len = is_one ? variable.len : 1;
        is_good =
            is_one ? add_variable(expanding, &variable, (struct text){at, len}, depth, result) : buf_add(result, at, 1);
        at += len;
    }
    return is_good;
}

const char *rpm_expand(struct arena *arena, const struct map *values, const struct arch *arch, const char *text,
                       const char **ret_unknown)
{
    AUTO(buf_done) struct buf result;
    struct expanding expanding = {arena, values, arch, NULL};
    buf_init(&result, EXPANDED_MAX_BYTES);
    (void)expand(&expanding, text_of(text), 0, &result); /* what is too long is cut */
    if (ret_unknown)
        *ret_unknown = expanding.unknown;
    return arena_strndup(arena, result.len ? result.bytes : "", result.len);
}
