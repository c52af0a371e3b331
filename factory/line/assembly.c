/* SPDX-License-Identifier: Apache-2.0 */
#include "line/assembly.h"

#include "base/auto.h"
#include "base/date.h"
#include "line/sharding.h"
#include "oci/oci_part.h"
#include "registry/artifact.h"
#include "registry/plan_tag.h"
#include "registry/registries_conf.h"
#include "sbom/attest.h"

#include <jansson.h>
#include <stdlib.h>

#define MARK_TYPE "application/vnd.imgfactory.plan.v1+json"
#define SHA256 "sha256:"

bool assembly_is_meant(const struct plant *plant)
{
    return plant->options->sharding && plant->options->sharding->is_assembling;
}

bool assembly_is_bare(const struct plant *plant)
{
    const struct run_options *options = plant->options;
    return assembly_is_meant(plant) && !options->archive && !(options->attest && options->attest->kinds);
}

/* An image's repository, and what plans left there. */
struct place {
    struct batch_image *image;
    struct plant *plant;
    struct arena *arena;
    const struct sharding *sharding;
    struct registry *registry;
    struct strings tags;
    bool are_tags_learned, are_tags_apart; /* whether tags stay when what they are at is deleted */
    const char *newest;                    /* tag of the mark with the newest date; NULL: there is none */
    int64_t newest_date;
};

/* What a mark tells. */
struct mark {
    const char *plan;
    struct digest index;
    struct strings tags;
    bool is_partial;
};

/* The repository that is its own, whether this run pushes it or not; NULL: it has none. */
static const char *own_repository(const struct batch_image *image)
{
    return image->places.count && !image->places.items[0].depth ? image->places.items[0].repository : NULL;
}

static bool open_place(struct place *place, enum registry_access access, struct err *err)
{
    struct batch_image *image = place->image;
    const struct registry_options *options = place->plant->options->registry;
    struct reference reference;
    return reference_parse(&image->arena, own_repository(image), false, &reference, err) &&
           registries_conf_options(&image->arena, options, &reference, &options, err) &&
           registry_open(options, place->plant->http, &reference, access, &place->registry, err);
}

/* Lists the tags, and finds the mark of the newest plan but this one. */
static bool list_tags(struct place *place, struct err *err)
{
    place->newest = NULL;
    place->newest_date = INT64_MIN;
    if (!registry_list_tags(place->registry, place->arena, &place->tags, err)) {
        if (err->kind != ERR_PUBLISH) /* a repository that is not there yet, or a registry that lists no tags */
            return false;
        err_clear(err);
    }
    for (size_t i = 0; i < place->tags.count; i++) {
        const char *plan, *arch;
        int64_t date;
        if (plan_tag_split(place->arena, place->tags.items[i], place->image->manifest->name, &plan, &date, &arch) &&
            strcmp(arch, PLAN_TAG_MARK) == 0 && strcmp(plan, place->sharding->plan) != 0 && date > place->newest_date) {
            place->newest = place->tags.items[i];
            place->newest_date = date;
        }
    }
    return true;
}

/* Parses a mark; false: it is none. */
static bool parse_mark(struct arena *arena, struct text document, struct mark *ret_mark)
{
    json_auto_t *json = json_loadb(document.ptr, document.len, JSON_REJECT_DUPLICATES, NULL);
    const char *plan = json_string_value(json_object_get(json, "plan"));
    const char *index = json_string_value(json_object_get(json, "index"));
    const json_t *tags = json_object_get(json, "tags");
    struct mark mark = {.plan = arena_strdup(arena, plan),
                        .is_partial = json_is_true(json_object_get(json, "partial"))};
    for (size_t i = 0; i < json_array_size(tags); i++) {
        const char *tag = json_string_value(json_array_get(tags, i));
        if (tag && reference_is_tag(tag))
            list_add(arena, &mark.tags, arena_strdup(arena, tag));
    }
    *ret_mark = mark;
    return plan && index && strncmp(index, SHA256, strlen(SHA256)) == 0 &&
           digest_parse(text_of(index + strlen(SHA256)), &ret_mark->index);
}

