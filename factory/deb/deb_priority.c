/* SPDX-License-Identifier: Apache-2.0 */
/* Which priority a version has: the first pin of its name that fits it, else what its repository has. Pins of names are of a
 * version as a whole, in whatever repositories it is. */
#include "deb/deb_pool.h"

#include "deb/deb_arch.h"

/* Whether two stanzas of a name are one version to apt, which the repositories share. */
static bool is_same_version(const struct deb_stanza *a, const struct deb_stanza *b)
{
    return text_eq(a->version, b->version) && text_eq(a->depends, b->depends) &&
           text_eq(a->pre_depends, b->pre_depends) && text_eq(a->conflicts, b->conflicts) &&
           text_eq(a->breaks, b->breaks) && text_eq(a->replaces, b->replaces);
}

/* What the repositories that have a version say. */
struct look {
    bool fits;    /* a pin fits one of them */
    bool is_free; /* one of them is not barred by "never" */
    int priority; /* the highest; at least the given one */
};

/* Looks at all repositories that have a version; `pin` may be NULL. */
static void look_at_repositories(const struct deb_catalog *catalog, const struct deb_pin *pin,
                                 const struct deb_stanza *stanza, struct look *look)
{
    for (size_t i = 0; i < catalog->indices.count; i++) {
        const struct deb_catalog_index *index = &catalog->indices.items[i];
        struct deb_hits hits = deb_index_find(&index->index, stanza->name);
        uint32_t number;
        bool is_virtual;
        hits.is_loose = true;
        while (deb_index_next(&hits, &number, &is_virtual)) {
            struct deb_stanza other;
            if (is_virtual || !deb_index_read(&index->index, number, &other) || !is_same_version(stanza, &other))
                continue;
            look->fits = look->fits || (pin && deb_pin_fits_index(pin, &index->traits));
            look->is_free = look->is_free || index->priority != DEB_PIN_NEVER;
            look->priority = index->priority > look->priority ? index->priority : look->priority;
        }
    }
}

/* Finds the first pin that names a version and fits it; NULL when there is none. */
static const struct deb_pin *find_pin(const struct deb_catalog *catalog, const struct deb_stanza *stanza,
                                      struct look *look)
{
    const struct deb_pin_version version = {.name = stanza->name,
                                            .source = deb_stanza_source(stanza),
                                            .version = stanza->version,
                                            .arch = deb_arch(catalog->base.arch)};
    const struct deb_pin *pin;
    for (size_t at = 0; (pin = deb_pins_next(catalog->pins, &version, &at)) != NULL;) {
        look_at_repositories(catalog, pin, stanza, look);
        if (look->fits || deb_pin_fits_version(pin, stanza->version))
            return pin;
    }
    return NULL;
}

int solve_priority(const struct deb_catalog *catalog, const struct solve_item *item)
{
    struct look look = {0};
    const struct deb_pin *pin = find_pin(catalog, &item->stanza, &look);
    if (!pin)
        return item->index->priority;
    return look.is_free ? pin->priority : DEB_PIN_NEVER;
}

int solve_installed_priority(const struct deb_catalog *catalog, const struct solve_item *installed)
{
    struct look look = {.priority = SOLVE_PRIORITY_INSTALLED};
    const struct deb_pin *pin = find_pin(catalog, &installed->stanza, &look);
    if (pin)
        return pin->priority;
    look_at_repositories(catalog, NULL, &installed->stanza, &look);
    return look.priority;
}
