/* RESOLVE to CLOSURE. What is asked for can grow: a file of the manifest that no selected package ships brings in the
 * package that does, and so do recipes. */
#include "line/work.h"

#include "base/auto.h"
#include "effect/alternatives.h"
#include "effect/pam_roots.h"
#include "package/path.h"
#include "source/choose.h"

/* Each round adds at least one package; real manifests need one or two. */
#define MAX_ROUNDS 16

static void ask_for(struct work *work, const char *name)
{
    if (!strings_has(&work->names, name))
        list_add(work->scratch, &work->names, arena_strdup(work->scratch, name));
}

/* Copies a choice for the report, once per path. */
static void note_choice(struct job *job, const char *path, const struct choice *choice)
{
    for (size_t i = 0; i < job->product.choices.count; i++) {
        if (strcmp(job->product.choices.items[i].path, path) == 0)
            return;
    }
    struct product_choice noted = {.path = arena_strdup(&job->arena, path),
                                   .package = arena_strdup(&job->arena, choice->package),
                                   .why = arena_strdup(&job->arena, choice->why)};
    for (size_t i = 0; i < choice->others.count; i++)
        list_add(&job->arena, &noted.others, arena_strdup(&job->arena, choice->others.items[i]));
    list_add(&job->arena, &job->product.choices, noted);
    if (noted.others.count)
        log_line(job->plant->log, LOG_NORMAL, "%s %s: %s is taken from %s (%s); also shipped by %s",
                 job->manifest->name, job->arch->name, path, noted.package, noted.why,
                 strings_join(&job->arena, &noted.others, ", "));
}

static bool is_older_fine(const struct job *job)
{
    return job->manifest->is_older_fine || job->plant->options->is_older_fine;
}

static bool choose(struct work *work, const char *path, struct err *err)
{
    struct job *job = work->job;
    struct choose_request request = {.path = path,
                                     .image_name = job->manifest->name,
                                     .first = &job->manifest->packages_first,
                                     .never = &job->manifest->packages_never,
                                     .is_first_ignored = work->is_first_ignored,
                                     .is_older_fine = is_older_fine(job)};
    struct choice choice;
    if (!choose_package(work->scratch, job->plant->workers, work->catalog, &request, &choice, err))
        return false;
    request.is_first_ignored = true; /* what is selected already was looked into, and has not got the path */
    if (choice.is_from_first && work_is_selected(work, choice.package) &&
        !choose_package(work->scratch, job->plant->workers, work->catalog, &request, &choice, err))
        return false;
    ask_for(work, choice.package);
    note_choice(job, path, &choice);
    return true;
}

/* The packages that the manifest asks for by itself: whole ones, and those that ship its binaries. */
static bool choose_packages(struct work *work, struct err *err)
{
    const struct manifest *manifest = &work->manifest;
    work->names = (struct strings){0};
    for (size_t i = 0; i < manifest->packages_whole.count; i++)
        ask_for(work, manifest->packages_whole.items[i]);
    for (size_t i = 0; i < manifest->binaries.count; i++) {
        if (!choose(work, manifest->binaries.items[i], err))
            return false;
    }
    for (size_t i = 0; !work->names.count && i < manifest->files.count; i++) {
        const struct manifest_file *file = &manifest->files.items[i];
        if (!path_is_glob(file->path) && !file->packages.count && !file->is_optional && !choose(work, file->path, err))
            return false;
    }
    return true;
}

/* Files may name the packages to look into: when none of them is selected, the first that exists is asked for. Returns
 * whether something was added. */
static bool ask_for_named_packages(struct work *work)
{
    size_t before = work->names.count;
    const struct manifest *manifest = &work->manifest;
    for (size_t i = 0; i < manifest->files.count; i++) {
        const struct manifest_file *file = &manifest->files.items[i];
        const char *first_known = NULL;
        bool has_one = file->is_optional;
        for (size_t j = 0; j < file->packages.count; j++) {
            has_one = has_one || work_is_selected(work, file->packages.items[j]);
            if (!first_known && catalog_has(work->catalog, file->packages.items[j], false))
                first_known = file->packages.items[j];
        }
        if (!has_one && first_known)
            ask_for(work, first_known);
    }
    return work->names.count > before;
}

