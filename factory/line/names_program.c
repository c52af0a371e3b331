/* SPDX-License-Identifier: Apache-2.0 */
#include "line/names_program.h"

#include "base/auto.h"
#include "line/metapackages.h"
#include "line/names_exec.h"
#include "package/path.h"
#include "source/contents.h"
#include "source/solve.h"

#include <stdlib.h>

#define DEPTH_MAX 3     /* packages that depend on one another, to the program */
#define PROGRAMS_MAX 20 /* that an error lists */
#define SERVICES_MAX 1000
#define OPENED_MAX 8 /* packages with services that are looked into */

static const char *const admin_dirs[] = {"/usr/sbin/"};
static const char *const all_dirs[] = {"/usr/sbin/", "/usr/bin/", "/usr/games/"};

struct solving {
    const struct names_place *place;
    const char *package;
    struct selection selection;
};

static bool solve(void *argument, struct err *err)
{
    struct solving *solving = argument;
    struct solve_request request = {.is_older_fine = solving->place->plant->inputs.is_older_fine};
    list_add(solving->place->arena, &request.names, solving->package);
    return solve_packages(solving->place->arena, solving->place->catalog, &request, &solving->selection, err);
}

/* Opens the package that would be installed. It stays open: what is found in it is named by its own strings. */
static bool open_package(const struct names_place *place, const char *name, const struct package **ret_package,
                         struct err *err)
{
    struct solving solving = {.place = place, .package = name};
    struct supply_hold hold = {.arena = place->arena};
    if (!workers_call(place->plant->workers, solve, &solving, err))
        return false;
    for (size_t i = 0; i < solving.selection.count; i++) {
        const struct selected *selected = &solving.selection.items[i];
        if (strcmp(selected->name, name) == 0)
            return supply_get(place->plant->supply, &selected, 1, NULL, &hold, ret_package, err);
    }
    err_set(err, ERR_RESOLVE, "package %s: another is installed in its place", name);
    return false;
}

static bool is_program(const struct entry *entry)
{
    return entry && entry->kind != ENTRY_DIRECTORY && (entry->kind != ENTRY_FILE || (entry->mode & 0111));
}

/* Follows links within a package; what leads out of it is taken as it stands. */
static const char *settle_link(struct arena *arena, const struct package *package, const char *path)
{
    const struct entry *entry = package_find(package, path);
    for (int i = 0; i < 8 && entry && entry->kind == ENTRY_SYMLINK; i++) {
        const char *next = path_join_target(arena, entry->path, entry->target);
        const struct entry *target = next ? package_find(package, next) : NULL;
        if (!target || target->kind == ENTRY_DIRECTORY)
            break;
        entry = target;
    }
    return entry ? entry->path : path;
}

/* Lists the programs right below the directories: links to one another once. */
static void list_programs(struct arena *arena, const struct package *package, const char *const *dirs, size_t dir_count,
                          struct strings *paths)
{
    for (size_t i = 0; i < package->count; i++) {
        const struct entry *entry = &package->entries[i];
        bool is_there = false;
        for (size_t k = 0; k < dir_count; k++) {
            size_t len = strlen(dirs[k]);
            is_there = is_there || (strncmp(entry->path, dirs[k], len) == 0 && !strchr(entry->path + len, '/'));
        }
        if (!is_there || !is_program(entry))
            continue;
        const char *path = settle_link(arena, package, entry->path);
        if (paths->count <= PROGRAMS_MAX && !strings_has(paths, path))
            list_add(arena, paths, path);
    }
}

/* A service of a package. */
struct service {
    const struct entry *entry;
    struct strings paths; /* that it names */
    bool is_job;
    int rank;
};

struct services {
    struct service *items;
    size_t count, capacity;
};

/* What service is asked first: no jobs, those that are named like the package, units before scripts, plain ones before
 * templates. */
