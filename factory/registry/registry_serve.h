/* SPDX-License-Identifier: Apache-2.0 */
/* registry_serve.h - the broker's side of registries: it alone has their credentials, tokens and client certificates
 *
 * The other process, which may be an attacker's, names a repository and says what is to be sent to it. Where a credential
 * may go is decided here, by the rules of registry.h, out of what this process was told when it was forked and of what the
 * registry itself answered to it: to the registry's own origin, which follows from its name; to the token service that its
 * challenge names, if that is its own, a known pair or allowed; over plain http to loopback hosts alone. Verification of
 * certificates is off only where the call or registries.conf says so.
 * Threads: registry_serve_take() on the broker's main thread; an exchange has a thread of its own.
 * Owns: the repositories, until they are closed.
 */
#ifndef IMGFACTORY_REGISTRY_REGISTRY_SERVE_H
#define IMGFACTORY_REGISTRY_REGISTRY_SERVE_H

#include "io/http_serve.h"
#include "registry/registry.h"

struct registry_serve;

/* Makes one. `options` are the call's; they stay the caller's. Nothing is opened for more than `most`. */
struct registry_serve *registry_serve_new(struct channel *channel, struct http_serve *network,
                                          const struct registry_options *options, enum registry_access most);
/* Takes a frame if it is of its kinds; false: it is another's. */
bool registry_serve_take(struct registry_serve *serve, struct frame *frame) MUST_CHECK;

#endif
