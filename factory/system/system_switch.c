/* SPDX-License-Identifier: Apache-2.0 */
#include "system/system_switch.h"

#include "base/auto.h"
#include "io/file.h"
#include "io/tree_remove.h"
#include "package/path.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#define JOURNAL_MAX_BYTES 4096
#define HOST_FILE_MAX_BYTES ((size_t)1 << 30)
#define COMMON_MAX_BYTES ((size_t)8 << 20) /* of units and tmpfiles.d files */

/* The two files that every version may have: where its copy lies in its folder, and where it belongs on the host. */
struct common {
    const char *stored, *path;
};

static struct common common_of(struct arena *arena, const char *name, bool is_unit)
{
    if (is_unit)
        return (struct common){arena_printf(arena, "%s.service", name), system_unit_path(arena, name)};
    return (struct common){arena_printf(arena, "tmpfiles-%s.conf", name), system_tmpfiles_path(arena, name)};
}

/* The name beside a place of the host that a file waits under. */
static const char *staged_name(struct arena *arena, const char *name, const char *path)
{
    const char *base = path_basename(path);
    struct digest digest = digest_of(path, strlen(path));
    return arena_printf(arena, ".%.80s.%s.%.8s.imgfactory", base, name, digest_hex(&digest).chars);
}

static bool fail(const struct system_place *place, const char *path, struct err *err)
{
    err_set_errno(err, errno, "%s%s", place->host.shown, path);
    return false;
}

/* The digest of what is at a path of the host, as info has it; NULL: nothing, or something of another kind. */
static const char *digest_at(const struct system_place *place, struct arena *arena, const char *path,
                             enum entry_kind kind)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct stat status;
    struct text text = {0};
    struct err ignored = {0};
    struct digest digest;
    bool is_found;
    if (!system_host_stat(&place->host, path, &status))
        return NULL;
    if (kind == ENTRY_DIRECTORY)
        return S_ISDIR(status.st_mode) ? "0" : NULL;
    if (kind == ENTRY_SYMLINK && S_ISLNK(status.st_mode)) {
        char target[4096];
        AUTO(auto_close_fd) int parent = -1;
        const char *base;
        if (!system_host_parent(&place->host, path, &parent, &base, &ignored))
            return NULL;
        ssize_t len = readlinkat(parent, base, target, sizeof target);
        digest = digest_of(target, len < 0 ? 0 : (size_t)len);
        return arena_strdup(arena, digest_hex(&digest).chars);
    }
    if (kind == ENTRY_SYMLINK || !S_ISREG(status.st_mode) ||
        !system_host_read(&place->host, &scratch, path, HOST_FILE_MAX_BYTES, &text, &is_found, &ignored) || !is_found)
        return NULL;
    digest = digest_of(text.ptr, text.len);
    return arena_strdup(arena, digest_hex(&digest).chars);
}

static bool is_as_told(const struct system_place *place, struct arena *arena, const struct info_file *file)
{
    const char *is = digest_at(place, arena, file->path, file->kind);
    return is && strcmp(is, file->digest) == 0;
}

/* --- staging --- */

