/* SPDX-License-Identifier: Apache-2.0 */
/* sign_serve.h - the broker's side of signing: it alone has private keys, and runs the commands that have one
 *
 * Signers are handed over before it is said what the call may do (broker_seal()), and none later: then the other process may
 * be an attacker's, who can have bytes signed, which is what the call is for, and no key.
 * Threads: sign_serve_take() on the broker's main thread; signing has a thread of its own.
 * Owns: the signers, until the process ends.
 */
#ifndef IMGFACTORY_SIGN_SIGN_SERVE_H
#define IMGFACTORY_SIGN_SIGN_SERVE_H

#include "io/http_serve.h"

struct sign_serve;

/* Makes one. */
struct sign_serve *sign_serve_new(struct channel *channel, const struct http_serve *network);
/* Takes a frame if it is of its kinds; false: it is another's. */
bool sign_serve_take(struct sign_serve *serve, struct frame *frame) MUST_CHECK;

#endif
