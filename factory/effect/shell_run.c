/* SPDX-License-Identifier: Apache-2.0 */
#include "effect/shell_run.h"

#include "effect/shell_runner.h"
#include "effect/shell_test.h"

#define DEPTH_MAX 250
#define ROUNDS_MAX 1000

static enum shell_truth run_node(struct shell_runner *runner, const struct shell_node *node);

static bool is_sure(const struct shell_runner *runner)
{
    size_t reasons = runner->branches;
    for (size_t i = 0; i < ARRAY_COUNT(runner->doubts); i++)
        reasons += runner->doubts[i];
    return reasons == 0;
}

/* Runs what may not be reached, and returns how it was left. */
static enum shell_flow run_branch(struct shell_runner *runner, const struct shell_node *node)
{
    if (!node)
        return SHELL_FLOW_NEXT;
    runner->branches++;
    (void)run_node(runner, node);
    runner->branches--;
    enum shell_flow flow = runner->flow;
    if (!runner->is_cut)
        runner->flow = SHELL_FLOW_NEXT;
    /* A script that fails leaves no installed package: what follows is reached whenever it matters. */
    return flow == SHELL_FLOW_EXIT && runner->flow_truth != SHELL_TRUTH_YES ? SHELL_FLOW_NEXT : flow;
}

/* Runs one of two, nobody knows which; each may be NULL. */
static enum shell_truth run_either(struct shell_runner *runner, const struct shell_node *one,
                                   const struct shell_node *other)
{
    size_t mark = runner->journal.count;
    enum shell_flow flows[2];
    flows[0] = run_branch(runner, one);
    struct shell_changes ends = shell_rewind(runner, mark);
    flows[1] = run_branch(runner, other);
    struct shell_changes other_ends = shell_rewind(runner, mark);
    shell_merge(runner, &ends, &other_ends);
    if (flows[0] == flows[1] && flows[0] != SHELL_FLOW_NEXT) {
        runner->flow = flows[0];
        return SHELL_TRUTH_MAYBE;
    }
    for (size_t i = 0; i < 2; i++)
        runner->doubts[flows[i]] += flows[i] != SHELL_FLOW_NEXT;
    return SHELL_TRUTH_MAYBE;
}

static enum shell_truth run_list(struct shell_runner *runner, const struct shell_node *list)
{
    enum shell_truth truth = SHELL_TRUTH_YES;
    for (const struct shell_node *node = list->first; node && runner->flow == SHELL_FLOW_NEXT; node = node->next)
        truth = run_node(runner, node);
    return truth;
}

static enum shell_truth run_and_or(struct shell_runner *runner, const struct shell_node *chain)
{
    enum shell_truth truth = run_node(runner, chain->first);
    for (const struct shell_node *node = chain->first->next; node && runner->flow == SHELL_FLOW_NEXT;
         node = node->next) {
        if (truth == SHELL_TRUTH_MAYBE)
            truth = run_either(runner, node, NULL);
        else if ((truth == SHELL_TRUTH_YES) != node->is_or)
            truth = run_node(runner, node);
    }
    return truth;
}

static enum shell_truth run_pipe(struct shell_runner *runner, const struct shell_node *pipe)
{
    const char *input = runner->input, *piped_from = runner->piped_from;
    enum shell_truth truth = SHELL_TRUTH_YES;
    for (const struct shell_node *node = pipe->first; node && runner->flow == SHELL_FLOW_NEXT; node = node->next) {
        struct shell_capture capture = {0}, *outer = runner->capture;
        if (node->next)
            runner->capture = &capture;
        truth = run_node(runner, node);
        runner->capture = outer;
        if (!runner->is_cut && (node->next || node != pipe->first))
            runner->flow = SHELL_FLOW_NEXT; /* of a subshell */
        runner->input =
            capture.is_unknown
                ? NULL
                : arena_strndup(runner->arena, capture.bytes.count ? capture.bytes.items : "", capture.bytes.count);
        runner->piped_from = runner->last_words;
    }
    runner->input = input;
    runner->piped_from = piped_from;
    return truth;
}

