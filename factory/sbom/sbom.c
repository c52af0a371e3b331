/* SPDX-License-Identifier: Apache-2.0 */
#include "sbom/sbom.h"

#include "base/auto.h"
#include "base/map.h"
#include "change/packaged.h"
#include "oci/document_json.h"
#include "package/license.h"
#include "package/os_release.h"
#include "sbom/purl.h"
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
    struct sbom *sbom = gathering->sbom;
    sbom->os_id = sbom->os_version = "";
    for (size_t i = 0; i < ARRAY_COUNT(paths); i++) {
        struct text bytes;
        bool is_found;
        if (!ground_read(&sbom->side.ground, paths[i], &bytes, &is_found, err))
            return false;
        if (!is_found)
            continue;
        const char *id = os_release_value(gathering->arena, bytes, "ID");
        const char *version = os_release_value(gathering->arena, bytes, "VERSION_ID");
        sbom->os_id = id ? id : "";
        sbom->os_version = version ? version : "";
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

/* Where a package says nothing of its source, that is called as it is (deb-control(5), "Source"); a format that tells sources by
 * their files has always one. */
static void add_package(struct gathering *gathering, const struct bill_package *from)
{
    struct arena *arena = gathering->arena;
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
    package.purl = purl_of_package(arena, gathering->sbom, &package);
    package.source_purl = purl_of_source(arena, gathering->sbom, &package);
    list_add(arena, &gathering->sbom->packages, package);
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
            add_package(gathering, &bill->packages.items[i]);
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
static struct sbom_package *owner_of(struct gathering *gathering, const struct bill_file *file)
{
    const struct bill_file *told = gathering->told ? bill_find(gathering->told, file->path) : NULL;
    if (told && (told->kind != NODE_FILE || digest_eq(&told->digest, &file->digest)))
        return find_package(gathering, told->package);
    return gathering->is_bill_all ? NULL : find_package(gathering, file->package);
}

/* Notes that a package's files are there because of another's. */
static void add_need(struct gathering *gathering, const struct bill_file *file, const struct sbom_package *owner)
{
    const struct bill_file *told = gathering->told ? bill_find(gathering->told, file->path) : NULL;
    const struct bill_file *because = told && told->by ? bill_find(gathering->told, told->by) : NULL;
    struct sbom_package *needing = because ? find_package(gathering, because->package) : NULL;
    if (needing && needing != owner && !strings_has(&needing->needs, owner->purl))
        list_add(gathering->arena, &needing->needs, owner->purl);
}

static bool add_file(struct gathering *gathering, const struct bill_file *file, struct err *err)
{
    const struct ground *ground = &gathering->sbom->side.ground;
    struct sbom_package *owner = owner_of(gathering, file);
    const struct entry *bytes;
    if (owner)
        add_need(gathering, file, owner);
    if (!ground_file_of(ground, ground_find(ground, file->path), &bytes, err))
        return false;
    if (!bytes)
        return true;
    struct sbom_file added = {file->path, bytes->digest, sha1_of(bytes->data, bytes->size_bytes)};
    list_add(gathering->arena, owner ? &owner->files : &gathering->sbom->others, added);
    return true;
}

static int compare_strings(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool list_files(struct gathering *gathering, struct err *err)
{
    const struct sbom *sbom = gathering->sbom;
    const struct bill *read = sbom->side.bill;
    for (size_t i = 0; i < read->files.count; i++) {
        if (!add_file(gathering, &read->files.items[i], err))
            return false;
    }
    for (size_t i = 0; i < sbom->packages.count; i++) {
        const struct strings *needs = &sbom->packages.items[i].needs;
        if (needs->count)
            qsort(needs->items, needs->count, sizeof *needs->items, compare_strings);
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
    side_of_manifest(arena, request->store, request->image.image, manifest, &sbom->side);
    if (!side_read_layers(arena, request->store, &request->image, &sbom->side, &sbom->note, err))
        return false;
    gathering.told = sbom->side.told;
    gathering.is_bill_all = gathering.told && !gathering.told->base;
    if (gathering.is_bill_all) /* it knows the packages, whether there is a database in the image or not */
        sbom->note = NULL;
    sbom->bill = gathering.told;
    read_config(&gathering, manifest);
    if (!read_os_release(&gathering, err))
        return false;
    sbom->purl = purl_of_image(arena, sbom);
    list_packages(&gathering);
    return list_files(&gathering, err);
}

void sbom_done(struct sbom *sbom)
{
    side_close(&sbom->side);
}
