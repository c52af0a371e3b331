/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/history_rebuild.h"

#include "base/auto.h"
#include "base/clock.h"
#include "bill/record.h"
#include "cli/history.h"
#include "cli/in_images.h"
#include "cli/maker.h"
#include "past/past_document.h"
#include "registry/artifact.h"
#include "registry/registries_conf.h"

#define PRUNED_EVERY 100 /* images, so that the state is never much bigger than its bounds */

/* An image of a repository, by its name: what was published last as the documents tell. */
struct rebuilt_image {
    const char *name;
    int64_t first;
    struct digest digest;
    struct strings tags; /* that it got then */
};

/* One repository. */
struct rebuilding {
    struct arena *arena;
    struct registry *registry;
    const char *destination, *state;
    size_t count, without; /* images that have a document, and that have none */
    LIST(struct rebuilt_image) images;
};

/* Returns whether a record tells of the platforms of an image, and of no other: bills are kept by the digest of a manifest, and what
 * lies beside one image has nothing to say of another's. */
static bool is_of(const struct past_record *record, const struct history_image *image)
{
    size_t known = 0;
    for (size_t i = 0; i < record->platforms.count; i++) {
        bool is_known = false;
        for (size_t k = 0; k < image->manifests.count && !is_known; k++)
            is_known = digest_eq(&image->manifests.items[k], &record->platforms.items[i].manifest);
        known += is_known;
    }
    return digest_eq(&record->digest, &image->digest) && known == record->platforms.count;
}

/* Notes of each name what was published last. */
static void note_newest(struct rebuilding *rebuilding, const struct past_record *record)
{
    struct rebuilt_image *image = NULL;
    for (size_t i = 0; i < rebuilding->images.count && !image; i++) {
        if (strcmp(rebuilding->images.items[i].name, record->name) == 0)
            image = &rebuilding->images.items[i];
    }
    if (image && image->first >= record->first)
        return;
    if (!image) {
        list_add(rebuilding->arena, &rebuilding->images,
                 (struct rebuilt_image){.name = arena_strdup(rebuilding->arena, record->name)});
        image = &rebuilding->images.items[rebuilding->images.count - 1];
    }
    image->first = record->first;
    image->digest = record->digest;
    image->tags = (struct strings){0};
    for (size_t i = 0; i < record->tags.count; i++)
        list_add(rebuilding->arena, &image->tags, arena_strdup(rebuilding->arena, record->tags.items[i]));
}

/* Reads the document of one image, if it has one, into the state: one at a time is in memory. */
static bool read_one(struct rebuilding *rebuilding, const struct history_image *image, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct artifact artifact;
    struct past_note note;
    bool is_more;
    if (!artifact_read_attached(rebuilding->registry, &scratch, &image->digest, PAST_DOCUMENT_TYPE, &artifact, err))
        return false;
    if (artifact.found != ARTIFACT_READ || !past_document_read(&scratch, artifact.document, &note) ||
        !is_of(&note.record, image)) {
        rebuilding->without++;
        return true;
    }
    note_newest(rebuilding, &note.record);
    note.record.destination = rebuilding->destination;
    note.record.tags = image->tags;
    if (++rebuilding->count % PRUNED_EVERY == 0)
        past_prune(rebuilding->state);
    return past_keep(rebuilding->state, &note, 1, 0, &is_more, err);
}

/* A tag that what was published last got, and that is at another image now, went there since: that one is published. */
static struct digest digest_of_now(const struct rebuilt_image *image, const struct history *found)
{
    for (size_t i = 0; i < found->count; i++) {
        for (size_t k = 0; !digest_eq(&found->items[i].digest, &image->digest) && k < image->tags.count; k++) {
            if (strings_has(&found->items[i].tags, image->tags.items[k]))
                return found->items[i].digest;
        }
    }
    return image->digest;
}

static bool read_repository(struct rebuilding *rebuilding, struct log *log, struct err *err)
{
    struct history found;
    if (!history_read(rebuilding->registry, NULL, rebuilding->arena, &found, err))
        return false;
    for (size_t i = found.count; i-- > 0;) { /* the oldest first: each comes after what it came after then */
        if (!read_one(rebuilding, &found.items[i], err))
            return false;
    }
    for (size_t i = 0; i < rebuilding->images.count; i++) {
        const struct rebuilt_image *image = &rebuilding->images.items[i];
        const struct past_return now = {
            .destination = rebuilding->destination, .name = image->name, .digest = digest_of_now(image, &found)};
        bool is_lost;
        if (!past_keep_return(rebuilding->state, &now, clock_date(), &is_lost, err))
            return false;
        if (is_lost)
            log_line(log, LOG_QUIET,
                     "warning: %s: what %s is now has no bills; find --in-images tells of what was before",
                     rebuilding->destination, text_printable(rebuilding->arena, text_of(image->name)));
    }
    return true;
}

