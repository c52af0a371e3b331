/* SPDX-License-Identifier: Apache-2.0 */
#include "effect/script_open.h"

#include "effect/script_words.h"
#include "package/path.h"

/* What has to be at the paths of a command for nothing to be open. */
enum need {
    NEED_THERE, /* something: the command makes it */
    NEED_OWNED, /* nothing, unless the command was sure: it changes owners or modes */
};

struct rule {
    const char *command;
    enum effect effect;
    enum need need;
    size_t first; /* operand that is a path */
    bool is_last; /* only the last operand counts */
};

static const struct rule rules[] = {
    {"chown", EFFECT_OWNER, NEED_OWNED, 1, false},     {"chgrp", EFFECT_OWNER, NEED_OWNED, 1, false},
    {"chmod", EFFECT_OWNER, NEED_OWNED, 1, false},     {"dpkg-statoverride", EFFECT_STATOVERRIDE, NEED_OWNED, 3, true},
    {"mkdir", EFFECT_DIRECTORY, NEED_THERE, 0, false}, {"install", EFFECT_FILE, NEED_THERE, 0, true},
    {"cp", EFFECT_FILE, NEED_THERE, 1, true},          {"ln", EFFECT_FILE, NEED_THERE, 1, true},
    {"touch", EFFECT_FILE, NEED_THERE, 0, false},      {"ucf", EFFECT_UCF, NEED_THERE, 1, true},
};

static const struct rule *find_rule(const struct shell_call *call)
{
    for (size_t i = 0; i < ARRAY_COUNT(rules); i++) {
        if (strcmp(shell_call_name(call), rules[i].command) == 0)
            return &rules[i];
    }
    return NULL;
}

/* What no image has: devices, kernels' file systems, and documentation, which stays away. */
static bool is_elsewhere(const struct script_strange_request *request, const char *path)
{
    static const char *const trees[] = {"/dev", "/proc", "/sys"};
    const struct family *family = request->set ? request->set->family : NULL;
    for (size_t i = 0; i < ARRAY_COUNT(trees); i++) {
        if (path_is_within(path, trees[i]))
            return true;
    }
    return family && path_is_within_any(path, &family->documentation);
}

static bool is_open(struct arena *arena, const struct script_strange_request *request, const struct shell_call *call,
                    const struct rule *rule, const struct shell_word *word)
{
    const char *why, *path = word->is_constant ? path_canonical(arena, text_of(word->text), &why) : NULL;
    if (!path)
        return true; /* nobody knows where */
    if (is_elsewhere(request, path))
        return false;
    bool is_there = request->has_path(request->self, text_of(path));
    if (rule->need == NEED_THERE)
        return !is_there;
    return is_there && !call->is_sure && !(request->is_made && request->is_made(request->self, text_of(path)));
}

const char *script_open_find(struct arena *arena, const struct script_strange_request *request,
                             const struct shell_call *call, enum effect *ret_effect)
{
    const struct rule *rule = find_rule(call);
    const char *name = shell_call_name(call);
    struct script_words words;
    if (!rule || (request->covered && request->covered[rule->effect]))
        return NULL;
    *ret_effect = rule->effect;
    if (!script_words_sort(arena, name, &call->command, &words))
        return name;
    bool is_override = rule->effect == EFFECT_STATOVERRIDE;
    if (words.has[OPTION_REMOVE] || (is_override && !words.has[OPTION_ADD]))
        return NULL;
    bool is_last = rule->is_last && !words.has[OPTION_DIRECTORY];
    for (size_t i = is_last && words.operands.count ? words.operands.count - 1 : rule->first; i < words.operands.count;
         i++) {
        const struct shell_word *word = &words.operands.items[i];
        if (is_open(arena, request, call, rule, word))
            return arena_printf(arena, "%s %s", name, text_printable(arena, text_of(word->text)));
    }
    return NULL;
}
