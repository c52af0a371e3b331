#include "cli/command.h"

#include "base/units.h"
#include "cli/build.h"
#include "cli/clean.h"
#include "cli/places.h"
#include "cli/remote.h"
#include "io/file.h"
#include "io/owner.h"
#include "package/elf.h"

#include <sched.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#define CACHE_LIMIT_BYTES ((uint64_t)8 << 30)

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

/* Tries after the first. */
static unsigned retries_of(const struct command *command)
{
    const struct options *options = &command->options;
    const struct site *site = &command->site;
    return (unsigned)(!options->has_retries && site->has_retries ? site->retries : options->retries);
}

const struct registry_options *command_registry_options(struct command *command)
{
    const struct options *options = &command->options;
    const struct site *site = &command->site;
    struct registry_options *registry = arena_new(&command->arena, struct registry_options);
    *registry = (struct registry_options){.log = command->log,
                                          .authfile = options->authfile ? options->authfile : site->authfile,
                                          .cert_dir = options->cert_dir,
                                          .is_verify_off = options->is_tls_verify_off || site->is_tls_verify_off,
                                          .token_origins = &site->token_origins,
                                          .retries = retries_of(command),
                                          .cancel = command->cancel};
    return registry;
}

struct push_policy command_push_policy(struct command *command)
{
    return (struct push_policy){.receipts_dir = receipts_dir(command),
                                .is_look_forced = command->options.is_look_forced,
                                .may_lose_platforms = command->options.may_lose_platforms};
}

struct http_options command_http_options(const struct command *command)
{
    unsigned retries = retries_of(command);
    return (struct http_options){.retry_count = retries ? retries : HTTP_NO_RETRY,
                                 .slow_after_ms = command->slow_after_ms,
                                 .cancel = command->cancel,
                                 .log = command->log};
}

uint64_t command_cache_limit(const struct command *command)
{
    const struct options *options = &command->options;
    const struct site *site = &command->site;
    return options->has_cache_limit ? options->cache_limit
           : site->has_cache_limit  ? site->cache_limit
                                    : CACHE_LIMIT_BYTES;
}

uint64_t command_timeout_ms(const struct command *command)
{
    return command->options.timeout_ms ? command->options.timeout_ms : command->site.timeout_ms;
}

void command_tell_timeout(const struct command *command, struct err *err)
{
    if (err->kind != ERR_CANCELLED || !signals_is_timed_out(command->signals))
        return;
    struct err told = {0};
    err_set(&told, ERR_NETWORK, "%s: not done within --timeout %s", err->text,
            units_duration(command_timeout_ms(command)).chars);
    *err = told;
}

/* A duration of the environment, for machines that are odd and tests that are in a hurry. */
static bool read_duration(const char *name, uint64_t *ret_ms, struct err *err)
{
    const char *value = getenv(name);
    *ret_ms = 0;
    if (!value || !*value || (units_parse_duration(text_of(value), ret_ms) && *ret_ms > 0))
        return true;
    err_set(err, ERR_USAGE, "%s is \"%s\", not a duration such as 90s or 10m", name, value);
    return false;
}

/* Sets what bounds all waiting. */
static bool set_limits(struct command *command, struct err *err)
{
    uint64_t slow_after_ms;
    command->lock_wait = (struct lock_wait){.log = command->log, .cancel = command->cancel};
    if (!read_duration("IMGFACTORY_LOCK_WAIT", &command->lock_wait.limit_ms, err) ||
        !read_duration("IMGFACTORY_SLOW_AFTER", &slow_after_ms, err))
        return false;
    command->slow_after_ms = slow_after_ms < UINT32_MAX ? (unsigned)slow_after_ms : UINT32_MAX;
    if (command_timeout_ms(command))
        signals_limit_ms(command->signals, command_timeout_ms(command));
    return true;
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

/* What one order has open at once, the libraries and gpgv included: with less, anything could fail anywhere, also in other
 * programs' words. */
#define DESCRIPTORS_MIN 24

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
    if (!file_check_room(DESCRIPTORS_MIN, err))
        return false;
    if (options->is_list)
        return build_list(command, err);
    if (!site_load(&command->arena, options->config, &command->site, err) || !set_limits(command, err))
        return false;
    if (options->command == COMMAND_CLEAN)
        return clean_run(command, err);
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
    enum err_kind outcome = ERR_NONE;
    forbid_core_dumps();
    elf_init();
    bool is_good = signals_start(&command.signals, &err);
    if (is_good) {
        command.cancel = signals_cancel(command.signals);
        is_good = run(&command, argc, argv, &outcome, &err);
    }
    if (!is_good) {
        command_tell_timeout(&command, &err);
        outcome = err.kind;
        log_line(command.log, LOG_QUIET, "error: %s", err.text);
    }
    if ((fflush(stdout) != 0 || ferror(stdout)) && outcome == ERR_NONE) {
        log_line(command.log, LOG_QUIET, "error: the report could not be written to standard output");
        outcome = ERR_LOCAL;
    }
    if (command.is_abandoned || (outcome == ERR_CANCELLED && signals_caught(command.signals)))
        signals_end(command.signals, (int)outcome);
    signals_stop(command.signals);
    log_close(command.log);
    arena_done(&command.arena);
    return (int)outcome;
}
