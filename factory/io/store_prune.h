/* SPDX-License-Identifier: Apache-2.0 */
/* store_prune.h - keeping the cache within bounds, beside other processes that use it
 *
 * Every process that has a store open holds v1/users locked in shared mode. Whoever gets that lock alone may remove
 * anything; beside others only what nobody used for two days is removed, which is more than a process lives and a mark
 * may be old. The mark of use is a file's modification time: set when it is made, and when it is used at most once a
 * day (whatever the mount options say of access times). Old marks are renewed under the shared lock of v1/marks, and
 * pruning looks again under the exclusive one, so that nothing goes that is being marked.
 * v1/sizes is a list of little-endian 64-bit numbers, one added for each file that comes or goes: their sum is what the
 * cache holds, roughly, and costs nobody a walk. Missing, or of odd length: the cache is walked and its size written.
 * v1/held/<name> is what somebody's file (a lock) names: its path, a line, and names of blobs, a line each. These are not removed
 * as long as that file is there; when it is gone, the list goes, too.
 * The state directory is not touched.
 */
#ifndef IMGFACTORY_IO_STORE_PRUNE_H
#define IMGFACTORY_IO_STORE_PRUNE_H

#include "io/lock.h"
#include "io/store.h"

struct prune_request {
    uint64_t limit_bytes;      /* nothing is removed unless there are more than this … */
    uint64_t keep_bytes;       /* … and then the longest unused until at most this many are left */
    bool is_dry_run;           /* only count */
    const atomic_bool *cancel; /* may be NULL */
};

/* Sizes in whole blocks of 4 KiB. */
struct prune_result {
    uint64_t freed_bytes, kept_bytes;
    size_t freed_count, kept_count;
    uint64_t held_bytes; /* of those that are kept: what lists in v1/held name */
    bool is_shared;      /* other processes use the cache: what they may need was kept */
};

/* Keeps blobs, by their names in hex, as long as there is a file of that absolute path; in place of those that were held for it
 * before. A store that is only read holds nothing, which is no error. */
bool store_hold(struct store *store, const char *path, const struct strings *names, struct err *err) MUST_CHECK;
/* Removes files of the store. The caller must not need anything in it any more when it is the only user. */
bool store_prune(struct store *store, const struct prune_request *request, struct prune_result *ret_result,
                 struct err *err) MUST_CHECK;
/* Keeps the store below limit_bytes (UINT64_MAX: no limit): prunes now if it is above, and in store_close() if anything
 * was added. To a tenth below, so that not every run prunes. Failures are told as warnings. `wait` must live as long
 * as the store. */
void store_keep_below(struct store *store, uint64_t limit_bytes, const struct lock_wait *wait);

#endif
