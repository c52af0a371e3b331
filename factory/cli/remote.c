/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/remote_parts.h"

#include "base/auto.h"
#include "base/clock.h"
#include "bill/record.h"
#include "cli/attesting.h"
#include "cli/build.h"
#include "cli/check.h"
#include "cli/confinement.h"
#include "cli/copy.h"
#include "cli/diff.h"
#include "cli/display.h"
#include "cli/history.h"
#include "cli/history_kept.h"
#include "cli/history_rebuild.h"
#include "cli/image_word.h"
#include "cli/in_images.h"
#include "cli/inspect.h"
#include "cli/login.h"
#include "cli/maker.h"
#include "cli/night_unit.h"
#include "cli/places.h"
#include "cli/plan_unit.h"
#include "cli/provenance_command.h"
#include "cli/prune.h"
#include "cli/sbom_command.h"
#include "cli/signing.h"
#include "cli/status.h"
#include "cli/system.h"
#include "cli/verify.h"
#include "cli/vex_command.h"
#include "formats/formats.h"
#include "io/program.h"
#include "layer/archive.h"
#include "layer/archive_write.h"
#include "line/fewer.h"
#include "line/report.h"
#include "oci/layout.h"
#include "registry/pull.h"
#include "registry/registries_conf.h"
#include "sign/sign_image.h"

/* Says what to do when a tag would have lost platforms: `image` is what a build would be called with, and would be
 * pushed to `target`. */
static void advise(struct remote *remote, const struct publication *publication, const char *image, const char *target,
                   struct err *err)
{
    struct arena *arena = remote->arena;
    const struct options *options = &remote->command->options;
    struct arches arches = {0};
    struct err ignored = {0};
    const char *dir;
    struct arch_keys keys = formats_arch_keys(arena);
    bool are_known =
        places_data_dir(arena, "arches", &dir, &ignored) && arches_load(arena, dir, &keys, &arches, &ignored);
    struct fewer_call call = {.program = arena_printf(arena, "imgfactory %s", options->command->name),
                              .options = command_line(arena, &options->given),
                              .words = command_line(arena, &options->words) + 1};
    const char *build = arena_printf(arena, "%s --push=%s", command_line(arena, &options->given_to_build),
                                     text_shell_word(arena, target));
    fewer_advise(are_known ? &arches : NULL, &publication->result.loss, &call, build, text_shell_word(arena, image),
                 err);
}

/* Opens the cache, which documents about an image are made with. */
static bool open_store_to_attest(struct remote *remote, struct image_opener *ret_opener, struct err *err)
{
    if (!remote->attest || !remote->attest->kinds)
        return true;
    *ret_opener = (struct image_opener){.remote = remote, .arena = remote->arena};
    return image_opener_open_store(ret_opener, err);
}

static void close_store(struct image_opener *opener)
{
    store_close(opener->store);
}

static bool push(struct remote *remote, struct err *err)
{
    const struct options *options = &remote->command->options;
    const char *word = options->words.items[0];
    struct reference reference;
    struct local local;
    if (!remote_find_local(remote, 0, &local, err))
        return false;
    if (!local.is_found)
        return remote_fail_no_layout(remote, word, err);
    if (!reference_parse(remote->arena, options->words.items[1], false, &reference, err))
        return false;
    if (reference.has_digest) {
        err_set(err, ERR_USAGE, "%s: a digest cannot be pushed to; name a tag", options->words.items[1]);
        return false;
    }
    struct progress_line line = {.image = options->words.items[0], .arch = "", .stage = STAGE_DONE};
    const struct progress progress = {&line, 1};
    struct publication publication = {.progress = &line,
                                      .layout = local.dir,
                                      .layout_tag = local.tag,
                                      .shown = local.shown,
                                      .wait = &remote->command->lock_wait,
                                      .policy = command_push_policy(remote->command),
                                      .tags = options->tags};
    if (reference.tag)
        list_add(remote->arena, &publication.tags, reference.tag);
    reference.tag = NULL;
    publication.destination = reference_print(remote->arena, &reference);
    AUTO(close_store) struct image_opener opener = {0};
    if (!open_store_to_attest(remote, &opener, err))
        return false;
    struct attest attest = remote->attest ? *remote->attest : (struct attest){0};
    attest.store = opener.store;
    attest.signers = remote->signers;
    const struct attach_giver givers[] = {{attest_give, &attest}, {sign_image, (void *)(uintptr_t)remote->signers}};
    size_t first = attest.kinds ? 0 : 1, last = remote->signers ? 2 : 1;
    publication.givers = (struct attach_givers){givers + first, last - first};
    struct display *display = options->is_quiet ? NULL : display_start(&progress, remote->command->log);
    bool is_good = publish_layout(remote->arena, remote->registry_options, remote->http, &publication, err);
    display_stop(display);
    if (!is_good) {
        const char *path = local.shown ? local.shown : local.dir, *slash = strrchr(path, '/');
        if (publication.tags.count == 1)
            reference.tag = publication.tags.items[0];
        advise(remote, &publication, slash && slash[1] ? slash + 1 : path, reference_print(remote->arena, &reference),
               err);
        publication.err = *err;
    }
    command_tell_timeout(remote->command, &publication.err);
    if (options->is_json)
        report_push_json(stdout, word, &publication);
    else if (is_good && !options->is_quiet)
        report_push(stdout, &publication);
    return is_good;
}