static enum shell_truth run_if(struct shell_runner *runner, const struct shell_node *node)
{
    for (;;) {
        enum shell_truth truth = run_node(runner, node->first);
        if (runner->flow != SHELL_FLOW_NEXT)
            return truth;
        if (truth == SHELL_TRUTH_MAYBE)
            return run_either(runner, node->second, node->third);
        if (truth == SHELL_TRUTH_YES)
            return run_node(runner, node->second);
        if (!node->third)
            return SHELL_TRUTH_YES;
        if (node->third->kind != SHELL_NODE_IF)
            return run_node(runner, node->third);
        node = node->third;
    }
}

/* Runs the body of a loop once; false when the loop is over. */
static bool run_round(struct shell_runner *runner, const struct shell_node *body, bool is_known)
{
    if (++runner->rounds > ROUNDS_MAX) {
        runner->is_cut = true;
        return false;
    }
    if (is_known)
        (void)run_node(runner, body);
    else
        (void)run_either(runner, body, NULL);
    bool is_over = runner->flow != SHELL_FLOW_NEXT && runner->flow != SHELL_FLOW_CONTINUE;
    if (runner->flow == SHELL_FLOW_BREAK || runner->flow == SHELL_FLOW_CONTINUE)
        runner->flow = SHELL_FLOW_NEXT;
    return !is_over;
}

/* What is left early is in doubt to the loop's end only. */
static void end_loop(struct shell_runner *runner, const size_t *doubts)
{
    runner->doubts[SHELL_FLOW_BREAK] = doubts[SHELL_FLOW_BREAK];
    runner->doubts[SHELL_FLOW_CONTINUE] = doubts[SHELL_FLOW_CONTINUE];
}

static enum shell_truth run_while(struct shell_runner *runner, const struct shell_node *node)
{
    size_t doubts[ARRAY_COUNT(runner->doubts)];
    memcpy(doubts, runner->doubts, sizeof doubts);
    for (;;) {
        enum shell_truth truth = run_node(runner, node->first);
        truth = node->kind == SHELL_NODE_UNTIL ? shell_not(truth) : truth;
        bool is_on = runner->flow == SHELL_FLOW_NEXT && truth != SHELL_TRUTH_NO;
        if (!is_on || !run_round(runner, node->second, truth == SHELL_TRUTH_YES) || truth == SHELL_TRUTH_MAYBE)
            break;
    }
    end_loop(runner, doubts);
    return SHELL_TRUTH_YES;
}

static enum shell_truth run_for(struct shell_runner *runner, const struct shell_node *node)
{
    struct shell_command fields = {0};
    size_t doubts[ARRAY_COUNT(runner->doubts)];
    memcpy(doubts, runner->doubts, sizeof doubts);
    for (size_t i = 1; i < node->words.count; i++)
        shell_expand(runner, node->words.items[i], SHELL_EXPANSION_FIELDS, &fields);
    for (size_t i = 0; !node->has_list && i < runner->arguments.count; i++) {
        const char *argument = runner->arguments.items[i];
        list_add(runner->arena, &fields,
                 ((struct shell_word){.text = argument ? argument : "", .is_constant = argument != NULL}));
    }
    for (size_t i = 0; i < fields.count && runner->flow == SHELL_FLOW_NEXT; i++) {
        const struct shell_word *field = &fields.items[i];
        shell_set(runner, node->words.items[0]->text, field->is_constant ? field->text : NULL);
        if (!run_round(runner, node->second, field->is_constant))
            break;
    }
    end_loop(runner, doubts);
    return SHELL_TRUTH_YES;
}

static enum shell_truth match_arm(struct shell_runner *runner, const struct shell_node *arm, const char *subject)
{
    enum shell_truth truth = SHELL_TRUTH_NO;
    for (size_t i = 0; i < arm->words.count && truth != SHELL_TRUTH_YES; i++) {
        const char *pattern = shell_expand_one(runner, arm->words.items[i], SHELL_EXPANSION_PATTERN);
        bool is_any = pattern && strcmp(pattern, "*") == 0, is_known = pattern && subject;
        if (is_any || (is_known && shell_matches(runner, pattern, subject)))
            truth = SHELL_TRUTH_YES;
        else if (!is_known)
            truth = SHELL_TRUTH_MAYBE;
    }
    return truth;
}

