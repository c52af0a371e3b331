/* SPDX-License-Identifier: Apache-2.0 */
/* rpm_metadata.h - one generation of an RPM-MD repository: repomd.xml trusted, parsed, its files listed by checksum
 *
 * Format: https://github.com/openSUSE/libzypp and createrepo_c's repomd.xml ("RPM metadata"); metalink: Metalink 3.0 as
 * Fedora's mirror manager makes it (mm0:timestamp, hashes and alternates of repomd.xml). Trust: the hashes of a
 * metalink that came over https, or repomd.xml.asc when repo_gpgcheck, or (gpgcheck alone) the signatures of the
 * packages. Mirrors whose repomd.xml has no hash of the metalink are stale or broken and passed over. Fresh: never an
 * older revision or timestamp than the last accepted one, and never other tags than that had; what was accepted is
 * kept in the state directory when the packages were seen to be of the right architecture, too.
 * Threads: any; frozen after rpm_metadata_get() returned.
 * Fails with: ERR_TRUST, ERR_NETWORK, ERR_MALFORMED, ERR_LOCAL.
 */
#ifndef IMGFACTORY_RPMMD_RPM_METADATA_H
#define IMGFACTORY_RPMMD_RPM_METADATA_H

#include "plan/arch.h"
#include "rpmmd/rpm_source.h"
#include "source/env.h"
#include "source/listed_file.h"
#include "source/origin.h"
#include "trust/freshness.h"
#include "trust/release_state.h"

/* What release_state.h and locks have in place of a suite. */
#define RPM_METADATA_SUITE "repomd.xml"

/* How old its metadata may get: the rules of the format (freshness.h). */
extern const struct freshness_rule rpm_freshness[];

/* A file that repomd.xml lists. SHA-256 or SHA-512; weaker ones are refused. */
struct rpm_metadata_file {
    const char *type; /* "primary", "filelists", "modules", "group", … */
    const char *href; /* relative, without ".." and scheme */
    struct checksum checksum, open_checksum;
    bool has_open_checksum;
    uint64_t size_bytes, open_size_bytes; /* 0 where it does not say */
};

struct rpm_metadata {
    const struct rpm_repository *repository;
    struct origin origin;              /* package_keys set when gpgcheck */
    struct repository remembered;      /* what release_state.h knows it by */
    const struct pin *pin;             /* a lock named it; NULL: it is the newest */
    struct release_mark mark;          /* what is to be remembered; without arches */
    const struct release_mark *former; /* what was accepted last, or NULL */
    bool is_recalled;                  /* it is what was accepted last: nothing is to be remembered */
    struct {
        struct rpm_metadata_file *items;
        size_t count, capacity;
    } files;
};

/* Gets, verifies and parses repomd.xml of a generation for an architecture. Blocks on the network; call it on a coordinating thread.
 * *ret_metadata is NULL (and true is returned, with a logged warning) when an optional repository cannot be reached. */
bool rpm_metadata_get(const struct source_env *env, struct arena *arena, const struct rpm_repository *repository,
                      const struct arch *arch, struct pin_wish wish, struct rpm_metadata **ret_metadata,
                      struct err *err) MUST_CHECK;
/* Checks that the packages are of the architecture that was asked for: a repository of another one, under a URL that
 * depends on the architecture, or that had packages of it before, is refused (ERR_TRUST). `arches` are the names that its
 * packages have, without noarch, sorted. */
bool rpm_metadata_check_arches(const struct rpm_metadata *metadata, struct arena *arena, const struct arch *arch,
                               const struct strings *arches, struct err *err) MUST_CHECK;
/* Remembers it as the last accepted one. */
bool rpm_metadata_remember(const struct source_env *env, const struct rpm_metadata *metadata, struct arena *arena,
                           const struct strings *arches, struct err *err) MUST_CHECK;
/* Finds a file by type ("primary"); NULL when there is none. Only a zchunk variant ("primary_zck" aside) of it:
 * ERR_MALFORMED is for rpm_metadata_fetch() to set. */
const struct rpm_metadata_file *rpm_metadata_find(const struct rpm_metadata *metadata, const char *type);
/* Describes a listed file so that it can be fetched; all of it lives in the arena. */
struct listed_file rpm_metadata_listed(struct arena *arena, const struct rpm_metadata *metadata,
                                       const struct rpm_metadata_file *file);
/* Fetches a listed file into the store from the mirror that answered, then the others, and returns its bytes
 * decompressed (gz, xz, zst, bz2 or plain), checked against both checksums and sizes. Blocks. The caller calls
 * buf_done(). */
bool rpm_metadata_fetch(const struct source_env *env, const struct rpm_metadata *metadata,
                        const struct rpm_metadata_file *file, struct buf *ret_plain, struct err *err) MUST_CHECK;

#endif
