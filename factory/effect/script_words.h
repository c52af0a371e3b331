/* SPDX-License-Identifier: Apache-2.0 */
/* script_words.h - the options and operands of commands that maintainer scripts use to make things
 *
 * As adduser(8), useradd(8), groupadd(8), usermod(8), gpasswd(1), dpkg-statoverride(1), ucf(1) and coreutils take them; an
 * option that is not known is passed over.
 * Private to script_*.c.
 * Threads: pure function of its input.
 */
#ifndef IMGFACTORY_EFFECT_SCRIPT_WORDS_H
#define IMGFACTORY_EFFECT_SCRIPT_WORDS_H

#include "effect/shell_words.h"

enum script_option {
    OPTION_IGNORED, /* also of those with a value */
    OPTION_SYSTEM,
    OPTION_OWN_GROUP, /* adduser --group */
    OPTION_GROUP,     /* a value: name or number */
    OPTION_GROUPS,
    OPTION_NUMBER, /* of the user */
    OPTION_HOME,
    OPTION_CREATE_HOME,
    OPTION_NO_HOME,
    OPTION_NO_GROUP,
    OPTION_SHELL,
    OPTION_COMMENT,
    OPTION_MEMBER, /* gpasswd -a USER */
    OPTION_ADD,
    OPTION_REMOVE,
    OPTION_DIRECTORY,
    OPTION_OWNER,
    OPTION_MODE,
    OPTION_DEEP,
    OPTION_AS_IT_IS, /* cp -a, -d, -P: links stay links */
    OPTION_PRESERVE,
    OPTION_SYMBOLIC,
    OPTION_FORCE,
    OPTION_NO_CLOBBER,
    OPTION_NOT_INTO, /* ln -n, -T: the last operand is no directory to put something into */
    OPTION_TARGET,   /* -t DIRECTORY */
    OPTION_PARENTS,
    OPTION_COUNT
};

/* A command's words. */
struct script_words {
    struct shell_command operands;
    bool has[OPTION_COUNT];
    const struct shell_word *values[OPTION_COUNT]; /* the last, when it was given with one */
};

/* Sorts the words of a command whose options are known by its name; false when they are not. */
bool script_words_sort(struct arena *arena, const char *name, const struct shell_command *command,
                       struct script_words *ret_words);
/* Returns the value of an option when it was given and is known; else NULL. */
const char *script_words_value(const struct script_words *words, enum script_option option);

#endif