static bool write_staged(struct system_place *place, struct arena *arena, const char *name, const char *path,
                         struct text bytes, uint32_t mode, struct err *err)
{
    AUTO(auto_close_fd) int parent = -1;
    const char *base, *staged = staged_name(arena, name, path);
    if (!system_host_parent(&place->host, path, &parent, &base, err))
        return false;
    (void)unlinkat(parent, staged, 0);
    AUTO(auto_close_fd) int fd = openat(parent, staged, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return fail(place, path, err);
    if (!file_write_all(fd, bytes.ptr, bytes.len, path, err))
        return false;
    return (fchmod(fd, mode) == 0 && fsync(fd) == 0 && fsync(parent) == 0) || fail(place, path, err);
}

static bool stage_link(struct system_place *place, struct arena *arena, const char *name, const struct info_file *file,
                       struct err *err)
{
    AUTO(auto_close_fd) int parent = -1;
    const char *base, *staged = staged_name(arena, name, file->path);
    if (!system_host_parent(&place->host, file->path, &parent, &base, err))
        return false;
    (void)unlinkat(parent, staged, 0);
    return (symlinkat(file->target, parent, staged) == 0 && fsync(parent) == 0) || fail(place, file->path, err);
}

static bool stage_common(struct system_place *place, struct arena *arena, const char *name, const char *folder,
                         bool is_unit, struct system_info *info, struct err *err)
{
    struct common common = common_of(arena, name, is_unit);
    struct text text;
    if (!system_place_read(place, arena, arena_printf(arena, "%s/%s", folder, common.stored), &text, err))
        return false;
    return !text.ptr || (system_host_make_dirs(&place->host, arena, is_unit ? SYSTEM_UNITS : SYSTEM_TMPFILES_D,
                                               &info->folders, err) &&
                         write_staged(place, arena, name, common.path, text, 0644, err));
}

/* Decides whether a file for the host may be put there: nothing is, or what we put there and nobody changed. */
static bool may_install(struct system_place *place, struct arena *arena, const struct info_file *file,
                        const struct system_info *now)
{
    const struct info_file *former = now ? system_info_file(now, file->path) : NULL;
    struct stat status;
    if (!system_host_stat(&place->host, file->path, &status))
        return true;
    bool is_folder = S_ISDIR(status.st_mode);
    if (file->kind == ENTRY_DIRECTORY && is_folder)
        return former && former->is_installed;
    /* No file can be renamed to where a folder is. */
    if (!is_folder && former && former->is_installed && is_as_told(place, arena, former))
        return true;
    list_add(arena, &place->said,
             arena_printf(arena, "%s%s: %s; it stays as it is", place->host.shown, file->path,
                          is_folder                        ? "is a folder, where a file would be put"
                          : former && former->is_installed ? "was changed since it was put there"
                                                           : "is there already, and not of this container"));
    return false;
}

/* A version that is staged. */
struct staging {
    struct system_place *place;
    struct arena *arena;
    const char *name, *folder;
    struct system_info *info;
    const struct system_info *now; /* of the version that is there; NULL: none */
};

static bool stage_file(const struct staging *staging, size_t index, struct err *err)
{
    struct system_place *place = staging->place;
    struct arena *arena = staging->arena;
    struct info_file *file = &staging->info->files.items[index];
    const struct info_file *former = staging->now ? system_info_file(staging->now, file->path) : NULL;
    AUTO(arena_done) struct arena scratch = {0};
    file->is_installed = may_install(place, arena, file, staging->now);
    if (!file->is_installed) { /* a changed one stays known as ours, with the digest that it had */
        if (former && former->is_installed && file->kind == former->kind) {
            file->is_installed = true;
            file->digest = former->digest;
        }
        return true;
    }
    const char *folder_of = file->kind == ENTRY_DIRECTORY ? file->path : path_dirname(arena, file->path);
    if (!system_host_make_dirs(&place->host, arena, folder_of, &staging->info->folders, err))
        return false;
    if (file->kind == ENTRY_DIRECTORY)
        return true;
    if (file->kind == ENTRY_SYMLINK)
        return stage_link(place, arena, staging->name, file, err);
    struct text text;
    const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    AUTO(auto_close_fd) int version = openat(place->base, staging->folder, flags);
    AUTO(auto_close_fd) int dir = version < 0 ? -1 : openat(version, "hostfs", flags);
    AUTO(buf_done) struct buf bytes = {0};
    if (dir < 0)
        return fail(place, file->path, err);
    if (!file_read_unlinked_at(dir, arena_printf(&scratch, "%zu", index), HOST_FILE_MAX_BYTES, &bytes, err))
        return false;
    text = buf_text(&bytes);
    struct digest digest = digest_of(text.ptr, text.len);
    file->digest = arena_strdup(arena, digest_hex(&digest).chars);
    return write_staged(place, arena, staging->name, file->path, text, file->mode, err);
}

/* Adds the folder and those above it that are not there, outermost first. */
static bool add_missing(struct system_place *place, struct arena *arena, const char *path, struct strings *folders,
                        struct err *err)
{
    AUTO(auto_close_fd) int fd = system_host_open_at(&place->host, path, O_PATH | O_DIRECTORY);
    if (fd >= 0 || errno != ENOENT || strcmp(path, "/") == 0 || strings_has(folders, path))
        return true; /* what else is wrong with it is told when it is made */
    if (!add_missing(place, arena, path_dirname(arena, path), folders, err))
        return false;
    if (folders->count == SYSTEM_HOSTFS_MAX_COUNT) {
        err_set(err, ERR_MALFORMED, "%s: wants more than %d folders of the host", SYSTEM_HOSTFS,
                SYSTEM_HOSTFS_MAX_COUNT);
        return false;
    }
    list_add(arena, folders, arena_strdup(arena, path));
    return true;
}

bool system_switch_plan(struct system_place *place, struct arena *arena, struct system_info *info, struct err *err)
{
    for (size_t i = 0; i < info->files.count; i++) {
        const struct info_file *file = &info->files.items[i];
        const char *folder = file->kind == ENTRY_DIRECTORY ? file->path : path_dirname(arena, file->path);
        if (!add_missing(place, arena, folder, &info->folders, err))
            return false;
    }
    return !info->has_service || (add_missing(place, arena, SYSTEM_UNITS, &info->folders, err) &&
                                  add_missing(place, arena, SYSTEM_TMPFILES_D, &info->folders, err));
}

bool system_switch_stage(struct system_place *place, struct arena *arena, const char *name, const char *folder,
                         struct system_info *info, const struct system_info *now, struct err *err)
{
    /* By this name system_switch_recover() knows that something may lie beside its place. */
    if (symlinkat(folder, place->base, arena_printf(arena, ".%s.link", name)) != 0 && errno != EEXIST)
        return fail(place, SYSTEM_PLACE, err);
    for (size_t i = 0; now && i < now->folders.count; i++) {
        if (!strings_has(&info->folders, now->folders.items[i]))
            list_add(arena, &info->folders, now->folders.items[i]);
    }
    const struct staging staging = {place, arena, name, folder, info, now};
    for (size_t i = 0; i < info->files.count; i++) {
        if (!stage_file(&staging, i, err))
            return false;
    }
    return stage_common(place, arena, name, folder, true, info, err) &&
           stage_common(place, arena, name, folder, false, info, err);
}

static void unlink_at(struct system_place *place, const char *path, const char *other_name)
{
    AUTO(auto_close_fd) int parent = -1;
    const char *base;
    struct err ignored = {0};
    /* on the disk, before the note of what is to be done goes: the folder may be of another file system than that */
    if (system_host_parent(&place->host, path, &parent, &base, &ignored) &&
        unlinkat(parent, other_name ? other_name : base, 0) == 0)
        (void)fsync(parent);
}

/* Removes the folders of the host that are empty; but those among `kept`. */
static void remove_folders(struct system_place *place, const struct system_info *info, const struct strings *kept)
{
    for (size_t i = info->folders.count; i-- > 0;) { /* innermost were made last */
        AUTO(auto_close_fd) int parent = -1;
        const char *base, *path = info->folders.items[i];
        struct err ignored = {0};
        if (!strings_has(kept, path) && system_host_parent(&place->host, path, &parent, &base, &ignored))
            (void)unlinkat(parent, base, AT_REMOVEDIR);
    }
}

void system_switch_unstage(struct system_place *place, struct arena *arena, const char *name,
                           const struct system_info *info, const struct strings *kept)
{
    for (size_t i = 0; i < info->files.count; i++) {
        const char *path = info->files.items[i].path;
        unlink_at(place, path, staged_name(arena, name, path));
    }
    for (int is_unit = 0; is_unit < 2; is_unit++) {
        struct common common = common_of(arena, name, is_unit);
        unlink_at(place, common.path, staged_name(arena, name, common.path));
    }
    (void)unlinkat(place->base, arena_printf(arena, ".%s.link", name), 0);
    remove_folders(place, info, kept);
}

bool system_switch_is_ours(struct system_place *place, struct arena *arena, const char *name, const char *folder,
                           struct err *err)
{
    for (int is_unit = 0; is_unit < 2; is_unit++) {
        struct common common = common_of(arena, name, is_unit);
        struct text stored = {0}, there;
        struct stat status;
        struct err unreadable = {0};
        bool is_found;
        if (!system_host_stat(&place->host, common.path, &status))
            continue;
        if (folder &&
            !system_place_read(place, arena, arena_printf(arena, "%s/%s", folder, common.stored), &stored, err))
            return false;
        if (stored.ptr && S_ISREG(status.st_mode) &&
            system_host_read(&place->host, arena, common.path, COMMON_MAX_BYTES, &there, &is_found, &unreadable) &&
            is_found && text_eq(there, stored))
            continue;
        err_set(err, ERR_USAGE, "%s%s is %s; %s", place->host.shown, common.path,
                stored.ptr ? "not as it was written for this container" : "not of this container",
                stored.ptr ? "move your changes into a drop-in (systemctl edit), and the file away"
                           : "choose another --name, or remove it");
        return false;
    }
    return true;
}

/* --- the switch --- */

/* What is to be come to. */
struct journal {
    bool is_removal, was_active;
    unsigned number;
};

static const char *journal_name(struct arena *arena, const char *name)
{
    return arena_printf(arena, ".%s.switch", name);
}

static bool write_journal(struct system_place *place, struct arena *arena, const char *name,
                          const struct journal *journal, struct err *err)
{
    const char *text = arena_printf(arena, "%s %u %s\n", journal->is_removal ? "remove" : "to", journal->number,
                                    journal->was_active ? "active" : "idle");
    return file_write_atomic_at(place->base, journal_name(arena, name), text, strlen(text), 0600, true, err);
}

static bool read_journal(struct system_place *place, struct arena *arena, const char *name, struct journal *ret_journal,
                         bool *ret_found)
{
    AUTO(buf_done) struct buf bytes = {0};
    struct err reason = {0};
    struct text rest, action, number, state;
    uint64_t value = 0;
    *ret_found = file_read_unlinked_at(place->base, journal_name(arena, name), JOURNAL_MAX_BYTES, &bytes, &reason);
    if (!*ret_found) /* one that cannot be read is no run that ended */
        return reason.kind == ERR_LOCAL && reason.detail == ENOENT;
    rest = buf_text(&bytes);
    if (!text_next_word(&rest, &action) || !text_next_word(&rest, &number) || !text_next_word(&rest, &state) ||
        !text_parse_u64(number, &value) || value > 1)
        return false;
    *ret_journal = (struct journal){text_is(action, "remove"), text_is(state, "active"), (unsigned)value};
    return true;
}

static bool is_there(struct system_place *place, const char *name)
{
    struct stat status;
    return fstatat(place->base, name, &status, AT_SYMLINK_NOFOLLOW) == 0;
}

static bool rename_in(struct system_place *place, const char *from, const char *to, struct err *err)
{
    return renameat(place->base, from, place->base, to) == 0 || fail(place, SYSTEM_PLACE, err);
}

/* The version that was written takes its number; what had it waits to be removed. */
static bool place_version(struct system_place *place, struct arena *arena, const char *name, unsigned number,
                          struct err *err)
{
    const char *made = arena_printf(arena, ".%s.new", name), *old = arena_printf(arena, ".%s.old", name),
               *version = arena_printf(arena, "%s.%u", name, number);
    if (!is_there(place, made))
        return true;
    if (is_there(place, version) && !is_there(place, old) && !rename_in(place, version, old, err))
        return false;
    return rename_in(place, made, version, err);
}

/* Gives a staged file its name, when it is still staged. */
static bool unveil(struct system_place *place, struct arena *arena, const char *name, const char *path, struct err *err)
{
    AUTO(auto_close_fd) int parent = -1;
    const char *base;
    if (!system_host_parent(&place->host, path, &parent, &base, err))
        return false;
    if (renameat(parent, staged_name(arena, name, path), parent, base) != 0 && errno != ENOENT)
        return fail(place, path, err);
    (void)fsync(parent);
    return true;
}

static bool read_version(struct system_place *place, struct arena *arena, const char *name, unsigned number,
                         struct system_info *ret_info, bool *ret_found, struct err *err)
{
    struct text text;
    const char *path = arena_printf(arena, "%s.%u/info", name, number);
    *ret_info = (struct system_info){0};
    if (!system_place_read(place, arena, path, &text, err))
        return false;
    *ret_found = text.ptr != NULL;
    return !text.ptr || system_info_parse(arena, path, text, ret_info, err);
}

/* Removes what a version brought and another has not; what somebody changed stays. */
static void remove_files(struct system_place *place, struct arena *arena, const struct system_info *info,
                         const struct system_info *next)
{
    for (size_t i = info->files.count; i-- > 0;) {
        const struct info_file *file = &info->files.items[i];
        const struct info_file *kept = next ? system_info_file(next, file->path) : NULL;
        struct stat status;
        if (!file->is_installed || (kept && kept->is_installed) || file->kind == ENTRY_DIRECTORY ||
            !system_host_stat(&place->host, file->path, &status))
            continue;
        if (is_as_told(place, arena, file))
            unlink_at(place, file->path, NULL);
        else
            list_add(arena, &place->said,
                     arena_printf(arena, "%s%s: was changed since it was put there; it stays", place->host.shown,
                                  file->path));
    }
}

static bool switch_link(struct system_place *place, struct arena *arena, const char *name, unsigned number,
                        struct err *err)
{
    const char *link = arena_printf(arena, ".%s.link", name), *target = arena_printf(arena, "%s.%u", name, number);
    (void)unlinkat(place->base, link, 0);
    return (symlinkat(target, place->base, link) == 0 && renameat(place->base, link, place->base, name) == 0) ||
           fail(place, SYSTEM_PLACE, err);
}

/* Gives one of the two common files to the host, or takes it away where the version has none. */
static bool apply_common(struct system_place *place, struct arena *arena, const char *name, unsigned number,
                         bool is_unit, struct err *err)
{
    struct common common = common_of(arena, name, is_unit);
    struct text stored;
    if (!system_place_read(place, arena, arena_printf(arena, "%s.%u/%s", name, number, common.stored), &stored, err))
        return false;
    if (stored.ptr)
        return unveil(place, arena, name, common.path, err);
    unlink_at(place, common.path, NULL);
    return true;
}

/* Removes a folder of ours, if it is there. */
static bool remove_folder(struct system_place *place, const char *name, struct err *err)
{
    return !is_there(place, name) || unlinkat(place->base, name, 0) == 0 || /* a link, in the place of one */
           tree_remove(place->base, name, err);
}

static bool apply_switch(struct system_place *place, struct arena *arena, const char *name,
                         const struct journal *journal, struct err *err)
{
    struct system_info info, former;
    bool is_found, has_former;
    if (!place_version(place, arena, name, journal->number, err) ||
        !read_version(place, arena, name, journal->number, &info, &is_found, err) ||
        !read_version(place, arena, name, 1 - journal->number, &former, &has_former, err))
        return false;
    for (size_t i = 0; i < info.files.count; i++) {
        const struct info_file *file = &info.files.items[i];
        if (file->is_installed && file->kind != ENTRY_DIRECTORY && !unveil(place, arena, name, file->path, err))
            return false;
    }
    if (has_former)
        remove_files(place, arena, &former, &info);
    /* The unit last, and the version that it names on the disk by then: after a power cut systemd may start it. */
    return apply_common(place, arena, name, journal->number, false, err) &&
           switch_link(place, arena, name, journal->number, err) && fsync(place->base) == 0 &&
           apply_common(place, arena, name, journal->number, true, err);
}

static bool apply_removal(struct system_place *place, struct arena *arena, const char *name,
                          const struct journal *journal, struct err *err)
{
    struct system_info info;
    bool is_found;
    if (!read_version(place, arena, name, journal->number, &info, &is_found, err))
        return false;
    for (int is_unit = 1; is_unit >= 0; is_unit--)
        unlink_at(place, common_of(arena, name, is_unit).path, NULL);
    unlink_at(place, arena_printf(arena, "%s/multi-user.target.wants/%s.service", SYSTEM_UNITS, name), NULL);
    if (is_found) {
        remove_files(place, arena, &info, NULL);
        remove_folders(place, &info, &(struct strings){0});
    }
    if (unlinkat(place->base, name, 0) != 0 && errno != ENOENT)
        return fail(place, SYSTEM_PLACE, err);
    return fsync(place->base) == 0 &&
           remove_folder(place, arena_printf(arena, "%s.%u", name, 1 - journal->number), err) &&
           remove_folder(place, arena_printf(arena, "%s.%u", name, journal->number), err);
}

/* Ends what a journal says; the container is started again when it ran. */
static bool apply(struct system_place *place, struct arena *arena, const char *name, const struct journal *journal,
                  struct err *err)
{
    if (journal->was_active && !system_place_systemctl(place, "stop", name) &&
        system_place_systemctl(place, "is-active", name)) /* else there may be no unit: only files for the host */
        list_add(arena, &place->said, arena_printf(arena, "%s: systemctl could not stop it", name));
    if (journal->is_removal)
        (void)system_place_systemctl(place, "disable", name);
    system_place_tmpfiles(place, arena, "--remove", name);
    bool is_good = journal->is_removal ? apply_removal(place, arena, name, journal, err)
                                       : apply_switch(place, arena, name, journal, err);
    if (!is_good) {
        if (!err->kind)
            (void)fail(place, SYSTEM_PLACE, err);
        err_wrap(err, "%s: half done; the next call of imgfactory system carries it out", name);
        return false;
    }
    (void)system_place_systemctl(place, "daemon-reload", NULL);
    if (journal->is_removal) /* else a unit that failed would be listed on and on */
        (void)system_place_systemctl(place, "reset-failed", name);
    else
        system_place_tmpfiles(place, arena, "--create", name);
    if (journal->was_active && !journal->is_removal && !system_place_systemctl(place, "start", name) && place->is_live)
        list_add(arena, &place->said,
                 arena_printf(arena,
                              "%s: did not start; see `systemctl status %s`, or go back: imgfactory system rollback "
                              "%s",
                              name, name, name));
    if (unlinkat(place->base, journal_name(arena, name), 0) != 0 && errno != ENOENT)
        return fail(place, SYSTEM_PLACE, err);
    return remove_folder(place, arena_printf(arena, ".%s.old", name), err);
}

bool system_switch_to(struct system_place *place, struct arena *arena, const char *name, unsigned number,
                      struct err *err)
{
    struct journal journal = {.number = number, .was_active = system_place_systemctl(place, "is-active", name)};
    return write_journal(place, arena, name, &journal, err) && apply(place, arena, name, &journal, err);
}

bool system_switch_remove(struct system_place *place, struct arena *arena, const char *name, struct err *err)
{
    struct system_versions versions;
    if (!system_place_versions(place, arena, name, &versions, err))
        return false;
    /* Stopped in any case: one that is just being started is not active. */
    struct journal journal = {.is_removal = true, .was_active = true, .number = versions.number};
    return write_journal(place, arena, name, &journal, err) && apply(place, arena, name, &journal, err);
}

/* Removes what a run left that was killed before its switch. */
static bool sweep(struct system_place *place, struct arena *arena, const char *name, struct err *err)
{
    const char *made = arena_printf(arena, ".%s.new", name);
    const char *const folders[] = {arena_printf(arena, "%s.0", name), arena_printf(arena, "%s.1", name), made};
    struct strings kept = {0}; /* of the versions that are there */
    for (size_t i = 0; i < ARRAY_COUNT(folders); i++) {
        struct system_info info;
        struct err ignored = {0};
        struct text text;
        if (!system_place_read(place, arena, arena_printf(arena, "%s/info", folders[i]), &text, &ignored) ||
            !text.ptr || !system_info_parse(arena, folders[i], text, &info, &ignored))
            info = (struct system_info){0};
        for (size_t j = 0; folders[i] != made && j < info.folders.count; j++)
            list_add(arena, &kept, info.folders.items[j]);
        system_switch_unstage(place, arena, name, &info, &kept);
        AUTO(auto_close_fd) int dir = openat(place->base, folders[i], O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (dir >= 0)
            file_remove_left_overs(dir);
    }
    (void)unlinkat(place->base, arena_printf(arena, ".%s.link", name), 0);
    return remove_folder(place, made, err) && remove_folder(place, arena_printf(arena, ".%s.old", name), err);
}

/* Takes ".NAME.new" and the like apart; NULL: it is no name of ours. */
static const char *own_name(struct arena *arena, const char *file)
{
    static const char *const endings[] = {".new", ".old", ".switch", ".link"};
    for (size_t i = 0; file[0] == '.' && i < ARRAY_COUNT(endings); i++) {
        size_t len = strlen(file), ending = strlen(endings[i]);
        struct err ignored = {0};
        if (len <= ending + 1 || strcmp(file + len - ending, endings[i]) != 0)
            continue;
        const char *name = arena_strndup(arena, file + 1, len - ending - 1);
        return system_name_check(name, &ignored) ? name : NULL;
    }
    return NULL;
}

bool system_switch_recover(struct system_place *place, struct arena *arena, struct err *err)
{
    struct strings names = {0};
    int copy = openat(place->base, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = copy < 0 ? NULL : fdopendir(copy);
    if (!stream)
        return fail(place, SYSTEM_PLACE, err);
    for (struct dirent *item; (item = readdir(stream));) {
        const char *name = own_name(arena, item->d_name);
        if (name && !strings_has(&names, name))
            list_add(arena, &names, name);
    }
    (void)closedir(stream);
    file_remove_left_overs(place->base);
    for (size_t i = 0; i < names.count; i++) {
        struct journal journal;
        bool is_found;
        if (!read_journal(place, arena, names.items[i], &journal, &is_found)) {
            err_set(err, ERR_LOCAL, "%s%s/.%s.switch is damaged", place->host.shown, SYSTEM_PLACE, names.items[i]);
            return false;
        }
        if ((is_found && !apply(place, arena, names.items[i], &journal, err)) ||
            !sweep(place, arena, names.items[i], err))
            return false;
        list_add(
            arena, &place->said,
            arena_printf(arena, "%s: %s", names.items[i],
                         is_found ? "carried out what a killed run had begun" : "removed what a killed run had left"));
    }
    return true;
}
