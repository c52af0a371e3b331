/* SPDX-License-Identifier: Apache-2.0 */
/* check.h - cmocka with the includes it wants, and checks for this project's errors
 *
 * A test's name is the sentence that it proves.
 */
#ifndef IMGFACTORY_TESTS_CHECK_H
#define IMGFACTORY_TESTS_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#undef stop /* a macro of cmocka 2 that no test needs, and a name that many want */

#undef stop /* a macro of cmocka 2, and too good a name for one */

#include "base/err.h"

/* Fails with the error's text unless `call` is true. */
#define CHECK_OK(call, err)                                                                                            \
    do {                                                                                                               \
        if (!(call))                                                                                                   \
            fail_msg("%s: %s", #call, (err)->text);                                                                    \
    } while (0)

/* Fails unless the error has this kind and its text has `part`. */
#define CHECK_ERR(err, wanted_kind, part)                                                                              \
    do {                                                                                                               \
        if ((err)->kind != (wanted_kind) || !strstr((err)->text, (part)))                                              \
            fail_msg("wanted %s with \"%s\", got %s: %s", err_kind_name(wanted_kind), (part),                          \
                     err_kind_name((err)->kind), (err)->text);                                                         \
    } while (0)

/* Fails unless the whole number is one of minimum to maximum. cmocka's own check has another name since version 2. */
#define CHECK_RANGE(value, minimum, maximum)                                                                           \
    do {                                                                                                               \
        intmax_t checked = (intmax_t)(value);                                                                          \
        if (checked < (intmax_t)(minimum) || checked > (intmax_t)(maximum))                                            \
            fail_msg("%s is %jd, wanted %jd to %jd", #value, checked, (intmax_t)(minimum), (intmax_t)(maximum));       \
    } while (0)

/* Makes a fresh directory below TMPDIR or /tmp; the path is static per test program. */
static inline const char *check_temporary_dir(void)
{
    static char path[256];
    const char *base = getenv("TMPDIR");
    (void)snprintf(path, sizeof path, "%s/imgfactory-test-XXXXXX", base ? base : "/tmp");
    assert_non_null(mkdtemp(path));
    return path;
}

/* Makes `home` the home folder of somebody who has just come: all variables are taken away that lead to other files of
 * his, or to proxies. */
static inline void check_empty_home(const char *home)
{
    static const char *const names[] = {"http_proxy",         "HTTP_PROXY",      "https_proxy",   "HTTPS_PROXY",
                                        "all_proxy",          "ALL_PROXY",       "no_proxy",      "NO_PROXY",
                                        "REGISTRY_AUTH_FILE", "XDG_CONFIG_HOME", "DOCKER_CONFIG", "CONTAINERS_CONF"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        unsetenv(names[i]);
    setenv("HOME", home, 1);
    setenv("XDG_RUNTIME_DIR", home, 1);
}

#endif
