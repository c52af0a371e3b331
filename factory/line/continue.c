/* SPDX-License-Identifier: Apache-2.0 */
#include "line/continue.h"

#include "base/auto.h"
#include "effect/alternatives_admin.h"
#include "effect/script_strange.h"
#include "package/path.h"
#include "source/format.h"

#include <stdlib.h>

struct nodes {
    struct node *items;
    size_t count, capacity;
};

struct judging {
    const struct order *order;
    const struct closed *closed;
    const struct scripts_request *scripts;
    struct map judged;       /* packages whose effects were looked at: name → the sentence, or "" */
    struct strings reasons;  /* why packages are not configured */
    bool left[EFFECT_COUNT]; /* what of their scripts nobody does */
    bool is_more_left;       /* and what no word stands for: scripts of other packages */
};

static int compare_path(const void *path, const void *node)
{
    return strcmp(path, ((const struct node *)node)->path);
}

static bool is_in(const struct tree *tree, const char *path)
{
    return tree->count && bsearch(path, tree->nodes, tree->count, sizeof tree->nodes[0], compare_path);
}

/* continuing.has_path: through the base's links, else where a path of packages is in every image. */
static bool has_path(void *self, struct text path)
{
    const struct judging *judging = self;
    AUTO(arena_done) struct arena scratch = {0}; /* a base may list a million paths */
    const char *why, *written = text_dup(&scratch, path), *place = NULL;
    if (judging->order->ground)
        (void)ground_place(judging->order->ground, &scratch, written, &place);
    if (place && is_in(judging->scripts->tree, place))
        return true;
    place = path_canonical(&scratch, path, &why);
    return place && is_in(judging->scripts->tree, place);
}

/* script_strange_request.is_made. */
static bool is_made(void *self, struct text path)
{
    const struct judging *judging = self;
    const struct wish_made *made = wishes_made(judging->scripts->wishes, text_dup(judging->order->arena, path));
    return made && made->kind == MADE_DIRECTORY;
}

/* What is left over of the effects of a package's scripts, once for all of them. */
static const char *left_of(struct judging *judging, const struct package *package)
{
    const char *left = map_get(&judging->judged, text_of(package->name));
    if (left)
        return left;
    left = scripts_left_of(judging->order->arena, judging->scripts, package, judging->left);
    map_set(&judging->judged, text_of(package->name), (void *)(left ? left : ""));
    if (left)
        list_add(judging->order->arena, &judging->reasons, left);
    return left ? left : "";
}

/* continuing.is_done. */
static bool is_done(void *self, const struct continuing_script *script)
{
    struct judging *judging = self;
    struct arena *arena = judging->order->arena;
    struct strings strange;
    bool covered[EFFECT_COUNT];
    for (size_t i = 0; i < EFFECT_COUNT; i++)
        covered[i] = script->package && scripts_cover(judging->scripts, script->package, (enum effect)i);
    struct script_text text = {
        .name = script->name, .text = script->text, .arguments = script->arguments, .has_program = true};
    struct script_strange_request request = {.package = script->is_first ? script->package : NULL,
                                             .set = &judging->closed->set,
                                             .script = &text,
                                             .has_path = has_path,
                                             .is_made = is_made,
                                             .covered = covered,
                                             .self = self,
                                             .has_effects = !script->is_first};
    bool left_open[EFFECT_COUNT] = {false};
    script_strange_find(arena, &request, &strange, left_open);
    if (covered[EFFECT_OTHER])
        strange.count = 0;
    for (size_t i = 0; i < EFFECT_COUNT && strange.count && script->package; i++)
        judging->left[i] = judging->left[i] || left_open[i];
    const char *left = script->is_first && script->package ? left_of(judging, script->package) : "";
    judging->is_more_left = judging->is_more_left || (strange.count && !script->package);
    if (strange.count)
        list_add(arena, &judging->reasons,
                 arena_printf(arena, "package %s: its %s (%s) is not run, and nobody knows what it would do with %s",
                              script->owner, script->name, script->arguments.count ? script->arguments.items[0] : "",
                              text_printable(arena, text_of(strings_join(arena, &strange, ", ")))));
    return !strange.count && !*left;
}

/* The packages that come, with their records. */
static bool list_packages(const struct order *order, const struct closed *closed, struct record *records,
                          struct continuing_package *packages, struct err *err)
{
    const struct opened *opened = &closed->opened;
    for (size_t i = 0; i < opened->selection.count; i++) {
        if (!supply_record(order->plant->supply, &opened->selection.items[i], &records[i], err))
            return false;
        packages[i] = (struct continuing_package){opened->packages[i], &records[i]};
    }
    return true;
}

void continue_replaced(struct arena *arena, const struct selection *selection, struct strings *ret_names)
{
    for (size_t i = 0; i < selection->count; i++) {
        if (selection->items[i].replaces_version)
            list_add(arena, ret_names, selection->items[i].name);
    }
}

/* What to write into the manifest: "`covers: [debconf, other]` that the image needs nothing of it, or ". */
static const char *words_to_write(struct arena *arena, const struct judging *judging)
{
    struct strings words = {0};
    for (size_t i = 0; i < EFFECT_COUNT; i++) {
        if (judging->left[i])
            list_add(arena, &words, effect_name((enum effect)i));
    }
    return words.count && !judging->is_more_left
               ? arena_printf(arena, "`covers: [%s]` that the image needs nothing of it, or ",
                              strings_join(arena, &words, ", "))
               : "";
}

