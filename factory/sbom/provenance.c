/* SPDX-License-Identifier: Apache-2.0 */
#include "sbom/provenance.h"

#include "base/auto.h"
#include "base/date.h"
#include "base/map.h"
#include "bill/lock_bill.h"
#include "bill/record.h"
#include "sbom/sbom_print.h"
#include "sign/base64.h"

#include <ctype.h>
#include <stdlib.h>

#define LOCK_CONTENT_MAX_BYTES ((size_t)4 << 20) /* a lock that is larger is left out; of 200 packages it has 100 kB */

/* Something that the image was made of. */
struct dependency {
    const char *key; /* sorts, and names it once */
    json_t *json;
};

struct stating {
    struct arena *arena;
    const struct provenance_request *request;
    struct map known; /* json of a dependency by its key */
    LIST(struct dependency) dependencies;
};

static json_t *sha256_json(const struct digest *digest)
{
    return json_pack("{s:s}", "sha256", digest_hex(digest).chars);
}

static bool is_none(const struct digest *digest)
{
    static const struct digest none;
    return digest_eq(digest, &none);
}

/* --- what it is about --- */

/* What a platform is called, or NULL. No two have one name, as in-toto wants it: of `--compression both` each is there twice. */
static const char *name_of(struct arena *arena, const struct provenance_request *request, size_t index)
{
    const char *platform = request->platforms[index].side.platform;
    for (size_t i = 0; i < index && platform; i++) {
        if (text_same(request->platforms[i].side.platform, platform))
            return arena_printf(arena, "%s, in another compression", platform);
    }
    return platform;
}

static json_t *subjects_json(struct stating *stating)
{
    const struct provenance_request *request = stating->request;
    const struct sbom_name *name = request->name;
    json_t *subjects = json_array();
    if (request->image->is_index)
        json_array_append_new(subjects, json_pack("{s:o, s:o}", "name",
                                                  record_text(name->repository ? name->repository : name->name),
                                                  "digest", sha256_json(&request->image->root.digest)));
    for (size_t i = 0; i < request->count; i++) {
        const struct sbom *platform = &request->platforms[i];
        const char *platform_name = name_of(stating->arena, request, i);
        json_t *subject = json_object();
        if (platform_name)
            json_object_set_new(subject, "name", record_text(platform_name));
        json_object_set_new(subject, "digest", sha256_json(&platform->manifest));
        json_array_append_new(subjects, subject);
    }
    return subjects;
}

/* --- parameters --- */

/* What the platforms say, each thing once; mostly all say one. */
static void add_parameter(struct stating *stating, json_t *parameters, const char *key,
                          const char *(*value_of)(struct arena *arena, const struct bill *bill))
{
    struct strings values = {0};
    for (size_t i = 0; i < stating->request->count; i++) {
        const char *value = value_of(stating->arena, stating->request->platforms[i].bill);
        if (value && !strings_has(&values, value))
            list_add(stating->arena, &values, value);
    }
    if (values.count)
        json_object_set_new(parameters, key, record_text(strings_join(stating->arena, &values, ",")));
}

static const char *image_of(struct arena *arena, const struct bill *bill)
{
    (void)arena;
    return bill->inputs.name;
}

static const char *named_of(struct arena *arena, const struct bill *bill)
{
    (void)arena;
    return bill->named;
}

static const char *base_of(struct arena *arena, const struct bill *bill)
{
    (void)arena;
    return bill->base ? bill->base->name : NULL;
}

static const char *arch_of(struct arena *arena, const struct bill *bill)
{
    (void)arena;
    return bill->facts.arch;
}

static const char *source_of(struct arena *arena, const struct bill *bill)
{
    (void)arena;
    return bill->source ? bill->source->name : NULL;
}

static const char *compression_of(struct arena *arena, const struct bill *bill)
{
    (void)arena;
    return packing_names[bill->inputs.compression];
}

static const char *layers_of(struct arena *arena, const struct bill *bill)
{
    return bill->inputs.layers > 1 ? arena_printf(arena, "%zu", bill->inputs.layers) : NULL;
}

static const char *epoch_of(struct arena *arena, const struct bill *bill)
{
    int64_t epoch = bill->inputs.source_date_epoch;
    return epoch < 0 ? NULL : arena_printf(arena, "%lld", (long long)epoch);
}

