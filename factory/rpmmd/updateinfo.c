/* SPDX-License-Identifier: Apache-2.0 */
#include "rpmmd/updateinfo.h"

#include "base/auto.h"
#include "io/http.h"
#include "rpm/rpm_version.h"
#include "rpmmd/repomd.h"
#include "rpmmd/xml_stream.h"

#define REFERENCE_MAX_BYTES 256 /* an advisory, a bug's number; a longer one is none */

/* A reading: the advisory at hand is taken when a package of it is wanted. */
struct reading {
    const struct updateinfo *info;
    struct arena scratch; /* of the advisory at hand */
    struct advisory at_hand;
    size_t package_count; /* elements that were compared */
};

static bool is_wanted(const struct reading *reading, const char **attributes, const char **ret_name)
{
    const char *name = xml_stream_attribute(attributes, "name"), *epoch = xml_stream_attribute(attributes, "epoch");
    const char *version = xml_stream_attribute(attributes, "version");
    const char *release = xml_stream_attribute(attributes, "release");
    const struct advisory_package *package = name ? map_get(reading->info->wanted, text_of(name)) : NULL;
    AUTO(arena_done) struct arena scratch = {0};
    if (!package || !version || !release)
        return false;
    bool has_epoch = epoch && *epoch && strcmp(epoch, "0") != 0;
    const char *evr = has_epoch ? arena_printf(&scratch, "%s:%s-%s", epoch, version, release)
                                : arena_printf(&scratch, "%s-%s", version, release);
    *ret_name = package->name;
    return rpm_version_compare(evr, package->before) > 0 && rpm_version_compare(evr, package->after) <= 0;
}

/* Notes a package of the advisory at hand, if it is wanted. */
static bool take_package(struct xml_stream *xml, const char **attributes)
{
    struct reading *reading = xml->user;
    struct advisory *advisory = &reading->at_hand;
    const char *name;
    if (++reading->package_count > ADVISORY_PACKAGES_MAX)
        return xml_stream_fail(xml, "more than %u packages", ADVISORY_PACKAGES_MAX);
    if (is_wanted(reading, attributes, &name) && !strings_has(&advisory->packages, name))
        list_add(&reading->scratch, &advisory->packages, name);
    return true;
}

static bool begin_element(struct xml_stream *xml, const char *element, const char **attributes)
{
    struct reading *reading = xml->user;
    struct advisory *advisory = &reading->at_hand;
    xml->is_text_wanted = xml->depth == 3 && (strcmp(element, "id") == 0 || strcmp(element, "title") == 0 ||
                                              strcmp(element, "severity") == 0);
    if (xml->depth == 1)
        return strcmp(element, "updates") == 0 || xml_stream_fail(xml, "this is not an updateinfo.xml");
    if (xml->depth == 2 && strcmp(element, "update") == 0) {
        arena_done(&reading->scratch);
        *advisory =
            (struct advisory){.kind = arena_strdup(&reading->scratch, xml_stream_attribute(attributes, "type"))};
    } else if (xml->depth == 3 && strcmp(element, "issued") == 0) {
        advisory->issued = arena_strdup(&reading->scratch, xml_stream_attribute(attributes, "date"));
    } else if (xml->depth == 4 && strcmp(element, "reference") == 0) {
        const char *id = arena_strdup(&reading->scratch, xml_stream_attribute(attributes, "id"));
        if (id && *id && strlen(id) <= REFERENCE_MAX_BYTES && advisory->references.count < ADVISORY_REFERENCES_MAX)
            list_add(&reading->scratch, &advisory->references, id);
    }
    return xml->depth != 5 || strcmp(element, "package") != 0 || take_package(xml, attributes);
}

static bool end_element(struct xml_stream *xml, const char *element, struct text content)
{
    struct reading *reading = xml->user;
    struct advisory *advisory = &reading->at_hand;
    if (xml->depth == 3 && strcmp(element, "id") == 0)
        advisory->id = text_dup(&reading->scratch, text_trim(content));
    else if (xml->depth == 3 && strcmp(element, "title") == 0)
        advisory->title = text_dup(&reading->scratch, text_trim(content));
    else if (xml->depth == 3 && strcmp(element, "severity") == 0)
        advisory->severity = text_dup(&reading->scratch, text_trim(content));
    if (xml->depth != 2 || strcmp(element, "update") != 0 || !advisory->packages.count)
        return true;
    if (!reading->info->take(reading->info->user, advisory, xml->err))
        return false;
    *advisory = (struct advisory){0};
    return true;
}

bool updateinfo_read(const struct updateinfo *info, enum compression compression, struct text bytes, struct err *err)
{
    struct reading reading = {.info = info};
    struct xml_stream xml = {.name = info->name, .begin = begin_element, .end = end_element, .user = &reading};
    bool is_good = xml_stream_read(&xml, compression, bytes, err);
    arena_done(&reading.scratch);
    return is_good;
}

