#include "cli/options.h"
#include "base/units.h"

#include <stddef.h>

enum option_kind {
    OPTION_STRING,
    OPTION_STRINGS,
    OPTION_MAYBE_STRING,
    OPTION_NUMBER,
    OPTION_DURATION,
    OPTION_SIZE,
    OPTION_BOOL,
    OPTION_FLAG
};

struct option_row {
    char letter; /* 0: none */
    const char *name, *value, *help;
    enum option_kind kind;
    size_t offset;
    unsigned commands;    /* enum command_kind that take it */
    uint64_t least, most; /* OPTION_NUMBER */
    enum alters alters;   /* what it can do to a finished product */
};

/* A row, which cannot be without any of its statements. */
#define OPTION(letter, name, value, help, kind, field, commands, least, most, alters)                                  \
    {                                                                                                                  \
        letter, name, value, help, kind, AT(field), commands, least, most, alters                                      \
    }

#define AT(field) offsetof(struct options, field)
#define BUILD COMMAND_BUILD
#define NETWORKED (ALL & ~COMMAND_CLEAN)
#define ALL                                                                                                            \
    (COMMAND_BUILD | COMMAND_PUSH | COMMAND_PULL | COMMAND_INSPECT | COMMAND_TAG | COMMAND_LOGIN | COMMAND_LOGOUT |    \
     COMMAND_CHECK | COMMAND_WHY | COMMAND_CLEAN)

