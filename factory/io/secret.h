/* SPDX-License-Identifier: Apache-2.0 */
/* secret.h - the state directory's secret: with it this machine marks what it derived and put into the cache
 *
 * STATE/v1/secret: 32 bytes of getrandom(2), mode 0600, made with the first use. A cache that comes back without its
 * state, or from another machine, does not know it: then what is derived is made again, and nothing else is lost.
 * Threads: main, before others start; processes may race, and one secret stays.
 * Fails with: ERR_LOCAL (the state is not ours alone, or cannot be made).
 */
#ifndef IMGFACTORY_IO_SECRET_H
#define IMGFACTORY_IO_SECRET_H

#include "base/digest.h"

/* Makes the state directory when needed, checks that it is ours alone (owner.h), and gives its secret. A file that is
 * damaged, or that others can read, is replaced. On a read-only state the secret is one of this process alone. */
bool secret_open(const char *state_dir, struct digest *ret_secret, struct err *err) MUST_CHECK;
/* Gives a secret that lives as long as this process. */
struct digest secret_random(void);

#endif
