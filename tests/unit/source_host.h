/* SPDX-License-Identifier: Apache-2.0 */
/* source_host.h - a fresh directory that plays a host's configuration, and the source that is read from it */
#ifndef IMGFACTORY_TESTS_SOURCE_HOST_H
#define IMGFACTORY_TESTS_SOURCE_HOST_H

#include "check.h"

#include "base/auto.h"
#include "deb/deb_source.h"
#include "io/file.h"

struct host {
    char dir[256];
    struct arena arena;
    struct source source;
    struct deb_source deb; /* what it holds, of Debian sources */
    struct err err;
};

static struct host *host_new(void)
{
    struct host *host = calloc(1, sizeof *host);
    assert_non_null(host);
    (void)snprintf(host->dir, sizeof host->dir, "%s", check_temporary_dir());
    return host;
}

static void host_free(struct host *host)
{
    char command[300];
    (void)snprintf(command, sizeof command, "rm -rf '%s'", host->dir);
    assert_int_equal(system(command), 0);
    arena_done(&host->arena);
    free(host);
}

static void host_done(struct host **host)
{
    host_free(*host);
}

/* Writes a file below the directory and returns its path. */
static const char *put(struct host *host, const char *name, const char *text)
{
    struct err err = {0};
    char *path = arena_printf(&host->arena, "%s/%s", host->dir, name);
    char *dir = arena_strdup(&host->arena, path);
    *strrchr(dir, '/') = '\0';
    AUTO(auto_close_fd) int dir_fd = -1;
    CHECK_OK(file_make_dirs(dir, 0755, &err), &err);
    CHECK_OK(file_open_dir(dir, &dir_fd, &err), &err);
    CHECK_OK(file_write_atomic_at(dir_fd, strrchr(path, '/') + 1, text, strlen(text), 0644, false, &err), &err);
    return path;
}

#endif
