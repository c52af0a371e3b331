/* SPDX-License-Identifier: Apache-2.0 */
/* What a bill tells of an order, copied out of its scratch memory. */
#include "line/stages.h"

#include "line/stands.h"
#include "package/path.h"
#include "source/format.h"
#include "trust/maker.h"

static bool has_given(const struct built *built, const char *name)
{
    for (size_t i = 0; built && i < built->tree.package_count; i++) {
        if (strcmp(built->tree.packages[i]->name, name) == 0)
            return true;
    }
    return false;
}

/* `package` is NULL when it was not opened. */
static void note_package(struct arena *arena, struct bill *bill, const struct selected *selected,
                         const struct package *package, bool has_given_files)
{
    struct bill_package noted = {
        .name = arena_strdup(arena, selected->name),
        .version = arena_strdup(arena, selected->version),
        .architecture = arena_strdup(arena, selected->architecture),
        .url = source_public_uri(arena, arena_printf(arena, "%s%s", selected->origin->uri, selected->url_path)),
        .size_bytes = selected->size_bytes,
        .repository = arena_strdup(arena, selected->origin->name),
        .source_package = arena_strdup(arena, selected->source_package),
        .source_version = arena_strdup(arena, selected->source_version),
        .license = package ? package->format->license(arena, package) : NULL,
        .digest = package ? package->digest : selected->digest,
        .has_given = has_given_files};
    list_add(arena, &bill->packages, noted);
}

static void note_choices(const struct chosen_list *list, struct arena *arena, struct bill *bill)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct choice *choice = &list->items[i].choice;
        struct bill_choice noted = {.path = arena_strdup(arena, list->items[i].path),
                                    .package = arena_strdup(arena, choice->package),
                                    .why = arena_strdup(arena, choice->why)};
        for (size_t j = 0; j < choice->others.count; j++)
            list_add(arena, &noted.others, arena_strdup(arena, choice->others.items[j]));
        list_add(arena, &bill->choices, noted);
    }
}

/* The facts are those of the package that ships the first binary. */
static void note_facts(const struct selected *selected, struct arena *arena, struct oci_facts *facts)
{
    oci_split_version(arena, selected->version, facts);
    facts->package = arena_strdup(arena, selected->name);
    facts->source_package = arena_strdup(arena, selected->source_package);
    facts->source_version = arena_strdup(arena, selected->source_version);
}

/* Tells of a package that some other repository has in place of the distribution's. */
static void note_other_maker(const struct opened *opened, const struct selected *selected, struct arena *arena,
                             struct bill *bill)
{
    const struct origin *home = opened->has_identity ? opened->identity.origin : NULL;
    if (!selected->other_version || (home && !maker_is_another(selected->origin, home)))
        return;
    bill_note(arena, bill,
              arena_printf(arena, "%s %s comes from %s; %s has it, too (%s)", selected->name, selected->version,
                           selected->origin->name, selected->other_origin->name, selected->other_version));
}

void note_selection(const struct closed *closed, const struct built *built, struct arena *arena, struct bill *bill)
{
    const struct asked *asked = &closed->asked;
    const struct opened *opened = &closed->opened;
    const char *main_package = asked->chosen.count  ? asked->chosen.items[0].choice.package
                               : asked->names.count ? asked->names.items[0]
                                                    : "";
    bool is_told = false;
    note_choices(&asked->chosen, arena, bill);
    for (size_t i = 0; i < opened->selection.count; i++) {
        const struct selected *selected = &opened->selection.items[i];
        note_package(arena, bill, selected, opened->packages[i], has_given(built, selected->name));
        if (selected->candidate_version)
            bill_note(arena, bill,
                      arena_printf(arena, "%s %s is not the newest version that the sources have (%s)", selected->name,
                                   selected->version, selected->candidate_version));
        note_other_maker(opened, selected, arena, bill);
        for (size_t k = 0; k < selected->stands_for.count; k++) {
            if (stands_is_news(selected, selected->stands_for.items[k]))
                bill_note(arena, bill,
                          arena_printf(arena, "packages: install: %s is %s %s", selected->stands_for.items[k],
                                       selected->name, selected->version));
        }
        if (!is_told && selected_is_for(selected, main_package)) {
            note_facts(selected, arena, &bill->facts);
            is_told = true;
        }
    }
    if (opened->has_identity && !opened_selects(opened, opened->identity.name) &&
        has_given(built, opened->identity.name))
        note_package(arena, bill, &opened->identity, opened->identity_package, true);
}

