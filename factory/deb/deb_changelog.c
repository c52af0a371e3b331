/* SPDX-License-Identifier: Apache-2.0 */
#include "deb/deb_changelog.h"

#include "base/auto.h"
#include "base/date.h"
#include "deb/deb_version.h"
#include "ground/ground.h"
#include "io/stream.h"
#include "package/path.h"
#include "source/format.h"

#include <ctype.h>
#include <strings.h>

#define DOC_DIR "/usr/share/doc/"
#define LINKS_MAX 8

/* --- the text --- */

/* An entry as it stands in the text. */
struct place {
    struct text version, urgency, body, date;
};

struct places {
    struct place *items;
    size_t count, capacity;
};

static bool is_name_char(char c)
{
    return isalnum((unsigned char)c) || c == '-' || c == '+' || c == '.' || c == '_';
}

/* Takes the value of "urgency=" behind a header's semicolon. */
static struct text urgency_of(struct text rest)
{
    static const char key[] = "urgency=";
    struct text part, word;
    while (text_next(&rest, ',', &part)) {
        part = text_trim(part);
        if (part.len <= strlen(key) || strncasecmp(part.ptr, key, strlen(key)) != 0)
            continue;
        part = (struct text){part.ptr + strlen(key), part.len - strlen(key)};
        return text_next_word(&part, &word) ? word : TEXT("");
    }
    return TEXT("");
}

/* Returns whether there is a word of a suite's name, with a blank before it. */
static bool has_suites(struct text between)
{
    struct text word;
    bool has_any = false;
    if (!between.len || !isspace((unsigned char)between.ptr[0]))
        return false;
    while (text_next_word(&between, &word)) {
        for (size_t i = 0; i < word.len; i++) {
            if (!is_name_char(word.ptr[i]) || word.ptr[i] == '_')
                return false;
        }
        has_any = true;
    }
    return has_any;
}

/* "PACKAGE (VERSION) SUITE...; KEY=VALUE, …", as dpkg's own expression has it. */
static bool parse_header(struct text line, struct place *ret_place)
{
    size_t at = 0;
    if (!line.len || !(isalnum((unsigned char)line.ptr[0]) || line.ptr[0] == '_'))
        return false;
    while (at < line.len && is_name_char(line.ptr[at]))
        at++;
    if (line.len - at < 4 || line.ptr[at] != ' ' || line.ptr[at + 1] != '(')
        return false;
    struct text rest = {line.ptr + at + 2, line.len - at - 2}, version, between;
    if (!memchr(rest.ptr, ')', rest.len) || !text_next(&rest, ')', &version) || !version.len ||
        !memchr(rest.ptr, ';', rest.len) || !text_next(&rest, ';', &between) || !has_suites(between))
        return false;
    for (size_t i = 0; i < version.len; i++) {
        if (version.ptr[i] == '(' || isspace((unsigned char)version.ptr[i]))
            return false;
    }
    *ret_place = (struct place){.version = version, .urgency = urgency_of(rest)};
    return true;
}

/* Lines behind which nothing is read: what editors want to know, and changelogs of an older form. */
static bool is_end(struct text line)
{
    static const char *const ends[] = {"Local variables", "vim:", "Old Changelog:", "Changes from version "};
    while (line.len && (line.ptr[0] == ';' || line.ptr[0] == ' '))
        line = (struct text){line.ptr + 1, line.len - 1};
    for (size_t i = 0; i < ARRAY_COUNT(ends); i++) {
        if (line.len >= strlen(ends[i]) && strncasecmp(line.ptr, ends[i], strlen(ends[i])) == 0)
            return true;
    }
    return false;
}

/* Takes the date off a line " -- NAME <MAIL>  DATE". */
static void take_trailer(struct text line, struct place *place)
{
    const char *end = memrchr(line.ptr, '>', line.len);
    if (end && !place->date.len)
        place->date = text_trim((struct text){end + 1, (size_t)(line.ptr + line.len - end - 1)});
}

