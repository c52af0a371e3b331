/* SPDX-License-Identifier: Apache-2.0 */
#include "sbom/sbom_print.h"

#include "base/auto.h"
#include "base/map.h"
#include "bill/record.h"
#include "package/license.h"
#include "sbom/purl.h"

#include <ctype.h>
#include <stdlib.h>

#define NOASSERTION "NOASSERTION"
#define DOCUMENT_ID "SPDXRef-DOCUMENT"
#define IMAGE_ID "SPDXRef-ContainerImage"
#define OTHERS_ID "SPDXRef-Package-of-no-package"

/* A document under work. */
struct writing {
    struct arena *arena;
    const struct sbom *sbom;
    struct buf packages, files, relationships; /* items, with commas between them */
    bool is_full;                              /* one of them was */
    struct map ids;                            /* how often each was wanted: size_t */
    struct map of_purls;                       /* a package's id by its purl */
    struct map sources;                        /* a source package's id by its purl */
    struct strings refs;                       /* licences that SPDX does not know */
    struct strings said;                       /* who has each of them */
    size_t file_count;
    const char *os_id;
};

/* --- identifiers --- */

/* "SPDXRef-KIND-…" of letters, digits, '.' and '-'; what an identifier cannot have is "-XX". Each once. */
static const char *id_of(struct writing *writing, const char *kind, const char *name)
{
    AUTO(buf_done) struct buf text;
    buf_init(&text, SIZE_MAX);
    bool is_good = buf_printf(&text, "SPDXRef-%s-", kind);
    for (const char *c = name; *c && is_good; c++)
        is_good = isalnum((unsigned char)*c) || *c == '.' || *c == '-' ? buf_add(&text, c, 1)
                                                                       : buf_printf(&text, "-%02x", (unsigned char)*c);
    const char *id = text_dup(writing->arena, buf_text(&text)), *base = id;
    size_t *wanted = map_get(&writing->ids, text_of(base));
    if (!wanted) {
        wanted = arena_new(writing->arena, size_t);
        map_set(&writing->ids, text_of(base), wanted);
    }
    for (++*wanted; *wanted > 1; ++*wanted) {
        size_t *taken = arena_new(writing->arena, size_t);
        id = arena_printf(writing->arena, "%s-%zu", base, *wanted);
        *taken = 1;
        if (map_add(&writing->ids, text_of(id), taken))
            break;
    }
    return id;
}

static void add(struct writing *writing, struct buf *list, json_t *item)
{
    writing->is_full = !sbom_put_item(list, item) || writing->is_full;
}

static void relate_because(struct writing *writing, const char *from, const char *type, const char *to,
                           const char *comment)
{
    struct buf *list = &writing->relationships;
    bool is_good =
        (!list->len || buf_add(list, ",", 1)) &&
        buf_printf(list, "{\"spdxElementId\":\"%s\",\"relationshipType\":\"%s\",\"relatedSpdxElement\":\"%s\"%s%s%s}",
                   from, type, to, comment ? ",\"comment\":\"" : "", comment ? comment : "", comment ? "\"" : "");
    writing->is_full = !is_good || writing->is_full;
}

static void relate(struct writing *writing, const char *from, const char *type, const char *to)
{
    relate_because(writing, from, type, to, NULL);
}

static json_t *checksum(const char *algorithm, const char *hex)
{
    return json_pack("{s:s, s:s}", "algorithm", algorithm, "checksumValue", hex);
}

static json_t *sha256_list(const struct digest *digest)
{
    return json_pack("[o]", checksum("SHA256", digest_hex(digest).chars));
}

static void add_reference(json_t *element, const char *category, const char *purl)
{
    json_object_set_new(element, "externalRefs",
                        json_pack("[{s:s, s:s, s:s}]", "referenceCategory", category, "referenceType", "purl",
                                  "referenceLocator", purl));
}

/* What every package has to say. */
static json_t *new_package(const char *id, const char *name, const char *version, const char *location)
{
    json_t *json = json_pack("{s:s, s:o}", "SPDXID", id, "name", record_text(name));
    if (version && *version)
        json_object_set_new(json, "versionInfo", record_text(version));
    json_object_set_new(json, "downloadLocation", json_string(location ? location : NOASSERTION));
    json_object_set_new(json, "filesAnalyzed", json_false());
    return json;
}

