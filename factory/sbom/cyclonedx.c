/* SPDX-License-Identifier: Apache-2.0 */
#include "sbom/sbom_print.h"

#include "base/auto.h"
#include "bill/record.h"
#include "package/license.h"
#include "sbom/purl.h"
#include "source/format.h"

/* The namespace of the serial numbers, a UUID of our own (RFC 9562, 5.5). */
static const uint8_t serial_namespace[16] = {0x6d, 0x0c, 0x1f, 0x5e, 0x3a, 0x92, 0x4b, 0x77,
                                             0x9d, 0x21, 0x58, 0xe4, 0x0b, 0xc6, 0x71, 0x2f};

/* UUID of version 5: the same image, the same number. */
static json_t *serial_number(const struct sbom *sbom)
{
    uint8_t named[sizeof serial_namespace + DIGEST_BYTES];
    memcpy(named, serial_namespace, sizeof serial_namespace);
    memcpy(named + sizeof serial_namespace, sbom->manifest.bytes, DIGEST_BYTES);
    struct sha1 hash = sha1_of(named, sizeof named);
    uint8_t *b = hash.bytes;
    b[6] = (uint8_t)((b[6] & 0x0f) | 0x50);
    b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
    return json_sprintf("urn:uuid:%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
                        b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
}

/* --- parts --- */

static void add_property(json_t *properties, const char *name, const char *value)
{
    if (value && *value)
        json_array_append_new(properties, json_pack("{s:s, s:o}", "name", name, "value", record_text(value)));
}

static json_t *hash(const char *algorithm, const char *hex)
{
    return json_pack("{s:s, s:s}", "alg", algorithm, "content", hex);
}

static bool put_files(struct buf *list, const struct sbom_files *files)
{
    bool is_good = true;
    for (size_t i = 0; is_good && i < files->count; i++) {
        const struct sbom_file *file = &files->items[i];
        is_good =
            (!list->len || buf_add(list, ",", 1)) && buf_printf(list, "{\"type\":\"file\",\"name\":\"") &&
            sbom_put_inside(list, file->path) &&
            buf_printf(
                list,
                "\",\"hashes\":[{\"alg\":\"SHA-1\",\"content\":\"%s\"},{\"alg\":\"SHA-256\",\"content\":\"%s\"}]}",
                sha1_hex(&file->sha1).chars, digest_hex(&file->sha256).chars);
    }
    return is_good;
}

static const char *sha256_text(struct arena *arena, const struct digest *digest)
{
    return arena_printf(arena, "sha256:%s", digest_hex(digest).chars);
}

/* What scanners read of a package: trivy looks for the source package here alone. */
static json_t *properties_of(struct arena *arena, const struct sbom *sbom, const struct sbom_package *package)
{
    json_t *properties = json_array();
    const struct bill_repository *repository = sbom_repository_of(sbom, package);
    add_property(properties, "aquasecurity:trivy:PkgID",
                 arena_printf(arena, "%s@%s", package->name, package->from->version));
    add_property(properties, "aquasecurity:trivy:PkgType", sbom->os_id);
    add_property(properties, "aquasecurity:trivy:SrcName", package->source_name);
    const char *dash = package->source_version ? strrchr(package->source_version, '-') : NULL;
    if (package->format && package->format->purl.is_epoch_apart && dash) {
        add_property(properties, "aquasecurity:trivy:SrcVersion",
                     arena_strndup(arena, package->source_version, (size_t)(dash - package->source_version)));
        add_property(properties, "aquasecurity:trivy:SrcRelease", dash + 1);
        add_property(properties, "aquasecurity:trivy:SrcEpoch", package->epoch);
    } else {
        add_property(properties, "aquasecurity:trivy:SrcVersion", package->source_version);
    }
    add_property(properties, "imgfactory:repository", repository ? repository->name : NULL);
    if (repository) {
        add_property(properties, "imgfactory:repository:sha256", digest_hex(&repository->digest).chars);
        add_property(properties, "imgfactory:repository:signed-by", repository->signed_by);
    }
    return properties;
}

static json_t *licenses_of(const struct sbom_package *package)
{
    return json_pack("[{s:s}]", "expression", package->license);
}

static json_t *distribution_reference(const struct sbom_package *package)
{
    static const struct digest none;
    const struct bill_package *from = package->from;
    json_t *reference = json_pack("{s:s, s:s}", "type", "distribution", "url", from->url);
    if (!digest_eq(&from->digest, &none))
        json_object_set_new(reference, "hashes", json_pack("[o]", hash("SHA-256", digest_hex(&from->digest).chars)));
    return json_pack("[o]", reference);
}

static json_t *package_json(struct arena *arena, const struct sbom *sbom, const struct sbom_package *package)
{
    static const struct digest none;
    const struct bill_package *from = package->from;
    json_t *json = json_pack("{s:s, s:s, s:o, s:o}", "type", "library", "bom-ref", package->purl, "name",
                             record_text(package->name), "version", record_text(from->version));
    if (!digest_eq(&from->digest, &none))
        json_object_set_new(json, "hashes", json_pack("[o]", hash("SHA-256", digest_hex(&from->digest).chars)));
    if (package->license)
        json_object_set_new(json, "licenses", licenses_of(package));
    json_object_set_new(json, "purl", json_string(package->purl));
    if (sbom_url(from->url))
        json_object_set_new(json, "externalReferences", distribution_reference(package));
    if (package->source_purl) {
        json_t *source = json_pack("{s:s, s:o, s:o, s:s}", "type", "library", "name", record_text(package->source_name),
                                   "version", record_text(package->source_version), "purl", package->source_purl);
        json_object_set_new(json, "pedigree", json_pack("{s:[o]}", "ancestors", source));
    }
    json_object_set_new(json, "properties", properties_of(arena, sbom, package));
    return json;
}

/* --- the document --- */

static json_t *tools_json(bool is_old)
{
    return is_old ? json_pack("[{s:s, s:s, s:s}]", "vendor", "imgfactory", "name", "imgfactory", "version",
                              IMGFACTORY_VERSION)
                  : json_pack("{s:[{s:s, s:s, s:s}]}", "components", "type", "application", "name", "imgfactory",
                              "version", IMGFACTORY_VERSION);
}

static json_t *image_json(struct arena *arena, const struct sbom *sbom)
{
    json_t *properties = json_array();
    const char *repository = sbom->image.repository, *digest = sha256_text(arena, &sbom->manifest);
    add_property(properties, "aquasecurity:trivy:SchemaVersion", "2");
    add_property(properties, "aquasecurity:trivy:ImageID", sha256_text(arena, &sbom->config));
    for (size_t i = 0; i < sbom->diff_ids.count; i++)
        add_property(properties, "aquasecurity:trivy:DiffID", sbom->diff_ids.items[i]);
    if (repository)
        add_property(properties, "aquasecurity:trivy:RepoDigest", arena_printf(arena, "%s@%s", repository, digest));
    if (repository && sbom->image.tag)
        add_property(properties, "aquasecurity:trivy:RepoTag",
                     arena_printf(arena, "%s:%s", repository, sbom->image.tag));
    json_t *json =
        json_pack("{s:s, s:s, s:o, s:s, s:s}", "type", "container", "bom-ref", sbom->purl, "name",
                  record_text(repository ? repository : sbom->image.name), "version", digest, "purl", sbom->purl);
    json_object_set_new(json, "properties", properties);
    return json;
}

static json_t *metadata_json(struct arena *arena, const struct sbom *sbom, bool is_old)
{
    json_t *metadata = json_pack("{s:s}", "timestamp", sbom->created);
    if (!is_old)
        json_object_set_new(metadata, "lifecycles", json_pack("[{s:s}]", "phase", "build"));
    json_object_set_new(metadata, "tools", tools_json(is_old));
    json_object_set_new(metadata, "component", image_json(arena, sbom));
    return metadata;
}

static json_t *strings_json(const struct strings *strings)
{
    json_t *list = json_array();
    for (size_t i = 0; i < strings->count; i++)
        json_array_append_new(list, json_string(strings->items[i]));
    return list;
}

static json_t *dependencies_json(const struct sbom *sbom, const char *os_ref)
{
    json_t *all = json_array(), *of_os = json_array();
    json_array_append_new(all, json_pack("{s:s, s:[s]}", "ref", sbom->purl, "dependsOn", os_ref));
    for (size_t i = 0; i < sbom->packages.count; i++)
        json_array_append_new(of_os, json_string(sbom->packages.items[i].purl));
    json_array_append_new(all, json_pack("{s:s, s:o}", "ref", os_ref, "dependsOn", of_os));
    for (size_t i = 0; i < sbom->packages.count; i++) {
        const struct sbom_package *package = &sbom->packages.items[i];
        json_t *of_package = json_pack("{s:s}", "ref", package->purl);
        if (package->needs.count)
            json_object_set_new(of_package, "dependsOn", strings_json(&package->needs));
        json_array_append_new(all, of_package);
    }
    return all;
}

/* A package, with its files. */
static bool put_package(struct arena *arena, const struct sbom *sbom, const struct sbom_package *package,
                        struct buf *list)
{
    AUTO(buf_done) struct buf files;
    buf_init(&files, SBOM_MAX_BYTES);
    if (!package->files.count)
        return sbom_put_item(list, package_json(arena, sbom, package));
    return put_files(&files, &package->files) && (!list->len || buf_add(list, ",", 1)) &&
           sbom_put_open(list, package_json(arena, sbom, package)) && sbom_put_list(list, "components", &files) &&
           buf_add(list, "}", 1);
}

/* Files that no package has stand beside the packages. */
static bool put_components(struct arena *arena, const struct sbom *sbom, const char *os_ref, struct buf *list)
{
    const char *name = *sbom->os_id ? sbom->os_id : "unknown";
    json_t *os = json_pack("{s:s, s:s, s:o}", "type", "operating-system", "bom-ref", os_ref, "name", record_text(name));
    if (*sbom->os_version)
        json_object_set_new(os, "version", record_text(sbom->os_version));
    bool is_good = sbom_put_item(list, os);
    for (size_t i = 0; is_good && i < sbom->packages.count; i++)
        is_good = put_package(arena, sbom, &sbom->packages.items[i], list);
    return is_good && put_files(list, &sbom->others);
}

bool sbom_cyclonedx(struct arena *arena, const struct sbom *sbom, bool is_old, struct buf *text)
{
    AUTO(buf_done) struct buf components;
    const char *os_ref = arena_printf(arena, "os:%s@%s", purl_encode(arena, *sbom->os_id ? sbom->os_id : "unknown"),
                                      purl_encode(arena, sbom->os_version));
    buf_init(&components, SBOM_MAX_BYTES);
    json_t *head = json_pack("{s:s, s:s, s:o, s:i, s:o, s:o}", "bomFormat", "CycloneDX", "specVersion",
                             is_old ? "1.5" : "1.6", "serialNumber", serial_number(sbom), "version", 1, "metadata",
                             metadata_json(arena, sbom, is_old), "dependencies", dependencies_json(sbom, os_ref));
    json_object_set_new(
        head, "compositions",
        json_pack("[{s:s, s:[s]}]", "aggregate", sbom->note ? "incomplete" : "complete", "assemblies", sbom->purl));
    return sbom_put_open(text, head) && put_components(arena, sbom, os_ref, &components) &&
           sbom_put_list(text, "components", &components) && buf_add(text, "}", 1);
}
