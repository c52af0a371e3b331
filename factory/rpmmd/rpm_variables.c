#include "rpmmd/rpm_variables.h"

#include "base/auto.h"
#include "rpmmd/rpm_arch.h"

#define EXPANDED_MAX_BYTES (1u << 20)

static size_t name_len(const char *at)
{
    return strspn(at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
}

/* Reads "$name" or "${name}"; returns its whole length, 0 when there is none. */
static size_t read_variable(const char *at, struct text *ret_name)
{
    bool is_braced = at[1] == '{';
    *ret_name = (struct text){at + 1 + is_braced, name_len(at + 1 + is_braced)};
    if (!ret_name->len || (is_braced && ret_name->ptr[ret_name->len] != '}'))
        return 0;
    return 1 + ret_name->len + (is_braced ? 2u : 0u);
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

const char *rpm_expand(struct arena *arena, const struct map *values, const struct arch *arch, const char *text,
                       const char **ret_unknown)
{
    AUTO(buf_done) struct buf result;
    const char *unknown = NULL;
    bool is_good = true, is_later;
    buf_init(&result, EXPANDED_MAX_BYTES);
    while (*text && is_good) {
        struct text name;
        size_t len = *text == '$' ? read_variable(text, &name) : 0;
        const char *value = len ? value_of(values, arch, name, &is_later) : NULL;
        if (len && !value && !is_later && !unknown)
            unknown = text_dup(arena, name);
        is_good = value ? buf_add(&result, value, strlen(value)) : buf_add(&result, text, len ? len : 1);
        text += len ? len : 1;
    }
    if (ret_unknown)
        *ret_unknown = unknown;
    return arena_strndup(arena, result.len ? result.bytes : "", result.len);
}