static const struct option_row rows[] = {
    OPTION('a', "arch", "LIST",
           "architectures: names separated by commas, or \"all\" that the manifest\nallows (default: this machine's; "
           "check: "
           "all that are found)",
           OPTION_STRING, arch, BUILD | COMMAND_WHY | COMMAND_CHECK, 0, 0, ALTERS_ORDER),
    OPTION(
        's', "source", "FILE",
        "take packages from this source, a file or the name of a shipped one\n(fedora-41), instead of the host's own "
        "configuration",
        OPTION_STRING, source, BUILD | COMMAND_WHY, 0, 0, ALTERS_ORDER),
    OPTION(0, "suite", "NAME", "take these suites of the host's main repository, as in \"trixie\"", OPTION_STRING,
           suite, BUILD | COMMAND_WHY, 0, 0, ALTERS_ORDER),
    OPTION('o', "output", "DIR", "write OCI layouts to DIR/IMAGE (default: out)", OPTION_STRING, output,
           BUILD | COMMAND_PUSH | COMMAND_PULL | COMMAND_INSPECT | COMMAND_CHECK, 0, 0, ALTERS_NOTHING),
    OPTION('t', "tree", "DIR", "also write each file tree to DIR/IMAGE/ARCH", OPTION_STRING, tree, BUILD, 0, 0,
           ALTERS_NOTHING),
    OPTION('c', "compression", "NAME", "of layers: gzip (default) or zstd", OPTION_STRING, compression, BUILD, 0, 0,
           ALTERS_INPUTS),
    OPTION(0, "push", "[=REF]",
           "push each image when it is built: to REF, or where manifest or\nsite file say; with a destination there "
           "this is "
           "the default",
           OPTION_MAYBE_STRING, push, BUILD, 0, 0, ALTERS_NOTHING),
    OPTION(0, "no-push", NULL, "do not push, whatever manifest and site file say", OPTION_FLAG, is_no_push, BUILD, 0, 0,
           ALTERS_NOTHING),
    OPTION(0, "allow-fewer-platforms", NULL, "let a tag lose platforms that it has", OPTION_FLAG, may_lose_platforms,
           BUILD | COMMAND_PUSH | COMMAND_TAG, 0, 0, ALTERS_NOTHING),
    OPTION(0, "verify-remote", NULL, "ask the registry for every blob, although it had them all less than a\nweek ago",
           OPTION_FLAG, is_look_forced, BUILD | COMMAND_PUSH | COMMAND_TAG, 0, 0, ALTERS_NOTHING),
    OPTION(0, "tag", "TAG", "push under this tag (again for more; default: the layout's tags)", OPTION_STRINGS, tags,
           COMMAND_PUSH, 0, 0, ALTERS_NOTHING),
    OPTION('u', "username", "NAME", "user or robot account (default: asked for)", OPTION_STRING, username,
           COMMAND_LOGIN, 0, 0, ALTERS_NOTHING),
    OPTION(0, "password-stdin", NULL, "read the password or token from standard input", OPTION_FLAG, is_password_stdin,
           COMMAND_LOGIN, 0, 0, ALTERS_NOTHING),
    OPTION(0, "authfile", "FILE", "credentials, as podman and docker keep them (default: theirs)", OPTION_STRING,
           authfile, NETWORKED, 0, 0, ALTERS_NOTHING),
    OPTION(0, "cert-dir", "DIR", "CA and client certificates of the registry (default: certs.d)", OPTION_STRING,
           cert_dir, NETWORKED, 0, 0, ALTERS_NOTHING),
    OPTION(0, "tls-verify", "BOOL", "false: for a lab registry with a bad certificate or plain http", OPTION_BOOL,
           is_tls_verify_off, NETWORKED, 0, 0, ALTERS_NOTHING),
    OPTION(0, "config", "FILE",
           "site file (default: imgfactory.yaml here, in ~/.config/imgfactory or\n/etc/imgfactory)", OPTION_STRING,
           config, ALL, 0, 0, ALTERS_INPUTS),
    OPTION('j', "jobs", "N", "compute on N threads (default: one per processor)", OPTION_NUMBER, jobs,
           BUILD | COMMAND_CHECK | COMMAND_WHY, 1, 256, ALTERS_NOTHING),
    OPTION('n', "dry-run", NULL, "print what would be used (clean: removed), and stop", OPTION_FLAG, is_dry_run,
           BUILD | COMMAND_CLEAN, 0, 0, ALTERS_NOTHING),
    OPTION(0, "program", "PATH",
           "of a directory: must be there and start (again for more; an image's\nentry point is known)", OPTION_STRINGS,
           programs, COMMAND_CHECK, 0, 0, ALTERS_NOTHING),
    OPTION(0, "no-check", NULL, "do not prove that everything in the image can start", OPTION_FLAG, is_no_check, BUILD,
           0, 0, ALTERS_INPUTS),
    OPTION(0, "strict", NULL,
           "fail when a package's script would have done something that no recipe\nand no manifest does instead",
           OPTION_FLAG, is_strict, BUILD, 0, 0, ALTERS_INPUTS),
    OPTION(0, "allow-older", NULL,
           "when the newest version of a package cannot be installed, take another\nthat can, with a note, instead of "
           "failing",
           OPTION_FLAG, is_older_fine, BUILD | COMMAND_WHY, 0, 0, ALTERS_INPUTS),
    OPTION(0, "rebuild", NULL, "do not use finished layers of an earlier run", OPTION_FLAG, is_rebuild,
           BUILD | COMMAND_WHY, 0, 0, ALTERS_NOTHING),
    OPTION(0, "cache-only", NULL, "do not ask the network for newer indices; use the last verified ones", OPTION_FLAG,
           is_cache_only, BUILD | COMMAND_WHY, 0, 0, ALTERS_NOTHING),
    OPTION(0, "accept-release-change", NULL,
           "accept, once, that a repository calls itself otherwise than before or than\nit was asked for (a new stable "
           "release)",
           OPTION_FLAG, is_change_accepted, BUILD | COMMAND_WHY, 0, 0, ALTERS_NOTHING),
    OPTION(0, "retries", "N", "try a failed transfer N more times (default: 4)", OPTION_NUMBER, retries, NETWORKED, 0,
           20, ALTERS_NOTHING),
    OPTION(0, "timeout", "DURATION", "end the run, with status 6, when it is not done by then (90s, 10m, 2h)",
           OPTION_DURATION, timeout_ms, NETWORKED, 0, 0, ALTERS_NOTHING),
    OPTION(0, "cache-limit", "SIZE",
           "remove what was not used for longest when the cache is larger (500M,\n8G; none; default: 8G)", OPTION_SIZE,
           cache_limit, BUILD | COMMAND_WHY | COMMAND_PULL | COMMAND_INSPECT | COMMAND_CHECK | COMMAND_CLEAN, 0, 0,
           ALTERS_NOTHING),
    OPTION(0, "cache", "DIR", "downloads and unpacked packages (default: ~/.cache/imgfactory)", OPTION_STRING, cache,
           ALL, 0, 0, ALTERS_NOTHING),
    OPTION(0, "state", "DIR", "what was last accepted of each repository\n(default: ~/.local/state/imgfactory)",
           OPTION_STRING, state, ALL, 0, 0, ALTERS_NOTHING),
    OPTION(0, "arches", "DIR", "architecture files (default: as installed)", OPTION_STRING, arches,
           BUILD | COMMAND_WHY | COMMAND_CHECK, 0, 0, ALTERS_ORDER),
    OPTION(0, "manifests", "DIR", "manifests (default: as installed)", OPTION_STRING, manifests, BUILD | COMMAND_WHY, 0,
           0, ALTERS_ORDER),
    OPTION(0, "json", NULL, "print the report as JSON", OPTION_FLAG, is_json, ALL, 0, 0, ALTERS_NOTHING),
    OPTION('l', "list", NULL, "list the images, architectures and sources that are known, and stop", OPTION_FLAG,
           is_list, BUILD, 0, 0, ALTERS_NOTHING),
    OPTION('q', "quiet", NULL, "print errors and warnings only", OPTION_FLAG, is_quiet, ALL, 0, 0, ALTERS_NOTHING),
    OPTION('v', "verbose", NULL, "tell each step", OPTION_FLAG, is_verbose, ALL, 0, 0, ALTERS_NOTHING),
    OPTION('h', "help", NULL, "print this help, and stop", OPTION_FLAG, is_help, ALL, 0, 0, ALTERS_NOTHING),
    OPTION('V', "version", NULL, "print the version, and stop", OPTION_FLAG, is_version, ALL, 0, 0, ALTERS_NOTHING),
};

