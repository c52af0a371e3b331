/* supply.h - selected packages to opened packages: from the store, or fetched, verified and unpacked; each once per
 * run
 *
 * Orders that want the same package (by SHA-256) share it, whatever image or architecture they are for. A package
 * moves on by itself: a worker looks into the store; if needed the network thread fetches; a worker unpacks.
 * Threads: supply_get() blocks; called by orders' threads. Opened packages are const for all.
 * Owns: the packages, until supply_close().
 * Fails with: ERR_NETWORK, ERR_TRUST, ERR_MALFORMED, ERR_LOCAL, each naming the package.
 */
#ifndef IMGFACTORY_LINE_SUPPLY_H
#define IMGFACTORY_LINE_SUPPLY_H

#include "base/workers.h"
#include "io/http.h"
#include "package/package.h"
#include "source/solve.h"

struct supply;

/* Creates the supply over a store, the network and the workers, which must outlive it. */
struct supply *supply_open(struct store *store, struct http *http, struct workers *workers);
/* Gets the packages of these selected ones, in the same order; ret_packages (room for `count`) points at packages that
 * live until supply_close(). `counter` (may be NULL) counts the bytes fetched. The error is that of the first package
 * in order that failed. */
bool supply_get(struct supply *supply, const struct selected *const *selected, size_t count, _Atomic uint64_t *counter,
                const struct package **ret_packages, struct err *err) MUST_CHECK;
/* Closes all packages. No call may be under way. NULL is fine. */
void supply_close(struct supply *supply);

#endif
