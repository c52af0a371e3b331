/* SPDX-License-Identifier: Apache-2.0 */
/* release.h - one signed generation of a Debian repository: InRelease verified, parsed, its files listed by SHA-256 or SHA-512
 *
 * Format: https://wiki.debian.org/DebianRepository/Format, "Release" files. Trust: gpgv as a child process; accepted
 * only with GOODSIG directly followed by VALIDSIG (SHA-256 or better), no BADSIG; only gpgv's --output is parsed. Text
 * outside the signed block is refused. Fresh: Valid-Until not past, Date not more than 10 s ahead of the clock and
 * never before the last accepted Date of that repository, which is kept in the state directory (STATE/v1/seen/<sha256
 * of uri and suite>). The same: Origin, Label, Suite and Codename are those of the last accepted one; at first sight
 * Suite or Codename is what was asked for (release_names.h).
 * Threads: any; frozen after release_get() returned.
 * Fails with: ERR_TRUST, ERR_NETWORK, ERR_MALFORMED, ERR_LOCAL (gpgv missing, state unreadable).
 */
#ifndef IMGFACTORY_DEB_RELEASE_H
#define IMGFACTORY_DEB_RELEASE_H

#include "base/checksum.h"
#include "base/map.h"
#include "deb/deb_source.h"
#include "io/file.h"
#include "source/env.h"
#include "source/listed_file.h"
#include "trust/freshness.h"
#include "trust/release_state.h"

/* How old its metadata may get: the rules of the format (freshness.h). */
extern const struct freshness_rule deb_freshness[];

struct release_file {
    uint64_t size_bytes;
    struct digest digest; /* its SHA-256; with sha512 one of that, which only names it */
    bool has_sha512;      /* the Release has no SHA-256 of the file: */
    struct checksum sha512;
};

struct release {
    const struct deb_repository *repository;
    const char *uri; /* of the mirror that answered, ending in '/' */
    const char *dir; /* uri + "dists/SUITE/" (or uri + suite for flat): file names below are relative to it */
    const char *origin, *label, *suite, *codename, *version; /* NULL when absent */
    int64_t date;                                            /* seconds since the epoch */
    struct strings architectures, components;
    bool has_by_hash, is_not_automatic, is_but_automatic_upgrades;
    bool has_all_in_arch;     /* No-Support-for-Architecture-all: Packages, or no "all" in Architectures */
    struct map files;         /* "main/binary-amd64/Packages.gz" → struct release_file * */
    struct digest digest;     /* of the signed text: names the generation */
    const char *signed_by;    /* fingerprint of the key that decided, or NULL when trusted */
    bool is_first_use;        /* nothing was known of the repository before */
    struct release_mark mark; /* what is to be remembered once it proved complete */
    const struct pin *pin;    /* a lock named it: nothing of it is remembered; NULL: it is the newest */
    bool is_stand_in;         /* it is made of the packages that a lock names: it lists nothing that was signed */
    bool is_extra;            /* another generation of the repository is the first one */
    struct strings uris;      /* of a pinned one all places where its files may be; else empty */
};

/* Returns the places where its files may be: the mirrors of its repository, unless it is pinned. */
const struct strings *release_uris(const struct release *release);
/* Describes a listed file (`name` with its ending) so that it can be fetched; all of it lives in the arena. */
struct listed_file release_listed(struct arena *arena, const struct release *release, const char *name,
                                  const struct release_file *file);

/* Gets, verifies and parses one repository's Release. Blocks on the network; call it on a coordinating thread.
 * *ret_release is NULL (and true is returned, with a logged warning) when an optional repository cannot be reached. */
bool release_get(const struct source_env *env, struct arena *arena, const struct deb_repository *repository,
                 struct pin_wish wish, struct release **ret_release, struct err *err) MUST_CHECK;
/* Remembers a Release as accepted, once what it lists was there: an older one is refused from then on. */
bool release_remember(const struct source_env *env, const struct release *release, struct err *err) MUST_CHECK;
/* Finds the first listed of name.gz, name.xz, name.zst, name.bz2, name (the cheapest to decompress first); NULL when
 * none is. *ret_name lives in the arena. An empty index that only its plain form lists counts as listed. */
const struct release_file *release_find(const struct release *release, struct arena *arena, const char *name,
                                        const char **ret_name);
/* Maps a listed file as it is (`name` with its ending and `file` as release_find() gave them), fetching it when the
 * store lacks it. Blocks. The caller calls view_done(). */
bool release_map(const struct source_env *env, const struct release *release, const char *name,
                 const struct release_file *file, struct view *ret_view, struct err *err) MUST_CHECK;
/* Fetches a listed file into the store, by-hash first when offered, and returns its bytes decompressed, checked against
 * the plain size and digest when the Release lists them. Blocks. The caller calls buf_done(). */
bool release_fetch(const struct source_env *env, const struct release *release, const char *name, struct buf *ret_plain,
                   struct err *err) MUST_CHECK;

#endif