/* Tells what was upgraded and what is not configured; that is an error unless the manifest allows it. */
static bool tell(const struct judging *judging, const struct continued *continued, struct tree *tree, struct err *err)
{
    const struct order *order = judging->order;
    struct arena *arena = order->arena;
    const struct selection *selection = &judging->closed->opened.selection;
    for (size_t i = 0; i < selection->count; i++) {
        const struct selected *selected = &selection->items[i];
        if (selected->replaces_version)
            list_add(arena, &tree->notes,
                     arena_printf(arena, "package %s of the base is upgraded, from %s to %s", selected->name,
                                  selected->replaces_version, selected->version));
    }
    if (!continued->unconfigured.count)
        return true;
    const char *configure = order->installed->format->configure_command;
    const char *names = strings_join(arena, &continued->unconfigured, ", ");
    const char *reasons = strings_join(arena, &judging->reasons, "; ");
    if (!order->manifest->allows_unconfigured) {
        err_set(err, ERR_RESOLVE,
                "%s cannot be installed without running scripts: %s. Say with %s`allow-unconfigured: true` that `%s` "
                "is to do it",
                names, reasons, words_to_write(arena, judging), configure);
        return false;
    }
    list_add(arena, &tree->notes,
             arena_printf(arena, "not configured, for `%s` to do: %s (%s)", configure, names, reasons));
    return true;
}

/* The files of both databases, and the links of alternatives. */
static bool list_nodes(const struct judging *judging, const struct continued *continued, struct nodes *nodes,
                       struct err *err)
{
    const struct order *order = judging->order;
    const struct opened *opened = &judging->closed->opened;
    struct alternatives_request request = {.ground = order->ground,
                                           .set = &judging->closed->set,
                                           .packages = opened->packages,
                                           .count = opened->selection.count,
                                           .dir = order->installed->format->alternatives_dir};
    struct alternatives_changes changes;
    if (!alternatives_continue(order->arena, &request, &changes, err))
        return false;
    for (size_t i = 0; i < continued->files.count; i++) {
        const struct continued_file *file = &continued->files.items[i];
        list_add(order->arena, nodes,
                 ((struct node){.path = file->path,
                                .kind = NODE_FILE,
                                .mode = file->mode,
                                .size_bytes = file->bytes.len,
                                .data = file->bytes.ptr,
                                .why = "the package manager's database"}));
    }
    for (size_t i = 0; i < changes.count; i++) {
        const struct alternatives_change *change = &changes.items[i];
        const char *why, *path = path_canonical(order->arena, text_of(change->path), &why);
        struct node node = {
            .path = path, .kind = NODE_SYMLINK, .mode = 0777, .target = change->target, .why = "alternatives"};
        if (!change->target)
            node = (struct node){.path = path,
                                 .kind = NODE_FILE,
                                 .mode = 0644,
                                 .size_bytes = strlen(change->text),
                                 .data = change->text,
                                 .why = "the database of alternatives"};
        if (path)
            list_add(order->arena, nodes, node);
    }
    return true;
}

/* Of several for a path the last one holds. */
static void list_overrides(struct arena *arena, const struct wishes *wishes, struct continuing *continuing)
{
    struct continuing_override *overrides =
        arena_new_array(arena, struct continuing_override, wishes->overrides.count + 1);
    struct map seen = {.arena = arena};
    size_t count = 0;
    for (size_t i = wishes->overrides.count; i-- > 0;) {
        const struct wish_override *wish = &wishes->overrides.items[i];
        if (map_add(&seen, text_of(wish->path), overrides))
            overrides[count++] = (struct continuing_override){wish->path, wish->owner, wish->group, wish->mode};
    }
    continuing->overrides = overrides;
    continuing->override_count = count;
}

bool continue_database(const struct order *order, const struct closed *closed, const struct scripts_request *scripts,
                       struct tree *tree, struct strings *ret_removed, struct err *err)
{
    size_t count = closed->opened.selection.count;
    struct judging judging = {.order = order, .closed = closed, .scripts = scripts, .judged.arena = order->arena};
    struct continuing continuing = {.installed = order->installed,
                                    .ground = order->ground,
                                    .count = count,
                                    .arch = order->arch,
                                    .has_documentation = order->manifest->has_documentation,
                                    .installed_time = tree->created_time,
                                    .has_path = has_path,
                                    .is_done = is_done,
                                    .self = &judging};
    struct record *records = arena_new_array(order->arena, struct record, count + 1);
    struct continuing_package *packages = arena_new_array(order->arena, struct continuing_package, count + 1);
    struct continued continued = {0};
    struct nodes nodes = {0};
    continuing.packages = packages;
    list_overrides(order->arena, scripts->wishes, &continuing);
    bool is_good = list_packages(order, closed, records, packages, err) &&
                   order->installed->format->installed_continue(order->arena, &continuing, &continued, err) &&
                   tell(&judging, &continued, tree, err) && list_nodes(&judging, &continued, &nodes, err);
    for (size_t i = 0; i < nodes.count; i++) {
        nodes.items[i].mtime = tree->created_time;
        nodes.items[i].claim = CLAIM_DATABASE;
    }
    for (size_t i = 0; i < count; i++)
        record_close(&records[i]);
    if (is_good) {
        *ret_removed = continued.removed;
        tree_add_files(order->arena, tree, nodes.items, nodes.count);
    }
    return is_good;
}