static int rank_of(const struct service *service, const char *package)
{
    const char *base = path_basename(service->entry->path), *dot = strrchr(base, '.');
    size_t len = dot ? (size_t)(dot - base) : strlen(base);
    bool is_named = strlen(package) == len && strncmp(base, package, len) == 0;
    return (service->is_job ? 8 : 0) + (is_named ? 0 : 4) + (dot ? 0 : 2) + (strchr(base, '@') ? 1 : 0);
}

/* Reads which programs a service names; a unit with its drop-ins. */
static bool read_service(struct arena *arena, const struct packaged *packaged, struct service *service, struct err *err)
{
    const struct packaged_file file = {packaged->packages[0], service->entry};
    const char *base = path_basename(service->entry->path);
    struct unit_file unit;
    if (!text_has_suffix(text_of(base), ".service")) {
        names_exec_of_script(arena, (struct text){service->entry->data, service->entry->size_bytes}, &service->paths);
        return true;
    }
    if (!unit_file_read(arena, packaged, &file, base, &unit, err))
        return false;
    names_exec_of_unit(arena, &unit, &service->paths);
    service->is_job = strcmp(unit_file_value(&unit, "Service", "Type", ""), "oneshot") == 0;
    return true;
}

static int compare_services(const void *a, const void *b)
{
    const struct service *left = a, *right = b;
    return left->rank != right->rank ? left->rank - right->rank : strcmp(left->entry->path, right->entry->path);
}

/* Lists the services of a package that start programs, the best first; `unit` restricts them to one. */
static bool list_services(const struct names_place *place, const struct package *package, const char *unit,
                          struct services *ret_services, struct err *err)
{
    struct fileset set;
    fileset_build(place->arena, place->catalog->family, &package, 1, &set);
    struct packaged packaged = {&set, &package, 1};
    *ret_services = (struct services){0};
    for (size_t i = 0; i < package->count && ret_services->count < SERVICES_MAX; i++) {
        struct service service = {.entry = &package->entries[i]};
        const char *base = path_basename(service.entry->path);
        if (service.entry->kind != ENTRY_FILE || !contents_is_service(text_of(service.entry->path + 1)) ||
            text_has_suffix(text_of(base), ".socket") || (unit && strcmp(base, unit) != 0))
            continue;
        if (!read_service(place->arena, &packaged, &service, err))
            return false;
        service.rank = rank_of(&service, package->name);
        list_add(place->arena, ret_services, service);
    }
    if (ret_services->count)
        qsort(ret_services->items, ret_services->count, sizeof *ret_services->items, compare_services);
    return true;
}

/* Which packages may ship the program that a service names. */
struct owners {
    const struct names_place *place;
    const struct package *package; /* with the service */
    const struct siblings *siblings;
    struct strings depends; /* of the package, in their order: settles several */
};

static bool is_sibling(const struct siblings *siblings, const char *name)
{
    for (size_t i = 0; i < siblings->count; i++) {
        if (strcmp(siblings->items[i].name, name) == 0)
            return true;
    }
    return false;
}

/* Without an index of paths: looks into the packages of the family on which the one with the service depends. */
static bool list_shippers(const struct owners *owners, const char *path, const char **ret_name, struct err *err)
{
    for (size_t i = 0; i < owners->depends.count && !*ret_name; i++) {
        const struct package *package;
        if (!is_sibling(owners->siblings, owners->depends.items[i]))
            continue;
        if (!open_package(owners->place, owners->depends.items[i], &package, err))
            return false;
        if (is_program(package_find(package, path)))
            *ret_name = owners->depends.items[i];
    }
    return true;
}

/* Finds the package of the family that ships a path: the one with the service, else the first that it depends on, else any
 * of the same source; NULL when none does. */
