/* SPDX-License-Identifier: Apache-2.0 */
#include "change/packaged.h"

#include "base/auto.h"
#include "formats/formats.h"
#include "package/pack.h"

const struct format *packaged_format(const struct bill_package *package)
{
    const struct format *format;
    for (size_t i = 0; (format = formats_at(i)) != NULL; i++) {
        if (text_has_suffix(text_of(package->url), format->file_ending))
            return format;
    }
    return NULL;
}

struct package_expect packaged_expect(const struct bill_package *package, const struct format *format)
{
    return (struct package_expect){.format = format,
                                   .name = package->name,
                                   .version = package->version,
                                   .architecture = package->architecture,
                                   .digest = package->digest};
}

bool packaged_has_digest(const struct bill_package *package)
{
    static const struct digest none;
    return !digest_eq(&package->digest, &none);
}

bool packaged_is_here(struct store *store, const struct bill_package *package)
{
    return store_has(store, &package->digest) || store_has_derived(store, PACK_KIND, &package->digest);
}

struct package *packaged_open(struct store *store, const struct bill_package *package)
{
    AUTO(view_done) struct view view = {0};
    const struct format *format = packaged_format(package);
    struct package *opened = NULL;
    struct err ignored = {0};
    bool is_found;
    if (!format || !packaged_has_digest(package))
        return NULL;
    struct package_expect expect = packaged_expect(package, format);
    if (!package_open(store, &expect, &opened, &is_found, &ignored) || is_found)
        return opened;
    if (!store_map_blob(store, &expect.digest, &view, &is_found, &ignored) || !is_found ||
        !package_unpack(store, (struct text){view.ptr, view.len}, &expect, &ignored))
        return NULL;
    return package_open(store, &expect, &opened, &is_found, &ignored) ? opened : NULL;
}