static const char *options_of(struct arena *arena, const struct bill *bill)
{
    const struct inputs *inputs = &bill->inputs;
    const char *options =
        arena_printf(arena, "%s%s%s", inputs->is_strict ? " --strict" : "", inputs->is_no_check ? " --no-check" : "",
                     inputs->is_older_fine ? " --allow-older" : "");
    return *options ? options + 1 : NULL;
}

static const char *encoder_of(struct arena *arena, const struct bill *bill)
{
    (void)arena;
    return bill->inputs.encoder;
}

static const char *proof_of(struct arena *arena, const struct bill *bill)
{
    (void)arena;
    return bill->inputs.is_no_check ? "none" : "full";
}

static json_t *external_parameters(struct stating *stating)
{
    json_t *parameters = json_object();
    add_parameter(stating, parameters, "image", image_of);
    add_parameter(stating, parameters, "named", named_of);
    add_parameter(stating, parameters, "base", base_of);
    add_parameter(stating, parameters, "architectures", arch_of);
    add_parameter(stating, parameters, "source", source_of);
    add_parameter(stating, parameters, "compression", compression_of);
    add_parameter(stating, parameters, "layers", layers_of);
    add_parameter(stating, parameters, "sourceDateEpoch", epoch_of);
    add_parameter(stating, parameters, "options", options_of);
    return parameters;
}

static json_t *internal_parameters(struct stating *stating)
{
    json_t *parameters = json_object();
    add_parameter(stating, parameters, "encoder", encoder_of);
    add_parameter(stating, parameters, "proof", proof_of);
    return parameters;
}

/* --- dependencies --- */

/* Adds one, unless it is there; returns what is there then. `group` sorts: files first, packages last. Takes over `json`. */
static json_t *add_dependency(struct stating *stating, char group, const char *name, const struct digest *digest,
                              json_t *json)
{
    const char *key = arena_printf(stating->arena, "%c %s %s", group, name, digest_hex(digest).chars);
    json_t *there = map_get(&stating->known, text_of(key));
    if (there) {
        json_decref(json);
        return there;
    }
    map_set(&stating->known, text_of(key), json);
    list_add(stating->arena, &stating->dependencies, (struct dependency){key, json});
    return json;
}

static void add_file(struct stating *stating, char group, const char *name, const struct digest *digest)
{
    if (!is_none(digest))
        add_dependency(stating, group, name, digest,
                       json_pack("{s:o, s:o}", "name", record_text(name), "digest", sha256_json(digest)));
}

/* The files of the program's data folders that were read, and the image below. */
static void add_files(struct stating *stating, const struct bill *bill)
{
    const struct inputs *inputs = &bill->inputs;
    const struct {
        const char *name;
        const struct digest *digest;
    } folders[] = {{"recipes", &inputs->recipes},
                   {"features", &inputs->features},
                   {"families", &inputs->families},
                   {"foreground", &inputs->foregrounds},
                   {"interpreters", &inputs->interpreters}};
    add_file(stating, 'a', arena_printf(stating->arena, "%s.yaml", inputs->name), &inputs->manifest);
    for (size_t i = 0; i < ARRAY_COUNT(folders); i++)
        add_file(stating, 'b', folders[i].name, folders[i].digest);
    if (bill->facts.arch)
        add_file(stating, 'c', arena_printf(stating->arena, "arch %s", bill->facts.arch), &inputs->arch);
    if (!bill->base)
        return;
    json_t *base =
        json_pack("{s:o, s:o}", "name", record_text(bill->base->name), "digest", sha256_json(&bill->base->digest));
    json_object_set_new(base, "annotations",
                        json_pack("{s:o, s:b}", "imgfactory_manifest", sha256_json(&bill->base->manifest),
                                  "imgfactory_signed", !bill->base->is_unsigned));
    add_dependency(stating, 'd', bill->base->name, &bill->base->digest, base);
}

/* The files that a repository's signed index lists, of those that were read. */
static void add_indices(struct stating *stating, const struct bill_repository *from)
{
    for (size_t i = 0; i < from->indices.count; i++) {
        const struct bill_index *index = &from->indices.items[i];
        const char *colon = strchr(index->checksum, ':'), *name;
        struct digest digest = digest_of(index->checksum, strlen(index->checksum)); /* sorts */
        if (!colon)
            continue;
        name = arena_printf(stating->arena, "%s %s", from->name, index->path);
        json_t *json = json_pack("{s:o, s:{s:s}, s:{s:o}}", "name", record_text(name), "digest",
                                 arena_strndup(stating->arena, index->checksum, (size_t)(colon - index->checksum)),
                                 colon + 1, "annotations", "imgfactory_indexOf", record_text(from->name));
        add_dependency(stating, 'e', name, &digest, json);
    }
}