static void solve_task(void *argument)
{
    struct work *work = argument;
    const struct manifest *manifest = work->job->manifest;
    struct solve_request request = {.names = work->names,
                                    .never = manifest->packages_never,
                                    .is_weak = manifest->is_weak,
                                    .is_older_fine = is_older_fine(work->job)};
    work->is_good =
        solve_packages(work->scratch, work->catalog, &request, &work->selection, work->err) &&
        solve_identity(work->scratch, work->catalog, &work->selection, &work->identity, &work->has_identity, work->err);
}

/* RESOLVE: names to a selection. */
bool work_resolve(struct work *work, struct err *err)
{
    work_enter(work->job, STAGE_RESOLVE);
    if (!work_compute(work, solve_task, err))
        return false;
    if (ask_for_named_packages(work) && !work_compute(work, solve_task, err))
        return false;
    work->packages = arena_new_array(work->scratch, const struct package *, work->selection.count + 1);
    log_line(work->job->plant->log, LOG_VERBOSE, "%s %s: %zu packages selected", work->job->manifest->name,
             work->job->arch->name, work->selection.count);
    return true;
}

static bool is_identity(const struct work *work, const char *name)
{
    return work->has_identity && strcmp(work->identity.name, name) == 0;
}

/* Whether a package of the selection can matter, as far as is known before any is opened. */
static bool is_opened_first(const struct work *work, const struct selected *selected)
{
    return selected->is_likely || is_identity(work, selected->name) ||
           roots_name_package(&work->manifest, selected->name) || roots_lay_out(selected->name);
}