static void note_wish(struct arena *arena, struct bill *bill, enum bill_wish_kind kind, const char *name,
                      const char *giver)
{
    struct bill_wish wish = {
        .kind = kind, .name = arena_strdup(arena, name), .by = arena_strdup(arena, wish_giver(giver))};
    list_add(arena, &bill->wanted, wish);
}

static void note_wished_files(const struct wishes *wishes, struct arena *arena, struct bill *bill)
{
    for (size_t i = 0; i < wishes->files.count; i++) {
        const struct wish_file *file = &wishes->files.items[i];
        note_wish(arena, bill, BILL_FILE, file->path, file->giver);
        struct bill_wish *noted = &bill->wanted.items[bill->wanted.count - 1];
        for (size_t j = 0; j < file->packages.count; j++)
            list_add(arena, &noted->from, arena_strdup(arena, file->packages.items[j]));
    }
}

static void note_made(const struct wishes *wishes, enum wish_made_kind kind, struct arena *arena, struct bill *bill)
{
    static const enum bill_wish_kind kinds[] = {[MADE_DIRECTORY] = BILL_MADE_DIRECTORY,
                                                [MADE_FILE] = BILL_MADE_FILE,
                                                [MADE_SYMLINK] = BILL_MADE_SYMLINK,
                                                [MADE_COPY] = BILL_MADE_FILE};
    for (size_t i = 0; i < wishes->made.count; i++) {
        if (wishes->made.items[i].kind == kind)
            note_wish(arena, bill, kinds[kind], wishes->made.items[i].path, wishes->made.items[i].giver);
    }
}

void note_wishes(const struct manifest *manifest, const struct wishes *wishes, struct arena *arena, struct bill *bill)
{
    for (size_t i = 0; i < manifest->binaries.count; i++)
        note_wish(arena, bill, BILL_BINARY, manifest->binaries.items[i], NULL);
    note_wished_files(wishes, arena, bill);
    for (size_t i = 0; i < wishes->packages.count; i++)
        note_wish(arena, bill, BILL_PACKAGE, wishes->packages.items[i].name, wishes->packages.items[i].giver);
    note_made(wishes, MADE_DIRECTORY, arena, bill);
    note_made(wishes, MADE_FILE, arena, bill);
    note_made(wishes, MADE_SYMLINK, arena, bill);
    note_made(wishes, MADE_COPY, arena, bill);
    for (size_t i = 0; i < wishes->users.count; i++)
        note_wish(arena, bill, BILL_USER, wishes->users.items[i].name, wishes->users.items[i].giver);
    for (size_t i = 0; i < wishes->groups.count; i++)
        note_wish(arena, bill, BILL_GROUP, wishes->groups.items[i].name, wishes->groups.items[i].giver);
    for (size_t i = 0; i < wishes->env.count; i++)
        note_wish(arena, bill, BILL_VARIABLE, wishes->env.items[i].name, wishes->env.items[i].giver);
}

static struct strings copy_strings(struct arena *arena, const struct strings *from)
{
    struct strings copy = {0};
    for (size_t i = 0; i < from->count; i++)
        list_add(arena, &copy, arena_strdup(arena, from->items[i]));
    return copy;
}

