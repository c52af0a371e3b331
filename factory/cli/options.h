/* options.h - the command line: one table gives the parser, the defaults and --help
 *
 * Threads: main only.
 * Fails with: ERR_USAGE.
 */
#ifndef IMGFACTORY_CLI_OPTIONS_H
#define IMGFACTORY_CLI_OPTIONS_H

#include "base/alters.h"
#include "base/list.h"

#include <stdint.h>
#include <stdio.h>

/* What a call does; the first word of the command line when it is one of these names, else it builds. */
enum command_kind {
    COMMAND_BUILD = 1,
    COMMAND_PUSH = 2,
    COMMAND_PULL = 4,
    COMMAND_INSPECT = 8,
    COMMAND_TAG = 16,
    COMMAND_LOGIN = 32,
    COMMAND_LOGOUT = 64,
    COMMAND_CHECK = 128,
    COMMAND_WHY = 256,
    COMMAND_CLEAN = 1u << 20, /* other numbers are left to other commands */
};

struct options {
    enum command_kind command;
    const char *arch, *source, *suite, *output, *tree, *cache, *state, *arches, *manifests, *compression;
    const char *config, *authfile, *cert_dir, *username;
    const char *push;        /* a reference, "" for --push alone, NULL when not given */
    struct strings tags;     /* --tag, of `push` */
    struct strings programs; /* --program, of `check` */
    uint64_t jobs, retries;
    uint64_t timeout_ms;  /* 0: none */
    uint64_t cache_limit; /* bytes, with has_cache_limit */
    bool has_cache_limit, has_retries, is_tls_verify_off;
    bool is_json, is_dry_run, is_rebuild, is_cache_only, is_quiet, is_verbose, is_list, is_strict, is_help, is_version;
    bool is_older_fine; /* --allow-older */
    bool is_no_push, is_no_check;
    bool is_change_accepted; /* --accept-release-change */
    bool is_password_stdin, may_lose_platforms, is_look_forced;
    struct strings words;                 /* images, or what the command works on */
    struct strings given, given_to_build; /* the options as given, without --arch; those of them that a build takes */
};

/* Parses argv (without argv[0] being used). Strings point into argv. */
bool options_parse(struct arena *arena, int argc, char **argv, struct options *ret_options, struct err *err) MUST_CHECK;
/* What the table says of one option besides how it is parsed. */
struct option_statement {
    const char *name;    /* without dashes */
    unsigned commands;   /* enum command_kind that take it */
    enum alters alters;  /* what it can do to a finished product */
    bool is_value_taken; /* behind it or after '=' */
};

/* Returns what the table says of its index-th option; name NULL behind the last. */
struct option_statement options_at(size_t index);
/* Prints usage, options and examples of the command. */
void options_print_help(FILE *out, enum command_kind command);

#endif
