/* The order's way through the factory. make() reads like the flow in factory/README.md; what it asks for can grow once:
 * a file of the manifest that no selected package ships brings in the package that does. */
#include "line/job.h"

#include "base/auto.h"
#include "content/alternatives.h"
#include "content/certificates.h"
#include "content/path.h"
#include "line/applied.h"
#include "line/prove.h"
#include "line/roots.h"
#include "line/scripts.h"
#include "source/choose.h"

#include <stdlib.h>
#include <time.h>

/* Each round adds at least one package; real manifests need one or two. */
#define MAX_ROUNDS 16

/* What one order works with between the stages; all in the scratch arena, gone when the job ended. */
struct work {
    struct job *job;
    struct manifest manifest; /* the job's, with the recipes that apply */
    struct applied applied;
    struct arena *scratch;
    struct catalog *catalog;
    struct strings names;  /* packages asked for */
    bool is_first_ignored; /* `packages: first` did not hold; look into Contents */
    struct selection selection;
    struct selected identity;
    bool has_identity;
    const struct package **packages; /* opened, parallel to selection.items; NULL when not opened; identity last */
    const struct package *identity_package;
    struct fileset set;
    struct keep keep;
    struct tree tree;
    struct proof proof;
    struct err *err; /* for tasks on workers */
    bool is_good;
};

static void enter(struct job *job, enum stage stage)
{
    progress_stage(job->progress, stage);
    log_line(job->plant->log, LOG_VERBOSE, "%s %s: %s", job->manifest->name, job->arch->name,
             progress_stage_name(stage));
}

/* Runs a stage's computing on a worker. The stage fills work->is_good and work->err. */
static bool compute(struct work *work, workers_task *task, struct err *err)
{
    work->err = err;
    work->is_good = false;
    workers_run(work->job->plant->workers, task, work);
    return work->is_good && !plant_is_cancelled(work->job->plant, err);
}

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

static bool is_selected(const struct work *work, const char *name)
{
    for (size_t i = 0; i < work->selection.count; i++) {
        if (strcmp(work->selection.items[i].name, name) == 0)
            return true;
    }
    return false;
}

