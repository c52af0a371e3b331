/* SPDX-License-Identifier: Apache-2.0 */
/* shell_lexer.h - the tokens of a shell script, with the parts that words are expanded from
 *
 * Quoting, comments, here-documents, redirections and expansions as in POSIX "Shell Command Language", 2.2 to 2.7, 2.10; of
 * further shells what would otherwise be misread (<<<, &>). What is not finished ends with the script. At most 1 MiB and
 * 65,536 tokens are read, substitutions at most 8 deep.
 * Threads: pure function of its input.
 * Owns: nothing; tokens live in the arena.
 * Fails with: nothing.
 */
#ifndef IMGFACTORY_EFFECT_SHELL_LEXER_H
#define IMGFACTORY_EFFECT_SHELL_LEXER_H

#include "base/text.h"

struct shell_node;
struct shell_tokens;
struct shell_lexeme;

enum shell_part_kind {
    SHELL_PART_TEXT,
    SHELL_PART_VARIABLE,
    SHELL_PART_COMMAND, /* $(…), `…` */
    SHELL_PART_OPAQUE,  /* what is not looked into: $((…)), ${#x}, … */
};

/* A part of a word. */
struct shell_part {
    enum shell_part_kind kind;
    bool is_quoted;
    const char *text;                   /* characters, or the variable's name */
    const char *sign;                   /* of ${name:-operand}: ":-"; "" when there is none */
    const struct shell_lexeme *operand; /* or NULL */
    const struct shell_tokens *commands;
    struct shell_node *tree; /* of `commands`: whoever parses them keeps that here */
    struct shell_part *next;
};

/* A word as it is written. */
struct shell_lexeme {
    struct shell_part *parts;
    const char *text; /* without quotes; what would be expanded stands as it is written */
    bool is_constant; /* nothing in it would be expanded */
    bool has_quotes;
};

enum shell_token_kind { SHELL_TOKEN_WORD, SHELL_TOKEN_OPERATOR, SHELL_TOKEN_REDIRECTION };

struct shell_token {
    enum shell_token_kind kind;
    unsigned line;
    const char *sign;          /* ";", "&&", "\n", …; of a redirection ">", "<<", …; of a word NULL */
    int descriptor;            /* of a redirection; -1: the operator's own */
    struct shell_lexeme *word; /* the word, or where a redirection leads; may be NULL there */
    struct shell_lexeme *here; /* the text of a here-document */
};

struct shell_tokens {
    struct shell_token **items;
    size_t count, capacity;
    bool is_cut; /* there was more than is read */
};

/* Splits a script. */
void shell_tokens_list(struct arena *arena, const char *script, struct shell_tokens *ret_tokens);

#endif
