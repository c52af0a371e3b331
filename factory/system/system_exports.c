/* SPDX-License-Identifier: Apache-2.0 */
#include "system/system_exports.h"

#include "base/auto.h"
#include "io/file.h"
#include "package/path.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>

const char *const system_file_names[SYSTEM_FILE_COUNT] = {
    [SYSTEM_CONFIG] = SYSTEM_EXPORTS "/config.json.template", [SYSTEM_SERVICE] = SYSTEM_EXPORTS "/service.template",
    [SYSTEM_MANIFEST] = SYSTEM_EXPORTS "/manifest.json",      [SYSTEM_TMPFILES] = SYSTEM_EXPORTS "/tmpfiles.template",
    [SYSTEM_CONFIG_PLAIN] = SYSTEM_EXPORTS "/config.json",
};

void system_find(struct system_findings *findings, bool is_note, const char *file, const char *place,
                 const char *format, ...)
{
    char text[2048];
    va_list arguments;
    size_t *count = is_note ? &findings->note_count : &findings->violation_count;
    if ((*count)++ >= SYSTEM_FINDINGS_MAX)
        return;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    struct system_finding finding = {file, place ? arena_strdup(findings->arena, place) : NULL,
                                     text_shown(findings->arena, text), is_note};
    list_add(findings->arena, findings, finding);
}

bool system_findings_verdict(const struct system_findings *findings, struct err *err)
{
    for (size_t i = 0; i < findings->count; i++) {
        const struct system_finding *finding = &findings->items[i];
        if (finding->is_note)
            continue;
        err_set(err, ERR_MALFORMED, "%s: %s%s%s", finding->file, finding->place ? finding->place : "",
                finding->place ? ": " : "", finding->text);
        return false;
    }
    return true;
}

/* --- from an image --- */

static bool fail_too_large(const char *path, struct err *err)
{
    err_set(err, ERR_MALFORMED, "%s: larger than %zu MiB", path, SYSTEM_EXPORT_MAX_BYTES >> 20);
    return false;
}

static bool read_ground_file(struct arena *arena, const struct ground *ground, const char *path, struct text *ret_text,
                             struct err *err)
{
    const struct entry *entry = ground_walk(ground, arena, path, NULL);
    bool is_found;
    if (!entry)
        return true;
    if (!ground_read(ground, path, ret_text, &is_found, err))
        return false;
    if (!is_found) {
        err_set(err, ERR_MALFORMED, "%s: is no file", path);
        return false;
    }
    return ret_text->len <= SYSTEM_EXPORT_MAX_BYTES || fail_too_large(path, err);
}

static bool check_hostfs(const struct entry *entry, bool is_special, struct err *err)
{
    if (!is_special && !(entry->kind != ENTRY_DIRECTORY && (entry->mode & 06000)) && !entry->capability.len)
        return true;
    err_set(err, ERR_MALFORMED, "%s%s: %s is not put on a host", SYSTEM_HOSTFS, entry->path,
            is_special ? "a device or fifo" : "a file with setuid, setgid or capabilities");
    return false;
}

static bool list_ground_hostfs(struct arena *arena, const struct ground *ground, struct system_exports *exports,
                               struct err *err)
{
    const char *real = NULL;
    const struct entry *top = ground_walk(ground, arena, SYSTEM_HOSTFS, &real);
    size_t first, count;
    if (!top || top->kind != ENTRY_DIRECTORY)
        return true;
    ground_below(ground, real, &first, &count);
    if (count > SYSTEM_HOSTFS_MAX_COUNT) {
        err_set(err, ERR_MALFORMED, "%s: more than %d files", SYSTEM_HOSTFS, SYSTEM_HOSTFS_MAX_COUNT);
        return false;
    }
    exports->hostfs = (const struct entry **)arena_new_array(arena, struct entry *, count);
    for (size_t i = 0; i < count; i++) {
        const struct entry *from = &ground->package->entries[first + i];
        struct entry *entry = arena_new(arena, struct entry);
        *entry = *from;
        entry->path = from->path + strlen(real);
        if (from->kind == ENTRY_HARDLINK) {
            const struct entry *file = ground_find(ground, from->target);
            entry->kind = ENTRY_FILE;
            entry->data = file ? file->data : "";
            entry->size_bytes = file ? file->size_bytes : 0;
            entry->digest = file ? file->digest : digest_of("", 0);
            entry->mode = file ? file->mode : entry->mode;
        }
        if (!check_hostfs(entry, ground_is_special(from), err))
            return false;
        exports->hostfs[exports->hostfs_count++] = entry;
    }
    return true;
}

/* --- from a folder --- */

struct folder_reading {
    struct arena *arena;
    LIST(const struct entry *) entries;
    uint64_t bytes_left;
};

static bool read_link(struct folder_reading *reading, int dir, const char *name, struct entry *entry, struct err *err)
{
    char target[PATH_MAX_BYTES + 1];
    ssize_t len = readlinkat(dir, name, target, sizeof target);
    if (len < 0 || len == sizeof target) {
        err_set_errno(err, len < 0 ? errno : ENAMETOOLONG, "%s%s", SYSTEM_HOSTFS, entry->path);
        return false;
    }
    entry->kind = ENTRY_SYMLINK;
    entry->target = arena_strndup(reading->arena, target, (size_t)len);
    return true;
}

