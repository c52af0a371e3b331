/* SPDX-License-Identifier: Apache-2.0 */
#include "system/system_place.h"

#include "base/auto.h"
#include "io/child.h"
#include "io/file.h"
#include "package/path.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#define SYSTEMCTL_MS (5 * 60 * 1000)

/* systemd.unit(5): such a name is another unit's for systemctl. */
static bool is_unit_name(const char *name)
{
    static const char *const types[] = {"service", "socket", "device", "mount", "automount", "swap",
                                        "target",  "path",   "timer",  "slice", "scope"};
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; dot && i < ARRAY_COUNT(types); i++) {
        if (strcmp(dot + 1, types[i]) == 0)
            return true;
    }
    return false;
}

bool system_name_check(const char *name, struct err *err)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
    size_t len = strlen(name);
    bool is_version = len > 2 && name[len - 2] == '.' && (name[len - 1] == '0' || name[len - 1] == '1');
    if (len && len <= SYSTEM_NAME_MAX && !name[strspn(name, letters)] && name[0] != '.' && name[0] != '-' &&
        !is_version && !is_unit_name(name))
        return true;
    err_set(err, ERR_USAGE,
            "\"%s\" cannot be a container's name: letters, digits, '_', '-' and '.', at most %d, not "
            "'.' or '-' first, and not .0, .1, .service or another unit's type at its end",
            name, SYSTEM_NAME_MAX);
    return false;
}

bool system_place_is_free(const struct system_place *place, struct arena *arena, const char *name, struct err *err)
{
    /* systemd.unit(5), "Unit File Load Path"; what generators make of other files; tmpfiles.d(5): a file in /etc takes the
     * place of those that are called alike elsewhere. */
    static const struct {
        const char *folder, *ending;
    } places[] = {{"/run/systemd/system", ".service"},
                  {"/run/systemd/transient", ".service"},
                  {"/run/systemd/generator", ".service"},
                  {"/run/systemd/generator.early", ".service"},
                  {"/run/systemd/generator.late", ".service"},
                  {"/etc/systemd/system.control", ".service"},
                  {"/etc/systemd/system.attached", ".service"},
                  {"/usr/local/lib/systemd/system", ".service"},
                  {"/usr/lib/systemd/system", ".service"},
                  {"/lib/systemd/system", ".service"},
                  {"/etc/containers/systemd", ".container"},
                  {"/usr/share/containers/systemd", ".container"},
                  {"/etc/init.d", ""},
                  {"/run/tmpfiles.d", ".conf"},
                  {"/usr/local/lib/tmpfiles.d", ".conf"},
                  {"/usr/lib/tmpfiles.d", ".conf"}};
    for (size_t i = 0; i < ARRAY_COUNT(places); i++) {
        const char *path = arena_printf(arena, "%s/%s%s", places[i].folder, name, places[i].ending);
        struct stat status;
        if (!system_host_stat(&place->host, path, &status))
            continue;
        err_set(err, ERR_USAGE,
                "%s%s is there, which a container called %s would take the place of; choose another --name",
                place->host.shown, path, name);
        return false;
    }
    return true;
}

static bool open_base(struct arena *arena, bool is_written, struct system_place *place, struct err *err)
{
    if (is_written) {
        struct strings made = {0};
        if (!system_host_make_dirs(&place->host, arena, SYSTEM_PLACE, &made, err))
            return false;
        place->base = system_host_open_at(&place->host, SYSTEM_PLACE, O_RDONLY | O_DIRECTORY);
        /* Programs with setuid lie below it. */
        if (place->base >= 0 && strings_has(&made, SYSTEM_PLACE))
            (void)fchmod(place->base, 0700);
    } else {
        place->base = system_host_open_at(&place->host, SYSTEM_PLACE, O_RDONLY | O_DIRECTORY);
    }
    if (place->base >= 0 || (!is_written && errno == ENOENT))
        return true;
    err_set_errno(err, errno, "%s%s", place->host.shown, SYSTEM_PLACE);
    return false;
}

bool system_place_open(struct arena *arena, const char *root, bool is_written, const struct lock_wait *wait,
                       struct system_place *ret_place, struct err *err)
{
    struct system_place place = {.host.root = -1, .base = -1, .lock = -1, .log = wait->log};
    struct stat run;
    bool is_good = system_host_open(arena, root, &place.host, err) && open_base(arena, is_written, &place, err);
    if (is_good && is_written) {
        place.lock = lock_open_at(place.base, ".lock");
        if (place.lock < 0)
            err_set_errno(err, errno, "%s%s/.lock", place.host.shown, SYSTEM_PLACE);
        is_good = place.lock >= 0 && lock_take(place.lock, false, SYSTEM_PLACE, wait, err);
    }
    place.is_live = strcmp(root, "/") == 0 && stat("/run/systemd/system", &run) == 0;
    if (!is_good) {
        system_place_close(&place);
        return false;
    }
    *ret_place = place;
    return true;
}

void system_place_close(struct system_place *place)
{
    auto_close_fd(&place->lock);
    auto_close_fd(&place->base);
    system_host_close(&place->host);
    place->lock = place->base = -1;
}

