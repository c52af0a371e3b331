/* SPDX-License-Identifier: Apache-2.0 */
/* rpm's database, continued: headers of what comes are added behind those of the base, those of former versions go, all indices
 * are made anew. */
#include "rpm/rpm_installed.h"

#include "base/auto.h"
#include "package/path.h"
#include "plan/arch.h"
#include "rpm/rpm_digest.h"
#include "rpm/rpm_listed.h"
#include "rpm/rpm_record.h"
#include "rpm/rpm_stamp.h"
#include "rpm/rpm_tags.h"
#include "rpm/rpm_triggers.h"
#include "source/format.h"

#include <stdlib.h>
#include <sys/stat.h>

#define FILE_CONFIG (1u << 0)
#define FILE_DOC (1u << 1)
#define FILE_GHOST (1u << 6)
#define TAG_FILEMODES 1030u
#define TAG_FILEDIGESTS 1035u
#define TAG_FILEDIGESTALGO 5011u
#define TAG_PREUNTRANS 5103u
#define TAG_POSTUNTRANS 5104u
#define TAG_PREUNTRANSPROG 5105u
#define TAG_POSTUNTRANSPROG 5106u

/* A package that comes. */
struct coming {
    const struct continuing_package *added;
    struct rpm_header header;
    struct rpm_listed listed;
    const struct rpm_installed_package *former; /* NULL: there is none */
};

struct rpm_continuing {
    struct arena *arena;
    const struct continuing *request;
    const struct rpm_installed *base;
    struct coming *coming;  /* request->count */
    struct map is_replaced; /* names of former packages */
    struct map kept;        /* exact paths that somebody still has, and the folders above them */
    struct map gone;        /* exact paths that nobody has any more */
    struct map of_former;   /* exact paths that former versions have */
    struct strings folders; /* exact paths of folders of former versions */
    struct rpm_trigger_causes causes;
    struct continued *continued;
    struct err *err;
};

/* ---- what comes ---- */

static const struct rpm_installed_package *find_former(const struct rpm_continuing *continuing,
                                                       const struct package *package)
{
    const struct rpm_installed_package *former = NULL;
    for (size_t i = 0; i < continuing->base->packages.count; i++) {
        const struct rpm_installed_package *installed = &continuing->base->packages.items[i];
        bool is_own = strcmp(installed->architecture, package->architecture) == 0 ||
                      strcmp(installed->architecture, "noarch") == 0 || strcmp(package->architecture, "noarch") == 0;
        if (is_own && *installed->architecture && strcmp(installed->name, package->name) == 0)
            former = installed;
    }
    return former;
}

static const char *place_of(const struct rpm_continuing *continuing, struct arena *arena, const char *path)
{
    const char *place = NULL, *why;
    if (continuing->request->ground)
        (void)ground_place(continuing->request->ground, arena, path, &place);
    return place ? place : path_canonical(arena, text_of(path), &why);
}

/* Finds what the base has at a listed path; NULL for nothing. */
static const struct entry *find_listed(const struct rpm_continuing *continuing, const struct rpm_listed *listed,
                                       size_t index)
{
    AUTO(arena_done) struct arena scratch = {0};
    const char *place = place_of(continuing, &scratch, rpm_listed_path(&scratch, listed, index));
    return place && continuing->request->ground ? ground_find(continuing->request->ground, place) : NULL;
}

/* Whether a package's file stays away, as with rpm --nodocs: of its former version it goes. */
static bool stays_away(const struct rpm_continuing *continuing, const struct rpm_listed *listed, size_t index)
{
    return !continuing->request->has_documentation && index < listed->flags.count &&
           (listed->flags.items[index] & FILE_DOC);
}

/* Returns how many bytes of an exact path are what the base has: the path, or folders above it. Whatever the base has, it has
 * the folders above, too, so that the middle can be asked. */
static size_t known_len(const struct rpm_continuing *continuing, const char *path)
{
    AUTO(arena_done) struct arena scratch = {0};
    char *copy = arena_strdup(&scratch, path);
    size_t low = 0, high = strlen(path);
    while (low < high) {
        size_t middle = low + (high - low + 1) / 2;
        while (middle < high && path[middle] != '/')
            middle++;
        copy[middle] = '\0';
        bool is_there = ground_find(continuing->request->ground, copy) != NULL;
        copy[middle] = path[middle];
        if (is_there) {
            low = middle;
            continue;
        }
        do
            middle--;
        while (middle > low && path[middle] != '/');
        high = middle;
    }
    return low;
}

