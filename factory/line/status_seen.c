/* SPDX-License-Identifier: Apache-2.0 */
#include "line/status_seen.h"

#include "base/auto.h"
#include "base/clock.h"
#include "registry/artifact.h"
#include "registry/receipt.h"
#include "registry/registries_conf.h"

#include <pthread.h>
#include <stdlib.h>

struct status_seen {
    const char *reference;
    pthread_mutex_t lock; /* guards what follows */
    struct arena arena;
    bool is_tried, is_read;
    struct status_record record; /* const once it is read */
};

struct status_seen *status_seen_new(const char *reference)
{
    struct status_seen *seen = calloc(1, sizeof *seen);
    if (!seen)
        memory_abort(sizeof *seen);
    seen->reference = reference;
    pthread_mutex_init(&seen->lock, NULL);
    return seen;
}

void status_seen_free(struct status_seen *seen)
{
    if (!seen)
        return;
    arena_done(&seen->arena);
    pthread_mutex_destroy(&seen->lock);
    free(seen);
}

void status_repositories(struct arena *arena, const struct batch_image *image, struct status_image *told)
{
    for (size_t i = 0; i < image->arch_count; i++) {
        const struct origins *origins = image->jobs[i].origins;
        for (size_t j = 0; origins && j < origins->count; j++) {
            struct status_repository repository = {text_shown(arena, origin_identity(&origins->items[j])),
                                                   origins->items[j].date};
            bool is_known = false;
            for (size_t k = 0; k < told->repositories.count; k++)
                is_known = is_known || (told->repositories.items[k].date == repository.date &&
                                        strcmp(told->repositories.items[k].name, repository.name) == 0);
            if (!is_known)
                list_add(arena, &told->repositories, repository);
        }
    }
}

static bool read_record(struct status_seen *seen, const struct plant *plant, struct err *err)
{
    AUTO(auto_close_registry) struct registry *registry = NULL;
    const struct registry_options *options = plant->options->registry;
    struct reference reference;
    struct artifact artifact;
    if (!reference_parse(&seen->arena, seen->reference, true, &reference, err) ||
        !registries_conf_options(&seen->arena, options, &reference, &options, err) ||
        !registry_open(options, plant->http, &reference, REGISTRY_PUSH, &registry, err) ||
        !artifact_read(registry, &seen->arena, reference.tag, STATUS_TYPE, &artifact, err))
        return false;
    return artifact.found == ARTIFACT_READ &&
           status_record_read(&seen->arena, artifact.document, &seen->record) == STATUS_IS_READ;
}

/* Reads it when nobody did; whoever comes meanwhile waits. */
static const struct status_record *record_of(struct status_seen *seen, const struct plant *plant)
{
    struct err err = {0};
    pthread_mutex_lock(&seen->lock);
    if (!seen->is_tried)
        seen->is_read = read_record(seen, plant, &err);
    seen->is_tried = true;
    bool is_read = seen->is_read;
    pthread_mutex_unlock(&seen->lock);
    if (err.kind)
        log_line(plant->log, LOG_VERBOSE, "status record %s: %s", seen->reference, err.text);
    return is_read ? &seen->record : NULL;
}

const struct status_image *status_seen_newer(struct status_seen *seen, const struct plant *plant,
                                             const struct batch_image *image, const struct digest *there,
                                             struct status_newer *ret_newer)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct status_image ours = {.destination = image->destination};
    if (receipt_is_there(plant->options->push_policy.receipts_dir, image->destination, there))
        return NULL;
    const struct status_record *record = record_of(seen, plant);
    for (size_t i = 0; i < image->arch_count; i++)
        list_add(&scratch, &ours.architectures, image->arches[i]->name);
    status_repositories(&scratch, image, &ours);
    for (size_t i = 0; record && i < record->images.count; i++) {
        const struct status_image *told = &record->images.items[i];
        if (text_same(told->destination, image->destination) && digest_eq(&told->digest, there) &&
            status_is_newer(told, &ours, clock_date(), ret_newer))
            return told;
    }
    return NULL;
}
