/* SPDX-License-Identifier: Apache-2.0 */
/* Source files of kind "deb": one mapping, or `repositories:` with several. manifests/README.md, "Sources", describes
 * the keys; the table below is the definition. */
#include "deb/deb_source.h"

#include <errno.h>
#include <unistd.h>

#include "deb/entry.h"
#include "source/beside.h"
#include "source/snapshot.h"
#include "trust/freshness.h"

struct fields {
    const char *kind, *name, *snapshot;
    struct strings uris, suites, components, keys, fingerprints, architectures, release_names;
    uint64_t max_age_days;
    bool is_trusted, is_valid_until_checked, is_by_hash_fine;
    struct yaml_node *repositories;
};

#define FIELD(key, type, field) YAML_FIELD(type, fields, key, field, false, ALTERS_ORDER)
#define REPOSITORY_FIELDS                                                                                              \
    FIELD("name", YAML_STRING, name), FIELD("uris", YAML_STRINGS, uris), FIELD("suites", YAML_STRINGS, suites),        \
        FIELD("components", YAML_STRINGS, components), FIELD("keys", YAML_STRINGS, keys),                              \
        FIELD("fingerprints", YAML_STRINGS, fingerprints), FIELD("architectures", YAML_STRINGS, architectures),        \
        FIELD("trusted", YAML_BOOL, is_trusted), FIELD("check-valid-until", YAML_BOOL, is_valid_until_checked),        \
        FIELD("by-hash", YAML_BOOL, is_by_hash_fine), FIELD("max-age", YAML_NUMBER, max_age_days),                     \
        FIELD("release-names", YAML_STRINGS, release_names), FIELD("snapshot", YAML_STRING, snapshot)

/* What is read, for whom; const for the functions below. */
struct reading {
    struct arena *arena;
    const char *apt_dir;
    struct strings default_keyrings;
};

static bool add_uri(struct arena *arena, const struct yaml_node *node, const char *uri, struct strings *uris,
                    struct err *err)
{
    const char *whole;
    if (!beside_uri(arena, node, uri, &whole, err))
        return false;
    list_add(arena, uris, whole);
    return true;
}

/* Takes URIs and keys, and what was not given, from the host's main repository. */
static bool take_from_host(const struct reading *reading, const struct yaml_node *node, struct entry *entry,
                           struct err *err)
{
    struct deb_source host = {0};
    if (!apt_load_sources(reading->arena, reading->apt_dir, &host, err)) {
        err_wrap(err, "%s:%zu: uris: host", node->file->path, node->line);
        return false;
    }
    const struct deb_repository *main = deb_source_main(&host);
    entry->uris = main->uris;
    if (!entry->keyrings.count) {
        entry->keyrings = main->keyrings;
        entry->inline_keys = main->inline_keys;
        if (!entry->fingerprints.count)
            entry->fingerprints = main->fingerprints;
    }
    entry->is_trusted |= main->is_trusted;
    if (!entry->suites.count)
        list_add(reading->arena, &entry->suites, main->suite);
    if (!entry->components.count && !text_has_suffix(text_of(entry->suites.items[0]), "/"))
        entry->components = main->components;
    return true;
}

static bool read_keys(struct arena *arena, const struct yaml_node *node, const struct fields *fields,
                      struct entry *entry, struct err *err)
{
    for (size_t i = 0; i < fields->keys.count; i++) {
        const char *path = beside_path(arena, node, fields->keys.items[i]);
        if (access(path, R_OK) != 0)
            return yaml_fail(node, err, "the key file %s: %s", path, strerrordesc_np(errno));
        list_add(arena, &entry->keyrings, path);
    }
    for (size_t i = 0; i < fields->fingerprints.count; i++) {
        struct text value = text_of(fields->fingerprints.items[i]);
        size_t before = entry->fingerprints.count;
        if (!entry_set(arena, entry, TEXT("Signed-By"), value, err))
            return false;
        if (entry->fingerprints.count != before + 1)
            return yaml_fail(node, err, "not a fingerprint of 40 hex digits: \"%s\"", fields->fingerprints.items[i]);
    }
    return true;
}

