/* SPDX-License-Identifier: Apache-2.0 */
/* store.h - the cache: blobs named by the SHA-256 of their bytes, and derived files named by what they were made from
 *
 * Layout below the cache directory (0700): v1/blob/sha256/ab/<64 hex>, v1/derived/<kind>/ab/<64 hex>. A file appears
 * under its final name complete or not at all (O_TMPFILE + linkat, or a private name + rename where the file system
 * lacks O_TMPFILE; leftovers of killed runs are removed by store_open() once their lock can be taken). Cache files are
 * not fsynced: every reader checks what it reads (blobs by their name, derived files by a digest over their bytes and
 * a MAC with the state's secret, so that nobody can plant one), and what is wrong, or belongs to somebody else, is
 * removed and made again. Bytes are hashed once: a file that is still the one that was hashed (hashed.h) is not hashed
 * again. Processes may share a store; what keeps it small is in store_prune.h.
 * Threads: any thread may call any function; a struct blob belongs to the thread that began it.
 * Owns: the directory descriptors, until store_close().
 * Fails with: ERR_LOCAL (detail = errno; ENOSPC names the directory and the bytes wanted), ERR_TRUST on a digest that
 * differs.
 */
#ifndef IMGFACTORY_IO_STORE_H
#define IMGFACTORY_IO_STORE_H

#include "base/checksum.h"
#include "io/file.h"
#include "io/lock.h"

#include <sys/stat.h>

struct hashed;
struct store;

/* A file being written; zero-initialise. `len` counts the bytes so far. */
struct blob {
    struct store *store;
    int fd; /* open for writing while the blob is begun */
    uint64_t len;
    struct digest_stream hash;
    char temporary_name[64]; /* empty when O_TMPFILE is used */
    bool is_begun;
    bool is_apart; /* the writer's to set: what comes now is not in the file's digest, see store_map_checked() */
};

/* A derived file, as it was when it was mapped. */
struct store_place {
    struct store *store;
    const char *kind; /* lasts */
    struct digest key;
    struct stat status;
};

/* Opens (making it if needed) the store in `path`, which has to be ours alone (owner.h). Until store_use_secret() its
 * derived files are those of this process only. A process that prunes it is waited for as `wait` (may be NULL) says. */
bool store_open(const char *path, const struct lock_wait *wait, struct store **ret_store, struct err *err) MUST_CHECK;
/* Closes it, pruned if that is due (store_prune.h). NULL is fine. */
void store_close(struct store *store);

/* Takes derived files for good that were made with this secret (secret.h), and makes such. Call it before other threads
 * use the store. */
void store_use_secret(struct store *store, const struct digest *secret);
/* Takes over what is known of hashed files, the caches' and others', in place of an empty one; closed with the store. Call it
 * before other threads use the store. */
void store_use_hashed(struct store *store, struct hashed *hashed);
/* Returns it; never NULL. */
struct hashed *store_hashed(const struct store *store);

/* What another process of ours opens the same store by. */
struct store_name {
    const char *path;
    struct digest secret;
};
/* Returns it; the path is the store's. */
struct store_name store_name(const struct store *store);
/* Takes over a blob that the other process just wrote and hashed, as if this one had: it counts as used, and is not hashed again. */
void store_take_over(struct store *store, const struct digest *digest);
/* Returns whether the disk has room for that many bytes more; false where that is not known. */
bool store_has_room(const struct store *store, uint64_t bytes);
/* Starts a file that has no name yet. End it with exactly one of blob_commit(), blob_commit_derived(), blob_abandon().
 */
bool blob_begin(struct store *store, struct blob *ret_blob, struct err *err) MUST_CHECK;
/* Appends bytes and hashes them, unless they are apart. On failure the file is dropped at once (a full disk gets its space back). */
bool blob_write(struct blob *blob, const void *bytes, size_t len, struct err *err) MUST_CHECK;
/* Ends the file as a blob named by its digest. With `expect`, other bytes are refused (ERR_TRUST "expected sha256:…,
 * got sha256:…") and nothing appears. A blob of that name that is there already is replaced. ret_digest may be NULL. */