static bool find_owner(const struct owners *owners, const char *path, const char **ret_name, struct err *err)
{
    struct strings names = {0};
    struct err why = {0};
    *ret_name = NULL;
    if (text_has_prefix(text_of(path), "/etc/")) /* a script that others run */
        return true;
    if (is_program(package_find(owners->package, path))) {
        *ret_name = owners->package->name;
        return true;
    }
    if (!catalog_owners(owners->place->catalog, owners->place->arena, path, &names, NULL, &why)) {
        bool is_without_paths = why.kind == ERR_RESOLVE || why.kind == ERR_NETWORK || why.kind == ERR_TRUST;
        if (!is_without_paths)
            *err = why;
        return is_without_paths && list_shippers(owners, path, ret_name, err);
    }
    for (size_t i = 0; i < owners->depends.count && !*ret_name; i++) {
        if (strings_has(&names, owners->depends.items[i]) && is_sibling(owners->siblings, owners->depends.items[i]))
            *ret_name = owners->depends.items[i];
    }
    for (size_t i = 0; i < names.count && !*ret_name; i++) {
        if (is_sibling(owners->siblings, names.items[i]))
            *ret_name = names.items[i];
    }
    return true;
}

/* Finds the program that one service starts; ret_program->path stays NULL when it has none. */
static bool find_started(const struct owners *owners, const struct service *service, struct names_program *ret_program,
                         struct err *err)
{
    const struct strings *paths = &service->paths;
    *ret_program = (struct names_program){0};
    for (size_t k = 0; k < paths->count && !ret_program->path; k++) {
        const char *owner;
        if (!find_owner(owners, paths->items[k], &owner, err))
            return false;
        if (owner)
            *ret_program = (struct names_program){
                .path = paths->items[k], .package = owner, .by = path_basename(service->entry->path)};
    }
    return true;
}

static bool is_named(const char *path, const char *package)
{
    return strcmp(path_basename(path), package) == 0;
}

/* Finds the program that the package's service starts; ret_program->path stays NULL when it has none. Of several that are
 * as good and start different programs it is that of the package's name; else they are an error. */
static bool find_by_service(const struct owners *owners, const char *unit, struct names_program *ret_program,
                            struct err *err)
{
    struct arena *arena = owners->place->arena;
    const char *package = owners->package->name;
    struct strings several = {0};
    struct services services;
    int rank = 0;
    if (!list_services(owners->place, owners->package, unit, &services, err))
        return false;
    for (size_t i = 0; i < services.count && i < OPENED_MAX && (!ret_program->path || services.items[i].rank == rank);
         i++) {
        struct names_program program;
        if (!find_started(owners, &services.items[i], &program, err))
            return false;
        if (!program.path || (ret_program->path && strcmp(program.path, ret_program->path) == 0))
            continue;
        list_add(arena, &several, arena_printf(arena, "%s (%s)", program.path, program.by));
        rank = services.items[i].rank;
        if (!ret_program->path || is_named(program.path, package))
            *ret_program = program;
    }
    if (several.count < 2 || is_named(ret_program->path, package))
        return true;
    err_set(err, ERR_USAGE, "package %s has several services; name the program: %s", package,
            strings_join(arena, &several, ", "));
    return false;
}

static bool describe_depends(const struct names_place *place, const char *name, struct strings *ret_depends,
                             struct err *err)
{
    struct catalog_package described = {0};
    bool is_found;
    if (!catalog_describe(place->catalog, place->arena, name, &described, &is_found, err))
        return false;
    for (size_t i = 0; i < described.depends.count; i++) {
        if (!strings_has(ret_depends, described.depends.items[i]))
            list_add(place->arena, ret_depends, described.depends.items[i]);
    }
    return true;
}

/* One package that is asked about. */
struct asking {
    const struct names_place *place;
    const char *package, *unit;
    struct siblings siblings;
    struct strings depends; /* of the package that was named, then of those looked into */
    int depth;
};

static bool ask_service(struct asking *asking, const char *name, struct names_program *ret_program, struct err *err)
{
    struct owners owners = {.place = asking->place, .siblings = &asking->siblings};
    if (!open_package(asking->place, name, &owners.package, err) ||
        !describe_depends(asking->place, name, &asking->depends, err))
        return false;
    owners.depends = asking->depends;
    return find_by_service(&owners, asking->unit, ret_program, err);
}