static bool read_file(struct folder_reading *reading, int dir, const char *name, struct entry *entry, struct err *err)
{
    AUTO(buf_done) struct buf bytes = {0};
    if (!file_read_unlinked_at(dir, name, (size_t)reading->bytes_left, &bytes, err))
        return false;
    reading->bytes_left -= bytes.len;
    entry->kind = ENTRY_FILE;
    entry->data = arena_strndup(reading->arena, buf_text(&bytes).ptr, bytes.len);
    entry->size_bytes = bytes.len;
    entry->digest = digest_of(entry->data, bytes.len);
    return true;
}

static bool read_folder(struct folder_reading *reading, int dir, const char *path, struct err *err);

static bool read_one(struct folder_reading *reading, int dir, const char *name, const char *path, struct err *err)
{
    struct entry *entry = arena_new(reading->arena, struct entry);
    struct stat status;
    if (fstatat(dir, name, &status, AT_SYMLINK_NOFOLLOW) != 0) {
        err_set_errno(err, errno, "%s%s", SYSTEM_HOSTFS, path);
        return false;
    }
    *entry = (struct entry){.path = path, .mode = status.st_mode & 07777, .uid = status.st_uid, .gid = status.st_gid};
    bool is_dir = S_ISDIR(status.st_mode), is_link = S_ISLNK(status.st_mode);
    entry->kind = is_dir ? ENTRY_DIRECTORY : ENTRY_FILE;
    if (!check_hostfs(entry, !is_dir && !is_link && !S_ISREG(status.st_mode), err))
        return false;
    list_add(reading->arena, &reading->entries, entry);
    if (reading->entries.count > SYSTEM_HOSTFS_MAX_COUNT) {
        err_set(err, ERR_MALFORMED, "%s: more than %d files", SYSTEM_HOSTFS, SYSTEM_HOSTFS_MAX_COUNT);
        return false;
    }
    if (is_link)
        return read_link(reading, dir, name, entry, err);
    if (!is_dir)
        return read_file(reading, dir, name, entry, err);
    AUTO(auto_close_fd) int below = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (below >= 0 && strlen(path) < PATH_MAX_BYTES)
        return read_folder(reading, below, path, err);
    err_set_errno(err, below < 0 ? errno : ENAMETOOLONG, "%s%s", SYSTEM_HOSTFS, path);
    return false;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool read_folder(struct folder_reading *reading, int dir, const char *path, struct err *err)
{
    struct strings names = {0};
    int copy = fcntl(dir, F_DUPFD_CLOEXEC, 0);
    DIR *stream = copy < 0 ? NULL : fdopendir(copy);
    if (!stream) {
        err_set_errno(err, errno, "%s%s", SYSTEM_HOSTFS, path);
        return false;
    }
    for (struct dirent *item; (item = readdir(stream));) {
        if (strcmp(item->d_name, ".") != 0 && strcmp(item->d_name, "..") != 0)
            list_add(reading->arena, &names, arena_strdup(reading->arena, item->d_name));
    }
    (void)closedir(stream);
    if (names.count)
        qsort(names.items, names.count, sizeof *names.items, compare_names);
    for (size_t i = 0; i < names.count; i++) {
        if (!read_one(reading, dir, names.items[i], arena_printf(reading->arena, "%s/%s", path, names.items[i]), err))
            return false;
    }
    return true;
}

static bool read_host(struct arena *arena, const struct system_tree *tree, struct system_exports *exports,
                      struct err *err)
{
    struct folder_reading reading = {.arena = arena, .bytes_left = SYSTEM_HOSTFS_MAX_BYTES};
    AUTO(auto_close_fd) int top = system_host_open_at(tree->host, tree->folder, O_RDONLY | O_DIRECTORY);
    exports->is_there = top >= 0;
    for (size_t i = 0; exports->is_there && i < SYSTEM_FILE_COUNT; i++) {
        const char *path = arena_printf(arena, "%s/%s", tree->folder, path_basename(system_file_names[i]));
        bool is_found;
        if (!system_host_read(tree->host, arena, path, SYSTEM_EXPORT_MAX_BYTES, &exports->files[i], &is_found, err))
            return false;
    }
    AUTO(auto_close_fd)
    int hostfs = exports->is_there ? openat(top, "hostfs", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;
    if (hostfs >= 0 && !read_folder(&reading, hostfs, "", err))
        return false;
    exports->hostfs = reading.entries.items;
    exports->hostfs_count = reading.entries.count;
    return true;
}

bool system_exports_read(struct arena *arena, const struct system_tree *tree, struct system_exports *ret_exports,
                         struct err *err)
{
    *ret_exports = (struct system_exports){0};
    if (!tree->ground)
        return read_host(arena, tree, ret_exports, err);
    ret_exports->is_there = ground_walk(tree->ground, arena, SYSTEM_EXPORTS, NULL) != NULL;
    for (size_t i = 0; i < SYSTEM_FILE_COUNT; i++) {
        if (!read_ground_file(arena, tree->ground, system_file_names[i], &ret_exports->files[i], err))
            return false;
    }
    return list_ground_hostfs(arena, tree->ground, ret_exports, err);
}
