/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/rebuild.h"

#include "base/auto.h"
#include "bill/record.h"
#include "cli/attesting.h"
#include "cli/build.h"
#include "cli/confinement.h"
#include "cli/rebuild_parts.h"
#include "cli/remote.h"
#include "cli/signing.h"
#include "cli/verify_lock.h"
#include "io/file.h"
#include "io/tree_remove.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

static const char *const verdicts[] = {
    [REBUILD_IDENTICAL] = "identical", [REBUILD_SAME_CONTENT] = "same-content", [REBUILD_DIFFERENT] = "different"};

/* A call. */
struct rebuilding {
    struct command *command;
    struct rebuild_plan plan;
    bool has_source; /* --source was given */
    bool is_published;
    size_t published_count; /* artifacts that were made for it */
    const char *dir;        /* the folder of the build; NULL: none yet */
};

static bool make_dir(struct rebuilding *rebuilding, struct err *err)
{
    const char *place = getenv("TMPDIR");
    place = place && *place ? place : "/var/tmp";
    char *path = arena_printf(&rebuilding->command->arena, "%s/imgfactory-XXXXXX", place);
    if (!mkdtemp(path)) {
        err_set_errno(err, errno, "%s: cannot make a directory in it to build in (TMPDIR names another place)", place);
        return false;
    }
    rebuilding->dir = path;
    confinement_keep(rebuilding->command, path);
    return true;
}

static bool remove_dir(void *context, struct err *err)
{
    return tree_remove(AT_FDCWD, context, err);
}

static bool look(void *context, struct err *err)
{
    struct rebuilding *rebuilding = context;
    return remote_verify_for(rebuilding->command, &rebuilding->plan, err);
}

/* Verifies, on a thread that is confined to the image: the build needs other things. */
static bool look_first(struct rebuilding *rebuilding, struct err *err)
{
    struct workers *reader;
    if (!workers_start(1, &reader, err))
        return false;
    rebuilding->command->is_main_left = true;
    bool is_good = workers_call(reader, look, rebuilding, err);
    workers_stop(reader);
    rebuilding->command->is_confined = rebuilding->command->is_main_left = false;
    return is_good;
}

static void forget(struct rebuilding *rebuilding)
{
    struct err err = {0};
    json_decref(rebuilding->plan.told);
    if (rebuilding->dir && !rebuilding->command->is_abandoned &&
        !workers_call(rebuilding->command->keeper, remove_dir, (void *)(uintptr_t)rebuilding->dir, &err))
        log_line(rebuilding->command->log, LOG_QUIET, "warning: %s stays: %s", rebuilding->dir, err.text);
}

/* --- telling --- */

static void tell(const struct rebuilding *rebuilding, const struct rebuild_result *result)
{
    const struct rebuild_plan *plan = &rebuilding->plan;
    struct arena *arena = &rebuilding->command->arena;
    const char *image = text_printable(arena, text_of(plan->made.image));
    static const char *const words[] = {
        [REBUILD_IDENTICAL] = "the very same: index, manifests, configurations and layers",
        [REBUILD_SAME_CONTENT] = "not identical: the same content, in another compression",
        [REBUILD_DIFFERENT] = "DIFFERENT"};
    (void)printf("made again: %s for %s, by %s: %s\n", image, strings_join(arena, &plan->arches, ", "), plan->lock_of,
                 words[result->verdict]);
    for (size_t i = 0; i < result->lines.count; i++)
        (void)printf("  %s\n", text_shown(arena, result->lines.items[i]));
    if (rebuilding->is_published)
        (void)printf("published: the result, signed%s\n", rebuilding->published_count ? "" : "; it was there");
}

static void tell_json(const struct rebuilding *rebuilding, const struct rebuild_result *result, const struct err *err)
{
    json_t *told = rebuilding->plan.told;
    json_object_set_new(told, "outcome", json_string(err_kind_name(err->kind)));
    json_object_set_new(told, "exit", json_integer(err->kind));
    json_object_set_new(told, "rebuild",
                        json_pack("{s:s, s:o, s:o, s:o}", "verdict",
                                  err->kind && !result->lines.count ? "failed" : verdicts[result->verdict], "lock",
                                  record_text(rebuilding->plan.lock_of), "architectures",
                                  record_strings(&rebuilding->plan.arches), "differences",
                                  record_strings(&result->lines)));
    if (rebuilding->command->options.is_result_published)
        json_object_set_new(json_object_get(told, "rebuild"), "published",
                            rebuilding->is_published ? json_integer((json_int_t)rebuilding->published_count)
                                                     : json_null());
    (void)json_dumpf(told, stdout, JSON_INDENT(2));
    (void)fputc('\n', stdout);
}