/* Finds the entries. */
static struct places find_places(struct arena *arena, struct text rest)
{
    struct places places = {0};
    struct text line;
    while (text_next(&rest, '\n', &line)) {
        struct place *last = places.count ? &places.items[places.count - 1] : NULL, place;
        bool is_indented = line.len && (line.ptr[0] == ' ' || line.ptr[0] == '\t');
        if (!is_indented && parse_header(line, &place)) {
            place.body = (struct text){line.ptr + line.len, 0};
            if (rest.len)
                place.body.ptr = rest.ptr;
            list_add(arena, &places, place);
        } else if (!is_indented && is_end(line)) {
            break;
        } else if (last && text_has_prefix(line, " --")) {
            take_trailer(line, last);
        } else if (last && !last->date.len) {
            last->body.len = (size_t)(line.ptr + line.len - last->body.ptr);
        }
    }
    return places;
}

/* Returns the number of the first entry that is not newer: that of the older version, or else the first that is older
 * still, as dpkg-parsechangelog takes it; the count of all when there is none. */
static size_t find_since(const struct places *places, const struct changelog_request *request)
{
    const char *source = request->since_source_version ? request->since_source_version : request->since_version;
    const char *const exact[] = {request->since_version, source};
    for (size_t k = 0; k < ARRAY_COUNT(exact); k++) {
        for (size_t i = 0; i < places->count; i++) {
            if (text_is(places->items[i].version, exact[k]))
                return i;
        }
    }
    for (size_t i = 0; i < places->count; i++) {
        if (deb_version_compare(places->items[i].version, text_of(source)) < 0)
            return i;
    }
    return places->count;
}

void deb_changelog_parse(struct arena *arena, const struct changelog_request *request, struct text text,
                         struct changelog *changelog)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct places places = find_places(&scratch, text);
    size_t end = find_since(&places, request);
    changelog->is_all = end == places.count;
    for (size_t i = 0; places.items && i < end; i++) {
        const struct place *place = &places.items[i];
        struct changelog_entry entry = {.version = text_dup(arena, place->version)};
        struct text body = place->body;
        if (place->urgency.len)
            entry.urgency = text_dup(arena, place->urgency);
        if (!date_parse(place->date, &entry.time))
            entry.time = 0;
        while (body.len && (body.ptr[0] == '\n' || body.ptr[0] == '\r'))
            body = (struct text){body.ptr + 1, body.len - 1};
        if (!changelog_add(arena, request, &entry, body, changelog))
            return;
    }
}

/* --- the files --- */

/* What is read of one package. */
struct reading {
    struct arena *arena; /* scratch */
    const struct package *package;
    struct buf text;
    struct changelog *changelog;
    struct err *err;
};

/* Appends a file's text, unpacked, as far as the limit lets it. */
static bool add_text(struct reading *reading, const char *path, struct text bytes)
{
    AUTO(stream_auto_close) struct stream *stream = NULL;
    struct text piece;
    enum compression compression = compression_of_name(path);
    bool is_fitting = true;
    if (compression == COMPRESSION_NONE) {
        is_fitting = buf_add(&reading->text, bytes.ptr, bytes.len);
    } else if (!stream_open(compression, bytes, path, &stream, reading->err)) {
        return false;
    }
    while (stream && is_fitting) {
        if (!stream_next(stream, &piece, reading->err))
            return false;
        if (!piece.len)
            break;
        is_fitting = buf_add(&reading->text, piece.ptr, piece.len);
    }
    reading->changelog->is_cut = reading->changelog->is_cut || !is_fitting;
    return true;
}

static bool read_file(struct reading *reading, const struct entry *entry)
{
    struct text bytes = {entry->data, (size_t)entry->size_bytes};
    struct digest digest = digest_of(bytes.ptr, bytes.len);
    if (digest_eq(&digest, &entry->digest))
        return add_text(reading, entry->path, bytes);
    err_set(reading->err, ERR_TRUST, "%s: its bytes in the cache are not those of the package", entry->path);
    return false;
}

/* Follows links within the package. One that leaves it leads to another package's folder, which is told; NULL then, and for
 * what is not there. */
static const struct entry *find_file(struct reading *reading, const char *path)
{
    for (size_t i = 0; path && i < LINKS_MAX; i++) {
        const struct entry *entry = package_find(reading->package, path);
        if (!entry && i && strncmp(path, DOC_DIR, strlen(DOC_DIR)) == 0) {
            const char *name = path + strlen(DOC_DIR);
            reading->changelog->elsewhere = arena_strndup(reading->arena, name, strcspn(name, "/"));
        }
        if (!entry || entry->kind == ENTRY_FILE)
            return entry;
        if (entry->kind == ENTRY_DIRECTORY)
            return NULL;
        path = entry->kind == ENTRY_HARDLINK ? entry->target : path_join_target(reading->arena, path, entry->target);
    }
    return NULL;
}