/* Notes the exact places of files that somebody has when all is done. */
static void note_kept(struct rpm_continuing *continuing, const struct rpm_listed *listed, bool is_coming)
{
    for (size_t i = 0; continuing->request->ground && i < listed->names.count; i++) {
        AUTO(arena_done) struct arena scratch = {0};
        if (is_coming && stays_away(continuing, listed, i))
            continue;
        const char *place = place_of(continuing, &scratch, rpm_listed_path(&scratch, listed, i));
        size_t len = place ? known_len(continuing, place) : 0;
        if (len <= 1 || map_get(&continuing->kept, (struct text){place, len}))
            continue;
        struct text above = {arena_strndup(continuing->arena, place, len), len};
        while (above.len > 1 && map_add(&continuing->kept, above, continuing)) {
            do
                above.len--;
            while (above.len && above.ptr[above.len] != '/');
        }
    }
}

static bool is_ghost(const struct rpm_listed *listed, size_t index)
{
    return index < listed->flags.count && (listed->flags.items[index] & FILE_GHOST);
}

static bool is_there(const struct rpm_continuing *continuing, const char *path)
{
    return continuing->request->has_path(continuing->request->self, text_of(path));
}

/* A cause of triggers: what of a package's files is in the image. */
static void add_cause(struct rpm_continuing *continuing, struct rpm_trigger_cause cause,
                      const struct rpm_listed *listed, struct rpm_trigger_causes *causes)
{
    for (size_t i = 0; i < listed->names.count; i++) {
        AUTO(arena_done) struct arena scratch = {0};
        const char *path = rpm_listed_path(&scratch, listed, i);
        if (cause.is_removed || is_there(continuing, path))
            list_add(continuing->arena, &cause.paths, arena_strdup(continuing->arena, path));
    }
    list_add(continuing->arena, &causes->packages, cause);
}

static bool read_coming(struct rpm_continuing *continuing, struct coming *coming)
{
    const struct package *package = coming->added->package;
    struct text bytes = record_bytes(coming->added->record, RPM_RECORD_HEADER);
    if (!rpm_header_read(continuing->arena, bytes, RPM_HEADER_MAIN, &coming->header, continuing->err) ||
        !rpm_listed_read(continuing->arena, &coming->header, &coming->listed, continuing->err))
        return false;
    coming->former = find_former(continuing, package);
    note_kept(continuing, &coming->listed, true);
    add_cause(continuing, (struct rpm_trigger_cause){.name = package->name, .evr = package->version}, &coming->listed,
              &continuing->causes);
    if (!coming->former)
        return true;
    struct rpm_listed listed;
    map_set(&continuing->is_replaced, text_of(arena_printf(continuing->arena, "%u", coming->former->number)), coming);
    if (!rpm_listed_read(continuing->arena, &coming->former->header, &listed, continuing->err))
        return false;
    add_cause(continuing,
              (struct rpm_trigger_cause){.name = package->name, .evr = coming->former->evr, .is_removed = true},
              &listed, &continuing->causes);
    return true;
}

static bool is_staying(const struct rpm_continuing *continuing, const struct rpm_installed_package *package)
{
    char number[16];
    (void)snprintf(number, sizeof number, "%u", package->number);
    return !map_get(&continuing->is_replaced, text_of(number));
}

/* ---- scripts ---- */

struct asking {
    struct rpm_continuing *continuing;
    const struct package *package; /* NULL: the base's */
    const char *owner;
    bool is_done;
};

static void ask(struct asking *asking, const char *name, const char *text, const char *argument, bool is_first)
{
    const struct continuing *request = asking->continuing->request;
    struct continuing_script script = {
        .package = asking->package, .owner = asking->owner, .name = name, .text = text, .is_first = is_first};
    list_add(asking->continuing->arena, &script.arguments, argument);
    if (!request->is_done(request->self, &script))
        asking->is_done = false;
}