static enum shell_truth run_case(struct shell_runner *runner, const struct shell_node *node)
{
    const char *subject = shell_expand_one(runner, node->words.items[0], SHELL_EXPANSION_ONE);
    bool is_decided = true;
    for (const struct shell_node *arm = node->first; arm && runner->flow == SHELL_FLOW_NEXT; arm = arm->next) {
        enum shell_truth truth = match_arm(runner, arm, subject);
        if (truth == SHELL_TRUTH_NO)
            continue;
        if (truth == SHELL_TRUTH_YES && is_decided)
            return run_node(runner, arm->first);
        (void)run_either(runner, arm->first, NULL);
        is_decided = false;
        if (truth == SHELL_TRUTH_YES)
            break;
    }
    return is_decided ? SHELL_TRUTH_YES : SHELL_TRUTH_MAYBE;
}

/* Where a command's output goes. */
struct outputs {
    const char *path; /* a file, or NULL */
    bool is_appending;
    bool is_elsewhere; /* not where the command around it prints */
    bool is_unknown;
};

static struct outputs find_outputs(struct shell_runner *runner, const struct shell_node *node, const char **ret_input)
{
    struct outputs outputs = {0};
    for (size_t i = 0; i < node->redirections.count; i++) {
        const struct shell_token *token = node->redirections.items[i];
        bool is_output = strcmp(token->sign, ">") == 0 || strcmp(token->sign, ">>") == 0 ||
                         strcmp(token->sign, ">|") == 0 || token->sign[0] == '&';
        if (token->here || token->sign[0] == '<')
            *ret_input = token->here ? shell_expand_one(runner, token->here, SHELL_EXPANSION_ONE) : NULL;
        if (token->sign[0] == '>' && token->sign[1] == '&' && (token->descriptor < 0 || token->descriptor == 1))
            outputs = (struct outputs){.is_elsewhere = true};
        if (!is_output || token->descriptor > 1 || !token->word)
            continue;
        outputs = (struct outputs){.is_elsewhere = true, .is_appending = strcmp(token->sign, ">>") == 0};
        outputs.path = shell_expand_one(runner, token->word, SHELL_EXPANSION_ONE);
        outputs.is_unknown = outputs.path == NULL;
        if (outputs.path && strncmp(outputs.path, "/dev/", 5) == 0)
            outputs.path = NULL;
    }
    return outputs;
}

static enum shell_truth run_function(struct shell_runner *runner, const struct shell_node *body,
                                     const struct shell_command *command)
{
    struct strings outer = runner->arguments;
    size_t doubts[ARRAY_COUNT(runner->doubts)];
    memcpy(doubts, runner->doubts, sizeof doubts);
    runner->arguments = (struct strings){0};
    for (size_t i = 1; i < command->count; i++)
        list_add(runner->arena, &runner->arguments, command->items[i].is_constant ? command->items[i].text : NULL);
    enum shell_truth truth = run_node(runner, body);
    runner->arguments = outer;
    if (runner->flow == SHELL_FLOW_RETURN) {
        runner->flow = SHELL_FLOW_NEXT;
        truth = runner->flow_truth;
    }
    bool was_left = runner->doubts[SHELL_FLOW_RETURN] > doubts[SHELL_FLOW_RETURN];
    runner->doubts[SHELL_FLOW_RETURN] = doubts[SHELL_FLOW_RETURN];
    end_loop(runner, doubts);
    return was_left ? SHELL_TRUTH_MAYBE : truth;
}

/* Words that only say how the command behind them is started. */
static size_t count_prefixes(const struct shell_command *command)
{
    static const char *const prefixes[] = {"command", "exec", "builtin", "nohup", "env", "time", "sudo"};
    size_t at = 0;
    for (bool is_prefix = true; is_prefix && at + 1 < command->count && command->items[at + 1].text[0] != '-';) {
        is_prefix = false;
        for (size_t i = 0; i < ARRAY_COUNT(prefixes); i++)
            is_prefix = is_prefix || strcmp(command->items[at].text, prefixes[i]) == 0;
        at += is_prefix;
    }
    return at;
}

