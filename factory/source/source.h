/* source.h - where packages come from: the host's own apt or dnf configuration, or a source file
 *
 * Host: sources.list, sources.list.d/{*.list,*.sources} (sources.list(5)); source file: manifests/README.md,
 * "Sources".
 * Threads: made by main before other threads start, then const for all.
 * Fails with: ERR_USAGE ("FILE:LINE: …"), ERR_LOCAL.
 */
#ifndef IMGFACTORY_SOURCE_SOURCE_H
#define IMGFACTORY_SOURCE_SOURCE_H

#include "base/log.h"
#include "plan/yaml.h"

/* One suite of one repository (a `deb` line): one Release file. */
struct repository {
    const char *name;             /* for messages: "SUITE of URI" without user info */
    struct strings uris;          /* mirrors of the same repository, each ending in '/', in order of preference */
    const char *suite;            /* "bookworm"; ending in '/' for a flat repository */
    struct strings components;    /* empty for a flat repository */
    struct strings architectures; /* deb names; empty: all */
    struct strings keyrings;      /* paths of keyring files, binary or ASCII-armoured */
    struct strings inline_keys;   /* ASCII-armoured keys from Signed-By */
    struct strings fingerprints;  /* upper-case hex; when given, only signatures by these keys (or their subkeys, unless
                                     "!" stands behind) count */
    bool is_trusted;              /* no signature needed: trusted: true / [trusted=yes]; the report lists it */
    bool is_valid_until_ignored;  /* Check-Valid-Until: no */
    bool is_by_hash_off;          /* By-Hash: no */
    struct strings release_names; /* what Suite or Codename has to be, when not the suite's name */
    uint64_t max_age_days;        /* an older Release is refused; 0: none is for its age */
    bool is_optional;  /* third-party repository of the host: left out with a warning when it cannot be reached */
    const char *place; /* "FILE:LINE" where it was configured */
};

/* One RPM-MD repository (a section of a .repo file, dnf.conf(5)). Variables are replaced, except those that depend on
 * the architecture ($basearch, $arch). */
struct rpm_repository {
    const char *id, *name;             /* "fedora"; for messages */
    struct strings base_urls;          /* mirrors, first choice first */
    const char *metalink, *mirrorlist; /* or NULL */
    struct strings gpg_keys;           /* paths and URLs of public keys */
    bool is_gpg_checked;               /* gpgcheck: every package must be signed by one of the keys */
    bool is_repo_gpg_checked;          /* repo_gpgcheck: repomd.xml must be signed by one of the keys */
    int priority;                      /* lower first; default 99 */
    struct strings exclude_pkgs;       /* excludepkgs: names, globs, NAME-VERSION-RELEASE.ARCH */
    struct strings include_pkgs;       /* includepkgs, likewise; empty: all */
    bool has_module_hotfixes;          /* module_hotfixes */
    bool is_optional;                  /* skip_if_unavailable */
    uint64_t max_age_days;             /* an older repomd.xml is refused; 0: none is for its age */
    const char *place;                 /* "FILE:LINE" */
};

enum source_kind { SOURCE_DEB, SOURCE_RPM };

struct source {
    enum source_kind kind;
    const char *name; /* "host", or the file's path */
    struct {
        struct repository *items;
        size_t count, capacity;
    } repositories; /* SOURCE_DEB */
    struct {
        struct rpm_repository *items;
        size_t count, capacity;
    } rpm_repositories;     /* SOURCE_RPM */
    struct strings modules; /* SOURCE_RPM: enabled module streams, "NAME:STREAM" */
};

/* Reads the apt configuration below `apt_dir` ("/etc/apt"). Entries of type deb-src, disabled ones and CD-ROMs are
 * passed over; options apt would ignore are ignored. What is not understood is an ERR_USAGE error with its place, as
 * apt does. No enabled entry at all: ERR_USAGE that tells about --source. As in apt each URI of an entry is a
 * repository of its own; only a mirror+file list gives several mirrors of one. Repositories whose keys are not those
 * that most share are optional. */
bool source_load_host(struct arena *arena, const char *apt_dir, struct source *ret_source, struct err *err) MUST_CHECK;
/* Reads the host's own configuration, apt's below `apt_dir` or dnf's below `root` ("" for the host; yum_repos.h), by
 * which exists: apt's when both do. Neither: ERR_USAGE that names both. */
bool source_load_default(struct arena *arena, const char *apt_dir, const char *root, struct source *ret_source,
                         struct err *err) MUST_CHECK;
/* Finds a source file: a name without '/' and ".yaml" is one of those shipped in `dir`; else it is a path. ERR_USAGE
 * lists the known names and the nearest. */
bool source_find(struct arena *arena, const char *dir, const char *name, const char **ret_path,
                 struct err *err) MUST_CHECK;
/* Reads a source file; paths in it are relative to it. Its `uris` are mirrors of one repository; `uris: host` takes
 * URIs and keys of the host's main repository, and its suite and components unless they are given. */
bool source_load_file(struct arena *arena, const char *path, const char *apt_dir, struct source *ret_source,
                      struct err *err) MUST_CHECK;
/* The same for a mapping inside a manifest. */
bool source_load_node(struct arena *arena, const struct yaml_node *node, const char *apt_dir, struct source *ret_source,
                      struct err *err) MUST_CHECK;
/* Returns a URI without "user:password@", and "?…" in place of a query: what messages, logs and files may show. */
const char *source_public_uri(struct arena *arena, const char *uri);
/* Returns a URI without "user:password@" but with its query: to compare with, never to show. */
const char *source_bare_uri(struct arena *arena, const char *uri);
/* Returns the distribution's main repository: the first required one with component "main", else the first with it,
 * else the first; NULL when there is none. */
const struct repository *source_main_repository(const struct source *source);
/* Keeps only the main repository (the first that has component "main", else the first) and gives it these suites
 * (comma-separated). */
bool source_replace_suites(struct arena *arena, struct source *source, const char *suites, struct err *err) MUST_CHECK;

#endif