/* FETCH, UNPACK: opens the likely packages, or all of them. */
bool work_open(struct work *work, bool is_all, struct err *err)
{
    struct job *job = work->job;
    size_t room = work->selection.count + 1, count = 0;
    const struct selected **wanted = arena_new_array(work->scratch, const struct selected *, room);
    size_t *places = arena_new_array(work->scratch, size_t, room);
    uint64_t bytes = 0;
    for (size_t i = 0; i < work->selection.count; i++) {
        const struct selected *selected = &work->selection.items[i];
        if (work->packages[i] || !(is_all || is_opened_first(work, selected)))
            continue;
        places[count] = i;
        wanted[count++] = selected;
        bytes += selected->size_bytes;
    }
    if (work->has_identity && !work->identity_package && !work_is_selected(work, work->identity.name)) {
        places[count] = work->selection.count;
        wanted[count++] = &work->identity;
        bytes += work->identity.size_bytes;
    }
    work_enter(job, STAGE_FETCH);
    atomic_fetch_add(&job->progress->bytes_total, bytes);
    const struct package **opened = arena_new_array(work->scratch, const struct package *, room);
    if (!supply_get(job->plant->supply, wanted, count, &job->progress->bytes_done, opened, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        work->packages[places[i]] = opened[i];
        if (is_identity(work, wanted[i]->name))
            work->identity_package = opened[i];
    }
    return !plant_is_cancelled(job->plant, err);
}

/* A path that was chosen from one package is that package's, also when another selected one ships it:
 * isc-dhcp-server-ldap diverts the binary of isc-dhcp-server, on which it depends. */
static void settle_choices(struct work *work)
{
    const struct product *product = &work->job->product;
    for (size_t i = 0; i < product->choices.count; i++) {
        const char *why;
        const char *path = path_canonical(work->scratch, text_of(product->choices.items[i].path), &why);
        if (path)
            fileset_settle(&work->set, path, product->choices.items[i].package);
    }
}

/* CLOSURE over the packages that are open. */
void work_closure_task(void *argument)
{
    struct work *work = argument;
    const struct package **open = arena_new_array(work->scratch, const struct package *, work->selection.count + 1);
    size_t count = 0;
    for (size_t i = 0; i <= work->selection.count; i++) {
        if (work->packages[i])
            open[count++] = work->packages[i];
    }
    fileset_build(work->scratch, open, count, &work->set);
    settle_choices(work);
    alternatives_add(&work->set);
    struct roots roots;
    if (!roots_list(work->scratch, &work->manifest, &work->set, work->identity_package, &roots, work->err) ||
        !pam_roots_add(work->scratch, &work->manifest, &work->set, &roots, work->err))
        return;
    struct closure_request request = {.arch = work->job->arch,
                                      .roots = roots.items,
                                      .root_count = roots.count,
                                      .is_partial = work_has_unopened(work),
                                      .hwcaps = &work->manifest.hwcaps,
                                      .dlopen = work->manifest.dlopen};
    work->is_good = closure_find(work->scratch, &work->set, &request, &work->keep, work->err);
}

/* Returns whether something is missing without which there is no image. */
static bool has_missing(const struct work *work)
{
    for (size_t i = 0; i < work->keep.missing_count; i++) {
        if (!work->keep.missing[i].is_optional)
            return true;
    }
    return false;
}

/* Says what is missing: which file needs it, and where it was looked for. */
static bool fail_missing(struct work *work, struct err *err)
{
    struct buf text;
    buf_init(&text, 3000);
    bool fits = true;
    for (size_t i = 0; fits && i < work->keep.missing_count && i < 10; i++) {
        const struct missing *missing = &work->keep.missing[i];
        if (missing->is_optional)
            continue;
        fits = buf_printf(&text, "%s%s, needed by %s, is in none of the selected packages", i ? "; " : "",
                          missing->wanted, missing->needed_by);
    }
    fits = fits && buf_printf(&text, "; searched: ");
    for (size_t i = 0; fits && i < work->selection.count; i++)
        fits = buf_printf(&text, "%s%s", i ? " " : "", work->selection.items[i].name);
    err_set(err, ERR_RESOLVE, "%s", text.bytes);
    buf_done(&text);
    return false;
}

/* Asks for the packages of libraries that dlopen notes name: of each the first that ships it in a directory of the
 * loader. *ret_new tells whether there are new ones; what nobody ships, or no index tells, stays missing. An index that
 * cannot be had just now is an error: the image must not depend on that. */
static bool ask_for_opened(struct work *work, bool *ret_new, struct err *err)
{
    size_t before = work->names.count;
    const struct strings *dirs = &work->job->arch->library_dirs;
    for (size_t i = 0; i < work->keep.missing_count; i++) {
        const struct missing *missing = &work->keep.missing[i];
        struct strings owners = {0};
        struct err why = {0};
        for (size_t j = 0; missing->is_opened && !owners.count && j < dirs->count; j++) {
            const char *path = arena_printf(work->scratch, "%s/%s", dirs->items[j], missing->wanted);
            if (strchr(missing->wanted, '/') ||
                !catalog_owners(work->catalog, work->scratch, path, &owners, NULL, &why))
                break;
        }
        if (why.kind && why.kind != ERR_RESOLVE) {
            *err = why;
            err_wrap(err, "%s, which %s opens", missing->wanted, missing->needed_by);
            return false;
        }
        if (owners.count && !strings_has(&work->job->manifest->packages_never, owners.items[0]) &&
            !strings_has(&work->refused, owners.items[0]))
            ask_for(work, owners.items[0]);
    }
    *ret_new = work->names.count > before;
    return true;
}

/* A path that no selected package ships: a binary was promised by a `first` package that does not ship it, or the
 * package of a file or script interpreter has to be added. Returns whether another round makes sense; false with err
 * set otherwise. */
static bool ask_for_missing_paths(struct work *work, struct err *err)
{
    bool has_changed = false;
    for (size_t i = 0; i < work->keep.missing_count; i++) {
        const struct missing *missing = &work->keep.missing[i];
        if (missing->wanted[0] != '/')
            continue;
        if (!work->is_first_ignored && strings_has(&work->job->manifest->binaries, missing->wanted)) {
            work->is_first_ignored = true;
            work->job->product.choices.count = 0;
            return choose_packages(work, err);
        }
        size_t before = work->names.count;
        if (!choose(work, missing->wanted, err)) {
            err_wrap(err, "needed by %s", missing->needed_by);
            return false;
        }
        has_changed = has_changed || work->names.count > before;
    }
    return has_changed || fail_missing(work, err);
}

/* Opens packages and finds the closure; all packages of the selection are opened only when the likely ones do not do,
 * or when something is found through the loader's configuration, to which any package may add. */
static bool close_over(struct work *work, struct err *err)
{
    struct job *job = work->job;
    bool is_all = !roots_are_lazy(&work->manifest);
    for (;;) {
        if (!work_open(work, is_all, err))
            return false;
        work_enter(job, STAGE_CLOSURE);
        bool is_closed = work_compute(work, work_closure_task, err);
        bool is_complete = is_all || !work_has_unopened(work);
        if (is_closed && (is_complete || (work->keep.missing_count == 0 && !work->keep.needs_cache)))
            return true;
        if (is_complete || (!is_closed && err->kind != ERR_RESOLVE))
            return false;
        err_clear(err);
        is_all = true;
    }
}

/* Applies the recipes of the packages that give files. What they ask for may bring further packages, and those further
 * recipes. Returns whether there were new ones. */
static bool apply_recipes(struct work *work)
{
    struct job *job = work->job;
    const struct recipes *recipes = job->plant->options->recipes;
    size_t before = work->applied.count;
    if (!job->manifest->has_recipes || !recipes || !applied_add(work->scratch, recipes, &work->keep, &work->applied))
        return false;
    work->manifest = applied_merge(work->scratch, job->manifest, &work->applied);
    for (size_t i = before; i < work->applied.count; i++) {
        log_line(job->plant->log, LOG_VERBOSE, "%s %s: recipe %s", job->manifest->name, job->arch->name,
                 work->applied.items[i]->name);
        for (size_t j = 0; j < work->applied.items[i]->parts.packages_whole.count; j++)
            ask_for(work, work->applied.items[i]->parts.packages_whole.items[j]);
    }
    return true;
}

/* Takes back what dlopen notes asked for, because it cannot be installed: an image is not lost over what it may lack.
 * What is required stays missing, and is reported as that. */
static void refuse_opened(struct work *work, size_t sure_count, struct err *err)
{
    log_line(work->job->plant->log, LOG_VERBOSE, "%s %s: left out, though a dlopen note asks for it: %s",
             work->job->manifest->name, work->job->arch->name, err->text);
    for (size_t i = sure_count; i < work->names.count; i++)
        list_add(work->scratch, &work->refused, work->names.items[i]);
    work->names.count = sure_count;
    err_clear(err);
}

/* RESOLVE to CLOSURE, again as long as files of the manifest and recipes bring in further packages. */
bool work_select(struct work *work, struct err *err)
{
    if (!choose_packages(work, err))
        return false;
    size_t sure_count = 0; /* of names, before a dlopen note added to them; 0: none did */
    for (size_t round = 0; round < MAX_ROUNDS; round++) {
        work->identity_package = NULL;
        if (!work_resolve(work, err)) {
            if (!sure_count || err->kind != ERR_RESOLVE)
                return false;
            refuse_opened(work, sure_count, err);
            sure_count = 0;
            continue;
        }
        sure_count = 0;
        if (work->job->plant->options->is_dry_run)
            return true;
        if (!close_over(work, err))
            return false;
        size_t before = work->names.count;
        bool is_new;
        if (!ask_for_opened(work, &is_new, err))
            return false;
        if (is_new) {
            sure_count = before;
            continue;
        }
        if (!has_missing(work) && !apply_recipes(work))
            return true;
        if (has_missing(work) && !ask_for_missing_paths(work, err))
            return false;
    }
    if (has_missing(work))
        return fail_missing(work, err);
    err_set(err, ERR_RESOLVE, "recipes keep asking for packages that bring further recipes: more than %d rounds",
            MAX_ROUNDS);
    return false;
}
