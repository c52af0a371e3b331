/* SPDX-License-Identifier: Apache-2.0 */
/* What systemd-tmpfiles --create --boot would make of an image (src/tmpfiles/tmpfiles.c), done on its tree. The
 * manifest's own entries stay as they are. */
#include "effect/tmpfiles.h"
#include "package/path.h"
#include "tree/tree_draft.h"

#define TMPFILES_DIR "/usr/lib/tmpfiles.d"
#define COPIES_MAX 10000 /* of all lines of type C */

static const char why_made[] = "tmpfiles.d of its package";

/* Bytes of globs times bytes of paths, for all lines of types z, Z and e: a second, where real ones take none. */
#define MATCHING_MAX ((uint64_t)1 << 28)

struct making {
    struct drafts *drafts;
    size_t copies;
    uint64_t matching;
};

static void note(const struct making *making, const struct tmpfiles_item *item, const char *what)
{
    struct drafts *drafts = making->drafts;
    list_add(drafts->arena, &drafts->notes, arena_printf(drafts->arena, "%s: %s: %s", item->place, item->path, what));
}

/* Returns whether a node can be made there: everything above is a directory, or nothing yet. */
static bool has_room(const struct making *making, const struct tmpfiles_item *item, const char *path)
{
    struct drafts *drafts = making->drafts;
    const struct draft *obstacle = drafts_obstacle(drafts, path);
    if (obstacle)
        note(making, item,
             arena_printf(drafts->arena, "it is not made, because %s is no directory", obstacle->node.path));
    return !obstacle;
}

/* The owners of a line, as numbers; false when one is unknown: the line then is passed over, as systemd does. */
static bool find_owners(const struct making *making, const struct tmpfiles_item *item, uint32_t *ret_uid,
                        uint32_t *ret_gid)
{
    const char *unknown = NULL;
    *ret_uid = *ret_gid = 0;
    if (item->user && !drafts_user_number(making->drafts, item->user, ret_uid))
        unknown = item->user;
    else if (item->group && !drafts_group_number(making->drafts, item->group, ret_gid))
        unknown = item->group;
    if (unknown)
        note(making, item,
             arena_printf(making->drafts->arena, "it is passed over, because nothing declares the user or group %s",
                          text_printable(making->drafts->arena, text_of(unknown))));
    return !unknown;
}

/* Sets mode and owner of what is there already: what the line says, and not for new ones only. */
static void adjust(const struct making *making, const struct tmpfiles_item *item, struct draft *draft)
{
    uint32_t uid, gid;
    bool is_settled = draft->made && !draft->made->yields_to_tmpfiles;
    if (is_settled || draft->node.kind == NODE_SYMLINK || !find_owners(making, item, &uid, &gid))
        return;
    if (item->has_mode && !item->is_mode_of_new) {
        uint32_t mode = item->mode, there = draft->node.mode;
        if (item->is_masked) { /* no bit for whom there is none yet; set-ids and sticky only as fits */
            mode &= (there & 0111) ? 07777 : ~(uint32_t)0111;
            mode &= (there & 0222) ? 07777 : ~(uint32_t)0222;
            mode &= (there & 0444) ? 07777 : ~(uint32_t)0444;
            mode &= draft->node.kind == NODE_DIRECTORY ? 07777 : ~(uint32_t)07000;
        }
        draft->node.mode = mode;
    }
    if (item->user && !item->is_user_of_new) {
        draft->node.uid = uid;
        draft->owner = NULL;
    }
    if (item->group && !item->is_group_of_new) {
        draft->node.gid = gid;
        draft->group = NULL;
    }
}

/* Adds a new node with the line's mode and owners. */
static bool add(const struct making *making, const struct tmpfiles_item *item, struct node node, struct err *err)
{
    if (!find_owners(making, item, &node.uid, &node.gid))
        return true;
    if (item->has_mode)
        node.mode = item->mode;
    node.why = why_made;
    return drafts_add(making->drafts, &node, NULL, err);
}

