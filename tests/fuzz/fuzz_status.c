/* SPDX-License-Identifier: Apache-2.0 */
/* dpkg's status of any bytes is read or refused; what was read is printed, and that is read as the same list. */
#include "fuzz.h"

#include "deb/dpkg_status.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    AUTO(arena_done) struct arena arena = {0};
    struct dpkg_status status = {0}, again = {0};
    struct dpkg_stanza made;
    struct err err = {0};
    struct text text = {(const char *)bytes, len};
    if (dpkg_status_parse(&arena, "status", text, DPKG_INSTALLED, &status, &err)) {
        struct text printed = dpkg_status_print(&arena, &status);
        if (!dpkg_status_parse(&arena, "status", printed, DPKG_INSTALLED, &again, &err) || again.count != status.count)
            abort();
    }
    err_clear(&err);
    if (dpkg_stanza_make(&arena, text, DPKG_INSTALLED, TEXT(""), &made, &err)) {
        struct dpkg_status one = {0};
        if (!dpkg_status_parse(&arena, "stanza", made.text, DPKG_INSTALLED, &one, &err) || one.count != 1)
            abort();
    }
    return 0;
}
