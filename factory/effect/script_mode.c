/* SPDX-License-Identifier: Apache-2.0 */
#include "effect/script_mode.h"

/* The bits that letters of chmod(1) stand for: of whom ("ugoa") and what ("rwxst"). */
static uint32_t mode_bits(uint32_t who, char what)
{
    switch (what) {
    case 'r':
        return who & 0444;
    case 'w':
        return who & 0222;
    case 'x':
        return who & 0111;
    case 's':
        return who & 06000;
    case 't':
        return 01000;
    default:
        return 0;
    }
}

static uint32_t mode_who(struct text *rest)
{
    static const char letters[] = "ugoa";
    static const uint32_t masks[] = {04700, 02070, 0007, 06777};
    uint32_t who = 0;
    for (; rest->len && strchr(letters, *rest->ptr); rest->ptr++, rest->len--)
        who |= masks[strchr(letters, *rest->ptr) - letters];
    return who;
}

/* One clause: "g+rX", "o=". */
static bool mode_clause(struct text clause, uint32_t umask, struct script_mode *mode)
{
    uint32_t given = mode_who(&clause), who = given ? given : 06777 & ~umask;
    if (!clause.len)
        return false;
    while (clause.len) {
        char sign = *clause.ptr;
        uint32_t bits = 0, search = 0;
        for (clause.ptr++, clause.len--; clause.len && !strchr("+-=", *clause.ptr); clause.ptr++, clause.len--) {
            if (!strchr("rwxXst", *clause.ptr))
                return false;
            search |= *clause.ptr == 'X' ? who & 0111 : 0;
            bits |= mode_bits(who, *clause.ptr);
        }
        if (!strchr("+-=", sign))
            return false;
        uint32_t lost = sign == '+' ? 0 : sign == '-' ? bits | search : who;
        mode->lost |= lost;
        mode->set &= ~lost;
        mode->search &= ~lost;
        mode->set |= sign == '-' ? 0 : bits;
        mode->search |= sign == '-' ? 0 : search;
    }
    return true;
}

bool script_mode_parse(const char *text, uint32_t umask, struct script_mode *ret_mode)
{
    size_t len = strspn(text, "01234567");
    *ret_mode = (struct script_mode){0};
    if (len && !text[len]) {
        ret_mode->lost = 07777;
        for (const char *digit = text; *digit; digit++)
            ret_mode->set = (ret_mode->set << 3 | (uint32_t)(*digit - '0')) & 07777;
        return len <= 5;
    }
    struct text rest = text_of(text), clause;
    bool is_good = rest.len > 0;
    while (is_good && rest.len && text_next(&rest, ',', &clause))
        is_good = mode_clause(clause, umask, ret_mode);
    return is_good;
}

uint32_t script_mode_apply(const struct script_mode *mode, uint32_t before, bool is_directory)
{
    bool is_searchable = is_directory || (before & 0111);
    return (before & ~mode->lost) | mode->set | (is_searchable ? mode->search : 0);
}
