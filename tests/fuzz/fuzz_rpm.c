/* SPDX-License-Identifier: Apache-2.0 */
/* An .rpm of any bytes is unpacked into a store or refused; nothing is written under a path that it names. */
#include "fuzz.h"

#include "package/capability.h"
#include "package/package.h"
#include "rpm/rpm_cpio.h"
#include "rpm/rpm_header.h"
#include "rpm/rpm_signature.h"
#include "rpmmd/rpm_format.h"

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

static bool begin(void *user, struct rpm_cpio_entry *entry, struct err *err)
{
    (void)user, (void)err;
    if (!entry->name)
        entry->size_bytes = entry->index & 0xff;
    return true;
}

static bool take(void *user, struct text piece, struct err *err)
{
    (void)user, (void)piece, (void)err;
    return true;
}

static bool end(void *user, struct err *err)
{
    (void)user, (void)err;
    return true;
}

/* The parts by themselves, since digests stop most inputs before they get there. */
static void read_parts(struct text bytes)
{
    AUTO(arena_done) struct arena arena = {0};
    struct rpm_header header;
    struct rpm_signature_packet packet;
    struct err err = {0};
    char capability[CAPABILITY_BYTES];
    struct rpm_cpio cpio = {.calls = {begin, take, end, NULL}};
    (void)rpm_signature_parse(bytes, &packet);
    (void)capability_parse(bytes, capability);
    if (!rpm_header_read(&arena, bytes, RPM_HEADER_MAIN, &header, &err))
        err_clear(&err);
    if (!rpm_cpio_feed(&cpio, bytes, &err))
        err_clear(&err);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static struct store *store; /* libFuzzer gives no other place to keep it */
    if (!store)
        store = open_store();
    struct package_expect expect = {.format = &format_rpm, .digest = digest_of("fuzz", 4)};
    read_parts((struct text){(const char *)bytes, len});
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
