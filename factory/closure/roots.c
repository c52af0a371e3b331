/* SPDX-License-Identifier: Apache-2.0 */
#include "closure/roots.h"
#include "package/path.h"

static void add(struct arena *arena, struct roots *roots, struct closure_root root)
{
    list_add(arena, roots, root);
}

/* Returns whether an entry stays away because it is documentation. */
static bool is_left_out(const struct roots_request *request, const struct entry *entry)
{
    return request->documentation != DOCUMENTATION_ALL &&
           (entry->is_documentation || (request->documentation == DOCUMENTATION_NONE &&
                                        path_is_within_any(entry->path, &request->set->family->documentation)));
}

/* Adds every entry of a package but its documentation. ELF files among them bring their libraries. */
static void add_whole(struct arena *arena, struct roots *roots, const struct roots_request *request,
                      const struct package *package, const struct wish_package *wish)
{
    const char *why = arena_printf(arena, "%s takes the whole package %s", wish_giver(wish->giver), package->name);
    for (size_t i = 0; i < package->count; i++) {
        if (!is_left_out(request, &package->entries[i]))
            add(arena, roots,
                (struct closure_root){.path = package->entries[i].path,
                                      .why = why,
                                      .is_lenient = true,
                                      .if_unloadable = wish->is_lenient ? UNLOADABLE_DROPPED : UNLOADABLE_KEPT});
    }
}

/* Adds the links that whole packages register, without those of documentation, and those that ldconfig makes of them. */
static void add_registered(struct arena *arena, struct roots *roots, const struct roots_request *request)
{
    const struct fileset *set = request->set;
    for (size_t i = set->packaged_count; i < set->by_path.slots.count; i++) {
        const struct sourced *file = set->by_path.slots.items[i].value;
        const struct wish_package *wish = file->package ? wishes_package(request->wishes, file->package->name) : NULL;
        if (!wish || file->entry->kind != ENTRY_SYMLINK || path_is_within(file->entry->path, "/etc/alternatives") ||
            is_left_out(request, file->entry))
            continue;
        add(arena, roots,
            (struct closure_root){.path = file->entry->path,
                                  .why = arena_printf(arena, "%s takes the whole package %s, %s",
                                                      wish_giver(wish->giver), file->package->name,
                                                      strchr(file->entry->target, '/')
                                                          ? "which registers it as an alternative"
                                                          : "of which ldconfig makes it"),
                                  .is_lenient = true,
                                  .if_unloadable = wish->is_lenient ? UNLOADABLE_DROPPED : UNLOADABLE_KEPT});
    }
}

/* What of a glob is left out: paths, and globs. */
struct exceptions {
    struct map paths;
    struct strings globs;
};

static struct exceptions exceptions_of(struct arena *arena, const struct wish_file *file)
{
    struct exceptions exceptions = {.paths = {.arena = arena}};
    for (size_t i = 0; i < file->except.count; i++) {
        const char *path = file->except.items[i];
        (void)map_add(&exceptions.paths, text_of(path), (void *)path);
        if (path_is_glob(path))
            list_add(arena, &exceptions.globs, path);
    }
    return exceptions;
}

static bool is_excepted(const struct exceptions *exceptions, const char *path)
{
    bool is_it = map_get(&exceptions->paths, text_of(path)) != NULL;
    for (size_t i = 0; !is_it && i < exceptions->globs.count; i++)
        is_it = path_matches(exceptions->globs.items[i], path);
    return is_it;
}

/* Adds what a glob matches in the packages it may look into; returns the number of matches. */
static size_t add_matches(struct arena *arena, struct roots *roots, const struct fileset *set,
                          const struct wish_file *file, const char *glob)
{
    size_t matches = 0;
    struct exceptions exceptions = exceptions_of(arena, file);
    const char *why = arena_printf(arena, "files of %s: %s", wish_giver(file->giver), file->path);
    for (size_t p = 0; p < set->package_count; p++) {
        const struct package *package = set->packages[p];
        if (file->packages.count && !strings_has(&file->packages, package->name))
            continue;
        for (size_t i = 0; i < package->count; i++) {
            if (!path_matches(glob, package->entries[i].path) || is_excepted(&exceptions, package->entries[i].path))
                continue;
            add(arena, roots,
                (struct closure_root){.path = package->entries[i].path,
                                      .why = why,
                                      .is_lenient = true,
                                      .if_unloadable = file->is_lenient ? UNLOADABLE_DROPPED : UNLOADABLE_REFUSED});
            matches++;
        }
    }
    return matches;
}

/* Globs may be written with /lib or /bin as well: both mean the place below /usr. */
static const char *canonical_glob(struct arena *arena, const char *glob)
{
    const char *why;
    const char *canonical = path_canonical(arena, text_of(glob), &why);
    return canonical ? canonical : glob;
}

