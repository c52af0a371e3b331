/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/check.h"

#include "base/auto.h"
#include "base/clock.h"
#include "base/workers.h"
#include "bill/bill.h"
#include "bill/record.h"
#include "cli/layer_open.h"
#include "cli/places.h"
#include "oci/config_read.h"
#include "proof/proof.h"
#include "proof/root_dir.h"
#include "proof/root_layers.h"

#include <jansson.h>

/* A check under way: its report grows with each architecture. */
struct check {
    struct command *command;
    struct arena *arena;
    const char *name;
    const char *layout; /* directory with the bills of an image; NULL: without */
    const struct wanted *wanted;
    struct interpreters interpreters;
    size_t checked_count, violation_count;
    struct root_budget budget; /* for the layers of all manifests */
    struct map layers;         /* digests of those that added to it */
    json_t *report;
};

static void check_done(struct check *check)
{
    json_decref(check->report);
}

static bool load_interpreters(struct check *check, struct err *err)
{
    struct strings dirs = {0};
    const char *manifests;
    if (!places_data_dir(check->arena, "manifests", &manifests, err))
        return false;
    list_add(check->arena, &dirs, arena_printf(check->arena, "%s/interpreters", manifests));
    return interpreters_load(check->arena, &dirs, &check->interpreters, err);
}

static bool begin(struct command *command, const struct wanted *wanted, const char *name, struct check *ret_check,
                  struct err *err)
{
    *ret_check = (struct check){.command = command,
                                .arena = &command->arena,
                                .wanted = wanted,
                                .name = name,
                                .budget = root_budget_of_call(),
                                .layers.arena = &command->arena,
                                .report = json_array()};
    return load_interpreters(ret_check, err);
}

static void set_text(json_t *json, const char *key, const char *text)
{
    if (text)
        (void)json_object_set_new(json, key, record_text(text));
}

static json_t *findings_json(const struct proof_findings *findings)
{
    json_t *array = json_array();
    for (size_t i = 0; i < findings->count; i++) {
        const struct proof_finding *finding = &findings->items[i];
        json_t *json = json_object();
        set_text(json, "path", finding->path);
        set_text(json, "wanted", finding->wanted);
        set_text(json, "text", finding->text);
        (void)json_array_append_new(array, json);
    }
    return array;
}

static void print_findings(const char *label, const struct proof_findings *findings)
{
    for (size_t i = 0; i < findings->count; i++)
        (void)printf("  %s: %s\n", label, findings->items[i].text);
}

/* The proof with the time that it took. */
struct timed_proof {
    struct proof proof;
    double seconds;
};

static void prove(struct arena *arena, const struct proof_request *request, struct timed_proof *ret_proof)
{
    double begun = clock_seconds();
    proof_check(arena, request, &ret_proof->proof);
    ret_proof->seconds = clock_seconds() - begun;
}

/* Reports one tree. */
static void report(struct check *check, const char *name, const char *arches, const struct timed_proof *timed)
{
    const struct proof *proof = &timed->proof;
    const struct options *options = &check->command->options;
    size_t violations = proof->violations.count;
    check->checked_count++;
    check->violation_count += violations;
    json_t *json = json_pack("{s:o, s:s, s:f, s:b, s:I, s:I, s:I, s:o, s:o}", "name", record_text(name), "arch", arches,
                             "seconds", timed->seconds, "good", violations == 0, "files", (json_int_t)proof->file_count,
                             "programs", (json_int_t)proof->program_count, "symbols", (json_int_t)proof->symbol_count,
                             "violations", findings_json(&proof->violations), "notes", findings_json(&proof->notes));
    (void)json_array_append_new(check->report, json);
    if (options->is_json)
        return;
    if (!options->is_quiet)
        (void)printf("%s %s: %s; %zu files, %zu programs, %llu symbols, %zu notes\n", name, arches,
                     violations ? "not good" : "good", proof->file_count, proof->program_count,
                     (unsigned long long)proof->symbol_count, proof->note_count);
    print_findings("violation", &proof->violations);
    if (!options->is_quiet)
        print_findings("note", &proof->notes);
}

