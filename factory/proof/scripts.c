/* SPDX-License-Identifier: Apache-2.0 */
#include "proof/scripts.h"

#include "effect/script_effects.h"
#include "package/path.h"
#include "source/format.h"

#include <stdlib.h>

static int compare_path(const void *key, const void *node)
{
    return strcmp(key, ((const struct node *)node)->path);
}

static const struct node *find_node(const struct tree *tree, const char *path)
{
    if (!tree->count)
        return NULL;
    return bsearch(path, tree->nodes, tree->count, sizeof(tree->nodes[0]), compare_path);
}

/* Returns whether passwd(5) or group(5) at `path` has a line of that name. */
static bool has_account(const struct tree *tree, const char *path, struct text name)
{
    const struct node *node = find_node(tree, path);
    if (!node || node->kind != NODE_FILE)
        return false;
    struct text rest = {node->data, (size_t)node->size_bytes}, line;
    while (text_next(&rest, '\n', &line)) {
        if (line.len > name.len && memcmp(line.ptr, name.ptr, name.len) == 0 && line.ptr[name.len] == ':')
            return true;
    }
    return false;
}

static const struct node *find_subject(struct arena *arena, const struct tree *tree, const struct script_effect *effect)
{
    const char *why, *path = path_canonical(arena, text_of(effect->subject), &why);
    const struct node *node = path ? find_node(tree, path) : NULL;
    return path && !node ? find_node(tree, path_through_run(arena, path)) : node;
}

/* Returns whether what scripts change of a path was changed. */
static bool is_changed(const struct wishes *wishes, const char *path, const struct script_effect *effect)
{
    bool is_setcap = effect->effect == EFFECT_SETCAP, is_made = !is_setcap && wishes_made(wishes, path);
    for (size_t i = 0; i < wishes->owners.count && !is_made; i++)
        is_made =
            strcmp(wishes->owners.items[i].path, path) == 0 && is_setcap == (wishes->owners.items[i].capabilities != 0);
    return is_made;
}

/* Returns whether a link is made that enables a piece of configuration. */
static bool is_enabled(const struct wishes *wishes, const char *name)
{
    bool is_one = false;
    for (size_t i = 0; i < wishes->made.count && !is_one; i++) {
        const struct wish_made *made = &wishes->made.items[i];
        const char *base = path_basename(made->path);
        size_t len = strlen(name);
        is_one = made->kind == MADE_SYMLINK && made->is_automatic && len && strncmp(base, name, len) == 0 &&
                 base[len] == '.' && strstr(made->path, "-enabled/");
    }
    return is_one;
}

/* Returns whether an image has no use for anything there: documentation, what configures the machine, its devices. */
static bool is_elsewhere(const struct scripts_request *request, const char *path)
{
    static const char devices[] = "/dev/";
    const struct family *family = request->set->family;
    return strncmp(path, devices, strlen(devices)) == 0 ||
           (family &&
            (path_is_within_any(path, &family->documentation) || path_is_within_any(path, &family->for_host)));
}

/* Returns whether the image is as the script would have made it, or has no use for it. */
static bool is_settled(struct arena *arena, const struct scripts_request *request, const struct script_effect *effect)
{
    const struct tree *tree = request->tree;
    if (!effect->is_constant || strchr(effect->subject, '\n')) /* script_path() takes no such path */
        return false;
    bool is_path = effect->subject[0] == '/';
    if (is_path && is_elsewhere(request, effect->subject))
        return true;
    const struct node *node = is_path ? find_subject(arena, tree, effect) : NULL;
    switch (effect->effect) {
    case EFFECT_USER:
        return has_account(tree, "/etc/passwd", text_of(effect->subject));
    case EFFECT_GROUP:
        return has_account(tree, "/etc/group", text_of(effect->subject));
    case EFFECT_ALTERNATIVES:
        return true; /* effect/alternatives.h makes the links */
    case EFFECT_SETCAP:
    case EFFECT_STATOVERRIDE:
    case EFFECT_OWNER:
        return is_path && (!node || !node->package || is_changed(request->wishes, node->path, effect));
    case EFFECT_UCF:
    case EFFECT_DIRECTORY:
    case EFFECT_FILE:
        return node != NULL;
    case EFFECT_CERTIFICATES:
        return find_node(tree, "/etc/ssl/certs/ca-certificates.crt") != NULL;
    case EFFECT_APACHE:
        return is_enabled(request->wishes, effect->subject);
    case EFFECT_OTHER:
        return strcmp(effect->command, "dpkg-divert") == 0; /* effect/diversions.h moves the files */
    case EFFECT_KEYS:
    case EFFECT_DEBCONF:
        break;
    }
    return false;
}