/* --- all of it --- */

/* What may be the matter: this machine's manifest, or its source, is another one. */
static const char *hint(const struct rebuilding *rebuilding, enum err_kind kind)
{
    struct arena *arena = &rebuilding->command->arena;
    const char *source = rebuilding->plan.made.source;
    const struct options *options = &rebuilding->command->options;
    bool has_source =
        rebuilding->has_source || options->suite || options->config_root || !source || strcmp(source, "host") == 0;
    return arena_printf(
        arena, "%s%s",
        kind == ERR_TRUST && !rebuilding->plan.made.named
            ? "; manifest and recipes have to be those of then: --manifests names the folder that has both, or the "
              "manifest's file"
            : "",
        has_source ? ""
                   : arena_printf(arena, "; it was made with the source %s (--source)",
                                  text_printable(arena, text_of(source))));
}

static bool make_and_compare(struct rebuilding *rebuilding, struct rebuild_result *result, struct err *err)
{
    struct command *command = rebuilding->command;
    const char *dir = rebuilding->dir;
    if (!rebuild_prepare(command, &rebuilding->plan, dir, err))
        return false;
    confinement_write(command, dir, 0700);
    if (!build_again(command, err)) {
        enum err_kind kind = err->kind;
        err_clear(err); /* each was told */
        err_set(err, kind, "%s cannot be made again by %s%s", rebuilding->plan.made.image, rebuilding->plan.lock_of,
                hint(rebuilding, kind));
        return false;
    }
    if (!rebuild_compare(command, &rebuilding->plan, dir, result, err))
        return false;
    if (result->verdict == REBUILD_DIFFERENT)
        err_set(err, ERR_TRUST, "made again, it is not the same: %s", result->lines.items[0]);
    if (result->verdict == REBUILD_DIFFERENT || !command->options.is_result_published)
        return result->verdict != REBUILD_DIFFERENT;
    rebuilding->is_published = rebuild_publish(command, &rebuilding->plan, result, &rebuilding->published_count, err);
    return rebuilding->is_published;
}

/* What is published is signed, and hangs on an image in a registry. */
static bool check_options(struct command *command, struct err *err)
{
    const struct options *options = &command->options;
    const struct signers *signers;
    struct stat status;
    if (options->vendor && (stat(options->vendor, &status) != 0 || !S_ISDIR(status.st_mode)))
        err_set(err, ERR_USAGE, "--vendor: %s is no directory; `imgfactory lock --vendor` makes one", options->vendor);
    else if (!options->is_rebuild && options->is_result_published)
        err_set(err, ERR_USAGE, "--publish-result is for --rebuild");
    else if (options->is_result_published && !options->sign.count)
        err_set(err, ERR_USAGE, "--publish-result wants a key to sign with: --sign FILE");
    if (err->kind || !options->is_result_published)
        return err->kind == ERR_NONE;
    return attesting_check_builder("--builder", options->builder, err) && signing_open(command, &signers, err);
}

static bool rebuild(struct rebuilding *rebuilding, struct err *err)
{
    struct command *command = rebuilding->command;
    struct options *options = &command->options;
    struct rebuild_result result = {0};
    bool is_json = options->is_json, is_quiet = options->is_quiet;
    if (!look_first(rebuilding, err))
        return false;
    if (options->is_result_published && rebuilding->plan.is_local) {
        err_set(err, ERR_USAGE, "--publish-result: %s lies on this machine; a result hangs on an image in its registry",
                options->words.items[0]);
        return false;
    }
    if (!rebuilding->plan.lock.len)
        err_set(
            err, ERR_RESOLVE,
            "nothing says what %s was made of: no lock is in its provenance, and none was given (--lock-file); images "
            "that were pushed with --attest provenance have one",
            options->words.items[0]);
    rebuilding->has_source = options->source != NULL;
    options->is_json = false;
    bool is_good = rebuilding->plan.lock.len && make_dir(rebuilding, err) && make_and_compare(rebuilding, &result, err);
    options->is_json = is_json;
    if (is_json)
        tell_json(rebuilding, &result, err);
    else if (!is_quiet && (is_good || result.lines.count))
        tell(rebuilding, &result);
    return is_good;
}

