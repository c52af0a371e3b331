/* SPDX-License-Identifier: Apache-2.0 */
/* A .deb of any bytes is unpacked into a store or refused; nothing is written under a path that it names. */
#include "fuzz.h"

#include "deb/deb_format.h"
#include "package/package.h"

#include <stdlib.h>

/* One store for all inputs, below /tmp, left to the system's cleaning. */
static struct store *open_store(void)
{
    char path[] = "/tmp/imgfactory-fuzz-XXXXXX";
    struct store *store = NULL;
    struct err err = {0};
    if (!mkdtemp(path) || !store_open(path, NULL, &store, &err))
        abort();
    elf_init();
    return store;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static struct store *store; /* libFuzzer gives no other place to keep it */
    if (!store)
        store = open_store();
    struct package_expect expect = {.format = &format_deb, .digest = digest_of("fuzz", 4)};
    struct err err = {0};
    struct package *package = NULL;
    bool is_found;
    if (package_unpack(store, (struct text){(const char *)bytes, len}, &expect, &err)) {
        if (!package_open(store, &expect, &package, &is_found, &err) || !is_found)
            abort();
        package_close(package);
    }
    return 0;
}
