/* SPDX-License-Identifier: Apache-2.0 */
/* Variables of a script under way, and its bounds. */
#include "effect/shell_runner.h"

#include <stdlib.h>

#define STEPS_MAX 200000
#define BYTES_MAX ((size_t)16 << 20)
#define VALUE_MAX ((size_t)64 << 10)

bool shell_spend(struct shell_runner *runner, size_t steps, size_t bytes)
{
    runner->steps += steps;
    runner->bytes += bytes;
    if (runner->steps <= STEPS_MAX && runner->bytes <= BYTES_MAX)
        return true;
    runner->is_cut = true;
    runner->flow = SHELL_FLOW_EXIT;
    return false;
}

/* What the environment of a maintainer script may hold. */
static bool is_environment(const char *name)
{
    static const char *const names[] = {"HOME", "USER", "LOGNAME", "SHELL",  "PATH",     "PWD",    "OLDPWD",  "TERM",
                                        "LANG", "TZ",   "EDITOR",  "TMPDIR", "IFS",      "RANDOM", "SECONDS", "LINENO",
                                        "UID",  "EUID", "PPID",    "REPLY",  "HOSTNAME", "OPTARG", "OPTIND",  "RET"};
    static const char *const prefixes[] = {"LC_", "DEB", "DPKG_", "UCF_", "RPM_", "SUDO_", "APT_", "XDG_"};
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        if (strcmp(name, names[i]) == 0)
            return true;
    }
    for (size_t i = 0; i < ARRAY_COUNT(prefixes); i++) {
        if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0)
            return strcmp(name, "DPKG_ROOT") != 0; /* empty unless somebody installs into another root */
    }
    return false;
}

const char *shell_get(const struct shell_runner *runner, const char *name)
{
    const struct strings *arguments = &runner->arguments;
    if (name[0] >= '1' && name[0] <= '9' && !name[1]) {
        size_t at = (size_t)(name[0] - '1');
        return at < arguments->count ? arguments->items[at] : "";
    }
    if (strcmp(name, "#") == 0)
        return arena_printf(runner->arena, "%zu", arguments->count);
    if (!name[1] && strchr("?$!0-@*", name[0]))
        return NULL;
    const struct shell_variable *variable = map_get(&runner->variables, text_of(name));
    if (variable)
        return variable->value;
    if (is_environment(name))
        return runner->world->variable ? runner->world->variable(runner->world->self, name) : NULL;
    return runner->is_foreign ? NULL : "";
}

unsigned shell_umask(const struct shell_runner *runner)
{
    const char *text = shell_get(runner, SHELL_UMASK);
    return text && *text ? (unsigned)strtoul(text, NULL, 8) : SCRIPT_UMASK;
}

static void change(struct shell_runner *runner, struct shell_variable *variable, const char *value)
{
    list_add(runner->arena, &runner->journal, (struct shell_change){variable, variable->value});
    variable->value = value;
}

void shell_set(struct shell_runner *runner, const char *name, const char *value)
{
    struct shell_variable *variable = map_get(&runner->variables, text_of(name));
    if (value && strlen(value) > VALUE_MAX)
        value = NULL;
    if (!variable) {
        variable = arena_new(runner->arena, struct shell_variable);
        variable->value = shell_get(runner, name);
        map_set(&runner->variables, text_of(arena_strdup(runner->arena, name)), variable);
    }
    change(runner, variable, value);
}

struct shell_changes shell_rewind(struct shell_runner *runner, size_t mark)
{
    struct shell_changes ends = {0};
    for (size_t i = mark; i < runner->journal.count; i++) {
        struct shell_variable *variable = runner->journal.items[i].variable;
        list_add(runner->arena, &ends, (struct shell_change){variable, variable->value});
    }
    while (runner->journal.count > mark) {
        const struct shell_change *last = &runner->journal.items[--runner->journal.count];
        last->variable->value = last->before;
    }
    return ends;
}

static void mark_ends(const struct shell_changes *changes, size_t branch, size_t merge)
{
    for (size_t i = 0; i < changes->count; i++) {
        struct shell_variable *variable = changes->items[i].variable;
        variable->ends[branch] = changes->items[i].before;
        variable->merges[branch] = merge;
    }
}

static void settle(struct shell_runner *runner, const struct shell_changes *changes)
{
    for (size_t i = 0; i < changes->count; i++) {
        struct shell_variable *variable = changes->items[i].variable;
        const char *ends[2];
        if (variable->merges[2] == runner->merges)
            continue;
        variable->merges[2] = runner->merges;
        for (size_t j = 0; j < 2; j++)
            ends[j] = variable->merges[j] == runner->merges ? variable->ends[j] : variable->value;
        bool is_same = ends[0] && ends[1] && strcmp(ends[0], ends[1]) == 0;
        change(runner, variable, is_same ? ends[0] : NULL);
    }
}

void shell_merge(struct shell_runner *runner, const struct shell_changes *one, const struct shell_changes *other)
{
    runner->merges++;
    mark_ends(one, 0, runner->merges);
    mark_ends(other, 1, runner->merges);
    settle(runner, one);
    settle(runner, other);
}

void shell_print(struct shell_runner *runner, const char *text)
{
    struct shell_capture *capture = runner->capture;
    if (!capture || capture->is_unknown)
        return;
    size_t len = text ? strlen(text) : 0;
    capture->is_unknown = !text || capture->bytes.count + len > VALUE_MAX || !shell_spend(runner, 0, len);
    for (size_t i = 0; i < len && !capture->is_unknown; i++)
        list_add(runner->arena, &capture->bytes, text[i]);
}

enum shell_truth shell_run_apart(struct shell_runner *runner, const struct shell_node *node)
{
    size_t mark = runner->journal.count, doubts[ARRAY_COUNT(runner->doubts)];
    memcpy(doubts, runner->doubts, sizeof doubts);
    enum shell_truth truth = runner->run(runner, node);
    (void)shell_rewind(runner, mark);
    memcpy(runner->doubts, doubts, sizeof doubts);
    if (runner->flow != SHELL_FLOW_NEXT && !runner->is_cut) {
        truth = runner->flow == SHELL_FLOW_EXIT ? runner->flow_truth : truth;
        runner->flow = SHELL_FLOW_NEXT;
    }
    return truth;
}
