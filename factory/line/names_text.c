/* SPDX-License-Identifier: Apache-2.0 */
#include "line/names_text.h"

#include "base/auto.h"
#include "base/map.h"

#define LISTED_MAX 200 /* lines of one kind */

/* A scalar that is what it is, whatever stands in it: plain where a reader cannot take it for anything else. */
static const char *scalar(struct arena *arena, const char *string)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+";
    bool is_begun =
        (string[0] >= 'a' && string[0] <= 'z') || (string[0] >= 'A' && string[0] <= 'Z') || string[0] == '/';
    if (is_begun && !string[strspn(string, plain)])
        return string;
    char *quoted = arena_alloc(arena, 2 * strlen(string) + 3), *to = quoted;
    *to++ = '\'';
    for (; *string; string++) {
        if (*string == '\'')
            *to++ = '\'';
        *to++ = *string;
    }
    *to++ = '\'';
    *to = '\0';
    return quoted;
}

static const char *packages_of(struct arena *arena, const struct name_answer *answer)
{
    const char *first =
        answer->is_package_needed ? arena_printf(arena, "  first: [%s]\n", scalar(arena, answer->package)) : "";
    const char *whole = answer->whole ? arena_printf(arena, "  install: [%s]\n", scalar(arena, answer->whole)) : "";
    return *first || *whole ? arena_printf(arena, "packages:\n%s%s", first, whole) : "";
}

const char *names_text(struct arena *arena, const struct name_answer *answer)
{
    return arena_printf(arena, "name: %s\ndescription: %s\nautomatic: true\nbinaries: [%s]\n%s",
                        scalar(arena, answer->image), scalar(arena, answer->description), scalar(arena, answer->path),
                        packages_of(arena, answer));
}

/* Prints "#  key: value", unless there is none. */
static void print_value(FILE *out, const char *key, const char *value)
{
    AUTO(arena_done) struct arena scratch = {0};
    if (value)
        (void)fprintf(out, "#  %s: %s\n", key, scalar(&scratch, text_shown(&scratch, value)));
}

static void print_list(FILE *out, const char *key, const struct strings *list)
{
    AUTO(arena_done) struct arena scratch = {0};
    if (!list->count)
        return;
    (void)fprintf(out, "#  %s: [", key);
    for (size_t i = 0; i < list->count; i++)
        (void)fprintf(out, "%s%s", i ? ", " : "", scalar(&scratch, text_shown(&scratch, list->items[i])));
    (void)fputs("]\n", out);
}

static void print_env(FILE *out, const struct yaml_pairs *env)
{
    AUTO(arena_done) struct arena scratch = {0};
    if (env->count)
        (void)fputs("#  env:\n", out);
    for (size_t i = 0; i < env->count; i++)
        (void)fprintf(out, "#    %s: %s\n", scalar(&scratch, text_shown(&scratch, env->items[i].key)),
                      scalar(&scratch, text_shown(&scratch, env->items[i].value)));
}

static void print_config(FILE *out, const struct manifest_config *config)
{
    if (!config->entrypoint.count && !config->cmd.count && !config->user && !config->ports.count)
        return;
    (void)fputs("#config:\n", out);
    print_list(out, "entrypoint", &config->entrypoint);
    print_list(out, "cmd", &config->cmd);
    print_value(out, "user", config->user);
    print_value(out, "working-dir", config->working_dir);
    print_list(out, "ports", &config->ports);
    print_list(out, "volumes", &config->volumes);
    print_value(out, "stop-signal", config->stop_signal);
    print_env(out, &config->env);
}

/* What of the image is there because somebody wants it who is not the manifest. */
struct section {
    enum bill_wish_kind kind;
    const char *key; /* NULL: no list of manifests in which the name alone would do */
    const char *what;
};

static const struct section sections[] = {
    {BILL_FILE, "files", "files"},          {BILL_MADE_DIRECTORY, "directories", "directories"},
    {BILL_MADE_FILE, NULL, "made files"},   {BILL_MADE_SYMLINK, NULL, "links"},
    {BILL_PACKAGE, NULL, "whole packages"}, {BILL_USER, NULL, "users"},
    {BILL_GROUP, NULL, "groups"},
};

static bool is_found(const struct bill_wish *wish, enum bill_wish_kind kind)
{
    return wish->kind == kind && wish->by && strcmp(wish->by, "the manifest") != 0;
}

/* A directory as a manifest has it: with its mode and owner, as numbers. */
static void print_directory(FILE *out, const struct bill *bill, const struct bill_wish *wish)
{
    AUTO(arena_done) struct arena scratch = {0};
    const struct bill_file *made = bill_find(bill, wish->name);
    (void)fprintf(out, "#  - path: %s # %s\n", scalar(&scratch, text_shown(&scratch, wish->name)),
                  text_shown(&scratch, wish->by));
    if (made)
        (void)fprintf(out, "#    mode: \"%04o\"\n#    owner: \"%u\"\n#    group: \"%u\"\n", made->mode, made->uid,
                      made->gid);
}

static void print_section(FILE *out, const struct bill *bill, const struct section *section)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct map told = {.arena = &scratch};
    size_t count = 0;
    for (size_t i = 0; i < bill->wanted.count; i++) {
        const struct bill_wish *wish = &bill->wanted.items[i];
        if (!is_found(wish, section->kind) || !map_add(&told, text_of(wish->name), (void *)wish) ||
            count++ > LISTED_MAX)
            continue;
        if (count == 1 && section->key)
            (void)fprintf(out, "#%s:\n", section->key);
        else if (count == 1)
            (void)fprintf(out, "# %s:\n", section->what);
        if (count > LISTED_MAX)
            (void)fprintf(out, "# … and more %s\n", section->what);
        else if (section->kind == BILL_MADE_DIRECTORY)
            print_directory(out, bill, wish);
        else
            (void)fprintf(out, "%s- %s # %s\n", section->key ? "#  " : "#   ",
                          scalar(&scratch, text_shown(&scratch, wish->name)), text_shown(&scratch, wish->by));
    }
}

void names_print(FILE *out, const struct name_answer *answer, const struct bill *bill)
{
    AUTO(arena_done) struct arena scratch = {0};
    (void)fprintf(out, "# %s.\n", text_shown(&scratch, answer->said));
    (void)fprintf(out, "name: %s\ndescription: %s\n", scalar(&scratch, answer->image),
                  scalar(&scratch, answer->description));
    (void)fputs(
        "# What the service needs around its program is taken from its packages; what is written in this file wins.\n"
        "# A mapping turns parts off, as in {shells: false}: manifests/README.md has their names.\n"
        "# shell: NAME puts a static shell with links in place of sh and the tools of scripts; the same page has its "
        "name.\n",
        out);
    (void)fprintf(out, "automatic: true\nbinaries: [%s]\n%s", scalar(&scratch, answer->path),
                  packages_of(&scratch, answer));
    if (!bill)
        return;
    (void)fprintf(out, "\n# What was found for %s; take the '#' away from what you want to have otherwise.\n",
                  bill->facts.arch);
    print_config(out, &bill->process);
    for (size_t i = 0; i < ARRAY_COUNT(sections); i++)
        print_section(out, bill, &sections[i]);
}
