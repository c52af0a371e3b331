/* SPDX-License-Identifier: Apache-2.0 */
/* registry_remote.h - repositories whose credentials and tokens another process has (private to registry/)
 *
 * With registry_options.broker nothing secret of a registry is here: neither credential nor token nor client certificate.
 * An exchange is handed over whole, with authentication, redirects and tries, and its answer comes back; what the registry
 * said of tokens is not in it.
 * Threads: any.
 * Fails with: as registry.h; ERR_LOCAL when the broker is gone.
 */
#ifndef IMGFACTORY_REGISTRY_REGISTRY_REMOTE_H
#define IMGFACTORY_REGISTRY_REGISTRY_REMOTE_H

#include "registry/registry_wire.h"

/* Has the broker open it too, with what stands for it there in registry->remote. */
bool registry_remote_open(struct registry *registry, const struct strings *together, struct err *err) MUST_CHECK;
/* Tells that it is going to be written to. */
void registry_remote_pushes(const struct registry *registry);
/* Tells that it is not needed any more. */
void registry_remote_close(const struct registry *registry);
/* Has the broker make an exchange, as registry_exchange() or registry_send_once() would. */
bool registry_remote_exchange(struct registry *registry, struct exchange *exchange, enum registry_sending sending,
                              struct err *err) MUST_CHECK;

#endif