/* For whoever reads from it. */
static void keep_words(struct shell_runner *runner, const struct shell_command *command)
{
    struct strings words = {0};
    size_t bytes = 0;
    for (size_t i = 0; i < command->count; i++) {
        list_add(runner->arena, &words, command->items[i].text);
        bytes += strlen(command->items[i].text) + 1;
    }
    if (!shell_spend(runner, 0, bytes))
        return;
    runner->last_words = strings_join(runner->arena, &words, " ");
}

static enum shell_truth tell(struct shell_runner *runner, struct shell_call *call, const char **ret_text)
{
    const struct shell_world *world = runner->world;
    *ret_text = NULL;
    if (strcmp(call->command.items[0].text, "cat") == 0 && call->command.count == 1)
        *ret_text = call->printed = call->input;
    call->is_sure = is_sure(runner);
    call->umask = shell_umask(runner);
    if (runner->capture)
        keep_words(runner, &call->command);
    return world->call ? world->call(world->self, call, ret_text) : SHELL_TRUTH_MAYBE;
}

static enum shell_truth run_call(struct shell_runner *runner, struct shell_call *call, const struct outputs *outputs)
{
    size_t skip = count_prefixes(&call->command);
    const char *text = NULL;
    enum shell_truth truth;
    call->command.items += skip;
    call->command.count -= skip;
    const struct shell_word *name = &call->command.items[0];
    const struct shell_node *body = name->is_constant ? map_get(&runner->functions, text_of(name->text)) : NULL;
    if (body)
        return run_function(runner, body, &call->command);
    if (!name->is_constant || !shell_builtin(runner, call, &truth, &text)) {
        truth = tell(runner, call, &text);
    } else if (call->output) {
        const char *unused;
        call->printed = text;
        (void)tell(runner, call, &unused);
    }
    if (!outputs->is_elsewhere)
        shell_print(runner, text);
    return truth;
}

