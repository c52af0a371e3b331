/* SPDX-License-Identifier: Apache-2.0 */
#include "effect/shell_parse.h"

#define DEPTH_MAX 60 /* of compound commands in each other */

struct parser {
    struct arena *arena;
    const struct shell_tokens *tokens;
    size_t at;
    unsigned depth;
    bool is_broken;
};

static struct shell_node *parse_list(struct parser *parser);

static const struct shell_token *peek(const struct parser *parser)
{
    return parser->at < parser->tokens->count && !parser->is_broken ? parser->tokens->items[parser->at] : NULL;
}

static bool is_sign(const struct shell_token *token, const char *sign)
{
    return token && token->kind == SHELL_TOKEN_OPERATOR && strcmp(token->sign, sign) == 0;
}

/* A reserved word is one only where it is written without quotes. */
static bool is_word(const struct shell_token *token, const char *word)
{
    return token && token->kind == SHELL_TOKEN_WORD && token->word->is_constant && !token->word->has_quotes &&
           strcmp(token->word->text, word) == 0;
}

static bool take_sign(struct parser *parser, const char *sign)
{
    bool is_it = is_sign(peek(parser), sign);
    parser->at += is_it;
    return is_it;
}

static bool take_word(struct parser *parser, const char *word)
{
    bool is_it = is_word(peek(parser), word);
    parser->at += is_it;
    return is_it;
}

static void want_word(struct parser *parser, const char *word)
{
    if (!take_word(parser, word))
        parser->is_broken = true;
}

static void skip_newlines(struct parser *parser)
{
    while (take_sign(parser, "\n"))
        continue;
}

static struct shell_node *new_node(const struct parser *parser, enum shell_node_kind kind)
{
    const struct shell_token *token = peek(parser);
    struct shell_node *node = arena_new(parser->arena, struct shell_node);
    node->kind = kind;
    node->line = token ? token->line : 0;
    return node;
}

static void take_redirections(struct parser *parser, struct shell_node *node)
{
    while (peek(parser) && peek(parser)->kind == SHELL_TOKEN_REDIRECTION)
        list_add(parser->arena, &node->redirections, parser->tokens->items[parser->at++]);
}

/* What ends a list: words that belong to the compound command around it, and signs. */
static bool is_list_end(const struct shell_token *token)
{
    static const char *const words[] = {"then", "else", "elif", "fi", "do", "done", "esac", "}"};
    for (size_t i = 0; i < ARRAY_COUNT(words); i++) {
        if (is_word(token, words[i]))
            return true;
    }
    return !token || is_sign(token, ")") || is_sign(token, ";;");
}

/* The part behind `if` or `elif`. */
static struct shell_node *parse_if(struct parser *parser)
{
    struct shell_node *top = new_node(parser, SHELL_NODE_IF), *node = top;
    for (;;) {
        node->first = parse_list(parser);
        want_word(parser, "then");
        node->second = parse_list(parser);
        if (!take_word(parser, "elif"))
            break;
        node->third = new_node(parser, SHELL_NODE_IF);
        node = node->third;
    }
    if (take_word(parser, "else"))
        node->third = parse_list(parser);
    want_word(parser, "fi");
    return top;
}

static void parse_body(struct parser *parser, struct shell_node *node)
{
    want_word(parser, "do");
    node->second = parse_list(parser);
    want_word(parser, "done");
}

static struct shell_node *parse_while(struct parser *parser, enum shell_node_kind kind)
{
    struct shell_node *node = new_node(parser, kind);
    node->first = parse_list(parser);
    parse_body(parser, node);
    return node;
}

/* Takes words up to what is none. */
static void take_words(struct parser *parser, struct shell_node *node)
{
    while (peek(parser) && peek(parser)->kind == SHELL_TOKEN_WORD)
        list_add(parser->arena, &node->words, parser->tokens->items[parser->at++]->word);
}

static void take_one_word(struct parser *parser, struct shell_node *node)
{
    const struct shell_token *token = peek(parser);
    if (token && token->kind == SHELL_TOKEN_WORD)
        list_add(parser->arena, &node->words, parser->tokens->items[parser->at++]->word);
    else
        parser->is_broken = true;
}

static struct shell_node *parse_for(struct parser *parser)
{
    struct shell_node *node = new_node(parser, SHELL_NODE_FOR);
    take_one_word(parser, node);
    skip_newlines(parser);
    if (take_word(parser, "in")) {
        node->has_list = true;
        take_words(parser, node);
    }
    (void)take_sign(parser, ";");
    skip_newlines(parser);
    parse_body(parser, node);
    return node;
}

static struct shell_node *parse_arm(struct parser *parser)
{
    struct shell_node *arm = new_node(parser, SHELL_NODE_ARM);
    (void)take_sign(parser, "(");
    do
        take_one_word(parser, arm);
    while (take_sign(parser, "|"));
    if (!take_sign(parser, ")"))
        parser->is_broken = true;
    arm->first = parse_list(parser);
    (void)take_sign(parser, ";;");
    return arm;
}