/* Reads the mark under a tag; *ret_is_there false: there is none, or what is there is none. */
static bool read_mark(const struct place *place, const char *tag, struct mark *ret_mark, struct artifact *ret_artifact,
                      bool *ret_is_there, struct err *err)
{
    *ret_is_there = false;
    if (!artifact_read(place->registry, place->arena, tag, MARK_TYPE, ret_artifact, err))
        return false;
    *ret_is_there = ret_artifact->found == ARTIFACT_READ && parse_mark(place->arena, ret_artifact->document, ret_mark);
    return true;
}

bool assembly_is_whole(struct registry *registry, struct arena *arena, const char *tag, bool *ret_is_whole,
                       struct err *err)
{
    const struct place place = {.registry = registry, .arena = arena};
    struct mark mark;
    struct artifact artifact;
    bool is_there;
    if (!read_mark(&place, tag, &mark, &artifact, &is_there, err))
        return false;
    *ret_is_whole = is_there && !mark.is_partial;
    return true;
}

/* Puts this plan's mark there, unless it says so already. */
static bool write_mark(const struct place *place, struct err *err)
{
    const struct batch_image *image = place->image;
    const char *tag = plan_tag(place->arena, place->sharding->plan, image->manifest->name, PLAN_TAG_MARK);
    struct mark there;
    struct artifact before;
    struct digest digest;
    bool is_there, is_lost;
    json_auto_t *json = json_pack("{s:s, s:o, s:o, s:b}", "plan", place->sharding->plan, "index",
                                  json_sprintf(SHA256 "%s", digest_hex(&image->index.digest).chars), "tags",
                                  json_array(), "partial", image->is_partial);
    for (size_t i = 0; i < image->tags.count; i++)
        json_array_append_new(json_object_get(json, "tags"), json_string(image->tags.items[i]));
    AUTO(auto_free) char *text = json_dumps(json, JSON_COMPACT);
    if (!text)
        memory_abort(0);
    struct artifact_put put = {.tag = tag, .type = MARK_TYPE, .document = text_of(text), .before = &before};
    if (!read_mark(place, tag, &there, &before, &is_there, err))
        return false;
    if (is_there && text_eq(before.document, put.document))
        return true;
    return artifact_write(place->registry, &put, &digest, &is_lost,
                          err); /* lost: another one of this plan wrote the same */
}

/* Fills in what is told of an image whose tags this run leaves alone, since they are right or newer. */
static void leave(struct batch_image *image, const struct digest *index, bool is_newer)
{
    struct publication *publication = &image->publication;
    image->is_elsewhere = image->is_unchanged = true;
    publication->is_tried = image->destination != NULL;
    publication->is_good = true;
    publication->destination = image->destination;
    publication->result = (struct push_result){.digest = *index, .is_unchanged = true, .is_left = is_newer};
}

static void tell_late(const struct place *place, const char *what, const struct digest *index)
{
    log_line(place->plant->log, LOG_QUIET,
             "warning: %s: the tags in %s %s sha256:%s, which a plan of newer sources made (%s there, %s here)",
             place->image->manifest->name, own_repository(place->image), what, digest_hex(index).chars,
             date_print(place->newest_date).chars, date_print(place->sharding->date).chars);
}

/* --- what plans leave --- */

static bool is_arch(const struct place *place, const char *name)
{
    const struct arches *arches = place->plant->options->arches;
    const struct text arch = {name, plan_tag_arch_len(name)};
    for (size_t i = 0; i < arches->count; i++) {
        if (text_eq(arch, text_of(arches->items[i].name)))
            return true;
    }
    return false;
}

/* Whether a tag is of no use any more: a platform of this plan, unless others of it are missing yet, and all of older ones. */
static bool is_dead(const struct place *place, const char *tag)
{
    const char *plan, *arch;
    int64_t date;
    if (!plan_tag_split(place->arena, tag, place->image->manifest->name, &plan, &date, &arch))
        return false;
    bool is_mark = strcmp(arch, PLAN_TAG_MARK) == 0;
    if (!is_mark && !is_arch(place, arch))
        return false;
    if (strcmp(plan, place->sharding->plan) == 0)
        return !is_mark && !place->sharding->is_plan_kept && !place->image->is_partial;
    return date < place->sharding->date || (is_mark && date == place->sharding->date);
}

/* Whether what a plan's tag is at was made for that plan, so that nothing else is at it. Anybody who may push can set the tag at an
 * image that is in use. */
