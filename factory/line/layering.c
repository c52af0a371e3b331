/* SPDX-License-Identifier: Apache-2.0 */
#include "line/layering.h"

#include "base/auto.h"
#include "layer/layer_cut.h"
#include "plan/rules.h"

#include <stdlib.h>

/* A file of a source package, whatever its version and architecture, that no line of the former plan names. */
struct kept_file {
    const char *source, *name; /* name: as a line has it (layer_plan_name_of()); NULL: none can */
    uint8_t *images;           /* of the batch: whether they have it */
};

/* Files of a source package that the very same images have. */
struct group {
    const char *source;
    size_t images;
    struct strings names;
    bool is_nameable;
};

/* What images hold of a line. */
struct holding {
    uint64_t images, bytes;          /* bytes: of the image and architecture that have most */
    const struct batch_image *image; /* that was counted last, and what it has for the architecture that is counted */
    const struct job *job;
    uint64_t job_bytes;
};

struct source_facts {
    size_t group_count;
    bool has_others; /* the plan has a line for what no line names */
};

struct weighing {
    struct arena *arena, *scratch; /* scratch: for as long as one architecture of an image is looked at */
    const struct batch *batch;
    const struct layer_plan *former;
    struct layer_index lines; /* of the former plan, then of the draft */
    struct map sources;       /* struct source_facts by their source package */
    struct map files, groups;
    struct layer_plan draft;  /* the former plan, and behind it all lines that may be new */
    struct holding *holdings; /* by line of the draft */
};

static struct source_facts *facts_of(struct weighing *weighing, const char *source)
{
    struct source_facts *facts = map_get(&weighing->sources, text_of(source));
    if (facts)
        return facts;
    facts = arena_new(weighing->arena, struct source_facts);
    map_set(&weighing->sources, text_of(source), facts);
    return facts;
}

typedef void count_fn(struct weighing *weighing, const struct batch_image *image, const struct job *job,
                      const char *source, const struct bill_file *file);

/* Calls for each file of a source package that the image has. */
static void each_file_of(struct weighing *weighing, const struct batch_image *image, const struct job *job,
                         count_fn *count)
{
    AUTO(arena_done) struct arena scratch = {0};
    const struct bill *bill = &job->bill;
    struct map packages = {.arena = &scratch};
    weighing->scratch = &scratch;
    for (size_t i = 0; i < bill->packages.count; i++)
        map_set(&packages, text_of(bill->packages.items[i].name), &bill->packages.items[i]);
    for (size_t i = 0; i < bill->files.count; i++) {
        const struct bill_file *file = &bill->files.items[i];
        const struct bill_package *package =
            file->package && file->kind == NODE_FILE ? map_get(&packages, text_of(file->package)) : NULL;
        if (!package || !package->source_package)
            continue;
        count(weighing, image, job, package->source_package, file);
    }
    weighing->scratch = NULL;
}

/* The same of all images that are cut by the plan; returns whether there is one. */
static bool each_file(struct weighing *weighing, count_fn *count)
{
    bool is_any = false;
    for (size_t i = 0; i < weighing->batch->count; i++) {
        const struct batch_image *image = &weighing->batch->images[i];
        for (size_t j = 0; j < image->arch_count; j++) {
            if (image->jobs[j].bill.inputs.layers <= LAYERS_UNPLANNED)
                continue;
            each_file_of(weighing, image, &image->jobs[j], count);
            is_any = true;
        }
    }
    return is_any;
}

static const char *base_name_of(const struct bill_file *file)
{
    const char *slash = strrchr(file->path, '/');
    return slash ? slash + 1 : file->path;
}

/* Notes which image has the file. */
static void note_file(struct weighing *weighing, const struct batch_image *image, const struct job *job,
                      const char *source, const struct bill_file *file)
{
    const struct layer_share *line = layer_index_find(&weighing->lines, source, base_name_of(file));
    const char *name = layer_plan_name_of(weighing->scratch, base_name_of(file));
    const char *key = arena_printf(weighing->scratch, "%s\n%s", source, name ? name : file->path);
    struct kept_file *kept = map_get(&weighing->files, text_of(key));
    (void)job;
    if (line && line->files.count)
        return;
    if (!kept) { /* of many images most files are there already: only the first one's words are kept */
        kept = arena_new(weighing->arena, struct kept_file);
        *kept = (struct kept_file){.source = source,
                                   .name = name ? arena_strdup(weighing->arena, name) : NULL,
                                   .images = arena_new_array(weighing->arena, uint8_t, weighing->batch->count)};
        map_set(&weighing->files, text_of(arena_strdup(weighing->arena, key)), kept);
    }
    kept->images[image - weighing->batch->images] = 1;
}

