/* SPDX-License-Identifier: Apache-2.0 */
#include "sbom/vex_claims.h"

bool vex_is_cve(const char *word)
{
    static const char digits[] = "0123456789";
    if (strncmp(word, "CVE-", 4) != 0)
        return false;
    size_t year = strspn(word + 4, digits);
    size_t number = word[4 + year] == '-' ? strspn(word + 5 + year, digits) : 0;
    return year == 4 && number >= 4 && number <= 19 && !word[5 + year + number];
}

void vex_claim_add(struct vex_claims *claims, struct vex_claim claim)
{
    const char *key = arena_printf(claims->arena, "%s %zu %s", claim.cve, claim.platform, claim.package);
    struct vex_claim *there = map_get(&claims->known, text_of(key));
    if (there) {
        if (claim.status > there->status)
            *there = claim;
        return;
    }
    there = arena_new(claims->arena, struct vex_claim);
    *there = claim;
    map_set(&claims->known, text_of(key), there);
    list_add(claims->arena, &claims->items, there);
}