static bool make_directory(const struct making *making, const struct tmpfiles_item *item, struct err *err)
{
    struct draft *there = drafts_find(making->drafts, item->path);
    if (there && there->node.kind == NODE_DIRECTORY)
        adjust(making, item, there);
    else if (there && !there->made)
        note(making, item, "it is no directory");
    else if (!there && has_room(making, item, item->path))
        return add(making, item, (struct node){.path = item->path, .kind = NODE_DIRECTORY, .mode = 0755}, err);
    return true;
}

static bool make_file(const struct making *making, const struct tmpfiles_item *item, struct err *err)
{
    struct draft *there = drafts_find(making->drafts, item->path);
    const char *content = item->argument ? item->argument : "";
    if (there && (there->made || there->node.kind != NODE_FILE))
        return true;
    if (!there && !has_room(making, item, item->path))
        return true;
    if (!there)
        return add(
            making, item,
            (struct node){
                .path = item->path, .kind = NODE_FILE, .mode = 0644, .data = content, .size_bytes = strlen(content)},
            err);
    if (item->is_replacing) {
        struct node node = there->node;
        node.data = content;
        node.size_bytes = strlen(content);
        node.digest = NULL;
        node.package = NULL;
        node.why = why_made;
        *there = (struct draft){.node = node, .owner = there->owner, .group = there->group};
    }
    adjust(making, item, there);
    return true;
}

static bool make_link(const struct making *making, const struct tmpfiles_item *item, struct err *err)
{
    struct drafts *drafts = making->drafts;
    struct draft *there = drafts_find(drafts, item->path);
    const char *target =
        item->argument ? item->argument : arena_printf(drafts->arena, "/usr/share/factory%s", item->path);
    const char *end = path_join_target(drafts->arena, item->path, target);
    if ((there && (!item->is_replacing || there->made || there->node.kind == NODE_DIRECTORY)) ||
        (item->is_where_target && (!end || !drafts_find(drafts, end))))
        return true;
    if (there) {
        *there = (struct draft){
            .node = {.path = item->path, .kind = NODE_SYMLINK, .mode = 0777, .target = target, .why = why_made}};
        return true;
    }
    struct node node = {.path = item->path, .kind = NODE_SYMLINK, .mode = 0777, .target = target, .why = why_made};
    return !has_room(making, item, item->path) || drafts_add(drafts, &node, NULL, err);
}

/* Copies one node of the tree to another path. */
static bool copy_node(struct making *making, const struct tmpfiles_item *item, const struct draft *from,
                      const char *path, struct err *err)
{
    struct drafts *drafts = making->drafts;
    if (drafts_find(drafts, path))
        return true;
    if (++making->copies > COPIES_MAX) {
        err_set(err, ERR_MALFORMED, "%s: the lines of type C copy more than %d files", item->place, COPIES_MAX);
        return false;
    }
    struct draft *copy;
    struct node node = from->node;
    node.path = path;
    node.package = NULL;
    node.why = why_made;
    if (!drafts_add(drafts, &node, &copy, err))
        return false;
    copy->owner = from->owner;
    copy->group = from->group;
    if (strcmp(path, item->path) == 0)
        adjust(making, item, copy);
    return true;
}

/* Copies what the tree has at the argument, a directory with all below it; what is there already stays. */
static bool make_copy(struct making *making, const struct tmpfiles_item *item, struct err *err)
{
    struct drafts *drafts = making->drafts;
    const char *reason, *source = item->argument;
    if (!source)
        source = arena_printf(drafts->arena, "/usr/share/factory%s", item->path);
    source = path_canonical(drafts->arena, text_of(source), &reason);
    const struct draft *from = source ? drafts_find(drafts, source) : NULL;
    if (!from || path_is_below(item->path, source) || drafts_find(drafts, item->path) ||
        !has_room(making, item, item->path))
        return true;
    if (!copy_node(making, item, from, item->path, err))
        return false;
    size_t count = drafts->by_path.slots.count; /* what is copied now is not copied again */
    for (size_t i = 0; from->node.kind == NODE_DIRECTORY && i < count; i++) {
        const struct draft *below = drafts->by_path.slots.items[i].value;
        if (path_is_below(below->node.path, source) &&
            !copy_node(making, item, below,
                       arena_printf(drafts->arena, "%s%s", item->path, below->node.path + strlen(source)), err))
            return false;
    }
    return true;
}