/* Services of packages of the same source that start a program of this one: mariadb-server's of mariadb-server-core. */
static bool ask_dependents(struct asking *asking, struct names_program *ret_program, struct err *err)
{
    size_t opened_count = 0;
    for (size_t i = 0; i < asking->siblings.count && opened_count < OPENED_MAX; i++) {
        const struct sibling *sibling = &asking->siblings.items[i];
        struct names_program program = {0};
        struct err why = {0};
        if (!sibling->is_dependent || sibling->holds == SIBLING_HAS_NONE)
            continue;
        opened_count++;
        if (!ask_service(asking, sibling->name, &program, &why)) {
            if (why.kind == ERR_RESOLVE ||
                why.kind == ERR_USAGE) /* it cannot be installed, or is not of this one alone */
                continue;
            *err = why;
            return false;
        }
        if (program.path && strcmp(program.package, asking->package) == 0) {
            *ret_program = program;
            return true;
        }
    }
    return true;
}

/* The only program at a place, or the one with the name of the package. *ret_programs lists them when there are several. */
static void ask_places(const struct asking *asking, const struct package *package, struct strings *ret_programs,
                       struct names_program *ret_program)
{
    struct strings few = {0};
    list_programs(asking->place->arena, package, admin_dirs, ARRAY_COUNT(admin_dirs), &few);
    list_programs(asking->place->arena, package, all_dirs, ARRAY_COUNT(all_dirs), ret_programs);
    const char *path = few.count == 1 ? few.items[0] : ret_programs->count == 1 ? ret_programs->items[0] : NULL;
    for (size_t i = 0; i < ret_programs->count && !path; i++)
        path = is_named(ret_programs->items[i], asking->package) ? ret_programs->items[i] : NULL;
    if (path)
        *ret_program = (struct names_program){.path = path, .package = asking->package};
}

static bool fail_several(const struct asking *asking, const struct strings *programs, struct err *err)
{
    struct strings some = *programs;
    some.count = some.count > PROGRAMS_MAX ? PROGRAMS_MAX : some.count;
    err_set(err, ERR_USAGE, "package %s has several programs and no service that starts one; name one of %s%s",
            asking->package, strings_join(asking->place->arena, &some, ", "),
            programs->count > PROGRAMS_MAX ? ", …" : "");
    return false;
}

static bool find(struct asking *asking, struct names_program *ret_program, struct err *err);

/* Programs of packages of the same source on which it depends, or of the only one on which it depends at all; several are
 * told. */
static bool ask_needed(struct asking *asking, struct names_program *ret_program, struct err *err)
{
    struct strings programs = {0};
    struct strings needed = {0};
    for (size_t i = 0; i < asking->siblings.count; i++) {
        if (asking->siblings.items[i].is_needed)
            list_add(asking->place->arena, &needed, asking->siblings.items[i].name);
    }
    if (!needed.count && asking->depends.count == 1)
        needed = asking->depends;
    for (size_t i = 0; i < needed.count && asking->depth < DEPTH_MAX; i++) {
        struct names_program program = {0};
        struct err why = {0};
        struct asking below = {
            .place = asking->place, .package = needed.items[i], .depends = asking->depends, .depth = asking->depth + 1};
        if (!find(&below, &program, &why)) {
            if (why.kind == ERR_USAGE || why.kind == ERR_RESOLVE)
                continue;
            *err = why;
            return false;
        }
        if (!strings_has(&programs, program.path))
            list_add(asking->place->arena, &programs, program.path);
        *ret_program = program;
    }
    return programs.count < 2 || fail_several(asking, &programs, err);
}