bool system_place_read(const struct system_place *place, struct arena *arena, const char *path, struct text *ret_text,
                       struct err *err)
{
    AUTO(buf_done) struct buf bytes = {0};
    const char *slash = strchr(path, '/');
    const char *version = arena_strndup(arena, path, (size_t)(slash - path));
    AUTO(auto_close_fd) int dir = openat(place->base, version, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    *ret_text = (struct text){0};
    if (dir < 0 && errno == ENOENT)
        return true;
    struct err reason = {0};
    if (dir < 0)
        err_set_errno(err, errno, "%s%s/%s", place->host.shown, SYSTEM_PLACE, version);
    else if (file_read_unlinked_at(dir, slash + 1, SYSTEM_INFO_MAX_BYTES, &bytes, &reason))
        *ret_text = (struct text){arena_strndup(arena, buf_text(&bytes).ptr, bytes.len), bytes.len};
    else if (reason.kind != ERR_LOCAL || reason.detail != ENOENT)
        *err = reason;
    return err->kind == ERR_NONE;
}

static bool read_info(const struct system_place *place, struct arena *arena, const char *name, unsigned number,
                      struct system_info *ret_info, bool *ret_found, struct err *err)
{
    const char *path = arena_printf(arena, "%s.%u/info", name, number);
    struct text text;
    if (!system_place_read(place, arena, path, &text, err))
        return false;
    *ret_found = text.ptr != NULL;
    return !text.ptr || system_info_parse(arena, arena_printf(arena, "%s/%s", SYSTEM_PLACE, path), text, ret_info, err);
}

bool system_place_versions(const struct system_place *place, struct arena *arena, const char *name,
                           struct system_versions *ret_versions, struct err *err)
{
    char target[4096];
    ssize_t len = place->base < 0 ? -1 : readlinkat(place->base, name, target, sizeof target - 1);
    struct system_versions versions = {0};
    *ret_versions = versions;
    if (len < 2)
        return true;
    target[len] = '\0';
    const char *base = strrchr(target, '/') ? strrchr(target, '/') + 1 : target; /* `atomic` wrote whole paths */
    size_t name_len = strlen(name);
    if (strncmp(base, name, name_len) != 0 || base[name_len] != '.' || !strchr("01", base[name_len + 1]) ||
        !base[name_len + 1] || base[name_len + 2]) {
        err_set(err, ERR_LOCAL, "%s%s/%s is a link to %s, which is no version of it", place->host.shown, SYSTEM_PLACE,
                name, target);
        return false;
    }
    versions.number = (unsigned)(base[name_len + 1] - '0');
    if (!read_info(place, arena, name, versions.number, &versions.info, &versions.is_there, err) ||
        !read_info(place, arena, name, 1 - versions.number, &versions.other, &versions.has_other, err))
        return false;
    if (!versions.is_there) {
        err_set(err, ERR_LOCAL, "%s%s/%s: what its link leads to has no file info", place->host.shown, SYSTEM_PLACE,
                name);
        return false;
    }
    *ret_versions = versions;
    return true;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

struct strings system_place_names(const struct system_place *place, struct arena *arena)
{
    struct strings names = {0};
    int copy = place->base < 0 ? -1 : openat(place->base, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = copy < 0 ? NULL : fdopendir(copy);
    struct stat status;
    for (struct dirent *item; stream && (item = readdir(stream));) {
        struct err no_name = {0};
        if (system_name_check(item->d_name, &no_name) &&
            fstatat(place->base, item->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(status.st_mode))
            list_add(arena, &names, arena_strdup(arena, item->d_name));
    }
    if (stream)
        (void)closedir(stream);
    else if (copy >= 0)
        (void)close(copy);
    if (names.count)
        qsort(names.items, names.count, sizeof *names.items, compare_names);
    return names;
}

static bool call(const char *const *argv)
{
    AUTO(buf_done) struct buf output = {0};
    struct err err = {0};
    int status;
    return child_run(argv, (struct child_fds){0}, 1 << 16, SYSTEMCTL_MS, &output, &status, &err) && status == 0;
}

bool system_place_systemctl(const struct system_place *place, const char *verb, const char *name)
{
    AUTO(arena_done) struct arena scratch = {0};
    /* in full: a name may look like another unit's */
    const char *const argv[] = {"systemctl", verb, name ? arena_printf(&scratch, "%s.service", name) : NULL, NULL};
    return place->is_live && call(argv);
}

void system_place_tmpfiles(const struct system_place *place, struct arena *arena, const char *verb, const char *name)
{
    const char *const argv[] = {"systemd-tmpfiles", verb, system_tmpfiles_path(arena, name), NULL};
    struct stat status;
    if (place->is_live && system_host_stat(&place->host, argv[2], &status))
        (void)call(argv);
}

const char *system_place_runtime(const struct system_place *place)
{
    static const char *const paths[] = {"/usr/bin/runc",        "/usr/sbin/runc", "/usr/local/bin/runc",
                                        "/usr/local/sbin/runc", "/usr/bin/crun",  "/usr/local/bin/crun"};
    struct stat status;
    for (size_t i = 0; i < ARRAY_COUNT(paths); i++) {
        if (system_host_stat(&place->host, paths[i], &status))
            return paths[i];
    }
    return paths[0];
}
