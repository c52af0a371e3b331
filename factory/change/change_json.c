/* SPDX-License-Identifier: Apache-2.0 */
#include "change/change_json.h"

#include "base/auto.h"
#include "change/libraries.h"
#include "change/stories.h"
#include "oci/oci_text.h"

#include <assert.h>

static const char *const kind_names[] = {[CHANGE_CAME] = "came", [CHANGE_WENT] = "went", [CHANGE_CHANGED] = "changed"};
static const char *const node_names[] = {
    [NODE_DIRECTORY] = "directory", [NODE_FILE] = "file", [NODE_SYMLINK] = "symlink", [NODE_HARDLINK] = "hardlink"};

static json_t *digest_json(const struct digest *digest)
{
    static const struct digest none;
    return digest_eq(digest, &none) ? json_null() : json_sprintf("sha256:%s", digest_hex(digest).chars);
}

static json_t *package_json(const struct package_change *change)
{
    const struct bill_package *package = change_package(change);
    json_t *json = json_pack("{s:o, s:o, s:s, s:b}", "name", record_text(package->name), "architecture",
                             record_text(package->architecture), "change", kind_names[change->kind], "gave_files",
                             change->has_given);
    json_object_set_new(json, "source_package", record_text(package->source_package));
    json_object_set_new(json, "before", record_text(change->before ? change->before->version : NULL));
    json_object_set_new(json, "after", record_text(change->after ? change->after->version : NULL));
    return json;
}

static json_t *state_json(const struct bill_file *file)
{
    if (!file)
        return json_null();
    json_t *json =
        json_pack("{s:s, s:o, s:I, s:I, s:I}", "kind", node_names[file->kind], "mode", json_sprintf("%04o", file->mode),
                  "uid", (json_int_t)file->uid, "gid", (json_int_t)file->gid, "size", (json_int_t)file->size_bytes);
    json_object_set_new(json, "digest", digest_json(&file->digest));
    json_object_set_new(json, "target", record_text(file->target));
    json_object_set_new(json, "capability", record_text(file->capability));
    return json;
}

static json_t *file_json(const struct file_change *change)
{
    const struct bill_file *file = change->after ? change->after : change->before;
    return json_pack("{s:o, s:s, s:o, s:o, s:o}", "path", record_text(file->path), "change", kind_names[change->kind],
                     "package", record_text(file->package), "before", state_json(change->before), "after",
                     state_json(change->after));
}

/* The value was JSON before. */
static json_t *value_of(const char *text)
{
    json_t *value = text ? json_loads(text, JSON_DECODE_ANY, NULL) : NULL;
    return value ? value : json_null();
}

static json_t *value_json(const struct value_change *change)
{
    return json_pack("{s:s, s:o, s:o, s:o}", "key", change->key, "name", record_text(change->name), "before",
                     value_of(change->before), "after", value_of(change->after));
}

static json_t *side_json(const struct change_side *side)
{
    if (!side)
        return json_null();
    json_t *json =
        json_pack("{s:o, s:I}", "digest", digest_json(&side->digest), "layer_bytes", (json_int_t)side->layer_bytes);
    json_object_set_new(json, "unpacked_bytes",
                        side->bill ? json_integer((json_int_t)side->unpacked_bytes) : json_null());
    json_object_set_new(json, "from", json_string(!side->bill ? "configuration" : side->is_read ? "layers" : "bill"));
    return json;
}

/* RFC 3339; null when it is not known. */
static json_t *time_json(int64_t seconds)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct err ignored = {0};
    const char *text;
    return seconds && oci_timestamp(&scratch, seconds, &text, &ignored) ? json_string(text) : json_null();
}