/* The signed index of a repository: by it all its lists are known. */
static void add_repositories(struct stating *stating, const struct bill *bill)
{
    for (size_t i = 0; bill->source && i < bill->source->repositories.count; i++) {
        const struct bill_repository *from = &bill->source->repositories.items[i];
        if (is_none(&from->digest))
            continue;
        json_t *json = json_pack("{s:o}", "name", record_text(from->name)), *notes = json_object();
        if (sbom_url(from->uri))
            json_object_set_new(json, "uri", json_string(from->uri));
        json_object_set_new(json, "digest", sha256_json(&from->digest));
        if (from->codename)
            json_object_set_new(notes, "imgfactory_codename", record_text(from->codename));
        json_object_set_new(notes, "imgfactory_date", json_string(date_print_basic(from->date).chars));
        json_object_set_new(notes, "imgfactory_signedBy", from->signed_by ? record_text(from->signed_by) : json_null());
        json_object_set_new(json, "annotations", notes);
        add_dependency(stating, 'e', from->name, &from->digest, json);
        add_indices(stating, from);
    }
}

/* A dependency whose bytes are in it. */
static void add_content(struct stating *stating, const char *name, const char *media_type, struct text text)
{
    struct digest digest = digest_of(text.ptr, text.len);
    add_dependency(stating, 'g', name, &digest,
                   json_pack("{s:s, s:o, s:s, s:s}", "name", name, "digest", sha256_json(&digest), "mediaType",
                             media_type, "content", base64_encode(stating->arena, text)));
}

/* The plan of the layers, where there was one. */
static void add_layer_plan(struct stating *stating, const struct bill *bill)
{
    const struct strings *lines = &bill->inputs.layer_plan;
    if (lines->count)
        add_content(stating, PROVENANCE_LAYERS, "text/plain",
                    text_of(arena_printf(stating->arena, "%s\n", strings_join(stating->arena, lines, "\n"))));
}

/* What `--locked` takes to make the image again; of bills without repositories there is none. */
static void add_lock(struct stating *stating)
{
    AUTO(buf_done) struct buf text;
    const struct bill **bills = arena_new_array(stating->arena, const struct bill *, stating->request->count);
    buf_init(&text, LOCK_CONTENT_MAX_BYTES);
    for (size_t i = 0; i < stating->request->count; i++)
        bills[i] = stating->request->platforms[i].bill;
    if (!lock_of_bills(stating->arena, bills, stating->request->count, &text))
        return;
    add_content(stating, PROVENANCE_LOCK, "application/json", buf_text(&text));
}

static void add_packages(struct stating *stating, const struct sbom *platform)
{
    for (size_t i = 0; i < platform->bill->packages.count; i++) {
        const struct bill_package *from = &platform->bill->packages.items[i];
        struct sbom_package package = sbom_package_of(stating->arena, platform, from);
        json_t *json = json_pack("{s:s}", "uri", package.purl);
        if (!is_none(&from->digest))
            json_object_set_new(json, "digest", sha256_json(&from->digest));
        if (sbom_url(from->url))
            json_object_set_new(json, "downloadLocation", json_string(from->url));
        json_object_set_new(json, "annotations", json_pack("{s:b}", "imgfactory_gaveFiles", from->has_given));
        json = add_dependency(stating, 'f', package.purl, &from->digest, json);
        if (from->has_given)
            json_object_set_new(json_object_get(json, "annotations"), "imgfactory_gaveFiles", json_true());
    }
}

static int compare_dependencies(const void *a, const void *b)
{
    return strcmp(((const struct dependency *)a)->key, ((const struct dependency *)b)->key);
}

static json_t *dependencies_json(struct stating *stating)
{
    json_t *list = json_array();
    for (size_t i = 0; i < stating->request->count; i++) {
        const struct sbom *platform = &stating->request->platforms[i];
        add_files(stating, platform->bill);
        add_repositories(stating, platform->bill);
        add_packages(stating, platform);
        add_layer_plan(stating, platform->bill);
    }
    add_lock(stating);
    if (stating->dependencies.count)
        qsort(stating->dependencies.items, stating->dependencies.count, sizeof *stating->dependencies.items,
              compare_dependencies);
    for (size_t i = 0; i < stating->dependencies.count; i++)
        json_array_append_new(list, stating->dependencies.items[i].json);
    return list;
}

/* --- the run --- */

