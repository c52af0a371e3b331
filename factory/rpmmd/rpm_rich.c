/* SPDX-License-Identifier: Apache-2.0 */
#include "rpmmd/rpm_rich.h"

#include "base/list.h"

#include <string.h>

struct parsing {
    Pool *pool;
    const char *at;
    int operands, level;
};

static Id parse_group(struct parsing *parsing);

static void skip_blanks(struct parsing *parsing)
{
    parsing->at += strspn(parsing->at, " ");
}

/* Takes a word that ends at a blank, a comma or the parenthesis that closes more than it opened. */
static Id parse_word(struct parsing *parsing)
{
    const char *start = parsing->at;
    int open = 0;
    while (*parsing->at && *parsing->at != ' ' && *parsing->at != ',' && !(*parsing->at == ')' && !open)) {
        open += (*parsing->at == '(') - (*parsing->at == ')');
        parsing->at++;
    }
    size_t len = (size_t)(parsing->at - start);
    return len ? pool_strn2id(parsing->pool, start, (unsigned int)len, 1) : 0;
}

static int parse_comparison(struct parsing *parsing)
{
    int flags = 0;
    for (;; parsing->at++) {
        if (*parsing->at == '<')
            flags |= REL_LT;
        else if (*parsing->at == '=')
            flags |= REL_EQ;
        else if (*parsing->at == '>')
            flags |= REL_GT;
        else
            return flags;
    }
}

/* "name", "name >= version" or a group. */
static Id parse_operand(struct parsing *parsing)
{
    skip_blanks(parsing);
    if (++parsing->operands > RPM_RICH_OPERANDS_MAX)
        return 0;
    if (*parsing->at == '(')
        return parse_group(parsing);
    Id id = parse_word(parsing);
    skip_blanks(parsing);
    int flags = id ? parse_comparison(parsing) : 0;
    if (!flags)
        return id;
    skip_blanks(parsing);
    Id version = parse_word(parsing);
    return version ? pool_rel2id(parsing->pool, id, version, flags, 1) : 0;
}

static int parse_operator(struct parsing *parsing)
{
    static const struct {
        const char *word;
        int flags;
    } operators[] = {{"and", REL_AND},   {"or", REL_OR},     {"if", REL_COND},        {"unless", REL_UNLESS},
                     {"else", REL_ELSE}, {"with", REL_WITH}, {"without", REL_WITHOUT}};
    size_t len = strcspn(parsing->at, " ");
    for (size_t i = 0; i < ARRAY_COUNT(operators); i++) {
        if (strlen(operators[i].word) == len && strncmp(parsing->at, operators[i].word, len) == 0) {
            parsing->at += len;
            return operators[i].flags;
        }
    }
    return 0;
}

/* Whether `next` may follow in a chain of `chain`: only equal operators of those that have no order, and else after
 * if or unless. */
static bool may_follow(int chain, int next)
{
    if (next == REL_ELSE)
        return chain == REL_COND || chain == REL_UNLESS;
    return !chain || (chain == next && (chain == REL_AND || chain == REL_OR || chain == REL_WITH));
}

/* The rest of a group up to its ')': nested to the right, as libsolv wants it. */
static Id parse_chain(struct parsing *parsing, int chain)
{
    Id id = parse_operand(parsing);
    skip_blanks(parsing);
    if (!id || !*parsing->at)
        return 0;
    if (*parsing->at == ')') {
        parsing->at++;
        return id;
    }
    int next = parse_operator(parsing);
    if (!next || !may_follow(chain, next))
        return 0;
    Id rest = parse_chain(parsing, next == REL_ELSE ? REL_WITHOUT : next); /* nothing follows an else */
    return rest ? pool_rel2id(parsing->pool, id, rest, next, 1) : 0;
}

static Id parse_group(struct parsing *parsing)
{
    if (++parsing->level > RPM_RICH_OPERANDS_MAX)
        return 0;
    parsing->at++;
    return parse_chain(parsing, 0);
}

Id rpm_rich_parse(Pool *pool, const char *text)
{
    struct parsing parsing = {.pool = pool, .at = text};
    if (*text != '(')
        return 0;
    Id id = parse_group(&parsing);
    return *parsing.at ? 0 : id;
}

/* Clauses of a relation and of its opposite. */
struct clauses {
    uint64_t straight, opposite;
};

static uint64_t capped(uint64_t count)
{
    return count < UINT32_MAX ? count : UINT32_MAX;
}

/* "a and b": all clauses of both; its opposite, "not a or not b": each of one with each of the other. */
static struct clauses both(struct clauses a, struct clauses b)
{
    return (struct clauses){capped(a.straight + b.straight), capped(a.opposite * b.opposite)};
}

static struct clauses opposite(struct clauses a)
{
    return (struct clauses){a.opposite, a.straight};
}

static struct clauses either(struct clauses a, struct clauses b)
{
    return opposite(both(opposite(a), opposite(b)));
}

static struct clauses count_clauses(const Pool *pool, Id id)
{
    const Reldep *relation = ISRELDEP(id) ? GETRELDEP(pool, id) : NULL;
    bool is_plain = !relation || relation->flags <= 7 || relation->flags == REL_WITH || relation->flags == REL_WITHOUT;
    if (is_plain)
        return (struct clauses){1, 1};
    struct clauses a = count_clauses(pool, relation->name);
    if (relation->flags == REL_AND || relation->flags == REL_OR) {
        struct clauses b = count_clauses(pool, relation->evr);
        return relation->flags == REL_AND ? both(a, b) : either(a, b);
    }
    const Reldep *other = ISRELDEP(relation->evr) ? GETRELDEP(pool, relation->evr) : NULL;
    bool has_else = other && other->flags == REL_ELSE;
    struct clauses when = count_clauses(pool, has_else ? other->name : relation->evr);
    bool is_if = relation->flags == REL_COND;
    struct clauses out = is_if ? either(a, opposite(when)) : both(a, opposite(when));
    if (!has_else)
        return out;
    struct clauses otherwise = count_clauses(pool, other->evr);
    return is_if ? both(out, either(otherwise, when)) : either(out, both(otherwise, when));
}

uint64_t rpm_rich_clause_count(const Pool *pool, Id relation)
{
    struct clauses clauses = count_clauses(pool, relation);
    return clauses.straight > clauses.opposite ? clauses.straight : clauses.opposite;
}
