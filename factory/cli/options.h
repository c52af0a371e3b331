/* SPDX-License-Identifier: Apache-2.0 */
/* options.h - the command line: one table gives the parser, the defaults and --help
 *
 * The first word that is no option and no option's value decides: a name of the table of commands is that command,
 * anything else is an image to build. Options may stand before and behind it.
 * Threads: main only.
 * Fails with: ERR_USAGE.
 */
#ifndef IMGFACTORY_CLI_OPTIONS_H
#define IMGFACTORY_CLI_OPTIONS_H

#include "base/list.h"
#include "cli/commands.h"

#include <stdint.h>
#include <stdio.h>

struct options {
    const struct command_row *command;
    /* Of a build: what its first word may have been meant as, if no image has that name: "the command 'inspect'",
     * "imgfactory --help"; or NULL. */
    const char *meant;
    const char *arch, *source, *suite, *config_root, *output, *tree, *cache, *state, *arches, *manifests, *compression;
    const char *layers; /* --layers; NULL: not given */
    const char *config, *authfile, *cert_dir, *username;
    const char *push;                   /* a reference, "" for --push alone, NULL when not given */
    const char *format, *image, *units; /* of `unit` */
    struct strings trackers;            /* files of `vex` that say which versions have a CVE */
    const char *author;                 /* of a VEX document; NULL: not said */
    const char *builder;                /* URI of who builds; NULL: not said */
    const char *sboms;                  /* folder of `sbom`; NULL: one document is printed */
    const char *pin;                    /* of `unit`: a digest, "" for --pin alone, NULL when not given */
    const char *if_running;             /* of a night: wait or end; NULL: not given */
    const char *lock_file, *vendor;     /* --lock-file, --vendor; NULL: not given */
    const char *keep;                   /* of `prune`: how long; NULL: as the site says */
    struct strings patterns;            /* --tags, of `prune` */
    bool is_yes;                        /* --yes */
    const char *update;                 /* of `lock`: a package, "" for --update alone, NULL when not given */
    const char *shard;                  /* --shard: "I/N" of a build, "N" of what is put together; NULL: not given */
    const char *plan;                   /* --plan; NULL: not given */
    bool is_plan_kept;                  /* --keep-plan */
    bool is_locked, is_lock_check;      /* --locked; --check, of `lock` */
    bool is_lock_vouching;              /* --lock-vouches */
    const char *source_date_epoch;      /* in place of the environment's; "": none; NULL: the environment's counts */
    const char *name, *rootfs, *host_root, *runtime; /* of `system`; NULL: not given */
    struct strings set;                              /* --set, of `system`: "NAME=VALUE" */
    const char *metrics, *changes;                   /* --metrics, --changes: files; or NULL */
    const char *report;                              /* --report: a folder; or NULL */
    const char *soname, *package, *file;             /* of `find --in-images`; NULL: not given */
    const char *watch;               /* --watch: a duration, "" for --watch alone, NULL when not given */
    const char *color;               /* --color: auto, always or never; NULL: not given */
    const char *parity, *on_missing; /* words of plan/together.h; NULL: not given */
    struct strings tags;             /* --tag, of `push` */
    struct strings programs;         /* --program, of `check` */
    struct strings token_origins;
    uint64_t jobs, retries;
    uint64_t timeout_ms;                 /* 0: none */
    uint64_t max_age_ms;                 /* 0: not given */
    uint64_t sync_wait_ms;               /* UINT64_MAX: not given */
    uint64_t cache_limit;                /* bytes, with has_cache_limit */
    uint64_t max_rate;                   /* bytes a second; 0: not given; UINT64_MAX: none */
    uint64_t max_connections, jitter_ms; /* 0: not given */
    const char *cache_from;
    bool has_cache_limit, has_retries, is_tls_verify_off;
    bool is_json, is_dry_run, is_rebuild, is_cache_only, is_quiet, is_verbose, is_list, is_strict, is_help, is_version;
    bool is_help_brief; /* -h, not --help */
    bool is_older_fine; /* --allow-older */
    bool is_no_push, is_no_check, is_unconfined;
    bool is_summary;
    bool is_in_images, is_past;   /* --in-images and --past, of `find` */
    bool is_exit_code, is_layers; /* --exit-code and --layers, of `diff` */
    bool is_change_accepted;      /* --accept-release-change */
    bool is_password_stdin, may_lose_platforms, is_look_forced, are_tags_kept;
    struct strings attest;         /* --attest: lists of words */
    struct strings sign;           /* --sign: files of keys or signers */
    struct strings keys;           /* --key, of `verify` */
    struct strings rebuilders;     /* --rebuilder, of `verify` */
    uint64_t quorum;               /* 0: not given */
    bool is_result_published;      /* --publish-result */
    const char *policy;            /* --policy; NULL: not given */
    const char *key_type;          /* --type, of `key`; NULL: not given */
    uint64_t passphrase_fd;        /* with has_passphrase_fd */
    bool is_without_policy;        /* --no-policy */
    const char *signed_as;         /* --signed-as; NULL: not given */
    const char *to_dir, *from_dir; /* of copy; NULL: not given */
    bool has_passphrase_fd;
    struct strings words; /* images, or what the command works on */
    struct strings given_names,
        given_values;                     /* of all options, in their order: "output" and its value; "true" of a flag */
    struct strings given, given_to_build; /* the options as given, without --arch; those of them that a build takes */
};

/* Parses argv (without argv[0] being used). Strings point into argv. */
bool options_parse(struct arena *arena, struct commands commands, int argc, char **argv, struct options *ret_options,
                   struct err *err) MUST_CHECK;

#endif