static json_t *story_json(const struct change *change, const struct change_story *told)
{
    const struct story *story = told->story;
    json_t *json = json_object(), *entries = json_array();
    for (size_t i = 0; i < story->changelog.entries.count; i++) {
        const struct changelog_entry *entry = &story->changelog.entries.items[i];
        json_array_append_new(entries, json_pack("{s:o, s:o, s:o, s:o}", "version", record_text(entry->version), "date",
                                                 time_json(entry->time), "urgency", record_text(entry->urgency), "text",
                                                 record_text(entry->text)));
    }
    json_object_set_new(json, "source_package", record_text(story->source));
    json_object_set_new(json, "packages", record_strings(&told->packages));
    json_object_set_new(json, "gave_files", json_boolean(stories_are_given(change, &told->packages)));
    json_object_set_new(json, "before", record_text(story->before));
    json_object_set_new(json, "after", record_text(story->after));
    json_object_set_new(json, "downgrade", json_boolean(story->is_back));
    json_object_set_new(json, "entries", entries);
    json_object_set_new(json, "whole", json_boolean(story->is_read && !story->changelog.is_cut));
    json_object_set_new(json, "cves", record_strings(&story->picks.cves));
    json_object_set_new(json, "advisories", record_strings(&story->picks.advisories));
    json_object_set_new(json, "bugs", record_strings(&story->picks.bugs));
    json_object_set_new(json, "not_read", record_text(story->why_not && !story->is_read ? story->why_not : NULL));
    return json;
}

static json_t *library_json(const struct library_change *change)
{
    return json_pack("{s:o, s:s, s:o, s:o, s:o, s:o, s:I, s:I}", "soname", record_text(change->soname), "change",
                     kind_names[change->kind], "before", record_text(change->before), "after",
                     record_text(change->after), "symbols_came", record_strings(&change->symbols_came), "symbols_went",
                     record_strings(&change->symbols_went), "symbols_came_count", (json_int_t)change->came_count,
                     "symbols_went_count", (json_int_t)change->went_count);
}

static json_t *advisory_json(const struct advisory *advisory)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "id", record_text(advisory->id), "type",
                     record_text(advisory->kind), "severity", record_text(advisory->severity), "title",
                     record_text(advisory->title), "issued", record_text(advisory->issued), "packages",
                     record_strings(&advisory->packages), "references", record_strings(&advisory->references));
}

json_t *change_json(const struct change *change)
{
    const struct change_side *side = change->after ? change->after : change->before;
    assert(side);
    enum change_kind kind = !change->before ? CHANGE_CAME : !change->after ? CHANGE_WENT : CHANGE_CHANGED;
    json_t *json = json_object(), *packages = json_array(), *files = json_array(), *values = json_array();
    for (size_t i = 0; i < change->packages.count; i++)
        json_array_append_new(packages, package_json(&change->packages.items[i]));
    for (size_t i = 0; i < change->files.count; i++)
        json_array_append_new(files, file_json(&change->files.items[i]));
    for (size_t i = 0; i < change->values.count; i++)
        json_array_append_new(values, value_json(&change->values.items[i]));
    json_object_set_new(json, "platform", record_text(side->platform));
    json_object_set_new(json, "change", json_string(change_is_none(change) ? "none" : kind_names[kind]));
    json_object_set_new(json, "before", side_json(change->before));
    json_object_set_new(json, "after", side_json(change->after));
    json_object_set_new(json, "packages", packages);
    json_object_set_new(json, "files", files);
    json_object_set_new(json, "configuration", values);
    json_t *stories = json_array();
    for (size_t i = 0; i < change->stories.count; i++)
        json_array_append_new(stories, story_json(change, &change->stories.items[i]));
    json_t *libraries = json_array();
    for (size_t i = 0; i < change->libraries.count; i++)
        json_array_append_new(libraries, library_json(&change->libraries.items[i]));
    json_object_set_new(json, "libraries", libraries);
    json_t *advisories = json_array();
    for (size_t i = 0; i < change->advisories.count; i++)
        json_array_append_new(advisories, advisory_json(&change->advisories.items[i]));
    json_object_set_new(json, "advisories", advisories);
    json_object_set_new(json, "changelogs", stories);
    json_object_set_new(json, "notes", record_strings(&change->notes));
    return json;
}