/* --- those of a repository --- */

/* Where advisories are put. */
struct listing {
    struct arena *arena;
    struct advisories *advisories;
};

static void copy_strings(struct arena *arena, const struct strings *from, struct strings *to)
{
    *to = (struct strings){0};
    for (size_t i = 0; i < from->count; i++)
        list_add(arena, to, arena_strdup(arena, from->items[i]));
}

static bool take(void *user, const struct advisory *advisory, struct err *err)
{
    struct listing *listing = user;
    struct arena *arena = listing->arena;
    if (!advisory->id)
        return true;
    if (listing->advisories->count >= ADVISORIES_MAX) {
        err_set(err, ERR_MALFORMED, "more than %u advisories of the packages asked for", ADVISORIES_MAX);
        return false;
    }
    struct advisory copy = {.id = arena_strdup(arena, advisory->id),
                            .kind = arena_strdup(arena, advisory->kind),
                            .severity = arena_strdup(arena, advisory->severity),
                            .title = arena_strdup(arena, advisory->title),
                            .issued = arena_strdup(arena, advisory->issued)};
    copy_strings(arena, &advisory->packages, &copy.packages);
    copy_strings(arena, &advisory->references, &copy.references);
    list_add(arena, listing->advisories, copy);
    return true;
}

/* Gets the file that repomd.xml lists into the store: by its SHA-256, or one found by its SHA-512. */
static bool get_file(const struct advisory_request *request, const struct rpm_metadata_file *file,
                     struct view *ret_view, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    const char *uri = request->uri, *slash = text_has_suffix(text_of(uri), "/") ? "" : "/";
    const char *urls[] = {arena_printf(&scratch, "%s%s%s", uri, slash, file->href)};
    struct digest digest = {0};
    bool is_found = false, is_sha256 = file->checksum.kind == CHECKSUM_SHA256;
    if (is_sha256)
        digest = checksum_digest(&file->checksum);
    else if (!store_find_sha512(request->store, &file->checksum, &digest, &is_found, err))
        return false;
    if ((is_sha256 || is_found) && !store_map_blob(request->store, &digest, ret_view, &is_found, err))
        return false;
    if (is_found)
        return true;
    if (!request->http || !(strncmp(uri, "http://", 7) == 0 || strncmp(uri, "https://", 8) == 0)) {
        err_set(err, ERR_LOCAL, "its updateinfo.xml is not in the cache");
        return false;
    }
    struct http_request get = {.urls = urls,
                               .url_count = 1,
                               .cap_bytes = ADVISORIES_MAX_BYTES,
                               .is_size_known = file->size_bytes != 0,
                               .size_bytes = file->size_bytes,
                               .is_digest_known = is_sha256,
                               .sha512 = is_sha256 ? NULL : &file->checksum,
                               .is_tried_once = true,
                               .store = request->store};
    if (is_sha256)
        get.digest = digest;
    http_send(request->http, &get);
    bool is_good = http_wait(request->http, &get);
    if (!is_good)
        *err = get.err;
    buf_done(&get.body);
    return is_good && store_map_blob(request->store, &get.blob_digest, ret_view, &is_found, err) && is_found;
}

/* Finds the file in the repomd.xml that the cache has; *ret_file NULL when the repository has no advisories. */
static bool find_file(struct arena *arena, const struct advisory_request *request,
                      const struct rpm_metadata_file **ret_file, struct err *err)
{
    AUTO(view_done) struct view view = {0};
    struct repomd *repomd = arena_new(arena, struct repomd);
    bool is_found;
    *ret_file = NULL;
    if (!store_map_blob(request->store, &request->metadata, &view, &is_found, err))
        return false;
    if (!is_found) {
        err_set(err, ERR_LOCAL, "its repomd.xml is not in the cache");
        return false;
    }
    if (!repomd_parse(arena, "repomd.xml", (struct text){view.ptr, view.len}, repomd, err))
        return false;
    for (size_t i = 0; i < repomd->files.count; i++) {
        if (strcmp(repomd->files.items[i].type, "updateinfo") == 0)
            *ret_file = &repomd->files.items[i];
    }
    return true;
}

bool rpm_advisories(struct arena *arena, const struct advisory_request *request, struct advisories *ret_advisories,
                    struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    AUTO(view_done) struct view view = {0};
    const struct rpm_metadata_file *file;
    *ret_advisories = (struct advisories){0};
    if (!find_file(&scratch, request, &file, err))
        return false;
    if (!file)
        return true;
    if (!get_file(request, file, &view, err))
        return false;
    struct listing listing = {arena, ret_advisories};
    struct updateinfo info = {.name = file->href, .wanted = request->wanted, .take = take, .user = &listing};
    return updateinfo_read(&info, compression_of_name(file->href), (struct text){view.ptr, view.len}, err);
}
