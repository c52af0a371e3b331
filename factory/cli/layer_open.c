/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/layer_open.h"

#include "base/auto.h"
#include "layer/chunk_check.h"

bool layer_map(const struct layout_image *image, struct store *store, const struct layout_blob *blob,
               struct view *ret_view, struct err *err)
{
    if (store) {
        bool is_found;
        if (!store_map_blob(store, &blob->digest, ret_view, &is_found, err))
            return false;
        if (!is_found)
            err_set(err, ERR_LOCAL, "layer sha256:%s went from the cache", digest_hex(&blob->digest).chars);
        return is_found;
    }
    AUTO(auto_close_fd) int fd = -1;
    if (!layout_blob_open(image, blob, &fd, err) || !file_map_fd(fd, "a layer", ret_view, err))
        return false;
    struct digest digest = digest_of(ret_view->ptr, ret_view->len);
    if (digest_eq(&digest, &blob->digest))
        return true;
    err_set(err, ERR_TRUST, "layer sha256:%s has other bytes than its digest says", digest_hex(&blob->digest).chars);
    return false;
}

bool layer_hold_table(const struct layout_manifest *manifest, size_t index, struct text bytes, struct err *err)
{
    const struct layer_toc *toc = index < manifest->tocs.count ? manifest->tocs.items[index] : NULL;
    uint64_t unpacked_left = UINT64_MAX;
    char name[sizeof "layer sha256:" + DIGEST_HEX_SIZE];
    (void)snprintf(name, sizeof name, "layer sha256:%s", digest_hex(&manifest->layers.items[index].digest).chars);
    const struct chunk_check check = {.toc = toc, .bytes = bytes, .name = name, .unpacked_left = &unpacked_left};
    return !toc || chunk_check(&check, err);
}

bool layers_hold_tables(const struct layout_image *image, struct store *store, const struct layout_manifest *manifest,
                        struct err *err)
{
    for (size_t i = 0; i < manifest->layers.count; i++) {
        AUTO(view_done) struct view view = {0};
        if (i >= manifest->tocs.count || !manifest->tocs.items[i])
            continue;
        if (!layer_map(image, store, &manifest->layers.items[i], &view, err) ||
            !layer_hold_table(manifest, i, (struct text){view.ptr, view.len}, err))
            return false;
    }
    return true;
}
