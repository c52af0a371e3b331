/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/complete.h"

#include "cli/build.h"
#include "cli/completion_scripts.h"
#include "cli/exits.h"
#include "cli/fold.h"
#include "cli/key.h"
#include "cli/manual_files.h"
#include "cli/option_table.h"
#include "cli/places.h"
#include "cli/wanted.h"
#include "deploy/deploy.h"
#include "oci/layout_read.h"
#include "plan/manifest.h"
#include "sbom/sbom.h"

#include <stdlib.h>

#define WORDS_COMMAND "words"
#define BRIEF_BYTES 60

/* What a word can be: bits. */
enum thing {
    THING_IMAGE = 1 << 0,
    THING_PACKAGE = 1 << 1,
    THING_LAYOUT = 1 << 2,
    THING_ARCH = 1 << 3,
    THING_SOURCE = 1 << 4,
    THING_FOLDER = 1 << 5,
    THING_FILE = 1 << 6,
    THING_COMMAND = 1 << 7,
    THING_STATUS = 1 << 8,
    THING_SHELL = 1 << 9,
    THING_TAG = 1 << 10,
    THING_PAGE = 1 << 11,
};

/* What a command's help calls a word, or an option's its value; and a few options by their names. */
static const struct placeholder {
    const char *name;
    unsigned things;
} placeholders[] = {
    {"IMAGE", THING_IMAGE | THING_PACKAGE | THING_FILE},
    {"NAME", THING_IMAGE | THING_PACKAGE},
    {"LAYOUT[:TAG]", THING_LAYOUT | THING_FOLDER},
    {"A", THING_LAYOUT | THING_FOLDER | THING_FILE},
    {"B", THING_LAYOUT | THING_FOLDER | THING_FILE},
    {"DIR", THING_FOLDER},
    {"FILE", THING_FILE},
    {"SITE", THING_FILE},
    {"PACKAGE", THING_PACKAGE},
    {"LIST", THING_ARCH},
    {"COMMAND", THING_COMMAND},
    {"FORMAT", THING_PAGE},
    {"STATUS", THING_STATUS},
    {"SHELL", THING_SHELL},
    {"--source", THING_SOURCE | THING_FILE},
    {"--runtime", THING_FILE},
    {"--tag", THING_TAG},
    {"--suite", 0}, /* these three are called NAME, and are none of ours */
    {"--username", 0},
};

static const char *const
    bools[] = {"true", "false", NULL},
    *const compressions[] = {"gzip", "zstd", "zstd:chunked", "both", NULL}, *const layers[] = {"auto", "1", NULL},
    *const whens[] = {"auto", "always", "never", NULL}, *const diff_formats[] = {"text", "markdown", NULL},
    *const parities[] = {"exact", "source", "off", NULL},
    *const on_missing[] = {"hold", "keep-previous", "publish", NULL}, *const if_running[] = {"wait", "end", NULL};

/* What has few values: an option by its name or by what its help calls its value. */
static const struct choice {
    const char *name;
    unsigned commands;
    const char *const *values;
} choices[] = {
    {"BOOL", ~0U, bools},
    {"WHEN", ~0U, whens},
    {"--compression", ~0U, compressions},
    {"--layers", ~(unsigned)COMMAND_DIFF, layers},
    {"--format", COMMAND_UNIT, deploy_format_names},
    {"--format", COMMAND_SBOM, sbom_format_names},
    {"--format", COMMAND_DIFF, diff_formats},
    {"--format", COMMAND_KEY, key_format_names},
    {"--type", COMMAND_KEY, key_type_names},
    {"--parity", ~0U, parities},
    {"--on-missing", ~0U, on_missing},
    {"--if-running", ~0U, if_running},
};

struct candidate {
    const char *value, *text;
};

struct completing {
    struct command *command; /* of the line: its options and its site file */
    const char *prefix;      /* what stands in the last word before the part that is completed: "--arch=", "aarch64," */
    const char *part;
    LIST(struct candidate) found;
};

static void offer(struct completing *completing, const char *value, const char *text)
{
    struct arena *arena = &completing->command->arena;
    if (text_has_prefix(text_of(value), completing->part))
        list_add(arena, &completing->found,
                 (struct candidate){arena_printf(arena, "%s%s", completing->prefix, value), text});
}

static void offer_all(struct completing *completing, const struct strings *values, const char *text)
{
    for (size_t i = 0; i < values->count; i++)
        offer(completing, values->items[i], text);
}