static void take_trigger(void *self, const char *kind, const char *text)
{
    ask(self, kind, text, "1", false);
}

static bool ask_triggers(struct asking *asking, const struct rpm_header *header,
                         const struct rpm_trigger_causes *causes)
{
    struct rpm_triggers_request request = {.header = header, .causes = causes, .take = take_trigger, .self = asking};
    return rpm_triggers_find(asking->continuing->arena, &request, asking->continuing->err);
}

/* What the former version runs when it goes. */
static bool ask_former(struct asking *asking, const struct rpm_header *header)
{
    static const struct {
        const char *name;
        uint32_t text, program;
    } scripts[] = {{"preuntrans", TAG_PREUNTRANS, TAG_PREUNTRANSPROG},
                   {"preun", RPM_TAG_PREUN, RPM_TAG_PREUNPROG},
                   {"postun", RPM_TAG_POSTUN, RPM_TAG_POSTUNPROG},
                   {"postuntrans", TAG_POSTUNTRANS, TAG_POSTUNTRANSPROG}};
    struct arena *arena = asking->continuing->arena;
    for (size_t i = 0; i < ARRAY_COUNT(scripts); i++) {
        const char *text;
        struct strings program;
        if (!rpm_header_string(header, scripts[i].text, &text, asking->continuing->err) ||
            !rpm_header_strings(arena, header, scripts[i].program, &program, asking->continuing->err))
            return false;
        if (!text && !program.count)
            continue;
        const char *shell = program.count ? strings_join(arena, &program, " ") : "/bin/sh";
        ask(asking, scripts[i].name, arena_printf(arena, "#!%s\n%s", shell, text ? text : ""), "1", false);
    }
    return true;
}

/* All that would run on behalf of a package that comes. */
static bool ask_coming(struct rpm_continuing *continuing, const struct coming *coming,
                       const struct rpm_trigger_causes *all)
{
    const struct package *package = coming->added->package;
    struct asking asking = {.continuing = continuing, .package = package, .owner = package->name, .is_done = true};
    for (const char *const *name = package->format->install_scripts; *name; name++) {
        const struct package_script *script = package_script_find(package, *name);
        if (script)
            ask(&asking, *name, script->text, coming->former ? "2" : "1", !coming->former);
    }
    if (!ask_triggers(&asking, &coming->header, all))
        return false;
    asking.package = NULL;
    if (coming->former && !ask_former(&asking, &coming->former->header))
        return false;
    if (!asking.is_done)
        list_add(continuing->arena, &continuing->continued->unconfigured, package->name);
    return true;
}

/* Triggers of packages that come look at the base's, too. */
static bool list_all_causes(struct rpm_continuing *continuing, struct rpm_trigger_causes *ret_all)
{
    *ret_all = (struct rpm_trigger_causes){0};
    for (size_t i = 0; i < continuing->causes.packages.count; i++)
        list_add(continuing->arena, &ret_all->packages, continuing->causes.packages.items[i]);
    for (size_t i = 0; i < continuing->base->packages.count; i++) {
        const struct rpm_installed_package *package = &continuing->base->packages.items[i];
        struct rpm_listed listed;
        if (!is_staying(continuing, package))
            continue;
        if (!rpm_listed_read(continuing->arena, &package->header, &listed, continuing->err))
            return false;
        add_cause(continuing, (struct rpm_trigger_cause){.name = package->name, .evr = package->evr}, &listed, ret_all);
    }
    rpm_triggers_settle(continuing->arena, ret_all);
    rpm_triggers_settle(continuing->arena, &continuing->causes);
    return true;
}

static bool ask_scripts(struct rpm_continuing *continuing)
{
    struct rpm_trigger_causes all;
    if (!list_all_causes(continuing, &all))
        return false;
    for (size_t i = 0; i < continuing->request->count; i++) {
        if (!ask_coming(continuing, &continuing->coming[i], &all)) {
            err_wrap(continuing->err, "package %s", continuing->coming[i].added->package->name);
            return false;
        }
    }
    for (size_t i = 0; i < continuing->base->packages.count; i++) {
        const struct rpm_installed_package *package = &continuing->base->packages.items[i];
        struct asking asking = {.continuing = continuing, .owner = package->name, .is_done = true};
        if (!is_staying(continuing, package))
            continue;
        if (!ask_triggers(&asking, &package->header, &continuing->causes)) {
            err_wrap(continuing->err, "the base's package %s", package->name);
            return false;
        }
        if (!asking.is_done)
            list_add(continuing->arena, &continuing->continued->unconfigured, package->name);
    }
    return true;
}

