/* SPDX-License-Identifier: Apache-2.0 */
/* TREE, PROOF. */
#include "line/stages.h"

#include "effect/certificates.h"
#include "line/continue.h"
#include "line/opening.h"
#include "proof/left_out.h"
#include "proof/scripts.h"
#include "service/unit_alias.h"
#include "source/format.h"
#include "system/system_make.h"
#include "tree/tree_data.h"
#include "tree/tree_stand.h"

/* Each round but the last leaves out files that have to do with those that the one before left out. */
#define PROVE_MAX_ROUNDS 8

/* The text of os-release when no package gives one: what the repository's Release says of itself. */
static const char *release_text(const struct order *order, const struct closed *closed)
{
    const struct origins *origins = &order->catalog->origins;
    if (closed->opened.identity_package || !origins->count || !origins->items[0].distribution)
        return NULL;
    const struct origin *origin = &origins->items[0];
    char *id = arena_strdup(order->arena, origin->distribution);
    for (char *c = id; *c; c++) {
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c - 'A' + 'a');
        else if (!((*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9') || *c == '.' || *c == '_' || *c == '-'))
            *c = '-';
    }
    char *text = arena_printf(order->arena, "ID=%s\n", id);
    if (origin->version && !strpbrk(origin->version, "\"\\$`\n"))
        text = arena_printf(order->arena, "%sVERSION_ID=\"%s\"\n", text, origin->version);
    if (origin->codename && !strpbrk(origin->codename, "\"\\$` \n"))
        text = arena_printf(order->arena, "%sVERSION_CODENAME=%s\n", text, origin->codename);
    return text;
}

struct building {
    const struct order *order;
    const struct closed *closed;
    struct built *built;
};

/* What all want, and what recipes have made of the packages' files. */
static bool generate(const struct building *building, struct wishes *ret_wishes, struct err *err)
{
    const struct closed *closed = building->closed;
    struct arena *arena = building->order->arena;
    bool makes_certificates = false;
    struct wishes made = {0};
    for (size_t i = 0; i < closed->asked.applied.count; i++)
        makes_certificates = makes_certificates || closed->asked.applied.items[i]->makes_certificates;
    if (makes_certificates && !certificates_make(arena, &closed->set, &closed->wishes, &made, err))
        return false;
    *ret_wishes = wishes_join(arena, &closed->wishes, &made);
    struct wishes aliases = unit_alias_links(arena, &closed->set, ret_wishes);
    *ret_wishes = wishes_join(arena, ret_wishes, &aliases);
    if (makes_certificates && building->order->installed)
        certificates_list(arena, &closed->set, ret_wishes);
    return true;
}

/* Notes what scripts would have done and nobody does; under --strict it is an error. */
static bool note_scripts(const struct building *building, struct err *err)
{
    const struct order *order = building->order;
    struct tree *tree = &building->built->tree;
    struct strings left = {0};
    const struct scripts_request request = {order->manifest, tree, &building->closed->set, &building->built->wishes,
                                            &building->closed->asked.applied};
    scripts_left_over(order->arena, &request, &left);
    for (size_t i = 0; i < left.count; i++)
        list_add(order->arena, &tree->notes, left.items[i]);
    if (!left.count || !(order->plant->inputs.is_strict || order->manifest->is_strict))
        return true;
    err_set(err, ERR_RESOLVE,
            "strict: %s. Say what the image needs of it in the manifest, or in a recipe "
            "(manifests/recipes/PACKAGE.yaml), with `covers`",
            strings_join(order->arena, &left, "; "));
    return false;
}

/* Keeps the packages of the first binary's source: further binaries are its tools, perhaps a shell. */
static struct own own_of_first(struct arena *arena, const struct automatic_request *request, const struct own *own)
{
    const char *source = own->main ? own_source(request, own->main->name) : NULL;
    struct own first = {.main = own->main};
    if (!source)
        return *own;
    for (size_t i = 0; i < own->packages.count; i++) {
        const struct package *package = own->packages.items[i];
        const char *of_package = own_source(request, package->name);
        if (!of_package || strcmp(of_package, source) != 0)
            continue;
        list_add(arena, &first.packages, package);
        list_add(arena, &first.names, package->name);
    }
    return first;
}

/* Says what the packages of the service ship that the image has not. */
static const char *find_left_out(const struct order *order, const struct closed *closed, const struct tree *tree)
{
    struct own own;
    struct map told = {.arena = order->arena};
    struct automatic_request of_service = {.manifest = closed->manifest,
                                           .arch = order->arch,
                                           .selection = &closed->opened.selection,
                                           .packages = closed->opened.packages,
                                           .set = &closed->set};
    struct left_out_request request = {.own = &own,
                                       .family = order->catalog->family,
                                       .arch = order->arch,
                                       .tree = tree,
                                       .told = &told,
                                       .is_unit_read = order->manifest->automatic[AUTOMATIC_UNIT]};
    const struct unloadable_files *dropped[] = {&closed->keep.unloadable, &closed->unloadable};
    for (size_t k = 0; k < ARRAY_COUNT(dropped); k++) {
        for (size_t i = 0; i < dropped[k]->count; i++)
            (void)map_add(&told, text_of(dropped[k]->items[i].path), &own);
    }
    own_find(order->arena, &of_service, &own);
    own = own_of_first(order->arena, &of_service, &own);
    return left_out_sentence(order->arena, &request);
}

struct owners {
    const struct installed *installed;
    struct strings replaced; /* names of packages that are upgraded */
};

static const char *owner_of(const void *self, const char *path)
{
    const struct owners *owners = self;
    return owners->installed->format->installed_owner(owners->installed, path, &owners->replaced);
}

/* Puts the tree on the base of the image, if it has one. Where packages are installed, what is made of scripts is judged by
 * the image as it would be; the database that tells of it is put on the base then, too. */
static bool put_on_base(const struct building *building, struct err *err)
{
    const struct order *order = building->order;
    struct built *built = building->built;
    struct tree whole = built->tree;
    struct owners owners = {.installed = order->installed};
    struct strings removed = {0};
    struct stand_request request = {.ground = order->ground, .tree = &whole, .manifest_path = order->manifest->path};
    built->root = built->tree;
    if ((!order->ground && !order->installed) || built->tree.wants_all)
        return true;
    if (order->installed) {
        request.owner = owner_of;
        request.owner_self = &owners;
        request.sets_rights = order->installed->format->sets_rights;
    }
    continue_replaced(order->arena, &building->closed->opened.selection, &owners.replaced);
    request.replaced = &owners.replaced;
    if (order->ground && !tree_stand(order->arena, &request, &built->tree, &built->root, err))
        return false;
    if (!order->installed)
        return true;
    const struct scripts_request scripts = {order->manifest, &built->root, &building->closed->set, &built->wishes,
                                            &building->closed->asked.applied};
    if (!continue_database(order, building->closed, &scripts, &whole, &removed, err))
        return false;
    request.removed = &removed;
    built->tree = built->root = whole;
    return !order->ground || tree_stand(order->arena, &request, &built->tree, &built->root, err);
}

/* The bytes of a small file of the finished tree; none when it is not there. */
static struct text file_of(const struct tree *tree, const char *path)
{
    for (size_t i = 0; i < tree->count; i++) {
        const struct node *node = &tree->nodes[i];
        if (strcmp(node->path, path) == 0 && node->kind == NODE_FILE)
            return (struct text){node->data, (size_t)node->size_bytes};
    }
    return (struct text){"", 0};
}

/* Joins what a system container exports to the wishes: the numbers of its user are known when there is a tree. */
static void join_exports(const struct building *building)
{
    const struct order *order = building->order;
    const struct manifest *manifest = order->manifest;
    struct built *built = building->built;
    struct manifest_config process =
        build_process(order->arena, order->standing, &building->closed->asked.config, &built->wishes);
    struct make_request request = {.process = &process,
                                   .contract = building->closed->asked.config.contract,
                                   .passwd = file_of(&built->root, "/etc/passwd"),
                                   .group = file_of(&built->root, "/etc/group"),
                                   .is_template = true,
                                   .variables = &manifest->system->variables};
    const char *title = manifest->description ? manifest->description : manifest->name;
    struct wishes exports = system_make_exports(order->arena, manifest->system, title, &request);
    built->wishes = wishes_join(order->arena, &built->wishes, &exports);
}

static bool make_tree(void *argument, struct err *err)
{
    const struct building *building = argument;
    const struct order *order = building->order;
    const struct closed *closed = building->closed;
    struct built *built = building->built;
    struct wishes wishes;
    if (!generate(building, &wishes, err))
        return false;
    *built = (struct built){.wishes = wishes};
    struct tree_request request = {.arch = order->arch,
                                   .manifest = order->manifest,
                                   .config = &closed->asked.config,
                                   .wishes = &built->wishes,
                                   .keep = &closed->keep,
                                   .set = &closed->set,
                                   .created_override = order->plant->inputs.source_date_epoch,
                                   .has_base_accounts = order->manifest->automatic[AUTOMATIC_ACCOUNTS],
                                   .is_partial = opened_is_partial(&closed->opened),
                                   .ground = order->ground,
                                   .has_database = order->installed != NULL,
                                   .os_release = release_text(order, closed)};
    if (!tree_build(order->arena, &request, &built->tree, err) || !put_on_base(building, err))
        return false;
    if (order->manifest->system && !built->tree.wants_all) {
        join_exports(building);
        if (!tree_build(order->arena, &request, &built->tree, err) || !put_on_base(building, err))
            return false;
    }
    openers_find(order->arena, order->plant->options->features, &built->tree, &built->openers);
    built->left_out = find_left_out(order, closed, &built->tree);
    if (built->tree.wants_all)
        return true;
    if (!scripts_check_user(order->manifest->path, &closed->asked.config, &built->root, err) ||
        !note_scripts(building, err))
        return false;
    if (!order->manifest->volumes)
        return true;
    left_out_of_data(order->arena, order->manifest->volumes, closed->opened.packages, closed->opened.selection.count,
                     &built->root, &built->tree.notes);
    const struct data_request data = {.volumes = order->manifest->volumes,
                                      .path = order->manifest->path,
                                      .format = order->installed ? order->installed->format : NULL,
                                      .has_base = order->ground != NULL};
    return tree_move_data(order->arena, &data, &built->root, &built->tree, err);
}

/* Opens packages of which something was looked for when the tree was made, or all, because of a name that nobody knows. */
static bool open_more(const struct order *order, struct closed *closed, const struct tree *tree, bool *ret_more,
                      struct err *err)
{
    struct strings names;
    opening_ask(order, closed, &names);
    *ret_more = tree->wants_all || opening_tell(order, &closed->asked, &names);
    return !*ret_more || (opening_open(order, tree->wants_all ? REACH_ALL : REACH_LEAN, closed, err) &&
                          select_close_again(order, closed, err));
}

bool build_tree(const struct order *order, struct closed *closed, struct built *ret_built, struct err *err)
{
    struct building building = {order, closed, ret_built};
    bool is_more = true;
    while (is_more) { /* ends: each round opens a package */
        if (!order_compute(order, make_tree, &building, err) ||
            !open_more(order, closed, &ret_built->tree, &is_more, err))
            return false;
    }
    return true;
}

struct proving {
    const struct order *order;
    struct prove_request request;
    struct proof *proof;
};

static bool prove(void *argument, struct err *err)
{
    (void)err;
    const struct proving *proving = argument;
    prove_tree(proving->order->arena, &proving->request, proving->proof);
    return true;
}

struct manifest_config build_process(struct arena *arena, const struct standing *standing,
                                     const struct manifest_config *config, const struct wishes *wishes)
{
    struct manifest_config process = *config;
    process.env = (struct yaml_pairs){0};
    for (size_t i = 0; i < wishes->env.count; i++) {
        struct yaml_pair pair = {.key = wishes->env.items[i].name, .value = wishes->env.items[i].value};
        list_add(arena, &process.env, pair);
    }
    return standing ? oci_base_inherit(arena, &standing->base, &process) : process;
}

static struct prove_request request_of(const struct order *order, const struct closed *closed,
                                       const struct built *built, struct map *ret_spare)
{
    *ret_spare = (struct map){.arena = order->arena};
    for (size_t i = 0; i < closed->keep.count; i++) {
        const struct kept *kept = &closed->keep.items[i];
        if (kept->if_unloadable != UNLOADABLE_REFUSED)
            (void)map_add(ret_spare, text_of(kept->file->entry->path), (void *)kept);
    }
    struct manifest_config *config = arena_new(order->arena, struct manifest_config);
    *config = build_process(order->arena, order->standing, &closed->asked.config, &built->wishes);
    return (struct prove_request){.manifest = closed->manifest,
                                  .config = config,
                                  .arch = order->arch,
                                  .tree = &built->root,
                                  .set = &closed->set,
                                  .spare = ret_spare,
                                  .interpreters = order->plant->options->interpreters,
                                  .catalog = order->catalog};
}

/* Says what is wrong with a file, without its name. */
static const char *reason_of(const struct proof_finding *finding)
{
    size_t len = strlen(finding->path);
    if (strncmp(finding->text, finding->path, len) != 0)
        return finding->text;
    return finding->text + len + strspn(finding->text + len, ": ");
}

/* Takes down the files that cannot be loaded and that the image may do without; returns whether any has to leave. */
static bool take_spared(const struct order *order, struct closed *closed, const struct map *spare,
                        const struct proof *proof)
{
    struct map known = {.arena = order->arena};
    bool is_any_dropped = false;
    for (size_t i = 0; i < closed->keep.unloadable.count; i++)
        (void)map_add(&known, text_of(closed->keep.unloadable.items[i].path), closed);
    for (size_t i = 0; i < closed->unloadable.count; i++)
        (void)map_add(&known, text_of(closed->unloadable.items[i].path), closed);
    for (size_t i = 0; i < proof->spared.count; i++) {
        const struct proof_finding *finding = &proof->spared.items[i];
        const struct kept *kept = map_get(spare, text_of(finding->path));
        if (!kept || kept->by || !map_add(&known, text_of(finding->path), closed))
            continue; /* what is kept for others shares their fate */
        struct unloadable_file file = {.path = finding->path,
                                       .package = kept->file->package->name,
                                       .reason = reason_of(finding),
                                       .is_dropped = kept->if_unloadable == UNLOADABLE_DROPPED};
        list_add(order->arena, &closed->unloadable, file);
        is_any_dropped = is_any_dropped || file.is_dropped;
    }
    return is_any_dropped;
}

bool prove_built(const struct order *order, struct closed *closed, struct built *built, struct proof *ret_proof,
                 struct err *err)
{
    for (unsigned round = 1;; round++) {
        struct map spare;
        struct proving proving = {order, request_of(order, closed, built, &spare), ret_proof};
        if (!order_compute(order, prove, &proving, err))
            return false;
        if (!take_spared(order, closed, &spare, ret_proof) || round == PROVE_MAX_ROUNDS)
            return true;
        if (!select_close_again(order, closed, err) || !build_tree(order, closed, built, err))
            return false;
    }
}

bool prove_good(const struct order *order, const struct closed *closed, const struct built *built,
                const struct proof *proof, struct err *err)
{
    struct map spare;
    struct prove_request request = request_of(order, closed, built, &spare);
    return prove_verdict(order->arena, &request, proof, err);
}
