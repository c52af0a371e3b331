/* SPDX-License-Identifier: Apache-2.0 */
#include "deb/deb_installed.h"

#define STATUS_PATH DPKG_DIR "/status"
#define STATUS_D DPKG_DIR "/status.d"
#define LINES_MAX 4000000u /* of all lists together */

struct reading {
    struct arena *arena;
    const struct ground *ground;
    struct deb_installed *installed;
    size_t line_count;
    struct err *err;
};

struct text deb_listed(struct text line)
{
    while (line.len && line.ptr[line.len - 1] == '\r')
        line.len--;
    return text_is(line, "/.") || text_is(line, "/") ? TEXT("") : line;
}

const char *deb_place(const struct deb_installed *installed, struct arena *arena, const struct ground *ground,
                      const char *package, struct text path)
{
    const struct deb_diversion *diversion = map_get(&installed->diversions, path);
    const char *place;
    if (!ground)
        return NULL;
    if (diversion && !text_is(diversion->package, package))
        path = diversion->to;
    (void)ground_place(ground, arena, text_dup(arena, path), &place);
    return place;
}

static bool read_file(const struct reading *reading, const char *path, struct text *ret_bytes, bool *ret_found)
{
    *ret_bytes = TEXT("");
    *ret_found = false;
    return !reading->ground || ground_read(reading->ground, path, ret_bytes, ret_found, reading->err);
}

static bool read_diversions(struct reading *reading)
{
    struct text rest, from, to, package;
    bool is_found;
    if (!read_file(reading, DPKG_DIR "/diversions", &rest, &is_found))
        return false;
    while (rest.len && text_next(&rest, '\n', &from) && text_next(&rest, '\n', &to) &&
           text_next(&rest, '\n', &package)) {
        struct deb_diversion *diversion = arena_new(reading->arena, struct deb_diversion);
        *diversion = (struct deb_diversion){from, to, package};
        map_set(&reading->installed->diversions, from, diversion);
    }
    return true;
}

/* Adds what is no directory; of several owners of one path the first counts. */
static bool add_owner(struct reading *reading, const char *package, struct text path)
{
    if (!path.len)
        return true;
    if (++reading->line_count > LINES_MAX) {
        err_set(reading->err, ERR_MALFORMED, "the base's " DPKG_DIR " lists more than %u paths", LINES_MAX);
        return false;
    }
    const char *place = deb_place(reading->installed, reading->arena, reading->ground, package, path);
    const struct entry *entry = place ? ground_find(reading->ground, place) : NULL;
    if (entry && entry->kind != ENTRY_DIRECTORY)
        (void)map_add(&reading->installed->owners, text_of(entry->path), (void *)package);
    return true;
}

/* info/NAME.list, or of status.d NAME.md5sums ("digest  usr/bin/x"). */
static bool read_list(struct reading *reading, const struct dpkg_stanza *stanza)
{
    struct text rest, line, digest;
    bool is_found, is_plain = reading->installed->is_plain;
    const char *path =
        is_plain ? arena_printf(reading->arena, STATUS_D "/%s.md5sums", stanza->name)
                 : arena_printf(reading->arena, DPKG_DIR "/info/%s.list", dpkg_info_stem(reading->arena, stanza));
    if (!read_file(reading, path, &rest, &is_found))
        return false;
    while (rest.len && text_next(&rest, '\n', &line)) {
        if (is_plain && (!text_next_word(&line, &digest) || !(line = text_trim(line)).len))
            continue;
        line = is_plain ? text_of(arena_printf(reading->arena, "/%.*s", (int)line.len, line.ptr)) : deb_listed(line);
        if (!add_owner(reading, stanza->name, line))
            return false;
    }
    return true;
}

static bool read_status_d(struct reading *reading)
{
    size_t first, count;
    ground_below(reading->ground, STATUS_D, &first, &count);
    for (size_t i = first; i < first + count; i++) {
        const struct entry *entry = &reading->ground->package->entries[i];
        struct text bytes;
        bool is_found;
        if (entry->kind == ENTRY_DIRECTORY || text_has_suffix(text_of(entry->path), ".md5sums"))
            continue;
        if (!read_file(reading, entry->path, &bytes, &is_found) ||
            (is_found && !dpkg_status_parse(reading->arena, entry->path, bytes, DPKG_INSTALLED,
                                            &reading->installed->status, reading->err)))
            return false;
    }
    return true;
}