static struct shell_node *parse_case(struct parser *parser)
{
    struct shell_node *node = new_node(parser, SHELL_NODE_CASE), **tail = &node->first;
    take_one_word(parser, node);
    skip_newlines(parser);
    want_word(parser, "in");
    skip_newlines(parser);
    while (peek(parser) && !is_word(peek(parser), "esac")) {
        *tail = parse_arm(parser);
        tail = &(*tail)->next;
        skip_newlines(parser);
    }
    want_word(parser, "esac");
    return node;
}

static struct shell_node *parse_group(struct parser *parser, bool is_subshell)
{
    struct shell_node *node = new_node(parser, SHELL_NODE_GROUP);
    node->first = parse_list(parser);
    node->is_apart = is_subshell;
    if (!is_subshell)
        want_word(parser, "}");
    else if (!take_sign(parser, ")"))
        parser->is_broken = true;
    return node;
}

static struct shell_node *parse_compound(struct parser *parser)
{
    if (take_word(parser, "if"))
        return parse_if(parser);
    if (take_word(parser, "while"))
        return parse_while(parser, SHELL_NODE_WHILE);
    if (take_word(parser, "until"))
        return parse_while(parser, SHELL_NODE_UNTIL);
    if (take_word(parser, "for"))
        return parse_for(parser);
    if (take_word(parser, "case"))
        return parse_case(parser);
    if (take_word(parser, "{"))
        return parse_group(parser, false);
    if (take_sign(parser, "("))
        return parse_group(parser, true);
    return NULL;
}

static struct shell_node *parse_command(struct parser *parser);

/* name() command, or `function name command`; NULL when it is none. */
static struct shell_node *parse_function(struct parser *parser)
{
    struct shell_node *node = new_node(parser, SHELL_NODE_FUNCTION);
    const struct shell_tokens *tokens = parser->tokens;
    bool is_named = take_word(parser, "function");
    bool has_brackets = parser->at + 2 < tokens->count && is_sign(tokens->items[parser->at + 1], "(") &&
                        is_sign(tokens->items[parser->at + 2], ")");
    if (!is_named && !has_brackets)
        return NULL;
    take_one_word(parser, node);
    parser->at += has_brackets && !parser->is_broken ? 2 : 0;
    skip_newlines(parser);
    node->first = parse_command(parser);
    return node;
}

static struct shell_node *parse_simple(struct parser *parser)
{
    struct shell_node *node = new_node(parser, SHELL_NODE_SIMPLE);
    size_t before = parser->at;
    while (peek(parser) && peek(parser)->kind != SHELL_TOKEN_OPERATOR) {
        take_words(parser, node);
        take_redirections(parser, node);
    }
    parser->is_broken = parser->is_broken || parser->at == before;
    return node;
}

static struct shell_node *parse_command(struct parser *parser)
{
    const struct shell_token *token = peek(parser);
    struct shell_node *node = NULL;
    if (!token || parser->depth >= DEPTH_MAX || is_list_end(token)) {
        parser->is_broken = true;
        return new_node(parser, SHELL_NODE_LIST);
    }
    parser->depth++;
    node = parse_compound(parser);
    if (node)
        take_redirections(parser, node);
    else if (token->kind == SHELL_TOKEN_WORD)
        node = parse_function(parser);
    if (!node)
        node = parse_simple(parser);
    parser->depth--;
    return node;
}

static struct shell_node *parse_pipe(struct parser *parser)
{
    bool is_not = false;
    while (take_word(parser, "!"))
        is_not = !is_not;
    struct shell_node *node = parse_command(parser);
    if (is_sign(peek(parser), "|")) {
        struct shell_node *pipe = new_node(parser, SHELL_NODE_PIPE), *last = node;
        pipe->first = node;
        while (take_sign(parser, "|")) {
            skip_newlines(parser);
            last->next = parse_command(parser);
            last = last->next;
        }
        node = pipe;
    }
    if (!is_not)
        return node;
    struct shell_node *turned = new_node(parser, SHELL_NODE_NOT);
    turned->first = node;
    return turned;
}

/* A chain, not a tree: thousands of && are no reason to go as deep. */
static struct shell_node *parse_and_or(struct parser *parser)
{
    struct shell_node *chain = new_node(parser, SHELL_NODE_AND_OR), *last = parse_pipe(parser);
    chain->first = last;
    for (;;) {
        bool is_and = is_sign(peek(parser), "&&");
        if (!is_and && !is_sign(peek(parser), "||"))
            return chain->first->next ? chain : chain->first;
        parser->at++;
        skip_newlines(parser);
        last->next = parse_pipe(parser);
        last = last->next;
        last->is_or = !is_and;
    }
}

static struct shell_node *parse_list(struct parser *parser)
{
    struct shell_node *list = new_node(parser, SHELL_NODE_LIST), **tail = &list->first;
    for (;;) {
        while (take_sign(parser, "\n") || take_sign(parser, ";") || take_sign(parser, "&"))
            continue;
        if (is_list_end(peek(parser)))
            return list;
        *tail = parse_and_or(parser);
        tail = &(*tail)->next;
    }
}

struct shell_node *shell_parse(struct arena *arena, const struct shell_tokens *tokens, bool *ret_is_whole)
{
    struct parser parser = {.arena = arena, .tokens = tokens};
    struct shell_node *list = parse_list(&parser);
    if (ret_is_whole)
        *ret_is_whole = !parser.is_broken && parser.at == tokens->count && !tokens->is_cut;
    return list;
}