/* --- files --- */

static int compare_hex(const void *a, const void *b)
{
    return strcmp(((const struct sha1_hex *)a)->chars, ((const struct sha1_hex *)b)->chars);
}

/* SPDX 2.3, 7.9: SHA-1 over the sorted SHA-1s of the files, in hex, without anything between them. */
static struct sha1_hex verification_code(struct arena *arena, const struct sbom_files *files)
{
    struct sha1_hex *all = arena_new_array(arena, struct sha1_hex, files->count);
    char *joined = arena_alloc(arena, files->count * 40 + 1);
    for (size_t i = 0; i < files->count; i++)
        all[i] = sha1_hex(&files->items[i].sha1);
    qsort(all, files->count, sizeof *all, compare_hex);
    for (size_t i = 0; i < files->count; i++)
        memcpy(joined + i * 40, all[i].chars, 40);
    struct sha1 code = sha1_of(joined, files->count * 40);
    return sha1_hex(&code);
}

static bool put_file(struct buf *list, const char *id, const struct sbom_file *file)
{
    return (!list->len || buf_add(list, ",", 1)) && buf_printf(list, "{\"SPDXID\":\"%s\",\"fileName\":\".", id) &&
           sbom_put_inside(list, file->path) &&
           buf_printf(list,
                      "\",\"checksums\":[{\"algorithm\":\"SHA1\",\"checksumValue\":\"%s\"},"
                      "{\"algorithm\":\"SHA256\",\"checksumValue\":\"%s\"}],\"licenseConcluded\":\"" NOASSERTION
                      "\",\"licenseInfoInFiles\":[\"" NOASSERTION "\"],\"copyrightText\":\"" NOASSERTION "\"}",
                      sha1_hex(&file->sha1).chars, digest_hex(&file->sha256).chars);
}

/* Adds the files that an element contains. */
static void add_files(struct writing *writing, json_t *element, const char *element_id, const struct sbom_files *files)
{
    if (!files->count)
        return;
    for (size_t i = 0; i < files->count; i++) {
        const char *id = arena_printf(writing->arena, "SPDXRef-File-%zu", ++writing->file_count);
        writing->is_full = !put_file(&writing->files, id, &files->items[i]) || writing->is_full;
        relate(writing, element_id, "CONTAINS", id);
    }
    json_object_set_new(element, "filesAnalyzed", json_true());
    json_object_set_new(
        element, "packageVerificationCode",
        json_pack("{s:s}", "packageVerificationCodeValue", verification_code(writing->arena, files).chars));
    json_object_set_new(element, "licenseInfoFromFiles", json_pack("[s]", NOASSERTION));
}

static void add_licenses(struct writing *writing, json_t *element, const struct sbom_package *package)
{
    const char *license = package ? package->license : NULL;
    json_object_set_new(element, "licenseConcluded", json_string(NOASSERTION));
    json_object_set_new(element, "licenseDeclared", json_string(license ? license : NOASSERTION));
    json_object_set_new(element, "copyrightText", json_string(NOASSERTION));
    if (!license)
        return;
    license_list_refs(writing->arena, license, &writing->refs);
    while (writing->said.count < writing->refs.count)
        list_add(
            writing->arena, &writing->said,
            arena_printf(writing->arena, "As the package %s %s says it of itself.", package->name, package->version));
}

/* --- packages --- */

static void add_image(struct writing *writing)
{
    const struct sbom *sbom = writing->sbom;
    const char *name = sbom->image.repository ? sbom->image.repository : sbom->image.name;
    json_t *json =
        new_package(IMAGE_ID, name, arena_printf(writing->arena, "sha256:%s", digest_hex(&sbom->manifest).chars), NULL);
    json_object_set_new(json, "primaryPackagePurpose", json_string("CONTAINER"));
    json_object_set_new(json, "checksums", sha256_list(&sbom->manifest));
    add_licenses(writing, json, NULL);
    add_reference(json, "PACKAGE-MANAGER", sbom->purl);
    add(writing, &writing->packages, json);
    relate(writing, DOCUMENT_ID, "DESCRIBES", IMAGE_ID);
}