/* Offers the values of what has few. */
static void offer_choices(struct completing *completing, struct text name)
{
    for (size_t i = 0; i < ARRAY_COUNT(choices); i++) {
        bool is_meant =
            text_is(name, choices[i].name) && (choices[i].commands & completing->command->options.command->kind);
        for (const char *const *value = choices[i].values; is_meant && *value; value++)
            offer(completing, *value, "");
    }
}

static const char *manifests_dir(struct command *command)
{
    const char *dir = command->options.manifests;
    struct err none = {0};
    return dir || places_data_dir(&command->arena, "manifests", &dir, &none) ? dir : NULL;
}

static void offer_images(struct completing *completing)
{
    const char *dir = manifests_dir(completing->command);
    struct strings names;
    struct err none = {0};
    if (dir && manifest_names(&completing->command->arena, dir, &names, &none))
        offer_all(completing, &names, "image of the catalogue");
}

static void offer_sources(struct completing *completing)
{
    struct arena *arena = &completing->command->arena;
    const char *dir = manifests_dir(completing->command);
    struct strings names;
    struct err none = {0};
    if (dir && yaml_stems(arena, arena_printf(arena, "%s/sources", dir), &names, &none))
        offer_all(completing, &names, "source that comes along");
}

static void offer_arches(struct completing *completing)
{
    struct wanted wanted;
    struct err none = {0};
    struct options *options = &completing->command->options;
    const char *given = options->arch;
    options->arch = NULL;
    bool is_read = wanted_read(completing->command, &wanted, &none);
    options->arch = given;
    for (size_t i = 0; is_read && i < wanted.arches.count; i++)
        offer(completing, wanted.arches.items[i].name, "architecture");
    if (!strchr(completing->prefix, ','))
        offer(completing, "all", "all that the manifest allows");
}

static const char *output_dir(const struct command *command)
{
    return command_first(command->options.output, command->site.output, "out");
}

/* Offers the tags of the layout that a word names. */
static void offer_tags(struct completing *completing, const char *layout, const char *before)
{
    struct arena *arena = &completing->command->arena;
    const char *dir =
        strchr(layout, '/') ? layout : arena_printf(arena, "%s/%s", output_dir(completing->command), layout);
    struct strings tags = layout_tags(arena, dir, &completing->command->lock_wait);
    for (size_t i = 0; i < tags.count; i++)
        offer(completing, arena_printf(arena, "%s%s", before, tags.items[i]), "tag");
}

/* Layouts in the output folder; behind a colon the tags of one. */
static void offer_layouts(struct completing *completing)
{
    struct arena *arena = &completing->command->arena;
    const char *colon = strrchr(completing->part, ':');
    if (colon) {
        const char *layout = arena_strndup(arena, completing->part, (size_t)(colon - completing->part));
        offer_tags(completing, layout, arena_printf(arena, "%s:", layout));
        return;
    }
    struct strings names = layout_names(arena, output_dir(completing->command));
    offer_all(completing, &names, "was built");
}

static void take_package(void *taker, struct text name)
{
    struct completing *completing = taker;
    if (text_has_prefix(name, completing->part))
        offer(completing, text_dup(&completing->command->arena, name), "package");
}

/* Of tens of thousands only those are of use that begin like something. */
static void offer_packages(struct completing *completing)
{
    struct err none = {0};
    if (completing->part[0] && !strchr("./", completing->part[0])) {
        if (!build_packages(completing->command, take_package, completing, &none))
            err_clear(&none); /* without indices there are none */
    }
}

static void offer_commands(struct completing *completing)
{
    struct commands commands = completing->command->commands;
    for (size_t i = 0; i < commands.count; i++)
        offer(completing, commands.items[i].name, commands.items[i].line);
}

static void offer_statuses(struct completing *completing)
{
    struct exits exits = exits_all();
    for (size_t i = 0; i < exits.count; i++)
        offer(completing, arena_printf(&completing->command->arena, "%d", exits.items[i].status), exits.items[i].brief);
}

static void offer_shells(struct completing *completing)
{
    for (size_t i = 0; i < completion_scripts_count; i++)
        offer(completing, completion_scripts[i].name, "");
}

static void offer_pages(struct completing *completing)
{
    for (size_t i = 0; manual_files[i].name; i++)
        offer(completing, manual_files[i].name, manual_files[i].line);
}