static bool choose(struct work *work, const char *path, struct err *err)
{
    struct job *job = work->job;
    struct choose_request request = {.path = path,
                                     .image_name = job->manifest->name,
                                     .first = &job->manifest->packages_first,
                                     .never = &job->manifest->packages_never,
                                     .is_first_ignored = work->is_first_ignored};
    struct choice choice;
    if (!choose_package(work->scratch, job->plant->workers, work->catalog, &request, &choice, err))
        return false;
    request.is_first_ignored = true; /* what is selected already was looked into, and has not got the path */
    if (choice.is_from_first && is_selected(work, choice.package) &&
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
            has_one = has_one || is_selected(work, file->packages.items[j]);
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
    struct solve_request request = {
        .names = work->names, .never = manifest->packages_never, .is_weak = manifest->is_weak};
    work->is_good = solve_packages(work->scratch, work->catalog, &request, &work->selection, work->err) &&
                    solve_identity(work->scratch, work->catalog, &work->selection, &work->identity, &work->has_identity,
                                   work->err);
}

/* RESOLVE: names to a selection. */
static bool resolve(struct work *work, struct err *err)
{
    enter(work->job, STAGE_RESOLVE);
    if (!compute(work, solve_task, err))
        return false;
    if (ask_for_named_packages(work) && !compute(work, solve_task, err))
        return false;
    work->packages = arena_new_array(work->scratch, const struct package *, work->selection.count + 1);
    log_line(work->job->plant->log, LOG_VERBOSE, "%s %s: %zu packages selected", work->job->manifest->name,
             work->job->arch->name, work->selection.count);
    return true;
}

/* FETCH, UNPACK: opens the likely packages, or all of them. */
static bool open_packages(struct work *work, bool is_all, struct err *err)
{
    struct job *job = work->job;
    size_t room = work->selection.count + 1, count = 0;
    const struct selected **wanted = arena_new_array(work->scratch, const struct selected *, room);
    size_t *places = arena_new_array(work->scratch, size_t, room);
    uint64_t bytes = 0;
    for (size_t i = 0; i < work->selection.count; i++) {
        const struct selected *selected = &work->selection.items[i];
        if (work->packages[i] ||
            !(is_all || selected->is_likely || roots_name_package(&work->manifest, selected->name) ||
              roots_lay_out(selected->name)))
            continue;
        places[count] = i;
        wanted[count++] = selected;
        bytes += selected->size_bytes;
    }
    if (work->has_identity && !work->identity_package && !is_selected(work, work->identity.name)) {
        places[count] = work->selection.count;
        wanted[count++] = &work->identity;
        bytes += work->identity.size_bytes;
    }
    enter(job, STAGE_FETCH);
    atomic_fetch_add(&job->progress->bytes_total, bytes);
    const struct package **opened = arena_new_array(work->scratch, const struct package *, room);
    if (!supply_get(job->plant->supply, wanted, count, &job->progress->bytes_done, opened, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        work->packages[places[i]] = opened[i];
        if (work->has_identity && strcmp(wanted[i]->name, work->identity.name) == 0)
            work->identity_package = opened[i];
    }
    return !plant_is_cancelled(job->plant, err);
}

static bool has_unopened(const struct work *work)
{
    for (size_t i = 0; i < work->selection.count; i++) {
        if (!work->packages[i])
            return true;
    }
    return false;
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
static void closure_task(void *argument)
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
    if (!roots_list(work->scratch, &work->manifest, &work->set, work->identity_package, &roots, work->err))
        return;
    struct closure_request request = {.arch = work->job->arch,
                                      .roots = roots.items,
                                      .root_count = roots.count,
                                      .is_partial = has_unopened(work),
                                      .hwcaps = &work->manifest.hwcaps};
    work->is_good = closure_find(work->scratch, &work->set, &request, &work->keep, work->err);
}

/* Says what is missing: which file needs it, and where it was looked for. */
static bool fail_missing(struct work *work, struct err *err)
{
    struct buf text;
    buf_init(&text, 3000);
    bool fits = true;
    for (size_t i = 0; fits && i < work->keep.missing_count && i < 10; i++) {
        const struct missing *missing = &work->keep.missing[i];
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
        if (!open_packages(work, is_all, err))
            return false;
        enter(job, STAGE_CLOSURE);
        bool is_closed = compute(work, closure_task, err);
        bool is_complete = is_all || !has_unopened(work);
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

/* RESOLVE to CLOSURE, again as long as files of the manifest and recipes bring in further packages. */
static bool select_files(struct work *work, struct err *err)
{
    if (!choose_packages(work, err))
        return false;
    for (size_t round = 0; round < MAX_ROUNDS; round++) {
        work->identity_package = NULL;
        if (!resolve(work, err))
            return false;
        if (work->job->plant->options->is_dry_run)
            return true;
        if (!close_over(work, err))
            return false;
        if (!work->keep.missing_count && !apply_recipes(work))
            return true;
        if (work->keep.missing_count && !ask_for_missing_paths(work, err))
            return false;
    }
    if (work->keep.missing_count)
        return fail_missing(work, err);
    err_set(err, ERR_RESOLVE, "recipes keep asking for packages that bring further recipes: more than %d rounds",
            MAX_ROUNDS);
    return false;
}

/* The text of os-release when no package gives one: what the repository's Release says of itself. */
static const char *release_text(struct work *work)
{
    const struct origins *origins = work->job->origins;
    if (work->identity_package || !origins->count || !origins->items[0].distribution)
        return NULL;
    const struct origin *origin = &origins->items[0];
    struct arena *arena = work->scratch;
    char *id = arena_strdup(arena, origin->distribution);
    for (char *c = id; *c; c++) {
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c - 'A' + 'a');
        else if (!((*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9') || *c == '.' || *c == '_' || *c == '-'))
            *c = '-';
    }
    char *text = arena_printf(arena, "ID=%s\n", id);
    if (origin->version && !strpbrk(origin->version, "\"\\$`\n"))
        text = arena_printf(arena, "%sVERSION_ID=\"%s\"\n", text, origin->version);
    if (origin->codename && !strpbrk(origin->codename, "\"\\$` \n"))
        text = arena_printf(arena, "%sVERSION_CODENAME=%s\n", text, origin->codename);
    return text;
}

/* What recipes have made of the packages' files. */
static bool generate(struct work *work)
{
    bool makes_certificates = false;
    for (size_t i = 0; i < work->applied.count; i++)
        makes_certificates = makes_certificates || work->applied.items[i]->makes_certificates;
    return !makes_certificates || certificates_make(work->scratch, &work->set, &work->manifest, work->err);
}

/* Notes what scripts would have done and nobody does; under --strict it is an error. */
static bool note_scripts(struct work *work)
{
    struct job *job = work->job;
    struct strings left = {0};
    scripts_left_over(work->scratch, &work->tree, &work->applied, &left);
    for (size_t i = 0; i < left.count; i++)
        list_add(work->scratch, &work->tree.notes, left.items[i]);
    if (!left.count || !(job->plant->options->is_strict || job->manifest->is_strict))
        return true;
    err_set(work->err, ERR_RESOLVE,
            "strict: %s. Say what the image needs of it in a recipe (manifests/recipes/PACKAGE.yaml, with `covers`)",
            strings_join(work->scratch, &left, "; "));
    return false;
}

static void tree_task(void *argument)
{
    struct work *work = argument;
    const struct plant_options *options = work->job->plant->options;
    struct tree_request request = {.arch = work->job->arch,
                                   .manifest = &work->manifest,
                                   .keep = &work->keep,
                                   .set = &work->set,
                                   .created_override = options->source_date_epoch,
                                   .is_partial = has_unopened(work),
                                   .os_release = release_text(work)};
    if (!generate(work) || !tree_build(work->scratch, &request, &work->tree, work->err))
        return;
    work->is_good =
        work->tree.wants_all || (scripts_check_user(&work->manifest, &work->tree, work->err) && note_scripts(work));
}

static struct prove_request proof_of(struct work *work)
{
    return (struct prove_request){.manifest = work->job->manifest,
                                  .arch = work->job->arch,
                                  .tree = &work->tree,
                                  .set = &work->set,
                                  .catalog = work->catalog};
}

static void proof_task(void *argument)
{
    struct work *work = argument;
    struct prove_request request = proof_of(work);
    prove_tree(work->scratch, &request, &work->proof);
    work->is_good = true;
}

/* PROOF: everything in the tree can start. */
static bool prove(struct work *work, struct err *err)
{
    struct job *job = work->job;
    struct prove_request request = proof_of(work);
    if (job->plant->options->is_no_check)
        return true;
    if (!compute(work, proof_task, err) ||
        !prove_verdict(work->scratch, &request, &work->proof, &job->arena, &job->product, err))
        return false;
    for (size_t i = 0; i < job->product.proof.notes.count; i++)
        log_line(job->plant->log, LOG_VERBOSE, "%s %s: note: %s", job->manifest->name, job->arch->name,
                 job->product.proof.notes.items[i]);
    return true;
}

static void layer_task(void *argument)
{
    struct work *work = argument;
    struct plant *plant = work->job->plant;
    work->is_good =
        layer_build(plant->store, &work->tree, plant->options->compression, &work->job->product.layer, work->err);
}

static void export_task(void *argument)
{
    struct work *work = argument;
    const struct job *job = work->job;
    work->is_good =
        tree_export(&work->tree, job->plant->options->tree_dir, job->manifest->name, job->arch->name, work->err);
}

/* TREE. An owner whose name the packages that gave files do not declare is looked up in all of the selection. */
static bool merge(struct work *work, struct err *err)
{
    struct manifest manifest = work->manifest;
    if (!compute(work, tree_task, err))
        return false;
    if (!work->tree.wants_all)
        return true;
    work->manifest = manifest; /* without what was generated */
    return open_packages(work, true, err) && compute(work, closure_task, err) && compute(work, tree_task, err);
}

/* TREE, PROOF, LAYER. The tree for people is written before the proof: it shows what is wrong. */
static bool pack(struct work *work, struct err *err)
{
    if (!merge(work, err))
        return false;
    if (work->job->plant->options->tree_dir && !compute(work, export_task, err))
        return false;
    if (!prove(work, err))
        return false;
    enter(work->job, STAGE_LAYER);
    return compute(work, layer_task, err);
}

static bool has_given(const struct work *work, const char *name)
{
    for (size_t i = 0; i < work->tree.package_count; i++) {
        if (strcmp(work->tree.packages[i]->name, name) == 0)
            return true;
    }
    return false;
}

static void note_package(struct work *work, const struct selected *selected)
{
    struct arena *arena = &work->job->arena;
    struct product_package package = {.name = arena_strdup(arena, selected->name),
                                      .version = arena_strdup(arena, selected->version),
                                      .architecture = arena_strdup(arena, selected->architecture),
                                      .url = arena_printf(arena, "%s%s", selected->origin->uri, selected->url_path),
                                      .size_bytes = selected->size_bytes,
                                      .digest = selected->digest,
                                      .has_given = has_given(work, selected->name)};
    list_add(arena, &work->job->product.packages, package);
}

/* Notes selection and facts for the report; the facts are those of the package that ships the first binary. */
static void note_selection(struct work *work)
{
    struct job *job = work->job;
    const char *main_package = job->product.choices.count ? job->product.choices.items[0].package
                               : work->names.count        ? work->names.items[0]
                                                          : "";
    for (size_t i = 0; i < work->selection.count; i++) {
        const struct selected *selected = &work->selection.items[i];
        note_package(work, selected);
        if (strcmp(selected->name, main_package) != 0)
            continue;
        oci_split_version(&job->arena, selected->version, &job->product.facts);
        job->product.facts.package = arena_strdup(&job->arena, selected->name);
        job->product.facts.source_package = arena_strdup(&job->arena, selected->source_package);
        job->product.facts.source_version = arena_strdup(&job->arena, selected->source_version);
    }
    if (work->has_identity && !is_selected(work, work->identity.name) && has_given(work, work->identity.name))
        note_package(work, &work->identity);
}

/* Copies what the report tells of the tree out of the scratch arena. */
static void note_tree(struct work *work)
{
    struct job *job = work->job;
    for (size_t i = 0; i < work->tree.count; i++) {
        const struct node *node = &work->tree.nodes[i];
        if (node->kind == NODE_DIRECTORY)
            continue;
        struct product_file file = {.path = arena_strdup(&job->arena, node->path),
                                    .package = node->package ? arena_strdup(&job->arena, node->package->name) : NULL,
                                    .why = arena_strdup(&job->arena, node->why)};
        list_add(&job->arena, &job->product.files, file);
    }
    for (size_t i = 0; i < work->keep.notes.count; i++)
        product_note(&job->arena, &job->product, work->keep.notes.items[i]);
    for (size_t i = 0; i < work->tree.notes.count; i++)
        product_note(&job->arena, &job->product, work->tree.notes.items[i]);
    job->product.unpacked_bytes = work->tree.unpacked_bytes;
    job->product.package_count = work->tree.package_count;
    job->product.facts.created_time = work->tree.created_time;
    for (size_t i = 0; i < work->applied.count; i++)
        list_add(&job->arena, &job->product.recipes, arena_strdup(&job->arena, work->applied.items[i]->name));
    for (size_t i = 0; i < work->manifest.config.env.count; i++) {
        const struct yaml_pair *pair = &work->manifest.config.env.items[i];
        list_add(&job->arena, &job->product.env,
                 (struct yaml_pair){.key = arena_strdup(&job->arena, pair->key),
                                    .value = arena_strdup(&job->arena, pair->value)});
    }
}

/* Names everything that a finished product depends on. */
static struct digest product_key(const struct job *job, const struct catalog *catalog)
{
    const struct plant_options *options = job->plant->options;
    struct digest_stream stream;
    digest_begin(&stream);
    digest_feed(&stream, job->plant->program.bytes, DIGEST_BYTES);
    digest_feed(&stream, catalog->digest.bytes, DIGEST_BYTES);
    digest_feed(&stream, job->manifest->digest.bytes, DIGEST_BYTES);
    digest_feed(&stream, job->manifest->name, strlen(job->manifest->name) + 1);
    digest_feed(&stream, job->arch->digest.bytes, DIGEST_BYTES);
    if (options->recipes)
        digest_feed(&stream, options->recipes->digest.bytes, DIGEST_BYTES);
    int64_t numbers[4] = {options->source_date_epoch, (int64_t)options->compression, options->is_strict,
                          options->is_no_check};
    digest_feed(&stream, numbers, sizeof numbers);
    return digest_end(&stream);
}

/* Returns whether the store has the layer and its bytes are right; a damaged one is removed there, to be made again. */
static bool has_layer(struct store *store, const struct layer *layer)
{
    struct err err = {0};
    AUTO(view_done) struct view view = {0};
    bool is_found;
    return store_map_blob(store, &layer->digest, &view, &is_found, &err) && is_found && view.len == layer->size_bytes;
}

/* Finds a finished product of the same inputs whose layer is still in the store. */
static bool reuse(struct job *job, const struct digest *key)
{
    struct err err = {0};
    AUTO(view_done) struct view view = {0};
    bool is_found;
    if (!store_map_derived(job->plant->store, "product", key, false, &view, &is_found, &err) || !is_found)
        return false;
    json_t *json = json_loadb(view.ptr, view.len, JSON_REJECT_DUPLICATES, NULL);
    struct product product;
    bool is_read = json && product_from_json(&job->arena, json, &product);
    json_decref(json);
    if (!is_read || !has_layer(job->plant->store, &product.layer))
        return false;
    job->product = product;
    job->is_reused = true;
    return true;
}

/* Keeps the finished product. That it cannot be kept costs the next run time, not this run its image. */
static void keep_product(struct job *job, const struct digest *key)
{
    struct err err = {0};
    json_t *json = product_to_json(&job->product);
    char *text = json_dumps(json, JSON_COMPACT);
    json_decref(json);
    AUTO(blob_abandon) struct blob blob = {0};
    if (text && !(blob_begin(job->plant->store, &blob, &err) && blob_write(&blob, text, strlen(text), &err) &&
                  blob_commit_derived(&blob, "product", key, &err)))
        log_line(job->plant->log, LOG_QUIET, "warning: the finished product is not kept for the next run: %s",
                 err.text);
    free(text);
}

static void log_notes(const struct job *job)
{
    for (size_t i = 0; i < job->product.notes.count; i++)
        log_line(job->plant->log, LOG_NORMAL, "%s %s: note: %s", job->manifest->name, job->arch->name,
                 job->product.notes.items[i]);
}

static bool make(struct work *work, struct err *err)
{
    struct job *job = work->job;
    struct plant *plant = job->plant;
    const struct plant_options *options = plant->options;
    enter(job, STAGE_INDEX);
    if (plant_is_cancelled(plant, err) || !plant_catalog(plant, job->source, job->arch, &work->catalog, err))
        return false;
    job->origins = &work->catalog->origins;
    struct digest key = product_key(job, work->catalog);
    bool may_reuse = !options->is_rebuild && !options->is_dry_run && !options->tree_dir;
    if (!may_reuse || !reuse(job, &key)) {
        if (!select_files(work, err) || (!options->is_dry_run && !pack(work, err)))
            return false;
        note_selection(work);
        if (options->is_dry_run)
            return true;
        note_tree(work);
        keep_product(job, &key);
    }
    log_notes(job);
    job->product.facts.name = job->manifest->name;
    job->product.facts.arch = job->arch->name;
    job->image = (struct image){.arch = job->arch, .layer = job->product.layer};
    struct manifest manifest = *job->manifest;
    manifest.config.env = job->product.env;
    return oci_build_image(&job->arena, &manifest, &job->product.facts, &job->image, err);
}

double job_clock(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

void job_run(struct job *job)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct work work = {.job = job, .manifest = *job->manifest, .scratch = &scratch};
    double start = job_clock();
    job->is_good = make(&work, &job->err);
    job->seconds = job_clock() - start;
    progress_stage(job->progress, job->is_good ? STAGE_DONE : STAGE_FAILED);
    if (!job->is_good)
        err_wrap(&job->err, "image %s for %s", job->manifest->name, job->arch->name);
}

void job_done(struct job *job)
{
    arena_done(&job->arena);
}