static void add_os(struct writing *writing)
{
    const struct sbom *sbom = writing->sbom;
    const char *name = *sbom->os_id ? sbom->os_id : "unknown";
    writing->os_id = id_of(writing, "OperatingSystem", arena_printf(writing->arena, "%s-%s", name, sbom->os_version));
    json_t *json = new_package(writing->os_id, name, sbom->os_version, NULL);
    json_object_set_new(json, "primaryPackagePurpose", json_string("OPERATING_SYSTEM"));
    add_licenses(writing, json, NULL);
    add(writing, &writing->packages, json);
    relate(writing, IMAGE_ID, "CONTAINS", writing->os_id);
}

/* Adds the source package of one, which others may share; it has no purl of a package manager's kind. */
static void add_source(struct writing *writing, const struct sbom_package *package, const char *id)
{
    const char *source;
    if (!package->source_purl)
        return;
    source = map_get(&writing->sources, text_of(package->source_purl));
    if (!source) {
        source = id_of(writing, "Source",
                       arena_printf(writing->arena, "%s-%s", package->source_name, package->source_version));
        json_t *json = new_package(source, package->source_name, package->source_version, NULL);
        json_object_set_new(json, "primaryPackagePurpose", json_string("SOURCE"));
        add_licenses(writing, json, NULL);
        add_reference(json, "OTHER", package->source_purl);
        add(writing, &writing->packages, json);
        map_set(&writing->sources, text_of(package->source_purl), (void *)source);
    }
    relate(writing, id, "GENERATED_FROM", source);
}

/* Adds the repositories, in their order; a package names its own. */
static void add_repositories(struct writing *writing)
{
    const struct bill_source *source = writing->sbom->bill ? writing->sbom->bill->source : NULL;
    for (size_t i = 0; source && i < source->repositories.count; i++) {
        const struct bill_repository *from = &source->repositories.items[i];
        json_t *json = new_package(arena_printf(writing->arena, "SPDXRef-Repository-%zu", i + 1), from->name, NULL,
                                   sbom_url(from->uri));
        json_object_set_new(json, "primaryPackagePurpose", json_string("OTHER"));
        json_object_set_new(json, "checksums", sha256_list(&from->digest));
        json_object_set_new(json, "comment",
                            json_sprintf("The checksum is that of its signed index%s%s.",
                                         from->signed_by ? ", signed by " : "; nobody's signature was asked for",
                                         from->signed_by ? from->signed_by : ""));
        add_licenses(writing, json, NULL);
        add(writing, &writing->packages, json);
    }
}

static void relate_repository(struct writing *writing, const struct sbom_package *package, const char *id)
{
    const struct bill_repository *from = sbom_repository_of(writing->sbom, package);
    if (!from)
        return;
    size_t number = (size_t)(from - writing->sbom->bill->source->repositories.items) + 1;
    relate_because(writing, id, "OTHER", arena_printf(writing->arena, "SPDXRef-Repository-%zu", number),
                   "The repository whose signed index names the package.");
}

/* The only place where trivy reads the source: name and version in these words, with the epoch, which it takes for the source's
 * from the package where it reads the image. */
static const char *source_info(struct arena *arena, const struct sbom_package *package)
{
    return arena_printf(arena, "built package from: %s %s%s%s", package->source_name,
                        package->epoch ? package->epoch : "", package->epoch ? ":" : "", package->source_version);
}

static void add_package(struct writing *writing, const struct sbom_package *package, const char *id)
{
    static const struct digest none;
    const struct bill_package *from = package->from;
    json_t *json = new_package(id, package->name, from->version, sbom_url(from->url));
    json_object_set_new(json, "supplier", json_string(NOASSERTION));
    if (!digest_eq(&from->digest, &none))
        json_object_set_new(json, "checksums", sha256_list(&from->digest));
    if (package->source_name && package->source_version)
        json_object_set_new(json, "sourceInfo", record_text(source_info(writing->arena, package)));
    add_licenses(writing, json, package);
    add_reference(json, "PACKAGE-MANAGER", package->purl);
    add_files(writing, json, id, &package->files);
    json_object_set_new(json, "comment", json_string("The files are those of the package that are in the image."));
    add(writing, &writing->packages, json);
    relate(writing, writing->os_id, "CONTAINS", id);
    add_source(writing, package, id);
    relate_repository(writing, package, id);
}