static void offer_things(struct completing *completing, unsigned things)
{
    static const struct {
        enum thing thing;
        void (*offer)(struct completing *completing);
    } offers[] = {
        {THING_IMAGE, offer_images},    {THING_LAYOUT, offer_layouts}, {THING_PACKAGE, offer_packages},
        {THING_ARCH, offer_arches},     {THING_SOURCE, offer_sources}, {THING_COMMAND, offer_commands},
        {THING_STATUS, offer_statuses}, {THING_SHELL, offer_shells},   {THING_PAGE, offer_pages},
    };
    for (size_t i = 0; i < ARRAY_COUNT(offers); i++) {
        if (things & offers[i].thing)
            offers[i].offer(completing);
    }
    const struct strings *words = &completing->command->options.words;
    if ((things & THING_TAG) && words->count)
        offer_tags(completing,
                   arena_strndup(&completing->command->arena, words->items[0], strcspn(words->items[0], ":")), "");
}

static unsigned things_of(struct text name, unsigned otherwise)
{
    for (size_t i = 0; i < ARRAY_COUNT(placeholders); i++) {
        if (text_is(name, placeholders[i].name))
            return placeholders[i].things;
    }
    return otherwise;
}

static unsigned things_of_option(struct arena *arena, const struct option_row *row)
{
    unsigned by_value = row->value ? things_of(text_of(row->value), 0) : 0;
    bool is_name = row->value && strcmp(row->value, "NAME") == 0;
    return things_of(text_of(arena_printf(arena, "--%s", row->name)), is_name ? 0 : by_value);
}

/* What the n-th word of a command can be, as its help writes it: "LAYOUT[:TAG]|NAME REF". */
static unsigned things_of_word(const struct command_row *command, size_t number)
{
    struct text rest = text_of(command->words), word = {0}, part;
    unsigned things = 0;
    bool has_word = false, is_repeated = false;
    for (size_t i = 0; i <= number && text_next(&rest, ' ', &word); i++) {
        has_word = i == number;
        is_repeated = memmem(word.ptr, word.len, "...", 3) != NULL;
    }
    if (!has_word && !is_repeated)
        return 0;
    if (word.len && word.ptr[0] == '[')
        word = (struct text){word.ptr + 1, word.len - 2};
    while (text_next(&word, '|', &part)) {
        bool is_many = text_has_suffix(part, "...");
        struct text name = {part.ptr, part.len - (is_many ? 3 : 0)};
        things |= text_is(name, "NAME") && is_many ? THING_IMAGE | THING_LAYOUT : things_of(name, 0);
    }
    /* What is looked up among layouts is no package. */
    return things & THING_LAYOUT && !is_repeated ? things & ~(unsigned)(THING_IMAGE | THING_PACKAGE) : things;
}

/* What the word behind these words of imgfactory system can be. */
static unsigned things_of_system(const struct strings *words)
{
    const char *verb = words->count ? words->items[0] : "";
    bool is_image = words->count > 1 || strcmp(verb, "install") == 0 || strcmp(verb, "lint") == 0;
    return is_image ? THING_LAYOUT | THING_FOLDER | THING_FILE : 0;
}

/* Returns the option whose value the next word is, or NULL. */
static const struct option_row *pending_option(const char *word, unsigned commands)
{
    if (word[0] != '-' || !word[1] || strchr(word, '='))
        return NULL;
    const struct option_row *row = NULL;
    if (word[1] == '-')
        row = option_of_name(text_of(word + 2), commands);
    for (size_t i = 1; word[1] != '-' && word[i]; i++) {
        row = option_of_letter(word[i]);
        if (!row || (option_takes_next(row) && word[i + 1]))
            return NULL;
    }
    return row && option_takes_next(row) ? row : NULL;
}

/* Reads the words before the last one; a missing number of words is no mistake yet. */
static bool read_line(struct command *command, const struct strings *words, struct options *ret_options)
{
    struct arena *arena = &command->arena;
    const char **arguments = arena_new_array(arena, const char *, words->count + 3);
    struct err none = {0};
    int count = 0;
    arguments[count++] = "imgfactory";
    arguments[count++] = "--help";
    for (size_t i = 0; i < words->count; i++)
        arguments[count++] = words->items[i];
    return options_parse(arena, command->commands, count, (char **)arguments, ret_options, &none);
}

static void offer_options(struct completing *completing)
{
    const struct options *options = &completing->command->options;
    struct option_rows rows = option_table();
    struct arena *arena = &completing->command->arena;
    for (size_t i = 0; i < rows.count; i++) {
        const struct option_row *row = &rows.items[i];
        struct text brief = fold_brief(text_of(option_help(row, options->command->kind)), BRIEF_BYTES);
        if ((row->commands & options->command->kind) || options->command->kind == COMMAND_SHOW_CONFIG)
            offer(completing, arena_printf(arena, "--%s", row->name), text_dup(arena, brief));
    }
}

