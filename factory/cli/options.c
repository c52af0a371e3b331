#include "cli/options.h"
#include "base/text.h"

#include <stddef.h>

enum option_kind { OPTION_STRING, OPTION_NUMBER, OPTION_FLAG };

struct option_row {
    char letter; /* 0: none */
    const char *name, *value, *help;
    enum option_kind kind;
    size_t offset;
    uint64_t least, most; /* OPTION_NUMBER */
};

#define AT(field) offsetof(struct options, field)

static const struct option_row rows[] = {
    {'a', "arch", "LIST",
     "architectures: names separated by commas, or \"all\" that the manifest\nallows (default: this machine's)",
     OPTION_STRING, AT(arch), 0, 0},
    {'s', "source", "FILE", "take packages from this source file instead of the host's apt configuration",
     OPTION_STRING, AT(source), 0, 0},
    {0, "suite", "NAME", "take these suites of the host's main repository, as in \"trixie\"", OPTION_STRING, AT(suite),
     0, 0},
    {'o', "output", "DIR", "write OCI layouts to DIR/IMAGE (default: out)", OPTION_STRING, AT(output), 0, 0},
    {'t', "tree", "DIR", "also write each file tree to DIR/IMAGE/ARCH", OPTION_STRING, AT(tree), 0, 0},
    {'c', "compression", "NAME", "of layers: zstd (default) or gzip", OPTION_STRING, AT(compression), 0, 0},
    {'j', "jobs", "N", "compute on N threads (default: one per processor)", OPTION_NUMBER, AT(jobs), 1, 256},
    {'n', "dry-run", NULL, "print the packages that would be used, and stop", OPTION_FLAG, AT(is_dry_run), 0, 0},
    {0, "rebuild", NULL, "do not use finished layers of an earlier run", OPTION_FLAG, AT(is_rebuild), 0, 0},
    {0, "cache-only", NULL, "do not ask the network for newer indices; use the last verified ones", OPTION_FLAG,
     AT(is_cache_only), 0, 0},
    {0, "retries", "N", "try a failed transfer N more times (default: 4)", OPTION_NUMBER, AT(retries), 0, 20},
    {0, "cache", "DIR", "downloads and unpacked packages (default: ~/.cache/imgfactory)", OPTION_STRING, AT(cache), 0,
     0},
    {0, "state", "DIR", "what was last accepted of each repository\n(default: ~/.local/state/imgfactory)",
     OPTION_STRING, AT(state), 0, 0},
    {0, "arches", "DIR", "architecture files (default: as installed)", OPTION_STRING, AT(arches), 0, 0},
    {0, "manifests", "DIR", "manifests (default: as installed)", OPTION_STRING, AT(manifests), 0, 0},
    {0, "json", NULL, "print the report as JSON", OPTION_FLAG, AT(is_json), 0, 0},
    {'l', "list", NULL, "list the images and architectures that are known, and stop", OPTION_FLAG, AT(is_list), 0, 0},
    {'q', "quiet", NULL, "print errors and warnings only", OPTION_FLAG, AT(is_quiet), 0, 0},
    {'v', "verbose", NULL, "tell each step", OPTION_FLAG, AT(is_verbose), 0, 0},
    {'h', "help", NULL, "print this help, and stop", OPTION_FLAG, AT(is_help), 0, 0},
    {'V', "version", NULL, "print the version, and stop", OPTION_FLAG, AT(is_version), 0, 0},
};

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

/* Stores a value or sets a flag. */
static bool store(const struct option_row *row, const char *value, struct options *options, struct err *err)
{
    char *field = (char *)options + row->offset;
    switch (row->kind) {
    case OPTION_FLAG:
        *(bool *)field = true;
        return true;
    case OPTION_STRING:
        if (!*value) {
            err_set(err, ERR_USAGE, "--%s needs a value that is not empty", row->name);
            return false;
        }
        *(const char **)field = value;
        return true;
    case OPTION_NUMBER:
        if (text_parse_u64(text_of(value), (uint64_t *)field) && *(uint64_t *)field >= row->least &&
            *(uint64_t *)field <= row->most)
            return true;
        err_set(err, ERR_USAGE, "--%s wants a number from %llu to %llu, not \"%s\"", row->name,
                (unsigned long long)row->least, (unsigned long long)row->most, value);
        return false;
    }
    return false;
}

/* Parses the option at argv[*at]; moves *at on when its value is the next argument. */
static bool parse_one(int argc, char **argv, int *at, struct options *options, struct err *err)
{
    const char *argument = argv[*at], *value = NULL;
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
    if (row->kind == OPTION_FLAG && value) {
        err_set(err, ERR_USAGE, "--%s takes no value, but got \"%s\"", row->name, value);
        return false;
    }
    if (row->kind != OPTION_FLAG && !value) {
        if (*at + 1 >= argc) {
            err_set(err, ERR_USAGE, "--%s needs a value (%s)", row->name, row->value);
            return false;
        }
        value = argv[++*at];
    }
    return store(row, value, options, err);
}

bool options_parse(struct arena *arena, int argc, char **argv, struct options *ret_options, struct err *err)
{
    struct options options = {.output = "out", .compression = "zstd", .retries = 4};
    bool is_ended = false;
    for (int at = 1; at < argc; at++) {
        if (!is_ended && strcmp(argv[at], "--") == 0)
            is_ended = true;
        else if (is_ended || argv[at][0] != '-' || !argv[at][1])
            list_add(arena, &options.images, argv[at]);
        else if (!parse_one(argc, argv, &at, &options, err))
            return false;
    }
    if (options.is_quiet && options.is_verbose) {
        err_set(err, ERR_USAGE, "--quiet and --verbose exclude each other");
        return false;
    }
    if (options.source && options.suite) {
        err_set(err, ERR_USAGE, "--suite is for the host's main repository; a source file names its own suites");
        return false;
    }
    *ret_options = options;
    return true;
}

static void print_row(FILE *out, const struct option_row *row)
{
    char left[40];
    int len = row->letter ? snprintf(left, sizeof left, "  -%c, --%s", row->letter, row->name)
                          : snprintf(left, sizeof left, "      --%s", row->name);
    if (row->value)
        (void)snprintf(left + len, sizeof left - (size_t)len, " %s", row->value);
    struct text rest = text_of(row->help), line;
    while (text_next(&rest, '\n', &line)) {
        (void)fprintf(out, "%-26s%.*s\n", left, (int)line.len, line.ptr);
        left[0] = '\0';
    }
}

void options_print_help(FILE *out)
{
    (void)fputs("Usage: imgfactory [OPTIONS] IMAGE...\n\n"
                "Builds minimal multi-architecture OCI images of distribution services. IMAGE is the name of a\n"
                "manifest (see --list) or a path to one (./my.yaml).\n\nOptions:\n",
                out);
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++)
        print_row(out, &rows[i]);
    (void)fputs(
        "\nExamples:\n"
        "  imgfactory --arch all dhcpd                 both architectures, to out/dhcpd\n"
        "  imgfactory --arch aarch64,s390x nginx redis\n"
        "  imgfactory --suite trixie --dry-run dhcpd   which packages another release would give\n"
        "  imgfactory --tree trees ./my.yaml           also the plain files, to trees/my/ARCH\n\n"
        "Exit status: 0 done; 2 usage or manifest; 3 verification refused; 4 malformed or hostile input;\n"
        "5 cannot resolve; 6 network; 7 publish refused; 8 local resource; 9 some images failed; 70 internal.\n",
        out);
}