/* What is started; its variables are noted with the wishes. */
static struct manifest_config note_process(const struct manifest_config *config, struct arena *arena)
{
    return (struct manifest_config){.entrypoint = copy_strings(arena, &config->entrypoint),
                                    .cmd = copy_strings(arena, &config->cmd),
                                    .user = arena_strdup(arena, config->user),
                                    .working_dir = arena_strdup(arena, config->working_dir),
                                    .ports = copy_strings(arena, &config->ports),
                                    .volumes = copy_strings(arena, &config->volumes),
                                    .stop_signal = arena_strdup(arena, config->stop_signal)};
}

static void note_openers(const struct openers *openers, struct arena *arena, struct bill *bill)
{
    for (size_t i = 0; i < openers->count; i++) {
        const struct opener *opener = &openers->items[i];
        struct opener noted = {.path = arena_strdup(arena, opener->path), .feature = opener->feature};
        for (size_t j = 0; j < opener->absent.count; j++)
            list_add(arena, &noted.absent, arena_strdup(arena, opener->absent.items[j]));
        list_add(arena, &bill->openers, noted);
    }
}

static const char *capability_of(struct arena *arena, struct text value)
{
    char *hex = value.len ? arena_alloc(arena, value.len * 2 + 1) : NULL;
    for (size_t i = 0; i < value.len; i++)
        (void)snprintf(hex + 2 * i, 3, "%02x", (unsigned char)value.ptr[i]);
    return hex;
}

/* The digest of a package's file is known; what we made is small. */
static struct digest digest_of_node(const struct node *node)
{
    if (node->kind != NODE_FILE)
        return (struct digest){0};
    return node->digest ? *node->digest : digest_of(node->data, node->size_bytes);
}

static struct bill_file note_node(struct arena *arena, const struct node *node)
{
    return (struct bill_file){.path = arena_strdup(arena, node->path),
                              .package = node->package ? arena_strdup(arena, node->package->name) : NULL,
                              .why = arena_strdup(arena, node->why),
                              .by = arena_strdup(arena, node->by),
                              .kind = node->kind,
                              .mode = node->mode,
                              .uid = node->uid,
                              .gid = node->gid,
                              .size_bytes = node->kind == NODE_FILE ? node->size_bytes : 0,
                              .digest = digest_of_node(node),
                              .target = arena_strdup(arena, node->target),
                              .capability = capability_of(arena, node->capability)};
}

/* The name by which other files need it; NULL when it has none, or is no file that can be read as one. */
static const char *soname_of(struct arena *arena, const struct node *node)
{
    struct elf_facts facts;
    struct text bytes = {node->data, (size_t)node->size_bytes};
    if (node->kind != NODE_FILE)
        return NULL;
    if (node->elf)
        return arena_strdup(arena, node->elf->soname);
    if (!elf_is(bytes))
        return NULL;
    elf_read(arena, bytes, &facts);
    return facts.soname;
}

static void note_files(const struct tree *tree, struct arena *arena, struct bill *bill)
{
    for (size_t i = 0; i < tree->count; i++) {
        const struct node *node = &tree->nodes[i];
        bool is_directory = node->kind == NODE_DIRECTORY;
        list_add(arena, is_directory ? &bill->directories : &bill->files, note_node(arena, node));
        const char *soname = soname_of(arena, node);
        if (soname)
            list_add(arena, &bill->sonames,
                     (struct bill_soname){bill->files.items[bill->files.count - 1].path, soname});
    }
}

#define UNLOADABLE_NAMED 12 /* files that a note names */

static void add_unloadable(const struct unloadable_files *from, const char *package, bool is_dropped,
                           struct unloadable_files *into, struct arena *arena)
{
    for (size_t i = 0; i < from->count; i++) {
        const struct unloadable_file *file = &from->items[i];
        if (file->is_dropped == is_dropped && (!package || strcmp(file->package, package) == 0))
            list_add(arena, into, *file);
    }
}

