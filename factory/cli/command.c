#include "cli/command.h"

#include "cli/build.h"
#include "cli/places.h"
#include "cli/remote.h"
#include "cli/signals.h"
#include "content/elf.h"
#include "io/owner.h"

#include <sched.h>
#include <sys/resource.h>

const char *command_first(const char *option, const char *site, const char *standard)
{
    return option ? option : site ? site : standard;
}

const char *command_quote(struct arena *arena, const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-";
    if (*word && !word[strspn(word, plain)])
        return word;
    char *quoted = arena_alloc(arena, 4 * strlen(word) + 3), *to = quoted;
    *to++ = '\'';
    for (; *word; word++)
        to = *word == '\'' ? stpcpy(to, "'\\''") : (*to = *word, to + 1);
    (void)strcpy(to, "'");
    return quoted;
}

const char *command_line(struct arena *arena, const struct strings *words)
{
    const char *line = "";
    for (size_t i = 0; i < words->count; i++)
        line = arena_printf(arena, "%s %s", line, command_quote(arena, words->items[i]));
    return line;
}

/* Where it is remembered that registries have what they should have; without a home nothing is. */
static const char *receipts_dir(struct command *command)
{
    const char *state = command->options.state;
    struct err ignored = {0};
    if (!state && !places_user_dir(&command->arena, "XDG_STATE_HOME", ".local/state", "/var/lib", &state, &ignored))
        return NULL;
    if (!owner_check(state, &ignored)) {
        log_line(command->log, LOG_VERBOSE, "what was pushed before is not believed: %s", ignored.text);
        return NULL;
    }
    return arena_printf(&command->arena, "%s/v1/pushed", state);
}

struct publish_options command_publish_options(struct command *command)
{
    const struct options *options = &command->options;
    const struct site *site = &command->site;
    return (struct publish_options){
        .authfile = options->authfile ? options->authfile : site->authfile,
        .cert_dir = options->cert_dir,
        .is_verify_off = options->is_tls_verify_off || site->is_tls_verify_off,
        .token_origins = site->token_origins,
        .retries = (unsigned)(!options->has_retries && site->has_retries ? site->retries : options->retries),
        .cancel = command->cancel,
        .policy = {.receipts_dir = receipts_dir(command),
                   .is_look_forced = options->is_look_forced,
                   .may_lose_platforms = options->may_lose_platforms}};
}

static size_t processor_count(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) != 0)
        return 1;
    int count = CPU_COUNT(&set);
    return count < 1 ? 1 : count > 256 ? 256 : (size_t)count;
}

size_t command_jobs(const struct command *command)
{
    uint64_t jobs = command->options.jobs ? command->options.jobs : command->site.jobs;
    return jobs ? (size_t)jobs : processor_count();
}

/* Does the work of the call; on false err says why. */
static bool run(struct command *command, int argc, char **argv, enum err_kind *ret_outcome, struct err *err)
{
    if (!options_parse(&command->arena, argc, argv, &command->options, err))
        return false;
    const struct options *options = &command->options;
    if (options->is_help) {
        options_print_help(stdout, options->command);
        return true;
    }
    if (options->is_version) {
        (void)printf("imgfactory %s\n", IMGFACTORY_VERSION);
        return true;
    }
    log_close(command->log);
    command->log = log_open(options->is_quiet ? LOG_QUIET : options->is_verbose ? LOG_VERBOSE : LOG_NORMAL);
    if (options->is_list)
        return build_list(command, err);
    if (!site_load(&command->arena, options->config, &command->site, err))
        return false;
    if (options->command == COMMAND_BUILD || options->command == COMMAND_WHY)
        return build_run(command, ret_outcome, err);
    return remote_run(command, err);
}

/* A core dump could hold a credential. */
static void forbid_core_dumps(void)
{
    struct rlimit none = {0, 0};
    (void)setrlimit(RLIMIT_CORE, &none);
}

int command_run(int argc, char **argv)
{
    struct command command = {.log = log_open(LOG_NORMAL)};
    struct err err = {0};
    struct signals *signals = NULL;
    enum err_kind outcome = ERR_NONE;
    forbid_core_dumps();
    elf_init();
    bool is_good = signals_start(&signals, &err);
    if (is_good) {
        command.cancel = signals_cancel(signals);
        is_good = run(&command, argc, argv, &outcome, &err);
    }
    if (!is_good) {
        outcome = err.kind;
        log_line(command.log, LOG_QUIET, "error: %s", err.text);
    }
    if ((fflush(stdout) != 0 || ferror(stdout)) && outcome == ERR_NONE) {
        log_line(command.log, LOG_QUIET, "error: the report could not be written to standard output");
        outcome = ERR_LOCAL;
    }
    int caught = signals_stop(signals);
    log_close(command.log);
    arena_done(&command.arena);
    if (caught && outcome == ERR_CANCELLED)
        signals_die(caught);
    return (int)outcome;
}
