/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/status.h"

#include "base/auto.h"
#include "base/clock.h"
#include "base/date.h"
#include "base/units.h"
#include "bill/record.h"
#include "cli/status_print.h"
#include "oci/oci.h"
#include "registry/artifact.h"
#include "registry/registries_conf.h"

#define MAX_AGE_SECONDS ((int64_t)36 * 60 * 60)
#define NAMED_MAX 8 /* images that an error names */

/* What a status command works with. */
struct asking {
    struct command *command;
    struct arena *arena;
    const struct registry_options *options;
    struct http *http;
    const struct site_images *wanted; /* of a site file; NULL: all of the record */
    const char *destination;          /* of the image that named the record; NULL: all */
    const char *tag;                  /* by which that image was asked for; NULL: by its digest … */
    struct digest digest;             /* … which is this */
};

bool status_load_site(struct command *command, struct err *err)
{
    const struct strings *words = &command->options.words;
    return !words->count || !command_is_site_file(words->items[0]) ||
           site_load(&command->arena, words->items[0], &command->site, err);
}

/* Reads what a reference is at. */
static bool read_artifact(const struct asking *asking, const struct reference *reference, struct artifact *ret_artifact,
                          struct err *err)
{
    AUTO(auto_close_registry) struct registry *registry = NULL;
    const struct registry_options *options;
    const char *name = reference->has_digest
                           ? arena_printf(asking->arena, "sha256:%s", digest_hex(&reference->digest).chars)
                           : reference->tag;
    if (!registries_conf_options(asking->arena, asking->options, reference, &options, err) ||
        !registry_open(options, asking->http, reference, REGISTRY_PULL, &registry, err) ||
        !artifact_read(registry, asking->arena, name, STATUS_TYPE, ret_artifact, err))
        return false;
    if (ret_artifact->found == ARTIFACT_ABSENT)
        err_set(err, ERR_PUBLISH, "%s: there is nothing%s", reference_print(asking->arena, reference),
                asking->wanted ? "; no night has written a status record yet" : "");
    return ret_artifact->found != ARTIFACT_ABSENT;
}

/* Finds where the record of an image is. It has to be in the image's own registry: whoever makes an image must not send
 * others anywhere. */
static bool follow_image(struct asking *asking, const struct artifact *image, struct reference *reference,
                         struct err *err)
{
    json_auto_t *json = json_loadb(image->manifest.ptr, image->manifest.len, JSON_REJECT_DUPLICATES, NULL);
    const char *named = json_string_value(json_object_get(json_object_get(json, "annotations"), OCI_RECORD_ANNOTATION));
    const char *word = reference_print(asking->arena, reference);
    struct reference record;
    struct err none = {0};
    if (!named) {
        err_set(err, ERR_USAGE,
                "%s is no status record, and names none: the site file that it was made with has no "
                "status:",
                word);
        return false;
    }
    if (!reference_parse(asking->arena, named, true, &record, &none) || strcmp(record.host, reference->host) != 0) {
        err_set(err, ERR_USAGE,
                "%s names a status record that is not in its registry: %s; if you trust that place: "
                "imgfactory status REF",
                word, text_printable(asking->arena, text_of(named)));
        return false;
    }
    asking->tag = reference->has_digest ? NULL : reference->tag;
    asking->digest = image->digest;
    reference->tag = NULL;
    reference->has_digest = false;
    asking->destination = reference_print(asking->arena, reference);
    *reference = record;
    return true;
}

/* Finds and reads the record. */
static bool read_record(struct asking *asking, struct reference *reference, struct artifact *artifact,
                        struct status_record *ret_record, struct err *err)
{
    if (!read_artifact(asking, reference, artifact, err))
        return false;
    if (artifact->found == ARTIFACT_OTHER && !asking->wanted &&
        (!follow_image(asking, artifact, reference, err) || !read_artifact(asking, reference, artifact, err)))
        return false;
    const char *name = reference_print(asking->arena, reference);
    if (artifact->found == ARTIFACT_OTHER) {
        err_set(err, ERR_USAGE, "%s is at something that is no status record", name);
        return false;
    }
    enum status_verdict verdict = artifact->found == ARTIFACT_READ
                                      ? status_record_read(asking->arena, artifact->document, ret_record)
                                      : STATUS_IS_BROKEN;
    if (verdict != STATUS_IS_READ)
        err_set(err, ERR_MALFORMED,
                verdict == STATUS_IS_NEWER ? "%s was written by a newer imgfactory"
                                           : "%s: the status record is not whole; the next night writes it anew",
                name);
    return verdict == STATUS_IS_READ;
}

/* The target of the command. */
static bool find_target(struct asking *asking, struct reference *ret_reference, struct err *err)
{
    struct command *command = asking->command;
    const struct strings *words = &command->options.words;
    const char *record;
    if (words->count && !command_is_site_file(words->items[0]))
        return reference_parse(asking->arena, words->items[0], true, ret_reference, err);
    if (!command_record(command, &record, err))
        return false;
    if (!record) {
        err_set(err, ERR_USAGE,
                command->site.path ? "%s has no status:, so its nights write no record"
                                   : "no site file is there%s; name one, or a record, or an image",
                command->site.path ? command->site.path : "");
        return false;
    }
    asking->wanted = &command->site.images;
    return reference_parse(asking->arena, record, true, ret_reference, err);
}