/* ---- a package that takes another's place ---- */

/* rpm would keep what was changed, or put it aside; which of them is right nobody can say here. */
static bool check_config(const struct rpm_continuing *continuing, const struct rpm_installed_package *former,
                         const struct rpm_listed *listed)
{
    struct strings digests;
    uint64_t algorithm;
    if (!rpm_header_strings(continuing->arena, &former->header, TAG_FILEDIGESTS, &digests, continuing->err) ||
        !rpm_header_number(&former->header, TAG_FILEDIGESTALGO, RPM_MD5, &algorithm, continuing->err))
        return false;
    for (size_t i = 0; i < listed->names.count && i < digests.count; i++) {
        const char *path = rpm_listed_path(continuing->arena, listed, i);
        bool is_config = i < listed->flags.count && (listed->flags.items[i] & FILE_CONFIG) && !is_ghost(listed, i);
        struct text bytes;
        bool is_found;
        if (!is_config || !*digests.items[i])
            continue;
        if (!ground_read(continuing->request->ground, path, &bytes, &is_found, continuing->err))
            return false;
        if (!is_found || rpm_digest_matches(algorithm, bytes, digests.items[i]))
            continue;
        err_set(continuing->err, ERR_RESOLVE,
                "package %s of the base has to be upgraded, but the base has another %s than it "
                "brought",
                former->name, path);
        return false;
    }
    return true;
}

/* rpm puts no link or file in the place of a directory, and no directory in the place of a link that the former version had. */
static bool check_kinds(const struct rpm_continuing *continuing, const struct coming *coming)
{
    const struct rpm_listed *listed = &coming->listed;
    struct rpm_numbers modes;
    if (!rpm_header_numbers(continuing->arena, &coming->header, TAG_FILEMODES, &modes, continuing->err))
        return false;
    for (size_t i = 0; i < listed->names.count && i < modes.count; i++) {
        const struct entry *entry = find_listed(continuing, listed, i);
        bool is_directory = S_ISDIR(modes.items[i]);
        if (!entry || is_ghost(listed, i) || stays_away(continuing, listed, i))
            continue;
        bool is_refused = is_directory
                              ? entry->kind == ENTRY_SYMLINK && map_get(&continuing->of_former, text_of(entry->path))
                              : entry->kind == ENTRY_DIRECTORY;
        if (!is_refused)
            continue;
        err_set(continuing->err, ERR_RESOLVE,
                "package %s: its %s is a %s in the base, and rpm puts no %s in the place of one",
                coming->added->package->name, rpm_listed_path(continuing->arena, listed, i),
                is_directory ? "link" : "directory",
                is_directory              ? "directory"
                : S_ISLNK(modes.items[i]) ? "link"
                                          : "file");
        return false;
    }
    return true;
}

/* Notes its files that nobody has any more: of those that it left away (FILESTATES) none is its own. */
static bool remove_former(struct rpm_continuing *continuing, const struct coming *coming)
{
    const struct rpm_installed_package *former = coming->former;
    struct rpm_listed listed;
    struct rpm_numbers states;
    if (!rpm_listed_read(continuing->arena, &former->header, &listed, continuing->err) ||
        !rpm_header_numbers(continuing->arena, &former->header, RPM_TAG_FILESTATES, &states, continuing->err) ||
        !check_config(continuing, former, &listed))
        return false;
    for (size_t i = 0; i < listed.names.count; i++) {
        const struct entry *entry = find_listed(continuing, &listed, i);
        if (entry)
            (void)map_add(&continuing->of_former, text_of(entry->path), continuing);
        if (!entry || map_get(&continuing->kept, text_of(entry->path)) ||
            (i < states.count && states.items[i] != RPM_STATE_NORMAL))
            continue;
        if (entry->kind == ENTRY_DIRECTORY)
            list_add(continuing->arena, &continuing->folders, entry->path);
        else
            (void)map_add(&continuing->gone, text_of(entry->path), continuing);
    }
    return true;
}

