/* What the report tells of an order, copied out of its scratch memory. */
#include "line/work.h"

static bool has_given(const struct work *work, const char *name)
{
    for (size_t i = 0; i < work->tree.package_count; i++) {
        if (strcmp(work->tree.packages[i]->name, name) == 0)
            return true;
    }
    return false;
}

/* `package` is NULL when it was not opened. */
static void note_package(struct work *work, const struct selected *selected, const struct package *package)
{
    struct arena *arena = &work->job->arena;
    struct product_package noted = {
        .name = arena_strdup(arena, selected->name),
        .version = arena_strdup(arena, selected->version),
        .architecture = arena_strdup(arena, selected->architecture),
        .url = source_public_uri(arena, arena_printf(arena, "%s%s", selected->origin->uri, selected->url_path)),
        .size_bytes = selected->size_bytes,
        .repository = arena_strdup(arena, selected->origin->name),
        .digest = package ? package->digest : selected->digest,
        .has_given = has_given(work, selected->name)};
    list_add(arena, &work->job->product.packages, noted);
}

/* Notes selection and facts for the report; the facts are those of the package that ships the first binary. */
void work_note_selection(struct work *work)
{
    struct job *job = work->job;
    const char *main_package = job->product.choices.count ? job->product.choices.items[0].package
                               : work->names.count        ? work->names.items[0]
                                                          : "";
    for (size_t i = 0; i < work->selection.count; i++) {
        const struct selected *selected = &work->selection.items[i];
        note_package(work, selected, work->packages[i]);
        if (selected->candidate_version)
            product_note(&job->arena, &job->product,
                         arena_printf(&job->arena, "%s %s is not the newest version that the sources have (%s)",
                                      selected->name, selected->version, selected->candidate_version));
        if (strcmp(selected->name, main_package) != 0)
            continue;
        oci_split_version(&job->arena, selected->version, &job->product.facts);
        job->product.facts.package = arena_strdup(&job->arena, selected->name);
        job->product.facts.source_package = arena_strdup(&job->arena, selected->source_package);
        job->product.facts.source_version = arena_strdup(&job->arena, selected->source_version);
    }
    if (work->has_identity && !work_is_selected(work, work->identity.name) && has_given(work, work->identity.name))
        note_package(work, &work->identity, work->identity_package);
}

static void note_openers(struct work *work)
{
    struct arena *arena = &work->job->arena;
    for (size_t i = 0; i < work->openers.count; i++) {
        const struct opener *opener = &work->openers.items[i];
        struct opener noted = {.path = arena_strdup(arena, opener->path), .feature = opener->feature};
        for (size_t j = 0; j < opener->absent.count; j++)
            list_add(arena, &noted.absent, arena_strdup(arena, opener->absent.items[j]));
        list_add(arena, &work->job->product.openers, noted);
    }
}

/* Copies what the report tells of the tree out of the scratch arena. */
void work_note_tree(struct work *work)
{
    struct job *job = work->job;
    for (size_t i = 0; i < work->tree.count; i++) {
        const struct node *node = &work->tree.nodes[i];
        struct product_file file = {.path = arena_strdup(&job->arena, node->path),
                                    .package = node->package ? arena_strdup(&job->arena, node->package->name) : NULL,
                                    .why = arena_strdup(&job->arena, node->why),
                                    .by = node->by ? arena_strdup(&job->arena, node->by) : NULL};
        bool is_directory = node->kind == NODE_DIRECTORY;
        list_add(&job->arena, is_directory ? &job->product.directories : &job->product.files, file);
    }
    for (size_t i = 0; i < work->keep.notes.count; i++)
        product_note(&job->arena, &job->product, work->keep.notes.items[i]);
    for (size_t i = 0; i < work->tree.notes.count; i++)
        product_note(&job->arena, &job->product, work->tree.notes.items[i]);
    note_openers(work);
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