/* Cuts what stands before the part of a value that is completed: of a list all but its last item. */
static void cut_list(struct completing *completing, unsigned things)
{
    const char *comma = things & THING_ARCH ? strrchr(completing->part, ',') : NULL;
    if (!comma)
        return;
    completing->prefix = arena_printf(&completing->command->arena, "%s%.*s", completing->prefix,
                                      (int)(comma + 1 - completing->part), completing->part);
    completing->part = comma + 1;
}

/* Fills in what the last word can be; returns the things that it may be, for names of files. */
static unsigned complete_word(struct completing *completing, const struct option_row *pending, bool has_command)
{
    struct options *options = &completing->command->options;
    struct arena *arena = &completing->command->arena;
    const char *equals = strchr(completing->part, '=');
    unsigned things = 0;
    if (!pending && completing->part[0] == '-' && equals) {
        struct text name = {completing->part, (size_t)(equals - completing->part)};
        pending = text_has_prefix(name, "--")
                      ? option_of_name((struct text){name.ptr + 2, name.len - 2}, options->command->kind)
                      : NULL;
        completing->prefix = arena_printf(arena, "%.*s=", (int)name.len, name.ptr);
        completing->part = equals + 1;
        if (!pending)
            return 0;
    } else if (!pending && completing->part[0] == '-') {
        offer_options(completing);
        return 0;
    }
    if (pending) {
        things = things_of_option(arena, pending);
        offer_choices(completing, text_of(arena_printf(arena, "--%s", pending->name)));
        offer_choices(completing, text_of(pending->value));
        cut_list(completing, things);
    } else if (options->command->kind == COMMAND_SYSTEM) {
        things = things_of_system(&options->words);
        for (const struct command_verb *verb = command_verbs(options->command); !options->words.count && verb->name;
             verb++)
            offer(completing, verb->name, verb->line);
    } else {
        things = things_of_word(options->command, options->words.count);
        if (!has_command && !options->words.count)
            offer_commands(completing);
    }
    offer_things(completing, things);
    return things;
}

static int compare_candidates(const void *a, const void *b)
{
    return strcmp(((const struct candidate *)a)->value, ((const struct candidate *)b)->value);
}

/* Prints each once: the catalogue's before a package of the same name, as they were found. */
static void print_candidates(const struct completing *completing)
{
    const struct candidate *items = completing->found.items;
    if (completing->found.count)
        qsort(completing->found.items, completing->found.count, sizeof *items, compare_candidates);
    for (size_t i = 0; i < completing->found.count; i++) {
        if (i == 0 || strcmp(items[i].value, items[i - 1].value) != 0)
            (void)printf("%s\t%s\n", items[i].value, items[i].text);
    }
}

/* Returns the option whose value comes behind these words, or NULL. */
static const struct option_row *find_pending(struct command *command, const struct strings *before)
{
    struct strings others = *before;
    struct options options;
    if (!before->count)
        return NULL;
    others.count--;
    return pending_option(before->items[others.count],
                          read_line(command, &others, &options) ? options.command->kind : 0);
}

static bool complete_words(struct command *command, const struct strings *words)
{
    struct completing completing = {.command = command, .prefix = "", .part = ""};
    struct strings before = {words->items + 1, words->count - 1, words->count - 1};
    struct err none = {0};
    command->lock_wait = (struct lock_wait){.log = command->log, .cancel = command->cancel, .limit_ms = 1};
    if (before.count)
        completing.part = before.items[--before.count];
    const struct option_row *pending = find_pending(command, &before);
    before.count -= pending ? 1 : 0;
    if (!read_line(command, &before, &command->options))
        return true;
    if (!site_load(&command->arena, command->options.config, &command->site, &none))
        command->site = (struct site){0};
    bool has_command = command->options.command != command->commands.items || strings_has(&before, "build");
    unsigned things = complete_word(&completing, pending, has_command);
    (void)printf("%s\n", things & THING_FILE ? "files" : things & THING_FOLDER ? "folders" : "words");
    print_candidates(&completing);
    return true;
}

bool complete_run(struct command *command, struct err *err)
{
    const struct strings words = command->options.words;
    if (strcmp(words.items[0], WORDS_COMMAND) == 0)
        return complete_words(command, &words);
    for (size_t i = 0; i < completion_scripts_count; i++) {
        if (words.count == 1 && strcmp(words.items[0], completion_scripts[i].name) == 0) {
            (void)fwrite(completion_scripts[i].bytes, 1, completion_scripts[i].len, stdout);
            return true;
        }
    }
    err_set(err, ERR_USAGE, "imgfactory completion wants one shell: bash, zsh or fish, not \"%s\"",
            text_printable(&command->arena, text_of(words.items[words.count - 1])));
    return false;
}
