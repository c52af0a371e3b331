/* TREE, PROOF, LAYER. */
#include "line/work.h"

#include "effect/certificates.h"
#include "line/prove.h"
#include "proof/scripts.h"

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
                                   .is_partial = work_has_unopened(work),
                                   .os_release = release_text(work)};
    if (!generate(work) || !tree_build(work->scratch, &request, &work->tree, work->err))
        return;
    openers_find(work->scratch, &work->tree, &work->openers);
    work->is_good =
        work->tree.wants_all || (scripts_check_user(&work->manifest, &work->tree, work->err) && note_scripts(work));
}

static struct prove_request proof_of(struct work *work)
{
    return (struct prove_request){.manifest = work->job->manifest,
                                  .config = &work->manifest.config,
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
    if (!work_compute(work, proof_task, err) ||
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
    work->job->product.encoder = plant->encoder;
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
    if (!work_compute(work, tree_task, err))
        return false;
    if (!work->tree.wants_all)
        return true;
    work->manifest = manifest; /* without what was generated */
    return work_open(work, true, err) && work_compute(work, work_closure_task, err) &&
           work_compute(work, tree_task, err);
}

/* TREE, PROOF, LAYER. The tree for people is written before the proof: it shows what is wrong. */
bool work_pack(struct work *work, struct err *err)
{
    if (!merge(work, err))
        return false;
    if (work->job->plant->options->tree_dir && !work_compute(work, export_task, err))
        return false;
    if (!prove(work, err))
        return false;
    work_enter(work->job, STAGE_LAYER);
    return work_compute(work, layer_task, err);
}
