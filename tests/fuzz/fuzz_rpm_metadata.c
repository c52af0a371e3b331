/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as the documents of an RPM-MD repository are read or refused; the first byte says as which one. */
#include "fuzz.h"

#include "rpmmd/metalink.h"
#include "rpmmd/repomd.h"
#include "rpmmd/rpm_modules.h"
#include "rpmmd/rpm_primary.h"
#include "rpmmd/rpm_rich.h"

static void read_modules(struct arena *arena, struct text text, struct err *err)
{
    AUTO(rpm_modules_done) struct rpm_modules modules = {0};
    struct strings enabled = {0};
    list_add(arena, &enabled, "a:1");
    if (rpm_modules_read(&modules, "modules.yaml", text, err))
        (void)!rpm_modules_choose(&modules, &enabled, &enabled, "x86_64", err);
}

static void read_mirrors(struct arena *arena, struct text text, struct err *err)
{
    struct metalink metalink;
    struct strings urls = {0};
    if (metalink_is(text))
        (void)!metalink_parse(arena, "http://mirror.example/metalink", text, &metalink, err);
    else
        (void)!mirrorlist_parse(arena, "http://mirror.example/list", text, &urls, err);
}

static void read_rich(struct arena *arena, struct text text)
{
    Pool *pool = pool_create();
    Id relation = rpm_rich_parse(pool, text_dup(arena, text));
    if (relation)
        (void)rpm_rich_clause_count(pool, relation);
    pool_free(pool);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    AUTO(arena_done) struct arena arena = {0};
    AUTO(buf_done) struct buf built = {0};
    struct repomd repomd;
    struct err err = {0};
    struct text text = {(const char *)bytes + 1, len ? len - 1 : 0};
    switch (len ? bytes[0] % 5 : 5) {
    case 0:
        (void)!repomd_parse(&arena, "repomd.xml", text, &repomd, &err);
        break;
    case 1:
        (void)!rpm_primary_build("primary.xml", COMPRESSION_NONE, text, &built, &err);
        break;
    case 2:
        read_modules(&arena, text, &err);
        break;
    case 3:
        read_mirrors(&arena, text, &err);
        break;
    case 4:
        read_rich(&arena, text);
        break;
    default:
        break;
    }
    return 0;
}
