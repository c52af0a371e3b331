/* SPDX-License-Identifier: Apache-2.0 */
/* signer_wire.h - signers, and what they are to sign, as messages between two processes (wire.h)
 *
 * Threads: no shared state.
 * Fails with: as signer.h; ERR_INTERNAL for what is no message.
 */
#ifndef IMGFACTORY_SIGN_SIGNER_WIRE_H
#define IMGFACTORY_SIGN_SIGNER_WIRE_H

#include "io/wire.h"
#include "sign/signer.h"

#define SIGN_BYTES_MAX ((size_t)512 << 20) /* of what is signed at a time */

/* Writes a signer with its private key, which is not encrypted in there. */
bool signer_wire_put(struct wire_writer *writer, const struct signer *signer, struct err *err) MUST_CHECK;
/* Reads a signer. */
bool signer_wire_get(struct wire_reader *reader, struct arena *arena, struct signer *ret_signer,
                     struct err *err) MUST_CHECK;
/* Writes bytes that are to be signed; many go as a file in memory, *ret_fd, which the caller closes (-1: there is none). */
bool signer_wire_put_bytes(struct wire_writer *writer, struct text bytes, int *ret_fd, struct err *err) MUST_CHECK;
/* Reads them, out of the descriptor, too, unless that is -1. `ret` is initialised here; the caller calls buf_done(). */
bool signer_wire_get_bytes(struct wire_reader *reader, int fd, struct buf *ret, struct err *err) MUST_CHECK;

#endif
