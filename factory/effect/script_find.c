/* SPDX-License-Identifier: Apache-2.0 */
#include "effect/script_find.h"

#include "package/path.h"

#define FOUND_MAX ((size_t)200) /* files that are listed */

static bool is_one_of(const char *word, const char *const *words)
{
    while (*words && strcmp(word, *words) != 0)
        words++;
    return *words != NULL;
}

/* What find(1) is asked of each file. Owners are root's at a first installation. */
struct finding {
    struct strings places;
    const char *name;
    char kind; /* 'f', 'd', 'L' */
    uint64_t depth_min, depth_max;
    bool is_any, is_picking, is_unknown; /* one of several conditions; some are not met by all; there is another */
};

static void read_condition(struct finding *finding, const char *word, const char *value, size_t *at)
{
    static const char *const joining[] = {"(", ")", "-a", "-and", "-print", "-o", "-or", NULL};
    static const char *const rootly[] = {"-user", "-group", "-uid", "-gid", NULL};
    bool is_name = strcmp(word, "-name") == 0, is_kind = strcmp(word, "-type") == 0;
    bool is_min = strcmp(word, "-mindepth") == 0, is_max = strcmp(word, "-maxdepth") == 0;
    finding->is_any = finding->is_any || strncmp(word, "-o", 2) == 0;
    if (is_one_of(word, joining))
        return;
    ++*at;
    if (is_name) {
        finding->is_unknown = finding->is_unknown || finding->name; /* of two only what meets both */
        finding->name = value;
    } else if (is_kind) {
        finding->is_unknown = finding->is_unknown || finding->kind || strlen(value) != 1;
        finding->kind = value[0] == 'l' ? 'L' : value[0];
    } else if (is_min || is_max) {
        finding->is_unknown =
            finding->is_unknown || !text_parse_u64(text_of(value), is_min ? &finding->depth_min : &finding->depth_max);
    } else {
        finding->is_unknown =
            finding->is_unknown || !is_one_of(word, rootly) || (strcmp(value, "0") != 0 && strcmp(value, "root") != 0);
    }
    finding->is_picking = finding->is_picking || is_name || is_kind;
    finding->is_unknown = finding->is_unknown || (is_kind && !strchr("fdL", finding->kind));
}

static bool read_find(struct arena *arena, const struct shell_command *command, struct finding *ret_finding)
{
    struct finding finding = {.depth_max = UINT64_MAX};
    size_t at = 1;
    for (size_t i = 1; i < command->count; i++)
        finding.is_unknown = finding.is_unknown || !command->items[i].is_constant;
    for (; at < command->count && command->items[at].text[0] == '/'; at++)
        list_add(arena, &finding.places, command->items[at].text);
    for (; at < command->count && !finding.is_unknown; at++) {
        const char *value = at + 1 < command->count ? command->items[at + 1].text : "";
        read_condition(&finding, command->items[at].text, value, &at);
    }
    *ret_finding = finding;
    return finding.places.count && !finding.is_unknown && !(finding.is_any && finding.is_picking);
}

static size_t depth_below(const char *path, const char *place)
{
    size_t depth = 0;
    for (const char *at = path + strlen(place); *at; at++)
        depth += *at == '/';
    return depth;
}

static bool is_found(struct script_world *world, const struct finding *finding, const char *place, const char *path)
{
    size_t depth = depth_below(path, place);
    return depth >= finding->depth_min && depth <= finding->depth_max &&
           (!finding->name || path_matches(finding->name, path_basename(path))) &&
           (!finding->kind || (finding->kind == 'L') == (script_world_test(world, 'L', path) != SHELL_TRUTH_NO)) &&
           (!finding->kind || finding->kind == 'L' || script_world_test(world, finding->kind, path) == SHELL_TRUTH_YES);
}

bool script_find(struct script_world *world, const struct shell_call *call, const char **ret_printed)
{
    struct finding finding;
    struct strings found = {0};
    if (strcmp(shell_call_name(call), "find") != 0 || !read_find(world->arena, &call->command, &finding))
        return false;
    for (size_t i = 0; i < finding.places.count; i++) {
        const char *reason, *place = path_canonical(world->arena, text_of(finding.places.items[i]), &reason);
        struct strings paths = {0};
        if (!place || strcmp(place, "/") == 0)
            return false;
        if (script_world_test(world, 'e', place) == SHELL_TRUTH_YES)
            list_add(world->arena, &paths, place);
        script_world_glob(world, arena_printf(world->arena, "%s/**", place), &paths);
        for (size_t j = 0; j < paths.count && found.count <= FOUND_MAX; j++) {
            if (is_found(world, &finding, place, paths.items[j]))
                list_add(world->arena, &found, paths.items[j]);
        }
    }
    list_add(world->arena, &found, "");
    if (found.count > FOUND_MAX)
        return false;
    *ret_printed = strings_join(world->arena, &found, "\n");
    return true;
}