static bool add_entry(const struct reading *reading, const struct yaml_node *node, const struct fields *fields,
                      struct deb_source *source, struct err *err)
{
    struct arena *arena = reading->arena;
    struct entry entry = {
        .place = arena_printf(arena, "%s:%zu", node->file->path, node->line),
        .name = fields->name,
        .suites = fields->suites,
        .components = fields->components,
        .architectures = fields->architectures,
        .is_trusted = fields->is_trusted,
        .is_valid_until_ignored = !fields->is_valid_until_checked,
        .is_by_hash_off = !fields->is_by_hash_fine,
        .is_mirror_group = true,
        .release_names = fields->release_names,
        .max_age_days = fields->max_age_days,
        .snapshot = fields->snapshot,
    };
    list_add(arena, &entry.types, "deb");
    if (!fields->uris.count)
        return yaml_fail(node, err, "a repository needs \"uris\": a list of URIs, or host");
    if (!freshness_check_key(node, fields->max_age_days, err) || !snapshot_check(node, fields->snapshot, err) ||
        !read_keys(arena, node, fields, &entry, err))
        return false;
    bool is_host = fields->uris.count == 1 && strcmp(fields->uris.items[0], "host") == 0;
    if (is_host && !take_from_host(reading, node, &entry, err))
        return false;
    for (size_t i = 0; !is_host && i < fields->uris.count; i++) {
        if (!add_uri(arena, node, fields->uris.items[i], &entry.uris, err))
            return false;
    }
    if (!entry.suites.count)
        return yaml_fail(node, err, "a repository needs \"suites\" (a suite that ends in '/' is a flat repository)");
    bool has_keys = entry.keyrings.count || entry.inline_keys.count || reading->default_keyrings.count;
    if (!has_keys && !entry.is_trusted)
        return yaml_fail(node, err, "a repository needs \"keys\" (files with its public keys), or \"trusted: true\"");
    return entry_expand(arena, &entry, &reading->default_keyrings, source, err);
}

static bool read_repositories(const struct reading *reading, const struct yaml_node *list, struct deb_source *source,
                              struct err *err)
{
    static const struct yaml_field table[] = {REPOSITORY_FIELDS};
    if (list->kind != YAML_SEQUENCE || !list->count)
        return yaml_fail(list, err, "\"repositories\" must be a list of repositories");
    for (size_t i = 0; i < list->count; i++) {
        struct fields fields = {.is_valid_until_checked = true, .is_by_hash_fine = true};
        if (!yaml_read(reading->arena, list->items[i], table, ARRAY_COUNT(table), &fields, err) ||
            !add_entry(reading, list->items[i], &fields, source, err))
            return false;
    }
    return true;
}

static const struct yaml_field file_fields[] = {YAML_FIELD(YAML_STRING, fields, "kind", kind, true, ALTERS_ORDER),
                                                FIELD("repositories", YAML_NODE, repositories), REPOSITORY_FIELDS};

const struct yaml_field *deb_source_keys(size_t *ret_count)
{
    *ret_count = ARRAY_COUNT(file_fields);
    return file_fields;
}

bool deb_source_load_node(struct arena *arena, const struct yaml_node *node, const char *apt_dir,
                          struct deb_source *ret_source, struct err *err)
{
    struct reading reading = {.arena = arena, .apt_dir = apt_dir};
    struct fields fields = {.is_valid_until_checked = true, .is_by_hash_fine = true};
    struct deb_source source = {0};
    if (!yaml_read(arena, node, file_fields, ARRAY_COUNT(file_fields), &fields, err))
        return false;
    if (!entry_default_keyrings(arena, apt_dir, &reading.default_keyrings, err))
        return false;
    bool has_own = fields.uris.count || fields.suites.count || fields.components.count || fields.keys.count ||
                   fields.architectures.count || fields.is_trusted || fields.name || fields.max_age_days ||
                   fields.release_names.count || fields.snapshot;
    if (fields.repositories && has_own)
        return yaml_fail(fields.repositories, err, "give either one repository's keys or \"repositories\", not both");
    bool is_good = fields.repositories ? read_repositories(&reading, fields.repositories, &source, err)
                                       : add_entry(&reading, node, &fields, &source, err);
    if (!is_good)
        return false;
    if (!source.repositories.count)
        return yaml_fail(node, err, "the source has no repository that can be read");
    *ret_source = source;
    return true;
}
