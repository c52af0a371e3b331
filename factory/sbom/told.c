/* SPDX-License-Identifier: Apache-2.0 */
#include "sbom/told.h"

#include "base/map.h"
#include "sbom/provenance.h"
#include "sign/base64.h"

#include <jansson.h>
#include <stdlib.h>

#define EDITIONS_MAX 1000000000 /* more is nobody's count */

static const char *string_of(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

/* Parses an object; NULL with a reason. */
static json_t *parse(struct text text, const char **ret_why)
{
    size_t count = 0;
    for (size_t i = 0; i < text.len; i++)
        count += text.ptr[i] == ',' || text.ptr[i] == '[' || text.ptr[i] == '{';
    if (count > TOLD_VALUES_MAX) {
        *ret_why = "it has too many values to be read";
        return NULL;
    }
    json_t *json = json_loadb(text.ptr, text.len, JSON_REJECT_DUPLICATES, NULL);
    if (json_is_object(json))
        return json;
    json_decref(json);
    *ret_why = "it is no JSON object";
    return NULL;
}

static bool hex_of(const char *hex, struct digest *ret_digest)
{
    return hex && digest_parse(text_of(hex), ret_digest);
}

/* "./usr/x", "usr/x" and "/usr/x" are one. */
static const char *path_of(struct arena *arena, const char *name)
{
    name += strncmp(name, "./", 2) == 0 ? 1 : 0;
    return *name == '/' ? arena_strdup(arena, name) : arena_printf(arena, "/%s", name);
}

static int compare_files(const void *a, const void *b)
{
    return strcmp(((const struct told_file *)a)->path, ((const struct told_file *)b)->path);
}

static const char *full_name(struct arena *arena, const char *name, const char *version)
{
    return version && *version ? arena_printf(arena, "%s %s", name, version) : arena_strdup(arena, name);
}

/* How a format writes the checksums of something. */
struct sums_words {
    const char *list, *kind, *sha256, *value;
};

static const struct sums_words spdx_sums = {"checksums", "algorithm", "SHA256", "checksumValue"},
                               cyclonedx_sums = {"hashes", "alg", "SHA-256", "content"};

/* The SHA-256 among them. */
static bool sha256_of(const struct sums_words *words, const json_t *element, struct digest *ret_digest)
{
    const json_t *one;
    size_t i;
    json_array_foreach(json_object_get(element, words->list), i, one)
    {
        const char *kind = string_of(one, words->kind);
        if (kind && strcmp(kind, words->sha256) == 0)
            return hex_of(string_of(one, words->value), ret_digest);
    }
    return false;
}

/* --- SPDX --- */

static const char *spdx_purl(const json_t *package)
{
    const json_t *one;
    size_t i;
    json_array_foreach(json_object_get(package, "externalRefs"), i, one)
    {
        const char *type = string_of(one, "referenceType"), *category = string_of(one, "referenceCategory");
        if (type && category && strcmp(type, "purl") == 0 && strncmp(category, "PACKAGE", strlen("PACKAGE")) == 0)
            return string_of(one, "referenceLocator");
    }
    return NULL;
}

/* Takes packages, the image's own digest among them; *names has each package's name by its identifier. */
static void read_spdx_packages(struct arena *arena, const json_t *json, struct map *names, struct told_sbom *told)
{
    const json_t *one;
    size_t i;
    json_array_foreach(json_object_get(json, "packages"), i, one)
    {
        const char *id = string_of(one, "SPDXID"), *name = string_of(one, "name");
        const char *purpose = string_of(one, "primaryPackagePurpose"), *purl = spdx_purl(one);
        struct told_package package = {.has_given = true};
        if (!id || !name)
            continue;
        bool has_digest = sha256_of(&spdx_sums, one, &package.digest);
        if (purpose && strcmp(purpose, "CONTAINER") == 0) {
            told->has_manifest = has_digest;
            told->manifest = package.digest;
            continue;
        }
        const char *version = string_of(one, "versionInfo");
        map_set(names, text_of(arena_strdup(arena, id)), purl ? (void *)full_name(arena, name, version) : NULL);
        if (!purl)
            continue;
        package.name = arena_strdup(arena, name);
        package.version = arena_strdup(arena, version ? version : "");
        package.purl = arena_strdup(arena, purl);
        list_add(arena, &told->packages, package);
    }
}

/* Whose each file is, by its identifier. */
static void read_spdx_owners(struct arena *arena, const json_t *json, const struct map *names, struct map *owners)
{
    const json_t *one;
    size_t i;
    json_array_foreach(json_object_get(json, "relationships"), i, one)
    {
        const char *type = string_of(one, "relationshipType"), *from = string_of(one, "spdxElementId");
        const char *to = string_of(one, "relatedSpdxElement");
        const char *name = type && from && to && strcmp(type, "CONTAINS") == 0 ? map_get(names, text_of(from)) : NULL;
        if (name)
            map_set(owners, text_of(arena_strdup(arena, to)), (void *)(uintptr_t)name);
    }
}

static void read_spdx(struct arena *arena, const json_t *json, struct told_sbom *told)
{
    struct map names = {.arena = arena}, owners = {.arena = arena};
    const json_t *one;
    size_t i;
    read_spdx_packages(arena, json, &names, told);
    read_spdx_owners(arena, json, &names, &owners);
    json_array_foreach(json_object_get(json, "files"), i, one)
    {
        const char *name = string_of(one, "fileName"), *id = string_of(one, "SPDXID");
        struct told_file file = {0};
        if (!name)
            continue;
        file.path = path_of(arena, name);
        file.has_sha256 = sha256_of(&spdx_sums, one, &file.sha256);
        file.package = id ? map_get(&owners, text_of(id)) : NULL;
        list_add(arena, &told->files, file);
    }
    json_array_foreach(json_object_get(json_object_get(json, "creationInfo"), "creators"), i, one)
    {
        const char *creator = json_string_value(one);
        told->is_whole = told->is_whole || (creator && strncmp(creator, "Tool: imgfactory-", 17) == 0);
    }
}

/* --- CycloneDX --- */

static bool is_file(const json_t *component)
{
    const char *type = string_of(component, "type");
    return type && strcmp(type, "file") == 0;
}

static void read_cyclonedx_files(struct arena *arena, const json_t *components, const char *package,
                                 struct told_sbom *told)
{
    const json_t *one;
    size_t i;
    json_array_foreach((json_t *)(uintptr_t)components, i, one)
    {
        const char *name = string_of(one, "name");
        struct told_file file = {.package = package};
        if (!name || !is_file(one))
            continue;
        file.path = path_of(arena, name);
        file.has_sha256 = sha256_of(&cyclonedx_sums, one, &file.sha256);
        list_add(arena, &told->files, file);
    }
}

static bool is_made_by_us(const json_t *tools)
{
    const json_t *one, *list = json_is_array(tools) ? tools : json_object_get(tools, "components");
    size_t i;
    json_array_foreach((json_t *)(uintptr_t)list, i, one)
    {
        const char *name = string_of(one, "name");
        if (name && strcmp(name, "imgfactory") == 0)
            return true;
    }
    return false;
}

static void read_cyclonedx(struct arena *arena, const json_t *json, struct told_sbom *told)
{
    static const char algorithm[] = "sha256:";
    const json_t *metadata = json_object_get(json, "metadata"), *components = json_object_get(json, "components"), *one;
    const char *digest = string_of(json_object_get(metadata, "component"), "version");
    size_t i;
    told->has_manifest = digest && strncmp(digest, algorithm, strlen(algorithm)) == 0 &&
                         hex_of(digest + strlen(algorithm), &told->manifest);
    told->is_whole = is_made_by_us(json_object_get(metadata, "tools"));
    read_cyclonedx_files(arena, components, NULL, told);
    json_array_foreach((json_t *)(uintptr_t)components, i, one)
    {
        const char *name = string_of(one, "name"), *version = string_of(one, "version"), *purl = string_of(one, "purl");
        struct told_package package = {.has_given = true};
        if (!name || !purl)
            continue;
        package.name = arena_strdup(arena, name);
        package.version = arena_strdup(arena, version ? version : "");
        package.purl = arena_strdup(arena, purl);
        (void)sha256_of(&cyclonedx_sums, one, &package.digest);
        list_add(arena, &told->packages, package);
        read_cyclonedx_files(arena, json_object_get(one, "components"), full_name(arena, name, version), told);
    }
}

/* --- SBOMs --- */

static bool read_sbom(struct arena *arena, const json_t *json, struct told_sbom *ret_told, const char **ret_why)
{
    const char *version = string_of(json, "spdxVersion"), *format = string_of(json, "bomFormat");
    *ret_told = (struct told_sbom){0};
    if (version && strncmp(version, "SPDX-2.", strlen("SPDX-2.")) == 0)
        read_spdx(arena, json, ret_told);
    else if (format && strcmp(format, "CycloneDX") == 0)
        read_cyclonedx(arena, json, ret_told);
    else
        *ret_why = "it is neither SPDX 2 nor CycloneDX";
    if (ret_told->files.count)
        qsort(ret_told->files.items, ret_told->files.count, sizeof *ret_told->files.items, compare_files);
    return !*ret_why;
}

bool told_read_sbom(struct arena *arena, struct text document, struct told_sbom *ret_told, const char **ret_why)
{
    *ret_why = NULL;
    json_auto_t *json = parse(document, ret_why);
    return json && read_sbom(arena, json, ret_told, ret_why);
}

bool told_read_sbom_statement(struct arena *arena, struct text statement, struct told_sbom *ret_told,
                              const char **ret_why)
{
    *ret_why = NULL;
    json_auto_t *json = parse(statement, ret_why);
    const json_t *predicate = json_object_get(json, "predicate"), *data = json_object_get(predicate, "Data");
    return json && read_sbom(arena, json_is_object(data) ? data : predicate, ret_told, ret_why);
}

void told_of_bill(struct arena *arena, const struct bill *bill, struct told_sbom *ret_told)
{
    *ret_told = (struct told_sbom){.is_whole = !bill->base, .has_manifest = true, .manifest = bill->manifest};
    for (size_t i = 0; i < bill->packages.count; i++) {
        const struct bill_package *from = &bill->packages.items[i];
        if (from->has_given)
            list_add(arena, &ret_told->packages,
                     (struct told_package){
                         .name = from->name, .version = from->version, .digest = from->digest, .has_given = true});
    }
    for (size_t i = 0; i < bill->files.count; i++) {
        const struct bill_file *from = &bill->files.items[i];
        const struct bill_package *package = bill_find_package(bill, from->package);
        struct told_file file = {.path = from->path, .sha256 = from->digest, .has_sha256 = from->kind == NODE_FILE};
        if (from->kind != NODE_FILE && from->kind != NODE_HARDLINK)
            continue;
        file.package = package ? full_name(arena, package->name, package->version) : NULL;
        list_add(arena, &ret_told->files, file);
    }
    if (ret_told->files.count)
        qsort(ret_told->files.items, ret_told->files.count, sizeof *ret_told->files.items, compare_files);
}

/* --- provenance --- */

/* The name and version of "pkg:TYPE/NAMESPACE/NAME@VERSION?…", as they are written. */
static void split_purl(struct arena *arena, struct told_package *package)
{
    size_t len = strcspn(package->purl, "?#");
    const char *whole = arena_strndup(arena, package->purl, len), *slash = strrchr(whole, '/');
    const char *name = slash ? slash + 1 : whole, *at = strrchr(name, '@');
    package->name = at ? arena_strndup(arena, name, (size_t)(at - name)) : name;
    package->version = at ? at + 1 : "";
}

static void read_content(struct arena *arena, const char *content, struct text *to)
{
    struct text bytes;
    if (base64_decode(arena, text_of(content), &bytes))
        *to = bytes;
}

static void read_dependency(struct arena *arena, const json_t *one, struct told_provenance *told)
{
    const json_t *notes = json_object_get(one, "annotations");
    const char *uri = string_of(one, "uri"), *name = string_of(one, "name"), *content = string_of(one, "content");
    struct digest digest = {0};
    bool has_digest = hex_of(string_of(json_object_get(one, "digest"), "sha256"), &digest);
    if (uri && strncmp(uri, "pkg:", 4) == 0) {
        struct told_package package = {.purl = arena_strdup(arena, uri),
                                       .digest = digest,
                                       .has_given = json_is_true(json_object_get(notes, "imgfactory_gaveFiles"))};
        split_purl(arena, &package);
        list_add(arena, &told->packages, package);
    } else if (name && has_digest && json_object_get(notes, "imgfactory_date")) {
        const char *signer = string_of(notes, "imgfactory_signedBy");
        struct told_repository repository = {arena_strdup(arena, name), digest,
                                             signer ? arena_strdup(arena, signer) : NULL};
        list_add(arena, &told->repositories, repository);
    } else if (name && has_digest && json_object_get(notes, "imgfactory_manifest")) {
        told->made.base = arena_strdup(arena, name);
    } else if (name && content && strcmp(name, PROVENANCE_LOCK) == 0) {
        read_content(arena, content, &told->lock);
    } else if (name && content && strcmp(name, PROVENANCE_LAYERS) == 0) {
        read_content(arena, content, &told->layer_plan);
    }
}

static void read_made(struct arena *arena, const json_t *definition, struct told_made *made)
{
    const json_t *external = json_object_get(definition, "externalParameters"),
                 *internal = json_object_get(definition, "internalParameters");
    const struct {
        const json_t *from;
        const char *key, **to;
    } rows[] = {{external, "image", &made->image},
                {external, "named", &made->named},
                {external, "architectures", &made->architectures},
                {external, "source", &made->source},
                {external, "compression", &made->compression},
                {external, "layers", &made->layers},
                {external, "options", &made->options},
                {external, "sourceDateEpoch", &made->source_date_epoch},
                {internal, "encoder", &made->encoder}};
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        const char *value = string_of(rows[i].from, rows[i].key);
        *rows[i].to = value ? arena_strdup(arena, value) : NULL;
    }
}

