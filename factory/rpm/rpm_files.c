/* SPDX-License-Identifier: Apache-2.0 */
#include "rpm/rpm_files.h"

#include "rpm/rpm_digest.h"

#include <stdio.h>
#include <sys/stat.h>

#define TAG_OLDFILENAMES 1027u
#define TAG_FILESIZES 1028u
#define TAG_FILEMODES 1030u
#define TAG_FILEMTIMES 1034u
#define TAG_FILEDIGESTS 1035u
#define TAG_FILELINKTOS 1036u
#define TAG_FILEFLAGS 1037u
#define TAG_FILEUSERNAME 1039u
#define TAG_FILEGROUPNAME 1040u
#define TAG_FILEDEVICES 1095u
#define TAG_FILEINODES 1096u
#define TAG_DIRINDEXES 1116u
#define TAG_BASENAMES 1117u
#define TAG_DIRNAMES 1118u
#define TAG_LONGFILESIZES 5008u
#define TAG_FILECAPS 5010u
#define TAG_FILEDIGESTALGO 5011u

#define FLAG_CONFIG (1u << 0)
#define FLAG_DOC (1u << 1)
#define FLAG_MISSINGOK (1u << 3)
#define FLAG_NOREPLACE (1u << 4)
#define FLAG_GHOST (1u << 6)

/* The arrays of the header, while they are put together. */
struct arrays {
    const struct rpm_header *header;
    struct rpm_numbers sizes, modes, mtimes, flags, inodes, devices, dir_indexes;
    struct strings digests, links, owners, groups, capabilities, base_names, dir_names, old_names;
    size_t count;
};

static bool fault(const struct rpm_file *file, const char *why, struct err *err)
{
    char path[256];
    (void)snprintf(path, sizeof path, "%s", file->path);
    text_flatten(path);
    err_set(err, ERR_MALFORMED, "file %s of the header: %s", path, why);
    return false;
}

static bool length_fault(uint32_t tag, size_t count, size_t expected, struct err *err)
{
    err_set(err, ERR_MALFORMED, "not a valid RPM package: header: tag %u has %zu items for %zu files", tag, count,
            expected);
    return false;
}

static bool read_names(struct arena *arena, struct arrays *arrays, struct err *err)
{
    const struct rpm_header *header = arrays->header;
    if (!rpm_header_strings(arena, header, TAG_BASENAMES, &arrays->base_names, err) ||
        !rpm_header_strings(arena, header, TAG_DIRNAMES, &arrays->dir_names, err) ||
        !rpm_header_numbers(arena, header, TAG_DIRINDEXES, &arrays->dir_indexes, err) ||
        !rpm_header_strings(arena, header, TAG_OLDFILENAMES, &arrays->old_names, err))
        return false;
    if (arrays->base_names.count && arrays->old_names.count) {
        err_set(err, ERR_MALFORMED, "not a valid RPM package: its header has two lists of files");
        return false;
    }
    arrays->count = arrays->base_names.count ? arrays->base_names.count : arrays->old_names.count;
    if (arrays->base_names.count && arrays->dir_indexes.count != arrays->count)
        return length_fault(TAG_DIRINDEXES, arrays->dir_indexes.count, arrays->count, err);
    return true;
}

static bool read_number_arrays(struct arena *arena, struct arrays *arrays, struct err *err)
{
    const struct {
        uint32_t tag;
        struct rpm_numbers *to;
        bool is_needed;
    } table[] = {
        {rpm_header_has(arrays->header, TAG_LONGFILESIZES) ? TAG_LONGFILESIZES : TAG_FILESIZES, &arrays->sizes, true},
        {TAG_FILEMODES, &arrays->modes, true},
        {TAG_FILEMTIMES, &arrays->mtimes, true},
        {TAG_FILEFLAGS, &arrays->flags, true},
        {TAG_FILEINODES, &arrays->inodes, false},
        {TAG_FILEDEVICES, &arrays->devices, false},
    };
    for (size_t i = 0; i < ARRAY_COUNT(table); i++) {
        if (!rpm_header_numbers(arena, arrays->header, table[i].tag, table[i].to, err))
            return false;
        if (table[i].to->count != arrays->count && (table[i].is_needed || table[i].to->count))
            return length_fault(table[i].tag, table[i].to->count, arrays->count, err);
    }
    return true;
}

static bool read_string_arrays(struct arena *arena, struct arrays *arrays, struct err *err)
{
    const struct {
        uint32_t tag;
        struct strings *to;
        bool is_needed;
    } table[] = {
        {TAG_FILEDIGESTS, &arrays->digests, true},    {TAG_FILELINKTOS, &arrays->links, true},
        {TAG_FILEUSERNAME, &arrays->owners, true},    {TAG_FILEGROUPNAME, &arrays->groups, true},
        {TAG_FILECAPS, &arrays->capabilities, false},
    };
    for (size_t i = 0; i < ARRAY_COUNT(table); i++) {
        if (!rpm_header_strings(arena, arrays->header, table[i].tag, table[i].to, err))
            return false;
        if (table[i].to->count != arrays->count && (table[i].is_needed || table[i].to->count))
            return length_fault(table[i].tag, table[i].to->count, arrays->count, err);
    }
    return true;
}