/* Sets the tag and fills the publication. */
static bool set_tag(struct remote *remote, struct reference *reference, const char *name,
                    struct publication *publication, struct err *err)
{
    AUTO(auto_close_registry) struct registry *registry = NULL;
    const char *slash = strrchr(reference->repository, '/');
    struct digest digest = reference->digest;
    struct push_policy policy = command_push_policy(remote->command);
    publication->is_tried = true;
    const struct registry_options *registry_options;
    publication->is_good =
        registries_conf_options(remote->arena, remote->registry_options, reference, &registry_options, err) &&
        registry_open(registry_options, remote->http, reference, REGISTRY_PUSH, &registry, err) &&
        push_tag(registry, remote->arena, &digest, name, &policy, &publication->result, err);
    reference->has_digest = false;
    reference->tag = name;
    if (!publication->is_good)
        advise(remote, publication, slash ? slash + 1 : reference->repository,
               reference_print(remote->arena, reference), err);
    reference->tag = NULL;
    publication->destination = reference_print(remote->arena, reference);
    publication->err = *err;
    return publication->is_good;
}

/* Signs the image for the tag that it is about to get (--sign): the older form names the tag. */
static bool sign_for_tag(struct remote *remote, const struct reference *reference, const char *name, struct err *err)
{
    AUTO(auto_close_registry) struct registry *registry = NULL;
    AUTO(remote_close_store) struct store *store = NULL;
    struct layout_wanted wanted = {.is_sparse_fine = true};
    const struct pull_request request = {reference, &wanted, false};
    const struct registry_options *options;
    struct attach_list list = {0};
    struct layout_image image;
    size_t count;
    if (!remote->signers)
        return true;
    if (!remote_open_store(remote, &store, err) ||
        !registries_conf_options(remote->arena, remote->registry_options, reference, &options, err) ||
        !registry_open(options, remote->http, reference, REGISTRY_PUSH, &registry, err) ||
        !pull_documents(registry, store, remote->arena, &request, &image, err))
        return false;
    const struct attach_tag tag = {.name = name, .digest = image.root.digest};
    const struct attach_target target = {
        .repository = arena_printf(remote->arena, "%s/%s", reference->host, reference->repository),
        .image = &image,
        .tags = &tag,
        .tag_count = 1};
    return sign_image((void *)(uintptr_t)remote->signers, remote->arena, &target, &list, err) &&
           attach_bring(registry, remote->arena, &list, false, &count, err);
}

/* Tells the state of past nights where the tag is now. */
static void take_down(struct remote *remote, const char *destination, const char *name, const struct digest *digest)
{
    const struct past_return given = {.destination = destination, .tag = name, .digest = *digest};
    struct err err = {0};
    const char *state;
    bool is_lost = false;
    if (!in_images_state(remote->command, &state, &err) ||
        !past_keep_return(state, &given, clock_date(), &is_lost, &err))
        log_line(remote->command->log, LOG_QUIET, "warning: %s; find --in-images will not know that the tag moved",
                 err.text);
    else if (is_lost)
        log_line(remote->command->log, LOG_QUIET,
                 "warning: no night of this image is kept; find --in-images tells of the one that was there before");
}