static bool is_executable(struct arena *arena, const struct fileset *set, const char *path)
{
    const struct sourced *file = fileset_walk(set, arena, path, NULL, NULL);
    const struct entry *content = file ? sourced_content(file) : NULL;
    return content && (content->mode & 0111) != 0;
}

/* Adds the programs of a package that a glob matches. */
static void add_programs(struct arena *arena, const struct fileset *set, const struct package *package,
                         const char *glob, struct strings *programs)
{
    for (size_t i = 0; i < package->count; i++) {
        const char *path = package->entries[i].path;
        if (path_matches(glob, path) && !strings_has(programs, path) && is_executable(arena, set, path))
            list_add(arena, programs, path);
    }
}

/* The same for several packages; none named: all. */
static void add_all_programs(struct arena *arena, const struct fileset *set, const struct strings *packages,
                             const char *glob, struct strings *programs)
{
    for (size_t p = 0; p < set->package_count; p++) {
        if (!packages->count || strings_has(packages, set->packages[p]->name))
            add_programs(arena, set, set->packages[p], glob, programs);
    }
}

bool roots_programs(struct arena *arena, const struct fileset *set, const struct strings *binaries,
                    const struct strings *packages, struct strings *ret_programs, struct err *err)
{
    static const struct strings any;
    struct strings programs = {0};
    for (size_t i = 0; i < binaries->count; i++) {
        size_t before = programs.count;
        if (!manifest_is_glob(binaries->items[i])) {
            list_add(arena, &programs, binaries->items[i]);
            continue;
        }
        const char *glob = canonical_glob(arena, binaries->items[i]);
        add_all_programs(arena, set, packages, glob, &programs);
        if (programs.count == before && packages->count)
            add_all_programs(arena, set, &any, glob, &programs);
        if (programs.count > before)
            continue;
        err_set(err, ERR_RESOLVE, "no program matches %s (binaries of the manifest) in any selected package",
                binaries->items[i]);
        return false;
    }
    *ret_programs = programs;
    return true;
}

static bool add_file(struct arena *arena, struct roots *roots, const struct fileset *set, const struct wish_file *file,
                     struct err *err)
{
    if (!path_is_glob(file->path)) {
        add(arena, roots,
            (struct closure_root){.path = file->path,
                                  .why = arena_printf(arena, "file of %s", wish_giver(file->giver)),
                                  .is_optional = file->is_optional,
                                  .is_lenient = file->is_lenient,
                                  .if_unloadable = file->is_lenient ? UNLOADABLE_DROPPED : UNLOADABLE_REFUSED});
        return true;
    }
    if (add_matches(arena, roots, set, file, canonical_glob(arena, file->path)) || file->is_optional)
        return true;
    char *packages = strings_join(arena, &file->packages, ", ");
    err_set(err, ERR_RESOLVE, "no file matches %s (%s) in %s%s", file->path, wish_giver(file->giver),
            file->packages.count ? "the packages " : "any selected package", packages);
    return false;
}

bool roots_list(struct arena *arena, const struct roots_request *request, struct roots *ret_roots, struct err *err)
{
    const struct wishes *wishes = request->wishes;
    const struct fileset *set = request->set;
    struct roots roots = {0};
    for (size_t i = 0; i < request->binaries->count; i++)
        add(arena, &roots,
            (struct closure_root){
                .path = request->binaries->items[i], .why = "binary of the manifest", .is_program = true});
    for (size_t i = 0; i < wishes->files.count; i++) {
        if (!add_file(arena, &roots, set, &wishes->files.items[i], err))
            return false;
    }
    for (size_t p = 0; p < set->package_count; p++) {
        const struct wish_package *whole = wishes_package(wishes, set->packages[p]->name);
        if (whole)
            add_whole(arena, &roots, request, set->packages[p], whole);
    }
    if (request->has_alternatives)
        add_registered(arena, &roots, request);
    const struct strings *identity_files = &set->family->identity_files;
    for (size_t i = 0; request->identity && i < identity_files->count; i++) {
        add(arena, &roots,
            (struct closure_root){.path = identity_files->items[i],
                                  .why = "tells which distribution the files are from",
                                  .is_optional = true,
                                  .is_alone = true});
    }
    *ret_roots = roots;
    return true;
}

bool roots_are_lazy(const struct wishes *wishes)
{
    for (size_t i = 0; i < wishes->files.count; i++) {
        if (path_is_glob(wishes->files.items[i].path) && !wishes->files.items[i].packages.count)
            return false;
    }
    return true;
}

bool roots_name_package(const struct wishes *wishes, const char *package)
{
    if (wishes_package(wishes, package))
        return true;
    for (size_t i = 0; i < wishes->files.count; i++) {
        if (strings_has(&wishes->files.items[i].packages, package))
            return true;
    }
    return false;
}

bool roots_lay_out(const struct family *family, const char *package)
{
    return family->layout && strcmp(package, family->layout) == 0;
}