/* Changelogs of a package: the first has binary-only uploads alone, above all others; of the others one is there. */
#define NAMES_COUNT 5

static const char *name_of(struct arena *arena, size_t at, const char *name, const char *architecture)
{
    static const char *const names[NAMES_COUNT] = {"", "changelog.Debian.gz", "changelog.Debian", "changelog.gz",
                                                   "changelog"};
    return at ? arena_printf(arena, DOC_DIR "%s/%s", name, names[at])
              : arena_printf(arena, DOC_DIR "%s/changelog.Debian.%s.gz", name, architecture);
}

/* Reads what there is; *ret_any whether anything was. */
static bool read_files(struct reading *reading, bool *ret_any)
{
    struct arena *arena = reading->arena;
    const struct package *package = reading->package;
    const char *dir = arena_printf(arena, DOC_DIR "%s", package->name);
    const struct entry *folder = package_find(package, dir);
    *ret_any = false;
    if (folder && folder->kind == ENTRY_SYMLINK) {
        (void)find_file(reading, dir);
        return true;
    }
    for (size_t i = 0; i < NAMES_COUNT && !*ret_any; i++) {
        const struct entry *entry = find_file(reading, name_of(arena, i, package->name, package->architecture));
        if (entry && !read_file(reading, entry))
            return false;
        *ret_any = entry && i;
    }
    *ret_any = *ret_any || reading->text.len;
    return true;
}

/* The same of an image's own files; there links lead wherever they lead in the image. */
static bool read_installed(struct reading *reading, const struct changelog_request *request, bool *ret_any)
{
    const struct package_expect *expect = &request->expect;
    *ret_any = false;
    for (size_t i = 0; i < NAMES_COUNT && !*ret_any; i++) {
        const char *path = name_of(reading->arena, i, expect->name, expect->architecture);
        struct text bytes;
        bool is_found;
        if (!ground_read(request->ground, path, &bytes, &is_found, reading->err) ||
            (is_found && !add_text(reading, path, bytes)))
            return false;
        *ret_any = is_found && i;
    }
    *ret_any = *ret_any || reading->text.len;
    return true;
}

static void auto_close_package(struct package **package)
{
    package_close(*package);
}

/* Opens the package, unpacked now if it was not before. */
static bool open_package(const struct changelog_request *request, struct package **ret_package, bool *ret_found,
                         struct err *err)
{
    AUTO(view_done) struct view view = {0};
    const struct package_expect *expect = &request->expect;
    if (!package_open(request->store, expect, ret_package, ret_found, err))
        return false;
    if (*ret_found)
        return true;
    if (!store_map_blob(request->store, &expect->digest, &view, ret_found, err))
        return false;
    return !*ret_found || (package_unpack(request->store, (struct text){view.ptr, view.len}, expect, err) &&
                           package_open(request->store, expect, ret_package, ret_found, err));
}

bool deb_changelog(struct arena *arena, const struct changelog_request *request, struct changelog *ret_changelog,
                   bool *ret_found, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    AUTO(auto_close_package) struct package *package = NULL;
    bool has_any;
    *ret_changelog = (struct changelog){0};
    *ret_found = true;
    if (!request->ground && !open_package(request, &package, ret_found, err))
        return false;
    if (!*ret_found)
        return true;
    struct reading reading = {.arena = &scratch, .package = package, .changelog = ret_changelog, .err = err};
    buf_init(&reading.text, CHANGELOG_MAX_BYTES);
    bool is_good = package ? read_files(&reading, &has_any) : read_installed(&reading, request, &has_any);
    if (is_good && has_any)
        deb_changelog_parse(arena, request, buf_text(&reading.text), ret_changelog);
    buf_done(&reading.text);
    if (!is_good)
        return false;
    const char *elsewhere = has_any ? NULL : ret_changelog->elsewhere;
    ret_changelog->elsewhere = elsewhere ? arena_strdup(arena, elsewhere) : NULL;
    if (has_any || elsewhere)
        return true;
    err_set(err, ERR_RESOLVE, "package %s has no changelog%s", request->expect.name, package ? "" : " in the image");
    return false;
}