static bool tag(struct remote *remote, struct err *err)
{
    const struct options *options = &remote->command->options;
    struct publication publication = {0};
    struct reference reference;
    const char *name = options->words.items[1];
    if (!reference_parse(remote->arena, options->words.items[0], false, &reference, err))
        return false;
    if (!reference.has_digest || !reference_is_tag(name)) {
        err_set(err, ERR_USAGE,
                !reference.has_digest ? "%s has no digest; write REF@sha256:…, one that `imgfactory history REF` lists"
                                      : "%s is not a tag",
                !reference.has_digest ? options->words.items[0] : name);
        return false;
    }
    bool is_good = sign_for_tag(remote, &reference, name, err) && set_tag(remote, &reference, name, &publication, err);
    if (is_good)
        take_down(remote, publication.destination, name, &reference.digest);
    if (options->is_json)
        report_push_json(stdout, options->words.items[0], &publication);
    else if (is_good && !options->is_quiet)
        report_push(stdout, &publication);
    return is_good;
}

/* What the state knows of an image of this name, or that a manifest's path means; NULL: of all. */
static bool history_of_name(struct remote *remote, const char *word, struct err *err)
{
    struct past_images kept;
    struct features features;
    const char *state, *dir, *name = word;
    if (!in_images_state(remote->command, &state, err))
        return false;
    if (word && (strchr(word, '/') || text_has_suffix(text_of(word), ".yaml"))) {
        if (!maker_find_catalogue(remote->command, &dir, &features, err))
            return false;
        name = maker_name_of(remote->arena, maker_find_manifest(remote->arena, dir, &features, word), word);
    }
    past_read(remote->arena, state, name, false, &kept);
    if (!kept.count) {
        err_set(err, ERR_USAGE,
                "no night of an%s image%s%s is known in %s; of an image of a registry write HOST/REPOSITORY",
                name ? "" : "y", name ? " " : "", name ? name : "", state);
        return false;
    }
    (name ? history_kept_print : history_kept_print_all)(stdout, &kept, remote->command->options.is_json);
    return true;
}

static bool history(struct remote *remote, struct err *err)
{
    AUTO(auto_close_registry) struct registry *registry = NULL;
    const struct options *options = &remote->command->options;
    const struct registry_options *registry_options;
    struct reference reference;
    AUTO(remote_close_store) struct store *store = NULL;
    struct history found;
    struct past_images kept;
    const char *state;
    struct err ignored = {0};
    if (options->is_rebuild)
        return history_rebuild(remote, err);
    if (options->words.count > 1) {
        err_set(err, ERR_USAGE, "history takes one NAME or REF, not %zu; see imgfactory history --help",
                options->words.count);
        return false;
    }
    if (!options->words.count || remote_is_local(options->words.items[0]))
        return history_of_name(remote, options->words.count ? options->words.items[0] : NULL, err);
    if (!in_images_state(remote->command, &state, err))
        return false;
    if (!reference_parse(remote->arena, options->words.items[0], false, &reference, err))
        return false;
    if (!remote_open_store(remote, &store, &ignored)) /* then less is known */
        store = NULL;
    reference.tag = NULL;
    reference.has_digest = false;
    if (!registries_conf_options(remote->arena, remote->registry_options, &reference, &registry_options, err) ||
        !registry_open(registry_options, remote->http, &reference, REGISTRY_PULL, &registry, err) ||
        !history_read(registry, store, remote->arena, &found, err))
        return false;
    past_read(remote->arena, state, NULL, false, &kept);
    history_print(stdout, &found, &kept, reference_print(remote->arena, &reference), options->is_json);
    return true;
}

static json_t *referrers_json(const struct registry_referrer_list *referrers)
{
    json_t *list = json_array();
    for (size_t i = 0; i < referrers->items.count; i++) {
        const struct registry_referrer *referrer = &referrers->items.items[i];
        json_t *json = json_pack("{s:o, s:o}", "digest", json_sprintf("sha256:%s", digest_hex(&referrer->digest).chars),
                                 "type", record_text(referrer->type));
        for (size_t k = 0; k < referrer->notes.count; k++) {
            if (strcmp(referrer->notes.items[k].key, "in-toto.io/predicate-type") == 0)
                json_object_set_new(json, "predicate", record_text(referrer->notes.items[k].value));
        }
        json_array_append_new(list, json);
    }
    return list;
}