static int compare_backwards(const void *a, const void *b)
{
    return strcmp(*(const char *const *)b, *(const char *const *)a);
}

/* Whether all that the base has below a folder goes, too. */
static bool is_empty(const struct rpm_continuing *continuing, const char *folder)
{
    const struct ground *ground = continuing->request->ground;
    size_t first, count;
    ground_below(ground, folder, &first, &count);
    for (size_t i = first; i < first + count; i++) {
        const char *path = ground->package->entries[i].path;
        struct text above = {path, (size_t)(strrchr(path, '/') - path)};
        if (above.len > strlen(folder) && map_get(&continuing->gone, above)) {
            size_t inner_first, inner_count; /* a folder that goes, which was looked at: nothing is looked at twice */
            ground_below(ground, text_dup(continuing->arena, above), &inner_first, &inner_count);
            i = inner_first + inner_count - 1;
        } else if (!map_get(&continuing->gone, text_of(path))) {
            return false;
        }
    }
    return true;
}

static bool is_below_gone(const struct rpm_continuing *continuing, struct text path)
{
    while (path.len > 1) {
        do
            path.len--;
        while (path.len && path.ptr[path.len] != '/');
        if (path.len && map_get(&continuing->gone, path))
            return true;
    }
    return false;
}

/* Folders of former versions go when nothing stays in them; then what was in them needs no words. */
static void list_removed(struct rpm_continuing *continuing)
{
    struct strings *folders = &continuing->folders;
    if (folders->count)
        qsort(folders->items, folders->count, sizeof *folders->items, compare_backwards);
    for (size_t i = 0; i < folders->count; i++) {
        if (is_empty(continuing, folders->items[i]))
            (void)map_add(&continuing->gone, text_of(folders->items[i]), continuing);
    }
    for (size_t i = 0; i < continuing->gone.slots.count; i++) {
        struct text path = continuing->gone.slots.items[i].key;
        if (!is_below_gone(continuing, path))
            list_add(continuing->arena, &continuing->continued->removed, path.ptr); /* keys are whole strings */
    }
}

static bool remove_formers(struct rpm_continuing *continuing)
{
    bool has_former = false;
    for (size_t i = 0; i < continuing->request->count; i++)
        has_former = has_former || continuing->coming[i].former;
    for (size_t i = 0; has_former && i < continuing->base->packages.count; i++) {
        struct rpm_listed listed;
        if (!is_staying(continuing, &continuing->base->packages.items[i]))
            continue;
        if (!rpm_listed_read(continuing->arena, &continuing->base->packages.items[i].header, &listed, continuing->err))
            return false;
        note_kept(continuing, &listed, false);
    }
    for (size_t i = 0; i < continuing->request->count; i++) {
        if (continuing->coming[i].former && !remove_former(continuing, &continuing->coming[i]))
            return false;
    }
    for (size_t i = 0; continuing->request->ground && i < continuing->request->count; i++) {
        if (!check_kinds(continuing, &continuing->coming[i]))
            return false;
    }
    list_removed(continuing);
    return true;
}

/* ---- the database ---- */

/* As rpm notes it: what does not come (documentation) is not installed, so that nobody misses it. */
static struct text list_states(const struct rpm_continuing *continuing, const struct rpm_listed *listed)
{
    char *states = arena_alloc(continuing->arena, listed->names.count + 1);
    const struct ground *ground = continuing->request->ground;
    for (size_t i = 0; i < listed->names.count; i++) {
        const char *path = rpm_listed_path(continuing->arena, listed, i), *place;
        bool is_elses =
            ground && stays_away(continuing, listed, i) && ground_place(ground, continuing->arena, path, &place);
        bool is_good = is_ghost(listed, i) || (!is_elses && is_there(continuing, path));
        states[i] = (char)(is_good ? RPM_STATE_NORMAL : RPM_STATE_NOT_INSTALLED);
    }
    return (struct text){states, listed->names.count};
}

