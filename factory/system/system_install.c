/* SPDX-License-Identifier: Apache-2.0 */
#include "system/system_install.h"

#include "base/auto.h"
#include "base/clock.h"
#include "io/file.h"
#include "io/tree_remove.h"
#include "system/system_switch.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/random.h>

/* An installation under way. */
struct installing {
    const struct install_request *request;
    struct arena *arena;
    const struct system_versions *versions;
    struct system_info info;
    struct rendered rendered;
    const char *folder; /* ".NAME.new" */
    unsigned number;    /* that the new version gets */
    int dir;            /* of the folder, or -1 */
};

/* The runtime that a version was installed with, as long as the host has it; else what the host has. */
static const char *runtime_of(struct system_place *place, const char *former)
{
    struct stat status;
    if (former && former[0] == '/' && system_host_stat(&place->host, former, &status))
        return former;
    return system_place_runtime(place);
}

/* A runtime that the host has not got starts nothing. One with options (RUNTIME can be set to that) is not looked for. */
static void tell_runtime(struct system_place *place, struct arena *arena, const char *runtime)
{
    struct stat status;
    if (runtime[0] == '/' && !strpbrk(runtime, " \t") && !system_host_stat(&place->host, runtime, &status))
        list_add(arena, &place->said,
                 arena_printf(arena, "the host has no %s, which the unit calls; install runc or crun there", runtime));
}

bool system_begin(struct system_place *place, struct arena *arena, const char *name, bool is_update,
                  struct system_versions *ret_versions, struct err *err)
{
    struct stat status;
    if (!system_name_check(name, err) || !system_place_versions(place, arena, name, ret_versions, err))
        return false;
    if (is_update && !ret_versions->is_there) {
        err_set(err, ERR_USAGE, "%s is not installed%s", name,
                place->base < 0 ? "" : "; `imgfactory system list` tells what is");
        return false;
    }
    for (unsigned i = 0; !is_update && !ret_versions->is_there && i < 2; i++) {
        const char *version = arena_printf(arena, "%s.%u", name, i);
        if (fstatat(place->base, version, &status, AT_SYMLINK_NOFOLLOW) != 0)
            continue;
        err_set(err, ERR_USAGE, "%s%s/%s is there, but no link %s to it; move it away, or choose another --name",
                place->host.shown, SYSTEM_PLACE, version, name);
        return false;
    }
    if (!is_update && (ret_versions->is_there || fstatat(place->base, name, &status, AT_SYMLINK_NOFOLLOW) == 0)) {
        err_set(err, ERR_USAGE,
                "%s%s/%s is there already; update it (imgfactory system update %s), or choose another --name",
                place->host.shown, SYSTEM_PLACE, name, name);
        return false;
    }
    ret_versions->runtime = runtime_of(place, ret_versions->info.runtime);
    const char *folder = is_update ? arena_printf(arena, "%s.%u", name, ret_versions->number) : NULL;
    return system_switch_is_ours(place, arena, name, folder, err) &&
           (is_update || system_place_is_free(place, arena, name, err));
}

static bool fail(const struct installing *installing, const char *file, struct err *err)
{
    err_set_errno(err, errno, "%s%s/%s/%s", installing->request->place->host.shown, SYSTEM_PLACE, installing->folder,
                  file);
    return false;
}

/* RFC 9562, version 4. */
static const char *make_uuid(struct arena *arena)
{
    unsigned char bytes[16];
    if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes)
        memset(bytes, 0, sizeof bytes);
    bytes[6] = (unsigned char)((bytes[6] & 0x0f) | 0x40);
    bytes[8] = (unsigned char)((bytes[8] & 0x3f) | 0x80);
    const char *text = "";
    for (size_t i = 0; i < sizeof bytes; i++)
        text = arena_printf(arena, "%s%s%02x", text, i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", bytes[i]);
    return text;
}

