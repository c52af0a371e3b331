/* SPDX-License-Identifier: Apache-2.0 */
#include "deb/deb_relation.h"

static bool ends_name(char c)
{
    return c == ' ' || c == '\t' || c == '(' || c == ':' || c == '[' || c == '<' || c == '\r' || c == '\n';
}

struct text deb_relation_name(struct text relation)
{
    struct text rest = text_trim(relation);
    size_t len = 0;
    while (len < rest.len && !ends_name(rest.ptr[len]))
        len++;
    return (struct text){rest.ptr, len};
}

static struct text skip(struct text a, size_t len)
{
    return text_trim((struct text){a.ptr + len, a.len - len});
}

/* Takes the operator off the front. */
static enum deb_operator parse_operator(struct text *rest)
{
    static const struct {
        const char *sign;
        enum deb_operator op;
    } operators[] = {{"<<", DEB_LESS},    {"<=", DEB_LESS_EQUAL}, {"=", DEB_EQUAL},        {">=", DEB_GREATER_EQUAL},
                     {">>", DEB_GREATER}, {"<", DEB_LESS_EQUAL},  {">", DEB_GREATER_EQUAL}};
    for (size_t i = 0; i < ARRAY_COUNT(operators); i++) {
        if (text_has_prefix(*rest, operators[i].sign)) {
            *rest = skip(*rest, strlen(operators[i].sign));
            return operators[i].op;
        }
    }
    return DEB_ANY;
}

bool deb_relation_parse(struct text relation, struct deb_relation *ret_relation)
{
    struct deb_relation result = {.name = deb_relation_name(relation)};
    if (!result.name.len)
        return false;
    struct text rest = text_trim(relation);
    rest = (struct text){rest.ptr + result.name.len, rest.len - result.name.len};
    if (rest.len && rest.ptr[0] == ':') {
        result.qualifier = deb_relation_name((struct text){rest.ptr + 1, rest.len - 1});
        if (!result.qualifier.len || result.qualifier.ptr != rest.ptr + 1)
            return false;
        rest = skip(rest, 1 + result.qualifier.len);
    }
    rest = text_trim(rest);
    if (rest.len) {
        if (rest.ptr[0] != '(' || rest.ptr[rest.len - 1] != ')')
            return false;
        rest = text_trim((struct text){rest.ptr + 1, rest.len - 2});
        result.op = parse_operator(&rest);
        struct text version;
        if (result.op == DEB_ANY || !text_next_word(&rest, &version) || text_trim(rest).len)
            return false;
        result.version = version;
    }
    *ret_relation = result;
    return true;
}