static bool fail_nothing(const char *name, struct err *err)
{
    err_set(err, ERR_RESOLVE, "%s has no image or program of the architectures asked for", name);
    return false;
}

/* Prints what --json asks for and gives the verdict. */
static bool end(struct check *check, struct err *err)
{
    if (!check->checked_count)
        return fail_nothing(check->name, err);
    if (check->violation_count)
        err_set(err, ERR_RESOLVE, "%s: %zu violation%s; what is named there has to be mended", check->name,
                check->violation_count, check->violation_count == 1 ? "" : "s");
    if (check->command->options.is_json) {
        json_auto_t *json = json_pack("{s:s, s:o, s:s, s:i, s:O}", "imgfactory", IMGFACTORY_VERSION, "checked",
                                      record_text(check->name), "outcome", err->kind ? err_kind_name(err->kind) : "ok",
                                      "exit", (int)err->kind, "architectures", check->report);
        (void)json_dumpf(json, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII);
        (void)fputc('\n', stdout);
    }
    return err->kind == ERR_NONE;
}

/* One directory: checked by a worker, reported when all are. */
struct dir_check {
    const struct check *check;
    struct arena arena;
    const char *path;
    size_t thread_count; /* that may read it at once */
    const char *arches;  /* names of those it was checked for, or NULL: none is known */
    struct timed_proof proof;
    struct err err;
};

/* Where this program's own cache lies in a directory, if it does: programs of other images are no part of the system. */
static const char *own_cache(struct arena *arena, const struct command *command, const char *dir)
{
    const char *cache = command->options.cache;
    struct err ignored = {0};
    if (!cache && !places_user_dir(arena, "XDG_CACHE_HOME", ".cache", "/var/cache", &cache, &ignored))
        return NULL;
    AUTO(auto_free) char *own = realpath(cache, NULL), *root = realpath(dir, NULL);
    size_t len = root && strcmp(root, "/") != 0 ? strlen(root) : 0;
    bool is_within = own && root && strncmp(own, root, len) == 0 && own[len] == '/' && own[len + 1];
    if (is_within)
        log_line(command->log, LOG_VERBOSE, "%s: left out: %s, this program's cache", dir, own);
    return is_within ? arena_strdup(arena, own + len) : NULL;
}

static void dir_task(void *item)
{
    struct dir_check *dir = item;
    const struct check *check = dir->check;
    AUTO(root_dir_done) struct root_dir root = {0};
    struct strings names = {0};
    const struct arch **arches;
    size_t count;
    const char *cache = own_cache(&dir->arena, check->command, dir->path);
    if (!root_dir_read(dir->path, cache, dir->thread_count, &root, &dir->err))
        return;
    proof_find_arches(&dir->arena, &root.tree, &check->wanted->arches, &arches, &count);
    if (check->wanted->count) {
        arches = check->wanted->items;
        count = check->wanted->count;
    }
    if (!count)
        return;
    struct proof_request request = {.tree = &root.tree,
                                    .arches = arches,
                                    .arch_count = count,
                                    .programs = check->command->options.programs,
                                    .is_mapped_alone = true,
                                    .interpreters = &check->interpreters};
    prove(&dir->arena, &request, &dir->proof);
    for (size_t i = 0; i < count; i++)
        list_add(&dir->arena, &names, arches[i]->name);
    dir->arches = strings_join(&dir->arena, &names, ", ");
}

/* Runs the checks, on workers when there is more than one; one alone is read by all threads. */
static bool run_dirs(const struct check *check, struct dir_check *dirs, size_t count, struct err *err)
{
    size_t jobs = command_jobs(check->command);
    struct workers *workers = NULL;
    if (count == 1 || jobs == 1) {
        for (size_t i = 0; i < count; i++) {
            dirs[i].thread_count = jobs;
            dir_task(&dirs[i]);
        }
        return true;
    }
    void **items = arena_new_array(check->arena, void *, count);
    for (size_t i = 0; i < count; i++)
        items[i] = &dirs[i];
    if (!workers_start(jobs < count ? jobs : count, &workers, err))
        return false;
    workers_run_all(workers, dir_task, items, count);
    workers_stop(workers);
    return true;
}

