/* SPDX-License-Identifier: Apache-2.0 */
/* wish_word.h - a word of `packages: install` cut into name and version: what all formats have in common of it
 *
 * "name (>= 1.2)", "name >= 1.2", "name>=1.2", "name=1.2". Names may hold brackets themselves ("perl(Foo)", "libx.so.1()(64bit)").
 * Threads: no state.
 */
#ifndef IMGFACTORY_SOURCE_WISH_WORD_H
#define IMGFACTORY_SOURCE_WISH_WORD_H

#include "base/text.h"

enum wish_operator { WISH_ANY, WISH_LESS, WISH_LESS_EQUAL, WISH_EQUAL, WISH_GREATER_EQUAL, WISH_GREATER };

struct wish_word {
    struct text name, version; /* version is empty with WISH_ANY */
    enum wish_operator op;
    bool is_equals; /* it was written "name=version", without blanks and brackets */
};

/* Cuts a word; one without a version is its own name. Borrowed from it. */
struct wish_word wish_word_cut(const char *written);
/* Returns whether a version is right that compares to the word's so: below 0 when it is less. */
bool wish_operator_takes(enum wish_operator op, int order);
/* Returns whether the word has a character of globs: * ? [ */
bool wish_word_is_glob(const char *word);

#endif
