/* SPDX-License-Identifier: Apache-2.0 */
/* home.h - an empty home folder for each test, and files in it: nothing of the host's is read
 */
#ifndef IMGFACTORY_TESTS_HOME_H
#define IMGFACTORY_TESTS_HOME_H

#include "check.h"

#include <sys/stat.h>

static const char *home;

/* Returns the path of a name in it; good until four more were asked for. */
static inline const char *at_home(const char *name)
{
    static char paths[4][512];
    static size_t next;
    char *path = paths[next++ % 4];
    (void)snprintf(path, sizeof paths[0], "%s/%s", home, name);
    return path;
}

/* Creates a file, with the folders above it. */
static inline FILE *create_at_home(const char *name)
{
    char path[512];
    (void)snprintf(path, sizeof path, "%s/%s", home, name);
    for (char *at = path + strlen(home) + 1; (at = strchr(at, '/')); at++) {
        *at = '\0';
        (void)mkdir(path, 0700);
        *at = '/';
    }
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    return file;
}

static inline void write_at_home(const char *name, const char *bytes)
{
    FILE *file = create_at_home(name);
    assert_true(fputs(bytes, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static inline int set_up_home(void **state)
{
    (void)state;
    home = check_temporary_dir();
    check_empty_home(home);
    return 0;
}

static inline int tear_down_home(void **state)
{
    (void)state;
    char command[512];
    (void)snprintf(command, sizeof command, "rm -rf '%s'", home);
    return system(command);
}

#endif