bool check_dirs(struct command *command, const struct wanted *wanted, const struct strings *paths, struct err *err)
{
    AUTO(check_done) struct check check = {0};
    if (!begin(command, wanted, strings_join(&command->arena, paths, ", "), &check, err))
        return false;
    struct dir_check *dirs = arena_new_array(check.arena, struct dir_check, paths->count);
    for (size_t i = 0; i < paths->count; i++)
        dirs[i] = (struct dir_check){.check = &check, .path = paths->items[i], .thread_count = 1};
    bool is_good = run_dirs(&check, dirs, paths->count, err);
    for (size_t i = 0; i < paths->count; i++) {
        if (is_good && dirs[i].err.kind) {
            *err = dirs[i].err;
            is_good = false;
        } else if (is_good && dirs[i].arches) {
            report(&check, dirs[i].path, dirs[i].arches, &dirs[i].proof);
        } else if (is_good) {
            is_good = fail_nothing(dirs[i].path, err);
        }
        arena_done(&dirs[i].arena);
    }
    return is_good && end(&check, err);
}

/* Says what is wrong with a layer's entry in diff_ids, if anything is. */
static void check_diff_id(struct arena *arena, const struct layout_manifest *manifest, const struct strings *diff_ids,
                          size_t index, const struct digest *diff_id, struct strings *faults)
{
    const struct digest *packed = &manifest->layers.items[index].digest;
    const char *is = arena_printf(arena, "sha256:%s", digest_hex(diff_id).chars);
    bool is_given = index < diff_ids->count;
    const char *given = is_given ? diff_ids->items[index] : "", *why = "";
    if (strcmp(given, is) == 0)
        return;
    if (strcmp(given, arena_printf(arena, "sha256:%s", digest_hex(packed).chars)) == 0)
        why = ": diff_ids has the digest of the compressed layer";
    else if (strings_has(diff_ids, is))
        why = ": diff_ids are in another order than the layers";
    list_add(arena, faults,
             arena_printf(arena, "layer %zu: its bytes are %s, the configuration's diff_ids say %s%s", index + 1, is,
                          is_given ? text_printable(arena, text_of(given)) : "nothing", why));
}

/* What the bill beside an image says that is not its own affair. */
struct beside {
    struct map spare; /* what nobody named and cannot be loaded */
    size_t base_layer_count;
};

static void read_beside(struct arena *arena, const struct check *check, const struct layout_manifest *manifest,
                        struct beside *ret_beside)
{
    struct bill bill = {0};
    *ret_beside = (struct beside){.spare.arena = arena};
    if (!check->layout || !bill_read_beside(arena, check->layout, &manifest->blob.digest, &bill))
        return;
    for (size_t i = 0; i < bill.unloadable.count; i++)
        (void)map_add(&ret_beside->spare, text_of(bill.unloadable.items[i]), arena);
    if (bill.base && bill.base->layer_count < manifest->layers.count)
        ret_beside->base_layer_count = bill.base->layer_count;
}

static bool check_manifest(struct check *check, const struct layout_image *image, struct store *store,
                           const struct layout_manifest *manifest, const struct arch *arch, struct err *err)
{
    AUTO(arena_done) struct arena arena = {0};
    AUTO(root_layers_done)
    struct root_layers layers = {.arena = &arena, .items = {.arena = &arena}, .budget = &check->budget};
    layers.spool.broker = check->command->keeper ? check->command->broker : NULL;
    struct beside beside;
    struct config_facts config;
    read_beside(&arena, check, manifest, &beside);
    layers.given_count = beside.base_layer_count;
    config_read(&arena, manifest->config_bytes, &config);
    for (size_t i = 0; i < manifest->layers.count; i++) {
        const struct layout_blob *blob = &manifest->layers.items[i];
        AUTO(view_done) struct view view = {0};
        struct digest diff_id;
        if (map_add(&check->layers, text_of(arena_strdup(check->arena, digest_hex(&blob->digest).chars)), check))
            root_budget_add(&check->budget, blob->size_bytes);
        const char *name = arena_printf(&arena, "layer sha256:%s", digest_hex(&blob->digest).chars);
        if (!layer_map(image, store, blob, &view, err) ||
            !root_layers_add(&layers, (struct text){view.ptr, view.len}, name, &diff_id, err) ||
            !layer_hold_table(manifest, i, (struct text){view.ptr, view.len}, err))
            return false;
        check_diff_id(&arena, manifest, &config.diff_ids, i, &diff_id, &config.faults);
    }
    struct tree tree;
    struct timed_proof proof;
    if (!root_layers_tree(&layers, &tree, err))
        return false;
    struct proof_request request = {.tree = &tree,
                                    .arches = &arch,
                                    .arch_count = 1,
                                    .launch = &config.launch,
                                    .spare = &beside.spare,
                                    .interpreters = &check->interpreters,
                                    .faults = config.faults};
    prove(&arena, &request, &proof);
    for (size_t i = 0; i < proof.proof.spared.count; i++)
        list_add(&arena, &proof.proof.notes, proof.proof.spared.items[i]);
    report(check, check->name, arch->name, &proof);
    return true;
}

