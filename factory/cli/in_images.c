/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/in_images.h"

#include "base/auto.h"
#include "bill/record.h"
#include "cli/places.h"
#include "package/path.h"
#include "past/past_find.h"

#define SHOWN_MAX 8 /* things of one platform, for people; --json has all */

bool in_images_state(struct command *command, const char **ret_dir, struct err *err)
{
    *ret_dir = command->options.state;
    return *ret_dir || places_user_dir(&command->arena, "XDG_STATE_HOME", ".local/state", "/var/lib", ret_dir, err);
}

/* What the options ask for. */
static bool read_wanted(struct command *command, struct past_wanted *ret_wanted, struct err *err)
{
    const struct options *options = &command->options;
    struct arena *arena = &command->arena;
    struct past_version *package = arena_new(arena, struct past_version);
    const char *why;
    *ret_wanted = (struct past_wanted){.soname = options->soname};
    if (!options->soname && !options->package && !options->file) {
        err_set(err, ERR_USAGE, "find --in-images wants --soname, --package or --file");
        return false;
    }
    if (options->package) {
        if (!past_version_read(arena, options->package, package, err))
            return false;
        ret_wanted->package = package;
    }
    if (!options->file)
        return true;
    const char *whole = strchr(options->file, '/')
                            ? options->file
                            : arena_printf(arena, "/**/%s", options->file); /* as `find` has it */
    ret_wanted->file = path_canonical(arena, text_of(whole), &why);
    if (!ret_wanted->file)
        err_set(err, ERR_USAGE, "--file: '%s' is no path: %s", text_printable(arena, text_of(options->file)), why);
    return ret_wanted->file != NULL;
}

/* Leaves the images whose name is a word of the call, or matches one; unless past ones are asked for, of those that are still
 * published. */
static bool choose(const struct command *command, struct past_images *images, struct err *err)
{
    const struct strings *words = &command->options.words;
    size_t count = 0;
    for (size_t w = 0; w < words->count; w++) {
        bool is_met = false;
        for (size_t i = 0; i < images->count && !is_met; i++)
            is_met = path_matches(words->items[w], images->items[i].nights.items[0].name);
        if (!is_met) {
            err_set(err, ERR_USAGE, "no published image is called %s", words->items[w]);
            return false;
        }
    }
    for (size_t i = 0; i < images->count; i++) {
        bool is_wanted = !words->count;
        for (size_t w = 0; w < words->count; w++)
            is_wanted = is_wanted || path_matches(words->items[w], images->items[i].nights.items[0].name);
        if (is_wanted && (command->options.is_past || !images->items[i].is_replaced))
            images->items[count++] = images->items[i];
    }
    images->count = count;
    return true;
}

/* Returns whether an architecture is one of --arch. */
static bool is_arch_wanted(const char *list, const char *arch)
{
    struct text rest = text_of(list ? list : "all"), name;
    while (text_next(&rest, ',', &name)) {
        if (text_is(name, "all") || text_is(name, arch))
            return true;
    }
    return false;
}

/* Leaves the platforms of --arch. */
static void choose_platforms(const char *list, struct past_images *images)
{
    for (size_t i = 0; i < images->count; i++) {
        for (size_t k = 0; k < images->items[i].nights.count; k++) {
            struct past_record *record = &images->items[i].nights.items[k];
            size_t count = 0;
            for (size_t p = 0; p < record->platforms.count; p++) {
                if (is_arch_wanted(list, record->platforms.items[p].arch))
                    record->platforms.items[count++] = record->platforms.items[p];
            }
            record->platforms.count = count;
        }
    }
}

