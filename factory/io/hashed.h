/* SPDX-License-Identifier: Apache-2.0 */
/* hashed.h - files whose bytes were hashed and right, so that they need not be hashed again while they are the same files
 *
 * A file is the same while device, inode, size and both times are: the kernel alone sets the time of the last change (ctime),
 * so who writes to a file or puts another in its place is noticed, whatever other times he gives it. What nobody writes can
 * rot: after HASHED_DAYS each file is hashed again. What was written before the last power cut may not have got to the
 * disk: what is known of a file holds until this machine starts anew; then it is hashed once more, and from then on known
 * for good.
 * Kept in the state as v1/hashed/table, private as the secret (secret.h); whatever is wrong with that file, it is as if there
 * was none. It is not fsynced.
 * Threads: any thread may call any function but hashed_open() and hashed_close().
 * Owns: what it read and noted, until hashed_close().
 * Fails with: nothing; what is not known is hashed.
 */
#ifndef IMGFACTORY_IO_HASHED_H
#define IMGFACTORY_IO_HASHED_H

#include "base/digest.h"

#include <sys/stat.h>

#define HASHED_DAYS 7
/* Below, hashing is as quick as remembering. */
#define HASHED_LEN_MIN ((uint64_t)65536)

struct hashed;

/* Opens what earlier runs noted in the state directory, which has to be ours alone before anything is kept there, and need
 * not exist yet; NULL: what this process notes is all there is. With is_all_new nothing that earlier runs noted counts. */
struct hashed *hashed_open(const char *state_dir, bool is_all_new);
/* Returns whether this very file was seen to have these `len` bytes' digest. */
bool hashed_has(struct hashed *hashed, const struct stat *status, uint64_t len, const struct digest *digest);
/* Tells the digest of the `len` bytes of this very file, when it is known. */
bool hashed_find(struct hashed *hashed, const struct stat *status, uint64_t len, struct digest *ret_digest);
/* Notes that it has. `status` was taken before the bytes were hashed, or by the one who wrote them. */
void hashed_note(struct hashed *hashed, const struct stat *status, uint64_t len, const struct digest *digest);
/* Notes that we gave a file other times, which changes nothing of what is known of its bytes. */
void hashed_move(struct hashed *hashed, const struct stat *before, const struct stat *after);
/* Returns whether something was found good that a digest over everything it depends on names, this program's own file among
 * that (io/program.h). Known as long as a file's bytes are. */
bool hashed_knows(struct hashed *hashed, const struct digest *name);
/* Notes that it was. */
void hashed_learn(struct hashed *hashed, const struct digest *name);
/* Keeps what was noted for the next runs, beside what other processes noted, and frees all. NULL is fine. */
void hashed_close(struct hashed *hashed);

#endif
