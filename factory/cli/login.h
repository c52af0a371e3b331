/* SPDX-License-Identifier: Apache-2.0 */
/* login.h - trying and keeping a registry's credential
 *
 * The password comes from standard input (--password-stdin) or from the terminal without echo; never from the command
 * line.
 * Threads: main only.
 */
#ifndef IMGFACTORY_CLI_LOGIN_H
#define IMGFACTORY_CLI_LOGIN_H

#include "cli/command.h"

/* Asks for what is missing, tries the credential with the registry, writes the auth file as podman login does. */
bool login_run(struct command *command, const struct registry_options *options, struct http *http,
               struct err *err) MUST_CHECK;
/* Removes the credential from the auth file. */
bool logout_run(struct command *command, const struct registry_options *options, struct err *err) MUST_CHECK;

#endif
