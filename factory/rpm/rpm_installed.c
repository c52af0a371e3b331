/* SPDX-License-Identifier: Apache-2.0 */
#include "rpm/rpm_installed.h"

#include "base/auto.h"
#include "rpm/rpm_listed.h"
#include "rpm/rpm_tags.h"

#include <inttypes.h>

#define PATHS_MAX 1000000u /* of all packages together, as their bytes: all of Fedora has some 25 MB for a big system */
#define PATHS_MAX_BYTES ((size_t)96 << 20)

/* Where rpm has its database: as Fedora has it since 36, and everybody before. */
static const char *const places[] = {"/usr/lib/sysimage/rpm", "/var/lib/rpm"};

/* ---- reading ---- */

struct reading {
    struct arena *arena;
    const struct ground *ground;
    struct rpm_installed *installed;
    size_t path_count, path_bytes;
    struct err *err;
};

static bool is_word(const char *word)
{
    size_t len = word ? strlen(word) : 0;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)word[i];
        if (c <= 0x20 || c == 0x7F || c == '/' || c == ',' || c == '\\')
            return false;
    }
    return len > 0 && len <= 255;
}

/* Epoch 0 is left out unless the version has a colon, as the solver has it. */
static const char *join_evr(struct arena *arena, uint64_t epoch, const char *version, const char *release)
{
    size_t digits = strspn(version, "0123456789");
    bool has_epoch = epoch || (digits && version[digits] == ':');
    return has_epoch ? arena_printf(arena, "%" PRIu64 ":%s-%s", epoch, version, release)
                     : arena_printf(arena, "%s-%s", version, release);
}

static bool read_package(const struct reading *reading, const struct rpm_sqlite_row *row,
                         struct rpm_installed_package *ret_package)
{
    const char *version, *release, *architecture;
    uint64_t epoch;
    struct rpm_installed_package package = {.number = row->number};
    struct rpm_header *header = &package.header;
    struct err *err = reading->err;
    if (!rpm_header_read(reading->arena, row->header, RPM_HEADER_INSTALLED, header, err) ||
        !rpm_header_string(header, RPM_TAG_NAME, &package.name, err) ||
        !rpm_header_string(header, RPM_TAG_VERSION, &version, err) ||
        !rpm_header_string(header, RPM_TAG_RELEASE, &release, err) ||
        !rpm_header_string(header, RPM_TAG_ARCH, &architecture, err) ||
        !rpm_header_number(header, RPM_TAG_EPOCH, 0, &epoch, err))
        return false;
    if (!is_word(package.name) || !is_word(version) || !is_word(release) || (architecture && !is_word(architecture))) {
        err_set(err, ERR_MALFORMED, "it has no name, version or release that could be one");
        return false;
    }
    package.evr = join_evr(reading->arena, epoch, version, release);
    package.architecture = architecture ? architecture : "";
    *ret_package = package;
    return true;
}

static void add_owner(struct rpm_installed *installed, const char *path, const char *name)
{
    struct rpm_owner *owner = arena_new(installed->owners.arena, struct rpm_owner);
    *owner = (struct rpm_owner){.name = name};
    if (map_add(&installed->owners, text_of(path), owner))
        return;
    struct rpm_owner *first = map_get(&installed->owners, text_of(path));
    owner->next = first->next;
    first->next = owner;
}

/* Notes what is at the paths of a package and is no directory. */
static bool note_owner(struct reading *reading, const struct rpm_installed_package *package)
{
    struct rpm_listed listed;
    if (!rpm_listed_read(reading->arena, &package->header, &listed, reading->err))
        return false;
    reading->path_count += listed.names.count;
    for (size_t i = 0; i < listed.names.count; i++) {
        AUTO(arena_done) struct arena scratch = {0};
        const char *place, *path = rpm_listed_path(&scratch, &listed, i);
        reading->path_bytes += strlen(path);
        if (reading->path_count > PATHS_MAX || reading->path_bytes > PATHS_MAX_BYTES) {
            err_set(reading->err, ERR_MALFORMED, "the base's packages list more than %u paths, or %zu bytes of them",
                    PATHS_MAX, PATHS_MAX_BYTES);
            return false;
        }
        const struct entry *entry = ground_place(reading->ground, &scratch, path, &place);
        if (entry && entry->kind != ENTRY_DIRECTORY)
            add_owner(reading->installed, entry->path, package->name);
    }
    return true;
}

static bool read_packages(struct reading *reading, const char *place, struct text bytes)
{
    struct rpm_installed *installed = reading->installed;
    struct rpm_sqlite_rows rows;
    if (!rpm_sqlite_read(reading->arena, place, bytes, &rows, reading->err))
        return false;
    for (size_t i = 0; i < rows.count; i++) {
        struct rpm_installed_package package;
        if (!read_package(reading, &rows.items[i], &package) || !note_owner(reading, &package)) {
            err_wrap(reading->err, "%s: header %" PRIu32, place, rows.items[i].number);
            return false;
        }
        list_add(reading->arena, &installed->packages, package);
    }
    return true;
}