/* Puts directory and name together: "/usr/bin/" and "x"; "/" and "" are the root itself. */
static bool make_path(struct arena *arena, const struct arrays *arrays, size_t i, struct rpm_file *file,
                      struct err *err)
{
    if (arrays->old_names.count) {
        file->path = arrays->old_names.items[i];
    } else {
        uint64_t index = arrays->dir_indexes.items[i];
        const char *base = arrays->base_names.items[i];
        file->path = base;
        if (index >= arrays->dir_names.count)
            return fault(file, "its directory is not in the list of directories", err);
        const char *dir = arrays->dir_names.items[index];
        if (!text_has_suffix(text_of(dir), "/") || strchr(base, '/') || (!*base && strcmp(dir, "/") != 0))
            return fault(file, "its name or directory is not one", err);
        file->path = arena_printf(arena, "%s%s", dir, base);
    }
    return file->path[0] == '/' || fault(file, "its path is not absolute", err);
}

static bool check_kind(const struct rpm_file *file, struct err *err)
{
    if (file->is_ghost || S_ISDIR(file->mode))
        return true;
    if (S_ISREG(file->mode))
        return *file->digest || fault(file, "it has no digest", err);
    if (S_ISLNK(file->mode))
        return *file->link || fault(file, "a symbolic link without target", err);
    return fault(file, "of a kind which a package may not ship (device node, fifo, socket)", err);
}

static enum configuration configuration_of(uint64_t flags)
{
    if (!(flags & FLAG_CONFIG))
        return CONFIGURATION_NONE;
    if (flags & FLAG_MISSINGOK)
        return (flags & FLAG_NOREPLACE) ? CONFIGURATION_MISSING_NOREPLACE : CONFIGURATION_MISSING_REPLACED;
    return (flags & FLAG_NOREPLACE) ? CONFIGURATION_NOREPLACE : CONFIGURATION_REPLACED;
}

static bool read_file(struct arena *arena, const struct arrays *arrays, size_t i, struct rpm_file *file,
                      struct err *err)
{
    uint64_t flags = arrays->flags.items[i];
    *file = (struct rpm_file){
        .mode = (uint32_t)arrays->modes.items[i] & 0xffff,
        .size_bytes = arrays->sizes.items[i],
        .mtime = (int64_t)arrays->mtimes.items[i],
        .digest = arrays->digests.items[i],
        .link = arrays->links.items[i],
        .owner = arrays->owners.items[i],
        .group = arrays->groups.items[i],
        .capability = arrays->capabilities.count ? arrays->capabilities.items[i] : "",
        .is_ghost = flags & FLAG_GHOST,
        .is_documentation = flags & FLAG_DOC,
        .configuration = configuration_of(flags),
    };
    if (S_ISLNK(file->mode))
        file->size_bytes = strlen(file->link);
    return make_path(arena, arrays, i, file, err) && check_kind(file, err);
}

/* Joins regular files of equal device and inode. */
static bool find_links(struct arena *arena, const struct arrays *arrays, struct rpm_files *files, struct err *err)
{
    struct map seen = {.arena = arena};
    if (!arrays->inodes.count || !arrays->devices.count)
        return true;
    for (size_t i = 0; i < files->count; i++) {
        struct rpm_file *file = &files->items[i];
        if (file->is_ghost || !S_ISREG(file->mode) || arrays->inodes.items[i] == 0)
            continue;
        const char *key = arena_printf(arena, "%llx %llx", (unsigned long long)arrays->devices.items[i],
                                       (unsigned long long)arrays->inodes.items[i]);
        struct rpm_file *first = map_get(&seen, text_of(key));
        if (!first) {
            (void)map_add(&seen, text_of(key), file);
            continue;
        }
        if (first->size_bytes != file->size_bytes || strcmp(first->digest, file->digest) != 0)
            return fault(file, "a hard link to a file of another size or digest", err);
        if (!first->links)
            first->links = arena_new(arena, struct rpm_links);
        first->links->count = first->links->count ? first->links->count + 1 : 2;
        first->links->last = i;
        file->links = first->links;
    }
    return true;
}

bool rpm_files_read(struct arena *arena, const struct rpm_header *header, size_t max_count, struct rpm_files *ret_files,
                    struct err *err)
{
    struct arrays arrays = {.header = header};
    *ret_files = (struct rpm_files){.by_path = {.arena = arena}};
    if (!read_names(arena, &arrays, err) ||
        !rpm_header_number(header, TAG_FILEDIGESTALGO, RPM_MD5, &ret_files->digest_algorithm, err))
        return false;
    if (arrays.count == 0)
        return true;
    if (arrays.count > max_count) {
        err_set(err, ERR_MALFORMED, "more than %zu entries", max_count);
        return false;
    }
    if (!rpm_digest_is_known(ret_files->digest_algorithm)) {
        err_set(err, ERR_MALFORMED, "its files have digests of unknown algorithm %llu",
                (unsigned long long)ret_files->digest_algorithm);
        return false;
    }
    if (!read_number_arrays(arena, &arrays, err) || !read_string_arrays(arena, &arrays, err))
        return false;
    ret_files->items = arena_new_array(arena, struct rpm_file, arrays.count);
    ret_files->count = arrays.count;
    for (size_t i = 0; i < arrays.count; i++) {
        struct rpm_file *file = &ret_files->items[i];
        if (!read_file(arena, &arrays, i, file, err))
            return false;
        if (!map_add(&ret_files->by_path, text_of(file->path), file))
            return fault(file, "it is there twice", err);
    }
    return find_links(arena, &arrays, ret_files, err);
}