static bool stamp_coming(const struct rpm_continuing *continuing, const struct coming *coming, struct text *ret_header)
{
    const struct continuing *request = continuing->request;
    const struct record *record = coming->added->record;
    uint32_t time = (uint32_t)request->installed_time;
    struct rpm_stamp stamp = {.signature = record_bytes(record, RPM_RECORD_SIGNATURE),
                              .header = record_bytes(record, RPM_RECORD_HEADER),
                              .states = list_states(continuing, &coming->listed),
                              .time = time,
                              .transaction = time,
                              /* rpm's _transaction_color: which of 32- and 64-bit ELF files may be there */
                              .color = request->arch->elf_class == 64 ? 3 : 0};
    if (rpm_stamp_make(continuing->arena, &stamp, ret_header, continuing->err))
        return true;
    err_wrap(continuing->err, "package %s", coming->added->package->name);
    return false;
}

/* The numbers of headers are never given out again. */
static bool list_rows(const struct rpm_continuing *continuing, struct rpm_sqlite_rows *ret_rows)
{
    uint32_t number = 0;
    *ret_rows = (struct rpm_sqlite_rows){0};
    for (size_t i = 0; i < continuing->base->packages.count; i++) {
        const struct rpm_installed_package *package = &continuing->base->packages.items[i];
        number = package->number;
        if (is_staying(continuing, package))
            list_add(continuing->arena, ret_rows, ((struct rpm_sqlite_row){number, package->header.bytes}));
    }
    if (number > INT32_MAX - RPM_SQLITE_MAX_PACKAGES) {
        err_set(continuing->err, ERR_MALFORMED, "the base's packages have numbers up to %u, so that none is left",
                number);
        return false;
    }
    for (size_t i = 0; i < continuing->request->count; i++) {
        struct rpm_sqlite_row row = {.number = ++number};
        if (!stamp_coming(continuing, &continuing->coming[i], &row.header))
            return false;
        list_add(continuing->arena, ret_rows, row);
    }
    return true;
}

static const char *choose_path(const struct rpm_continuing *continuing)
{
    static const char new_place[] = "/usr/lib/sysimage/rpm", old_place[] = "/var/lib/rpm";
    if (continuing->base->path)
        return continuing->base->path;
    bool is_old = is_there(continuing, old_place) && !is_there(continuing, new_place);
    return arena_printf(continuing->arena, "%s/rpmdb.sqlite", is_old ? old_place : new_place);
}

static bool write_database(struct rpm_continuing *continuing)
{
    static const char *const beside[] = {"-wal", "-shm"}; /* of the base's: the new one has no journal */
    const struct ground *ground = continuing->request->ground;
    struct rpm_sqlite_rows rows;
    struct continued_file file = {.path = choose_path(continuing), .mode = 0644};
    if (!list_rows(continuing, &rows) ||
        !rpm_sqlite_write(continuing->arena, &rows, continuing->request->arch->is_big_endian, &file.bytes,
                          continuing->err))
        return false;
    list_add(continuing->arena, &continuing->continued->files, file);
    for (size_t i = 0; ground && i < ARRAY_COUNT(beside); i++) {
        const char *path = arena_printf(continuing->arena, "%s%s", file.path, beside[i]);
        if (ground_find(ground, path))
            list_add(continuing->arena, &continuing->continued->removed, path);
    }
    return true;
}

bool rpm_installed_continue(struct arena *arena, const struct continuing *request, struct continued *ret_continued,
                            struct err *err)
{
    struct rpm_continuing continuing = {.arena = arena,
                                        .request = request,
                                        .base = request->installed->database,
                                        .coming = arena_new_array(arena, struct coming, request->count + 1),
                                        .is_replaced.arena = arena,
                                        .kept.arena = arena,
                                        .gone.arena = arena,
                                        .of_former.arena = arena,
                                        .continued = ret_continued,
                                        .err = err};
    *ret_continued = (struct continued){0};
    for (size_t i = 0; i < request->count; i++) {
        continuing.coming[i] = (struct coming){.added = &request->packages[i]};
        if (read_coming(&continuing, &continuing.coming[i]))
            continue;
        err_wrap(err, "package %s", request->packages[i].package->name);
        return false;
    }
    return !request->count || (ask_scripts(&continuing) && remove_formers(&continuing) && write_database(&continuing));
}