/* Puts the files together that the same images have. */
static void group_files(struct weighing *weighing)
{
    size_t image_count = weighing->batch->count;
    for (size_t i = 0; i < weighing->files.slots.count; i++) {
        const struct kept_file *file = weighing->files.slots.items[i].value;
        size_t source_len = strlen(file->source) + 1;
        char *key = arena_alloc(weighing->arena, source_len + image_count);
        memcpy(key, file->source, source_len);
        memcpy(key + source_len, file->images, image_count);
        struct group *group = map_get(&weighing->groups, (struct text){key, source_len + image_count});
        if (!group) {
            group = arena_new(weighing->arena, struct group);
            *group = (struct group){.source = file->source, .is_nameable = true};
            for (size_t j = 0; j < image_count; j++)
                group->images += file->images[j];
            map_set(&weighing->groups, (struct text){key, source_len + image_count}, group);
            facts_of(weighing, file->source)->group_count++;
        }
        group->is_nameable = group->is_nameable && file->name && group->names.count < LAYER_PLAN_FILES_MAX;
        if (group->is_nameable)
            list_add(weighing->arena, &group->names, file->name);
    }
}

/* Whether files may get a line of their own: other files of the source package are in other images, so that their layers would differ. */
static bool may_have_a_line(struct weighing *weighing, const struct group *group)
{
    return facts_of(weighing, group->source)->group_count > 1 && group->is_nameable && group->images > 1;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Drafts lines for what the former plan does not name; with is_parted images' different parts of a source package get their own. */
static void draft_lines(struct weighing *weighing, bool is_parted)
{
    for (size_t i = 0; i < weighing->former->count; i++) {
        const struct layer_share *line = &weighing->former->items[i];
        list_add(weighing->arena, &weighing->draft, *line);
        if (!line->files.count)
            facts_of(weighing, line->source)->has_others = true;
    }
    for (size_t i = 0; i < weighing->groups.slots.count; i++) {
        struct group *group = weighing->groups.slots.items[i].value;
        struct source_facts *facts = facts_of(weighing, group->source);
        struct layer_share line = {.source = group->source};
        if (!rule_is_package_name(line.source))
            continue;
        if (!facts->has_others)
            list_add(weighing->arena, &weighing->draft, line);
        facts->has_others = true;
        if (is_parted && may_have_a_line(weighing, group)) {
            qsort(group->names.items, group->names.count, sizeof(const char *), compare_names);
            line.files = group->names;
            list_add(weighing->arena, &weighing->draft, line);
        }
    }
}

static void count_file(struct weighing *weighing, const struct batch_image *image, const struct job *job,
                       const char *source, const struct bill_file *file)
{
    const struct layer_share *line = layer_index_find(&weighing->lines, source, base_name_of(file));
    struct holding *holding = line ? &weighing->holdings[line - weighing->draft.items] : NULL;
    if (!holding)
        return;
    holding->images += holding->image != image;
    holding->job_bytes = holding->job == job ? holding->job_bytes + file->size_bytes : file->size_bytes;
    holding->image = image;
    holding->job = job;
    holding->bytes = holding->job_bytes > holding->bytes ? holding->job_bytes : holding->bytes;
}

/* Counts what images hold of each line of the draft. */
static void count_draft(struct weighing *weighing)
{
    weighing->holdings = arena_new_array(weighing->arena, struct holding, weighing->draft.count);
    layer_index_make(weighing->arena, &weighing->draft, &weighing->lines);
    (void)each_file(weighing, count_file);
}

/* Drops new lines with names that have too little anywhere for a layer: their files are of what no line names. */
static void drop_small_parts(struct weighing *weighing)
{
    size_t kept = weighing->former->count;
    for (size_t i = kept; i < weighing->draft.count; i++) {
        struct layer_share line = weighing->draft.items[i];
        if (!line.files.count || weighing->holdings[i].bytes >= LAYER_LEAST_BYTES)
            weighing->draft.items[kept++] = line;
    }
    weighing->draft.count = kept;
}

static uint64_t line_bytes(uint64_t bytes)
{
    return bytes < UINT32_MAX ? bytes : UINT32_MAX;
}

/* Takes over a line of the former plan, if it stays. */
static void keep_line(struct weighing *weighing, size_t number, bool is_all, struct layer_plan *plan)
{
    struct layer_share line = weighing->draft.items[number];
    const struct holding *now = &weighing->holdings[number];
    uint64_t before = line.images * line_bytes(line.bytes), after = now->images * line_bytes(now->bytes);
    if (is_all && (!now->images || now->bytes < LAYER_LEAST_BYTES / 2))
        return;
    if (now->images && (after >= 2 * before || (is_all && after <= before / 2))) {
        line.images = now->images;
        line.bytes = line_bytes(now->bytes);
    }
    list_add(weighing->arena, plan, line);
}

/* What has more bytes comes first, since Docker fetches again all that lies over what changed; then what more images have. */
static int compare_lines(const void *a, const void *b)
{
    const struct layer_share *first = a, *second = b;
    if (first->bytes != second->bytes)
        return first->bytes < second->bytes ? 1 : -1;
    if (first->images != second->images)
        return first->images < second->images ? 1 : -1;
    int order = strcmp(first->source, second->source);
    const struct strings *files = &first->files, *others = &second->files;
    return order ? order : strcmp(files->count ? files->items[0] : "", others->count ? others->items[0] : "");
}

/* Puts a line below the first that has fewer bytes; the others stay over each other as they are. */
static void insert_line(struct arena *arena, const struct layer_share *line, struct layer_plan *plan)
{
    size_t place = 0;
    while (place < plan->count && plan->items[place].bytes >= line->bytes)
        place++;
    list_add(arena, plan, *line);
    memmove(plan->items + place + 1, plan->items + place, (plan->count - 1 - place) * sizeof *line);
    plan->items[place] = *line;
}

static void add_new_lines(struct weighing *weighing, struct layer_plan *plan)
{
    struct layer_share *lines = arena_new_array(weighing->arena, struct layer_share, weighing->draft.count);
    size_t count = 0;
    for (size_t i = weighing->former->count; i < weighing->draft.count; i++) {
        const struct holding *holding = &weighing->holdings[i];
        struct layer_share line = weighing->draft.items[i];
        line.images = holding->images;
        line.bytes = line_bytes(holding->bytes);
        if (holding->bytes >= LAYER_LEAST_BYTES)
            lines[count++] = line;
    }
    if (count)
        qsort(lines, count, sizeof *lines, compare_lines);
    for (size_t i = 0; i < count && plan->count < LAYER_PLAN_MAX; i++)
        insert_line(weighing->arena, &lines[i], plan);
}

bool layering_plan(struct arena *arena, const struct batch *batch, const struct layer_plan *former, bool is_all,
                   struct layer_plan *ret_plan)
{
    struct weighing weighing = {.arena = arena,
                                .batch = batch,
                                .former = former,
                                .sources = {.arena = arena},
                                .files = {.arena = arena},
                                .groups = {.arena = arena}};
    struct layer_plan plan = {0};
    layer_index_make(arena, former, &weighing.lines);
    bool is_wanted = each_file(&weighing, note_file);
    group_files(&weighing);
    draft_lines(&weighing, is_all || !former->count);
    count_draft(&weighing);
    drop_small_parts(&weighing);
    count_draft(&weighing);
    for (size_t i = 0; i < former->count; i++)
        keep_line(&weighing, i, is_all, &plan);
    add_new_lines(&weighing, &plan);
    *ret_plan = plan;
    return is_wanted;
}

bool layering_is_first(const struct job *job)
{
    const struct run_options *options = job->plant->options;
    return options->is_locking && !options->layer_plan && !job->is_base && job->bill.inputs.layers > LAYERS_UNPLANNED;
}

bool layering_check(const struct job *job, struct err *err)
{
    const struct run_options *options = job->plant->options;
    if (job->bill.inputs.layers <= LAYERS_UNPLANNED || options->layer_plan || options->is_locking ||
        options->explained || options->is_dry_run)
        return true;
    err_set(
        err, ERR_USAGE,
        "up to %zu layers want a plan of which packages get one of their own, and there is no %s; `imgfactory lock` "
        "makes it, with the same `--layers` or `layers:` (`--layers 2` does without)",
        job->bill.inputs.layers, options->layer_plan_path);
    return false;
}