/* path_matches(), with what it costs added up. */
static bool matches(struct making *making, const char *glob, const char *path)
{
    size_t plain = strcspn(glob, "*?[");
    if (strncmp(glob, path, plain) != 0)
        return false;
    making->matching += (uint64_t)(strlen(glob + plain) + 1) * (strlen(path + plain) + 1);
    return path_matches(glob, path);
}

/* Sets modes and owners of all that the glob names and, with Z, of all below. */
static bool set_modes(struct making *making, const struct tmpfiles_item *item, struct err *err)
{
    struct drafts *drafts = making->drafts;
    const char *below = arena_printf(drafts->arena, "%s/**", item->path);
    for (size_t i = 0; i < drafts->by_path.slots.count; i++) {
        struct draft *draft = drafts->by_path.slots.items[i].value;
        bool is_it = matches(making, item->path, draft->node.path) ||
                     (item->is_deep && matches(making, below, draft->node.path));
        if (is_it && (item->kind == TMPFILES_MODE || draft->node.kind == NODE_DIRECTORY))
            adjust(making, item, draft);
        if (making->matching > MATCHING_MAX) {
            err_set(err, ERR_MALFORMED, "%s: the patterns of tmpfiles.d up to here take too long to match",
                    item->place);
            return false;
        }
    }
    return true;
}

static bool make(struct making *making, const struct tmpfiles_item *item, struct err *err)
{
    switch (item->kind) {
    case TMPFILES_DIRECTORY:
        return make_directory(making, item, err);
    case TMPFILES_FILE:
        return make_file(making, item, err);
    case TMPFILES_LINK:
        return make_link(making, item, err);
    case TMPFILES_COPY:
        return make_copy(making, item, err);
    case TMPFILES_ADJUST:
    case TMPFILES_MODE:
        break; /* after the others: what they made is changed too */
    }
    return true;
}

/* Goes through the links of the skeleton, as the system's own does. */
static void place(const struct drafts *drafts, struct tmpfiles_item *item)
{
    const char *end = item->kind == TMPFILES_DIRECTORY ? drafts_link_end(drafts, item->path) : NULL;
    item->path = end ? end : drafts_place(drafts, item->path);
}

bool drafts_add_tmpfiles(struct drafts *drafts, const struct tree *tree, struct err *err)
{
    struct dropins all, files = {0};
    struct dropin_lines lines;
    struct tmpfiles items;
    struct making making = {.drafts = drafts};
    dropin_list(drafts->arena, tree->packages, tree->package_count, TMPFILES_DIR, &all);
    for (size_t i = 0; i < all.count; i++) {
        if (!drafts_describe_system(drafts, all.items[i].package))
            list_add(drafts->arena, &files, all.items[i]);
    }
    if (!dropin_read(drafts->arena, &files, &lines, &drafts->notes, err))
        return false;
    tmpfiles_parse(drafts->arena, &lines, &items, &drafts->notes);
    for (size_t i = 0; i < items.count; i++)
        place(drafts, &items.items[i]);
    for (size_t i = 0; i < items.count; i++) {
        if (!make(&making, &items.items[i], err))
            return false;
    }
    for (size_t i = 0; i < items.count; i++) {
        bool is_late = items.items[i].kind == TMPFILES_ADJUST || items.items[i].kind == TMPFILES_MODE;
        if (is_late && !set_modes(&making, &items.items[i], err))
            return false;
    }
    return true;
}