bool told_read_provenance(struct arena *arena, struct text statement, struct told_provenance *ret_told,
                          const char **ret_why)
{
    *ret_why = NULL;
    *ret_told = (struct told_provenance){.builder = "unknown", .lock = TEXT(""), .layer_plan = TEXT("")};
    json_auto_t *json = parse(statement, ret_why);
    const json_t *predicate = json_object_get(json, "predicate"),
                 *definition = json_object_get(predicate, "buildDefinition"), *one;
    const char *type = string_of(definition, "buildType"),
               *builder = string_of(json_object_get(json_object_get(predicate, "runDetails"), "builder"), "id");
    size_t i;
    if (json && !type)
        *ret_why = "it is no SLSA provenance v1";
    if (*ret_why)
        return false;
    ret_told->is_ours = strcmp(type, PROVENANCE_BUILD_TYPE) == 0;
    read_made(arena, definition, &ret_told->made);
    ret_told->builder = builder ? arena_strdup(arena, builder) : "unknown";
    json_array_foreach(json_object_get(json, "subject"), i, one)
    {
        struct digest digest;
        if (hex_of(string_of(json_object_get(one, "digest"), "sha256"), &digest))
            list_add(arena, &ret_told->subjects, digest);
    }
    json_array_foreach(json_object_get(definition, "resolvedDependencies"), i, one)
        read_dependency(arena, one, ret_told);
    return true;
}

