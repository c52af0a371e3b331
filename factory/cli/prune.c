/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/prune.h"

#include "base/auto.h"
#include "base/clock.h"

bool prune_load_site(struct command *command, bool *ret_is_site, struct err *err)
{
    const struct strings *words = &command->options.words;
    bool is_file = words->count && command_is_site_file(words->items[0]);
    *ret_is_site = !words->count || is_file;
    return !is_file || site_load(&command->arena, words->items[0], &command->site, err);
}

/* Whether nothing is deleted: that has to be asked for, by the command line or the site. What the site says is of its own
 * images, not of a repository with a rule of the command line's. */
static bool is_dry(const struct command *command)
{
    const struct options *options = &command->options;
    return options->is_dry_run || (!options->is_yes && (!command->site.is_pruned || options->keep));
}

static struct pruning_call call_of(struct command *command, const struct registry_options *options, struct http *http)
{
    return (struct pruning_call){
        .options = options, .http = http, .now = clock_date(), .memory_dir = command_prune_dir(command)};
}

static const struct pruning *find(const struct pruning *items, size_t count, const char *destination)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(items[i].destination, destination) == 0)
            return &items[i];
    }
    return NULL;
}

/* Where several images go to one repository, its stamps do not tell which of them superseded which. */
static bool is_shared(const struct batch_image *images, size_t count, const struct batch_image *image)
{
    for (size_t i = 0; i < count; i++) {
        if (&images[i] != image && images[i].destination && strcmp(images[i].destination, image->destination) == 0)
            return true;
    }
    return false;
}

/* Lists the repositories of images that something says the keep of. */
static struct pruning *list(struct command *command, const struct batch_image *images, size_t count, const char *only,
                            size_t *ret_count)
{
    struct pruning *items = arena_new_array(&command->arena, struct pruning, count);
    *ret_count = 0;
    for (size_t i = 0; i < count; i++) {
        const struct batch_image *image = &images[i];
        const char *destination = image->destination;
        if (!destination || !image->is_stamped || image->err.kind != ERR_NONE ||
            (only && strcmp(only, destination) != 0) || find(items, *ret_count, destination))
            continue;
        if (is_shared(images, count, image)) {
            log_line(command->log, LOG_QUIET,
                     "warning: %s is not pruned: several images go there, and when one is superseded cannot be told",
                     destination);
            continue;
        }
        items[(*ret_count)++] = (struct pruning){
            .destination = destination,
            .rules = {.entries = image->tag_rules, .keep = image->keep, .name = image->manifest->name}};
    }
    return items;
}

/* Prints what was done, or would be. */
static void print(const struct command *command, const struct pruning *items, size_t count,
                  const struct pruning_call *call)
{
    const struct options *options = &command->options;
    size_t images = 0;
    if (options->is_json) {
        pruning_print_json(stdout, items, count, call);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        images += items[i].result.image_count;
        if (!options->is_quiet)
            pruning_print(stdout, &items[i], call);
    }
    if (!options->is_quiet && call->is_dry_run && images)
        (void)puts("Nothing was deleted; with --yes it is.");
}

/* Prunes and prints. */
static bool run(const struct command *command, struct pruning *items, size_t count, struct pruning_call *call,
                struct err *err)
{
    call->is_dry_run = is_dry(command);
    bool is_good = pruning_run(call, items, count, err);
    size_t good = 0;
    for (size_t i = 0; i < count; i++)
        good += items[i].is_good;
    print(command, items, count, call);
    if (!is_good && good && err->kind != ERR_CANCELLED)
        err_wrap(err, "%zu of %zu repositories are pruned", good, count);
    for (size_t i = 0; i < count; i++)
        pruning_done(&items[i]);
    return is_good;
}

bool prune_images(struct command *command, const struct batch_image *images, size_t count, const char *only,
                  struct http *http, struct err *err)
{
    struct pruning_call call = call_of(command, command_registry_options(command), http);
    size_t found;
    struct pruning *items = list(command, images, count, only, &found);
    if (!found) {
        err_set(err, ERR_USAGE,
                only ? "%s: no image of %s that has a keep goes there; say what is kept with --keep, such as --keep=30d"
                     : "%s%s has no image with a keep and a place that it is pushed to (keep: 30d)",
                only ? only : "", command->site.path ? command->site.path : "a site file");
        return false;
    }
    return run(command, items, found, &call, err);
}

bool prune_reference(struct command *command, struct http *http, struct err *err)
{
    const struct options *options = &command->options;
    struct pruning_call call = call_of(command, command_registry_options(command), http);
    struct reference reference;
    struct pruning pruning = {.rules.globs = &options->patterns};
    if (!tag_keep_parse(options->keep, &pruning.rules.keep)) {
        err_set(err, ERR_USAGE, "--keep is always, a duration from 1h on (30d), or how many (10), not \"%s\"",
                options->keep);
        return false;
    }
    if (!reference_parse(&command->arena, options->words.items[0], false, &reference, err))
        return false;
    if (reference.tag || reference.has_digest) {
        err_set(err, ERR_USAGE, "%s: a repository is pruned, not a tag or a digest of it", options->words.items[0]);
        return false;
    }
    pruning.destination = reference_print(&command->arena, &reference);
    return run(command, &pruning, 1, &call, err);
}

void prune_night(struct command *command, struct http *http, const struct registry_options *options,
                 struct batch *batch, size_t ended_count)
{
    struct pruning_call call = call_of(command, options, http);
    struct err err = {0};
    batch->prunings = list(command, batch->images, batch->count + ended_count, NULL, &batch->pruning_count);
    if (pruning_run(&call, batch->prunings, batch->pruning_count, &err))
        return;
    for (size_t i = 0; i < batch->pruning_count; i++) {
        const struct pruning *pruning = &batch->prunings[i];
        if (!pruning->is_good)
            log_line(command->log, LOG_QUIET, "error: pruning: %s", pruning->err.text);
    }
}