static bool was_made_for_it(const struct place *place, const char *tag, const struct registry_manifest *manifest,
                            bool *ret_was, struct err *err)
{
    const char *plan, *arch;
    int64_t date;
    struct mark mark;
    struct artifact artifact;
    *ret_was = false;
    if (!plan_tag_split(place->arena, tag, place->image->manifest->name, &plan, &date, &arch))
        return true;
    if (strcmp(arch, PLAN_TAG_MARK) != 0) {
        *ret_was = oci_part_is_of((struct text){manifest->bytes, manifest->size_bytes}, plan);
        return true;
    }
    const char *name = arena_printf(place->arena, SHA256 "%s", digest_hex(&manifest->digest).chars);
    if (!read_mark(place, name, &mark, &artifact, ret_was, err))
        return false;
    *ret_was = *ret_was && strcmp(mark.plan, plan) == 0;
    return true;
}

/* What became of a tag that is of no use. */
enum removal {
    REMOVAL_DONE,
    REMOVAL_OTHER, /* something else is at what it is at, and the registry deletes no tags alone */
    REMOVAL_NONE,  /* the registry deletes nothing */
};

/* What stands behind a tag stays. Docker's registry wants a digest there, and says so with 400. */
static bool delete_tag_alone(const struct place *place, const char *tag, enum removal *ret_removal, struct err *err)
{
    enum registry_deletion deletion;
    bool is_answered = registry_delete_manifest(place->registry, tag, &deletion, err);
    bool is_refused = is_answered ? deletion == REGISTRY_NO_DELETION : err->kind == ERR_PUBLISH;
    *ret_removal = is_refused ? REMOVAL_OTHER : REMOVAL_DONE;
    return is_answered || is_refused;
}

/* Deletes one tag, by the digest that it is at, if nothing else is at that: registries that delete no tags delete manifests. */
static bool delete_tag(struct place *place, const char *tag, enum removal *ret_removal, struct err *err)
{
    struct registry_manifest manifest;
    enum registry_deletion deletion;
    bool was_made;
    *ret_removal = REMOVAL_DONE;
    if (!registry_get_manifest(place->registry, place->arena, tag, &manifest, err))
        return false;
    if (!manifest.is_found)
        return true;
    if (!was_made_for_it(place, tag, &manifest, &was_made, err))
        return false;
    if (!was_made)
        return delete_tag_alone(place, tag, ret_removal, err);
    const char *name = arena_printf(place->arena, SHA256 "%s", digest_hex(&manifest.digest).chars);
    if (!registry_delete_manifest(place->registry, name, &deletion, err))
        return false;
    *ret_removal = deletion == REGISTRY_NO_DELETION ? REMOVAL_NONE : REMOVAL_DONE;
    if (*ret_removal == REMOVAL_NONE)
        return true;
    if (!place->are_tags_learned && !registry_get_manifest(place->registry, place->arena, tag, &manifest, err))
        return false;
    place->are_tags_apart = place->are_tags_learned ? place->are_tags_apart : manifest.is_found;
    place->are_tags_learned = true;
    return !place->are_tags_apart || registry_delete_manifest(place->registry, tag, &deletion, err);
}

/* That something stays costs room, and no image. */
static void clean(struct place *place)
{
    struct err why = {0};
    size_t left = 0;
    registry_close(place->registry);
    place->registry = NULL;
    bool is_able = open_place(place, REGISTRY_DELETE, &why);
    for (size_t i = 0; i < place->tags.count; i++) {
        struct err err = {0};
        enum removal removal = REMOVAL_NONE;
        if (!is_dead(place, place->tags.items[i]))
            continue;
        is_able = is_able && !plant_is_cancelled(place->plant, &err) &&
                  delete_tag(place, place->tags.items[i], &removal, &err) && removal != REMOVAL_NONE;
        left += !is_able || removal != REMOVAL_DONE;
        if (why.kind == ERR_NONE)
            why = err;
    }
    if (left)
        log_line(place->plant->log, LOG_NORMAL, "%s: %zu tags of plans stay in %s: %s", place->image->manifest->name,
                 left, place->image->destination, why.text);
}

/* --- before and behind --- */