struct command_row {
    enum command_kind kind;
    const char *name, *words, *help;
    size_t least_words, most_words;
};

static const struct command_row commands[] = {
    {COMMAND_BUILD, "build", "IMAGE...",
     "Builds minimal multi-architecture OCI images of distribution services. IMAGE is the name of a\n"
     "manifest (see --list) or a path to one (./my.yaml). The word \"build\" may be left out.",
     0, SIZE_MAX},
    {COMMAND_PUSH, "push", "LAYOUT[:TAG]|NAME REF",
     "Pushes what was built before: all blobs, the manifests, the index, then the tags.", 2, 2},
    {COMMAND_PULL, "pull", "REF", "Gets an image into the cache, verified, and writes it to DIR/NAME with --output.", 1,
     1},
    {COMMAND_INSPECT, "inspect", "REF|LAYOUT[:TAG]",
     "Shows the platforms, layers, sizes and configuration of an image.", 1, 1},
    {COMMAND_CHECK, "check", "DIR...|LAYOUT[:TAG]|REF",
     "Proves of any image or root directory that everything in it can start: each program's\n"
     "loader, libraries, symbol versions and symbols, as its own dynamic loader would find them.\n"
     "Nothing of it is run. Exit status 5 when something is missing.",
     1, SIZE_MAX},
    {COMMAND_TAG, "tag", "REF@DIGEST TAG",
     "Points a tag at an image that is in the registry: to publish again what was\n"
     "published before.",
     2, 2},
    {COMMAND_WHY, "why", "IMAGE PATH...",
     "Tells why a file is in an image: the chain from the manifest to it, with packages and repository;\n"
     "or why not: which package ships it.",
     2, SIZE_MAX},
    {COMMAND_CLEAN, "clean", "",
     "Removes from the cache what no running process may need: all of it, or with --cache-limit what was\n"
     "not used for longest until the rest is that small. What is remembered of repositories stays.",
     0, 0},
    {COMMAND_LOGIN, "login", "REGISTRY", "Tries a credential and keeps it where podman and skopeo find it, too.", 1, 1},
    {COMMAND_LOGOUT, "logout", "REGISTRY", "Removes the credential of a registry.", 1, 1},
};

static const struct command_row *find_command(enum command_kind kind)
{
    for (size_t i = 1; i < ARRAY_COUNT(commands); i++) {
        if (commands[i].kind == kind)
            return &commands[i];
    }
    return &commands[0];
}

struct option_statement options_at(size_t index)
{
    if (index >= ARRAY_COUNT(rows))
        return (struct option_statement){0};
    const struct option_row *row = &rows[index];
    return (struct option_statement){row->name, row->commands, row->alters, row->kind != OPTION_FLAG};
}

static const struct option_row *find_letter(char letter)
{
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        if (rows[i].letter && rows[i].letter == letter)
            return &rows[i];
    }
    return NULL;
}

static const struct option_row *find_name(struct text name)
{
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        if (text_is(name, rows[i].name))
            return &rows[i];
    }
    return NULL;
}

static bool fail_unknown(const char *argument, struct text name, struct err *err)
{
    const char *names[ARRAY_COUNT(rows)];
    char wanted[64];
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++)
        names[i] = rows[i].name;
    (void)snprintf(wanted, sizeof wanted, "%.*s", (int)(name.len < 63 ? name.len : 63), name.ptr);
    const char *nearest = text_nearest(wanted, names, ARRAY_COUNT(names));
    if (nearest)
        err_set(err, ERR_USAGE, "unknown option %s; did you mean --%s?", argument, nearest);
    else
        err_set(err, ERR_USAGE, "unknown option %s; see imgfactory --help", argument);
    return false;
}