/* Lists what hangs on the index and each platform; what cannot be told of one is a warning. */
static json_t *find_attached(struct remote *remote, struct registry *registry, const struct layout_image *image)
{
    json_t *attached = json_object();
    for (size_t i = 0; i <= image->manifests.count && (i == 0 || image->is_index); i++) {
        const struct digest *digest = i ? &image->manifests.items[i - 1].blob.digest : &image->root.digest;
        struct registry_referrer_list referrers = {0};
        struct err err = {0};
        if (i && image->manifests.items[i - 1].unread)
            continue;
        if (!registry_read_referrers(registry, remote->arena, digest, &referrers, &err))
            log_line(remote->command->log, LOG_QUIET, "warning: what hangs on sha256:%s is not known: %s",
                     digest_hex(digest).chars, err.text);
        else if (referrers.items.count)
            json_object_set_new(attached, arena_printf(remote->arena, "sha256:%s", digest_hex(digest).chars),
                                referrers_json(&referrers));
    }
    return attached;
}

static bool inspect(struct remote *remote, struct err *err)
{
    const struct options *options = &remote->command->options;
    const char *word = options->words.items[0];
    AUTO(layout_image_close) struct layout_image opened = {.blobs_fd = -1};
    AUTO(remote_close_image) struct remote_image image = {.word = word};
    AUTO(remote_close_store) struct store *store = NULL;
    struct wanted arches;
    struct local local;
    if (!wanted_read(remote->command, &arches, err) || !remote_find_local(remote, 0, &local, err))
        return false;
    struct layout_wanted wanted = wanted_of_index(&arches, true);
    image.wanted = &wanted;
    if (local.is_found) {
        struct layout_choice choice = remote_local_choice(remote, &local, &wanted);
        if (!layout_image_open(remote->arena, &choice, &opened, err))
            return false;
    } else if (remote_is_local(word)) {
        return remote_fail_no_layout(remote, word, err);
    } else if (!remote_open_store(remote, &store, err) || !remote_open_image(remote, store, &image, err)) {
        return false;
    }
    const struct layout_image *found = local.is_found ? &opened : &image.image;
    if (!remote_check_offered(remote->arena, &arches, found, word, err))
        return false;
    json_t **exports;
    if (!system_describe(remote, found, local.is_found ? NULL : &image, &exports, err))
        return false;
    json_auto_t *attached = local.is_found ? NULL : find_attached(remote, image.registry, found);
    inspect_print(stdout, found, word, options->is_json, exports, attached);
    for (size_t i = 0; i < found->manifests.count; i++)
        json_decref(exports[i]);
    return true;
}

/* Adds a layout's image: that of the tag, unless --pin=DIGEST says another one of the layout. */
static bool add_layout_unit(struct remote *remote, struct layout_choice *choice, struct maker *maker, struct err *err)
{
    AUTO(layout_image_close) struct layout_image tagged = {.blobs_fd = -1}, pinned = {.blobs_fd = -1};
    if (!layout_image_open(remote->arena, choice, &tagged, err))
        return false;
    if (!maker->has_digest || layout_image_has(&tagged, &maker->pinned))
        return maker_add_image(maker, &tagged, NULL, err);
    choice->digest = &maker->pinned;
    return layout_image_open(remote->arena, choice, &pinned, err) && maker_add_image(maker, &pinned, NULL, err);
}

/* What is asked of the registry: with --pin=DIGEST not what the tag stands for now. */
static const char *asked_of(struct arena *arena, const struct maker *maker, const struct reference *reference)
{
    struct reference asked = *reference;
    if (maker->has_digest) {
        asked.tag = NULL;
        asked.has_digest = true;
        asked.digest = maker->pinned;
    }
    return reference_print(arena, &asked);
}