/* Versions are those of the program that built it all, which is known when that is this one. */
static json_t *versions_json(const struct stating *stating)
{
    const struct provenance_request *request = stating->request;
    json_t *versions = json_object();
    for (size_t i = 0; i < request->count; i++) {
        if (!request->program || !digest_eq(&request->program->digest, &request->platforms[i].bill->inputs.program))
            return versions;
    }
    for (size_t i = 0; i < request->program->versions.count; i++) {
        const char *told = request->program->versions.items[i], *space = strchr(told, ' ');
        if (space)
            json_object_set_new(versions, arena_strndup(stating->arena, told, (size_t)(space - told)),
                                record_text(space + 1));
    }
    return versions;
}

static void add_tool(struct stating *stating, struct map *known, json_t *tools, const char *name,
                     const struct digest *digest)
{
    const char *key = arena_printf(stating->arena, "%s %s", name, digest_hex(digest).chars);
    if (!is_none(digest) && map_add(known, text_of(key), tools))
        json_array_append_new(tools, json_pack("{s:o, s:o}", "name", record_text(name), "digest", sha256_json(digest)));
}

/* Each library by its own code: the inputs have one digest over those of both compressions. */
static void add_encoders(struct stating *stating, struct map *known, json_t *tools, const struct bill_layers *layers)
{
    for (size_t i = 0; i < layers->count; i++)
        add_tool(stating, known, tools, layers->items[i].encoder, &layers->items[i].encoder_code);
}

static json_t *run_json(struct stating *stating)
{
    const struct provenance_request *request = stating->request;
    struct map known = {.arena = stating->arena};
    json_t *tools = json_array(), *products = json_array(), *builder = json_object(),
           *versions = versions_json(stating);
    for (size_t i = 0; i < request->count; i++) {
        const struct sbom *platform = &request->platforms[i];
        const char *platform_name = name_of(stating->arena, request, i);
        struct text bill;
        add_tool(stating, &known, tools, "imgfactory", &platform->bill->inputs.program);
        add_encoders(stating, &known, tools, &platform->bill->layers);
        add_encoders(stating, &known, tools, &platform->bill->second_layers);
        if (!bill_text(stating->arena, platform->bill, &bill))
            continue;
        struct digest digest = digest_of(bill.ptr, bill.len);
        json_array_append_new(products,
                              json_pack("{s:o, s:o, s:s}", "name",
                                        record_text(arena_printf(stating->arena, "bill of %s",
                                                                 platform_name ? platform_name : "the image")),
                                        "digest", sha256_json(&digest), "mediaType", "application/json"));
    }
    json_object_set_new(builder, "id", json_string(request->builder ? request->builder : PROVENANCE_BUILDER));
    if (json_object_size(versions))
        json_object_set(builder, "version", versions);
    json_decref(versions);
    json_object_set_new(builder, "builderDependencies", tools);
    return json_pack("{s:o, s:o}", "builder", builder, "byproducts", products);
}

/* --- all of it --- */

const struct sbom *provenance_lacks(const struct provenance_request *request)
{
    for (size_t i = 0; i < request->count; i++) {
        if (!request->platforms[i].bill)
            return &request->platforms[i];
    }
    return NULL;
}

bool provenance_is_uri(const char *uri)
{
    static const char others[] = "-._~:/?#[]@!$&'()*+,;=%";
    const char *c = uri;
    if (!isalpha((unsigned char)*c))
        return false;
    while (isalnum((unsigned char)*c) || (*c && strchr("+-.", *c)))
        c++;
    if (*c != ':' || !c[1])
        return false;
    for (; *c; c++) {
        if ((unsigned char)*c > '~' || (!isalnum((unsigned char)*c) && !strchr(others, *c)))
            return false;
    }
    return true;
}

bool provenance_print(struct arena *arena, const struct provenance_request *request, struct buf *text)
{
    struct stating stating = {.arena = arena, .request = request, .known = {.arena = arena}};
    json_t *definition = json_pack("{s:s, s:o, s:o, s:o}", "buildType", PROVENANCE_BUILD_TYPE, "externalParameters",
                                   external_parameters(&stating), "internalParameters", internal_parameters(&stating),
                                   "resolvedDependencies", dependencies_json(&stating));
    return sbom_put(text, json_pack("{s:s, s:o, s:s, s:{s:o, s:o}}", "_type", STATEMENT_TYPE, "subject",
                                    subjects_json(&stating), "predicateType", PROVENANCE_PREDICATE, "predicate",
                                    "buildDefinition", definition, "runDetails", run_json(&stating)));
}