static bool store_duration(const struct option_row *row, const char *value, uint64_t *field, struct err *err)
{
    if (units_parse_duration(text_of(value), field) && *field > 0)
        return true;
    err_set(err, ERR_USAGE, "--%s wants a duration with its unit, such as 90s, 10m or 2h, not \"%s\"", row->name,
            value);
    return false;
}

static bool store_size(const struct option_row *row, const char *value, uint64_t *field, struct err *err)
{
    if (units_parse_size(text_of(value), field))
        return true;
    err_set(err, ERR_USAGE, "--%s wants a size with its unit, such as 500M or 8G, or none, not \"%s\"", row->name,
            value);
    return false;
}

static bool store_number(const struct option_row *row, const char *value, uint64_t *field, struct err *err)
{
    if (text_parse_u64(text_of(value), field) && *field >= row->least && *field <= row->most)
        return true;
    err_set(err, ERR_USAGE, "--%s wants a number from %llu to %llu, not \"%s\"", row->name,
            (unsigned long long)row->least, (unsigned long long)row->most, value);
    return false;
}

/* --tls-verify=false: the field says what is off. */
static bool store_bool(const struct option_row *row, const char *value, bool *field, struct err *err)
{
    bool is_true = strcmp(value, "true") == 0;
    if (!is_true && strcmp(value, "false") != 0) {
        err_set(err, ERR_USAGE, "--%s wants true or false, not \"%s\"", row->name, value);
        return false;
    }
    *field = !is_true;
    return true;
}

/* Stores a value or sets a flag. */
static bool store(struct arena *arena, const struct option_row *row, const char *value, struct options *options,
                  struct err *err)
{
    char *field = (char *)options + row->offset;
    if (row->kind != OPTION_FLAG && row->kind != OPTION_MAYBE_STRING && !*value) {
        err_set(err, ERR_USAGE, "--%s needs a value that is not empty", row->name);
        return false;
    }
    switch (row->kind) {
    case OPTION_FLAG:
        *(bool *)field = true;
        return true;
    case OPTION_MAYBE_STRING:
    case OPTION_STRING:
        *(const char **)field = value ? value : "";
        return true;
    case OPTION_STRINGS:
        list_add(arena, (struct strings *)field, value);
        return true;
    case OPTION_BOOL:
        return store_bool(row, value, (bool *)field, err);
    case OPTION_NUMBER:
        options->has_retries = options->has_retries || row->offset == AT(retries);
        return store_number(row, value, (uint64_t *)field, err);
    case OPTION_DURATION:
        return store_duration(row, value, (uint64_t *)field, err);
    case OPTION_SIZE:
        options->has_cache_limit = true;
        return store_size(row, value, (uint64_t *)field, err);
    }
    return false;
}

/* The rest of an argument list. */
struct arguments {
    int count;
    char **items;
    int at;
};

/* Parses the option at items[at]; moves on when its value is the next argument. */
static bool parse_option(struct arena *arena, struct arguments *arguments, struct options *options, struct err *err)
{
    int first = arguments->at;
    const char *argument = arguments->items[first], *value = NULL;
    const struct option_row *row;
    struct text name;
    if (argument[1] == '-') {
        const char *equals = strchr(argument, '=');
        name = (struct text){argument + 2, equals ? (size_t)(equals - argument - 2) : strlen(argument + 2)};
        value = equals ? equals + 1 : NULL;
        row = find_name(name);
    } else {
        name = text_of(argument + 1);
        row = find_letter(argument[1]);
        if (argument[2])
            value = argument + 2;
    }
    if (!row)
        return fail_unknown(argument, name, err);
    if (!(row->commands & options->command)) {
        err_set(err, ERR_USAGE, "imgfactory %s takes no --%s", find_command(options->command)->name, row->name);
        return false;
    }
    if (row->kind == OPTION_FLAG && value) {
        err_set(err, ERR_USAGE, "--%s takes no value, but got \"%s\"", row->name, value);
        return false;
    }
    if (row->kind != OPTION_FLAG && row->kind != OPTION_MAYBE_STRING && !value) {
        if (arguments->at + 1 >= arguments->count) {
            err_set(err, ERR_USAGE, "--%s needs a value (%s)", row->name, row->value);
            return false;
        }
        value = arguments->items[++arguments->at];
    }
    for (int at = first; at <= arguments->at && row->offset != AT(arch); at++) {
        list_add(arena, &options->given, arguments->items[at]);
        if (row->commands & BUILD)
            list_add(arena, &options->given_to_build, arguments->items[at]);
    }
    return store(arena, row, value, options, err);
}

