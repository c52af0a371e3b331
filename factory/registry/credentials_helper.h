/* SPDX-License-Identifier: Apache-2.0 */
/* credentials_helper.h - docker-credential-NAME programs (part of credentials.h)
 *
 * The protocol of docker-credential-helpers: get, store, erase; a server's name or JSON on standard input. The program
 * is named by the user's own file, looked up in PATH, gets PATH and the variables that known helpers need (HOME,
 * XDG_*, AWS_*, …), and 30 s.
 * Threads: any thread.
 * Fails with: ERR_USAGE (what it said cannot be used), ERR_LOCAL (it cannot be started, it failed, ENOENT, ETIMEDOUT).
 */
#ifndef IMGFACTORY_REGISTRY_CREDENTIALS_HELPER_H
#define IMGFACTORY_REGISTRY_CREDENTIALS_HELPER_H

#include "registry/credentials.h"

/* Asks for a host; leaves ret_credential as it is when the helper has none. */
bool credential_helper_get(struct arena *arena, const char *helper, const char *host, struct credential *ret_credential,
                           struct err *err) MUST_CHECK;
/* Gives the credential to the helper to keep / makes it forget it. */
bool credential_helper_store(struct arena *arena, const char *helper, const char *host,
                             const struct credential *credential, struct err *err) MUST_CHECK;
bool credential_helper_erase(struct arena *arena, const char *helper, const char *host, struct err *err) MUST_CHECK;

#endif
