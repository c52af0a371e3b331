/* options.h - the command line: one table gives the parser, the defaults and --help
 *
 * Threads: main only.
 * Fails with: ERR_USAGE.
 */
#ifndef IMGFACTORY_CLI_OPTIONS_H
#define IMGFACTORY_CLI_OPTIONS_H

#include "base/list.h"

#include <stdint.h>
#include <stdio.h>

struct options {
    const char *arch, *source, *suite, *output, *tree, *cache, *state, *arches, *manifests, *compression;
    uint64_t jobs, retries;
    bool is_json, is_dry_run, is_rebuild, is_cache_only, is_quiet, is_verbose, is_list, is_help, is_version;
    struct strings images;
};

/* Parses argv (without argv[0] being used). Strings point into argv. */
bool options_parse(struct arena *arena, int argc, char **argv, struct options *ret_options, struct err *err) MUST_CHECK;
/* Prints usage, options and examples. */
void options_print_help(FILE *out);

#endif
