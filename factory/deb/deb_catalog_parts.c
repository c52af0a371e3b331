/* SPDX-License-Identifier: Apache-2.0 */
/* What all parts of a catalog ask of it. */
#include "deb/deb_catalog_parts.h"

struct pin_view deb_catalog_seen(const struct deb_catalog *catalog, const struct release *release)
{
    bool is_part = release->pin && (release->pin->is_extra || release->pin->names.count);
    return (struct pin_view){is_part ? release->pin : NULL, catalog->base.arch->name};
}

struct digest deb_catalog_key(const char *format, const struct digest *listed, const struct pin_view *seen)
{
    struct digest_stream stream;
    digest_begin(&stream);
    digest_feed(&stream, format, strlen(format) + 1);
    digest_feed(&stream, listed->bytes, sizeof listed->bytes);
    pin_view_feed(seen, &stream);
    return digest_end(&stream);
}

bool deb_catalog_has(const struct catalog *any, const char *name, bool is_virtual_fine)
{
    const struct deb_catalog *catalog = deb_catalog_of_const(any);
    for (size_t i = 0; i < catalog->indices.count; i++) {
        struct deb_hits hits = deb_index_find(&catalog->indices.items[i].index, text_of(name));
        uint32_t number;
        bool is_virtual;
        while (deb_index_next(&hits, &number, &is_virtual)) {
            if (!is_virtual || is_virtual_fine)
                return true;
        }
    }
    return false;
}

void deb_catalog_names(const struct catalog *any, catalog_take_name *take, void *taker)
{
    const struct deb_catalog *catalog = deb_catalog_of_const(any);
    for (size_t i = 0; i < catalog->indices.count; i++) {
        const struct deb_index *index = &catalog->indices.items[i].index;
        for (uint32_t number = 0; number < index->stanza_count; number++)
            take(taker, deb_index_name(index, number));
    }
}

static bool is_package(const struct deb_stanza *stanza, const struct pin_package *package)
{
    static const struct digest any;
    struct digest digest;
    return text_eq(stanza->name, text_of(package->name)) && text_eq(stanza->version, text_of(package->version)) &&
           text_eq(stanza->architecture, text_of(package->architecture)) &&
           (digest_eq(&package->digest, &any) ||
            (digest_parse(stanza->sha256, &digest) && digest_eq(&digest, &package->digest)));
}

bool deb_catalog_lists(const struct catalog *any, const struct pin_package *package)
{
    const struct deb_catalog *catalog = deb_catalog_of_const(any);
    for (size_t i = 0; i < catalog->indices.count; i++) {
        const struct deb_index *index = &catalog->indices.items[i].index;
        struct deb_hits hits = deb_index_find(index, text_of(package->name));
        struct deb_stanza stanza;
        uint32_t number;
        bool is_virtual;
        while (deb_index_next(&hits, &number, &is_virtual)) {
            if (!is_virtual && deb_index_read(index, number, &stanza) && is_package(&stanza, package))
                return true;
        }
    }
    return false;
}

const struct origin *deb_catalog_origin(const struct deb_catalog *catalog, const struct release *release)
{
    for (size_t i = 0; i < catalog->releases->count; i++) {
        if (catalog->releases->items[i] == release)
            return &catalog->base.origins.items[i];
    }
    return NULL;
}

bool deb_catalog_fail_damaged(const struct deb_catalog *catalog, const struct deb_catalog_index *index, struct err *err)
{
    if (catalog->env)
        store_drop_derived(catalog->env->store, "deb-index", &index->key);
    err_set(err, ERR_LOCAL, "%s: its index in the cache is damaged; it was removed and is made again at the next run",
            index->name);
    return false;
}
