/* SPDX-License-Identifier: Apache-2.0 */
/* deb_source.h - a source of Debian packages: apt's configuration of the host, or a source file of kind "deb"
 *
 * Host: sources.list, sources.list.d/{*.list,*.sources} (sources.list(5)); source file: manifests/README.md,
 * "Sources".
 * Threads: made by main before other threads start, then const for all.
 * Fails with: ERR_USAGE ("FILE:LINE: …"), ERR_LOCAL.
 */
#ifndef IMGFACTORY_DEB_DEB_SOURCE_H
#define IMGFACTORY_DEB_DEB_SOURCE_H

#include "deb/deb_pins.h"
#include "plan/yaml.h"
#include "source/repository.h"
#include "source/source.h"

/* One suite of one repository (a `deb` line): one Release file. */
struct deb_repository {
    const char *name;             /* for messages: "SUITE of URI" without user info */
    struct strings uris;          /* mirrors of the same repository, each ending in '/', in order of preference */
    const char *suite;            /* "bookworm"; ending in '/' for a flat repository */
    struct strings components;    /* empty for a flat repository */
    struct strings architectures; /* deb names; empty: all */
    struct strings without;       /* of these none is wanted of it */
    struct strings keyrings;      /* paths of keyring files, binary or ASCII-armoured */
    struct strings inline_keys;   /* ASCII-armoured keys from Signed-By */
    struct strings fingerprints;  /* upper-case hex; when given, only signatures by these keys (or their subkeys, unless
                                     "!" stands behind) count */
    bool is_trusted;              /* no signature needed: trusted: true / [trusted=yes]; the report lists it */
    bool is_valid_until_ignored;  /* Check-Valid-Until: no */
    bool is_by_hash_off;          /* By-Hash: no */
    struct strings release_names; /* what Suite or Codename has to be, when not the suite's name */
    uint64_t max_age_days;        /* an older Release is refused; 0: none is for its age */
    const char *snapshot;         /* pattern of the URIs that its former states are below (pins.h); NULL: none */
    bool is_optional;  /* third-party repository of the host: left out with a warning when it cannot be reached */
    const char *place; /* "FILE:LINE" where it was configured */
    const char *site;  /* the host's name in its URI; "" of a local one and of a list of mirrors */
};

struct deb_source {
    LIST(struct deb_repository) repositories;
    struct deb_pins pins; /* the host's; a source file has none */
};

/* What a source of the format holds. */
static inline const struct deb_source *deb_source_of(const struct source *source)
{
    return source->configured;
}
/* Returns whether packages of an architecture are wanted of the repository. */
static inline bool deb_repository_serves(const struct deb_repository *repository, const char *arch)
{
    return (!repository->architectures.count || strings_has(&repository->architectures, arch)) &&
           !strings_has(&repository->without, arch);
}
/* The repository as trust knows it. */
struct repository deb_repository_known(const struct deb_repository *repository);
/* Tells whether there is any apt configuration below `apt_dir`. */
bool apt_has_sources(const char *apt_dir, bool *ret_has, struct err *err) MUST_CHECK;
/* Reads the apt configuration below `apt_dir` ("/etc/apt"). Entries of type deb-src, disabled ones and CD-ROMs are
 * passed over; options apt would ignore are ignored. What is not understood is an ERR_USAGE error with its place, as
 * apt does. No enabled entry at all: ERR_USAGE that tells about --source. As in apt each URI of an entry is a
 * repository of its own; only a mirror+file list gives several mirrors of one. Repositories whose keys are not those
 * that most share are optional. */
bool apt_load_sources(struct arena *arena, const char *apt_dir, struct deb_source *ret_source,
                      struct err *err) MUST_CHECK;
/* Reads the mapping of a source file, or inside a manifest; paths in it are relative to its file. Its `uris` are mirrors
 * of one repository; `uris: host` takes URIs and keys of the host's main repository, and its suite and components unless
 * they are given. */
bool deb_source_load_node(struct arena *arena, const struct yaml_node *node, const char *apt_dir,
                          struct deb_source *ret_source, struct err *err) MUST_CHECK;
/* Returns the table of a source file's keys. */
const struct yaml_field *deb_source_keys(size_t *ret_count);
/* Returns the distribution's main repository: the first required one with component "main", else the first with it,
 * else the first; NULL when there is none. */
const struct deb_repository *deb_source_main(const struct deb_source *source);
/* Keeps only the main repository and gives it these suites (comma-separated), which are wanted whatever the host's
 * Default-Release is. */
bool deb_source_replace_suites(struct arena *arena, struct deb_source *source, const char *suites,
                               struct err *err) MUST_CHECK;

#endif
