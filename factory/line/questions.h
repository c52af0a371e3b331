/* SPDX-License-Identifier: Apache-2.0 */
/* questions.h - what an order asked a catalog and what it was told, so that what was made can be used again with another
 * catalog that gives the same answers
 *
 * A product depends on the indices through these answers alone: whoever makes one asks a catalog that notes each question
 * (names to solve, paths to look up …) with a digest over all of its answer. The same questions asked of a later catalog
 * tell whether anything that mattered has changed: the first question that would be another one comes behind an answer
 * that is another one. The whole of an index counts only where all of it is gone through (catalog_scan()).
 * Threads: as the catalog; questions_open(), questions_close(), questions_list() and questions_answers() while nobody else
 * uses it.
 * Owns: what it noted, until questions_close(). The catalog stays the caller's.
 * Fails with: as catalog.h and solve.h.
 */
#ifndef IMGFACTORY_LINE_QUESTIONS_H
#define IMGFACTORY_LINE_QUESTIONS_H

#include "source/solve.h"

struct questions;

/* Opens a notebook for what is asked of a catalog. */
struct questions *questions_open(struct catalog *catalog);
/* Returns the catalog that answers as the one given and notes what it is asked; it lives as long as the notebook. */
struct catalog *questions_catalog(struct questions *questions);
/* Lists the questions as text for questions_repeat(), in the arena. */
struct text questions_list(struct arena *arena, const struct questions *questions);
/* Names all questions with their answers. */
struct digest questions_answers(const struct questions *questions);
/* Returns whether every question got an answer that the indices gave: one that failed for another reason (a mirror that
 * did not answer) may get another next time. */
bool questions_are_sure(const struct questions *questions);
/* Asks the questions of a list: those for which one may have to wait (on a coordinating thread), or those that are only
 * computed (on a worker). An answer that is a failure is noted as one; false for a list that is none. */
bool questions_repeat(struct questions *questions, struct text list, bool is_waiting) MUST_CHECK;
/* Frees it. NULL in it is fine. For AUTO(). */
void questions_close(struct questions **questions);

#endif
