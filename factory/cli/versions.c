/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/versions.h"

#include "base/text.h"

#include <dlfcn.h>
#include <link.h>
#include <stdlib.h>

/* How a library tells its version. */
enum telling {
    TELLING_FUNCTION, /* const char *f(void) */
    TELLING_NUMBERED, /* const char *f(int), 0 */
    TELLING_TEXT,     /* const char text[] */
    TELLING_FILE,     /* not at all: what its file is called */
};

static const struct library {
    const char *name, *symbol; /* TELLING_FILE: what the file's name begins with */
    enum telling telling;
} libraries[] = {
    {"libcurl", "curl_version", TELLING_FUNCTION},
    {"OpenSSL", "OpenSSL_version", TELLING_NUMBERED},
    {"zlib", "zlibVersion", TELLING_FUNCTION},
    {"zstd", "ZSTD_versionString", TELLING_FUNCTION},
    {"liblzma", "lzma_version_string", TELLING_FUNCTION},
    {"libdeflate", "libdeflate.so", TELLING_FILE},
    {"libyaml", "yaml_get_version_string", TELLING_FUNCTION},
    {"jansson", "jansson_version_str", TELLING_FUNCTION},
    {"expat", "XML_ExpatVersion", TELLING_FUNCTION},
    {"libsolv", "solv_version", TELLING_TEXT},
    {"libelf", "libelf", TELLING_FILE},
    {"sqlite", "sqlite3_libversion", TELLING_FUNCTION},
    {"glibc", "gnu_get_libc_version", TELLING_FUNCTION},
};

/* A file that is looked for among those that are loaded. */
struct looking {
    const char *start;
    char found[4096];
};

/* Called by the loader for each. */
static int look(struct dl_phdr_info *object, size_t size, void *argument)
{
    struct looking *looking = argument;
    char real[4096];
    const char *slash = strrchr(object->dlpi_name, '/');
    (void)size;
    if (!text_has_prefix(text_of(slash ? slash + 1 : object->dlpi_name), looking->start))
        return 0;
    const char *path = realpath(object->dlpi_name, real) ? real : object->dlpi_name;
    (void)snprintf(looking->found, sizeof looking->found, "%s", path);
    return 1;
}

static const char *ask(const struct library *library, struct looking *looking)
{
    const char *(*function)(void), *(*numbered)(int);
    *looking = (struct looking){.start = library->symbol};
    if (library->telling == TELLING_FILE)
        return dl_iterate_phdr(look, looking) ? looking->found : NULL;
    void *symbol = dlsym(RTLD_DEFAULT, library->symbol);
    if (!symbol || library->telling == TELLING_TEXT)
        return symbol;
    memcpy(&function, &symbol, sizeof function); /* POSIX has it that this is the function */
    memcpy(&numbered, &symbol, sizeof numbered);
    return library->telling == TELLING_NUMBERED ? numbered(0) : function();
}

void versions_print(FILE *out, bool has_libraries)
{
    (void)fprintf(out, "imgfactory %s\n", IMGFACTORY_VERSION);
    for (size_t i = 0; has_libraries && i < sizeof libraries / sizeof libraries[0]; i++) {
        struct looking looking;
        const char *told = ask(&libraries[i], &looking);
        (void)fprintf(out, "  %-10s  %s\n", libraries[i].name, told ? told : "(within the program)");
    }
}

struct strings versions_list(struct arena *arena)
{
    struct strings list = {0};
    list_add(arena, &list, "imgfactory " IMGFACTORY_VERSION);
    for (size_t i = 0; i < sizeof libraries / sizeof libraries[0]; i++) {
        struct looking looking;
        const char *told = ask(&libraries[i], &looking), *slash = told ? strrchr(told, '/') : NULL;
        if (told)
            list_add(arena, &list, arena_printf(arena, "%s %s", libraries[i].name, slash ? slash + 1 : told));
    }
    return list;
}
