/* SPDX-License-Identifier: Apache-2.0 */
/* signer.h - who signs: a private key of a file, or a command that has one (HSM, KMS)
 *
 * A file of a signer is a private key (sign_key.h), or YAML:
 *
 *     command: [sign-by-token, --slot, "2"]  # gets the bytes on standard input, prints the signature
 *     public: token.pub                      # its public key; relative to this file
 *     environment: [PKCS11_PIN_FILE]         # variables that it may see; optional
 *
 * The command's answer is the signature (DER of ECDSA, 64 bytes of Ed25519) as it is or in base64; one that the public key
 * does not verify is an error. It has SIGNER_COMMAND_MS.
 * With a broker (io/broker.h) private keys are there, and commands are run there: no process that reads hostile bytes has
 * a key, and confined threads start nothing.
 * Threads: any thread may sign.
 * Owns: struct signer owns its key until signers_close().
 * Fails with: as sign_key.h; ERR_LOCAL (the command).
 */
#ifndef IMGFACTORY_SIGN_SIGNER_H
#define IMGFACTORY_SIGN_SIGNER_H

#include "sign/sign_key.h"

struct broker;
struct workers;

#define SIGNER_COMMAND_MS 60000u
#define SIGNERS_MAX ((size_t)8) /* of one run */

struct signer {
    const char *name;       /* the file, for messages */
    struct sign_key *key;   /* private, or public when there is a command */
    struct strings command; /* none: the key signs */
    struct strings environment;
    struct workers *keeper; /* runs a command where the calling threads may not; may be NULL */
    struct broker *broker;  /* the process that has it in place of us; then the key is public. NULL: we have it */
    unsigned number;        /* there */
};

struct signers {
    struct signer items[SIGNERS_MAX];
    size_t count;
};

/* Reads the file of one more signer. */
bool signers_add(struct signers *signers, struct arena *arena, const char *path,
                 const struct sign_passphrase *passphrase, struct err *err) MUST_CHECK;
/* Hands a signer over to the broker, before that is sealed, as the one of that number, which counts from 0; what is secret of
 * it is wiped here. */
bool signer_hand_over(struct signer *signer, struct broker *broker, unsigned number, struct err *err) MUST_CHECK;
/* Returns whether the same bytes always get the same signature. */
bool signer_is_settled(const struct signer *signer);
/* Signs bytes. */
bool signer_sign(const struct signer *signer, struct arena *arena, struct text bytes, struct text *ret_signature,
                 struct err *err) MUST_CHECK;
/* Makes a bundle of a payload (envelope.h). */
bool signer_bundle(const struct signer *signer, struct arena *arena, const char *payload_type, struct text payload,
                   struct text *ret_bundle, struct err *err) MUST_CHECK;
/* Wipes and frees the keys. For AUTO(). */
void signers_close(struct signers *signers);

#endif
