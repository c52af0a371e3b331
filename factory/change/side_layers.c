/* SPDX-License-Identifier: Apache-2.0 */
#include "change/side.h"

#include "base/map.h"
#include "formats/formats.h"
#include "ground/ground_layers.h"
#include "ground/installed.h"
#include "oci/layout.h"
#include "source/format.h"

/* A side under work. */
struct reading {
    struct arena *arena;
    const struct ground *ground;
    struct bill *bill;
    const struct bill *former; /* the bill that there was, or NULL */
    const char *note;
};

/* --- files --- */

static const char *hex_of(struct arena *arena, struct text value)
{
    char *hex = value.len ? arena_alloc(arena, value.len * 2 + 1) : NULL;
    for (size_t i = 0; i < value.len; i++)
        (void)snprintf(hex + 2 * i, 3, "%02x", (unsigned char)value.ptr[i]);
    return hex;
}

static void read_files(struct reading *reading, const struct installed *installed)
{
    static const enum node_kind kinds[] = {[ENTRY_FILE] = NODE_FILE,
                                           [ENTRY_DIRECTORY] = NODE_DIRECTORY,
                                           [ENTRY_SYMLINK] = NODE_SYMLINK,
                                           [ENTRY_HARDLINK] = NODE_HARDLINK};
    static const struct strings none;
    struct bill *bill = reading->bill;
    for (size_t i = 0; i < reading->ground->package->count; i++) {
        const struct entry *entry = &reading->ground->package->entries[i];
        struct bill_file file = {.path = entry->path,
                                 .kind = kinds[entry->kind],
                                 .mode = entry->mode,
                                 .uid = entry->uid,
                                 .gid = entry->gid,
                                 .target = entry->target,
                                 .capability = hex_of(reading->arena, entry->capability)};
        if (entry->kind == ENTRY_FILE) {
            file.size_bytes = entry->size_bytes;
            file.digest = entry->digest;
            bill->unpacked_bytes += entry->size_bytes;
            if (entry->elf && entry->elf->soname)
                list_add(reading->arena, &bill->sonames, (struct bill_soname){entry->path, entry->elf->soname});
        }
        if (installed && entry->kind != ENTRY_DIRECTORY)
            file.package = installed->format->installed_owner(installed, entry->path, &none);
        if (entry->kind == ENTRY_DIRECTORY)
            list_add(reading->arena, &bill->directories, file);
        else
            list_add(reading->arena, &bill->files, file);
    }
    bill->file_count = bill->files.count;
}

/* --- packages --- */

static const struct bill_package *find_former(const struct map *former, const struct installed_package *package,
                                              struct arena *arena)
{
    return map_get(former, text_of(arena_printf(arena, "%s %s", package->name, package->version)));
}

/* Lists what the database says is installed; of packages that the former bill has, with where their files are. */
static void list_packages(struct reading *reading, const struct installed *installed)
{
    struct arena *arena = reading->arena;
    struct map former = {.arena = arena};
    for (size_t i = 0; reading->former && i < reading->former->packages.count; i++) {
        const struct bill_package *package = &reading->former->packages.items[i];
        (void)map_add(&former, text_of(arena_printf(arena, "%s %s", package->name, package->version)), (void *)package);
    }
    for (size_t i = 0; i < installed->packages.count; i++) {
        const struct installed_package *from = &installed->packages.items[i];
        const struct bill_package *known = find_former(&former, from, arena);
        struct bill_package package = {.name = from->name,
                                       .version = from->version,
                                       .architecture = from->architecture,
                                       .source_package = from->source_package,
                                       .source_version = from->source_version,
                                       .url = installed->format->file_ending,
                                       .has_given = true};
        if (known)
            package = *known;
        else
            package.license = installed->format->installed_license(arena, reading->ground, from);
        package.has_given = true;
        list_add(arena, &reading->bill->packages, package);
    }
}

/* Reads the package database, of whichever format has one. */
static const struct installed *read_database(struct reading *reading)
{
    const struct format *format;
    for (size_t i = 0; (format = formats_at(i)) != NULL; i++) {
        struct installed *installed = arena_new(reading->arena, struct installed);
        struct err err = {0};
        bool is_found = false;
        if (!format->installed_read)
            continue;
        if (!format->installed_read(reading->arena, reading->ground, installed, &is_found, &err)) {
            reading->note = arena_printf(reading->arena, "its packages cannot be read: %s", err.text);
            return NULL;
        }
        installed->format = format;
        if (is_found)
            return installed;
    }
    return NULL;
}

/* Reads the list of packages that takes a database's place. */
static void read_list(struct reading *reading)
{
    const struct format *format;
    for (size_t i = 0; (format = formats_at(i)) != NULL; i++) {
        struct installed listed = {.format = format};
        struct err err = {0};
        bool is_found = false;
        if (!format->listed_read)
            continue;
        if (!format->listed_read(reading->arena, reading->ground, &listed, &is_found, &err)) {
            reading->note = arena_printf(reading->arena, "its packages cannot be read: %s", err.text);
            return;
        }
        if (is_found) {
            list_packages(reading, &listed);
            reading->note = "its list of packages does not tell which files are theirs";
            return;
        }
    }
    reading->note = "it has no package database that is known (dpkg's, rpm's): its packages are not told";
}

/* Merges the layers, those of a layout once they are in the store. */
static bool open_ground(struct arena *arena, struct store *store, const struct side_image *image,
                        struct ground *ret_ground, struct err *err)
{
    struct base_layers layers;
    const struct layout_manifest *manifest = image->manifest;
    if (!ground_layers_of(arena, image->name, manifest, &layers, err))
        return false;
    for (size_t i = 0; image->image->blobs_fd >= 0 && i < manifest->layers.count; i++) {
        if (!layout_blob_keep(image->image, &manifest->layers.items[i], store, err))
            return false;
    }
    return ground_open(store, image->name, &layers, ret_ground, err);
}

void side_read_ground(struct arena *arena, const struct ground *ground, const struct bill *former,
                      struct bill *ret_bill, const struct installed **ret_installed, const char **ret_note)
{
    struct reading reading = {.arena = arena, .ground = ground, .bill = ret_bill, .former = former};
    *ret_bill = (struct bill){0};
    *ret_installed = read_database(&reading);
    if (*ret_installed)
        list_packages(&reading, *ret_installed);
    else if (!reading.note)
        read_list(&reading);
    read_files(&reading, *ret_installed);
    *ret_note = reading.note;
}

bool side_read_layers(struct arena *arena, struct store *store, const struct side_image *image,
                      struct change_side *side, const char **ret_note, struct err *err)
{
    *ret_note = NULL;
    if (!open_ground(arena, store, image, &side->ground, err))
        return false;
    struct bill *bill = arena_new(arena, struct bill);
    side_read_ground(arena, &side->ground, side->bill, bill, &side->installed, ret_note);
    side->told = side->bill;
    side->bill = bill;
    side->unpacked_bytes = bill->unpacked_bytes;
    side->is_read = true;
    return true;
}

void side_close(struct change_side *side)
{
    ground_close(&side->ground);
}