static bool check(const struct options *options, struct err *err)
{
    const struct command_row *command = find_command(options->command);
    if (options->is_quiet && options->is_verbose)
        err_set(err, ERR_USAGE, "--quiet and --verbose exclude each other");
    else if (options->source && options->suite)
        err_set(err, ERR_USAGE, "--suite is for the host's main repository; a source file names its own suites");
    else if (options->push && options->is_no_push)
        err_set(err, ERR_USAGE, "--push and --no-push exclude each other");
    else if (!options->is_help && !options->is_version &&
             (options->words.count < command->least_words || options->words.count > command->most_words))
        err_set(err, ERR_USAGE, "usage: imgfactory %s [OPTIONS] %s", command->name, command->words);
    return err->kind == ERR_NONE;
}

bool options_parse(struct arena *arena, int argc, char **argv, struct options *ret_options, struct err *err)
{
    struct options options = {.command = COMMAND_BUILD, .retries = 4};
    struct arguments arguments = {argc, argv, 1};
    for (size_t i = 0; argc > 1 && i < ARRAY_COUNT(commands); i++) {
        if (strcmp(argv[1], commands[i].name) == 0) {
            options.command = commands[i].kind;
            arguments.at = 2;
        }
    }
    bool is_ended = false;
    for (; arguments.at < argc; arguments.at++) {
        const char *argument = argv[arguments.at];
        if (!is_ended && strcmp(argument, "--") == 0)
            is_ended = true;
        else if (is_ended || argument[0] != '-' || !argument[1])
            list_add(arena, &options.words, argument);
        else if (!parse_option(arena, &arguments, &options, err))
            return false;
    }
    if (!check(&options, err))
        return false;
    *ret_options = options;
    return true;
}

#define HELP_COLUMN 26

/* A name that fills its column stands on a line of its own. */
static void print_row(FILE *out, const struct option_row *row)
{
    char left[40];
    int len = row->letter ? snprintf(left, sizeof left, "  -%c, --%s", row->letter, row->name)
                          : snprintf(left, sizeof left, "      --%s", row->name);
    if (row->value)
        (void)snprintf(left + len, sizeof left - (size_t)len, "%s%s", row->kind == OPTION_MAYBE_STRING ? "" : " ",
                       row->value);
    struct text rest = text_of(row->help), line;
    if (strlen(left) >= HELP_COLUMN) {
        (void)fprintf(out, "%s\n", left);
        left[0] = '\0';
    }
    while (text_next(&rest, '\n', &line)) {
        (void)fprintf(out, "%-*s%.*s\n", HELP_COLUMN, left, (int)line.len, line.ptr);
        left[0] = '\0';
    }
}

static void print_commands(FILE *out)
{
    (void)fputs("\nOther commands (imgfactory COMMAND --help tells more):\n", out);
    for (size_t i = 1; i < ARRAY_COUNT(commands); i++)
        (void)fprintf(out, "  %-*s%s\n", *commands[i].words ? 9 : 0, commands[i].name, commands[i].words);
}

void options_print_help(FILE *out, enum command_kind command)
{
    const struct command_row *row = find_command(command);
    bool is_build = command == COMMAND_BUILD;
    (void)fprintf(out, "Usage: imgfactory %s%s[OPTIONS] %s\n\n%s\n\nOptions:\n", is_build ? "" : row->name,
                  is_build ? "" : " ", row->words, row->help);
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        if (rows[i].commands & command)
            print_row(out, &rows[i]);
    }
    if (!is_build)
        return;
    print_commands(out);
    (void)fputs("\nExamples:\n"
                "  imgfactory --arch all dhcpd                 both architectures, to out/dhcpd\n"
                "  imgfactory --arch aarch64,s390x nginx redis\n"
                "  imgfactory --suite trixie --dry-run dhcpd   which packages another release would give\n"
                "  imgfactory --tree trees ./my.yaml           also the plain files, to trees/my/ARCH\n"
                "  imgfactory --arch all --push=quay.io/me/dhcpd dhcpd\n\n"
                "Exit status: 0 done; 2 usage or manifest; 3 verification refused; 4 malformed or hostile input;\n"
                "5 cannot resolve; 6 network or --timeout; 7 publish refused; 8 local resource;\n"
                "9 some images failed; 70 internal.\n",
                out);
}