/* Reads the stanzas; *ret_found is false when there is neither status nor status.d. */
static bool read_stanzas(struct reading *reading, bool *ret_found)
{
    struct deb_installed *installed = reading->installed;
    struct text bytes;
    if (!read_file(reading, STATUS_PATH, &bytes, ret_found) ||
        !dpkg_status_parse(reading->arena, "the base's " STATUS_PATH, bytes, DPKG_NOT_INSTALLED, &installed->status,
                           reading->err))
        return false;
    if (installed->status.count)
        return true;
    if (reading->ground && !read_status_d(reading))
        return false;
    installed->is_plain = installed->status.count != 0;
    *ret_found = *ret_found || installed->is_plain || !reading->ground;
    return true;
}

/* Prints what the solver needs of the packages that are there. */
static struct text print_for_solver(struct arena *arena, const struct dpkg_status *status)
{
    static const char *const names[] = {"Version",     "Architecture", "Multi-Arch", "Depends",
                                        "Pre-Depends", "Provides",     "Conflicts",  "Breaks"};
    struct strings lines = {0};
    for (size_t i = 0; i < status->count; i++) {
        const struct dpkg_stanza *stanza = &status->items[i];
        if (stanza->state < DPKG_UNPACKED)
            continue;
        list_add(arena, &lines, arena_printf(arena, "Package: %s\n", stanza->name));
        for (size_t k = 0; k < ARRAY_COUNT(names); k++) {
            struct text value = deb822_value(&stanza->fields, names[k]);
            if (value.len)
                list_add(arena, &lines, arena_printf(arena, "%s: %.*s\n", names[k], (int)value.len, value.ptr));
        }
        list_add(arena, &lines, "\n");
    }
    return text_of(lines.count ? strings_join(arena, &lines, "") : "\n");
}

/* "NAME" or "NAME (VERSION)". */
static void read_source(struct arena *arena, struct text field, struct installed_package *package)
{
    struct text name, version;
    if (!text_next_word(&field, &name))
        return;
    package->source_package = text_dup(arena, name);
    version = text_trim(field);
    if (version.len > 2 && version.ptr[0] == '(' && version.ptr[version.len - 1] == ')')
        package->source_version = arena_strndup(arena, version.ptr + 1, version.len - 2);
}

static void list_packages(struct arena *arena, const struct dpkg_status *status, struct installed *installed)
{
    for (size_t i = 0; i < status->count; i++) {
        const struct dpkg_stanza *stanza = &status->items[i];
        struct installed_package package = {
            .name = stanza->name, .version = stanza->version, .architecture = stanza->architecture};
        if (stanza->state < DPKG_UNPACKED)
            continue;
        package.source_package = package.name;
        package.source_version = package.version;
        read_source(arena, deb822_value(&stanza->fields, "Source"), &package);
        list_add(arena, &installed->packages, package);
    }
}

bool deb_installed_read(struct arena *arena, const struct ground *ground, struct installed *ret_installed,
                        bool *ret_found, struct err *err)
{
    struct deb_installed *installed = arena_new(arena, struct deb_installed);
    struct reading reading = {.arena = arena, .ground = ground, .installed = installed, .err = err};
    installed->owners.arena = installed->diversions.arena = arena;
    if (!read_stanzas(&reading, ret_found))
        return false;
    if (!*ret_found)
        return true;
    if (!read_diversions(&reading))
        return false;
    for (size_t i = 0; i < installed->status.count; i++) {
        const struct dpkg_stanza *stanza = &installed->status.items[i];
        if (stanza->state == DPKG_HALF_INSTALLED) {
            err_set(err, ERR_RESOLVE, "the base's package %s is half-installed: nobody knows what is there of it",
                    stanza->name);
            return false;
        }
        if (stanza->state >= DPKG_UNPACKED && !read_list(&reading, stanza))
            return false;
    }
    *ret_installed = (struct installed){.solver = print_for_solver(arena, &installed->status), .database = installed};
    list_packages(arena, &installed->status, ret_installed);
    return true;
}

const char *deb_installed_owner(const struct installed *installed, const char *path, const struct strings *replaced)
{
    (void)replaced; /* who share a path are one package for several architectures, which are upgraded together */
    const struct deb_installed *database = installed->database;
    return map_get(&database->owners, text_of(path));
}
