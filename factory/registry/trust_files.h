/* SPDX-License-Identifier: Apache-2.0 */
/* trust_files.h - TLS material per registry: certs.d directories (containers-certs.d(5))
 *
 * The first existing of $HOME/.config/containers/certs.d/HOST, /etc/containers/certs.d/HOST, /etc/docker/certs.d/HOST
 * (HOST with :port as in the reference), or --cert-dir: *.crt are extra CAs beside the system's, X.cert with X.key a
 * client certificate (one at most). SSL_CERT_FILE takes the place of the system's bundle, SSL_CERT_DIR that of its
 * directory (hashed, as OpenSSL reads it), as for curl and Go's programs. A standard directory that this user may not read is passed over, as podman does.
 * Threads: loaded by one thread, then const.
 * Fails with: ERR_USAGE.
 */
#ifndef IMGFACTORY_REGISTRY_TRUST_FILES_H
#define IMGFACTORY_REGISTRY_TRUST_FILES_H

#include "io/http.h"

/* Loads the material for a host into `ret_tls` (strings in the arena). `cert_dir` may be NULL. */
bool trust_files_load(struct arena *arena, const char *cert_dir, const char *host, bool is_verify_off,
                      struct http_tls *ret_tls, struct err *err) MUST_CHECK;

#endif
