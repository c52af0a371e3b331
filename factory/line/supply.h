/* SPDX-License-Identifier: Apache-2.0 */
/* supply.h - selected packages to opened packages: from the store, or fetched, verified and unpacked; each once per
 * run
 *
 * Orders that want the same package (by SHA-256) share it, whatever image or architecture they are for. A package
 * moves on by itself: a worker looks into the store; if needed the network thread fetches; a worker unpacks. It is closed
 * when the last order that has it gives it back, and opened again from the store when a later one wants it.
 * Threads: supply_get() blocks; called by orders' threads. Opened packages are const for all.
 * Owns: the packages, while anybody holds them.
 * Fails with: ERR_NETWORK, ERR_TRUST, ERR_MALFORMED, ERR_LOCAL, each naming the package.
 */
#ifndef IMGFACTORY_LINE_SUPPLY_H
#define IMGFACTORY_LINE_SUPPLY_H

#include "base/workers.h"
#include "io/http.h"
#include "package/record.h"
#include "source/generations.h"
#include "source/solve.h"

struct supply;
struct supply_item;

/* What somebody holds: a package as often as he got it. Belongs to one thread at a time; the arena is given. */
struct supply_hold {
    struct arena *arena;
    LIST(struct supply_item *) items;
    bool is_recorded; /* set before: of each package the record (record.h) is wanted, too */
};

/* Creates the supply over a store, the network and the workers, which must outlive it. */
struct supply *supply_open(struct store *store, struct http *http, struct workers *workers);
/* Gets the packages of these selected ones, in the same order; ret_packages (room for `count`) points at packages that
 * live until `hold`, to which they are added, is given back. `counter` (may be NULL) counts the bytes fetched. The error is
 * that of the first package in order that failed. */
bool supply_get(struct supply *supply, const struct selected *const *selected, size_t count, _Atomic uint64_t *counter,
                struct supply_hold *hold, const struct package **ret_packages, struct err *err) MUST_CHECK;
/* Lets the memory go that holds bytes of these packages which somebody read: they can be read again, for some CPU time. For
 * who has read them and will do other things first. */
void supply_rest(const struct supply_hold *hold);
/* Opens the record of a package that was got by a hold that wants records. */
bool supply_record(struct supply *supply, const struct selected *selected, struct record *ret_record,
                   struct err *err) MUST_CHECK;
/* Gives packages back: what nobody else holds is closed. Leaves the hold empty. */
void supply_give_back(struct supply *supply, struct supply_hold *hold);
/* Closes all packages that are held still. No call may be under way. NULL is fine. */
void supply_close(struct supply *supply);

#endif
