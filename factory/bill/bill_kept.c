/* SPDX-License-Identifier: Apache-2.0 */
#include "bill/bill.h"

#include "base/auto.h"

#define BILL_KIND "bill"

void bill_keep(struct store *store, const struct digest *manifest, struct text text)
{
    AUTO(blob_abandon) struct blob blob = {0};
    struct err ignored = {0};
    if (store_has_derived(store, BILL_KIND, manifest))
        return;
    if (blob_begin(store, &blob, &ignored) && blob_write(&blob, text.ptr, text.len, &ignored))
        (void)!blob_commit_derived(&blob, BILL_KIND, manifest, &ignored);
}

bool bill_read_kept(struct arena *arena, struct store *store, const struct digest *manifest, struct bill *ret_bill)
{
    AUTO(view_done) struct view view = {0};
    struct err ignored = {0};
    bool is_found;
    return store_map_derived(store, BILL_KIND, manifest, &view, &is_found, &ignored) && is_found &&
           bill_read(arena, (struct text){view.ptr, view.len}, ret_bill) && digest_eq(&ret_bill->manifest, manifest);
}
