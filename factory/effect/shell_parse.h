/* SPDX-License-Identifier: Apache-2.0 */
/* shell_parse.h - a shell script as a tree of commands
 *
 * POSIX "Shell Command Language", 2.9, without what no maintainer script has (co-processes, arrays). What cannot be
 * understood ends the tree, and is said.
 * Threads: pure function of its input.
 * Owns: nothing; the tree lives in the arena.
 * Fails with: nothing.
 */
#ifndef IMGFACTORY_EFFECT_SHELL_PARSE_H
#define IMGFACTORY_EFFECT_SHELL_PARSE_H

#include "effect/shell_lexer.h"

enum shell_node_kind {
    SHELL_NODE_SIMPLE,   /* words, redirections */
    SHELL_NODE_LIST,     /* `first` and its `next`, one after the other */
    SHELL_NODE_PIPE,     /* the same, from one to the next */
    SHELL_NODE_AND_OR,   /* `first` and its `next`, joined by && or || */
    SHELL_NODE_NOT,      /* ! first */
    SHELL_NODE_IF,       /* if first; then second; else third */
    SHELL_NODE_WHILE,    /* while first; do second */
    SHELL_NODE_UNTIL,    /* until first; do second */
    SHELL_NODE_FOR,      /* for words[0] in words[1…]; do second */
    SHELL_NODE_CASE,     /* case words[0] in: `first` and its `next` are the arms */
    SHELL_NODE_ARM,      /* words: patterns; first: what is done */
    SHELL_NODE_FUNCTION, /* words[0]: the name; first: what it does */
    SHELL_NODE_GROUP,    /* { first; }, ( first ) */
};

struct shell_node {
    enum shell_node_kind kind;
    unsigned line;
    bool has_list; /* SHELL_NODE_FOR: `in` is there */
    bool is_or;    /* in a SHELL_NODE_AND_OR: || stands before it */
    bool is_apart; /* SHELL_NODE_GROUP: ( ), a shell of its own */
    struct {
        struct shell_lexeme **items;
        size_t count, capacity;
    } words;
    struct {
        struct shell_token **items;
        size_t count, capacity;
    } redirections;
    struct shell_node *first, *second, *third, *next;
};

/* Parses tokens; *ret_is_whole (may be NULL) tells whether all of them were understood. Never NULL. */
struct shell_node *shell_parse(struct arena *arena, const struct shell_tokens *tokens, bool *ret_is_whole);

#endif
