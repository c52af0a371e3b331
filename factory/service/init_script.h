/* SPDX-License-Identifier: Apache-2.0 */
/* init_script.h - what a packaged SysV init script would start, as far as its text is constant; nothing is run
 *
 * Looked at (started_script.h) are start-stop-daemon, start_daemon and commands that
 * make directories (preparing.h).
 * Threads: pure function of its inputs.
 * Owns: nothing; what is returned lives in the arena given.
 * Fails with: ERR_MALFORMED, and as packaged.h.
 */
#ifndef IMGFACTORY_SERVICE_INIT_SCRIPT_H
#define IMGFACTORY_SERVICE_INIT_SCRIPT_H

#include "service/packaged.h"
#include "service/unit_choice.h"

struct init_script {
    const char *path; /* "/etc/init.d/exim4"; NULL when there is none */
    const struct package *package;
    struct strings words;    /* how it starts the program; none when that cannot be told */
    const char *user;        /* "USER" or "USER:GROUP", or NULL */
    const char *working_dir; /* or NULL */
    bool is_background;      /* start-stop-daemon sends the program to the background, which by itself stays */
};

/* Finds the script of a program: the one named like it, its package or its source. Adds to the wishes what it makes. */
bool init_script_find(struct arena *arena, const struct unit_question *question, struct init_script *ret_script,
                      struct wishes *wishes, struct err *err) MUST_CHECK;

#endif