/* One sentence for each package. */
static void note_unloadable_of(const struct unloadable_files *all, bool is_dropped, struct arena *arena,
                               struct bill *bill)
{
    struct map told = {.arena = arena};
    for (size_t i = 0; i < all->count; i++) {
        struct unloadable_files files = {0};
        struct strings names = {0};
        const struct unloadable_file *first = &all->items[i];
        if (!map_add(&told, text_of(first->package), (void *)first))
            continue;
        add_unloadable(all, first->package, is_dropped, &files, arena);
        for (size_t j = 0; j < files.count && j < UNLOADABLE_NAMED; j++)
            list_add(arena, &names, path_basename(files.items[j].path));
        const char *more =
            files.count > UNLOADABLE_NAMED ? arena_printf(arena, " and %zu more", files.count - UNLOADABLE_NAMED) : "";
        bill_note(arena, bill,
                  arena_printf(
                      arena, "package %s: %zu file%s nobody named cannot be loaded in this image and %s: %s%s (%s: %s)",
                      first->package, files.count, files.count == 1 ? " that" : "s that",
                      is_dropped         ? files.count == 1 ? "is left out" : "are left out"
                      : files.count == 1 ? "is of no use"
                                         : "are of no use",
                      strings_join(arena, &names, ", "), more, first->path, first->reason));
    }
}

/* What cannot be loaded, and the image does without. */
static void note_unloadable(const struct closed *closed, struct arena *arena, struct bill *bill)
{
    for (unsigned is_dropped = 0; is_dropped <= 1; is_dropped++) {
        struct unloadable_files files = {0};
        add_unloadable(&closed->keep.unloadable, NULL, is_dropped, &files, arena);
        add_unloadable(&closed->unloadable, NULL, is_dropped, &files, arena);
        note_unloadable_of(&files, is_dropped, arena, bill);
        for (size_t i = 0; !is_dropped && i < files.count; i++)
            list_add(arena, &bill->unloadable, arena_strdup(arena, files.items[i].path));
    }
}

void note_tree(const struct closed *closed, const struct built *built, struct arena *arena, struct bill *bill)
{
    const struct tree *tree = &built->tree;
    const struct applied *applied = &closed->asked.applied;
    const struct wishes *wishes = &built->wishes;
    note_files(tree, arena, bill);
    for (size_t i = 0; i < closed->keep.notes.count; i++)
        bill_note(arena, bill, closed->keep.notes.items[i]);
    for (size_t i = 0; i < tree->notes.count; i++)
        bill_note(arena, bill, tree->notes.items[i]);
    for (size_t i = 0; i < closed->asked.automatic.notes.count; i++)
        bill_note(arena, bill, closed->asked.automatic.notes.items[i]);
    note_unloadable(closed, arena, bill);
    if (built->left_out)
        bill_note(arena, bill, built->left_out);
    note_openers(&built->openers, arena, bill);
    bill->unpacked_bytes = tree->unpacked_bytes;
    bill->package_count = tree->package_count;
    bill->file_count = bill->files.count;
    bill->facts.created_time = tree->created_time;
    for (size_t i = 0; i < applied->count; i++)
        list_add(arena, &bill->recipes, arena_strdup(arena, applied->items[i]->name));
    bill->process = note_process(&closed->asked.config, arena);
    bill->contract = closed->asked.config.contract ? contract_copy(arena, closed->asked.config.contract) : NULL;
    for (size_t i = 0; i < wishes->env.count; i++) {
        struct yaml_pair pair = {.key = arena_strdup(arena, wishes->env.items[i].name),
                                 .value = arena_strdup(arena, wishes->env.items[i].value)};
        list_add(arena, &bill->process.env, pair);
    }
}

void note_proof(const struct proof *proof, struct arena *arena, struct bill *bill)
{
    struct bill_proof *noted = arena_new(arena, struct bill_proof);
    noted->file_count = proof->file_count;
    noted->symbol_count = proof->symbol_count;
    for (size_t i = 0; i < proof->notes.count; i++) {
        const struct proof_finding *note = &proof->notes.items[i];
        list_add(arena, &noted->notes, arena_strdup(arena, note->text));
        if (!note->path) /* of the configuration: who runs the image should know */
            bill_note(arena, bill, note->text);
    }
    bill->proof = noted;
}