static bool fail_none(const struct asking *asking, struct err *err)
{
    struct arena *arena = asking->place->arena;
    struct strings others = {0};
    for (size_t i = 0; i < asking->depends.count; i++) {
        if (strcmp(asking->depends.items[i], asking->package) != 0)
            list_add(arena, &others, asking->depends.items[i]);
    }
    err_set(err, ERR_USAGE,
            "package %s has no program, and none of its source on which it depends has one; it depends on: %s",
            asking->package,
            others.count ? arena_printf(arena, "%s; name the one that is meant", strings_join(arena, &others, ", "))
                         : "nothing");
    return false;
}

static bool find(struct asking *asking, struct names_program *ret_program, struct err *err)
{
    const struct names_place *place = asking->place;
    struct names_program program = {0};
    struct strings programs = {0};
    const struct package *opened;
    if (!catalog_siblings(place->catalog, place->arena, asking->package, &asking->siblings, err) ||
        !open_package(place, asking->package, &opened, err) || !ask_service(asking, asking->package, &program, err))
        return false;
    if (!program.path && asking->unit) { /* a frame for its instances, which another unit starts */
        asking->unit = NULL;
        if (!ask_service(asking, asking->package, &program, err))
            return false;
    }
    if (!program.path && !ask_dependents(asking, &program, err))
        return false;
    if (!program.path)
        ask_places(asking, opened, &programs, &program);
    if (!program.path && !programs.count) {
        if (!ask_needed(asking, &program, err))
            return false;
        if (!metapackage_is(place->catalog->family, opened))
            program.whole = asking->package;
    }
    if (!program.path && programs.count)
        return fail_several(asking, &programs, err);
    if (!program.path) {
        return fail_none(asking, err);
    }
    *ret_program = program;
    return true;
}

bool names_program_find(const struct names_place *place, const char *package, const char *unit,
                        struct names_program *ret_program, struct err *err)
{
    struct asking asking = {.place = place, .package = package, .unit = unit};
    return find(&asking, ret_program, err);
}

bool names_program_lead(const struct names_place *place, const char *package, const char **ret_next, struct err *err)
{
    const struct package *opened;
    struct siblings siblings;
    struct strings depends = {0}, own = {0};
    *ret_next = NULL;
    if (!open_package(place, package, &opened, err))
        return false;
    if (!metapackage_is(place->catalog->family, opened))
        return true;
    if (!catalog_siblings(place->catalog, place->arena, package, &siblings, err) ||
        !describe_depends(place, package, &depends, err))
        return false;
    for (size_t i = 0; i < depends.count; i++) {
        if (is_sibling(&siblings, depends.items[i]) && strcmp(depends.items[i], package) != 0)
            list_add(place->arena, &own, depends.items[i]);
    }
    const struct strings *few = own.count ? &own : &depends;
    *ret_next = few->count == 1 && strcmp(few->items[0], package) != 0 ? few->items[0] : NULL;
    return true;
}

bool names_program_named(const struct names_place *place, const char *package, const char *base, const char **ret_path,
                         struct err *err)
{
    const struct package *opened;
    *ret_path = NULL;
    if (!open_package(place, package, &opened, err))
        return false;
    for (size_t i = 0; i < ARRAY_COUNT(all_dirs) && !*ret_path; i++) {
        const char *path = arena_printf(place->arena, "%s%s", all_dirs[i], base);
        if (is_program(package_find(opened, path)))
            *ret_path = path;
    }
    return true;
}

bool names_program_settle(const struct names_place *place, const char *package, struct strings *paths, struct err *err)
{
    const struct package *opened;
    size_t kept = 0;
    if (!open_package(place, package, &opened, err))
        return false;
    for (size_t i = 0; i < paths->count; i++) {
        if (!is_program(package_find(opened, paths->items[i])))
            continue;
        const char *path = settle_link(place->arena, opened, paths->items[i]);
        bool is_new = true;
        for (size_t k = 0; k < kept; k++)
            is_new = is_new && strcmp(paths->items[k], path) != 0;
        if (is_new)
            paths->items[kept++] = path;
    }
    paths->count = kept;
    return true;
}