static struct place place_of(struct batch_image *image, struct plant *plant)
{
    return (struct place){.image = image, .plant = plant, .arena = &image->arena, .sharding = plant->options->sharding};
}

bool assembly_begin(struct batch_image *image, struct plant *plant, bool *ret_is_late, struct err *err)
{
    struct place place = place_of(image, plant);
    struct mark mark;
    struct artifact artifact;
    *ret_is_late = false;
    bool is_good = open_place(&place, REGISTRY_PULL, err) && list_tags(&place, err);
    if (is_good && place.newest && place.newest_date > place.sharding->date)
        is_good = read_mark(&place, place.newest, &mark, &artifact, ret_is_late, err);
    if (is_good && *ret_is_late) {
        tell_late(&place, "stay at", &mark.index);
        leave(image, &mark.index, true);
        clean(&place);
    }
    registry_close(place.registry);
    return is_good;
}

/* Sets the tags that both have where the newer plan had them. */
static bool give_back(struct place *place, const struct mark *mark, struct err *err)
{
    struct batch_image *image = place->image;
    struct push_policy policy = place->plant->options->push_policy;
    policy.may_lose_platforms = true;
    for (size_t i = 0; i < image->tags.count; i++) {
        struct push_result result;
        if (strings_has(&mark->tags, image->tags.items[i]) &&
            !push_tag(place->registry, place->arena, &mark->index, image->tags.items[i], &policy, &result, err))
            return false;
    }
    tell_late(place, "go back to", &mark->index);
    leave(image, &mark->index, true);
    return true;
}

/* Sees to it that the tags are where this run set them: an older plan may have set them behind it, before its mark was there. */
static bool confirm(const struct place *place, struct err *err)
{
    const struct publication *publication = &place->image->publication;
    struct push_policy policy = publication->policy;
    for (size_t i = 0; i < publication->result.tags.count; i++) {
        const struct push_tag *tag = &publication->result.tags.items[i];
        struct push_result result;
        if (!tag->is_kept &&
            !push_tag(place->registry, place->arena, &tag->new_digest, tag->name, &policy, &result, err))
            return false;
    }
    return true;
}

static bool end(struct place *place, struct err *err)
{
    struct mark mark;
    struct artifact artifact;
    bool is_there = false;
    if (!open_place(place, REGISTRY_PUSH, err) || !write_mark(place, err) || !list_tags(place, err))
        return false;
    bool is_newer = place->newest && place->newest_date > place->sharding->date;
    if (is_newer && !read_mark(place, place->newest, &mark, &artifact, &is_there, err))
        return false;
    if (is_there ? !give_back(place, &mark, err) : place->newest && !confirm(place, err))
        return false;
    clean(place);
    return true;
}

bool assembly_end(struct batch_image *image, struct plant *plant, struct err *err)
{
    struct place place = place_of(image, plant);
    bool is_good = end(&place, err);
    registry_close(place.registry);
    if (!is_good)
        err_wrap(err, "mark of the plan in %s", image->destination);
    return is_good;
}

bool assembly_was_done(struct batch_image *image, struct plant *plant)
{
    struct place place = place_of(image, plant);
    struct mark mark;
    struct artifact artifact;
    struct err err = {0};
    const char *tag = plan_tag(place.arena, place.sharding->plan, image->manifest->name, PLAN_TAG_MARK);
    bool is_done = false, is_late = false;
    if (!own_repository(image))
        return false;
    bool is_good = open_place(&place, REGISTRY_PULL, &err) && list_tags(&place, &err) &&
                   read_mark(&place, tag, &mark, &artifact, &is_done, &err);
    is_done = is_good && is_done && !mark.is_partial;
    if (is_good && !is_done && place.newest && place.newest_date > place.sharding->date)
        is_good = read_mark(&place, place.newest, &mark, &artifact, &is_late, &err);
    if (is_done)
        log_line(plant->log, LOG_NORMAL, "%s: was put together of the plan %s before, sha256:%s in %s",
                 image->manifest->name, place.sharding->plan, digest_hex(&mark.index).chars, own_repository(image));
    else if (is_late)
        tell_late(&place, "stay at", &mark.index);
    if (is_done || is_late) {
        leave(image, &mark.index, is_late);
        if (image->destination)
            clean(&place);
    }
    registry_close(place.registry);
    return is_done || is_late;
}
