/* SPDX-License-Identifier: Apache-2.0 */
/* launch.h - the process that an image's configuration starts (OCI image-spec config.md), as a build or `check` knows it
 *
 * proof.h asks of it what container engines and the kernel ask of the finished tree:
 * - Entrypoint and Cmd in a row are the command; its first word is a path, or a name in a directory of Env's PATH (engines'
 *   usual one without). Missing, not executable, a directory, no program of the machine, a script whose chain of
 *   interpreters is not there: a violation. An Entrypoint of one empty word is none (docker, podman), and then there must
 *   be a Cmd; neither of them is a note.
 * - Every word of Env has a name before '='.
 * - User is NAME, UID, NAME:GROUP, :GROUP … as runc reads it: names are in /etc/passwd and /etc/group, numbers need not.
 *   The user may execute the program.
 * - What asks the service whether it serves (`run: health`) is a program that can be started, as the command.
 * - WorkingDir is an absolute path and no file. That it, or a volume, is not there, or not writable for a User who is not
 *   root, is a note: engines make them, root's.
 */
#ifndef IMGFACTORY_OCI_LAUNCH_H
#define IMGFACTORY_OCI_LAUNCH_H

#include "base/list.h"

/* A key of the configuration. `place` is what findings call it; NULL: by its name in the configuration. */
struct launch_words {
    const char *place;
    struct strings words;
};

struct launch {
    struct launch_words entrypoint, cmd, env, volumes; /* env: "NAME=VALUE" */
    struct launch_words user, working_dir;             /* one word, or none */
    struct launch_words
        probe; /* what asks whether it serves: its first word is a program; no part of the configuration */
};

#endif