static bool rebuild_one(struct remote *remote, const char *word, const char *state, size_t *ret_count,
                        size_t *ret_without, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    AUTO(auto_close_registry) struct registry *registry = NULL;
    const struct registry_options *options;
    struct reference reference;
    struct rebuilding rebuilding = {.arena = &scratch, .state = state};
    if (!reference_parse(&scratch, word, false, &reference, err))
        return false;
    reference.tag = NULL;
    reference.has_digest = false;
    rebuilding.destination = reference_print(&scratch, &reference);
    if (!registries_conf_options(&scratch, remote->registry_options, &reference, &options, err) ||
        !registry_open(options, remote->http, &reference, REGISTRY_PULL, &registry, err))
        return false;
    rebuilding.registry = registry;
    bool is_good = read_repository(&rebuilding, remote->command->log, err);
    if (rebuilding.count)
        past_prune(state);
    *ret_count = rebuilding.count;
    *ret_without = rebuilding.without;
    return is_good;
}

/* Where an image of the site goes, as builds choose it; NULL: nowhere. */
static const char *place_of(struct remote *remote, const char *manifests_dir, const struct features *features,
                            const struct site_image *image)
{
    struct arena *arena = remote->arena;
    const struct site *site = &remote->command->site;
    if (!site_is_pushed(site, image))
        return NULL;
    const struct manifest *manifest = maker_find_manifest(arena, manifests_dir, features, image->word);
    return site_place(arena, site, image, manifest ? manifest->destination : NULL,
                      maker_name_of(arena, manifest, image->word));
}

/* Lists where the images of the site are. */
static bool list_repositories(struct remote *remote, struct strings *ret_repositories, struct err *err)
{
    const struct site *site = &remote->command->site;
    const char *dir;
    struct features features;
    if (!maker_find_catalogue(remote->command, &dir, &features, err))
        return false;
    for (size_t i = 0; i < site->images.count; i++) {
        const char *place = place_of(remote, dir, &features, &site->images.items[i]);
        if (place && !strings_has(ret_repositories, place))
            list_add(remote->arena, ret_repositories, place);
    }
    return true;
}

/* Tells of one repository that was read. */
static void tell(const struct options *options, const char *word, size_t count, size_t without, json_t *json)
{
    json_array_append_new(json, json_pack("{s:o, s:I, s:I}", "repository", record_text(word), "nights",
                                          (json_int_t)count, "without", (json_int_t)without));
    if (options->is_json || options->is_quiet)
        return;
    (void)printf("%s: %zu image%s with bills", word, count, count == 1 ? "" : "s");
    if (without)
        (void)printf(", %zu without", without);
    (void)printf("\n");
}

/* Says of several repositories that some could not be read. */
static void fail_some(const struct options *options, size_t good, size_t count, struct err *err)
{
    enum err_kind kind = good ? ERR_PARTLY : err->kind;
    if (count == 1 || err->kind == ERR_CANCELLED)
        return;
    err_clear(err);
    err_set(err, kind, "%zu of %zu repositories could not be read%s", count - good, count,
            options->words.count ? ""
                                 : "; where the image of a site's word is in another one, name that: HOST/REPOSITORY");
}

/* Reads all of them, whatever becomes of the others. */
static bool read_all(struct remote *remote, const struct strings *words, const char *state, json_t *json,
                     struct err *err)
{
    const struct options *options = &remote->command->options;
    size_t good = 0;
    for (size_t i = 0; i < words->count && err->kind != ERR_CANCELLED; i++) {
        struct err why = {0};
        size_t count, without;
        bool is_good = rebuild_one(remote, words->items[i], state, &count, &without, &why);
        if (is_good)
            tell(options, words->items[i], count, without, json);
        else if (words->count > 1 && why.kind != ERR_CANCELLED)
            log_line(remote->command->log, LOG_QUIET, "error: %s", why.text);
        good += is_good;
        if (!is_good && (err->kind == ERR_NONE || why.kind == ERR_CANCELLED))
            *err = why;
    }
    if (good < words->count)
        fail_some(options, good, words->count, err);
    return good == words->count;
}

bool history_rebuild(struct remote *remote, struct err *err)
{
    const struct options *options = &remote->command->options;
    struct strings words = options->words;
    json_auto_t *json = json_array();
    const char *state;
    if (!words.count && !list_repositories(remote, &words, err))
        return false;
    if (!words.count) {
        err_set(err, ERR_USAGE,
                "history --rebuild wants HOST/REPOSITORY, or a site file whose images go to a registry");
        return false;
    }
    if (!in_images_state(remote->command, &state, err))
        return false;
    bool is_good = read_all(remote, &words, state, json, err);
    if (options->is_json) {
        (void)json_dumpf(json, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII);
        (void)fputc('\n', stdout);
    }
    return is_good;
}
