/* SPDX-License-Identifier: Apache-2.0 */
#include "rpmmd/rpm_updateinfo.h"

#include "base/auto.h"
#include "base/map.h"
#include "rpm/rpm_version.h"
#include "rpmmd/rpm_catalog_parts.h"
#include "rpmmd/rpm_metadata.h"
#include "rpmmd/xml_stream.h"

#define UPDATE_DEPTH 2
#define PACKAGE_DEPTH 5

struct reading {
    struct map updates; /* by package: struct catalog_update * */
    bool is_security;   /* the advisory that is being read */
};

/* Epoch, version and release as a package has them; an epoch of 0 is none. */
static const char *version_of(struct arena *arena, const char **attributes)
{
    const char *epoch = xml_stream_attribute(attributes, "epoch"),
               *version = xml_stream_attribute(attributes, "version"),
               *release = xml_stream_attribute(attributes, "release");
    if (!version || !release)
        return NULL;
    bool has_epoch = epoch && *epoch && strcmp(epoch, "0") != 0;
    return arena_printf(arena, "%s%s%s-%s", has_epoch ? epoch : "", has_epoch ? ":" : "", version, release);
}

static void mark(struct reading *reading, const char **attributes)
{
    AUTO(arena_done) struct arena scratch = {0};
    const char *name = xml_stream_attribute(attributes, "name");
    struct catalog_update *update = name ? map_get(&reading->updates, text_of(name)) : NULL;
    const char *version = update && !update->is_security ? version_of(&scratch, attributes) : NULL;
    if (version)
        update->is_security =
            rpm_version_compare(version, update->before) > 0 && rpm_version_compare(version, update->after) <= 0;
}

static bool begin(struct xml_stream *xml, const char *element, const char **attributes)
{
    struct reading *reading = xml->user;
    if (xml->depth == 1)
        return strcmp(element, "updates") == 0 || xml_stream_fail(xml, "this is not an updateinfo.xml");
    if (xml->depth == UPDATE_DEPTH) {
        const char *type = xml_stream_attribute(attributes, "type");
        reading->is_security = strcmp(element, "update") == 0 && type && strcmp(type, "security") == 0;
    }
    if (xml->depth == PACKAGE_DEPTH && reading->is_security && strcmp(element, "package") == 0)
        mark(reading, attributes);
    return true;
}

static bool end(struct xml_stream *xml, const char *element, struct text content)
{
    (void)xml, (void)element, (void)content;
    return true;
}

bool rpm_updateinfo_mark(const char *name, struct text plain, struct catalog_update *updates, size_t count,
                         struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct reading reading = {.updates.arena = &scratch};
    for (size_t i = 0; i < count; i++)
        (void)map_add(&reading.updates, text_of(updates[i].package), &updates[i]);
    struct xml_stream xml = {.name = name, .begin = begin, .end = end, .user = &reading};
    return xml_stream_read(&xml, COMPRESSION_NONE, plain, err);
}

bool rpm_catalog_mark_security(struct catalog *any, struct catalog_update *updates, size_t count, struct err *err)
{
    const struct rpm_catalog *catalog = rpm_catalog_of(any);
    AUTO(arena_done) struct arena scratch = {0};
    for (size_t i = 0; i < catalog->repos.count; i++) {
        const struct rpm_catalog_repo *repo = &catalog->repos.items[i];
        AUTO(buf_done) struct buf plain = {0};
        const struct rpm_metadata_file *file = repo->metadata ? rpm_metadata_find(repo->metadata, "updateinfo") : NULL;
        const char *name = arena_printf(&scratch, "updateinfo.xml of %s", repo->repository->id);
        if (file && (!rpm_metadata_fetch(catalog->env, repo->metadata, file, &plain, err) ||
                     !rpm_updateinfo_mark(name, buf_text(&plain), updates, count, err)))
            return false;
    }
    return true;
}
