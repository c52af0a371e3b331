/* SPDX-License-Identifier: Apache-2.0 */
/* A changelog of any bytes gives entries within their limits, of which numbers are picked. */
#include "fuzz.h"

#include "change/picks.h"
#include "deb/deb_changelog.h"
#include "rpm/rpm_changelog.h"

#include <stdlib.h>

#define CAP_BYTES ((size_t)4096)

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    AUTO(arena_done) struct arena arena = {0};
    struct changelog_request request = {.since_version = "1.0-1", .cap_bytes = CAP_BYTES};
    struct changelog changelog = {0};
    struct picks picks = {.seen.arena = &arena};
    struct text text = {(const char *)bytes, len};
    deb_changelog_parse(&arena, &request, text, &changelog);
    if (changelog.text_bytes > CAP_BYTES || changelog.entries.count > CHANGELOG_ENTRIES_MAX)
        abort();
    for (size_t i = 0; i < changelog.entries.count; i++)
        picks_take(&arena, text_of(changelog.entries.items[i].text), &picks);
    picks_take(&arena, text, &picks);
    (void)rpm_changelog_version(&arena, text_dup(&arena, text));
    return 0;
}
