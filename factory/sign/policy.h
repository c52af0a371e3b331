/* SPDX-License-Identifier: Apache-2.0 */
/* policy.h - podman's policy.json, as far as it concerns images of registries
 *
 * Read are `default` and `transports.docker`, of which the most specific scope counts: insecureAcceptAnything, reject, sigstoreSigned with
 * keys and any signedIdentity. signedBy (OpenPGP), Fulcio, PKI and Rekor cannot be verified here: what asks for them does not hold.
 * Threads: no state.
 * Owns: as rule.h.
 * Fails with: ERR_USAGE (no policy, or one that podman would not take either).
 */
#ifndef IMGFACTORY_SIGN_POLICY_H
#define IMGFACTORY_SIGN_POLICY_H

#include "sign/rule.h"

/* Finds the policy that podman would go by (containers-policy.json(5)): of the variable CONTAINERS_POLICY_JSON, else the first that is there of
 * containers/policy.json in $XDG_CONFIG_HOME and ~/.config, /etc and /usr/share; NULL: none. */
const char *policy_standard(struct arena *arena);
/* Adds what a policy asks of an image; *rules->scope says where it stands. */
bool policy_read(struct rules *rules, struct arena *arena, const char *path, const struct reference *reference,
                 struct err *err) MUST_CHECK;

#endif
