/* SPDX-License-Identifier: Apache-2.0 */
/* site.h - the site file: where this site's images go, and defaults of options
 *
 * The first of --config, ./imgfactory.yaml, $XDG_CONFIG_HOME/imgfactory/imgfactory.yaml (~/.config),
 * /etc/imgfactory/imgfactory.yaml. Keys: registry, namespace, tags, push (true, false), tls-verify (true, false),
 * authfile, token-origins, arch (one or a list), source, output, compression, jobs, retries, strict,
 * allow-older, keep-existing-tags, timeout, sync-wait, cache-limit, cache-from, max-rate, max-connections, jitter, confine (true, false), images, if-running, parity,
 * on-missing, status, report, history, keep, prune.
 * factory/registry/README.md describes them.
 * Threads: main only, then const.
 * Fails with: ERR_USAGE with place.
 */
#ifndef IMGFACTORY_PLAN_SITE_H
#define IMGFACTORY_PLAN_SITE_H

#include "plan/site_image.h"

#define SITE_RATE_LEAST ((uint64_t)32 << 10) /* of max-rate: mirrors that are slower are given up */

struct site {
    const char *path;                 /* NULL: no site file */
    const struct yaml_node *root;     /* of the file, as it is written; NULL: none, or an empty one */
    const char *registry, *namespace; /* "quay.io", "example": an image goes to REGISTRY/NAMESPACE/NAME */
    struct strings tags;              /* templates for manifests that have none of their own; empty: not given */
    struct tag_rules tag_rules;       /* one for each of them */
    struct tag_keep keep;             /* keep: of all images that have none of their own */
    bool is_pruned;                   /* prune: true: nights delete what no `keep` keeps */
    bool has_push, is_push;           /* push: whether a configured destination is used by default (default: true) */
    const char *authfile, *arch, *source, *output, *compression; /* NULL: not given; paths are relative to the file */
    const char *layers;                                          /* as --layers; NULL: not given */
    uint64_t jobs, retries;                                      /* 0: not given */
    bool has_retries;
    uint64_t timeout_ms;   /* timeout: 2h; 0: not given */
    uint64_t sync_wait_ms; /* sync-wait: 10m, with has_sync_wait */
    bool has_sync_wait;
    uint64_t cache_limit; /* cache-limit: 8G: bytes, with has_cache_limit */
    bool has_cache_limit;
    const char *cache_from;   /* cache-from: a folder; NULL: not given */
    uint64_t max_rate;        /* max-rate: 20M: bytes a second; 0: not given; UINT64_MAX: none */
    uint64_t max_connections; /* 0: not given */
    uint64_t jitter_ms;       /* jitter: 5m; 0: not given */
    struct strings token_origins;
    struct site_images images;       /* images: what `imgfactory` without names builds */
    const char *if_running;          /* if-running: as --if-running; NULL: not given */
    const char *parity, *on_missing; /* of all images that have none of their own; NULL: not given */
    bool is_history_pushed;          /* history: registry */
    const char *report;              /* report: where pages of nights are written: a folder; NULL: nowhere */
    const char *status;              /* status: where nights write their record, as it is written; NULL: nowhere */
    struct strings sign;             /* sign: files of keys (sign/signer.h) that what is pushed is signed with */
    struct strings attest;           /* attest: what is attached to what is pushed (sbom/attest.h) */
    const char *builder;             /* builder: URI of who builds, for the provenance; NULL: not said */
    struct strings trackers;         /* trackers: files for VEX documents (sbom/vex.h) */
    bool is_strict;                  /* strict: true: as --strict */
    bool is_older_fine;              /* allow-older: true: as --allow-older */
    bool are_tags_kept;              /* keep-existing-tags: true: as --keep-existing-tags */
    bool is_tls_verify_off;          /* tls-verify: false: for a lab registry */
    bool is_unconfined;              /* confine: false: as --no-confine */
};

/* Returns the table of the file's keys, for the test that sets each and looks at the key of products. */
const struct yaml_field *site_keys(size_t *ret_count);
/* Loads the site file; `config` (from --config) must exist when it is given. */
bool site_load(struct arena *arena, const char *config, struct site *ret_site, struct err *err) MUST_CHECK;
/* Tells why a text is not the origin of a token service ("https://HOST[:PORT]"), or NULL. */
const char *site_why_not_origin(const char *origin);

/* Tells why a text is no value of --if-running, or NULL. */
const char *site_why_not_if_running(const char *word);
/* Returns where its registry and namespace put the image of a name; NULL without. */
const char *site_destination(struct arena *arena, const struct site *site, const char *name);
/* Returns where an image is pushed to, when it is: what the site says of it (`own`, may be NULL), else its manifest (`of_manifest`,
 * may be NULL), else the registry and namespace; NULL: nothing says. */
const char *site_place(struct arena *arena, const struct site *site, const struct site_image *own,
                       const char *of_manifest, const char *name);
/* Returns whether an image of the site that has a place is pushed there without being asked. */
bool site_is_pushed(const struct site *site, const struct site_image *own);

#endif