/* Adds one image to those that units are made for: a layout, an image of the catalogue, or one of a registry. */
static bool add_unit(struct remote *remote, const char *word, struct maker *maker, struct err *err)
{
    const char *dir, *tag;
    struct layout_wanted wanted = {.is_sparse_fine = true};
    AUTO(remote_close_image) struct remote_image image = {.wanted = &wanted};
    AUTO(remote_close_store) struct store *store = NULL;
    struct reference reference;
    bool is_manifest;
    if (remote_find_layout(remote, word, &dir, &tag)) {
        struct layout_choice choice = {.dir = dir, .tag = tag, .wait = &remote->command->lock_wait, .wanted = &wanted};
        return add_layout_unit(remote, &choice, maker, err);
    }
    if (remote_is_local(word)) {
        if (!maker_add_manifest(maker, word, &is_manifest, err))
            return false;
        return is_manifest || remote_fail_no_layout(remote, word, err);
    }
    if (!reference_parse(remote->arena, word, true, &reference, err))
        return false;
    image.word = asked_of(remote->arena, maker, &reference);
    return remote_open_store(remote, &store, err) && remote_open_image(remote, store, &image, err) &&
           maker_add_image(maker, &image.image, &reference, err);
}

static bool unit(struct remote *remote, struct err *err)
{
    const struct strings *words = &remote->command->options.words;
    struct maker maker;
    if (!maker_begin(remote->command, &maker, err))
        return false;
    if (night_unit_is_meant(maker.format))
        return night_unit_make(&maker, err);
    for (size_t i = 0; i < words->count; i++) {
        if (!add_unit(remote, words->items[i], &maker, err))
            return false;
    }
    return maker_print(&maker, err);
}

/* Checks several directories at once. */
static bool check_several(struct remote *remote, const struct wanted *wanted, const struct strings *words,
                          struct err *err)
{
    const char *dir, *tag;
    for (size_t i = 0; i < words->count; i++) {
        const char *word = words->items[i];
        if (remote_is_dir(word) && !remote_find_layout(remote, word, &dir, &tag))
            continue;
        err_set(err, ERR_USAGE, "%s is no root directory; of layouts and references check takes one at a time", word);
        return false;
    }
    return check_dirs(remote->command, wanted, words, err);
}

/* Checks a layout or directories; *ret_is_local false when the word means neither. */
static bool check_local(struct remote *remote, const struct wanted *wanted, bool *ret_is_local, struct err *err)
{
    const struct strings *words = &remote->command->options.words;
    const char *word = words->items[0];
    AUTO(layout_image_close) struct layout_image image = {.blobs_fd = -1};
    struct local local;
    *ret_is_local = true;
    if (words->count > 1)
        return check_several(remote, wanted, words, err);
    if (!remote_find_local(remote, 0, &local, err))
        return false;
    if (local.is_found) {
        struct layout_wanted children = wanted_of_index(wanted, false);
        struct layout_choice choice = remote_local_choice(remote, &local, &children);
        return layout_image_open(remote->arena, &choice, &image, err) &&
               check_image(remote->command, wanted, &(struct checked_image){word, &image, NULL, local.dir}, err);
    }
    if (remote_is_dir(word))
        return check_dirs(remote->command, wanted, words, err);
    *ret_is_local = remote_is_local(word);
    return *ret_is_local ? remote_fail_no_layout(remote, word, err) : true;
}

static bool check(struct remote *remote, struct err *err)
{
    struct layout_wanted children = wanted_of_index(remote->wanted, false);
    AUTO(remote_close_image)
    struct remote_image image = {
        .word = remote->command->options.words.items[0], .wanted = &children, .has_layers = true};
    AUTO(remote_close_store) struct store *store = NULL;
    return remote_open_store(remote, &store, err) && remote_open_image(remote, store, &image, err) &&
           check_image(remote->command, remote->wanted, &(struct checked_image){image.word, &image.image, store, NULL},
                       err);
}

/* Writes a pulled image to an archive. */
static bool write_archive(struct remote *remote, struct store *store, const struct layout_import_request *import,
                          struct err *err)
{
    struct archive_target target;
    const struct archive_request request = {
        .target = &target, .store = store, .image = import->image, .name = import->name, .tags = import->tags};
    return archive_target_parse(remote->arena, remote->command->options.output, &target, err) &&
           archive_write(&request, err);
}