static bool split_assignment(struct shell_runner *runner, const struct shell_lexeme *word, const char **ret_name,
                             struct shell_lexeme *ret_value)
{
    const struct shell_part *first = word->parts;
    if (!first || first->kind != SHELL_PART_TEXT || first->is_quoted)
        return false;
    size_t len = 0;
    for (const char *c = first->text;
         (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || *c == '_' || (len && *c >= '0' && *c <= '9'); c++)
        len++;
    if (!len || first->text[len] != '=')
        return false;
    struct shell_part *rest = arena_new(runner->arena, struct shell_part);
    *rest = *first;
    rest->text = first->text + len + 1;
    *ret_name = arena_strndup(runner->arena, first->text, len);
    *ret_value = *word;
    ret_value->parts = rest;
    return true;
}

static enum shell_truth run_simple(struct shell_runner *runner, const struct shell_node *node)
{
    struct shell_call call = {.line = node->line, .input = runner->input, .piped_from = runner->piped_from};
    size_t count = 0;
    struct shell_lexeme value;
    const char *name;
    runner->last_truth = SHELL_TRUTH_YES;
    while (count < node->words.count && split_assignment(runner, node->words.items[count], &name, &value))
        count++;
    for (size_t i = 0; i < count && count == node->words.count; i++) {
        (void)split_assignment(runner, node->words.items[i], &name, &value);
        shell_set(runner, name, shell_expand_one(runner, &value, SHELL_EXPANSION_ONE));
    }
    for (size_t i = 0; i < count && count < node->words.count; i++) {
        (void)split_assignment(runner, node->words.items[i], &name, &value);
        const char *separators = strcmp(name, "IFS") == 0 ? shell_expand_one(runner, &value, SHELL_EXPANSION_ONE) : "";
        call.input = separators && !*separators ? call.input : NULL; /* of `read`, which cuts it otherwise then */
    }
    for (size_t i = count; i < node->words.count; i++)
        shell_expand(runner, node->words.items[i], SHELL_EXPANSION_FIELDS, &call.command);
    struct outputs outputs = find_outputs(runner, node, &call.input);
    call.output = outputs.path;
    call.is_appending = outputs.is_appending;
    if (!call.command.count && !outputs.path)
        return runner->last_truth;
    if (!call.command.count)
        list_add(runner->arena, &call.command, ((struct shell_word){.text = ":", .is_constant = true}));
    return run_call(runner, &call, &outputs);
}

/* A compound command whose output goes to a file: what it prints is collected, and told as one. */
static enum shell_truth run_redirected(struct shell_runner *runner, const struct shell_node *node,
                                       enum shell_truth (*run)(struct shell_runner *, const struct shell_node *))
{
    const char *input = runner->input;
    struct outputs outputs = find_outputs(runner, node, &runner->input);
    struct shell_capture capture = {0}, *outer = runner->capture;
    runner->capture = outputs.is_elsewhere ? &capture : outer;
    enum shell_truth truth = run(runner, node);
    runner->capture = outer;
    runner->input = input;
    if (!outputs.path)
        return truth;
    struct shell_call call = {.line = node->line, .output = outputs.path, .is_appending = outputs.is_appending};
    const char *unused;
    list_add(runner->arena, &call.command, ((struct shell_word){.text = "echo", .is_constant = true}));
    if (!capture.is_unknown)
        call.printed =
            arena_strndup(runner->arena, capture.bytes.count ? capture.bytes.items : "", capture.bytes.count);
    (void)tell(runner, &call, &unused);
    return truth;
}

static enum shell_truth run_group(struct shell_runner *runner, const struct shell_node *node)
{
    return node->is_apart ? shell_run_apart(runner, node->first) : run_node(runner, node->first);
}

static enum shell_truth run_kind(struct shell_runner *runner, const struct shell_node *node)
{
    bool needs_word =
        node->kind == SHELL_NODE_FOR || node->kind == SHELL_NODE_CASE || node->kind == SHELL_NODE_FUNCTION;
    if (needs_word && !node->words.count)
        return SHELL_TRUTH_MAYBE; /* of a script that is broken there */
    switch (node->kind) {
    case SHELL_NODE_SIMPLE:
        return run_simple(runner, node);
    case SHELL_NODE_LIST:
        return run_list(runner, node);
    case SHELL_NODE_PIPE:
        return run_pipe(runner, node);
    case SHELL_NODE_AND_OR:
        return run_and_or(runner, node);
    case SHELL_NODE_NOT:
        return shell_not(run_node(runner, node->first));
    case SHELL_NODE_IF:
        return run_redirected(runner, node, run_if);
    case SHELL_NODE_WHILE:
    case SHELL_NODE_UNTIL:
        return run_redirected(runner, node, run_while);
    case SHELL_NODE_FOR:
        return run_redirected(runner, node, run_for);
    case SHELL_NODE_CASE:
        return run_redirected(runner, node, run_case);
    case SHELL_NODE_GROUP:
        return run_redirected(runner, node, run_group);
    case SHELL_NODE_FUNCTION:
        map_set(&runner->functions, text_of(node->words.items[0]->text), node->first);
        return SHELL_TRUTH_YES;
    case SHELL_NODE_ARM:
        break;
    }
    return SHELL_TRUTH_MAYBE;
}

static enum shell_truth run_node(struct shell_runner *runner, const struct shell_node *node)
{
    if (!shell_spend(runner, 1, 0))
        return SHELL_TRUTH_MAYBE;
    if (runner->depth >= DEPTH_MAX) {
        runner->is_cut = true;
        return SHELL_TRUTH_MAYBE;
    }
    runner->depth++;
    enum shell_truth truth = run_kind(runner, node);
    runner->depth--;
    return truth;
}

bool shell_run(struct arena *arena, const char *script, const struct strings *arguments,
               const struct shell_world *world)
{
    struct shell_runner runner = {.arena = arena,
                                  .world = world,
                                  .variables = {.arena = arena},
                                  .functions = {.arena = arena},
                                  .arguments = *arguments,
                                  .run = run_node};
    (void)shell_run_text(&runner, script);
    return !runner.is_cut;
}

const char *shell_call_name(const struct shell_call *call)
{
    const char *name = call->command.items[0].text, *slash = strrchr(name, '/');
    return slash ? slash + 1 : name;
}