static json_t *found_json(const struct past_found *found)
{
    const struct past_record *record = found->record;
    json_t *platforms = json_array();
    for (size_t i = 0; i < found->hits.count; i++) {
        const struct past_hit *hit = &found->hits.items[i];
        json_array_append_new(platforms,
                              json_pack("{s:o, s:o, s:o}", "arch", record_text(hit->platform->arch), "digest",
                                        json_sprintf("sha256:%s", digest_hex(&hit->platform->manifest).chars), "found",
                                        record_strings(&hit->what)));
    }
    return json_pack("{s:o, s:o, s:o, s:o, s:b, s:I, s:I, s:o}", "image", record_text(record->name), "destination",
                     record_text(record->destination), "digest",
                     json_sprintf("sha256:%s", digest_hex(&record->digest).chars), "tags",
                     record_strings(&record->tags), "current", found->is_newest, "first", (json_int_t)record->first,
                     "last", (json_int_t)record->last, "architectures", platforms);
}

static void print_json(FILE *out, const struct past_answer *answer)
{
    json_t *images = json_array();
    for (size_t i = 0; i < answer->found.count; i++)
        json_array_append_new(images, found_json(&answer->found.items[i]));
    json_auto_t *json = json_pack("{s:o, s:I, s:o}", "images", images, "asked", (json_int_t)answer->asked, "unknown",
                                  record_strings(&answer->unknown));
    (void)json_dumpf(json, out, JSON_INDENT(2) | JSON_ENSURE_ASCII);
    (void)fputc('\n', out);
}

static void print_found(FILE *out, const struct past_found *found)
{
    AUTO(arena_done) struct arena scratch = {0};
    const struct past_record *record = found->record;
    const char *place = record->destination ? record->destination : "in the output";
    (void)fprintf(out, "%s  %s%ssha256:%s  %s%s\n", text_shown(&scratch, record->name), text_shown(&scratch, place),
                  record->destination ? "@" : ", ", digest_hex(&record->digest).chars,
                  found->is_newest ? "" : "(past) ", text_shown(&scratch, strings_join(&scratch, &record->tags, " ")));
    for (size_t i = 0; i < found->hits.count; i++) {
        const struct past_hit *hit = &found->hits.items[i];
        for (size_t k = 0; k < hit->what.count && k < SHOWN_MAX; k++)
            (void)fprintf(out, "  %-10s %s\n", k ? "" : text_shown(&scratch, hit->platform->arch),
                          text_shown(&scratch, hit->what.items[k]));
        if (hit->what.count > SHOWN_MAX)
            (void)fprintf(out, "  %-10s and %zu more\n", "", hit->what.count - SHOWN_MAX);
    }
}

static void print(const struct command *command, const struct past_answer *answer)
{
    if (command->options.is_json)
        print_json(stdout, answer);
    for (size_t i = 0; !command->options.is_json && i < answer->found.count; i++)
        print_found(stdout, &answer->found.items[i]);
    for (size_t i = 0; i < answer->unknown.count && i < SHOWN_MAX; i++)
        log_line(command->log, LOG_QUIET, "warning: what is in %s is not known; it is not in the answer",
                 answer->unknown.items[i]);
    if (answer->unknown.count > SHOWN_MAX)
        log_line(command->log, LOG_QUIET, "warning: nor is it of %zu more", answer->unknown.count - SHOWN_MAX);
    if (!answer->found.count)
        log_line(command->log, LOG_NORMAL, "none of %zu published images has it", answer->asked);
}

bool in_images_run(struct command *command, struct err *err)
{
    const struct options *options = &command->options;
    struct past_wanted wanted;
    struct past_images images;
    struct past_answer answer;
    const char *state;
    if (!read_wanted(command, &wanted, err) || !in_images_state(command, &state, err))
        return false;
    past_read(&command->arena, state, NULL, !options->is_past, &images);
    if (!images.count) {
        err_set(err, ERR_USAGE,
                "no published image is known in %s: builds take down there what they publish; of a site with history: "
                "registry `imgfactory history --rebuild` reads it from the registry",
                state);
        return false;
    }
    if (!choose(command, &images, err))
        return false;
    choose_platforms(options->arch, &images);
    past_find(&command->arena, state, &images, &wanted, &answer);
    print(command, &answer);
    return true;
}