/* Writes a pulled image to DIR/NAME, as a build would, or to an archive. */
static bool write_out(struct remote *remote, struct store *store, const struct layout_image *image,
                      const struct reference *reference, struct err *err)
{
    const char *slash = strrchr(reference->repository, '/');
    struct strings tags = {0};
    bool is_unchanged;
    if (reference->tag || !reference->has_digest) /* what was asked for by its digest has no tag to be pushed to */
        list_add(remote->arena, &tags, reference->tag ? reference->tag : "latest");
    struct layout_import_request request = {
        .dir = arena_printf(remote->arena, "%s/%s", remote->command->options.output,
                            slash ? slash + 1 : reference->repository),
        .store = store,
        .name = arena_printf(remote->arena, "%s/%s", reference->host, reference->repository),
        .image = image,
        .tags = &tags,
        .wait = &remote->command->lock_wait};
    return archive_is_target(remote->command->options.output) ? write_archive(remote, store, &request, err)
                                                              : layout_import(&request, &is_unchanged, err);
}

static bool pull(struct remote *remote, struct err *err)
{
    const struct options *options = &remote->command->options;
    const char *word = options->words.items[0];
    AUTO(remote_close_image) struct remote_image image = {.word = word, .has_layers = true};
    AUTO(remote_close_store) struct store *store = NULL;
    struct reference reference;
    struct wanted arches;
    if (!wanted_read(remote->command, &arches, err))
        return false;
    struct layout_wanted wanted = wanted_of_index(&arches, false);
    image.wanted = &wanted;
    if (!reference_parse(remote->arena, word, true, &reference, err) || !remote_open_store(remote, &store, err) ||
        !remote_open_image(remote, store, &image, err) ||
        !remote_check_offered(remote->arena, &arches, &image.image, word, err) || !verify_image(remote, &image, err))
        return false;
    if (arches.count)
        layout_image_narrow(remote->arena, &image.image);
    if (options->output && !write_out(remote, store, &image.image, &reference, err))
        return false;
    if (options->is_json || !options->is_quiet)
        inspect_print(stdout, &image.image, word, options->is_json, NULL, NULL);
    return true;
}

static bool login(struct remote *remote, struct err *err)
{
    return login_run(remote->command, remote->registry_options, remote->http, err);
}

static void close_archives(struct remote *remote)
{
    for (size_t i = 0; i < REMOTE_ARCHIVES; i++)
        archive_done(&remote->archives[i]);
}

static bool status(struct remote *remote, struct err *err)
{
    return status_run(remote->command, remote->registry_options, remote->http, err);
}

static struct remote remote_of(struct command *command)
{
    return (struct remote){
        .command = command, .arena = &command->arena, .registry_options = command_registry_options(command)};
}

/* Allows what a word means on this machine: an archive and a place to unpack it, a layout, a folder. */
static bool confine_word(struct remote *remote, size_t word_at, struct err *err)
{
    static const char *const prefixes[] = {"oci-archive:", "docker-archive:"};
    struct command *command = remote->command;
    const char *word = command->options.words.items[word_at], *dir, *tag, *file;
    struct archive *archive = word_at < REMOTE_ARCHIVES ? &remote->archives[word_at] : NULL;
    for (size_t i = 0; i < ARRAY_COUNT(prefixes); i++)
        word += strncmp(word, prefixes[i], strlen(prefixes[i])) == 0 ? strlen(prefixes[i]) : 0;
    file = remote_split_file(remote->arena, word, &tag);
    confinement_read(command, file);
    if (file && command->options.command->kind == COMMAND_UNIT) { /* a manifest: it may name files beside it */
        const char *slash = strrchr(file, '/');
        confinement_read(command, slash ? arena_strndup(remote->arena, file, (size_t)(slash - file + 1)) : ".");
    } else if (file && command->keeper && archive && !archive->layout) {
        if (!archive_make_place(archive, err))
            return false;
        confinement_write(command, archive->layout, 0700);
        list_add(remote->arena, &command->made, arena_strdup(remote->arena, archive->layout));
    }
    if (remote_find_layout(remote, word, &dir, &tag))
        confinement_read(command, dir);
    else if (remote_is_dir(word))
        confinement_read(command, word);
    return true;
}

/* A folder of the program's data, or NULL when there is none. */
static const char *shipped_dir(struct arena *arena, const char *name)
{
    struct err none = {0};
    const char *dir;
    return places_data_dir(arena, name, &dir, &none) ? dir : NULL;
}