/* --- the lock alone --- */

static void tell_lock(struct arena *arena, const struct verify_lock *lock)
{
    if (lock->why)
        (void)printf("REFUSED: %s, against signed indices: %s\n", lock->from, text_shown(arena, lock->why));
    else if (lock->package_count)
        (void)printf("%s: %s, against %s: %zu packages\n", lock->repositories.count ? "verified" : "agrees, unsigned",
                     lock->from, lock->repositories.count ? "signed indices" : "its indices", lock->package_count);
    for (size_t i = 0; i < lock->repositories.count && !lock->why; i++)
        (void)printf("  %s\n", text_shown(arena, lock->repositories.items[i]));
    for (size_t i = 0; i < lock->unverified.count; i++)
        (void)printf("not verified: %s\n", text_shown(arena, lock->unverified.items[i]));
}

static void tell_lock_json(struct arena *arena, json_t *told, const struct verify_lock *lock, const struct err *err)
{
    json_t *sentences = json_object_get(told, "unverified"), *one;
    struct strings all = {0};
    size_t i;
    for (i = 0; i < lock->unverified.count; i++)
        json_array_append_new(sentences, record_text(lock->unverified.items[i]));
    json_array_foreach(sentences, i, one) list_add(arena, &all, json_string_value(one));
    json_object_set_new(told, "not_verified", record_text(strings_join(arena, &all, "; ")));
    json_object_set_new(told, "outcome", json_string(err_kind_name(err->kind)));
    json_object_set_new(told, "exit", json_integer(err->kind));
    json_object_set_new(told, "lock",
                        json_pack("{s:o, s:b, s:o, s:I, s:o}", "from", record_text(lock->from), "good",
                                  lock->repositories.count && !lock->unverified.count && !lock->why, "repositories",
                                  record_strings(&lock->repositories), "packages", (json_int_t)lock->package_count,
                                  "why", record_text(lock->why)));
    (void)json_dumpf(told, stdout, JSON_INDENT(2));
    (void)fputc('\n', stdout);
}

/* Where there is no room to work in, the rest holds all the same. */
static bool hold_lock_in_dir(struct rebuilding *rebuilding, struct verify_lock *lock, struct err *err)
{
    struct command *command = rebuilding->command;
    struct rebuild_plan *plan = &rebuilding->plan;
    if (plan->lock.len && !make_dir(rebuilding, err)) {
        list_add(&command->arena, &lock->unverified, arena_strdup(&command->arena, err->text));
        lock->from = plan->lock_of;
        err_clear(err);
        return true;
    }
    if (rebuilding->dir)
        confinement_write(command, rebuilding->dir, 0700);
    return verify_lock(command, plan, rebuilding->dir, lock, err);
}

/* Verifies, and holds the lock against the metadata that it names. */
static bool verify_only(struct rebuilding *rebuilding, struct err *err)
{
    struct command *command = rebuilding->command;
    struct options *options = &command->options;
    struct verify_lock lock = {0};
    const char *word = options->words.count ? options->words.items[0] : "";
    bool is_json = options->is_json;
    if (!look_first(rebuilding, err))
        return false;
    options->is_json = false;
    bool is_good = hold_lock_in_dir(rebuilding, &lock, err);
    options->is_json = is_json;
    if (is_good && lock.why)
        err_set(err, ERR_TRUST, "%s: %s, against signed indices: %s", word, lock.from, lock.why);
    if (is_json)
        tell_lock_json(&command->arena, rebuilding->plan.told, &lock, err);
    else if (!options->is_quiet)
        tell_lock(&command->arena, &lock);
    return err->kind == ERR_NONE;
}

bool rebuild_verify(struct command *command, struct err *err)
{
    AUTO(forget)
    struct rebuilding rebuilding = {.command = command,
                                    .plan = {.lock = TEXT(""), .is_rebuilt = command->options.is_rebuild}};
    return check_options(command, err) &&
           (command->options.is_rebuild ? rebuild(&rebuilding, err) : verify_only(&rebuilding, err));
}
