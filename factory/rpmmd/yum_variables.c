/* SPDX-License-Identifier: Apache-2.0 */
#include "rpmmd/yum_variables.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "base/auto.h"
#include "io/file.h"
#include "package/os_release.h"
#include "rpmmd/rpm_source.h"

#define VARIABLE_MAX_BYTES 65536u
#define VARIABLES_MAX 1000

static void close_dir(DIR **dir)
{
    if (*dir)
        (void)closedir(*dir);
}

static bool read_variable(const char *path, const char *name, struct map *variables, struct err *err)
{
    AUTO(buf_done) struct buf bytes = {0};
    if (!file_read_at(AT_FDCWD, path, VARIABLE_MAX_BYTES, &bytes, err))
        return false;
    struct text rest = {bytes.len ? bytes.bytes : "", bytes.len}, line = {"", 0};
    (void)text_next(&rest, '\n', &line);
    const char *value = text_dup(variables->arena, text_trim(line));
    if (strcmp(name, "releasever") == 0)
        rpm_set_releasever(variables, value);
    else
        map_set(variables, text_of(arena_strdup(variables->arena, name)), (void *)(uintptr_t)value);
    return true;
}

static bool is_variable_name(const char *name)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
    return *name && !name[strspn(name, plain)];
}

/* Reads the variables of one directory; none when it is absent. */
static bool read_dir(const char *dir, struct map *variables, struct err *err)
{
    AUTO(close_dir) DIR *open_dir = opendir(dir);
    const struct dirent *item;
    if (!open_dir && errno != ENOENT && errno != ENOTDIR) {
        err_set_errno(err, errno, "cannot list %s", dir);
        return false;
    }
    while (open_dir && (item = readdir(open_dir))) {
        if (!is_variable_name(item->d_name))
            continue;
        if (variables->slots.count == VARIABLES_MAX) {
            err_set(err, ERR_USAGE, "%s: more than %d variables", dir, VARIABLES_MAX);
            return false;
        }
        if (!read_variable(arena_printf(variables->arena, "%s/%s", dir, item->d_name), item->d_name, variables, err))
            return false;
    }
    return true;
}

static void take_releasever(struct text os_release, struct map *variables)
{
    const char *version = os_release_value(variables->arena, os_release, "VERSION_ID");
    const char *platform = os_release_value(variables->arena, os_release, "PLATFORM_ID");
    if (!version || !*version)
        return;
    bool is_enterprise = platform && text_has_prefix(text_of(platform), "platform:el");
    rpm_set_releasever(variables,
                       is_enterprise ? arena_strndup(variables->arena, version, strcspn(version, ".")) : version);
}

static bool read_os_release(const char *root, struct map *variables, struct err *err)
{
    static const char *const names[] = {"etc/os-release", "usr/lib/os-release"};
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        AUTO(buf_done) struct buf bytes = {0};
        struct err absent = {0};
        if (file_read_at(AT_FDCWD, arena_printf(variables->arena, "%s/%s", root, names[i]), VARIABLE_MAX_BYTES, &bytes,
                         &absent)) {
            take_releasever((struct text){bytes.len ? bytes.bytes : "", bytes.len}, variables);
            return true;
        }
        if (absent.detail != ENOENT) {
            *err = absent;
            return false;
        }
    }
    return true;
}

bool yum_variables_load(const char *root, struct map *variables, struct err *err)
{
    struct arena *arena = variables->arena;
    return read_os_release(root, variables, err) &&
           read_dir(arena_printf(arena, "%s/etc/yum/vars", root), variables, err) &&
           read_dir(arena_printf(arena, "%s/etc/dnf/vars", root), variables, err);
}
