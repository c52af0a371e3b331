/* SPDX-License-Identifier: Apache-2.0 */
/* certificates.h - the CA bundle and its links, exactly as Debian's update-ca-certificates(8) makes them
 *
 * From /usr/share/ca-certificates (all *.crt below it) of the packages and those that the manifest
 * creates below /usr/local/share/ca-certificates, each sorted by path bytes (the tool sorts in the C locale when it is installed): the bundle
 * /etc/ssl/certs/ca-certificates.crt, one link NAME.pem for each certificate (blanks and commas become '_',
 * parentheses '='), and one link HASH.N for each .pem with exactly one certificate, as `openssl rehash` makes them
 * (openssl-rehash(1): the subject's hash, N counts those of one hash by name, the same certificate counts once).
 * Threads: pure function of its inputs.
 * Fails with: ERR_TRUST (bytes that differ from their digest), ERR_MALFORMED (more than 2,000 certificates, one above
 * 1 MiB or with a NUL byte).
 */
#ifndef IMGFACTORY_EFFECT_CERTIFICATES_H
#define IMGFACTORY_EFFECT_CERTIFICATES_H

#include "closure/fileset.h"
#include "plan/wishes.h"

/* Returns bundle and links, except at paths that `wishes` make already. No certificates: nothing. */
bool certificates_make(struct arena *arena, const struct fileset *set, const struct wishes *wishes,
                       struct wishes *ret_wishes, struct err *err) MUST_CHECK;
/* Adds the packages' certificates to the list of those that count (/etc/ca-certificates.conf), of which the package's script
 * has made the head, as its questions' defaults say: all of them. Without it the tool would take them out of the bundle. */
void certificates_list(struct arena *arena, const struct fileset *set, struct wishes *wishes);

#endif
