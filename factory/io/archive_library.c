/* SPDX-License-Identifier: Apache-2.0 */
#include "io/archive_library.h"

#include "base/text.h"

#include <dlfcn.h>
#include <stddef.h>

/* libarchive 3 has had this name on all systems since 2013. */
#define LIBRARY "libarchive.so.13"
_Static_assert(ARCHIVE_VERSION_NUMBER / 1000000 == 3, "LIBRARY is that of libarchive 3");

static const struct {
    const char *name;
    size_t place;
} functions[] = {
    {"archive_read_new", offsetof(struct archive_library, read_new)},
    {"archive_read_append_filter", offsetof(struct archive_library, append_filter)},
    {"archive_read_support_format_raw", offsetof(struct archive_library, support_raw)},
    {"archive_read_support_format_empty", offsetof(struct archive_library, support_empty)},
    {"archive_read_open_memory", offsetof(struct archive_library, open_memory)},
    {"archive_read_next_header", offsetof(struct archive_library, next_header)},
    {"archive_read_data_block", offsetof(struct archive_library, data_block)},
    {"archive_filter_bytes", offsetof(struct archive_library, filter_bytes)},
    {"archive_error_string", offsetof(struct archive_library, error_string)},
    {"archive_read_free", offsetof(struct archive_library, read_free)},
};
_Static_assert(sizeof functions / sizeof functions[0] * sizeof(void *) == sizeof(struct archive_library),
               "each function has a row");

bool archive_library_load(const char *name, struct archive_library *ret_library, struct err *err)
{
    void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    bool is_found = library != NULL;
    for (size_t i = 0; is_found && i < ARRAY_COUNT(functions); i++) {
        void *function = dlsym(library, functions[i].name);
        memcpy((char *)ret_library + functions[i].place, &function, sizeof function);
        is_found = function != NULL;
    }
    if (library)
        (void)dlclose(library); /* stays: RTLD_NODELETE */
    if (!is_found)
        err_set(err, ERR_LOCAL, "%s: needs " LIBRARY ", which is not installed here, to be unpacked", name);
    return is_found;
}
