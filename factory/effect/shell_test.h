/* SPDX-License-Identifier: Apache-2.0 */
/* shell_test.h - test(1), also as [ and, as far as it is the same, [[
 *
 * Threads: pure function of its input and the world.
 * Fails with: nothing; what cannot be decided may be either.
 */
#ifndef IMGFACTORY_EFFECT_SHELL_TEST_H
#define IMGFACTORY_EFFECT_SHELL_TEST_H

#include "effect/shell_run.h"

/* Decides a condition. */
enum shell_truth shell_test(const struct shell_command *command, const struct shell_world *world);
/* Puts truths together: both hold, one holds, it does not hold. */
enum shell_truth shell_both(enum shell_truth a, enum shell_truth b);
enum shell_truth shell_either(enum shell_truth a, enum shell_truth b);
enum shell_truth shell_not(enum shell_truth a);

#endif
