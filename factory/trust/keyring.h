/* SPDX-License-Identifier: Apache-2.0 */
/* keyring.h - the keys that may sign a repository, in the binary form that gpgv reads
 *
 * Files may be binary (RFC 9580, section 10.1), GnuPG keyboxes, or ASCII-armoured; armour is undone here, because gpgv
 * cannot.
 * Threads: no shared state.
 * Fails with: ERR_TRUST when no key is left (KEYRING_LACKS).
 */
#ifndef IMGFACTORY_TRUST_KEYRING_H
#define IMGFACTORY_TRUST_KEYRING_H

#include "base/digest.h"
#include "base/log.h"
#include "base/text.h"

/* `detail` of an ERR_TRUST: nothing proves that a signature is bad; this machine's keys are none that could tell, or count no more. */
#define KEYRING_LACKS 5

struct source_env;

struct keyrings {
    struct {
        struct text *items;
        size_t count, capacity;
    } parts;               /* what gpgv gets, a keyring file each */
    struct digest digest;  /* over all parts and the fingerprints that count */
    struct strings places; /* where keys came from, for messages */
    struct strings unfit;  /* "PATH (why)": files that gave none; the others count all the same */
};

/* Undoes the ASCII armour (RFC 9580, section 6.2) of all public key blocks in the bytes; text between them is passed
 * over. False when there is none or one is broken. */
bool keyring_dearmour(struct arena *arena, struct text bytes, struct text *ret_binary) MUST_CHECK;
/* Where the keys of one repository are. */
struct key_lists {
    const char *name, *place;           /* the repository's name, and where it was configured: for messages */
    const struct strings *paths;        /* of keyring files */
    const struct strings *inline_keys;  /* ASCII-armoured keys */
    const struct strings *fingerprints; /* that alone count: they go into the digest; empty: all */
};
/* Reads keyrings and inline keys into the arena. One that is damaged does not spoil the others: it is listed as
 * unfit. */
bool keyrings_load(struct arena *arena, const struct key_lists *lists, struct keyrings *ret_keyrings,
                   struct err *err) MUST_CHECK;
/* Loads keys from paths and URLs (file:, https:, http: on this machine only: a key that came in the clear proves
 * nothing). Each must give keys, else ERR_TRUST names it. Keys of URLs are fetched at most once a day, or (is_cache_only)
 * taken from the cache. Blocks on the network. */
bool keyrings_load_keys(const struct source_env *env, struct arena *arena, const struct strings *locations,
                        struct keyrings *ret_keyrings, struct err *err) MUST_CHECK;
/* Reads the bytes of one location, as the former; *ret_is_url tells that it is no file. The caller calls buf_done(). */
bool keyring_read(const struct source_env *env, struct arena *arena, const char *location, struct buf *ret_bytes,
                  bool *ret_is_url, struct err *err) MUST_CHECK;
/* Warns of the files that are passed over; `name` is the repository's. */
void keyrings_warn_unfit(struct log *log, struct arena *arena, const char *name, const struct keyrings *keyrings);
/* Returns whether bytes are whole packets (RFC 9580, section 4), with a public key among them. */
bool keyring_is_whole(struct text binary);
/* Returns what is wrong with a binary keyring ("a secret key"), or NULL: packets (RFC 9580, section 4) whose lengths fit,
 * a public key first, each subkey bound to its key by a signature, nothing secret. */
const char *keyring_fault(struct text binary);

#endif