/* A folder of the user's, or NULL when there is no telling where (places_user_dir()). */
static const char *user_dir(struct arena *arena, const char *variable, const char *below_home, const char *for_system)
{
    struct err none = {0};
    const char *dir;
    return places_user_dir(arena, variable, below_home, for_system, &dir, &none) ? dir : NULL;
}

/* Allows to write where a pulled image goes. */
static bool confine_output(struct remote *remote, struct err *err)
{
    struct archive_target target;
    const char *output = remote->command->options.output;
    if (output && archive_is_target(output)) {
        if (!archive_target_parse(remote->arena, output, &target, err))
            return false;
        output = archive_folder(remote->arena, &target);
    }
    confinement_write(remote->command, output, 0755);
    return true;
}

/* Confines this thread, and those that it starts, to what the command works with. */
static bool confine(struct remote *remote, struct err *err)
{
    struct command *command = remote->command;
    const struct options *options = &command->options;
    const char *arches = options->arches, *manifests = options->manifests, *cache = options->cache,
               *state = options->state;
    struct strings files;
    if (!command->keeper || command->is_confined)
        return true;
    confinement_read_linked(command, arches ? arches : shipped_dir(remote->arena, "arches"));
    confinement_read_linked(command, manifests);
    confinement_read_linked(command, shipped_dir(remote->arena, "manifests"));
    if (options->command->kind == COMMAND_PROVENANCE)
        confinement_read(command, PROGRAM_FILE); /* which names itself */
    if (command->options.command->kind == COMMAND_UNIT && command->site.path)
        confinement_read(command, plan_unit_lock(remote->arena, command->site.path));
    for (size_t i = 0; i < options->trackers.count; i++)
        confinement_read(command, options->trackers.items[i]);
    registries_conf_files(remote->arena, &files);
    for (size_t i = 0; i < files.count; i++)
        confinement_read_linked(command, files.items[i]);
    confinement_read(command, command_first(options->output, command->site.output, "out"));
    for (size_t i = 0; i < options->words.count; i++) {
        if (!confine_word(remote, i, err))
            return false;
    }
    if (options->command->kind == COMMAND_PULL && !confine_output(remote, err))
        return false;
    if (options->command->kind == COMMAND_COPY) {
        confinement_read(command, options->lock_file);
        confinement_read(command, options->vendor);
        for (size_t i = 0; i < options->keys.count; i++)
            confinement_read(command, options->keys.items[i]);
        confinement_read(command, options->from_dir);
        confinement_write(command, options->to_dir, 0755);
    }
    confinement_write(command, options->units, 0755);
    confinement_write(command, options->sboms, 0755);
    confinement_write(command, cache ? cache : user_dir(remote->arena, "XDG_CACHE_HOME", ".cache", "/var/cache"), 0700);
    confinement_write(command, state ? state : user_dir(remote->arena, "XDG_STATE_HOME", ".local/state", "/var/lib"),
                      0700);
    confinement_enter(command);
    return true;
}

/* Runs a command with the network thread beside it. */
static bool with_network(struct remote *remote, bool (*run)(struct remote *remote, struct err *err), struct err *err)
{
    if (!confine(remote, err))
        return false;
    struct http_options http_options = command_http_options(remote->command);
    if (!http_start(&http_options, &remote->http, err))
        return false;
    bool is_good = run(remote, err);
    http_stop(remote->http);
    close_archives(remote);
    return is_good;
}

bool remote_with_network(struct remote *remote, bool (*run)(struct remote *remote, struct err *err), struct err *err)
{
    return with_network(remote, run, err);
}

bool remote_push(struct command *command, struct err *err)
{
    struct remote remote = remote_of(command);
    AUTO(attesting_close) struct attesting attesting = {0};
    remote.attest = &attesting.attest;
    return signing_open(command, &remote.signers, err) && attesting_open(command, &attesting, err) &&
           with_network(&remote, push, err);
}

bool remote_pull(struct command *command, struct err *err)
{
    AUTO(verify_end) struct verify verify = {0};
    struct remote remote = remote_of(command);
    remote.verify = &verify;
    return verify_begin(&remote, &verify, err) && with_network(&remote, pull, err);
}

bool remote_inspect(struct command *command, struct err *err)
{
    struct remote remote = remote_of(command);
    return with_network(&remote, inspect, err);
}