bool blob_commit(struct blob *blob, const struct digest *expect, struct digest *ret_digest, struct err *err) MUST_CHECK;
/* Ends the file as derived/<kind>/<key>; a trailer with key, length, digest of the bytes and a MAC is appended, which
 * store_map_derived() checks and hides. The bytes start at offset 0, so they are page-aligned when mapped. `kind` is
 * one path component of our own choice. */
bool blob_commit_derived(struct blob *blob, const char *kind, const struct digest *key, struct err *err) MUST_CHECK;
/* Drops it; accepts a zeroed or ended blob. For AUTO(). */
void blob_abandon(struct blob *blob);

/* Maps the blob of that digest and hashes it unless that is known (hashed.h): *ret_found is false when it is absent, or
 * when its bytes are wrong (it is then removed, so that the caller makes it again). Fails only on other errors. */
bool store_map_blob(struct store *store, const struct digest *digest, struct view *ret_view, bool *ret_found,
                    struct err *err) MUST_CHECK;
/* Makes an empty file share the bytes of a blob that was mapped before (FICLONE: where one of them is written later, the
 * other keeps its bytes); false where the file system cannot, or when it is not the file that was mapped. */
bool store_clone_blob(const struct store *store, const struct digest *digest, int fd);
/* Opens the blob of that digest for reading, checked as store_map_blob() does; the caller closes *ret_fd, which is -1 when it is absent
 * or its bytes are wrong. */
bool store_open_blob(struct store *store, const struct digest *digest, int *ret_fd, struct err *err) MUST_CHECK;
/* Returns whether a blob with that name exists, without reading it. */
bool store_has(struct store *store, const struct digest *digest);
/* Returns whether a blob with that name and exactly that size exists, without reading it. */
bool store_has_blob(struct store *store, const struct digest *digest, uint64_t size_bytes);
/* Maps derived/<kind>/<key> and checks its MAC and, unless that is known (hashed.h), its digest; *ret_found as above. A
 * view maps the file as a whole; its `ptr` is page-aligned. */
bool store_map_derived(struct store *store, const char *kind, const struct digest *key, struct view *ret_view,
                       bool *ret_found, struct err *err) MUST_CHECK;
/* As store_map_derived(), of a file whose bytes are not all in its digest, since they have digests of their own there: is_right tells
 * whether all bytes of the view are those that this digest vouches for. It is asked only when that is not known. The place names the
 * file, and gets its status. */
bool store_map_checked(struct store_place *place,
                       bool (*is_right)(const struct view *view, const struct digest *digest), struct view *ret_view,
                       bool *ret_found, struct err *err) MUST_CHECK;
/* Returns whether the file of that name is still the one that was mapped, and nobody wrote to it since. */
bool store_is_unchanged(const struct store_place *place);
/* Returns whether derived/<kind>/<key> exists, without reading it. */
bool store_has_derived(struct store *store, const char *kind, const struct digest *key);
/* Remembers which blob has a SHA-512 (derived/sha512/<SHA-256 of it>), for what is only known by that. */
bool store_note_sha512(struct store *store, const struct checksum *sha512, const struct digest *blob,
                       struct err *err) MUST_CHECK;
/* Finds the name of the blob that was remembered. Its bytes are checked by their SHA-256 when it is mapped; that this
 * was the name of the SHA-512 is what the derived file vouches for. */
bool store_find_sha512(struct store *store, const struct checksum *sha512, struct digest *ret_blob, bool *ret_found,
                       struct err *err) MUST_CHECK;
/* Removes derived/<kind>/<key>, so that it is made again: for a caller that found its contents wrong. */
void store_drop_derived(struct store *store, const char *kind, const struct digest *key);

#endif
