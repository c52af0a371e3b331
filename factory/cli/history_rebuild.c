/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/history_rebuild.h"

#include "base/auto.h"
#include "bill/record.h"
#include "cli/history.h"
#include "cli/in_images.h"
#include "past/past_document.h"
#include "registry/artifact.h"
#include "registry/registries_conf.h"

#include <stdlib.h>

/* One repository. */
struct rebuilding {
    struct remote *remote;
    struct arena *arena;
    struct registry *registry;
    const char *destination;
    LIST(struct past_note) notes;
};

static int compare_notes(const void *left, const void *right)
{
    const struct past_note *a = left, *b = right;
    return a->record.first < b->record.first ? -1 : a->record.first > b->record.first;
}

/* Reads the document of one image, if it has one. */
static bool read_one(struct rebuilding *rebuilding, const struct history_image *image, struct err *err)
{
    struct artifact artifact;
    struct past_note note;
    if (!artifact_read_attached(rebuilding->registry, rebuilding->arena, &image->digest, PAST_DOCUMENT_TYPE, &artifact,
                                err))
        return false;
    if (artifact.found != ARTIFACT_READ || !past_document_read(rebuilding->arena, artifact.document, &note) ||
        !digest_eq(&note.record.digest, &image->digest))
        return true;
    note.record.destination = rebuilding->destination;
    note.record.tags = image->tags;
    list_add(rebuilding->arena, &rebuilding->notes, note);
    return true;
}

static bool read_repository(struct rebuilding *rebuilding, struct err *err)
{
    struct history found;
    if (!history_read(rebuilding->registry, NULL, rebuilding->arena, &found, err))
        return false;
    for (size_t i = 0; i < found.count; i++) {
        if (!read_one(rebuilding, &found.items[i], err))
            return false;
    }
    if (rebuilding->notes.count)
        qsort(rebuilding->notes.items, rebuilding->notes.count, sizeof *rebuilding->notes.items, compare_notes);
    return true;
}

static bool rebuild_one(struct remote *remote, const char *word, const char *state, size_t *ret_count, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    AUTO(auto_close_registry) struct registry *registry = NULL;
    const struct registry_options *options;
    struct reference reference;
    struct rebuilding rebuilding = {.remote = remote, .arena = &scratch};
    if (!reference_parse(&scratch, word, false, &reference, err))
        return false;
    reference.tag = NULL;
    reference.has_digest = false;
    rebuilding.destination = reference_print(&scratch, &reference);
    if (!registries_conf_options(&scratch, remote->registry_options, &reference, &options, err) ||
        !registry_open(options, remote->http, &reference, REGISTRY_PULL, &registry, err))
        return false;
    rebuilding.registry = registry;
    if (!read_repository(&rebuilding, err))
        return false;
    past_keep(state, rebuilding.notes.items, rebuilding.notes.count, 0, remote->command->log);
    *ret_count = rebuilding.notes.count;
    return true;
}

/* The name of a site's image: of a manifest's file without folder and ending. */
static const char *name_of(struct arena *arena, const char *word)
{
    const char *slash = strrchr(word, '/'), *base = slash ? slash + 1 : word;
    size_t len = strlen(base);
    bool is_file = text_has_suffix(text_of(base), ".yaml");
    return arena_strndup(arena, base, is_file ? len - strlen(".yaml") : len);
}

/* Where the images of the site are. */
static struct strings list_repositories(struct remote *remote)
{
    const struct site *site = &remote->command->site;
    struct strings repositories = {0};
    for (size_t i = 0; i < site->images.count; i++) {
        const struct site_image *image = &site->images.items[i];
        const char *name = name_of(remote->arena, image->word);
        const char *place = site_image_push(remote->arena, image, name);
        place = place ? place : site_destination(remote->arena, site, name);
        if (place && !strings_has(&repositories, place))
            list_add(remote->arena, &repositories, place);
    }
    return repositories;
}

bool history_rebuild(struct remote *remote, struct err *err)
{
    const struct options *options = &remote->command->options;
    struct strings words = options->words.count ? options->words : list_repositories(remote);
    json_auto_t *json = json_array();
    const char *state;
    if (!words.count) {
        err_set(err, ERR_USAGE,
                "history --rebuild wants HOST/REPOSITORY, or a site file whose images go to a registry");
        return false;
    }
    if (!in_images_state(remote->command, &state, err))
        return false;
    for (size_t i = 0; i < words.count; i++) {
        size_t count;
        if (!rebuild_one(remote, words.items[i], state, &count, err))
            return false;
        json_array_append_new(
            json, json_pack("{s:o, s:I}", "repository", record_text(words.items[i]), "nights", (json_int_t)count));
        if (!options->is_json && !options->is_quiet)
            (void)printf("%s: %zu image%s with bills\n", words.items[i], count, count == 1 ? "" : "s");
    }
    if (options->is_json) {
        (void)json_dumpf(json, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII);
        (void)fputc('\n', stdout);
    }
    return true;
}
