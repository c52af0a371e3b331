/* SPDX-License-Identifier: Apache-2.0 */
#include "sbom/sbom.h"

#include "base/auto.h"
#include "base/map.h"
#include "change/packaged.h"
#include "ground/ground_layers.h"
#include "oci/document_json.h"
#include "package/license.h"
#include "sbom/purl.h"
#include "sbom/sbom_sums.h"
#include "source/format.h"

#include <ctype.h>
#include <stdlib.h>

/* An SBOM under work. */
struct gathering {
    struct arena *arena;
    struct sbom *sbom;
    const struct bill *told; /* the bill that there is, or NULL */
    bool is_bill_all;        /* it tells all packages: nothing lies below */
    struct map places;       /* number of a package, plus 1, by its name */
    struct sbom_sums sums;   /* of its files */
    struct strings
        owners; /* of each what the package database calls its package, or NULL; none where the bill tells all */
};

/* --- of the documents and of os-release --- */

/* "2026-07-02T19:05:00Z", whatever fraction it has; the epoch where an image does not say, or in another zone. */
static const char *time_of(struct arena *arena, const char *created)
{
    static const char shape[] = "dddd-dd-ddTdd:dd:dd";
    if (!created || strlen(created) <= strlen(shape) || created[strlen(created) - 1] != 'Z')
        return "1970-01-01T00:00:00Z";
    for (size_t i = 0; shape[i]; i++) {
        if (shape[i] == 'd' ? !isdigit((unsigned char)created[i]) : created[i] != shape[i])
            return "1970-01-01T00:00:00Z";
    }
    return arena_printf(arena, "%.*sZ", (int)strlen(shape), created);
}

static void read_config(struct gathering *gathering, const struct layout_manifest *manifest)
{
    struct arena *arena = gathering->arena;
    struct sbom *sbom = gathering->sbom;
    json_auto_t *config = document_object(manifest->config_bytes);
    const json_t *ids = json_object_get(json_object_get(config, "rootfs"), "diff_ids"), *id;
    const char *architecture = json_string_value(json_object_get(config, "architecture"));
    size_t i;
    sbom->created = time_of(arena, json_string_value(json_object_get(config, "created")));
    sbom->architecture = manifest->architecture ? manifest->architecture
                         : architecture         ? arena_strdup(arena, architecture)
                                                : "unknown";
    json_array_foreach(ids, i, id)
    {
        if (json_is_string(id))
            list_add(arena, &sbom->diff_ids, arena_strdup(arena, json_string_value(id)));
    }
}

static bool read_os_release(struct gathering *gathering, struct err *err)
{
    static const char *const paths[] = {"/etc/os-release", "/usr/lib/os-release"};
    const struct sbom *sbom = gathering->sbom;
    sbom_sums_name(gathering->arena, TEXT(""), &gathering->sums);
    for (size_t i = 0; i < ARRAY_COUNT(paths); i++) {
        struct text bytes;
        bool is_found;
        if (!ground_read(&sbom->side.ground, paths[i], &bytes, &is_found, err))
            return false;
        if (!is_found)
            continue;
        sbom_sums_name(gathering->arena, bytes, &gathering->sums);
        return true;
    }
    return true;
}

/* --- packages --- */

/* Splits "EPOCH:VERSION". */
static void split_epoch(struct arena *arena, struct sbom_package *package)
{
    const char *colon = strchr(package->version, ':');
    if (!colon)
        return;
    package->epoch = arena_strndup(arena, package->version, (size_t)(colon - package->version));
    package->version = colon + 1;
}

static const char *without_epoch(const char *version)
{
    const char *colon = version ? strchr(version, ':') : NULL;
    return colon ? colon + 1 : version;
}

struct sbom_package sbom_package_of(struct arena *arena, const struct sbom *sbom, const struct bill_package *from)
{
    const struct format *format = packaged_format(from);
    struct sbom_package package = {.from = from,
                                   .format = format,
                                   .name = from->name,
                                   .version = from->version,
                                   .source_name = from->source_package,
                                   .source_version = from->source_version};
    if (format && format->purl.is_epoch_apart) {
        split_epoch(arena, &package);
        package.source_version = without_epoch(package.source_version);
    }
    if (!format || !format->purl.source_ending) {
        package.source_name = package.source_name ? package.source_name : package.name;
        package.source_version = package.source_version ? package.source_version : package.version;
    }
    if (from->license)
        package.license = license_expression(arena, format ? format->name : "package", from->license);
    package.purl = purl_of_package(arena, sbom, &package);
    package.source_purl = purl_of_source(arena, sbom, &package);
    return package;
}

static int compare_packages(const void *a, const void *b)
{
    return strcmp(((const struct sbom_package *)a)->purl, ((const struct sbom_package *)b)->purl);
}

/* Lists those that are in the image, by purl, each once. */
static void list_packages(struct gathering *gathering)
{
    struct sbom *sbom = gathering->sbom;
    const struct bill *bill = gathering->is_bill_all ? gathering->told : sbom->side.bill;
    for (size_t i = 0; i < bill->packages.count; i++) {
        if (bill->packages.items[i].has_given)
            list_add(gathering->arena, &sbom->packages,
                     sbom_package_of(gathering->arena, sbom, &bill->packages.items[i]));
    }
    size_t count = 0;
    if (sbom->packages.count)
        qsort(sbom->packages.items, sbom->packages.count, sizeof *sbom->packages.items, compare_packages);
    for (size_t i = 0; i < sbom->packages.count; i++) {
        if (!count || compare_packages(&sbom->packages.items[count - 1], &sbom->packages.items[i]) != 0)
            sbom->packages.items[count++] = sbom->packages.items[i];
    }
    sbom->packages.count = count;
    for (size_t i = 0; i < count; i++) /* of several versions the last: files name no version */
        map_set(&gathering->places, text_of(sbom->packages.items[i].name), (void *)(uintptr_t)(i + 1));
}

