/* SPDX-License-Identifier: Apache-2.0 */
#include "rpmmd/repomd.h"

#include "rpmmd/rpm_href.h"
#include "rpmmd/xml.h"

#define FILES_MAX 256
#define TYPE_BYTES_MAX 64
#define TAGS_MAX 16

/* One repomd.xml being read. */
struct reading {
    struct arena *arena;
    struct repomd repomd;
    struct rpm_metadata_file file; /* the data element that is open */
    bool has_checksum;
    int64_t revision;
    struct checksum *checksum; /* where the text of the open checksum element goes */
};

static bool refuse(const struct reading *reading, struct err *err, const char *what, const char *why)
{
    err_set(err, ERR_MALFORMED, "data \"%s\": %s%s", reading->file.type, what, why);
    return false;
}

/* A name of ours in messages and tables: letters, digits, '_', '-', '.'. */
static bool is_type(const char *type)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";
    return *type && strlen(type) <= TYPE_BYTES_MAX && !type[strspn(type, plain)];
}

static bool begin_data(struct reading *reading, const struct xml_element *element, struct err *err)
{
    const char *type = xml_attribute(element, "type");
    reading->file = (struct rpm_metadata_file){0};
    reading->has_checksum = false;
    if (!type || !is_type(type)) {
        err_set(err, ERR_MALFORMED, "a data element without a type, or with a bad one");
        return false;
    }
    for (size_t i = 0; i < reading->repomd.files.count; i++) {
        if (strcmp(reading->repomd.files.items[i].type, type) == 0) {
            err_set(err, ERR_MALFORMED, "data \"%s\" stands there twice", type);
            return false;
        }
    }
    if (reading->repomd.files.count == FILES_MAX) {
        err_set(err, ERR_MALFORMED, "more than %d data elements", FILES_MAX);
        return false;
    }
    reading->file.type = arena_strdup(reading->arena, type);
    return true;
}

static bool begin_checksum(struct reading *reading, const struct xml_element *element, bool is_open, struct err *err)
{
    const char *type = xml_attribute(element, "type");
    struct rpm_metadata_file *file = &reading->file;
    reading->checksum = is_open ? &file->open_checksum : &file->checksum;
    if (is_open ? file->has_open_checksum : reading->has_checksum)
        return refuse(reading, err, "it has two checksums of one kind", "");
    if (!type || !checksum_find_kind(text_of(type), &reading->checksum->kind)) {
        err_set(err, ERR_TRUST, "data \"%s\": its checksum is of type %s; only sha256 and sha512 are accepted",
                file->type, type ? text_printable(reading->arena, text_of(type)) : "(none)");
        return false;
    }
    if (is_open)
        file->has_open_checksum = true;
    else
        reading->has_checksum = true;
    return true;
}

static bool take_location(struct reading *reading, const struct xml_element *element, struct err *err)
{
    const char *href = xml_attribute(element, "href");
    const char *why = href ? rpm_href_fault(text_of(href)) : "there is none";
    if (reading->file.href)
        return refuse(reading, err, "it has two locations", "");
    if (xml_attribute(element, "base"))
        return refuse(reading, err, "its location has another base (xml:base), which is not supported", "");
    if (why) {
        err_set(err, ERR_MALFORMED, "data \"%s\": the href \"%s\" is refused: %s", reading->file.type,
                href ? text_printable(reading->arena, text_of(href)) : "", why);
        return false;
    }
    reading->file.href = arena_strdup(reading->arena, href);
    return true;
}

/* "cpe:/o:fedoraproject:fedora:41" (CPE 2.2): the fifth part is the version. */
static const char *version_of_cpe(struct arena *arena, const char *cpe)
{
    struct text rest = text_of(cpe), part;
    for (size_t i = 0; text_next(&rest, ':', &part); i++) {
        if (i == 4 && part.len)
            return text_dup(arena, part);
    }
    return NULL;
}

static bool on_begin(void *user, const struct xml_element *element, struct err *err)
{
    struct reading *reading = user;
    const char *path = element->path;
    bool is_root = !strchr(path, '/');
    if (is_root && strcmp(path, "repomd") != 0) {
        err_set(err, ERR_MALFORMED, "not a repomd.xml: it begins with <%s>",
                text_printable(reading->arena, text_of(path)));
        return false;
    }
    if (strcmp(path, "repomd/data") == 0)
        return begin_data(reading, element, err);
    if (strcmp(path, "repomd/data/checksum") == 0)
        return begin_checksum(reading, element, false, err);
    if (strcmp(path, "repomd/data/open-checksum") == 0)
        return begin_checksum(reading, element, true, err);
    if (strcmp(path, "repomd/data/location") == 0)
        return take_location(reading, element, err);
    const char *cpe = strcmp(path, "repomd/tags/distro") == 0 ? xml_attribute(element, "cpeid") : NULL;
    if (cpe && reading->repomd.cpes.count < TAGS_MAX)
        list_add(reading->arena, &reading->repomd.cpes, text_printable(reading->arena, text_of(cpe)));
    if (cpe && !reading->repomd.version)
        reading->repomd.version = version_of_cpe(reading->arena, cpe);
    return true;
}