/* --- judging --- */

/* Whether what was asked for is not what a good image is now. Of a tag that the nights set the record may not tell yet. */
static bool is_replaced(const struct asking *asking, const struct status_row *row)
{
    return asking->destination && (row->state == STATUS_CURRENT || row->state == STATUS_WAITING) &&
           !digest_eq(&asking->digest, &row->image->digest) &&
           !(asking->tag && strings_has(&row->image->tags, asking->tag));
}

static void add_row(const struct asking *asking, const struct status_image *image, bool is_judged,
                    struct status_view *view)
{
    struct status_row row = {.name = image->name,
                             .image = image,
                             .state = status_state_of(image, view->now, view->max_age_seconds),
                             .is_judged = is_judged};
    if (is_replaced(asking, &row)) {
        row.state = STATUS_REPLACED;
        row.asked = asking->digest;
    }
    list_add(asking->arena, &view->rows, row);
}

/* Of a site file each image that it names is judged; what else is in the record is only told. */
static void add_rows_of_site(const struct asking *asking, struct status_view *view)
{
    const struct status_record *record = view->record;
    bool *is_wanted = arena_new_array(asking->arena, bool, record->images.count);
    for (size_t i = 0; i < asking->wanted->count; i++) {
        const char *word = text_shell_word(asking->arena, asking->wanted->items[i].word);
        const char *asked = status_asked(asking->arena, word, asking->command->site.path);
        const struct site_image *image = &asking->wanted->items[i];
        bool is_found = false, is_ended = image->has_end && image->end_of_life <= view->now;
        for (size_t j = 0; j < record->images.count; j++) {
            if (strcmp(record->images.items[j].asked, asked) != 0)
                continue;
            is_found = is_wanted[j] = true;
            add_row(asking, &record->images.items[j], !is_ended, view);
        }
        if (!is_found && !is_ended) /* of one at its end of life nobody tells any more */
            list_add(asking->arena, &view->rows,
                     (struct status_row){.name = asked, .state = STATUS_MISSING, .is_judged = true});
    }
    for (size_t j = 0; j < record->images.count; j++) {
        if (!is_wanted[j])
            add_row(asking, &record->images.items[j], false, view);
    }
}

/* Whether an image is the very one that was asked for. */
static bool is_asked_for(const struct asking *asking, const struct status_image *image)
{
    return asking->destination && text_same(image->destination, asking->destination) &&
           digest_eq(&image->digest, &asking->digest);
}

static void add_rows(const struct asking *asking, struct status_view *view)
{
    if (asking->wanted) {
        add_rows_of_site(asking, view);
        return;
    }
    bool is_known = false; /* of several images in one repository one is asked for */
    for (size_t i = 0; i < view->record->images.count; i++)
        is_known = is_known || is_asked_for(asking, &view->record->images.items[i]);
    for (size_t i = 0; i < view->record->images.count; i++) {
        const struct status_image *image = &view->record->images.items[i];
        if (is_known ? is_asked_for(asking, image)
                     : !asking->destination || text_same(image->destination, asking->destination))
            add_row(asking, image, true, view);
    }
    if (!view->rows.count)
        list_add(asking->arena, &view->rows,
                 (struct status_row){.name = asking->destination ? asking->destination : "any image",
                                     .state = STATUS_MISSING,
                                     .is_judged = true});
}

/* Names what is not current. */
static bool judge(const struct asking *asking, const struct status_view *view, struct err *err)
{
    const char *named = "";
    size_t bad = 0, judged = 0;
    for (size_t i = 0; i < view->rows.count; i++) {
        const struct status_row *row = &view->rows.items[i];
        judged += row->is_judged;
        if (!row->is_judged || row->state == STATUS_CURRENT || row->state == STATUS_WAITING)
            continue;
        if (bad++ < NAMED_MAX)
            named = arena_printf(asking->arena, "%s%s%s (%s)", named, *named ? ", " : "",
                                 text_shown(asking->arena, row->name), status_state_name(row->state));
    }
    if (bad)
        err_set(err, ERR_PARTLY, "%zu of %zu images %s not current: %s%s", bad, judged, bad == 1 ? "is" : "are", named,
                bad > NAMED_MAX ? ", …" : "");
    return !bad;
}

bool status_run(struct command *command, const struct registry_options *options, struct http *http, struct err *err)
{
    struct asking asking = {.command = command, .arena = &command->arena, .options = options, .http = http};
    struct reference reference;
    struct artifact artifact;
    struct status_record record;
    uint64_t max_age_ms = command->options.max_age_ms;
    if (!find_target(&asking, &reference, err) || !read_record(&asking, &reference, &artifact, &record, err))
        return false;
    struct status_view view = {.reference = reference_print(asking.arena, &reference),
                               .digest = artifact.digest,
                               .record = &record,
                               .now = clock_date(),
                               .max_age_seconds = max_age_ms ? (int64_t)(max_age_ms / 1000) : MAX_AGE_SECONDS,
                               .delays = status_delays_of(asking.arena, &record)};
    add_rows(&asking, &view);
    if (command->options.is_json)
        status_print_json(stdout, &view);
    else if (!command->options.is_quiet)
        status_print(stdout, &view);
    return judge(&asking, &view, err);
}