static void add_packages(struct writing *writing)
{
    const struct sbom *sbom = writing->sbom;
    for (size_t i = 0; i < sbom->packages.count; i++) {
        const struct sbom_package *package = &sbom->packages.items[i];
        map_set(&writing->of_purls, text_of(package->purl),
                (void *)id_of(writing, "Package",
                              arena_printf(writing->arena, "%s-%s-%s", package->name, package->from->version,
                                           package->from->architecture)));
    }
    for (size_t i = 0; i < sbom->packages.count; i++) {
        const struct sbom_package *package = &sbom->packages.items[i];
        const char *id = map_get(&writing->of_purls, text_of(package->purl));
        add_package(writing, package, id);
        for (size_t k = 0; k < package->needs.count; k++)
            relate(writing, id, "DEPENDS_ON", map_get(&writing->of_purls, text_of(package->needs.items[k])));
    }
}

/* Files that no package has stand in a package of their own, as every file has to. */
static void add_others(struct writing *writing)
{
    const struct sbom *sbom = writing->sbom;
    if (!sbom->others.count)
        return;
    json_t *json = new_package(OTHERS_ID, "files of no package", NULL, NULL);
    json_object_set_new(json, "comment", json_string("Made when the image was, or of a package that is not known."));
    add_licenses(writing, json, NULL);
    add_files(writing, json, OTHERS_ID, &sbom->others);
    add(writing, &writing->packages, json);
    relate(writing, IMAGE_ID, "CONTAINS", OTHERS_ID);
}

/* --- the document --- */

static json_t *license_texts(const struct writing *writing)
{
    json_t *texts = json_array();
    for (size_t i = 0; i < writing->refs.count; i++) {
        json_t *text = json_pack("{s:s, s:o}", "licenseId", writing->refs.items[i], "extractedText",
                                 record_text(writing->said.items[i]));
        json_object_set_new(text, "name", json_string(writing->refs.items[i] + strlen(LICENSE_REF)));
        json_array_append_new(texts, text);
    }
    return texts;
}

static void writing_done(struct writing *writing)
{
    buf_done(&writing->packages);
    buf_done(&writing->files);
    buf_done(&writing->relationships);
}

static json_t *head_json(const struct writing *writing)
{
    const struct sbom *sbom = writing->sbom;
    json_t *head =
        json_pack("{s:s, s:s, s:s, s:o, s:o}", "spdxVersion", "SPDX-2.3", "dataLicense", "CC0-1.0", "SPDXID",
                  DOCUMENT_ID, "name", record_text(sbom->image.name), "documentNamespace",
                  json_sprintf("https://spdx.org/spdxdocs/%s-%s", purl_encode(writing->arena, sbom->image.name),
                               digest_hex(&sbom->manifest).chars));
    json_object_set_new(
        head, "creationInfo",
        json_pack("{s:s, s:[s]}", "created", sbom->created, "creators", "Tool: imgfactory-" IMGFACTORY_VERSION));
    if (writing->refs.count)
        json_object_set_new(head, "hasExtractedLicensingInfos", license_texts(writing));
    if (sbom->note)
        json_object_set_new(head, "comment", record_text(sbom->note));
    return head;
}

bool sbom_spdx(struct arena *arena, const struct sbom *sbom, struct buf *text)
{
    AUTO(writing_done)
    struct writing writing = {.arena = arena,
                              .sbom = sbom,
                              .ids = {.arena = arena},
                              .of_purls = {.arena = arena},
                              .sources = {.arena = arena}};
    buf_init(&writing.packages, SBOM_MAX_BYTES);
    buf_init(&writing.files, SBOM_MAX_BYTES);
    buf_init(&writing.relationships, SBOM_MAX_BYTES);
    add_image(&writing);
    add_os(&writing);
    add_repositories(&writing);
    add_packages(&writing);
    add_others(&writing);
    return !writing.is_full && sbom_put_open(text, head_json(&writing)) &&
           sbom_put_list(text, "packages", &writing.packages) && sbom_put_list(text, "files", &writing.files) &&
           sbom_put_list(text, "relationships", &writing.relationships) && buf_add(text, "}", 1);
}