/* --- results --- */

bool told_read_result(struct arena *arena, struct text statement, struct told_result *ret_told, const char **ret_why)
{
    *ret_why = NULL;
    *ret_told = (struct told_result){.verifier = "unknown"};
    json_auto_t *json = parse(statement, ret_why);
    const json_t *predicate = json_object_get(json, "predicate"), *one;
    const char *verifier = string_of(json_object_get(predicate, "verifier"), "id");
    size_t i;
    if (json && (!verifier || !json_is_array(json_object_get(predicate, "properties"))))
        *ret_why = "it is no verification result";
    if (*ret_why)
        return false;
    ret_told->verifier = arena_strdup(arena, verifier ? verifier : "unknown");
    json_array_foreach(json_object_get(predicate, "properties"), i, one)
    {
        const char *property = json_string_value(one);
        ret_told->is_identical = ret_told->is_identical || (property && strcmp(property, TOLD_IDENTICAL) == 0);
        ret_told->is_same_content = ret_told->is_same_content || (property && strcmp(property, TOLD_SAME_CONTENT) == 0);
    }
    json_array_foreach(json_object_get(json, "subject"), i, one)
    {
        struct digest digest;
        if (hex_of(string_of(json_object_get(one, "digest"), "sha256"), &digest))
            list_add(arena, &ret_told->subjects, digest);
    }
    return true;
}

/* --- VEX --- */

uint64_t told_vex_edition(struct text statement, const char *id)
{
    const char *why;
    json_auto_t *json = parse(statement, &why);
    const json_t *predicate = json_object_get(json, "predicate");
    const char *said = string_of(predicate, "@id"), *author = string_of(predicate, "author");
    json_int_t version = json_integer_value(json_object_get(predicate, "version"));
    bool is_it = said && author && strncmp(said, id, strlen(id)) == 0 && strchr(":", said[strlen(id)]) &&
                 strcmp(author, "imgfactory") == 0;
    return is_it && version > 0 && version < EDITIONS_MAX ? (uint64_t)version : 0;
}