bool remote_diff(struct command *command, struct err *err)
{
    struct remote remote = remote_of(command);
    return with_network(&remote, diff_run, err);
}

bool remote_sbom(struct command *command, struct err *err)
{
    struct remote remote = remote_of(command);
    return with_network(&remote, sbom_run, err);
}

bool remote_provenance(struct command *command, struct err *err)
{
    struct remote remote = remote_of(command);
    return with_network(&remote, provenance_run, err);
}

bool remote_vex(struct command *command, struct err *err)
{
    struct remote remote = remote_of(command);
    return with_network(&remote, vex_run, err);
}

bool remote_unit(struct command *command, struct err *err)
{
    struct remote remote = remote_of(command);
    return with_network(&remote, unit, err);
}

bool remote_history(struct command *command, struct err *err)
{
    struct remote remote = remote_of(command);
    return with_network(&remote, history, err);
}

bool remote_status(struct command *command, struct err *err)
{
    if (!status_load_site(command, err))
        return false;
    if (command->options.plan)
        return build_plan_status(command, err);
    struct remote remote = remote_of(command);
    return with_network(&remote, status, err);
}

static bool prune(struct remote *remote, struct err *err)
{
    return prune_reference(remote->command, remote->http, err);
}

bool remote_prune(struct command *command, struct err *err)
{
    bool is_site;
    struct reference reference;
    struct remote remote = remote_of(command);
    if (!prune_load_site(command, &is_site, err))
        return false;
    if (is_site && command->options.keep) {
        err_set(err, ERR_USAGE, "--keep is for a repository; of a site's images the site file says what is kept");
        return false;
    }
    if (is_site)
        return build_prune(command, NULL, err);
    if (command->options.keep)
        return with_network(&remote, prune, err);
    return reference_parse(remote.arena, command->options.words.items[0], false, &reference, err) &&
           build_prune(command, reference_print(remote.arena, &reference), err);
}

bool remote_system(struct command *command, struct err *err)
{
    AUTO(system_call_end) struct system_call call = {0};
    AUTO(verify_end) struct verify verify = {0};
    struct remote remote = remote_of(command);
    const struct strings *words = &command->options.words;
    bool is_done;
    if (!system_call_begin(command, &call, &is_done, err) ||
        (!is_done && words->count > 1 && !verify_begin_maybe(command, words->items[1], &verify, err)))
        return false;
    remote.verify = &verify;
    remote.system = &call;
    if (call.rootfs) {
        confinement_read(command, call.rootfs);
        confinement_read(command, arena_printf(remote.arena, "%s%s", call.place.host.shown, call.rootfs));
    }
    return is_done || with_network(&remote, system_call_image, err);
}

bool remote_verify_for(struct command *command, struct rebuild_plan *plan, struct err *err)
{
    AUTO(verify_end) struct verify verify = {.plan = plan};
    struct remote remote = remote_of(command);
    remote.verify = &verify;
    return verify_begin(&remote, &verify, err) && with_network(&remote, verify_run, err);
}

bool remote_copy(struct command *command, struct err *err)
{
    struct remote remote = remote_of(command);
    struct copy_verifies verifies = {0};
    bool is_good = copy_begin(command, &verifies, err);
    remote.verify = verifies.items;
    is_good = is_good && with_network(&remote, copy_run, err);
    copy_end(&verifies);
    return is_good;
}

bool remote_tag(struct command *command, struct err *err)
{
    struct remote remote = remote_of(command);
    return (!command->options.sign.count || signing_open(command, &remote.signers, err)) &&
           with_network(&remote, tag, err);
}

bool remote_login(struct command *command, struct err *err)
{
    struct remote remote = remote_of(command);
    return with_network(&remote, login, err);
}

bool remote_logout(struct command *command, struct err *err)
{
    struct remote remote = remote_of(command);
    return logout_run(command, remote.registry_options, err);
}

bool remote_check(struct command *command, struct err *err)
{
    struct remote remote = remote_of(command);
    struct wanted wanted;
    bool is_local; /* the network is started only for what needs it */
    remote.wanted = &wanted;
    bool is_good = wanted_read(command, &wanted, err) && confine(&remote, err) &&
                   check_local(&remote, &wanted, &is_local, err) && (is_local || with_network(&remote, check, err));
    close_archives(&remote);
    return is_good;
}
