/* SPDX-License-Identifier: Apache-2.0 */
#include "deb/deb_library.h"

#include <ctype.h>

/* In the letters of package names. */
static const char *lowered(struct arena *arena, const char *string, size_t len)
{
    char *name = arena_strndup(arena, string, len);
    for (char *c = name; *c; c++)
        *c = *c == '_' ? '-' : (char)tolower((unsigned char)*c);
    return name;
}

void deb_library_packages(struct arena *arena, const char *soname, struct strings *names)
{
    static const char so[] = ".so.";
    const char *end = strstr(soname, so), *version = end ? end + strlen(so) : NULL;
    if (!end || end == soname || !*version || strchr(soname, '/'))
        return;
    const char *dash = isdigit((unsigned char)end[-1]) ? "-" : "";
    const char *name = arena_printf(arena, "%s%s%s", lowered(arena, soname, (size_t)(end - soname)), dash,
                                    lowered(arena, version, strlen(version)));
    list_add(arena, names, name);
    list_add(arena, names, arena_printf(arena, "%st64", name));
}