/* What was set before stays set, and the number that was made for the container. */
static void settle_set(struct installing *installing)
{
    const struct install_request *request = installing->request;
    struct system_values *set = &installing->info.set;
    for (size_t i = 0; request->is_update && i < installing->versions->info.set.count; i++)
        list_add(installing->arena, set, installing->versions->info.set.items[i]);
    for (size_t i = 0; i < request->set->count; i++)
        system_values_set(installing->arena, set, request->set->items[i].name, request->set->items[i].value);
}

static bool is_same_set(const struct system_values *a, const struct system_values *b)
{
    bool is_same = a->count == b->count;
    for (size_t i = 0; is_same && i < a->count; i++)
        is_same = text_same(system_values_get(b, a->items[i].name), a->items[i].value);
    return is_same;
}

static bool render(struct installing *installing, struct err *err)
{
    const struct install_request *request = installing->request;
    struct arena *arena = installing->arena;
    const char *uuid = request->is_update ? system_values_get(&installing->versions->info.values, "UUID") : NULL;
    const struct render_request render = {
        .exports = request->exports,
        .set = &installing->info.set,
        .facts = {.name = request->name,
                  .image = request->image,
                  .image_id = request->revision,
                  .destination = arena_printf(arena, "%s/%s.%u", SYSTEM_PLACE, request->name, installing->number),
                  .runtime = installing->versions->runtime,
                  .uuid = uuid ? uuid : make_uuid(arena),
                  .uid = geteuid(),
                  .gid = getegid()},
        .image_config = request->image_config,
        .passwd = request->passwd,
        .group = request->group,
        .rootfs = request->rootfs};
    if (!system_check_set(arena, request->exports, request->set, err) ||
        !system_render(arena, &render, &installing->rendered, err))
        return false;
    installing->info.values = installing->rendered.values;
    installing->info.runtime = system_values_get(&installing->rendered.values, "RUNTIME");
    installing->info.has_service = installing->rendered.has_service;
    if (installing->info.has_service)
        tell_runtime(request->place, arena, installing->info.runtime);
    return true;
}

/* --- writing the version --- */

static bool write_file(struct installing *installing, const char *name, struct text text, mode_t mode, struct err *err)
{
    return file_write_atomic_at(installing->dir, name, text.ptr, text.len, mode, true, err);
}

static bool write_info(struct installing *installing, struct err *err)
{
    struct text text = system_info_text(installing->arena, &installing->info);
    if (text.len <= SYSTEM_INFO_MAX_BYTES)
        return write_file(installing, "info", text, 0600, err);
    err_set(err, ERR_MALFORMED, "%s: files for the host, and values, that are more than %zu MiB to remember",
            SYSTEM_HOSTFS, SYSTEM_INFO_MAX_BYTES >> 20);
    return false;
}