static struct sbom_package *find_package(struct gathering *gathering, const char *name)
{
    uintptr_t place = name ? (uintptr_t)map_get(&gathering->places, text_of(name)) : 0;
    return place ? &gathering->sbom->packages.items[place - 1] : NULL;
}

/* --- files --- */

/* Returns who gave a file: the bill knows, where it tells of this very file; else the package database does. */
static struct sbom_package *owner_of(struct gathering *gathering, size_t index)
{
    const struct sbom_sum *sum = &gathering->sums.files.items[index];
    const struct bill_file *told = gathering->told ? bill_find(gathering->told, sum->path) : NULL;
    if (told && (told->kind != NODE_FILE || (sum->kind == NODE_FILE && digest_eq(&told->digest, &sum->sha256))))
        return find_package(gathering, told->package);
    return gathering->is_bill_all ? NULL : find_package(gathering, gathering->owners.items[index]);
}

/* Notes that a package's files are there because of another's. */
static void add_need(struct gathering *gathering, const char *path, const struct sbom_package *owner)
{
    const struct bill_file *told = gathering->told ? bill_find(gathering->told, path) : NULL;
    const struct bill_file *because = told && told->by ? bill_find(gathering->told, told->by) : NULL;
    struct sbom_package *needing = because ? find_package(gathering, because->package) : NULL;
    if (needing && needing != owner && !strings_has(&needing->needs, owner->purl))
        list_add(gathering->arena, &needing->needs, owner->purl);
}

static int compare_strings(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void list_files(struct gathering *gathering)
{
    const struct sbom *sbom = gathering->sbom;
    for (size_t i = 0; i < gathering->sums.files.count; i++) {
        const struct sbom_sum *sum = &gathering->sums.files.items[i];
        struct sbom_package *owner = owner_of(gathering, i);
        if (owner)
            add_need(gathering, sum->path, owner);
        if (sum->kind == NODE_SYMLINK)
            continue;
        struct sbom_file added = {sum->path, sum->sha256, sum->sha1};
        list_add(gathering->arena, owner ? &owner->files : &gathering->sbom->others, added);
    }
    for (size_t i = 0; i < sbom->packages.count; i++) {
        const struct strings *needs = &sbom->packages.items[i].needs;
        if (needs->count)
            qsort(needs->items, needs->count, sizeof *needs->items, compare_strings);
    }
}

/* --- reading --- */

/* Sums up a file of the merged layers; what has no bytes of its own, a device, say, is no file of an SBOM. */
static bool sum_file(struct gathering *gathering, const struct bill_file *file, struct err *err)
{
    const struct ground *ground = &gathering->sbom->side.ground;
    struct sbom_sum sum = {.path = file->path, .kind = file->kind};
    const struct entry *bytes;
    if (!ground_file_of(ground, ground_find(ground, file->path), &bytes, err))
        return false;
    if (bytes) {
        sum.sha256 = bytes->digest;
        sum.sha1 = sha1_of(bytes->data, bytes->size_bytes);
    } else {
        sum.kind = NODE_SYMLINK;
    }
    list_add(gathering->arena, &gathering->sums.files, sum);
    list_add(gathering->arena, &gathering->owners, file->package);
    return true;
}

/* Reads all bytes of the image. */
static bool read_layers(struct gathering *gathering, const struct sbom_request *request,
                        const struct base_layers *layers, struct err *err)
{
    struct sbom *sbom = gathering->sbom;
    if (!side_read_layers(gathering->arena, request->store, &request->image, &sbom->side, &sbom->note, err) ||
        !read_os_release(gathering, err))
        return false;
    for (size_t i = 0; i < sbom->side.bill->files.count; i++) {
        if (!sum_file(gathering, &sbom->side.bill->files.items[i], err))
            return false;
    }
    if (gathering->is_bill_all) {
        sbom->note = NULL; /* the bill knows the packages, whether there is a database in the image or not */
        sbom_sums_keep(request->store, layers, &gathering->sums);
    }
    return true;
}

/* --- all of it --- */

bool sbom_gather(struct arena *arena, const struct sbom_request *request, struct sbom *ret_sbom, struct err *err)
{
    const struct layout_manifest *manifest = request->image.manifest;
    struct sbom *sbom = ret_sbom;
    struct gathering gathering = {.arena = arena, .sbom = sbom, .places = {.arena = arena}};
    *sbom =
        (struct sbom){.image = *request->name, .manifest = manifest->blob.digest, .config = manifest->config.digest};
    struct base_layers layers;
    side_of_manifest(arena, request->store, request->image.image, manifest, &sbom->side);
    if (!ground_layers_of(arena, request->image.name, manifest, &layers, err))
        return false;
    gathering.told = sbom->side.bill;
    gathering.is_bill_all = gathering.told && !gathering.told->base;
    bool is_known = gathering.is_bill_all && !request->is_layered &&
                    sbom_sums_find(arena, request->store, &layers, &gathering.sums);
    if (!is_known && !read_layers(&gathering, request, &layers, err))
        return false;
    sbom->bill = gathering.told;
    sbom->os_id = gathering.sums.os_id;
    sbom->os_version = gathering.sums.os_version;
    sbom->os_codename = gathering.sums.os_codename;
    read_config(&gathering, manifest);
    sbom->purl = purl_of_image(arena, sbom);
    list_packages(&gathering);
    list_files(&gathering);
    return true;
}

void sbom_done(struct sbom *sbom)
{
    side_close(&sbom->side);
}