/* Old tools wrote timestamps with a fraction of a second; it is dropped. */
static bool parse_seconds(struct text text, int64_t *ret_seconds)
{
    struct text whole;
    uint64_t seconds, fraction;
    if (!text_next(&text, '.', &whole) || !text_parse_u64(whole, &seconds) || seconds > INT32_MAX * INT64_C(100))
        return false;
    if (text.len && !text_parse_u64(text, &fraction))
        return false;
    *ret_seconds = (int64_t)seconds;
    return true;
}

static bool take_number(struct reading *reading, const struct xml_element *element, uint64_t *ret_value,
                        struct err *err)
{
    if (text_parse_u64(element->content, ret_value))
        return true;
    return refuse(reading, err, "not a number of bytes: ", text_printable(reading->arena, element->content));
}

static bool take_timestamp(struct reading *reading, const struct xml_element *element, struct err *err)
{
    int64_t seconds;
    if (!parse_seconds(element->content, &seconds))
        return refuse(reading, err, "not a timestamp: ", text_printable(reading->arena, element->content));
    if (seconds > reading->repomd.date)
        reading->repomd.date = seconds;
    return true;
}

static bool take_checksum(struct reading *reading, const struct xml_element *element, struct err *err)
{
    if (checksum_parse(reading->checksum->kind, element->content, reading->checksum))
        return true;
    return refuse(reading, err, "not a checksum of its type: ", text_printable(reading->arena, element->content));
}

static bool end_data(struct reading *reading, struct err *err)
{
    if (!reading->file.href)
        return refuse(reading, err, "it has no location", "");
    if (!reading->has_checksum)
        return refuse(reading, err, "it has no checksum", "");
    list_add(reading->arena, &reading->repomd.files, reading->file);
    return true;
}

/* Takes what the repository says of itself. */
static void take_tag(struct reading *reading, const struct xml_element *element)
{
    struct repomd *repomd = &reading->repomd;
    const struct {
        const char *path;
        struct strings *list;
    } table[] = {{"repomd/tags/distro", &repomd->distros},
                 {"repomd/tags/content", &repomd->contents},
                 {"repomd/tags/repo", &repomd->repos}};
    for (size_t i = 0; i < ARRAY_COUNT(table); i++) {
        bool is_wanted = element->content.len && strcmp(element->path, table[i].path) == 0;
        if (is_wanted && table[i].list->count < TAGS_MAX)
            list_add(reading->arena, table[i].list, text_printable(reading->arena, element->content));
    }
    if (!repomd->distribution && repomd->distros.count)
        repomd->distribution = repomd->distros.items[0];
}

static bool on_end(void *user, const struct xml_element *element, struct err *err)
{
    struct reading *reading = user;
    const char *path = element->path;
    if (strcmp(path, "repomd/data") == 0)
        return end_data(reading, err);
    if (strcmp(path, "repomd/data/checksum") == 0 || strcmp(path, "repomd/data/open-checksum") == 0)
        return take_checksum(reading, element, err);
    if (strcmp(path, "repomd/data/size") == 0)
        return take_number(reading, element, &reading->file.size_bytes, err);
    if (strcmp(path, "repomd/data/open-size") == 0)
        return take_number(reading, element, &reading->file.open_size_bytes, err);
    if (strcmp(path, "repomd/data/timestamp") == 0)
        return take_timestamp(reading, element, err);
    if (strcmp(path, "repomd/revision") == 0 && !parse_seconds(element->content, &reading->revision))
        reading->revision = 0; /* may be any text */
    take_tag(reading, element);
    return true;
}

bool repomd_parse(struct arena *arena, const char *name, struct text bytes, struct repomd *ret_repomd, struct err *err)
{
    struct reading reading = {.arena = arena};
    struct xml_handler handler = {on_begin, on_end, &reading};
    if (!xml_read(name, bytes, &handler, err))
        return false;
    if (!reading.repomd.files.count) {
        err_set(err, ERR_MALFORMED, "%s: it lists no files", name);
        return false;
    }
    if (!reading.repomd.date)
        reading.repomd.date = reading.revision;
    *ret_repomd = reading.repomd;
    return true;
}