bool scripts_cover(const struct scripts_request *request, const struct package *package, enum effect effect)
{
    const struct applied *applied = request->applied;
    if (request->manifest->covers[effect])
        return true;
    for (size_t i = 0; i < applied->count; i++) {
        const struct recipe *recipe = applied->items[i];
        if (recipe->covers[effect] && recipe_is_for(recipe, package->name, package->format->name))
            return true;
    }
    return false;
}

static bool is_left(struct arena *arena, const struct scripts_request *request, const struct package *package,
                    const struct script_effect *effect)
{
    return !scripts_cover(request, package, effect->effect) && !is_settled(arena, request, effect);
}

/* Adds what is left over of a package's effects: questions, or all else. */
static void add_left(struct arena *arena, const struct scripts_request *request, const struct package *package,
                     const struct script_effects *effects, bool is_asked, struct strings *left)
{
    for (size_t i = 0; i < effects->count; i++) {
        const struct script_effect *effect = &effects->items[i];
        if ((effect->effect == EFFECT_DEBCONF) != is_asked || !is_left(arena, request, package, effect))
            continue;
        list_add(arena, left,
                 arena_printf(arena, "%s%s%s (%s)", effect->command, *effect->subject ? " " : "",
                              text_printable(arena, text_of(effect->subject)), effect->script));
    }
}

/* "squid: its postinst would have called setcap $PINGER, …"; NULL when nothing is left over. */
const char *scripts_left_of(struct arena *arena, const struct scripts_request *request, const struct package *package,
                            bool ret_left[EFFECT_COUNT])
{
    const struct family *family = request->set->family;
    struct script_effects effects;
    struct strings left = {0};
    if (family && strings_has(&family->whole_system, package->name))
        return NULL; /* what it makes is the skeleton's to have */
    script_effects_list(arena, package, request->set, &effects);
    for (size_t i = 0; i < effects.count; i++) {
        const struct script_effect *effect = &effects.items[i];
        if (is_left(arena, request, package, effect))
            ret_left[effect->effect] = true;
    }
    add_left(arena, request, package, &effects, false, &left);
    add_left(arena, request, package, &effects, true, &left);
    if (!left.count)
        return NULL;
    return arena_printf(arena, "package %s: its scripts are not run, and nothing does instead: %s", package->name,
                        strings_join(arena, &left, ", "));
}

void scripts_left_over(struct arena *arena, const struct scripts_request *request, struct strings *ret_notes)
{
    for (size_t i = 0; i < request->tree->package_count; i++) {
        bool ignored[EFFECT_COUNT] = {false};
        const char *note = scripts_left_of(arena, request, request->tree->packages[i], ignored);
        if (note)
            list_add(arena, ret_notes, note);
    }
}

static bool is_known(const struct tree *tree, const char *path, struct text name)
{
    uint64_t number;
    return text_is(name, "root") || text_parse_u64(name, &number) || has_account(tree, path, name);
}

bool scripts_check_user(const char *place, const struct manifest_config *config, const struct tree *tree,
                        struct err *err)
{
    if (!config->user)
        return true;
    struct text group = text_of(config->user), user = {0};
    (void)text_next(&group, ':', &user);
    if (!is_known(tree, "/etc/passwd", user)) {
        err_set(err, ERR_USAGE, "%s: user '%.*s' is not root, one of 'users' or of a recipe, or a number", place,
                (int)user.len, user.ptr);
        return false;
    }
    if (group.len && !is_known(tree, "/etc/group", group)) {
        err_set(err, ERR_USAGE, "%s: group '%.*s' is not root, one of 'groups' or of a recipe, or a number", place,
                (int)group.len, group.ptr);
        return false;
    }
    return true;
}