/* Kinds of databases that nothing writes any more, or that only one distribution did. */
static bool refuse_others(const struct reading *reading, const char *place)
{
    static const struct {
        const char *name, *kind;
    } others[] = {{"Packages", "Berkeley DB (bdb)"}, {"Packages.db", "ndb"}};
    for (size_t i = 0; i < ARRAY_COUNT(others); i++) {
        const char *path = arena_printf(reading->arena, "%s/%s", place, others[i].name);
        if (!ground_walk(reading->ground, reading->arena, path, NULL))
            continue;
        err_set(reading->err, ERR_RESOLVE,
                "the base's %s is a database of the kind %s, and only rpmdb.sqlite can be continued; `rpm --rebuilddb` "
                "of a "
                "rpm whose %%_db_backend is sqlite makes one of it",
                path, others[i].kind);
        return false;
    }
    return true;
}

/* What is only in the journal is not in the file. */
static bool check_journal(const struct reading *reading, const char *path)
{
    static const char *const endings[] = {"-wal", "-journal"};
    for (size_t i = 0; i < ARRAY_COUNT(endings); i++) {
        const char *journal = arena_printf(reading->arena, "%s%s", path, endings[i]);
        const struct entry *entry = ground_find(reading->ground, journal);
        if (!entry || entry->kind != ENTRY_FILE || !entry->size_bytes)
            continue;
        err_set(reading->err, ERR_RESOLVE,
                "the base's %s has changes that are not in the database yet: whoever made the base stopped rpm while "
                "it wrote; "
                "`rpm --rebuilddb` in it mends that",
                journal);
        return false;
    }
    return true;
}

static bool find_database(struct reading *reading, bool *ret_found)
{
    *ret_found = false;
    for (size_t i = 0; i < ARRAY_COUNT(places); i++) {
        const char *path = arena_printf(reading->arena, "%s/rpmdb.sqlite", places[i]), *real;
        struct text bytes;
        const struct entry *entry = ground_walk(reading->ground, reading->arena, path, &real);
        if (!entry || entry->kind != ENTRY_FILE) {
            if (!refuse_others(reading, places[i]))
                return false;
            continue;
        }
        if (!ground_read(reading->ground, real, &bytes, ret_found, reading->err))
            return false;
        reading->installed->path = real;
        return check_journal(reading, real) &&
               read_packages(reading, arena_printf(reading->arena, "the base's %s", real), bytes);
    }
    return true;
}

void rpm_installed_source(struct arena *arena, const char *source, struct installed_package *package)
{
    const char *dash = strrchr(source, '-');
    dash = dash ? memrchr(source, '-', (size_t)(dash - source)) : NULL;
    if (!dash)
        return;
    struct text version = text_of(dash + 1);
    package->source_package = arena_strndup(arena, source, (size_t)(dash - source));
    if (text_has_suffix(version, ".src.rpm"))
        package->source_version = arena_strndup(arena, version.ptr, version.len - strlen(".src.rpm"));
}

static void list_packages(struct arena *arena, const struct rpm_installed *database, struct installed *installed)
{
    for (size_t i = 0; i < database->packages.count; i++) {
        const struct rpm_installed_package *from = &database->packages.items[i];
        struct installed_package package = {
            .name = from->name, .version = from->evr, .architecture = from->architecture};
        const char *source = NULL, *license = NULL;
        struct err ignored = {0};
        if (!*package.architecture)
            continue;
        if (rpm_header_string(&from->header, RPM_TAG_SOURCERPM, &source, &ignored) && source)
            rpm_installed_source(arena, source, &package);
        if (rpm_header_string(&from->header, RPM_TAG_LICENSE, &license, &ignored))
            package.license = license;
        list_add(arena, &installed->packages, package);
    }
}

bool rpm_installed_read(struct arena *arena, const struct ground *ground, struct installed *ret_installed,
                        bool *ret_found, struct err *err)
{
    struct rpm_installed *installed = arena_new(arena, struct rpm_installed);
    struct reading reading = {.arena = arena, .ground = ground, .installed = installed, .err = err};
    installed->owners.arena = arena;
    *ret_found = !ground;
    if (ground && !find_database(&reading, ret_found))
        return false;
    *ret_installed = (struct installed){.database = installed};
    list_packages(arena, installed, ret_installed);
    return !*ret_found || rpm_solver_text(arena, installed, &ret_installed->solver, err);
}

const char *rpm_installed_owner(const struct installed *installed, const char *path, const struct strings *replaced)
{
    const struct rpm_installed *database = installed->database;
    const struct rpm_owner *first = map_get(&database->owners, text_of(path)), *owner = first;
    while (owner && strings_has(replaced, owner->name))
        owner = owner->next;
    return owner ? owner->name : first ? first->name : NULL;
}
