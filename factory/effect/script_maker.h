/* SPDX-License-Identifier: Apache-2.0 */
/* script_maker.h - wishes being made of the commands of scripts, which the parts of it share: script_accounts.c,
 * script_enable.c, script_files.c, script_owners.c; script_wishes.c calls them
 *
 * Private to script_*.c.
 * Threads: one.
 */
#ifndef IMGFACTORY_EFFECT_SCRIPT_MAKER_H
#define IMGFACTORY_EFFECT_SCRIPT_MAKER_H

#include "effect/script_mode.h"
#include "effect/script_words.h"
#include "effect/script_world.h"
#include "effect/sysusers.h"
#include "plan/rules.h"
#include "plan/wishes.h"

struct script_maker {
    struct arena *arena;
    const struct fileset *set;
    struct script_world world; /* of the packages alone, for what is a directory there */
    struct wishes *wishes;
    const struct package *const *told; /* of whose scripts notes are made */
    size_t told_count;
    struct map noted;             /* what is in the notes */
    struct map made;              /* path → its place in wishes->made, plus 1 */
    const struct script_call *at; /* the command that is looked at */
    const char *giver;
    bool is_installed;
    struct strings *notes;
};

/* Returns where a word that is a known absolute path leads; NULL when it is none, or the root. */
const char *script_path(const struct script_maker *maker, const struct shell_word *word);
/* Finds what scripts made at a path; NULL when nothing. Good until the next script_make(). */
struct wish_made *script_made(const struct script_maker *maker, const char *path);
/* Makes something at a path, in place of what scripts made there; NULL when it is too much. */
struct wish_made *script_make(struct script_maker *maker, enum wish_made_kind kind, const char *path);
/* Takes back what was made at a path. */
void script_unmake(struct script_maker *maker, const char *path);
/* Makes sure of a directory: one that is made already, or that a package has; else a new one with that mode. */
struct wish_made *script_make_directory(struct script_maker *maker, const char *path, uint32_t mode);
/* Finds a package's file, through links or not; NULL when there is none. */
const struct entry *script_packaged(const struct script_maker *maker, const char *path, bool is_followed);
/* Returns whether there is a directory at a path. */
bool script_is_directory(struct script_maker *maker, const char *path);
/* Returns whether there is anything. */
bool script_is_there(struct script_maker *maker, const char *path);
/* Returns what the script's umask leaves of the mode of something new. */
uint32_t script_new_mode(const struct script_maker *maker, uint32_t mode);
/* Changes owner, group (NULL: as they are) and mode (NULL: as it is) of what was made. */
void script_change(const struct script_maker *maker, struct wish_made *made, const char *owner, const char *group,
                   const struct script_mode *mode);

/* The commands. Each takes one whose words are sorted; what it does not know of it does not do. */
typedef void script_command(struct script_maker *maker, const struct script_words *words);
script_command script_adduser, script_useradd, script_groupadd, script_usermod, script_gpasswd;
script_command script_mkdir, script_install, script_cp, script_mv, script_ln, script_touch, script_rm, script_ucf;
script_command script_chown, script_chgrp, script_chmod, script_statoverride, script_setcap, script_enable;
/* Writes what a command prints into a file. */
void script_write(struct script_maker *maker);

#endif