/* Finds the architecture of a manifest by its platform; NULL for one that is not known. */
static const struct arch *arch_of(struct check *check, const struct layout_manifest *manifest)
{
    const struct arch *arch = NULL;
    struct err ignored = {0};
    if (!manifest->architecture)
        return NULL;
    const char *name = manifest->variant
                           ? arena_printf(check->arena, "linux/%s/%s", manifest->architecture, manifest->variant)
                           : manifest->architecture;
    if (arches_find(&check->wanted->arches, name, &arch, &ignored))
        return arch;
    err_clear(&ignored);
    return arches_find(&check->wanted->arches, manifest->architecture, &arch, &ignored) ? arch : NULL;
}

/* Returns the system of a manifest that is not Linux, by its platform or its configuration; NULL for Linux. */
static const char *other_os(struct check *check, const struct layout_manifest *manifest)
{
    struct config_facts config = {0};
    if (manifest->os && strcmp(manifest->os, "linux") != 0)
        return manifest->os;
    if (layout_is_config(manifest->config.media_type))
        config_read(check->arena, manifest->config_bytes, &config);
    return config.os && strcmp(config.os, "linux") != 0 ? text_printable(check->arena, text_of(config.os)) : NULL;
}

/* Tells whether a manifest is one to be checked, and for which architecture; says what is left out. */
static bool is_checked(struct check *check, const struct layout_manifest *manifest, const struct arch **ret_arch)
{
    struct log *log = check->command->log;
    if (manifest->unread) {
        if (manifest->unread == LAYOUT_OTHER && (!layout_is_index(manifest->blob.media_type) || !manifest->bytes.ptr))
            log_line(log, LOG_QUIET, "warning: %s: sha256:%s of type %s is not checked, it is no image manifest",
                     check->name, digest_hex(&manifest->blob.digest).chars, manifest->blob.media_type);
        return false;
    }
    *ret_arch = arch_of(check, manifest);
    if (manifest->is_attestation || (*ret_arch && !wanted_has(check->wanted, *ret_arch)))
        return false;
    const char *os = other_os(check, manifest), *name = manifest->architecture ? manifest->architecture : "no platform";
    if (os)
        log_line(log, LOG_QUIET, "warning: %s: a manifest for %s/%s is not checked, it is not of Linux", check->name,
                 os, name);
    else if (!*ret_arch)
        log_line(log, LOG_QUIET, "warning: %s: a manifest for %s is not checked, no arch file is for it", check->name,
                 name);
    return !os && *ret_arch;
}

bool check_image(struct command *command, const struct wanted *wanted, const struct checked_image *checked,
                 struct err *err)
{
    const char *name = checked->name;
    const struct layout_image *image = checked->image;
    AUTO(check_done) struct check check = {0};
    if (!begin(command, wanted, name, &check, err))
        return false;
    check.layout = checked->layout;
    for (size_t i = 0; i < image->manifests.count; i++) {
        const struct layout_manifest *manifest = &image->manifests.items[i];
        const struct arch *arch;
        if (!is_checked(&check, manifest, &arch))
            continue;
        if (!check_manifest(&check, image, checked->store, manifest, arch, err)) {
            err_wrap(err, "%s for %s", name, arch->name);
            return false;
        }
    }
    return end(&check, err);
}