static bool write_rootfs(struct installing *installing, struct err *err)
{
    const struct install_request *request = installing->request;
    struct unpack_losses losses;
    const struct unpack_request unpack = {request->ground, request->thread_count, request->cancel};
    if (!installing->rendered.has_service)
        return true;
    if (!request->ground)
        return symlinkat(request->rootfs, installing->dir, "rootfs") == 0 || fail(installing, "rootfs", err);
    if (mkdirat(installing->dir, "rootfs", 0755) != 0)
        return fail(installing, "rootfs", err);
    AUTO(auto_close_fd) int root = openat(installing->dir, "rootfs", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (root < 0)
        return fail(installing, "rootfs", err);
    if (!system_unpack(&unpack, root, &losses, err))
        return false;
    if (losses.owner_count || losses.setuid_count || losses.capability_count)
        list_add(installing->arena, &request->place->said,
                 arena_printf(installing->arena,
                              "not as root: %zu files of other owners are yours, %zu lost setuid or setgid, %zu their "
                              "capabilities",
                              losses.owner_count, losses.setuid_count, losses.capability_count));
    return true;
}

static bool write_host_files(struct installing *installing, struct err *err)
{
    const struct rendered_files *files = &installing->rendered.files;
    if (!files->count)
        return true;
    if (mkdirat(installing->dir, "hostfs", 0700) != 0)
        return fail(installing, "hostfs", err);
    AUTO(auto_close_fd) int dir = openat(installing->dir, "hostfs", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (dir < 0)
        return fail(installing, "hostfs", err);
    for (size_t i = 0; i < files->count; i++) {
        const struct rendered_file *file = &files->items[i];
        struct text bytes = file->kind == ENTRY_SYMLINK ? text_of(file->target) : file->data;
        struct digest digest = digest_of(bytes.len ? bytes.ptr : "", bytes.len);
        struct info_file told = {.path = file->path,
                                 .kind = file->kind,
                                 .mode = file->mode,
                                 .digest = arena_strdup(installing->arena, digest_hex(&digest).chars),
                                 .target = file->kind == ENTRY_SYMLINK ? file->target : NULL};
        if (file->kind == ENTRY_DIRECTORY)
            told.digest = "0";
        list_add(installing->arena, &installing->info.files, told);
        if (file->kind == ENTRY_FILE && !file_write_atomic_at(dir, arena_printf(installing->arena, "%zu", i), bytes.ptr,
                                                              bytes.len, 0600, false, err))
            return false;
    }
    return true;
}

static bool write_version(struct installing *installing, struct err *err)
{
    const struct install_request *request = installing->request;
    const struct rendered *rendered = &installing->rendered;
    struct arena *arena = installing->arena;
    int base = request->place->base;
    struct stat status;
    if (mkdirat(base, installing->folder, 0700) != 0)
        return fail(installing, "", err);
    installing->dir = openat(base, installing->folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (installing->dir < 0 || fchmod(installing->dir, 0700) != 0 || fstat(installing->dir, &status) != 0)
        return fail(installing, "", err);
    if (status.st_uid != geteuid()) { /* of somebody who may rename in the folder above: he would see and write in it */
        err_set(err, ERR_LOCAL, "%s%s/%s was put in the place of the one just made", request->place->host.shown,
                SYSTEM_PLACE, installing->folder);
        return false;
    }
    if (!write_rootfs(installing, err) || !write_host_files(installing, err))
        return false;
    if (rendered->config.len && !write_file(installing, "config.json", rendered->config, 0600, err))
        return false;
    if (rendered->unit.len &&
        !write_file(installing, arena_printf(arena, "%s.service", request->name), rendered->unit, 0644, err))
        return false;
    if (rendered->tmpfiles.len &&
        !write_file(installing, arena_printf(arena, "tmpfiles-%s.conf", request->name), rendered->tmpfiles, 0644, err))
        return false;
    return system_switch_plan(request->place, arena, &installing->info, err) && write_info(installing, err);
}

/* What writes to the host. */
static bool put_in_place(void *argument, struct err *err)
{
    struct installing *installing = argument;
    const struct install_request *request = installing->request;
    const struct system_info *now = installing->versions->is_there ? &installing->versions->info : NULL;
    bool is_good = write_version(installing, err) &&
                   system_switch_stage(request->place, installing->arena, request->name, installing->folder,
                                       &installing->info, now, err) &&
                   write_info(installing, err);
    /* When the power goes, what the journal leads to has to be whole. */
    if (is_good && syncfs(installing->dir) != 0)
        is_good = fail(installing, "", err);
    auto_close_fd(&installing->dir);
    installing->dir = -1;
    if (is_good && request->cancel && atomic_load(request->cancel)) {
        err_set(err, ERR_CANCELLED, "interrupted");
        is_good = false;
    }
    if (is_good) {
        is_good = system_switch_to(request->place, installing->arena, request->name, installing->number, err);
        if (is_good && !request->is_update && installing->rendered.has_service && request->place->is_live &&
            !system_place_systemctl(request->place, "enable", request->name))
            list_add(installing->arena, &request->place->said,
                     arena_printf(installing->arena, "systemctl could not enable %s", request->name));
        installing->info.is_active = system_place_systemctl(request->place, "is-active", request->name);
        return is_good;
    }
    struct err ignored = {0}; /* the first failure is the one to tell */
    system_switch_unstage(request->place, installing->arena, request->name, &installing->info,
                          &installing->versions->info.folders);
    (void)!tree_remove(request->place->base, installing->folder, &ignored);
    return false;
}

/* What is remembered is JSON, which has no other bytes. */
static bool check_words(const struct install_request *request, struct err *err)
{
    const char *words[] = {request->image, request->rootfs ? request->rootfs : ""};
    for (size_t i = 0; i < ARRAY_COUNT(words); i++) {
        if (text_is_utf8(text_of(words[i])))
            continue;
        err_set(err, ERR_USAGE, "%s: a name that is not UTF-8 cannot be remembered", words[i]);
        return false;
    }
    for (size_t i = 0; i < request->set->count; i++) {
        if (text_is_utf8(text_of(request->set->items[i].value)))
            continue;
        err_set(err, ERR_USAGE, "--set %s: a value is UTF-8", request->set->items[i].name);
        return false;
    }
    return true;
}

bool system_install(struct arena *arena, const struct install_request *request, const struct system_versions *versions,
                    struct system_info *ret_info, bool *ret_unchanged, struct err *err)
{
    struct installing installing = {.request = request,
                                    .arena = arena,
                                    .versions = versions,
                                    .folder = arena_printf(arena, ".%s.new", request->name),
                                    .number = versions->is_there ? 1 - versions->number : 0,
                                    .dir = -1};
    const struct unpack_request unpack = {request->ground, 1, NULL};
    installing.info = (struct system_info){.image = request->image,
                                           .revision = request->revision,
                                           .version = request->version,
                                           .rootfs = request->rootfs,
                                           .created_time = clock_date()};
    settle_set(&installing);
    bool is_same_runtime = system_values_get(&installing.info.set, "RUNTIME") || !versions->info.runtime ||
                           text_same(versions->info.runtime, versions->runtime);
    *ret_unchanged = request->is_update && !request->rootfs && text_same(versions->info.revision, request->revision) &&
                     is_same_set(&versions->info.set, &installing.info.set) && is_same_runtime;
    *ret_info = versions->info;
    if (*ret_unchanged)
        return true;
    if (!check_words(request, err) || (request->ground && !system_unpack_check(&unpack, err)) ||
        !render(&installing, err) || !workers_call(request->keeper, put_in_place, &installing, err))
        return false;
    *ret_info = installing.info;
    return true;
}

bool system_rollback(struct system_place *place, struct arena *arena, const char *name, struct system_info *ret_info,
                     struct err *err)
{
    struct system_versions versions;
    if (!system_begin(place, arena, name, true, &versions, err))
        return false;
    if (!versions.has_other) {
        err_set(err, ERR_USAGE, "%s has no other version to go back to", name);
        return false;
    }
    const char *folder = arena_printf(arena, "%s.%u", name, 1 - versions.number);
    AUTO(auto_close_fd) int dir = openat(place->base, folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (dir < 0) {
        err_set_errno(err, errno, "%s%s/%s", place->host.shown, SYSTEM_PLACE, folder);
        return false;
    }
    bool is_staged = system_switch_stage(place, arena, name, folder, &versions.other, &versions.info, err);
    struct text text = system_info_text(arena, &versions.other);
    if (!is_staged || !file_write_atomic_at(dir, "info", text.ptr, text.len, 0600, true, err)) {
        system_switch_unstage(place, arena, name, &versions.other, &versions.other.folders);
        return false;
    }
    *ret_info = versions.other;
    return system_switch_to(place, arena, name, 1 - versions.number, err);
}

bool system_uninstall(struct system_place *place, struct arena *arena, const char *name, struct err *err)
{
    struct system_versions versions;
    return system_begin(place, arena, name, true, &versions, err) && system_switch_remove(place, arena, name, err);
}
